"""An Appointment that a client composed: of free Slots, or of people, a place and a time.

http://fhir.org/guides/argonaut-scheduling, the third use case. It does not contain its Slots: its schedules are found
by its participants and their free time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from django.db.models import QuerySet

from api.operations.argonaut.profiles import APPOINTMENT_PROFILES, service_types
from api.operations.argonaut.proposals import BookingDetails
from api.operations.argonaut.references import ReferenceTarget, find_rows, with_references
from api.operations.ids import read_proposal_id
from api.operations.named_slots import NamedSlot, read_named_slots, time_of
from api.operations.parameters import refusal
from api.operations.proposals import argonaut_participants, without_slots
from api.operations.write_view import relocated
from clinic.fhir.datatypes import Json, instant
from clinic.fhir.issues import InvalidResource
from clinic.fhir.references import local_reference
from clinic.fhir.resources import RESOURCES, Draft, References
from clinic.fhir.schedules import service_references
from clinic.fhir.visit_types import appointment_type, appointment_type_of, codings_of
from clinic.models import (
    Appointment,
    HealthcareService,
    Location,
    Patient,
    Practitioner,
    PractitionerRole,
    Schedule,
)
from scheduling import access, availability
from scheduling.access import Caller
from scheduling.availability import Criteria, Offering, Opening, TimeQuery, Way
from scheduling.booking import BookingRequest
from scheduling.errors import Invalid, Issue, NotFound, RuleBroken, SchedulingError
from scheduling.participants import actor_of

NOTES = ("description", "reasonCode", "reasonReference", "priority", "appointmentType", "specialty", "basedOn")
ALL_DAY = timedelta(days=1)


@dataclass(frozen=True)
class ClientAppointment:
    """A client's Appointment with its fields. `slots` are the free Slots that it names: they say when it is."""

    json: Json
    at: str
    draft: Draft
    patients: tuple[Patient, ...]
    slots: tuple[NamedSlot, ...]

    @property
    def patient(self) -> Patient | None:
        """The first of the patients."""
        return next(iter(self.patients), None)

    @property
    def start(self) -> datetime:
        start: datetime = self.draft.fields["start"]
        return start


def read_client_appointment(resource: Json, at: str, base: str, patients: QuerySet[Patient]) -> ClientAppointment:
    """Read the Appointment of the parameter `at`. Raises with every problem of it.

    `patients` are the possible patients; others count as unknown.
    """
    resource = with_references(resource, at, patients)
    slots = read_named_slots(resource, at, base)
    timed_by_slots = slots and not {"start", "end"} & resource.keys()
    draft = read_draft({**resource, "status": "proposed"} if timed_by_slots else resource, at, base)
    if draft.fields["start"] is None and not slots:
        text = "Say when the visit starts, as in 2026-01-05T14:00:00Z."
        raise Invalid(issues=[Issue("required", text, f"{at}.start")])
    return ClientAppointment(resource, at, draft, _patients(draft, at, patients), slots)


def _patients(draft: Draft, at: str, patients: QuerySet[Patient]) -> tuple[Patient, ...]:
    """Return the patients among the participants, in their order. Raises NotFound for one who is not known."""
    actors = ((n, _reference(each)) for n, each in enumerate(draft.fields["participant"]))
    places = {text: n for n, text in actors if text.startswith("Patient/")}
    ids = [text.partition("/")[2] for text in places]
    found = {each.reference: each for each in patients.filter(fhir_id__in=ids)} if ids else {}
    for text, n in places.items():
        if text not in found:
            raise NotFound(f"{text!r} is not known here.", expression=f"{at}.participant[{n}].actor.reference")
    return tuple(found[text] for text in places)


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
    appointment: ClientAppointment, details: BookingDetails, caller: Caller, *, now: datetime
) -> BookingRequest:
    """Return the booking request, with the offerings for the visit. scheduling.booking checks the time."""
    chosen = chosen_for(appointment, caller, now=now)
    fields, extra = appointment.draft.fields, appointment.draft.fields["extra"]
    window = fields["requested_start"], fields["requested_end"]
    ours = argonaut_participants(chosen.offerings, details.patients, details.status)
    return BookingRequest(
        service=chosen.service,
        offerings=chosen.offerings,
        start=availability.as_datetime(chosen.start) if appointment.slots else appointment.start,
        patient=details.patient,
        register=details.register,
        participants=(*ours, *_others(fields["participant"], ours, details.status)),
        identifiers=tuple(fields["identifier"]),
        comment=details.comment or fields["comment"],
        requested=window if all(window) else None,
        extra={**extra, **_added_elements(extra, chosen.service, details.extensions)},
        slots=stored_keys(appointment.slots, chosen.offerings),
    )


