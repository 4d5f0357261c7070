"""CDS Hooks client of the hook `appointment-book`: cards of decision services about a visit before it is booked.

https://cds-hooks.hl7.org/hooks/appointment-book. All services are asked at once, outside any transaction, and within
CDS_HOOKS_SECONDS. One that fails or is too slow has no cards: that is logged, and counted for Administration.
"""

import json
import logging
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from time import monotonic
from typing import Any

from django.conf import settings
from django.db.models import F
from django.db.models.signals import post_delete, post_save
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT

from clinic import http_client
from clinic.minute_cache import MinuteCache
from clinic.models import CdsService

Json = dict[str, Any]

HOOK = "appointment-book"
ALGORITHM = "RS384"
TOKEN_LASTS = timedelta(minutes=5)
KEYS_PATH = "/oauth/cds-hooks/jwks/"
CRITICAL = "critical"
LONGEST = 600  # characters of a card
MARKDOWN = re.compile(r"[*_#>`|]+")

logger = logging.getLogger(__name__)
_services: MinuteCache[tuple[CdsService, ...]] = MinuteCache()


class NoCards(Exception):
    """The response has no cards that can be read."""


@dataclass(frozen=True)
class Cards:
    """The texts of the cards that stop a booking, and of all others."""

    stopping: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()


NONE = Cards()


def services() -> tuple[CdsService, ...]:
    """Return the active services, which this process reads at most once a minute."""
    return _services.get(lambda: tuple(CdsService.objects.filter(active=True)))


def forget_services(**kwargs: object) -> None:
    """Clear the cached services."""
    _services.clear()


def watch_services() -> None:
    """Clear the cache when this process saves or deletes a service."""
    for signal in (post_save, post_delete):
        signal.connect(forget_services, sender="clinic.CdsService", dispatch_uid="scheduling.cds_hooks")


def ask(context: Json, records: Callable[[], Json], *, now: datetime) -> Cards:
    """Return the cards of all services about a visit. `records` reads the resources for services that get them."""
    asked = services()
    if not asked:
        return NONE
    prefetch = records() if any(service.sends_records for service in asked) else {}
    pool = ThreadPoolExecutor(len(asked), thread_name_prefix="cds-hooks")
    deadline = monotonic() + settings.CDS_HOOKS_SECONDS
    calls = [(each, pool.submit(_call, each, context, prefetch if each.sends_records else {}, now)) for each in asked]
    stopping: list[str] = []
    shown: list[str] = []
    for service, call in calls:
        for text, indicator in _outcome(service, call, deadline, now):
            (stopping if service.stops and indicator == CRITICAL else shown).append(text)
    pool.shutdown(wait=False, cancel_futures=True)
    return Cards(tuple(dict.fromkeys(stopping)), tuple(dict.fromkeys(shown)))


def public_keys() -> Json:
    """Return the JWK Set with which services verify our tokens; empty if no key is set."""
    key = _key()
    return {"keys": [{**key.export_public(as_dict=True), "kid": key.thumbprint(), "alg": ALGORITHM}] if key else []}


def _call(service: CdsService, context: Json, prefetch: Json, now: datetime) -> list[tuple[str, str]]:
    """Return the texts and indicators of one service's cards. It runs in a thread, without the database."""
    body: Json = {
        "hook": HOOK,
        "hookInstance": str(uuid.uuid4()),
        "fhirServer": f"{settings.SITE_URL}/{settings.FHIR_BASE_PATH}",
        "context": context,
        **({"prefetch": prefetch} if prefetch else {}),
    }
    headers = [
        ("Content-Type", "application/json"),
        ("Accept", "application/json"),
        ("Authorization", f"Bearer {_token(service, now)}"),
    ]
    response = http_client.request(
        "POST",
        service.url,
        headers=headers,
        content=json.dumps(body).encode(),
        reads=True,
        timeout=settings.CDS_HOOKS_SECONDS,
    )
    if response.status != 200:
        raise NoCards(f"The status is {response.status}.")
    return list(_read(response.body))


def _outcome(
    service: CdsService, call: "Future[list[tuple[str, str]]]", deadline: float, now: datetime
) -> Sequence[tuple[str, str]]:
    try:
        return call.result(max(0.0, deadline - monotonic()))
    except TooSlow:
        error = "No answer came in time."
    except (http_client.NotAllowed, http_client.Unreachable, NoCards) as failure:
        error = str(failure)
    except Exception as bug:  # whatever the response led to: the booking goes on
        logger.exception("Decision service %s", service.pk)
        error = type(bug).__name__
    logger.warning("Decision service %s has no cards: %s", service.pk, error)
    CdsService.objects.filter(pk=service.pk).update(failures=F("failures") + 1, last_error=error[:200], last_failed=now)
    return ()


def _read(body: bytes) -> Iterator[tuple[str, str]]:
    try:
        cards = json.loads(body)["cards"]
    except (ValueError, KeyError, TypeError):
        raise NoCards("The answer is not a CDS Hooks response.") from None
    if not isinstance(cards, list):
        raise NoCards("The answer is not a CDS Hooks response.")
    for card in cards:
        if not isinstance(card, Mapping) or not isinstance(card.get("summary"), str):
            raise NoCards("A card has no summary.")
        yield _text(card), str(card.get("indicator"))


def _text(card: Mapping[str, Any]) -> str:
    """Return the card in one line: its source, its summary, and its details without their markup."""
    source = card.get("source")
    label = source.get("label") if isinstance(source, Mapping) else None
    parts = (f"{label}:" if isinstance(label, str) else "", card["summary"], card.get("detail") or "")
    words = MARKDOWN.sub("", " ".join(part for part in parts if isinstance(part, str))).split()
    return " ".join(words)[:LONGEST]


def _token(service: CdsService, now: datetime) -> str:
    key = _key()
    if key is None:
        raise NoCards("OIDC_RSA_PRIVATE_KEY is not set, so that requests cannot be signed.")
    issued = int(now.timestamp())
    token = JWT(
        header={"alg": ALGORITHM, "typ": "JWT", "kid": key.thumbprint(), "jku": f"{settings.SITE_URL}{KEYS_PATH}"},
        claims={
            "iss": settings.SITE_URL,
            "aud": service.url,
            "iat": issued,
            "exp": issued + int(TOKEN_LASTS.total_seconds()),
            "jti": str(uuid.uuid4()),
        },
    )
    token.make_signed_token(key)
    return str(token.serialize())


def _key() -> JWK | None:
    return _read_key(settings.OIDC_RSA_PRIVATE_KEY)


@cache
def _read_key(pem: str) -> JWK | None:
    return JWK.from_pem(pem.encode()) if pem else None
