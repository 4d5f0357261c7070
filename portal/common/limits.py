"""Rate limits for actions such as holding a time or sending an email: the setting ACCOUNT_RATE_LIMITS."""

from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def allows(request: HttpRequest, action: str, *, key: str | None = None) -> bool:
    """True if the action is within its limit. While the cache is unavailable, always True."""
    return bool(ratelimit.consume(request, action=action, key=key))


def slow_down(request: HttpRequest) -> HttpResponse:
    """Return the page for 429, which says what to do."""
    return render(request, "429.html", status=429)
