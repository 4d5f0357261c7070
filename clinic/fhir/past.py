"""Rows as they were, for `to_fhir`: https://hl7.org/fhir/R4/http.html#vread"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db.models import Model, prefetch_related_objects

from clinic import exact_json
from clinic.fhir.kinds import ResourceKind
from clinic.models import PastVersion
from clinic.models.base import Resource

RELATED = "related_then"


def rows_as_they_were(kind: ResourceKind, versions: Collection[int]) -> list[Any]:
    """The rows of these PastVersions, by primary key. What they refer to is shown as it is now.

    A column that came later has its value of today. The number of statements does not depend on how many there are.
    """
    rows = list(kind.model._default_manager.raw(_SELECT.format(table=kind.model._meta.db_table), [list(versions)]))
    for row in rows:
        setattr(row, RELATED, exact_json.loads(getattr(row, RELATED)))  # what is no field comes as the text that it is
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
    """Put what belonged to them then where Django looks for what it has fetched."""
    model: Any = rows[0]._meta.get_field(name).related_model
    keys = [key for row in rows for key in _then(row, name) if isinstance(key, int)]
    found = list(model._default_manager.filter(pk__in=keys)) if keys else []
    for each in found:
        each.deleted_at = None  # it was there
    for row in rows:
        then = _then(row, name)
        kept = [each for each in found if each.pk in then]
        made = [_made(model, each) for each in then if isinstance(each, dict)]
        vars(row).setdefault("_prefetched_objects_cache", {})[name] = kept + made


def _then(row: Resource, name: str) -> list[Any]:
    return list(getattr(row, RELATED).get(name, ()))


def _made(model: type[Model], columns: dict[str, Any]) -> Any:
    fields: Iterable[Any] = model._meta.concrete_fields
    return model(**{field.attname: field.to_python(columns.get(field.column)) for field in fields})
