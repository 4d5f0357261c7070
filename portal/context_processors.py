"""What every page's frame shows."""

from django.conf import settings
from django.http import HttpRequest

from portal.callers import caller_of


def clinic(request: HttpRequest) -> dict[str, object]:
    """The clinic's name, and who is signed in."""
    return {"clinic_name": settings.CLINIC_NAME, "caller": caller_of(request)}
