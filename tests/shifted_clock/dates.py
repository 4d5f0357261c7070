"""The next date of each kind that is hard for calendars."""

from calendar import isleap
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
EVENING = time(20, 30)  # in UTC the next day has begun
NOON = time(12)
NIGHT = time(0, 30)  # before the clocks change
LAST_MINUTES = time(23, 50)


def shifted_dates(today: date) -> dict[str, datetime]:
    """Return the moments at which the tests run, by the names in `DATES`."""
    sunday = _next_day(today, lambda day: day.weekday() == 6 and (day + DAY).day == 1)
    leap_day = _next_day(today, lambda day: (day.month, day.day) == (2, 29))
    spring = _next_day(today, lambda day: _shift(day) > timedelta())
    autumn = _next_day(today, lambda day: _shift(day) < timedelta())
    new_years_eve = date(today.year, 12, 31)
    return {
        "sunday-at-month-end": datetime.combine(sunday, EVENING, NEW_YORK),
        "february-28": datetime.combine(leap_day - DAY, NOON, NEW_YORK),
        "february-29": datetime.combine(leap_day, NOON, NEW_YORK),
        "eve-of-spring-change": datetime.combine(spring - DAY, NOON, NEW_YORK),
        "spring-change": datetime.combine(spring, NIGHT, NEW_YORK),
        "eve-of-autumn-change": datetime.combine(autumn - DAY, NOON, NEW_YORK),
        "autumn-change": datetime.combine(autumn, NIGHT, NEW_YORK),
        "year-end": datetime.combine(new_years_eve, LAST_MINUTES, UTC),
        "year-end-in-new-york": datetime.combine(new_years_eve, LAST_MINUTES, NEW_YORK),
        "two-years-ahead": datetime.combine(_two_years_after(today), NOON, NEW_YORK),
    }


def _next_day(today: date, fits: Callable[[date], bool]) -> date:
    day = today + DAY
    while not fits(day):
        day += DAY
    return day


def _shift(day: date) -> timedelta:
    """Return how far the clocks of New York go forward on a day."""
    morning, evening = (datetime.combine(each, time(), NEW_YORK).utcoffset() for each in (day, day + DAY))
    assert morning is not None
    assert evening is not None
    return evening - morning


def _two_years_after(today: date) -> date:
    day = min(today.day, 28) if isleap(today.year) and today.month == 2 else today.day
    return today.replace(year=today.year + 2, day=day)
