"""INSERT statements that suit the tables of any revision."""

from collections.abc import Mapping

import psycopg

# Values of columns that must be filled and have no default, by their type; '' is one of all others.
EMPTY = {
    "bool": "false",
    "float8": "0",
    "int2": "0",
    "int4": "0",
    "int8": "0",
    "interval": "'0'",
    "jsonb": "'[]'",
    "timestamptz": "now()",
}
RESOURCE = {"fhir_id": "gen_random_uuid()::text", "version": "1", "extra": "'{}'"}


def insert(connection: psycopg.Connection, table: str, values: Mapping[str, str], source: str = "") -> str:
    """The INSERT statement of `values`, SQL expressions by column, for each row of `source`.

    Columns that the table lacks are left out, and those that it needs besides get an empty value.
    """
    columns = connection.execute(
        "SELECT column_name, udt_name, is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'"
        " FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s"
        " AND is_generated = 'NEVER' ORDER BY ordinal_position",
        [table],
    ).fetchall()
    given = {**RESOURCE, **values}
    expressions = {
        name: given.get(name) or ("'{}'" if kind.startswith("_") else EMPTY.get(kind, "''"))
        for name, kind, is_needed in columns
        if name in values or is_needed
    }
    names = ", ".join(f'"{name}"' for name in expressions)
    return f"INSERT INTO {table} ({names}) SELECT {', '.join(expressions.values())}{source and ' FROM '}{source}"
