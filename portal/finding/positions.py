"""Where a patient is, as roughly as is of use, if they said so; and how far a site is from there."""

from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple

from django.contrib.sessions.backends.base import SessionBase
from django.utils.translation import gettext as _

from clinic import formats
from clinic.models import Location

EARTH_KM = 6371.0
DECIMALS = 2  # of a degree: a kilometre or so, and not whose house
_KEY = "position"


class Position(NamedTuple):
    latitude: float
    longitude: float


def remember(session: SessionBase, latitude: float, longitude: float) -> None:
    """Keep it until the session ends, rounded; never in an address or a log."""
    session[_KEY] = [round(latitude, DECIMALS), round(longitude, DECIMALS)]


def forget(session: SessionBase) -> None:
    session.pop(_KEY, None)


def remembered(session: SessionBase) -> Position | None:
    kept = session.get(_KEY)
    return Position(*kept) if kept else None


def kilometres_to(site: Location, position: Position | None) -> float | None:
    """As the crow flies; None where either place is not known."""
    if position is None or site.latitude is None or site.longitude is None:
        return None
    return _kilometres(position, Position(site.latitude, site.longitude))


def away(kilometres: float) -> str:
    """4 miles away, or 4 kilometers."""
    is_near = kilometres < formats.unit_of_distance()
    return (_("less than %(distance)s away") if is_near else _("%(distance)s away")) % {
        "distance": formats.distance(kilometres)
    }


def _kilometres(one: Position, other: Position) -> float:
    """The haversine formula."""
    here, there = radians(one.latitude), radians(other.latitude)
    across = radians(other.longitude - one.longitude)
    square = sin((there - here) / 2) ** 2 + cos(here) * cos(there) * sin(across / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(min(1.0, square)))
