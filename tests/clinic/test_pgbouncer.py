"""Connections through PgBouncer in transaction mode: no state outlasts a transaction."""

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, transaction
from django.utils import timezone
from psycopg import capabilities

from clinic.models import Schedule
from clinic.pgbouncer.base import DatabaseWrapper
from clinic.wsgi import check_database
from scheduling import booking
from scheduling.errors import ScheduleBusy
from tests.factories import ScheduleFactory, ServiceFactory
from tests.scheduling.situations import SOFTWARE, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)

# PgBouncer keeps the time zone of each client, which Django may set as it connects.
STATE = {
    "prepared statements": "SELECT name FROM pg_prepared_statements",
    "settings": "SELECT name FROM pg_settings WHERE source = 'session' AND name <> 'TimeZone'",
    "locks": "SELECT objid FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'",
    "channels": "SELECT pg_listening_channels()",
    "cursors": "SELECT name FROM pg_cursors WHERE name <> ''",
    "temporary tables": "SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()",
}


@pytest.fixture
def through_pgbouncer(settings):
    """Make the product use a connection of the backend for PgBouncer; it is a direct one, with a session to look at."""
    directly = connections["default"]
    given = {**directly.settings_dict, "ENGINE": "clinic.pgbouncer", "DISABLE_SERVER_SIDE_CURSORS": True}
    kept = {key: value for key, value in given["OPTIONS"].items() if key not in ("options", "pool")}
    given["OPTIONS"] = kept | {"prepare_threshold": None}
    connections["default"] = wrapper = DatabaseWrapper(given)
    yield wrapper
    wrapper.close()
    connections["default"] = directly


@pytest.fixture
def service():
    return ServiceFactory(name="Check-up")


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service])


def rows(wrapper, sql):
    with wrapper.cursor() as cursor:
        cursor.execute(sql)
        return [row[0] for row in cursor.fetchall()]


def state(wrapper):
    return {name: found for name, sql in STATE.items() if (found := rows(wrapper, sql))}


def test_each_transaction_limits_its_own_waits(through_pgbouncer, settings):
    settings.LOCK_TIMEOUT_MS = 2500
    with transaction.atomic():
        assert rows(through_pgbouncer, "SHOW lock_timeout") == ["2500ms"]
        with transaction.atomic():
            assert rows(through_pgbouncer, "SHOW lock_timeout") == ["2500ms"]
    assert rows(through_pgbouncer, "SHOW lock_timeout") == ["0"]
    with transaction.atomic():
        assert rows(through_pgbouncer, "SHOW lock_timeout") == ["2500ms"]


def test_a_session_stays_as_it_was(through_pgbouncer, service, chen):
    now = timezone.now()
    before = state(through_pgbouncer)
    for hour in (9, 10, 11, 12, 13):  # psycopg prepares what it repeats
        held = booking.hold(wish(service, chen, at=monday(hour)), caller=SOFTWARE, now=now)
        booking.cancel(held.fhir_id, caller=SOFTWARE, now=now)
        booking.book(wish(service, chen, at=monday(hour)), caller=SOFTWARE, now=now)
        assert len(list(Schedule.objects.iterator(1))) == 1
    assert state(through_pgbouncer) == before == {}


def test_a_use_case_that_waits_too_long_says_so(through_pgbouncer, settings, service, chen):
    settings.LOCK_TIMEOUT_MS = 100
    request = wish(service, chen, at=monday(9))
    other = DatabaseWrapper(through_pgbouncer.settings_dict)
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(id) FROM unnest(%s::bigint[]) AS id", [[chen.bookable_id]])
    try:
        with pytest.raises(ScheduleBusy):
            booking.book(request, caller=SOFTWARE, now=timezone.now())
    finally:
        other.close()
    assert booking.book(request, caller=SOFTWARE, now=timezone.now()).status == "booked"


def test_prepared_statements_are_refused_unless_pgbouncer_renames_them(through_pgbouncer, settings):
    check_database()
    settings.PGBOUNCER_PREPARED_STATEMENTS = True
    for _ in range(2):  # a connection that was refused is not used again
        with pytest.raises(ImproperlyConfigured, match="max_prepared_statements = 0"):
            through_pgbouncer.ensure_connection()
    with pytest.raises(ImproperlyConfigured, match="max_prepared_statements = 0"):
        check_database()


def test_pgbouncer_that_renames_prepared_statements_is_asked_once(through_pgbouncer, settings, monkeypatch):
    settings.PGBOUNCER_PREPARED_STATEMENTS = True
    monkeypatch.setattr(DatabaseWrapper, "prepared_statements_are_safe", False)
    with psycopg.connect(**through_pgbouncer.get_connection_params(), autocommit=True) as session:
        session.execute(
            'PREPARE "PGBOUNCER_7" AS SELECT 1', prepare=False
        )  # as a PgBouncer of 1.21 or later names them
        monkeypatch.setattr(through_pgbouncer, "get_new_connection", lambda parameters: session)
        through_pgbouncer.ensure_connection()
        assert DatabaseWrapper.prepared_statements_are_safe
    through_pgbouncer.connection = None


def test_a_libpq_that_cannot_close_prepared_statements_is_refused(through_pgbouncer, settings, monkeypatch):
    settings.PGBOUNCER_PREPARED_STATEMENTS = True
    through_pgbouncer.close()
    monkeypatch.setattr(capabilities, "has_send_close_prepared", lambda: False)
    with pytest.raises(ImproperlyConfigured, match="libpq is older than 17"):
        through_pgbouncer.ensure_connection()


def test_a_pgbouncer_that_is_away_does_not_stop_the_start(through_pgbouncer, settings, tmp_path):
    settings.PGBOUNCER_PREPARED_STATEMENTS = True
    through_pgbouncer.close()
    through_pgbouncer.settings_dict["HOST"] = str(tmp_path)
    check_database()
