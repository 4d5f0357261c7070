"""The patient's position: rounded, kept in the session only, and forgotten on request."""

import pytest
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Location
from portal.finding.positions import Position, away, kilometres_to
from tests.factories import LocationFactory, ScheduleFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def page_of_times(checkup, schedule, site):
    Location.objects.filter(pk=site.pk).update(latitude=40.7, longitude=-74.0)
    ScheduleFactory(services=[checkup], site=LocationFactory(name="Harbour", latitude=34.07, longitude=-118.26))
    return f"/book/{checkup.fhir_id}/"


def tell(client, page, **fields):
    return client.post("/near/", {"next": page, "latitude": "40.712345", "longitude": "-74.0067", **fields})


def test_the_sites_are_then_shown_by_distance(client, page_of_times):
    assertRedirects(tell(client, page_of_times), page_of_times)
    page = client.get(page_of_times)
    labels = [option.label for option in page.context["filters"].each["location"].options]
    assert labels == ["Riverside Main Street, less than 1 mile away", "Harbour, 2,446 miles away"]
    assertContains(page, "Forget where I am")


def test_it_is_kept_to_a_kilometre_or_so_and_in_no_address(client, page_of_times):
    assertRedirects(tell(client, page_of_times), page_of_times)
    assert client.session["position"] == [40.71, -74.01]


def test_it_is_forgotten_when_asked(client, page_of_times):
    tell(client, page_of_times)
    tell(client, page_of_times, forget="yes")
    assert "position" not in client.session
    assertNotContains(client.get(page_of_times), "km away")


@pytest.mark.parametrize("latitude", ["", "here", "91", "nan", "inf"])
def test_an_unknown_place_is_reported(client, page_of_times, latitude):
    answer = tell(client, page_of_times, latitude=latitude)
    assertContains(client.get(answer.url), "Your browser did not share your location.")
    assert "position" not in client.session


def test_it_leads_to_no_other_site(client, page_of_times):
    answer = tell(client, "https://elsewhere.example/")
    assert answer.url == "/"


def test_looking_at_it_is_refused(client):
    assert client.get("/near/").status_code == 405


@pytest.mark.parametrize(
    ("latitude", "longitude", "text"),
    [
        (40.7, -74.0, "less than 1 mile away"),
        (40.74, -74.0, "3 miles away"),
        (-40.7, 106.0, "12,437 miles away"),
    ],
)
def test_how_far_it_is(latitude, longitude, text):
    distance = kilometres_to(Location(latitude=latitude, longitude=longitude), Position(40.7, -74.0))
    assert away(distance) == text


def test_how_far_nobody_knows():
    assert kilometres_to(Location(), Position(40.7, -74.0)) is None
    assert kilometres_to(Location(latitude=40.7, longitude=-74.0), None) is None


def test_the_nearest_sites_times_come_first_with_their_distance(client, page_of_times, checkup, ten):
    before = client.get(page_of_times, {"date": ten.date()})
    assertNotContains(before, "First available at the nearest site")
    client.post("/near/", {"next": page_of_times, "latitude": "34.05", "longitude": "-118.25"})
    page = client.get(page_of_times, {"date": ten.date()})
    assertContains(page, "First available at the nearest site")
    free_days = page.context["free_days"]
    assert {choice.where for choice in free_days.first_available} == {"Harbour"}
    groups = [groups for _part, groups in free_days.opened.parts]
    assert all([group[0].where for group in each] == ["Harbour", "Riverside Main Street"] for each in groups)
    assertContains(page, "Harbour, 1 mile away")


def test_a_site_that_was_chosen_is_not_passed_over_for_a_nearer_one(client, page_of_times, site):
    tell(client, page_of_times, latitude="34.05", longitude="-118.25")
    page = client.get(page_of_times, {"location": site.fhir_id})
    assert {choice.where for choice in page.context["free_days"].first_available} == {"Riverside Main Street"}
