"""Recurring weeks as text that people type: `every 2 weeks of 2026-11-30`, or `1st, 3rd of month`."""

import re
from datetime import date

from django.utils.translation import gettext as _

from clinic.available_time import MOST_WEEKS, RecurringWeeks

EXAMPLES = ("every 2 weeks of 2026-11-30", "1st, 3rd of month")
EVERY = re.compile(r"every\s+(?P<interval>\d{1,2})\s+weeks\s+of\s+(?P<day>\d{4}-\d\d-\d\d)")
OF_MONTH = re.compile(r"(?P<nth>(?:1st|2nd|3rd|4th|last)(?:[, ]+(?:1st|2nd|3rd|4th|last))*)\s+of\s+month")
NUMBERS = {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "last": -1}


def read(text: str) -> RecurringWeeks:
    """Return the weeks that a text names. Raises ValueError, with a sentence, if it cannot be read."""
    if (found := EVERY.fullmatch(text)) and 1 <= int(found["interval"]) <= MOST_WEEKS:
        try:
            return RecurringWeeks(int(found["interval"]), date.fromisoformat(found["day"]))
        except ValueError:
            pass  # there is no such day
    if found := OF_MONTH.fullmatch(text):
        return RecurringWeeks(nth=tuple(sorted({NUMBERS[word] for word in re.split(r"[, ]+", found["nth"])})))
    raise ValueError(
        _(
            "\N{LEFT DOUBLE QUOTATION MARK}%(text)s\N{RIGHT DOUBLE QUOTATION MARK} cannot be read."
            " Write it like %(one)s or %(other)s."
        )
        % {"text": text, "one": EXAMPLES[0], "other": EXAMPLES[1]}
    )


def write(weeks: RecurringWeeks) -> str:
    """Return the text for these weeks; an empty one for every week."""
    if weeks.nth:
        words = [word for word, number in NUMBERS.items() if number in weeks.nth]
        return f"{', '.join(words)} of month"
    return f"every {weeks.interval} weeks of {weeks.day}" if weeks.interval > 1 else ""
