"""Preferred times of a search: https://hl7.org/fhir/R4/datatypes.html#Timing

Days of the week, times and parts of the day, and bounds are supported; they are local to the place of the visit.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from clinic.fhir.datatypes import read_period
from clinic.fhir.issues import InvalidElement
from clinic.fhir.validation import validate
from clinic.local_time import read_clock
from clinic.models import WEEKDAYS
from scheduling import availability
from scheduling.availability import Opening

Suits: TypeAlias = Callable[[Opening], bool]
UNDERSTOOD = {"dayOfWeek", "timeOfDay", "when", "boundsPeriod"}
# The hours of each part of the day: https://hl7.org/fhir/R4/valueset-event-timing.html
PARTS_OF_DAY = {
    "MORN": (5, 12),
    "MORN.early": (5, 9),
    "MORN.late": (9, 12),
    "NOON": (12, 14),
    "AFT": (12, 17),
    "AFT.early": (12, 15),
    "AFT.late": (15, 17),
    "EVE": (17, 22),
    "EVE.early": (17, 19),
    "EVE.late": (19, 22),
}


def timing(value: Any) -> Suits:
    """Return the test for openings at these times. Raises InvalidElement for a part that is not supported."""
    if not isinstance(value, dict):
        raise InvalidElement("Not a Timing", "structure")
    for issue in validate(dict(value), "Timing"):
        raise InvalidElement(issue.text, issue.code, issue.expression.removeprefix("Timing"))
    repeat = value.get("repeat", {})
    others = sorted({*value, *repeat} - {"repeat"} - UNDERSTOOD)
    if others:
        text = (
            f"Of a Timing only repeat.{', repeat.'.join(sorted(UNDERSTOOD))} are understood, not {', '.join(others)}."
        )
        raise InvalidElement(text, "not-supported")
    days = {WEEKDAYS.index(day) for day in repeat.get("dayOfWeek", ()) if day in WEEKDAYS}
    times = {read_clock(text) for text in repeat.get("timeOfDay", ())}
    parts = [_part(code) for code in repeat.get("when", ())]
    first, last = read_period(repeat.get("boundsPeriod", {}))

    def suits(opening: Opening) -> bool:
        start = availability.as_datetime(opening.start)
        local = start.astimezone(opening.offerings[0].zone)
        return (
            (not days or local.weekday() in days)
            and (not times or local.time() in times)
            and (not parts or any(begins <= local.hour < ends for begins, ends in parts))
            and (first is None or start >= first)
            and (last is None or start < last)
        )

    return suits


def _part(code: str) -> tuple[int, int]:
    if code not in PARTS_OF_DAY:
        text = f"Of the parts of the day {', '.join(PARTS_OF_DAY)} are understood, not {code}."
        raise InvalidElement(text, "not-supported")
    return PARTS_OF_DAY[code]
