"""A second visit of the same kind on one day is asked about before it is booked, and never refused."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment, Patient
from tests.factories import NEW_YORK, AppointmentFactory, PatientFactory, ServiceFactory
from tests.portal.booking.steps import book_as_guest, hold, page_of, prove, say_who

pytestmark = pytest.mark.django_db
ASKED = "already has a visit of this kind on the same day"
ANOTHER = "Tick the box if you want another one on the same day, or choose another time."


@pytest.fixture
def held(as_ada, checkup, wanted):
    return hold(as_ada, checkup, wanted)


def on_the_day(ten, at=15, days=0, **facts):
    """A visit on the day of the one that is held."""
    start = datetime.combine(ten.date() + timedelta(days=days), time(at), ZoneInfo(NEW_YORK))
    facts = {"status": "booked", "start": start, "end": start + timedelta(minutes=30), **facts}
    return AppointmentFactory(**facts)


def test_it_is_asked_and_booked_only_with_a_yes(as_ada, held, ada, checkup, ten, site):
    other = on_the_day(ten, patient=ada, service=checkup, site=site)
    page = as_ada.get(page_of(held, "confirm"))
    assertContains(page, f"Ada Quinn {ASKED}: 3:00 PM (New York time).")
    assertContains(page, f'href="/appointments/{other.fhir_id}/"')
    refused = as_ada.post(page_of(held, "confirm"), {"comment": "Step-free, please"})
    assertContains(refused, ANOTHER)
    assertContains(refused, "Step-free, please")
    held.refresh_from_db()
    assert held.status == "pending"
    assertRedirects(as_ada.post(page_of(held, "confirm"), {"another": "on"}), page_of(held, "booked"))
    held.refresh_from_db()
    assert held.status == "booked"


@pytest.mark.parametrize(
    ("facts", "asked"),
    [
        ({"at": 0}, True),
        ({"at": 23}, True),
        ({"status": "fulfilled"}, True),
        ({"status": "arrived"}, True),
        ({"status": "pending"}, True),  # asked for, and not answered yet
        ({"status": "cancelled"}, False),
        ({"status": "noshow"}, False),
        ({"days": 1, "at": 0}, False),
        ({"days": -1, "at": 23}, False),
    ],
)
def test_what_counts_is_a_standing_visit_of_the_local_day(as_ada, held, ada, checkup, ten, facts, asked):
    on_the_day(ten, patient=ada, service=checkup, **facts)
    page = as_ada.get(page_of(held, "confirm"))
    assert (ASKED in page.content.decode()) is asked


def test_another_kind_or_another_patient_is_no_question(as_ada, held, ada, checkup, ten):
    on_the_day(ten, patient=ada, service=ServiceFactory(name="Blood test"))
    on_the_day(ten, patient=PatientFactory(family="Quinn"), service=checkup)
    on_the_day(ten, at=16, patient=None, service=checkup, status="booked")
    assertNotContains(as_ada.get(page_of(held, "confirm")), ASKED)
    assertRedirects(as_ada.post(page_of(held, "confirm")), page_of(held, "booked"))


def test_a_guest_is_asked_about_what_they_booked_in_this_browser(client, checkup, wanted, schedule):
    first = hold(client, checkup, wanted)
    book_as_guest(client, first)
    second = hold(client, checkup, wanted.replace(":00:00Z", ":30:00Z"))
    say_who(client, second)
    assert Patient.objects.filter(appointments=second).get() == first.patient
    assertContains(client.get(page_of(second, "confirm")), f"{ASKED}: 10:00 AM (New York time).")
    client.post(page_of(second, "confirm"), {"another": "on"})
    assert Appointment.objects.filter(status="booked").count() == 2


def test_another_browser_with_the_same_name_learns_nothing(client, checkup, wanted, schedule):
    book_as_guest(client, hold(client, checkup, wanted))
    elsewhere = type(client)()
    second = hold(elsewhere, checkup, wanted.replace(":00:00Z", ":30:00Z"))
    say_who(elsewhere, second)
    prove(elsewhere, second)
    assertNotContains(elsewhere.get(page_of(second, "confirm")), ASKED)
