"""Questionnaire definitions and the form controls for their items."""

import pytest

from clinic.fhir.issues import InvalidResource
from clinic.fhir.references import References
from clinic.fhir.resources import RESOURCES
from demo.seed.questionnaire import TRAVEL_HEALTH
from scheduling.questionnaires import read_items
from tests.scheduling.questionnaires.sheets import COLOURS, STANDARD, calculated, extension, group, item, when


def test_options_come_from_a_contained_value_set():
    colours = {"system": "http://example.org/c", "concept": [{"code": "r", "display": "Red"}]}
    contained = [{"resourceType": "ValueSet", "id": "c", "status": "active", "compose": {"include": [colours]}}]
    [question] = read_items([item("choice", answerValueSet="#c")], contained)
    assert [each.label for each in question.options] == ["Red"]
    [unknown] = read_items([item("choice", answerValueSet="http://example.org/elsewhere")])
    assert unknown.control == "line"


def test_many_options_fold_into_a_menu():
    letters = [{"valueString": each} for each in "abcdefgh"]
    [few, many] = read_items([item("choice", answerOption=letters[:7]), item("choice", "b", answerOption=letters)])
    assert (few.control, many.control) == ("radios", "menu")


def test_a_text_below_a_question_is_its_help_and_its_author_may_have_translated_it():
    spanish = [{"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": "¿Fiebre?"}]
    translated = {"extension": [{"url": f"{STANDARD}/translation", "extension": spanish}]}
    raw = item("boolean", text="Fever?", _text=translated, item=[item("display", "h", text="Above 38.")])
    [plain] = read_items([raw])
    assert (plain.text, plain.hint, plain.items) == ("Fever?", "Above 38.", ())
    assert read_items([raw], (), "es")[0].text == "¿Fiebre?"


RULES = [
    ("que-1", {"linkId": "x", "type": "group"}),
    ("que-1", {"linkId": "x", "type": "display", "item": [item("string", "y")]}),
    ("que-4", item("choice", answerOption=COLOURS, answerValueSet="#c")),
    ("que-5", item("boolean", answerOption=[{"valueString": "x"}])),
    ("que-6", item("display", required=True)),
    ("que-7", item("string", enableWhen=[when("a", "exists", answerString="x")])),
    ("que-8", group("a", item("string", "b"), initial=[{"valueString": "x"}])),
    ("que-9", item("display", readOnly=True)),
    ("que-10", item("date", maxLength=3)),
    ("que-11", item("choice", answerOption=COLOURS, initial=[COLOURS[0]])),
    ("que-12", item("string", enableWhen=[when("a", "=", answerString="x")] * 2)),
    ("que-13", item("string", initial=[{"valueString": "x"}] * 2)),
    ("no question", item("string", enableWhen=[when("nobody", "=", answerString="x")])),
]


@pytest.mark.parametrize(("words", "broken"), RULES)
def test_a_questionnaire_that_breaks_fhirs_rules_is_refused(words, broken):
    with pytest.raises(InvalidResource, match=words):
        read_questionnaire(broken)


UNWORKABLE = [
    (extension("regex", valueString="[A-"), "extension[0].valueString"),
    (calculated("1 +"), "extension[0].valueExpression.expression"),
    (calculated("nonsense()"), "extension[0].valueExpression.expression"),
    (calculated("%undefined + 1"), "extension[0].valueExpression.expression"),
    (calculated("1", language="text/cql"), "extension[0].valueExpression.language"),
]


@pytest.mark.parametrize(("wrong", "place"), UNWORKABLE)
def test_a_pattern_or_an_expression_that_cannot_work_is_refused(wrong, place):
    with pytest.raises(InvalidResource) as refused:
        read_questionnaire(item("string", extension=[wrong]))
    [issue] = refused.value.issues
    assert issue.expression == f"Questionnaire.item[0].{place}"


def test_the_demos_questionnaire_keeps_them():
    assert read_questionnaire(*TRAVEL_HEALTH).fields["item"] == TRAVEL_HEALTH


def read_questionnaire(*items):
    resource = {"resourceType": "Questionnaire", "status": "active", "item": list(items)}
    return RESOURCES["Questionnaire"].from_fhir(resource, References())
