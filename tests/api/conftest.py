"""Clients of the API. Every response that they get must be valid FHIR."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from fhir.resources.R4B import get_fhir_model_class
from oauth2_provider.models import AccessToken, Application

from clinic.models import AppRegistration
from tests.factories import UserFactory

BASE = "/fhir/R4/"
SECRET = "a-secret-of-this-test"


def assert_fhir(resource: dict[str, Any]) -> None:
    """Check a resource, and every resource of a Bundle, against the definitions of FHIR R4."""
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)


class Api:
    """Requests below /fhir/R4/. Bodies are sent as JSON; every JSON response is checked."""

    def __init__(self, token: str = "", user: Any = None, **options: Any) -> None:
        self.client = Client(**options)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        if user is not None:
            self.client.force_login(user)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Any = None,
        content_type: str = "application/fhir+json",
        **headers: str,
    ) -> Any:
        """Send a request. Names of headers are Python's, such as `if_match`."""
        sent = body if isinstance(body, (bytes, str)) else b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.client.generic(
            method,
            path if path.startswith("/") else BASE + path,
            sent,
            content_type=content_type,
            headers={**self.headers, **named},
            query_params=query,
        )
        content = b"".join(response.streaming_content) if response.streaming else response.content
        if content and "json" in response["Content-Type"]:
            response.fhir = json.loads(content)
            assert_fhir(response.fhir)
        return response

    def get(self, path: str, query: Any = None, **headers: str) -> Any:
        return self.request("GET", path, query=query, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("PUT", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.request("DELETE", path, **headers)

    def patch(
        self, path: str, body: Any = None, media_type: str = "application/json-patch+json", **headers: str
    ) -> Any:
        return self.request("PATCH", path, body, content_type=media_type, **headers)


def application(scopes: str = "system/*.cruds", **fields: Any) -> Application:
    """Register software, for these scopes at most."""
    software = Application.objects.create(
        **{
            "client_id": "system",
            "client_secret": SECRET,
            "client_type": Application.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": Application.GRANT_CLIENT_CREDENTIALS,
            **fields,
        }
    )
    AppRegistration.objects.create(application=software, scopes=scopes)
    return software


def api_with(scopes: str = "system/*.cruds", *, expires: timedelta = timedelta(hours=1), **fields: Any) -> Api:
    """Software with a token for these scopes."""
    software = Application.objects.filter(client_id="system").first() or application(**fields)
    token = f"token-{AccessToken.objects.count()}"
    AccessToken.objects.create(token=token, application=software, expires=timezone.now() + expires, scope=scopes)
    return Api(token)


@pytest.fixture
def api(db: None) -> Api:
    """Software with all rights."""
    return api_with()


@pytest.fixture
def administrator(db: None) -> Api:
    return Api(user=UserFactory(is_staff=True, is_superuser=True))


def codes(response: Any) -> list[str]:
    """The issue types of an OperationOutcome."""
    return [issue["code"] for issue in response.fhir["issue"]]


def texts(response: Any) -> str:
    return " ".join(issue["details"]["text"] for issue in response.fhir["issue"])


def ids(response: Any) -> list[str]:
    """The resources that a search found."""
    entries: Iterable[Any] = response.fhir.get("entry", [])
    return [entry["resource"]["id"] for entry in entries if entry["search"]["mode"] == "match"]


def links(response: Any) -> dict[str, str]:
    """The addresses of a search's other pages, by their relation, such as next."""
    return {link["relation"]: link["url"].removeprefix("http://testserver") for link in response.fhir["link"]}
