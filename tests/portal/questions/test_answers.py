"""Reading and changing answers, by patients and staff."""

from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment, QuestionnaireResponse
from tests.factories import QuestionnaireResponseFactory
from tests.portal.questions.answers import COMPLETE, page, response, sent

pytestmark = pytest.mark.django_db


def booked(held):
    Appointment.objects.filter(pk=held.pk).update(status="booked", hold_expires_at=None)


def test_answers_to_a_booked_visit_are_read_and_changed(as_ada, held):
    as_ada.post(page(held), COMPLETE)
    booked(held)
    answers = reverse("portal:answers", args=[held.fhir_id])
    assertContains(as_ada.get(answers), "Change answers")
    assertContains(as_ada.get(page(held)), "Save changes")
    changed = {**sent("pain", "smokes", "since", pain="No", smokes="false"), "q-since.0.year": ""}
    assertRedirects(as_ada.post(page(held), changed), answers)
    assert response().status == "completed"
    typed = sent("pain", "smokes", "how-much", "since", pain="No", smokes="true", how_much="3")
    assertRedirects(as_ada.post(page(held), typed), answers)
    assert response().status == "amended"
    assertContains(as_ada.get(answers), "Changed after booking")


def test_once_the_visit_has_begun_answers_are_only_read(as_ada, held):
    as_ada.post(page(held), COMPLETE)
    booked(held)
    begun = timezone.now() - timedelta(minutes=1)
    Appointment.objects.filter(pk=held.pk).update(start=begun, end=begun + timedelta(minutes=30))
    answers = reverse("portal:answers", args=[held.fhir_id])
    assertNotContains(as_ada.get(answers), "Change answers")
    assertRedirects(as_ada.post(page(held), sent("pain", pain="Yes")), answers)
    assert response().status == "completed"


def test_staff_preview_a_questionnaire_and_nothing_is_kept(client, form, rana, as_ada):
    address = reverse("portal:questionnaire-preview", args=[form.fhir_id])
    assert as_ada.get(address).status_code == 403
    client.force_login(rana)
    assertContains(client.get(address), "nothing that you enter here is kept")
    assertContains(client.post(address, sent("pain", "smokes")), "There is a problem", status_code=422)
    reply = client.post(address, sent("pain", pain="Yes"), headers={"accept": "application/json"}).json()
    assert reply["alarms"] == {"q-pain": "Call 911 now."}
    assert not QuestionnaireResponse.objects.exists()


def test_the_staffs_panel_reads_answers(held, form):
    row = QuestionnaireResponseFactory(
        questionnaire=form,
        appointment=held,
        status="stopped",
        item=[{"linkId": "pain", "answer": [{"valueString": "Yes"}]}],
    )
    panel = render_to_string("portal/questions/_answers.html", {"response": row})
    for words in ("Does your chest hurt?", "Yes", "Stopped: needs attention now"):
        assert words in panel
