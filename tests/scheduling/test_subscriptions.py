"""Changes of free time: the database records them, and each subscriber gets one notification for a schedule and day."""

import json
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import Notification, ScheduleChange, SchedulingParameters, Slot
from scheduling import booking, opening, subscriptions
from scheduling.access import Caller
from scheduling.subscriptions import delivery, payload
from tests.factories import (
    LocationFactory,
    OrganizationFactory,
    PractitionerFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    SubscriptionFactory,
    UserFactory,
)
from tests.scheduling.situations import NEW_YORK, SOFTWARE, book, hold, monday, run_out, wish

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def subscription(chen):
    """A subscription to all changes from now on."""
    return SubscriptionFactory()


def day_of(moment: datetime) -> date:
    return moment.astimezone(NEW_YORK).date()


def planned_notifications(**whose) -> set[tuple]:
    """The schedules and days of planned notifications, once the changes have been collected."""
    subscriptions.collect(now=timezone.now())
    rows = Notification.objects.filter(**whose).values_list("schedule", "first_day", "last_day")
    return set(rows)


def one_day(schedule, at: datetime) -> set[tuple]:
    return {(schedule.pk, day_of(at), day_of(at))}


def forget() -> None:
    ScheduleChange.objects.all().delete()
    Notification.objects.all().delete()


def test_a_booking_tells_its_day(subscription, service, chen, ada):
    book(wish(service, chen, at=monday(10), patient=ada))
    assert planned_notifications() == one_day(chen, monday(10))


def test_a_cancellation_tells_the_day_that_is_free_again(subscription, service, chen, ada):
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    forget()
    booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    assert planned_notifications() == one_day(chen, monday(10))


def test_a_confirmed_hold_tells_nothing_new(subscription, service, chen, ada):
    held = hold(wish(service, chen, at=monday(10), patient=ada))
    assert planned_notifications() == one_day(chen, monday(10))
    forget()
    booking.confirm(held.fhir_id, caller=SOFTWARE, now=timezone.now())
    assert planned_notifications() == set()


def test_an_expired_hold_tells_its_day_once_it_is_swept(subscription, service, chen, ada):
    run_out(hold(wish(service, chen, at=monday(10), patient=ada)))
    forget()
    booking.release_expired_holds(now=timezone.now())
    assert planned_notifications() == one_day(chen, monday(10))


def test_a_moved_visit_tells_both_days(subscription, service, chen, ada):
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    forget()
    request = wish(service, chen, at=monday(10, days=1))
    booking.reschedule(
        visit.fhir_id,
        booking.RescheduleRequest(offerings=request.offerings, start=request.start),
        caller=SOFTWARE,
        now=timezone.now(),
    )
    assert planned_notifications() == one_day(chen, monday(10)) | one_day(chen, monday(10, days=1))


@pytest.mark.parametrize("status", ["busy", "busy-unavailable", "free"])
def test_blocked_and_extra_time_tell_their_day(subscription, chen, status):
    slot = SlotFactory(schedule=chen, status=status, start=monday(10))
    assert planned_notifications() == one_day(chen, monday(10))
    forget()
    Slot.objects.filter(pk=slot.pk).update(status="entered-in-error")
    assert planned_notifications() == one_day(chen, monday(10))


def test_time_off_over_several_days_is_one_notification(subscription, chen):
    SlotFactory(schedule=chen, status="busy-unavailable", start=monday(0), end=monday(0, days=5))
    assert planned_notifications() == {(chen.pk, day_of(monday(0)), day_of(monday(0, days=4)))}


def test_both_schedules_of_one_practitioner_are_notified(subscription, chen):
    other = ScheduleFactory(actor=chen.actor)
    forget()
    SlotFactory(schedule=chen, start=monday(10))
    assert planned_notifications() == one_day(chen, monday(10)) | one_day(other, monday(10))


def test_new_hours_tell_all_days_to_come(subscription, service, chen):
    administrator = Caller(user=UserFactory(is_superuser=True))
    terms = opening.terms_of(administrator, service.fhir_id, chen.fhir_id)
    change = opening.Change(parameters={"duration": 45})
    forget()
    opening.save(terms, change, version=chen.version, caller=administrator, now=timezone.now())
    today = day_of(timezone.now())
    assert planned_notifications() == {(chen.pk, today, today + timedelta(days=365))}


def test_a_planning_horizon_limits_the_notified_days(subscription, chen):
    chen.planning_end = monday(0, days=5)
    chen.save()
    [(_, _, last)] = planned_notifications()
    assert last == day_of(monday(0, days=4))


@pytest.mark.parametrize("change", ["parameters", "service"])
def test_a_change_of_a_service_tells_every_schedule_that_gives_it(subscription, service, chen, change):
    everything = ScheduleFactory(services=[], offers_all_services=True)
    ScheduleFactory()
    forget()
    if change == "service":
        service.save()
    else:
        SchedulingParameters.objects.filter(service=service, schedule=None).update(duration=60)
    assert {schedule for schedule, _, _ in planned_notifications()} == {chen.pk, everything.pk}


def test_several_changes_of_a_day_are_one_notification(subscription, service, chen, ada, bo):
    book(wish(service, chen, at=monday(10), patient=ada))
    assert planned_notifications() == one_day(chen, monday(10))
    book(wish(service, chen, at=monday(11), patient=bo))
    book(wish(service, chen, at=monday(12), patient=bo))
    planned_notifications()
    assert Notification.objects.count() == 1


