"""A week of combined visits by day, as the pages list them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms

from clinic.country import clinic_zone
from portal.booking.combined_times import CombinedChoice
from portal.common.forms import QueryForm

DAY, WEEK = timedelta(days=1), timedelta(days=7)
WEEKS_AHEAD = 8  # searched for the first week with times
FURTHEST = timedelta(days=365)

Search = Callable[[datetime, datetime], list[CombinedChoice]]


class WeekForm(QueryForm):
    """Query for a week: its first day."""

    week = forms.DateField(required=False, input_formats=["%Y-%m-%d"])


@dataclass(frozen=True, slots=True)
class DayOfCombinations:
    """A day, and the combinations that begin on it."""

    day: date
    choices: list[CombinedChoice]


def week_of(form: WeekForm, search: Search, *, now: datetime) -> dict[str, Any]:
    """Return the context of a week of combinations: the one asked for, or else the first one that has any."""
    today = now.astimezone(clinic_zone()).date()
    asked: date | None = form.value("week")
    first = min(max(asked or today, today), today + FURTHEST)
    days = _days(search, first, now)
    while not days and asked is None and first < today + WEEKS_AHEAD * WEEK:
        first += WEEK
        days = _days(search, first, now)
    return {
        "days": days,
        "first": first,
        "last": first + WEEK - DAY,
        "previous": max(first - WEEK, today) if first > today else None,
        "following": first + WEEK if first < today + FURTHEST else None,
    }


def _days(search: Search, first: date, now: datetime) -> list[DayOfCombinations]:
    start = max(datetime.combine(first, time(0), clinic_zone()), now)
    by_day: dict[date, list[CombinedChoice]] = {}
    for choice in search(start, datetime.combine(first + WEEK, time(0), clinic_zone())):
        by_day.setdefault(choice.start.date(), []).append(choice)
    return [DayOfCombinations(day, choices) for day, choices in sorted(by_day.items())]
