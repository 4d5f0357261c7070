"""Everything about a patient: the pages on which a patient asks for its deletion, and managers decide."""

from io import BytesIO
from zipfile import ZipFile

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Erasure, Patient, StaffRole, User
from tests.factories import AppointmentFactory, PatientFactory, RelatedPersonFactory, UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = {"password": "secret-password"}
REPORTS = "/staff/patients/deleted/"


def page(name, patient):
    return reverse(f"portal:{name}", args=[patient.fhir_id])


@pytest.fixture
def confirmed(as_ada):
    """Ada, who has just given her password again."""
    as_ada.post("/accounts/reauthenticate/", PASSWORD)
    return as_ada


@pytest.fixture
def as_manager(client):
    user = UserFactory(email="mo@example.com")
    StaffRole.objects.create(user=user, role="manager")
    client.force_login(user)
    return client


@pytest.fixture
def waiting(ada):
    return Erasure.objects.create(patient=ada, created="2026-01-05T10:00:00Z", requested_by=ada.user)


# The patient asks


def test_my_details_lead_to_the_data(confirmed, ada):
    assertContains(confirmed.get("/my-details/"), page("details-data", ada))
    assertContains(confirmed.get(page("details-data", ada)), page("details-erase", ada))


def test_the_pages_need_the_password_again(as_ada, ada):
    for name in ("details-data", "details-export", "details-erase"):
        assert as_ada.get(page(name, ada)).url.startswith("/accounts/reauthenticate/"), name
    assert as_ada.post(page("details-erase", ada)).url.startswith("/accounts/reauthenticate/")
    assert not Erasure.objects.exists()


def test_a_patient_reads_what_becomes_of_the_data_and_asks(confirmed, ada):
    assertContains(confirmed.get(page("details-erase", ada)), "Internal notes")
    assertRedirects(confirmed.post(page("details-erase", ada)), page("details-data", ada))
    assert Erasure.objects.get().requested_by == ada.user
    assertContains(confirmed.get(page("details-data", ada)), "Withdraw the request")


def test_a_patient_takes_it_back(confirmed, ada, waiting):
    assertRedirects(confirmed.post(page("details-erase-withdraw", ada)), page("details-data", ada))
    assertNotContains(confirmed.get(page("details-data", ada)), "Withdraw the request")
    waiting.refresh_from_db()
    assert waiting.status == "withdrawn"
    assertContains(confirmed.post(page("details-erase-withdraw", ada), follow=True), "answered already")


def test_a_patient_reads_why_it_was_declined(confirmed, ada, waiting):
    Erasure.objects.update(status="declined", reason="We keep it until 2030.", decided="2026-01-06T10:00:00Z")
    assertContains(confirmed.get(page("details-data", ada)), "We keep it until 2030.")


def test_carers_of_somebody_with_an_account_have_no_such_page(confirmed, ada, bo):
    RelatedPersonFactory(patient=bo, user=ada.user)
    mia = PatientFactory(given="Mia")
    RelatedPersonFactory(patient=mia, user=ada.user)
    assert confirmed.get(page("details-data", bo)).status_code == 404
    assert confirmed.get(page("details-data", mia)).status_code == 200
    assertNotContains(confirmed.get(page("details-of", bo)), page("details-data", bo))


# The clinic decides


def test_a_request_waits_on_the_list_of_managers(as_manager, ada, waiting):
    assertContains(as_manager.get("/staff/to-do/"), page("staff-patient-data", ada))


def test_a_request_is_nothing_for_the_front_desk(as_rana, ada, waiting):
    assertNotContains(as_rana.get("/staff/to-do/"), "Requests to delete everything")
    assert as_rana.get(page("staff-patient-data", ada)).status_code == 403
    assertNotContains(as_rana.get(page("staff-patient", ada)), page("staff-patient-data", ada))


def test_a_manager_sees_what_would_go_and_what_would_stay(as_manager, ada, checkup):
    AppointmentFactory(
        patient=ada, service=checkup, status="fulfilled", start="2024-05-06T10:00:00Z", end="2024-05-06T11:00:00Z"
    )
    assertContains(as_manager.get(page("staff-patient", ada)), page("staff-patient-data", ada))
    shown = as_manager.get(page("staff-patient-data", ada))
    assertContains(shown, "Past and cancelled visits: 1. Time, service")
    assertContains(shown, "Name, date of birth")


