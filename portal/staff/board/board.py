"""The board of a day's visits at one site or at all, by status: today, or a past or coming day."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
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
VISIBLE = 60  # cards of a column
VISIBLE_BEFORE = 20  # of these, cards whose time has passed
AT_ONCE = 100  # cards of the column in which somebody has gone to earlier or later visits


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


@dataclass(frozen=True, slots=True)
class BoardQuery:
    """What is asked of the board: a day, by default today, of everybody or of one `practitioner` (a FHIR reference).

    The `column` (a status) begins with its visit number `first`; others show the visits around now. With `find` only
    cards that have these words are shown. `named` is a visit whose card is wanted also if its column does not show it,
    and `whole` asks for the cards of all visits.
    """

    day: date | None = None
    practitioner: str = ""
    column: str = ""
    first: int = 0
    find: str = ""
    named: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class DayVisit:
    """A visit of the day as it is counted; most have no card."""

    pk: int
    id: str
    status: str
    start: datetime
    practitioners: Mapping[str, str]  # their names by their FHIR references


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

    def has(self, words: str) -> bool:
        """True if the card has these words in one of its texts, whatever their case."""
        texts = (self.title, self.born, self.what, self.clock, self.needs, _("Late") if self.is_late else "")
        return any(words.lower() in str(text).lower() for text in texts)

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
    """The visits of one status: how many there are, and the cards of those that are shown.

    `before` and `after` count the visits that are not shown, of those that were looked for.
    """

    status: Status
    count: int
    before: int
    cards: list[VisitCard]
    after: int

    @property
    def heading(self) -> Any:
        return HEADINGS[self.status]

    @property
    def hidden(self) -> int:
        return self.before + self.after

    @property
    def earlier(self) -> int:
        """The number of the visit with which the cards begin after going to earlier ones."""
        return max(self.before - AT_ONCE, 0)

    @property
    def later(self) -> int:
        """The number of the first visit after the cards."""
        return self.count - self.after


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
    asked: BoardQuery
    named: VisitCard | None
    failed: int
    stamp: str
    gives_rooms: bool

    @property
    def cards(self) -> list[VisitCard]:
        return [card for column in self.columns for card in column.cards]

    @property
    def is_cut(self) -> bool:
        """True if some of the visits have no card."""
        return any(len(column.cards) < column.count for column in self.columns)

    @property
    def practitioner(self) -> str:
        return self.asked.practitioner

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
    def here(self) -> str:
        """The query of its address, with the place in a column to which somebody has gone."""
        place = {"column": self.asked.column, "first": self.asked.first} if self.asked.column else {}
        return "&".join(filter(None, (self.query, urlencode(place))))

    @property
    def count(self) -> int:
        return sum(column.count for column in self.columns)


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
    caller: Caller, sites: list[Location], asked: BoardQuery, *, now: datetime, all_sites: bool = False
) -> Board:
    """Return the board of these sites on a day.

    The number of queries does not grow with the visits; another day needs fewer, and each further zone some more. Only
    visits with a card are read whole. `failed` is the number of failed messages about upcoming visits, on the board of
    today.
    """
    by_zone: dict[ZoneInfo, list[Location]] = {}
    for site in sites:
        by_zone.setdefault(ZoneInfo(site.timezone or "UTC"), []).append(site)
    zones = list(by_zone)
    today = now.astimezone(zones[0]).date()
    rows = _Rows(caller, by_zone, asked.day or today, now, names_sites=all_sites)
    every = rows.visits()
    visits = [each for each in every if not asked.practitioner or asked.practitioner in each.practitioners]
    columns, named = _columns(rows, visits, asked)
    cards = [card for column in columns for card in column.cards]
    failed = _failures(caller, now).filter(appointment__site__in=sites).count() if rows.day == today else 0
    return Board(
        sites=sites,
        all_sites=all_sites,
        zone=zones[0],
        zones=zones,
        now=now.astimezone(zones[0]),
        day=rows.day,
        columns=columns,
        people=_people(every),
        asked=asked,
        named=named,
        failed=failed,
        gives_rooms=any(card.is_here for card in cards) and booking.has_rooms(sites),
        stamp=_stamp(
            rows.day,
            failed,
            asked,
            [(column.count, column.before, len(column.cards)) for column in columns],
            *(
                (
                    *(card.id, card.appointment.version, len(card.steps), card.is_late, card.waiting, card.wait),
                    *(card.seats, card.is_extra, card.needs),
                )
                for card in cards
            ),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a day at the sites of each zone."""

    caller: Caller
    by_zone: Mapping[ZoneInfo, Collection[Location]]
    day: date
    now: datetime
    names_sites: bool

    def visits(self) -> list[DayVisit]:
        """The visits of the day, in order. One query for each zone."""
        columns = ("pk", "fhir_id", "status", "start", "participant")
        rows = (row for zone in self.by_zone for row in self._of(zone).values_list(*columns))
        found = (
            DayVisit(pk, fhir_id, status, start, names_by_reference(participant, PRACTITIONER))
            for pk, fhir_id, status, start, participant in rows
        )
        return sorted(found, key=lambda visit: (visit.start, visit.pk))

    def cards(self, visits: Iterable[DayVisit]) -> dict[int, VisitCard]:
        """The cards of these visits by their primary keys."""
        wanted = [each.pk for each in visits]
        cards = (card for zone in self.by_zone for card in self._cards(zone, wanted)) if wanted else ()
        return {card.appointment.pk: card for card in cards}

    def with_words(self, words: str) -> set[int]:
        """The primary keys of the visits whose cards have these words. A query for each zone, and two for all."""
        return {
            visit.pk
            for zone in self.by_zone
            for visit in self._of(zone).select_related("patient").prefetch_related("service", "site").only(*_WORDS)
            if VisitCard(visit, zone, self.now, place=self._place(visit, zone)).has(words)
        }

    def _of(self, zone: ZoneInfo) -> QuerySet[Appointment]:
        start, end = bounds_of(self.day, zone)
        seen = access.staff_appointments(self.caller).filter(start__gte=start, start__lt=end, deleted_at=None)
        return seen.filter(site__in=self.by_zone[zone], status__in=STEPS).order_by("start", "pk")

    def _cards(self, zone: ZoneInfo, wanted: Collection[int]) -> list[VisitCard]:
        now, today = self.now, self.now.astimezone(zone).date()
        rows = self._of(zone).filter(pk__in=wanted)
        visits = list(rows.select_related("patient").prefetch_related("service", "site"))  # the same few for all
        seats, extra = seats_at(self.by_zone[zone], *bounds_of(self.day, zone), now=now)
        waits = waits_of(visits, zone, delays_on(today), now=now) if self.day == today else {}
        arrivals = _arrivals(visits)
        return [
            VisitCard(
                each,
                zone,
                now,
                seats.get(each.pk),
                waits.get(each.pk, NO_WAIT),
                place=self._place(each, zone),
                is_extra=each.pk in extra,
                arrived=arrivals.get(each.pk),
            )
            for each in visits
        ]

    def _place(self, visit: Appointment, zone: ZoneInfo) -> str:
        if not self.names_sites:
            return ""
        name = text_of(visit.site, "name")
        return f"{name} ({time_text.zone_name(zone)})" if len(self.by_zone) > 1 else name


