"""Access tokens: https://www.rfc-editor.org/rfc/rfc6749#section-4.4 and rfc6750"""

import base64
from datetime import timedelta

import pytest
from django.test import Client

from tests.api.conftest import SECRET, Api, api_with, application, codes
from tests.factories import UserFactory

TOKEN = "/oauth/token/"
CREDENTIALS = {"grant_type": "client_credentials", "client_id": "system", "client_secret": SECRET}


def assert_login(response):
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert codes(response) == ["login"]


@pytest.fixture
def software(db):
    return application()


@pytest.mark.parametrize("basic", [False, True])
def test_a_token_is_given_for_client_credentials(software, basic):
    credentials = base64.b64encode(f"system:{SECRET}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"} if basic else {}
    body = {"grant_type": "client_credentials"} if basic else CREDENTIALS
    response = Client().post(TOKEN, body, headers=headers)
    token = response.json()
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert {**token, "access_token": ""} == {
        "access_token": "",
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "system/*.cruds",
    }
    assert Api(token["access_token"]).get("Patient").status_code == 200


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        ("system/Patient.rs system/Slot.s", True),
        ("system/*.cruds", True),
        ("system/Patient.", False),
        ("patient/Patient.rs", False),
        ("system/Patient.sr", False),
        ("openid", False),
        ("nonsense", False),
    ],
)
def test_software_asks_for_scopes_of_its_own(software, scope, granted):
    response = Client().post(TOKEN, {**CREDENTIALS, "scope": scope})
    if granted:
        assert response.json()["scope"] == scope
    else:
        assert (response.status_code, response.json()["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize("scope", ["system/*.cruds", "system/Patient.rs", "system/Slot.rsd"])
def test_software_gets_no_more_than_it_was_registered_for(db, scope):
    application("system/Slot.rs")
    response = Client().post(TOKEN, {**CREDENTIALS, "scope": scope})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_scope")


def test_software_that_was_registered_for_nothing_gets_nothing(db):
    application("")
    assert Client().post(TOKEN, CREDENTIALS).status_code == 400


@pytest.mark.parametrize(
    "wrong", [{"client_secret": "wrong"}, {"client_id": "nobody"}, {"client_secret": ""}, {"client_id": "\x00"}]
)
def test_wrong_credentials_are_refused(software, wrong):
    response = Client().post(TOKEN, {**CREDENTIALS, **wrong})
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("grant", ["password", "authorization_code", "nonsense"])
def test_other_grants_are_refused(software, grant):
    response = Client().post(TOKEN, {**CREDENTIALS, "grant_type": grant, "username": "x", "password": "x", "code": "x"})
    assert response.status_code == 400


@pytest.mark.parametrize("path", ["Patient", "Patient/1", "Slot?status=free", "Nothing", ""])
def test_without_a_token_there_is_nothing(db, path):
    assert_login(Api().get(path))
    assert_login(Api("nonsense").get(path))


def test_a_token_ends(db):
    assert_login(api_with(expires=timedelta(seconds=-1)).get("Patient"))


def test_a_revoked_token_is_none(software):
    token = Client().post(TOKEN, CREDENTIALS).json()["access_token"]
    credentials = {"client_id": "system", "client_secret": SECRET}
    assert Client().post("/oauth/revoke_token/", {**credentials, "token": token}).status_code == 200
    assert_login(Api(token).get("Patient"))


@pytest.mark.parametrize("owner", [{"is_demo": True}, {"is_active": False}])
def test_some_software_is_refused(db, owner):
    api = api_with(user=UserFactory(**owner))
    assert_login(api.get("Patient"))
    assert Client().post(TOKEN, CREDENTIALS).status_code == 401


def test_the_demos_software_needs_debug(db, settings):
    settings.DEMO = True
    assert api_with(user=UserFactory(is_demo=True)).get("Patient").status_code == 200
    assert Client().post(TOKEN, CREDENTIALS).status_code == 200


def test_a_signed_in_user_needs_no_token(ada):
    assert Api(user=ada.user).get(ada.reference).status_code == 200


def test_a_session_writes_only_with_the_csrf_token(db):
    administrator = UserFactory(is_superuser=True)
    api = Api(user=administrator, enforce_csrf_checks=True)
    assert api.get("Patient").status_code == 200
    response = api.post("Patient", {"resourceType": "Patient"})
    assert (response.status_code, codes(response)) == (403, ["forbidden"])


def test_a_token_costs_one_statement(db, django_assert_num_queries):
    api = api_with()
    with django_assert_num_queries(1):
        api.get("Nothing")
