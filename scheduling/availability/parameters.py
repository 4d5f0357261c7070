"""Scheduling parameters as rules for scheduling.core."""

import json
from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from clinic.available_time import period_of
from clinic.local_time import read_clock, read_iso
from clinic.models import WEEKDAYS, SchedulingParameters
from clinic.zones import zone_named
from scheduling.core.grid import Grid
from scheduling.core.hours import Window, whole_days
from scheduling.core.intervals import Span
from scheduling.core.limits import Limits
from scheduling.core.offers import Rules

DEFAULT_INTERVAL = 60
BEFORE_ALL_TIME, AFTER_ALL_TIME = -(2**40), 2**40


@lru_cache(maxsize=4096)
def rules_of(parameters: tuple[Any, ...], zone: ZoneInfo) -> Rules:
    (
        duration,
        before,
        after,
        interval,
        offset,
        grid_zone,
        _,
        capacity,
        day_limit,
        week_limit,
        schedule_day_limit,
        schedule_week_limit,
        hours,
        closed,
        closed_for_all,
        away,
        period,
    ) = parameters
    grid = Grid(interval or DEFAULT_INTERVAL, offset, zone_named(grid_zone) if grid_zone else zone)
    return Rules(
        duration=duration * 60,
        buffer_before=before * 60,
        buffer_after=after * 60,
        capacity=capacity,
        grid=grid,
        zone=zone,
        hours=_windows(hours),
        closures=_closures(closed, zone) + _closures(closed_for_all, zone),
        absences=absences_of(away, period, zone),
        limits=Limits(day_limit, week_limit),
        schedule_limits=Limits(schedule_day_limit, schedule_week_limit),
    )


@lru_cache(maxsize=4096)
def absences_of(not_available: str | None, period: str | None, zone: ZoneInfo) -> tuple[Span, ...]:
    """The absences of a role: its `notAvailable`, and the time outside its `period`. Dates are local to the zone."""
    worked: dict[str, Any] = json.loads(period or "{}")
    absences = _closures(not_available or "[]", zone)
    if worked.get("start"):
        absences += ((BEFORE_ALL_TIME, _moment(worked["start"], zone, last=False)),)
    if worked.get("end"):
        absences += ((_moment(worked["end"], zone, last=True), AFTER_ALL_TIME),)
    return absences


def is_absent(extra: Mapping[str, Any], zone: ZoneInfo, start: datetime, end: datetime) -> bool:
    """True if a role with these elements is absent at some time in [start, end)."""
    absences = absences_of(json.dumps(extra.get("notAvailable", [])), json.dumps(extra.get("period", {})), zone)
    return any(first < end.timestamp() and start.timestamp() < last for first, last in absences)


def weekly_windows(availability: Iterable[dict[str, Any]]) -> tuple[Window, ...]:
    """The windows of availableTime elements; one without days opens nothing."""
    return tuple(_window(each) for each in availability if each.get("daysOfWeek"))


def hypothetical_rules(own: SchedulingParameters | None, general: SchedulingParameters | None, now: Rules) -> Rules:
    """The rules under parameters that need not be saved, combined as `offerings` combines saved ones.

    Zone, absences and the limits of the schedule are those of `now`, because parameters do not have them.
    """
    nothing = SchedulingParameters()
    one, other = own or nothing, general or nothing

    def either(name: str, default: Any = None) -> Any:
        mine, services = getattr(one, name), getattr(other, name)
        return next((value for value in (mine, services) if value not in (None, "")), default)

    availability = one.availability if one.availability is not None else other.availability
    rules = rules_of(
        (
            either("duration"),
            either("buffer_before", 0),
            either("buffer_after", 0),
            either("alignment_interval"),
            either("alignment_offset", 0),
            either("alignment_timezone", ""),
            either("timezone", ""),
            either("slot_capacity", 1),
            either("day_limit"),
            either("week_limit"),
            *now.schedule_limits,
            json.dumps(availability),
            json.dumps(one.not_available),
            json.dumps(other.not_available),
            None,
            None,
        ),
        now.zone,
    )
    return replace(rules, absences=now.absences)


def _windows(availability: str | None) -> tuple[Window, ...]:
    return weekly_windows(json.loads(availability or "null") or ())


def _window(available: dict[str, Any]) -> Window:
    """https://hl7.org/fhir/R4/healthcareservice-definitions.html#HealthcareService.availableTime"""
    days = frozenset(WEEKDAYS.index(day) for day in available["daysOfWeek"])
    if available.get("allDay"):
        return Window(days, time(0), time(0), *period_of(available))
    opens, closes = available["availableStartTime"], available["availableEndTime"]
    return Window(days, read_clock(opens), read_clock(closes), *period_of(available))


def _closures(not_available: str, zone: ZoneInfo) -> tuple[Span, ...]:
    """The closed spans of notAvailable elements; a Period without a start or an end is unlimited on that side."""
    return tuple(
        (_moment(during.get("start"), zone, last=False), _moment(during.get("end"), zone, last=True))
        for during in (each.get("during") for each in json.loads(not_available))
        if during
    )


def _moment(written: str | None, zone: ZoneInfo, *, last: bool) -> int:
    """A FHIR dateTime as an instant; a date is the start or the end of the local day."""
    if written is None:
        return AFTER_ALL_TIME if last else BEFORE_ALL_TIME
    if len(written) <= len("2026-12-31"):
        first_day, last_day = _days(written)
        return whole_days(first_day, last_day, zone)[1 if last else 0]
    return int(read_iso(written).timestamp())


def _days(written: str) -> tuple[date, date]:
    """The first and last day of a FHIR date, which may be a year or a month."""
    parts = [int(part) for part in written.split("-")]
    first = date(*[*parts, 1, 1][:3])
    if len(parts) == 3:
        return first, first
    month = first.month if len(parts) == 2 else 12
    return first, date(first.year, month, monthrange(first.year, month)[1])


def planned(start: int | None, end: int | None) -> Span | None:
    if start is None and end is None:
        return None
    return BEFORE_ALL_TIME if start is None else start, AFTER_ALL_TIME if end is None else end
