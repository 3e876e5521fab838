"""Workers of the engine at the same moment, as threads."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connection


def at_once(*jobs: Callable[[], object]) -> None:
    """Do the jobs in threads that start together, each on a connection of its own; raise what one of them raises."""
    ready, failed = threading.Barrier(len(jobs)), []

    def work(job: Callable[[], object]) -> None:
        try:
            ready.wait()
            job()
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
