"""Resources that refer to a resource and keep it from being deleted: https://hl7.org/fhir/R4/http.html#delete"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import CharField, Exists, F, OuterRef, QuerySet, Value

from clinic.fhir.resources import RESOURCES
from clinic.models import RESOURCE_MODELS, Bookable, Resource, Schedule
from scheduling import access
from scheduling.access import Caller

HIDDEN = "What you may not see"
LISTS = [(model, column, inner) for model in RESOURCE_MODELS for column, inner in model.REFERENCE_LISTS]


def referrers_of(model: type[Resource], rows: Sequence[Any], caller: Caller) -> dict[int, list[str]]:
    """The references of resources that refer to each of these rows, by its primary key; invisible ones are not named.

    Rows that only this product writes, such as the audit trail, do not count.
    """
    found: dict[int, set[str]] = defaultdict(set)
    if rows:
        for target, kind, fhir_id, is_seen in [*_by_key(model, rows, caller), *_in_lists(rows, caller)]:
            found[target].add(f"{kind}/{fhir_id}" if is_seen else HIDDEN)
    return {target: sorted(names) for target, names in found.items()}


def _by_key(model: type[Resource], rows: Sequence[Any], caller: Caller) -> Iterable[tuple[int, str, str, bool]]:
    """Referrers by foreign key or many-to-many field. One statement."""
    keys = [row.pk for row in rows]
    arms = [
        _named(other, caller).filter(**{f"{path}__in": keys}).values_list(F(path), "kind", "fhir_id", "is_seen")
        for other, path in _paths(model)
    ]
    return arms[0].union(*arms[1:]) if arms else ()


def _paths(model: type[Resource]) -> Iterator[tuple[type[Resource], str]]:
    """The fields of other resources that can refer to a model."""
    for relation in model._meta.related_objects:
        other: Any = relation.related_model
        if issubclass(other, Resource) and RESOURCES[other.RESOURCE_TYPE].from_fhir is not None:
            yield other, relation.field.name
        elif other is Bookable:
            yield Schedule, f"bookable__{relation.field.name}"


def _in_lists(rows: Sequence[Any], caller: Caller) -> Iterator[tuple[int, str, str, bool]]:
    """Referrers by a reference in a JSON list. One statement for each list and row, because few rows are deleted at
    once.
    """
    for row in rows:
        for other, column, inner in LISTS:
            reference: Any = {"reference": row.reference}
            item = {inner: reference} if inner else reference
            naming = _named(other, caller).filter(**{f"{column}__contains": [item]}).exclude(pk=row.pk)
            for kind, fhir_id, is_seen in naming.values_list("kind", "fhir_id", "is_seen"):
                yield row.pk, kind, fhir_id, is_seen


def _named(model: type[Resource], caller: Caller) -> "QuerySet[Any]":
    seen = access.visible(model, caller).filter(pk=OuterRef("pk"))
    rows = model._default_manager.filter(deleted_at=None).order_by()
    return rows.annotate(kind=Value(model.RESOURCE_TYPE, CharField()), is_seen=Exists(seen))
