"""Standalone launch: https://hl7.org/fhir/smart-app-launch/app-launch.html"""

from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, Grant, RefreshToken

from clinic.models import AuditEvent, Launch
from tests.api.conftest import SECRET, Api
from tests.api.smart.apps import AUTHORIZE, BACK, BASE, CHALLENGE, VERIFIER, App, browser, parameters
from tests.factories import UserFactory

ALL = "launch/patient patient/Appointment.rs offline_access"


def error(response):
    assert response.status_code in (400, 401), response.content
    return response.json()["error"]


def test_an_app_is_given_a_token_for_the_patient(app, ada):
    answer = parameters(app.decide(ada.user, ALL))
    assert answer["state"] == "of-the-app"
    response = app.exchange(answer["code"])
    assert (response["Cache-Control"], response["Pragma"]) == ("no-store", "no-cache")
    token = response.json()
    assert {**token, "access_token": "", "refresh_token": ""} == {
        "access_token": "",
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": ALL,
        "patient": ada.fhir_id,
        "need_patient_banner": True,
        "refresh_token": "",
    }
    assert Api(token["access_token"]).get("Appointment").status_code == 200


def test_a_visitor_signs_in_first(app):
    response = Client().get(AUTHORIZE, app.request())
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=/oauth/authorize/")


def test_an_app_may_post_what_it_asks_for(app, ada):
    posted = Client(enforce_csrf_checks=True).post(AUTHORIZE, app.request())
    assert posted.status_code == 302
    assert browser(ada.user).get(posted["Location"]).status_code == 200


def test_the_decision_needs_the_csrf_token(app, ada):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada.user)
    response = client.post("/oauth/authorize/decide/", {"decision": "allow"}, query_params=app.request())
    assert response.status_code == 403


@pytest.mark.parametrize("aud", [BASE, f"{BASE}/"])
def test_the_audience_is_our_base(app, ada, aud):
    assert app.ask(ada.user, aud=aud).status_code == 200


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"aud": None}, "invalid_request"),
        ({"aud": "https://elsewhere.example.org/fhir"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "x" * 300}, "invalid_request"),
        ({"nonce": "x" * 300}, "invalid_request"),
        ({"response_type": "token"}, "unauthorized_client"),
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"scope": "patient/Appointment.sr"}, "invalid_scope"),
        ({"scope": "openid patient/Appointment.rs", "prompt": "none"}, "consent_required"),
    ],
)
def test_errors_are_returned_to_the_app(app, ada, changes, message):
    query = {"scope": "patient/Appointment.rs", **changes}
    for response in (app.ask(ada.user, **query), app.decide(ada.user, **query)):
        answer = parameters(response)
        assert (answer["error"], answer["state"]) == (message, "of-the-app")
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"client_id": "\x00"},
        {"client_id": None},
        {"redirect_uri": "https://evil.example.org/back"},
        {"redirect_uri": f"{BACK}/more"},
        {"redirect_uri": f"{BACK}?and=more"},
    ],
)
def test_an_unregistered_redirect_is_refused(app, ada, changes):
    response = app.ask(ada.user, **changes)
    assert response.status_code == 400
    assert "This app cannot be given access" in response.content.decode()


def test_a_refusal_gives_no_token(app, ada):
    assert parameters(app.decide(ada.user, ALL, decision="deny")) == {
        "error": "access_denied",
        "state": "of-the-app",
    }
    assert not Launch.objects.exists()


def test_an_unticked_scope_is_not_granted(app, ada):
    scope = "launch/patient patient/Appointment.rs patient/Coverage.rs offline_access"
    code = parameters(app.decide(ada.user, scope, may=["patient/Appointment.rs"]))["code"]
    token = app.exchange(code).json()
    assert token["scope"] == "launch/patient patient/Appointment.rs"
    assert "refresh_token" not in token


def test_more_than_was_asked_for_cannot_be_ticked(app, ada):
    code = parameters(app.decide(ada.user, "patient/Appointment.rs", may=["patient/Appointment.rs user/*.cruds"]))
    assert app.exchange(code["code"]).json()["scope"] == "patient/Appointment.rs"


def test_consent_lists_registered_scopes_only(ada):
    app = App("patient/Appointment.rs")
    page = app.ask(ada.user, "patient/*.cruds offline_access").content.decode()
    assert "Keep access" not in page
    scope = "patient/*.cruds offline_access"
    token = app.exchange(parameters(app.decide(ada.user, scope, may=["patient/Appointment.rs"]))["code"]).json()
    assert token["scope"] == "patient/Appointment.rs"
    assert "refresh_token" not in token


def test_a_carer_of_several_patients_chooses_one(app, ada, leo):
    page = app.ask(ada.user).content.decode()
    assert "Who will you use Visit Buddy for?" in page
    assert app.token(ada.user, whose=leo.fhir_id)["patient"] == leo.fhir_id


