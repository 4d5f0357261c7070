"""Postal addresses in the format of their country."""

import pytest
from babel import Locale
from django.utils.translation import override

from clinic import addresses
from clinic.models import Location

ADDRESSES = [
    ("US", "240 Riverside Drive", "New York", "NY", "10025", ["240 Riverside Drive", "New York, NY 10025"]),
    ("GB", "10 Downing Street", "London", "", "SW1A 2AA", ["10 Downing Street", "London", "SW1A 2AA"]),
    ("DE", "Chausséestraße 5", "Berlin", "", "10115", ["Chausséestraße 5", "10115 Berlin"]),
    ("FR", "5 rue de Rivoli", "Paris", "", "75001", ["5 rue de Rivoli", "75001 Paris"]),
    ("ES", "Calle Mayor 5", "Madrid", "Madrid", "28013", ["Calle Mayor 5", "28013 Madrid"]),
    ("CA", "100 Queen Street", "Toronto", "ON", "M5H 2N2", ["100 Queen Street", "Toronto ON M5H 2N2"]),
    ("MX", "Av. Reforma 222", "Ciudad de México", "CDMX", "06600", ["Av. Reforma 222", "06600 Ciudad de México, CDMX"]),
    ("JP", "1-1 Chiyoda", "Chiyoda-ku", "Tokyo", "100-0001", ["1-1 Chiyoda, Chiyoda-ku, Tokyo", "100-0001"]),
]


@pytest.mark.parametrize(("country", "line", "city", "state", "postal_code", "lines"), ADDRESSES)
def test_an_address_is_written_as_in_its_country(settings, country, line, city, state, postal_code, lines):
    settings.CLINIC_COUNTRY = country
    site = Location(line=line, city=city, state=state, postal_code=postal_code)
    assert addresses.lines(site) == lines
    assert addresses.on_one_line(site) == ", ".join(lines)
    settings.CLINIC_COUNTRY, site.country = "IE", country
    with override("en"):
        assert addresses.lines(site) == [*lines, Locale("en").territories[country]]


@pytest.mark.parametrize(
    ("country", "site", "lines"),
    [
        ("US", {"line": "240 Riverside Drive"}, ["240 Riverside Drive"]),
        ("US", {"city": "New York", "postal_code": "10025"}, ["New York 10025"]),
        ("DE", {"line": "Hauptstraße 5", "postal_code": "10115"}, ["Hauptstraße 5", "10115"]),
        ("JP", {"line": "千代田1-1", "city": "千代田区", "state": "東京都"}, ["東京都", "千代田区千代田1-1"]),
        ("US", {}, []),
    ],
)
def test_a_missing_part_leaves_no_gap(settings, country, site, lines):
    settings.CLINIC_COUNTRY = country
    assert addresses.lines(Location(**site)) == lines
