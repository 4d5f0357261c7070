"""Joining the waiting list: from the times of a service, from a booked visit, and as a guest."""

from datetime import timedelta

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.fhir.waitlist import preferences_of
from clinic.models import Appointment
from tests.factories import PractitionerFactory, RelatedPersonFactory, ScheduleFactory
from tests.portal.booking.steps import code
from tests.portal.eve import GUEST

pytestmark = pytest.mark.django_db


@pytest.fixture
def park(checkup, site):
    """A second practitioner, so that there is a choice."""
    other = PractitionerFactory(given="Noor", family="Park")
    ScheduleFactory(actor=other, services=[checkup], site=site)
    return other


def entry() -> Appointment:
    return Appointment.objects.get(status="waitlist")


def page_of(checkup) -> str:
    return reverse("portal:wait", args=[checkup.fhir_id])


def test_the_times_and_the_page_without_times_lead_to_the_list(client, checkup, schedule):
    times = reverse("portal:choose-time", args=[checkup.fhir_id])
    assertContains(client.get(times), f"{page_of(checkup)}?")
    assertContains(client.get(times), "Tell me if something earlier comes free")
    schedule.active = False
    schedule.save()
    assertContains(client.get(times), "Tell me when a time comes free")
    checkup.has_waitlist = False
    checkup.save()
    assertNotContains(client.get(times), "comes free")
    assert client.get(page_of(checkup)).status_code == 404


def test_a_patient_joins_with_what_suits_them(as_ada, ada, checkup, schedule, park):
    page = as_ada.get(page_of(checkup), {"practitioner": park.fhir_id, "part": "morning"})
    assertContains(page, f'name="practitioner_{park.fhir_id}" id="id_practitioner_{park.fhir_id}" checked')
    assertContains(page, 'name="part_morning" id="id_part_morning" checked')
    sent = {f"practitioner_{park.fhir_id}": "on", "weekday_mon": "on", "part_morning": "on", "notice": "24"}
    joined = as_ada.post(page_of(checkup), sent, follow=True)
    assertContains(joined, "You are on the waiting list")
    assertContains(joined, "Noor Park")
    wanted = preferences_of(entry())
    assert (entry().patient, entry().service) == (ada, checkup)
    assert (wanted.practitioners, wanted.weekdays, wanted.parts) == (
        {park.reference},
        frozenset({"mon"}),
        frozenset({"morning"}),
    )
    assert wanted.notice == timedelta(days=1)
    assertContains(as_ada.get(reverse("portal:visits")), "Waiting since")
    again = as_ada.post(page_of(checkup), sent, follow=True)
    assertContains(again, "You are on the waiting list for this already.")
    assert Appointment.objects.filter(status="waitlist").count() == 1


def test_what_is_ticked_outlives_an_error_and_another_language(as_ada, checkup, schedule):
    wrong = as_ada.post(page_of(checkup), {"weekday_tue": "on", "until": "2020-01-01", "notice": "2"})
    assertContains(wrong, "That day is over.")
    assertContains(wrong, 'name="weekday_tue" id="id_weekday_tue" checked')
    spanish = as_ada.post(page_of(checkup), {"weekday_tue": "on", "notice": "48", "read-in": "es"}, follow=True)
    assertContains(spanish, 'name="weekday_tue" id="id_weekday_tue" checked')


def test_a_carer_says_for_whom(as_ada, ada, checkup, schedule):
    child = RelatedPersonFactory(user=ada.user).patient
    as_ada.post(page_of(checkup), {"who": child.fhir_id, "notice": "0"})
    assert entry().patient == child


def test_a_visit_is_waited_with_and_named(as_ada, ada, visit):
    detail = reverse("portal:visit", args=[visit.fhir_id])
    address = reverse("portal:wait-visit", args=[visit.fhir_id])
    assertContains(as_ada.get(detail), address)
    assertContains(as_ada.get(address), "stays yours")
    page = as_ada.post(address, {"notice": "2"}, follow=True)
    assertContains(page, "Booked now")
    assert preferences_of(entry()).replaces == visit.reference
    assertRedirects(as_ada.get(address), page.redirect_chain[-1][0], fetch_redirect_response=False)


def test_the_link_of_a_visit_is_enough(client, link, visit):
    assertContains(client.get(link), f"{link}wait/")
    assertContains(client.post(f"{link}wait/", {"notice": "2"}, follow=True), "You are on the waiting list")
    assert (entry().patient, preferences_of(entry()).replaces) == (visit.patient, visit.reference)


def test_a_guest_joins_after_the_proof_of_the_address(client, checkup, schedule):
    about = client.post(page_of(checkup), {"weekday_mon": "on", "notice": "2"}, follow=True)
    assertContains(about, "About you")
    proof = client.post(reverse("portal:wait-about", args=[checkup.fhir_id]), GUEST, follow=True)
    assertContains(proof, GUEST["email"])
    assert not Appointment.objects.exists()
    address = reverse("portal:wait-proof", args=[checkup.fhir_id])
    right = code()
    assertContains(client.post(address, {"code": f"{(int(right) + 1) % 10**6:06}"}), "That code is wrong.")
    joined = client.post(address, {"code": right}, follow=True)
    assertContains(joined, "You are on the waiting list")
    assert (entry().patient.email, preferences_of(entry()).weekdays) == (GUEST["email"], {"mon"})


def test_a_guest_who_skips_a_step_begins_again(client, checkup, schedule):
    for step in ("wait-about", "wait-proof"):
        assertRedirects(client.get(reverse(f"portal:{step}", args=[checkup.fhir_id])), page_of(checkup))