def test_another_users_patient_cannot_be_chosen(app, ada, leo, bo):
    assert "Who will you use" in app.ask(ada.user, whose=bo.fhir_id).content.decode()
    response = app.decide(ada.user, "patient/Appointment.rs", whose=bo.fhir_id)
    assert response["Location"].startswith("/oauth/authorize/?")
    assert not Launch.objects.exists()


def test_staff_allow_what_they_do_at_work(app, rana):
    scope = "user/Appointment.rs patient/Appointment.rs launch/patient"
    token = app.token(rana, scope)
    assert token["scope"] == "user/Appointment.rs"
    assert "patient" not in token


def test_a_code_counts_once_and_coming_again_ends_what_it_gave(app, ada):
    code = app.code(ada.user, ALL)
    token = app.exchange(code).json()
    assert error(app.exchange(code)) == "invalid_grant"
    assert Api(token["access_token"]).get("Appointment").status_code == 401
    assert error(app.refresh(token["refresh_token"])) == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": VERIFIER[::-1]}, "invalid_grant"),
        ({"code_verifier": CHALLENGE}, "invalid_grant"),
        ({"redirect_uri": "https://evil.example.org/back"}, "invalid_request"),
        ({"client_id": "system"}, "invalid_client"),
    ],
)
def test_a_code_is_exchanged_only_by_who_it_is_for(app, ada, changes, message):
    assert error(app.exchange(app.code(ada.user), **changes)) == message


@pytest.mark.parametrize("code", ["guessed", "\x00", "x" * 1000])
def test_a_code_that_was_not_given_is_worth_nothing(app, code):
    assert error(app.exchange(code)) == "invalid_grant"


def test_a_code_is_over_after_a_minute(app, ada):
    code = app.code(ada.user)
    Grant.objects.update(expires=timezone.now())
    assert error(app.exchange(code)) == "invalid_grant"


def test_a_confidential_app_needs_its_secret(ada):
    app = App(client_type="confidential")
    code = app.code(ada.user)
    assert error(app.exchange(code)) == "invalid_client"
    assert error(app.exchange(code, client_secret="wrong")) == "invalid_client"
    assert app.exchange(code, client_secret=SECRET).status_code == 200


def test_access_is_not_lasting_by_default(app, ada):
    assert "refresh_token" not in app.token(ada.user)


def test_tokens_are_renewed_for_the_same_patient(app, ada, leo, visits):
    first = app.token(ada.user, ALL, whose=leo.fhir_id)
    second = app.refresh(first["refresh_token"]).json()
    assert (second["patient"], second["scope"]) == (leo.fhir_id, ALL)
    assert Api(first["access_token"]).get("Appointment").status_code == 401
    assert Api(second["access_token"]).get("Appointment").fhir["total"] == 1
    assert app.refresh(second["refresh_token"]).json()["patient"] == leo.fhir_id


def test_a_refresh_token_that_comes_twice_ends_them_all(app, ada):
    first = app.token(ada.user, ALL)
    second = app.refresh(first["refresh_token"]).json()
    assert error(app.refresh(first["refresh_token"])) == "invalid_grant"
    assert Api(second["access_token"]).get("Appointment").status_code == 401
    assert error(app.refresh(second["refresh_token"])) == "invalid_grant"


def test_a_renewed_token_may_do_less_and_never_more(app, ada):
    first = app.token(ada.user, "patient/Appointment.rs patient/Coverage.rs offline_access")
    assert error(app.refresh(first["refresh_token"], scope="patient/*.cruds")) == "invalid_scope"
    less = app.refresh(first["refresh_token"], scope="patient/Appointment.rs").json()
    assert less["scope"] == "patient/Appointment.rs"
    assert Api(less["access_token"]).get("Coverage").status_code == 403


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("patient/Appointment.s", True),
        ("patient/Appointment.read", True),
        ("patient/Appointment.rs?status=booked offline_access", True),
        ("patient/Appointment.s patient/Coverage.rs", True),
        ("patient/Appointment.cs", False),
        ("patient/*.s", False),
        ("user/Appointment.s", False),
        ("patient/Appointment.s openid", False),
    ],
)
def test_less_may_be_said_in_other_words(app, ada, scope, allowed):
    """A renewed token has only granted scopes: https://www.rfc-editor.org/rfc/rfc6749#section-6"""
    first = app.token(ada.user, "patient/Appointment.rs patient/Coverage.rs offline_access")
    answer = app.refresh(first["refresh_token"], scope=scope)
    if not allowed:
        assert error(answer) == "invalid_scope"
        return
    less = answer.json()
    assert less["scope"] == scope
    assert Api(less["access_token"]).get("Appointment").status_code == 200
    whole = app.refresh(less["refresh_token"]).json()
    assert whole["scope"] == "patient/Appointment.rs patient/Coverage.rs offline_access"


