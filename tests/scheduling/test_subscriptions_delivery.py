"""Delivery of notifications to a real web server: at least once, not too often, and without losses."""

import json
from datetime import datetime, timedelta

import pytest
from celery.contrib.testing.worker import start_worker
from django.db import connection
from django.utils import timezone
from fhir.resources.R4B.schedule import Schedule as ScheduleModel

from clinic.celery import app
from clinic.models import Notification, Subscription
from clinic.models.subscription import encrypted_header
from scheduling import subscriptions, tasks
from scheduling.subscriptions import delivery
from tests.factories import NotificationFactory, ScheduleFactory, SubscriptionFactory
from tests.receiver import Receiver, receiving
from tests.scheduling.situations import NEW_YORK, at_once, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture(autouse=True)
def this_machine_is_trusted(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def subscription(receiver: Receiver, db):
    return SubscriptionFactory(endpoint=receiver.url)


def change(subscription: Subscription, schedule=None, **fields) -> Notification:
    """A changed day that the subscriber must be notified of."""
    day = monday(0).date()
    schedule = schedule or ScheduleFactory()
    return NotificationFactory(subscription=subscription, schedule=schedule, first_day=day, last_day=day, **fields)


def deliver(now: datetime | None = None) -> int:
    """Deliver due notifications. Returns the number of attempts."""
    tries = 0
    while subscriptions.deliver_next(now=now or timezone.now()):
        tries += 1
    return tries


def seen(notification: Notification) -> tuple[str, str]:
    notification.refresh_from_db()
    return notification.status, notification.error


def test_the_schedule_and_the_day_are_posted_as_argonaut_says(subscription, receiver):
    schedule = ScheduleFactory()
    notification = change(subscription, schedule)

    assert deliver() == 1

    request = receiver.next()
    sent = json.loads(request.body)
    ScheduleModel.model_validate(sent)
    assert request.headers["content-type"] == "application/fhir+json"
    assert sent["meta"]["profile"] == [
        "http://fhir.org/guides/argonaut-scheduling/StructureDefinition/argo-sched-notif"
    ]
    assert sent["id"] == schedule.fhir_id
    assert sent["actor"] == [{"reference": schedule.actor.reference, "display": str(schedule.actor)}]
    horizon = {name: datetime.fromisoformat(at) for name, at in sent["planningHorizon"].items()}
    assert horizon == {"start": monday(0), "end": monday(0, days=1)}
    assert horizon["start"].utcoffset() == monday(0).astimezone(NEW_YORK).utcoffset()
    assert seen(notification) == ("sent", "")
    assert (notification.status_code, notification.attempts) == (200, 1)


def test_without_a_payload_nothing_is_sent_along(receiver, db):
    change(SubscriptionFactory(endpoint=receiver.url, payload=""))
    deliver()
    request = receiver.next()
    assert request.body == b""
    assert "content-type" not in request.headers


def test_the_headers_of_the_channel_are_sent(receiver, db):
    header = [encrypted_header("Authorization", "Bearer of:secrets"), encrypted_header("X-Clinic", "7")]
    change(SubscriptionFactory(endpoint=receiver.url, header=header))
    deliver()
    headers = receiver.next().headers
    assert headers["authorization"] == "Bearer of:secrets"
    assert headers["x-clinic"] == "7"


def test_headers_that_no_key_opens_any_more_are_said_to_be_so(receiver, db):
    change(SubscriptionFactory(endpoint=receiver.url, header=["Authorization: sealed-with-another-key"]))
    deliver()
    assert Notification.objects.get().error == "The values of its headers cannot be read any more: send them again."


def test_a_booking_reaches_the_endpoint_through_the_worker(service, chen, ada, receiver):
    """The broker, the worker and the web server are real; the clock of the worker is this test."""
    SubscriptionFactory(endpoint=receiver.url)
    book(wish(service, chen, at=monday(10), patient=ada))
    app.control.purge()  # messages of other tests in the broker would come first

    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=20):
        tasks.notify_subscribers.delay()
        sent = json.loads(receiver.next().body)

    assert sent["id"] == chen.fhir_id
    assert datetime.fromisoformat(sent["planningHorizon"]["start"]) == monday(0)


def test_the_clock_looks_for_changes_each_second():
    planned = {each["task"]: each["schedule"] for each in app.conf.beat_schedule.values()}
    assert planned[tasks.notify_subscribers.name] == 1
    assert planned[tasks.tend_subscriptions.name] == 60


def test_a_failed_notification_is_retried_with_growing_waits(subscription, receiver):
    receiver.answers = [500, 503]
    notification, now = change(subscription), timezone.now()

    assert deliver(now) == 1
    assert seen(notification) == ("waiting", "The endpoint answered 500.")
    assert deliver(now + 4 * SECOND) == 0
    assert deliver(now + 5 * SECOND) == 1
    assert deliver(now + 20 * SECOND) == 0
    assert deliver(now + 25 * SECOND) == 1
    assert seen(notification) == ("sent", "")
    subscription.refresh_from_db()
    assert subscription.failures == 0


