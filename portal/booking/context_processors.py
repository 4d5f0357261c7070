"""Context processor for the banner about a held time."""

from collections.abc import Callable

from django.http import HttpRequest
from django.utils import timezone

from portal.booking import holds
from portal.booking.holds import HeldTime
from portal.common.callers import caller_of


def held(request: HttpRequest) -> dict[str, Callable[[], HeldTime | None]]:
    """Add `held`, the time this browser holds. It is read only if a template uses it."""
    return {"held": lambda: holds.standing(request, caller_of(request), now=timezone.now())}
