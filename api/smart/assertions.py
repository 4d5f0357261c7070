"""Sign-in by key: https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html"""

import json
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK, JWKSet
from jwcrypto.jws import JWS
from oauth2_provider.models import Application

from clinic import http_client
from clinic.models import AppRegistration, UsedAssertion

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("RS384", "ES384")
LONGEST = timedelta(minutes=5)
MOST_CHARACTERS = 8192
MAX_AGE = re.compile(r"\bmax-age\s*=\s*(\d{1,9})")
FORGET = re.compile(r"\bno-(store|cache)\b")
KEPT = 300  # seconds, where the answer does not say for how long
LONGEST_KEPT = 86400

Json = dict[str, Any]


class Refused(Exception):
    """Error: the assertion is not valid. The message says why."""


def application_of(assertion: str, audience: str, now: datetime) -> Application:
    """Return the application that signed an assertion, which counts once. Raises Refused."""
    header, claims = _parts(assertion)
    application = _application(claims.get("iss"))
    _check_header(header, application.registration)
    _check_claims(claims, application.client_id, audience, now)
    _verify(assertion, header, application.registration)
    _use_once(application, claims, now)
    return application


def _parts(assertion: str) -> tuple[Json, Json]:
    """Return the header and claims of an assertion, not verified yet."""
    try:
        if len(assertion) > MOST_CHARACTERS:
            raise Refused("The assertion is too long.")
        token = JWS()
        token.deserialize(assertion)
        header, claims = token.jose_header, json.loads(token.objects["payload"])
    except (JWException, ValueError, TypeError, KeyError, RecursionError) as error:
        raise Refused("The assertion is no signed JWT.") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise Refused("The assertion is no signed JWT.")
    return header, claims


def _application(issuer: Any) -> Application:
    found = None
    if isinstance(issuer, str) and "\x00" not in issuer:
        signed = Application.objects.select_related("user", "registration").exclude(registration=None)
        found = signed.filter(client_id=issuer).first()
    if found is None or not found.registration.has_keys:
        raise Refused("The issuer is no software that is registered with keys.")
    return found


def _check_header(header: Json, registration: AppRegistration) -> None:
    if header.get("alg") not in ALGORITHMS:
        raise Refused(f"The algorithm is none of {', '.join(ALGORITHMS)}.")
    if header.get("typ", "JWT") != "JWT":
        raise Refused("The type is not JWT.")
    if not isinstance(header.get("kid"), str):
        raise Refused("The header names no key (kid).")
    if "jku" in header and header["jku"] != registration.jwks_url:
        raise Refused("The key set (jku) is not the one that is registered.")


def _check_claims(claims: Json, client_id: str, audience: str, now: datetime) -> None:
    if claims.get("sub") != client_id:
        raise Refused("The subject is not the issuer.")
    audiences = claims.get("aud")
    if audience not in (audiences if isinstance(audiences, list) else [audiences]):
        raise Refused(f"The audience is not {audience}.")
    expires = _instant(claims.get("exp"))
    if expires is None or expires <= now:
        raise Refused("The assertion has expired, or does not say when it does.")
    if expires > now + LONGEST:
        raise Refused("The assertion is good for more than five minutes.")
    begins = _instant(claims["nbf"]) if "nbf" in claims else now
    if begins is None or begins > now + LONGEST:
        raise Refused("The assertion does not count yet.")
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        raise Refused("The assertion has no id (jti).")


def _instant(seconds: Any) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _verify(assertion: str, header: Json, registration: AppRegistration) -> None:
    for key in _keys(registration, header["kid"]):
        token = JWS()
        token.allowed_algs = [header["alg"]]
        try:
            token.deserialize(assertion, key)
        except (JWException, ValueError, TypeError):
            continue
        return
    raise Refused("No registered key of that name (kid) has signed the assertion.")


def _keys(registration: AppRegistration, kid: str) -> list[JWK]:
    """Return the keys with this id. For an unknown id the key set is fetched again."""
    if not registration.jwks_url:
        return _named(json.dumps(registration.jwks), kid)
    kept = cache.get(_place(registration.jwks_url))
    return (_named(kept, kid) if kept else []) or _named(_fetched(registration.jwks_url), kid)


def _named(keys: str, kid: str) -> list[JWK]:
    try:
        return list(JWKSet.from_json(keys).get_keys(kid) or ())
    except (JWException, ValueError, TypeError, KeyError):
        raise Refused("The registered key set cannot be read.") from None


def _fetched(url: str) -> str:
    """Return the current key set, cached for no longer than it allows."""
    try:
        answer = http_client.request("GET", url, headers=[("Accept", "application/json")], reads=True)
        keys = answer.body.decode()
    except (http_client.NotAllowed, http_client.Unreachable, UnicodeDecodeError) as error:
        raise Refused(f"The registered key set could not be fetched: {error}") from error
    if answer.status != 200:
        raise Refused(f"The registered key set could not be fetched: status {answer.status}.")
    if seconds := _good_for(answer.headers.get("cache-control", "")):
        cache.set(_place(url), keys, seconds)
    return keys


def _good_for(cache_control: str) -> int:
    if FORGET.search(cache_control):
        return 0
    stated = MAX_AGE.search(cache_control)
    return min(int(stated[1]), LONGEST_KEPT) if stated else KEPT


def _place(url: str) -> str:
    return f"jwks:{sha256(url.encode()).hexdigest()}"


def _use_once(application: Application, claims: Json, now: datetime) -> None:
    """Store the assertion's id in the database, so that it counts once, whatever Redis forgets."""
    UsedAssertion.objects.filter(expires__lt=now).delete()
    digest = sha256(claims["jti"].encode("utf-8", "surrogatepass")).hexdigest()
    expires = datetime.fromtimestamp(claims["exp"], UTC)
    _, is_first = UsedAssertion.objects.get_or_create(
        application=application, digest=digest, defaults={"expires": expires}
    )
    if not is_first:
        raise Refused("The assertion was used before (jti).")
