"""`GET|POST [base]/Slot/$prefetch`: free time as Slots, for clients that keep a copy of it.

http://fhir.org/guides/argonaut-scheduling/OperationDefinition/slot-prefetch. Free time has no rows: it is computed
while the response is sent, day by day, so that a month of many practitioners needs the memory of one day.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.authentication import caller_of
from api.fhir_view import FHIRView
from api.headers import base_of
from api.operations.argonaut.criteria import ALIASES, CRITERIA, SearchWindow, read_criteria, read_window
from api.operations.argonaut.profiles import SLOT_BUNDLE_PROFILE, SLOT_PROFILE, match, service_types
from api.operations.ids import FreeSlot, free_slot_id, read_free_slot_id
from api.operations.parameters import read_inputs
from api.operations.proposals import instant_text
from api.outcomes import outcome_entry
from clinic import exact_json
from clinic.fhir.datatypes import Json
from clinic.models import HealthcareService
from scheduling import access, availability
from scheduling.access import Caller
from scheduling.availability import Criteria, Opening, TimeQuery, Way
from scheduling.errors import Invalid, Issue, NotFound

CHUNK = 200
HEAD: Json = {"resourceType": "Bundle", "meta": {"profile": [SLOT_BUNDLE_PROFILE]}, "type": "searchset"}


class Prefetch(FHIRView):
    """The free Slots of the practitioners and places that can be chosen for a visit."""

    http_method_names = ["get", "post", "head"]

    def get(self, request: Request) -> Any:
        now, caller, base = timezone.now(), caller_of(request), base_of(request)
        access.may_find(caller)
        inputs = read_inputs(request)
        if request.method == "POST" and not inputs.names:
            raise Invalid("A POST brings a Parameters resource, with a start and an end.", expression="Parameters")
        notes: list[str] = []
        inputs.only((*CRITERIA, *ALIASES))
        window = read_window(inputs, now, notes)
        ways = _ways(read_criteria(inputs, base, notes), caller)
        entries = (match(slot, base) for slot in _slots(ways, window, now))
        return _answer(request, entries, notes)

    post = get


class ReadFreeSlot(FHIRView):
    """`GET [base]/Slot/[id]` of a free Slot of $prefetch, for as long as it is free."""

    http_method_names = ["get", "head"]

    def get(self, request: Request, fhir_id: str) -> Response:
        now, caller = timezone.now(), caller_of(request)
        access.may_find(caller)
        free_slot = read_free_slot_id(fhir_id)
        slot = free_slot and next(_still_free(free_slot, caller, now), None)
        if not slot:
            raise NotFound(f"There is no Slot/{fhir_id}, or it is free no more.")
        return Response(slot)


def _ways(criteria: Criteria, caller: Caller) -> list[Way]:
    def may_book(service: HealthcareService, offering: availability.Offering) -> bool:
        return access.could_book(caller, service, offering.schedule)

    return availability.ways_for(criteria, may_book)


def _slots(ways: list[Way], window: SearchWindow, now: datetime) -> Iterator[Json]:
    """Yield Slots. The same time at two sites or in two rooms is one Slot of the practitioner."""
    write = _SlotWriter().write
    before: set[str] = set()
    start = -1
    query = TimeQuery(ways=ways, start=window.start, end=window.end, windows=availability.by_day)
    for opening in availability.openings(query, now=now):
        if opening.start != start:
            start, before = opening.start, set()
        slot = write(opening)
        if slot["id"] not in before:
            before.add(slot["id"])
            yield slot


def _still_free(free_slot: FreeSlot, caller: Caller, now: datetime) -> Iterator[Json]:
    start = availability.as_datetime(free_slot.start)
    ways = _ways(Criteria(services=(free_slot.service,)), caller)
    ways = [way.among(tuple(each for each in way.choices if each.schedule == free_slot.schedule)) for way in ways]
    query = TimeQuery(
        ways=[way for way in ways if way.choices],
        start=start,
        end=start + availability.MAX_WINDOW,
        windows=availability.start_only,
    )
    free = availability.openings(query, now=now)
    return (_SlotWriter().write(opening) for opening in free if opening.start == free_slot.start)


class _SlotWriter:
    """A writer of Slots, which makes the common elements of the Slots of a service once."""

    def __init__(self) -> None:
        self._shared: dict[HealthcareService, Json] = {}

    def write(self, opening: Opening) -> Json:
        service, chosen = opening.service, opening.offerings[0]
        if service not in self._shared:
            specialty = {"specialty": service.specialty} if service.specialty else {}
            self._shared[service] = {"serviceType": service_types(service), **specialty, "status": "free"}
        comment = {"comment": f"{service.name}, at {chosen.site_name}"} if chosen.site_name else {}
        return {
            "resourceType": "Slot",
            "id": free_slot_id(chosen.schedule, service.pk, opening.start),
            "meta": {"profile": [SLOT_PROFILE]},
            **self._shared[service],
            "schedule": {"reference": chosen.reference, "display": chosen.actor_name or chosen.reference},
            "start": instant_text(opening.start),
            "end": instant_text(opening.end),
            **comment,
        }


# Answering


def _answer(request: Request, entries: Iterator[Json], notes: list[str]) -> Any:
    """Stream the Bundle as JSON. Other formats need the whole Bundle in memory."""
    renderer = request.accepted_renderer
    if renderer.format != "json" or request.query_params.get("_pretty") == "true":
        found = list(entries)
        return Response({**HEAD, "entry": [*found, _outcome(len(found), notes)], "total": len(found)})
    return StreamingHttpResponse(_streamed(entries, notes), content_type=f"{renderer.media_type}; charset=utf-8")


def _streamed(entries: Iterator[Json], notes: list[str]) -> Iterator[bytes]:
    """Yield the Bundle in pieces, its total at the end."""
    total = 0
    yield exact_json.dumps(HEAD)[:-1] + b',"entry":['
    for chunk in _chunks(entries):
        total += len(chunk)
        yield b"".join(exact_json.dumps(entry) + b"," for entry in chunk)
    yield exact_json.dumps(_outcome(total, notes)) + b'],"total":%d}' % total


def _chunks(entries: Iterator[Json]) -> Iterable[list[Json]]:
    return iter(lambda: list(islice(entries, CHUNK)), [])


def _outcome(total: int, notes: list[str]) -> Json:
    issues = [Issue("informational", text) for text in (*notes, f"{total} times are free.")]
    return outcome_entry(issues)
