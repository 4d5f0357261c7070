"""$status and $events of subscriptions to topics."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import AuditEvent
from scheduling import subscriptions
from tests.api.topic_subscriptions.notifications import (
    assert_notification,
    numbers_sent,
    status_in,
    subscribed,
    values_of,
)
from tests.scheduling.situations import book, monday, wish

pytestmark = pytest.mark.django_db


def test_the_status_of_subscriptions(api, receiver, service, chen, ada):
    reference = subscribed(api, receiver, "appointment-booked")
    subscribed(api, receiver, "appointment-moved")
    book(wish(service, chen, at=monday(10), patient=ada))
    numbers_sent(receiver)
    for answer in (api.get(f"{reference}/$status"), api.post(f"{reference}/$status")):
        (entry,) = answer.fhir["entry"]
        status = values_of(entry["resource"]["parameter"])
        assert (status["type"], status["status"], status["events-since-subscription-start"]) == (
            "query-status",
            "active",
            "1",
        )
    assert api.get("Subscription/$status").fhir["total"] == 2
    fhir_id = reference.partition("/")[2]
    assert api.get("Subscription/$status", {"id": fhir_id}).fhir["total"] == 1
    assert api.get("Subscription/$status", {"status": "off"}).fhir["total"] == 0
    assert api.get("Subscription/$status", {"status": "lost"}).status_code == 400
    assert api.get("Subscription/unknown/$status").status_code == 404


def test_events_are_listed_again(api, receiver, service, chen, ada):
    reference = subscribed(api, receiver, "appointment-booked")
    visits = [book(wish(service, chen, at=monday(hour), patient=ada)) for hour in (9, 10, 11)]
    numbers_sent(receiver)

    def listed(**query: Any) -> dict[str, Any]:
        bundle = api.get(f"{reference}/$events", query).fhir
        assert_notification(bundle)
        assert status_in(bundle)["type"] == "query-event"
        return bundle

    assert [event["event-number"] for event in status_in(listed())["events"]] == ["1", "2", "3"]
    bundle = listed(eventsSinceNumber=2, eventsUntilNumber=2, content="full-resource")
    (entry,) = bundle["entry"][1:]
    assert entry["resource"]["id"] == visits[1].fhir_id
    assert entry["fullUrl"] == f"http://testserver/fhir/R4/{visits[1].reference}"
    assert AuditEvent.objects.filter(subtype="events", patient=ada).count() == 1
    assert len(listed(content="empty")["entry"]) == 1
    parameters = [{"name": "eventsSinceNumber", "valueString": "3"}]
    posted = api.post(f"{reference}/$events", {"resourceType": "Parameters", "parameter": parameters}).fhir
    assert [event["event-number"] for event in status_in(posted)["events"]] == ["3"]
    assert api.get(f"{reference}/$events", {"content": "everything"}).status_code == 400


def test_the_number_of_statements_does_not_depend_on_the_number_of_events(api, receiver, service, chen, ada):
    reference = subscribed(api, receiver, "appointment-booked", max_count=100)
    planned, sent, listed = [], [], []
    for hours in ((9, 10), (11, 12, 13, 14)):
        for hour in hours:
            book(wish(service, chen, at=monday(hour), patient=ada))
        with CaptureQueriesContext(connection) as captured:
            assert subscriptions.collect_visits(now=timezone.now()) == len(hours)
        planned.append(len(captured))
        with CaptureQueriesContext(connection) as captured:
            assert subscriptions.deliver_next(now=timezone.now())
        sent.append(len(captured))
        with CaptureQueriesContext(connection) as captured:
            api.get(f"{reference}/$events", {"content": "full-resource"})
        listed.append(len(captured))
    assert [min(each) for each in (planned, sent, listed)] == [max(each) for each in (planned, sent, listed)]
