"""Responses in words, as questions and answers."""

from scheduling import questionnaire_answers, questionnaires
from scheduling.questionnaire_answers import AnswerRequest
from scheduling.questionnaires import PostedForm
from tests.factories import QuestionnaireFactory, QuestionnaireResponseFactory
from tests.scheduling.questionnaires.sheets import NOW, PAIN, ZONE, extension, group, item


def test_a_number_is_read_with_the_unit_of_its_question(db):
    unit = extension("questionnaire-unit", valueCoding={"code": "Cel", "display": "°C"})
    form = QuestionnaireFactory(item=[item("decimal", "t", extension=[unit]), item("quantity", "w")])
    weight = {"valueQuantity": {"value": 70.5, "code": "kg"}}
    given = [{"linkId": "t", "answer": [{"valueDecimal": 36.6}]}, {"linkId": "w", "answer": [weight]}]
    reading = questionnaires.summary_of(QuestionnaireResponseFactory(questionnaire=form, item=given))
    assert [answer.text for line in reading.lines for answer in line.answers] == ["36.6 °C", "70.5 kg"]


def test_answers_read_as_questions_and_answers_in_order(db):
    thing = item("choice", "pain", answerOption=PAIN["answerOption"])
    form = QuestionnaireFactory(title="Before", item=[group("g", thing, item("date", "d"))])
    given = [
        {
            "linkId": "g",
            "item": [
                {"linkId": "pain", "answer": [{"valueString": "Yes"}]},
                {"linkId": "d", "answer": [{"valueDate": "2026-03-05"}]},
            ],
        },
        {"linkId": "gone", "text": "Asked in former times", "answer": [{"valueBoolean": True}]},
    ]
    reading = questionnaires.summary_of(QuestionnaireResponseFactory(questionnaire=form, item=given, status="amended"))
    assert [(line.question, [each.text for each in line.answers]) for line in reading.lines] == [
        ("g", []),
        ("Question pain", ["Yes"]),
        ("Question d", ["March 5, 2026"]),
        ("Asked in former times", ["Yes"]),
    ]
    assert reading.lines[1].answers[0].is_alarm
    assert (reading.title, reading.marker) == ("Before", "Changed after booking")


def test_invalid_typed_text_is_shown_as_a_draft(held, caller, form_row):
    form_row.item = [item("date")]
    form_row.save()
    [form] = questionnaire_answers.forms_of(held, ZONE)
    posted = PostedForm({"q-a.0.day": ["31"], "q-a.0.month": ["2"], "q-a.0.year": ["2026"]}, frozenset({"q-a"}))
    request = AnswerRequest(form=form, posted=posted, items=form.items)
    row = questionnaire_answers.answer(held, request, caller=caller, now=NOW).response
    reading = questionnaires.summary_of(row)
    assert [(each.text, each.is_draft) for each in reading.lines[0].answers] == [("31 2 2026", True)]
    assert reading.marker == "Not finished"
