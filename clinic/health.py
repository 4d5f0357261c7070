"""Health checks for load balancers and deployments: the process is alive, and it can serve requests."""

import logging
from functools import cache

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from clinic.monitoring.task_runs import task_runs

logger = logging.getLogger(__name__)

OK = "ok"
AWAY = "does not answer"
LATE = "tasks are late: are a worker and the clock (celery beat) running?"
BEHIND = "not all applied: run manage.py migrate"


class NotMigrated(Exception):
    """Some migrations have not been applied."""


@never_cache
def alive(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the process runs. With `?worker` answer for workers and the clock: 503 if tasks do not run."""
    if "worker" not in request.GET:
        return JsonResponse({"status": OK})
    late = [run.name for run in task_runs(now=timezone.now()) if run.is_late]
    return JsonResponse({"status": LATE if late else OK, "late": late}, status=503 if late else 200)


@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 if PostgreSQL has all migrations of this release and Redis answers, else 503. The body tells which."""
    states = {**_database(), "redis": _redis()}
    return JsonResponse(states, status=200 if set(states.values()) == {OK} else 503)


def _database() -> dict[str, str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        check_migrations()
    except NotMigrated:
        return {"postgresql": OK, "migrations": BEHIND}
    except DatabaseError:
        logger.warning("PostgreSQL does not answer", exc_info=True)
        return {"postgresql": AWAY, "migrations": "not known"}
    return {"postgresql": OK, "migrations": OK}


@cache
def check_migrations() -> None:
    """Raise NotMigrated if migrations are missing. The check is cached once all have been applied."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotMigrated


def redis_client() -> redis.Redis:
    """Return a client of the Redis of the settings that waits for no answer for long."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


def _redis() -> str:
    try:
        with redis_client() as client:
            client.ping()
    except redis.RedisError:
        logger.warning("Redis does not answer", exc_info=True)
        return AWAY
    return OK
