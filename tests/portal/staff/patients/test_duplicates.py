"""Two records side by side: compared, merged, rejected, and the merge undone."""

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Patient, PatientMerge
from tests.factories import AppointmentFactory, DuplicatePairFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db

LIST = "/staff/patients/duplicates/"


@pytest.fixture
def twin(elena):
    """A second record of Elena, with the email address that the first one lacks."""
    elena.email = ""
    elena.save()
    return PatientFactory(given="Elena", family="Marqeuz", birth_date=elena.birth_date, email="elena@example.com")


@pytest.fixture
def pair(elena, twin):
    return DuplicatePairFactory(first=elena, second=twin)


@pytest.fixture
def compare(elena, twin):
    return reverse("portal:staff-compare", args=[elena.fhir_id, twin.fhir_id])


def versions(target, source, **fields):
    return {"target_version": target.version, "source_version": source.version, **fields}


def test_the_list_leads_to_the_comparison(as_rana, pair, compare, elena):
    shown = as_rana.get(LIST)
    assertContains(shown, f'href="{compare}"')
    assertContains(shown, "Similar name, Same date of birth")
    assertContains(as_rana.get("/staff/patients/"), 'Possible duplicates <span class="badge">1</span>')
    assertContains(as_rana.get(reverse("portal:staff-patient", args=[elena.fhir_id])), f'href="{compare}"')


def test_fields_are_compared_and_the_missing_ones_offered(as_rana, pair, compare, checkup, twin):
    AppointmentFactory(patient=twin, service=checkup, start=timezone.now())
    shown = as_rana.get(compare)
    for text in ("Elena Maria Marquez", "Elena Marqeuz", "elena@example.com", "MRN-77"):
        assertContains(shown, text)
    assertContains(shown, '<input type="radio" name="email" value="source" checked>', html=True)
    assertContains(shown, '<input type="radio" name="name" value="target" checked>', html=True)


def test_records_are_merged_and_the_merge_is_undone(as_rana, pair, compare, elena, twin):
    record = reverse("portal:staff-patient", args=[elena.fhir_id])
    assertRedirects(as_rana.post(compare, versions(elena, twin, name="source", email="source", phone="target")), record)
    elena.refresh_from_db()
    assert (elena.family, elena.email, elena.phone) == ("Marqeuz", "elena@example.com", "(212) 555-0199")
    assertContains(as_rana.get(record), "Undo the merge")
    assertContains(as_rana.get(LIST), "No records look like duplicates.")
    as_rana.post(reverse("portal:staff-unmerge", args=[twin.fhir_id]))
    elena.refresh_from_db()
    assert (elena.family, elena.email) == ("Marquez", "")
    assert Patient.objects.get(pk=twin.pk).active


def test_two_people_are_not_shown_again(as_rana, pair, compare, elena):
    reject = reverse("portal:staff-duplicate-reject", args=[pair.pk])
    assertContains(as_rana.get(compare), f'action="{reject}"')
    shown = as_rana.post(reject, follow=True)
    assertContains(shown, "Noted: they are two people.")
    assertNotContains(as_rana.get(reverse("portal:staff-patient", args=[elena.fhir_id])), "second record")
    assertRedirects(as_rana.post(reject, {"undo": "1"}), compare)
    assertContains(as_rana.get(LIST), f'href="{compare}"')


def test_of_two_browsers_the_second_is_told(as_rana, client, pair, compare, elena, twin):
    colleague = type(client)()
    colleague.force_login(UserFactory(is_superuser=True))
    seen = versions(elena, twin)
    colleague.post(reverse("portal:staff-compare", args=[twin.fhir_id, elena.fhir_id]), versions(twin, elena))
    shown = as_rana.post(compare, seen, follow=True)
    assertContains(shown, "These records have already been merged.")
    assertContains(shown, "Elena Marqeuz")
    assert PatientMerge.objects.count() == 1


def test_a_record_that_was_changed_since_is_not_merged(as_rana, pair, compare, elena, twin):
    seen = versions(elena, twin, name="source")
    Patient.objects.filter(pk=twin.pk).update(version=twin.version + 1, email="new@example.com")
    shown = as_rana.post(compare, seen)
    assertContains(shown, "A colleague has changed one of the records since.")
    assertContains(shown, "new@example.com")
    assertContains(shown, '<input type="radio" name="name" value="source" checked>', html=True)
    assert not PatientMerge.objects.exists()


def test_an_obstacle_is_named(as_rana, pair, compare, elena, twin):
    for patient in (elena, twin):
        patient.user = UserFactory()
        patient.save()
    assertContains(as_rana.post(compare, versions(elena, twin)), "Both patients sign in with an account of their own.")


def test_practitioners_merge_nothing(as_chen, compare, pair, elena, twin):
    assert as_chen.get(LIST).status_code == 403
    assert as_chen.get(compare).status_code == 403
    assert as_chen.post(compare, versions(elena, twin)).status_code == 403
    assert as_chen.post(reverse("portal:staff-duplicate-reject", args=[pair.pk])).status_code == 403
