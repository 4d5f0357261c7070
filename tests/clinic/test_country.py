"""The clinic's country: the setting, else the country of most sites, else that of the language."""

import pytest

from clinic import country
from clinic.country import clinic_country, country_of_zone
from tests.factories import LocationFactory


@pytest.fixture
def unset(settings):
    settings.CLINIC_COUNTRY = ""
    country.forget_sites()
    yield
    country.forget_sites()


def test_the_setting_counts_before_the_sites(settings, db):
    settings.CLINIC_COUNTRY = "GB"
    LocationFactory(timezone="Europe/Berlin")
    assert clinic_country() == "GB"


def test_without_it_the_clinic_is_where_most_of_its_sites_are(unset, db, django_assert_num_queries):
    assert clinic_country() == "US"  # no site yet: the country of the language
    first = LocationFactory(timezone="Asia/Calcutta")
    assert clinic_country() == "IN"
    for _ in range(2):
        LocationFactory(timezone="Europe/London")
    LocationFactory(timezone="")
    assert clinic_country() == "GB"
    first.delete()
    assert clinic_country() == "GB"
    with django_assert_num_queries(0):  # cached now
        clinic_country()


@pytest.mark.parametrize(
    ("zone", "code"),
    [("America/New_York", "US"), ("US/Eastern", "US"), ("Europe/Kiev", "UA"), ("Asia/Calcutta", "IN"), ("UTC", "")],
)
def test_a_zone_is_in_a_country_by_any_of_its_names(zone, code):
    assert country_of_zone(zone) == code
