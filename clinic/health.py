"""For load balancers: is the process alive, can it do its work?"""

import logging

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

logger = logging.getLogger(__name__)


def alive(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """200 when PostgreSQL and Redis answer; else 503 and which of them does not."""
    parts = {"postgresql": _database_answers(), "redis": _redis_answers()}
    answer = {name: "ok" if works else "does not answer" for name, works in parts.items()}
    return JsonResponse(answer, status=200 if all(parts.values()) else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        logger.warning("PostgreSQL does not answer", exc_info=True)
        return False
    return True


def _redis_answers() -> bool:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
            client.ping()
    except redis.RedisError:
        logger.warning("Redis does not answer", exc_info=True)
        return False
    return True
