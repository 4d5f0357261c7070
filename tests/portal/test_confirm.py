"""A hold becomes a booking."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertRedirects

from clinic.models import Appointment, Slot
from tests.factories import SlotFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(as_ada, checkup, wanted):
    as_ada.post(f"/book/{checkup.fhir_id}/hold/", {"time": wanted})
    return Appointment.objects.get()


def steps(appointment):
    here = f"/appointments/{appointment.fhir_id}"
    return f"{here}/confirm/", f"{here}/booked/", f"{here}/let-go/"


def run_out(appointment):
    """As if the hold had been taken longer ago."""
    over = timezone.now() - timedelta(seconds=1)
    Slot.objects.filter(appointment=appointment).update(blocks_from=over - timedelta(minutes=9), hold_expires_at=over)
    Appointment.objects.filter(pk=appointment.pk).update(hold_expires_at=over)


def test_the_summary_says_what_with_whom_where_and_until_when(as_ada, held, ten):
    page = as_ada.get(steps(held)[0])
    for words in ("Check-up", "Dr. Mei Chen", "Riverside Main Street", "30 minutes", "10:00 to 10:30 (New York time)"):
        assertContains(page, words)
    assertContains(page, "Held for you until ")
    assertContains(page, "You can cancel until 24 hours before the visit")


def test_it_is_booked_with_the_comment(as_ada, held):
    confirm, booked, _ = steps(held)
    assertRedirects(as_ada.post(confirm, {"comment": "Step-free, please"}), booked)
    held.refresh_from_db()
    assert (held.status, held.comment) == ("booked", "Step-free, please")
    assertContains(as_ada.get(booked), held.fhir_id[:8].upper())


def test_pressed_twice_it_shows_the_booking(as_ada, held):
    confirm, booked, _ = steps(held)
    as_ada.post(confirm)
    assertRedirects(as_ada.post(confirm), booked)
    assertRedirects(as_ada.get(confirm), booked)


def test_a_hold_that_ran_out_offers_the_same_time_and_keeps_the_comment(as_ada, held, ten):
    run_out(held)
    page = as_ada.post(steps(held)[0], {"comment": "Step-free, please"})
    assertContains(page, "the hold has ended", status_code=409)
    assertContains(page, 'value="Step-free, please"', status_code=409)
    assert page.context["alternatives"][0].start == ten or ten in [each.start for each in page.context["alternatives"]]
    again = as_ada.post(
        f"/book/{held.service.fhir_id}/hold/",
        {"time": page.context["alternatives"][0].value, "comment": "Step-free, please"},
        follow=True,
    )
    assertContains(again, "Step-free, please")


def test_a_hold_whose_time_somebody_took_offers_others(as_ada, held, schedule, ten):
    run_out(held)
    SlotFactory(schedule=schedule, start=ten, end=ten + timedelta(minutes=30))
    page = as_ada.post(steps(held)[0])
    assert page.status_code == 409
    assert ten not in [each.start for each in page.context["alternatives"]]


def test_an_expired_hold_says_so_before_it_is_confirmed(as_ada, held):
    run_out(held)
    assertContains(as_ada.get(steps(held)[0]), "the hold has ended", status_code=409)


def test_choosing_another_time_lets_the_hold_go(as_ada, held):
    assertRedirects(as_ada.post(steps(held)[2]), f"/book/{held.service.fhir_id}/")
    held.refresh_from_db()
    assert held.status == "cancelled"
    assertRedirects(as_ada.post(steps(held)[2]), f"/book/{held.service.fhir_id}/")


def test_a_booking_is_not_let_go_like_a_hold(as_ada, held):
    confirm, _, let_go = steps(held)
    as_ada.post(confirm)
    as_ada.post(let_go)
    held.refresh_from_db()
    assert held.status == "booked"


def test_a_visit_within_the_notice_says_that_it_cannot_be_cancelled(as_ada, held):
    held.service.cancellation_notice = timedelta(days=9)
    held.service.save()
    assertContains(as_ada.get(steps(held)[0]), "please call the clinic")


@pytest.mark.parametrize("step", [0, 1])
def test_another_patients_hold_does_not_exist(client, held, bo, step):
    client.force_login(bo.user)
    assert client.get(steps(held)[step]).status_code == 404
    assert client.post(steps(held)[2]).status_code == 404
    held.refresh_from_db()
    assert held.status == "pending"