def test_access_that_is_not_used_ends(app, ada):
    token = app.token(ada.user, ALL)
    AccessToken.objects.update(expires=timezone.now() - timedelta(days=91))
    assert error(app.refresh(token["refresh_token"])) == "invalid_grant"


def test_an_app_gives_its_access_back(app, ada):
    token = app.token(ada.user, ALL)
    Client().post("/oauth/revoke_token/", {"client_id": "app", "token": token["refresh_token"]})
    assert Api(token["access_token"]).get("Appointment").status_code == 401
    assert error(app.refresh(token["refresh_token"])) == "invalid_grant"


def test_a_deactivated_users_apps_have_no_access(app, ada):
    token = app.token(ada.user, ALL)
    ada.user.is_active = False
    ada.user.save()
    assert Api(token["access_token"]).get("Appointment").status_code == 401
    assert error(app.refresh(token["refresh_token"])) == "invalid_grant"


def test_tokens_are_not_kept_as_they_are(app, ada):
    token = app.token(ada.user, ALL)
    kept = [*AccessToken.objects.values_list("token", flat=True), *RefreshToken.objects.values_list("token", flat=True)]
    assert set(kept) == {""}
    assert token["access_token"]


def test_it_is_written_down_who_let_whom_in(app, ada):
    app.token(ada.user)
    line = AuditEvent.objects.get(subtype="let-app-in")
    assert (line.user, line.client, line.patient) == (ada.user, "app", ada)


def test_prompt_none_fails_for_a_visitor(app):
    answer = parameters(app.ask(None, "openid patient/Appointment.rs", prompt="none"))
    assert answer["error"] == "login_required"


@pytest.mark.parametrize("query", [{"prompt": "login"}, {"prompt": "login consent"}, {"max_age": "0"}])
def test_an_app_may_have_people_prove_once_more_who_they_are(app, ada, query):
    ada.user.set_password("correct horse")
    ada.user.save()
    client = browser(ada.user)
    again = client.get(AUTHORIZE, app.request(**query))
    assert again["Location"].startswith("/accounts/reauthenticate/?next=")
    before = ada.user.last_login
    back = client.post(again["Location"], {"password": "correct horse"})
    assert "Give Visit Buddy access?" in client.get(back["Location"]).content.decode()
    ada.user.refresh_from_db()
    assert ada.user.last_login > before


def test_an_app_may_say_who_is_to_sign_in(app):
    client = browser(None)
    response = client.get(AUTHORIZE, app.request(login_hint="ada@example.org"))
    assert 'value="ada@example.org"' in client.get(response["Location"]).content.decode()


def test_a_fresh_sign_in_satisfies_prompt_login(app):
    response = app.ask(None, prompt="login")
    assert response["Location"].startswith("/accounts/login/?next=")
    assert "prompt" not in response["Location"]


def test_a_recent_sign_in_satisfies_max_age(app, ada):
    ada.user.set_password("correct horse")
    ada.user.save()
    client = Client()
    client.post("/accounts/login/", {"login": ada.user.email, "password": "correct horse"})
    for lately_enough in ("600", "9" * 5000, "soon"):
        assert client.get(AUTHORIZE, app.request(max_age=lately_enough)).status_code == 200


@pytest.mark.parametrize(
    "back", ["com.example.app:/callback", "http://127.0.0.1:51004/callback", "http://[::1]:5/callback"]
)
def test_native_apps_are_let_in_at_their_own_addresses(ada, back):
    """https://www.rfc-editor.org/rfc/rfc8252#section-7"""
    app = App(redirect_uris="com.example.app:/callback http://127.0.0.1/callback http://[::1]/callback")
    page = app.ask(ada.user, redirect_uri=back)
    assert "You go back to the app on this device." in page.content.decode()
    decided = app.decide(ada.user, "patient/Appointment.rs", redirect_uri=back)
    address, _question, query = decided["Location"].partition("?")
    assert address == back
    code = parse_qs(query)["code"][0]
    assert app.exchange(code, redirect_uri=back).status_code == 200


@pytest.mark.parametrize("back", ["com.example.app:/other", "com.example.app:callback", "com.example.other:/callback"])
def test_an_address_of_a_native_app_is_exact(ada, back):
    assert App(redirect_uris="com.example.app:/callback").ask(ada.user, redirect_uri=back).status_code == 400


@pytest.mark.parametrize(
    ("back", "source"),
    [
        ("com.example.app:/callback", "com.example.app:"),
        ("http://127.0.0.1:51004/callback", "http://127.0.0.1:51004"),
        ("http://[::1]:51004/callback", "http:"),
    ],
)
def test_the_page_may_lead_on_to_the_app(ada, back, source):
    policy = App(redirect_uris=back).ask(ada.user, redirect_uri=back)["Content-Security-Policy"]
    assert f"form-action 'self' {source};" in policy


def test_a_user_without_a_record_enters_their_details_first(app):
    response = app.ask(UserFactory())
    assert response["Location"].startswith("/details/?next=")
