"""Clinics around the world on the days their clocks change: what is open, and when visits start.

All instants are UTC. A time alone is of the date before it; `A -> B` is a span, `A every 60 to B` a row of
starts, both ends included.
"""

from datetime import time
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from scheduling.core.grid import Grid
from scheduling.core.hours import Window, open_spans
from scheduling.core.offers import Diary, Rules, offers, why_not
from tests.core import model
from tests.core.model import MINUTE, seconds

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ALL_DAY = "00:00-00:00"


class Case(NamedTuple):
    name: str
    zone: str
    days: str
    hours: str
    searched: str
    open: str
    starts: str
    duration: int = 60
    before: int = 0
    after: int = 0
    interval: int = 60
    offset: int = 0


def visits(every, duration=None, **buffers):
    return {"duration": duration or every, "interval": every, **buffers}


NY, LONDON, HOWE, APIA = "America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Apia"
CASABLANCA, SAO_PAULO, BEIRUT, NUUK = "Africa/Casablanca", "America/Sao_Paulo", "Asia/Beirut", "America/Nuuk"

SPRING_NY = "2026-03-08 00:00 -> 2026-03-09 04:00"
AUTUMN_NY = "2026-11-01 00:00 -> 2026-11-02 00:00"
AUTUMN_HOWE = "2026-04-04 06:00 -> 2026-04-06 06:00"
SPRING_HOWE = "2026-10-03 06:00 -> 2026-10-05 06:00"