def test_a_change_during_a_delivery_is_notified_again(subscription, chen):
    SlotFactory(schedule=chen, start=monday(10))
    planned_notifications()
    assert delivery.claim(now=timezone.now()) is not None
    SlotFactory(schedule=chen, start=monday(11))
    planned_notifications()
    assert Notification.objects.count() == 2


def test_changes_of_the_past_are_not_notified(subscription, chen):
    SlotFactory(schedule=chen, start=timezone.now() - 3 * DAY)
    assert planned_notifications() == set()


def test_the_days_are_those_of_the_schedules_own_clock(subscription):
    tokyo = ScheduleFactory(timezone="Asia/Tokyo")
    forget()
    SlotFactory(schedule=tokyo, start=monday(20))  # in New York; in Tokyo it is Tuesday
    tuesday = day_of(monday(20)) + DAY
    assert planned_notifications() == {(tokyo.pk, tuesday, tuesday)}


def test_the_calendar_of_a_patient_is_not_notified(subscription, ada):
    SlotFactory(schedule=ScheduleFactory(actor=ada), start=monday(10))
    assert planned_notifications() == set()


def test_without_subscriptions_no_change_is_recorded(service, chen, ada):
    SubscriptionFactory(status="off")
    SubscriptionFactory(deleted_at=timezone.now())
    book(wish(service, chen, at=monday(10), patient=ada))
    assert not ScheduleChange.objects.exists()


def test_changes_without_a_subscription_are_deleted(chen):
    gone = SubscriptionFactory()
    SlotFactory(schedule=chen, start=monday(10))
    gone.delete()
    assert planned_notifications() == set()
    assert not ScheduleChange.objects.exists()


@pytest.mark.parametrize(
    ("criteria", "concerned"),
    [
        ("Slot?", True),
        ("Schedule", True),
        ("Slot?status=free", True),
        ("Slot?schedule=Schedule/{schedule}", True),
        ("Slot?schedule={schedule}", True),
        ("Slot?schedule=Schedule/other", False),
        ("Schedule?_id={schedule}", True),
        ("Slot?schedule.actor=Practitioner/{practitioner}", True),
        ("Slot?schedule.actor:Practitioner={practitioner}", True),
        ("Slot?schedule.actor=Practitioner/other,Practitioner/{practitioner}", True),
        ("Slot?schedule.actor=Practitioner/other", False),
        ("Slot?schedule.actor=PractitionerRole/{role}", True),
        ("Schedule?actor=Practitioner/{practitioner}", True),
        ("Slot?practitioner={practitioner}&location=other", False),
        ("Slot?practitioner={practitioner}&location={site}", True),
        ("Slot?organization={organization}", True),
        ("Slot?organization=other", False),
        ("Schedule?service={service}", True),
        ("Schedule?service=HealthcareService/other", False),
    ],
)
def test_only_matching_subscriptions_are_notified(criteria, concerned):
    site, organization, service = LocationFactory(), OrganizationFactory(), ServiceFactory()
    role = RoleFactory(organization=organization)
    schedule = ScheduleFactory(actor=role, site=site, services=[service])
    named = {
        "schedule": schedule.fhir_id,
        "practitioner": role.practitioner.fhir_id,
        "role": role.fhir_id,
        "site": site.fhir_id,
        "organization": organization.fhir_id,
        "service": service.fhir_id,
    }
    SubscriptionFactory(criteria=criteria.format(**named))
    SlotFactory(schedule=schedule, start=monday(10))
    assert planned_notifications() == (one_day(schedule, monday(10)) if concerned else set())


def test_a_room_is_found_by_its_place():
    room = RoomFactory()
    schedule = ScheduleFactory(actor=room)
    SubscriptionFactory(criteria=f"Slot?location={room.fhir_id}")
    SlotFactory(schedule=schedule, start=monday(10))
    assert planned_notifications() == one_day(schedule, monday(10))


def test_all_changes_are_collected_with_a_constant_number_of_statements(subscription):
    schedules = [ScheduleFactory() for _ in range(4)]
    counts = []
    for hour, some in ((10, schedules[:1]), (11, schedules)):
        forget()
        for schedule in some:
            SlotFactory(schedule=schedule, start=monday(hour))
        with CaptureQueriesContext(connection) as statements:
            assert subscriptions.collect(now=timezone.now()) == len(some)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_a_notification_contains_no_visits(subscription, service, chen, ada):
    book(wish(service, chen, at=monday(10), patient=ada))
    subscriptions.collect(now=timezone.now())
    sent = json.dumps(payload.payload_of(Notification.objects.get()))
    assert "Quinn" not in sent
    assert service.name not in sent


def test_a_schedule_without_a_zone_has_the_days_of_its_site(subscription):
    site = LocationFactory(timezone="Asia/Tokyo")
    schedule = ScheduleFactory(actor=PractitionerFactory(timezone=""), site=site)
    forget()
    SlotFactory(schedule=schedule, start=monday(20))
    tuesday = day_of(monday(20)) + DAY
    assert planned_notifications() == {(schedule.pk, tuesday, tuesday)}
