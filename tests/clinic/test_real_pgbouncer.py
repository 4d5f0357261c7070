"""The product through a real PgBouncer in transaction mode, whose two sessions of PostgreSQL all clients share."""

from functools import partial

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections

from clinic import database
from clinic.models import Appointment
from clinic.pgbouncer.base import DatabaseWrapper
from tests.api.conftest import api_with, ids
from tests.api.visits import BOOK, HOLD, found, proposal, visit
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory
from tests.pgbouncer_server import PORT, SESSIONS, PgBouncer
from tests.scheduling.situations import at_once, book, monday, wish

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.pgbouncer]

CLIENTS = 8


@pytest.fixture(scope="module")
def pgbouncer(django_db_setup, django_db_blocker, tmp_path_factory):
    with django_db_blocker.unblock():
        server = connection.get_connection_params()
    between = PgBouncer(tmp_path_factory.mktemp("pgbouncer"), server)
    between.start()
    yield between
    between.stop()


@pytest.fixture(autouse=True)
def through(pgbouncer, transactional_db, monkeypatch):
    """Let every thread connect through it."""
    directly = connections["default"]
    options = {key: value for key, value in directly.settings_dict["OPTIONS"].items() if key not in ("options", "pool")}
    chosen = {
        **directly.settings_dict,
        "ENGINE": "clinic.pgbouncer",
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "PORT": PORT,
        "OPTIONS": {**options, "host": str(pgbouncer.socket_dir), "prepare_threshold": None},
    }
    monkeypatch.setitem(connections.settings, "default", chosen)
    connections["default"] = DatabaseWrapper(chosen)
    yield
    connections["default"].close()
    connections["default"] = directly


@pytest.fixture
def service():
    return ServiceFactory(duration=30, interval=30)


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service])


def session():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), pg_sleep(0.05)")
        return cursor.fetchone()[0]


def test_all_clients_share_its_sessions():
    assert 1 <= len(set(at_once([session] * CLIENTS))) <= SESSIONS


def test_clients_at_once_book_each_time_once(service, chen):
    for hour in range(9, 17):
        requests = [wish(service, chen, at=monday(hour), patient=PatientFactory()) for _ in range(CLIENTS)]
        answers = at_once([partial(book, request) for request in requests])
        assert sorted(type(answer).__name__ for answer in answers) == ["Appointment", *["TimeTaken"] * (CLIENTS - 1)]
    assert Appointment.objects.filter(status="booked").count() == 8


def test_a_visit_from_the_search_to_its_end(service, chen):
    api, ada = api_with(), PatientFactory()
    for _ in range(6):  # psycopg would prepare what it repeats
        held = visit(api.post(HOLD, proposal(api, service, chen, patient=ada)))
        confirmed = api.post(f"Appointment/{held['id']}/$confirm")
        assert confirmed.status_code == 200, confirmed.fhir
        assert ids(api.get("Appointment", {"patient": ada.reference, "status": "booked"})) == [held["id"]]
        assert len(found(api, service, chen)) > 0
        assert api.post(f"Appointment/{held['id']}/$cancel").status_code == 200


def test_prepared_statements_that_it_does_not_rename_are_refused(settings):
    settings.PGBOUNCER_PREPARED_STATEMENTS = True
    fresh = DatabaseWrapper(connection.settings_dict)
    with pytest.raises(ImproperlyConfigured, match=r"older than 1\.21 or has max_prepared_statements = 0"):
        fresh.ensure_connection()


def test_while_it_is_away_the_database_counts_as_unavailable(pgbouncer, service, chen):
    api = api_with()
    proposed = proposal(api, service, chen, patient=PatientFactory())
    api.client.raise_request_exception = False
    pgbouncer.stop()
    try:
        answer = api.post(BOOK, proposed)
        assert (answer.status_code, answer["Retry-After"]) == (503, database.RETRY_AFTER)
    finally:
        pgbouncer.start()
    connection.close()
    assert api.post(BOOK, proposed).status_code == 201
