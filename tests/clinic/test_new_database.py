"""A new database is made by two squashed migrations: it has all that the migrations have which these stand for."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from clinic.backups.making import count_rows
from clinic.backups.restoring import scratch_database
from tests.factories import UserFactory

SECOND = import_module("clinic.migrations.0009_squashed_0093_index_of_kept_time")
OWN = "pg_namespace.nspname = 'public'"
FACTS = {
    "migrations": "SELECT app, name FROM django_migrations",
    "extensions": "SELECT extname FROM pg_extension",
    "columns": f"""
        SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, collname,
            pg_get_expr(adbin, adrelid)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        LEFT JOIN pg_collation ON pg_collation.oid = attcollation
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE {OWN} AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
    """,
    "sequences": f"""
        SELECT relname, seqtypid::regtype::text, seqstart, seqincrement, refobjid::regclass::text, refobjsubid > 0
        FROM pg_sequence JOIN pg_class ON pg_class.oid = seqrelid
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        LEFT JOIN pg_depend ON objid = seqrelid AND refclassid = 'pg_class'::regclass
        WHERE {OWN}
    """,
    "constraints": f"""
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(pg_constraint.oid)
        FROM pg_constraint JOIN pg_namespace ON pg_namespace.oid = connamespace WHERE {OWN}
    """,
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": rf"""
        SELECT regexp_replace(pg_get_functiondef(pg_proc.oid), '\s', '', 'g')
        FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace WHERE {OWN}
    """,
}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module", autouse=True)
def models_rendered_one_by_one() -> Iterator[None]:
    """Render the one model that an operation changes, without those that it refers to.

    Migrating by the replaced migrations takes two seconds instead of 25 then, and the statements are the same.
    """
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(ProjectState, "_find_reload_model", lambda _state, app, model, delay=False: {(app, model)})
        yield


def facts_of_a_database(*, updated_from: str | None = None) -> dict[str, set[tuple]]:
    """Return what the catalogue says of a database that is new, or was made by the replaced migrations until one."""
    with scratch_database(now=datetime.now(UTC)):
        if updated_from:
            executor = MigrationExecutor(connection)
            executor.loader = MigrationLoader(connection, replace_migrations=False)
            executor.migrate([("clinic", updated_from)])
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
        facts = {"rows": set(count_rows().items())}
        with connection.cursor() as cursor:
            for name, query in FACTS.items():
                cursor.execute(query)
                facts[name] = set(cursor.fetchall())
        return facts


@pytest.fixture(scope="module")
def new(django_db_setup, django_db_blocker) -> dict[str, set[tuple]]:
    with django_db_blocker.unblock():
        return facts_of_a_database()


def test_the_catalogue_has_what_the_migrations_make(new):
    assert ("clinic", SECOND.__name__.rpartition(".")[2]) in new["migrations"]
    assert ("clinic_offeringstamp", 1) in new["rows"]
    assert len(new["columns"]) > 1000
    assert len(new["triggers"]) > 100
    assert len(new["functions"]) > 40


@pytest.mark.parametrize(
    "release", ["0008_appointment_responses", "0040_patients_of_groups", "0093_index_of_kept_time"]
)
def test_a_new_database_is_like_one_that_was_updated(new, release):
    updated = facts_of_a_database(updated_from=release)
    assert {name: sorted(updated[name] ^ new[name], key=repr) for name in new} == {name: [] for name in new}


def test_the_second_part_is_not_for_a_database_with_rows():
    """It leaves out what the replaced migrations do with rows."""
    UserFactory()
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match=r"Install 0\.1\.0 and run its migrate"):
        cursor.execute(SECOND.REFUSE_ROWS)
