"""Workers of the engine at the same moment, as threads that stay with their connections for the whole test, as those of
a Celery worker do: with new ones each look would compile its queries anew.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier

from django.db import connection

#: How the engine does a piece of work: once, twice, in two workers.
Work = Callable[[Callable[[], object]], object]

_workers: list[ThreadPoolExecutor] = []


def once(work: Callable[[], object]) -> None:
    """As it should be."""
    work()


def twice(work: Callable[[], object]) -> None:
    """The same task delivered twice."""
    work()
    work()


def in_two_workers(work: Callable[[], object]) -> None:
    """At the same moment."""
    at_once(work, work)


def at_once(*jobs: Callable[[], object]) -> None:
    """Do the jobs in threads that start together, each on a connection of its own; raise what one of them raises."""
    for outcome in outcomes_at_once(*jobs):
        if isinstance(outcome, BaseException):
            raise outcome


def outcomes_at_once(*jobs: Callable[[], object]) -> list[object]:
    """As `at_once`; what each job returned or raised, in their order."""
    ready = Barrier(len(jobs))

    def work(job: Callable[[], object]) -> object:
        try:
            ready.wait()
            return job()
        except BaseException:
            connection.close()
            raise

    while len(_workers) < len(jobs):
        _workers.append(ThreadPoolExecutor(max_workers=1))
    working = [worker.submit(work, job) for worker, job in zip(_workers, jobs, strict=False)]
    wait(working)
    return [job.exception() or job.result() for job in working]


def dismiss_workers() -> None:
    """End the threads of `at_once`, and their connections. The end of each test does it."""
    for worker in _workers:
        worker.submit(lambda: connection.close())  # of that thread
        worker.shutdown()
    _workers.clear()
