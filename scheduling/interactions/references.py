"""Existing rows that a writer may refer to. A row the caller may not read is treated as missing."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from clinic.fhir.references import local_reference
from clinic.fhir.resources import RESOURCES, References, ResourceKind
from scheduling import access
from scheduling.access import Caller
from scheduling.interactions.entries import Entry


def referable_references(entries: Sequence[Entry], caller: Caller, base: str) -> References:
    """The references that the entries may use: rows the caller may refer to, and those already used by the rows they
    change.
    """
    texts = References.collect(entry.resource for entry in entries)
    references = References.load(texts, base)
    references.allow(entry.reference for entry in entries)
    kinds = {local_reference(text).partition("/")[0] for text in texts} & RESOURCES.keys()
    sees_all = all(access.may_refer_to_all(caller, kind) for kind in kinds)
    if sees_all and not any(map(references.is_unknown, texts)):
        return references
    named = {text for kind, row in _changed(entries, caller) for text in References.collect([kind.to_fhir(row)])}
    if sees_all:
        references.allow(named)
        return references
    return references.visible_only(partial(access.referable_keys, caller), also=named)


def visible_references(caller: Caller, kind: ResourceKind, rows: Mapping[str, Any]) -> Collection[str]:
    """The references of the rows that the caller may see."""
    if not rows or access.sees_all(caller, kind.model.RESOURCE_TYPE):
        return rows.keys()
    visible = access.visible(kind.model, caller, "rsu").filter(pk__in=[row.pk for row in rows.values()])
    keys = set(visible.values_list("pk", flat=True))
    return {reference for reference, row in rows.items() if row.pk in keys}


def _changed(entries: Sequence[Entry], caller: Caller) -> Iterator[tuple[ResourceKind, Any]]:
    """The rows that the entries would change. A few statements for each type."""
    ids: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        if entry.interaction == "update":
            ids[entry.type].append(entry.fhir_id)
    for name, these in ids.items():
        kind = RESOURCES[name]
        rows = access.visible(kind.model, caller, "rsu").filter(fhir_id__in=these)
        for row in rows.select_related(*kind.related).prefetch_related(*kind.prefetch):
            yield kind, row
