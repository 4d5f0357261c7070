"""Limits on new patients in a session: whom they count for, and that finding, holding, booking and naming agree."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from clinic.models import Appointment, AuditEvent
from scheduling import availability, booking
from scheduling.availability import Reason, TimeQuery, as_datetime, ways_of
from scheduling.booking import ConfirmRequest, RescheduleRequest, SeriesRequest
from scheduling.errors import RuleBroken, SchedulingError, TimeNotOffered
from scheduling.new_patients import is_new, of_new_patients, spans_as_new
from tests.factories import AppointmentFactory, PatientFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.situations import NEW_YORK, SOFTWARE, book, hold, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)
FULL = "No more new patients are booked in that session"


def window(opens, closes):
    return {"daysOfWeek": ["mon"], "availableStartTime": opens, "availableEndTime": closes}


@pytest.fixture
def service():
    """One new patient in the morning, one in the afternoon."""
    return ServiceFactory(
        new_patient_session_limit=1, hours=[window("09:00:00", "12:00:00"), window("12:00:00", "17:00:00")]
    )


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service, ServiceFactory(hours=[window("09:00:00", "17:00:00")])])


@pytest.fixture
def known():
    """A patient who has been here before."""
    patient = PatientFactory()
    came(patient)
    return patient


def came(patient, *, days_ago=30, **fields):
    start = timezone.now() - timedelta(days=days_ago)
    end = start + timedelta(minutes=30)
    return AppointmentFactory(
        **{"patient": patient, "start": start, "end": end, "status": "fulfilled", "schedules": [], **fields}
    )


def visit_of(patient, service, chen, start, **fields):
    end = start + timedelta(minutes=30)
    return AppointmentFactory(
        **{"patient": patient, "service": service, "schedules": [chen], "start": start, "end": end, **fields}
    )


def found(service, chen, *patients, without=None):
    """The starts of the Monday that are found for these patients."""
    offerings = availability.offerings_of(service, [chen.fhir_id])
    query = TimeQuery(
        ways=ways_of(service, [(tuple(offerings),)]),
        start=monday(0),
        end=monday(0, days=1),
        patients=patients or None,
        without=without,
    )
    return [as_datetime(time.start) for time in availability.find_times(query, now=timezone.now())]


def reasons(request):
    told = availability.explain(
        request.service, request.offerings, request.start, now=timezone.now(), patients=request.patients
    )
    return {reason for why in told.values() for reason in why}


def has_morning(times):
    return any(start < monday(12) for start in times)


def test_a_session_with_its_new_patients_is_left_for_those_who_return(service, chen, ada, known, boss):
    book(wish(service, chen, at=monday(9), patient=PatientFactory()))
    assert not has_morning(found(service, chen, ada))
    assert monday(12) in found(service, chen, ada)
    assert has_morning(found(service, chen, known))

    for_ada = wish(service, chen, at=monday(10), patient=ada)
    assert reasons(for_ada) == {Reason.NEW_PATIENTS_FULL}
    for take in (book, hold):
        with pytest.raises(TimeNotOffered, match=FULL):
            take(for_ada)
    assert reasons(replace(for_ada, patient=known)) == set()
    assert book(replace(for_ada, patient=known)).status == "booked"
    assert book(replace(for_ada, start=monday(11), override="Sent by Dr Lee"), boss).status == "booked"
    assert AuditEvent.objects.get(subtype="book", reason__gt="").reason == "Sent by Dr Lee"


def test_what_keeps_a_booking_names_the_limit(service, chen, ada, known):
    book(wish(service, chen, at=monday(9), patient=PatientFactory()))
    request = wish(service, chen, at=monday(10), patient=ada)
    obstacles = booking.obstacles_to(request, caller=SOFTWARE, now=timezone.now())
    assert [(each.rule, each.text) for each in obstacles] == [(Reason.NEW_PATIENTS_FULL, f"{FULL}.")]
    request = replace(request, patient=known)
    assert booking.obstacles_to(request, caller=SOFTWARE, now=timezone.now()) == []


def test_visits_of_returning_patients_and_of_other_services_do_not_count(service, chen, ada, known):
    visit_of(known, service, chen, monday(9))
    visit_of(PatientFactory(returning=True), service, chen, monday(9, 30))
    visit_of(PatientFactory(), ServiceFactory(), chen, monday(10))
    visit_of(PatientFactory(), service, ScheduleFactory(services=[service]), monday(10))
    visit_of(PatientFactory(), service, chen, monday(10), status="cancelled", schedules=[])
    assert has_morning(found(service, chen, ada))


@pytest.mark.parametrize("status", ["booked", "arrived", "fulfilled", "noshow"])
def test_visits_of_new_patients_count_whatever_became_of_them(service, chen, ada, status):
    visit_of(PatientFactory(), service, chen, monday(9), status=status)
    assert not has_morning(found(service, chen, ada))


# Somebody who is not known yet


def test_somebody_unknown_counts_as_new(service, chen):
    assert has_morning(found(service, chen))
    book(wish(service, chen, at=monday(9), patient=PatientFactory()))
    assert not has_morning(found(service, chen))
    with pytest.raises(TimeNotOffered, match=FULL):
        hold(wish(service, chen, at=monday(10)))


def test_a_hold_without_a_patient_has_a_place_until_it_expires(service, chen, ada):
    held = hold(wish(service, chen, at=monday(9)))
    assert not has_morning(found(service, chen, ada))
    run_out(held)
    assert has_morning(found(service, chen, ada))


@pytest.mark.parametrize("step", ["name", "confirm"])
def test_whoever_a_hold_was_made_for_has_it(service, chen, ada, step):
    held = hold(wish(service, chen, at=monday(9)))
    visit_of(PatientFactory(), service, chen, monday(10))  # by staff, who may book more
    give(held, ada, step)
    assert Appointment.objects.get(pk=held.pk).patient == ada


def test_a_hold_that_turns_out_to_be_for_a_returning_patient_gives_its_place_back(service, chen, ada, known):
    held = hold(wish(service, chen, at=monday(9)))
    give(held, known, "name")
    assert has_morning(found(service, chen, ada))


@pytest.mark.parametrize("step", ["name", "confirm", "amend", "amend and book"])
def test_the_hold_of_a_returning_patient_does_not_become_one_new_patient_too_many(service, chen, ada, known, step):
    held = hold(wish(service, chen, at=monday(9), patient=known))
    other = visit_of(PatientFactory(), service, chen, monday(10))
    with pytest.raises(RuleBroken, match=FULL):
        give(held, ada, step)
    other.slots.all().delete()
    give(held, ada, step)
    assert Appointment.objects.get(pk=held.pk).patient == ada


def give(held, patient, step):
    caller, now = SOFTWARE, timezone.now()
    if step == "name":
        booking.name_patient(held.fhir_id, patient, caller=caller, now=now)
    elif step == "confirm":
        booking.confirm(held.fhir_id, ConfirmRequest(patient=patient), caller=caller, now=now)
    else:
        changes = {"patient_id": patient.pk} | ({"status": "booked"} if step == "amend and book" else {})
        with booking.all_or_nothing():
            booking.amend(held.fhir_id, changes, caller=caller, now=now)


# Moves, series, groups


def test_a_visit_moves_within_its_session_and_not_into_a_full_one(service, chen, ada):
    visit = book(wish(service, chen, at=monday(9), patient=ada))
    visit_of(PatientFactory(), service, chen, monday(13))
    offerings = wish(service, chen, at=monday(9)).offerings
    assert monday(11) in found(service, chen, without=visit)
    assert monday(15) not in found(service, chen, without=visit)

    def move(start):
        request = RescheduleRequest(offerings=offerings, start=start)
        return booking.reschedule(visit.fhir_id, request, caller=SOFTWARE, now=timezone.now())

    assert move(monday(11)).start == monday(11)
    with pytest.raises(TimeNotOffered, match=FULL):
        move(monday(15))


def test_a_returning_patient_moves_into_a_session_with_its_new_patients(service, chen, known):
    visit = book(wish(service, chen, at=monday(9), patient=known))
    visit_of(PatientFactory(), service, chen, monday(13))
    assert monday(15) in found(service, chen, without=visit)
    request = RescheduleRequest(offerings=wish(service, chen, at=monday(9)).offerings, start=monday(15))
    assert booking.reschedule(visit.fhir_id, request, caller=SOFTWARE, now=timezone.now()).start == monday(15)


def test_a_series_of_a_new_patient_needs_room_for_each_visit(service, chen, ada, known):
    visit_of(PatientFactory(), service, chen, monday(9, days=7))
    starts = tuple(monday(10, days=days) for days in (0, 7))

    def book_series(patient):
        first = wish(service, chen, at=monday(10), patient=patient)
        request = SeriesRequest(first=first, starts=starts, zone=NEW_YORK)
        return booking.book_series(request, caller=SOFTWARE, now=timezone.now())

    with pytest.raises(SchedulingError, match=FULL):
        book_series(ada)
    assert len(book_series(known)) == 2


def test_a_new_patient_among_others_counts(service, chen, ada, known):
    visit = visit_of(known, service, chen, monday(9))
    new = PatientFactory()
    others = [{"actor": {"reference": each.reference}, "status": "accepted"} for each in (known, new)]
    Appointment.objects.filter(pk=visit.pk).update(participant=[*visit.participant, *others])
    assert of_new(service, visit)
    assert not has_morning(found(service, chen, ada))
    came(known, days_ago=20, participant=others)  # the new one has come with the other
    assert not of_new(service, visit)
    assert not is_new(new, service, monday(9))
    assert has_morning(found(service, chen, ada))


def of_new(service, visit):
    return Appointment.objects.filter(of_new_patients(service), pk=visit.pk).exists()


# What it costs, and what the definition says


def test_a_limit_costs_a_statement_and_one_for_the_patient(service, chen, ada):
    plain = ServiceFactory(hours=[window("09:00:00", "17:00:00")])
    other = ScheduleFactory(services=[plain])

    def statements(*of):
        found(*of)
        with CaptureQueriesContext(connection) as queries:
            found(*of)
        return len(queries)

    assert statements(service, chen) == statements(plain, other) + 1
    assert statements(service, chen, ada) == statements(plain, other) + 2


@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    years=st.sampled_from([None, 1, 3]),
    ago=st.lists(st.integers(0, 4 * 365), max_size=3),
    probe=st.integers(-300, 600),
)
def test_the_spans_as_new_are_those_in_which_a_patient_is_new(settings, years, ago, probe):
    settings.RETURNING_WITHIN = years * timedelta(days=365) if years else None
    service, patient, base = ServiceFactory(), PatientFactory(), monday(9)
    for days in ago:
        start = base - timedelta(days=days)
        AppointmentFactory(
            patient=patient, start=start, end=start + timedelta(minutes=30), status="fulfilled", schedules=[]
        )
    span = tuple(int((base + timedelta(days=days)).timestamp()) for days in (-300, 601))
    at = base + timedelta(days=probe)
    spans = spans_as_new([patient], service, span)
    assert any(first <= at.timestamp() < last for first, last in spans) == is_new(patient, service, at)
    Appointment.objects.filter(patient=patient).delete()
