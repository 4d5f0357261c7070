"""A visit of a series on the pages: its number is said, and what is done with it leaves the others as they are."""

from datetime import UTC, date, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import Appointment
from scheduling import booking
from scheduling.booking import SeriesRequest
from tests.factories import AppointmentFactory
from tests.portal.booking.steps import page_of
from tests.scheduling.situations import SOFTWARE, wish

pytestmark = pytest.mark.django_db

POSITION = "<div><dt>Series</dt><dd>2 of 3</dd></div>"
BORN = {"birth_date_day": "4", "birth_date_month": "7", "birth_date_year": "1990"}


@pytest.fixture
def visit(visit, ada):
    """The second of three."""
    visit.series, visit.occurrence, visit.occurrences = uuid4(), 2, 3
    visit.save()
    ada.birth_date = date(1990, 7, 4)
    ada.save()
    return visit


@pytest.fixture
def third(visit, ada, checkup, schedule):
    return AppointmentFactory(
        patient=ada,
        service=checkup,
        start=visit.start + timedelta(days=7),
        schedules=[schedule],
        series=visit.series,
        occurrence=3,
        occurrences=3,
    )


def test_the_patient_reads_its_number(as_ada, visit):
    assertContains(as_ada.get("/appointments/"), "Series: 2 of 3")
    assertContains(as_ada.get(f"/appointments/{visit.fhir_id}/"), POSITION, html=True)


def test_by_its_link_it_is_read_once_the_birth_date_is_known(client, link, visit):
    assertNotContains(client.get(link), "2 of 3")
    assertContains(client.post(link, BORN), POSITION, html=True)


def test_the_staff_read_its_number_in_the_dialog_and_on_its_page(as_chen, visit):
    for page in (f"/staff/visits/{visit.fhir_id}/", f"/staff/appointments/{visit.fhir_id}/"):
        assertContains(as_chen.get(page), POSITION, html=True)


def test_a_visit_of_no_series_says_nothing_of_one(as_ada, third):
    third.series = third.occurrence = third.occurrences = None
    third.save()
    assertNotContains(as_ada.get(f"/appointments/{third.fhir_id}/"), "Series")


@pytest.fixture
def held(ada, checkup, schedule, ten):
    """Two visits that software holds for Ada."""
    first = wish(checkup, schedule, at=ten.astimezone(UTC), patient=ada)
    starts = first.start, (ten + timedelta(days=7)).astimezone(UTC)
    request = SeriesRequest(first=first, starts=starts, zone=ten.tzinfo)
    return booking.hold_series(request, caller=SOFTWARE, now=timezone.now())


def statuses():
    return list(Appointment.objects.order_by("start").values_list("status", flat=True))


def test_a_held_series_is_confirmed_as_one(as_ada, held):
    page = page_of(held[1], "confirm")
    assertContains(as_ada.get(page), "All visits of the series are confirmed together.")
    as_ada.post(page, {"comment": "Knee"})
    assert statuses() == ["booked", "booked"]


def test_a_held_series_is_let_go_of_as_one(as_ada, held):
    as_ada.post(page_of(held[1], "let-go"))
    assert statuses() == ["cancelled", "cancelled"]


def test_one_is_cancelled_alone(as_ada, visit, third):
    page = as_ada.get(f"/appointments/{visit.fhir_id}/cancel/")
    assertContains(page, "The other visits of the series stay as they are.")
    as_ada.post(f"/appointments/{visit.fhir_id}/cancel/")
    visit.refresh_from_db()
    third.refresh_from_db()
    assert (visit.status, third.status) == ("cancelled", "booked")
