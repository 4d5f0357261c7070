"""Recurrences of weekly hours as choices of a form, and in words."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clinic import formats, time_text
from scheduling.core.recurrence import EVERY_WEEK, LAST, Recurrence

EVERY_SECOND_WEEK = (Recurrence(2, 0), Recurrence(2, 1))
OF_A_MONTH = tuple(Recurrence(nth=nth) for nth in ((1,), (2,), (3,), (4,), (LAST,), (1, 3), (2, 4)))


def choices(weekday: int, others: Iterable[Recurrence], today: date) -> list[tuple[str, str]]:
    """Return the recurrences that can be chosen for a weekday, and `others` that are stored, by their codes."""
    day = today + timedelta(days=(weekday - today.weekday()) % 7)
    usual = sorted(EVERY_SECOND_WEEK, key=lambda each: not each.includes(day))
    offered = dict.fromkeys([EVERY_WEEK, *usual, *OF_A_MONTH, *sorted(others)])
    return [(code_of(each), _label(each, weekday, day)) for each in offered]


def code_of(recurrence: Recurrence) -> str:
    if recurrence == EVERY_WEEK:
        return ""
    numbers = recurrence.nth or (recurrence.interval, recurrence.week)
    return ("nth:" if recurrence.nth else "weeks:") + ",".join(map(str, numbers))


def recurrence_of(code: str) -> Recurrence:
    """Return the recurrence with a code of `choices`."""
    if not code:
        return EVERY_WEEK
    kind, _colon, written = code.partition(":")
    numbers = tuple(map(int, written.split(",")))
    return Recurrence(nth=numbers) if kind == "nth" else Recurrence(numbers[0], numbers[1])


def in_brackets(recurrence: Recurrence, today: date) -> str:
    """Return a recurrence as the end of a line of hours, such as " (first in the month)"; nothing for every week."""
    if recurrence == EVERY_WEEK:
        return ""
    if recurrence.nth:
        return f" ({_of_a_month(recurrence)})"
    week = time_text.short_day(recurrence.next_week(today))
    text = _("every %(count)d weeks, next in the week of %(day)s") % {"count": recurrence.interval, "day": week}
    return f" ({text})"


def _label(recurrence: Recurrence, weekday: int, today: date) -> str:
    if recurrence == EVERY_WEEK:
        return _("every week")
    if recurrence.nth:
        return _of_a_month(recurrence)
    first = recurrence.next_week(today) + timedelta(days=weekday)
    days = [formats.day(first + timedelta(weeks=weeks), "MMMd") for weeks in (0, recurrence.interval)]
    text = _("every %(count)d weeks: %(first)s, %(second)s, \N{HORIZONTAL ELLIPSIS}")
    return text % {"count": recurrence.interval, "first": days[0], "second": days[1]}


def _of_a_month(recurrence: Recurrence) -> str:
    names = {
        1: pgettext("weekday of a month", "first"),
        2: pgettext("weekday of a month", "second"),
        3: pgettext("weekday of a month", "third"),
        4: pgettext("weekday of a month", "fourth"),
        LAST: pgettext("weekday of a month", "last"),
    }
    named = formats.listed(names[number] for number in sorted(recurrence.nth, key=list(names).index))
    return _("%(which)s in the month") % {"which": named}
