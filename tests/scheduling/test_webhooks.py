"""Webhooks: signed as Standard Webhooks says, at least once, the events of a visit in order, and each for itself."""

import json
from base64 import b64encode
from datetime import datetime, timedelta
from random import Random

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic import retention
from clinic.celery import app
from clinic.encryption import decrypt, encrypt
from clinic.fhir.datatypes import instant
from clinic.models import EventConsumer, EventDelivery, EventReceiver, VisitEvent
from clinic.models.receivers import WEBHOOK_SECRET
from scheduling import booking, receivers, tasks
from scheduling.booking import RescheduleRequest
from scheduling.receivers import delivery
from scheduling.receivers.signing import signed_headers
from tests.factories import UserFactory
from tests.receiver import receiving
from tests.scheduling.situations import SOFTWARE, another_connection, book, monday, wish
from tests.webhook_verification import is_signed

pytestmark = pytest.mark.django_db(transaction=True)

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# The example of https://github.com/standard-webhooks/standard-webhooks/tree/main/libraries
EXAMPLE_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EXAMPLE = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
EXAMPLE_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.fixture(autouse=True)
def this_machine_is_trusted(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]


@pytest.fixture
def endpoint():
    with receiving() as endpoint:
        yield endpoint


def register(url, *, kinds=VisitEvent.Kind.values, name="Billing") -> EventReceiver:
    webhook = EventReceiver(name=name, url=url, kinds=list(kinds))
    receivers.renew_secret(webhook, now=timezone.now())
    webhook.save()
    receivers.follow_feed()
    return webhook


@pytest.fixture
def webhook(endpoint):
    return register(endpoint.url)


def secret_of(webhook):
    return decrypt(webhook.secret, WEBHOOK_SECRET)


def deliver(now=None) -> int:
    """Send what is due. Returns the number of attempts."""
    now = now or timezone.now()
    receivers.collect(now=now)
    tries = 0
    while receivers.deliver_next(now=now):
        tries += 1
    return tries


def seen(delivery: EventDelivery) -> tuple[str, str]:
    delivery.refresh_from_db()
    return delivery.status, delivery.error


def types(endpoint) -> list[str]:
    return [json.loads(request.body)["type"] for request in endpoint.all()]


def move(visit, request, hour):
    moved = RescheduleRequest(offerings=request.offerings, start=monday(hour))
    return booking.reschedule(visit.fhir_id, moved, caller=SOFTWARE, now=timezone.now())


def test_a_booking_is_told_by_references_and_times_without_names(service, chen, ada, endpoint, webhook):
    now = timezone.now()
    visit = booking.book(wish(service, chen, at=monday(10), patient=ada), caller=SOFTWARE, now=now)

    assert deliver() == 1

    request = endpoint.next()
    assert json.loads(request.body) == {
        "type": "appointment.booked",
        "timestamp": instant(now),
        "data": {
            "appointment": visit.reference,
            "version": 1,
            "status": "booked",
            "start": instant(monday(10)),
            "end": instant(monday(10, 30)),
            "service": service.reference,
            "patients": [ada.reference],
            "practitioners": [chen.actor.reference],
            "locations": [],
        },
    }
    assert "Ada" not in request.body.decode()
    assert request.headers["content-type"] == "application/json"
    assert is_signed(request.body, request.headers, secret_of(webhook))
    assert not is_signed(request.body, request.headers, secret_of(webhook), now=(now + 6 * MINUTE).timestamp())
    assert not is_signed(request.body + b" ", request.headers, secret_of(webhook))
    assert not is_signed(request.body, request.headers, "whsec_" + b64encode(b"another").decode())
    sent = EventDelivery.objects.get()
    assert (sent.status, sent.status_code, sent.attempts) == ("sent", 200, 1)
    assert request.headers["webhook-id"] == sent.message_id


def test_the_signature_is_that_of_the_standards_example():
    webhook = EventReceiver(secret=encrypt(EXAMPLE_SECRET, WEBHOOK_SECRET))
    message_id, timestamp, body = EXAMPLE
    headers = dict(signed_headers(webhook, message_id, body, now=datetime.fromtimestamp(timestamp).astimezone()))
    assert headers == {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": EXAMPLE_SIGNATURE,
    }


def test_a_new_secret_signs_beside_the_former_one_for_a_day(service, chen, ada, endpoint, webhook):
    former, now = secret_of(webhook), timezone.now()
    new = receivers.renew_secret(webhook, now=now)
    webhook.save()
    receivers.send_test(webhook, now=now)
    deliver(now)
    request = endpoint.next()
    assert is_signed(request.body, request.headers, new)
    assert is_signed(request.body, request.headers, former)
    receivers.send_test(webhook, now=now)
    deliver(now + timedelta(days=1))
    later = endpoint.next()
    assert is_signed(later.body, later.headers, new)
    assert not is_signed(later.body, later.headers, former)