CASES = [
    # New York, spring: 2026-03-08 02:00 EST (07:00Z) becomes 03:00 EDT.
    Case(
        "NY-1 an all-day Sunday in spring has 23 hours",
        *(NY, "sun", ALL_DAY, "2026-03-08 00:00 -> 2026-03-10 00:00"),
        open="2026-03-08 05:00 -> 2026-03-09 04:00",
        starts="2026-03-08 05:00 every 60 to 2026-03-09 03:00",
    ),
    Case(
        "NY-2 a window that is exactly the gap is no window",
        *(NY, "sun", "02:00-03:00", SPRING_NY),
        open="",
        starts="",
        **visits(30),
    ),
    Case(
        "NY-3 a window that opens in the gap opens an hour on",
        *(NY, "sun", "02:30-04:00", SPRING_NY),
        open="2026-03-08 07:30 -> 08:00",
        starts="2026-03-08 07:30",
        **visits(30),
    ),
    Case(
        "NY-4 a window that closes in the gap closes an hour on",
        *(NY, "sun", "01:00-02:30", SPRING_NY),
        open="2026-03-08 06:00 -> 07:30",
        starts="2026-03-08 06:00 06:30 07:00",
        **visits(30),
    ),
    Case(
        "NY-5 a visit of 90 minutes lasts 90 minutes across the gap",
        *(NY, "sun", "01:00-05:00", SPRING_NY),
        open="2026-03-08 06:00 -> 09:00",
        starts="2026-03-08 06:00 07:00",
        **visits(60, duration=90),
    ),
    Case(
        "NY-6 a Saturday night in spring is an hour short",
        *(NY, "sat", "22:00-06:00", "2026-03-07 12:00 -> 2026-03-08 20:00"),
        open="2026-03-08 03:00 -> 10:00",
        starts="2026-03-08 03:00 04:00 05:00 06:00 07:00 08:00 09:00",
    ),
    Case(
        "NY-15 a search from inside the night finds the rest of it",
        *(NY, "sat", "22:00-06:00", "2026-03-08 06:00 -> 20:00"),
        open="2026-03-08 06:00 -> 10:00",
        starts="2026-03-08 06:00 07:00 08:00 09:00",
    ),
    Case(
        "MED-1 hours after the change are the hours on the door",
        *(NY, "sun", "10:00-16:00", SPRING_NY),
        open="2026-03-08 14:00 -> 20:00",
        starts="2026-03-08 14:00 15:00 16:00 17:00 18:00 19:00",
    ),
    Case(
        "MED-2 a morning across the gap has five hours",
        *(NY, "sun", "00:30-06:30", SPRING_NY),
        open="2026-03-08 05:30 -> 10:30",
        starts="2026-03-08 05:30 every 30 to 2026-03-08 09:30",
        **visits(30, duration=60),
    ),
    Case(
        "BUF-1 buffers are elapsed time across the gap",
        *(NY, "sun", "01:00-04:00", SPRING_NY),
        open="2026-03-08 06:00 -> 08:00",
        starts="2026-03-08 06:15 06:30 06:45 07:00 07:15",
        **visits(15, duration=30, before=10, after=5),
    ),
    Case(
        "G45-1 a grid of 45 minutes follows the wall clock over the gap",
        *(NY, "sun", ALL_DAY, "2026-03-08 00:00 -> 2026-03-10 00:00"),
        open="2026-03-08 05:00 -> 2026-03-09 04:00",
        starts="2026-03-08 05:00 05:45 06:30 07:00 every 45 to 2026-03-09 03:15",
        **visits(45),
    ),
    # New York, autumn: 2026-11-01 02:00 EDT (06:00Z) becomes 01:00 EST.
    Case(
        "NY-7 an all-day Sunday in autumn has 25 hours",
        *(NY, "sun", ALL_DAY, "2026-11-01 00:00 -> 2026-11-03 00:00"),
        open="2026-11-01 04:00 -> 2026-11-02 05:00",
        starts="2026-11-01 04:00 every 60 to 2026-11-02 04:00",
    ),
    Case(
        "NY-8 a window that is exactly the fold is open twice as long",
        *(NY, "sun", "01:00-02:00", AUTUMN_NY),
        open="2026-11-01 05:00 -> 07:00",
        starts="2026-11-01 05:00 06:00",
    ),
    Case(
        "NY-9 a short window inside the fold is open the first time only",
        *(NY, "sun", "01:30-01:45", AUTUMN_NY),
        open="2026-11-01 05:30 -> 05:45",
        starts="2026-11-01 05:30",
        **visits(15),
    ),
    Case(
        "NY-10 a window that closes in the fold closes the first time",
        *(NY, "sun", "00:30-01:30", AUTUMN_NY),
        open="2026-11-01 04:30 -> 05:30",
        starts="2026-11-01 04:30 05:00",
        **visits(30),
    ),
    Case(
        "NY-11 a window that opens in the fold opens the first time",
        *(NY, "sun", "01:30-03:00", AUTUMN_NY),
        open="2026-11-01 05:30 -> 08:00",
        starts="2026-11-01 05:30 06:00 06:30 07:00 07:30",
        **visits(30),
    ),
    Case(
        "NY-12 a Saturday night in autumn is an hour longer",
        *(NY, "sat", "22:00-06:00", "2026-10-31 12:00 -> 2026-11-01 20:00"),
        open="2026-11-01 02:00 -> 11:00",
        starts="2026-11-01 02:00 every 60 to 2026-11-01 10:00",
    ),
    Case(
        "NY-13 a grid of 45 minutes offers 01:30 twice and 02:15 once",
        *(NY, "sun", "00:00-03:00", AUTUMN_NY),
        open="2026-11-01 04:00 -> 08:00",
        starts="2026-11-01 04:00 04:45 05:30 06:30 07:15",
        **visits(45, duration=30),
    ),
    Case(
        "a morning across the fold has seven hours",
        *(NY, "sun", "00:30-06:30", "2025-11-02 00:00 -> 2025-11-03 00:00"),
        open="2025-11-02 04:30 -> 11:30",
        starts="2025-11-02 04:30 every 60 to 2025-11-02 10:30",
        **visits(60, offset=30),
    ),
    # London: 01:00Z on 2026-03-29 and 2026-10-25.
    Case(
        "LON-1 an all-day Sunday in spring has 23 hours",
        *(LONDON, "sun", ALL_DAY, "2026-03-28 12:00 -> 2026-03-30 12:00"),
        open="2026-03-29 00:00 -> 23:00",
        starts="2026-03-29 00:00 every 60 to 2026-03-29 22:00",
    ),
    Case(
        "LON-2 a window that is exactly the gap is no window",
        *(LONDON, "sun", "01:00-02:00", "2026-03-29 00:00 -> 2026-03-30 00:00"),
        open="",
        starts="",
        **visits(30),
    ),
    Case(
        "LON-3 nine o'clock is nine o'clock before and after the change",
        *(LONDON, "sat sun", "09:00-10:00", "2026-03-28 00:00 -> 2026-03-30 00:00"),
        open="2026-03-28 09:00 -> 10:00, 2026-03-29 08:00 -> 09:00",
        starts="2026-03-28 09:00 2026-03-29 08:00",
    ),
    Case(
        "LON-4 an all-day Sunday in autumn has 25 hours",
        *(LONDON, "sun", ALL_DAY, "2026-10-24 12:00 -> 2026-10-26 12:00"),
        open="2026-10-24 23:00 -> 2026-10-26 00:00",
        starts="2026-10-24 23:00 every 60 to 2026-10-25 23:00",
    ),
    Case(
        "LON-5 a window that is exactly the fold is open twice as long",
        *(LONDON, "sun", "01:00-02:00", "2026-10-25 00:00 -> 2026-10-26 00:00"),
        open="2026-10-25 00:00 -> 02:00",
        starts="2026-10-25 00:00 01:00",
    ),
    # Lord Howe Island moves its clocks by half an hour.
    Case(
        "LHI-1 an all-day Sunday in autumn has 24 and a half hours",
        *(HOWE, "sun", ALL_DAY, AUTUMN_HOWE),
        open="2026-04-04 13:00 -> 2026-04-05 13:30",
        starts="2026-04-04 13:00 2026-04-05 01:30",
        **visits(720, duration=30),
    ),
    Case(
        "LHI-2 the half hour that is repeated is an hour",
        *(HOWE, "sun", "01:30-02:00", AUTUMN_HOWE),
        open="2026-04-04 14:30 -> 15:30",
        starts="2026-04-04 14:30 15:00",
        **visits(30),
    ),
    Case(
        "LHI-4 an all-day Sunday in spring has 23 and a half hours",
        *(HOWE, "sun", ALL_DAY, SPRING_HOWE),
        open="2026-10-03 13:30 -> 2026-10-04 13:00",
        starts="2026-10-03 13:30 2026-10-04 01:00",
        **visits(720, duration=30),
    ),
    Case(
        "LHI-5 a window that is exactly the half-hour gap is no window",
        *(HOWE, "sun", "02:00-02:30", SPRING_HOWE),
        open="",
        starts="",
        **visits(15),
    ),
    Case(
        "LHI-6 full hours stay full hours over the half-hour gap",
        *(HOWE, "sun", "01:00-04:00", SPRING_HOWE),
        open="2026-10-03 14:30 -> 17:00",
        starts="2026-10-03 14:30 16:00",
        **visits(60, duration=30),
    ),
    # Apia had no 2011-12-30: the 29th ended at 10:00Z and the 31st began.
    Case(
        "APIA-1 a Friday that never was has no hours",
        *(APIA, "fri", "09:00-17:00", "2011-12-28 00:00 -> 2012-01-02 00:00"),
        open="",
        starts="",
    ),
    Case(
        "APIA-2 every morning around the day that never was",
        *(APIA, "daily", "09:00-10:00", "2011-12-29 00:00 -> 2012-01-01 00:00"),
        open="2011-12-29 19:00 -> 20:00, 2011-12-30 19:00 -> 20:00, 2011-12-31 19:00 -> 20:00",
        starts="2011-12-29 19:00 2011-12-30 19:00 2011-12-31 19:00",
    ),
    Case(
        "APIA-3 a night that ends on the day that never was",
        *(APIA, "daily", "22:00-06:00", "2011-12-30 00:00 -> 2011-12-31 00:00"),
        open="2011-12-30 08:00 -> 16:00",
        starts="2011-12-30 08:00 10:00 12:00 14:00",
        **visits(120),
    ),
    Case(
        "a search from after the day that never was finds the rest of that night",
        *(APIA, "daily", "22:00-06:00", "2011-12-30 12:00 -> 2011-12-31 00:00"),
        open="2011-12-30 12:00 -> 16:00",
        starts="2011-12-30 12:00 14:00",
        **visits(120),
    ),
    # Casablanca turns its clocks back for Ramadan, from 2026-02-15 to 2026-03-22.
    Case(
        "CAS-1 the hour that is repeated when Ramadan begins",
        *(CASABLANCA, "sun", "02:00-03:00", "2026-02-14 12:00 -> 2026-02-16 00:00"),
        open="2026-02-15 01:00 -> 03:00",
        starts="2026-02-15 01:00 02:00",
    ),
    Case(
        "CAS-3 nine o'clock before, in and after Ramadan",
        *(CASABLANCA, "sun", "09:00-10:00", "2026-02-08 00:00 -> 2026-03-23 00:00"),
        open="2026-02-08 08:00 -> 09:00, 2026-02-15 09:00 -> 10:00, 2026-02-22 09:00 -> 10:00, "
        "2026-03-01 09:00 -> 10:00, 2026-03-08 09:00 -> 10:00, 2026-03-15 09:00 -> 10:00, "
        "2026-03-22 08:00 -> 09:00",
        starts="2026-02-08 08:00 2026-02-15 09:00 2026-02-22 09:00 2026-03-01 09:00 2026-03-08 09:00 "
        "2026-03-15 09:00 2026-03-22 08:00",
    ),
    Case(
        "KTM-1 full hours at +05:45",
        *("Asia/Kathmandu", "fri", "09:00-12:00", "2026-05-01 00:00 -> 2026-05-02 00:00"),
        open="2026-05-01 03:15 -> 06:15",
        starts="2026-05-01 03:15 04:15 05:15",
    ),
    # Midnight itself can be skipped, or the hour before it skipped or repeated.
    Case(
        "SP-1 a Sunday whose midnight is skipped begins at one",
        *(SAO_PAULO, "sun", ALL_DAY, "2018-11-03 12:00 -> 2018-11-05 12:00"),
        open="2018-11-04 03:00 -> 2018-11-05 02:00",
        starts="2018-11-04 03:00 every 60 to 2018-11-05 01:00",
    ),
    Case(
        "a Saturday in Sao Paulo whose last hour is repeated",
        *(SAO_PAULO, "sat", ALL_DAY, "2018-02-16 12:00 -> 2018-02-19 12:00"),
        open="2018-02-17 02:00 -> 2018-02-18 03:00",
        starts="2018-02-17 02:00 every 60 to 2018-02-18 02:00",
    ),
    Case(
        "a Sunday in Beirut whose midnight is skipped begins at one",
        *(BEIRUT, "sun", ALL_DAY, "2026-03-28 12:00 -> 2026-03-30 12:00"),
        open="2026-03-28 22:00 -> 2026-03-29 21:00",
        starts="2026-03-28 22:00 every 60 to 2026-03-29 20:00",
    ),
    Case(
        "a Saturday night in Beirut, open until a midnight that is skipped",
        *(BEIRUT, "sat", "20:00-00:00", "2026-03-28 00:00 -> 2026-03-30 00:00"),
        open="2026-03-28 18:00 -> 22:00",
        starts="2026-03-28 18:00 19:00 20:00 21:00",
    ),
    Case(
        "a Friday in Nuuk, open until a time on Saturday that the clocks skip, reaches into Sunday",
        *(NUUK, "fri", "23:50-23:40", "2026-03-29 01:10 -> 2026-03-30 00:00"),
        open="2026-03-29 01:10 -> 01:40",
        starts="2026-03-29 01:10 01:20 01:30",
        **visits(10),
    ),
    # The grid starts again at every local midnight.
    Case(
        "a grid that does not divide the day starts again at midnight",
        *("UTC", "daily", ALL_DAY, "2026-06-01 22:00 -> 2026-06-02 03:00"),
        open="2026-06-01 22:00 -> 2026-06-02 03:00",
        starts="2026-06-01 22:30 2026-06-02 00:00 01:30",
        **visits(90, duration=30),
    ),
    Case(
        "five past, and every quarter of an hour from there",
        *(NY, "mon", "09:00-10:00", "2026-06-01 00:00 -> 2026-06-02 00:00"),
        open="2026-06-01 13:00 -> 14:00",
        starts="2026-06-01 13:05 13:20 13:35",
        **visits(15, offset=5),
    ),
    Case(
        "an offset before midnight is an offset from the point before",
        *(NY, "mon", "09:00-10:30", "2026-06-01 00:00 -> 2026-06-02 00:00"),
        open="2026-06-01 13:00 -> 14:30",
        starts="2026-06-01 13:20 13:50",
        **visits(30, offset=-10),
    ),
    Case(
        "an offset larger than the interval wraps around",
        *(NY, "mon", "00:00-01:30", "2026-06-01 00:00 -> 2026-06-02 00:00"),
        open="2026-06-01 04:00 -> 05:30",
        starts="2026-06-01 04:10 04:40",
        **visits(30, offset=70),
    ),
]


