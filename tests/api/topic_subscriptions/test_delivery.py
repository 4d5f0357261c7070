"""Delivery of notifications: heartbeats, order, failures, and the end of a subscription."""

import json
import random
from collections import defaultdict
from copy import deepcopy
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from clinic.models import (
    Appointment,
    EventConsumer,
    Notification,
    ScheduleChange,
    Subscription,
    VisitEvent,
)
from scheduling import booking, subscriptions, tasks
from tests.api.topic_subscriptions.notifications import (
    MINUTE,
    SERVER,
    deliver,
    kind_of,
    next_bundle,
    numbers_sent,
    status_in,
    subscribed,
    subscription_to,
)
from tests.factories import (
    AppointmentFactory,
    ScheduleFactory,
    SlotFactory,
    UserFactory,
)
from tests.scheduling.situations import SOFTWARE, book, monday, wish

pytestmark = pytest.mark.django_db


def test_heartbeats_come_as_often_as_they_were_asked_for(api, receiver):
    subscribed(api, receiver, "appointment-booked", heartbeat_period=120)
    now = timezone.now()
    for later, expected in ((MINUTE, []), (3 * MINUTE, ["heartbeat"])):
        subscriptions.maintain(now=now + later)
        deliver(now + later)
        assert [status_in(json.loads(each.body))["type"] for each in receiver.all()] == expected


def test_without_a_period_there_are_no_heartbeats(api, receiver):
    subscribed(api, receiver, "appointment-booked")
    subscriptions.maintain(now=timezone.now() + timedelta(days=1))
    assert not Notification.objects.filter(status="waiting").exists()


def test_several_events_come_in_one_notification_if_they_may(api, receiver, service, chen, ada):
    subscribed(api, receiver, "appointment-booked", max_count=3)
    for hour in (9, 10, 11, 12):
        book(wish(service, chen, at=monday(hour), patient=ada))
    tasks.notify_subscribers()
    told = [[event["event-number"] for event in status_in(next_bundle(receiver))["events"]] for _ in range(2)]
    assert told == [["1", "2", "3"], ["4"]]
    assert receiver.all() == []


def test_a_later_event_waits_until_the_earlier_one_is_delivered(api, receiver, service, chen, ada):
    subscribed(api, receiver, "appointment-booked")
    for hour in (9, 10):
        book(wish(service, chen, at=monday(hour), patient=ada))
    receiver.answers = [500]
    assert numbers_sent(receiver) == ["1"]
    deliver(timezone.now() + MINUTE)
    bundles = [json.loads(request.body) for request in receiver.all()]
    assert [event["event-number"] for bundle in bundles for event in status_in(bundle)["events"]] == ["1", "2"]


def test_an_endpoint_that_fails_is_given_up_and_served_again_once_its_client_asks(api, receiver, service, chen, ada):
    reference = subscribed(api, receiver, "appointment-booked")
    book(wish(service, chen, at=monday(10), patient=ada))
    subscriptions.collect_visits(now=timezone.now())
    receiver.answers = [500] * 8
    for hours in range(8):
        subscriptions.deliver_next(now=timezone.now() + timedelta(hours=2 * hours))
    failed = api.get(reference).fhir
    assert (failed["status"], failed["error"]) == ("error", "Given up after 8 tries: The endpoint answered 500.")
    receiver.all()
    book(wish(service, chen, at=monday(11), patient=ada))
    assert numbers_sent(receiver) == []

    again = api.put(reference, {**failed, "status": "requested"}).fhir
    assert (again["status"], "error" in again) == ("requested", False)
    tasks.notify_subscribers()
    assert kind_of(receiver) == "handshake"
    book(wish(service, chen, at=monday(12), patient=ada))
    assert numbers_sent(receiver) == ["2"]


def test_a_handshake_that_fails_ends_in_an_error(api, receiver):
    reference = api.post("Subscription", subscription_to("appointment-booked", receiver.url)).fhir["id"]
    subscriptions.plan_handshakes(now=timezone.now())
    receiver.answers = [404] * 8
    for hours in range(8):
        subscriptions.deliver_next(now=timezone.now() + timedelta(hours=2 * hours))
    assert api.get(f"Subscription/{reference}").fhir["status"] == "error"
    assert not EventConsumer.objects.exists()


def test_a_client_turns_its_subscription_off(api, receiver, service, chen, ada):
    reference = subscribed(api, receiver, "appointment-booked")
    body = api.get(reference).fhir
    assert api.put(reference, {**body, "status": "off"}).fhir["status"] == "off"
    book(wish(service, chen, at=monday(10), patient=ada))
    assert numbers_sent(receiver) == []
    subscriptions.maintain(now=timezone.now())
    assert not EventConsumer.objects.exists(), "bookings write no events any more"


