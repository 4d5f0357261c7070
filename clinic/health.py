"""For load balancers and deployments: is the process alive, can it do its work?"""

import logging
from functools import cache

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

logger = logging.getLogger(__name__)

OK = "ok"
AWAY = "does not answer"
BEHIND = "not all applied: run manage.py migrate"


class NotMigrated(Exception):
    """The tables are not yet those that this code knows."""


@never_cache
def alive(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": OK})


@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """200 when PostgreSQL has all tables of this release and Redis answers; else 503, and what is amiss."""
    answer = {**_database(), "redis": _redis()}
    return JsonResponse(answer, status=200 if set(answer.values()) == {OK} else 503)


def _database() -> dict[str, str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        _check_migrations()
    except NotMigrated:
        return {"postgresql": OK, "migrations": BEHIND}
    except DatabaseError:
        logger.warning("PostgreSQL does not answer", exc_info=True)
        return {"postgresql": AWAY, "migrations": "not known"}
    return {"postgresql": OK, "migrations": OK}


@cache
def _check_migrations() -> None:
    """Raises NotMigrated. Once all are applied they stay so: what is remembered is that nothing was raised."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotMigrated


def _redis() -> str:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
    except redis.RedisError:
        logger.warning("Redis does not answer", exc_info=True)
        return AWAY
    return OK
