"""The cache that all processes share: it counts tries to sign in, and holds nothing that would be missed."""

from __future__ import annotations

import logging
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


class SharedCache(RedisCache):
    """Redis; while it does not answer the cache is empty, so that its trouble keeps nobody from signing in."""

    def _tried(self, default: Any, call: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except RedisError as error:
            log.warning("no limits on signing in: the cache does not answer (%s)", error)
            return default

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._tried(True, super().add, *args, **kwargs))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._tried(default, super().get, key, default, version)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._tried(None, super().set, *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._tried(False, super().delete, *args, **kwargs))
