"""Django's cache in Redis. The site keeps working while Redis is unavailable; the cache is then empty."""

from typing import Any

from django_redis.cache import RedisCache


class Cache(RedisCache):  # type: ignore[misc]  # its package has no types
    """A Redis cache that is empty while Redis fails.

    `add` then returns True, as for a new key: allauth's rate limits would otherwise refuse everybody who signs in.
    """

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return super().add(*args, **kwargs) is not False
