"""What is there for who writes. What is hidden from them is answered as what is not there."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from clinic.fhir.references import local_reference
from clinic.fhir.resources import RESOURCES, References, ResourceKind
from scheduling import access
from scheduling.access import Caller
from scheduling.interactions.entries import Entry


def known_to(entries: Sequence[Entry], caller: Caller, base: str) -> References:
    """To what the entries may refer: what is there for the caller, and what is named already by what they change."""
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


def seen_by(caller: Caller, kind: ResourceKind, rows: Mapping[str, Any]) -> Collection[str]:
    """Those that are there for the caller. By reference."""
    if not rows or access.sees_all(caller, kind.model.RESOURCE_TYPE):
        return rows.keys()
    visible = access.visible(kind.model, caller, "rsu").filter(pk__in=[row.pk for row in rows.values()])
    keys = set(visible.values_list("pk", flat=True))
    return {reference for reference, row in rows.items() if row.pk in keys}


def _changed(entries: Sequence[Entry], caller: Caller) -> Iterator[tuple[ResourceKind, Any]]:
    """The rows that would be changed. A few statements for each type."""
    ids: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        if entry.interaction == "update":
            ids[entry.type].append(entry.fhir_id)
    for name, these in ids.items():
        kind = RESOURCES[name]
        rows = access.visible(kind.model, caller, "rsu").filter(fhir_id__in=these)
        for row in rows.select_related(*kind.related).prefetch_related(*kind.prefetch):
            yield kind, row