def test_a_manager_types_the_name_and_deletes(as_manager, ada, waiting):
    form = page("staff-patient-data", ada)
    wrong = as_manager.post(form, {"typed_name": "Bo Lind"}, follow=True)
    assertContains(wrong, "This is not the name.")
    assert Patient.objects.get(pk=ada.pk).given == "Ada"
    waiting.refresh_from_db()
    assertRedirects(as_manager.post(form, {"typed_name": " ada  QUINN"}), f"{REPORTS}#report-{waiting.pk}")
    ada.refresh_from_db()
    assert ada.given == ""
    assert not User.objects.filter(email="ada@example.com").exists()
    report = as_manager.get(REPORTS)
    assertContains(report, ada.fhir_id)
    assertNotContains(report, "Quinn")


def test_a_deleted_patient_has_no_page(as_manager, ada):
    as_manager.post(page("staff-patient-data", ada), {"typed_name": "Ada Quinn"})
    assert as_manager.get(page("staff-patient", ada)).status_code == 404
    assert as_manager.get(page("staff-patient-data", ada)).status_code == 404


def test_a_past_visit_of_a_deleted_patient_leads_to_no_record(as_manager, ada, checkup, schedule):
    past = {"start": "2024-05-06T10:00:00Z", "end": "2024-05-06T10:30:00Z", "status": "fulfilled"}
    visit = AppointmentFactory(patient=ada, service=checkup, schedules=[schedule], **past)
    address = reverse("portal:staff-visit", args=[visit.fhir_id])
    assertContains(as_manager.get(address), page("staff-patient", ada))
    as_manager.post(page("staff-patient-data", ada), {"typed_name": "Ada Quinn"})
    shown = as_manager.get(address)
    assertContains(shown, "Deleted patient")
    assertNotContains(shown, page("staff-patient", ada))
    assertNotContains(as_manager.get(reverse("portal:staff-peek", args=[visit.fhir_id])), page("staff-patient", ada))


def test_visits_to_come_are_named_in_place_of_the_button(as_manager, visit, ada):
    shown = as_manager.get(page("staff-patient-data", ada))
    assertContains(shown, "There is 1 upcoming visit or request. Cancel it first.")
    assertNotContains(shown, "Type the patient")
    assertContains(
        as_manager.post(page("staff-patient-data", ada), {"typed_name": "Ada Quinn"}, follow=True), "Cancel it first"
    )
    assert Patient.objects.get(pk=ada.pk).given == "Ada"


def test_a_manager_declines_with_a_reason_that_is_never_lost(as_manager, ada, waiting):
    form = page("staff-erasure-decline", ada)
    assertContains(as_manager.post(form, {"reason": ""}, follow=True), "Say why")
    assertRedirects(as_manager.post(form, {"reason": "Until 2030."}), page("staff-patient-data", ada))
    waiting.refresh_from_db()
    assert (waiting.status, waiting.reason) == ("declined", "Until 2030.")


def test_there_is_a_page_before_anybody_was_deleted(as_manager):
    assertContains(as_manager.get(REPORTS), "No patient has been deleted.")


def test_a_patient_downloads_a_copy_after_the_password(confirmed, ada):
    assertContains(confirmed.get(page("details-data", ada)), page("details-export", ada))
    file = confirmed.get(page("details-export", ada))
    assert file.headers["Content-Type"] == "application/zip"
    assert "no-store" in file.headers["Cache-Control"]
    assert ZipFile(BytesIO(b"".join(file))).testzip() is None


def test_a_manager_downloads_a_copy_in_the_language_of_the_patient(as_manager, ada):
    Patient.objects.filter(pk=ada.pk).update(language="de")
    archive = ZipFile(BytesIO(b"".join(as_manager.get(page("staff-patient-export", ada)))))
    assert b'lang="de"' in archive.read("read-me.html")


def test_the_front_desk_gets_no_copy(as_rana, ada):
    assert as_rana.get(page("staff-patient-export", ada)).status_code == 403
