"""Deletion of all rows after a test that commits.

Django truncates every table and then fills in content types and permissions again: hundreds of statements.
Here the few rows that there are go, and those two tables stay as they are.
"""

from typing import Any

from django.apps import apps
from django.db import connection

KEPT = {"django_content_type", "auth_permission"}  # no test changes it
NOTES = "clinic_schedulechange"  # triggers write to it when other tables are emptied


def delete_rows(_test: Any) -> None:
    """Delete the rows of every table in one statement; the foreign keys between them are checked at its end."""
    names = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} - KEPT - {NOTES}
    question = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in sorted(names))
    with connection.cursor() as cursor:
        cursor.execute(question)
        deletions = [f'{name}_rows AS (DELETE FROM "{name}")' for (name,) in cursor.fetchall()]
        if deletions:
            cursor.execute(f"WITH {', '.join(deletions)} SELECT")
        cursor.execute(f"DELETE FROM {NOTES}")
