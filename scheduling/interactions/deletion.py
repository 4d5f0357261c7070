"""Deletion of resources: https://hl7.org/fhir/R4/http.html#delete

A deleted resource stays as a row and answers 410; an update brings it back. Resources that others refer to are kept.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from clinic.fhir.resources import RESOURCES
from clinic.models import Appointment, Resource, Slot
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.errors import InUse, SchedulingError, VersionConflict
from scheduling.interactions import rows
from scheduling.interactions.entries import Entry, EntryProblem
from scheduling.interactions.referrers import referrers_of
from scheduling.versions import has_version

NAMED = 5


def delete(
    entries: Sequence[Entry], *, caller: Caller, now: datetime
) -> tuple[list[tuple[Entry, Resource | None]], list[EntryProblem]]:
    """Delete the resources, those that may refer to others first. Returns each entry with its row, or None if it is
    invisible.

    Runs in the caller's transaction. Rows that were deleted before stay as they are.
    """
    done: list[tuple[Entry, Resource | None]] = []
    problems: list[EntryProblem] = []
    by_type: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_type[entry.type].append(entry)
    for kind in reversed(RESOURCES):
        found = _locked(kind, by_type[kind], caller)
        referring = referrers_of(RESOURCES[kind].model, list(found.values()), caller)
        for entry in by_type[kind]:
            row = found.get(entry.fhir_id)
            try:
                if row is not None and row.deleted_at is None:
                    _delete(row, entry, referring.get(row.pk, []), caller, now)
                done.append((entry, row))
            except SchedulingError as error:
                problems.append(EntryProblem(entry.index, entry.reference, error))
    return done, problems


def _locked(kind: str, entries: Sequence[Entry], caller: Caller) -> dict[str, Any]:
    if not entries:
        return {}
    seen = access.visible(RESOURCES[kind].model, caller, "rsd").filter(fhir_id__in=[each.fhir_id for each in entries])
    return {row.fhir_id: row for row in seen.select_for_update(no_key=True, of=("self",)).order_by("pk")}


def _delete(row: Any, entry: Entry, referring: Sequence[str], caller: Caller, now: datetime) -> None:
    """Delete one row. Raises VersionConflict, InUse, Forbidden."""
    access.require_within_scopes(type(row), [row.pk], caller, "d")
    if not has_version(row, entry.version):
        raise VersionConflict
    if isinstance(row, Appointment):
        booking.may_remove(row)
    if referring:
        others = [f"{len(referring) - NAMED} more"] if len(referring) > NAMED else []
        names = ", ".join([*referring[:NAMED], *others])
        raise InUse(f"{names} {'refers' if len(referring) == 1 else 'refer'} to it.")
    if isinstance(row, Slot):
        booking.remove_slot(row, now=now)
    elif isinstance(row, Appointment):
        booking.remove(row, caller=caller, now=now)
    else:
        rows.mark_deleted(row, now=now)
