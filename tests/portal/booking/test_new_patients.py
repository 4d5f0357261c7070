"""Visits for new or returning patients, as patients and guests book them."""

from datetime import timedelta

import pytest
from django.utils.html import strip_tags
from pytest_django.asserts import assertContains, assertRedirects

from clinic.models import Patient
from tests.factories import AppointmentFactory, PatientFactory
from tests.portal.booking.steps import hold, page_of, prove, say_who
from tests.portal.eve import GUEST, KNOWN

pytestmark = pytest.mark.django_db


@pytest.fixture
def for_returning(checkup):
    checkup.eligibility = "returning"
    checkup.save()
    return checkup


def seen_before(patient, ten):
    start = ten - timedelta(days=200)
    AppointmentFactory(
        patient=patient, status="fulfilled", start=start, end=start + timedelta(minutes=30), schedules=[]
    )


def test_a_new_patient_is_told_at_once_and_led_on(as_ada, for_returning, button_value):
    answer = as_ada.post(f"/book/{for_returning.fhir_id}/hold/", {"time": button_value})
    page = as_ada.get(answer.url)
    assertContains(page, "is for patients who have been here before")
    assertContains(page, "See all visits")
    assert "Confirm Monday" not in strip_tags(page.content.decode())


def test_a_returning_patient_confirms(as_ada, ada, ten, for_returning, button_value):
    seen_before(ada, ten)
    held = hold(as_ada, for_returning, button_value)
    as_ada.post(page_of(held, "confirm"))
    held.refresh_from_db()
    assert held.status == "booked"


@pytest.mark.parametrize("is_known", [True, False])
def test_before_the_proof_a_guest_is_not_told_whom_the_clinic_knows(client, ten, for_returning, button_value, is_known):
    if is_known:
        seen_before(PatientFactory(**KNOWN), ten)
    held = hold(client, for_returning, button_value)
    answer = say_who(client, held)
    assertRedirects(answer, page_of(held, "proof"))
    assert "been here before" not in client.get(answer.url).content.decode()
    page = client.get(prove(client, held).url)
    assert ("is for patients who have been here before" in page.content.decode()) is not is_known


def test_nobody_learns_of_a_record_by_another_address(client, ten, for_returning, button_value):
    seen_before(PatientFactory(**{**KNOWN, "email": "real.eve@example.com"}), ten)
    held = hold(client, for_returning, button_value)
    say_who(client, held)
    page = client.get(prove(client, held).url)
    assertContains(page, "is for patients who have been here before")
    assertContains(page, "Sign in instead")
    assert Patient.objects.filter(family=GUEST["family"]).count() == 2
