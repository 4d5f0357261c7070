"""The processes of the demo, and how the database is prepared for them."""

import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path

from demo.stripe_server import PAYMENTS_FILE

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Program:
    """One of the demo's own processes: what people call it, and how to run it with this Python."""

    name: str
    log: str
    arguments: tuple[str, ...]
    # Sent when the supervisor is killed. A web server must pass it on to its workers.
    death_signal: signal.Signals = signal.SIGKILL


PREPARATION = Program("preparation", "prepare.log", ("-c", "from demo.programs import prepare; prepare()"))


def web_server(port: int) -> Program:
    """granian, which serves the pages and the API."""
    where = ("--interface", "wsgi", "--no-ws", "--host", HOST, "--port", str(port))
    size = ("--workers", "2", "--blocking-threads", "4", "--workers-kill-timeout", "2")
    arguments = ("-m", "granian", *where, *size, "clinic.wsgi:application")
    return Program("web server", "web.log", arguments, death_signal=signal.SIGTERM)


def payment_provider(data_dir: Path, port: int, webhook_url: str) -> Program:
    """The local payment provider, which speaks Stripe's API."""
    arguments = ("-m", "demo.stripe_server", str(port), str(data_dir / PAYMENTS_FILE), webhook_url)
    return Program("payment provider", "payments.log", arguments)


def background(data_dir: Path) -> list[Program]:
    """Celery's worker, and beat, the clock that tells it when."""
    celery = ("-m", "celery", "--quiet", "-A", "clinic")
    worker = ("worker", "-P", "threads", "-c", "2", "-l", "warning", "--without-gossip", "--without-mingle")
    clock = ("beat", "-s", str(data_dir / "celerybeat-schedule"), "--pidfile=", "-l", "warning")
    return [
        Program("worker", "worker.log", (*celery, *worker)),
        Program("clock", "clock.log", (*celery, *clock)),
    ]


def development_web_server(port: int) -> Program:
    """Django's own web server, which starts again when code changes."""
    arguments = ("manage.py", "runserver", f"{HOST}:{port}")
    return Program("web server", "web.log", arguments, death_signal=signal.SIGTERM)


def development_background(data_dir: Path) -> list[Program]:
    """The worker and the clock, which start again when code changes."""
    return [
        replace(program, arguments=("-m", "demo.reloader", *program.arguments[2:]), death_signal=signal.SIGTERM)
        for program in background(data_dir)
    ]


def prepare() -> None:
    """Bring the database up to date, fill it if it is empty and collect static files, with one start of Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    django.setup()
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False)
    call_command("seed_demo")
    if not settings.DEBUG:  # else they are served from where they are written
        _collect_static_files()


def _collect_static_files() -> None:
    """Collect them where that is still to be done, or one of them has changed: compressing takes a while."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    files = [storage.path(name) for finder in get_finders() for name, storage in finder.list([])]
    if not manifest.exists() or manifest.stat().st_mtime < max(os.stat(path).st_ctime for path in files):
        call_command("collectstatic", interactive=False, verbosity=0)
