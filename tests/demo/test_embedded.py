"""PostgreSQL and Redis from wheels: started, killed, started again."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from clinic import sockets
from clinic.sockets import postgres_url, redis_url
from demo import embedded
from demo.embedded import EmbeddedError, Postgres, Redis, Service
from tests.demo.processes import is_gone


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One PostgreSQL in a path with a space; every test finds it running."""
    postgres = Postgres(tmp_path_factory.mktemp("a clinic"))
    yield postgres
    postgres.stop()


@pytest.fixture
def postgres(cluster: Postgres) -> Postgres:
    if cluster.process is None or cluster.process.poll() is not None:
        cluster.start()
    return cluster


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Redis]:
    service = Redis(tmp_path)
    service.start()
    yield service
    service.stop()


def write_row(postgres: Postgres, text: str) -> None:
    with psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (text text)")
        connection.execute("INSERT INTO note VALUES (%s)", [text])


def rows(postgres: Postgres) -> set[str]:
    with psycopg.connect(postgres.url) as connection:
        return {text for (text,) in connection.execute("SELECT text FROM note")}


def kill(service: Service) -> None:
    """Kill the process, as `kill -9` or the system's out-of-memory killer does."""
    assert service.process is not None
    service.process.kill()
    service.process.wait()


def test_the_urls_follow_from_the_data_directory_alone(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "data")
    assert postgres_url(tmp_path / "link") == postgres_url(tmp_path / "data") == Postgres(tmp_path / "data").url
    assert redis_url(tmp_path / "link") == redis_url(tmp_path / "data") == Redis(tmp_path / "data").url
    assert postgres_url(tmp_path / "data") != postgres_url(tmp_path / "other")


def test_socket_paths_stay_short_where_the_temporary_directory_is_deep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets.tempfile, "gettempdir", lambda: "/deep" * 30)
    assert len(redis_url(tmp_path)) < len("unix://?db=0") + 104
    assert redis_url(tmp_path).startswith("unix:///tmp/clinic-")


def test_postgres_answers_with_the_clinics_role_and_database(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url) as connection:
        row = connection.execute("SELECT current_user, current_database(), lower('ÄÖ')").fetchone()
    assert row == ("clinic", "clinic", "äö")


def test_postgres_listens_on_no_port(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    assert postgres.socket_dir.stat().st_mode & 0o777 == 0o700


def test_postgres_keeps_its_rows_when_stopped_and_when_killed(postgres: Postgres) -> None:
    write_row(postgres, "before the stop")
    postgres.stop()
    postgres.start()
    write_row(postgres, "before the kill")
    kill(postgres)
    postgres.start()
    assert {"before the stop", "before the kill"} <= rows(postgres)


def test_stopping_leaves_no_process_and_no_socket(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url) as connection:
        backend = connection.info.backend_pid
    assert postgres.process is not None
    pid = postgres.process.pid
    postgres.stop()
    assert is_gone(backend)
    assert is_gone(pid)
    assert not postgres.socket_dir.exists()


def test_a_stopped_service_can_be_stopped_again(postgres: Postgres) -> None:
    postgres.stop()
    postgres.stop()


def test_postgres_starts_over_a_pid_file_whose_number_is_another_programs_now(postgres: Postgres) -> None:
    kill(postgres)
    pid_file = postgres.home / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    (postgres.socket_dir / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n")
    postgres.start()
    with psycopg.connect(postgres.url) as connection:
        connection.execute("SELECT 1")


def test_postgres_starts_again_after_a_creation_that_was_cut_short(tmp_path: Path) -> None:
    (tmp_path / "postgres.new").mkdir()
    (tmp_path / "postgres.new" / "PG_VERSION").write_text("18")
    postgres = Postgres(tmp_path, durable=False)
    postgres.start()
    postgres.stop()
    assert not (tmp_path / "postgres.new").exists()


def test_a_data_directory_in_use_is_refused(postgres: Postgres) -> None:
    with pytest.raises(EmbeddedError, match=r"PostgreSQL on .* is already in use by another process"):
        Postgres(postgres.data_dir).start()
    with pytest.raises(EmbeddedError, match="already in use"):
        Postgres(postgres.data_dir).erase()
    with psycopg.connect(postgres.url) as connection:
        connection.execute("SELECT 1")


def test_a_server_dies_with_its_launcher_and_the_next_launcher_takes_over(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from demo.embedded import Redis;"
        "print(Redis(Path(sys.argv[1])).start().pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True) as launcher:
        assert launcher.stdout is not None
        pid = int(launcher.stdout.readline())
        launcher.send_signal(signal.SIGKILL)
    service = Redis(tmp_path)
    service.start()
    assert is_gone(pid)
    service.stop()


def test_redis_keeps_what_it_holds_when_killed(valkey: Redis) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        client.set("hold", "ada")
    kill(valkey)
    assert (valkey.socket_dir / "redis.sock").exists()  # left over
    valkey.start()
    with redis.Redis.from_url(valkey.url) as client:
        assert client.get("hold") == b"ada"


def test_erasing_removes_the_data_and_the_service_starts_empty(valkey: Redis) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        client.set("hold", "ada")
    valkey.stop()
    valkey.erase()
    valkey.start()
    with redis.Redis.from_url(valkey.url) as client:
        assert client.get("hold") is None


def test_a_missing_program_is_named_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmbeddedError, match=r"No `postgres` here: install requirements-demo\.txt"):
        Postgres(tmp_path).start()
    with pytest.raises(EmbeddedError, match=r"No `redis-server` here: install requirements-demo\.txt"):
        Redis(tmp_path).start()


def test_a_full_disk_is_named_in_one_sentence(tmp_path: Path) -> None:
    log = tmp_path / "postgres.log"
    log.write_text("FATAL:  could not write lock file: No space left on device\n")
    assert embedded.last_words(log) == f"the disk is full (log: {log})."


def test_the_last_words_are_the_reason_not_the_farewell(tmp_path: Path) -> None:
    log = tmp_path / "postgres.log"
    log.write_text("LOG:  starting\nFATAL:  data directory has wrong ownership\nLOG:  database is shut down\n")
    assert embedded.last_words(log) == f"data directory has wrong ownership (log: {log})."


def test_a_data_directory_that_cannot_be_written_is_named_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match=r"Cannot use .*file.*; CLINIC_DATA_DIR can name another"):
        Redis(tmp_path / "file").start()


@pytest.mark.parametrize("way", embedded._WAYS_FOR_ROOT[:2], ids=["unshare", "setpriv"])
def test_either_way_for_root_starts_the_same_cluster_or_says_why_not(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, way: embedded._Identity
) -> None:
    monkeypatch.setattr(embedded, "_WAYS_FOR_ROOT", (way,))
    postgres.stop()
    again = Postgres(postgres.data_dir, durable=False)
    refusal = None
    try:
        again.start()
    except EmbeddedError as error:
        refusal = str(error)
    if refusal is not None:
        assert refusal.endswith(".")  # a container may forbid one of the ways
        return
    with psycopg.connect(again.url) as connection:
        connection.execute("SELECT 1")
    again.stop()
