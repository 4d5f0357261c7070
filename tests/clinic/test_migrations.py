"""Migrations that a clinic can run while servers of the version before are still at work."""

import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.migrations import AddField, Migration
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED

FIRST = 20  # earlier ones belong to versions that nobody updates from any more
FIRST_LINTED = 58  # the first after the last release
# Rules of squawk that do not concern an update of a clinic at work: the connection limits each wait for a lock; Django
# gives a new column its foreign key while it is empty, and takes defaults for Python's use away; the test below knows
# which tables are new; servers of the version before keep to a constraint that is dropped; types and forms are Django's
# choice.
NOT_APPLIED = (
    "require-lock-timeout",
    "require-statement-timeout",
    "adding-foreign-key-constraint",
    "ban-drop-default",
    "adding-required-field",
    "ban-drop-constraint",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-robust-stmts",
    "prefer-text-field",
)


def migrations_from(number: int) -> Iterator[Migration]:
    """Yield our migrations from a number on; no squashed ones, which run only on a database that is empty."""
    for (app, name), migration in sorted(MigrationLoader(None).disk_migrations.items()):
        if app == "clinic" and not migration.replaces and int(name[:4]) >= number:
            yield migration


def added_columns():
    """The columns that migrations have added to tables that were there before, as the models have them now."""
    for migration in migrations_from(FIRST):
        made = {each.name_lower for each in migration.operations if hasattr(each, "fields")}
        for operation in migration.operations:
            if isinstance(operation, AddField) and operation.model_name_lower not in made:
                model = apps.get_model("clinic", operation.model_name)
                if operation.name in {field.name for field in model._meta.concrete_fields}:
                    yield model, model._meta.get_field(operation.name)


def test_servers_that_do_not_know_a_column_can_still_insert_rows():
    columns = [(model.__name__, field) for model, field in added_columns()]
    assert len(columns) > 40
    without = [f"{name}.{field.name}" for name, field in columns if not field.null and field.db_default is NOT_PROVIDED]
    assert without == []


@pytest.mark.django_db(transaction=True)
def test_no_migration_blocks_a_table_while_it_reads_or_rewrites_it(tmp_path):
    """squawk says so of each statement: https://squawkhq.com/docs/rules."""
    for migration in migrations_from(FIRST_LINTED):
        sql = StringIO()
        call_command("sqlmigrate", "clinic", migration.name, stdout=sql)
        (tmp_path / f"{migration.name}.sql").write_text(sql.getvalue())
    squawk = [Path(sys.executable).with_name("squawk"), "--reporter", "gcc", "--exclude", ",".join(NOT_APPLIED)]
    done = subprocess.run([*squawk, *sorted(tmp_path.iterdir())], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
