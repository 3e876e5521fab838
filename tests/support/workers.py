"""Workers of the engine at the same moment, as threads that stay with their connections for the whole test, as those of
a Celery worker do: with new ones each look would compile its queries anew.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier

from django.db import connection

_workers: list[ThreadPoolExecutor] = []


def at_once(*jobs: Callable[[], object]) -> None:
    """Do the jobs in threads that start together, each on a connection of its own; raise what one of them raises."""
    ready = Barrier(len(jobs))

    def work(job: Callable[[], object]) -> None:
        try:
            ready.wait()
            job()
        except BaseException:
            connection.close()
            raise

    while len(_workers) < len(jobs):
        _workers.append(ThreadPoolExecutor(max_workers=1))
    working = [worker.submit(work, job) for worker, job in zip(_workers, jobs, strict=False)]
    wait(working)
    for job in working:
        job.result()


def dismiss_workers() -> None:
    """End the threads of `at_once`, and their connections. The end of each test does it."""
    for worker in _workers:
        worker.submit(lambda: connection.close())  # of that thread
        worker.shutdown()
    _workers.clear()
