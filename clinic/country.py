"""The country that the clinic is in: how dates, times, distances, addresses and telephone numbers are written there."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from time import monotonic
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_delete, post_save
from django.utils.formats import reset_format_cache

from clinic.zones import canonical_zone

# Countries and their own territories that have a time zone: CLDR's ZZ and 001 stand for none and for the world.
COUNTRIES = frozenset(get_global("zone_territories").values()) - {"001", "ZZ"}


def check_country(name: str, country: str) -> str:
    """The code of a country as the setting `name` gives it, in capitals; empty stays empty."""
    if country and country.upper() not in COUNTRIES:
        raise ImproperlyConfigured(f"{name} must be a country's ISO 3166 code such as US or GB, not {country!r}.")
    return country.upper()


def check_zone(name: str, zone: str) -> str:
    """The time zone as the setting `name` gives it; empty stays empty."""
    if zone and zone not in available_timezones():
        raise ImproperlyConfigured(f"{name} must be a time zone such as America/New_York, not {zone!r}.")
    return zone


def clinic_country() -> str:
    """The ISO 3166 code of the clinic's country: CLINIC_COUNTRY, else where its sites are, else its language's."""
    return settings.CLINIC_COUNTRY or _country_of_sites() or _country_of_language()


def country_of_zone(zone: str) -> str:
    """The country of a time zone, by any of its names; empty where it belongs to none."""
    country = get_global("zone_territories").get(get_global("zone_aliases").get(zone, zone), "")
    return country if country in COUNTRIES else ""


def clinic_zone() -> ZoneInfo:
    """The zone by which the clinic as a whole has its days: CLINIC_TIME_ZONE, else that of most sites, else UTC."""
    return ZoneInfo(settings.CLINIC_TIME_ZONE or _zone_of_sites() or "UTC")


KNOWN_FOR = 60.0  # seconds; a change of a site is seen at once in its own process, and soon in the others
_known: dict[str, tuple[float, str]] = {}


def _country_of_sites() -> str:
    return _remembered("country", lambda: map(country_of_zone, _zones_of_sites()))


def _zone_of_sites() -> str:
    return _remembered("zone", _zones_of_sites)


def _remembered(name: str, read: Callable[[], Iterable[str]]) -> str:
    """The most common of what is read, remembered for a minute; empty, and not remembered, where there is none."""
    until, known = _known.get(name, (0.0, ""))
    if known and monotonic() < until:
        return known
    counted = Counter(filter(None, read()))
    if not counted:
        return ""  # the first site may come any moment
    [(most, _count)] = counted.most_common(1)
    _known[name] = (monotonic() + KNOWN_FOR, most)
    return most


def _zones_of_sites() -> list[str]:
    sites = apps.get_model("clinic", "Location").objects.filter(deleted_at=None, part_of=None)
    names = sites.exclude(timezone="").order_by("pk").values_list("timezone", flat=True)
    return [canonical_zone(name) for name in names]


@lru_cache
def _country_of_language() -> str:
    """CLDR's likely country of the product's language: US for en."""
    likely: str = get_global("likely_subtags").get(settings.LANGUAGE_CODE.replace("-", "_"), "en_Latn_US")
    return likely.rpartition("_")[2]


def _forget(**kwargs: object) -> None:
    _known.clear()
    reset_format_cache()


def watch_sites() -> None:
    """Ask again once a site of this process changes."""
    for signal in (post_save, post_delete):
        signal.connect(_forget, sender="clinic.Location", dispatch_uid="clinic.country")
