"""Retention periods of stored data."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from oauth2_provider.models import AccessToken

from clinic import retention
from clinic.models import AuditEvent, IdempotencyKey, Launch, Location, Notification, PastVersion, UsedAssertion
from scheduling import tasks
from tests.factories import ApplicationFactory, AuditEventFactory, LocationFactory, NotificationFactory, UserFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DAY = timedelta(days=1)


@pytest.fixture
def app():
    return ApplicationFactory(user=UserFactory())


def audit_event(at, app):
    AuditEventFactory(recorded=at)


def idempotency_key(at, app):
    IdempotencyKey.objects.create(owner="app", key=str(at), fingerprint="", created=at)


def notification(at, app):
    NotificationFactory(status="sent", created=at, due=at)


def used_assertion(at, app):
    UsedAssertion.objects.create(application=app, digest=str(at), expires=at)


def session(at, app):
    Session.objects.create(session_key=str(at), session_data="", expire_date=at)


def launch(at, app):
    Launch.objects.create(application=app, user=app.user, code_digest=str(at), created=at, last_used=at)


@pytest.mark.parametrize(
    ("make", "model", "kept"),
    [
        (audit_event, AuditEvent, "AUDIT_KEPT"),
        (idempotency_key, IdempotencyKey, "IDEMPOTENCY_KEYS_KEPT"),
        (notification, Notification, "DELIVERY_LOG_KEPT"),
        (launch, Launch, "APPS_FORGOTTEN_AFTER"),
        (used_assertion, UsedAssertion, None),
        (session, Session, None),
    ],
)
def test_each_is_kept_for_as_long_as_its_setting_or_its_end_says(make, model, kept, app, settings):
    over = NOW - (getattr(settings, kept) if kept else timedelta())
    make(over - timedelta(minutes=1), app)
    make(over + timedelta(minutes=1), app)
    last = model.objects.order_by("pk").last()
    retention.forget(now=NOW)
    assert list(model.objects.all()) == [last]


def test_a_past_version_is_kept_from_when_it_was_replaced(settings):
    for _ in range(2):
        site = LocationFactory()
        Location.objects.filter(pk=site.pk).update(version=2, last_updated=NOW)
    PastVersion.objects.update(last_updated=NOW - settings.HISTORY_KEPT - DAY)
    retention.forget(now=NOW)
    assert PastVersion.objects.count() == 2
    PastVersion.objects.filter(row_id=site.pk).update(replaced=NOW - settings.HISTORY_KEPT - DAY)
    retention.forget(now=NOW)
    assert PastVersion.objects.get().row_id != site.pk


def test_a_waiting_message_is_kept(settings):
    NotificationFactory(status="waiting", created=NOW - settings.DELIVERY_LOG_KEPT - DAY)
    retention.forget(now=NOW)
    assert Notification.objects.exists()


def test_much_of_it_goes_in_small_steps(monkeypatch, app):
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "BATCHES", 2)
    for number in range(5):
        idempotency_key(NOW - (7 - number) * DAY, app)
    retention.forget(now=NOW)
    assert IdempotencyKey.objects.get().created == NOW - 3 * DAY
    retention.forget(now=NOW)
    assert not IdempotencyKey.objects.exists()


def test_the_workers_do_it_and_forget_tokens_that_are_over(app):
    for days in (-1, 1):
        expires = timezone.now() + days * DAY
        AccessToken.objects.create(application=app, token=str(days), token_checksum=str(days), expires=expires)
    tasks.forget()
    assert AccessToken.objects.get().token == "1"