def test_an_active_subscription_stays_so_unless_its_endpoint_changes(api, receiver):
    reference = subscribed(api, receiver, "appointment-booked")
    body = api.get(reference).fhir
    assert api.put(reference, body).fhir["meta"]["versionId"] == "2"
    assert api.put(reference, {**body, "reason": "Another"}).fhir["status"] == "active"
    moved = deepcopy(body)
    moved["channel"]["endpoint"] = f"{receiver.url}/elsewhere"
    assert api.put(reference, moved).fhir["status"] == "requested"


def test_changes_of_free_time_are_told_as_a_topic_too(api, receiver, service, chen):
    subscribed(api, receiver, "slot-changed", f"Slot?schedule={chen.reference}", content="full-resource")
    SlotFactory(schedule=chen, start=monday(10))
    SlotFactory(schedule=ScheduleFactory(services=[service]), start=monday(10))
    tasks.notify_subscribers()
    bundle = next_bundle(receiver)
    (told,) = status_in(bundle)["events"]
    assert (told["event-number"], told["focus"]) == ("1", {"reference": f"{SERVER}{chen.reference}"})
    (entry,) = bundle["entry"][1:]
    assert entry["resource"]["planningHorizon"]["start"][:10] == monday(0).date().isoformat()
    assert receiver.all() == []
    assert not VisitEvent.objects.exists()


def test_subscriptions_to_visits_leave_no_changes_of_free_time(api, receiver, service, chen, ada):
    subscribed(api, receiver, "appointment-booked")
    book(wish(service, chen, at=monday(10), patient=ada))
    assert not ScheduleChange.objects.exists()


def test_administrators_see_what_was_told(api, receiver, visit, client):
    subscribed(api, receiver, "appointment-cancelled")
    booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    numbers_sent(receiver)
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    page = client.get("/admin/clinic/notification/")
    assert f"Cancelled: {Appointment.objects.get(pk=visit.pk)}" in unescape(page.text)
    assert "Quinn" not in page.text


def test_one_bad_event_keeps_no_other_from_being_told(api, receiver, service, chen, ada):
    subscribed(api, receiver, "appointment-booked")
    bad = book(wish(service, chen, at=monday(9), patient=ada))
    book(wish(service, chen, at=monday(10), patient=ada))
    Appointment.objects.filter(pk=bad.pk).update(participant=[7])
    assert numbers_sent(receiver) == ["1"]
    Appointment.objects.filter(pk=bad.pk).update(participant=bad.participant)
    later = timezone.now() + 2 * MINUTE
    assert subscriptions.collect_visits(now=later) == 1
    deliver(later)
    (told,) = status_in(next_bundle(receiver))["events"]
    assert (told["event-number"], told["focus"]["reference"]) == ("2", f"{SERVER}{bad.reference}")


def test_one_bad_subscription_keeps_no_other_from_being_told(api, receiver, service, chen, ada):
    bad = subscribed(api, receiver, "appointment-booked")
    subscribed(api, receiver, "appointment-booked")
    Subscription.objects.filter(fhir_id=bad.partition("/")[2]).update(topic="appointment-forgotten")
    book(wish(service, chen, at=monday(9), patient=ada))
    assert numbers_sent(receiver) == ["1"]
    assert Subscription.objects.get(topic="appointment-forgotten").status == "error"


def test_in_the_end_an_unreliable_receiver_has_each_event_in_its_order(api, receiver, service, ada):
    """A receiver that verifies, refuses one request of three and loses the answers to others."""
    names = {
        subscribed(api, receiver, f"appointment-{topic}", max_count=2): topic
        for topic in ("booked", "moved", "cancelled")
    }
    schedules = ScheduleFactory.create_batch(3, services=[service])
    chance = random.Random(7)
    visits = []
    for schedule in schedules:
        visit = AppointmentFactory(status="booked", patient=ada, service=service, schedules=[schedule])
        visits.append(visit)
        for _ in range(4):
            Appointment.objects.filter(pk=visit.pk).update(sequence=chance.randrange(1_000_000))
        for status in ("cancelled", "booked", "cancelled"):
            Appointment.objects.filter(pk=visit.pk).update(status=status)
    receiver.answers = [chance.choice([200, 200, 500, 503]) for _ in range(30)]
    now = timezone.now()
    subscriptions.collect_visits(now=now)
    for minutes in range(200):
        deliver(now + minutes * MINUTE)
    first: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for request in receiver.all():
        status = status_in(json.loads(request.body))
        topic = names[status["subscription"]["reference"].removeprefix(SERVER)]
        for event in status["events"]:
            told = (int(event["event-number"]), event["focus"]["reference"].removeprefix(SERVER))
            if told not in first[topic]:
                first[topic].append(told)
    for topic, count in (("booked", 6), ("moved", 12), ("cancelled", 6)):
        written = (
            VisitEvent.objects.filter(kind=topic).order_by("number").values_list("appointment__fhir_id", flat=True)
        )
        assert first[topic] == [(n, f"Appointment/{fhir_id}") for n, fhir_id in enumerate(written, 1)]
        assert len(first[topic]) == count
    assert not Notification.objects.exclude(status="sent").exists()
