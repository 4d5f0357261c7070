"""Parsing of dates and times from addresses and forms. Invalid values and years outside YEARS give None."""

from datetime import date, datetime
from typing import TypeVar

from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive

YEARS = range(1900, 2200)  # near the years 1 and 9999 date arithmetic overflows

D = TypeVar("D", bound=date)


def within_years(day: D | None) -> D | None:
    """Return the date or time if its year is one of YEARS, else None."""
    return day if day is not None and day.year in YEARS else None


def day_of(text: str) -> date | None:
    """Parse a date such as 2026-11-24."""
    try:
        return within_years(date.fromisoformat(text))
    except ValueError:
        return None


def moment_of(text: str) -> datetime | None:
    """Parse a time with its zone, such as 2026-11-24T09:00:00Z."""
    try:
        moment = within_years(parse_datetime(text))
    except ValueError:
        return None
    return None if moment is None or is_naive(moment) else moment
