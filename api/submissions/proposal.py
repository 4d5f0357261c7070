"""From the JSON of a proposed Appointment to what is asked of scheduling.booking."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from api.parameters import reference_to, refusal
from api.submissions.slots import (
    BUSY,
    OFF_GRID,
    ProposedSlot,
    are_contained,
    check_fit,
    check_times,
    is_slot,
    read_slots,
    without_slots,
)
from api.submissions.submission import HERE, Submission, objects
from clinic.fhir import codes, modifiers
from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidResource
from clinic.fhir.resources import RESOURCES, Draft, References
from clinic.models import HealthcareService, Patient, Resource
from clinic.models.statements import find
from scheduling import access, availability
from scheduling.access import Caller
from scheduling.availability import Offering
from scheduling.booking import BookingRequest
from scheduling.errors import Invalid, Issue, SchedulingError, TimeNotOffered

NOT_YET_TAKEN = ("proposed", "pending", "booked", "waitlist")
SERIES = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.recurrenceTemplate"
MOST_CONTAINED = 300
# What is ours to say.
NOT_KEPT = (codes.BOOKED_BY_OPERATION,)


@dataclass(frozen=True)
class Proposal:
    """What is asked for, and where each thing that a refusal may name is in it."""

    request: BookingRequest
    places: dict[str, str]


def read_proposal(sent: Json, base: str, caller: Caller) -> Proposal:
    """What is asked for. Raises with every problem: NotFound, RuleBroken or TimeNotOffered if that is all it is.

    A patient whom the caller may not see is not known here.
    """
    submission = Submission(sent, base)
    _not_too_much(sent)
    service = _service(submission)
    _unsupported(submission)
    slots = read_slots(submission)
    check_times(submission, slots)
    offerings = _offerings(submission, service, slots, caller) if service and slots else []
    draft = _draft(submission, caller)
    patient = _patient(submission, draft) if draft else None
    if submission.issues or service is None or draft is None:
        raise _refusal(submission.issues)
    return Proposal(_request(service, offerings, slots, patient, draft), _places(service, slots))


def _request(
    service: HealthcareService,
    offerings: list[Offering],
    slots: list[ProposedSlot],
    patient: Patient | None,
    draft: Draft,
) -> BookingRequest:
    fields = draft.fields
    asked = fields["requested_start"], fields["requested_end"]
    return BookingRequest(
        service=service,
        offerings=tuple(offerings),
        start=next(slot.start for slot in slots if slot.status == BUSY),
        patient=patient,
        participants=tuple(fields["participant"]),
        identifiers=tuple(fields["identifier"]),
        comment=fields["comment"],
        requested=asked if all(asked) else None,
        extra=_kept(fields["extra"]),
    )


def _refusal(issues: list[Issue]) -> SchedulingError:
    if issues and all(issue.text == OFF_GRID for issue in issues):
        return TimeNotOffered(issues=issues)
    return refusal(issues)


def _not_too_much(sent: Json) -> None:
    """Nobody meets in such a crowd, and each Slot costs time to read."""
    contained = sent.get("contained")
    if isinstance(contained, list) and len(contained) > MOST_CONTAINED:
        raise Invalid(f"A proposal contains {MOST_CONTAINED} Slots at most", expression=f"{HERE}.contained")


def _service(submission: Submission) -> HealthcareService | None:
    """The one service that `serviceType` names, however often."""
    read = reference_to("HealthcareService", submission.base, "service reference")
    named = {submission.read(read, text, at) for text, at in _service_references(submission.sent)}
    if len(named) > 1:
        submission.refuse("Appointment has too many service references", "serviceType")
    elif not named:
        submission.refuse("Appointment has no service reference", "serviceType")
    elif (fhir_id := named.pop()) is not None:
        service = availability.service_of(fhir_id)
        if service is None:
            submission.refuse("HealthcareService not found", "serviceType", "not-found")
        return service
    return None


def _service_references(sent: Json) -> Iterator[tuple[Any, str]]:
    for n, concept in objects(sent.get("serviceType")):
        for m, extension in objects(concept.get("extension")):
            if extension.get("url") == codes.SERVICE_TYPE_REFERENCE:
                yield extension.get("valueReference"), f"serviceType[{n}].extension[{m}]"


def _unsupported(submission: Submission) -> None:
    sent = submission.sent
    for n, slot in objects(sent.get("contained")):
        for issue in modifiers.unknown(slot, f"contained[{n}]") if is_slot(slot) else ():
            submission.refuse(issue.text, issue.expression, issue.code)
    if not are_contained(sent.get("slot", [])):
        submission.refuse("Proposed appointment must not have Slot references", "slot")
    if isinstance(sent.get("status"), str) and sent["status"] not in NOT_YET_TAKEN:
        submission.refuse(f"Appointment status must be 'proposed', got '{sent['status'][:64]}'", "status")
    for n, extension in objects(sent.get("extension")):
        if extension.get("url") == SERIES:
            submission.refuse("Recurring series are not supported", f"extension[{n}]", "not-supported")


def _offerings(
    submission: Submission, service: HealthcareService, slots: list[ProposedSlot], caller: Caller
) -> list[Offering]:
    """The schedules as they give the service, in the order of the proposal."""
    places = _places(service, slots)
    try:
        named = list(dict.fromkeys(slot.schedule for slot in slots))
        offerings = availability.offerings_of(service, named, is_known=partial(access.may_know_calendar, caller))
        for offering in offerings:
            check_fit(submission, offering, [slot for slot in slots if slot.schedule == offering.fhir_id])
        availability.require_combinable(offerings)
    except SchedulingError as error:
        issues = (replace(each, expression=places.get(each.expression, f"{HERE}.contained")) for each in error.issues)
        submission.issues += issues
        return []
    return offerings


def _places(service: HealthcareService, slots: list[ProposedSlot]) -> dict[str, str]:
    return {
        service.reference: f"{HERE}.serviceType",
        "Appointment.participant": f"{HERE}.participant",
        **{f"Schedule/{slot.schedule}": f"{HERE}.{slot.at}.schedule" for slot in reversed(slots)},
    }


def _draft(submission: Submission, caller: Caller) -> Draft | None:
    """All the rest as the resource that it is. What has been said of an element in other words is not said twice."""
    sent = without_slots(submission.sent)
    known = [issue.expression for issue in submission.issues]
    try:
        references = References.load(References.collect([sent]), submission.base).visible_only(partial(_there, caller))
        from_fhir = RESOURCES["Appointment"].from_fhir
        assert from_fhir is not None
        return from_fhir(sent, references)
    except InvalidResource as error:
        for issue in error.issues:
            at = issue.expression.removeprefix("Appointment").removeprefix(".")
            if not _is_told(f"{HERE}.{at}", known):
                submission.refuse(issue.text, at, issue.code)
        return None


def _there(caller: Caller, model: type[Resource], keys: Collection[int]) -> Collection[int]:
    return access.referable_keys(caller, model, keys) if model is Patient else keys


def _is_told(expression: str, known: Iterable[str]) -> bool:
    return any(told == expression or told.startswith((f"{expression}.", f"{expression}[")) for told in known)


def _patient(submission: Submission, draft: Draft) -> Patient | None:
    """The one whose visit it is, if the proposal says so yet."""
    actors = (each.get("actor", {}).get("reference", "") for each in draft.fields["participant"])
    named = {text for text in actors if "Patient/" in text}
    if len(named) > 1:
        submission.refuse("An appointment is for one patient", "participant", "not-supported")
    pk = draft.fields["patient_id"]
    patient = find(Patient, "id", pk) if pk else None
    if pk and patient is None:
        submission.refuse(f"{named.pop()!r} is not known here.", "participant", "not-found")
    return patient


def _kept(extra: Json) -> Json:
    """Without what is ours to say."""
    extensions = [each for each in extra.get("extension", ()) if each["url"] not in NOT_KEPT]
    rest = {name: value for name, value in extra.items() if name != "extension"}
    return {**rest, **({"extension": extensions} if extensions else {})}
