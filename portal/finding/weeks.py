"""Seven days of free times: how many each has, and those of the day that is opened."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from clinic import words
from portal.finding.choosing import DAY, FIRST_FEW, WEEK, Choice, Menu, Option, at_different_times, is_person, placed
from scheduling.availability import FoundTime, Offering, as_datetime

FURTHEST = timedelta(days=730)  # that one can turn the pages to
CROWD = 6  # people at a site, from which on a day shows each time once and not with each of them

Found = Mapping[date, Sequence[FoundTime]]


@dataclass(frozen=True, slots=True)
class Day:
    """One day, and at how many different times one could come."""

    date: date
    count: int
    is_today: bool = False


@dataclass(frozen=True, slots=True)
class OpenDay:
    """The day that is opened, with its times. In a crowd each time stands once, with the first who could."""

    date: date
    times: tuple[Choice, ...]
    is_crowded: bool = False

    @property
    def count(self) -> int:
        """At how many different times one could come."""
        return len(at_different_times(self.times))

    @property
    def groups(self) -> int:
        """How many people or sites the times are with."""
        return len({self._group(choice) for choice in self.times})

    @property
    def parts(self) -> list[tuple[str, list[list[Choice]]]]:
        """Its times under morning, afternoon and evening, those with one person at one site together."""
        by_clock = sorted(self.times, key=lambda choice: _since_midnight(choice.start))
        parts = groupby(by_clock, key=lambda choice: words.part_of_day(choice.start))
        return [(part, self._grouped(choices)) for part, choices in parts]

    def _grouped(self, choices: Iterable[Choice]) -> list[list[Choice]]:
        groups: dict[tuple[str, str], list[Choice]] = {}
        for choice in choices:
            groups.setdefault(self._group(choice), []).append(choice)
        return [groups[key] for key in sorted(groups)]

    def _group(self, choice: Choice) -> tuple[str, str]:
        return "" if self.is_crowded else choice.with_whom, choice.where


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Some days in a row, the first of them today or later, and one of them opened."""

    days: list[Day]
    opened: OpenDay | None
    previous: date | None
    following: date | None
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


class Week(Shown):
    """Seven days."""


def read_week(menu: Menu, week: date | None, day: date | None, *, now: datetime) -> Week:
    """The week asked for, or that of the first free time; the day asked for, or the first free one opened.

    Weeks begin today, then seven days on, and so forth: no strip shows a day that has passed. Where the first free
    time lies within the week that is shown, one question about free time answers everything.
    """
    today = today_of(menu, now)
    asked = week or (day and _begins(day, today))
    first = within(menu, asked or today, today)
    found = find_days(menu, first, 7, now=now)
    first_available = first_few(menu, found, first, today, now=now)
    if asked is None and first_available and not any(found.values()):
        first = _begins(first_available[0].start.date(), today)
        found = find_days(menu, first, 7, now=now)
    following = first + WEEK
    return Week(
        days=count_days(menu, found, today),
        opened=open_day(menu, found, day),
        previous=max(first - WEEK, today) if first > today else None,
        following=following if following <= last_day(menu, today) else None,
        first_available=first_available,
        next_free=None if any(found.values()) else next_after(menu, following, first_available, now=now),
    )


def today_of(menu: Menu, now: datetime) -> date:
    """Where it is latest, so that nowhere a day is left out that is not over."""
    return min((now.astimezone(zone).date() for zone in menu.zones), default=now.date())


def last_day(menu: Menu, today: date) -> date:
    """The last on which there could be a time."""
    days = menu.service.booking_horizon_days
    return today + (FURTHEST if days is None else min(FURTHEST, days * DAY))


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
    """The next times from now on: out of what was found where that begins today, asked for where it does not do."""
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


def count_days(menu: Menu, found: Found, today: date) -> list[Day]:
    return [Day(day, len({each.start for each in times}), day == today) for day, times in found.items()]


def open_day(menu: Menu, found: Found, day: date | None) -> OpenDay | None:
    """The day asked for, if it is one of those; else the first that has times."""
    opened = day if day in found else next((each for each, times in found.items() if times), None)
    if opened is None:
        return None
    ways = [(each, list(menu.ways(each))) for each in found[opened]]
    is_crowded = any(len(with_each) > CROWD for _, with_each in ways)
    times = [
        menu.choice_of(offerings, as_datetime(each.start))
        for each, with_each in ways
        for offerings in (_one_each_place(with_each) if is_crowded else with_each)
    ]
    return OpenDay(opened, tuple(choice for choice in times if choice.start.date() == opened), is_crowded)


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
        Option(person.value, f"{person.label}: {words.free_times(counted[person.label])}")
        for person in people
        if counted[person.label]
    ]


def _one_each_place(ways: Iterable[tuple[Offering, ...]]) -> Iterable[tuple[Offering, ...]]:
    first: dict[int | None, tuple[Offering, ...]] = {}
    for offerings in ways:
        first.setdefault(placed(offerings).site, offerings)
    return first.values()


def _begins(day: date, today: date) -> date:
    """The first day of the week that `day` is in, where one begins today."""
    return today + (day - today) // WEEK * WEEK
