"""The cache, of which nothing depends: while Redis is away it forgets everything and nobody waits for it."""

from typing import Any

from django_redis.cache import RedisCache


class Cache(RedisCache):  # type: ignore[misc]  # its package has no types
    """Redis, whose failures are logged and otherwise an empty cache.

    Who adds to an empty cache is the first to do so. allauth's rate limits ask that, and would otherwise let nobody
    sign in while Redis is away.
    """

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return super().add(*args, **kwargs) is not False