def test_all_that_waits_for_an_endpoint_that_fails_waits_longer(subscription, receiver):
    receiver.answers = [500]
    change(subscription)
    change(subscription)
    now = timezone.now()
    assert deliver(now) == 1
    assert deliver(now + 5 * SECOND) == 2


def test_others_do_not_wait_for_an_endpoint_that_fails(receiver, subscription):
    with receiving() as broken:
        broken.answers = [500]
        change(SubscriptionFactory(endpoint=broken.url))
        change(subscription)
        deliver()
    assert receiver.next()


def test_a_redirect_is_not_followed(subscription, receiver):
    receiver.answers = [302]
    notification = change(subscription)
    deliver()
    assert seen(notification) == ("waiting", "The endpoint answered 302.")
    assert len(receiver.all()) == 1


def test_a_missing_endpoint_is_given_up_and_its_subscription_says_so(db):
    with receiving() as gone:
        endpoint = gone.url
    subscription = SubscriptionFactory(endpoint=endpoint)
    notification, other, now = change(subscription), change(subscription), timezone.now()

    for _ in range(delivery.TRIES):
        assert deliver(now) == 1
        now += delivery.LONGEST_PAUSE
    assert deliver(now) == 0

    subscription.refresh_from_db()
    assert subscription.status == "error"
    assert subscription.error == "Given up after 8 tries: The connection failed (ConnectError)."
    assert subscription.version == 2
    assert {seen(notification)[0], seen(other)[0]} == {"failed"}


def test_a_private_address_is_refused_at_the_last_moment_too(settings, receiver, subscription):
    settings.OUTGOING_ALLOWED_HOSTS = []
    notification = change(subscription)
    deliver()
    assert seen(notification) == ("waiting", "The address must begin with https://.")
    assert not receiver.all()


@pytest.mark.parametrize("state", [{"status": "off"}, {"end": timezone.now() - SECOND}, {"deleted_at": timezone.now()}])
def test_an_ended_subscription_gets_no_notification(subscription, receiver, state):
    notification = change(subscription)
    Subscription.objects.update(**state)
    assert deliver() == 0
    subscriptions.maintain(now=timezone.now())
    assert seen(notification) == ("failed", "The subscription is not active any more.")


def test_a_worker_that_dies_leaves_a_notification_that_is_sent_again(subscription, receiver):
    change(subscription)
    now = timezone.now()
    assert delivery.claim(now=now) is not None
    assert deliver(now) == 0, "its lease still runs"
    assert deliver(now + delivery.LEASE) == 1
    assert receiver.next()


def test_a_notification_that_kills_every_worker_is_given_up(subscription, receiver):
    notification, now = change(subscription), timezone.now()
    for _ in range(delivery.TRIES):
        assert delivery.claim(now=now) is not None
        now += delivery.LEASE
    deliver(now)
    assert seen(notification) == ("failed", "Sending it was broken off each time.")
    assert not receiver.all()


def test_workers_at_once_send_each_notification_once(subscription, receiver):
    schedule = ScheduleFactory()
    for _ in range(20):
        change(subscription, schedule)

    assert sum(at_once([deliver] * 4)) == 20
    assert len(receiver.all()) == 20


def test_silence_is_broken_by_a_heartbeat_without_a_body(subscription, receiver, settings):
    settings.HEARTBEAT_EVERY = 15 * MINUTE
    now = timezone.now()

    subscriptions.maintain(now=now + 14 * MINUTE)
    assert deliver(now + 14 * MINUTE) == 0
    subscriptions.maintain(now=now + 16 * MINUTE)
    subscriptions.maintain(now=now + 16 * MINUTE)
    assert deliver(now + 16 * MINUTE) == 1

    assert receiver.next().body == b""
    subscriptions.maintain(now=now + 30 * MINUTE)
    assert deliver(now + 30 * MINUTE) == 0, "they have just heard of us"


def test_a_notification_replaces_the_heartbeat(subscription, receiver, settings):
    settings.HEARTBEAT_EVERY = 15 * MINUTE
    now = timezone.now() + 14 * MINUTE
    change(subscription)
    deliver(now)
    subscriptions.maintain(now=now + 2 * MINUTE)
    assert deliver(now + 2 * MINUTE) == 0


def test_a_subscription_that_has_ended_is_turned_off(subscription):
    Subscription.objects.update(end=timezone.now() - SECOND)
    subscriptions.maintain(now=timezone.now())
    subscription.refresh_from_db()
    assert (subscription.status, subscription.version) == ("off", 2)


def test_no_connection_is_kept_open_while_an_endpoint_is_asked(subscription, receiver, monkeypatch):
    """A slow endpoint holds no transaction open."""
    change(subscription)
    inside = []
    request = delivery.http_client.request
    monkeypatch.setattr(
        delivery.http_client,
        "request",
        lambda *args, **kw: inside.append(connection.in_atomic_block) or request(*args, **kw),
    )
    deliver()
    assert inside == [False]