def test_only_the_chosen_events_are_told(service, chen, ada, endpoint):
    register(endpoint.url, kinds=["moved", "cancelled"])
    request = wish(service, chen, at=monday(10), patient=ada)
    visit = book(request)
    move(visit, request, 11)
    deliver()
    booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    deliver()
    assert types(endpoint) == ["appointment.moved", "appointment.cancelled"]


def test_a_failed_event_is_tried_again_after_growing_pauses(service, chen, ada, endpoint, webhook):
    endpoint.answers = [500, 503, 302]
    book(wish(service, chen, at=monday(10), patient=ada))
    now = timezone.now()
    assert deliver(now) == 1
    [waiting] = EventDelivery.objects.all()
    assert seen(waiting) == ("waiting", "The endpoint answered 500.")
    for pause, answer in ((5 * SECOND, 503), (5 * MINUTE, 302)):
        assert deliver(now + pause - SECOND) == 0
        now += pause
        assert deliver(now) == 1
        assert seen(waiting) == ("waiting", f"The endpoint answered {answer}.")
    assert deliver(now + 30 * MINUTE) == 1
    assert seen(waiting) == ("sent", "")
    bodies = {(request.body, request.headers["webhook-id"]) for request in endpoint.all()}
    assert len(bodies) == 1, "each attempt has the same content under the same id"


def test_later_events_of_a_visit_wait_for_the_earlier_ones_and_other_visits_do_not(
    service, chen, ada, bo, endpoint, webhook
):
    endpoint.answers = [500]
    request = wish(service, chen, at=monday(10), patient=ada)
    visit, now = book(request), timezone.now()
    deliver(now)
    move(visit, request, 11)
    other = book(wish(service, chen, at=monday(14), patient=bo))
    now += 5 * SECOND
    EventDelivery.objects.filter(status="waiting").update(due=now + MINUTE)  # the first one is tried again later
    deliver(now)
    deliver(now + MINUTE)
    told = [
        (content["type"], content["data"]["appointment"])
        for content in (json.loads(request.body) for request in endpoint.all())
    ]
    assert told == [
        ("appointment.booked", visit.reference),
        ("appointment.booked", other.reference),
        ("appointment.booked", visit.reference),
        ("appointment.moved", visit.reference),
    ]


def test_a_receiver_that_fails_at_random_has_every_event_in_the_end_in_order(service, chen, endpoint, webhook):
    """Each visit is booked, moved, and arrives; four attempts of ten fail."""
    request = wish(service, chen, at=monday(9))
    visits = [book(wish(service, chen, at=monday(hour))) for hour in (9, 10, 11, 12, 13)]
    deliver(now := timezone.now())
    before = types(endpoint)
    answers = Random(7).choices([200, 200, 200, 500, 429], k=200)
    endpoint.answers = list(answers)
    for visit, hour in zip(visits, (14, 15, 16, 9, 10), strict=True):
        move(visit, request, hour)
        booking.change_status(visit.fhir_id, "arrived", caller=SOFTWARE, now=monday(9))
    deliver(now)
    while EventDelivery.objects.filter(status="waiting").exists():
        now += MINUTE
        deliver(now)
    arrived = [
        (content["data"]["appointment"], content["type"])
        for request, status in zip(endpoint.all(), answers, strict=False)
        if is_signed(request.body, request.headers, secret_of(webhook)) and status == 200
        for content in [json.loads(request.body)]
    ]
    assert before == ["appointment.booked"] * 5
    assert 500 in answers[:10], "the control: some attempts have failed"
    assert sorted(arrived) == sorted(
        (visit.reference, f"appointment.{kind}") for visit in visits for kind in ("moved", "arrived")
    )
    for visit in visits:
        assert [kind for reference, kind in arrived if reference == visit.reference] == [
            "appointment.moved",
            "appointment.arrived",
        ]
    assert not EventDelivery.objects.exclude(status="sent").exists()


def test_one_bad_endpoint_never_stops_the_others(service, chen, ada, endpoint):
    with receiving() as broken:
        broken.answers = [500] * 100
        register(broken.url, name="Broken")
        register(endpoint.url)
        for hour in (9, 10, 11):
            book(wish(service, chen, at=monday(hour)))
        deliver(timezone.now())
        assert len(broken.all()) == 1, "it is asked again after a pause, not with each event"
    assert types(endpoint) == ["appointment.booked"] * 3


