"""Labels of patients, and the list of a patient's visits to come, to print."""

from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django.asserts import assertContains, assertNotContains

from clinic.label_sheets import label_sheet
from clinic.models import AuditEvent
from tests.factories import AppointmentFactory, LocationFactory

pytestmark = pytest.mark.django_db
LABELS = "/staff/patients/labels/"


@pytest.fixture
def elenas(elena, checkup, schedule, site, ten):
    """A visit of Elena's on the day of Ada's."""
    return AppointmentFactory(
        patient=elena, service=checkup, site=site, schedules=[schedule], start=ten + timedelta(hours=2)
    )


def names(page):
    return [str(patient) for patient in page.context["labels"]]


def test_each_patient_of_the_day_has_a_label(as_rana, visit, elenas, ada, elena, ten, checkup, schedule, site):
    AppointmentFactory(patient=ada, service=checkup, site=site, schedules=[schedule], start=ten + timedelta(hours=4))
    AppointmentFactory(patient=elena, service=checkup, site=LocationFactory(), start=ten)
    page = as_rana.get(LABELS, {"date": ten.date(), "site": site.fhir_id, "copies": "2", "used": "3"})
    assert names(page) == [str(elena), str(elena), str(ada), str(ada)]
    assertContains(page, "MRN-77")
    assertContains(page, "label--used", count=3)
    assert AuditEvent.objects.filter(patient=elena, subtype="search").exists()


def test_a_day_without_visits_says_so(as_rana, site):
    assertContains(as_rana.get(LABELS), "Nobody has a visit on this day.")


def test_practitioners_print_labels_of_their_own_patients(as_chen, visit, elenas, elena, ada, ten, checkup, site):
    AppointmentFactory(service=checkup, site=site, start=ten)
    assert names(as_chen.get(LABELS, {"date": ten.date(), "site": site.fhir_id})) == [str(elena), str(ada)]


def test_one_patient_has_a_label_of_their_own(as_rana, elena):
    assert names(as_rana.get(f"/staff/patients/{elena.fhir_id}/labels/", {"copies": "none"})) == [str(elena)]


def test_the_size_of_a_label_is_a_setting(as_rana, settings):
    settings.LABEL_SHEET = label_sheet("63.5x38.1", "15x7")
    sheet = as_rana.get("/staff/patients/labels.css").content.decode()
    assert "--label-width: 63.5mm; --label-height: 38.1mm" in sheet
    assert "margin: 15mm 0 0 7mm" in sheet


@pytest.mark.parametrize(("size", "margins"), [("70", "0x0"), ("wide", "0x0"), ("70x36", "-1x0"), ("2x36", "0x0")])
def test_another_size_stops_the_start(size, margins):
    with pytest.raises(ImproperlyConfigured, match="millimetres"):
        label_sheet(size, margins)


def test_the_list_of_visits_to_come_is_in_the_patients_language(as_rana, visit, ada, checkup, schedule, site, ten):
    ada.language = "de"
    ada.save()
    AppointmentFactory(
        patient=ada, service=checkup, site=site, schedules=[schedule], start=ten + timedelta(days=7), status="cancelled"
    )
    page = as_rana.get(f"/staff/patients/{ada.fhir_id}/coming/")
    assert [each.id for each in page.context["visits"]] == [visit.fhir_id]
    assertContains(page, f"Termine von {ada}")
    assertContains(page, site.name)
    assertContains(as_rana.get(f"/staff/patients/{ada.fhir_id}/"), f"/staff/patients/{ada.fhir_id}/coming/")
    assertContains(as_rana.get(f"/staff/appointments/{visit.fhir_id}/"), f"/staff/patients/{ada.fhir_id}/labels/")


def test_a_patient_without_visits_to_come_has_a_way_on(as_rana, elena):
    page = as_rana.get(f"/staff/patients/{elena.fhir_id}/coming/")
    assertContains(page, "No visit is booked.")
    assertNotContains(page, "data-print")
