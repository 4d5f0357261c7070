"""Subscription by REST: https://hl7.org/fhir/R4/subscription.html, as Argonaut Scheduling profiles it."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from oauth2_provider.models import AccessToken

from clinic.models import Notification, PastVersion, ScheduleChange, Subscription
from clinic.models.subscription import encrypted_header
from scheduling import tasks
from tests.api.conftest import Api, api_with, application, codes, ids, texts
from tests.api.subscriptions import ENDPOINT, WANTED
from tests.factories import PractitionerFactory, ScheduleFactory, SlotFactory, SubscriptionFactory, UserFactory
from tests.receiver import receiving
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


def subscription_with(**channel):
    """A Subscription with another channel: None leaves an element out."""
    expected = {name: value for name, value in {**WANTED["channel"], **channel}.items() if value is not None}
    return {**WANTED, "channel": expected}


@pytest.fixture
def other(db) -> Api:
    """Other software."""
    software = application(client_id="other")
    expires = timezone.now() + timedelta(hours=1)
    AccessToken.objects.create(token="others", application=software, expires=expires, scope="system/*.cruds")
    return Api("others")


def test_a_requested_subscription_is_active_at_once_and_unchanged(api):
    answer = api.post("Subscription", WANTED)
    assert answer.status_code == 201
    assert answer.fhir["status"] == "active"
    for name in ("reason", "criteria", "_criteria"):
        assert answer.fhir[name] == WANTED[name]
    assert answer.fhir["channel"]["extension"] == WANTED["channel"]["extension"]
    assert answer.fhir["meta"]["profile"] == WANTED["meta"]["profile"]
    row = Subscription.objects.get()
    assert (row.client, row.user) == ("system", None)
    assert api.get(row.reference).fhir == answer.fhir


def test_the_values_of_headers_are_never_shown(api):
    answer = api.post("Subscription", WANTED)
    assert answer.fhir["channel"]["header"] == ["Authorization: (not shown)", "X-Clinic: (not shown)"]
    assert "very-secret" not in api.get("Subscription").content.decode()
    assert Subscription.objects.get().headers() == [
        ("Authorization", "Bearer very-secret"),
        ("X-Clinic", "Main: Street"),
    ]


def test_the_values_of_headers_lie_sealed_in_the_database_and_its_history(api):
    made = api.post("Subscription", WANTED).fhir
    api.put(f"Subscription/{made['id']}", made | {"reason": "Another one"})
    [header, _] = Subscription.objects.get().header
    assert header.startswith("Authorization: ")
    for kept in (header, json.dumps(PastVersion.objects.get().row)):
        assert "Authorization" in kept
        assert "very-secret" not in kept


def test_a_header_that_is_sent_again_as_it_was_changes_nothing(api):
    made = api.post("Subscription", WANTED).fhir
    again = api.put(f"Subscription/{made['id']}", made | {"channel": WANTED["channel"]})
    assert again.fhir["meta"]["versionId"] == "1"


def test_a_header_that_comes_back_as_it_was_shown_keeps_its_value(api):
    created = api.post("Subscription", WANTED).fhir
    created["reason"] = "Another one"
    created["channel"]["header"] = ["Authorization: (not shown)", "X-Clinic: Other"]
    answer = api.put(f"Subscription/{created['id']}", created)
    assert answer.status_code == 200
    assert Subscription.objects.get().headers() == [("Authorization", "Bearer very-secret"), ("X-Clinic", "Other")]


def test_a_header_with_an_unknown_value_is_refused(api):
    answer = api.post("Subscription", subscription_with(header=["Authorization: (not shown)"]))
    assert answer.status_code == 400
    assert answer.fhir["issue"][0]["expression"] == ["Subscription.channel.header[0]"]


@pytest.mark.parametrize(
    "header", ["no colon", "Host: other.example.org", "content-length: 7", "X: a\nY: b", ": x", "X: " + "y" * 4001]
)
def test_a_header_that_cannot_be_sent_is_refused(api, header):
    answer = api.post("Subscription", subscription_with(header=[header]))
    assert answer.status_code == 400
    assert answer.fhir["issue"][0]["expression"][0].startswith("Subscription.channel.header")


@pytest.mark.parametrize("kind", ["websocket", "email", "sms", "message"])
def test_other_channels_than_rest_hooks_are_refused(api, kind):
    answer = api.post("Subscription", subscription_with(type=kind))
    assert answer.status_code == 422
    assert "rest-hook" in texts(answer)


@pytest.mark.parametrize(
    "criteria",
    [
        "Appointment?patient=Patient/ada",
        "Patient?",
        "Slot?start=ge2026-01-01",
        "Slot?schedule.actor=Patient/ada",
        "Slot?schedule.actor=",
        "Slot?practitioner=Location/main",
        "Schedule?status=free",
        "slot?",
        "anything",
    ],
)
def test_unknown_criteria_are_refused_with_the_known_ones(api, criteria):
    answer = api.post("Subscription", {**WANTED, "criteria": criteria})
    assert answer.status_code == 422
    assert answer.fhir["issue"][0]["expression"] == ["Subscription.criteria"]


def test_a_status_that_no_slot_has_is_refused(api):
    assert api.post("Subscription", {**WANTED, "criteria": "Slot?status=empty"}).status_code == 400


@pytest.mark.parametrize(
    "endpoint", ["http://subscriber.example.org/", "https://10.0.0.1/", "https://u:p@subscriber.example.org/", "x"]
)
def test_an_endpoint_that_may_not_be_sent_to_is_refused(api, settings, endpoint):
    settings.OUTGOING_ALLOWED_HOSTS = []
    answer = api.post("Subscription", subscription_with(endpoint=endpoint))
    assert answer.status_code == 422
    assert answer.fhir["issue"][0]["expression"] == ["Subscription.channel.endpoint"]


@pytest.mark.parametrize("element", ["endpoint", "type"])
def test_a_channel_needs_a_type_and_an_endpoint(api, element):
    answer = api.post("Subscription", subscription_with(**{element: None}))
    assert answer.status_code == 400
    assert f"Subscription.channel.{element}" in texts(answer) + str(answer.fhir)


def test_another_payload_than_json_is_refused_and_none_is_fine(api):
    assert api.post("Subscription", subscription_with(payload="application/fhir+xml")).status_code == 422
    assert api.post("Subscription", subscription_with(payload=None)).status_code == 201


def test_a_client_sees_its_own_subscriptions_and_no_others(api, other):
    mine = api.post("Subscription", WANTED).fhir["id"]
    theirs = other.post("Subscription", WANTED).fhir["id"]
    assert ids(api.get("Subscription")) == [mine]
    assert ids(other.get("Subscription")) == [theirs]
    assert other.get(f"Subscription/{mine}").status_code == 404
    assert other.get("Subscription", {"_id": mine, "_summary": "count"}).fhir["total"] == 0


def test_a_client_changes_its_own_subscriptions_and_no_others(api, other):
    mine = api.post("Subscription", WANTED).fhir["id"]
    before = Subscription.objects.get()
    assert other.put(f"Subscription/{mine}", {**WANTED, "id": mine, "reason": "Mine now"}).status_code == 404
    assert other.request("DELETE", f"Subscription/{mine}").status_code == 204, "as of one that was never there"
    after = Subscription.objects.get()
    assert (after.reason, after.version, after.deleted_at) == (before.reason, 1, None)


def test_patients_and_staff_do_not_subscribe(chen, ada):
    for user in (ada.user, chen.user):
        assert Api(user=user, enforce_csrf_checks=False).post("Subscription", WANTED).status_code == 403


def test_an_administrator_sees_all_of_them(api, administrator):
    mine = api.post("Subscription", WANTED).fhir["id"]
    assert ids(administrator.get("Subscription")) == [mine]


def test_a_deleted_subscription_is_gone(api):
    mine = api.post("Subscription", WANTED).fhir["id"]
    assert api.request("DELETE", f"Subscription/{mine}").status_code == 204
    assert api.get(f"Subscription/{mine}").status_code == 410


def test_one_that_was_given_up_is_served_again_once_its_client_asks(api):
    body = api.post("Subscription", WANTED).fhir
    Subscription.objects.update(status="error", error="Given up", failures=8, version=2)
    failed = api.get(f"Subscription/{body['id']}").fhir
    assert (failed["status"], failed["error"]) == ("error", "Given up")

    answer = api.put(f"Subscription/{body['id']}", {**failed, "status": "requested"})

    assert answer.fhir["status"] == "active"
    assert "error" not in answer.fhir
    assert Subscription.objects.get().failures == 0


def test_it_can_be_turned_off_and_was_another_before(api):
    body = api.post("Subscription", WANTED).fhir
    assert api.put(f"Subscription/{body['id']}", {**body, "status": "off"}).fhir["status"] == "off"
    before = api.get(f"Subscription/{body['id']}/_history/1")
    assert before.fhir["status"] == "active"
    assert "very-secret" not in before.content.decode()


def test_searches_of_subscriptions(api):
    mine = api.post("Subscription", WANTED).fhir["id"]
    assert ids(api.get("Subscription", {"status": "active", "type": "rest-hook", "url": ENDPOINT})) == [mine]
    assert ids(api.get("Subscription", {"status": "off"})) == []


def test_from_a_subscription_by_rest_to_a_notification(api, settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    chen = PractitionerFactory(fhir_id="chen")
    schedule = ScheduleFactory(actor=chen)
    with receiving() as receiver:
        api.post("Subscription", subscription_with(endpoint=receiver.url))
        SlotFactory(schedule=schedule, start=monday(10))
        SlotFactory(start=monday(10))
        tasks.notify_subscribers()
        request = receiver.next()
    assert request.headers["authorization"] == "Bearer very-secret"
    assert schedule.fhir_id in request.body.decode()
    assert Notification.objects.count() == 1


def test_a_subscription_of_somebody_who_has_no_scope_is_refused():
    answer = api_with("system/Slot.rs").post("Subscription", WANTED)
    assert answer.status_code == 403
    assert codes(answer) == ["forbidden"]
    assert not ScheduleChange.objects.exists()


def test_secrets_are_in_no_line_of_the_administration(client):
    SubscriptionFactory(header=[encrypted_header("Authorization", "Bearer very-secret")])
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    row = Subscription.objects.get()
    for page in ("/admin/clinic/subscription/", f"/admin/clinic/subscription/{row.pk}/change/"):
        answer = client.get(page)
        assert answer.status_code == 200
        assert "very-secret" not in answer.text
