"""Free times as proposed Appointments: https://www.medplum.com/docs/scheduling/appointment-find

A page has up to a thousand of them, which differ only in their times: the common text is written once, and the times
of each are put into it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeAlias

import orjson

from api.operations.proposals import (
    actor_reference,
    instant_text,
    is_device,
    medplum_participants,
    slot_references,
    slots_of,
)
from clinic import exact_json
from clinic.fhir.datatypes import Json, instant
from clinic.fhir.schedules import service_type
from clinic.models import HealthcareService
from scheduling.availability import FoundTime, Offering

Window: TypeAlias = tuple[datetime, datetime]
Write: TypeAlias = Callable[[int], str]  # from a start, in UTC seconds, to JSON


def proposals(found: Iterable[FoundTime], service: HealthcareService, searched: Window) -> orjson.Fragment:
    """Return the entries of a searchset, one for each time. They contain nothing about a patient."""
    writers: dict[tuple[int, ...], Write] = {}
    entries = []
    for time in found:
        key = tuple([offering.schedule for offering in time.offerings])
        if key not in writers:
            writers[key] = _writer(service, time.offerings, searched)
        entries.append(writers[key](time.start))
    return orjson.Fragment(f"[{','.join(entries)}]")


def _writer(service: HealthcareService, offerings: tuple[Offering, ...], searched: Window) -> Write:
    """Return the function that writes the entry for a start, with the same schedules each time."""
    duration = offerings[0].rules.duration
    texts, offsets = [], [0, duration]
    for resource, start, end in slots_of(offerings):
        texts.append(_timed(resource))
        offsets += [start, end]
    visit = _timed(proposed_appointment(service, offerings, searched))[:-1] + f',"contained":[{",".join(texts)}]}}'
    entry = f'{{"resource":{visit},"search":{{"mode":"match"}}}}'
    distinct = sorted(set(offsets))
    places = [distinct.index(offset) for offset in offsets]

    def write(start: int) -> str:
        moments = [instant_text(start + offset) for offset in distinct]
        return entry % tuple([moments[place] for place in places])

    return write


def _timed(resource: Json) -> str:
    """Return a resource as JSON, with placeholders for its start and end."""
    return exact_json.dumps(resource).decode().replace("%", "%%")[:-1] + ',"start":"%s","end":"%s"}'


def proposed_appointment(service: HealthcareService, offerings: tuple[Offering, ...], searched: Window) -> Json:
    """Return a proposed Appointment without its time and without the Slots that it contains."""
    start, end = searched
    proposal: Json = {
        "resourceType": "Appointment",
        "status": "proposed",
        "serviceType": service_type(service),
        "slot": slot_references(offerings),
        "participant": medplum_participants(offerings),
        "requestedPeriod": [{"start": instant(start), "end": instant(end)}],
    }
    if devices := [each for each in offerings if is_device(each)]:
        proposal["supportingInformation"] = [actor_reference(each) for each in devices]
    return proposal