def stored_keys(slots: Sequence[NamedSlot], offerings: Sequence[Offering]) -> tuple[int, ...]:
    """Return the primary keys of the stored Slots that become the visit's.

    A free Slot on a calendar that takes several patients at a time stays free for the others.
    """
    shared = {each.schedule for each in offerings if each.rules.capacity > 1}
    rows = [slot.row for slot in slots if slot.row]
    return tuple(row.pk for row in rows if row.schedule_id not in shared or row.status != row.Status.FREE)


def notes_of(appointment: ClientAppointment) -> Json:
    """Return the elements of the resource other than its time and participants."""
    notes = {name: value for name, value in appointment.draft.fields["extra"].items() if name in NOTES}
    return {**notes, "comment": appointment.draft.fields["comment"]}


def _added_elements(extra: Json, service: HealthcareService, extensions: tuple[Json, ...]) -> Json:
    """Return the elements that the server adds: profile, service type, type of appointment and extensions."""
    elements: Json = {"meta": {"profile": list(APPOINTMENT_PROFILES)}}
    if "appointmentType" not in extra:
        elements["appointmentType"] = appointment_type(appointment_type_of(service.appointment_type, service.type))
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
    appointment: ClientAppointment, caller: Caller, *, now: datetime, without: Appointment | None = None
) -> Opening:
    """Return the first fitting offerings that are free, or else the first that fit.

    `without` is the visit that is moved.
    """
    if appointment.slots:
        ways, (start, ends) = _ways_of_slots(appointment, caller)
        _check_time(appointment, start, ends)
    else:
        ways, start = _ways(appointment, caller, without), appointment.start
    if not ways:
        text = "No service here fits: name one in serviceType, and who gives it, or a free Slot."
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


def _ways(appointment: ClientAppointment, caller: Caller, moved: Appointment | None) -> list[Way]:
    """Return the ways to give the visit: by the id of a proposal, or by service and people."""
    schedules, services = _named_by_id(appointment)
    named = appointment.draft.fields["service_id"] if moved is None else moved.service_id
    if named:
        services = (named,)
    may_book = partial(_could_book, caller)
    ways = availability.ways_for(_criteria(appointment, services), may_book)
    if schedules:
        ways = [way.among(tuple(each for each in way.choices if each.schedule in schedules)) for way in ways]
    if moved is not None:
        moved_visit = availability.moved_visit_of(moved)
        ways = [replace(way, pools=pools) for way in ways if way.choices for pools in moved_visit.ways([way.pools])]
    return [way for way in ways if way.choices]


def _could_book(caller: Caller, service: HealthcareService, offering: Offering) -> bool:
    return access.could_book(caller, service, offering.schedule)


def _criteria(appointment: ClientAppointment, services: Sequence[int]) -> Criteria:
    """Return the criteria for these services (primary keys), or else for the kinds of visit that it names."""
    kinds = tuple(sorted(codings_of(appointment.draft.fields["extra"].get("serviceType", []))))
    return Criteria(
        services=tuple(services) or None,
        visit_types=None if services else kinds or None,
        practitioners=_people(appointment) or None,
        locations=_places(appointment) or None,
    )


def _ways_of_slots(appointment: ClientAppointment, caller: Caller) -> tuple[list[Way], tuple[datetime, datetime]]:
    """Return the ways to give the visit that take the schedules of its Slots, and its time.

    scheduling.booking says if the caller may book them.
    """
    slots = appointment.slots
    service, ways = _service_of_slots(appointment)
    try:
        named = availability.offerings_by_key(service, list(dict.fromkeys(slot.schedule for slot in slots)))
    except SchedulingError as error:
        error.issues = relocated(error.issues, dict.fromkeys((each.expression for each in error.issues), slots[0].at))
        raise
    if not all(access.may_know_calendar(caller, each.actor) for each in named):
        raise NotFound("There is no such Slot.", expression=slots[0].at)
    start, end = time_of(slots, named)
    _require_slots_of_people(appointment, named)
    return [chosen for way in ways if (chosen := _way_with(way, named, end - start))], (start, end)


