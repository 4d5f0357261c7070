"""The times that somebody would rather have: https://hl7.org/fhir/R4/datatypes.html#Timing

Days of the week, times of the day and bounds are understood; they are local to where the visit would be.
"""

from collections.abc import Callable
from datetime import time
from typing import Any, TypeAlias

from clinic.fhir.datatypes import read_period
from clinic.fhir.issues import InvalidElement
from clinic.fhir.validation import validate
from clinic.models import WEEKDAYS
from scheduling import availability
from scheduling.availability import Opening

Suits: TypeAlias = Callable[[Opening], bool]
UNDERSTOOD = {"dayOfWeek", "timeOfDay", "boundsPeriod"}


def timing(value: Any) -> Suits:
    """Whether an opening is at such a time. Raises for what would have to be left out of account."""
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
    times = {time.fromisoformat(text) for text in repeat.get("timeOfDay", ())}
    first, last = read_period(repeat.get("boundsPeriod", {}))

    def suits(opening: Opening) -> bool:
        start = availability.as_datetime(opening.start)
        local = start.astimezone(opening.offerings[0].zone)
        return (
            (not days or local.weekday() in days)
            and (not times or local.time() in times)
            and (first is None or start >= first)
            and (last is None or start < last)
        )

    return suits
