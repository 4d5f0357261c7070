"""Patches, turned into updates: https://hl7.org/fhir/R4/http.html#patch"""

from collections import defaultdict
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from clinic.exact_json import is_same
from clinic.fhir.resources import RESOURCES, to_fhir
from clinic.fhir.status_reasons import said_both_ways, split
from clinic.models import Appointment, Resource
from scheduling import access
from scheduling.access import Caller
from scheduling.errors import Invalid, NotFound, RuleBroken, SchedulingError, VersionConflict
from scheduling.interactions.entries import Entry, EntryProblem, Json
from scheduling.versions import has_version

# Elements of an Appointment that a patch cannot change: its time and participants.
FIXED = ("start", "end", "minutesDuration", "slot", "participant")
ENDED = (Appointment.Status.CANCELLED, Appointment.Status.NOSHOW)


class Deleted(SchedulingError):
    """The id belongs to a deleted resource."""

    code = "deleted"


@dataclass
class PatchResult:
    """The resulting updates; entries that change nothing, with their row; and problems."""

    updates: list[Entry] = field(default_factory=list)
    unchanged: list[tuple[Entry, Resource]] = field(default_factory=list)
    problems: list[EntryProblem] = field(default_factory=list)


def apply_patches(entries: Sequence[Entry], caller: Caller) -> PatchResult:
    """Apply the patches to the rows that the caller may see. One query for each type."""
    result = PatchResult()
    by_type: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_type[entry.type].append(entry)
    for kind, patches in by_type.items():
        rows = _rows(kind, [entry.fhir_id for entry in patches], caller)
        for entry in patches:
            try:
                _place(entry, rows.get(entry.fhir_id), caller, result)
            except SchedulingError as error:
                result.problems.append(EntryProblem(entry.index, entry.reference, error))
    return result


def _rows(kind: str, ids: Sequence[str], caller: Caller) -> dict[str, Any]:
    found = RESOURCES[kind]
    rows = access.visible(found.model, caller, "rsu").filter(fhir_id__in=ids)
    return {row.fhir_id: row for row in rows.select_related(*found.related).prefetch_related(*found.prefetch)}


def _place(entry: Entry, row: Any, caller: Caller, result: PatchResult) -> None:
    """Apply one patch. Raises NotFound, Deleted, VersionConflict, Invalid, RuleBroken, and the errors of the patch."""
    if row is None:
        raise NotFound(f"There is no {entry.reference}.")
    if row.deleted_at is not None:
        raise Deleted(f"{entry.reference} was deleted.")
    if not has_version(row, entry.version):
        raise VersionConflict
    assert entry.patch is not None  # patch_of
    before = to_fhir(access.redacted(row, caller))
    after = entry.patch(deepcopy(before))
    if (after.get("resourceType"), after.get("id")) != (entry.type, entry.fhir_id):
        raise Invalid("A patch leaves resourceType and id as they are.", expression=entry.type)
    if isinstance(row, Appointment) and row.is_waiting:
        after = said_both_ways(after) if after.get("status") in ENDED else after  # the use case judges the rest
    elif isinstance(row, Appointment):
        after = _amended(before, after, is_bound=not access.is_exempt_from_cutoffs(caller, row))
    if is_same(after, before):
        result.unchanged.append((entry, row))
    else:
        result.updates.append(replace(entry, interaction="update", resource=after, version=row.version, patch=None))


def _amended(before: Json, after: Json, *, is_bound: bool) -> Json:
    """The patched Appointment, with its reason in both forms. Raises RuleBroken if its time or participants change."""
    for name in FIXED:
        if before.get(name) != after.get(name):
            text = "An Appointment is amended with $reschedule: a patch changes neither its time nor who takes part."
            raise RuleBroken(text, expression=f"Appointment.{name}")
    if is_bound and not _only_cancels(before, after):
        raise RuleBroken(_("You can cancel this visit. For other changes, call the clinic."), expression="Appointment")
    return said_both_ways(after) if after.get("status") in ENDED else after


def _only_cancels(before: Json, after: Json) -> bool:
    """True if the patch changes only the status to cancelled, and its reason."""
    if before == after:
        return True
    others, _reasons = split(after.get("extension"))
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    is_only_reason = "extension" not in changed or others == split(before.get("extension"))[0]
    return (
        after.get("status") == Appointment.Status.CANCELLED
        and before.get("status") != Appointment.Status.CANCELLED
        and changed <= {"status", "cancelationReason", "extension"}
        and is_only_reason
    )