def test_a_webhook_to_which_nothing_comes_through_is_turned_off_and_administrators_are_told(
    service, chen, ada, endpoint, webhook, settings
):
    UserFactory(email="boss@example.com", is_superuser=True)
    endpoint.answers = [500] * 100
    visit, now = book(wish(service, chen, at=monday(10), patient=ada)), timezone.now()
    tries = deliver(now)
    while EventReceiver.objects.get().active:
        now += HOUR
        tries += deliver(now)
    assert tries == 8
    assert now > timezone.now() + timedelta(days=1)
    webhook.refresh_from_db()
    assert webhook.error == "Turned off after 8 failures in a row: The endpoint answered 500."
    assert EventDelivery.objects.get().status == "failed"
    assert not EventConsumer.objects.exists(), "nothing is written any more"
    [message] = mail.outbox
    assert (message.to, message.subject) == (["boss@example.com"], "The webhook Billing was turned off")
    assert f"{settings.SITE_URL}/admin/clinic/eventreceiver/{webhook.pk}/change/" in message.body

    endpoint.answers, missed = [], EventDelivery.objects.all()
    EventReceiver.objects.update(active=True, error="", failures=0, due=now)
    sent_before = endpoint.all()[-1]
    assert receivers.send_again(missed, now=now) == 1
    deliver(now)
    again = endpoint.next()
    assert (again.body, again.headers["webhook-id"]) == (sent_before.body, sent_before.headers["webhook-id"])
    assert visit.reference in again.body.decode()


def test_an_event_that_fails_for_good_turns_nothing_off_while_others_come_through(
    service, chen, ada, bo, endpoint, webhook
):
    now = timezone.now()
    book(wish(service, chen, at=monday(9), patient=ada))
    deliver(now)
    EventDelivery.objects.update(status="waiting", attempts=7, due=now)
    EventReceiver.objects.update(failures=7)
    endpoint.answers = [500]
    deliver(now)
    assert EventDelivery.objects.get().status == "failed"
    assert EventReceiver.objects.get().active


def test_a_receiver_is_told_by_one_worker_at_a_time_and_again_if_that_one_dies(service, chen, endpoint, webhook):
    now = timezone.now()
    for hour in (9, 10):
        book(wish(service, chen, at=monday(hour)))
    receivers.collect(now=now)
    claimed = delivery._claim(now)  # by a worker that dies
    assert claimed is not None
    assert delivery._claim(now) is None
    assert deliver(now + delivery.LEASE) == 2
    assert EventDelivery.objects.filter(status="sent").count() == 2
    delivery._record(claimed, delivery.AttemptResult(1, None, "Too late"), now)
    assert EventDelivery.objects.filter(status="sent").count() == 2, "its result no longer counts"


def test_an_event_on_which_workers_die_is_set_aside_for_the_others(service, chen, endpoint, webhook):
    now = timezone.now()
    for hour in (9, 10):
        book(wish(service, chen, at=monday(hour)))
    receivers.collect(now=now)
    deadly = EventDelivery.objects.order_by("pk").first()
    for _ in range(8):
        assert delivery._claim(now).pk == deadly.pk
        now += delivery.LEASE
    deliver(now)
    deliver(now + MINUTE)
    assert seen(deadly) == ("failed", "Sending it was broken off each time.")
    assert EventDelivery.objects.get(status="sent").attempts == 1


def test_two_workers_do_not_claim_one_receiver(service, chen, webhook):
    book(wish(service, chen, at=monday(9)))
    receivers.collect(now=timezone.now())
    with another_connection() as execute:
        execute("BEGIN")
        execute(f"SELECT * FROM clinic_eventreceiver WHERE id = {webhook.pk} FOR NO KEY UPDATE")
        assert not receivers.deliver_next(now=timezone.now())
        execute("COMMIT")


def test_an_address_of_a_private_network_is_not_called(service, chen, endpoint, webhook, settings):
    settings.OUTGOING_ALLOWED_HOSTS = []
    receivers.send_test(webhook, now=timezone.now())
    deliver()
    assert EventDelivery.objects.get().error == "The address must begin with https://."
    assert not endpoint.all()


def test_a_secret_that_no_key_opens_any_more_is_said_to_be_so(webhook, endpoint):
    EventReceiver.objects.update(secret="sealed-with-another-key")
    receivers.send_test(webhook, now=timezone.now())
    deliver()
    assert EventDelivery.objects.get().error == "The secret cannot be read any more: make a new one."
    assert not endpoint.all()


def test_a_booking_takes_no_statement_more(service, chen, endpoint):
    def statements(hour):
        with CaptureQueriesContext(connection) as captured:
            book(wish(service, chen, at=monday(hour)))
        return len(captured)

    statements(9)
    before = statements(10)
    register(endpoint.url)
    assert statements(11) == before


def test_the_worker_tells_what_is_new_each_second(service, chen, ada, endpoint, webhook):
    book(wish(service, chen, at=monday(10), patient=ada))
    tasks.tell_receivers()
    assert types(endpoint) == ["appointment.booked"]
    planned = {each["task"]: each["schedule"] for each in app.conf.beat_schedule.values()}
    assert planned[tasks.tell_receivers.name] == 1


def test_the_log_is_kept_as_long_as_that_of_subscribers(webhook, endpoint, settings):
    old = timezone.now() - settings.DELIVERY_LOG_KEPT - MINUTE
    gone, kept = (receivers.send_test(webhook, now=now) for now in (old, timezone.now()))
    deliver()
    retention.forget(now=timezone.now())
    assert [each.pk for each in EventDelivery.objects.all()] == [kept.pk]
    assert gone.pk < kept.pk
