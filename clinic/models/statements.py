"""SQL statements of the hot paths, composed once and cached, since composing them takes longer than running them.

Rows are written as one JSON value, which PostgreSQL reads into its columns: it takes a tenth of the time of a parameter
for each value, and the statement is the same for any number of rows. No signals are sent.
"""

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Field, ForeignKey

from clinic import exact_json
from clinic.models.base import Resource

R = TypeVar("R", bound=Resource)
Convert = Callable[[Any, Any, Any], Any]


def find(model: type[R], column: str, value: str | int) -> R | None:
    """Return the row with this value in a unique column, or None if there is none or it is deleted."""
    with connection.cursor() as cursor:
        cursor.execute(_select(model, column), [value])
        values = cursor.fetchone()
    return None if values is None else load(model, values)


def read(model: type[R], fhir_id: str, *related: str, lock: bool = False) -> R | None:
    """Return the row with this id, with the rows that its foreign keys `related` name; None if there is none, or it is
    deleted.

    With `lock` the row is locked until commit, as by select_for_update(no_key=True); the related rows are not.
    """
    with connection.cursor() as cursor:
        cursor.execute(_select_with_related(model, related, lock), [fhir_id])
        values = cursor.fetchone()
    if values is None:
        return None
    end = len(model._meta.concrete_fields)
    row = load(model, values[:end])
    for name in related:
        field, related_model = _foreign_key(model, name)
        start, end = end, end + len(related_model._meta.concrete_fields)
        is_set = values[start] is not None
        field.set_cached_value(row, load(related_model, values[start:end]) if is_set else None)
    return row


def load(model: type[R], values: Sequence[Any]) -> R:
    """Return the row with these values from the database, in the order of `columns_of`."""
    converted = list(values)
    for at, convert in _converters(model):
        converted[at] = convert(converted[at], None, connection)
    return model.from_db(DEFAULT_DB_ALIAS, _attributes(model), converted)


def exists(model: type[Resource], column: str, value: int) -> bool:
    """True if a row that is not deleted has this value in a column."""
    with connection.cursor() as cursor:
        cursor.execute(_select_one(model, column), [value])
        return cursor.fetchone() is not None


def update(row: Resource) -> None:
    """Write all columns of a row that was read before."""
    with connection.cursor() as cursor:
        cursor.execute(_update(type(row)), [_written([row]), row.pk])


def update_together(row: Resource, others: Sequence[Resource]) -> None:
    """Write all columns of a row that was read before, and insert rows of one model, by one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_update_together(type(row), type(others[0])), [_written([row]), row.pk, _written(others)])
        _set_written(others, {fhir_id: found for fhir_id, *found in cursor.fetchall()})


def columns_of(model: type[Resource], table: str) -> str:
    """Return the columns of a model for a SELECT or RETURNING; `table` is the table's name in the statement."""
    return ", ".join(f'{table}."{field.column}"' for field in model._meta.concrete_fields)


def insert(rows: Sequence[Resource]) -> None:
    """Insert rows of one model, in their order, and set the columns that the database fills, such as primary keys."""
    _insert(rows)


def insert_without_conflicts(rows: Sequence[R]) -> list[R]:
    """Insert the rows that no constraint forbids, such as Slots of free time, and return those that were written."""
    written = _insert(rows, " ON CONFLICT DO NOTHING") if rows else set()
    return [row for row in rows if row.fhir_id in written]


def insert_together(row: Resource, foreign_key: str, *dependents: Sequence[Resource]) -> bool:
    """Insert a row, and the rows whose `foreign_key` names it, by one statement. Return False if a constraint forbids
    one of them: the caller rolls back what was written of the others.

    Each sequence holds rows of one model, which are inserted in their order.
    """
    groups: list[Sequence[Resource]] = [[row], *filter(None, dependents)]
    statement = _insert_together(foreign_key, *(type(rows[0]) for rows in groups))
    with connection.cursor() as cursor:
        cursor.execute(statement, [_written(rows) for rows in groups])
        written = {(number, fhir_id): found for number, fhir_id, *found in cursor.fetchall()}
    for number, rows in enumerate(groups):
        _set_written(
            rows, {each.fhir_id: written[number, each.fhir_id] for each in rows if (number, each.fhir_id) in written}
        )
        if number:
            for each in rows:
                setattr(each, foreign_key, row.pk)
    return len(written) == sum(map(len, groups))


def _insert(rows: Sequence[Resource], otherwise: str = "") -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_statement(type(rows[0]), otherwise), [_written(rows)])
        written = {fhir_id: found for fhir_id, *found in cursor.fetchall()}
    _set_written(rows, written)
    return set(written)


def _set_written(rows: Sequence[Resource], written: dict[str, list[Any]]) -> None:
    """Set the columns that the database has filled, of the rows that were written, by id."""
    _, set_by_database = _fields(type(rows[0]))
    for row in rows:
        for field, value in zip(set_by_database, written.get(row.fhir_id, ()), strict=False):
            setattr(row, field.attname, value)
        row._state.adding = row.fhir_id not in written
        row._state.db = DEFAULT_DB_ALIAS


