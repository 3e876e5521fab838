"""Is the desk up, and can it do its work? `/healthz` and `/readyz` (S3).

Both are answered before any other middleware: a probe uses the address of the machine, not one of `ALLOWED_HOSTS`,
and no HTTPS.
"""

import logging
import os
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from cases.engine.watch import DOORS, EngineState, engine_state
from cases.enums import Door
from config.celery import app

logger = logging.getLogger(__name__)

# Seconds that the broker may take to answer before it counts as down.
BROKER_ANSWERS_WITHIN = 1
# Bytes that a database must find room for.
WRITTEN = 65_536
# The parts of the engine: whether its jobs look, whether anything due is overdue, whether mail leaves and comes in.
ENGINE_PARTS = ("beat", "work", "mail", "inbox")
UNKNOWN = "Nobody knows, without the database."


class ProbeMiddleware:
    """Answers the two probes and passes every other request on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz":
            return healthz()
        if request.path_info == "/readyz":
            return readyz()
        return self.get_response(request)


def healthz() -> HttpResponse:
    """200 as long as the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz() -> HttpResponse:
    """200 when every part works and nothing is overdue, else 503; the body says what does not work."""
    database = database_trouble()
    # After one timeout of the database it is not asked again.
    engine, figures = read_engine() if not database else (dict.fromkeys(ENGINE_PARTS, UNKNOWN), {})
    troubles = {"database": database, "broker": broker_trouble(), **engine}
    ready = not any(troubles.values())
    answer = JsonResponse(
        {"ready": ready} | {part: trouble or "ok" for part, trouble in troubles.items()} | {"engine": figures},
        status=200 if ready else 503,
    )
    add_never_cache_headers(answer)
    return answer


def database_trouble() -> str:
    """A sentence when the database does not answer or cannot write, else nothing."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:
        logger.warning("The database does not answer.", exc_info=True)
        return "The database does not answer; check that it runs and that DATABASE_URL is right."
    try:
        write_a_little()
    except DatabaseError:
        logger.warning("The database cannot write.", exc_info=True)
        return "The database answers but cannot write, so nobody can save anything; check its disk."
    return ""


def write_a_little() -> None:
    """Write something and leave no trace of it. Raises DatabaseError, for a full disk or a read-only database.

    On PostgreSQL new pages are asked for: what fits into old ones can be written on a full disk.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA user_version = 1")
            return
        cursor.execute("SET LOCAL statement_timeout = '3s'")
        cursor.execute("CREATE TABLE desk_write_probe (pages bytea)")
        cursor.execute("INSERT INTO desk_write_probe VALUES (%s)", [os.urandom(WRITTEN)])
        transaction.set_rollback(True)


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


def read_engine() -> tuple[dict[str, str], dict[str, Any]]:
    """The trouble of each part of the engine, "" for none, and its figures (S3)."""
    try:
        state = engine_state(timezone.now())
    except DatabaseError:
        logger.warning("The state of the engine cannot be read.", exc_info=True)
        return dict.fromkeys(ENGINE_PARTS, f"{UNKNOWN[:-1]}; has it been migrated?"), {}
    return engine_troubles(state), engine_figures(state)


def engine_troubles(state: EngineState) -> dict[str, str]:
    late = " ".join(state.late_looks())
    beat = f"{late} Check that Celery beat and a worker run." if late else ""
    others = (state.late_work(), state.mail_troubles(), state.door_troubles())
    sentences = (beat, *map(" ".join, others))
    return dict(zip(ENGINE_PARTS, sentences, strict=True))


def engine_figures(state: EngineState) -> dict[str, Any]:
    return {
        "last_looks": {look.name: look.last_at for look in state.looks},
        "oldest_due": state.oldest_due_at,
        "set_aside": state.set_aside,
        "mails_waiting": state.mail.queued,
        "mails_held_up": state.mail.held_up,
        "mail_server_tried_next": state.mail.circuit.try_at if state.mail.circuit else None,
        "mails_failed_within_an_hour": state.mail.failed_lately,
        "mail_fetched": {DOORS[Door(door.kind)]: door.fetched_at for door in state.doors},
    }
