"""Recurrence of weekly hours: in every week, in every second week, or on the n-th weekday of a month.

Weeks begin on a Monday and are counted without end, so that every second week stays so across a year of 53 weeks.
"""

from calendar import monthrange
from datetime import date, timedelta
from typing import NamedTuple

LAST = -1


class Recurrence(NamedTuple):
    """The weeks in which hours recur on their weekdays.

    With `nth` only the first (1) to fourth (4) or the last (-1) such weekday of a month; else every `interval` weeks,
    in those whose number, divided by it, leaves `week`.
    """

    interval: int = 1
    week: int = 0
    nth: tuple[int, ...] = ()

    def includes(self, day: date) -> bool:
        if self.nth:
            return bool({-(-day.day // 7), *([LAST] if is_last(day) else [])}.intersection(self.nth))
        return week_number(day) % self.interval == self.week

    def next_week(self, day: date) -> date:
        """The Monday of the first of its weeks that is not over before `day`."""
        weeks = (self.week - week_number(day)) % self.interval
        return day - timedelta(days=day.weekday()) + timedelta(weeks=weeks)


EVERY_WEEK = Recurrence()


def week_number(day: date) -> int:
    """The number of the week; the calendar's first, from 1 January of the year 1, is 0."""
    return (day.toordinal() - 1) // 7


def is_last(day: date) -> bool:
    """True if the month has no later day on the same weekday."""
    return day.day + 7 > monthrange(day.year, day.month)[1]


def every(interval: int, day: date) -> Recurrence:
    """The recurrence every so many weeks, in the week of `day` and those before and after it."""
    return Recurrence(interval, week_number(day) % interval)