def _require_slots_of_people(appointment: ClientAppointment, named: Sequence[Offering]) -> None:
    """Raise RuleBroken for a practitioner who takes part, if the Slots of other practitioners are named, not theirs."""
    people = {reference for each in named for reference in (each.person, each.actor) if "Practitioner" in reference}
    issues = [
        Issue(
            "business-rule",
            f"{reference} takes part, so name a free Slot of theirs too.",
            f"{appointment.at}.participant[{n}].actor",
        )
        for n, reference in enumerate(map(_reference, appointment.draft.fields["participant"]))
        if people and reference.startswith("Practitioner") and reference not in people
    ]
    if issues:
        raise RuleBroken(issues=issues)


def _way_with(way: Way, named: Sequence[Offering], length: timedelta) -> Way | None:
    """Return the way with the named schedules in place of the pools that have them, for a visit of this length.

    None if a pool that no Slot is of has no schedule whose visits are as long as those of the first one named.
    """
    left = list(named)
    pools: list[tuple[Offering, ...]] = []
    for pool in way.pools:
        schedules = {each.schedule for each in pool}
        own = next((each for each in left if each.schedule in schedules), None)
        if own is not None:
            left.remove(own)
            pools.append((own,))
        else:
            pools.append(tuple(each for each in pool if each.rules.duration == named[0].rules.duration))
    pools += [(each,) for each in left]
    if not all(pools):
        return None
    chosen = next(n for n, pool in enumerate(pools) if pool[0].schedule == named[0].schedule)
    return Way(way.service, tuple(availability.with_duration(pool, length) for pool in pools), chosen)


def _service_of_slots(appointment: ClientAppointment) -> tuple[HealthcareService, list[Way]]:
    """Return the one service that the Appointment or its Slots name, with its ways.

    A stored Slot without a serviceType is of the one service of its schedule. Raises RuleBroken for several services.
    """
    slots = appointment.slots
    services = {slot.service for slot in slots if slot.service is not None}
    if appointment.draft.fields["service_id"]:
        services.add(appointment.draft.fields["service_id"])
    schedules = {slot.schedule for slot in slots}
    criteria = _criteria(appointment, sorted(services))
    if Schedule.objects.filter(pk__in=schedules, bookable__practitioner__isnull=False).exists():
        criteria = replace(criteria, practitioners=None)  # the Slots say whose time it is
    kinds = tuple(sorted(kind for slot in slots if slot.row for kind in codings_of(slot.row.service_type)))
    if criteria.services is None and criteria.visit_types is None and kinds:
        criteria = replace(criteria, visit_types=kinds)
    ways = availability.ways_for(criteria, lambda service, offering: True)
    if not services:
        ways = [way for way in ways if any(each.schedule in schedules for pool in way.pools for each in pool)]
    found = list(dict.fromkeys(way.service for way in ways))
    if len(services) > 1 or len(found) > 1:
        names = " or ".join(sorted(each.name for each in found))
        text = f"A visit is of one service: name {names} in serviceType, and Slots of that service."
        raise RuleBroken(text, expression=f"{appointment.at}.serviceType")
    if not found:
        text = "No service here fits: its people and places, its Slots and its serviceType do not belong together."
        raise RuleBroken(text, expression=f"{appointment.at}.slot")
    return found[0], ways


def _check_time(appointment: ClientAppointment, start: datetime, end: datetime) -> None:
    """Raise Invalid if the Appointment says another start or end than its Slots."""
    fields = appointment.draft.fields
    issues = [
        Issue("business-rule", f"Its Slots {verb} at {instant(right)}.", f"{appointment.at}.{name}")
        for name, verb, right in (("start", "start", start), ("end", "end", end))
        if fields[name] not in (None, right)
    ]
    if issues:
        raise Invalid(issues=issues)


def _named_by_id(appointment: ClientAppointment) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the schedules and the service in the id of a proposal for this time."""
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
