"""A call over real SIP: a caller, an exchange that tells the desk, a technician (Q1, Q5).

Kamailio and SIPp are Debian's; without them the test is skipped, under CI it fails.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cases.enums import CallEventKind, QueueEnding, QueueState
from cases.models import CallEvent, QueueEntry
from contacts.models import Technician
from tests.support.builders import Desk
from tests.support.processes import await_true

SIP = Path(__file__).resolve().parents[2] / "support" / "sip"
SECRET = "a-secret-of-24-characters"
#: Where Debian keeps the modules.
MODULES = next(iter(Path("/usr/lib").glob("*/kamailio/modules")), Path("/usr/lib/kamailio/modules"))
WANTED = ("kamailio", "sipp")


def is_there(program: str) -> bool:
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin") is not None


pytestmark = [
    pytest.mark.slow,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not all(map(is_there, WANTED)) and not os.environ.get("CI"), reason="needs kamailio and sip-tester of Debian"
    ),
]


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def exchange(live_server: Any, settings: Any, tmp_path: Path) -> Iterator[tuple[int, int]]:
    """An exchange that tells the desk of calls and sends them to a technician: the ports of both."""
    settings.DESK_PHONE_SYSTEMS = [f"pbx=generic:{SECRET}"]
    port, technician = free_udp_port(), free_udp_port()
    text = (SIP / "kamailio.cfg").read_text(encoding="utf-8")
    for name, value in (("HOOK", f"{live_server.url}/calls/pbx/{SECRET}/"), ("PORT", port), ("TECHNICIAN", technician)):
        text = text.replace(name, str(value))
    config = tmp_path / "kamailio.cfg"
    config.write_text(text, encoding="utf-8")
    order = ["kamailio", "-DD", "-E", "-f", str(config), "-L", str(MODULES), "-Y", str(tmp_path), "-m", "32", "-M", "8"]
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    with (tmp_path / "exchange.log").open("w") as log:
        running = subprocess.Popen(order, stdout=log, stderr=log, env=environment, start_new_session=True)
        try:
            await_true(lambda: _is_taken(port), "the exchange to listen")
            yield port, technician
        finally:
            os.killpg(running.pid, signal.SIGTERM)
            running.wait(20)


def _is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def sipp(scenario: str, port: int, *more: str, folder: Path) -> subprocess.Popen[bytes]:
    order = [
        "sipp",
        "-sf",
        str(SIP / f"{scenario}.xml"),
        "-i",
        "127.0.0.1",
        "-p",
        str(port),
        "-m",
        "1",
        "-nostdin",
        *more,
    ]
    return subprocess.Popen(order, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_a_call_over_real_sip(exchange: tuple[int, int], desk: Desk, tmp_path: Path) -> None:  # Q1, Q5
    Technician.objects.filter(user=desk.technician).update(extension="21")
    contact = desk.contact
    contact.phone = "+49 30 1234567"
    contact.save()
    port, phone = exchange
    technician = sipp("technician", phone, folder=tmp_path)
    caller = sipp("caller", free_udp_port(), "-s", "49301234567", f"127.0.0.1:{port}", folder=tmp_path)
    try:
        assert caller.wait(60) == 0
        assert technician.wait(60) == 0
        await_true(lambda: CallEvent.objects.filter(kind=CallEventKind.ENDED).exists(), "the end of the call")
    finally:
        for one in (caller, technician):
            if one.poll() is None:
                one.kill()
    assert sorted(CallEvent.objects.values_list("kind", flat=True)) == ["answered", "arrived", "ended"]
    entry = QueueEntry.objects.get()
    assert (entry.state, entry.ending) == (QueueState.ENDED, QueueEnding.SPOKEN)
    assert (entry.contact, entry.technician) == (contact, desk.technician)
