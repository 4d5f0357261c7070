"""The colleagues to whom an item of the worklist can be given."""

from datetime import datetime
from typing import Any

from clinic.models import Appointment, User, WorkItem
from scheduling import access, staff_accounts
from scheduling.access import Caller
from scheduling.worklist.parts import PARTS


def colleagues(visit: Appointment | None, *, caller: Caller) -> list[User]:
    """Return the active accounts of staff who see the visit, without the caller; by name.

    An item about no visit is for those who change patients' records.
    """
    rows = access.staff_of_visit(visit) if visit is not None else access.staff_of_records()
    assert caller.user is not None  # staff have signed in
    others = rows.filter(staff_accounts.staff()).exclude(pk=caller.user.pk)
    return list(others.order_by("last_name", "first_name", "email"))


def deals_with(user: User, kind: WorkItem.Kind, row: int, *, now: datetime) -> bool:
    """True if this person may deal with the item: its row waits for them, and they have the permission."""
    return user.is_active and find_row(Caller(user=user), kind, row, now=now) is not None


def find_row(caller: Caller, kind: WorkItem.Kind, row: int, *, now: datetime) -> Any:
    """Return the row of an item with which the caller may deal, or None."""
    part = PARTS[kind]
    acting = access.acting_for(caller, part.action)
    return None if acting is None else part.rows(acting, now).filter(pk=row).first()
