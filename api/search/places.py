"""Elements in JSON columns, and the SQL for them: https://hl7.org/fhir/R4/json.html

A place is a column and the names of elements in it, such as `participant.actor` or `extra.address.city`; all items
of a list are searched, or those that pass the test of `among`. Paths are PostgreSQL's jsonpath; values in them are
always quoted.
"""

import json
import re
from string import Formatter
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BooleanField,
    DateTimeField,
    F,
    Field,
    Func,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.fields.json import KT, KeyTextTransform

COLUMN = re.compile(r"\w+")


class Sql(Func):
    """A piece of SQL with placeholders for its expressions: {0}, {1}."""

    def __init__(self, sql: str, *expressions: Any, output_field: "Field[Any, Any]") -> None:
        super().__init__(*expressions, output_field=output_field)
        self.sql = sql

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> tuple[str, tuple[Any, ...]]:
        compiled = [compiler.compile(each) for each in self.source_expressions]
        places = [int(place) for _, place, _, _ in Formatter().parse(self.sql) if place]
        params = tuple(each for place in places for each in compiled[place][1])
        return self.sql.format(*(sql for sql, _ in compiled)), params


HOLDS = "({0} @? {1}::jsonpath)"
# Both sides without accents and in small letters; a frame around each text marks its edges.
TELLS = """EXISTS (
    SELECT FROM jsonb_path_query({0}, {1}::jsonpath) AS item(text)
    WHERE strpos(clinic_folded({2} || (item.text #>> '{{}}') || {2}), clinic_folded({3})) > 0)"""
COLUMN_TELLS = "(strpos(clinic_folded({1} || {0} || {1}), clinic_folded({2})) > 0)"
# A partial date begins with the first and ends with the last day of its month or year.
# A date without a time is local to a zone.
FIRST = """(SELECT CASE WHEN length(text) > 10 THEN text::timestamptz
    ELSE (text || substr('0001-01-01', length(text) + 1))::timestamp AT TIME ZONE {1} END
    FROM (VALUES ({0})) AS item(text))"""
AFTER = """(SELECT CASE WHEN length(text) > 10 THEN text::timestamptz + interval '1 second'
    ELSE ((text || substr('0001-01-01', length(text) + 1))::timestamp + CASE length(text)
        WHEN 4 THEN interval '1 year' WHEN 7 THEN interval '1 month' ELSE interval '1 day' END) AT TIME ZONE {1} END
    FROM (VALUES ({0})) AS item(text))"""
REFERS = """EXISTS (
    SELECT FROM jsonb_path_query({0}, {1}::jsonpath) AS item(name)
    WHERE substring(item.name #>> '{{}}', {2}) IN {3})"""
# An array of the referred ids, so that PostgreSQL evaluates it first and then uses the index.
REFERS_BY_INDEX = """({{0}} = ANY (ARRAY(
    SELECT referring.id FROM {{1}} AS referred(fhir_id) JOIN "{table}" AS referring
    ON referring."{column}" @? replace({{2}}, '{{{{id}}}}', referred.fhir_id)::jsonpath)))"""
REFERRED = "substring(jsonb_path_query({0}, {1}::jsonpath) #>> '{{}}', {2})"


def quoted(text: str) -> str:
    """Return a string literal of jsonpath."""
    return json.dumps(text, ensure_ascii=False)


def holds(place: str, test: str) -> Q:
    """Return the condition for rows with an item at the place that passes the jsonpath test."""
    column, path = _split(place)
    return Q(Sql(HOLDS, F(column), Value(f"{path}[*] ? ({test})"), output_field=BooleanField()))


def is_there(place: str) -> Q:
    column, path = _split(place)
    return Q(Sql(HOLDS, F(column), Value(f"{path}[*]"), output_field=BooleanField()))


def tells(place: str, words: str, frame: str = " ") -> Q:
    """Return the condition for rows with these words in a text at the place, whatever case and accents; `frame`
    surrounds each text.
    """
    column, path = _split(place)
    found = (F(column), Value(f"{path}[*]"), Value(frame), Value(words))
    return Q(Sql(TELLS, *found, output_field=BooleanField()))


def column_tells(column: str, words: str, frame: str = " ") -> Q:
    """Return the same condition for a text column."""
    return Q(Sql(COLUMN_TELLS, F(column), Value(frame), Value(words), output_field=BooleanField()))


def first_of(place: str, zone: str) -> Func:
    """Return the instant at which a date at the place begins, in a zone if it names none."""
    return Sql(FIRST, _text(place), Value(zone), output_field=DateTimeField())


def after(place: str, zone: str) -> Func:
    """Return the instant at which a date at the place ends, in a zone if it names none."""
    return Sql(AFTER, _text(place), Value(zone), output_field=DateTimeField())


def refers(place: str, ids: "QuerySet[Any]", pattern: str) -> Q:
    """Return the condition for a reference at the place with one of these ids, which the pattern extracts."""
    column, path = _split(place)
    found = (F(column), Value(f"{path}.reference"), Value(pattern), Subquery(ids.order_by()))
    return Q(Sql(REFERS, *found, output_field=BooleanField()))


def refers_by_index(place: str, ids: "QuerySet[Any]", table: str, names: list[str]) -> Q:
    """Return the condition for rows that refer to one of these ids, by the names in which `{id}` is replaced by it."""
    column, path = _split(place)
    sql = REFERS_BY_INDEX.format(table=table, column=column)
    test = " || ".join(f"@ == {quoted(name)}" for name in names)
    return Q(
        Sql(sql, F("pk"), Subquery(ids.order_by()), Value(f"{path}.reference ? ({test})"), output_field=BooleanField())
    )


def referred(place: str, pattern: str) -> Func:
    """Return each id that the pattern extracts from the references at the place."""
    column, path = _split(place)
    return Sql(REFERRED, F(column), Value(f"{path}.reference"), Value(pattern), output_field=TextField())


def found_first(rows: "QuerySet[Any]") -> Q:
    """Return the condition for these rows, which PostgreSQL finds by their own index first."""
    found = (F("pk"), ArraySubquery(rows.order_by().values("pk")))
    return Q(Sql("({0} = ANY ({1}))", *found, output_field=BooleanField()))


def among(place: str, column: str, test: str) -> str:
    """Return the place, limited to the items of a list that pass the jsonpath test."""
    return f"{column}[*] ? ({test}){place.removeprefix(column)}" if place.split(".")[0] == column else place


def _split(place: str) -> tuple[str, str]:
    column = COLUMN.match(place)
    assert column is not None
    return column[0], f"${place[column.end() :]}"


def _text(place: str) -> KeyTextTransform:
    return KT(place.replace(".", "__"))
