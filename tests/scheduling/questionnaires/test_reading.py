"""Answers are read as questions and answers."""

from scheduling import answering, questionnaires
from scheduling.questionnaires import Posted
from tests.factories import QuestionnaireFactory, QuestionnaireResponseFactory
from tests.scheduling.questionnaires.sheets import NOW, PAIN, ZONE, group, item


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
    reading = questionnaires.read(QuestionnaireResponseFactory(questionnaire=form, item=given, status="amended"))
    assert [(line.question, [each.text for each in line.answers]) for line in reading.lines] == [
        ("g", []),
        ("Question pain", ["Yes"]),
        ("Question d", ["5 March 2026"]),
        ("Asked in former times", ["Yes"]),
    ]
    assert reading.lines[1].answers[0].is_alarm
    assert (reading.title, reading.marker) == ("Before", "Changed after booking")


def test_what_was_only_typed_reads_as_a_draft(held, caller, form_row):
    form_row.item = [item("date")]
    form_row.save()
    [form] = answering.forms_of(held, ZONE)
    posted = Posted({"q-a.0.day": ["31"], "q-a.0.month": ["2"], "q-a.0.year": ["2026"]}, frozenset({"q-a"}))
    row = answering.answer(held, form, posted, form.items, caller=caller, now=NOW).response
    reading = questionnaires.read(row)
    assert [(each.text, each.is_draft) for each in reading.lines[0].answers] == [("31 2 2026", True)]
    assert reading.marker == "Not finished"
