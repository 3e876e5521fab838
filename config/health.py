"""Is the desk up, and can it do its work? `/healthz` and `/readyz` (S3).

Both are answered before any other middleware: a probe names the machine, not one of `ALLOWED_HOSTS`, comes without
HTTPS and must not wait for a session.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from cases.models import Pulse
from config.celery import app

logger = logging.getLogger(__name__)

# Seconds that the broker may take to answer before it counts as down.
BROKER_ANSWERS_WITHIN = 1


class ProbeMiddleware:
    """Answers the two probes, hands on everything else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz":
            return healthz()
        if request.path_info == "/readyz":
            return readyz()
        return self.get_response(request)


def healthz() -> HttpResponse:
    """200 as long as the process answers; touches nothing else."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz() -> HttpResponse:
    """200 when every part works, else 503; the body has a sentence for each part that does not."""
    database = database_trouble()
    # Whoever has just waited for the database in vain does not wait for it a second time.
    beat = beat_trouble() if not database else "Nobody knows when the beat was last seen, without the database."
    troubles = {"database": database, "broker": broker_trouble(), "beat": beat}
    ready = not any(troubles.values())
    answer = JsonResponse(
        {"ready": ready} | {part: trouble or "ok" for part, trouble in troubles.items()},
        status=200 if ready else 503,
    )
    add_never_cache_headers(answer)
    return answer


def database_trouble() -> str:
    """A sentence when the database does not answer, else nothing."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:
        logger.warning("The database does not answer.", exc_info=True)
        return "The database does not answer; check that it runs and that DATABASE_URL is right."
    return ""


def broker_trouble() -> str:
    """A sentence when no task could be queued, else nothing."""
    waits = {"socket_connect_timeout": BROKER_ANSWERS_WITHIN, "socket_timeout": BROKER_ANSWERS_WITHIN}
    retries = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
    try:
        with app.connection_for_write(transport_options=waits | retries) as broker:
            broker.default_channel.client.ping()
    except Exception:
        logger.warning("The broker does not answer.", exc_info=True)
        return "The broker does not answer; check that it runs and that REDIS_URL is right."
    return ""


def beat_trouble() -> str:
    """A sentence when a job of the beat table has not run for too long, else nothing."""
    try:
        late = list(late_jobs(timezone.now()))
    except DatabaseError:
        logger.warning("The pulse of the beat cannot be read.", exc_info=True)
        return "Nobody knows when the beat was last seen; has the database been migrated?"
    return f"{'; '.join(late)}. Check that Celery beat and a worker run." if late else ""


def late_jobs(now: datetime) -> Iterator[str]:
    """What is wrong with each job of the beat table that is not seen as often as it must be."""
    allowed = timedelta(seconds=settings.DESK_BEAT_LATE_AFTER_SECONDS)
    seen: dict[str, datetime] = dict(Pulse.objects.values_list("name", "last_at"))
    for name in app.conf.beat_schedule:
        if name not in seen:
            yield f"'{name}' has never run"
        elif now - seen[name] > allowed:
            yield f"'{name}' ran last at {seen[name]:%Y-%m-%d %H:%M:%S} UTC"