def instants(text):
    """Seconds: dates apply to the times after them; `every N to` fills in the ones between."""
    found, date, step = [], "", None
    words = text.replace(",", " ").replace("->", " ").replace("to", " ").split()
    for word in words:
        if word == "every":
            step = 0
        elif step == 0:
            step = int(word) * MINUTE
        elif "-" in word:
            date = word
        else:
            at = seconds(f"{date}T{word}")
            found.extend(range(found[-1] + step, at, step) if step else [])
            found.append(at)
            step = None
    return found


def spans(text):
    ends = instants(text)
    return list(zip(ends[::2], ends[1::2], strict=True))


def diary(case):
    opens, closes = (time.fromisoformat(text) for text in case.hours.split("-"))
    weekdays = DAYS if case.days == "daily" else case.days.split()
    zone = ZoneInfo(case.zone)
    rules = Rules(
        duration=case.duration * MINUTE,
        buffer_before=case.before * MINUTE,
        buffer_after=case.after * MINUTE,
        capacity=1,
        grid=Grid(case.interval, case.offset, zone),
        zone=zone,
        hours=(Window(frozenset(map(DAYS.index, weekdays)), opens, closes),),
    )
    return Diary(schedule=1, bookable=1, rules=rules)


cases = pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])


@cases
def test_the_clinic_is_open(case):
    [(start, end)] = spans(case.searched)
    rules = diary(case).rules
    assert list(open_spans(rules.hours, rules.zone, start, end)) == spans(case.open)


