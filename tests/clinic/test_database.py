"""Detection of a PostgreSQL that restarts, is unreachable or full, among other errors, and waiting for it."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import DataError, OperationalError, ProgrammingError, connection, connections

from clinic import database
from clinic.postgresql.base import DatabaseWrapper
from demo.embedded import Postgres


def error_of(act):
    try:
        act()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def ask(wrapper, sql="SELECT 1"):
    with wrapper.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


@pytest.fixture
def pooled(db):
    """Return a function that connects to a server through a new pool, configured as in the product."""
    made = []

    def make(host, **pool):
        options = {**connections.settings["default"]["OPTIONS"], "pool": {"min_size": 1, "max_size": 1, **pool}}
        given = {**connections.settings["default"], "HOST": str(host), "OPTIONS": options}
        wrapper = DatabaseWrapper(given)
        wrapper._connection_pools = {}
        made.append(wrapper)
        return wrapper

    yield make
    for wrapper in made:
        wrapper.close()
        wrapper.close_pool()


def test_a_server_that_stops_and_comes_back(tmp_path, pooled, monkeypatch):
    server = Postgres(tmp_path, durable=False)
    server.start()
    try:
        wrapper = pooled(server.socket_dir, timeout=20, reconnect_timeout=5)
        wrapper.settings_dict["NAME"] = "clinic"
        assert ask(wrapper) == (1,)
        wrapper.pool.timeout = 1
        server.stop()
        assert database.is_away(error_of(lambda: ask(wrapper)))
        monkeypatch.setattr(database, "connection", wrapper)
        database.drop_dead_connections()
        assert database.is_away(error_of(lambda: ask(wrapper)))
        server.start()
        wrapper.pool.wait(timeout=20)
        assert ask(wrapper) == (1,)
    finally:
        server.stop()


def test_a_server_that_cannot_be_reached(pooled, tmp_path):
    assert database.is_away(error_of(lambda: ask(pooled(tmp_path, timeout=0.1))))


def test_a_pool_that_has_no_connection_left(pooled):
    first = pooled(connection.settings_dict["HOST"], timeout=20)
    assert ask(first) == (1,)
    first.pool.timeout = 0.1  # from here on: a busy machine takes longer for the first connection
    second = DatabaseWrapper(first.settings_dict)
    second._connection_pools = first._connection_pools
    error = error_of(lambda: ask(second))
    assert "PoolTimeout" in repr(error.__cause__)
    assert database.is_away(error)


def test_a_connection_that_the_server_ends(db):
    def ended():
        return error_of(lambda: ask(connection, "SELECT pg_terminate_backend(pg_backend_pid())"))

    with ThreadPoolExecutor(1) as elsewhere:  # connections are each thread's own
        assert database.is_away(elsewhere.submit(ended).result())


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        ("55P03", OperationalError),  # a lock timeout
        ("40P01", OperationalError),  # deadlock
        ("57014", OperationalError),  # a statement timeout
        ("22003", DataError),
        ("42P01", ProgrammingError),
    ],
)
def test_other_errors_of_the_database_stay_loud(transactional_db, sqlstate, kind):
    error = error_of(lambda: ask(connection, f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$"))
    assert isinstance(error, kind)
    assert not database.is_away(error)


@pytest.mark.parametrize("sqlstate", ["08006", "57P01", "57P02", "57P03", "53100", "53200", "53300"])
def test_the_server_says_that_it_is_away(transactional_db, sqlstate):
    assert database.is_away(error_of(lambda: ask(connection, f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$")))


@pytest.mark.parametrize("error", [None, ValueError("x"), OperationalError("of our own making")])
def test_other_errors_do_not_count_as_unavailable(error):
    assert not database.is_away(error)


@pytest.fixture
def lost():
    """An error of a lost connection."""
    error = OperationalError("the connection is lost")
    error.__cause__ = psycopg.OperationalError("the connection is lost")
    return error


def failing(*errors):
    """Return a function that raises these errors, one at each call, and then returns how often it was called."""
    left, calls = list(errors), []

    def act():
        calls.append(1)
        if left:
            raise left.pop(0)
        return len(calls)

    return act


def test_an_outage_is_outlasted(db, lost, monkeypatch):
    monkeypatch.setattr(database, "PAUSE", 0)
    with ThreadPoolExecutor(1) as elsewhere:  # without a transaction
        assert elsewhere.submit(database.outlast, failing(lost, lost), 60).result() == 3


@pytest.mark.parametrize(("seconds", "is_known"), [(-1, True), (60, False)], ids=["too long", "another error"])
def test_it_is_not_outlasted(db, lost, monkeypatch, seconds, is_known):
    monkeypatch.setattr(database, "PAUSE", 0)
    error = lost if is_known else OperationalError("a bug")
    with ThreadPoolExecutor(1) as elsewhere, pytest.raises(OperationalError):
        elsewhere.submit(database.outlast, failing(error), seconds).result()


def test_a_part_of_a_transaction_is_not_done_again(db, lost):
    """The rest of it is lost: whoever began it has to begin it again."""
    with pytest.raises(OperationalError):
        database.outlast(failing(lost), 60)
