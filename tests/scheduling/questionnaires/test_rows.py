"""Rows that are added and removed, first values and pages."""

import pytest

from demo.seed.questionnaire import TRAVEL_HEALTH
from scheduling import questionnaires
from scheduling.questionnaires import Entries, read_items
from tests.scheduling.questionnaires.sheets import ZONE, group, item, when

MEDICINES = group("m", item("string", "name"), item("string", "when", repeats=True), repeats=True)


def test_rows_are_added_and_removed_with_all_that_is_in_them():
    read = read_items([MEDICINES])
    typed = Entries({"q-m.0": ["1"], "q-name.0.0": ["Aspirin"], "q-when.0.0": ["noon"]})
    grown = questionnaires.add_row(read, typed, "q-m.0", ZONE)
    grown = Entries({**grown.typed, "q-name.1.0": ["Insulin"], "q-when.1.0": ["dawn"], "q-when.1.1": ["dusk"]})
    left = questionnaires.remove_row(read, grown, "q-m.0")
    assert left.typed == {"q-m.0": ["1"], "q-name.0.0": ["Insulin"], "q-when.0.0": ["dawn"], "q-when.0.1": ["dusk"]}
    assert questionnaires.remove_row(read, left, "q-when.0.0").typed["q-when.0.0"] == ["dusk"]


def test_a_new_row_starts_with_its_initial_values():
    counted = group("g", item("integer", "n", initial=[{"valueInteger": 1}]), repeats=True)
    grown = questionnaires.add_row(read_items([counted]), Entries({"q-g.0": ["1"]}), "q-g.0", ZONE)
    assert grown.typed["q-n.1.0"] == ["1"]


@pytest.mark.parametrize("name", ["", "q-nobody.0", "q-m", "m.0", "q-m.9999"])
def test_rows_of_nothing_change_nothing(name):
    typed = Entries({"q-m.0": ["1"], "q-name.0.0": ["Aspirin"]})
    assert questionnaires.remove_row(read_items([MEDICINES]), typed, name).typed == typed.typed


def test_initial_values_are_there_until_somebody_has_been_asked():
    first = item("string", initial=[{"valueString": "hello"}])
    later = item("string", "b", initial=[{"valueString": "later"}], enableWhen=[when("a", "=", answerString="x")])
    read = read_items([first, later])
    assert questionnaires.initial_entries(read, None, ZONE).typed == {"q-a.0": ["hello"], "q-b.0": ["later"]}
    cleared = questionnaires.initial_entries(read, [], ZONE)
    assert cleared.typed == {"q-b.0": ["later"]}


def test_long_questionnaires_have_a_page_for_each_group():
    assert len(questionnaires.pages(read_items(TRAVEL_HEALTH))) == 4
    assert len(questionnaires.pages(read_items(TRAVEL_HEALTH[:1]))) == 1
