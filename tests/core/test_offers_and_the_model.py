"""The engine finds what the slow model finds, around the days on which clocks change."""

from copy import deepcopy

from hypothesis import assume, event, given
from hypothesis import strategies as st

from scheduling.core.intervals import merge
from scheduling.core.offers import Reason, free_seat, offers, why_not
from tests.core import model
from tests.core.model import MINUTE
from tests.core.strategies import arrangements, diaries, moments, searches, spans

# Against the slow model, around the days on which clocks change.


@given(st.data(), moments)
def test_one_schedule_offers_what_the_slow_model_finds(data, moment):
    clinic = data.draw(diaries(moment))
    window = data.draw(searches(moment.at))
    found = list(offers([[clinic]], *window))
    event("found some" if found else "found none")
    assert found == model.offers([[clinic]], *window)


@given(st.data(), moments)
def test_pools_offer_what_the_slow_model_finds(data, moment):
    pools = data.draw(arrangements(moment))
    window = data.draw(searches(moment.at))
    found = list(offers(pools, *window))
    event("found some" if found else "found none")
    assert found == model.offers(pools, *window)


@given(st.data(), moments)
def test_within_spans_it_offers_what_starts_in_them_alone(data, moment):
    pools = data.draw(arrangements(moment))
    window = data.draw(searches(moment.at))
    within = merge(data.draw(st.lists(spans(moment.at), max_size=3)))
    expected = [each for each in offers(pools, *window) if any(start <= each.start < end for start, end in within)]
    event("found some" if expected else "found none")
    assert list(offers(pools, *window, within)) == expected


@given(st.data(), moments)
def test_found_times_can_be_booked_and_others_are_refused(data, moment):
    clinic = data.draw(diaries(moment))
    start, _ = data.draw(searches(moment.at))
    end = start + 6 * 60 * MINUTE
    found = {offer.start for offer in offers([[clinic]], start, end + clinic.rules.duration)}
    page = model.Page(clinic, start // MINUTE, end // MINUTE)
    for instant in range(start, end, MINUTE):
        reasons = why_not(clinic, instant)
        assert (instant in found) is (reasons == [])
        assert set(reasons) == page.why_not(instant // MINUTE)
        assert len(set(reasons)) == len(reasons)


@given(st.data(), moments)
def test_a_seat_is_free_where_the_slow_model_has_one_and_only_there(data, moment):
    clinic = data.draw(diaries(moment))
    start, _ = data.draw(searches(moment.at))
    end = start + 6 * 60 * MINUTE
    page = model.Page(clinic, start // MINUTE, end // MINUTE)
    for instant in range(start, end, 5 * MINUTE):
        seat = free_seat(clinic, instant)
        assert seat == min(page.free_seats(instant // MINUTE), default=None)
        assert (seat is None) is (Reason.TAKEN in why_not(clinic, instant))


@given(st.data(), moments)
def test_a_search_cut_in_two_finds_the_same_but_for_what_lies_across_the_cut(data, moment):
    pools = data.draw(arrangements(moment))
    start, end = data.draw(searches(moment.at))
    cut = data.draw(st.integers(start, end))
    whole = list(offers(pools, start, end))
    assert [offer for offer in whole if offer.end <= cut] == list(offers(pools, start, cut))
    assert [offer for offer in whole if offer.start >= cut] == list(offers(pools, cut, end))


@given(st.data(), moments)
def test_a_booking_takes_away_exactly_the_offers_that_it_clashes_with(data, moment):
    clinic = data.draw(diaries(moment))
    window = data.draw(searches(moment.at))
    before = list(offers([[clinic]], *window))
    assume(before)
    booked = data.draw(st.sampled_from(before))
    wide_before, wide_after = clinic.rules.buffer_before, clinic.rules.buffer_after
    reach = clinic.rules.duration + wide_before + wide_after

    seats_left = len(
        model.Page(clinic, booked.start // MINUTE, booked.start // MINUTE + 1).free_seats(booked.start // MINUTE)
    )
    for _ in range(seats_left):
        model.book([[clinic]], booked)
    after = list(offers([[clinic]], *window))
    if clinic.rules.capacity == 1:
        assert after == [offer for offer in before if abs(offer.start - booked.start) >= reach]
    assert booked not in after
    assert [offer for offer in after if offer in before] == after
    assert after == model.offers([[clinic]], *window)


@given(st.data(), moments)
def test_booking_one_offer_of_pools_never_makes_another_appear(data, moment):
    pools = data.draw(arrangements(moment))
    window = data.draw(searches(moment.at))
    before = {(offer.start, offer.end): offer for offer in offers(pools, *window)}
    assume(before)
    model.book(pools, data.draw(st.sampled_from(sorted(before.values(), key=lambda offer: offer.start))))
    after = list(offers(pools, *window))
    assert after == model.offers(pools, *window)
    for offer in after:
        could = before[offer.start, offer.end].choices
        assert all(set(now) <= set(then) for now, then in zip(offer.choices, could, strict=True))


@given(st.data(), moments)
def test_asking_changes_nothing(data, moment):
    pools = data.draw(arrangements(moment))
    window = data.draw(searches(moment.at))
    as_it_was = deepcopy(pools)
    first = list(offers(pools, *window))
    assert list(offers(pools, *window)) == first
    assert pools == as_it_was
