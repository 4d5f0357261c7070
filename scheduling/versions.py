"""Version conditions of writes (If-Match, If-None-Match): https://www.rfc-editor.org/rfc/rfc9110#section-13.1"""

import sys
from collections.abc import Collection
from typing import TypeAlias, TypeVar

from django.utils.translation import gettext as _

from clinic.models import Resource
from scheduling.errors import NotFound, VersionConflict

R = TypeVar("R", bound=Resource)

Versions: TypeAlias = int | Collection[int]

ANY: Versions = range(1, sys.maxsize)  # If-Match: *
NONE: Versions = ()  # If-None-Match: *


def has_version(row: Resource, versions: Versions | None) -> bool:
    """True if the row has one of these versions. ANY does not include a deleted row, whose number does."""
    if versions is None:
        return True
    if isinstance(versions, int):
        return row.version == versions
    if versions is NONE:
        return row.deleted_at is not None
    return row.version in versions and not (versions is ANY and row.deleted_at is not None)


def locked_at(row: R, version: int) -> R:
    """Return the row as it is stored, locked until the end of the transaction.

    Raises VersionConflict if it has another version by now, NotFound if it has been deleted.
    """
    rows = type(row)._default_manager.select_for_update(no_key=True, of=("self",))
    found = rows.filter(pk=row.pk, deleted_at=None).first()
    if found is None:
        raise NotFound(_("It has been deleted."))
    if found.version != version:
        raise VersionConflict
    return found
