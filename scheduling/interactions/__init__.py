"""What other software does with resources: create, update, patch, delete, and many at once.

https://hl7.org/fhir/R4/http.html, but for its HTTP, which is in the package api.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from scheduling.access import Caller
from scheduling.interactions.conditions import Find, SeveralMatch, finds_nothing
from scheduling.interactions.entries import (
    BundleRefused,
    Entry,
    Json,
    Patch,
    Problem,
    ReadPatch,
    creation_of,
    deletion_of,
    entries_of,
    entry_of,
    is_read,
    no_patches,
    patch_of,
    raw_entries,
    update_of,
    version_of,
)
from scheduling.interactions.patching import Deleted
from scheduling.interactions.writing import Written, write

__all__ = [
    "BundleRefused",
    "Deleted",
    "Entry",
    "Find",
    "Patch",
    "Problem",
    "ReadPatch",
    "SeveralMatch",
    "Written",
    "creation_of",
    "deletion_of",
    "entries_of",
    "entry_of",
    "is_read",
    "patch_of",
    "perform",
    "raw_entries",
    "transaction",
    "update_of",
    "version_of",
    "write",
]


def perform(entry: Entry, *, caller: Caller, now: datetime, base: str = "", find: Find = finds_nothing) -> Written:
    """One interaction. A refusal is that of the one resource, and not of a Bundle."""
    try:
        return write([entry], caller=caller, now=now, base=base, find=find)[0]
    except BundleRefused as refusal:
        raise refusal.problems[0].error from refusal


def transaction(
    bundle: Json,
    *,
    caller: Caller,
    now: datetime,
    base: str = "",
    find: Find = finds_nothing,
    read_patch: ReadPatch = no_patches,
    then: Callable[[], Any] = lambda: None,
) -> list[Written]:
    """All entries or none: https://hl7.org/fhir/R4/http.html#transaction

    What they ask for is the door's to answer, in `then`: once everything is written and before it is committed.
    """
    entries = entries_of(bundle, base, ["transaction"], read_patch)
    return write(entries, caller=caller, now=now, base=base, find=find, then=then)
