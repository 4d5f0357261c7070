"""Patches: what a resource is to become, as the update that says so: https://hl7.org/fhir/R4/http.html#patch"""

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
from scheduling.interactions.entries import Entry, Json, Problem
from scheduling.versions import has_version

# Of an Appointment: what takes its time, and whose.
FIXED = ("start", "end", "minutesDuration", "slot", "participant")
ENDED = (Appointment.Status.CANCELLED, Appointment.Status.NOSHOW)


class Deleted(SchedulingError):
    """The id belonged to a resource that is gone."""

    code = "deleted"


@dataclass
class Patched:
    """The updates of the versions that are there now; what a patch leaves as it is, with its row; what it cannot do."""

    updates: list[Entry] = field(default_factory=list)
    unchanged: list[tuple[Entry, Resource]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def patched(entries: Sequence[Entry], caller: Caller) -> Patched:
    """What the patches make of what the caller may see. A query for each type."""
    result = Patched()
    by_type: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_type[entry.type].append(entry)
    for kind, patches in by_type.items():
        rows = _rows(kind, [entry.fhir_id for entry in patches], caller)
        for entry in patches:
            try:
                _place(entry, rows.get(entry.fhir_id), caller, result)
            except SchedulingError as error:
                result.problems.append(Problem(entry.index, entry.reference, error))
    return result


def _rows(kind: str, ids: Sequence[str], caller: Caller) -> dict[str, Any]:
    found = RESOURCES[kind]
    rows = access.visible(found.model, caller, "rsu").filter(fhir_id__in=ids)
    return {row.fhir_id: row for row in rows.select_related(*found.related).prefetch_related(*found.prefetch)}


def _place(entry: Entry, row: Any, caller: Caller, result: Patched) -> None:
    """Raises NotFound, Deleted, VersionConflict, Invalid, RuleBroken, and what the patch raises."""
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
    if isinstance(row, Appointment):
        after = _amended(before, after, is_bound=not access.is_exempt_from_cutoffs(caller, row))
    if is_same(after, before):
        result.unchanged.append((entry, row))
    else:
        result.updates.append(replace(entry, interaction="update", resource=after, version=row.version, patch=None))


def _amended(before: Json, after: Json, *, is_bound: bool) -> Json:
    """The Appointment, with its reason said both ways. Its time and its people are not changed one by one."""
    for name in FIXED:
        if before.get(name) != after.get(name):
            text = "An Appointment is amended with $reschedule: a patch changes neither its time nor who takes part."
            raise RuleBroken(text, expression=f"Appointment.{name}")
    if is_bound and not _only_cancels(before, after):
        raise RuleBroken(_("You can cancel this visit. For other changes, call the clinic."), expression="Appointment")
    return said_both_ways(after) if after.get("status") in ENDED else after


def _only_cancels(before: Json, after: Json) -> bool:
    """True if nothing else becomes of it, but for why."""
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
