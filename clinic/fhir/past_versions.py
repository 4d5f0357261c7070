"""Rows of past versions, for `to_fhir`: https://hl7.org/fhir/R4/http.html#vread"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db.models import Model, prefetch_related_objects

from clinic import exact_json
from clinic.fhir.kinds import ResourceKind
from clinic.models import PastVersion
from clinic.models.base import Resource

RELATED = "related_then"


def rows_as_they_were(kind: ResourceKind, versions: Collection[int]) -> list[Any]:
    """Return the rows that these PastVersions (primary keys) stored. Rows that they refer to are the current ones.

    A column that a later migration added has its current value. The number of queries does not depend on the number
    of versions.
    """
    rows = list(kind.model._default_manager.raw(_SELECT.format(table=kind.model._meta.db_table), [list(versions)]))
    for row in rows:
        setattr(row, RELATED, exact_json.loads(getattr(row, RELATED)))  # not a field, so Django leaves it as text
    for name in dict.fromkeys(name for row in rows for name in getattr(row, RELATED)):
        _restore(rows, name)
    prefetch_related_objects(rows, *kind.related, *kind.prefetch)
    return rows


_SELECT = f"""
    SELECT was.*, past.related AS {RELATED}
    FROM {PastVersion._meta.db_table} past JOIN {{table}} AS current ON current.id = past.row_id,
    LATERAL jsonb_populate_record(current, past.row) AS was
    WHERE past.id = ANY(%s)
"""


def _restore(rows: Sequence[Resource], name: str) -> None:
    """Set the related rows of that time as if Django had prefetched them."""
    model: Any = rows[0]._meta.get_field(name).related_model
    keys = [key for row in rows for key in _then(row, name) if isinstance(key, int)]
    found = list(model._default_manager.filter(pk__in=keys)) if keys else []
    for related in found:
        related.deleted_at = None  # at that time it was not deleted
    for row in rows:
        then = _then(row, name)
        existing = [related for related in found if related.pk in then]
        rebuilt = [_rebuilt(model, columns) for columns in then if isinstance(columns, dict)]
        vars(row).setdefault("_prefetched_objects_cache", {})[name] = existing + rebuilt


def _then(row: Resource, name: str) -> list[Any]:
    return list(getattr(row, RELATED).get(name, ()))


def _rebuilt(model: type[Model], columns: dict[str, Any]) -> Any:
    fields: Iterable[Any] = model._meta.concrete_fields
    return model(**{field.attname: field.to_python(columns.get(field.column)) for field in fields})
