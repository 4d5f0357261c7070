"""The board of a day's visits at one site or at all, by status: today, or a past or coming day."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from clinic.models import Communication, Location
from portal.appointments.visits import Status
from portal.staff.board.cards import VisitCard
from portal.staff.board.rows import DayRows, DayVisit
from portal.staff.board.steps import HEADINGS, STEPS
from portal.staff.sites import ALL_SITES
from scheduling import access, booking, notifications
from scheduling.access import Caller

DAY = timedelta(days=1)
VISIBLE = 60  # cards of a column
VISIBLE_BEFORE = 20  # of these, cards whose time has passed
AT_ONCE = 100  # cards of the column in which somebody has gone to earlier or later visits


@dataclass(frozen=True, slots=True)
class BoardQuery:
    """Query of the board: a day, by default today, of everybody or of one `practitioner` (a FHIR reference).

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
    rows = DayRows(caller, by_zone, asked.day or today, now, names_sites=all_sites)
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


# What the words of a card are made of.
class _Span(NamedTuple):
    """The visits of a column that are shown, and how many are before and after them."""

    before: int
    visits: Sequence[DayVisit]
    after: int


def _columns(rows: DayRows, visits: Sequence[DayVisit], asked: BoardQuery) -> tuple[list[Column], VisitCard | None]:
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
