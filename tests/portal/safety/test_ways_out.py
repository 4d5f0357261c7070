"""No redirects to other sites, and no leaks of secret addresses."""

import logging

import pytest
from django.utils import timezone

from clinic.logs import HideSecrets
from tests.factories import CommunicationFactory

pytestmark = pytest.mark.django_db
ELSEWHERE = ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)")


@pytest.mark.parametrize("address", ELSEWHERE)
def test_no_redirect_to_another_site(client, ada, rana, schedule, visit, address):
    client.force_login(ada.user)
    led = [
        client.post("/near/", {"next": address, "forget": "1"}),
        client.post("/language/", {"language": "es", "next": address}),
        client.post("/language/", {"language": "es"}, headers={"referer": address}),
        client.get("/details/", {"next": address}),
        client.post("/accounts/logout/", {"next": address}),
        client.post(f"/accounts/login/?next={address}", {"login": ada.user.email, "password": "secret-password"}),
    ]
    client.force_login(rana)
    message = CommunicationFactory(appointment=visit, status="completed", sent=timezone.now())
    led += [
        client.post("/staff/calendar/choose/", {"next": address}),
        client.post(f"/staff/messages/{message.fhir_id}/again/", {"next": address}),
    ]
    assert [each.url for each in led if "evil" in each.url or "javascript" in each.url] == []


def test_no_secret_address_reaches_other_sites(client, link):
    assert client.get(link)["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("page", ["", "attend/", "move/"])
def test_no_secret_address_is_in_the_logs(client, link, caplog, page):
    caplog.handler.addFilter(HideSecrets())
    with caplog.at_level(logging.DEBUG):
        client.put(link + page)
    assert "Method Not Allowed (PUT): /v/.../" in caplog.text
    assert link.split("/")[2] not in caplog.text


@pytest.mark.parametrize(
    ("address", "logged"),
    [
        ("Not Found: /calendars/a-secret.ics", "Not Found: /calendars/..."),
        ("Not Found: /unsubscribe/a.secret/", "Not Found: /unsubscribe/.../"),
        ("Not Found: /calendars/12/revoke/", "Not Found: /calendars/12/revoke/"),
    ],
)
def test_patient_data_is_left_out_of_logs(address, logged):
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, "%s", (address,), None)
    assert HideSecrets().filter(record)
    assert record.getMessage() == logged
