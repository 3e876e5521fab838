"""`manage.py up` with its real processes: one desk a directory, everything comes back, nothing is left behind."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from django.conf import settings as desk_settings
from django.db import connection

from config.environment import embedded_broker_socket
from tests.support.maildirs import deliver_into, raw_message, taken_in
from tests.support.processes import await_true, free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

embedded = pytest.mark.skipif(bool(os.environ.get("REDIS_URL")), reason="needs the embedded broker: unset REDIS_URL")

# Seconds; generous, because they are waited for only when something is wrong.
SOON = 60.0


class Desk:
    """One `manage.py up` in a directory of its own, with the kind of database and broker that the tests run on."""

    def __init__(self, var_dir: Path, database: str) -> None:
        self.var_dir, self.database = var_dir, database
        self.port = free_port()
        own = {
            "DESK_VAR": str(var_dir),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "BROKER_PREFIX": f"{database}:",
            # How the processes of this desk are told from all others.
            "DESK_TEST_MARK": f"{os.getpid()}-{self.port}",
        }
        self.environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"} | own
        if connection.vendor == "postgresql":
            self.environment["DATABASE_URL"] = urlsplit(os.environ["DATABASE_URL"])._replace(path=database).geturl()
        self.process: subprocess.Popen[str] | None = None

    def begin_as(self, other: "Desk") -> None:
        """Begin with what is in the database of another desk, which must not run."""
        if connection.vendor == "postgresql":
            on_the_server(
                f"DROP DATABASE {self.database}", f"CREATE DATABASE {self.database} TEMPLATE {other.database}"
            )
        else:
            shutil.copy(other.var_dir / "desk.sqlite3", self.var_dir)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "manage.py", "up", "--no-demo", *arguments]

    def start(self) -> "Desk":
        with (self.var_dir.parent / "console").open("a") as console:
            self.process = subprocess.Popen(
                self.command("--port", str(self.port)),
                cwd=desk_settings.BASE_DIR,
                env=self.environment,
                stdout=console,
                stderr=subprocess.STDOUT,
                text=True,
            )
        return self

    def start_in_vain(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=desk_settings.BASE_DIR,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SOON,
        )

    @property
    def console(self) -> str:
        return (self.var_dir.parent / "console").read_text()

    def says(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError as error:
            return 0, str(error)
        finally:
            connection.close()

    def await_ready(self) -> None:
        await_true(lambda: self.says("/readyz")[0] == 200 or self.ended, "Being ready")
        assert not self.ended, self.console

    @property
    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def processes(self) -> dict[int, str]:
        """Command lines of everything alive that this desk has started, the supervisor included."""
        found = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and self._is_ours(entry):
                    found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
        return found

    def pid_of(self, part: str) -> int | None:
        """The process of one part; the oldest, where it has several."""
        return min((pid for pid, command in self.processes().items() if part in command), default=None)

    def stop_by_force(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _is_ours(self, entry: Path) -> bool:
        dead = (entry / "stat").read_text().rpartition(") ")[2].startswith("Z")
        mark = f"DESK_TEST_MARK={self.environment['DESK_TEST_MARK']}".encode()
        # Valkey writes its title over its environment; the title names its socket.
        broker = os.fsencode(embedded_broker_socket(self.var_dir))
        return not dead and (
            mark in (entry / "environ").read_bytes().split(b"\0") or broker in (entry / "cmdline").read_bytes()
        )


def on_the_server(*statements: str) -> None:
    """Make or drop databases of this test; nothing on SQLite, where a database is a file."""
    if connection.vendor == "postgresql":
        maintenance = urlsplit(os.environ["DATABASE_URL"])._replace(path="postgres").geturl()
        with psycopg.connect(maintenance, autocommit=True) as server:
            for statement in statements:
                server.execute(statement.encode())


@contextlib.contextmanager
def new_database() -> Iterator[str]:
    """The name of a new database; on PostgreSQL it is there, empty, and goes afterwards."""
    name = f"desk_up_{uuid.uuid4().hex[:12]}"
    on_the_server(f"CREATE DATABASE {name}")
    try:
        yield name
    finally:
        on_the_server(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database() -> Iterator[str]:
    with new_database() as name:
        yield name


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk that was never started, and whose database is up to date: a copy saves each test a quarter minute."""
    with new_database() as name:
        desk = Desk(tmp_path_factory.mktemp("migrated"), name)
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=desk_settings.BASE_DIR, env=desk.environment, check=True)
        yield desk


@pytest.fixture
def desk(tmp_path: Path, database: str) -> Iterator[Desk]:
    var_dir = tmp_path / "var"
    var_dir.mkdir()
    desk = Desk(var_dir, database)
    yield desk
    desk.stop_by_force()


@pytest.fixture
def running(desk: Desk, migrated: Desk) -> Desk:
    desk.begin_as(migrated)
    desk.start().await_ready()
    return desk


def test_one_command_makes_a_desk_that_is_ready(desk: Desk):
    running = desk.start()
    running.await_ready()
    said = json.loads(running.says("/readyz")[1])
    assert said.pop("engine")["oldest_due"] is None
    assert said == {"ready": True, **dict.fromkeys(("database", "broker", "beat", "work", "mail", "inbox"), "ok")}
    assert running.says("/admin/login/")[0] == 200
    await_true(lambda: f"http://127.0.0.1:{running.port}/" in running.console, "Saying the address")
    maildir = running.var_dir / "mail"
    deliver_into(maildir, raw_message("one"))
    await_true(lambda: taken_in(maildir), "A message's arrival")  # M5
    await_true(lambda: list((running.var_dir / "files").rglob("????????????????*")), "Its raw bytes being kept")


