"""Days and times as an address or a form writes them. What is not one, or none that a calendar can show, is None."""

from datetime import date, datetime
from typing import TypeVar

from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive

YEARS = range(1900, 2200)  # near years 1 and 9999 there is no day before or after a day

D = TypeVar("D", bound=date)


def shown(day: D | None) -> D | None:
    """The day, or the time, where it is one that a calendar can show."""
    return day if day is not None and day.year in YEARS else None


def day_of(written: str) -> date | None:
    """2026-11-24"""
    try:
        return shown(date.fromisoformat(written))
    except ValueError:
        return None


def moment_of(written: str) -> datetime | None:
    """2026-11-24T09:00:00Z"""
    try:
        found = shown(parse_datetime(written))
    except ValueError:
        return None
    return None if found is None or is_naive(found) else found
