"""Elements of availableTime, which columns store as they are, and their extension for a period of days.

https://hl7.org/fhir/R4/healthcareservice-definitions.html#HealthcareService.availableTime
"""

from datetime import date, datetime
from typing import Any

AVAILABILITY_PERIOD = "https://clinic.example/fhir/StructureDefinition/availability-period"


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
    first, last = _day(period.get("start")), _day(period.get("end"))
    if first and last and first > last:
        raise ValueError(f"An availability-period ends on its first day or later: {last} is before {first}.")
    return first, last


def _day(written: Any) -> date | None:
    if written is None:
        return None
    try:
        return datetime.strptime(written, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except (TypeError, ValueError):
        raise ValueError(f"An availability-period is in whole days: {written!r} is not like 2026-05-01.") from None
