"""Requests for subscriptions to topics that are refused or changed."""

import pytest

from clinic.models import Subscription
from tests.api.conftest import Api, texts
from tests.api.topic_subscriptions.notifications import BACKPORT, TOPIC, subscribed, subscription_to

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"criteria": f"{TOPIC}/appointment-forgotten"}, "Subscription.criteria"),
        ({"criteria": "https://other.example/SubscriptionTopic/appointment-booked"}, "Subscription.criteria"),
    ],
)
def test_an_unknown_topic_is_refused(api, change, at):
    answer = api.post("Subscription", subscription_to("appointment-booked", "https://a.example/") | change)
    assert (answer.status_code, answer.fhir["issue"][0]["expression"]) == (422, [at])
    assert f"{TOPIC}/appointment-booked" in texts(answer)


@pytest.mark.parametrize(
    ("options", "at"),
    [
        ({"filters": ["Appointment?status=booked"]}, "Subscription.criteria.extension"),
        ({"filters": ["Slot?schedule=a"]}, "Subscription.criteria.extension"),
        ({"content": "everything"}, "Subscription.channel.extension"),
        ({"heartbeat_period": 5}, "Subscription.channel.extension"),
        ({"timeout": 600}, "Subscription.channel.extension"),
        ({"max_count": 1000}, "Subscription.channel.extension"),
    ],
)
def test_unsupported_options_are_refused(api, options, at):
    filters = options.pop("filters", ())
    answer = api.post("Subscription", subscription_to("appointment-booked", "https://a.example/", *filters, **options))
    assert answer.status_code in (400, 422)
    assert answer.fhir["issue"][0]["expression"] == [at]


@pytest.mark.parametrize(
    "odd",
    [
        {"_criteria": None},
        {"_criteria": {"extension": [{"url": f"{BACKPORT}/backport-filter-criteria"}]}},
        {"_criteria": {"extension": [{"url": f"{BACKPORT}/backport-filter-criteria", "valueCode": "Appointment?"}]}},
        {"channel": None},
        {"channel": {"type": "rest-hook", "endpoint": "https://a.example/", "_payload": None}},
        {"channel": {"type": "rest-hook", "payload": "application/fhir+json", "extension": [{"url": TOPIC}]}},
        {"criteria": None},
        {"criteria": f"{TOPIC}/appointment-booked?patient=Patient/ada"},
        {"status": None},
    ],
)
def test_odd_bodies_are_refused_and_break_nothing(api, odd):
    answer = api.post("Subscription", subscription_to("appointment-booked", "https://a.example/") | odd)
    assert answer.status_code in (400, 422)


def test_a_patch_turns_a_subscription_off(api, receiver):
    reference = subscribed(api, receiver, "appointment-booked")
    answer = api.patch(reference, [{"op": "replace", "path": "/status", "value": "off"}])
    assert answer.fhir["status"] == "off"
    assert Subscription.objects.get().topic == "appointment-booked"


def test_a_topic_needs_a_payload(api):
    body = subscription_to("appointment-booked", "https://a.example/")
    del body["channel"]["payload"]
    assert api.post("Subscription", body).status_code == 400


def test_each_topic_is_declared_and_described_where_it_says():
    anybody = Api()
    declared = anybody.get("metadata").fhir["rest"][0]["resource"]
    (subscription,) = [each for each in declared if each["type"] == "Subscription"]
    canonicals = [each["valueCanonical"] for each in subscription["extension"]]
    assert {f"{TOPIC}/{topic}" for topic in ("appointment-booked", "slot-changed")} < set(canonicals)
    for canonical in canonicals:
        topic = anybody.get(f"SubscriptionTopic/{canonical.rpartition('/')[2]}").fhir
        assert topic["code"]["coding"][0]["code"] == "SubscriptionTopic"
        assert topic["extension"][0]["valueUri"] == canonical
    assert anybody.get("SubscriptionTopic/nothing").status_code == 404
