"""`GET|POST [base]/Slot/$prefetch`: free time as Slots, for clients that keep a copy of it.

http://fhir.org/guides/argonaut-scheduling/OperationDefinition/slot-prefetch. Free time has no rows: it is computed
while the response is sent, day by day, so that a month of many practitioners needs the memory of one day. A longer time
is answered page by page. The address of a page reveals nothing about the request, which is encrypted in it.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.authentication import caller_of
from api.fhir_view import FHIRView
from api.free_slots import LONGEST_PAGE, FreeTimes, SlotWriter, read_free_slot, stop_place, ways_of_caller
from api.headers import base_of
from api.operations.argonaut.criteria import ALIASES, CRITERIA, read_criteria, read_window
from api.operations.argonaut.profiles import SLOT_BUNDLE_PROFILE, match
from api.operations.parameters import Inputs, read_inputs, whole_number
from api.outcomes import outcome_entry
from api.search.includes import Include, included, read_includes
from api.search.paging import Cursor, Place, unseal
from clinic import exact_json
from clinic.fhir.datatypes import Json, instant
from clinic.fhir.issues import InvalidElement
from scheduling import access, availability
from scheduling.access import Caller
from scheduling.availability import Opening
from scheduling.core.intervals import Span
from scheduling.errors import Invalid, Issue

ADDRESS = "Slot/$prefetch"
COUNT, CURSOR = "_count", "_cursor"
INCLUDES = ("_include", "_include:iterate")
PARAMETERS = (*CRITERIA, *INCLUDES, COUNT)
MOST = 1000
CHUNK = 200


class Prefetch(FHIRView):
    """The free Slots of the practitioners and places that can be chosen for a visit."""

    http_method_names = ["get", "post", "head"]

    def get(self, request: Request) -> Any:
        now, caller, base = timezone.now(), caller_of(request), base_of(request)
        access.may_find(caller)
        inputs = read_inputs(request)
        if request.method == "POST" and not inputs.names:
            raise Invalid("A POST brings a Parameters resource, with a start and an end.", expression="Parameters")
        return _answer(request, _Page(_read(inputs, caller, base, now), caller, base))

    post = get


class ReadFreeSlot(FHIRView):
    """`GET [base]/Slot/[id]` of a free Slot of $prefetch, for as long as it is free."""

    http_method_names = ["get", "head"]

    def get(self, request: Request, fhir_id: str) -> Response:
        return Response(read_free_slot(fhir_id, caller_of(request), timezone.now()))


# Reading


@dataclass(frozen=True, kw_only=True)
class _PrefetchSearch:
    """A search for free Slots that start in the window and end in it. `pairs` are what links to other pages repeat."""

    times: FreeTimes
    writer: SlotWriter
    window: Span
    count: int | None
    includes: Sequence[Include]
    cursor: Cursor | None
    pairs: Sequence[tuple[str, Any]]
    notes: Sequence[str]

    @property
    def is_short(self) -> bool:
        """True if its Slots are counted: a longer time is not computed for the first of many pages."""
        return self.window[1] - self.window[0] <= LONGEST_PAGE


def _read(inputs: Inputs, caller: Caller, base: str, now: datetime) -> _PrefetchSearch:
    cursor = inputs.one(CURSOR, _read_cursor)
    if cursor is not None:
        inputs.only((CURSOR, COUNT))
        inputs.add((name, value) for name, value in json.loads(cursor.query) if not inputs.has(name))
    inputs.only((*PARAMETERS, *ALIASES, CURSOR))
    notes: list[str] = []
    window = read_window(inputs, now, notes, is_cut=False)
    count = inputs.one(COUNT, whole_number(COUNT, 0, MOST))
    includes = [found for name in INCLUDES for found in inputs.every(name, _reader_of(name)) if found]
    kept = inputs.pairs(without=("start", "end", COUNT, CURSOR))
    pairs = [("start", instant(window.start)), ("end", instant(window.end)), *kept]
    ways = ways_of_caller(read_criteria(inputs, base, notes), caller)
    return _PrefetchSearch(
        times=FreeTimes(ways, now),
        writer=SlotWriter(ways),
        window=window.span,
        count=count,
        includes=list(chain.from_iterable(includes)),
        cursor=cursor,
        pairs=pairs if count is None else [*pairs, (COUNT, count)],
        notes=notes,
    )


def _read_cursor(value: Any) -> Cursor:
    try:
        return unseal(str(value), ADDRESS)
    except Invalid as error:
        raise InvalidElement(error.issues[0].text) from None


def _reader_of(name: str) -> Any:
    """Return the reader of an _include: of the Schedules and what they refer to."""

    def read(value: Any) -> list[Include]:
        try:
            found = read_includes(str(value), "Slot", reverse=False, again=name.endswith(":iterate"))
        except Invalid as error:
            raise InvalidElement(error.issues[0].text) from None
        if any(include.kind not in ("Slot", "Schedule") for include in found):
            raise InvalidElement("Only Slot:schedule and references of these Schedules, such as Schedule:actor.")
        return found

    return read


# Finding


@dataclass
class _Page:
    """A page. Its size, and the place where the next one begins, are known once its entries have been taken."""

    search: _PrefetchSearch
    caller: Caller
    base: str
    size: int = 0
    place: Place = field(default_factory=list)

    def entries(self) -> Iterator[Json]:
        """Yield the matches, and then what goes with them."""
        of_schedules: dict[str, Json] = {}
        for opening in self._openings():
            slot = self.search.writer.write(opening)
            of_schedules.setdefault(slot["schedule"]["reference"], slot)
            self.size += 1
            yield match(slot, self.base)
        others = included(list(of_schedules.values()), self.search.includes, self.caller, self.base)
        access.record_disclosure(others.rows, "search", caller=self.caller, now=self.search.times.now, query=ADDRESS)
        yield from (match(each, self.base) | {"search": {"mode": "include"}} for each in others.resources)

    def _openings(self) -> Iterator[Opening]:
        search, place = self.search, self.search.cursor.place if self.search.cursor else []
        start, end = search.window
        start = int(str(place[0])) if place else start
        stop = min(start + LONGEST_PAGE, end)
        found = search.times.within([(start, stop)], ends_by=end, windows=availability.by_day)
        for opening in found:
            if place and not search.times.is_beyond(opening, place):
                continue
            if self.size == search.count:
                return
            self.place = search.times.place(opening)
            yield opening
        self.place = stop_place(stop) if stop < end else []

    @property
    def total(self) -> int | None:
        search = self.search
        if search.cursor:
            return search.cursor.total
        if not search.is_short:
            return None
        if search.count is None:
            return self.size
        return sum(
            1 for _ in search.times.within([search.window], ends_by=search.window[1], windows=availability.by_day)
        )


# Answering


def _answer(request: Request, page: _Page) -> Any:
    """Stream the Bundle as JSON. Other formats need the whole Bundle in memory."""
    renderer = request.accepted_renderer
    if renderer.format != "json" or request.query_params.get("_pretty") == "true":
        entries = list(page.entries())
        outcome, ending = _ending(page)
        return Response({**_head(page), "entry": [*entries, outcome], **ending})
    return StreamingHttpResponse(_streamed(page), content_type=f"{renderer.media_type}; charset=utf-8")


def _streamed(page: _Page) -> Iterator[bytes]:
    """Yield the Bundle in pieces, its total and its links at the end."""
    yield exact_json.dumps(_head(page))[:-1] + b',"entry":['
    for chunk in _chunks(page.entries()):
        yield b"".join(exact_json.dumps(entry) + b"," for entry in chunk)
    outcome, ending = _ending(page)
    yield exact_json.dumps(outcome) + b"]" + (b"," + exact_json.dumps(ending)[1:] if ending else b"}")


def _chunks(entries: Iterator[Json]) -> Iterable[list[Json]]:
    return iter(lambda: list(islice(entries, CHUNK)), [])


def _head(page: _Page) -> Json:
    """Return the first elements. Argonaut's profile requires a total."""
    profile = {"meta": {"profile": [SLOT_BUNDLE_PROFILE]}} if page.search.is_short else {}
    return {"resourceType": "Bundle", **profile, "type": "searchset"}


def _ending(page: _Page) -> tuple[Json, Json]:
    """Return the entry with the outcome, and the last elements of the Bundle: its total and its links."""
    total = page.total
    text = f"{page.size} times are free on this page." if total is None else f"{total} times are free."
    outcome = outcome_entry([Issue("informational", each) for each in (*page.search.notes, text)])
    ending: Json = {} if total is None else {"total": total}
    if page.place:
        cursor = Cursor(ADDRESS, json.dumps(page.search.pairs), page.place, total=total)
        ending["link"] = [{"relation": "next", "url": f"{page.base}{ADDRESS}?{CURSOR}={cursor.seal()}"}]
    return outcome, ending
