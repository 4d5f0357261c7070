"""The clinic's questions, options and alarms in the reader's language, or marked with the language they are in."""

from copy import deepcopy

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from clinic import translations
from clinic.models import QuestionnaireResponse
from tests.factories import QuestionnaireFactory, QuestionnaireResponseFactory, ServiceFactory
from tests.portal.questions.answers import PAIN, page, sent

pytestmark = pytest.mark.django_db

SPANISH = {"headers": {"accept-language": "es"}}
SIDES = {
    "linkId": "side",
    "type": "choice",
    "text": "On which side?",
    "repeats": True,
    "answerOption": [
        {"valueString": "Left"},
        {
            "valueString": "Neither",
            "extension": [
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive",
                    "valueBoolean": True,
                }
            ],
        },
    ],
}
TRAVEL = {
    "linkId": "where",
    "type": "choice",
    "text": "Where to?",
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/questionnaire-itemControl",
            "valueCodeableConcept": {"coding": [{"code": "drop-down"}]},
        }
    ],
    "answerOption": [{"valueString": "Abroad"}],
}


@pytest.fixture
def form():
    return QuestionnaireFactory(title="Before your visit", item=[PAIN, SIDES, TRAVEL])


def translated(form):
    """The same with its alarm and one option in Spanish."""
    pain = deepcopy(PAIN)
    no, yes = pain["answerOption"]
    translations.translate(no, "valueString", {"es": "No, nada"})
    translations.translate(yes["extension"][0], "valueString", {"es": "Llame al 911 ahora."})
    form.item = [pain, SIDES, TRAVEL]
    form.save()


def test_options_and_alarms_that_are_not_translated_are_marked(as_ada, held):
    first = as_ada.get(page(held), **SPANISH)
    for marked in ('<span lang="en">Yes</span>', '<span lang="en">Left</span>', '<option value="Abroad" lang="en">'):
        assertContains(first, marked)
    as_ada.post(page(held), sent("pain", pain="Yes"), **SPANISH)
    assertContains(as_ada.get(page(held), **SPANISH), 'data-alarm-text lang="en">Call 911 now.</strong>')
    stop = as_ada.get(reverse("portal:questions-stop", args=[held.fhir_id]), **SPANISH)
    assertContains(stop, '<span lang="en">Call 911 now.</span>')
    confirm = as_ada.get(reverse("portal:confirm", args=[held.fhir_id]), **SPANISH)
    assertContains(confirm, '<span lang="en">Call 911 now.</span>')
    assertNotContains(as_ada.get(page(held), headers={"accept-language": "en"}), 'lang="en">Call')


def test_parts_that_change_while_typing_are_marked_with_their_language(as_ada, held, form):
    save = reverse("portal:questions-save", args=[held.fhir_id, 1])
    response = as_ada.post(save, {**sent("pain", pain="Yes"), "version": "0"}, **SPANISH).json()
    assert (response["alarms"], response["languages"]) == ({"q-pain": "Call 911 now."}, {"q-pain": "en"})
    translated(form)
    response = as_ada.post(save, {**sent("pain", pain="Yes"), "version": response["version"]}, **SPANISH).json()
    assert (response["alarms"], response["languages"]) == ({"q-pain": "Llame al 911 ahora."}, {})


def test_a_translated_alarm_is_read_in_the_readers_language_everywhere(as_ada, held, form):
    translated(form)
    assertContains(as_ada.get(page(held), **SPANISH), "No, nada")
    as_ada.post(page(held), sent("pain", pain="Yes"), **SPANISH)
    for address in ("questions-stop", "confirm"):
        response = as_ada.get(reverse(f"portal:{address}", args=[held.fhir_id]), **SPANISH)
        assertContains(response, "Llame al 911 ahora.")
        assertNotContains(response, "Call 911 now.")


def test_an_option_inside_a_sentence_is_marked_too(as_ada, held):
    both = {"shown": ["q-side"], "q-side": ["Left", "Neither"]}
    as_ada.cookies[settings.LANGUAGE_COOKIE_NAME] = "es"
    response = as_ada.post(page(held), both)
    assertContains(response, '«<span lang="en">Neither</span>»', count=2)  # in the summary and beside the question


def test_a_mistake_is_said_in_the_language_of_the_page_that_shows_it(as_ada, held):
    both = {"shown": ["q-side"], "q-side": ["Left", "Neither"]}
    Client.post(as_ada, page(held), both, **SPANISH)
    response = as_ada.get(page(held))
    assertContains(response, "Choose “Neither” alone, or the other answers without it.", count=2)


def test_answers_are_read_with_the_language_of_each_option(as_ada, held, form):
    translated(form)
    item = [
        {"linkId": "pain", "answer": [{"valueString": "No"}]},
        {"linkId": "side", "answer": [{"valueString": "Left"}]},
    ]
    QuestionnaireResponseFactory(
        questionnaire=form,
        appointment=held,
        patient=held.patient,
        status=QuestionnaireResponse.Status.COMPLETED,
        item=item,
    )
    answers = as_ada.get(reverse("portal:answers", args=[held.fhir_id]), **SPANISH)
    assertContains(answers, "No, nada")
    assertContains(answers, '<span lang="en">Left</span>')
    assertContains(answers, '<span lang="en">On which side?</span>')


def test_a_rule_names_the_service_in_the_readers_language(as_ada, held):
    service = ServiceFactory(name="Adults only", minimum_age=99)
    held.service = service
    held.save()
    held.patient.birth_date = held.start.date().replace(year=held.start.year - 30, day=1)
    held.patient.save()
    confirm = reverse("portal:confirm", args=[held.fhir_id])
    assertContains(as_ada.get(confirm, **SPANISH), '<span lang="en">Adults only</span> es')
    translations.translate(service.extra, "name", {"es": "Solo adultos"})
    service.save()
    assertContains(as_ada.get(confirm, **SPANISH), "Solo adultos es")
