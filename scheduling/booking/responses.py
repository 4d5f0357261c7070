"""Answers of a visit's participants: they make a request a booking, or end it.

https://hl7.org/fhir/R4/appointmentresponse.html
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from clinic.fhir.codes import CANCELLATION_REASON
from clinic.models import Appointment, AppointmentResponse
from scheduling import access
from scheduling.access import Caller
from scheduling.booking.cancellation import end_visit
from scheduling.booking.confirmation import book_held_time
from scheduling.booking.idempotency import Once, use_case
from scheduling.booking.patients import follow_merge, lock_patient
from scheduling.booking.request import Json, StatusRequest
from scheduling.booking.slots import bookables_of, own_bookables
from scheduling.booking.transitions import audit, locked, require_notice, save
from scheduling.errors import IllegalTransition, RuleBroken
from scheduling.participants import actor_of, references_of

Status = AppointmentResponse.Status


@use_case
def respond(
    appointment_id: str, answer: str, *, caller: Caller, now: datetime, comment: str = "", once: Once | None = None
) -> Appointment:
    """Answer for every undecided participant for whom the caller may answer.

    Raises RuleBroken if there is none, IllegalTransition if the visit expects no answer.
    """
    appointment = locked(appointment_id, caller)
    undecided = [each["actor"] for each in appointment.participant if _is_undecided(each)]
    names = access.answerable_actors(caller, appointment, [each["reference"] for each in undecided])
    if not names:
        raise RuleBroken(_("Nobody you can answer for is invited to this visit."))
    AppointmentResponse.objects.bulk_create(
        AppointmentResponse(
            appointment=appointment, actor=actor, participant_status=answer, comment=comment, last_updated=now
        )
        for actor in undecided
        if actor["reference"] in names
    )
    return _apply_answer(appointment, names, answer, comment=comment, caller=caller, now=now)


def record_response(response: AppointmentResponse, *, caller: Caller, now: datetime) -> AppointmentResponse:
    """Save the answer of one participant and apply it. The caller provides the transaction.

    Raises NotFound for an invisible visit, RuleBroken for an actor who does not take part in it, Forbidden.
    """
    appointment = locked(response.appointment.fhir_id, caller)
    name = response.actor["reference"]
    if name not in references_of(appointment.participant):
        raise RuleBroken(f"{name} takes no part in this visit.", expression="AppointmentResponse.actor")
    access.require_may_answer(caller, appointment, name)
    response.last_updated = now
    response.save()
    _apply_answer(appointment, {name}, response.participant_status, comment=response.comment, caller=caller, now=now)
    return response


def _apply_answer(
    appointment: Appointment, names: Collection[str], answer: str, *, comment: str, caller: Caller, now: datetime
) -> Appointment:
    """Write an answer to the appointment. If a required participant declines it is cancelled; once all accept it is
    booked.
    """
    if not (appointment.is_request or appointment.status == Appointment.Status.BOOKED):
        raise IllegalTransition(appointment.status, answer)
    answering = [each for each in appointment.participant if actor_of(each) in names]
    appointment.participant = [
        {**each, "status": answer} if each in answering else each for each in appointment.participant
    ]
    if answer == Status.DECLINED and any(map(_is_needed, answering)):
        if appointment.status == Appointment.Status.BOOKED:
            require_notice(appointment, caller, now, "cancelled")
        request = StatusRequest(reason=_reason(names, comment))
        return end_visit(appointment, Appointment.Status.CANCELLED, request, caller=caller, now=now, subtype="decline")
    needed = [each for each in appointment.participant if _is_needed(each)]
    if appointment.is_request and all(each.get("status") == Status.ACCEPTED for each in needed):
        follow_merge(appointment)
        lock_patient(appointment.patient)
        own_bookables(bookables_of(appointment))
        return book_held_time(appointment, caller=caller, now=now, subtype="accept")
    save(appointment, now)
    audit("respond", appointment, caller=caller, now=now)
    return appointment


def _is_undecided(participant: Json) -> bool:
    return participant.get("status") in (Status.NEEDS_ACTION, Status.TENTATIVE) and bool(actor_of(participant))


def _is_needed(participant: Json) -> bool:
    """True unless the participant is optional: https://hl7.org/fhir/R4/valueset-participantrequired.html"""
    return bool(participant.get("required", "required") == "required")


def _reason(names: Collection[str], comment: str) -> dict[str, Any]:
    """The cancellation reason, by patient or provider:
    https://hl7.org/fhir/R4/valueset-appointment-cancellation-reason.html
    """
    by_patient = all(each.startswith("Patient/") for each in names)
    coding = {"system": CANCELLATION_REASON, "code": "pat" if by_patient else "prov"}
    return {"coding": [coding], **({"text": comment} if comment else {})}
