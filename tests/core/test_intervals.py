"""Operations on spans: examples, and comparisons with sets of minutes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.core.intervals import clip, covers, intersect, merge, subtract
from tests.core.model import MINUTE, minutes_of, spans_of


@pytest.mark.parametrize(
    ("spans", "merged"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([(5, 9), (1, 3)], [(1, 3), (5, 9)], id="put in order"),
        pytest.param([(1, 3), (3, 5)], [(1, 5)], id="those that touch are one"),
        pytest.param([(1, 4), (2, 6)], [(1, 6)], id="those that overlap are one"),
        pytest.param([(1, 9), (2, 3)], [(1, 9)], id="one inside another is gone"),
        pytest.param([(1, 9), (2, 3), (8, 10)], [(1, 10)], id="the longer one goes on counting"),
        pytest.param([(1, 3), (1, 3)], [(1, 3)], id="the same twice is once"),
        pytest.param([(1, 3), (4, 5)], [(1, 3), (4, 5)], id="a second apart stays apart"),
        pytest.param([(2, 2)], [], id="no time at all is left out"),
        pytest.param([(5, 3)], [], id="an end before the start is left out"),
        pytest.param([(1, 2), (2, 2), (3, 3), (3, 4)], [(1, 2), (3, 4)], id="no time joins nothing"),
        pytest.param([(-5, -3), (-3, 2)], [(-5, 2)], id="before 1970 too"),
    ],
)
def test_merge(spans, merged):
    assert merge(spans) == merged


@pytest.mark.parametrize(
    ("free", "taken", "left"),
    [
        pytest.param([(1, 9)], [], [(1, 9)], id="nothing taken"),
        pytest.param([], [(1, 9)], [], id="nothing free"),
        pytest.param([(1, 9)], [(1, 9)], [], id="all taken"),
        pytest.param([(3, 6)], [(1, 9)], [], id="more than all taken"),
        pytest.param([(1, 9)], [(3, 5)], [(1, 3), (5, 9)], id="taken from the middle"),
        pytest.param([(1, 9)], [(1, 3)], [(3, 9)], id="taken from the start"),
        pytest.param([(1, 9)], [(7, 9)], [(1, 7)], id="taken from the end"),
        pytest.param([(1, 9)], [(0, 3)], [(3, 9)], id="taken from before"),
        pytest.param([(1, 9)], [(7, 12)], [(1, 7)], id="taken beyond the end"),
        pytest.param([(3, 6)], [(1, 3), (6, 8)], [(3, 6)], id="taken on both sides touches nothing"),
        pytest.param([(1, 4), (6, 9)], [(3, 7)], [(1, 3), (7, 9)], id="one taken reaches into two"),
        pytest.param([(1, 4), (6, 9), (11, 12)], [(2, 20)], [(1, 2)], id="one taken swallows the rest"),
        pytest.param([(1, 9)], [(2, 3), (4, 5)], [(1, 2), (3, 4), (5, 9)], id="two taken leave three"),
    ],
)
def test_subtract(free, taken, left):
    assert subtract(free, taken) == left


@pytest.mark.parametrize(
    ("ones", "others", "both"),
    [
        pytest.param([(1, 5)], [], [], id="with nothing"),
        pytest.param([(1, 5)], [(5, 9)], [], id="those that touch share nothing"),
        pytest.param([(1, 5)], [(4, 9)], [(4, 5)], id="those that overlap"),
        pytest.param([(1, 9)], [(2, 3), (5, 6)], [(2, 3), (5, 6)], id="two inside one"),
        pytest.param([(1, 3), (5, 9)], [(2, 6)], [(2, 3), (5, 6)], id="one across two"),
        pytest.param([(1, 3), (5, 9)], [(3, 5)], [], id="one between two"),
        pytest.param([(1, 5), (6, 9)], [(2, 5), (7, 9)], [(2, 5), (7, 9)], id="ends that meet"),
    ],
)
def test_intersect(ones, others, both):
    assert intersect(ones, others) == both
    assert intersect(others, ones) == both


@pytest.mark.parametrize(
    ("start", "end", "clipped"),
    [
        pytest.param(0, 20, [(1, 5), (8, 12)], id="wider than all of it"),
        pytest.param(3, 10, [(3, 5), (8, 10)], id="through two"),
        pytest.param(5, 8, [], id="between them"),
        pytest.param(4, 4, [], id="no time at all"),
        pytest.param(10, 3, [], id="the wrong way round"),
    ],
)
def test_clip(start, end, clipped):
    assert clip([(1, 5), (8, 12)], start, end) == clipped


@pytest.mark.parametrize(
    ("start", "end", "covered"),
    [
        pytest.param(1, 5, True, id="exactly"),
        pytest.param(2, 4, True, id="with room on both sides"),
        pytest.param(0, 5, False, id="too early by a second"),
        pytest.param(1, 6, False, id="too late by a second"),
        pytest.param(4, 9, False, id="from one to the next"),
        pytest.param(5, 8, False, id="in the gap"),
    ],
)
def test_covers(start, end, covered):
    assert covers([(1, 5), (8, 12)], start, end) is covered


def test_nothing_covers_no_time_outside_of_it():
    assert not covers([], 3, 4)


# Few minutes, so that spans touch, nest and coincide often; some have no time or end before they start.
any_span = st.tuples(st.integers(-60, 120), st.integers(-5, 40)).map(
    lambda span: (span[0] * MINUTE, (span[0] + span[1]) * MINUTE)
)
any_spans = st.lists(any_span, max_size=12)
normal_spans = any_spans.map(minutes_of).map(spans_of)
bounds = st.integers(-70, 170).map(lambda minute: minute * MINUTE)


def is_normal(spans):
    return all(start < end for start, end in spans) and all(one[1] < other[0] for one, other in pairwise(spans))


@given(any_spans)
def test_merge_keeps_exactly_the_minutes_there_were(spans):
    assert merge(spans) == spans_of(minutes_of(spans))


@given(any_spans)
def test_merged_is_normal_and_merging_again_changes_nothing(spans):
    merged = merge(spans)
    assert is_normal(merged)
    assert merge(merged) == merged
    assert merge(reversed(spans)) == merged


@given(normal_spans, normal_spans)
def test_subtract_takes_out_exactly_the_taken_minutes(free, taken):
    left = subtract(free, taken)
    assert left == spans_of(minutes_of(free) - minutes_of(taken))
    assert is_normal(left)


@given(normal_spans, normal_spans)
def test_intersect_keeps_exactly_the_minutes_in_both(ones, others):
    both = intersect(ones, others)
    assert both == spans_of(minutes_of(ones) & minutes_of(others))
    assert is_normal(both)


@given(normal_spans, normal_spans)
def test_difference_and_intersection_make_up_the_whole(free, taken):
    assert merge(subtract(free, taken) + intersect(free, taken)) == free


@given(normal_spans, bounds, bounds)
def test_clip_keeps_exactly_the_minutes_within(spans, start, end):
    assert clip(spans, start, end) == spans_of(minutes_of(spans) & minutes_of([(start, end)]))


@given(normal_spans, bounds, st.integers(1, 60))
def test_covered_is_what_has_every_minute(spans, start, length):
    end = start + length * MINUTE
    assert covers(spans, start, end) is (minutes_of([(start, end)]) <= minutes_of(spans))
