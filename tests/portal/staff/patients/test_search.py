"""The search for patients by anything that is known of them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import AuditEvent
from tests.factories import PatientFactory

pytestmark = pytest.mark.django_db

SEARCH = "/staff/patients/"
SCRIPT = {"HX-Request": "true"}


@pytest.mark.parametrize("typed", ["elena marquez", "MARQ", "3/27/1985", "27 March 1985", "555-0199", "0199", "mrn77"])
def test_a_patient_is_found_by_anything(as_rana, elena, typed):
    address = reverse("portal:staff-patient", args=[elena.fhir_id])
    assertContains(as_rana.post(SEARCH, {"search": typed}), f'href="{address}"')
    listed = as_rana.post(SEARCH, {"search": typed}, headers=SCRIPT)
    assertContains(listed, f'href="{address}"')
    assertNotContains(listed, "<html")


def test_a_misspelt_name_is_found_below(as_rana, elena):
    shown = as_rana.post(SEARCH, {"search": "marqeuz"})
    assertContains(shown, "No patient found.")
    assertContains(shown, "Similar names")
    assertContains(shown, "Elena Maria Marquez")
    assertContains(as_rana.post(reverse("portal:staff-find-patients"), {"search": "marqeuz"}), "Elena Maria Marquez")


def test_who_is_listed_is_recorded(as_rana, elena, rana):
    as_rana.post(SEARCH, {"search": "marqeuz"})
    line = AuditEvent.objects.get(patient=elena)
    assert (line.user, line.subtype, line.query) == (rana, "search", "patient finder")


def test_practitioners_find_patients_of_their_visits_only(as_chen, elena, ada, visit):
    assertNotContains(as_chen.post(SEARCH, {"search": "marqeuz"}), "Elena")
    assertNotContains(as_chen.post(SEARCH, {"search": "marquez"}), "Elena")
    assertContains(as_chen.post(SEARCH, {"search": "quinn"}), ada.fhir_id)


def test_it_takes_as_many_statements_for_many_as_for_one(as_rana):
    def statements(typed):
        as_rana.post(SEARCH, {"search": typed})  # the disclosure is recorded once an hour
        with CaptureQueriesContext(connection) as captured:
            as_rana.post(SEARCH, {"search": typed})
        return len(captured)

    PatientFactory(given="Una", family="Rademacher")
    for number in range(30):
        PatientFactory(given=f"Cho{number}", family="Vandermeer")
    assert statements("rademacher") >= statements("vandermeer")


@pytest.mark.parametrize("typed", ["", "q", "%", "'); DROP"])
def test_what_finds_nobody_is_no_error(as_rana, typed):
    assert as_rana.post(SEARCH, {"search": typed}).status_code == 200


def test_the_form_opens_in_a_dialog(as_rana):
    dialog = as_rana.get(SEARCH, headers=SCRIPT)
    assertContains(dialog, 'id="find_search"')
    assertNotContains(dialog, "<html")
