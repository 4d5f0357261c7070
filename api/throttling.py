"""Limits on requests to the API: so many a minute from one address, and so many by one client.

Requests are counted in the cache, for each minute of the clock. While Redis is away there is no limit.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import wraps
from hashlib import sha256
from http import HTTPStatus
from typing import Any, cast

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from api.outcomes import outcome
from scheduling.access import Caller
from scheduling.errors import Issue

WINDOW_SECONDS = 60
AWAY_SECONDS = 5  # for which a Redis that has failed is not asked, since each question may take half a second

View = Callable[..., HttpResponseBase]


class TooManyRequests(Throttled):
    """Refusal of a request that is over a limit; `wait` is the number of seconds until the next one is allowed."""

    wait: int
    extra_detail_singular = "Try again in {wait} second."
    extra_detail_plural = "Try again in {wait} seconds."


def check_address(request: Request | HttpRequest) -> None:
    """Count a request for the address that it comes from. Raises TooManyRequests."""
    if settings.API_REQUESTS_PER_ADDRESS:
        _count(
            f"address:{_address_of(request)}",
            settings.API_REQUESTS_PER_ADDRESS,
            "There are too many requests from this address.",
            timezone.now(),
        )


def check_client(caller: Caller) -> None:
    """Count a request for its client: software, a person, or a person's app. Raises TooManyRequests."""
    if settings.API_REQUESTS_PER_CLIENT:
        _count(
            caller.owner,
            settings.API_REQUESTS_PER_CLIENT,
            "There are too many requests from this client.",
            timezone.now(),
        )


def limit_address(view: View) -> View:
    """Decorate a plain view so that it answers 429 and an OperationOutcome where `check_address` refuses."""

    @wraps(view)
    def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            check_address(request)
        except TooManyRequests as error:
            body = outcome([Issue("throttled", str(error.detail))])
            return JsonResponse(
                body,
                status=HTTPStatus.TOO_MANY_REQUESTS,
                content_type="application/fhir+json",
                headers={"Retry-After": str(error.wait)},
            )
        return view(request, *args, **kwargs)

    return limited


def _address_of(request: Request | HttpRequest) -> str:
    """Return the address of the client, as the limits on signing in use it; empty if the web server has none."""
    with suppress(PermissionDenied):
        return str(get_adapter().get_client_ip(request))
    return ""


class _Redis:
    """The time until which this process does not ask Redis, by its own clock."""

    away_until = 0.0


_redis = _Redis()


def _count(name: str, limit: int, text: str, now: datetime) -> None:
    minute, second = divmod(int(now.timestamp()), WINDOW_SECONDS)
    if _requests(f"api-requests:{sha256(name.encode()).hexdigest()}:{minute}") > limit:
        raise TooManyRequests(WINDOW_SECONDS - second, text)


def _requests(key: str) -> int:
    """Return how many requests this key has counted, with this one; 0 while Redis is away."""
    if time.monotonic() < _redis.away_until:
        return 0
    count = _increment(key)
    if count is None:
        _redis.away_until = time.monotonic() + AWAY_SECONDS
    return count or 0


def _increment(key: str) -> int | None:
    with suppress(ValueError):  # it is the first
        return cast(int | None, cache.incr(key))
    cache.add(key, 0, WINDOW_SECONDS)
    return cast(int | None, cache.incr(key))
