"""Several services, or several patients, in one coming: found, held, booked, confirmed and told of together."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail
from django.utils import timezone

from clinic.fhir.codes import COMBINED_VISITS
from clinic.fhir.resources import to_fhir
from clinic.models import Appointment, AuditEvent, Communication, Event, Slot
from scheduling import availability, booking
from scheduling.access import Caller
from scheduling.availability import CombinedQuery, as_datetime, ways_of
from scheduling.booking import BookingRequest, Occurrences
from scheduling.errors import Invalid, PatientElsewhere, RuleBroken, TimeTaken, TooManyHolds
from tests.factories import (
    AppointmentFactory,
    LocationFactory,
    PatientFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RelatedPersonFactory,
    ScheduleFactory,
    ServiceFactory,
    UserFactory,
)
from tests.scheduling.notifications.messages import deliver
from tests.scheduling.series import week
from tests.scheduling.situations import SOFTWARE, book, wish

pytestmark = pytest.mark.django_db


@pytest.fixture
def checkup():
    return ServiceFactory(name="Check-up")


@pytest.fixture
def blood_test():
    return ServiceFactory(name="Blood test", cancellation_notice=timedelta(hours=24))


@pytest.fixture
def doctor(checkup):
    return ScheduleFactory(services=[checkup])


@pytest.fixture
def nurse(blood_test):
    return ScheduleFactory(services=[blood_test])


@pytest.fixture
def patient():
    return PatientFactory(given="Ada", email="ada@example.com")


def find(*services, start=None, hours=1, **how):
    parts = [ways_of(service, availability.arrangements_for(service)) for service in services]
    start = start or week(0)
    query = CombinedQuery(parts=parts, start=start, end=start + timedelta(hours=hours), **how)
    return availability.find_combined(query, now=timezone.now())


def requests_of(found, *patients):
    """The booking requests of a combination, for one patient or one for each part."""
    return [
        BookingRequest(
            service=visit.service,
            offerings=visit.offerings,
            start=as_datetime(visit.start),
            patient=patients[visit.part] if len(patients) > 1 else next(iter(patients), None),
        )
        for visit in found
    ]


def hold_combined(requests, caller=SOFTWARE, **more):
    return booking.hold_combined(requests, caller=caller, now=timezone.now(), **more)


def book_combined(requests, caller=SOFTWARE):
    return booking.book_combined(requests, caller=caller, now=timezone.now())


def confirm(visit, caller=SOFTWARE):
    return booking.confirm_series(visit.fhir_id, Occurrences.ALL, caller=caller, now=timezone.now())


# What is found can be booked


def test_every_combination_that_is_found_can_be_booked(checkup, blood_test, doctor, nurse, patient):
    book(wish(checkup, doctor, at=week(0, 10, 30)))
    book(wish(blood_test, nurse, at=week(0, 11)))
    found = find(checkup, blood_test, hours=3)
    assert len(found) > 4
    for each in found:
        visits = book_combined(requests_of(each, patient))
        booking.cancel_series(visits[0].fhir_id, Occurrences.ALL, caller=SOFTWARE, now=timezone.now())


def test_all_visits_are_at_one_site(checkup, blood_test, patient):
    here, there = LocationFactory(), LocationFactory()
    ScheduleFactory(services=[checkup], site=here)
    ScheduleFactory(services=[blood_test], site=there)
    assert find(checkup, blood_test) == []
    ScheduleFactory(services=[blood_test], site=here)
    found = find(checkup, blood_test)
    assert {each.site for visits in found for visit in visits for each in visit.offerings} == {here.pk}


def test_one_query_however_many_services(checkup, blood_test, doctor, nurse, django_assert_num_queries):
    parts = [ways_of(service, availability.arrangements_for(service)) for service in (checkup, blood_test)]
    query = CombinedQuery(parts=parts, start=week(0), end=week(1))
    with django_assert_num_queries(1):
        availability.find_combined(query, now=timezone.now())


# Together


@pytest.fixture
def booked(checkup, blood_test, doctor, nurse, patient):
    return book_combined(requests_of(find(checkup, blood_test)[0], patient))


def test_they_are_tied_together_and_have_no_numbers(booked):
    [series] = {visit.series for visit in booked}
    for visit in booked:
        assert visit.is_combined
        resource = to_fhir(Appointment.objects.get(pk=visit.pk))
        assert {"system": COMBINED_VISITS, "value": str(series)} in resource["identifier"]
        assert "recurrenceId" not in str(resource)
    assert booked[0].end == booked[1].start


def test_one_confirmation_says_what_each_visit_is(booked):
    deliver()
    [letter] = [each for each in mail.outbox if each.attachments]
    assert "and 1 more visit" in letter.subject
    assert "Check-up" in letter.body
    assert "Blood test" in letter.body
    assert letter.attachments[0].get_payload(decode=True).count(b"BEGIN:VEVENT") == 2
    assert Communication.objects.filter(event=Event.REMINDER).values("appointment").distinct().count() == 2
    assert AuditEvent.objects.filter(subtype="book").count() == 2


def test_a_time_that_is_taken_leaves_nothing(checkup, blood_test, doctor, nurse, patient):
    requests = requests_of(find(checkup, blood_test)[0], patient)
    book(wish(blood_test, nurse, at=requests[1].start))
    with pytest.raises(TimeTaken, match=r"^Blood test "):
        book_combined(requests)
    assert Appointment.objects.count() == 1


def test_a_hold_counts_as_one_and_is_confirmed_as_one(checkup, blood_test, doctor, nurse, patient):
    caller = Caller(guest="a-secret-of-this-browser")
    found = find(checkup, blood_test, hours=4)
    held = hold_combined(requests_of(found[0]), caller)
    assert len({visit.hold_expires_at for visit in held}) == 1
    others = hold_combined(requests_of(found[8]), caller)
    with pytest.raises(TooManyHolds):
        hold_combined(requests_of(found[14]), caller)
    hold_combined(requests_of(found[1]), caller, instead_of=held[0].fhir_id)
    assert set(Appointment.objects.filter(series=held[0].series).values_list("status", flat=True)) == {"cancelled"}
    booking.name_series(others[0].fhir_id, patient, caller=caller, now=timezone.now())
    assert {visit.status for visit in confirm(others[1], caller)} == {"booked"}
    assert Communication.objects.filter(event=Event.CONFIRMATION, medium="email").count() == 1


def test_one_is_cancelled_alone_or_both_together(booked):
    booking.cancel(booked[1].fhir_id, caller=SOFTWARE, now=timezone.now())
    assert Appointment.objects.get(pk=booked[0].pk).status == "booked"
    ended = booking.cancel_series(booked[0].fhir_id, Occurrences.ALL, caller=SOFTWARE, now=timezone.now())
    assert [visit.pk for visit in ended] == [booked[0].pk]
    assert not Slot.objects.filter(deleted_at=None).exists()


def test_one_patient_is_not_in_two_places(checkup, doctor, patient):
    other = ScheduleFactory(services=[checkup])
    requests = [wish(checkup, schedule, at=week(0), patient=patient) for schedule in (doctor, other)]
    with pytest.raises(PatientElsewhere, match=r"^Check-up "):
        book_combined(requests)


def test_limits_count_the_visits_for_one_another(checkup, doctor, patient):
    checkup.patient_limit = 1
    checkup.save()
    requests = [wish(checkup, doctor, at=week(0, 10, minute), patient=patient) for minute in (0, 30)]
    with pytest.raises(RuleBroken, match="1 upcoming visit"):
        book_combined(requests)


def test_from_two_to_six_visits(checkup, doctor):
    with pytest.raises(Invalid, match="From 2 to 6"):
        book_combined([wish(checkup, doctor, at=week(0))])


def test_services_that_the_clinic_must_accept_are_requested(checkup, blood_test, doctor, nurse, patient):
    blood_test.on_request = True
    blood_test.save()
    visits = book_combined(requests_of(find(checkup, blood_test)[0], patient))
    assert [(visit.status, visit.is_request) for visit in visits] == [("booked", False), ("pending", True)]


# Several patients


@pytest.fixture
def children():
    """Two children of one carer, without addresses of their own."""
    carer = UserFactory(email="carer@example.com")
    patients = [PatientFactory(given=name, email="") for name in ("Leo", "Mia")]
    return [RelatedPersonFactory(patient=patient, user=carer).patient for patient in patients]


def test_two_children_one_after_another_with_the_same_practitioner(checkup, doctor, children):
    visits = book_combined(requests_of(find(checkup, checkup)[0], *children))
    assert [visit.patient for visit in visits] == children
    assert visits[0].end == visits[1].start
    deliver()
    letters = [each for each in mail.outbox if each.attachments]
    assert {each.to[0] for each in letters} == {"carer@example.com"}
    assert len(letters) == 1
    assert "Leo" in letters[0].body
    assert "Mia" in letters[0].body
    told = Communication.objects.filter(event=Event.REMINDER, medium="email")
    assert set(told.values_list("patient", flat=True)) == {child.pk for child in children}


def test_two_children_at_one_time_with_two_practitioners(checkup, doctor, children):
    other = ScheduleFactory(services=[checkup])
    visits = book_combined(requests_of(find(checkup, checkup, at_once=True)[0], *children))
    assert {visit.start for visit in visits} == {week(0)}
    slots = Slot.objects.filter(status="busy").values_list("schedule", flat=True)
    assert set(slots) == {doctor.pk, other.pk}


def test_patients_with_other_addresses_are_told_of_their_own_visits_only(checkup, doctor, children, patient):
    book_combined(requests_of(find(checkup, checkup)[0], children[0], patient))
    deliver()
    letters = {each.to[0]: each.body for each in mail.outbox if each.attachments}
    assert set(letters) == {"carer@example.com", "ada@example.com"}
    assert "Leo" not in letters["ada@example.com"]
    assert "Ada" not in letters["carer@example.com"]


def test_answers_of_one_child_are_not_those_of_another(checkup, doctor, children):
    questionnaire = QuestionnaireFactory()
    checkup.questionnaires.add(questionnaire)
    checkup.requires_questionnaires = True
    checkup.save()
    held = hold_combined(requests_of(find(checkup, checkup)[0], *children))
    QuestionnaireResponseFactory(questionnaire=questionnaire, appointment=held[0], patient=children[0])
    with pytest.raises(RuleBroken, match="needs answers"):
        confirm(held[0])
    QuestionnaireResponseFactory(questionnaire=questionnaire, appointment=held[1], patient=children[1])
    assert {visit.status for visit in confirm(held[0])} == {"booked"}


def test_each_patient_s_own_visits_are_in_the_way(checkup, doctor, children):
    AppointmentFactory(patient=children[1], start=week(0), end=week(0, 12))
    found = find(checkup, checkup)[0]
    with pytest.raises(PatientElsewhere):
        book_combined(requests_of(found, *children))


def test_a_held_time_is_extended_for_all(checkup, doctor, children):
    held = hold_combined(requests_of(find(checkup, checkup)[0], *children))
    extended = booking.extend_series(held[1].fhir_id, caller=SOFTWARE, now=timezone.now())
    assert {visit.hold_expires_at for visit in extended} == {held[0].hold_expires_at + settings.HOLD_FOR}
