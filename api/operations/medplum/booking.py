"""$hold and $book as Medplum has them: a proposed Appointment with the Slots that it contains.

https://www.medplum.com/docs/scheduling/appointment-hold, https://www.medplum.com/docs/scheduling/appointment-book. A
refusal names every problem of the Appointment at once. scheduling.booking decides if its time can be booked.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from api.operations.medplum.series import read_template
from api.operations.medplum.slots import (
    BUSY,
    HERE,
    OFF_GRID,
    ProposalReader,
    ProposedSlot,
    check_fit,
    check_times,
    read_slots,
)
from api.operations.parameters import Inputs, reference_to, refusal, resource
from api.operations.plain_booking import names_slots, request_for_slots, slot_places
from api.operations.proposals import are_contained, client_elements, is_slot, objects, without_slots
from api.operations.write_view import Attempt, add_alternatives, relocated
from clinic.fhir import codes, modifiers
from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidResource
from clinic.fhir.resources import RESOURCES, Draft, References
from clinic.models import Appointment, HealthcareService, Patient, Resource
from clinic.models.statements import find
from scheduling import access, availability
from scheduling.access import Caller
from scheduling.availability import Offering
from scheduling.booking import BookingRequest, Once, SeriesRequest, Written
from scheduling.errors import Invalid, Issue, SchedulingError, TimeNotOffered
from scheduling.participants import references_of

UseCase = Callable[..., Appointment]
SeriesUseCase = Callable[..., tuple[Appointment, ...]]

NOT_YET_TAKEN = ("proposed", "pending", "booked", "waitlist")
MOST_CONTAINED = 300


@dataclass(frozen=True)
class MedplumProposal:
    """The booking request of a proposal, where each reference is, and the request of its series if it has one."""

    request: BookingRequest
    places: dict[str, str]
    series: SeriesRequest | None = None

    def start_of(self, refusal: SchedulingError) -> datetime:
        """The start that was refused: of a series, that of the visit that the refusal is about."""
        if self.series is None or refusal.occurrence is None:
            return self.request.start
        return self.series.starts[refusal.occurrence - 1]


def prepare(
    inputs: Inputs, use_case: UseCase, series_use_case: SeriesUseCase, *, caller: Caller, now: datetime, base: str
) -> Attempt:
    """Read the proposal, for the use case `hold` or `book`, or that of a series. Raises with every problem of it."""
    inputs.only({"appointment"})
    appointment = inputs.required("appointment", resource("Appointment"))
    inputs.finish()
    proposal = read_proposal(appointment, base, caller, now)
    request = proposal.request

    def tell(refusal: SchedulingError) -> None:
        refusal.issues = relocated(refusal.issues, proposal.places)
        start = proposal.start_of(refusal)
        add_alternatives(refusal, request.service, request.offerings, start, now=now, at=f"{HERE}.start")

    def run(once: Once | None) -> Written:
        if proposal.series is not None:
            return series_use_case(proposal.series, caller=caller, now=now, once=once)
        return use_case(request, caller=caller, now=now, once=once)

    return Attempt(run, tell)


def read_proposal(appointment: Json, base: str, caller: Caller, now: datetime) -> MedplumProposal:
    """Return the proposal, or the Appointment that names free Slots instead of containing its own.

    Raises with every problem: NotFound, RuleBroken, TimeNotOffered or Invalid. A patient that the caller may not see
    counts as unknown.
    """
    if names_slots(appointment) and not any(is_slot(each) for _, each in objects(appointment.get("contained"))):
        request = request_for_slots(appointment, HERE, caller, base=base, now=now)
        return MedplumProposal(request, slot_places(request, HERE))
    reader = ProposalReader(appointment, base)
    _not_too_much(appointment)
    service = _service(reader, caller)
    _unsupported(reader)
    template = read_template(reader)
    slots = read_slots(reader)
    check_times(reader, slots)
    offerings = _offerings(reader, service, slots, caller) if service and slots else []
    offerings = _as_long_as(offerings, slots)
    draft = _draft(reader, offerings, caller)
    patient = _patient(reader, draft) if draft else None
    if reader.issues or service is None or draft is None:
        raise _refusal(reader.issues)
    request = _request(service, offerings, slots, patient, draft)
    series = template.request_for(request, reader) if template else None
    if reader.issues:
        raise _refusal(reader.issues)
    return MedplumProposal(request, _places(service, slots), series)


def _request(
    service: HealthcareService,
    offerings: list[Offering],
    slots: list[ProposedSlot],
    patient: Patient | None,
    draft: Draft,
) -> BookingRequest:
    fields = draft.fields
    window = fields["requested_start"], fields["requested_end"]
    return BookingRequest(
        service=service,
        offerings=tuple(offerings),
        start=next(slot.start for slot in slots if slot.status == BUSY),
        patient=patient,
        participants=tuple(fields["participant"]),
        identifiers=tuple(fields["identifier"]),
        comment=fields["comment"],
        requested=window if all(window) else None,
        extra=client_elements(fields["extra"]),
    )


def _refusal(issues: list[Issue]) -> SchedulingError:
    if issues and all(issue.text == OFF_GRID for issue in issues):
        return TimeNotOffered(issues=issues)
    return refusal(issues)


def _not_too_much(appointment: Json) -> None:
    """Raise Invalid for more Slots than a visit can have: each costs time to read."""
    contained = appointment.get("contained")
    if isinstance(contained, list) and len(contained) > MOST_CONTAINED:
        raise Invalid(f"A proposal contains {MOST_CONTAINED} Slots at most", expression=f"{HERE}.contained")


def _service(reader: ProposalReader, caller: Caller) -> HealthcareService | None:
    """Return the one service that `serviceType` names."""
    read = reference_to("HealthcareService", reader.base, "service reference")
    named = {reader.read(read, text, at) for text, at in _service_references(reader.appointment)}
    if len(named) > 1:
        reader.refuse("Appointment has too many service references", "serviceType")
    elif not named:
        reader.refuse("Appointment has no service reference", "serviceType")
    elif (fhir_id := named.pop()) is not None:
        service = availability.service_of(fhir_id, stamp=caller.offerings_stamp)
        if service is None:
            reader.refuse("HealthcareService not found", "serviceType", "not-found")
        return service
    return None


def _service_references(appointment: Json) -> Iterator[tuple[Any, str]]:
    for n, concept in objects(appointment.get("serviceType")):
        for m, extension in objects(concept.get("extension")):
            if extension.get("url") == codes.SERVICE_TYPE_REFERENCE:
                yield extension.get("valueReference"), f"serviceType[{n}].extension[{m}]"


def _unsupported(reader: ProposalReader) -> None:
    appointment = reader.appointment
    for n, slot in objects(appointment.get("contained")):
        for issue in modifiers.unknown(slot, f"contained[{n}]") if is_slot(slot) else ():
            reader.refuse(issue.text, issue.expression, issue.code)
    if not are_contained(appointment.get("slot", [])):
        reader.refuse("Proposed appointment must not have Slot references", "slot")
    if isinstance(appointment.get("status"), str) and appointment["status"] not in NOT_YET_TAKEN:
        reader.refuse(f"Appointment status must be 'proposed', got '{appointment['status'][:64]}'", "status")


def _offerings(
    reader: ProposalReader, service: HealthcareService, slots: list[ProposedSlot], caller: Caller
) -> list[Offering]:
    """Return the offerings of the named schedules, in the order of the proposal."""
    places = _places(service, slots)
    try:
        named = list(dict.fromkeys(slot.schedule for slot in slots))
        is_known = partial(access.may_know_calendar, caller)
        offerings = availability.offerings_of(service, named, is_known=is_known, stamp=caller.offerings_stamp)
        for offering in offerings:
            check_fit(reader, offering, [slot for slot in slots if slot.schedule == offering.fhir_id])
        availability.require_combinable(offerings)
    except SchedulingError as error:
        issues = (replace(each, expression=places.get(each.expression, f"{HERE}.contained")) for each in error.issues)
        reader.issues += issues
        return []
    return offerings


def _as_long_as(offerings: list[Offering], slots: list[ProposedSlot]) -> list[Offering]:
    """Return the offerings with the length of the visit, if its Slots are those of several visits."""
    visit = next((slot for slot in slots if slot.status == BUSY), None)
    if visit is None or visit.visits == 1:
        return offerings
    return list(availability.with_duration(offerings, visit.end - visit.start))


def _places(service: HealthcareService, slots: list[ProposedSlot]) -> dict[str, str]:
    return {
        service.reference: f"{HERE}.serviceType",
        "Appointment.participant": f"{HERE}.participant",
        **{f"Schedule/{slot.schedule}": f"{HERE}.{slot.at}.schedule" for slot in reversed(slots)},
    }


def _draft(reader: ProposalReader, offerings: Iterable[Offering], caller: Caller) -> Draft | None:
    """Return the fields of the other elements. A problem that was reported already is not reported twice."""
    elements = without_slots(reader.appointment)
    known = [issue.expression for issue in reader.issues]
    try:
        references = References.load(References.collect([elements]), reader.base).visible_only(
            partial(_referable_keys, caller)
        )
        references.add_names({offering.person: offering.person_name for offering in offerings})
        from_fhir = RESOURCES["Appointment"].from_fhir
        assert from_fhir is not None
        return from_fhir(elements, references)
    except InvalidResource as error:
        for issue in error.issues:
            at = issue.expression.removeprefix("Appointment").removeprefix(".")
            if not _is_reported(f"{HERE}.{at}", known):
                reader.refuse(issue.text, at, issue.code)
        return None


def _referable_keys(caller: Caller, model: type[Resource], keys: Collection[int]) -> Collection[int]:
    return access.referable_keys(caller, model, keys) if model is Patient else keys


def _is_reported(expression: str, known: Iterable[str]) -> bool:
    return any(
        reported == expression or reported.startswith((f"{expression}.", f"{expression}[")) for reported in known
    )


def _patient(reader: ProposalReader, draft: Draft) -> Patient | None:
    """Return the first patient of the visit, if the proposal names one."""
    pk = draft.fields["patient_id"]
    patient = find(Patient, "id", pk) if pk else None
    if pk and patient is None:
        named = next(text for text in references_of(draft.fields["participant"]) if "Patient/" in text)
        reader.refuse(f"{named!r} is not known here.", "participant", "not-found")
    return patient
