"""Version conditions of writes (If-Match, If-None-Match): https://www.rfc-editor.org/rfc/rfc9110#section-13.1"""

import sys
from collections.abc import Collection
from typing import TypeAlias

from clinic.models import Resource

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
