"""Which patients staff were shown, for the audit trail. Not what people see of themselves."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from clinic.models import Resource
from scheduling import access
from scheduling.access import Caller

ONCE_IN = timedelta(hours=1)  # a board and a calendar ask again and again


def opened(caller: Caller, row: Resource, *, now: datetime) -> None:
    """A visit, or something of it. The first time stands for an hour: its dialogs and forms ask again and again."""
    access.record_disclosure([row], "read", caller=caller, now=now, once_in=ONCE_IN)


def listed(caller: Caller, rows: Iterable[Resource], page: str, *, now: datetime) -> None:
    """Those on a page of many. The first time on that page stands for an hour."""
    access.record_disclosure(rows, "search", caller=caller, now=now, query=page, once_in=ONCE_IN)


def listed_patients(caller: Caller, patients: Iterable[int], page: str, *, now: datetime) -> None:
    """The same, by the primary keys of the patients."""
    access.record_listing(patients, page, caller=caller, now=now, once_in=ONCE_IN)
