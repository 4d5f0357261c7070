"""Parts of a proposed Appointment, in every dialect: its contained Slots and its participants."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from clinic.fhir import codes
from clinic.fhir.datatypes import Json, instant
from clinic.fhir.references import local_reference
from clinic.models import Patient
from scheduling.availability import Offering
from scheduling.participants import actor_of, participant

PRIMARY = {
    "coding": [{"system": codes.PARTICIPATION_TYPE, "code": "PPRF", "display": "primary performer"}],
}
# Extensions that only the server sets.
NOT_KEPT = (codes.BOOKED_BY_OPERATION, codes.SERIES_OCCURRENCE)


@lru_cache(maxsize=65536)
def instant_text(seconds: int) -> str:
    return instant(datetime.fromtimestamp(seconds, UTC))


# Slots


def slot_references(offerings: Iterable[Offering]) -> list[Json]:
    """Return references to the contained Slots: https://hl7.org/fhir/R4/references.html#contained"""
    return [{"reference": f"#{slot['id']}"} for slot, _, _ in slots_of(offerings)]


def slots_of(offerings: Iterable[Offering]) -> Iterator[tuple[Json, int, int]]:
    """Yield Slots without times, each with its start and end in seconds from the start of the visit."""
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


def contained_slots(offerings: Iterable[Offering], start: int) -> list[Json]:
    """Return the Slots of a visit with their times, as Medplum's clients expect them."""
    return [
        {**slot, "start": instant_text(start + first), "end": instant_text(start + last)}
        for slot, first, last in slots_of(offerings)
    ]


def is_slot(resource: Json) -> bool:
    return resource.get("resourceType") == "Slot"


def are_contained(references: Any) -> bool:
    """True if all these references are to contained Slots."""
    listed = references if isinstance(references, list) else [references]
    return all(isinstance(each, dict) and str(each.get("reference")).startswith("#") for each in listed)


def without_slots(appointment: Json) -> Json:
    """Return the Appointment without its Slots, which are read separately."""
    elements = {name: value for name, value in appointment.items() if name != "slot"}
    if isinstance(contained := elements.pop("contained", None), list):
        contained = [each for each in contained if not (isinstance(each, dict) and is_slot(each))]
    return {**elements, "contained": contained} if contained else elements


def objects(value: Any) -> Iterator[tuple[int, Json]]:
    """Yield the objects of a list with their indexes. Validation refuses anything else."""
    for n, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, dict):
            yield n, item


# Participants


def medplum_participants(offerings: tuple[Offering, ...]) -> list[Json]:
    """Return the actors of the schedules; devices only if there are no others, because FHIR requires a participant."""
    people = [each for each in offerings if not is_device(each)] or list(offerings)
    primary = next((each for each in people if each.actor.startswith("Practitioner")), None)
    return [
        {
            **({"type": [PRIMARY]} if each is primary else {}),
            **participant(each.actor, each.actor_name, "needs-action"),
        }
        for each in people
    ]


def argonaut_participants(offerings: Sequence[Offering], patients: Iterable[Patient], status: str) -> list[Json]:
    """Return people rather than roles, no devices, the site if nothing names the place, and the patients."""
    actors = {each.person: each.actor_name for each in offerings if not each.actor.startswith("Device/")}
    if not any(actor.startswith("Location/") for actor in actors):
        actors |= {each.site_reference: each.site_name for each in offerings[:1] if each.site_reference}
    if not actors:
        service = offerings[0]
        actors = {service.actor: service.actor_name}
    actors |= {patient.reference: str(patient) for patient in patients}
    return [participant(actor, name, status) for actor, name in actors.items()]


def with_missing_participants(
    participants: Sequence[Json], offerings: Sequence[Offering], patient: Patient | None, status: str
) -> list[Json]:
    """Return the participants that a client sent, with those of the visit whom it has not named.

    Each has this status, but for those who decline.
    """
    named = {local_reference(actor_of(each)) for each in participants}
    people = {each.person: each.actor for each in offerings}
    own = argonaut_participants(offerings, [patient] if patient else (), status)
    missing = [each for each in own if not {actor_of(each), people.get(actor_of(each))} & named]
    return [each if each.get("status") == "declined" else {**each, "status": status} for each in participants] + missing


def client_elements(extra: Json) -> Json:
    """Return the elements of an Appointment that a client sent, without the extensions that the server sets."""
    extensions = [each for each in extra.get("extension", ()) if each["url"] not in NOT_KEPT]
    rest = {name: value for name, value in extra.items() if name != "extension"}
    return {**rest, **({"extension": extensions} if extensions else {})}


def actor_reference(offering: Offering) -> Json:
    named = {"display": offering.actor_name} if offering.actor_name else {}
    return {"reference": offering.actor, **named}


def is_device(offering: Offering) -> bool:
    return offering.actor.startswith("Device/")
