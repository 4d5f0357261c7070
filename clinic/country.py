"""The country that the clinic is in: how dates, times, distances, addresses and telephone numbers are written there."""

from collections import Counter
from functools import lru_cache

from babel.core import get_global
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_delete, post_save

# Countries and their own territories that have a time zone: CLDR's ZZ and 001 stand for none and for the world.
COUNTRIES = frozenset(get_global("zone_territories").values()) - {"001", "ZZ"}


def check(name: str, country: str) -> str:
    """The code of a country as the setting `name` gives it, in capitals; empty stays empty."""
    if country and country.upper() not in COUNTRIES:
        raise ImproperlyConfigured(f"{name} must be a country's ISO 3166 code such as US or GB, not {country!r}.")
    return country.upper()


def clinic_country() -> str:
    """The ISO 3166 code of the clinic's country: CLINIC_COUNTRY, else where its sites are, else its language's."""
    return settings.CLINIC_COUNTRY or _country_of_sites() or _country_of_language()


def country_of_zone(zone: str) -> str:
    """The country of a time zone, by any of its names; empty where it belongs to none."""
    country = get_global("zone_territories").get(get_global("zone_aliases").get(zone, zone), "")
    return country if country in COUNTRIES else ""


_known: dict[str, str] = {}  # asked of the database once in each process


def _country_of_sites() -> str:
    if "sites" not in _known:
        sites = apps.get_model("clinic", "Location").objects.filter(deleted_at=None, part_of=None)
        zones = sites.exclude(timezone="").order_by("pk").values_list("timezone", flat=True)
        counted = Counter(filter(None, map(country_of_zone, zones)))
        if not counted:
            return ""  # the first site may come any moment
        _known["sites"] = counted.most_common(1)[0][0]
    return _known["sites"]


@lru_cache
def _country_of_language() -> str:
    """CLDR's likely country of the product's language: US for en."""
    likely: str = get_global("likely_subtags").get(settings.LANGUAGE_CODE.replace("-", "_"), "en_Latn_US")
    return likely.rpartition("_")[2]


def _forget(**kwargs: object) -> None:
    _known.clear()


def watch_sites() -> None:
    """Ask again once a site of this process changes."""
    for signal in (post_save, post_delete):
        signal.connect(_forget, sender="clinic.Location", dispatch_uid="clinic.country")
