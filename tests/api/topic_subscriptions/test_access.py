"""Notifications go only to clients whose access lasts, with what they may read."""

import json

import pytest
from django.utils import timezone
from oauth2_provider.models import Application

from clinic.models import (
    AppRegistration,
    Notification,
    Subscription,
)
from scheduling import booking, subscriptions, tasks
from tests.api.conftest import api_with, texts
from tests.api.topic_subscriptions.notifications import (
    MINUTE,
    deliver,
    next_bundle,
    numbers_sent,
    status_in,
    subscribed,
    subscription_to,
)
from tests.factories import EncounterFactory
from tests.scheduling.situations import SOFTWARE

pytestmark = pytest.mark.django_db


def test_notifications_without_the_scope_to_read(receiver, visit):
    api = api_with("system/Subscription.cruds system/Appointment.rs")
    EncounterFactory(appointment=visit, patient=visit.patient)
    subscribed(api, receiver, "appointment-cancelled")
    booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    tasks.notify_subscribers()
    (told,) = status_in(next_bundle(receiver))["events"]
    assert "additional-context" not in told, "no scope to read Encounters"


@pytest.mark.parametrize("scope", ["system/Slot.rs", "system/Appointment.u", "system/Appointment.rs?status=booked"])
def test_a_subscription_that_could_never_notify_is_refused(scope):
    api = api_with(f"system/Subscription.cruds {scope}")
    refused = api.post("Subscription", subscription_to("appointment-booked", "https://a.example/"))
    assert (refused.status_code, texts(refused)) == (403, "The token has no scope to read Appointment resources.")
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("end", ["narrowed", "removed", "its owner may not sign in"])
def test_a_client_whose_access_has_ended_is_told_nothing_more(api, receiver, visit, ada, end):
    reference = subscribed(api, receiver, "appointment-cancelled", heartbeat_period=60)
    client = Application.objects.get(client_id="system")
    if end == "narrowed":
        AppRegistration.objects.update(scopes="system/Slot.rs system/Subscription.cruds")
    elif end == "removed":
        client.delete()
    else:
        client.user = ada.user
        client.save()
        ada.user.is_active = False
        ada.user.save()
    booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    tasks.notify_subscribers()
    later = timezone.now() + 2 * MINUTE
    subscriptions.maintain(now=later)
    deliver(later)
    told = [status_in(json.loads(each.body)) for each in receiver.all()]
    assert [each["type"] for each in told] == (["heartbeat"] if end == "narrowed" else [])
    subscription = Subscription.objects.get(fhir_id=reference.partition("/")[2])
    assert subscription.status == ("active" if end == "narrowed" else "error")


def test_planned_notifications_are_not_sent_after_access_ended(api, receiver, visit):
    subscribed(api, receiver, "appointment-cancelled")
    booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    assert subscriptions.collect_visits(now=timezone.now()) == 1
    AppRegistration.objects.update(scopes="system/Slot.rs")
    tasks.notify_subscribers()
    assert receiver.all() == []
    notification = Notification.objects.get(number=1)
    assert (notification.status, notification.error) == ("failed", "The subscriber may not see it any more.")


def test_events_of_visits_that_may_not_be_seen_are_not_listed(api, receiver, visit):
    reference = subscribed(api, receiver, "appointment-cancelled")
    booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    numbers_sent(receiver)
    narrower = api_with("system/Subscription.cruds system/Appointment.rs?status=booked")
    bundle = narrower.get(f"{reference}/$events").fhir
    assert status_in(bundle)["events"] == []
