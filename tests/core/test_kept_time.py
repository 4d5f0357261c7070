"""Time kept for some services: closed to the others until the moment at which it is released."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduling.core.hours import Window
from scheduling.core.kept_time import KeptTime, closed_to_others
from scheduling.core.offers import Diary, Reason, offers, why_not
from scheduling.core.recurrence import Recurrence
from tests.core.model import seconds
from tests.core.strategies import ALWAYS
from tests.core.test_offers import VISIT

NEW_YORK = ZoneInfo("America/New_York")
MON, SUN = frozenset({0}), frozenset({6})
WEEK = seconds("2026-03-02T05:00"), seconds("2026-03-17T04:00")  # two weeks; clocks go forward on the 8th, a Sunday


def kept(days, text, before=None, **others):
    return KeptTime((Window(days, *(time.fromisoformat(each) for each in text.split("-")), **others),), before)


def local(at):
    return datetime.fromtimestamp(at, NEW_YORK).strftime("%d %H:%M")


@pytest.mark.parametrize(
    ("time_kept", "own", "now", "closed"),
    [
        pytest.param(
            kept(MON, "08:00-10:00"), (), "03-01T00:00", ["02 08:00", "09 08:00", "16 08:00"], id="never open"
        ),
        pytest.param(
            kept(MON, "08:00-10:00", timedelta(days=2)),
            (),
            *("03-07T12:59:59", ["09 08:00", "16 08:00"]),
            id="a second before two days before, by the clock of Saturday",
        ),
        pytest.param(
            kept(MON, "08:00-10:00", timedelta(days=2)),
            (),
            *("03-07T13:00:00", ["16 08:00"]),
            id="at that moment, 47 hours before: the clocks go forward between",
        ),
        pytest.param(
            kept(MON, "08:00-10:00", timedelta(hours=47)),
            *((), "03-07T12:59:59", ["09 08:00", "16 08:00"]),
            id="hours are hours",
        ),
        pytest.param(
            kept(MON, "08:00-10:00", timedelta(hours=47)), (), "03-07T13:00:00", ["16 08:00"], id="to the end"
        ),
        pytest.param(kept(MON, "08:00-10:00", timedelta(0)), (), "03-16T12:00:00", [], id="released when it begins"),
        pytest.param(
            kept(SUN, "22:00-06:00", timedelta(hours=12)),
            *((), "03-08T15:00:00", ["15 22:00"]),
            id="a night is released as a whole",
        ),
        pytest.param(
            kept(MON, "08:00-10:00", recurrence=Recurrence(nth=(2,))),
            (),
            "03-01T00:00",
            ["09 08:00"],
            id="n-th weekday",
        ),
        pytest.param(
            kept(MON, "08:00-10:00", first=date(2026, 3, 3)),
            (kept(MON, "08:00-09:00", last=date(2026, 3, 10)),),
            *("03-01T00:00", ["09 09:00", "16 08:00"]),
            id="what is kept for several is open to each of them",
        ),
    ],
)
def test_time_is_closed_to_others_until_it_is_released(time_kept, own, now, closed):
    at = int(datetime.fromisoformat(f"2026-{now}+00:00").timestamp())
    found = closed_to_others((time_kept,), own, NEW_YORK, *WEEK, now=at)
    assert [local(start) for start, _end in found] == closed


def test_a_window_in_the_middle_of_kept_time_knows_when_that_began():
    """Released 12 hours before it begins, at 22:00: a search from midnight on sees the same as one from noon."""
    night, at = kept(SUN, "22:00-06:00", timedelta(hours=12)), seconds("2026-03-08T14:00")
    midnight, six = seconds("2026-03-09T04:00"), seconds("2026-03-09T10:00")
    assert closed_to_others((night,), (), NEW_YORK, midnight, six + 60, now=at - 1) == [(midnight, six)]
    assert closed_to_others((night,), (), NEW_YORK, midnight, six + 60, now=at) == []


def test_kept_time_is_neither_offered_nor_booked_buffers_included():
    ten = seconds("2026-06-01T10:00")
    diary = Diary(1, 1, replace(VISIT, hours=ALWAYS, buffer_after=600), kept=[(ten, ten + 3600)])
    for start in range(ten - 7200, ten + 7200, 300):
        offered = any(each.start == start for each in offers([[diary]], start, start + 1800))
        reasons = set(why_not(diary, start)) - {Reason.OFF_GRID}
        is_free = start + 2400 <= ten or start >= ten + 3600
        assert reasons == (set() if is_free else {Reason.KEPT})
        assert not offered or is_free
