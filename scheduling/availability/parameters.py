"""Scheduling parameters as rules for scheduling.core."""

import json
from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from clinic.available_time import period_of, weeks_of
from clinic.local_time import read_clock, read_iso
from clinic.models import WEEKDAYS, Closure, SchedulingParameters
from clinic.zones import zone_named
from scheduling.availability.schedule_rows import ParameterRow
from scheduling.core.grid import Grid
from scheduling.core.hours import ClosedTime, Window, whole_days
from scheduling.core.intervals import Span
from scheduling.core.kept_time import KeptTime
from scheduling.core.limits import Limits
from scheduling.core.offers import Rules
from scheduling.core.recurrence import Recurrence, every

DEFAULT_INTERVAL = 60
BEFORE_ALL_TIME, AFTER_ALL_TIME = -(2**40), 2**40


@lru_cache(maxsize=4096)
def rules_of(row: ParameterRow, zone: ZoneInfo) -> Rules:
    """Return the rules under these parameters, which have a duration."""
    assert row.duration is not None  # `issues_of` refuses it
    grid_zone = zone_named(row.grid_timezone) if row.grid_timezone else zone
    return Rules(
        duration=row.duration * 60,
        buffer_before=row.buffer_before * 60,
        buffer_after=row.buffer_after * 60,
        capacity=row.capacity,
        grid=Grid(row.interval or DEFAULT_INTERVAL, row.offset, grid_zone),
        zone=zone,
        hours=_windows(row.availability),
        closures=_closures(row.not_available, zone) + _closures(row.not_available_of_service, zone),
        absences=absences_of(row.absences, row.period, zone),
        closed_times=closed_times_of(row.closures),
        limits=Limits(row.day_limit, row.week_limit, row.session_limit, row.new_patient_session_limit),
        schedule_limits=Limits(row.schedule_day_limit, row.schedule_week_limit),
        kept_for_others=kept_times_of(json.loads(row.kept_for_others or "[]")),
        kept=kept_times_of(json.loads(row.kept or "[]")),
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


@lru_cache(maxsize=4096)
def closed_times_of(closures: str | None) -> tuple[ClosedTime, ...]:
    """The closed times of closures that were read by `schedule_rows`."""
    return tuple(
        closed_time(
            Closure(
                first=date.fromisoformat(first),
                starts=time.fromisoformat(starts) if starts else None,
                last=date.fromisoformat(last),
                ends=time.fromisoformat(ends) if ends else None,
                yearly=yearly,
                names=reasons or {},
            )
        )
        for first, starts, last, ends, yearly, reasons in json.loads(closures or "[]")
    )


def closed_time(closure: Closure) -> ClosedTime:
    return ClosedTime(closure.start, closure.end, closure.yearly, tuple(sorted(closure.names.items())))


def is_absent(extra: Mapping[str, Any], zone: ZoneInfo, start: datetime, end: datetime) -> bool:
    """True if a role with these elements is absent at some time in [start, end)."""
    absences = absences_of(json.dumps(extra.get("notAvailable", [])), json.dumps(extra.get("period", {})), zone)
    return any(first < end.timestamp() and start.timestamp() < last for first, last in absences)


def weekly_windows(availability: Iterable[dict[str, Any]]) -> tuple[Window, ...]:
    """The windows of availableTime elements; one without days opens nothing."""
    return tuple(_window(each) for each in availability if each.get("daysOfWeek"))


def hypothetical_rules(own: SchedulingParameters | None, general: SchedulingParameters | None, now: Rules) -> Rules:
    """The rules under parameters that need not be saved, combined as `offerings` combines saved ones.

    Zone, absences, closed times, time kept for others and the limits of the schedule are those of `now`, because
    parameters do not have them.
    """
    nothing = SchedulingParameters()
    one, other = own or nothing, general or nothing

    def either(name: str, default: Any = None) -> Any:
        mine, services = getattr(one, name), getattr(other, name)
        return next((value for value in (mine, services) if value not in (None, "")), default)

    availability = one.availability if one.availability is not None else other.availability
    row = ParameterRow(
        duration=either("duration"),
        buffer_before=either("buffer_before", 0),
        buffer_after=either("buffer_after", 0),
        interval=either("alignment_interval"),
        offset=either("alignment_offset", 0),
        grid_timezone=either("alignment_timezone", ""),
        timezone=either("timezone", ""),
        capacity=either("slot_capacity", 1),
        day_limit=either("day_limit"),
        week_limit=either("week_limit"),
        session_limit=either("session_limit"),
        new_patient_session_limit=either("new_patient_session_limit"),
        schedule_day_limit=now.schedule_limits.day,
        schedule_week_limit=now.schedule_limits.week,
        availability=json.dumps(availability),
        not_available=json.dumps(one.not_available),
        not_available_of_service=json.dumps(other.not_available),
        closures=None,
        absences=None,
        period=None,
        kept=json.dumps([*one.kept, *other.kept]),
        kept_for_others=None,
    )
    rules = rules_of(row, now.zone)
    return replace(rules, absences=now.absences, closed_times=now.closed_times, kept_for_others=now.kept_for_others)


def kept_times_of(entries: Iterable[dict[str, Any]]) -> tuple[KeptTime, ...]:
    """The kept times in a column `kept`."""
    return tuple(
        KeptTime(
            weekly_windows([each["availableTime"]]),
            timedelta(minutes=each["releasedBefore"]) if "releasedBefore" in each else None,
        )
        for each in entries
    )


def _windows(availability: str | None) -> tuple[Window, ...]:
    return weekly_windows(json.loads(availability or "null") or ())


def _window(available: dict[str, Any]) -> Window:
    """https://hl7.org/fhir/R4/healthcareservice-definitions.html#HealthcareService.availableTime"""
    days = frozenset(WEEKDAYS.index(day) for day in available["daysOfWeek"])
    if available.get("allDay"):
        return Window(days, time(0), time(0), *period_of(available), _recurrence(available))
    opens, closes = available["availableStartTime"], available["availableEndTime"]
    return Window(days, read_clock(opens), read_clock(closes), *period_of(available), _recurrence(available))


def _recurrence(available: dict[str, Any]) -> Recurrence:
    interval, day, nth = weeks_of(available)
    return every(interval, day) if day else Recurrence(nth=nth)


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
