"""Writing of a row as its next version."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar

from clinic.models import Resource
from scheduling.versions import locked_at

R = TypeVar("R", bound=Resource)
Written = tuple[Resource, Literal["created", "updated"]]


def write_row(row: R, values: Mapping[str, Any], *, version: int, now: datetime) -> tuple[R, Written]:
    """Create the row with these columns, or write them to the row if it still has this version.

    Returns the row and its entry for the audit. Raises VersionConflict, or NotFound if it has been deleted.
    """
    is_new = row.pk is None
    if not is_new:
        row = locked_at(row, version)
        row.version += 1
    row.last_updated = now
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    return row, (row, "created" if is_new else "updated")
