"""Django's cache in Redis. The site keeps working while Redis is unavailable; the cache is then empty."""

from typing import Any

from django_redis.cache import RedisCache
from redis.backoff import NoBackoff
from redis.retry import Retry


class Cache(RedisCache):  # type: ignore[misc]  # its package has no types
    """A Redis cache that is empty while Redis fails.

    `add` then returns True, as for a new key: allauth's rate limits would otherwise refuse everybody who signs in.
    """

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return super().add(*args, **kwargs) is not False


def cache_settings(redis_url: str) -> dict[str, Any]:
    """Return the entry of CACHES: no request waits long for Redis."""
    return {
        "BACKEND": "clinic.cache.Cache",
        "LOCATION": redis_url,
        "OPTIONS": {
            "IGNORE_EXCEPTIONS": True,
            "SOCKET_CONNECT_TIMEOUT": 0.5,
            "SOCKET_TIMEOUT": 0.5,
            "CONNECTION_POOL_KWARGS": {"retry": Retry(NoBackoff(), 0)},
        },
    }
