"""A week of free times: the number on each day, and the times of the opened day.

`ways_on` decides both the number of times and their buttons, so that they are always equal.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from itertools import groupby

from clinic import time_text
from portal.finding.times import (
    DAY,
    FIRST_FEW,
    WEEK,
    Choice,
    FilterOption,
    Menu,
    at_different_times,
    is_person,
    placed,
)
from scheduling.availability import FoundTime, Offering, as_datetime

FURTHEST = timedelta(days=730)  # how far ahead the pages go
CROWD = 6  # with more people than this at a site, a day shows each time once and not for each person

Found = Mapping[date, Sequence[FoundTime]]


@dataclass(frozen=True, slots=True)
class DayCount:
    """One day, and its number of free times."""

    date: date
    count: int
    is_today: bool = False


class Outside(Enum):
    """Reason why a requested day cannot be shown."""

    PAST = "past"
    TOO_FAR = "too far"


@dataclass(frozen=True, slots=True)
class Ways:
    """The times of one day with their schedules, one for each button. In a crowd, each time once for each site."""

    buttons: Sequence[tuple[FoundTime, tuple[Offering, ...]]]
    is_crowded: bool


@dataclass(frozen=True, slots=True)
class OpenDay:
    """The opened day with its times. In a crowd, each time once for each site."""

    date: date
    times: tuple[Choice, ...]
    is_crowded: bool = False

    @property
    def count(self) -> int:
        return len(self.times)

    @property
    def groups(self) -> int:
        """The number of people or sites that the times are with."""
        return len({self._group(choice) for choice in self.times})

    @property
    def parts(self) -> list[tuple[str, list[list[Choice]]]]:
        """The times by morning, afternoon and evening, grouped by person and site."""
        by_clock = sorted(self.times, key=lambda choice: _since_midnight(choice.start))
        parts = groupby(by_clock, key=lambda choice: time_text.part_of_day(choice.start))
        return [(part, self._grouped(choices)) for part, choices in parts]

    def _grouped(self, choices: Iterable[Choice]) -> list[list[Choice]]:
        groups: dict[tuple[float, str, str], list[Choice]] = {}
        for choice in choices:
            groups.setdefault(self._group(choice), []).append(choice)
        return [groups[key] for key in sorted(groups)]

    def _group(self, choice: Choice) -> tuple[float, str, str]:
        """Return the sort key of a choice's group: nearest site first, then person and site."""
        return choice.distance, "" if self.is_crowded else choice.with_whom, choice.where


@dataclass(frozen=True, kw_only=True)
class FreeDays:
    """Consecutive days, today or later, with their numbers of free times; one day is opened."""

    days: list[DayCount]
    opened: OpenDay | None
    previous: date | None
    following: date | None
    first_available: list[Choice]
    next_free: Choice | None
    until: date | None = None  # the last day that can be booked, if there is a limit
    outside: Outside | None = None

    @property
    def first(self) -> date:
        return self.days[0].date

    @property
    def last(self) -> date:
        return self.days[-1].date

    @property
    def count(self) -> int:
        return sum(day.count for day in self.days)


class Week(FreeDays):
    """Seven days."""


def read_week(menu: Menu, week: date | None, day: date | None, *, now: datetime) -> Week:
    """Return the requested week, or the week of the first free time, with the requested or first free day opened.

    The first week begins today, so that no week shows a day that has passed. If the first free time is in the week,
    one search for free times is enough.
    """
    today = today_of(menu, now)
    outside = outside_of(menu, day, 1, today) or outside_of(menu, week, 7, today)
    requested = None if outside == Outside.PAST else _requested_week(week, day, today)
    first = within(menu, requested or today, today)
    found = find_days(menu, first, 7, now=now)
    first_available = first_few(menu, found, first, today, now=now)
    if requested is None and first_available and not any(found.values()):
        first = _begins(first_available[0].start.date(), today)
        found = find_days(menu, first, 7, now=now)
    following = first + WEEK
    return Week(
        days=count_days(menu, found, today),
        opened=open_day(menu, found, day, now=now),
        previous=max(first - WEEK, today) if first > today else None,
        following=following if following <= last_day(menu, today) else None,
        first_available=first_available,
        next_free=None if any(found.values()) else next_after(menu, following, first_available, now=now),
        until=horizon(menu, now),
        outside=outside,
    )


def _requested_week(week: date | None, day: date | None, today: date) -> date | None:
    """Return the first day of the requested week. A day outside of `week` decides the week instead."""
    if day and not (week and timedelta(0) <= day - week < WEEK):
        return _begins(day, today)
    return week


def outside_of(menu: Menu, first: date | None, number: int, today: date) -> Outside | None:
    """Return why `number` days from `first` on cannot be shown: all past, or beyond the last day; else None."""
    if first is None:
        return None
    if first <= today - number * DAY:
        return Outside.PAST
    return Outside.TOO_FAR if first > last_day(menu, today) else None


def today_of(menu: Menu, now: datetime) -> date:
    """Return today's date in the menu's westernmost zone, so that no zone misses a day that is not over."""
    return min((now.astimezone(zone).date() for zone in menu.zones), default=now.date())


def last_day(menu: Menu, today: date) -> date:
    """Return the last day on which there could be a free time."""
    days = menu.service.booking_horizon_days
    furthest = today + (FURTHEST if days is None else min(FURTHEST, days * DAY))
    planned = menu.planned_until
    return furthest if planned is None else max(today, min(furthest, planned))


