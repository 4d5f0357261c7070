"""Interactions of other software with resources: create, update, patch, delete, transactions and batches.

https://hl7.org/fhir/R4/http.html; the HTTP part is in api.
"""

from datetime import datetime

from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import Once
from scheduling.errors import SchedulingError
from scheduling.interactions.bookings import ReadBooking
from scheduling.interactions.conditions import Find, SeveralMatch
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
from scheduling.interactions.writer import WriteRequest, WriteResult, with_judgements, write, write_within

__all__ = [
    "BundleRefused",
    "Deleted",
    "Entry",
    "EntryProblem",
    "Find",
    "Patch",
    "ReadBooking",
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


def perform(request: WriteRequest, *, caller: Caller, now: datetime, once: Once | None = None) -> WriteResult:
    """Perform the interaction of the only entry, only once for an idempotency key. A refusal is raised as the error of
    that resource, not as BundleRefused.
    """
    request = with_judgements(request, caller=caller, now=now)

    def act() -> WriteResult | SchedulingError:
        try:
            return write_within(request, caller=caller, now=now)[0]
        except BundleRefused as refusal:
            raise refusal.problems[0].error from refusal

    with booking.all_or_nothing():
        outcome = act() if once is None else booking.first_time(once, act, now)
    if isinstance(outcome, SchedulingError):
        raise outcome
    return outcome
