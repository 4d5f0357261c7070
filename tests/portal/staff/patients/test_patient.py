"""The staff's page of one patient."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import AuditEvent, Patient
from tests.factories import (
    AppointmentFactory,
    CommunicationFactory,
    CoverageFactory,
    LocationFactory,
    PatientFactory,
    PatientNoteFactory,
    RelatedPersonFactory,
    UserFactory,
)
from tests.payments import pay

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def record(ada):
    return reverse("portal:staff-patient", args=[ada.fhir_id])


@pytest.fixture
def edit(ada):
    return reverse("portal:staff-patient-edit", args=[ada.fhir_id])


def details(patient, **changes):
    """The posted data of the form as it is opened, with changes."""
    return {
        "given": patient.given,
        "family": patient.family,
        "birth_unknown": "on",
        "phone": patient.phone,
        "email": patient.email,
        "language": "",
        "version": patient.version,
        **changes,
    }


def test_it_tells_who_they_are(as_rana, record, ada):
    ada.birth_date, ada.phone, ada.email = date(1990, 7, 4), "+12125550100", "ada.quinn@example.com"
    ada.identifier = [{"system": "urn:mrn", "value": "MRN-17"}]
    ada.interpreter_required, ada.interpreter_language = True, "uk"
    ada.save()
    RelatedPersonFactory(patient=ada, given="Noel", family="Quinn", phone="+12125550111")
    child = RelatedPersonFactory(patient=PatientFactory(given="Leo", family="Quinn"), user=ada.user).patient
    CoverageFactory(beneficiary=ada, subscriber_id="M-17")
    shown = as_rana.get(record)
    texts = ("Ada Quinn", "July 4, 1990", "(212) 555-0100", "ada.quinn@example.com", "MRN-17", "Interpreter: Ukrainian")
    for text in (*texts, "Noel Quinn", "(212) 555-0111", "M-17", "Not checked by the clinic yet"):
        assertContains(shown, text)
    assertContains(shown, f'href="{reverse("portal:staff-patient", args=[child.fhir_id])}"')
    assertContains(shown, f'href="{reverse("portal:staff-new-visit")}?patient={ada.fhir_id}"')


def test_it_lists_visits_and_counts_the_missed_ones(as_rana, record, ada, visit, checkup, site):
    now = timezone.now()
    of_ada = {"patient": ada, "service": checkup, "site": site}
    for days, status in ((-3, "noshow"), (-400, "noshow"), (-5, "fulfilled")):
        AppointmentFactory(**of_ada, start=now + days * DAY, status=status)
    for days, hours, reason in ((-6, 2, "pat"), (-7, 30, "pat"), (-8, 2, "prov")):  # the service asks for 24 hours
        AppointmentFactory(
            **of_ada,
            start=now + days * DAY,
            status="cancelled",
            last_updated=now + days * DAY - timedelta(hours=hours),
            cancelation_reason={"coding": [{"code": reason}]},
        )
    elsewhere = AppointmentFactory(patient=ada, service=checkup, site=LocationFactory(), start=now - 2 * DAY)
    shown = as_rana.get(record)
    assertContains(shown, "1 no-show,")
    assertContains(shown, "1 late cancellation ")
    assertContains(shown, reverse("portal:staff-visit", args=[visit.fhir_id]))
    assertNotContains(shown, elsewhere.fhir_id)


def test_it_adds_up_what_was_paid(as_rana, record, visit):
    pay(visit, status="partly-refunded", amount=8000, refunded=3000)
    shown = as_rana.get(record)
    for text in ("$80.00", "$30.00", "$50.00"):
        assertContains(shown, text)


def test_however_much_there_is_it_takes_as_many_statements(as_rana, record, ada, visit, checkup, site):
    now = timezone.now()

    def statements(query=""):
        with CaptureQueriesContext(connection) as captured:
            assert as_rana.get(record + query).status_code == 200
        return len(captured)

    for count in (1, 24):
        for number in range(count):
            of_ada = {"patient": ada, "service": checkup, "site": site}
            past = AppointmentFactory(**of_ada, start=now - (number + 1) * DAY, status="fulfilled")
            AppointmentFactory(**of_ada, start=now + (number + 30) * DAY)
            CommunicationFactory(appointment=past, patient=ada)
            PatientNoteFactory(patient=ada, appointment=past, author=UserFactory())
            CoverageFactory(beneficiary=ada)
            RelatedPersonFactory(patient=ada)
        statements()  # the disclosure is recorded once an hour
        if count == 1:
            few = statements()
    assert statements() == few
    assert few < 45
    first, second = as_rana.get(record), as_rana.get(f"{record}?past=2")
    assert len(first.context["record"].past.rows) == 20
    assert len(second.context["record"].past.rows) == 5
    assertContains(first, 'href="?past=2&amp;messages=1&amp;audit=1#past"')


def test_opening_it_is_recorded_once_an_hour(as_rana, record, ada, rana):
    for _ in range(2):
        as_rana.get(record)
    line = AuditEvent.objects.get(patient=ada, subtype="read")
    assert (line.user, line.target) == (rana, ada.reference)
    shown = as_rana.get(record)
    assertContains(shown, "Looked at, rana@example.com")


def test_a_practitioner_sees_their_own_patients_without_the_audit_log(as_chen, record, visit, bo):
    assertNotContains(as_chen.get(record), "Who looked and who changed")
    assert as_chen.get(reverse("portal:staff-patient", args=[bo.fhir_id])).status_code == 404


def test_staff_do_not_see_the_staffs_page_of_their_own_record(client, chen):
    own = PatientFactory(user=chen.user)
    client.force_login(chen.user)
    assert client.get(reverse("portal:staff-patient", args=[own.fhir_id])).status_code == 404


def test_contact_data_and_flags_are_changed(as_rana, record, edit, ada):
    changes = {"phone": "212 555 0123", "vip": "on", "barred_online": "on", "barred_reason": "Missed five visits"}
    assertRedirects(as_rana.post(edit, details(ada, **changes)), record)
    ada.refresh_from_db()
    assert (ada.phone, ada.vip, ada.barred_online) == ("+12125550123", True, True)
    shown = as_rana.get(record)
    for text in ("VIP", "Barred from online booking", "Barred because: Missed five visits"):
        assertContains(shown, text)
    as_rana.post(edit, details(ada, barred_reason="Missed five visits"))
    ada.refresh_from_db()
    assert (ada.barred_online, ada.barred_reason) == (False, "")


def test_a_bar_needs_a_reason(as_rana, edit, ada):
    assertContains(as_rana.post(edit, details(ada, barred_online="on")), "Enter why, so that your colleagues know.")


def test_a_change_of_a_colleague_is_shown_and_not_overwritten(as_rana, edit, ada, client):
    opened = details(ada)
    colleague = type(client)()
    colleague.force_login(UserFactory(is_superuser=True, first_name="Alex", last_name="Admin"))
    colleague.post(edit, {**opened, "phone": "212 555 0199"})
    shown = as_rana.post(edit, {**opened, "email": "new@example.com"})
    assertContains(shown, "Alex Admin changed this record")
    assertContains(shown, "Phone: +12125550199")
    assertContains(shown, 'value="new@example.com"')
    ada.refresh_from_db()
    assert (ada.phone, ada.email) == ("+12125550199", opened["email"])
    as_rana.post(edit, details(ada, email="new@example.com"))
    ada.refresh_from_db()
    assert (ada.phone, ada.email) == ("+12125550199", "new@example.com")


def test_practitioners_change_no_record(as_chen, edit, visit, ada):
    assert as_chen.get(edit).status_code == 403
    assert as_chen.post(edit, details(ada, vip="on")).status_code == 403
    assert not Patient.objects.get(pk=ada.pk).vip


def test_a_coverage_is_checked(as_rana, record, ada):
    coverage = CoverageFactory(beneficiary=ada)
    check = reverse("portal:staff-patient-coverage", args=[ada.fhir_id, coverage.fhir_id])
    assertContains(as_rana.get(record), f'action="{check}"')
    as_rana.post(check, {"check": "verified", "version": coverage.version})
    coverage.refresh_from_db()
    assert coverage.verification == "verified"


def test_a_new_visit_is_for_the_patient(as_rana, schedule, ada):
    assertContains(
        as_rana.get(reverse("portal:staff-new-visit"), {"schedule": schedule.fhir_id, "patient": ada.fhir_id}),
        f'name="patient" value="{ada.fhir_id}"',
    )
