"""Suggestions: another time that the clinic holds for a patient, in answer to a request.

A suggestion is a hold of its own, so that nobody else can have its time, and the request keeps its time meanwhile. Once
the patient accepts, the request moves to the suggested time. If they refuse, or the hold expires, the request stands as
it was.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from clinic.fhir.codes import CANCELLATION_REASON, PREVIOUS_APPOINTMENT
from clinic.models import Appointment
from scheduling import notifications
from scheduling.access import Caller
from scheduling.booking import referrals
from scheduling.booking.cancellation import end_suggestion, end_visit, lock_suggestion
from scheduling.booking.moves import move, own_slots, to_time_of
from scheduling.booking.patients import follow_merge, lock_patients
from scheduling.booking.request import (
    BookingRequest,
    Json,
    RescheduleRequest,
    StatusRequest,
    participants_of,
)
from scheduling.booking.slots import bookables_of, own_bookables, patients_are_free
from scheduling.booking.transitions import audit, save
from scheduling.booking.visits import place, require_may_override
from scheduling.errors import HoldExpired, IllegalTransition, Invalid, RuleBroken
from scheduling.participants import actor_of, is_patient, patients_of, references_of

REFUSED: Json = {"coding": [{"system": CANCELLATION_REASON, "code": "pat"}]}


def standing_suggestions(appointments: Iterable[Appointment], *, now: datetime) -> dict[int, Appointment]:
    """The times that the clinic suggests for these requests, by primary key of the request. One statement at most."""
    requests = [appointment.pk for appointment in appointments if appointment.is_request]
    if not requests:
        return {}
    rows = Appointment.objects.filter(
        suggested_for__in=requests, status=Appointment.Status.PENDING, hold_expires_at__gt=now
    )
    found = rows.select_related("service", "site", "patient")
    return {row.suggested_for_id: row for row in found if row.suggested_for_id is not None}


def place_suggestion(
    appointment: Appointment, request: RescheduleRequest, names: Collection[str], *, caller: Caller, now: datetime
) -> Appointment:
    """Hold another time for the patient of a locked request, in place of an earlier suggestion, and tell them.

    `names` are the references of the participants who suggest it. Raises everything that `book` raises.
    """
    if not appointment.is_request:
        raise IllegalTransition(appointment.status, "answered with another time")
    if appointment.service is None or not request.offerings:
        raise Invalid("This request names no service and schedule of this clinic", expression="Appointment.serviceType")
    expires = min(now + settings.SUGGESTION_HELD_FOR, request.start)
    if expires <= now:
        raise RuleBroken(_("That time has passed."))
    require_may_override(caller, request.override, request.offerings)
    follow_merge(appointment)
    lock_patients(patients_of(appointment))
    if (former := lock_suggestion(appointment)) is not None:
        taken = [*bookables_of(appointment), *bookables_of(former)]
        own_bookables([*taken, *(offering.bookable for offering in request.offerings)])
        end_suggestion(former, caller=caller, now=now)
    undecided = {actor_of(each) for each in appointment.participant if each.get("status") != "accepted"} - set(names)
    suggestion = place(
        BookingRequest(
            service=appointment.service,
            offerings=request.offerings,
            start=request.start,
            patient=appointment.patient,
            others=tuple(patients_of(appointment)[1:]),
            participants=tuple(
                {**each, "status": "needs-action"} if actor_of(each) in undecided else each
                for each in participants_of(request.offerings, patients_of(appointment), "tentative")
            ),
            override=request.override,
            extra={"extension": [link_to(appointment)]},
            suggested_for=appointment,
            judgement=request.judgement,
        ),
        Appointment.Status.PENDING,
        caller=caller,
        now=now,
        expires=expires,
    )
    _save_answer(appointment, names, "tentative", now)
    audit("suggest", appointment, caller=caller, now=now)
    notifications.suggested(suggestion, now=now)
    return suggestion


def take_suggestion(appointment: Appointment, suggestion: Appointment, *, caller: Caller, now: datetime) -> Appointment:
    """Move a locked request to the suggested time and book it; it stays a request if others have still to answer.

    Raises HoldExpired, RuleBroken if something that the visit needs has been closed meanwhile.
    """
    _require_held(suggestion, now)
    bookables, request = to_time_of(suggestion)
    follow_merge(appointment)
    lock_patients(patients_of(appointment))
    old = own_slots(appointment)
    own_bookables([*bookables, *(slot.bookable_id for slot in old)])
    undecided = {actor_of(each) for each in suggestion.participant if each.get("status") == "needs-action"}
    end_suggestion(suggestion, caller=caller, now=now)
    patients_are_free(patients_of(appointment), request.start, request.end, now=now, besides=appointment)
    appointment.sequence += 1
    if not undecided:
        appointment.status = Appointment.Status.BOOKED
        appointment.participant = [{**each, "status": "accepted"} for each in appointment.participant]
    move(appointment, old, request, now=now)
    if undecided:
        _save_answer(appointment, set(references_of(appointment.participant)) - undecided, "accepted", now)
    audit("reschedule" if undecided else "accept", appointment, caller=caller, now=now)
    if not undecided:
        referrals.follow(appointment, now=now)
        notifications.booked(appointment, now=now)
    return appointment


def refuse_suggestion(
    appointment: Appointment, suggestion: Appointment, *, caller: Caller, now: datetime
) -> Appointment:
    """Release the suggested time: the locked request stays as it was, and waits for the clinic's answer again."""
    _require_held(suggestion, now)
    request = StatusRequest(reason=REFUSED)
    end_visit(suggestion, Appointment.Status.CANCELLED, request, caller=caller, now=now, subtype="decline")
    names = {actor_of(each) for each in appointment.participant if each.get("status") == "tentative"}
    _save_answer(appointment, names, "needs-action", now)
    audit("keep", appointment, caller=caller, now=now)
    return appointment


def link_to(appointment: Appointment) -> Json:
    """The extension by which a suggestion names the request or entry that it answers."""
    return {"url": PREVIOUS_APPOINTMENT, "valueReference": {"reference": appointment.reference}}


def _require_held(suggestion: Appointment, now: datetime) -> None:
    if suggestion.hold_expires_at is None or suggestion.hold_expires_at <= now:
        raise HoldExpired(_("The suggested time is no longer held. The request stands as it was."))


def _save_answer(appointment: Appointment, names: Collection[str], answer: str, now: datetime) -> None:
    """Save the request with this answer of these participants."""
    appointment.participant = [
        {**each, "status": answer} if actor_of(each) in names and not is_patient(each) else each
        for each in appointment.participant
    ]
    save(appointment, now)
