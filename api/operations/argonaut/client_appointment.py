"""An Appointment that a client composed: of a free Slot of $prefetch, or of people, a place and a time.

http://fhir.org/guides/argonaut-scheduling, the third use case. It does not contain its Slots: its schedules are found
by its participants and their free time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import QuerySet

from api.operations.argonaut.profiles import APPOINTMENT_PROFILES, service_types
from api.operations.argonaut.proposals import BookingDetails
from api.operations.argonaut.references import ReferenceTarget, find_rows, with_references
from api.operations.ids import FreeSlot, read_free_slot_id, read_proposal_id
from api.operations.parameters import reference_to, refusal
from api.operations.proposals import are_contained, argonaut_participants, objects, without_slots
from clinic.fhir.datatypes import Json, instant
from clinic.fhir.issues import InvalidElement, InvalidResource
from clinic.fhir.references import local_reference
from clinic.fhir.resources import RESOURCES, Draft, References
from clinic.fhir.schedules import service_references
from clinic.fhir.visit_types import codings_of
from clinic.models import Appointment, HealthcareService, Location, Patient, Practitioner, PractitionerRole
from scheduling import availability
from scheduling.availability import Criteria, MayBook, Opening, TimeQuery, Way
from scheduling.booking import BookingRequest
from scheduling.errors import Invalid, Issue, NotFound, RuleBroken
from scheduling.participants import actor_of

NOTES = ("description", "reasonCode", "reasonReference", "priority", "appointmentType", "specialty", "basedOn")
ONE_PATIENT = "An appointment is for one patient: book for each of a group."
ALL_DAY = timedelta(days=1)


@dataclass(frozen=True)
class ClientAppointment:
    """A client's Appointment with its fields. `slots` are the free Slots that it names."""

    json: Json
    at: str
    draft: Draft
    patient: Patient | None
    slots: tuple[FreeSlot, ...]

    @property
    def start(self) -> datetime:
        start: datetime = self.draft.fields["start"]
        return start


def read_client_appointment(resource: Json, at: str, base: str, patients: QuerySet[Patient]) -> ClientAppointment:
    """Read the Appointment of the parameter `at`. Raises with every problem of it.

    `patients` are the possible patients; others count as unknown.
    """
    resource = with_references(resource, at, patients)
    slots = _free_slots(resource, at, base)
    draft = read_draft(resource, at, base)
    if draft.fields["start"] is None:
        text = "Say when the visit starts, as in 2026-01-05T14:00:00Z."
        raise Invalid(issues=[Issue("required", text, f"{at}.start")])
    if any(slot.start != draft.fields["start"].timestamp() for slot in slots):
        raise Invalid("The Appointment does not start with its Slot.", expression=f"{at}.start")
    return ClientAppointment(resource, at, draft, _patient(draft, at, patients), slots)


def _patient(draft: Draft, at: str, patients: QuerySet[Patient]) -> Patient | None:
    if draft.fields["patient_id"] is None:
        return None
    patient = patients.filter(pk=draft.fields["patient_id"]).first()
    if patient is None:
        actors = (
            (n, str(each.get("actor", {}).get("reference"))) for n, each in enumerate(draft.fields["participant"])
        )
        n, text = next((n, text) for n, text in actors if "Patient/" in text)
        raise NotFound(f"{text!r} is not known here.", expression=f"{at}.participant[{n}].actor.reference")
    return patient


def read_draft(resource: Json, at: str, base: str) -> Draft:
    """Return the fields of the resource without its Slots."""
    elements = without_slots(resource)
    from_fhir = RESOURCES["Appointment"].from_fhir
    assert from_fhir is not None
    try:
        return from_fhir(elements, References.load(References.collect([elements]), base))
    except InvalidResource as error:
        issues = [Issue(each.code, each.text, each.expression.replace("Appointment", at, 1)) for each in error.issues]
        raise refusal(issues) from error


def request_for_appointment(
    appointment: ClientAppointment, details: BookingDetails, may_book: MayBook, *, now: datetime
) -> BookingRequest:
    """Return the booking request, with the offerings for the visit. scheduling.booking checks the time."""
    if len({each.fhir_id for each in _named(appointment, "Patient")}) > 1:
        raise RuleBroken(issues=[Issue("not-supported", ONE_PATIENT, f"{appointment.at}.participant")])
    chosen = chosen_for(appointment, may_book, now=now)
    fields, extra = appointment.draft.fields, appointment.draft.fields["extra"]
    window = fields["requested_start"], fields["requested_end"]
    ours = argonaut_participants(chosen.offerings, details.patient, details.status)
    return BookingRequest(
        service=chosen.service,
        offerings=chosen.offerings,
        start=appointment.start,
        patient=details.patient,
        register=details.register,
        participants=(*ours, *_others(fields["participant"], ours, details.status)),
        identifiers=tuple(fields["identifier"]),
        comment=details.comment or fields["comment"],
        requested=window if all(window) else None,
        extra={**extra, **_added_elements(extra, chosen.service, details.extensions)},
    )


def notes_of(appointment: ClientAppointment) -> Json:
    """Return the elements of the resource other than its time and participants."""
    notes = {name: value for name, value in appointment.draft.fields["extra"].items() if name in NOTES}
    return {**notes, "comment": appointment.draft.fields["comment"]}


