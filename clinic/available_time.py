"""Elements of availableTime, which columns store as they are, and their extensions for a period and for some weeks.

https://hl7.org/fhir/R4/healthcareservice-definitions.html#HealthcareService.availableTime
"""

from datetime import date, datetime
from typing import Any, NamedTuple

AVAILABILITY_PERIOD = "https://clinic.example/fhir/StructureDefinition/availability-period"
AVAILABILITY_RECURRENCE = "https://clinic.example/fhir/StructureDefinition/availability-recurrence"
# FHIR's codes for the weeks of a month: https://hl7.org/fhir/R5/valueset-week-of-month.html
WEEKS_OF_MONTH = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
MOST_WEEKS = 52


class RecurringWeeks(NamedTuple):
    """The weeks in which an availableTime counts: every `interval`, counted from `day`, or the `nth` of a month."""

    interval: int = 1
    day: date | None = None
    nth: tuple[int, ...] = ()


def period_of(entry: dict[str, Any]) -> tuple[date | None, date | None]:
    """Return the first and the last local day on which an availableTime element counts; None is no limit.

    Raises ValueError, with a sentence, for an availability-period that cannot be read.
    """
    extensions = entry.get("extension", ())
    periods = [extension for extension in extensions if extension.get("url") == AVAILABILITY_PERIOD]
    if len(periods) > 1:
        raise ValueError("An availableTime has one availability-period at the most.")
    if not periods:
        return None, None
    period = periods[0].get("valuePeriod")
    if not isinstance(period, dict) or not (period.get("start") or period.get("end")):
        raise ValueError("An availability-period has a valuePeriod with a start, an end or both.")
    first, last = (_day(period.get(name), "An availability-period") for name in ("start", "end"))
    if first and last and first > last:
        raise ValueError(f"An availability-period ends on its first day or later: {last} is before {first}.")
    return first, last


def weeks_of(entry: dict[str, Any]) -> RecurringWeeks:
    """Return the weeks in which an availableTime element counts: all, unless it has an availability-recurrence.

    Raises ValueError, with a sentence, for one that cannot be read.
    """
    found = [each for each in entry.get("extension", ()) if each.get("url") == AVAILABILITY_RECURRENCE]
    if len(found) > 1:
        raise ValueError("An availableTime has one availability-recurrence at the most.")
    if not found:
        return RecurringWeeks()
    parts = found[0].get("extension") or ()
    nth = {WEEKS_OF_MONTH.get(each.get("valueCode")) for each in parts if each.get("url") == "nthWeekOfMonth"}
    intervals = [each.get("valuePositiveInt") for each in parts if each.get("url") == "weekInterval"]
    days = [_day(each.get("valueDate"), "An availability-recurrence") for each in parts if each.get("url") == "week"]
    if nth and None not in nth and not intervals and not days:
        return RecurringWeeks(nth=tuple(sorted(each for each in nth if each)))
    if nth or len(intervals) != 1 or len(days) != 1 or days[0] is None:
        raise ValueError(
            "An availability-recurrence has a weekInterval and a week with the date of a day in it, or one"
            f" nthWeekOfMonth or several of {', '.join(WEEKS_OF_MONTH)}."
        )
    if type(intervals[0]) is not int or not 1 <= intervals[0] <= MOST_WEEKS:
        raise ValueError(f"A weekInterval is a number from 1 to {MOST_WEEKS}, not {intervals[0]!r}.")
    return RecurringWeeks(intervals[0], days[0])


def recurrence_extension(weeks: RecurringWeeks) -> list[dict[str, Any]]:
    """Return the extension for these weeks; none for every week."""
    codes = {number: code for code, number in WEEKS_OF_MONTH.items()}
    parts: list[dict[str, Any]] = [{"url": "nthWeekOfMonth", "valueCode": codes[number]} for number in weeks.nth]
    if not parts and weeks.day and weeks.interval > 1:
        parts = [
            {"url": "weekInterval", "valuePositiveInt": weeks.interval},
            {"url": "week", "valueDate": weeks.day.isoformat()},
        ]
    return [{"url": AVAILABILITY_RECURRENCE, "extension": parts}] if parts else []


def _day(written: Any, name: str) -> date | None:
    if written is None:
        return None
    try:
        return datetime.strptime(written, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except (TypeError, ValueError):
        raise ValueError(f"{name} is in whole days: {written!r} is not like 2026-05-01.") from None
