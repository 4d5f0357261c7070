"""The zone chosen for a visit by video, from the times to the receipt; no page names a site."""

from zoneinfo import ZoneInfo

import pytest
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import Appointment
from tests.factories import EVERY_DAY, ScheduleFactory, ServiceFactory
from tests.portal.booking.steps import page_of, visit_page

pytestmark = pytest.mark.django_db
TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.fixture
def video(chen, site):
    service = ServiceFactory(name="Video talk", telehealth=True, hours=EVERY_DAY, interval=60)
    ScheduleFactory(actor=chen, services=[service], site=site)
    return service


@pytest.fixture
def hold_in(as_ada, video, ten):
    """Hold ten o'clock, chosen on a page of times in a zone."""

    def hold(zone):
        page = as_ada.get(f"/book/{video.fhir_id}/", {"zone": zone, "date": ten.astimezone(ZoneInfo(zone)).date()})
        assertContains(page, f'name="zone" value="{zone}"')
        choice = next(each for each in page.context["free_days"].opened.times if each.start == ten)
        as_ada.post(f"/book/{video.fhir_id}/hold/", {"time": choice.value, "zone": zone})
        return Appointment.objects.get(status="pending")

    return hold


def test_it_stays_from_the_times_to_the_receipt_and_my_visits(as_ada, hold_in, ten, site):
    held = hold_in("Asia/Tokyo")
    local = f"{ten.astimezone(TOKYO):%-I:%M}"
    for step in ("about", "confirm"):
        page = as_ada.get(page_of(held, step))
        assertContains(page, f"{local} – ")
        assertContains(page, "(Tokyo time)")
        assertContains(page, "10:00 AM (New York time) at the clinic")
        assertNotContains(page, site.name)
    as_ada.post(page_of(held, "confirm"))
    for address in (page_of(held, "booked"), visit_page(held), "/appointments/"):
        page = as_ada.get(address)
        assertContains(page, f"{local} – ")
        assertContains(page, "(Tokyo time)")
        assertNotContains(page, site.name)


def test_the_clinics_own_clock_is_not_named_twice(as_ada, hold_in):
    held = hold_in("America/New_York")
    assertNotContains(as_ada.get(page_of(held, "confirm")), "(New York time) at the clinic")


def test_a_visit_that_is_moved_is_read_as_it_was_booked_or_as_chosen_now(as_ada, hold_in, ten):
    held = hold_in("Asia/Tokyo")
    as_ada.post(page_of(held, "confirm"))
    page = as_ada.get(page_of(held, "move"))
    assert page.context["menu"].zone == TOKYO
    time = page.context["free_days"].opened.times[0].value
    as_ada.post(page_of(held, "move"), {"time": time, "zone": "Asia/Kolkata", "confirm": "on"})
    assertContains(as_ada.get(visit_page(held)), "(Kolkata time)")
    time = as_ada.get(page_of(held, "move"), {"week": ten.date()}).context["free_days"].first_available[-1].value
    as_ada.post(page_of(held, "move"), {"time": time, "zone": "", "confirm": "on"})
    held.refresh_from_db()
    assert held.extra == {}
    assertContains(as_ada.get(visit_page(held)), "(New York time)")


@pytest.mark.parametrize("zone", ["Mars/Base", "../etc", ""])
def test_a_zone_that_is_none_is_the_clinics(as_ada, video, ten, zone):
    page = as_ada.get(f"/book/{video.fhir_id}/", {"date": ten.date()})
    time = page.context["free_days"].opened.times[0].value
    as_ada.post(f"/book/{video.fhir_id}/hold/", {"time": time, "zone": zone})
    assert Appointment.objects.get(status="pending").extra == {}


def test_a_visit_at_the_clinic_has_no_other_clock(as_ada, checkup, button_value):
    as_ada.post(f"/book/{checkup.fhir_id}/hold/", {"time": button_value, "zone": "Asia/Tokyo"})
    held = Appointment.objects.get()
    assert held.extra == {}
    assertContains(as_ada.get(page_of(held, "confirm")), "(New York time)")
