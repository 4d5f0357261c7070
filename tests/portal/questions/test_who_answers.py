"""Permission to answer the questions of a visit."""

import pytest
from django.urls import reverse

from clinic.models import Appointment, QuestionnaireResponse
from scheduling.access import Caller
from tests.factories import RelatedPersonFactory, UserFactory
from tests.portal.questions.answers import COMPLETE, page, response

pytestmark = pytest.mark.django_db


def test_a_carer_answers_for_whom_they_care_for(client, held):
    carer = UserFactory()
    RelatedPersonFactory(patient=held.patient, user=carer)
    client.force_login(carer)
    client.post(page(held), COMPLETE)
    assert response().patient == held.patient


def test_a_guest_answers_for_the_time_that_their_browser_holds(client, held, bo):
    session = client.session
    session["guest"] = "secret"
    session.save()
    Appointment.objects.filter(pk=held.pk).update(held_by_guest=Caller(guest="secret").guest_digest, patient=None)
    assert client.get(page(held)).status_code == 200
    client.post(page(held), COMPLETE)
    assert response().patient is None


@pytest.mark.parametrize("name", ["questions", "questions-stop", "answers"])
def test_others_do_not_find_it(client, held, bo, name):
    address = reverse(f"portal:{name}", args=[held.fhir_id])
    assert client.get(address).status_code == 404
    client.force_login(bo.user)
    assert client.get(address).status_code == 404
    assert client.post(page(held), COMPLETE).status_code == 404
    assert not QuestionnaireResponse.objects.exists()
