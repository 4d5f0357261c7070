"""Requests: a visit on request keeps its time until its practitioners answer."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import AppointmentResponse, AuditEvent, Communication, Slot
from scheduling import availability, booking
from scheduling.access import Caller
from scheduling.errors import HoldExpired, IllegalTransition, NotFound, RuleBroken, TimeTaken
from tests.factories import (
    PractitionerFactory,
    RoomFactory,
    ScheduleFactory,
    UserFactory,
)
from tests.scheduling.situations import SOFTWARE, at_once, book, hold, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)


def respond(appointment, answer, caller, **more):
    return booking.respond(appointment.fhir_id, answer, caller=caller, now=timezone.now(), **more)


def statuses(appointment):
    return {each["actor"]["reference"].partition("/")[0]: each["status"] for each in appointment.participant}


def planned_events(appointment):
    return set(
        Communication.objects.filter(appointment=appointment, status="preparation").values_list("event", flat=True)
    )


def test_a_request_keeps_its_time_without_end(visit_request, service, chen):
    slot = Slot.objects.get(appointment=visit_request)
    assert (visit_request.status, visit_request.hold_expires_at) == ("pending", None)
    assert (slot.status, slot.hold_expires_at) == ("busy-tentative", None)
    assert statuses(visit_request) == {"Practitioner": "needs-action", "Patient": "accepted"}
    assert planned_events(visit_request) == {"request", "staff-request"}
    with pytest.raises(TimeTaken):
        book(wish(service, chen, at=monday(10)))
    assert booking.release_expired_holds(now=timezone.now() + timedelta(days=1)) == 0


def test_software_asks_as_patients_do(service, chen, ada):
    assert book(wish(service, chen, at=monday(10), patient=ada)).is_request


def test_staff_of_the_calendar_book_at_once(service, chen, ada, desk):
    assert book(wish(service, chen, at=monday(10), patient=ada), desk).status == "booked"


def test_a_confirmed_hold_becomes_a_request(service, chen, ada):
    caller = Caller(user=ada.user)
    held = hold(wish(service, chen, at=monday(10), patient=ada), caller)
    confirmed = booking.confirm(held.fhir_id, caller=caller, now=timezone.now())
    assert confirmed.is_request
    assert Slot.objects.get(appointment=confirmed).hold_expires_at is None
    with pytest.raises(RuleBroken, match="not answered"):
        booking.confirm(held.fhir_id, caller=caller, now=timezone.now())


def test_an_expired_hold_becomes_no_request(service, chen, ada):
    caller = Caller(user=ada.user)
    held = run_out(hold(wish(service, chen, at=monday(10), patient=ada), caller))
    with pytest.raises(HoldExpired):
        booking.confirm(held.fhir_id, caller=caller, now=timezone.now())


@pytest.mark.parametrize("who", ["doctor", "desk", "software"])
def test_it_is_booked_once_its_people_accept(visit_request, doctor, desk, who):
    caller = {"doctor": Caller(user=doctor.user), "desk": desk, "software": SOFTWARE}[who]
    booked = respond(visit_request, "accepted", caller)
    assert (booked.status, Slot.objects.get(appointment=booked).status) == ("booked", "busy")
    assert set(statuses(booked).values()) == {"accepted"}
    assert "confirmation" in planned_events(booked)
    assert AppointmentResponse.objects.get(appointment=booked).actor["reference"] == doctor.reference
    assert AuditEvent.objects.filter(appointment=booked, subtype="accept").count() == 1


def test_all_who_are_needed_accept(service, ada, site):
    people = [
        ScheduleFactory(actor=PractitionerFactory(user=UserFactory()), services=[service], site=site) for _ in "ab"
    ]
    visit_request = book(wish(service, *people, at=monday(10), patient=ada), Caller(user=ada.user))
    first = respond(visit_request, "accepted", Caller(user=people[0].actor.user))
    assert (first.status, sorted(each["status"] for each in first.participant)) == (
        "pending",
        ["accepted", "accepted", "needs-action"],
    )
    assert respond(visit_request, "accepted", Caller(user=people[1].actor.user)).status == "booked"


def test_staff_of_a_room_answer_for_it_when_no_practitioner_takes_part(service, ada, desk, site):
    room = ScheduleFactory(actor=RoomFactory(part_of=site), services=[service], site=site)
    visit_request = book(wish(service, room, at=monday(10), patient=ada), Caller(user=ada.user))
    assert statuses(visit_request) == {"Location": "needs-action", "Patient": "accepted"}
    assert respond(visit_request, "accepted", desk).status == "booked"


def test_a_declined_request_frees_the_time_and_sends_a_message(visit_request, doctor, service, chen):
    declined = respond(visit_request, "declined", Caller(user=doctor.user), comment="Please see a surgeon.")
    assert declined.status == "cancelled"
    assert declined.cancelation_reason["text"] == "Please see a surgeon."
    assert "cancellation" in planned_events(declined)
    request = wish(service, chen, at=monday(10))
    assert availability.is_offered(service, request.offerings, request.start, now=timezone.now())


@pytest.mark.parametrize("answer", ["tentative", "needs-action"])
def test_a_tentative_answer_changes_nothing(visit_request, doctor, answer):
    thinking = respond(visit_request, answer, Caller(user=doctor.user))
    assert thinking.is_request
    assert statuses(thinking)["Practitioner"] == answer


def test_a_patient_answers_for_nobody_else(visit_request, ada, bo):
    with pytest.raises(RuleBroken, match="Nobody"):
        respond(visit_request, "accepted", Caller(user=ada.user))
    with pytest.raises(NotFound):
        respond(visit_request, "accepted", Caller(user=bo.user))


def test_another_practitioner_does_not_see_it(visit_request):
    with pytest.raises(NotFound):
        respond(visit_request, "accepted", Caller(user=PractitionerFactory(user=UserFactory()).user))


def test_a_past_request_takes_no_answers(visit_request, desk):
    booking.cancel(visit_request.fhir_id, caller=desk, now=timezone.now())
    with pytest.raises(IllegalTransition):
        respond(visit_request, "accepted", desk)


def test_the_patient_takes_a_request_back(visit_request, ada):
    taken_back = booking.cancel(visit_request.fhir_id, caller=Caller(user=ada.user), now=timezone.now())
    assert (taken_back.status, statuses(taken_back)["Patient"]) == ("cancelled", "declined")
    assert planned_events(taken_back) == {"cancellation"}


def test_a_request_is_moved_as_a_request(visit_request, service, chen, ada):
    offerings = wish(service, chen, at=monday(11)).offerings
    moved = booking.reschedule(
        visit_request.fhir_id,
        booking.RescheduleRequest(offerings=offerings, start=monday(11)),
        caller=Caller(user=ada.user),
        now=timezone.now(),
    )
    assert (moved.start, moved.is_request, statuses(moved)["Practitioner"]) == (monday(11), True, "needs-action")


def test_only_the_clinic_moves_an_accepted_request(visit_request, service, chen, ada, desk):
    respond(visit_request, "accepted", desk)
    offerings = wish(service, chen, at=monday(11)).offerings
    move, now = booking.RescheduleRequest(offerings=offerings, start=monday(11)), timezone.now()
    with pytest.raises(RuleBroken, match="agreed"):
        booking.reschedule(visit_request.fhir_id, move, caller=Caller(user=ada.user), now=now)
    assert booking.reschedule(visit_request.fhir_id, move, caller=desk, now=now).status == "booked"


def test_a_request_is_neither_held_longer_nor_given_to_somebody_else(visit_request, ada):
    caller = Caller(user=ada.user)
    with pytest.raises(RuleBroken, match="has been requested"):
        booking.extend_hold(visit_request.fhir_id, caller=caller, now=timezone.now())
    with pytest.raises(RuleBroken, match="has been requested"):
        booking.name_patient(visit_request.fhir_id, ada, caller=caller, now=timezone.now())


def test_a_new_hold_takes_no_requests_place(visit_request, service, chen, ada):
    caller = Caller(user=ada.user)
    request = wish(service, chen, at=monday(14), patient=ada)
    booking.hold(request, caller=caller, now=timezone.now(), instead_of=visit_request.fhir_id)
    visit_request.refresh_from_db()
    assert visit_request.is_request


def test_the_first_of_two_answers_at_once_counts(visit_request, doctor, desk):
    def accept():
        return respond(visit_request, "accepted", desk)

    def decline():
        return respond(visit_request, "declined", Caller(user=doctor.user))

    results = at_once([accept, decline])
    assert [isinstance(each, RuleBroken) for each in results].count(True) == 1


def test_a_patient_declines_a_booked_visit_as_they_cancel_it(service, chen, ada, desk, doctor):
    booked = book(wish(service, chen, at=monday(10), patient=ada), desk)
    response = AppointmentResponse(
        appointment=booked, actor={"reference": ada.reference}, participant_status="declined"
    )
    service.cancellation_notice = timedelta(days=60)
    service.save()
    with pytest.raises(RuleBroken, match="could be cancelled until"), booking.all_or_nothing():
        booking.record_response(response, caller=Caller(user=ada.user), now=timezone.now())
    booked.refresh_from_db()
    assert booked.status == "booked"
