"""The time zones to choose from: by city in the reader's language, and by every name that browsers give them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override
from pytest_django.asserts import assertContains, assertNotContains

from clinic.country import clinic_zone
from clinic.models import Location, Schedule
from clinic.zones import canonical_zone
from portal.finding.zones import zones_by_region
from scheduling.availability import offerings_of
from tests.factories import LocationFactory, PractitionerFactory, ScheduleFactory, ServiceFactory

WINTER = datetime(2026, 12, 1, 12, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("US/Eastern", "America/New_York"),
        ("Europe/Berlin", "Europe/Berlin"),
        ("UTC", "UTC"),
    ],
)
def test_older_names_are_the_zones_of_today(name, canonical):
    assert canonical_zone(name) == canonical


def test_the_clinics_own_zones_come_first_then_all_by_part_of_the_world():
    (_country, first), *parts = zones_by_region([NEW_YORK], WINTER)
    assert first[0] == (NEW_YORK, "New York (United States), GMT-05:00")
    assert {place.zone.key for place in first} >= {"America/Los_Angeles", "Pacific/Honolulu"}
    assert [name for name, _places in parts][:4] == ["Americas", "Europe", "Africa", "Asia"]
    with override("es"):
        _first, (americas, _), (europe, places), *_others = zones_by_region([NEW_YORK], WINTER)
    assert (americas, europe) == ("América", "Europa")
    assert "Londres (Reino Unido), GMT+00:00" in [place.label for place in places]
    assert sum(len(places) for _name, places in parts) == 418


def test_a_visit_by_video_is_read_by_the_browsers_clock(client, chen, site):
    video = ServiceFactory(name="Video visit", telehealth=True)
    ScheduleFactory(actor=chen, services=[video], site=site)
    page = client.get(f"/book/{video.fhir_id}/", {"zone": "Asia/Calcutta"})
    assertContains(page, "Kolkata time")
    assertContains(page, '<option value="Asia/Kolkata" selected>', 1)
    assertNotContains(page, "Asia/Calcutta</")


@pytest.mark.parametrize("name", ["Asia/Calcutta", "Asia/Kolkata"])
def test_an_older_zone_name_is_kept_and_read_as_the_current_one(client, chen, site, name):
    """A site that software knows as Asia/Calcutta, and one that is Asia/Kolkata, are in one zone."""
    service = ServiceFactory(name="Check-up", telehealth=True)
    for key in (name, "Asia/Kolkata"):
        there = LocationFactory(timezone=key)
        ScheduleFactory(actor=PractitionerFactory(timezone=key), services=[service], site=there)
        assert Location.objects.get(pk=there.pk).timezone == key
    schedules = list(Schedule.objects.values_list("fhir_id", flat=True))
    assert {each.zone.key for each in offerings_of(service, schedules)} == {"Asia/Kolkata"}
    page = client.get(f"/book/{service.fhir_id}/")
    assertContains(page, "All times are in Kolkata time.")
    assertContains(page, 'data-zone="Asia/Kolkata"')
    (_country, first), *_parts = zones_by_region([ZoneInfo(name)], WINTER)
    assert first[0].zone.key == "Asia/Kolkata"


def test_the_country_of_sites_is_counted_by_todays_names(settings, db):
    settings.CLINIC_TIME_ZONE = ""
    for key in ("Asia/Calcutta", "Europe/Berlin", "Europe/Berlin", "Asia/Kolkata", "Asia/Kolkata"):
        LocationFactory(timezone=key)
    assert clinic_zone() == ZoneInfo("Asia/Kolkata")
