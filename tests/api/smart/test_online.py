"""Online access ends with the session: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#scopes-for-requesting-a-refresh-token"""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from clinic.models import AuditEvent, Launch
from tests.api.conftest import Api
from tests.api.smart.apps import DECIDE, browser

ONLINE = "patient/Appointment.rs online_access"


@pytest.fixture
def sign_in(app, ada):
    """Sign Ada in with another browser, and return it with a token that an app gets there."""

    def signed_in(scope=ONLINE):
        client = browser(ada.user)
        sent = {"decision": "allow", "may": scope.split()}
        decided = client.post(DECIDE, sent, query_params=app.request(scope))
        code = parse_qs(urlsplit(decided["Location"]).query)["code"][0]
        return client, app.exchange(code).json()

    return signed_in


@pytest.fixture
def is_good(app):
    """True if a token still works and can be renewed."""

    def good(token):
        opens = Api(token["access_token"]).get("Appointment").status_code == 200
        renews = app.refresh(token["refresh_token"]).status_code == 200
        assert opens == renews
        return opens

    return good


def test_it_lasts_while_they_are_signed_in(sign_in, is_good):
    _client, token = sign_in()
    assert is_good(token)


def test_it_ends_when_they_sign_out(sign_in, is_good, ada):
    client, token = sign_in()
    client.post("/accounts/logout/")
    assert not is_good(token)
    line = AuditEvent.objects.get(subtype="stop-app")
    assert (line.user, line.client, line.patient) == (ada.user, "app", ada)


def test_it_ends_after_the_token_was_renewed_too(app, sign_in, is_good):
    client, token = sign_in()
    renewed = app.refresh(token["refresh_token"]).json()
    client.post("/accounts/logout/")
    assert not is_good(renewed)


def test_signing_out_of_another_browser_does_not_end_it(sign_in, is_good):
    _here, token = sign_in()
    there, other = sign_in()
    there.post("/accounts/logout/")
    assert is_good(token)
    assert not is_good(other)


@pytest.mark.parametrize("scope", ["patient/Appointment.rs offline_access", f"{ONLINE} offline_access"])
def test_offline_access_outlives_signing_out(sign_in, is_good, scope):
    client, token = sign_in(scope)
    client.post("/accounts/logout/")
    assert is_good(token)


def test_a_new_password_ends_it_everywhere(sign_in, is_good, ada):
    ada.user.set_password("correct horse")
    ada.user.save()
    _there, token = sign_in()
    here, _other = sign_in()
    new = "battery staple"
    here.post("/accounts/password/change/", {"oldpassword": "correct horse", "password1": new, "password2": new})
    assert not is_good(token)


def test_online_access_ends_half_a_day_after_the_browser_closes(app, sign_in):
    _client, token = sign_in()
    Launch.objects.update(created=timezone.now() - timedelta(hours=12))
    assert app.refresh(token["refresh_token"]).json()["error"] == "invalid_grant"


def test_ended_access_is_not_listed(sign_in, ada):
    client, _token = sign_in()
    launch = Launch.objects.get()
    assert "Visit Buddy" in client.get("/apps/").content.decode()
    launch.access_token.expires = timezone.now()
    launch.access_token.save()
    Launch.objects.update(created=timezone.now() - timedelta(hours=12))
    assert "No app has access" in client.get("/apps/").content.decode()
