"""Free times in a search for Slots, beside the stored Slots: https://hl7.org/fhir/R4/slot.html

They are found by what a free Slot says: when it starts, its schedule, and what it is for. A condition on anything else,
such as an identifier, and an order by anything but the start find stored Slots only.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from heapq import merge as merge_sorted
from itertools import islice
from math import ceil, floor
from typing import Any
from urllib.parse import parse_qsl

from django.db.models import F, Q, QuerySet

from api.free_slots import FREE, LONGEST_PAGE, FreeTimes, SlotWriter, stop_place, ways_of_caller
from api.operations.ids import FreeSlot, read_free_slot_id
from api.search.conditions import condition
from api.search.kinds import any_of
from api.search.paging import Key, Place
from api.search.references import read_reference
from api.search.rows import NO_PAGE, Page, cut, rows_of
from api.search.search import ABOUT_THE_ANSWER, Search
from api.search.tokens import read_flag
from api.search.values import plain, read_span, split_token, split_values
from clinic.fhir.datatypes import Json
from clinic.fhir.resources import RESOURCES
from clinic.fhir.visit_types import codings_of, normalised
from clinic.models import HealthcareService, Schedule, Slot
from scheduling import access, availability
from scheduling.access import Caller
from scheduling.availability import Criteria, Offering, Opening, Way
from scheduling.core.intervals import Span, clip, intersect, merge, subtract
from scheduling.errors import Forbidden, Invalid, Issue

ELEMENTS = {
    "service-type": "serviceType",
    "service-category": "serviceCategory",
    "specialty": "specialty",
    "appointment-type": "appointmentType",
}
ALWAYS_THERE = ("_id", "status", "start", "schedule")
FIRST, LAST = int(availability.EARLIEST.timestamp()), int(availability.LATEST.timestamp())
# Chains from a Schedule to a place. A Schedule has one actor, so a free time is at a place by the Schedule's site too.
AT = "actor:Location"
STORED = "stored"  # the kind of a position after a stored Slot


@dataclass
class _FreeSlotCriteria:
    """The conditions of a search, as far as they are about free times. `narrow` reads them one by one."""

    caller: Caller
    base: str
    starts: list[Span] = field(default_factory=lambda: [(FIRST, LAST)])
    ids: frozenset[FreeSlot] | None = None
    schedules: list[Q] = field(default_factory=list)
    elements: list[Callable[[Json], bool]] = field(default_factory=list)

    def narrow(self, name: str, value: str) -> bool:
        """Add a condition. False if no free time can meet it."""
        head, _, rest = name.partition(".")
        head, _, modifier = head.partition(":")
        if modifier == "missing" and head in ALWAYS_THERE:
            return not read_flag(value)
        if head == "schedule":
            return self._narrow_schedule(modifier, rest, value)
        if head in ELEMENTS and modifier in ("", "not", "missing"):
            self.elements.append(_element_test(ELEMENTS[head], modifier, value))
            return True
        if head == "status":
            return any(map(_is_free, split_values(value))) != (modifier == "not")
        if head == "start":
            self.starts = intersect(self.starts, merge(span for each in split_values(value) for span in _spans(each)))
        elif head == "_id" and not modifier:
            found = frozenset(filter(None, map(read_free_slot_id, map(plain, split_values(value)))))
            self.ids = found if self.ids is None else self.ids & found
            self.starts = intersect(self.starts, merge((each.start, each.start + 1) for each in found))
        else:
            return False
        return bool(self.starts)

    def _narrow_schedule(self, modifier: str, rest: str, value: str) -> bool:
        if rest:  # a chain, which follows references only to Schedules that the caller may see
            names = [rest, *([f"location{rest.removeprefix(AT)}"] if rest.startswith(AT) else [])]
            found = any_of(condition("Schedule", name, value, self.caller, self.base) for name in names)
            seen = access.visible(Schedule, self.caller).filter(found, deleted_at=None)
            self.schedules.append(Q(pk__in=seen.values("pk")))
            return True
        named = [read_reference(plain(each), self.base) for each in split_values(value)]
        ids = [each.fhir_id for each in named if each.kind in ("", "Schedule") and not each.elsewhere]
        self.schedules.append(Q(fhir_id__in=ids))
        return bool(ids) and modifier in ("", "Schedule")

    def fits(self, writer: SlotWriter, service: HealthcareService, choice: Offering) -> bool:
        """True if the free Slots of this choice say that they are for what was asked for."""
        slot = writer.elements(service, choice)
        return all(fits(slot) for fits in self.elements)

    def window(self, begun: int) -> list[Span]:
        """Return the spans in which free times start: from `begun` on, and for 31 days if no end is named."""
        spans = clip(self.starts, begun, LAST)
        return clip(spans, spans[0][0], spans[0][0] + LONGEST_PAGE) if spans and spans[-1][1] == LAST else spans


@dataclass(frozen=True)
class FreeSlots:
    """The free times that a search finds. `spans` is when they can start."""

    times: FreeTimes
    writer: SlotWriter
    spans: Sequence[Span]
    ids: frozenset[FreeSlot] | None

    def within(self, spans: Sequence[Span], *, latest_first: bool = False) -> Iterator[Opening]:
        for opening in self.times.within(spans, latest_first=latest_first):
            if self.ids is None or _keys(opening) in self.ids:
                yield opening


def free_slots_of(search: Search, caller: Caller, base: str, now: datetime) -> FreeSlots | None:
    """Return the free times that a search for Slots finds besides stored ones; None if it can find none.

    The search is sorted by start if it says no order.
    """
    begun = search.cursor.begun if search.cursor else ceil(now.timestamp())
    criteria = _criteria_of(search, caller, base) if _may_find(caller) else None
    spans = criteria.window(begun) if criteria else []
    if criteria is None or not spans:
        return None
    if search.keys and search.keys[0].expression != F("start"):
        text = "Free times that are computed are found in order of start only: only stored Slots were searched."
        search.notes.append(Issue("not-supported", text, "_sort"))
        return None
    search.begun = begun
    search.keys = search.keys or [Key.of(Slot, "start", descending=False)]
    ways = _ways(criteria, caller)
    return FreeSlots(
        times=FreeTimes(ways, now),
        writer=SlotWriter(ways),
        spans=clip(spans, FIRST, availability.bookable_until(ways, LAST, now)),
        ids=criteria.ids,
    )


def _criteria_of(search: Search, caller: Caller, base: str) -> _FreeSlotCriteria | None:
    """Return the criteria of a search and of the scopes that it is made with; None if no free time can meet them.

    Of several scopes with search parameters the first counts that free times can meet.
    """
    pairs = [pair for pair in search.processed if pair[0].partition(":")[0] not in ABOUT_THE_ANSWER]
    for constraint in access.search_constraints(caller, "Slot"):
        criteria = _FreeSlotCriteria(caller, base)
        if all(criteria.narrow(name, value) for name, value in [*pairs, *parse_qsl(constraint)]):
            return criteria
    return None


def _ways(criteria: _FreeSlotCriteria, caller: Caller) -> list[Way]:
    """Return the ways with the choices that meet the criteria. A few statements, however many there are."""
    schedules = None
    if criteria.schedules:
        schedules = frozenset(Schedule.objects.filter(*criteria.schedules).values_list("pk", flat=True))
    services = None if criteria.ids is None else tuple(each.service for each in criteria.ids)
    ways = ways_of_caller(
        Criteria(services=services), caller, lambda _, choice: schedules is None or choice.schedule in schedules
    )
    if criteria.elements:
        writer = SlotWriter(ways)
        ways = [way.among(tuple(filter(partial(criteria.fits, writer, way.service), way.choices))) for way in ways]
    return [way for way in ways if way.choices]


def _may_find(caller: Caller) -> bool:
    try:
        access.may_find(caller)
    except Forbidden:
        return False
    return True


# Conditions


def _is_free(value: str) -> bool:
    system, code = split_token(value)
    return system in (None, "http://hl7.org/fhir/slotstatus") and code in ("", "free")


def _element_test(element: str, modifier: str, value: str) -> Callable[[Json], bool]:
    """Return the test of a free Slot for a condition on one of its CodeableConcepts."""
    if modifier == "missing":
        missing = read_flag(value)
        return lambda slot: (element not in slot) == missing
    named = [split_token(each) for each in split_values(value)]

    def matches(slot: Json) -> bool:
        concepts = slot.get(element, [])
        codings = codings_of(concepts if isinstance(concepts, list) else [concepts])
        return any(_is_named(*coding, *each) for coding in codings for each in named) != (modifier == "not")

    return matches


def _is_named(system: str, code: str, named_system: str | None, named_code: str) -> bool:
    of_system = named_system is None or normalised(named_system, named_code)[0] == system
    return of_system and named_code in ("", code)


def _spans(value: str) -> list[Span]:
    """Return the whole seconds that a date with its prefix finds."""
    span = read_span(value)
    first, after = ceil(span.first.timestamp()), ceil(span.after.timestamp())
    found: dict[str, list[Span]] = {
        "eq": [(first, after)],
        "ap": [(first, after)],
        "ne": subtract([(FIRST, LAST)], merge([(first, after)])),
        "gt": [(after, LAST)],
        "sa": [(after, LAST)],
        "lt": [(FIRST, first)],
        "eb": [(FIRST, first)],
        "ge": [(first, LAST)],
        "le": [(FIRST, after)],
    }
    return found[span.prefix]


# Pages


def total_of(search: Search, free: FreeSlots, caller: Caller) -> int | None:
    """Return the number of matches; None if free times are searched over too long. Only the first page counts them."""
    if search.cursor:
        return search.cursor.total
    if free.spans and free.spans[-1][1] - free.spans[0][0] > LONGEST_PAGE:
        if search.count:
            return None
        text = (
            f"Free times of {availability.MAX_WINDOW.days} days at most are counted: narrow the search down by start."
        )
        raise Invalid(issues=[Issue("too-costly", text, "start")])
    return _stored(search, caller).count() + sum(1 for _ in free.within(free.spans))


def page_of(search: Search, free: FreeSlots, caller: Caller) -> Page:
    """Return the page of stored Slots and free times in one order: of start, and at one start what is stored first.

    It looks at 31 days of free times at most, and may have fewer matches than were asked for, or none, before others.
    """
    if not search.count:
        return NO_PAGE
    place, backwards = search.place
    down = search.keys[0].descending != backwards
    spans = _spans_beyond(free.spans, place, down=down, backwards=backwards)
    part = _part_of_page(spans, down=down)
    stop = None if part == spans else (part[0][0] if down else part[-1][1])
    rows = _rows(search, _stored(search, caller), stop, down=down)
    entries = merge_sorted(
        (((_signed(row.start.timestamp(), down), backwards), _place(search, row), row) for row in rows),
        (
            ((_signed(opening.start, down), not backwards), free.times.place(opening), opening)
            for opening in free.within(part, latest_first=down)
            if not place or free.times.is_beyond(opening, place, latest_first=down)
        ),
        key=lambda entry: entry[0],
    )
    page = cut(search, [(at, match) for _, at, match in islice(entries, search.count + 1)])
    slots = [free.writer.write(each) if isinstance(each, Opening) else each for each in page.rows]
    page = replace(page, rows=slots)
    is_last = not (page.before if backwards else page.after)
    if stop is None or not is_last:
        return page
    stopped = stop_place(stop)
    return replace(page, first=stopped, before=True) if backwards else replace(page, last=stopped, after=True)


def _stored(search: Search, caller: Caller) -> "QuerySet[Any]":
    """Return the stored Slots; none for a caller who may only find free times."""
    try:
        return rows_of(search, caller)
    except Forbidden:
        return search.model._default_manager.none()


def _rows(search: Search, rows: "QuerySet[Any]", stop: int | None, *, down: bool) -> "QuerySet[Any]":
    """Return the stored Slots beyond the page's position and before `stop`, one more than the page has."""
    place, backwards = search.place
    rows = search.order.sort(rows.select_related(*RESOURCES["Slot"].related), backwards=backwards)
    if place and place[1] == STORED:
        rows = rows.filter(search.order.beyond(place[2:], backwards=backwards))
    elif place:
        is_inclusive = backwards if place[1] == FREE else not down
        lookup = ("lt" if down else "gt") + ("e" if is_inclusive else "")
        rows = rows.filter(**{f"start__{lookup}": availability.as_datetime(int(str(place[0])))})
    if stop is not None:
        rows = rows.filter(**{f"start__{'gte' if down else 'lt'}": availability.as_datetime(stop)})
    return rows[: search.count + 1]


def _spans_beyond(spans: Sequence[Span], place: Place, *, down: bool, backwards: bool) -> Sequence[Span]:
    """Return the part of the spans that is beyond a position. Free times at its very start may be on either side."""
    if not place:
        return spans
    at, kind = float(str(place[0])), place[1]
    is_inclusive = kind == FREE or (not backwards if kind == STORED else not down)
    if down:
        return clip(spans, FIRST, floor(at) + 1 if is_inclusive else ceil(at))
    return clip(spans, ceil(at) if is_inclusive else floor(at) + 1, LAST)


def _part_of_page(spans: Sequence[Span], *, down: bool) -> Sequence[Span]:
    """Return the part of the spans that one page looks at."""
    if not spans:
        return spans
    first, last = spans[0][0], spans[-1][1]
    return clip(spans, max(first, last - LONGEST_PAGE), last) if down else clip(spans, first, first + LONGEST_PAGE)


def _place(search: Search, row: Slot) -> Place:
    return [str(row.start.timestamp()), STORED, *search.order.place(row)]


def _keys(opening: Opening) -> FreeSlot:
    return FreeSlot(opening.offerings[0].schedule, opening.service.pk, opening.start)


def _signed(start: float, down: bool) -> float:
    return -start if down else start
