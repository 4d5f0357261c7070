"""Interactions of other software with resources: create, update, patch, delete, transactions and batches.

https://hl7.org/fhir/R4/http.html; the HTTP part is in api.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from scheduling.access import Caller
from scheduling.interactions.conditions import Find, SeveralMatch, finds_nothing
from scheduling.interactions.entries import (
    BundleRefused,
    Entry,
    EntryProblem,
    Json,
    Patch,
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
from scheduling.interactions.patches import Deleted
from scheduling.interactions.writer import WriteResult, write, write_within

__all__ = [
    "BundleRefused",
    "Deleted",
    "Entry",
    "EntryProblem",
    "Find",
    "Patch",
    "ReadPatch",
    "SeveralMatch",
    "WriteResult",
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
    "write_within",
]


def perform(entry: Entry, *, caller: Caller, now: datetime, base: str = "", find: Find = finds_nothing) -> WriteResult:
    """Perform one interaction. A refusal is raised as the error of that resource, not as BundleRefused."""
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
) -> list[WriteResult]:
    """Write all entries of a transaction Bundle or none: https://hl7.org/fhir/R4/http.html#transaction

    The caller answers the reads of the Bundle in `then`, which runs after all writes and before the commit.
    """
    entries = entries_of(bundle, base, ["transaction"], read_patch)
    return write(entries, caller=caller, now=now, base=base, find=find, then=then)
