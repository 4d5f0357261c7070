"""The staff's pages of a clinic with a long past: none reads a large part of its visits, messages or audit lines."""

from datetime import datetime, time, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from benchmarks import past_visits
from benchmarks.full_clinic import ZONE, fill
from benchmarks.page_costs import desk_pages, owner_pages

pytestmark = pytest.mark.django_db
PAST = 12_000  # visits, each with a message and an audit line
# Without Slots: that free time is found as quickly among many of them is for benchmarks.growth.
READ = """
    SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables
    WHERE relname IN ('clinic_appointment', 'clinic_communication', 'clinic_auditevent')
"""


def rows_read():
    """The number of rows that this transaction has read, by the name of a table that grows with the past."""
    with connection.cursor() as cursor:
        cursor.execute(READ)
        return dict(cursor.fetchall())


@pytest.fixture
def noon():
    return datetime.combine(timezone.now().astimezone(ZONE).date(), time(12), ZONE)


@pytest.fixture
def clinic(noon):
    """Two practitioners with 48 visits a day, this week and for months before it."""
    monday = noon.date() - timedelta(days=noon.weekday())
    clinic = fill(2, [monday + timedelta(days=n) for n in range(14)], now=noon)
    past_visits.add(connection.connection, PAST, before=monday)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        for way in ("seqscan", "hashjoin", "mergejoin"):  # as quick as an index for tables as small as these
            cursor.execute(f"SET LOCAL enable_{way} = off")
    return clinic


@pytest.mark.parametrize("pages", [desk_pages, owner_pages])
def test_no_page_reads_a_large_part_of_the_past(clinic, noon, pages):
    much = {}
    for page in pages(clinic, noon):
        before = rows_read()
        assert page.ask().status_code == 200, page.name
        read = {table: rows - before.get(table, 0) for table, rows in rows_read().items()}
        if max(read.values()) > PAST / 4:
            much[page.name] = read
    assert much == {}
