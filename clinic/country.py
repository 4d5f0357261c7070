"""The clinic's country and zone, from settings or from its sites. Formats of dates, phones and addresses follow it."""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_delete, post_save
from django.utils.formats import reset_format_cache

from clinic.minute_cache import MinuteCache
from clinic.zones import canonical_zone

# Countries and territories with a time zone, without CLDR's codes for an unknown country and for the world.
COUNTRIES = frozenset(get_global("zone_territories").values()) - {"001", "ZZ"}


def check_country(name: str, country: str) -> str:
    """Return the country code of the setting `name` in capitals; empty if not set. Raises ImproperlyConfigured."""
    if country and country.upper() not in COUNTRIES:
        raise ImproperlyConfigured(f"{name} must be a country's ISO 3166 code such as US or GB, not {country!r}.")
    return country.upper()


def check_zone(name: str, zone: str) -> str:
    """Return the time zone of the setting `name`; empty if it is not set. Raises ImproperlyConfigured."""
    if zone and zone not in available_timezones():
        raise ImproperlyConfigured(f"{name} must be a time zone such as America/New_York, not {zone!r}.")
    return zone


def clinic_country() -> str:
    """Return the ISO 3166 code of the clinic's country: CLINIC_COUNTRY, or that of most sites, or of the language."""
    return settings.CLINIC_COUNTRY or _country_of_sites() or _country_of_language()


def country_of_zone(zone: str) -> str:
    """Return the country of a time zone, by any of the zone's names; empty if it belongs to no country."""
    country = get_global("zone_territories").get(get_global("zone_aliases").get(zone, zone), "")
    return country if country in COUNTRIES else ""


def clinic_zone() -> ZoneInfo:
    """Return the zone of the clinic as a whole: CLINIC_TIME_ZONE, else that of most sites, else UTC."""
    return ZoneInfo(settings.CLINIC_TIME_ZONE or _zone_of_sites() or "UTC")


# The first site counts at once: no country and no zone are not kept.
_country: MinuteCache[str] = MinuteCache(keeps_empty=False)
_zone: MinuteCache[str] = MinuteCache(keeps_empty=False)


def _country_of_sites() -> str:
    return _country.get(lambda: _most_common(map(country_of_zone, _zones_of_sites())))


def _zone_of_sites() -> str:
    return _zone.get(lambda: _most_common(_zones_of_sites()))


def _most_common(values: Iterable[str]) -> str:
    """Return the value that occurs most often; empty if there is none."""
    counted = Counter(filter(None, values)).most_common(1)
    return counted[0][0] if counted else ""


def _zones_of_sites() -> list[str]:
    sites = apps.get_model("clinic", "Location").objects.filter(deleted_at=None, part_of=None)
    names = sites.exclude(timezone="").order_by("pk").values_list("timezone", flat=True)
    return [canonical_zone(name) for name in names]


@lru_cache
def _country_of_language() -> str:
    """Return CLDR's likely country of the product's language, such as US for en."""
    likely: str = get_global("likely_subtags").get(settings.LANGUAGE_CODE.replace("-", "_"), "en_Latn_US")
    return likely.rpartition("_")[2]


def forget_sites(**kwargs: object) -> None:
    """Clear the cached country and zone of the sites."""
    _country.clear()
    _zone.clear()
    reset_format_cache()


def watch_sites() -> None:
    """Clear the cache when this process saves or deletes a site."""
    for signal in (post_save, post_delete):
        signal.connect(forget_sites, sender="clinic.Location", dispatch_uid="clinic.country")
