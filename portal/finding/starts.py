"""Filter by local starting time: parts of the day and days of the week."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from clinic.models import WEEKDAYS
from clinic.time_text import EVENING, NOON, part_code
from scheduling.core.intervals import Span, clip, merge

MIDNIGHT = time()
PARTS = {"morning": (MIDNIGHT, NOON), "afternoon": (NOON, EVENING), "evening": (EVENING, MIDNIGHT)}
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Starts:
    """Local starts in these parts of the day and on these weekdays; an empty set means all."""

    parts: frozenset[str]
    weekdays: frozenset[str]

    def __call__(self, at: datetime) -> bool:
        return (not self.parts or part_code(at) in self.parts) and self._is_on(at.date())

    def spans(self, zone: ZoneInfo, start: datetime, end: datetime) -> list[Span]:
        """Return the matching spans between two moments, in UTC seconds."""
        first = start.astimezone(zone).date()
        days = (first + n * DAY for n in range((end.astimezone(zone).date() - first).days + 1))
        spans = (span for day in days if self._is_on(day) for span in self._spans_on(day, zone))
        return clip(merge(spans), int(start.timestamp()), int(end.timestamp()))

    def _is_on(self, day: date) -> bool:
        return not self.weekdays or WEEKDAYS[day.weekday()] in self.weekdays

    def _spans_on(self, day: date, zone: ZoneInfo) -> Iterator[Span]:
        for opens, closes in (PARTS[each] for each in self.parts or PARTS):
            last = day if closes > opens else day + DAY
            yield _second(day, opens, zone), _second(last, closes, zone)


def _second(day: date, wall: time, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, wall, zone).timestamp())
