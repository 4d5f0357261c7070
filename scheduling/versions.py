"""The versions of a resource that a client means to change: https://www.rfc-editor.org/rfc/rfc9110#section-13.1"""

import sys
from collections.abc import Collection
from typing import TypeAlias

from clinic.models import Resource

Versions: TypeAlias = int | Collection[int]

ANY: Versions = range(1, sys.maxsize)  # If-Match: *
NONE: Versions = ()  # If-None-Match: *


def has_version(row: Resource, wanted: Versions | None) -> bool:
    """True if the row is at one of these versions. What is deleted is at none, but for who names its number."""
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return row.version == wanted
    if wanted is NONE:
        return row.deleted_at is not None
    return row.version in wanted and not (wanted is ANY and row.deleted_at is not None)
