"""Seven days of free times: how many each has, and those of the day that is opened.

A day has as many times as it has buttons: `ways_on` says which those are, for the counts and for the buttons alike.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from itertools import groupby

from clinic import time_text
from portal.finding.choosing import DAY, FIRST_FEW, WEEK, Choice, Menu, Option, at_different_times, is_person, placed
from scheduling.availability import FoundTime, Offering, as_datetime

FURTHEST = timedelta(days=730)  # that one can turn the pages to
CROWD = 6  # people at a site, from which on a day shows each time once and not with each of them

Found = Mapping[date, Sequence[FoundTime]]


@dataclass(frozen=True, slots=True)
class Day:
    """One day, and how many buttons with a time it has."""

    date: date
    count: int
    is_today: bool = False


class Outside(Enum):
    """Why the day that was asked for cannot be shown."""

    PAST = "past"
    TOO_FAR = "too far"


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways to have the times of one day, one for each button. In a crowd each time stands once at each site."""

    buttons: Sequence[tuple[FoundTime, tuple[Offering, ...]]]
    is_crowded: bool


@dataclass(frozen=True, slots=True)
class OpenDay:
    """The day that is opened, with its times. In a crowd each time stands once, with the first who could."""

    date: date
    times: tuple[Choice, ...]
    is_crowded: bool = False

    @property
    def count(self) -> int:
        return len(self.times)

    @property
    def groups(self) -> int:
        """How many people or sites the times are with."""
        return len({self._group(choice) for choice in self.times})

    @property
    def parts(self) -> list[tuple[str, list[list[Choice]]]]:
        """Its times under morning, afternoon and evening, those with one person at one site together."""
        by_clock = sorted(self.times, key=lambda choice: _since_midnight(choice.start))
        parts = groupby(by_clock, key=lambda choice: time_text.part_of_day(choice.start))
        return [(part, self._grouped(choices)) for part, choices in parts]

    def _grouped(self, choices: Iterable[Choice]) -> list[list[Choice]]:
        groups: dict[tuple[float, str, str], list[Choice]] = {}
        for choice in choices:
            groups.setdefault(self._group(choice), []).append(choice)
        return [groups[key] for key in sorted(groups)]

    def _group(self, choice: Choice) -> tuple[float, str, str]:
        """The nearest site first, where it is known how far it is."""
        return choice.distance, "" if self.is_crowded else choice.with_whom, choice.where


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Some days in a row, the first of them today or later, and one of them opened."""

    days: list[Day]
    opened: OpenDay | None
    previous: date | None
    following: date | None
    first_available: list[Choice]
    next_free: Choice | None
    until: date | None = None  # the last day that can be booked, where there is one
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


class Week(Shown):
    """Seven days."""


def read_week(menu: Menu, week: date | None, day: date | None, *, now: datetime) -> Week:
    """The week asked for, or that of the first free time; the day asked for, or the first free one opened.

    Weeks begin today, then seven days on, and so forth: no strip shows a day that has passed. Where the first free
    time lies within the week that is shown, one question about free time answers everything.
    """
    today = today_of(menu, now)
    outside = outside_of(menu, day, 1, today) or outside_of(menu, week, 7, today)
    asked = None if outside == Outside.PAST else _week_asked(week, day, today)
    first = within(menu, asked or today, today)
    found = find_days(menu, first, 7, now=now)
    first_available = first_few(menu, found, first, today, now=now)
    if asked is None and first_available and not any(found.values()):
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


def _week_asked(week: date | None, day: date | None, today: date) -> date | None:
    """The first day of the week asked for: the day counts where it lies in another."""
    if day and not (week and timedelta(0) <= day - week < WEEK):
        return _begins(day, today)
    return week


def outside_of(menu: Menu, first: date | None, number: int, today: date) -> Outside | None:
    """True if so many days that were asked for have all passed, or lie further ahead than can be booked."""
    if first is None:
        return None
    if first <= today - number * DAY:
        return Outside.PAST
    return Outside.TOO_FAR if first > last_day(menu, today) else None


def today_of(menu: Menu, now: datetime) -> date:
    """Where it is latest, so that nowhere a day is left out that is not over."""
    return min((now.astimezone(zone).date() for zone in menu.zones), default=now.date())


def last_day(menu: Menu, today: date) -> date:
    """The last on which there could be a time."""
    days = menu.service.booking_horizon_days
    furthest = today + (FURTHEST if days is None else min(FURTHEST, days * DAY))
    planned = menu.planned_until
    return furthest if planned is None else max(today, min(furthest, planned))


def horizon(menu: Menu, now: datetime) -> date | None:
    """The last day that can be booked, where the service or all of its schedules set one."""
    if menu.service.booking_horizon_days is None and menu.planned_until is None:
        return None
    return last_day(menu, today_of(menu, now))


def within(menu: Menu, day: date, today: date) -> date:
    return min(max(day, today), last_day(menu, today))


def find_days(menu: Menu, first: date, number: int, *, now: datetime) -> dict[date, list[FoundTime]]:
    """The free times of some days, by the dates that their own clocks show: one question about free time."""
    days: dict[date, list[FoundTime]] = {first + n * DAY: [] for n in range(number)}
    # A day to either side, because the days of the zones do not begin together.
    start = datetime.combine(first, time(), UTC) - DAY
    for found in menu.find(start, start + (number + 2) * DAY, now=now):
        for each in {local.date() for local in menu.local_starts(found)} & days.keys():
            days[each].append(found)
    return days


def first_few(menu: Menu, found: Found, first: date, today: date, *, now: datetime) -> list[Choice]:
    """The next times from now on, as they are read: by day and clock, for clocks of several zones may stand together.

    Out of what was found where that begins today, asked for where it does not do. Where it is known how far the sites
    are, those of the nearest that has any.
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
    """The first free time from a day on."""
    if not first_available or first_available[0].start.date() >= after:
        return next(iter(first_available), None)
    start = datetime.combine(after, time(), menu.zones[0])
    return next(iter(menu.first_times(start, now=now)), None)


