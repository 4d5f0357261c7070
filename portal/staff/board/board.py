"""The board of today's visits at one site, by status."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clinic import patient_text, time_text
from clinic.local_time import in_zone
from clinic.models import Appointment, Communication, Encounter, Location
from clinic.translations import text_of
from portal.appointments.visits import Status
from portal.staff.groups import Seats, seats_at
from scheduling import access, notifications
from scheduling.access import Caller
from scheduling.booking.encounters import UNDER_WAY
from scheduling.participants import PRACTITIONER, names_by_reference, participant_names, room_names

LATE = timedelta(minutes=10)
DAY = timedelta(days=1)
VISIBLE = 60  # cards of a column, unless all are requested
VISIBLE_BEFORE = 20  # of these, cards whose time has passed


@dataclass(frozen=True, slots=True)
class Step:
    """A status that the desk can record next: the text of its button, and its key."""

    status: str
    word: Any
    key: str


ARRIVED = Step(Status.ARRIVED, _("Arrived"), "a")
IN_ROOM = Step(Status.CHECKED_IN, _("In room"), "r")
DONE = Step(Status.FULFILLED, _("Done"), "d")
MISSED = Step(Status.NOSHOW, _("No-show"), "n")

# The columns, with the next steps of their visits.
STEPS: dict[Status, tuple[Step, ...]] = {
    Status.BOOKED: (ARRIVED, IN_ROOM, MISSED),
    Status.ARRIVED: (IN_ROOM, DONE, MISSED),
    Status.CHECKED_IN: (DONE,),
    Status.FULFILLED: (),
    Status.NOSHOW: (),
}
HEADINGS = {
    Status.BOOKED: _("Expected"),
    Status.ARRIVED: _("Arrived"),
    Status.CHECKED_IN: _("In room"),
    Status.FULFILLED: _("Done"),
    Status.NOSHOW: _("No-show"),
}


@dataclass(frozen=True)
class VisitCard:
    """One visit of the day, with times in the site's zone."""

    appointment: Appointment
    zone: ZoneInfo
    now: datetime
    seats: Seats | None = None

    @property
    def id(self) -> str:
        return self.appointment.fhir_id

    @cached_property
    def start(self) -> datetime:
        assert self.appointment.start is not None  # the query selects rows by it
        return in_zone(self.appointment.start, self.zone)

    @cached_property
    def clock(self) -> str:
        return time_text.clock(self.start)

    @cached_property
    def href(self) -> str:
        return reverse("portal:staff-visit", args=[self.id])

    @cached_property
    def born(self) -> str:
        """The patient's birth date, to tell patients of the same name apart."""
        return patient_text.birth_date_text(self.appointment.patient) if self.appointment.patient else ""

    @cached_property
    def what(self) -> str:
        """The service, the seats taken in its group, the practitioners, and the room."""
        service = text_of(self.appointment.service, "name")
        full = _("%(taken)d of %(of)d") % self.seats._asdict() if self.seats else ""
        return ", ".join(part for part in (service, full, self.with_whom, self.room) if part)

    @cached_property
    def practitioners(self) -> dict[str, str]:
        """The names of the practitioners, by their FHIR references."""
        return names_by_reference(self.appointment.participant, PRACTITIONER)

    @cached_property
    def title(self) -> Any:
        return patient_text.with_note(self.appointment.patient) if self.appointment.patient else _("No patient yet")

    @cached_property
    def with_whom(self) -> str:
        return ", ".join(participant_names(self.appointment, "Practitioner"))

    @cached_property
    def room(self) -> str:
        return room_names(self.appointment)

    @property
    def where(self) -> Any:
        """The heading of its column."""
        return HEADINGS[Status(self.appointment.status)]

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return steps_after(Status(self.appointment.status), self.start, self.now)

    @cached_property
    def is_late(self) -> bool:
        return self.appointment.status == Status.BOOKED and self.now > self.start + LATE

    @cached_property
    def waiting(self) -> timedelta | None:
        """The time since the patient arrived, in whole minutes; None if they are not waiting."""
        if self.appointment.status != Status.ARRIVED:
            return None
        starts = [encounter.start for encounter in self.appointment.encounters.all() if encounter.start is not None]
        if not starts:
            return None
        return timedelta(minutes=(self.now - min(starts)) // timedelta(minutes=1)) or None


@dataclass(frozen=True, slots=True)
class Column:
    """The visits of one status. Of many, only those around now are `visible`."""

    status: Status
    cards: list[VisitCard]
    visible: list[VisitCard]

    @property
    def heading(self) -> Any:
        return HEADINGS[self.status]

    @property
    def hidden(self) -> int:
        return len(self.cards) - len(self.visible)


@dataclass(frozen=True, slots=True)
class PractitionerOption:
    """A practitioner to choose on the board, and their number of visits."""

    reference: str
    name: str
    visits: int


@dataclass(frozen=True, kw_only=True)
class Board:
    """A day at a site. `stamp` changes whenever the content of the board does."""

    site: Location
    zone: ZoneInfo
    now: datetime
    columns: list[Column]
    people: list[PractitionerOption]
    practitioner: str
    whole: bool
    is_cut: bool
    failed: int
    stamp: str

    def card(self, appointment_id: str) -> VisitCard | None:
        return next((card for column in self.columns for card in column.cards if card.id == appointment_id), None)

    @property
    def count(self) -> int:
        return sum(len(column.cards) for column in self.columns)


def steps_after(status: Status, start: datetime, now: datetime) -> tuple[Step, ...]:
    """Return the steps the desk can record: none before the day of the visit, no no-show before its start."""
    if now.astimezone(start.tzinfo).date() < start.date():
        return ()
    return tuple(step for step in STEPS.get(status, ()) if step is not MISSED or now >= start)


def sites(caller: Caller) -> list[Location]:
    """Return the sites whose board the caller may see: an administrator all, others those where they work."""
    rows = Location.objects.filter(part_of=None, deleted_at=None, status=Location.Status.ACTIVE)
    if caller.is_administrator:
        return list(rows)
    works_at = Q(pk__in=caller.desk_sites)
    if caller.practitioner:
        works_at |= Q(schedules__in=access.calendars(caller))
    return list(rows.filter(works_at).distinct())


def read_board(caller: Caller, site: Location, *, now: datetime, practitioner: str = "", whole: bool = False) -> Board:
    """Return the board of a site, or of one `practitioner` (a FHIR reference) there. Five queries, always.

    Of a long column only the cards around now, unless `whole`. `failed` is the number of failed messages about
    upcoming visits.
    """
    zone = ZoneInfo(site.timezone or "UTC")
    today = now.astimezone(zone).date()
    start = datetime.combine(today, time(), zone).astimezone(UTC)
    end = datetime.combine(today + DAY, time(), zone).astimezone(UTC)
    seats = seats_at(site, start, end, now=now)
    every = [VisitCard(each, zone, now, seats.get(each.pk)) for each in _visits(caller, site, start, end)]
    cards = [card for card in every if not practitioner or practitioner in card.practitioners]
    columns = [_column(status, cards, now, whole=whole) for status in STEPS]
    failed = _failures(caller, now).filter(appointment__site=site).count()
    return Board(
        site=site,
        zone=zone,
        now=now.astimezone(zone),
        columns=columns,
        people=_people(every),
        practitioner=practitioner,
        whole=whole,
        is_cut=any(len(column.visible) < len(column.cards) for column in columns),
        failed=failed,
        stamp=_stamp(
            today,
            failed,
            whole,
            *(
                (card.id, card.appointment.version, len(card.steps), card.is_late, card.waiting, card.seats)
                for card in cards
            ),
        ),
    )


def _failures(caller: Caller, now: datetime) -> QuerySet[Communication]:
    return notifications.failures(None, now=now).filter(appointment__in=access.staff_appointments(caller))


def _visits(caller: Caller, site: Location, start: datetime, end: datetime) -> QuerySet[Appointment]:
    seen = access.staff_appointments(caller).filter(site=site, start__gte=start, start__lt=end, deleted_at=None)
    return (
        seen.filter(status__in=STEPS)
        .select_related("patient", "service")
        .prefetch_related(Prefetch("encounters", Encounter.objects.filter(status__in=UNDER_WAY, deleted_at=None)))
        .order_by("start", "pk")
    )


def _column(status: Status, cards: Iterable[VisitCard], now: datetime, *, whole: bool) -> Column:
    here = [card for card in cards if card.appointment.status == status]
    if whole or len(here) <= VISIBLE:
        return Column(status, here, here)
    passed = sum(card.start <= now for card in here)
    first = max(min(passed - VISIBLE_BEFORE, len(here) - VISIBLE), 0)
    return Column(status, here, here[first : first + VISIBLE])


def _people(cards: Iterable[VisitCard]) -> list[PractitionerOption]:
    """Return the practitioners who have visits on the day, by name."""
    names: dict[str, str] = {}
    counted: Counter[str] = Counter()
    for card in cards:
        names |= card.practitioners
        counted.update(card.practitioners.keys())
    options = (PractitionerOption(reference, names[reference], visits) for reference, visits in counted.items())
    return sorted(options, key=lambda option: option.name)


def _stamp(*content: object) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]
