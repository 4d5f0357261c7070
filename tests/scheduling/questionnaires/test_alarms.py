"""Answers that need attention now."""

import pytest

from tests.scheduling.questionnaires.sheets import CALL, PAIN, ask, item, when


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