def _since_midnight(moment: datetime) -> timedelta:
    """How much of its day is over: more than its clock says where the clocks have been put back."""
    midnight = datetime.combine(moment.date(), time(), moment.tzinfo)
    return moment.astimezone(UTC) - midnight.astimezone(UTC)


def ways_on(menu: Menu, found: Found, day: date) -> Ways:
    """The choices of a day: each person who could give the visit, at each site."""
    ways = [(each, menu.ways(each)) for each in found[day]]
    is_crowded = any(len(with_each) > CROWD for _, with_each in ways)
    if is_crowded:
        alike = {id(with_each): with_each for _, with_each in ways}  # most times of a day can be had in the same ways
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


def count_days(menu: Menu, found: Found, today: date) -> list[Day]:
    return [Day(day, len(ways_on(menu, found, day).buttons), day == today) for day in found]


def open_day(menu: Menu, found: Found, day: date | None, *, now: datetime) -> OpenDay | None:
    """The day asked for, if it is one of those; else the first that has times."""
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


def others_in(menu: Menu, shown: Shown, people: Iterable[Option], *, now: datetime) -> list[Option]:
    """Who has times in the days shown, and how many, for whom the one they asked for has none."""
    found = find_days(menu, shown.first, len(shown.days), now=now)
    counted = Counter(
        each.actor_name
        for times in found.values()
        for one in times
        for offerings in menu.ways(one)
        for each in offerings
        if is_person(each)
    )
    return [
        Option(person.value, f"{person.label}: {time_text.free_times(counted[person.label])}")
        for person in people
        if counted[person.label]
    ]


def _one_each_place(ways: Iterable[tuple[Offering, ...]]) -> Sequence[tuple[Offering, ...]]:
    first: dict[int | None, tuple[Offering, ...]] = {}
    for offerings in ways:
        first.setdefault(placed(offerings).site, offerings)
    return tuple(first.values())


def _begins(day: date, today: date) -> date:
    """The first day of the week that `day` is in, where one begins today."""
    return today + (day - today) // WEEK * WEEK
