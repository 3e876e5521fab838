"""Child processes that are started, watched, started again and stopped together.

A child gets a session of its own, so that Ctrl-C in the terminal reaches the supervisor only and its process group can
be killed whole. On Linux the kernel tells it when the supervisor dies, however that happens.
"""

import contextlib
import ctypes
import logging
import logging.handlers
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG = 1

# All in seconds.
LOOKS_EVERY = 0.2
STOPS_WITHIN = 3.0
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
# A child that lived this long before it died was well: its next pause is the shortest again.
WELL_AFTER = 60.0

LOG_BYTES = 5_000_000
ALARMING = re.compile(r"\b(WARNING|ERROR|CRITICAL)\b(?! py\.warnings)")


@dataclass(frozen=True)
class Program:
    """What to run. `orphan_signal` is what the kernel sends it when the supervisor is gone."""

    name: str
    command: Sequence[str]
    orphan_signal: signal.Signals = signal.SIGTERM
    inherited_sockets: tuple[int, ...] = ()
    # Whether its warnings are repeated on the console.
    speaks_up: bool = True


class Child:
    """One program, its process of the moment and its log."""

    def __init__(self, program: Program, log_file: Path, directory: Path, environment: dict[str, str]) -> None:
        self.program = program
        self.log_file = log_file
        self.directory = directory
        self.environment = environment
        self.deaths = 0
        self.next_start: float | None = None
        self._log = logging.handlers.RotatingFileHandler(log_file, maxBytes=LOG_BYTES, backupCount=2, delay=True)
        self._unfinished = b""

    def start(self) -> None:
        """Start the process; its output comes through a pipe that never blocks the reader."""
        self.next_start = None
        self.process = subprocess.Popen(
            self.program.command,
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
            pass_fds=self.program.inherited_sockets,
            preexec_fn=ties_to_parent(os.getpid(), self.program.orphan_signal),
        )
        self.started_at = time.monotonic()
        os.set_blocking(self.output, False)

    @property
    def output(self) -> int:
        """The file descriptor of the pipe that the process writes to."""
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def write_log(self) -> list[str]:
        """Move what the process has said to its log; the lines that somebody should see come back."""
        with contextlib.suppress(BlockingIOError):
            while said := os.read(self.output, 65536):
                self._unfinished += said
        *lines, self._unfinished = self._unfinished.split(b"\n")
        texts = [line.decode(errors="replace").rstrip() for line in lines]
        for text in texts:
            self._log.emit(logging.makeLogRecord({"msg": text}))
        return [text for text in texts if self.program.speaks_up and ALARMING.search(text)]

    def bury(self) -> str:
        """Kill what a dead process left behind and plan the next start; how it ended, in words."""
        self.kill_group()
        self.deaths = 1 if time.monotonic() - self.started_at > WELL_AFTER else self.deaths + 1
        pause = min(FIRST_PAUSE * 2 ** (self.deaths - 1), LONGEST_PAUSE)
        self.next_start = time.monotonic() + pause
        code = self.process.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return f"{self.program.name} {how}; starting it again in {pause:g} s (see {self.log_file})."

    def kill_group(self) -> None:
        """Kill the process and everything that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.write_log()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Supervisor:
    """Keeps its children running until it is asked to stop; what they warn of it says aloud."""

    def __init__(self, log_dir: Path, directory: Path, environment: dict[str, str], say: Callable[[str], None]) -> None:
        self.log_dir = log_dir
        self.directory = directory
        self.environment = environment
        self.say = say
        self.children: dict[str, Child] = {}
        self.asked_to_stop = False
        self.in_a_hurry = False
        self._may_raise = False
        self._selector = selectors.DefaultSelector()
        log_dir.mkdir(mode=0o700, parents=True, exist_ok=True)

    def listen_to_signals(self) -> None:
        """Ctrl-C, TERM and a closed terminal ask for the stop; the second time, for one without courtesy."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Within it, work of our own is cut short by the signals as KeyboardInterrupt; a child's start never is."""
        self._may_raise = True
        try:
            if self.asked_to_stop:
                raise KeyboardInterrupt
            yield
        finally:
            self._may_raise = False

    def start(self, program: Program) -> None:
        """Start a program and look after it from now on."""
        child = Child(program, self.log_dir / f"{program.name}.log", self.directory, self.environment)
        self.children[program.name] = child
        self._start(child)

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Look after the children until `until()` is true or the stop is asked for."""
        while not self.asked_to_stop and not until():
            self._listen(LOOKS_EVERY)
            for child in self.children.values():
                self._look_after(child)

    def stop(self, order: Sequence[Sequence[str]]) -> None:
        """Stop the children group after group: asked in order, given a few seconds of courtesy, then killed."""
        for names in order:
            self._stop([self.children[name] for name in names if name in self.children])

    def _start(self, child: Child) -> None:
        child.start()
        self._selector.register(child.output, selectors.EVENT_READ, child)

    def _look_after(self, child: Child) -> None:
        if child.next_start is not None:
            if time.monotonic() >= child.next_start:
                self._start(child)
        elif child.process.poll() is not None:
            self._selector.unregister(child.output)
            self.say(child.bury())

    def _stop(self, children: list[Child]) -> None:
        alive = [child for child in children if child.next_start is None]
        for child in alive:
            child.process.terminate()
        give_up_at = time.monotonic() + STOPS_WITHIN
        while any(child.process.poll() is None for child in alive) and not self.in_a_hurry:
            if time.monotonic() > give_up_at:
                break
            self._listen(LOOKS_EVERY / 10)
        for child in alive:
            self._selector.unregister(child.output)
            child.kill_group()

    def _listen(self, seconds: float) -> None:
        """Wait for output at most so long. The pipe of a dead child is always readable, hence the breath."""
        ready = self._selector.select(seconds)
        for key, _ in ready:
            child: Child = key.data
            for line in child.write_log():
                self.say(f"{child.program.name}: {line}")
        if any(key.data.process.poll() is not None for key, _ in ready):
            time.sleep(LOOKS_EVERY / 10)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.in_a_hurry = self.asked_to_stop
        self.asked_to_stop = True
        if self._may_raise:
            raise KeyboardInterrupt


def ties_to_parent(parent: int, death_signal: signal.Signals) -> Callable[[], None] | None:
    """What a new child does before it becomes its program: ask the kernel for a signal at its parent's death.

    Only Linux knows how; elsewhere a killed supervisor leaves its children behind.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return tie
