"""Audit entries for the patients that staff see on pages. What patients see of themselves is not recorded."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from clinic.models import Resource
from scheduling import access
from scheduling.access import Caller

ONCE_IN = timedelta(hours=1)  # boards, calendars and dialogs repeat the same request


def opened(caller: Caller, row: Resource, *, now: datetime) -> None:
    """Record that the caller opened a row, at most once an hour."""
    access.record_disclosure([row], "read", caller=caller, now=now, once_in=ONCE_IN)


def listed(caller: Caller, rows: Iterable[Resource], page: str, *, now: datetime) -> None:
    """Record that the caller saw these rows in a list, at most once an hour for each page."""
    access.record_disclosure(rows, "search", caller=caller, now=now, query=page, once_in=ONCE_IN)


def downloaded(caller: Caller, rows: Iterable[Resource], name: str, *, now: datetime) -> None:
    """Record that the caller downloaded these rows of a list as a file."""
    access.record_disclosure(rows, "search", caller=caller, now=now, query=f"{name}, CSV")


def listed_patients(caller: Caller, patients: Iterable[int], page: str, *, now: datetime) -> None:
    """Record that the caller saw these patients (primary keys) in a list, at most once an hour for each page."""
    access.record_listing(patients, page, caller=caller, now=now, once_in=ONCE_IN)
