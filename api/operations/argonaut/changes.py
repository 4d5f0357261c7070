"""$hold and $book of an existing Appointment: keep, confirm, change or cancel it.

https://profiles.ihe.net/ITI/Scheduling/ITI-117.html: `booked` changes the visit to match the resource, `cancelled`
cancels it.
"""

from collections.abc import Sequence
from functools import partial

from api.operations.argonaut.client_appointment import chosen_for, notes_of, read_draft
from api.operations.argonaut.request import ArgonautRequest
from api.operations.dialects import Dialect
from api.operations.write_view import Attempt
from clinic.fhir.datatypes import Json
from clinic.fhir.references import local_reference
from clinic.fhir.status_reasons import said_both_ways
from clinic.fhir.visit_types import codings_of
from clinic.models import Appointment
from scheduling import access, booking
from scheduling.booking import ConfirmRequest, Once, StatusRequest
from scheduling.errors import HoldExpired, IllegalTransition, Issue, RuleBroken, SchedulingError, TimeTaken
from scheduling.participants import actor_of, patients_of

ANOTHER_GROUP = "The time is held for other patients. Hold it for all of them together."
STAYS = "This visit is for another {}, and stays so: cancel it, and book another."


def keep(request: ArgonautRequest, held: Appointment) -> Attempt:
    """Answer a hold of a held proposal: its holder gets the hold again, others a refusal."""

    def run(once: Once | None) -> Appointment:
        if held.status != Appointment.Status.PENDING:
            raise IllegalTransition(held.status, "held")
        if held.hold_expires_at is not None and held.hold_expires_at <= request.now:
            return _refuse(request, held, HoldExpired())
        if not booking.is_holder(held, request.caller):
            raise TimeTaken
        return as_it_is(request, held)

    return Attempt(run)


def confirm(request: ArgonautRequest, held: Appointment) -> Attempt:
    """Confirm the hold. If the visit is already booked for this patient, it is returned unchanged."""
    try:
        if held.status == Appointment.Status.BOOKED and request.is_for(patients_of(held)):
            return Attempt(lambda once: as_it_is(request, held))
        confirmed = _confirm_request(request, held)
    except RuleBroken as refusal:
        refused = partial(_refuse, request, held, refusal)
        return Attempt(lambda once: refused())
    return Attempt(
        lambda once: booking.confirm(held.fhir_id, confirmed, caller=request.caller, now=request.now, once=once)
    )


def _confirm_request(request: ArgonautRequest, held: Appointment) -> ConfirmRequest:
    own = patients_of(held)
    patients = request.patients_of(own)
    if len(patients) > 1 and set(patients) != set(own):
        raise RuleBroken(ANOTHER_GROUP, expression="Parameters.patient-id")
    patient = next(iter(patients), None)
    return ConfirmRequest(
        comment=request.parameters.comment or str((request.parameters.appointment or {}).get("comment", "")),
        patient=patient if set(patients) != set(own) else None,
        register=request.registrar(patients),
        extensions=request.extensions(patient),
        version=request.version,
        release=request.dialect is not Dialect.IHE,
    )


def _refuse(request: ArgonautRequest, held: Appointment, refusal: SchedulingError) -> Appointment:
    """Raise the refusal. In Argonaut's dialect the hold is cancelled with it, in IHE's it stays."""
    if request.dialect is Dialect.IHE:
        raise refusal
    return booking.refuse(held.fhir_id, refusal, caller=request.caller, now=request.now)


def as_it_is(request: ArgonautRequest, visit: Appointment) -> Appointment:
    """Return the unchanged Appointment, and record the disclosure, which a write would imply."""
    access.record_disclosure([visit], "read", caller=request.caller, now=request.now)
    return visit


def cancel(request: ArgonautRequest, visit: Appointment) -> Attempt:
    if visit.status == Appointment.Status.CANCELLED:
        return Attempt(lambda once: as_it_is(request, visit))
    assert request.parameters.appointment is not None
    draft = read_draft(said_both_ways(request.parameters.appointment), request.at, request.base)
    cancelled = StatusRequest(reason=draft.fields["cancelation_reason"], version=request.version)
    return Attempt(
        lambda once: booking.cancel(visit.fhir_id, cancelled, caller=request.caller, now=request.now, once=once)
    )


def change(request: ArgonautRequest, visit: Appointment) -> Attempt:
    """Move the visit, or change its notes, to match the resource."""
    _check_the_same(request, visit)
    appointment = request.client_appointment
    notes = notes_of(appointment)
    notes["comment"] = request.parameters.comment or notes["comment"]
    if _moves(request, visit):
        return _move(request, visit, notes)
    current = {name: visit.comment if name == "comment" else visit.extra.get(name) for name in notes}
    if current == notes:
        return Attempt(lambda once: as_it_is(request, visit))
    return Attempt(
        lambda once: booking.annotate(
            visit.fhir_id, notes, caller=request.caller, now=request.now, version=request.version, once=once
        )
    )


def _move(request: ArgonautRequest, visit: Appointment, notes: Json) -> Attempt:
    start = request.client_appointment.start
    chosen = chosen_for(request.client_appointment, request.caller, now=request.now, without=visit)

    def run(once: Once | None) -> Appointment:
        return booking.reschedule(
            visit.fhir_id,
            booking.RescheduleRequest(offerings=chosen.offerings, start=start, notes=notes, version=request.version),
            caller=request.caller,
            now=request.now,
            once=once,
        )

    return Attempt(run, request.explainer(chosen.service, chosen.offerings, start))


def _check_the_same(request: ArgonautRequest, visit: Appointment) -> None:
    """Raise IllegalTransition for a visit that is over, RuleBroken for another patient or service."""
    if visit.status not in (Appointment.Status.BOOKED, Appointment.Status.PENDING):
        raise IllegalTransition(visit.status, "changed")
    fields = request.client_appointment.draft.fields
    named = codings_of(fields["extra"].get("serviceType", []))
    known = codings_of(visit.extra.get("serviceType") or (visit.service.type if visit.service else []))
    differs = {
        "patient": not request.is_for(patients_of(visit), known=request.client_appointment.patients),
        "service": fields["service_id"] not in (None, visit.service_id) or not named <= known,
    }
    places = {"patient": "participant", "service": "serviceType"}
    if any(differs.values()):
        raise RuleBroken(
            issues=[
                Issue("business-rule", STAYS.format(what), f"{request.at}.{places[what]}")
                for what, is_other in differs.items()
                if is_other
            ]
        )


def _moves(request: ArgonautRequest, visit: Appointment) -> bool:
    """True if the resource has another time or other participants than the visit."""
    fields = request.client_appointment.draft.fields
    return (fields["start"], fields["end"] or visit.end) != (visit.start, visit.end) or (
        _actors(fields["participant"]) != _actors(access.redacted(visit, request.caller).participant)
    )


def _actors(participants: Sequence[Json]) -> set[str]:
    return {local_reference(actor_of(each)) for each in participants}
