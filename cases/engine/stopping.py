"""Whether this worker is asked to stop (M2): `deliver` then ends between two messages and gives its claims back, and
`receive` (M5) ends between two messages as well.

A service manager signals the main process of a worker, or its whole group. Celery's main process waits for its tasks;
its children know nothing of it, and die of a SIGTERM of their own, with whatever they hold. So the main process leaves
word where its children look, and a child that delivers mail takes a SIGTERM for the same word.
"""

from __future__ import annotations

import mmap
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

#: A byte that a process shares with the children it forks later on.
_word = mmap.mmap(-1, 1)
_main = os.getpid()


class _Own:
    """Of this process alone."""

    asked = False


def ask_to_stop(**kwargs: Any) -> None:
    """Ask this process and every child of it to stop; from now on it delivers nothing."""
    _word[0] = 1


def is_stopping() -> bool:
    """Whether this process or its parent is asked to stop."""
    return _word[0] == 1 or _Own.asked


@contextmanager
def delivering() -> Iterator[None]:
    """Inside it a SIGTERM to a child of the pool only asks it to stop; a second one ends it.

    The main process has ways of its own, and so have threads.
    """
    if os.getpid() == _main or threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_sigterm(number: int, frame: FrameType | None) -> None:
        signal.signal(number, before)
        _Own.asked = True

    before = signal.signal(signal.SIGTERM, on_sigterm)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        _Own.asked = False
