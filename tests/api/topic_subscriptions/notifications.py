"""Subscriptions to topics, and the notifications that reach their receiver."""

import json
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings as django_settings

from clinic.fhir import codes
from scheduling import subscriptions, tasks
from tests.api.conftest import Api, assert_fhir, texts
from tests.receiver import Receiver

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
TOPIC = f"{codes.OURS}/SubscriptionTopic"
SERVER = f"{django_settings.SITE_URL}/fhir/R4/"
MINUTE = timedelta(minutes=1)


def subscription_to(topic: str, endpoint: str, *filters: str, content: str = "", **channel: int) -> dict[str, Any]:
    """A Subscription to a topic; the numbers of `channel` are those of its extensions."""
    types = {"heartbeat_period": "valueUnsignedInt", "timeout": "valueUnsignedInt", "max_count": "valuePositiveInt"}
    body: dict[str, Any] = {
        "resourceType": "Subscription",
        "meta": {"profile": [f"{BACKPORT}/backport-subscription"]},
        "status": "requested",
        "reason": "To know of visits",
        "criteria": f"{TOPIC}/{topic}",
        "channel": {
            "type": "rest-hook",
            "endpoint": endpoint,
            "payload": "application/fhir+json",
            "header": ["X-Secret: ours"],
        },
    }
    if filters:
        extensions = [{"url": f"{BACKPORT}/backport-filter-criteria", "valueString": each} for each in filters]
        body["_criteria"] = {"extension": extensions}
    if content:
        body["channel"]["_payload"] = {
            "extension": [{"url": f"{BACKPORT}/backport-payload-content", "valueCode": content}]
        }
    if channel:
        body["channel"]["extension"] = [
            {"url": f"{BACKPORT}/backport-{name.replace('_', '-')}", types[name]: value}
            for name, value in channel.items()
        ]
    return body


def subscribed(api: Api, receiver: Receiver, topic: str, *filters: str, **options: Any) -> str:
    """Subscribe, answer the handshake, and return the reference of the Subscription."""
    answer = api.post("Subscription", subscription_to(topic, receiver.url, *filters, **options))
    assert answer.status_code == 201, texts(answer)
    tasks.notify_subscribers()
    assert kind_of(receiver) == "handshake"
    return f"Subscription/{answer.fhir['id']}"


def next_bundle(receiver: Receiver) -> dict[str, Any]:
    """The next notification, which must be a valid Bundle of the profile."""
    request = receiver.next()
    assert (request.headers["content-type"], request.headers["x-secret"]) == ("application/fhir+json", "ours")
    bundle = json.loads(request.body)
    assert_notification(bundle)
    return bundle


def assert_notification(bundle: dict[str, Any]) -> None:
    """Check a Bundle against the rules of backport-subscription-notification-r4."""
    assert_fhir(bundle)
    assert bundle["type"] == "history"
    assert bundle["meta"]["profile"] == [f"{BACKPORT}/backport-subscription-notification-r4"]
    first, *others = bundle["entry"]
    assert first["fullUrl"] == f"urn:uuid:{first['resource']['id']}"
    assert first["request"]["method"] == "GET"
    assert first["request"]["url"].endswith("/$status")
    assert first["resource"]["resourceType"] == "Parameters"
    assert first["resource"]["meta"]["profile"] == [f"{BACKPORT}/backport-subscription-status-r4"]
    names = [each["name"] for each in first["resource"]["parameter"]]
    for name in ("subscription", "topic", "status", "type", "events-since-subscription-start"):
        assert names.count(name) == 1
    for entry in others:
        assert entry.keys() >= {"fullUrl", "request", "response"}


def status_in(bundle: dict[str, Any]) -> dict[str, Any]:
    """The values of a notification's status, by name."""
    found: dict[str, Any] = defaultdict(list)
    for parameter in bundle["entry"][0]["resource"]["parameter"]:
        if parameter["name"] == "notification-event":
            found["events"].append(values_of(parameter["part"]))
        else:
            found |= values_of([parameter])
    return found


def values_of(parameters: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["name"]: value for each in parameters for name, value in each.items() if name.startswith("value")}


def kind_of(receiver: Receiver) -> str:
    return status_in(next_bundle(receiver))["type"]


def deliver(now: datetime) -> None:
    """Deliver what is due at this time."""
    while subscriptions.deliver_next(now=now):
        pass


def numbers_sent(receiver: Receiver) -> list[str]:
    """The numbers of the events that are delivered now."""
    tasks.notify_subscribers()
    bundles = [json.loads(request.body) for request in receiver.all()]
    return [event["event-number"] for bundle in bundles for event in status_in(bundle)["events"]]
