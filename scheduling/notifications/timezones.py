"""VTIMEZONE components of calendar files: https://www.rfc-editor.org/rfc/rfc5545#section-3.6.5

A zone covers the years of the file's events. Outlook and ical.js read one rule (RRULE) for each of its two offsets, and
only the first of a list of dates. Where no rule fits, each change becomes its own component.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard, vRecur

from clinic.local_time import in_zone

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
STEP = timedelta(days=3)  # shorter than any period between two changes
LONG_AGO = datetime(1970, 1, 1)  # noqa: DTZ001  # the wall clock of the zone
RULE_HOLDS_FOR = 10  # years, enough to tell a fourth Sunday from a last Sunday


@dataclass(frozen=True, slots=True)
class Onset:
    """A change of a zone's clocks: the local time before it, and the offsets from UTC before and after."""

    wall: datetime
    before: timedelta
    after: timedelta
    name: str

    @property
    def is_forward(self) -> bool:
        return self.after > self.before


def timezones_of(moments: Iterable[date]) -> list[Timezone]:
    """The zones of these local times, each with the years that they need; none for UTC."""
    years: dict[ZoneInfo, set[int]] = {}
    for moment in moments:
        if isinstance(moment, datetime) and isinstance(moment.tzinfo, ZoneInfo):
            years.setdefault(moment.tzinfo, set()).add(moment.year)
    zones = sorted(years, key=lambda zone: zone.key)
    return [_timezone(zone, min(years[zone]), max(years[zone])) for zone in zones]


def _timezone(zone: ZoneInfo, first: int, last: int) -> Timezone:
    component = Timezone()
    component.add("tzid", zone.key)
    earlier, later = max(first - 1, 1), min(last + 1, 9998)
    onsets = _onsets(zone, earlier, later)
    rules = _rules(zone, onsets, earlier, later)
    if rules:
        for onset, rule in rules:
            component.add_component(_observance(onset, rule))
        return component
    start = datetime(earlier, 1, 1, tzinfo=zone)
    offset = start.utcoffset() or timedelta(0)
    standing = Onset(LONG_AGO, offset, offset, start.tzname() or zone.key)
    for onset in (standing, *onsets):
        component.add_component(_observance(onset, None))
    return component


def _observance(onset: Onset, rule: vRecur | None) -> TimezoneStandard | TimezoneDaylight:
    observance = TimezoneDaylight() if onset.is_forward else TimezoneStandard()
    observance.add("dtstart", onset.wall)
    observance.add("tzoffsetfrom", onset.before)
    observance.add("tzoffsetto", onset.after)
    observance.add("tzname", onset.name)
    if rule is not None:
        observance.add("rrule", rule)
    return observance


def _rules(zone: ZoneInfo, onsets: tuple[Onset, ...], first: int, last: int) -> list[tuple[Onset, vRecur]]:
    """The first change forward and the first back with their yearly rules; empty if two rules do not cover all
    changes.
    """
    if len(onsets) != 2 * (last - first + 1):
        return []
    further = _onsets(zone, first, min(last + RULE_HOLDS_FOR, 9998))
    found = []
    for forward in (True, False):
        same = [onset for onset in further if onset.is_forward == forward]
        day = _weekday_rule(same)
        if day is None:
            return []
        found.append((same[0], vRecur({"FREQ": "YEARLY", "BYMONTH": same[0].wall.month, "BYDAY": day})))
    return found


def _weekday_rule(onsets: list[Onset]) -> str | None:
    """The weekday of the month shared by all onsets, one a year, such as 2SU or -1SU; None if there is none."""
    years = {onset.wall.year for onset in onsets}
    if not onsets or len(years) != len(onsets) or len({_alike(onset) for onset in onsets}) != 1:
        return None
    number = next(iter(sorted(set.intersection(*(_days_of_month(onset.wall) for onset in onsets)))), None)
    return None if number is None else f"{number}{WEEKDAYS[onsets[0].wall.weekday()]}"


def _alike(onset: Onset) -> tuple[object, ...]:
    wall = onset.wall
    return (wall.month, wall.weekday(), wall.time(), onset.before, onset.after)


def _days_of_month(day: datetime) -> set[int]:
    """The ordinal numbers of its weekday in its month, such as 2, or 4 and -1."""
    number = (day.day + 6) // 7
    is_last = (day + timedelta(days=7)).month != day.month
    return ({number} if number < 5 else set()) | ({-1} if is_last else set())


@lru_cache(maxsize=256)
def _onsets(zone: ZoneInfo, first: int, last: int) -> tuple[Onset, ...]:
    """The changes of the zone's offset from the start of the first year to the end of the last, in order."""
    moment, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    found = []
    while moment < end:
        following = moment + STEP
        if _offset(zone, moment) != _offset(zone, following):
            found.append(_onset(zone, moment, following))
        moment = following
    return tuple(found)


def _onset(zone: ZoneInfo, before: datetime, after: datetime) -> Onset:
    """The change between two moments, found by bisection."""
    old = _offset(zone, before)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    wall = (after + old).replace(tzinfo=None)
    return Onset(wall, old, _offset(zone, after), in_zone(after, zone).tzname() or zone.key)


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return in_zone(moment, zone).utcoffset() or timedelta(0)
