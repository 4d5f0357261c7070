"""An app that people sign in to, and its requests."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client
from oauth2_provider.models import Application

from tests.api.conftest import Api, application

BACK = "https://app.example.org/back"
BASE = "http://testserver/fhir/R4"
AUTHORIZE, DECIDE, TOKEN = "/oauth/authorize/", "/oauth/authorize/decide/", "/oauth/token/"
VERIFIER = "a-verifier-of-forty-three-characters-or-more-0"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
EVERYTHING = "patient/*.cruds user/*.cruds openid fhirUser profile offline_access online_access launch/patient"


class App:
    """A public client, registered for `scopes` at most."""

    def __init__(self, scopes: str = EVERYTHING, **fields: Any) -> None:
        self.application = application(
            scopes,
            **{
                "client_id": "app",
                "name": "Visit Buddy",
                "client_type": Application.CLIENT_PUBLIC,
                "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
                "redirect_uris": BACK,
                **fields,
            },
        )

    def request(self, scope: str = "patient/Appointment.rs", **changes: str | None) -> dict[str, str]:
        """Return the parameters of an authorization request; None leaves a parameter out."""
        query = {
            "response_type": "code",
            "client_id": self.application.client_id,
            "redirect_uri": BACK,
            "scope": scope,
            "state": "of-the-app",
            "aud": BASE,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in query.items() if value is not None}

    def ask(self, user: Any, scope: str = "patient/Appointment.rs", **changes: str | None) -> Any:
        """Return the consent page."""
        return browser(user).get(AUTHORIZE, self.request(scope, **changes))

    def decide(self, user: Any, scope: str, decision: str = "allow", may: Any = None, **changes: str | None) -> Any:
        """Return the redirect after the decision, or the page that asks again; `may` are the permissions left ticked,
        all unless named.
        """
        ticked = scope.split() if may is None else may
        client = browser(user)
        answer = client.post(DECIDE, {"decision": decision, "may": ticked}, query_params=self.request(scope, **changes))
        if answer.status_code == 302 and answer["Location"].startswith(DECIDE):
            return client.get(answer["Location"])
        return answer

    def code(self, user: Any, scope: str = "patient/Appointment.rs", **changes: str | None) -> str:
        return parameters(self.decide(user, scope, **changes))["code"]

    def exchange(self, code: str, **changes: str | None) -> Any:
        sent = {
            "grant_type": "authorization_code",
            "client_id": self.application.client_id,
            "redirect_uri": BACK,
            "code": code,
            "code_verifier": VERIFIER,
            **changes,
        }
        return Client().post(TOKEN, {name: value for name, value in sent.items() if value is not None})

    def refresh(self, token: str, **changes: str) -> Any:
        sent = {"grant_type": "refresh_token", "client_id": self.application.client_id, "refresh_token": token}
        return Client().post(TOKEN, {**sent, **changes})

    def token(self, user: Any, scope: str = "patient/Appointment.rs", **changes: str | None) -> dict[str, Any]:
        """Let the person agree, and exchange the code for a token."""
        return self.exchange(self.code(user, scope, **changes)).json()

    def api(self, user: Any, scope: str, **changes: str | None) -> Api:
        """Return a client of the API with the app's token for this person."""
        return Api(self.token(user, scope, **changes)["access_token"])


def browser(user: Any) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def parameters(response: Any) -> dict[str, str]:
    """Return the parameters of a redirect to the app."""
    assert response.status_code == 302, response.content.decode()
    assert response["Location"].startswith(BACK), response["Location"]
    return {name: values[0] for name, values in parse_qs(urlsplit(response["Location"]).query).items()}
