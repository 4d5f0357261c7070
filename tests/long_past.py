"""A clinic with a long past, and the rows that requests to it read."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta

from django.db import connection
from django.utils import timezone

from benchmarks import past_visits
from benchmarks.full_clinic import ZONE, FullClinic, fill

PAST = 12_000  # visits, each with a message and an audit line
# Without Slots: that free time is found as quickly among many of them is for benchmarks.growth.
READ = """
    SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables
    WHERE relname IN ('clinic_appointment', 'clinic_communication', 'clinic_auditevent')
"""


def noon_of_today() -> datetime:
    return datetime.combine(timezone.now().astimezone(ZONE).date(), time(12), ZONE)


def clinic_with_a_past(noon: datetime) -> FullClinic:
    """Two practitioners with 48 visits a day, for two weeks from this Monday and for months before it.

    In the transaction of a test: whatever can be read by an index is read by it from then on.
    """
    monday = noon.date() - timedelta(days=noon.weekday())
    clinic = fill(2, [monday + timedelta(days=n) for n in range(14)], now=noon)
    past_visits.add(connection.connection, PAST, before=monday)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        for way in ("seqscan", "hashjoin", "mergejoin"):  # as quick as an index for tables as small as these
            cursor.execute(f"SET LOCAL enable_{way} = off")
    return clinic


@contextmanager
def rows_read() -> Iterator[dict[str, int]]:
    """The number of rows read within, by the name of the table, once it is left."""
    read: dict[str, int] = {}
    before = _rows_read()
    yield read
    read |= {table: rows - before.get(table, 0) for table, rows in _rows_read().items()}


def is_much(read: dict[str, int]) -> bool:
    """True if it is a large part of the past."""
    return max(read.values()) > PAST / 4


def _rows_read() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(READ)
        return dict(cursor.fetchall())
