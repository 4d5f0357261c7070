"""The desk's worklist as its page shows it: for each kind what waits, each item with its owner and its visit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from clinic.country import clinic_zone
from clinic.models import Appointment, Location, User, WorkItem
from portal.appointments import visits
from portal.appointments.visits import Status, Visit
from portal.staff.worklist.words import WORDS, PartWords
from scheduling import access, notifications, worklist
from scheduling.access import Caller
from scheduling.notifications import TimelineEntry
from scheduling.worklist import FILTERS, PARTS, ItemName, WorkCounts

Kind = WorkItem.Kind
PREVIEW = 20  # items of a kind beside the other kinds
ON_A_PAGE = 50  # items of the only kind


@dataclass(frozen=True, slots=True)
class WorkQuery:
    """The part of the worklist that is asked for: whose items, at which site, and of which kind; a page of it, or the
    whole.
    """

    who: str = ""
    site: Location | None = None
    kind: WorkItem.Kind | None = None
    page: int = 1
    whole: bool = False


@dataclass(frozen=True, slots=True)
class WorkEntry:
    """An item with its row, its visit, and what is stored about it. `reader` is the one who reads the page.

    `next_anchor` is the place of the page to which its actions come back: the next item, else the one before.
    """

    kind: WorkItem.Kind
    row: Any
    visit: Visit | None
    item: WorkItem | None
    reader: User
    today: date
    next_anchor: str = ""

    @property
    def anchor(self) -> str:
        """The id of its element on the page."""
        return f"{self.kind}-{self.row.pk}"

    @property
    def words(self) -> PartWords:
        return WORDS[self.kind]

    @property
    def template(self) -> str:
        return f"portal/staff/worklist/kinds/{self.kind}.html"

    @property
    def name(self) -> ItemName:
        return ItemName(self.kind, self.row.pk, self.item.version if self.item else 0)

    @property
    def owner(self) -> User | None:
        """The member of staff who has it, unless they have left."""
        owner = self.item.owner if self.item else None
        return owner if owner is not None and owner.is_active else None

    @property
    def is_mine(self) -> bool:
        return self.owner == self.reader

    @property
    def put_off_until(self) -> date | None:
        until = self.item.put_off_until if self.item else None
        return until if until is not None and until > self.today else None

    @property
    def message(self) -> TimelineEntry:
        """The message that the item is about."""
        return notifications.timeline_entry(self.row)

    @property
    def about(self) -> str:
        """The patients whom it is about, in words for those who cannot see which row a button belongs to."""
        if self.kind == Kind.DUPLICATE:
            return f"{self.row.first}, {self.row.second}"
        if self.visit is not None:
            return str(self.visit.appointment.patient or self.visit.name)
        return str(getattr(self.row, "patient", None) or getattr(self.row, "address", ""))


@dataclass(frozen=True, slots=True)
class WorkSection:
    """The items of a kind on the page, and how many there are in all. `deals` is True for those who deal with them."""

    kind: WorkItem.Kind
    words: PartWords
    entries: Sequence[WorkEntry]
    total: int
    deals: bool

    @property
    def rest(self) -> int:
        return self.total - len(self.entries)


@dataclass(frozen=True, kw_only=True, slots=True)
class Worklist:
    """The items that wait for the desk. `recorded` is the visit whose patient was just recorded as coming."""

    query: WorkQuery
    counts: WorkCounts
    sections: Sequence[WorkSection]
    recorded: Visit | None = None

    @property
    def bar(self) -> list[tuple[WorkItem.Kind, Any, int]]:
        """The kinds of which anything waits, with their short names and numbers."""
        holders = FILTERS[self.query.who]
        return [(kind, WORDS[kind].short, number) for kind in PARTS if (number := self.counts.of(holders, kind))]

    @property
    def total(self) -> int:
        return self.counts.of(FILTERS[self.query.who])

    @property
    def tabs(self) -> list[tuple[str, int]]:
        """The filters with the number of items of each."""
        return [(who, self.counts.of(holders)) for who, holders in FILTERS.items()]

    @property
    def newer(self) -> int | None:
        """The number of the page before, if there is one."""
        return self.query.page - 1 if self.query.page > 1 else None

    @property
    def older(self) -> int | None:
        """The number of the next page, if there is one."""
        if self.query.kind is None:
            return None
        seen = self.query.page * ON_A_PAGE
        return self.query.page + 1 if any(section.total > seen for section in self.sections) else None

    @property
    def visits(self) -> list[Visit]:
        """The visits whose patients the page shows."""
        recorded = [self.recorded] if self.recorded else []
        return [entry.visit for section in self.sections for entry in section.entries if entry.visit] + recorded

    @property
    def patients(self) -> set[int]:
        """Primary keys of the patients whom the page shows without a visit."""
        rows = [entry.row for section in self.sections for entry in section.entries if entry.visit is None]
        names = ("patient_id", "first_id", "second_id")
        return {key for row in rows for name in names if (key := getattr(row, name, None)) is not None}


def read_worklist(caller: Caller, query: WorkQuery, *, now: datetime, recorded: str = "") -> Worklist:
    """Return the caller's worklist, with the visit of the id `recorded` if its patient will come.

    A constant number of queries.
    """
    assert caller.user is not None  # staff have signed in
    today = now.astimezone(clinic_zone()).date()
    counts = worklist.count_work(caller, now=now, site=query.site.pk if query.site else None)
    holders = FILTERS[query.who]
    shown = [kind for kind in PARTS if query.kind in (None, kind) and counts.of(holders, kind)]
    rows = {kind: _rows(caller, kind, query, today, now) for kind in shown}
    found = _visits((row for of_kind in rows.values() for row in of_kind), now)
    items = worklist.items_of((kind, row.pk) for kind, of_kind in rows.items() for row in of_kind)
    sections = []
    for kind, of_kind in rows.items():
        anchors = [str(kind), *(f"{kind}-{row.pk}" for row in of_kind)]
        entries = [
            WorkEntry(
                kind,
                row,
                found.get(row.visit_key),
                items.get((kind, row.pk)),
                caller.user,
                today,
                next_anchor=anchors[n + 1] if n + 1 < len(anchors) else anchors[n - 1],
            )
            for n, row in enumerate(of_kind, start=1)
        ]
        deals = access.acting_for(caller, PARTS[kind].action) is not None
        sections.append(WorkSection(kind, WORDS[kind], entries, counts.of(holders, kind), deals))
    coming = _recorded(caller, recorded, now) if recorded else None
    return Worklist(query=query, counts=counts, sections=sections, recorded=coming)


def read_entry(caller: Caller, name: ItemName, *, now: datetime) -> WorkEntry | None:
    """Return one item with which the caller may deal; None if it does not wait any more."""
    assert caller.user is not None  # staff have signed in
    row = worklist.find_row(caller, name.kind, name.row, now=now)
    if row is None:
        return None
    visit = _visits([row], now).get(row.visit_key)
    item = worklist.items_of([(name.kind, name.row)]).get((name.kind, name.row))
    return WorkEntry(name.kind, row, visit, item, caller.user, now.astimezone(clinic_zone()).date())


def _rows(caller: Caller, kind: WorkItem.Kind, query: WorkQuery, today: date, now: datetime) -> list[Any]:
    rows = PARTS[kind].at(caller, query.site.pk if query.site else None, now=now)
    held = worklist.held_by(caller.user, kind, rows, today=today).filter(holder__in=FILTERS[query.who])
    if query.whole:
        return list(held)
    first, length = ((query.page - 1) * ON_A_PAGE, ON_A_PAGE) if query.kind else (0, PREVIEW)
    return list(held[first : first + length])


def _visits(rows: Iterable[Any], now: datetime) -> dict[int | None, Visit]:
    keys = {row.visit_key for row in rows} - {None}
    found = visits.at_their_sites(Appointment.objects.filter(pk__in=keys), now=now) if keys else []
    return {visit.appointment.pk: visit for visit in found}


def _recorded(caller: Caller, appointment_id: str, now: datetime) -> Visit | None:
    booked = access.staff_appointments(caller).filter(
        start__gt=now, deleted_at=None, status=Status.BOOKED, fhir_id=appointment_id
    )
    return next(iter(visits.at_their_sites(booked.exclude(attendance_confirmed=None), now=now)), None)
