"""Answers of a visit's participants: they make a request a booking, suggest another time for it, or end it.

https://hl7.org/fhir/R4/appointmentresponse.html
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from clinic.fhir.codes import CANCELLATION_REASON, PROPOSED_NEW_TIME
from clinic.models import Appointment, AppointmentResponse
from scheduling import access, availability
from scheduling.access import Caller
from scheduling.booking.cancellation import end_visit, leave, leaves_others, lock_suggestion, require_all_own
from scheduling.booking.confirmation import book_held_time
from scheduling.booking.idempotency import Once, use_case
from scheduling.booking.judging import judged
from scheduling.booking.patients import follow_merge, lock_patients
from scheduling.booking.request import Json, RescheduleRequest, StatusRequest
from scheduling.booking.slots import bookables_of, own_bookables
from scheduling.booking.suggestions import place_suggestion, refuse_suggestion, take_suggestion
from scheduling.booking.transitions import audit, locked, require_notice, save
from scheduling.errors import HoldExpired, IllegalTransition, RuleBroken
from scheduling.participants import PATIENT, actor_of, has_declined, is_patient, patients_of, references_of
from scheduling.plugins import BookingStep

Status = AppointmentResponse.Status
NEW_TIME: Json = {"url": PROPOSED_NEW_TIME, "valueBoolean": True}


@use_case
def respond(
    appointment_id: str, answer: str, *, caller: Caller, now: datetime, comment: str = "", once: Once | None = None
) -> Appointment:
    """Answer for every undecided participant for whom the caller may answer.

    Raises RuleBroken if there is none, IllegalTransition if the visit expects no answer.
    """
    appointment = locked(appointment_id, caller)
    response = AppointmentResponse(participant_status=answer, comment=comment)
    names = _answer_for_all(appointment, response, caller=caller, now=now)
    return _apply_answer(appointment, names, answer, comment=comment, caller=caller, now=now)


@judged(BookingStep.RESCHEDULE)
@use_case
def suggest(
    appointment_id: str, request: RescheduleRequest, *, caller: Caller, now: datetime, once: Once | None = None
) -> Appointment:
    """Answer a request with another time, for every undecided participant for whom the caller may answer.

    The time is held for the patient, who is told. Returns that hold. Raises RuleBroken if there is nobody to answer
    for, IllegalTransition for anything but a request, and everything that `book` raises.
    """
    appointment = locked(appointment_id, caller, request.version)
    response = AppointmentResponse(
        participant_status=Status.TENTATIVE, start=request.start, end=request.end, extra={"extension": [NEW_TIME]}
    )
    names = _answer_for_all(appointment, response, caller=caller, now=now)
    return place_suggestion(appointment, request, names, caller=caller, now=now)


@use_case
def answer_suggestion(
    appointment_id: str,
    suggestion_id: str,
    answer: str,
    *,
    caller: Caller,
    now: datetime,
    once: Once | None = None,
) -> Appointment:
    """Answer, for the patient of a request, the time that the clinic suggests: `accepted` or `declined`.

    Returns the request, which is booked at that time, or stands as it was. Raises HoldExpired if the time is no longer
    held, or another one is suggested by now.
    """
    appointment = locked(appointment_id, caller)
    suggestion = lock_suggestion(appointment)
    if suggestion is None or suggestion.fhir_id != suggestion_id:
        raise HoldExpired(_("The suggested time is no longer held. The request stands as it was."))
    require_all_own(appointment, caller)
    for name in references_of(appointment.participant, PATIENT):
        AppointmentResponse.objects.create(
            appointment=appointment,
            actor={"reference": name},
            participant_status=answer,
            start=suggestion.start,
            end=suggestion.end,
            last_updated=now,
        )
    return _answer_suggestion(appointment, suggestion, answer, caller=caller, now=now)


def record_response(response: AppointmentResponse, *, caller: Caller, now: datetime) -> AppointmentResponse:
    """Save the answer of one participant and apply it. The caller provides the transaction.

    A request is answered with another time by `tentative` or `declined` with a start and an end: see `suggest`. The
    patient answers that by `accepted` or `declined`. Raises NotFound for an invisible visit, RuleBroken for an actor
    who does not take part in it, Forbidden.
    """
    appointment = locked(response.appointment.fhir_id, caller)
    name, answer = response.actor["reference"], response.participant_status
    if name not in references_of(appointment.participant):
        raise RuleBroken(f"{name} takes no part in this visit.", expression="AppointmentResponse.actor")
    access.require_may_answer(caller, appointment, name)
    response.last_updated = now
    response.save()
    if name.startswith(PATIENT):
        suggestion = _suggestion_that_is_answered(appointment, response)
        if suggestion is not None:
            require_all_own(appointment, caller)
            _answer_suggestion(appointment, suggestion, answer, caller=caller, now=now)
            return response
    elif appointment.is_request and answer in (Status.TENTATIVE, Status.DECLINED) and response.start and response.end:
        request = _same_schedules(appointment, response.start, response.end)
        place_suggestion(appointment, request, {name}, caller=caller, now=now)
        return response
    _apply_answer(appointment, {name}, answer, comment=response.comment, caller=caller, now=now)
    return response


def _answer_for_all(
    appointment: Appointment, response: AppointmentResponse, *, caller: Caller, now: datetime
) -> set[str]:
    """Save this response for every undecided participant for whom the caller may answer, and return their references.

    Raises RuleBroken if there is none.
    """
    undecided = [each["actor"] for each in appointment.participant if _is_undecided(each)]
    names = access.answerable_actors(caller, appointment, [each["reference"] for each in undecided])
    if not names:
        raise RuleBroken(_("Nobody you can answer for is invited to this visit."))
    AppointmentResponse.objects.bulk_create(
        AppointmentResponse(
            appointment=appointment,
            actor=actor,
            participant_status=response.participant_status,
            start=response.start,
            end=response.end,
            comment=response.comment,
            extra=response.extra,
            last_updated=now,
        )
        for actor in undecided
        if actor["reference"] in names
    )
    return names


def _suggestion_that_is_answered(appointment: Appointment, response: AppointmentResponse) -> Appointment | None:
    """The suggested time that a patient's response is about, locked; None if it is about the request itself.

    Raises HoldExpired if the response accepts a time that is not held any more.
    """
    if not appointment.is_request or response.participant_status not in (Status.ACCEPTED, Status.DECLINED):
        return None
    suggestion = lock_suggestion(appointment)
    if suggestion is not None and response.start in (None, suggestion.start):
        return suggestion
    if response.participant_status == Status.ACCEPTED and response.start not in (None, appointment.start):
        raise HoldExpired(_("The suggested time is no longer held. The request stands as it was."))
    return None


def _answer_suggestion(
    appointment: Appointment, suggestion: Appointment, answer: str, *, caller: Caller, now: datetime
) -> Appointment:
    act = take_suggestion if answer == Status.ACCEPTED else refuse_suggestion
    return act(appointment, suggestion, caller=caller, now=now)


def _same_schedules(appointment: Appointment, start: datetime, end: datetime) -> RescheduleRequest:
    """The request to have the visit from `start` to `end` on the schedules that it takes."""
    own = availability.moved_visit_of(appointment).own
    return RescheduleRequest(offerings=availability.with_duration(own, end - start), start=start)


def _apply_answer(
    appointment: Appointment, names: Collection[str], answer: str, *, comment: str, caller: Caller, now: datetime
) -> Appointment:
    """Write an answer to the appointment. If a required participant declines it is cancelled; once all accept it is
    booked.
    """
    if not (appointment.is_request or appointment.status == Appointment.Status.BOOKED):
        raise IllegalTransition(appointment.status, answer)
    answering = [each for each in appointment.participant if actor_of(each) in names]
    ends = answer == Status.DECLINED and any(map(_is_needed, answering))
    request = StatusRequest(reason=_reason(names, comment))
    if ends and appointment.status == Appointment.Status.BOOKED:
        require_notice(appointment, caller, now, "cancelled")
    if ends and all(map(is_patient, answering)) and leaves_others(appointment, names):
        return leave(appointment, names, request, caller=caller, now=now)
    appointment.participant = [
        {**each, "status": answer} if each in answering else each for each in appointment.participant
    ]
    if ends:
        return end_visit(appointment, Appointment.Status.CANCELLED, request, caller=caller, now=now, subtype="decline")
    needed = [each for each in appointment.participant if _is_needed(each) and not _has_left(each)]
    if appointment.is_request and all(each.get("status") == Status.ACCEPTED for each in needed):
        follow_merge(appointment)
        lock_patients(patients_of(appointment))
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


def _has_left(participant: Json) -> bool:
    """True for a patient who has left a visit that stays for others."""
    return is_patient(participant) and has_declined(participant)


def _reason(names: Collection[str], comment: str) -> dict[str, Any]:
    """The cancellation reason, by patient or provider:
    https://hl7.org/fhir/R4/valueset-appointment-cancellation-reason.html
    """
    by_patient = all(each.startswith("Patient/") for each in names)
    coding = {"system": CANCELLATION_REASON, "code": "pat" if by_patient else "prov"}
    return {"coding": [coding], **({"text": comment} if comment else {})}
