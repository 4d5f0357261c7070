"""A small OpenID Connect provider, running for one test, with the settings that lead to it."""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from clinic.single_sign_on import SingleSignOn

CLIENT_ID, SECRET = "the-clinic", "the-secret-of-the-clinic"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider(ThreadingHTTPServer):
    """The authorization code flow with PKCE and a signed ID token, for whoever `claims` says is signed in there."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.claims: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.key = KEY
        self.requests: dict[str, dict[str, str]] = {}

    @cached_property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def sign_in(self, address: str) -> str:
        """Return the address to which the browser goes back that came to this one."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT_ID
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        code = f"code-{len(self.requests)}"
        self.requests[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def tokens(self, sent: dict[str, str]) -> dict[str, Any] | None:
        """Return the tokens for a code, which works once; None for a wrong one, or without its secrets."""
        asked = self.requests.pop(sent.get("code", ""), None)
        verifier = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if asked is None or sent.get("client_secret") != SECRET or challenge != asked["code_challenge"]:
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        token = jwt.encode({**claims, **self.claims}, self.key, algorithm="RS256", headers={"kid": "one"})
        return {"access_token": "an-access-token", "token_type": "Bearer", "expires_in": 300, "id_token": token}

    def answer(self, path: str, sent: dict[str, str]) -> Any:
        match path:
            case "/.well-known/openid-configuration":
                names = ("authorization", "token", "userinfo")
                addresses = {f"{name}_endpoint": f"{self.issuer}/{name}" for name in names}
                methods = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
                return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", **addresses, **methods}
            case "/keys":
                public = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
                return {"keys": [{**public, "kid": "one", "alg": "RS256", "use": "sig"}]}
            case "/token":
                return self.tokens(sent)
            case "/userinfo":
                return {"sub": self.claims.get("sub"), **self.userinfo}
        return None


class Handler(BaseHTTPRequestHandler):
    """The requests of the clinic's server to the provider."""

    server: Provider

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer({name: values[0] for name, values in parse_qs(body).items()})

    def _answer(self, sent: dict[str, str]) -> None:
        found = self.server.answer(urlsplit(self.path).path, sent)
        self.send_response(400 if found is None else 200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(found or {"error": "invalid_grant"}).encode())

    def log_message(self, *args: Any) -> None:
        """Print nothing."""


@contextmanager
def running(settings: Any, **more: Any) -> Iterator[Provider]:
    """Run the provider on a port of its own. `more` are other settings of single sign-on."""
    server = Provider()
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    fields = {"name": "Okta", "email_claim": "email", "proves_email": False, "is_second_step": False, **more}
    single_sign_on = SingleSignOn(issuer=server.issuer, client_id=CLIENT_ID, secret=SECRET, **fields)
    settings.SINGLE_SIGN_ON = single_sign_on
    settings.SOCIALACCOUNT_PROVIDERS = single_sign_on.providers
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
