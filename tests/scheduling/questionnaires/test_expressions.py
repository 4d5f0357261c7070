"""Initial values from the patient's record, and answers that are calculated from others."""

import pytest

from clinic.fhir.resources import to_fhir
from scheduling import questionnaire_answers, questionnaires
from scheduling.questionnaires import Entries, PostedForm, read_items
from tests.factories import QuestionnaireFactory, QuestionnaireResponseFactory
from tests.scheduling.questionnaires.sheets import (
    COLOURS,
    SDC,
    ZONE,
    calculated,
    expression,
    extension,
    group,
    item,
    when,
)

PATIENT = {
    "resourceType": "Patient",
    "birthDate": "1985-03-27",
    "gender": "female",
    "name": [{"use": "official", "family": "Quinn", "given": ["Ada", "May"]}],
}


def initially(path):
    return {"url": f"{SDC}-initialExpression", **expression(path)}


def variable(name, path):
    return extension("variable", **expression(path, name=name))


def answer(link_id):
    return f"%resource.descendants().where(linkId='{link_id}').answer.value"


KG_PER_M2 = extension("questionnaire-unit", valueCoding={"code": "kg/m2", "display": "kg/m²"})
BODY = [
    item("decimal", "weight"),
    item("decimal", "height"),
    item(
        "decimal",
        "bmi",
        extension=[
            variable("metres", f"{answer('height')} / 100"),
            calculated(f"({answer('weight')} / (%metres * %metres)).round(1)"),
            KG_PER_M2,
        ],
    ),
    item("string", "heavy", required=True, enableWhen=[when("bmi", ">", answerDecimal=30)]),
]


def body(**typed):
    return questionnaires.fill(read_items(BODY), Entries({f"q-{name}.0": [text] for name, text in typed.items()}), ZONE)


def answers(sheet):
    return {each["linkId"]: each["answer"] for each in sheet.as_items()}


def test_an_answer_is_calculated_from_others_and_decides_what_is_asked():
    assert "bmi" not in answers(body(weight="70.5"))
    slim = body(weight="70.5", height="180")
    assert answers(slim)["bmi"] == [{"valueDecimal": 21.8}]
    assert slim.is_complete
    heavy = body(weight="120", height="180")
    assert answers(heavy)["bmi"] == [{"valueDecimal": 37}]
    assert [node.item.link_id for node in heavy.enabled] == ["weight", "height", "bmi", "heavy"]
    assert not heavy.is_complete


def test_answers_sent_for_a_calculated_question_are_ignored():
    read = read_items(BODY)
    posted = PostedForm(
        {"q-weight.0": ["70.5"], "q-height.0": ["180"], "q-bmi.0": ["12"]}, frozenset({"q-weight", "q-bmi"})
    )
    entries = questionnaires.merge(read, Entries({"q-height.0": ["180"]}), posted)
    assert answers(questionnaires.fill(read, entries, ZONE))["bmi"] == [{"valueDecimal": 21.8}]


def test_one_calculation_can_use_another_and_a_circle_ends():
    chain = [
        item("integer", "c", extension=[calculated(f"{answer('b')} + 1")]),
        item("integer", "b", extension=[calculated(f"{answer('a')} + 1")]),
        item("integer", "a"),
    ]
    sheet = questionnaires.fill(read_items(chain), Entries({"q-a.0": ["1"]}), ZONE)
    assert answers(sheet)["c"] == [{"valueInteger": 3}]
    circle = [item("integer", "a", extension=[calculated(f"iif({answer('a')}.empty(), 1, {answer('a')} + 1)")])]
    assert questionnaires.fill(read_items(circle), Entries(), ZONE).is_complete


@pytest.mark.parametrize(
    ("question", "path", "value"),
    [
        (item("string"), "%patient.name.first().given.first()", {"valueString": "Ada"}),
        (item("date"), "%patient.birthDate", {"valueDate": "1985-03-27"}),
        (item("boolean"), "%patient.gender = 'female'", {"valueBoolean": True}),
        (item("integer"), "%patient.name.given.count()", {"valueInteger": 2}),
        (item("decimal"), "1.50", {"valueDecimal": 1.5}),
        (
            item("quantity", extension=[KG_PER_M2]),
            "21",
            {"valueQuantity": {"value": 21, "unit": "kg/m²", "code": "kg/m2"}},
        ),
        (item("quantity"), "10 'mg'", {"valueQuantity": {"value": 10, "unit": "mg"}}),
        (item("time"), "@T14:30", {"valueTime": "14:30:00"}),
        (item("choice", answerOption=COLOURS), "'g'", COLOURS[1]),
        (item("choice", answerOption=[{"valueString": "female"}]), "%patient.gender", {"valueString": "female"}),
        (item("url"), "'https://www.example.org'", {"valueUri": "https://www.example.org"}),
        (item("integer"), "'many'", None),
        (item("integer"), "1.5", None),
        (item("date"), "'soon'", None),
        (item("string"), "%patient.address.city", None),
        (item("string"), "%nothing", None),
    ],
)
def test_an_initial_value_comes_from_the_record(question, path, value):
    raw = {**question, "extension": [*question.get("extension", ()), initially(path)]}
    items = questionnaires.prefill(read_items([raw]), PATIENT)
    sheet = questionnaires.fill(items, questionnaires.initial_entries(items, None, ZONE), ZONE)
    assert answers(sheet) == ({"a": [value]} if value else {})


def test_an_initial_value_gives_way_to_what_is_typed_and_stands_in_groups():
    raw = [group("g", item("string", "a", extension=[initially("%patient.name.family")]))]
    items = questionnaires.prefill(read_items(raw), PATIENT)
    opened = questionnaires.initial_entries(items, None, ZONE)
    assert opened.typed == {"q-a.0.0": ["Quinn"]}
    typed = questionnaires.merge(items, opened, PostedForm({"q-a.0.0": [""]}, frozenset({"q-a.0"})))
    assert questionnaires.fill(items, typed, ZONE).as_items() == []


def test_the_record_is_read_only_for_those_who_may_see_it(held, ada):
    form = held.service.questionnaires.get()
    form.item = [item("string", "a", extension=[initially("%patient.name.family")])]
    form.save()
    [unseen] = questionnaire_answers.forms_of(held, ZONE)
    [seen] = questionnaire_answers.forms_of(held, ZONE, patient=ada)
    assert answers(unseen.sheet) == {}
    assert answers(seen.sheet) == {"a": [{"valueString": to_fhir(ada)["name"][0]["family"]}]}


@pytest.mark.django_db
def test_stored_answers_are_judged_with_what_is_calculated(ada):
    form = QuestionnaireFactory(
        item=[
            item("boolean", "woman", extension=[calculated("%patient.gender = 'female'")]),
            item("string", "b", required=True, enableWhen=[when("woman", "=", answerBoolean=True)]),
        ]
    )
    response = QuestionnaireResponseFactory(questionnaire=form, patient=ada, item=[])
    ada.gender = "female"
    assert not questionnaires.sheet_of(response).is_complete
    ada.gender = "male"
    assert questionnaires.sheet_of(response).is_complete


def test_a_page_shows_calculated_answers_with_their_unit():
    [row] = [each for each in body(weight="70.5", height="180").nodes if each.item.link_id == "bmi"]
    assert questionnaires.answer_words(row.item, row.answers[0], ZONE) == "21.8 kg/m²"
