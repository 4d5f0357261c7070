"""Questionnaires: what is asked, which answers are answers, and what is kept of those that are not."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse as Definition
from hypothesis import given
from hypothesis import strategies as st

from clinic.fhir.codes import RED_FLAG
from clinic.fhir.issues import InvalidResource
from clinic.fhir.references import References
from clinic.fhir.resources import RESOURCES
from clinic.models import Appointment, AuditEvent
from scheduling import answering, booking, questionnaires
from scheduling.access import Caller
from scheduling.errors import RuleBroken
from scheduling.management.demo_questionnaire import TRAVEL_HEALTH
from scheduling.questionnaires import Entries, Posted, read_items
from tests.factories import (
    MONDAY_9,
    AppointmentFactory,
    PatientFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RelatedPersonFactory,
    ServiceFactory,
)

ZONE = ZoneInfo("America/New_York")
NOW = MONDAY_9 - timedelta(days=7)
STANDARD = "http://hl7.org/fhir/StructureDefinition"
COLOURS = [{"valueCoding": {"system": "http://example.org/c", "code": each, "display": each.title()}} for each in "rgb"]


def ask(*items, **typed):
    """The sheet of these items; `typed` by linkId, a dict for the parts of an answer, a list for checkboxes."""
    read = read_items(items)
    return questionnaires.fill(read, entries(**typed), ZONE)


def entries(**typed):
    named = {}
    for link, text in typed.items():
        if isinstance(text, list):
            named[f"q-{link}"] = text
        elif isinstance(text, dict):
            named |= {f"q-{link}.0.{part}" if part else f"q-{link}.0": [each] for part, each in text.items()}
        else:
            named[f"q-{link}.0"] = [text]
    return Entries(named)


def item(kind, link_id="a", **more):
    return {"linkId": link_id, "type": kind, "text": f"Question {link_id}", **more}


def group(link_id, *items, **more):
    return {"linkId": link_id, "type": "group", "text": link_id, "item": list(items), **more}


def extension(name, **value):
    return {"url": f"{STANDARD}/{name}", **value}


def when(question, operator, **answer):
    return {"question": question, "operator": operator, **answer}


def validates(items):
    """By the definition of FHIR."""
    resource = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    Definition.model_validate({**resource, "item": items} if items else resource)


def problem_of(sheet):
    return [each.text for each in questionnaires.problems(questionnaires.every(sheet.nodes))]


UNITS = [extension("questionnaire-unitOption", valueCoding={"code": each, "display": each}) for each in ("kg", "lb")]
UNIT = [extension("questionnaire-unit", valueCoding={"system": "http://unitsofmeasure.org", "code": "cm"})]
DATE = {"day": "5", "month": "3", "year": "2026"}

ANSWERS = [
    (item("boolean"), "true", {"valueBoolean": True}),
    (item("boolean"), "false", {"valueBoolean": False}),
    (item("decimal"), " 36.60 ", {"valueDecimal": 36.6}),
    (item("decimal"), "36,6", {"valueDecimal": 36.6}),
    (item("decimal"), "\N{MINUS SIGN}3", {"valueDecimal": -3}),
    (item("integer"), "12", {"valueInteger": 12}),
    (item("date"), DATE, {"valueDate": "2026-03-05"}),
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
def test_what_is_typed_becomes_an_answer_and_back(question, typed, value):
    sheet = ask(question, a=typed)
    assert problem_of(sheet) == []
    [answered] = sheet.as_items()
    [answer] = answered["answer"]
    for name, content in value.items():
        wanted = content.items() if isinstance(content, dict) else {}
        assert answer[name] == content or wanted <= answer[name].items()
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
    (item("date"), {"day": "", "month": "2", "year": "2026"}, "the day, the month and the year"),
    (item("date"), {"day": "1", "month": "2", "year": "26"}, "no such date"),
    (item("date", extension=[extension("maxValue", valueDate="2026-01-01")]), DATE, "1 January 2026 or less"),
    (item("dateTime"), {**DATE, "time": "25:00"}, "such as 14:30"),
    (item("time"), "noonish", "such as 14:30"),
    (item("time"), "14", "such as 14:30"),
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
    (item("attachment"), "nothing-of-ours", "Choose the file once more"),
]


@pytest.mark.parametrize(("question", "typed", "words"), MISTAKES)
def test_a_mistake_is_named_and_what_was_typed_is_kept(question, typed, words):
    sheet = ask(question, a=typed)
    [said] = problem_of(sheet)
    assert words in said
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
def test_what_is_required_is_missed(question, words):
    assert problem_of(ask(question)) == [words]
    assert problem_of(ask({**question, "required": False})) == []


def test_what_is_read_only_or_hidden_is_never_missed_and_keeps_its_value():
    hidden = [extension("questionnaire-hidden", valueBoolean=True)]
    fixed = item("string", required=True, readOnly=True, initial=[{"valueString": "fixed"}])
    secret = item("integer", "b", required=True, extension=hidden, initial=[{"valueInteger": 3}])
    read = read_items([fixed, secret])
    opened = questionnaires.opened(read, None, ZONE)
    forged = Posted({"q-a.0": ["forged"], "q-b.0": ["9"]}, frozenset({"q-a", "q-b"}))
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


def test_a_question_that_does_not_repeat_has_one_answer():
    sheet = questionnaires.fill(read_items([item("string")]), Entries({"q-a.0": ["x"], "q-a.1": ["y"]}), ZONE)
    assert problem_of(sheet) == ["Give at most 1 answers."]


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


# Conditions

CONDITIONS = [
    ("exists", {"answerBoolean": True}, item("string"), "x", "", None),
    ("exists", {"answerBoolean": False}, item("string"), "", "x", None),
    ("=", {"answerBoolean": True}, item("boolean"), "true", "false", False),
    ("!=", {"answerBoolean": True}, item("boolean"), "false", "true", True),
    ("=", {"answerString": "x"}, item("string"), "x", "y", False),
    ("!=", {"answerString": "x"}, item("text"), "y", "x", True),
    (">", {"answerInteger": 3}, item("integer"), "4", "3", False),
    ("<", {"answerInteger": 3}, item("integer"), "2", "3", False),
    (">=", {"answerDecimal": 3.5}, item("decimal"), "3.50", "3.4", False),
    ("<=", {"answerDecimal": 3.5}, item("decimal"), "3.5", "3.6", False),
    ("=", {"answerDate": "2026-03-05"}, item("date"), DATE, {**DATE, "day": "6"}, False),
    (">", {"answerDate": "2026-03-04"}, item("date"), DATE, {**DATE, "day": "4"}, False),
    (">=", {"answerDate": "2026-03"}, item("date"), DATE, {**DATE, "month": "2"}, False),
    (
        "<",
        {"answerDateTime": "2026-03-05T20:00:00Z"},
        item("dateTime"),
        {**DATE, "time": "14:30"},
        {**DATE, "time": "15:30"},
        False,
    ),
    (">=", {"answerTime": "09:00:00"}, item("time"), "09:00", "08:59", False),
    ("=", {"answerCoding": COLOURS[0]["valueCoding"]}, item("choice", answerOption=COLOURS), "r", "g", False),
    ("=", {"answerCoding": {"code": "r"}}, item("choice", answerOption=COLOURS), "r", "g", False),
    ("!=", {"answerCoding": {"code": "r"}}, item("choice", answerOption=COLOURS), "g", "r", True),
    (
        ">",
        {"answerQuantity": {"value": 70, "unit": "kg"}},
        item("quantity", extension=UNITS),
        {"": "71", "unit": "kg"},
        {"": "150", "unit": "lb"},
        False,
    ),
    ("=", {"answerReference": {"display": "Dr. Chen"}}, item("reference"), "Dr. Chen", "Dr. Who", False),
]


@pytest.mark.parametrize(("operator", "answer", "question", "yes", "no", "without"), CONDITIONS)
def test_every_operator_on_every_type(operator, answer, question, yes, no, without):
    def asked(*typed):
        sheet = ask(question, item("string", "b", enableWhen=[when("a", operator, **answer)]), **dict(typed))
        return sheet.nodes[1].is_enabled

    assert asked(("a", yes))
    assert not asked(("a", no))
    if without is not None:
        assert asked() == without


@pytest.mark.parametrize(("behavior", "wanted"), [("any", True), ("all", False)])
def test_any_condition_or_all_of_them(behavior, wanted):
    both = [when("a", "=", answerString="x"), when("b", "=", answerString="y")]
    third = item("string", "c", enableWhen=both, enableBehavior=behavior)
    sheet = ask(item("string"), item("string", "b"), third, a="x", b="no")
    assert sheet.nodes[2].is_enabled is wanted


def test_what_is_not_asked_is_neither_required_nor_kept_nor_counts_for_others():
    second = item("string", "b", required=True, enableWhen=[when("a", "=", answerBoolean=True)])
    third = item("string", "c", enableWhen=[when("b", "exists", answerBoolean=True)])
    sheet = ask(item("boolean"), second, third, a="false", b="typed before", c="too")
    assert sheet.is_complete
    assert [each["linkId"] for each in sheet.as_items()] == ["a"]


def test_questions_that_wait_for_each_other_are_not_asked():
    one = item("string", "a", enableWhen=[when("b", "!=", answerString="x")])
    two = item("string", "b", enableWhen=[when("a", "!=", answerString="x")])
    assert ask(one, two).enabled == []


def test_in_a_repeated_group_the_nearest_answer_counts():
    person = group(
        "person",
        item("boolean", "smokes"),
        item("integer", "how-many", enableWhen=[when("smokes", "=", answerBoolean=True)]),
        repeats=True,
    )
    typed = Entries({"q-person.0": ["1"], "q-person.1": ["1"], "q-smokes.1.0": ["true"]})
    [node] = questionnaires.fill(read_items([person]), typed, ZONE).nodes
    assert [row.nodes[1].is_enabled for row in node.rows] == [False, True]


def test_questions_inside_an_answer_are_asked_once_it_is_given():
    inner = item("integer", "b", required=True)
    assert ask(item("string", item=[inner])).is_complete
    sheet = ask(item("string", item=[inner]), a="Aspirin")
    assert problem_of(sheet) == ["Answer this question."]
    [answered] = questionnaires.fill(
        read_items([item("string", item=[inner])]), Entries({"q-a.0": ["Aspirin"], "q-b.0.0": ["2"]}), ZONE
    ).as_items()
    assert answered["answer"][0]["item"][0]["answer"] == [{"valueInteger": 2}]
    validates([answered])


LINKS = "abcdef"


@st.composite
def chains(draw):
    """Yes-or-no questions in any order, each with conditions on others, and answers to some of them."""
    items = []
    for link in LINKS:
        conditions = draw(
            st.lists(
                st.builds(
                    lambda question, operator, value: when(question, operator, answerBoolean=value),
                    st.sampled_from([each for each in LINKS if each < link] or ["nobody"]),
                    st.sampled_from(["exists", "=", "!="]),
                    st.booleans(),
                ),
                max_size=2,
            )
        )
        behavior = {"enableBehavior": draw(st.sampled_from(["any", "all"]))} if len(conditions) > 1 else {}
        items.append(item("boolean", link, **({"enableWhen": conditions, **behavior} if conditions else {})))
    typed = draw(st.dictionaries(st.sampled_from(LINKS), st.booleans()))
    return draw(st.permutations(items)), typed


def plainly_asked(items, typed):
    """By asking each question after all that it depends on."""
    asked: dict[str, bool] = {}
    for each in sorted(items, key=lambda raw: raw["linkId"]):
        met = []
        for condition in each.get("enableWhen", []):
            on = condition["question"]
            given = typed.get(on) if asked.get(on) else None
            wanted = condition["answerBoolean"]
            by_operator = {"exists": (given is not None) == wanted, "=": given == wanted, "!=": given != wanted}
            met.append(by_operator[condition["operator"]])
        asked[each["linkId"]] = not met or (all if each.get("enableBehavior") == "all" else any)(met)
    return asked


@given(chains())
def test_conditions_hold_as_a_plain_evaluation_says(chain):
    items, typed = chain
    sheet = ask(*items, **{link: str(value).lower() for link, value in typed.items()})
    assert {node.item.link_id: node.is_enabled for node in sheet.nodes} == plainly_asked(items, typed)


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@given(st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e"]), st.lists(texts, max_size=3)), texts)
def test_whatever_is_typed_is_kept_and_is_fhir(typed, link):
    """Whatever the linkIds are made of."""
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


# Rows

MEDICINES = group("m", item("string", "name"), item("string", "when", repeats=True), repeats=True)


def test_rows_are_added_and_removed_with_all_that_is_in_them():
    read = read_items([MEDICINES])
    typed = Entries({"q-m.0": ["1"], "q-name.0.0": ["Aspirin"], "q-when.0.0": ["noon"]})
    grown = questionnaires.grow(read, typed, "q-m.0", ZONE)
    grown = Entries({**grown.typed, "q-name.1.0": ["Insulin"], "q-when.1.0": ["dawn"], "q-when.1.1": ["dusk"]})
    left = questionnaires.shrink(read, grown, "q-m.0")
    assert left.typed == {"q-m.0": ["1"], "q-name.0.0": ["Insulin"], "q-when.0.0": ["dawn"], "q-when.0.1": ["dusk"]}
    assert questionnaires.shrink(read, left, "q-when.0.0").typed["q-when.0.0"] == ["dusk"]


def test_a_new_row_starts_with_its_initial_values():
    counted = group("g", item("integer", "n", initial=[{"valueInteger": 1}]), repeats=True)
    grown = questionnaires.grow(read_items([counted]), Entries({"q-g.0": ["1"]}), "q-g.0", ZONE)
    assert grown.typed["q-n.1.0"] == ["1"]


@pytest.mark.parametrize("name", ["", "q-nobody.0", "q-m", "m.0", "q-m.9999"])
def test_rows_of_nothing_change_nothing(name):
    typed = Entries({"q-m.0": ["1"], "q-name.0.0": ["Aspirin"]})
    assert questionnaires.shrink(read_items([MEDICINES]), typed, name).typed == typed.typed


def test_initial_values_are_there_until_somebody_has_been_asked():
    first = item("string", initial=[{"valueString": "hello"}])
    later = item("string", "b", initial=[{"valueString": "later"}], enableWhen=[when("a", "=", answerString="x")])
    read = read_items([first, later])
    assert questionnaires.opened(read, None, ZONE).typed == {"q-a.0": ["hello"], "q-b.0": ["later"]}
    cleared = questionnaires.opened(read, [], ZONE)
    assert cleared.typed == {"q-b.0": ["later"]}


def test_long_questionnaires_have_a_page_for_each_group():
    assert len(questionnaires.pages(read_items(TRAVEL_HEALTH))) == 4
    assert len(questionnaires.pages(read_items(TRAVEL_HEALTH[:1]))) == 1


# Files

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


# Alarms

CALL = [{"url": RED_FLAG, "valueString": "Call 911 now."}]
PAIN = item(
    "choice", "pain", required=True, answerOption=[{"valueString": "No"}, {"valueString": "Yes", "extension": CALL}]
)


@pytest.mark.parametrize(
    ("question", "typed", "is_alarm"),
    [
        (PAIN, "Yes", True),
        (PAIN, "No", False),
        (item("boolean", "pain", extension=CALL), "true", True),
        (item("boolean", "pain", extension=CALL), "false", False),
        (item("string", "pain", extension=CALL), "much", True),
        (item("string", "pain", extension=CALL), "", False),
    ],
)
def test_an_answer_can_be_an_alarm(question, typed, is_alarm):
    assert [node.red_flag for node in ask(question, pain=typed).red_flags] == (["Call 911 now."] if is_alarm else [])


def test_a_text_that_comes_up_can_be_an_alarm():
    text = item("display", "b", extension=CALL, enableWhen=[when("a", ">", answerInteger=40)])
    assert not ask(item("integer"), text, a="38").red_flags
    assert ask(item("integer"), text, a="41").red_flags


# What is written


@pytest.fixture
def form_row(db):
    return QuestionnaireFactory(item=[PAIN, item("string", "b", required=True)])


@pytest.fixture
def service(form_row):
    return ServiceFactory(questionnaires=[form_row], requires_questionnaires=True)


@pytest.fixture
def held(service, chen, ada):
    return AppointmentFactory(
        service=service,
        patient=ada,
        schedules=[chen],
        status="pending",
        hold_expires_at=NOW + timedelta(minutes=10),
    )


@pytest.fixture
def caller(ada):
    return Caller(user=ada.user)


def answer(appointment, caller, *, done=False, version=None, now=NOW, **typed):
    [form] = answering.forms_of(appointment, ZONE)
    posted = Posted(entries(**typed).typed, frozenset({"q-pain", "q-b"}))
    return answering.answer(
        appointment, form, posted, form.items, caller=caller, now=now, done=done, version=version
    ).response


def test_what_is_typed_is_kept_in_progress_and_completed_when_done(held, caller, ada):
    started = answer(held, caller, pain="No")
    assert (started.status, started.patient, started.authored) == ("in-progress", ada, None)
    assert answer(held, caller, pain="No", done=True).status == "in-progress"
    done = answer(held, caller, pain="No", b="x", done=True)
    assert (done.pk, done.status, done.authored, done.version) == (started.pk, "completed", NOW, 2)


def test_what_comes_late_is_not_kept(held, caller):
    answer(held, caller, pain="No", b="old")
    answer(held, caller, pain="No", b="new", done=True)
    stale = answer(held, caller, pain="No", b="old", version=1)
    assert (stale.status, stale.item[1]["answer"]) == ("completed", [{"valueString": "new"}])


def test_answers_are_of_whom_the_visit_is_for_by_now(held, caller):
    leo = PatientFactory()
    RelatedPersonFactory(patient=leo, user=caller.user)
    Appointment.objects.filter(pk=held.pk).update(patient=leo)  # after `held` was read
    assert answer(held, caller, pain="No").patient == leo


def test_an_alarm_stops_until_the_answer_is_changed_and_cannot_be_booked(held, caller):
    assert answer(held, caller, pain="Yes").status == "stopped"
    with pytest.raises(RuleBroken, match="Call 911 now"):
        booking.confirm(held.fhir_id, caller=caller, now=NOW)
    assert answer(held, caller, pain="No", b="x", done=True).status == "completed"
    assert booking.confirm(held.fhir_id, caller=caller, now=NOW).status == "booked"


def test_an_alarm_stops_where_questions_are_optional_too(held, caller, service):
    service.requires_questionnaires = False
    service.save()
    answer(held, caller, pain="Yes")
    with pytest.raises(RuleBroken, match="Call 911 now"):
        booking.confirm(held.fhir_id, caller=caller, now=NOW)


@pytest.mark.parametrize(
    "given",
    [
        [],
        [{"linkId": "pain", "answer": [{"valueString": "No"}]}],
        [{"linkId": "pain", "answer": [{"valueString": "Perhaps"}]}, {"linkId": "b", "answer": [{"valueString": "x"}]}],
        [{"linkId": "pain", "answer": [{"valueString": "Yes"}]}, {"linkId": "b", "answer": [{"valueString": "x"}]}],
    ],
)
@pytest.mark.parametrize("attached", [True, False])
def test_software_that_says_completed_is_judged_like_everybody(held, caller, form_row, ada, given, attached):
    QuestionnaireResponseFactory(
        questionnaire=form_row, appointment=held if attached else None, patient=ada, item=given
    )
    with pytest.raises(RuleBroken):
        booking.confirm(held.fhir_id, caller=caller, now=NOW)


def test_answers_of_a_booked_visit_are_amended_until_it_begins(held, caller):
    answer(held, caller, pain="No", b="x", done=True)
    booked = booking.confirm(held.fhir_id, caller=caller, now=NOW)
    assert answer(booked, caller, pain="No", b="x", done=True).status == "completed"
    assert answer(booked, caller, pain="No", b="y", done=True).status == "amended"
    with pytest.raises(RuleBroken, match="can no longer be answered"):
        answer(booked, caller, pain="No", b="z", now=booked.start)


def test_who_answered_is_written_down_once_it_is_done(held, caller):
    answer(held, caller, pain="No")
    answer(held, caller, pain="No", b="x", done=True)
    [line] = AuditEvent.objects.filter(subtype="answer")
    assert (line.user, line.appointment) == (caller.user, held)


def test_a_retired_questionnaire_is_not_asked(held, form_row):
    form_row.status = "retired"
    form_row.save()
    assert answering.forms_of(held, ZONE) == []


# What is read


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


# What a questionnaire may be

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


def test_the_demos_questionnaire_keeps_them():
    assert read_questionnaire(*TRAVEL_HEALTH).fields["item"] == TRAVEL_HEALTH


def read_questionnaire(*items):
    resource = {"resourceType": "Questionnaire", "status": "active", "item": list(items)}
    return RESOURCES["Questionnaire"].from_fhir(resource, References())
