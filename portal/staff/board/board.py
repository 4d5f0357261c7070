"""The board of a day's visits at one site or at all, by status: today, or a past or coming day."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Min, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clinic import patient_text, time_text
from clinic.local_time import in_zone, later
from clinic.models import Appointment, Communication, Encounter, Location
from clinic.translations import text_of
from portal.appointments.visits import Status
from portal.staff.groups import Seats, seats_at
from portal.staff.sites import ALL_SITES
from scheduling import access, booking, notifications
from scheduling.access import Caller
from scheduling.booking import HERE
from scheduling.booking.encounters import UNDER_WAY
from scheduling.participants import PRACTITIONER, names_by_reference, participant_names, room_names
from scheduling.waiting import NO_WAIT, Wait, bounds_of, delays_on, waits_of

LATE = timedelta(minutes=10)
AFTER_MIDNIGHT = timedelta(hours=6)  # for so long, the visits of the evening before may still be going on
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
# Of a past day, only how the visit ended: nobody arrives any more.
LATER_STEPS: dict[Status, tuple[Step, ...]] = {
    Status.BOOKED: (DONE, MISSED),
    Status.ARRIVED: (DONE, MISSED),
    Status.CHECKED_IN: (DONE,),
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
    """One visit of the day, with times in the site's zone. `place` is its site, if the board is of several.

    `is_extra` says that it was booked at a time that was taken, `arrived` since when a patient who has come waits.
    """

    appointment: Appointment
    zone: ZoneInfo
    now: datetime
    seats: Seats | None = None
    wait: Wait = NO_WAIT
    place: str = ""
    is_extra: bool = False
    arrived: datetime | None = None

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
    def needs(self) -> str:
        """The patient's needs, such as an interpreter."""
        return ", ".join(patient_text.needs_of(self.appointment.patient))

    @cached_property
    def what(self) -> str:
        """The service, the seats of its group or the mark of an extra visit, the practitioners, the room, the place."""
        service = text_of(self.appointment.service, "name")
        full = _("%(taken)d of %(of)d") % self.seats._asdict() if self.seats else ""
        extra = _("Extra visit") if self.is_extra else ""
        return ", ".join(str(part) for part in (service, full, extra, self.with_whom, self.room, self.place) if part)

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

    @property
    def expected(self) -> str:
        """The time at which the visit is expected to begin, if that is later than planned."""
        late = self.wait.late
        return time_text.clock(in_zone(later(self.start.astimezone(UTC), late), self.zone)) if late else ""

    @cached_property
    def is_today(self) -> bool:
        return self.start.date() == in_zone(self.now, self.zone).date()

    @property
    def is_here(self) -> bool:
        """True if the patient has come and not gone yet."""
        return self.is_today and self.appointment.status in HERE

    @cached_property
    def is_late(self) -> bool:
        return self.is_today and self.appointment.status == Status.BOOKED and self.now > self.start + LATE

    @cached_property
    def waiting(self) -> timedelta | None:
        """The time since the patient arrived, in whole minutes; None if they are not waiting."""
        if self.arrived is None or not self.is_today:
            return None
        return timedelta(minutes=(self.now - self.arrived) // timedelta(minutes=1)) or None


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
    """A day at one site or at all. `stamp` changes whenever the content of the board does.

    `zone` is that of the first site; `zones` has that of each.
    """

    sites: list[Location]
    all_sites: bool
    zone: ZoneInfo
    zones: list[ZoneInfo]
    now: datetime
    day: date
    columns: list[Column]
    people: list[PractitionerOption]
    practitioner: str
    whole: bool
    is_cut: bool
    failed: int
    stamp: str
    gives_rooms: bool

    def card(self, appointment_id: str) -> VisitCard | None:
        return next((card for column in self.columns for card in column.cards if card.id == appointment_id), None)

    @property
    def site(self) -> Location | None:
        """The one site that it is of."""
        return None if self.all_sites else self.sites[0]

    @property
    def site_value(self) -> str:
        """The value of the choice of sites."""
        return ALL_SITES if self.all_sites else self.sites[0].fhir_id

    @property
    def is_today(self) -> bool:
        return self.day == self.now.date()

    @property
    def is_past(self) -> bool:
        return self.day < self.now.date()

    @property
    def previous(self) -> date:
        return self.day - DAY

    @property
    def following(self) -> date:
        return self.day + DAY

    @property
    def query(self) -> str:
        """The query of its address. That of today names no day, so that an open page goes on to the next day."""
        day = "" if self.is_today else self.day.isoformat()
        named = {"site": self.site_value, "practitioner": self.practitioner, "date": day}
        return urlencode({name: value for name, value in named.items() if value})

    @property
    def count(self) -> int:
        return sum(len(column.cards) for column in self.columns)


def steps_after(status: Status, start: datetime, now: datetime) -> tuple[Step, ...]:
    """Return the steps the desk can record: none before the day of the visit, no no-show before its start, and after
    the day only how the visit ended.
    """
    local = now.astimezone(start.tzinfo)
    if local.date() < start.date():
        return ()
    steps = LATER_STEPS if (local - AFTER_MIDNIGHT).date() > start.date() else STEPS
    return tuple(step for step in steps.get(status, ()) if step is not MISSED or now >= start)


def read_board(
    caller: Caller,
    sites: list[Location],
    *,
    now: datetime,
    day: date | None = None,
    practitioner: str = "",
    whole: bool = False,
    all_sites: bool = False,
) -> Board:
    """Return the board of these sites on a day, by default today, or of one `practitioner` (a FHIR reference) there.

    The number of queries does not grow with the visits; another day needs fewer, and each further zone some more.

    Of a long column only the cards around now, unless `whole`. `failed` is the number of failed messages about
    upcoming visits, on the board of today.
    """
    by_zone: dict[ZoneInfo, list[Location]] = {}
    for site in sites:
        by_zone.setdefault(ZoneInfo(site.timezone or "UTC"), []).append(site)
    zones = list(by_zone)
    today = now.astimezone(zones[0]).date()
    day = day or today
    every = [card for zone, here in by_zone.items() for card in _cards(caller, here, zone, day, now=now)]
    if all_sites:
        every = sorted((_with_place(card, len(zones) > 1) for card in every), key=lambda card: card.start)
    cards = [card for card in every if not practitioner or practitioner in card.practitioners]
    columns = [_column(status, cards, now, whole=whole) for status in STEPS]
    failed = _failures(caller, now).filter(appointment__site__in=sites).count() if day == today else 0
    return Board(
        sites=sites,
        all_sites=all_sites,
        zone=zones[0],
        zones=zones,
        now=now.astimezone(zones[0]),
        day=day,
        columns=columns,
        people=_people(every),
        practitioner=practitioner,
        whole=whole,
        is_cut=any(len(column.visible) < len(column.cards) for column in columns),
        failed=failed,
        gives_rooms=any(card.is_here for card in cards) and booking.has_rooms(sites),
        stamp=_stamp(
            day,
            failed,
            whole,
            *(
                (
                    *(card.id, card.appointment.version, len(card.steps), card.is_late, card.waiting, card.wait),
                    *(card.seats, card.is_extra, card.needs),
                )
                for card in cards
            ),
        ),
    )


def _failures(caller: Caller, now: datetime) -> QuerySet[Communication]:
    return notifications.failures(None, now=now).filter(appointment__in=access.staff_appointments(caller))


def _cards(caller: Caller, sites: Collection[Location], zone: ZoneInfo, day: date, *, now: datetime) -> list[VisitCard]:
    """Return the cards of a day at sites of one zone."""
    today = now.astimezone(zone).date()
    start, end = bounds_of(day, zone)
    seats, extra = seats_at(sites, start, end, now=now)
    visits = list(_visits(caller, sites, start, end))
    waits = waits_of(visits, zone, delays_on(today), now=now) if day == today else {}
    arrivals = _arrivals(visits)
    return [
        VisitCard(
            each,
            zone,
            now,
            seats.get(each.pk),
            waits.get(each.pk, NO_WAIT),
            is_extra=each.pk in extra,
            arrived=arrivals.get(each.pk),
        )
        for each in visits
    ]


def _arrivals(visits: Iterable[Appointment]) -> dict[int, datetime]:
    """Return when each patient arrived who has not been called yet, by the primary key of the visit."""
    arrived = [visit.pk for visit in visits if visit.status == Status.ARRIVED]
    under_way = Encounter.objects.filter(appointment__in=arrived, status__in=UNDER_WAY, deleted_at=None)
    return dict(under_way.exclude(start=None).values_list("appointment").annotate(Min("start")).order_by())


def _with_place(card: VisitCard, names_zone: bool) -> VisitCard:
    name = text_of(card.appointment.site, "name")
    return replace(card, place=f"{name} ({time_text.zone_name(card.zone)})" if names_zone else name)


def _visits(caller: Caller, sites: Collection[Location], start: datetime, end: datetime) -> QuerySet[Appointment]:
    seen = access.staff_appointments(caller).filter(site__in=sites, start__gte=start, start__lt=end, deleted_at=None)
    return (
        seen.filter(status__in=STEPS)
        .select_related("patient")
        .prefetch_related("service", "site")  # the same few for all visits
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
