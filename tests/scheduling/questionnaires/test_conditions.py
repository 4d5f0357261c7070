"""Questions that are enabled only by certain answers to others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling import questionnaires
from scheduling.questionnaires import Entries, read_items
from tests.scheduling.questionnaires.sheets import (
    COLOURS,
    DATE,
    UNITS,
    ZONE,
    ask,
    group,
    item,
    problem_of,
    validates,
    when,
)

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
    def is_asked(*typed):
        sheet = ask(question, item("string", "b", enableWhen=[when("a", operator, **answer)]), **dict(typed))
        return sheet.nodes[1].is_enabled

    assert is_asked(("a", yes))
    assert not is_asked(("a", no))
    if without is not None:
        assert is_asked() == without


@pytest.mark.parametrize(("behavior", "expected"), [("any", True), ("all", False)])
def test_any_condition_or_all_of_them(behavior, expected):
    both = [when("a", "=", answerString="x"), when("b", "=", answerString="y")]
    third = item("string", "c", enableWhen=both, enableBehavior=behavior)
    sheet = ask(item("string"), item("string", "b"), third, a="x", b="no")
    assert sheet.nodes[2].is_enabled is expected


def test_a_disabled_question_is_neither_required_nor_kept_nor_counted():
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
    """The questions asked, computed by visiting each question after all that it depends on."""
    enabled: dict[str, bool] = {}
    for each in sorted(items, key=lambda raw: raw["linkId"]):
        met = []
        for condition in each.get("enableWhen", []):
            on = condition["question"]
            given = typed.get(on) if enabled.get(on) else None
            expected = condition["answerBoolean"]
            by_operator = {"exists": (given is not None) == expected, "=": given == expected, "!=": given != expected}
            met.append(by_operator[condition["operator"]])
        enabled[each["linkId"]] = not met or (all if each.get("enableBehavior") == "all" else any)(met)
    return enabled


@given(chains())
def test_conditions_hold_as_a_plain_evaluation_says(chain):
    items, typed = chain
    sheet = ask(*items, **{link: str(value).lower() for link, value in typed.items()})
    assert {node.item.link_id: node.is_enabled for node in sheet.nodes} == plainly_asked(items, typed)