@pytest.mark.any_database
def test_a_second_start_is_refused_and_harms_nothing(running: Desk):
    before = set(running.processes())
    answer = running.start_in_vain("--port", str(free_port()))
    assert running.process is not None
    where = f"(pid {running.process.pid}) at http://127.0.0.1:{running.port}"
    assert (answer.returncode, answer.stderr) == (1, f"CommandError: Support Desk is already running {where}.\n")
    assert set(running.processes()) == before
    assert running.says("/readyz")[0] == 200


@pytest.mark.any_database
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_being_asked_to_stop_leaves_nothing_running(running: Desk, number: signal.Signals):
    assert running.process is not None
    running.process.send_signal(number)
    assert running.process.wait(timeout=10) == 0
    assert running.processes() == {}
    assert running.console.endswith("Stopped.\n")


@pytest.mark.any_database
def test_a_killed_supervisor_leaves_nothing_running(running: Desk):
    assert running.process is not None
    running.process.kill()
    running.process.wait()
    await_true(lambda: not running.processes(), "The end of every process", seconds=10)


@pytest.mark.any_database
def test_a_stop_during_the_start_leaves_nothing_running(desk: Desk):
    desk.start()
    await_true(lambda: "Preparing the database" in desk.console, "The start of the preparation")
    assert desk.process is not None
    desk.process.send_signal(signal.SIGINT)
    assert desk.process.wait(timeout=10) == 0
    assert desk.processes() == {}


@pytest.mark.any_database
def test_a_stop_that_python_throws_away_is_asked_for_again(tmp_path: Path):
    """As in the start of a desk, when Ctrl-C falls into the callback of a weak reference."""
    code = """
import pathlib, signal, sys, time, weakref
from config.supervision import Supervisor
class Thing: pass
supervisor = Supervisor(pathlib.Path(sys.argv[1]), pathlib.Path(), {}, print)
supervisor.listen_to_signals()
thing = Thing()
reference = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT))
try:
    with supervisor.interruptible():
        del thing
        time.sleep(50)
except KeyboardInterrupt:
    time.sleep(2.5)  # nothing interrupts what is done after it
    print("stopped", supervisor.asked_to_stop, supervisor.stop_at_once)
"""
    told = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=desk_settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert told.stdout == "stopped True False\n"
    assert "Exception ignored in" in told.stderr


def test_every_part_that_is_killed_comes_back(running: Desk):
    parts = ["gunicorn", "--app config worker", "--app config beat"]
    if not os.environ.get("REDIS_URL"):
        parts.append("valkey-server")
    killed = {part: running.pid_of(part) for part in parts}
    for pid in killed.values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    await_true(
        lambda: all(running.pid_of(part) not in (None, pid) for part, pid in killed.items()), "The return of every part"
    )
    running.await_ready()
    await_true(lambda: running.console.count("was killed by SIGKILL; starting it again") == len(parts), "Saying so")


@embedded
def test_a_second_start_finds_the_data_and_the_key_of_the_first(running: Desk):
    assert running.process is not None
    key = (running.var_dir / "secret_key").read_text()
    with contextlib.closing(redis.Redis(unix_socket_path=str(embedded_broker_socket(running.var_dir)))) as broker:
        broker.set("kept", "yes")
        running.process.send_signal(signal.SIGINT)
        running.process.wait(timeout=10)
        running.start().await_ready()
        assert broker.get("kept") == b"yes"
    assert (running.var_dir / "secret_key").read_text() == key


@embedded
def test_a_directory_too_deep_for_a_socket_works_all_the_same(tmp_path: Path, database: str, migrated: Desk):
    var_dir = tmp_path / ("deep " * 25) / "50%"
    var_dir.mkdir(parents=True)
    desk = Desk(var_dir, database)
    desk.begin_as(migrated)
    try:
        desk.start().await_ready()
        assert embedded_broker_socket(var_dir).parent.stat().st_mode & 0o077 == 0
    finally:
        desk.stop_by_force()
        shutil.rmtree(embedded_broker_socket(var_dir).parent, ignore_errors=True)


@pytest.mark.any_database
def test_a_port_that_is_taken_is_named_and_nothing_is_started(desk: Desk):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        answer = desk.start_in_vain("--port", str(port))
    assert answer.returncode == 1
    assert answer.stderr == (
        f"CommandError: Port {port} is used by another program; stop it or choose one with --port.\n"
    )
    assert desk.processes() == {}


@pytest.mark.any_database
@pytest.mark.parametrize("said", ["eighty", "0", "65536", "²"])
def test_a_port_that_is_none_gets_a_sentence(desk: Desk, said: str):
    answer = desk.start_in_vain("--port", said)
    assert "is not a port: give a whole number from 1 to 65535." in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_database_that_does_not_answer_gets_a_sentence_and_stops_everything(desk: Desk):
    desk.environment["DATABASE_URL"] = "postgres://desk@127.0.0.1:1/desk"
    answer = desk.start_in_vain("--port", str(desk.port))
    assert answer.returncode == 1
    assert answer.stderr.endswith("check that it runs and that DATABASE_URL is right.\n")
    assert desk.processes() == {}


@pytest.mark.any_database
def test_a_setting_that_cannot_be_read_gets_a_sentence_and_starts_nothing(desk: Desk):
    desk.environment["DATABASE_URL"] = "foo"
    answer = desk.start_in_vain("--port", str(desk.port))
    assert answer.returncode == 1
    assert "config.E003" in answer.stderr
    assert "Traceback" not in answer.stderr
