"""The stored rows with their row versions: equal before and after a request that writes nothing."""

from typing import Any

from django.apps import apps
from django.db import connection


def stored() -> dict[str, str | None]:
    """A digest of each of our tables. It differs if a row was written again, even with the same columns."""
    with connection.cursor() as cursor:
        return {table: _digest(cursor, table) for table in sorted(_tables())}


def _tables() -> set[str]:
    return {model._meta.db_table for model in apps.get_app_config("clinic").get_models(include_auto_created=True)}


def _digest(cursor: Any, table: str) -> str | None:
    cursor.execute(f"SELECT md5(string_agg(t.xmin::text || t::text, chr(10) ORDER BY t::text)) FROM {table} t")
    digest: str | None = cursor.fetchone()[0]
    return digest
