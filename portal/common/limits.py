"""How often one may ask for what costs others something, such as a held time or an email: ACCOUNT_RATE_LIMITS."""

from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def allows(request: HttpRequest, action: str, *, key: str | None = None) -> bool:
    """True if there is room for one more; while the cache is away there is."""
    return bool(ratelimit.consume(request, action=action, key=key))


def slow_down(request: HttpRequest) -> HttpResponse:
    """429, with what to do."""
    return render(request, "429.html", status=429)
