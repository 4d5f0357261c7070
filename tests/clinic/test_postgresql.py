"""Writes of many rows: PostgreSQL accepts 65,535 values in a statement."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from clinic.models import AuditEvent

pytestmark = pytest.mark.django_db
ROWS = 6_000  # of an AuditEvent, with about 18 columns
NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


def test_rows_with_more_values_than_a_statement_takes_are_written_read_changed_and_deleted(
    django_assert_max_num_queries,
):
    with django_assert_max_num_queries(6):
        events = AuditEvent.objects.bulk_create(
            AuditEvent(action="R", subtype="read", recorded=NOW, last_updated=NOW) for _ in range(ROWS)
        )
    assert len(AuditEvent.objects.in_bulk([event.pk for event in events])) == ROWS
    for event in events:
        event.subtype = "search"
    assert AuditEvent.objects.bulk_update(events, ["subtype", "action", "client", "reason", "target"]) == ROWS
    assert AuditEvent.objects.filter(subtype="search").delete()[0] == ROWS


def test_few_rows_are_one_statement(django_assert_num_queries):
    """As many as one statement takes are not divided further."""
    rows = [AuditEvent(action="R", subtype="read", recorded=NOW, last_updated=NOW) for _ in range(1_000)]
    with django_assert_num_queries(1):
        AuditEvent.objects.bulk_create(rows)


def test_no_fields_are_no_values():
    assert connection.ops.bulk_batch_size([], [1, 2, 3]) == 3