@cache
def _fields(model: type[Resource]) -> tuple[list["Field[Any, Any]"], list["Field[Any, Any]"]]:
    """Return the fields that an INSERT writes, and the fields that the database fills: the key, and those whose default
    it computes, such as the current time.
    """
    fields = model._meta.concrete_fields
    set_by_database = [
        field for field in fields if field.primary_key or hasattr(field.db_default, "resolve_expression")
    ]
    return [field for field in fields if field not in set_by_database], set_by_database


def _written(rows: Sequence[Resource]) -> str:
    """Return the rows as JSON, without the columns that the database fills."""
    columns, values_of = _own_values(type(rows[0]))
    return exact_json.dumps([dict(zip(columns, values_of(row), strict=True)) for row in rows]).decode()


@cache
def _own_values(model: type[Resource]) -> tuple[list[str], Callable[[Resource], tuple[Any, ...]]]:
    """Return the columns that an INSERT writes, and the function that reads their values from a row.

    Fields with a `pre_save` of their own, such as DateTimeField(auto_now=True), would need it: no Resource has one.
    """
    own, _ = _fields(model)
    return [str(field.column) for field in own], attrgetter(*(field.attname for field in own))


@cache
def _statement(model: type[Resource], otherwise: str) -> str:
    own, set_by_database = _fields(model)
    table, columns = model._meta.db_table, _columns(own)
    return (
        f'INSERT INTO "{table}" ({columns}) SELECT {columns} FROM jsonb_populate_recordset(NULL::"{table}", %s)'
        f"{otherwise} RETURNING fhir_id, {_columns(set_by_database)}"
    )


@cache
def _insert_together(foreign_key: str, *models: type[Resource]) -> str:
    """Return the statement for a row of the first model, and rows of the others that name it."""
    most = max(len(_fields(model)[1]) for model in models)
    parts, results = [], []
    for number, model in enumerate(models):
        own, set_by_database = _fields(model)
        table = model._meta.db_table
        values = ", ".join(
            "written0.id" if number and field.column == foreign_key else f'new."{field.column}"' for field in own
        )
        source = f'jsonb_populate_recordset(NULL::"{table}", %s) WITH ORDINALITY AS new'
        parts.append(
            f'written{number} AS (INSERT INTO "{table}" ({_columns(own)})'
            f" SELECT {values} FROM {'written0, ' if number else ''}{source} ORDER BY new.ordinality"
            f" ON CONFLICT DO NOTHING RETURNING fhir_id, {_columns(set_by_database)})"
        )
        padding = ", NULL" * (most - len(set_by_database))
        results.append(f"SELECT {number}, fhir_id, {_columns(set_by_database)}{padding} FROM written{number}")
    return f"WITH {', '.join(parts)} {' UNION ALL '.join(results)}"


@cache
def _update(model: type[Resource]) -> str:
    own, _ = _fields(model)
    table, columns = model._meta.db_table, _columns(own)
    return (
        f'UPDATE "{table}" SET ({columns}) = (SELECT {columns} FROM jsonb_populate_recordset(NULL::"{table}", %s))'
        " WHERE id = %s"
    )


@cache
def _update_together(model: type[Resource], other: type[Resource]) -> str:
    return f"WITH updated AS ({_update(model)}) {_statement(other, '')}"


@cache
def _select(model: type[Resource], column: str) -> str:
    columns = _columns(model._meta.concrete_fields)
    return f'SELECT {columns} FROM "{model._meta.db_table}" WHERE "{column}" = %s AND deleted_at IS NULL'


@cache
def _select_one(model: type[Resource], column: str) -> str:
    return f'SELECT 1 FROM "{model._meta.db_table}" WHERE "{column}" = %s AND deleted_at IS NULL LIMIT 1'


@cache
def _select_with_related(model: type[Resource], related: tuple[str, ...], lock: bool) -> str:
    keys = [_foreign_key(model, name) for name in related]
    columns = [columns_of(model, "main"), *(columns_of(other, field.name) for field, other in keys)]
    joins = "".join(
        f' LEFT JOIN "{other._meta.db_table}" {field.name} ON {field.name}.id = main."{field.column}"'
        for field, other in keys
    )
    end = " FOR NO KEY UPDATE OF main" if lock else ""
    return (
        f'SELECT {", ".join(columns)} FROM "{model._meta.db_table}" main{joins}'
        f" WHERE main.fhir_id = %s AND main.deleted_at IS NULL{end}"
    )


def _foreign_key(model: type[Resource], name: str) -> "tuple[ForeignKey[Any, Any], type[Resource]]":
    """Return a foreign key, and the model of the rows that it names."""
    field: Any = model._meta.get_field(name)
    return field, field.related_model


@cache
def _attributes(model: type[Resource]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


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
