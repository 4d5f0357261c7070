"""Today at one site: who is expected, who is here, who is done."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from clinic import words
from clinic.local_time import in_zone
from clinic.models import Appointment, Communication, Encounter, Location
from portal.appointments.visits import Status
from scheduling import access, notifications
from scheduling.access import Caller
from scheduling.facts import named

LATE = timedelta(minutes=10)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Step:
    """What the desk records next: the status, the verb on its button, and the key that does it."""

    status: str
    word: Any
    key: str


ARRIVED = Step(Status.ARRIVED, _("Arrived"), "a")
IN_ROOM = Step(Status.CHECKED_IN, _("In room"), "r")
DONE = Step(Status.FULFILLED, _("Done"), "d")
MISSED = Step(Status.NOSHOW, _("No-show"), "n")

# The columns, and what follows in each.
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


@dataclass(frozen=True, slots=True)
class Card:
    """One visit of the day; times are the site's."""

    appointment: Appointment
    zone: ZoneInfo
    now: datetime

    @property
    def id(self) -> str:
        return self.appointment.fhir_id

    @property
    def start(self) -> datetime:
        assert self.appointment.start is not None  # chosen by it
        return in_zone(self.appointment.start, self.zone)

    @property
    def title(self) -> Any:
        return words.with_note(self.appointment.patient) if self.appointment.patient else _("No patient yet")

    @property
    def with_whom(self) -> str:
        return ", ".join(named(self.appointment, "Practitioner"))

    @property
    def room(self) -> str:
        return ", ".join(named(self.appointment, "Location/"))

    @property
    def where(self) -> Any:
        """The heading that it stands under."""
        return HEADINGS[Status(self.appointment.status)]

    @property
    def steps(self) -> tuple[Step, ...]:
        return steps_after(Status(self.appointment.status), self.start, self.now)

    @property
    def is_late(self) -> bool:
        return self.appointment.status == Status.BOOKED and self.now > self.start + LATE

    @property
    def waiting(self) -> timedelta | None:
        """How long somebody who has arrived has been waiting, in whole minutes."""
        encounter = next(iter(self.appointment.encounters.all()), None)
        if self.appointment.status != Status.ARRIVED or encounter is None or encounter.start is None:
            return None
        return timedelta(minutes=(self.now - encounter.start) // timedelta(minutes=1)) or None


@dataclass(frozen=True, slots=True)
class Column:
    status: Status
    cards: list[Card]

    @property
    def heading(self) -> Any:
        return HEADINGS[self.status]


@dataclass(frozen=True, kw_only=True)
class Board:
    """A day at a site. `stamp` changes whenever something that it shows does."""

    site: Location
    zone: ZoneInfo
    now: datetime
    columns: list[Column]
    failed: int
    stamp: str

    def card(self, appointment_id: str) -> Card | None:
        return next((card for column in self.columns for card in column.cards if card.id == appointment_id), None)

    @property
    def count(self) -> int:
        return sum(len(column.cards) for column in self.columns)


def steps_after(status: Status, start: datetime, now: datetime) -> tuple[Step, ...]:
    """What the desk can record next; nothing before the day of the visit, and nobody misses one that has not begun."""
    if now.astimezone(start.tzinfo).date() < start.date():
        return ()
    return tuple(step for step in STEPS.get(status, ()) if step is not MISSED or now >= start)


def sites(caller: Caller) -> list[Location]:
    """The sites whose day the caller sees: the front desk's, an administrator's all, those a practitioner works at."""
    rows = Location.objects.filter(part_of=None, deleted_at=None, status=Location.Status.ACTIVE)
    if caller.is_administrator:
        return list(rows)
    works_at = Q(pk__in=caller.desk_sites)
    if caller.practitioner:
        works_at |= Q(schedules__in=access.calendars(caller))
    return list(rows.filter(works_at).distinct())


def read_board(caller: Caller, site: Location, *, now: datetime) -> Board:
    """Three queries, however many visits. `failed` counts the messages about visits to come that did not go out."""
    zone = ZoneInfo(site.timezone or "UTC")
    today = now.astimezone(zone).date()
    start = datetime.combine(today, time(), zone).astimezone(UTC)
    end = datetime.combine(today + DAY, time(), zone).astimezone(UTC)
    cards = [Card(each, zone, now) for each in _visits(caller, site, start, end)]
    failed = _failures(caller, now).filter(appointment__site=site).count()
    return Board(
        site=site,
        zone=zone,
        now=now.astimezone(zone),
        columns=[Column(status, _of(cards, status)) for status in STEPS],
        failed=failed,
        stamp=_stamp(
            today,
            failed,
            *((card.id, card.appointment.version, len(card.steps), card.is_late, card.waiting) for card in cards),
        ),
    )


def _failures(caller: Caller, now: datetime) -> QuerySet[Communication]:
    return notifications.failures(None, now=now).filter(appointment__in=access.at_work(caller))


def _visits(caller: Caller, site: Location, start: datetime, end: datetime) -> QuerySet[Appointment]:
    seen = access.at_work(caller).filter(site=site, start__gte=start, start__lt=end, deleted_at=None)
    return (
        seen.filter(status__in=STEPS)
        .select_related("patient", "service")
        .prefetch_related(Prefetch("encounters", Encounter.objects.filter(deleted_at=None)))
        .order_by("start", "pk")
    )


def _of(cards: Iterable[Card], status: Status) -> list[Card]:
    return [card for card in cards if card.appointment.status == status]


def _stamp(*shown: object) -> str:
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
