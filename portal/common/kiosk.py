"""Kiosk: a tablet at the front desk on which patients check in, opened by staff and signed out of their account."""

from datetime import timedelta

from django.contrib.auth import logout
from django.http import HttpRequest

from clinic.models import Location

FORGETS_AFTER = timedelta(seconds=60)
STAYS_OPEN = timedelta(days=30)
_KEY = "kiosk"


def start(request: HttpRequest, site: Location) -> None:
    """Sign out, and make this browser a kiosk of the site."""
    logout(request)
    request.session[_KEY] = site.fhir_id
    request.session.set_expiry(STAYS_OPEN)


def is_kiosk(request: HttpRequest, site: Location) -> bool:
    """True if this browser is a kiosk of the site, and nobody has signed in since."""
    return bool(request.session.get(_KEY) == site.fhir_id)


def is_any(request: HttpRequest) -> bool:
    """True if this browser is a kiosk of any site."""
    return _KEY in request.session
