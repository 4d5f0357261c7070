"""Django's cache in Redis. The site keeps working while Redis is unavailable; the cache is then empty."""

import re
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django_redis.cache import RedisCache
from redis.backoff import NoBackoff
from redis.retry import Retry


class Cache(RedisCache):  # type: ignore[misc]  # its package has no types
    """A Redis cache that is empty while Redis fails.

    `add` then returns True, as for a new key: allauth's rate limits would otherwise refuse everybody who signs in.
    """

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return super().add(*args, **kwargs) is not False


def check_prefix(name: str, text: str) -> str:
    """Return what begins each key in Redis, which several clinics can then share. Raises ImproperlyConfigured."""
    if text and not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", text):
        raise ImproperlyConfigured(f"{name} must be lower-case letters, digits and hyphens, such as north, or empty.")
    return f"{text}:" if text else ""


def cache_settings(redis_url: str, prefix: str) -> dict[str, Any]:
    """Return the entry of CACHES: no request waits long for Redis."""
    return {
        "BACKEND": "clinic.cache.Cache",
        "LOCATION": redis_url,
        "KEY_PREFIX": prefix,
        "OPTIONS": {
            "IGNORE_EXCEPTIONS": True,
            "SOCKET_CONNECT_TIMEOUT": 0.5,
            "SOCKET_TIMEOUT": 0.5,
            "CONNECTION_POOL_KWARGS": {"retry": Retry(NoBackoff(), 0)},
        },
    }
