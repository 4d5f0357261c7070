"""The patient's position, rounded, if they shared it; and the distance to a site."""

from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple

from django.contrib.sessions.backends.base import SessionBase
from django.utils.translation import gettext as _

from clinic import formats
from clinic.models import Location

EARTH_KM = 6371.0
DECIMALS = 2  # of a degree: about a kilometre, so that it names no house
_KEY = "position"


class Position(NamedTuple):
    latitude: float
    longitude: float


def remember(session: SessionBase, latitude: float, longitude: float) -> None:
    """Store the rounded position in the session."""
    session[_KEY] = [round(latitude, DECIMALS), round(longitude, DECIMALS)]


def forget(session: SessionBase) -> None:
    session.pop(_KEY, None)


def remembered(session: SessionBase) -> Position | None:
    kept = session.get(_KEY)
    return Position(*kept) if kept else None


def kilometres_to(site: Location, position: Position | None) -> float | None:
    """Return the distance in a straight line; None if either position is unknown."""
    if position is None or site.latitude is None or site.longitude is None:
        return None
    return _kilometres(position, Position(site.latitude, site.longitude))


def away(kilometres: float) -> str:
    """Return a distance in words, such as "4 miles away", in the country's units."""
    is_near = kilometres < formats.unit_of_distance()
    return (_("less than %(distance)s away") if is_near else _("%(distance)s away")) % {
        "distance": formats.distance(kilometres)
    }


def _kilometres(one: Position, other: Position) -> float:
    """Return the distance by the haversine formula."""
    here, there = radians(one.latitude), radians(other.latitude)
    across = radians(other.longitude - one.longitude)
    square = sin((there - here) / 2) ** 2 + cos(here) * cos(there) * sin(across / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(min(1.0, square)))
