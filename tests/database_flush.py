"""Deletion of all rows after a test that commits.

Django truncates every table, fills in content types and permissions again, and connects anew: hundreds of statements,
and a connection that has planned none yet. Here the few rows that there are go, those two tables stay as they are, and
the connection stays too, with a function whose plans it keeps.
"""

from typing import Any

from django.apps import apps
from django.db import connection

KEPT = {"django_content_type", "auth_permission"}  # no test changes it
FIRST = ["clinic_slot"]  # its foreign key to schedules is checked at once, all others when the transaction ends
NOTES = "clinic_schedulechange"  # triggers write to it when other tables are emptied
_prepared: dict[str, Any] = {"connection": None}


def keep_connections(_test: Any) -> bool:
    """Return False, so that the next test uses the connections that there are."""
    return False


def delete_rows(_test: Any) -> None:
    """Delete the rows of every table in one transaction."""
    if connection.connection is not None and not connection.is_usable():
        connection.close()
    with connection.cursor() as cursor:
        if _prepared["connection"] is not connection.connection:
            cursor.execute(function())
            _prepared["connection"] = connection.connection
        cursor.execute("SELECT pg_temp.delete_rows()")


def function() -> str:
    """Return the statement that creates the function, which goes with the connection."""
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} - KEPT - {NOTES}
    ordered = [*FIRST, *sorted(tables - set(FIRST)), NOTES]
    deletions = [f'IF EXISTS (SELECT FROM "{table}") THEN DELETE FROM "{table}"; END IF;' for table in ordered]
    return (
        "CREATE OR REPLACE FUNCTION pg_temp.delete_rows() RETURNS void LANGUAGE plpgsql AS "
        f"$$ BEGIN {' '.join(deletions)} END $$"
    )