# What the words of a card are made of.
_WORDS = (
    *("fhir_id", "status", "start", "participant", "service", "site"),
    *("patient__active", "patient__deleted_at", "patient__extra", "patient__birth_date", "patient__fhir_id"),
    *("patient__prefix", "patient__given", "patient__family"),
    *("patient__interpreter_required", "patient__interpreter_language", "patient__needs", "patient__other_needs"),
)


class _Span(NamedTuple):
    """The visits of a column that are shown, and how many are before and after them."""

    before: int
    visits: Sequence[DayVisit]
    after: int


def _columns(rows: _Rows, visits: Sequence[DayVisit], asked: BoardQuery) -> tuple[list[Column], VisitCard | None]:
    """Return the columns, and the card of the visit that is named if it is one of these visits."""
    found = rows.with_words(asked.find) if asked.find else {each.pk for each in visits}
    wanted = [each for each in visits if each.pk in found]
    spans = {status: _span(status, wanted, asked, rows.now) for status in STEPS}
    named = [each for each in visits if each.id == asked.named]
    cards = rows.cards([*(each for span in spans.values() for each in span.visits), *named])
    counted = Counter(each.status for each in visits)
    columns = [
        Column(
            status,
            counted[status],
            span.before,
            [cards[each.pk] for each in span.visits if each.pk in cards],
            span.after,
        )
        for status, span in spans.items()
    ]
    return columns, next((cards[each.pk] for each in named if each.pk in cards), None)


def _span(status: Status, visits: Iterable[DayVisit], asked: BoardQuery, now: datetime) -> _Span:
    here = [each for each in visits if each.status == status]
    length, first = VISIBLE, sum(each.start <= now for each in here) - VISIBLE_BEFORE
    if asked.whole:
        length = len(here)
    elif status == asked.column:
        length, first = AT_ONCE, asked.first
    first = max(min(first, len(here) - length), 0)
    return _Span(first, here[first : first + length], max(len(here) - first - length, 0))


def _failures(caller: Caller, now: datetime) -> QuerySet[Communication]:
    return notifications.failures(None, now=now).filter(appointment__in=access.staff_appointments(caller))


def _arrivals(visits: Iterable[Appointment]) -> dict[int, datetime]:
    """Return when each patient arrived who has not been called yet, by the primary key of the visit."""
    arrived = [visit.pk for visit in visits if visit.status == Status.ARRIVED]
    under_way = Encounter.objects.filter(appointment__in=arrived, status__in=UNDER_WAY, deleted_at=None)
    return dict(under_way.exclude(start=None).values_list("appointment").annotate(Min("start")).order_by())


def _people(visits: Iterable[DayVisit]) -> list[PractitionerOption]:
    """Return the practitioners who have visits on the day, by name."""
    names: dict[str, str] = {}
    counted: Counter[str] = Counter()
    for visit in visits:
        names |= visit.practitioners
        counted.update(visit.practitioners.keys())
    options = (PractitionerOption(reference, names[reference], visits) for reference, visits in counted.items())
    return sorted(options, key=lambda option: option.name)


def _stamp(*content: object) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]
