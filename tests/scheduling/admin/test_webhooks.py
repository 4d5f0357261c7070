"""Webhooks are registered in Administration, which shows their log and sends again what was missed."""

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.encryption import decrypt
from clinic.models import AuditEvent, EventConsumer, EventDelivery, EventReceiver
from clinic.models.receivers import WEBHOOK_SECRET
from scheduling import receivers
from tests.clinic.admin.pages import errors, url
from tests.receiver import receiving
from tests.scheduling.situations import book, monday, wish
from tests.webhook_verification import is_signed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def this_machine_is_trusted(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]


@pytest.fixture
def endpoint():
    with receiving() as endpoint:
        yield endpoint


def fields(endpoint_url, **more):
    return {"name": "Billing", "url": endpoint_url, "kinds": ["booked", "moved"], "active": "on", **more}


def register(desk, endpoint):
    return desk.post(url(EventReceiver, "add"), fields(endpoint.url, _continue="1"), follow=True)


def change(desk, webhook, **more):
    return desk.post(url(EventReceiver, "change", webhook.pk), fields(webhook.url, **more), follow=True)


def secrets_of(webhook):
    return [decrypt(secret, WEBHOOK_SECRET) for secret in (webhook.secret, webhook.former_secret) if secret]


def deliver():
    receivers.collect(now=timezone.now())
    while receivers.deliver_next(now=timezone.now()):
        pass


def test_the_secret_is_shown_once_and_stored_encrypted(desk, endpoint):
    page = register(desk, endpoint)
    webhook = EventReceiver.objects.get()
    [secret] = secrets_of(webhook)
    assert secret.startswith("whsec_")
    assertContains(page, secret)
    assertNotContains(desk.get(url(EventReceiver, "change", webhook.pk)), secret)
    assert secret not in webhook.secret
    assert (webhook.kinds, EventConsumer.objects.count()) == (["booked", "moved"], 1)


def test_a_test_event_is_sent_and_logged(desk, endpoint):
    register(desk, endpoint)
    webhook = EventReceiver.objects.get()
    assertContains(change(desk, webhook, _test="1"), "A test event is sent now")
    deliver()
    request = endpoint.next()
    assert is_signed(request.body, request.headers, secrets_of(webhook)[0])
    log = desk.get(url(EventDelivery, "changelist"), {"receiver__id__exact": webhook.pk})
    assertContains(log, "webhook.test")
    assertContains(log, "200")


def test_a_new_secret_leaves_the_old_one_a_day(desk, endpoint):
    register(desk, endpoint)
    webhook = EventReceiver.objects.get()
    [old] = secrets_of(webhook)
    page = change(desk, webhook, _new_secret="1")
    webhook.refresh_from_db()
    new, former = secrets_of(webhook)
    assert former == old != new
    assertContains(page, new)


def test_a_failed_event_is_sent_again_from_the_log(desk, endpoint, service, chen, ada):
    register(desk, endpoint)
    endpoint.answers = [500]
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    deliver()
    EventDelivery.objects.update(status="failed")
    EventReceiver.objects.update(due=timezone.now())
    log = desk.get(url(EventDelivery, "changelist"))
    assertContains(log, "The endpoint answered 500.")
    assertContains(log, f"/admin/clinic/appointment/{visit.pk}/change/")
    sent = EventDelivery.objects.get()
    again = {"action": "send_again", "_selected_action": sent.pk}
    assertContains(desk.post(url(EventDelivery, "changelist"), again, follow=True), "1 is sent again.")
    deliver()
    sent.refresh_from_db()
    assert (sent.status, len(endpoint.all())) == ("sent", 2)
    assertContains(desk.get(url(EventDelivery, "change", sent.pk)), visit.reference)
    assert AuditEvent.objects.filter(patient=ada, subtype="read").exists(), "whose data was shown is written down"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://billing.example/hook", "The address must begin with https://."),
        ("https://10.0.0.7/hook", "The address is of a private network."),
        ("https://user:secret@billing.example/", "An address carries no user and password: use a header."),
    ],
)
def test_an_address_that_is_never_called_is_refused(desk, address, words):
    assert words in errors(desk.post(url(EventReceiver, "add"), fields(address)))
    assert not EventReceiver.objects.exists()


def test_events_have_to_be_chosen(desk, endpoint):
    assert errors(desk.post(url(EventReceiver, "add"), fields(endpoint.url, kinds=[])))


def test_the_feed_is_left_with_the_last_webhook(desk, endpoint):
    register(desk, endpoint)
    webhook = EventReceiver.objects.get()
    change(desk, webhook, active="")
    assert not EventConsumer.objects.exists()
    EventReceiver.objects.update(error="Turned off after 8 failures in a row", failures=8)
    change(desk, webhook)
    webhook.refresh_from_db()
    assert (webhook.active, webhook.error, webhook.failures, EventConsumer.objects.count()) == (True, "", 0, 1)
    desk.post(url(EventReceiver, "delete", webhook.pk), {"post": "yes"})
    assert not EventConsumer.objects.exists()


def test_a_plugin_that_is_told_of_visits_can_only_be_turned_off(desk):
    plugin = EventReceiver.objects.create(name="billing-bot", plugin="billing-bot", kinds=["booked"])
    page = desk.get(url(EventReceiver, "change", plugin.pk))
    assertNotContains(page, "Make a new secret")
    assertNotContains(page, 'name="url"')
    desk.post(url(EventReceiver, "change", plugin.pk), {})
    plugin.refresh_from_db()
    assert (plugin.active, plugin.kinds) == (False, ["booked"])
