"""Interactions of other software with resources: create, update, patch, delete, transactions and batches.

https://hl7.org/fhir/R4/http.html; the HTTP part is in api.
"""

from datetime import datetime

from scheduling.access import Caller
from scheduling.interactions.conditions import Find, SeveralMatch, finds_nothing
from scheduling.interactions.entries import (
    BundleRefused,
    Entry,
    EntryProblem,
    Patch,
    ReadPatch,
    creation_of,
    deletion_of,
    entries_of,
    entry_of,
    is_read,
    patch_of,
    raw_entries,
    update_of,
    version_of,
)
from scheduling.interactions.patches import Deleted
from scheduling.interactions.writer import WriteRequest, WriteResult, write, write_within

__all__ = [
    "BundleRefused",
    "Deleted",
    "Entry",
    "EntryProblem",
    "Find",
    "Patch",
    "ReadPatch",
    "SeveralMatch",
    "WriteRequest",
    "WriteResult",
    "creation_of",
    "deletion_of",
    "entries_of",
    "entry_of",
    "is_read",
    "patch_of",
    "perform",
    "raw_entries",
    "update_of",
    "version_of",
    "write",
    "write_within",
]


def perform(entry: Entry, *, caller: Caller, now: datetime, base: str = "", find: Find = finds_nothing) -> WriteResult:
    """Perform one interaction. A refusal is raised as the error of that resource, not as BundleRefused."""
    try:
        return write(WriteRequest(entries=[entry], base=base, find=find), caller=caller, now=now)[0]
    except BundleRefused as refusal:
        raise refusal.problems[0].error from refusal
