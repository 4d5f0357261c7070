"""What other software does with resources: create, update, and many at once.

https://hl7.org/fhir/R4/http.html, but for its HTTP, which is scheduling.api's.
"""

from datetime import datetime

from clinic.fhir.resources import InvalidResource
from scheduling.access import Caller
from scheduling.errors import SchedulingError
from scheduling.interactions.conditions import SeveralMatch
from scheduling.interactions.entries import (
    BundleRefused,
    Entry,
    Json,
    Problem,
    creation_of,
    entries_of,
    entry_of,
    raw_entries,
    update_of,
    version_of,
)
from scheduling.interactions.writing import Deleted, Written, write

__all__ = [
    "BundleRefused",
    "Deleted",
    "Entry",
    "Problem",
    "SeveralMatch",
    "Written",
    "batch",
    "create",
    "entries_of",
    "transaction",
    "update",
    "version_of",
    "write",
]


def create(kind: str, resource: Json, *, caller: Caller, now: datetime, base: str = "", condition: str = "") -> Written:
    """A new resource under an id of ours; with `condition` (If-None-Exist) only if there is none like it."""
    return _one(creation_of(kind, resource, condition), caller, now, base)


def update(
    kind: str,
    fhir_id: str,
    resource: Json,
    *,
    caller: Caller,
    now: datetime,
    base: str = "",
    version: int | None = None,
) -> Written:
    """The resource is this from now on; where there is none it is created. `version` is the one to be replaced."""
    return _one(update_of(kind, fhir_id, resource, version), caller, now, base)


def transaction(bundle: Json, *, caller: Caller, now: datetime, base: str = "") -> list[Written]:
    """All entries or none: https://hl7.org/fhir/R4/http.html#transaction"""
    return write(entries_of(bundle, base, ["transaction"]), caller=caller, now=now, base=base)


def batch(
    bundle: Json, *, caller: Caller, now: datetime, base: str = ""
) -> list[Written | SchedulingError | InvalidResource]:
    """Each entry for itself, with what became of it or why not: https://hl7.org/fhir/R4/http.html#brules"""
    results: list[Written | SchedulingError | InvalidResource] = []
    for index, entry in enumerate(raw_entries(bundle, "batch")):
        try:
            results.append(_one(entry_of(entry, index, base), caller, now, base))
        except (SchedulingError, InvalidResource) as error:
            results.append(error)
    return results


def _one(entry: Entry, caller: Caller, now: datetime, base: str) -> Written:
    """A refusal is that of the one resource, and not of a Bundle."""
    try:
        return write([entry], caller=caller, now=now, base=base)[0]
    except BundleRefused as refusal:
        raise refusal.problems[0].error from refusal
