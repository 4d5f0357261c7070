"""Combined visits: one after another, in the given order or any, or all at once; none takes the time of another."""

from itertools import pairwise, permutations, product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from scheduling.core.combined import LONGEST_WAIT, Part, combinations
from scheduling.core.grid import Grid
from scheduling.core.offers import Diary, Rules, Taken
from tests.core import model
from tests.core.model import MINUTE, seconds
from tests.core.strategies import ALWAYS, arrangements, moments

NY = ZoneInfo("America/New_York")
ALL_TIME = (0, seconds("2100-01-01T00:00"))
NINE = seconds("2026-05-04T13:00")  # a Monday, 09:00 in New York
AT_NINE = (NINE, NINE + 1)


def diary(schedule, *, minutes=30, interval=15, taken=(), bookable=None, before=0, after=0):
    rules = Rules(minutes * MINUTE, before * MINUTE, after * MINUTE, 1, Grid(interval, 0, NY), NY, ALWAYS)
    return Diary(schedule, bookable or schedule, rules, taken=[Taken(*span) for span in taken])


def part(*pool, **more):
    return Part([list(pool)], ALL_TIME, **more)


def minutes_after_nine(*parts, window=AT_NINE, **how):
    """Return for each combination each visit's part, its start in minutes after nine, and its schedule."""
    return [
        [(visit.part, (visit.start - NINE) // MINUTE, visit.schedules[0]) for visit in found]
        for found in combinations(parts, window, **how)
    ]


def span(first, last):
    return NINE + first * MINUTE, NINE + last * MINUTE


def test_the_second_begins_when_the_first_has_ended():
    assert minutes_after_nine(part(diary(1)), part(diary(2))) == [[(0, 0, 1), (1, 30, 2)]]


def test_one_person_gives_both_if_possible():
    both = part(diary(1), diary(2))
    assert minutes_after_nine(part(diary(2)), both) == [[(0, 0, 2), (1, 30, 2)]]


def test_the_buffer_of_one_person_is_waited_for_and_another_s_is_not():
    own = part(diary(1, after=15))
    assert minutes_after_nine(own, part(diary(1))) == [[(0, 0, 1), (1, 45, 1)]]
    assert minutes_after_nine(own, part(diary(2))) == [[(0, 0, 1), (1, 30, 2)]]


def test_two_schedules_of_one_person_share_their_time():
    first, second = part(diary(1, bookable=7)), part(diary(2, bookable=7))
    assert minutes_after_nine(first, second, at_once=True) == []
    assert minutes_after_nine(part(diary(1)), part(diary(2)), at_once=True) == [[(0, 0, 1), (1, 0, 2)]]


@pytest.mark.parametrize(("free_after", "found"), [(60, True), (61, False)])
def test_nobody_waits_longer_than_half_an_hour(free_after, found):
    second = part(diary(2, interval=1, taken=[span(0, free_after)]))
    assert bool(minutes_after_nine(part(diary(1)), second)) is found


def test_any_order_is_tried_if_the_given_one_does_not_fit_or_lasts_longer():
    late = part(diary(1, taken=[span(0, 30)]))
    other = part(diary(2))
    assert minutes_after_nine(late, other) == []
    assert minutes_after_nine(late, other, any_order=True) == [[(1, 0, 2), (0, 30, 1)]]
    assert minutes_after_nine(other, part(diary(3)), any_order=True) == [[(0, 0, 2), (1, 30, 3)]]


def test_another_person_is_taken_where_the_first_choice_would_be_in_the_way():
    """Only the second can give the second visit, so the first gives the first one."""
    first = part(diary(2, after=60), diary(1))
    assert minutes_after_nine(first, part(diary(2))) == [[(0, 0, 1), (1, 30, 2)]]


def test_the_time_of_each_patient_is_kept_free():
    busy = part(diary(2), engaged=[span(30, 35)])
    assert minutes_after_nine(part(diary(1)), busy) == [[(0, 0, 1), (1, 45, 2)]]


# Against a slow model: all offers of each part, with all choices.


def slow_starts(parts, window, any_order, at_once):
    last = window[1] + sum(part.longest + LONGEST_WAIT for part in parts)
    found = [list(model.offers(part.pools, window[0], last)) for part in parts]
    orders = permutations(range(len(parts))) if any_order else [tuple(range(len(parts)))]
    starts = set()
    for order in orders:
        for offers in product(*(found[number] for number in order)):
            if offers[0].start < window[1] and _in_turn(offers, at_once) and _apart(parts, order, offers):
                starts.add(offers[0].start)
    return sorted(starts)


def _in_turn(offers, at_once):
    pairs = list(pairwise(offers))
    if at_once:
        return all(one.start == other.start for one, other in pairs)
    return all(one.end <= other.start <= one.end + LONGEST_WAIT for one, other in pairs)


def _apart(parts, order, offers):
    """True if the schedules can be chosen so that no two visits take time of one person."""
    for chosen in product(*(product(*offer.choices) for offer in offers)):
        taken = [
            (diary.bookable, offer.start - diary.rules.buffer_before, offer.end + diary.rules.buffer_after)
            for number, offer, schedules in zip(order, offers, chosen, strict=True)
            for diary in (each for pool in parts[number].pools for each in pool)
            if diary.schedule in schedules
        ]
        if all(
            one[0] != other[0] or one[2] <= other[1] or other[2] <= one[1]
            for n, one in enumerate(taken)
            for other in taken[n + 1 :]
        ):
            return True
    return False


@settings(max_examples=12)
@given(st.data(), moments, st.booleans(), st.booleans())
def test_combinations_are_those_of_the_slow_model(data, moment, any_order, at_once):
    """Two parts, on the same people or on others."""
    first = data.draw(arrangements(moment))[:2]
    second = first if data.draw(st.booleans()) else data.draw(arrangements(moment))[:2]
    parts = [Part(first, ALL_TIME), Part(second, ALL_TIME)]
    begin = (moment.at + data.draw(st.integers(-240, 60))) * MINUTE
    window = begin, begin + data.draw(st.integers(1, 90)) * MINUTE
    found = list(combinations(parts, window, any_order=any_order, at_once=at_once))
    expected = slow_starts(parts, window, any_order and not at_once, at_once)
    event("found some" if found else "found none")
    assert [visits[0].start for visits in found] == expected
    for visits in found:
        for visit in visits:
            [offer] = [
                each
                for each in model.offers(parts[visit.part].pools, visit.start, visit.end)
                if (each.start, each.end) == (visit.start, visit.end)
            ]
            assert all(schedule in choices for schedule, choices in zip(visit.schedules, offer.choices, strict=True))