def _added_elements(extra: Json, service: HealthcareService, extensions: tuple[Json, ...]) -> Json:
    """Return the elements that the server adds: profile, service type and extensions."""
    elements: Json = {"meta": {"profile": list(APPOINTMENT_PROFILES)}}
    if not any(service_references(concept) for concept in extra.get("serviceType", ())):
        elements["serviceType"] = service_types(service)
    if extensions:
        elements["extension"] = [*extra.get("extension", ()), *extensions]
    return elements


def _others(participants: Sequence[Json], own: Sequence[Json], status: str) -> list[Json]:
    """Return the other participants that the client named, except patients, devices and practitioners."""
    known = {each["actor"]["reference"] for each in own}
    others = [each for each in participants if _reference(each) and _reference(each) not in known]
    kinds = ("Patient/", "Device/", "Practitioner", "HealthcareService/")
    return [{**each, "status": status} for each in others if not _reference(each).startswith(kinds)]


def chosen_for(
    appointment: ClientAppointment, may_book: MayBook, *, now: datetime, without: Appointment | None = None
) -> Opening:
    """Return the first fitting offerings that are free, or else the first that fit.

    `without` is the visit that is moved.
    """
    start = appointment.start
    ways = _ways(appointment, may_book, without)
    if not ways:
        text = "No service here fits: name one in serviceType, and who gives it, or a Slot of $prefetch."
        raise Invalid(text, expression=f"{appointment.at}.participant")
    query = TimeQuery(ways=ways, start=start, end=start + ALL_DAY, windows=availability.start_only, without=without)
    found = availability.openings(query, now=now)
    fitting = [each for each in found if each.start == start.timestamp()]
    would = [_would_be(way, start) for way in ways]
    end = appointment.draft.fields["end"]
    of_length = [each for each in (*fitting, *would) if end is None or each.end == end.timestamp()]
    if not of_length:
        right = instant(availability.as_datetime((fitting or would)[0].end))
        raise Invalid(f"The visit ends at another time: {right}.", expression=f"{appointment.at}.end")
    return of_length[0]


def _would_be(way: Way, start: datetime) -> Opening:
    at = int(start.timestamp())
    others = (pool[0] for n, pool in enumerate(way.pools) if n != way.chosen)
    return Opening(way.service, at, at + way.choices[0].rules.duration, (way.choices[0], *others))


def _ways(appointment: ClientAppointment, may_book: MayBook, moved: Appointment | None) -> list[Way]:
    """Return the ways to give the visit: by its Slots, by the id of a proposal, or by service and people."""
    schedules, services = _named_by_id(appointment)
    named = appointment.draft.fields["service_id"] if moved is None else moved.service_id
    if named:
        services = (named,)
    practitioners, locations = _people(appointment), _places(appointment)
    kinds = tuple(sorted(codings_of(appointment.draft.fields["extra"].get("serviceType", []))))
    ways = availability.ways_for(
        Criteria(
            services=services or None,
            visit_types=None if services else kinds or None,
            practitioners=practitioners or None,
            locations=locations or None,
        ),
        may_book,
    )
    if schedules:
        ways = [way.among(tuple(each for each in way.choices if each.schedule in schedules)) for way in ways]
    if moved is not None:
        moved_visit = availability.moved_visit_of(moved)
        ways = [replace(way, pools=pools) for way in ways if way.choices for pools in moved_visit.ways([way.pools])]
    return [way for way in ways if way.choices]


def _named_by_id(appointment: ClientAppointment) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the schedules and the service in the ids of its Slots, or in the id of a proposal for this time."""
    if appointment.slots:
        return tuple(slot.schedule for slot in appointment.slots), (appointment.slots[0].service,)
    proposed = read_proposal_id(str(appointment.json.get("id", "")))
    if proposed is not None and proposed.start == appointment.start.timestamp():
        return proposed.schedules, (proposed.service,)
    return (), ()


def _people(appointment: ClientAppointment) -> tuple[int, ...]:
    """Return the practitioners among the participants; a role counts as its practitioner."""
    people = find_rows(Practitioner.objects.all(), _named(appointment, "Practitioner"))
    roles = find_rows(PractitionerRole.objects.all(), _named(appointment, "PractitionerRole"))
    return tuple(dict.fromkeys((*(each.pk for each in people), *(each.practitioner_id for each in roles))))


def _places(appointment: ClientAppointment) -> tuple[int, ...]:
    return tuple(each.pk for each in find_rows(Location.objects.all(), _named(appointment, "Location")))


def _named(appointment: ClientAppointment, kind: str) -> list[ReferenceTarget]:
    references = [_reference(each).partition("/") for each in appointment.draft.fields["participant"]]
    return [ReferenceTarget(kind, fhir_id) for of, _, fhir_id in references if of == kind]


def _reference(participant: Json) -> str:
    return local_reference(actor_of(participant))


def _free_slots(resource: Json, at: str, base: str) -> tuple[FreeSlot, ...]:
    """Return the free Slots that it refers to. Raises NotFound for other Slots than those of $prefetch."""
    if are_contained(resource.get("slot", [])):
        return ()
    slots, issues = [], []
    for n, reference in objects(resource.get("slot")):
        place = f"{at}.slot[{n}].reference"
        try:
            slot = read_free_slot_id(reference_to("Slot", base, "slot reference")(reference))
        except InvalidElement as error:
            issues.append(Issue(error.code, error.text, place))
            continue
        if slot is None:
            issues.append(Issue("not-found", "This is not a free Slot: take one of $prefetch.", place))
        else:
            slots.append(slot)
    if issues:
        raise refusal(issues)
    return tuple(slots)
