"""Seven days of free times: which days have any, and those of the day that is opened."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import groupby
from zoneinfo import ZoneInfo

from portal import words
from portal.choosing import DAY, WEEK, Choice, Menu, Option, at_different_times


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the strip, with its free times."""

    date: date
    times: tuple[Choice, ...]
    is_today: bool

    @property
    def count(self) -> int:
        """At how many different times one could come."""
        return len(at_different_times(self.times))

    @property
    def groups(self) -> int:
        """How many people or sites the times are with."""
        return len({_group(choice) for choice in self.times})

    @property
    def parts(self) -> list[tuple[str, list[list[Choice]]]]:
        """Its times under morning, afternoon and evening, those with one person at one site together."""
        by_clock = sorted(self.times, key=lambda choice: choice.start.time())
        parts = groupby(by_clock, key=lambda choice: words.part_of_day(choice.start))
        return [(part, _grouped(choices)) for part, choices in parts]


@dataclass(frozen=True, kw_only=True)
class Week:
    """Seven days, the first of them today or later, and one of them opened."""

    days: list[Day]
    opened: Day | None
    previous: date | None
    following: date
    first_available: list[Choice]
    next_free: Choice | None

    @property
    def first(self) -> date:
        return self.days[0].date

    @property
    def last(self) -> date:
        return self.days[-1].date

    @property
    def count(self) -> int:
        return sum(day.count for day in self.days)


def read_week(menu: Menu, week: date | None, day: date | None, *, now: datetime) -> Week:
    """The week asked for, or that of the first free time; the day asked for, or the first free one opened.

    Weeks begin today, then seven days on, and so forth: no strip shows a day that has passed.
    """
    first_available = menu.first_times(now, now=now)
    zone = first_available[0].zone if first_available else (menu.zones or [ZoneInfo("UTC")])[0]
    today = now.astimezone(zone).date()
    first_free = first_available[0].start.date() if first_available else today
    first = max(week or _begins(day or first_free, today), today)
    days = [Day(each, tuple(times), each == today) for each, times in _by_day(menu, first, now=now).items()]
    asked_for = (each for each in days if each.date == day)
    free = [each for each in days if each.times]
    return Week(
        days=days,
        opened=next(asked_for, None) or next(iter(free), None),
        previous=max(first - WEEK, today) if first > today else None,
        following=first + WEEK,
        first_available=first_available,
        next_free=None if free else _next_free(menu, first + WEEK, now=now),
    )


def others_in(menu: Menu, week: Week, *, now: datetime) -> list[Option]:
    """Who else has times in a week, and how many, for whom the one they asked for has none."""
    counted: dict[str, int] = {}
    for times in _by_day(menu, week.first, now=now).values():
        for choice in times:
            counted[choice.with_whom] = counted.get(choice.with_whom, 0) + 1
    return [
        Option(person.value, f"{person.label}: {words.free_times(counted[person.label])}")
        for person in menu.people
        if person.label in counted
    ]


def _by_day(menu: Menu, first: date, *, now: datetime) -> dict[date, list[Choice]]:
    """The free times of seven days, by the date that each one's own zone shows."""
    days: dict[date, list[Choice]] = {first + n * DAY: [] for n in range(7)}
    # A day to either side, because the days of the zones do not begin together.
    start = datetime.combine(first - DAY, time(), UTC)
    for choice in menu.times(start, start + WEEK + 2 * DAY, now=now):
        if choice.start.date() in days:
            days[choice.start.date()].append(choice)
    return days


def _next_free(menu: Menu, after: date, *, now: datetime) -> Choice | None:
    start = datetime.combine(after, time(), menu.zones[0]) if menu.zones else now
    return next(iter(menu.first_times(start, now=now)), None)


def _begins(day: date, today: date) -> date:
    """The first day of the week that `day` is in, where one begins today."""
    return today + (day - today) // WEEK * WEEK


def _group(choice: Choice) -> tuple[str, str]:
    return choice.with_whom, choice.where


def _grouped(choices: Iterable[Choice]) -> list[list[Choice]]:
    """By whom they are with and where; in order of time within each."""
    return [list(each) for _group_of, each in groupby(sorted(choices, key=_group), key=_group)]
