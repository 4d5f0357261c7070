"""Visits of a series are cancelled and moved, this and the following or all of them: by an account and by its link."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment
from portal.finding.times import time_value
from scheduling import booking
from scheduling.availability import offerings_of
from scheduling.booking import SeriesRequest
from scheduling.notifications import links
from tests.factories import SlotFactory
from tests.scheduling.situations import SOFTWARE, wish

pytestmark = pytest.mark.django_db

BORN = {"birth_date_day": "4", "birth_date_month": "7", "birth_date_year": "1990"}


def weeks_later(ten, weeks):
    """The same local time some weeks later, also where the clocks change in between."""
    return datetime.combine(ten.date() + timedelta(weeks=weeks), ten.timetz())


@pytest.fixture
def series(ada, checkup, schedule, ten):
    """Three visits of Ada's, one every week."""
    ada.birth_date = date(1990, 7, 4)
    ada.save()
    first = wish(checkup, schedule, at=ten.astimezone(UTC), patient=ada)
    starts = tuple(weeks_later(ten, week).astimezone(UTC) for week in range(3))
    request = SeriesRequest(first=first, starts=starts, zone=ten.tzinfo)
    return booking.book_series(request, caller=SOFTWARE, now=timezone.now())


def page(visit, step=""):
    return f"/appointments/{visit.fhir_id}/{step}"


@pytest.fixture
def link(series, settings):
    """The manage link of the second visit."""
    return links.manage_link(series[1]).removeprefix(settings.SITE_URL)


def button(checkup, schedule, start):
    return time_value(start, offerings_of(checkup, [schedule.fhir_id]))


def statuses():
    return list(Appointment.objects.order_by("occurrence").values_list("status", flat=True))


def starts():
    return list(Appointment.objects.order_by("occurrence").values_list("start", flat=True))


def test_the_page_of_a_visit_lists_its_series_and_what_can_be_changed(as_ada, series):
    shown = as_ada.get(page(series[1]))
    assert [visit.id for visit in shown.context["together"]] == [visit.fhir_id for visit in series]
    assertContains(shown, "This and 1 following visit")
    assertContains(shown, "All 3 upcoming visits")
    assertContains(shown, f"{page(series[1], 'move/')}?which=this-and-following")
    first = as_ada.get(page(series[0]))
    assertNotContains(first, "following visit")
    last = as_ada.get(page(series[2]))
    assertNotContains(last, "following visit")
    assertContains(last, "All 3 upcoming visits")


def test_this_and_the_following_are_cancelled(as_ada, series):
    shown = as_ada.get(page(series[1], "cancel/?which=this-and-following"))
    assertContains(shown, "Cancel 2 visits")
    assert [visit.id for visit in shown.context["several"].visits] == [visit.fhir_id for visit in series[1:]]
    answer = as_ada.post(page(series[1], "cancel/?which=this-and-following"), {"reason": "Well again"}, follow=True)
    assertContains(answer, "2 visits have been cancelled.")
    assert statuses() == ["booked", "cancelled", "cancelled"]
    assert {visit.cancelation_reason["text"] for visit in Appointment.objects.filter(status="cancelled")} == {
        "Well again"
    }


def test_one_that_begins_too_soon_stays_and_the_rest_are_cancelled(as_ada, series, checkup):
    checkup.cancellation_notice = timedelta(days=5)
    checkup.save()
    shown = as_ada.get(page(series[0], "cancel/?which=all"))
    assertContains(shown, "Stays booked.")
    assertContains(shown, "Cancel 2 visits")
    as_ada.post(page(series[0], "cancel/?which=all"))
    assert statuses() == ["booked", "cancelled", "cancelled"]


def test_all_are_cancelled_by_the_link(client, series, link):
    assertContains(client.get(link), "All 3 upcoming visits")
    address = f"{link}cancel/?which=all"
    assertNotContains(client.get(address), "Cancel 3 visits")  # the times of the others are told after the proof
    client.post(address, BORN)
    assertContains(client.get(address), "Cancel 3 visits")
    client.post(f"{link}cancel/?which=all")
    assert statuses() == ["cancelled", "cancelled", "cancelled"]


def test_all_are_moved_to_another_day_and_time(as_ada, series, checkup, schedule, ten):
    address = page(series[1], "move/?which=all")
    assertContains(as_ada.get(address), "The other visits move by as many days, to the same time of day.")
    new = weeks_later(ten, 1) + timedelta(days=1, hours=2)
    chosen = as_ada.post(address, {"time": button(checkup, schedule, new)})
    shown = as_ada.get(chosen.url)
    expected = [weeks_later(ten, week) + timedelta(days=1, hours=2) for week in range(3)]
    assert [row.start for _, row in shown.context["moves"]] == expected
    assert starts() == [weeks_later(ten, week) for week in range(3)]
    answer = as_ada.post(chosen.url, {"time": button(checkup, schedule, new), "confirm": "on"})
    assertRedirects(answer, page(series[1]))
    assert starts() == expected


def test_the_following_move_by_a_week_onto_their_neighbours_times(as_ada, series, checkup, schedule, ten):
    address = page(series[1], "move/?which=this-and-following")
    day = weeks_later(ten, 2).date()
    times = as_ada.get(f"{address}&date={day}")
    value = button(checkup, schedule, weeks_later(ten, 2))
    assert value in [choice.value for choice in times.context["free_days"].opened.times]
    chosen = as_ada.post(address, {"time": value})
    as_ada.post(chosen.url, {"time": value, "confirm": "on"})
    assert starts() == [ten, weeks_later(ten, 2), weeks_later(ten, 3)]


def test_one_whose_new_time_is_taken_gets_another_or_stays(as_ada, series, checkup, schedule, ten):
    new = ten + timedelta(hours=2)
    taken = weeks_later(ten, 1) + timedelta(hours=2)
    SlotFactory(schedule=schedule, start=taken, end=taken + timedelta(minutes=30))
    value = button(checkup, schedule, new)
    chosen = as_ada.post(page(series[0], "move/?which=all"), {"time": value})
    shown = as_ada.get(chosen.url)
    choices = dict(shown.context["form"].fields["visit-2"].choices)
    assert choices["leave-out"] == "Leave it where it is"
    refused = as_ada.post(chosen.url, {"time": value, "confirm": "on"})
    assertContains(refused, "Choose another time for visit 2, or leave it out.")
    as_ada.post(chosen.url, {"time": value, "confirm": "on", "visit-2": "leave-out"})
    assert starts() == [new, weeks_later(ten, 1), weeks_later(ten, 2) + timedelta(hours=2)]


def test_by_the_link_they_are_moved_after_the_birth_date(client, series, link, checkup, schedule, ten):
    address = f"{link}move/?which=all"
    assertContains(client.get(address), "date of birth")
    client.post(address, BORN)
    value = button(checkup, schedule, weeks_later(ten, 1) + timedelta(hours=1))
    chosen = client.post(address, {"time": value})
    assertRedirects(client.post(chosen.url, {"time": value, "confirm": "on"}), link)
    assert starts() == [weeks_later(ten, week) + timedelta(hours=1) for week in range(3)]


def test_a_visit_by_itself_is_not_several(as_ada, visit):
    assertNotContains(as_ada.get(page(visit)), "Change several visits at once")
    assertContains(as_ada.get(page(visit, "cancel/?which=all")), "Cancel this visit?")
