"""Time zones to choose from, named by city in the reader's language."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_gmt
from django.utils.translation import gettext as _

from clinic import formats
from clinic.country import clinic_country, country_of_zone
from clinic.formats import Conventions
from clinic.zones import canonical_zone

# CLDR territory of a part of the world, by the first part of a zone's name.
PARTS = {
    "America": "019",
    "Europe": "150",
    "Africa": "002",
    "Asia": "142",
    "Australia": "009",
    "Pacific": "009",
    "Antarctica": "AQ",
}


class ZoneChoice(NamedTuple):
    """A zone and its label with city, country and offset: Kyiv (Ukraine), UTC+02:00."""

    zone: ZoneInfo
    label: str


def zones_by_region(near: Iterable[ZoneInfo], now: datetime) -> list[tuple[str, list[ZoneChoice]]]:
    """Return the zones `near` and those of the clinic's country, then those of each part of the world by city."""
    own = formats.conventions()
    near = list(near)
    names = [canonical_zone(each.key) for each in near] + [
        name for name in _names() if country_of_zone(name) == clinic_country()
    ]
    hour = now.replace(minute=0, second=0, microsecond=0)
    first = [_choice(own, name, hour) for name in dict.fromkeys(names)]
    return [(_("In the country of the clinic"), first), *_by_part(own, hour)]


@lru_cache(maxsize=16)
def _by_part(own: Conventions, now: datetime) -> tuple[tuple[str, list[ZoneChoice]], ...]:
    parts: dict[str, list[ZoneChoice]] = {part: [] for part in (*PARTS.values(), "")}
    for name in _names():
        parts[PARTS.get(name.partition("/")[0], "")].append(_choice(own, name, now))
    territories = own.locale.territories
    return tuple(
        (territories[part] if part else _("Other places"), sorted(places, key=lambda place: place.label.casefold()))
        for part, places in parts.items()
    )


def _choice(own: Conventions, name: str, now: datetime) -> ZoneChoice:
    zone = ZoneInfo(name)
    country = own.locale.territories.get(country_of_zone(name), "")
    city = formats.city(name)
    where = f"{city} ({country})" if country and country != city else city
    return ZoneChoice(zone, f"{where}, {get_timezone_gmt(now.astimezone(zone), locale=own.locale)}")


@lru_cache
def _names() -> tuple[str, ...]:
    """Return the names of the zones in zone.tab of the pinned tzdata package."""
    lines = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines()
    return tuple(line.split("\t")[2] for line in lines if line and not line.startswith("#"))
