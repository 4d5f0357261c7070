"""Booking limits: what they count, and that finding, booking, holding and moving agree about them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.models import Appointment, AuditEvent, HealthcareService
from scheduling import availability, booking
from scheduling.access import Caller
from scheduling.availability import Reason, TimeQuery, as_datetime, ways_of
from scheduling.booking import ConfirmRequest, RescheduleRequest, StatusRequest
from scheduling.core.limits import UNLIMITED
from scheduling.errors import RuleBroken, TimeNotOffered
from tests.factories import (
    EVERY_DAY,
    AppointmentFactory,
    PatientFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import NEW_YORK, SOFTWARE, book, hold, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def in_new_york(settings):
    settings.CLINIC_TIME_ZONE = "America/New_York"


def found(service, *schedules, days=14, without=None):
    """The starts that are found from the Monday on."""
    offerings = availability.offerings_of(service, [each.fhir_id for each in schedules])
    query = TimeQuery(
        ways=ways_of(service, [tuple((each,) for each in offerings)]),
        start=monday(0),
        end=monday(0, days=days),
        without=without,
    )
    return {as_datetime(time.start) for time in availability.find_times(query, now=timezone.now())}


def days_found(*args, **named):
    """The days on which something is found, by their distance from the Monday."""
    first = monday(0).astimezone(NEW_YORK).date()
    return sorted({(start.astimezone(NEW_YORK).date() - first).days for start in found(*args, **named)})


def reasons(request):
    told = availability.explain(request.service, request.offerings, request.start, now=timezone.now())
    return {reason for why in told.values() for reason in why}


def visits(schedule, service, *starts, **fields):
    return [
        AppointmentFactory(
            service=service, schedules=[schedule], start=start, end=start + timedelta(minutes=30), **fields
        )
        for start in starts
    ]


def window(day, opens, closes):
    return {"daysOfWeek": [day], "availableStartTime": opens, "availableEndTime": closes}


WORKDAYS = [0, 1, 2, 3, 4, 7, 8, 9, 10, 11]


def day_on_a_schedule():
    service = ServiceFactory(day_limit=2)
    chen, other = ScheduleFactory(services=[service]), ScheduleFactory(services=[service])
    visits(chen, service, monday(10), monday(11))
    visits(other, service, monday(12))
    return service, chen, [1, 2, 3, 4, 7, 8, 9, 10, 11], Reason.DAY_FULL


def week_on_a_schedule():
    service = ServiceFactory(week_limit=2)
    chen = ScheduleFactory(services=[service])
    visits(chen, service, monday(10), monday(11, days=3))
    return service, chen, [7, 8, 9, 10, 11], Reason.WEEK_FULL


def own_limit_of_a_schedule():
    service = ServiceFactory(day_limit=1)
    chen = ScheduleFactory(services=[service], parameters={"day_limit": 3})
    visits(chen, service, monday(10), monday(11), monday(12), monday(10, days=1))
    return service, chen, [1, 2, 3, 4, 7, 8, 9, 10, 11], Reason.DAY_FULL


def all_services_of_a_schedule():
    service, another = ServiceFactory(), ServiceFactory()
    chen = ScheduleFactory(services=[service, another], total_day_limit=2)
    visits(chen, service, monday(10))
    visits(chen, another, monday(11))
    return service, chen, [1, 2, 3, 4, 7, 8, 9, 10, 11], Reason.DAY_FULL


def all_schedules_of_a_service():
    service = ServiceFactory(total_day_limit=2, total_week_limit=3)
    chen, other = ScheduleFactory(services=[service]), ScheduleFactory(services=[service])
    visits(other, service, monday(10), monday(11), monday(11, days=7))
    return service, chen, [1, 2, 3, 4, 7, 8, 9, 10, 11], Reason.DAY_FULL


@pytest.mark.parametrize(
    "situation",
    [
        day_on_a_schedule,
        week_on_a_schedule,
        own_limit_of_a_schedule,
        all_services_of_a_schedule,
        all_schedules_of_a_service,
    ],
)
def test_a_full_day_or_week_is_not_offered(situation, ada, boss):
    service, chen, days, reason = situation()
    assert days_found(service, chen) == days
    request = wish(service, chen, at=monday(14), patient=ada)
    assert reasons(request) == {reason}
    for take in (book, hold):
        with pytest.raises(TimeNotOffered, match="No more visits are booked"):
            take(request)
    assert book(replace(request, override="She travels tomorrow"), boss).status == "booked"
    assert AuditEvent.objects.get(subtype="book").reason == "She travels tomorrow"


def test_a_full_session_is_not_offered_but_the_afternoon_and_extra_time_are(ada, boss):
    morning, afternoon = window("mon", "09:00:00", "12:00:00"), window("mon", "12:00:00", "17:00:00")
    service = ServiceFactory(session_limit=2, hours=[morning, afternoon])
    other = ServiceFactory(hours=[morning])
    chen = ScheduleFactory(services=[service, other])
    visits(chen, other, monday(9))
    [first, _second] = visits(chen, service, monday(10), monday(11))
    SlotFactory(schedule=chen, status="free", start=monday(18), end=monday(19))
    assert min(found(service, chen, days=1)) == monday(12)
    assert monday(18) in found(service, chen, days=1)
    assert min(found(service, chen, days=1, without=first)) == monday(9, 30)
    request = wish(service, chen, at=monday(9, 30), patient=ada)
    assert reasons(request) == {Reason.SESSION_FULL}
    with pytest.raises(TimeNotOffered, match="No more visits of this kind are booked in that session"):
        book(request)
    assert reasons(wish(service, chen, at=monday(9, 30, days=7))) == set()
    assert book(replace(request, override="She travels tomorrow"), boss).status == "booked"


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "cancelled", "schedules": []},
        {"service": None},
        {"status": "entered-in-error", "schedules": []},
    ],
    ids=["cancelled", "of another service", "entered in error"],
)
def test_visits_that_take_no_time_of_the_service_do_not_count(fields):
    service = ServiceFactory(day_limit=1, total_day_limit=1)
    chen = ScheduleFactory(services=[service])
    end = monday(10, 30)
    AppointmentFactory(**{"service": service, "schedules": [chen], "start": monday(10), "end": end, **fields})
    assert days_found(service, chen) == WORKDAYS


@pytest.mark.parametrize("status", ["booked", "arrived", "checked-in", "fulfilled", "noshow"])
def test_visits_that_took_their_time_count(status):
    service = ServiceFactory(total_day_limit=1)
    chen = ScheduleFactory(services=[service])
    visits(chen, service, monday(10), status=status)
    assert 0 not in days_found(service, chen)


def test_a_hold_counts_until_it_expires(ada):
    service = ServiceFactory(day_limit=1, total_day_limit=1)
    chen = ScheduleFactory(services=[service])
    held = hold(wish(service, chen, at=monday(10), patient=ada))
    assert 0 not in days_found(service, chen)
    run_out(held)
    assert 0 in days_found(service, chen)


def test_a_visit_is_moved_within_its_full_day_and_not_into_another(ada):
    service = ServiceFactory(day_limit=1)
    chen = ScheduleFactory(services=[service])
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    visits(chen, service, monday(10, days=1))
    assert days_found(service, chen, days=3, without=visit) == [0, 2]
    offerings = wish(service, chen, at=monday(14)).offerings

    def move(start):
        request = RescheduleRequest(offerings=offerings, start=start)
        return booking.reschedule(visit.fhir_id, request, caller=SOFTWARE, now=timezone.now())

    assert move(monday(14)).start == monday(14)
    with pytest.raises(TimeNotOffered, match="No more visits are booked on that day"):
        move(monday(14, days=1))


def test_cancelling_makes_room(ada):
    service = ServiceFactory(day_limit=1)
    chen = ScheduleFactory(services=[service])
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    booking.cancel(visit.fhir_id, StatusRequest(), caller=SOFTWARE, now=timezone.now())
    assert 0 in days_found(service, chen)


def test_previews_count_too():
    service = ServiceFactory()
    chen = ScheduleFactory(services=[service])
    visits(chen, service, monday(10))
    offering = wish(service, chen, at=monday(12)).offerings[0]
    now_ = availability.HypotheticalService(service=service, offerings=(offering,))
    own = chen.scheduling_parameters.model(day_limit=1)
    rules = availability.hypothetical_rules(own, service.scheduling_parameters.get(), offering.rules)
    then = availability.HypotheticalService(service=service, offerings=(offering._replace(rules=rules),))
    day = monday(0).astimezone(NEW_YORK).date()
    counts = availability.compare(now_, then, day, now=timezone.now())
    assert counts[day][0] > 0
    assert counts[day][1] == 0
    assert counts[day + timedelta(days=1)][0] == counts[day + timedelta(days=1)][1]


def test_only_who_has_limits_pays_for_them(ada):
    plain, limited = ServiceFactory(), ServiceFactory(day_limit=5, total_day_limit=5)
    chen = ScheduleFactory(services=[plain, limited])
    statements = {}
    for service in (plain, limited):
        found(service, chen)
        with CaptureQueriesContext(
            connection,
        ) as finding:
            found(service, chen)
        request = wish(service, chen, at=monday(10 if service is plain else 12), patient=ada)
        with CaptureQueriesContext(connection) as taking:
            book(request)
        statements[service.pk] = (len(finding), len(taking))
    assert statements[limited.pk][0] == statements[plain.pk][0] + 1
    assert statements[limited.pk][1] == statements[plain.pk][1] + 2  # the lock and the count


# Limits of patients


def came(patient, *, days_ago=30):
    start = timezone.now() - timedelta(days=days_ago)
    return AppointmentFactory(patient=patient, start=start, end=start + timedelta(minutes=30), status="fulfilled")


TO_COME = ("patient_limit", 2, "can have 2 upcoming visits")
A_WEEK = ("patient_week_limit", 2, "can have 2 visits a week")


@pytest.mark.parametrize(("column", "most", "text"), [TO_COME, A_WEEK])
def test_a_patient_has_so_many_visits_and_another_has_their_own(ada, bo, boss, column, most, text):
    service = ServiceFactory(**{column: most})
    chen = ScheduleFactory(services=[service])
    for hour in (9, 10):
        assert book(wish(service, chen, at=monday(hour), patient=ada)).status == "booked"
    third = wish(service, chen, at=monday(12), patient=ada)
    for take in (book, hold):
        with pytest.raises(RuleBroken, match=text):
            take(third)
    assert book(replace(third, patient=bo)).status == "booked"
    assert book(replace(third, start=monday(13), override="She is in pain"), boss).status == "booked"


def test_a_week_has_room_again_and_visits_to_come_do_not(ada):
    service = ServiceFactory(patient_week_limit=1)
    chen = ScheduleFactory(services=[service])
    book(wish(service, chen, at=monday(9), patient=ada))
    assert book(wish(service, chen, at=monday(9, days=7), patient=ada)).status == "booked"
    HealthcareService.objects.update(patient_limit=2)
    with pytest.raises(RuleBroken, match="2 upcoming visits"):
        book(wish(HealthcareService.objects.get(), chen, at=monday(9, days=14), patient=ada))


def test_visits_that_are_over_are_not_to_come(ada):
    service = ServiceFactory(patient_limit=1)
    chen = ScheduleFactory(services=[service])
    AppointmentFactory(patient=ada, service=service, start=timezone.now() - timedelta(days=1))
    assert book(wish(service, chen, at=monday(9), patient=ada)).status == "booked"


def test_new_patients_a_day_are_counted_and_returning_ones_are_not(bo, ada):
    service = ServiceFactory(new_patient_limit=1)
    chen = ScheduleFactory(services=[service])
    came(bo)
    book(wish(service, chen, at=monday(9), patient=bo))
    book(wish(service, chen, at=monday(10), patient=ada))
    new = PatientFactory()
    with pytest.raises(RuleBroken, match="room for 1 new patient a day"):
        book(wish(service, chen, at=monday(11), patient=new))
    assert book(wish(service, chen, at=monday(11, days=1), patient=new)).status == "booked"
    assert book(wish(service, chen, at=monday(12), patient=bo)).status == "booked"


def test_a_hold_is_refused_once_its_patient_is_named(ada):
    service = ServiceFactory(patient_limit=1)
    chen = ScheduleFactory(services=[service])
    book(wish(service, chen, at=monday(9), patient=ada))
    held = hold(wish(service, chen, at=monday(10)))
    caller, now = SOFTWARE, timezone.now()
    with pytest.raises(RuleBroken, match="1 upcoming visit"):
        booking.name_patient(held.fhir_id, ada, caller=caller, now=now)
    with pytest.raises(RuleBroken, match="1 upcoming visit"):
        booking.confirm(held.fhir_id, ConfirmRequest(patient=ada), caller=caller, now=now)
    other = PatientFactory()
    assert booking.confirm(held.fhir_id, ConfirmRequest(patient=other), caller=caller, now=now).status == "booked"


def test_software_does_not_hand_a_visit_over_to_a_patient_who_has_enough(ada, bo):
    service = ServiceFactory(patient_limit=1)
    chen = ScheduleFactory(services=[service])
    book(wish(service, chen, at=monday(9), patient=ada))
    visit = book(wish(service, chen, at=monday(10), patient=bo))
    with pytest.raises(RuleBroken, match="1 upcoming visit"), booking.all_or_nothing():
        booking.amend(visit.fhir_id, {"patient_id": ada.pk}, caller=SOFTWARE, now=timezone.now())


def test_moving_does_not_count_the_visit_itself(ada):
    service = ServiceFactory(patient_limit=1, patient_week_limit=1, new_patient_limit=1)
    chen = ScheduleFactory(services=[service])
    visit = book(wish(service, chen, at=monday(9), patient=ada))
    request = RescheduleRequest(offerings=wish(service, chen, at=monday(9)).offerings, start=monday(15))
    moved = booking.reschedule(visit.fhir_id, request, caller=Caller(user=ada.user), now=timezone.now())
    assert moved.start == monday(15)


# The engine against a model that counts by hand


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    limits=st.fixed_dictionaries(
        {name: st.sampled_from([None, 1, 2]) for name in ("own_day", "own_week", "all_day", "total_day", "total_week")}
    ),
    taken=st.lists(
        st.tuples(st.integers(0, 13), st.integers(9, 16), st.booleans(), st.booleans()),
        max_size=8,
        unique_by=lambda it: it[:2],
    ),
)
def test_found_is_what_counting_leaves(limits, taken):
    begin = datetime(2030, 10, 28, tzinfo=NEW_YORK)  # a Monday; the clocks change on the Sunday
    service = ServiceFactory(
        hours=EVERY_DAY,
        interval=60,
        day_limit=limits["own_day"],
        week_limit=limits["own_week"],
        total_day_limit=limits["total_day"],
        total_week_limit=limits["total_week"],
    )
    another = ServiceFactory(hours=EVERY_DAY)
    chen, lee = (
        ScheduleFactory(
            services=[service, another],
            actor=PractitionerFactory(timezone="America/New_York"),
            total_day_limit=limits["all_day"],
        )
        for _ in range(2)
    )
    made = []
    for day, hour, with_chen, is_service in taken:
        start = (begin + timedelta(days=day)).replace(hour=hour)
        visits(chen if with_chen else lee, service if is_service else another, start.astimezone(UTC))
        made.append((start.date(), with_chen, is_service))

    offering = availability.offerings_of(service, [chen.fhir_id])[0]
    free = offering._replace(rules=replace(offering.rules, limits=UNLIMITED, schedule_limits=UNLIMITED))
    plain = HealthcareService.objects.get(pk=service.pk)
    plain.total_day_limit = plain.total_week_limit = None

    def starts(service, offering):
        query = TimeQuery(
            ways=ways_of(service, [((offering,),)]),
            start=begin.astimezone(UTC),
            end=(begin + timedelta(days=14)).astimezone(UTC),
        )
        return [time.start for time in availability.find_times(query, now=begin.astimezone(UTC))]

    def is_left(at):
        day = as_datetime(at).astimezone(NEW_YORK).date()
        week = day.isocalendar()[:2]
        counts = {
            "own_day": sum(each == day and chens and own for each, chens, own in made),
            "own_week": sum(each.isocalendar()[:2] == week and chens and own for each, chens, own in made),
            "all_day": sum(each == day and chens for each, chens, own in made),
            "total_day": sum(each == day and own for each, chens, own in made),
            "total_week": sum(each.isocalendar()[:2] == week and own for each, chens, own in made),
        }
        return all(most is None or counts[name] < most for name, most in limits.items())

    assert starts(service, offering) == [at for at in starts(plain, free) if is_left(at)]
    for appointment in Appointment.objects.all():
        appointment.slots.all().delete()
