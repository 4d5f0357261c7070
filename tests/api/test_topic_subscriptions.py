"""Topic-based Subscriptions: http://hl7.org/fhir/uv/subscriptions-backport/, with a real receiver."""

import json
import random
from collections import defaultdict
from copy import deepcopy
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from oauth2_provider.models import Application

from clinic.fhir import codes
from clinic.models import (
    Appointment,
    AppRegistration,
    AuditEvent,
    EventConsumer,
    Notification,
    ScheduleChange,
    Subscription,
    VisitEvent,
)
from scheduling import booking, subscriptions, tasks
from scheduling.booking import RescheduleRequest
from tests.api.conftest import Api, api_with, assert_fhir, texts
from tests.factories import (
    AppointmentFactory,
    EncounterFactory,
    LocationFactory,
    PatientFactory,
    RoleFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    UserFactory,
)
from tests.receiver import Receiver, receiving
from tests.scheduling.situations import SOFTWARE, book, monday, wish

pytestmark = pytest.mark.django_db

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
TOPIC = f"{codes.OURS}/SubscriptionTopic"
SERVER = f"{django_settings.SITE_URL}/fhir/R4/"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def receiver(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def service(db):
    return ServiceFactory(name="Check-up")


@pytest.fixture
def chen(service):
    """Dr Chen's schedule."""
    return ScheduleFactory(services=[service])


@pytest.fixture
def ada(db):
    return PatientFactory(given="Ada", family="Quinn", user=UserFactory())


@pytest.fixture
def visit(service, chen, ada):
    """A booked visit of Ada's."""
    return book(wish(service, chen, at=monday(10), patient=ada))


def wanted(topic: str, endpoint: str, *filters: str, content: str = "", **channel: int) -> dict[str, Any]:
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
    answer = api.post("Subscription", wanted(topic, receiver.url, *filters, **options))
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


def test_a_requested_subscription_is_active_once_its_endpoint_has_answered_the_handshake(api, receiver):
    answer = api.post("Subscription", wanted("appointment-booked", receiver.url))
    assert answer.fhir["status"] == "requested"
    tasks.notify_subscribers()
    bundle = next_bundle(receiver)
    status = status_in(bundle)
    assert status["subscription"] == {"reference": f"{SERVER}Subscription/{answer.fhir['id']}"}
    assert (status["type"], status["status"], status["topic"]) == (
        "handshake",
        "requested",
        f"{TOPIC}/appointment-booked",
    )
    assert (status["events-since-subscription-start"], len(bundle["entry"])) == ("0", 1)
    now = api.get(f"Subscription/{answer.fhir['id']}").fhir
    assert (now["status"], now["meta"]["versionId"]) == ("active", "2")
    tasks.notify_subscribers()
    assert receiver.all() == []


def test_a_booking_is_told_of_with_its_number_and_its_reference(api, receiver, service, chen, ada):
    reference = subscribed(api, receiver, "appointment-booked")
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    tasks.notify_subscribers()
    bundle = next_bundle(receiver)
    status = status_in(bundle)
    event = VisitEvent.objects.get()
    assert (status["type"], status["status"], status["events-since-subscription-start"]) == (
        "event-notification",
        "active",
        "1",
    )
    assert status["subscription"] == {"reference": f"{SERVER}{reference}"}
    (told,) = status["events"]
    assert (told["event-number"], told["focus"]) == ("1", {"reference": f"{SERVER}{visit.reference}"})
    assert told["timestamp"][:19] == event.occurred.isoformat()[:19]
    _, entry = bundle["entry"]
    assert entry == {
        "fullUrl": f"{SERVER}{visit.reference}",
        "request": {"method": "POST", "url": "Appointment"},
        "response": {"status": "201 Created"},
    }
    assert "Quinn" not in json.dumps(bundle)


def test_each_topic_tells_of_its_step_and_of_no_other(api, receiver, service, chen, ada):
    topics = ("booked", "moved", "cancelled", "arrived", "noshow", "fulfilled", "corrected")
    names = {subscribed(api, receiver, f"appointment-{topic}"): topic for topic in topics}
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    request = wish(service, chen, at=monday(11))
    moved = RescheduleRequest(offerings=request.offerings, start=request.start)
    booking.reschedule(visit.fhir_id, moved, caller=SOFTWARE, now=timezone.now())
    booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    for status in ("noshow", "arrived", "fulfilled", "booked"):
        Appointment.objects.filter(pk=visit.pk).update(status=status)
    tasks.notify_subscribers()
    told = [status_in(json.loads(each.body)) for each in receiver.all()]
    assert sorted(names[each["subscription"]["reference"].removeprefix(SERVER)] for each in told) == sorted(topics)
    assert all([event["event-number"] for event in each["events"]] == ["1"] for each in told)


@pytest.mark.parametrize(
    ("filters", "concerned"),
    [
        (["Appointment?patient=Patient/{ada}"], True),
        (["Appointment?patient={ada}"], True),
        (["Appointment?patient=Patient/other"], False),
        (["Encounter?patient=Patient/{ada}"], True),
        (["Appointment?practitioner=Practitioner/{person}"], True),
        (["Appointment?practitioner=PractitionerRole/{role}"], True),
        (["Appointment?practitioner=Practitioner/other"], False),
        (["Appointment?location=Location/{site}"], True),
        (["Appointment?location=Location/other"], False),
        (["Appointment?service=HealthcareService/{service}"], True),
        (["Appointment?service-type=https://codes.example|physio"], True),
        (["Appointment?service-type=physio,other"], True),
        (["Appointment?service-type=https://other.example|physio"], False),
        (["Appointment?patient={ada}&location=Location/other"], False),
        (["Appointment?patient={ada}", "Appointment?location=Location/{site}"], True),
        (["Appointment?patient={ada}", "Appointment?location=Location/other"], False),
    ],
)
def test_filters(api, receiver, ada, filters, concerned):
    role, site = RoleFactory(), LocationFactory()
    service = ServiceFactory(type=[{"coding": [{"system": "https://codes.example", "code": "physio"}]}])
    schedule = ScheduleFactory(actor=role, site=site, services=[service])
    named = {
        "ada": ada.fhir_id,
        "person": role.practitioner.fhir_id,
        "role": role.fhir_id,
        "site": site.fhir_id,
        "service": service.fhir_id,
    }
    subscribed(api, receiver, "appointment-booked", *(each.format(**named) for each in filters))
    book(wish(service, schedule, at=monday(10), patient=ada))
    assert numbers_sent(receiver) == (["1"] if concerned else [])


def test_an_empty_notification_names_no_resource(api, receiver, service, chen, ada):
    subscribed(api, receiver, "appointment-booked", content="empty")
    book(wish(service, chen, at=monday(10), patient=ada))
    tasks.notify_subscribers()
    bundle = next_bundle(receiver)
    assert len(bundle["entry"]) == 1
    (told,) = status_in(bundle)["events"]
    assert told.keys() == {"event-number", "timestamp"}


def test_a_full_notification_has_the_visit_and_its_encounter_and_is_audited(api, receiver, visit):
    reference = subscribed(api, receiver, "appointment-arrived", content="full-resource")
    booking.change_status(visit.fhir_id, "arrived", caller=SOFTWARE, now=visit.start)
    tasks.notify_subscribers()
    bundle = next_bundle(receiver)
    encounter = visit.encounters.get()
    (told,) = status_in(bundle)["events"]
    assert told["additional-context"] == {"reference": f"{SERVER}{encounter.reference}"}
    kinds = [(each["resource"]["resourceType"], each["resource"].get("status")) for each in bundle["entry"][1:]]
    assert kinds == [("Appointment", "arrived"), ("Encounter", "arrived")]
    assert bundle["entry"][1]["request"] == {"method": "PUT", "url": visit.reference}
    line = AuditEvent.objects.get(subtype="notification")
    assert (line.patient, line.client, line.query) == (visit.patient, "system", reference)


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
    refused = api.post("Subscription", wanted("appointment-booked", "https://a.example/"))
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
    reference = api.post("Subscription", wanted("appointment-booked", receiver.url)).fhir["id"]
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


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"criteria": f"{TOPIC}/appointment-forgotten"}, "Subscription.criteria"),
        ({"criteria": "https://other.example/SubscriptionTopic/appointment-booked"}, "Subscription.criteria"),
    ],
)
def test_an_unknown_topic_is_refused(api, change, at):
    answer = api.post("Subscription", wanted("appointment-booked", "https://a.example/") | change)
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
    answer = api.post("Subscription", wanted("appointment-booked", "https://a.example/", *filters, **options))
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
    answer = api.post("Subscription", wanted("appointment-booked", "https://a.example/") | odd)
    assert answer.status_code in (400, 422)


def test_a_patch_turns_a_subscription_off(api, receiver):
    reference = subscribed(api, receiver, "appointment-booked")
    answer = api.patch(reference, [{"op": "replace", "path": "/status", "value": "off"}])
    assert answer.fhir["status"] == "off"
    assert Subscription.objects.get().topic == "appointment-booked"


def test_a_topic_needs_a_payload(api):
    body = wanted("appointment-booked", "https://a.example/")
    del body["channel"]["payload"]
    assert api.post("Subscription", body).status_code == 400


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


def test_events_of_visits_that_may_not_be_seen_are_not_listed(api, receiver, visit):
    reference = subscribed(api, receiver, "appointment-cancelled")
    booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    numbers_sent(receiver)
    narrower = api_with("system/Subscription.cruds system/Appointment.rs?status=booked")
    bundle = narrower.get(f"{reference}/$events").fhir
    assert status_in(bundle)["events"] == []


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
