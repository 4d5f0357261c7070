"""Saving answers while somebody types."""

import pytest
from django.urls import reverse

from tests.portal.questions.answers import COMPLETE, page, response, sent

pytestmark = pytest.mark.django_db


def test_typing_is_kept_and_tells_what_comes_up(as_ada, held):
    save = reverse("portal:questions-save", args=[held.fhir_id, 1])
    reply = as_ada.post(save, {**sent("pain", "smokes", "since", smokes="true"), "version": "0"}).json()
    assert reply["saved"].startswith("Saved ")
    assert "(New York time)" in reply["saved"]
    assert (reply["hidden"], reply["alarms"], reply["version"]) == ([], {}, 1)
    assert response().status == "in-progress"
    reply = as_ada.post(save, {**sent("pain", "smokes", "since", smokes="false"), "version": "1"}).json()
    assert reply["hidden"] == ["q-how-much"]


def test_typing_that_arrives_late_does_not_undo_what_was_sent(as_ada, held):
    as_ada.post(page(held), COMPLETE)
    save = reverse("portal:questions-save", args=[held.fhir_id, 1])
    as_ada.post(save, {**sent("pain", "smokes", pain="No", smokes="true"), "version": "0"})
    assert response().status == "completed"


@pytest.mark.parametrize("version", ["²", "9" * 5000, "one"])
def test_typing_that_names_no_version_is_kept(as_ada, held, version):
    save = reverse("portal:questions-save", args=[held.fhir_id, 1])
    assert as_ada.post(save, {**sent("smokes", smokes="true"), "version": version}).json()["version"] == 1


def test_an_alarm_appears_while_typing(as_ada, held):
    save = reverse("portal:questions-save", args=[held.fhir_id, 1])
    reply = as_ada.post(save, {**sent("pain", pain="Yes"), "version": "0"}).json()
    assert reply["alarms"] == {"q-pain": "Call 911 now."}
