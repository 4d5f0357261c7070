"""Suggestions: a request is answered with another time, which is held for the patient until they answer."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from clinic.models import Appointment, AppointmentResponse, AuditEvent, Communication, Slot
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import RescheduleRequest
from scheduling.errors import (
    Forbidden,
    HoldExpired,
    IllegalTransition,
    PatientElsewhere,
    RuleBroken,
    TimeNotOffered,
    TimeTaken,
)
from tests.factories import PractitionerFactory, ScheduleFactory, UserFactory
from tests.scheduling.situations import SOFTWARE, at_once, book, hold, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def suggest(service, chen, visit_request, desk):
    """A function that suggests another time on the same calendar, or on others."""

    def act(start, caller=desk, *schedules, **more):
        offerings = wish(service, *(schedules or (chen,)), at=start).offerings
        request = RescheduleRequest(offerings=offerings, start=start, **more)
        return booking.suggest(visit_request.fhir_id, request, caller=caller, now=timezone.now())

    return act


def answer(visit_request, answer, caller, suggestion=None):
    """Answer the last suggestion, or the one that is given."""
    suggestion = suggestion or visit_request.suggestions.latest("pk")
    return booking.answer_suggestion(
        visit_request.fhir_id, suggestion.fhir_id, answer, caller=caller, now=timezone.now()
    )


def times(appointment):
    return list(
        Slot.objects.filter(appointment=appointment, deleted_at=None)
        .order_by("start")
        .values_list("start", "end", "status")
    )


def statuses(appointment):
    return {each["actor"]["reference"].partition("/")[0]: each["status"] for each in appointment.participant}


def half_hour(start):
    return start, start + timedelta(minutes=30)


def test_the_other_time_is_held_and_the_request_keeps_its_own(suggest, visit_request, service, chen, ada, doctor):
    before = timezone.now()
    suggestion = suggest(monday(14))
    visit_request.refresh_from_db()
    assert (suggestion.status, suggestion.suggested_for, suggestion.patient) == ("pending", visit_request, ada)
    assert before <= suggestion.hold_expires_at - timedelta(hours=48) <= timezone.now()
    assert times(suggestion) == [(*half_hour(monday(14)), "busy-tentative")]
    assert times(visit_request) == [(*half_hour(monday(10)), "busy-tentative")]
    assert visit_request.is_request
    assert statuses(visit_request) == {"Practitioner": "tentative", "Patient": "accepted"}
    said = AppointmentResponse.objects.get(appointment=visit_request)
    assert (said.actor["reference"], said.participant_status) == (doctor.reference, "tentative")
    assert (said.start, said.end) == half_hour(monday(14))
    for hour in (10, 14):
        with pytest.raises(TimeTaken):
            book(wish(service, chen, at=monday(hour)))
    assert Communication.objects.get(appointment=suggestion, medium="email").event == "suggestion"
    assert AuditEvent.objects.filter(appointment=visit_request, subtype="suggest").count() == 1


def test_accepted_it_is_booked_and_the_old_time_is_free(suggest, visit_request, service, chen, patient, desk):
    suggestion = suggest(monday(14))
    booked = answer(visit_request, "accepted", patient)
    assert (booked.pk, booked.status, booked.sequence) == (visit_request.pk, "booked", 1)
    assert (booked.start, booked.end) == half_hour(monday(14))
    assert times(booked) == [(*half_hour(monday(14)), "busy")]
    assert set(statuses(booked).values()) == {"accepted"}
    suggestion.refresh_from_db()
    assert (suggestion.status, times(suggestion)) == ("cancelled", [])
    assert book(wish(service, chen, at=monday(10)), desk).status == "booked"
    assert Communication.objects.filter(appointment=booked, event="confirmation").exists()
    assert AuditEvent.objects.filter(appointment=booked, subtype="accept", user=patient.user).count() == 1


def test_refused_it_is_let_go_and_the_request_stands(suggest, visit_request, service, chen, patient, desk):
    suggest(monday(14))
    stands = answer(visit_request, "declined", patient)
    assert (stands.is_request, stands.start) == (True, monday(10))
    assert statuses(stands) == {"Practitioner": "needs-action", "Patient": "accepted"}
    assert times(stands) == [(*half_hour(monday(10)), "busy-tentative")]
    assert book(wish(service, chen, at=monday(14)), desk).status == "booked"
    assert booking.respond(stands.fhir_id, "accepted", caller=desk, now=timezone.now()).status == "booked"


def test_lapsed_it_is_free_and_the_request_stands(suggest, visit_request, service, chen, patient, desk):
    run_out(suggest(monday(14)))
    assert book(wish(service, chen, at=monday(14)), desk).status == "booked"
    with pytest.raises(HoldExpired, match="no longer held"):
        answer(visit_request, "accepted", patient)
    assert booking.release_expired_holds(now=timezone.now()) == 1
    visit_request.refresh_from_db()
    assert (visit_request.is_request, visit_request.start) == (True, monday(10))
    with pytest.raises(HoldExpired):
        answer(visit_request, "accepted", patient)


def test_it_is_held_no_longer_than_until_it_begins(suggest, settings):
    settings.SUGGESTION_HELD_FOR = timedelta(days=300)
    assert suggest(monday(14)).hold_expires_at == monday(14)


def test_a_second_suggestion_replaces_the_first(suggest, visit_request, patient):
    first, second = suggest(monday(14)), suggest(monday(15))
    first.refresh_from_db()
    assert (first.status, times(first)) == ("cancelled", [])
    assert booking.standing_suggestions([visit_request], now=timezone.now()) == {visit_request.pk: second}
    with pytest.raises(HoldExpired):
        answer(visit_request, "accepted", patient, first)
    assert answer(visit_request, "accepted", patient, second).start == monday(15)


@pytest.mark.parametrize(
    ("start", "left"),
    [
        ((10, 15), [((10, 30), (10, 45))]),
        ((9, 45), [((9, 45), (10, 0))]),
    ],
)
def test_a_time_that_overlaps_the_requested_one_can_be_suggested(suggest, visit_request, patient, start, left):
    """The suggestion holds what the request does not have yet; both together are the new visit."""
    suggestion = suggest(monday(*start))
    assert times(suggestion) == [(monday(*first), monday(*last), "busy-tentative") for first, last in left]
    booked = answer(visit_request, "accepted", patient)
    assert times(booked) == [(*half_hour(monday(*start)), "busy")]


def test_the_requested_time_itself_is_no_suggestion(suggest, visit_request):
    with pytest.raises(TimeTaken, match="Accept it"):
        suggest(monday(10))
    assert not Appointment.objects.filter(suggested_for=visit_request).exists()


def test_another_calendar_can_be_suggested(suggest, visit_request, service, site, patient):
    other = ScheduleFactory(actor=PractitionerFactory(), services=[service], site=site)
    suggest(monday(10), Caller(user=UserFactory(is_superuser=True)), other)
    booked = answer(visit_request, "accepted", patient)
    assert booked.participant[0]["actor"]["reference"] == other.actor.reference
    assert (booked.status, booked.slots.get(deleted_at=None).schedule) == ("booked", other)


def test_participants_who_have_not_answered_must_still_answer(service, ada, site, patient):
    """One of two doctors suggests another time: once the patient accepts, the request has that time."""
    people = [
        ScheduleFactory(actor=PractitionerFactory(user=UserFactory()), services=[service], site=site) for _ in "ab"
    ]
    visit_request = book(wish(service, *people, at=monday(10), patient=ada), patient)
    request = RescheduleRequest(offerings=wish(service, *people, at=monday(14)).offerings, start=monday(14))
    first, second = (Caller(user=each.actor.user) for each in people)
    booking.suggest(visit_request.fhir_id, request, caller=first, now=timezone.now())
    moved = answer(visit_request, "accepted", patient)
    assert (moved.is_request, moved.start) == (True, monday(14))
    assert [each["status"] for each in moved.participant] == ["accepted", "needs-action", "accepted"]
    assert booking.respond(moved.fhir_id, "accepted", caller=second, now=timezone.now()).status == "booked"


@pytest.mark.parametrize("end", ["accepted", "declined", "cancelled", "moved"])
def test_every_other_end_of_the_request_ends_the_suggestion(suggest, visit_request, service, chen, desk, patient, end):
    suggestion, now = suggest(monday(14)), timezone.now()
    if end == "cancelled":
        booking.cancel(visit_request.fhir_id, caller=patient, now=now)
    elif end == "moved":
        request = RescheduleRequest(offerings=wish(service, chen, at=monday(14)).offerings, start=monday(14))
        booking.reschedule(visit_request.fhir_id, request, caller=patient, now=now)
    else:
        booking.respond(visit_request.fhir_id, end, caller=desk, now=now)
    suggestion.refresh_from_db()
    assert (suggestion.status, times(suggestion)) == ("cancelled", [])


def test_it_is_taken_by_the_answer_alone(suggest, visit_request, service, chen, ada, patient):
    """It is no hold that the patient confirms, extends, moves or exchanges, and none of the two that they may have."""
    suggestion, now = suggest(monday(14)), timezone.now()
    request = RescheduleRequest(offerings=wish(service, chen, at=monday(16)).offerings, start=monday(16))
    for act in (
        lambda: booking.confirm(suggestion.fhir_id, caller=patient, now=now),
        lambda: booking.confirm(suggestion.fhir_id, booking.ConfirmRequest(release=True), caller=SOFTWARE, now=now),
        lambda: booking.extend_hold(suggestion.fhir_id, caller=patient, now=now),
        lambda: booking.reschedule(suggestion.fhir_id, request, caller=patient, now=now),
        lambda: booking.hold(
            wish(service, chen, at=monday(16)), caller=patient, now=now, instead_of=suggestion.fhir_id
        ),
    ):
        with pytest.raises(RuleBroken, match="Answer that request"):
            act()
    suggestion.refresh_from_db()
    assert suggestion.status == "pending"
    for hour in (11, 12):
        assert hold(wish(service, chen, at=monday(hour), patient=ada), patient).status == "pending"
    assert settings.HOLDS_PER_PERSON == 2


def test_it_keeps_the_patients_time_too(suggest, service, ada, site, patient):
    suggest(monday(14))
    other = ScheduleFactory(actor=PractitionerFactory(), services=[service], site=site)
    with pytest.raises(PatientElsewhere):
        book(wish(service, other, at=monday(14), patient=ada), patient)


def test_only_free_and_offered_times_are_suggested(suggest, service, chen, desk):
    book(wish(service, chen, at=monday(14)), desk)
    with pytest.raises(TimeTaken):
        suggest(monday(14))
    with pytest.raises(TimeNotOffered):
        suggest(monday(20))
    assert suggest(monday(20), desk, override="Evening clinic").start == monday(20)


def test_callers_who_may_not_answer_cannot_suggest(suggest, visit_request, patient, desk):
    with pytest.raises(RuleBroken, match="Nobody"):
        suggest(monday(14), patient)
    with pytest.raises(Forbidden):
        suggest(monday(14), Caller(client="software", scopes=("system/*.rus",)))
    booking.respond(visit_request.fhir_id, "accepted", caller=desk, now=timezone.now())
    with pytest.raises((IllegalTransition, RuleBroken)):
        suggest(monday(14))


def test_the_first_of_two_answers_at_once_counts(suggest, visit_request, patient, desk):
    suggest(monday(14))
    results = at_once(
        [
            lambda: answer(visit_request, "accepted", patient),
            lambda: answer(visit_request, "accepted", desk),
            lambda: answer(visit_request, "declined", patient),
        ]
    )
    assert [isinstance(each, HoldExpired) for each in results].count(True) == 2
