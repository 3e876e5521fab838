"""A form that acts once, however often it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache

#: So long a form that was sent is known, in seconds.
ONCE_FOR = 24 * 3600


class SentAlready(Exception):
    """The same form was sent before."""


@contextmanager
def only_once(whose: str, once: str) -> Iterator[None]:
    """Let a form act once that is sent with the token `once`. Raises SentAlready; what fails may be sent again."""
    key = f"support-form:{whose}:{once[:40]}"
    if not cache.add(key, "1", ONCE_FOR):
        raise SentAlready
    try:
        yield
    except BaseException:
        cache.delete(key)
        raise
