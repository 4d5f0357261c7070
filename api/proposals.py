"""Free times as proposed Appointments: https://www.medplum.com/docs/scheduling/appointment-find

A page holds up to a thousand of them, and they differ in nothing but their times. What they share is written once;
each is then its times, put where they belong.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias

import orjson

from clinic import exact_json
from clinic.fhir import codes
from clinic.fhir.datatypes import Json, instant
from clinic.fhir.schedules import service_type
from clinic.models import HealthcareService
from scheduling.availability import FoundTime, Offering

Window: TypeAlias = tuple[datetime, datetime]
Write: TypeAlias = Callable[[int], str]  # from a start, in UTC seconds, to JSON

PRIMARY = {
    "coding": [{"system": codes.PARTICIPATION_TYPE, "code": "PPRF", "display": "primary performer"}],
}


def proposals(found: Iterable[FoundTime], service: HealthcareService, searched: Window) -> orjson.Fragment:
    """The entries of a searchset, one for each time. They say nothing of any patient."""
    writers: dict[tuple[int, ...], Write] = {}
    entries = []
    for time in found:
        key = tuple([offering.schedule for offering in time.offerings])
        if key not in writers:
            writers[key] = _writer(service, time.offerings, searched)
        entries.append(writers[key](time.start))
    return orjson.Fragment(f"[{','.join(entries)}]")


@lru_cache(maxsize=65536)
def instant_text(seconds: int) -> str:
    return instant(datetime.fromtimestamp(seconds, UTC))


def _writer(service: HealthcareService, offerings: tuple[Offering, ...], searched: Window) -> Write:
    """One text with a place for each time; the times as seconds from the start of the visit."""
    duration = offerings[0].rules.duration
    texts, offsets = [], [0, duration]
    for resource, start, end in slots_of(offerings):
        texts.append(_timed(resource))
        offsets += [start, end]
    visit = _timed(_appointment(service, offerings, searched))[:-1] + f',"contained":[{",".join(texts)}]}}'
    entry = f'{{"resource":{visit},"search":{{"mode":"match"}}}}'
    distinct = sorted(set(offsets))
    places = [distinct.index(offset) for offset in offsets]

    def write(start: int) -> str:
        moments = [instant_text(start + offset) for offset in distinct]
        return entry % tuple([moments[place] for place in places])

    return write


def _timed(resource: Json) -> str:
    """A resource as JSON, with places for its start and its end."""
    return exact_json.dumps(resource).decode().replace("%", "%%")[:-1] + ',"start":"%s","end":"%s"}'


def _appointment(service: HealthcareService, offerings: tuple[Offering, ...], searched: Window) -> Json:
    start, end = searched
    proposal: Json = {
        "resourceType": "Appointment",
        "status": "proposed",
        "serviceType": service_type(service),
        "slot": slot_references(offerings),
        "participant": _participants(offerings),
        "requestedPeriod": [{"start": instant(start), "end": instant(end)}],
    }
    if devices := [each for each in offerings if _is_device(each)]:
        proposal["supportingInformation"] = [_actor(each) for each in devices]
    return proposal


def _participants(offerings: tuple[Offering, ...]) -> list[Json]:
    """Everybody whose time it takes. Devices only where there is nobody else, for somebody must be."""
    people = [each for each in offerings if not _is_device(each)] or list(offerings)
    primary = next((each for each in people if each.actor.startswith("Practitioner")), None)
    return [
        {
            **({"type": [PRIMARY]} if each is primary else {}),
            "actor": _actor(each),
            "required": "required",
            "status": "needs-action",
        }
        for each in people
    ]


def slot_references(offerings: Iterable[Offering]) -> list[Json]:
    """To the Slots that a proposal contains: https://hl7.org/fhir/R4/references.html#contained"""
    return [{"reference": f"#{slot['id']}"} for slot, _, _ in slots_of(offerings)]


def slots_of(offerings: Iterable[Offering]) -> Iterator[tuple[Json, int, int]]:
    """Slots without their times, and when they start and end, in seconds from the start of the visit."""
    slots = (each for offering in offerings for each in _slots_on(offering))
    for n, (slot, start, end) in enumerate(slots, 1):
        yield {"resourceType": "Slot", "id": f"slot-{n}", **slot}, start, end


def _slots_on(offering: Offering) -> Iterator[tuple[Json, int, int]]:
    rules = offering.rules
    slot: Json = {"schedule": {"reference": offering.reference}}
    busy = {**slot, "status": "busy"}
    if rules.capacity > 1:
        busy["extension"] = [{"url": codes.SLOT_CAPACITY, "valuePositiveInt": rules.capacity}]
    yield busy, 0, rules.duration
    buffer = {**slot, "status": "busy-unavailable"}
    if rules.buffer_before:
        yield {**buffer, "comment": "buffer before appointment"}, -rules.buffer_before, 0
    if rules.buffer_after:
        end = rules.duration + rules.buffer_after
        yield {**buffer, "comment": "buffer after appointment"}, rules.duration, end


def _actor(offering: Offering) -> Json:
    named = {"display": offering.actor_name} if offering.actor_name else {}
    return {"reference": offering.actor, **named}


def _is_device(offering: Offering) -> bool:
    return offering.actor.startswith("Device/")
