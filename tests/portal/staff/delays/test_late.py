"""Staff say that somebody runs late: the preview, the words, the undo, and where patients read it."""

from datetime import UTC, timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Communication, Delay
from tests.factories import LocationFactory, UserFactory

pytestmark = pytest.mark.django_db

LATE = "/staff/late/"


@pytest.fixture(autouse=True)
def now(monkeypatch, ten):
    """Nine o'clock in New York on the day of the visit, which is at ten."""
    monkeypatch.setattr(timezone, "now", lambda: ten.astimezone(UTC) - timedelta(hours=1))


@pytest.fixture
def ada(ada):
    ada.email = "ada@example.com"
    ada.save()
    return ada


@pytest.fixture
def said(schedule, site):
    return {"person": schedule.fhir_id, "minutes": "20", "site": site.fhir_id}


def test_the_preview_counts_and_names_those_concerned_and_says_nothing_yet(as_rana, visit, said):
    page = as_rana.get(LATE, said)
    assertContains(page, "1 visit begins later.")
    assertContains(page, "10:00 AM → 10:20 AM, Ada Quinn")
    assertContains(page, "email")
    assert not Delay.objects.exists()
    assert not Communication.objects.exists()


def test_said_once_it_stands_on_the_board_the_pages_of_the_visit_and_the_times(
    as_rana, client, visit, said, link, checkup, ten
):
    assertRedirects(as_rana.post(LATE, said | {"tell": "on"}), f"{LATE}?site={said['site']}&undo={said['person']}")
    assertContains(as_rana.get("/staff/today/"), "about 10:20 AM")
    assertContains(client.get(link), "this visit begins about 20 minutes later than planned")
    times = f"/book/{checkup.fhir_id}/"
    assertContains(client.get(times, {"date": f"{ten:%Y-%m-%d}"}), "Chen is about 20 minutes late today.")
    assertNotContains(client.get(times, {"date": f"{ten + timedelta(days=1):%Y-%m-%d}"}), "late today")
    assert Communication.objects.filter(event="delay").exists()


def test_it_is_undone_or_ended(as_rana, visit, said):
    as_rana.post(LATE, said | {"tell": "on"})
    page = as_rana.get(LATE, {"site": said["site"], "undo": said["person"]})
    for text in ("is about 20 minutes late", "Undo", "On time again"):
        assertContains(page, text)
    assertContains(as_rana.post(f"{LATE}undo/", said, follow=True), "Undone. Nobody was told.")
    as_rana.post(LATE, said)
    assertContains(as_rana.post(LATE, said | {"minutes": "0"}, follow=True), "is on time again.")
    assert set(Delay.objects.values_list("ended", flat=True)) != {None}


@pytest.mark.parametrize("wrong", [{"minutes": ""}, {"minutes": "4"}, {"minutes": "481"}])
def test_wrong_minutes_are_refused_in_words(as_rana, visit, said, wrong):
    assertContains(as_rana.get(LATE, said | wrong), "There is a problem")
    assert not Delay.objects.exists()


def test_without_visits_it_says_so(as_rana, said):
    assertContains(as_rana.get(LATE, said), "No visit today begins later because of it:")


def test_the_desk_of_another_site_does_not_say_it(client, visit, said):
    client.force_login(UserFactory(desk_locations=[LocationFactory()]))
    assert client.get(LATE, said).status_code == 404
    assert client.post(LATE, said).status_code == 404


def test_the_number_of_statements_on_the_list_of_people_is_constant(as_rana, said, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        as_rana.get(LATE)
