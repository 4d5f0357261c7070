"""Search by distance: https://hl7.org/fhir/R4/location.html#positional"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import F, FloatField, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import ASin, Cast, Cos, Least, Power, Radians, Sin, Sqrt
from django.db.models.lookups import LessThanOrEqual

from api.search.kinds import Parameter
from api.search.values import plain
from scheduling.errors import Invalid

EARTH_KM = 6371.0
# UCUM's names, and what people write for them: https://ucum.org
KILOMETRES = {"km": 1.0, "m": 0.001, "[mi_i]": 1.609344, "[mi_us]": 1.609347, "mi": 1.609344, "[nmi_i]": 1.852}
DEFAULT_KM = 25.0


class Area(NamedTuple):
    """A position on earth, and a distance from it."""

    latitude: float
    longitude: float
    kilometres: float


@dataclass(frozen=True, kw_only=True)
class Near(Parameter):
    """`latitude|longitude|distance|unit`; unit and distance can be left out, and are kilometres and 25 then."""

    TYPE = "special"
    OPERATORS = ("eq",)

    usage: str = "nearby"
    expression: str | None = "position"
    latitude: str = "latitude"
    longitude: str = "longitude"

    def condition(self, value: str, modifier: str, base: str) -> Q:
        area = read_area(value)
        return self.present() & Q(LessThanOrEqual(self.distance(area), area.kilometres))

    def present(self) -> Q:
        return Q(**{f"{self.latitude}__isnull": False})

    def distance(self, area: Area) -> Combinable:
        """Return the distance in kilometres by the haversine formula."""
        latitude, longitude = Radians(F(self.latitude)), Radians(F(self.longitude))
        here, across = _number(math.radians(area.latitude)), _number(math.radians(area.longitude))
        square = Power(Sin((latitude - here) / 2), 2) + Cos(latitude) * Cos(here) * Power(
            Sin((longitude - across) / 2), 2
        )
        return _number(2 * EARTH_KM) * ASin(Sqrt(Least(_number(1.0), square)))


def read_area(value: str) -> Area:
    """Read a position and a distance. Raises Invalid."""
    latitude, longitude, distance, unit = [*plain(value).split("|"), "", "", ""][:4]
    try:
        area = Area(float(latitude), float(longitude), float(distance or DEFAULT_KM) * KILOMETRES[unit or "km"])
    except (ValueError, KeyError):
        text = f"{value!r} is not latitude|longitude|distance|unit; units are {', '.join(KILOMETRES)}."
        raise Invalid(text) from None
    if not (abs(area.latitude) <= 90 and abs(area.longitude) <= 180 and 0 <= area.kilometres < math.inf):
        raise Invalid(f"{value!r}: a latitude is from -90 to 90, a longitude from -180 to 180, a distance not below 0.")
    return area


def _number(value: float) -> Cast:
    """Return the number as a database parameter of a known type."""
    return Cast(Value(value), FloatField())
