"""Staff cancel and move several visits of a series from the page of one of them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment, Communication, Event
from scheduling import booking
from scheduling.booking import SeriesRequest
from tests.factories import SlotFactory
from tests.scheduling.situations import SOFTWARE, wish

pytestmark = pytest.mark.django_db


def weeks_later(ten, weeks):
    """The same local time some weeks later, also where the clocks change in between."""
    return datetime.combine(ten.date() + timedelta(weeks=weeks), ten.timetz())


@pytest.fixture
def series(ada, checkup, schedule, ten):
    """Three visits of Ada's, one every week."""
    first = wish(checkup, schedule, at=ten.astimezone(UTC), patient=ada)
    starts = tuple(weeks_later(ten, week).astimezone(UTC) for week in range(3))
    request = SeriesRequest(first=first, starts=starts, zone=ten.tzinfo)
    return booking.book_series(request, caller=SOFTWARE, now=timezone.now())


def page(visit, step=""):
    return f"/staff/appointments/{visit.fhir_id}/{step}"


def statuses():
    return list(Appointment.objects.order_by("occurrence").values_list("status", flat=True))


def starts():
    return list(Appointment.objects.order_by("occurrence").values_list("start", flat=True))


def test_the_page_of_a_visit_lists_its_series(as_chen, series):
    shown = as_chen.get(page(series[1]))
    assertContains(shown, "All visits of the series")
    assertContains(shown, page(series[0]))
    assertContains(shown, f"{page(series[1], 'several/move/')}?which=this-and-following")
    assertContains(shown, f"{page(series[1], 'several/cancel/')}?which=all")


def test_a_visit_by_itself_has_none(as_chen, visit):
    assertNotContains(as_chen.get(page(visit)), "All visits of the series")
    assert as_chen.get(page(visit, "several/cancel/?which=all")).status_code == 404


def test_this_and_the_following_are_cancelled_and_the_patient_is_told_if_wanted(as_chen, series):
    address = page(series[1], "several/cancel/?which=this-and-following")
    assertContains(as_chen.get(address), "Cancel 2 visits")
    assertContains(as_chen.post(address, {}), "Enter why it is cancelled.")
    as_chen.post(address, {"reason": "Dr Chen is away"})
    assert statuses() == ["booked", "cancelled", "cancelled"]
    assert not Communication.objects.filter(event=Event.CANCELLATION).exists()


def test_all_are_moved_after_a_preview_with_other_times(as_chen, series, schedule, ten):
    new = ten + timedelta(days=1, hours=2)
    taken = weeks_later(new, 2)
    SlotFactory(schedule=schedule, start=taken, end=taken + timedelta(minutes=30))
    address = page(series[0], "several/move/?which=all")
    assertContains(as_chen.get(address), "Show what changes")
    address = f"{address}&date={new:%Y-%m-%d}&time={new:%H:%M}"
    shown = as_chen.get(address)
    assert [row.start for _, row in shown.context["moves"]] == [weeks_later(new, week) for week in range(3)]
    assertContains(as_chen.post(address, {"tell": "on"}), "Choose another time for visit 3")
    other = taken + timedelta(minutes=30)
    answer = as_chen.post(address, {"tell": "on", "visit-3": str(int(other.timestamp()))})
    assertRedirects(answer, f"{page(series[0])}?back=%2Fstaff%2Ftoday%2F")
    assert starts() == [new, weeks_later(new, 1), other]
    assert Communication.objects.filter(event=Event.CHANGE, medium="email").count() == 1


def test_others_do_not(as_ada, series):
    for step in ("several/cancel/?which=all", "several/move/?which=all"):
        assert as_ada.get(page(series[0], step)).status_code == 403
