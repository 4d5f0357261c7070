"""The same visit for several people whom one account cares for: one after another, or at one time with two people."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment
from tests.factories import (
    AppointmentFactory,
    PatientFactory,
    PractitionerFactory,
    RelatedPersonFactory,
    ScheduleFactory,
)
from tests.portal.booking.steps import hold, page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def leo(ada):
    return RelatedPersonFactory(user=ada.user, patient=PatientFactory(given="Leo", email="")).patient


@pytest.fixture
def mia(ada):
    return RelatedPersonFactory(user=ada.user, patient=PatientFactory(given="Mia", email="")).patient


@pytest.fixture
def held(as_ada, leo, mia, checkup, button_value):
    return hold(as_ada, checkup, button_value)


def held_visits():
    return list(Appointment.objects.filter(hold_expires_at__gt=timezone.now()).order_by("start", "pk"))


def ask(client, held, leo, mia):
    """Say that the visit is for Leo and for Mia, and return the page that follows."""
    answer = client.post(page_of(held, "about"), {"who": leo.fhir_id, f"also-{mia.fhir_id}": "on"})
    assertRedirects(answer, f"{page_of(held, 'also')}?for={mia.fhir_id}")
    return client.get(answer.url)


def choose(client, shown, number):
    value, _label = shown.context["form"].fields["visits"].choices[number]
    return client.post(shown.request["PATH_INFO"] + "?" + shown.request["QUERY_STRING"], {"visits": value})


def test_who_cares_for_others_is_asked(as_ada, held, leo):
    assertContains(as_ada.get(page_of(held, "about")), "Does somebody else need the same visit?")


def test_who_books_for_one_only_is_not_asked(as_ada, ada, checkup, button_value):
    held = hold(as_ada, checkup, button_value)
    assertNotContains(as_ada.get(page_of(held, "about")), "somebody else need the same visit")


def test_one_after_another_with_the_same_practitioner(as_ada, held, leo, mia, ten):
    shown = ask(as_ada, held, leo, mia)
    labels = [label for _, label in shown.context["form"].fields["visits"].choices]
    assert any("Leo 10:00" in label and "Mia 10:30" in label for label in labels)
    at = next(n for n, label in enumerate(labels) if "Leo 10:00" in label)
    answer = choose(as_ada, shown, at)
    one, other = held_visits()
    assert (one.patient, other.patient, one.start, one.end) == (leo, mia, ten, other.start)
    assertRedirects(answer, page_of(one, "confirm"))
    held.refresh_from_db()
    assert held.status == "cancelled"
    as_ada.post(page_of(one, "confirm"))
    assert {visit.status for visit in Appointment.objects.exclude(pk=held.pk)} == {"booked"}


def test_at_one_time_with_two_practitioners(as_ada, held, leo, mia, ten, checkup, site):
    other = ScheduleFactory(actor=PractitionerFactory(given="Omar"), services=[checkup], site=site)
    shown = ask(as_ada, held, leo, mia)
    labels = [label for _, label in shown.context["form"].fields["visits"].choices]
    choose(as_ada, shown, next(n for n, label in enumerate(labels) if "Leo 10:00" in label and "Mia 10:00" in label))
    assert {visit.start for visit in held_visits()} == {ten}
    assert len({visit.slots.get(status="busy-tentative").schedule_id for visit in held_visits()}) == 2
    assert other.slots.exists()


def test_each_one_s_other_visits_are_kept_free(as_ada, held, leo, mia, ten):
    AppointmentFactory(patient=mia, start=ten.replace(hour=8), end=ten.replace(hour=14))
    shown = ask(as_ada, held, leo, mia)
    assertContains(shown, "There is no time for all of you near this one")
    assert len(held_visits()) == 1


def test_one_who_is_too_old_is_refused_with_words(as_ada, held, leo, mia, checkup):
    checkup.maximum_age = 5
    checkup.save()
    today = timezone.now().date()
    leo.birth_date, mia.birth_date = today, today - timedelta(days=10 * 365)
    leo.save()
    mia.save()
    shown = ask(as_ada, held, leo, mia)
    assertContains(shown, "is for patients")
    assertNotContains(shown, "When do you want to come?")


def test_somebody_else_s_patient_is_nobody(as_ada, held, leo, bo):
    as_ada.post(page_of(held, "about"), {"who": leo.fhir_id})
    assertRedirects(as_ada.get(f"{page_of(held, 'also')}?for={bo.fhir_id}"), page_of(held, "about"))


def test_a_missing_choice_is_asked_again(as_ada, held, leo, mia):
    shown = ask(as_ada, held, leo, mia)
    address = shown.request["PATH_INFO"] + "?" + shown.request["QUERY_STRING"]
    assertContains(as_ada.post(address, {}), "Choose one of the times.")
