"""SQL statements of the hot paths, composed once and cached, since composing them takes longer than running them.

Values are converted as Django converts them, but no signals are sent.
"""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Field

from clinic.models.base import Resource

R = TypeVar("R", bound=Resource)
Convert = Callable[[Any, Any, Any], Any]


def find(model: type[R], column: str, value: str | int) -> R | None:
    """Return the row with this value in a unique column, or None if there is none or it is deleted."""
    with connection.cursor() as cursor:
        cursor.execute(_select(model, column), [value])
        row = cursor.fetchone()
    if row is None:
        return None
    values = list(row)
    for at, convert in _converters(model):
        values[at] = convert(values[at], None, connection)
    return model.from_db(connection.alias, [field.attname for field in model._meta.concrete_fields], values)


def insert(rows: Sequence[Resource]) -> None:
    """Insert rows of one model, in their order, and set the columns that the database fills, such as primary keys."""
    _insert(rows)


def insert_without_conflicts(rows: Sequence[R]) -> list[R]:
    """Insert the rows that no constraint forbids, such as Slots of free time, and return those that were written."""
    written = _insert(rows, " ON CONFLICT DO NOTHING") if rows else set()
    return [row for row in rows if row.fhir_id in written]


def _insert(rows: Sequence[Resource], otherwise: str = "") -> set[str]:
    model = type(rows[0])
    own, set_by_database = _fields(model)
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for row in rows for field in own]
    with connection.cursor() as cursor:
        cursor.execute(_statement(model, len(rows), otherwise), values)
        written = {fhir_id: found for fhir_id, *found in cursor.fetchall()}
    for row in rows:
        for field, value in zip(set_by_database, written.get(row.fhir_id, ()), strict=False):
            setattr(row, field.attname, value)
        row._state.adding = row.fhir_id not in written
        row._state.db = connection.alias
    return set(written)


@cache
def _fields(model: type[Resource]) -> tuple[list["Field[Any, Any]"], list["Field[Any, Any]"]]:
    """Return the fields that an INSERT writes, and the fields that the database fills."""
    fields = model._meta.concrete_fields
    set_by_database = [field for field in fields if field.primary_key or field.has_db_default()]
    return [field for field in fields if field not in set_by_database], set_by_database


@lru_cache(maxsize=256)
def _statement(model: type[Resource], count: int, otherwise: str) -> str:
    own, set_by_database = _fields(model)
    row = f"({', '.join(['%s'] * len(own))})"
    return (
        f'INSERT INTO "{model._meta.db_table}" ({_columns(own)}) VALUES {", ".join([row] * count)}{otherwise}'
        f" RETURNING fhir_id, {_columns(set_by_database)}"
    )


@cache
def _select(model: type[Resource], column: str) -> str:
    columns = _columns(model._meta.concrete_fields)
    return f'SELECT {columns} FROM "{model._meta.db_table}" WHERE "{column}" = %s AND deleted_at IS NULL'


@cache
def _converters(model: type[Resource]) -> list[tuple[int, Convert]]:
    """Return the converters from database values to Python values, with the position of their column."""
    return [
        (at, convert)
        for at, field in enumerate(model._meta.concrete_fields)
        for convert in field.get_db_converters(connection)
    ]


def _columns(fields: "Sequence[Field[Any, Any]]") -> str:
    return ", ".join(f'"{field.column}"' for field in fields)
