"""Staff answer a request with another time, from the to-do list, the visit's page and the calendar."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains

from clinic.models import Appointment, AuditEvent
from scheduling import booking
from scheduling.access import Caller
from tests.scheduling.situations import wish

pytestmark = pytest.mark.django_db(transaction=True)
DIALOG = {"HX-Request": "true"}


@pytest.fixture
def visit(checkup, schedule, ada, ten):
    """Ada's request for ten."""
    checkup.on_request = True
    checkup.save()
    return booking.book(wish(checkup, schedule, at=ten, patient=ada), caller=Caller(user=ada.user), now=timezone.now())


@pytest.fixture
def sent(visit, schedule, ten):
    """The form for two o'clock."""
    return {
        "calendar": schedule.fhir_id,
        "date": ten.date().isoformat(),
        "time": "14:00",
        "minutes": "30",
        "version": visit.version,
    }


def suggested(visit):
    return Appointment.objects.filter(suggested_for=visit, status="pending").first()


@pytest.mark.parametrize("page", ["/staff/to-do/", "/staff/appointments/{}/", "/staff/visits/{}/"])
def test_each_place_where_a_request_is_answered_leads_to_the_form(as_rana, visit, page):
    address = f"/staff/visits/{visit.fhir_id}/suggest/"
    assertContains(as_rana.get(page.format(visit.fhir_id)), f'href="{address}')
    form = as_rana.get(address)
    assertContains(form, "Suggest another time")
    assertContains(form, "It is held for 2 days")


def test_the_time_is_held_and_shown_beside_the_request(as_rana, visit, sent, ten, rana):
    said = as_rana.post(f"/staff/visits/{visit.fhir_id}/suggest/", sent, headers=DIALOG)
    assert said.status_code == 204
    assert "is suggested to the patient" in said.headers["HX-Trigger"]
    assert suggested(visit).start == ten + timedelta(hours=4)
    for page in ("/staff/to-do/", f"/staff/appointments/{visit.fhir_id}/", f"/staff/visits/{visit.fhir_id}/"):
        assertContains(as_rana.get(page), "Suggested instead:")
    assertContains(as_rana.get(f"/staff/appointments/{visit.fhir_id}/"), "Another time suggested")
    assert AuditEvent.objects.get(appointment=visit, subtype="suggest").user == rana
    assertContains(as_rana.get(f"/staff/visits/{suggested(visit).fhir_id}/"), "waits for the patient\u2019s answer")


def test_a_rule_is_overridden_with_a_reason(as_rana, visit, sent):
    sent["time"] = "20:00"
    refused = as_rana.post(f"/staff/visits/{visit.fhir_id}/suggest/", sent, headers=DIALOG)
    assert (refused.status_code, suggested(visit)) == (422, None)
    assertContains(refused, "Suggest anyway", status_code=422)
    sent |= {"anyway": "1", "override": "Evening clinic"}
    assert as_rana.post(f"/staff/visits/{visit.fhir_id}/suggest/", sent, headers=DIALOG).status_code == 204
    assert suggested(visit) is not None


def test_a_change_by_another_user_is_reported(as_rana, visit, sent):
    booking.annotate(
        visit.fhir_id, {"comment": "Knee"}, caller=Caller(client="s", scopes=("system/*.cruds",)), now=timezone.now()
    )
    refused = as_rana.post(f"/staff/visits/{visit.fhir_id}/suggest/", sent, headers=DIALOG)
    assertContains(refused, "Someone else has changed this visit", status_code=422)
    assert suggested(visit) is None


def test_a_patient_has_no_such_form(as_ada, visit, sent):
    assert as_ada.post(f"/staff/visits/{visit.fhir_id}/suggest/", sent).status_code in (302, 403, 404)
    assert suggested(visit) is None
