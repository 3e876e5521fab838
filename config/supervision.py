"""Starts child processes, restarts them when they die, and stops them together.

Each child has a session of its own, so that Ctrl-C in the terminal reaches only the supervisor, and its whole process
group can be killed. On Linux the kernel signals it when the supervisor dies, for whatever reason.
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
POLL_INTERVAL = 0.2
STOPS_WITHIN = 3.0
# Longer than what is undone on the way out takes, such as the transaction of a migration.
ASKS_AGAIN = 2.0
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
# A child that lived this long was well: its next restart comes after the shortest pause again.
HEALTHY_AFTER = 60.0

LOG_BYTES = 5_000_000
ALARMING = re.compile(r"\b(WARNING|ERROR|CRITICAL)\b(?! py\.warnings)")


@dataclass(frozen=True)
class Program:
    """What to run. `orphan_signal` is sent by the kernel when the supervisor is gone."""

    name: str
    command: Sequence[str]
    orphan_signal: signal.Signals = signal.SIGTERM
    inherited_sockets: tuple[int, ...] = ()
    repeats_warnings: bool = True  # on the console


class Child:
    """A program with its current process and its log."""

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
        """Start the process; its output is read from a non-blocking pipe."""
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
            preexec_fn=tie_to_parent(os.getpid(), self.program.orphan_signal),
        )
        self.started_at = time.monotonic()
        os.set_blocking(self.output, False)

    @property
    def output(self) -> int:
        """The file descriptor of the pipe that the process writes to."""
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def write_log(self) -> list[str]:
        """Move the output of the process to its log. Returns the lines that belong on the console."""
        with contextlib.suppress(BlockingIOError):
            while output := os.read(self.output, 65536):
                self._unfinished += output
        *lines, self._unfinished = self._unfinished.split(b"\n")
        texts = [line.decode(errors="replace").rstrip() for line in lines]
        for text in texts:
            self._log.emit(logging.makeLogRecord({"msg": text}))
        return [text for text in texts if self.program.repeats_warnings and ALARMING.search(text)]

    def plan_restart(self) -> str:
        """Kill what a dead process left behind and plan its next start. Returns how it ended, as a sentence."""
        self.kill_group()
        self.deaths = 1 if time.monotonic() - self.started_at > HEALTHY_AFTER else self.deaths + 1
        pause = min(FIRST_PAUSE * 2 ** (self.deaths - 1), LONGEST_PAUSE)
        self.next_start = time.monotonic() + pause
        code = self.process.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return f"{self.program.name} {how}; starting it again in {pause:g} s (see {self.log_file})."

    def kill_group(self) -> None:
        """Kill the process and all that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.write_log()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Supervisor:
    """Keeps its children running until it is asked to stop, and repeats their warnings with `say`."""

    def __init__(self, log_dir: Path, directory: Path, environment: dict[str, str], say: Callable[[str], None]) -> None:
        self.log_dir = log_dir
        self.directory = directory
        self.environment = environment
        self.say = say
        self.children: dict[str, Child] = {}
        self.asked_to_stop = False
        self.stop_at_once = False
        self._may_raise = False
        self._selector = selectors.DefaultSelector()
        log_dir.mkdir(mode=0o700, parents=True, exist_ok=True)

    def listen_to_signals(self) -> None:
        """Stop on Ctrl-C, TERM or a closed terminal; the second time, without waiting for the children."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGALRM, self._on_alarm)

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Inside it, those signals raise KeyboardInterrupt; starting a child is never interrupted.

        Python throws away what is raised where it calls back itself, as of weak references, of which migrations have
        many. So it is raised again and again until it comes out of here.
        """
        self._may_raise = True
        try:
            if self.asked_to_stop:
                raise KeyboardInterrupt
            yield
        finally:
            self._may_raise = False
            signal.setitimer(signal.ITIMER_REAL, 0)

    def start(self, program: Program) -> None:
        """Start a program and keep it running."""
        child = Child(program, self.log_dir / f"{program.name}.log", self.directory, self.environment)
        self.children[program.name] = child
        self._start(child)

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Read output and restart children, until `until()` is true or the stop is asked for."""
        while not self.asked_to_stop and not until():
            self._listen(POLL_INTERVAL)
            for child in self.children.values():
                self._restart_if_dead(child)

    def stop(self, order: Sequence[Sequence[str]]) -> None:
        """Stop the children group by group, in this order: TERM, a few seconds, then KILL."""
        for names in order:
            self._stop([self.children[name] for name in names if name in self.children])

    def _start(self, child: Child) -> None:
        child.start()
        self._selector.register(child.output, selectors.EVENT_READ, child)

    def _restart_if_dead(self, child: Child) -> None:
        if child.next_start is not None:
            if time.monotonic() >= child.next_start:
                self._start(child)
        elif child.process.poll() is not None:
            self._selector.unregister(child.output)
            self.say(child.plan_restart())

    def _stop(self, children: list[Child]) -> None:
        alive = [child for child in children if child.next_start is None]
        for child in alive:
            child.process.terminate()
        give_up_at = time.monotonic() + STOPS_WITHIN
        while any(child.process.poll() is None for child in alive) and not self.stop_at_once:
            if time.monotonic() > give_up_at:
                break
            self._listen(POLL_INTERVAL / 10)
        for child in alive:
            self._selector.unregister(child.output)
            child.kill_group()

    def _listen(self, seconds: float) -> None:
        """Wait for output, at most so long. The pipe of a dead child is always readable, hence the sleep."""
        ready = self._selector.select(seconds)
        for key, _ in ready:
            child: Child = key.data
            for line in child.write_log():
                self.say(f"{child.program.name}: {line}")
        if any(key.data.process.poll() is not None for key, _ in ready):
            time.sleep(POLL_INTERVAL / 10)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stop_at_once = self.asked_to_stop
        self.asked_to_stop = True
        if self._may_raise:
            signal.setitimer(signal.ITIMER_REAL, ASKS_AGAIN, ASKS_AGAIN)
            raise KeyboardInterrupt

    def _on_alarm(self, number: int, frame: FrameType | None) -> None:
        if self._may_raise:
            raise KeyboardInterrupt


def tie_to_parent(parent: int, death_signal: signal.Signals) -> Callable[[], None] | None:
    """What a new child runs before its program: it asks the kernel for a signal at its parent's death.

    Only Linux can; elsewhere a killed supervisor leaves its children behind.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return tie
