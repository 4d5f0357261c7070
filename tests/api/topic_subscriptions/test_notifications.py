"""Notifications of topics: https://hl7.org/fhir/uv/subscriptions-backport/, with a real receiver."""

import json

import pytest
from django.utils import timezone

from clinic.models import (
    Appointment,
    AuditEvent,
    VisitEvent,
)
from scheduling import booking, tasks
from scheduling.booking import RescheduleRequest
from tests.api.topic_subscriptions.notifications import (
    SERVER,
    TOPIC,
    next_bundle,
    numbers_sent,
    status_in,
    subscribed,
    subscription_to,
)
from tests.factories import (
    LocationFactory,
    RoleFactory,
    ScheduleFactory,
    ServiceFactory,
)
from tests.scheduling.situations import SOFTWARE, book, monday, wish

pytestmark = pytest.mark.django_db


def test_a_requested_subscription_is_active_once_its_endpoint_has_answered_the_handshake(api, receiver):
    answer = api.post("Subscription", subscription_to("appointment-booked", receiver.url))
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
