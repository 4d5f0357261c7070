"""Typed texts: valid answers, and invalid texts that are kept as they were typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling import questionnaires
from scheduling.questionnaires import Entries, PostedForm, read_items
from tests.scheduling.questionnaires.sheets import (
    COLOURS,
    DATE,
    UNITS,
    ZONE,
    ask,
    extension,
    group,
    item,
    problem_of,
    validates,
)

UNIT = [extension("questionnaire-unit", valueCoding={"system": "http://unitsofmeasure.org", "code": "cm"})]
LICENCE = extension("regex", valueString="[A-Z]{2}-[0-9]{3}")
SLOW = extension("regex", valueString="(a|aa)+b")
FROM_MARCH = extension("minValue", valueDate="2026-03-05")
ANSWERS = [
    (item("boolean"), "true", {"valueBoolean": True}),
    (item("boolean"), "false", {"valueBoolean": False}),
    (item("decimal"), " 36.60 ", {"valueDecimal": 36.6}),
    (item("decimal"), "36,6", {"valueDecimal": 36.6}),
    (item("decimal"), "\N{MINUS SIGN}3", {"valueDecimal": -3}),
    (item("integer"), "12", {"valueInteger": 12}),
    (item("date"), DATE, {"valueDate": "2026-03-05"}),
    (item("date"), {"day": "", "month": "3", "year": "2026"}, {"valueDate": "2026-03"}),
    (item("date"), {"year": "2026"}, {"valueDate": "2026"}),
    (item("date", extension=[FROM_MARCH]), {"year": "2026"}, {"valueDate": "2026"}),
    (item("dateTime"), {"month": "3", "year": "2026"}, {"valueDateTime": "2026-03"}),
    (item("string", extension=[LICENCE]), "AB-123", {"valueString": "AB-123"}),
    (item("string", extension=[SLOW]), "a" * 40, {"valueString": "a" * 40}),
    (item("dateTime"), {**DATE, "time": "14:30"}, {"valueDateTime": "2026-03-05T14:30:00-05:00"}),
    (item("dateTime"), {**DATE, "time": ""}, {"valueDateTime": "2026-03-05"}),
    (item("time"), "14:30", {"valueTime": "14:30:00"}),
    (item("time"), "2:30 pm", {"valueTime": "14:30:00"}),
    (item("time"), "12 am", {"valueTime": "00:00:00"}),
    (item("string"), "  A rash ", {"valueString": "A rash"}),
    (item("text"), "One\r\ntwo", {"valueString": "One\ntwo"}),
    (item("url"), "www.example.org/x", {"valueUri": "https://www.example.org/x"}),
    (item("url"), "urn:oid:1.2.3", {"valueUri": "urn:oid:1.2.3"}),
    (item("choice", answerOption=COLOURS), "g", COLOURS[1]),
    (item("choice", answerOption=[{"valueInteger": 3}]), "3", {"valueInteger": 3}),
    (item("choice"), "Green", {"valueCoding": {"display": "Green"}}),
    (item("open-choice", answerOption=COLOURS), "r", COLOURS[0]),
    (item("open-choice", answerOption=COLOURS), {"": "+other", "other": "Pink"}, {"valueString": "Pink"}),
    (item("open-choice", answerOption=COLOURS), {"other": "Pink"}, {"valueString": "Pink"}),
    (item("open-choice"), "Pink", {"valueString": "Pink"}),
    (item("reference"), "Dr. Chen", {"valueReference": {"display": "Dr. Chen"}}),
    (item("quantity", extension=UNITS), {"": "70.5", "unit": "kg"}, {"valueQuantity": {"value": 70.5, "unit": "kg"}}),
    (item("quantity", extension=UNIT), "180", {"valueQuantity": {"value": 180, "unit": "cm"}}),
    (item("quantity"), {"": "3", "unit": "cups"}, {"valueQuantity": {"value": 3, "unit": "cups"}}),
    (item("quantity"), "3", {"valueQuantity": {"value": 3}}),
]


@pytest.mark.parametrize(("question", "typed", "value"), ANSWERS)
def test_typed_text_becomes_an_answer_and_back(question, typed, value):
    sheet = ask(question, a=typed)
    assert problem_of(sheet) == []
    [answered] = sheet.as_items()
    [answer] = answered["answer"]
    for name, content in value.items():
        parts = content.items() if isinstance(content, dict) else {}
        assert answer[name] == content or parts <= answer[name].items()
    validates(sheet.as_items())
    again = questionnaires.entries_of(read_items([question]), sheet.as_items(), ZONE)
    assert questionnaires.fill(read_items([question]), again, ZONE).as_items() == sheet.as_items()


LEAST = extension("minValue", valueInteger=1)
MOST = extension("maxValue", valueInteger=9)
MISTAKES = [
    (item("decimal"), "warm", "such as 36.5"),
    (item("decimal"), "1,000", "such as 36.5"),
    (item("decimal"), "1" * 16, "such as 36.5"),
    (item("decimal", extension=[extension("maxDecimalPlaces", valueInteger=1)]), "1.25", "at most 1 decimal place"),
    (item("integer"), "1.5", "whole number"),
    (item("integer"), "99999999999", "too large"),
    (item("integer", extension=[LEAST, MOST]), "10", "from 1 to 9"),
    (item("integer", extension=[LEAST]), "0", "1 or more"),
    (item("decimal", extension=[MOST]), "9.5", "9 or less"),
    (item("date"), {"day": "31", "month": "2", "year": "2026"}, "no such date"),
    (item("date"), {"day": "2", "month": "", "year": "2026"}, "Enter the month too"),
    (item("date"), {"day": "2", "month": "3", "year": ""}, "Enter the year"),
    (item("date"), {"day": "", "month": "13", "year": "2026"}, "no such date"),
    (item("date", extension=[FROM_MARCH]), {"month": "2", "year": "2026"}, "March 5, 2026 or more"),
    (item("dateTime"), {"month": "2", "year": "2026", "time": "14:30"}, "the whole date for this time"),
    (item("string", extension=[LICENCE]), "ab 123", "not written as the clinic expects it"),
    (
        item("string", extension=[LICENCE, extension("entryFormat", valueString="AB-123")]),
        "12",
        "Enter this as AB-123.",
    ),
    (item("integer", extension=[extension("regex", valueString="[0-9]{4}")]), "12", "not written as the clinic"),
    (item("date"), {"day": "1", "month": "2", "year": "26"}, "no such date"),
    (item("date", extension=[extension("maxValue", valueDate="2026-01-01")]), DATE, "January 1, 2026 or less"),
    (item("dateTime"), {**DATE, "time": "25:00"}, "such as 2:30 PM"),
    (item("time"), "noonish", "such as 2:30 PM"),
    (item("time"), "14", "such as 2:30 PM"),
    (item("string", maxLength=3), "four", "3 characters or fewer. It has 4"),
    (item("text", extension=[extension("minLength", valueInteger=9)]), "short", "at least 9"),
    (item("url"), "my page", "web address"),
    (item("url"), "javascript:alert(1)", "web address"),
    (item("url"), "https://[", "web address"),
    (item("boolean"), "maybe", "Choose one of the answers"),
    (item("choice", answerOption=COLOURS), "pink", "Choose one of the answers"),
    (item("choice", answerOption=COLOURS), {"other": "Pink"}, "Choose one of the answers"),
    (item("open-choice", answerOption=COLOURS), "+other", "Write your own answer"),
    (item("quantity", extension=UNITS), "70", "Choose the unit"),
    (item("quantity"), {"": "", "unit": "cups"}, "Enter the number"),
    (item("attachment"), "nothing-of-ours", "Choose the file again"),
]


@pytest.mark.parametrize(("question", "typed", "words"), MISTAKES)
def test_a_mistake_is_named_and_what_was_typed_is_kept(question, typed, words):
    sheet = ask(question, a=typed)
    [problem] = problem_of(sheet)
    assert words in problem
    validates(sheet.as_items())
    read = read_items([question])
    again = questionnaires.fill(read, questionnaires.entries_of(read, sheet.as_items(), ZONE), ZONE)
    kept = {part: text for part, text in again.nodes[0].rows[0].typed.items() if text}
    assert kept == {part: text for part, text in (typed if isinstance(typed, dict) else {"": typed}).items() if text}


REQUIRED = [
    (item("string", required=True), "Answer this question."),
    (item("boolean", required=True), "Choose an answer."),
    (item("date", required=True), "Enter a date."),
    (item("attachment", required=True), "Choose a file."),
    (item("choice", required=True, repeats=True, answerOption=COLOURS), "Choose at least one answer."),
    (group("a", item("string", "b"), required=True), "Answer at least one of these questions."),
]


@pytest.mark.parametrize(("question", "words"), REQUIRED)
def test_a_required_answer_is_reported_missing(question, words):
    assert problem_of(ask(question)) == [words]
    assert problem_of(ask({**question, "required": False})) == []


def test_a_read_only_or_hidden_question_is_never_missing_and_keeps_its_value():
    hidden = [extension("questionnaire-hidden", valueBoolean=True)]
    fixed = item("string", required=True, readOnly=True, initial=[{"valueString": "fixed"}])
    secret = item("integer", "b", required=True, extension=hidden, initial=[{"valueInteger": 3}])
    read = read_items([fixed, secret])
    opened = questionnaires.initial_entries(read, None, ZONE)
    forged = PostedForm({"q-a.0": ["forged"], "q-b.0": ["9"]}, frozenset({"q-a", "q-b"}))
    sheet = questionnaires.fill(read, questionnaires.merge(read, opened, forged), ZONE)
    assert sheet.is_complete
    assert [each["answer"] for each in sheet.as_items()] == [[{"valueString": "fixed"}], [{"valueInteger": 3}]]


def test_several_boxes_are_several_answers_in_the_order_of_the_options():
    question = item("choice", repeats=True, answerOption=COLOURS)
    assert ask(question, a=["b", "r"]).as_items()[0]["answer"] == [COLOURS[0], COLOURS[2]]
    most = {**question, "extension": [extension("questionnaire-maxOccurs", valueInteger=1)]}
    assert problem_of(ask(most, a=["b", "r"])) == ["Give at most 1 answers."]
    least = {**question, "extension": [extension("questionnaire-minOccurs", valueInteger=2)]}
    assert problem_of(ask(least, a=["b"])) == ["Give at least 2 answers."]


def test_an_option_that_excludes_the_others_stands_alone():
    none = {
        "valueString": "None of these",
        "extension": [extension("questionnaire-optionExclusive", valueBoolean=True)],
    }
    question = item("open-choice", repeats=True, answerOption=[*COLOURS, none])
    words = "Choose “None of these” alone, or the other answers without it."
    assert problem_of(ask(question, a=["None of these"])) == []
    assert problem_of(ask(question, a=["r", "None of these"])) == [words]
    assert ask(question, a=["r", "None of these"]).as_items()[0]["answer"] == [
        COLOURS[0],
        {"valueString": "None of these"},
    ]
    pink = questionnaires.fill(read_items([question]), Entries({"q-a": ["None of these"], "q-a.other": ["Pink"]}), ZONE)
    assert problem_of(pink) == [words]


def test_a_question_that_does_not_repeat_has_one_answer():
    sheet = questionnaires.fill(read_items([item("string")]), Entries({"q-a.0": ["x"], "q-a.1": ["y"]}), ZONE)
    assert problem_of(sheet) == ["Give at most 1 answers."]


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@given(st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e"]), st.lists(texts, max_size=3)), texts)
def test_any_typed_text_is_kept_as_valid_fhir(typed, link):
    """It holds for every linkId."""
    ids = dict(zip("abcde", ["a", f"{link}.1", "x/y z", "1.2.3", "é_"], strict=True))
    kinds = dict(zip("abcde", ["string", "integer", "date", "choice", "quantity"], strict=True))
    raw = [item(kinds[each], f"{ids[each]}{each}", repeats=each in "abd") for each in "abcde"]
    raw[3]["answerOption"] = [{"valueString": "one"}, {"valueString": "two"}]
    read = read_items(raw)
    blank = questionnaires.fill(read, Entries(), ZONE)
    named = {}
    for node, each in zip(blank.nodes, "abcde", strict=True):
        for n, text in enumerate(typed.get(each, [])):
            named[f"{node.name}.{n}"] = [text]
    sheet = questionnaires.fill(read, Entries(named), ZONE)
    validates(sheet.as_items())
    again = questionnaires.fill(read, questionnaires.entries_of(read, sheet.as_items(), ZONE), ZONE)
    assert again.as_items() == sheet.as_items()


PDF = questionnaires.file_entry(b"%PDF-1.7", "application/pdf", "plan.pdf")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (PDF, None),
        (questionnaires.file_entry(b"MZ", "application/octet-stream", "a.exe"), "PDF, JPEG, PNG"),
        ({**PDF, "size": 6 * 1024 * 1024}, "at most 5 MB. This one has 6.0 MB"),
        (questionnaires.file_entry(b"", "application/pdf", "empty.pdf"), "empty"),
    ],
)
def test_files_of_some_kinds_and_sizes_are_answers(entry, words):
    read = read_items([item("attachment")])
    sheet = questionnaires.fill(read, Entries({"q-a.0": [entry["hash"]]}, {entry["hash"]: entry}), ZONE)
    assert [words in each for each in problem_of(sheet)] == ([True] if words else [])
    validates(sheet.as_items())
    if words is None:
        assert questionnaires.entries_of(read, sheet.as_items(), ZONE).files == {PDF["hash"]: PDF}
