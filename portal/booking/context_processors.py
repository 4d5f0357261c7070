"""What every page says of the time that one holds."""

from collections.abc import Callable

from django.http import HttpRequest
from django.utils import timezone

from portal.booking import holds
from portal.booking.holds import Held
from portal.common.callers import caller_of


def held(request: HttpRequest) -> dict[str, Callable[[], Held | None]]:
    """`held` for the banner, looked up where a template asks for it."""
    return {"held": lambda: holds.standing(request, caller_of(request), now=timezone.now())}