def horizon(menu: Menu, now: datetime) -> date | None:
    """Return the last day that can be booked, or None if neither service nor schedules limit it."""
    if menu.service.booking_horizon_days is None and menu.planned_until is None:
        return None
    return last_day(menu, today_of(menu, now))


def within(menu: Menu, day: date, today: date) -> date:
    return min(max(day, today), last_day(menu, today))


def find_days(menu: Menu, first: date, number: int, *, now: datetime) -> dict[date, list[FoundTime]]:
    """Return the free times of some days by their local dates, in one search."""
    days: dict[date, list[FoundTime]] = {first + n * DAY: [] for n in range(number)}
    # A day more on either side, because days begin at different moments in different zones.
    start = datetime.combine(first, time(), UTC) - DAY
    for found in menu.find(start, start + (number + 2) * DAY, now=now):
        for day in {local.date() for local in menu.local_starts(found)} & days.keys():
            days[day].append(found)
    return days


def first_few(menu: Menu, found: Found, first: date, today: date, *, now: datetime) -> list[Choice]:
    """Return the next few times from now on, sorted by local day and time, even across zones.

    They come from `found` if that begins today and has enough; else from another search. With the patient's position
    known, they are those of the nearest site that has any.
    """
    return sorted(_first_few(menu, found, first, today, now=now), key=lambda choice: choice.start.replace(tzinfo=None))


def _first_few(menu: Menu, found: Found, first: date, today: date, *, now: datetime) -> list[Choice]:
    if menu.position:
        nearby = (near.first_times(now, now=now) for near in menu.by_distance)
        return next((few for few in nearby if few), [])
    if first > today:
        return menu.first_times(now, now=now)
    few = menu.first_of(sorted((each for times in found.values() for each in times), key=lambda each: each.start))
    if len(few) == FIRST_FEW:
        return few
    after = datetime.combine(max(found), time(), UTC)
    return at_different_times([*few, *menu.first_times(after, now=now)])[:FIRST_FEW]


def next_after(menu: Menu, after: date, first_available: list[Choice], *, now: datetime) -> Choice | None:
    """Return the first free time from a day on, or None."""
    if not first_available or first_available[0].start.date() >= after:
        return next(iter(first_available), None)
    start = datetime.combine(after, time(), menu.zones[0])
    return next(iter(menu.first_times(start, now=now)), None)


def _since_midnight(moment: datetime) -> timedelta:
    """Return the time that has passed since midnight: on a day when clocks go back, more than the clock shows."""
    midnight = datetime.combine(moment.date(), time(), moment.tzinfo)
    return moment.astimezone(UTC) - midnight.astimezone(UTC)


def ways_on(menu: Menu, found: Found, day: date) -> Ways:
    """Return the times of a day with their schedules: once for each person, in a crowd once for each site."""
    ways = [(each, menu.ways(each)) for each in found[day]]
    is_crowded = any(len(with_each) > CROWD for _, with_each in ways)
    if is_crowded:
        alike = {id(with_each): with_each for _, with_each in ways}  # most times of a day have the same ways
        places = {key: _one_each_place(with_each) for key, with_each in alike.items()}
        ways = [(each, places[id(with_each)]) for each, with_each in ways]
    buttons = [
        (each, offerings)
        for each, with_each in ways
        for offerings in with_each
        if len(menu.zones) == 1 or _date_of(menu, each, offerings) == day
    ]
    return Ways(buttons, is_crowded)


def _date_of(menu: Menu, found: FoundTime, offerings: tuple[Offering, ...]) -> date:
    return as_datetime(found.start).astimezone(menu.zone_of(placed(offerings))).date()


def count_days(menu: Menu, found: Found, today: date) -> list[DayCount]:
    return [DayCount(day, len(ways_on(menu, found, day).buttons), day == today) for day in found]


def open_day(menu: Menu, found: Found, day: date | None, *, now: datetime) -> OpenDay | None:
    """Return the requested day if it is one of the found ones; else the first day with times."""
    opened = day if day in found else next((each for each, times in found.items() if times), None)
    if opened is None:
        return None
    ways = ways_on(menu, found, opened)
    left = menu.places_left([(each, offerings) for each, offerings in ways.buttons], now=now)
    times = (
        replace(menu.choice_of(offerings, as_datetime(each.start)), places_left=places)
        for (each, offerings), places in zip(ways.buttons, left, strict=True)
    )
    return OpenDay(opened, tuple(times), ways.is_crowded)


def others_in(menu: Menu, free_days: FreeDays, people: Iterable[FilterOption], *, now: datetime) -> list[FilterOption]:
    """Return the people who have free times on these days, with the number in the label."""
    found = find_days(menu, free_days.first, len(free_days.days), now=now)
    counted = Counter(
        each.actor_name
        for times in found.values()
        for one in times
        for offerings in menu.ways(one)
        for each in offerings
        if is_person(each)
    )
    return [
        FilterOption(person.value, f"{person.label}: {time_text.free_times(counted[person.label])}")
        for person in people
        if counted[person.label]
    ]


def _one_each_place(ways: Iterable[tuple[Offering, ...]]) -> Sequence[tuple[Offering, ...]]:
    first: dict[int | None, tuple[Offering, ...]] = {}
    for offerings in ways:
        first.setdefault(placed(offerings).site, offerings)
    return tuple(first.values())


def _begins(day: date, today: date) -> date:
    """Return the first day of the week of `day`, counted in weeks from today."""
    return today + (day - today) // WEEK * WEEK
