"""The time zones that people choose from: by city, in the reader's language."""

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

# The parts of the world by the beginning of a zone's name, as CLDR's territories.
PARTS = {
    "America": "019",
    "Europe": "150",
    "Africa": "002",
    "Asia": "142",
    "Australia": "009",
    "Pacific": "009",
    "Antarctica": "AQ",
}


class Place(NamedTuple):
    """A zone by its city, with its country and its distance from UTC: Kyiv (Ukraine), UTC+02:00."""

    zone: ZoneInfo
    label: str


def zones_by_region(near: Iterable[ZoneInfo], now: datetime) -> list[tuple[str, list[Place]]]:
    """The zones of the clinic and of its country first, then those of each part of the world, by city."""
    own = formats.conventions()
    near = list(near)
    names = [canonical_zone(each.key) for each in near] + [
        name for name in _names() if country_of_zone(name) == clinic_country()
    ]
    hour = now.replace(minute=0, second=0, microsecond=0)
    first = [_place(own, name, hour) for name in dict.fromkeys(names)]
    return [(_("In the country of the clinic"), first), *_by_part(own, hour)]


@lru_cache(maxsize=16)
def _by_part(own: Conventions, now: datetime) -> tuple[tuple[str, list[Place]], ...]:
    parts: dict[str, list[Place]] = {part: [] for part in (*PARTS.values(), "")}
    for name in _names():
        parts[PARTS.get(name.partition("/")[0], "")].append(_place(own, name, now))
    territories = own.locale.territories
    return tuple(
        (territories[part] if part else _("Other places"), sorted(places, key=lambda place: place.label.casefold()))
        for part, places in parts.items()
    )


def _place(own: Conventions, name: str, now: datetime) -> Place:
    zone = ZoneInfo(name)
    country = own.locale.territories.get(country_of_zone(name), "")
    city = formats.city(name)
    where = f"{city} ({country})" if country and country != city else city
    return Place(zone, f"{where}, {get_timezone_gmt(now.astimezone(zone), locale=own.locale)}")


@lru_cache
def _names() -> tuple[str, ...]:
    """One for each place that the pinned tzdata package lists."""
    lines = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines()
    return tuple(line.split("\t")[2] for line in lines if line and not line.startswith("#"))