@cases
def test_visits_start(case):
    [(start, end)] = spans(case.searched)
    found = list(offers([[diary(case)]], start, end))
    assert [offer.start for offer in found] == instants(case.starts)
    assert {offer.end - offer.start for offer in found} <= {case.duration * MINUTE}


@cases
def test_exactly_the_found_times_can_be_booked(case):
    [(start, end)] = spans(case.searched)
    clinic = diary(case)
    every_five_minutes = range(start, end - case.duration * MINUTE + 1, 5 * MINUTE)
    assert [at for at in every_five_minutes if not why_not(clinic, at)] == instants(case.starts)


@cases
def test_the_slow_model_finds_the_same(case):
    [(start, end)] = spans(case.searched)
    assert [offer.start for offer in model.offers([[diary(case)]], start, end)] == instants(case.starts)


SPRING_DAY = "2026-03-08 05:00 -> 2026-03-09 04:00"  # in New York
AUTUMN_DAY = "2026-11-01 04:00 -> 2026-11-02 05:00"


@pytest.mark.parametrize(
    ("day", "interval", "count"),
    [
        pytest.param(SPRING_DAY, 40, 34, id="40 in spring: 02:00 and 02:40 are skipped"),
        pytest.param(SPRING_DAY, 45, 31, id="45 in spring: 02:15 is skipped"),
        pytest.param(SPRING_DAY, 90, 16, id="90 in spring: none of its times is skipped"),
        pytest.param(SPRING_DAY, 120, 11, id="120 in spring: 02:00 is skipped"),
        pytest.param(AUTUMN_DAY, 40, 37, id="40 in autumn: 01:20 is repeated"),
        pytest.param(AUTUMN_DAY, 45, 33, id="45 in autumn: 01:30 is repeated"),
        pytest.param(AUTUMN_DAY, 90, 17, id="90 in autumn: 01:30 is repeated"),
        pytest.param(AUTUMN_DAY, 120, 12, id="120 in autumn: none of its times is repeated"),
    ],
)
def test_all_that_is_found_on_a_day_of_change_can_be_booked(day, interval, count):
    clinic = diary(Case("", NY, "daily", ALL_DAY, day, "", "", duration=5, interval=interval))
    found = [offer.start for offer in offers([[clinic]], *spans(day)[0])]
    assert len(found) == count
    assert not any(why_not(clinic, at) for at in found)
