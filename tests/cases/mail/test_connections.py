"""Delivery over several connections at once (M2): as fast as they allow, and as careful as over one."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail.backends import smtp
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.enums import MailStatus, Resolution
from cases.mail import connections, leases, outbox
from cases.mail.circuit import TRIED_EVERY
from cases.mail.outbox import BACK_OFF, BREAKS_IN_A_ROW, SOON, deliver
from cases.mail.refusals import REFUSALS_IN_A_ROW
from cases.models import Case, Mail, MailCircuit
from cases.workflow import transitions
from tests.support.builders import Desk
from tests.support.post_office import HandClock, PostOffice, many, queue

pytestmark = pytest.mark.django_db

CONNECTIONS = 8
REFUSES_EVERYBODY = ("550 no", "554 5.7.1 Relay access denied", "550 5.1.1 unknown")


@pytest.fixture
def eight(post_office: PostOffice, settings: Any) -> PostOffice:
    """A mail server to which eight connections lead."""
    settings.DESK_MAIL_CONNECTIONS = CONNECTIONS
    return post_office


def states() -> dict[str, str]:
    return dict(Mail.objects.values_list("to_address", "status"))


def let_the_first_pass(office: PostOffice, waits_for: int) -> None:
    """A round begins with one message; from the second on the server answers none before so many are there."""

    def wait_from_now_on() -> None:
        office.waits_for, office.on_message = waits_for, lambda: None

    office.on_message = wait_from_now_on


def test_eight_messages_are_sent_at_once_over_connections_that_are_reused(
    eight: PostOffice, clock: HandClock, case: Case
) -> None:
    """The server answers none of the eight before all of them are there, so fewer connections would wait for ever."""
    let_the_first_pass(eight, CONNECTIONS)
    queue(case, *many(1 + 5 * CONNECTIONS))
    deliver(clock)
    assert eight.most_at_once == eight.connections == CONNECTIONS
    assert Counter(eight.envelopes) == Counter(many(1 + 5 * CONNECTIONS))
    assert set(states().values()) == {MailStatus.SENT}


def test_the_addresses_of_a_built_message_are_not_parsed_again_as_it_is_sent(
    post_office: PostOffice, clock: HandClock, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(address: str, encoding: str) -> str:
        raise AssertionError(address)

    monkeypatch.setattr(smtp, "sanitize_address", parse)
    queue(case, *many(3))
    deliver(clock)
    assert Counter(post_office.envelopes) == Counter(many(3))


def test_few_messages_open_few_connections(eight: PostOffice, clock: HandClock, case: Case) -> None:
    queue(case, *many(3))
    deliver(clock)
    assert eight.connections == 1


@pytest.mark.parametrize("template", ["reassigned", "message", "status_update"])
def test_what_was_taken_is_written_together(
    eight: PostOffice, clock: HandClock, case: Case, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    """In at most a tenth of a statement for each message, whatever its reason is checked against."""
    monkeypatch.setattr(outbox, "SETTLED_WITHIN", 1_000)  # however slow the machine is
    monkeypatch.setattr(outbox, "CLAIM_LASTS", 1_000)
    monkeypatch.setattr(outbox, "FRESH", 1_000)
    monkeypatch.setattr(connections, "FRESH", 1_000)
    queue(case, *many(300), template=template)
    with CaptureQueriesContext(connection) as statements:
        assert deliver(clock).sent == 300
    counted = [one for one in statements if "SAVEPOINT" not in one["sql"]]
    assert len(counted) <= (30 if template == "reassigned" else 42)  # a customer may have left
    row = Mail.objects.get(to_address="reader299@example.com")
    assert (row.status, row.attempts, row.sent_at, row.last_error) == (MailStatus.SENT, 1, clock.now, "")
    assert row.text
    assert row.html


def test_bad_addresses_among_many_fail_alone_and_everybody_else_gets_theirs_once(
    eight: PostOffice, clock: HandClock, case: Case
) -> None:  # M2
    readers, gone = many(120), many(120)[::11]
    eight.refuses = dict.fromkeys(gone, "550 5.1.1 no such user")
    queue(case, *readers)
    deliver(clock)
    said = states()
    assert {said[reader] for reader in gone} == {MailStatus.FAILED}
    well = set(readers) - set(gone)
    assert {said[reader] for reader in well} == {MailStatus.SENT}
    arrived = Counter(eight.envelopes)
    assert all(arrived[reader] == 1 for reader in well)
    assert arrived["tech@example.com"] == len(gone)  # each is told of once


@pytest.mark.slow
def test_refusals_that_come_back_before_what_was_handed_over_with_them_is_taken_end_no_round(
    eight: PostOffice, clock: HandClock, case: Case
) -> None:  # M2
    """Servers refuse an address at once, and need a while for what they take."""
    readers = many(40)
    gone = readers[2:16:3]
    eight.refuses = dict.fromkeys(gone, "550 5.1.1 no such user")
    eight.takes = 0.3
    queue(case, *readers)
    deliver(clock)
    said = states()
    assert {said[reader] for reader in gone} == {MailStatus.FAILED}
    assert {said[reader] for reader in readers if reader not in gone} == {MailStatus.SENT}
    assert not MailCircuit.objects.exists()


def test_messages_put_off_and_refused_are_told_apart_while_others_pass(
    eight: PostOffice, clock: HandClock, case: Case
) -> None:  # M2
    readers = many(60)
    eight.refuses = {
        readers[7]: "451 4.7.1 greylisted",
        readers[20]: "550 5.1.1 unknown",
        readers[33]: "452 4.2.2 full",
    }
    queue(case, *readers)
    deliver(clock)
    said = states()
    assert said[readers[20]] == MailStatus.FAILED
    put_off = Mail.objects.filter(to_address__in=[readers[7], readers[33]])
    assert set(put_off.values_list("status", "attempts", "send_at")) == {
        (MailStatus.QUEUED, 1, clock.now + BACK_OFF[0])
    }
    assert Counter(said.values()) == {MailStatus.SENT: 58, MailStatus.QUEUED: 2, MailStatus.FAILED: 1}


@pytest.mark.parametrize("answer", REFUSES_EVERYBODY)
def test_a_server_that_refuses_everybody_is_tried_with_three_and_loses_no_mail(
    eight: PostOffice, clock: HandClock, case: Case, answer: str
) -> None:  # M2
    everybody = many(40)
    eight.refuses = dict.fromkeys(everybody, answer)
    queue(case, *everybody)
    deliver(clock)
    assert Mail.objects.filter(last_error=f"Refused: {answer}").count() == REFUSALS_IN_A_ROW
    for _ in range(6):
        clock.forward(timedelta(seconds=10))
        deliver(clock)
    assert set(Mail.objects.values_list("status", "attempts")) == {(MailStatus.QUEUED, 0)}
    eight.refuses = {}
    for _ in range(12):
        deliver(clock)
        clock.forward(timedelta(seconds=10))
    assert set(states().values()) == {MailStatus.SENT}
    assert Counter(eight.envelopes) == Counter(everybody)


@pytest.mark.parametrize("answer", REFUSES_EVERYBODY)
def test_a_server_that_begins_to_refuse_everybody_while_eight_are_under_way_loses_no_mail(
    eight: PostOffice, clock: HandClock, case: Case, answer: str
) -> None:  # M2
    """What it takes afterwards of messages that had been handed over before shows nothing."""
    everybody = many(60)

    def turn() -> None:
        if len(eight.received) == 20:
            eight.refuses = dict.fromkeys(everybody, answer)
        if len(eight.received) == 40:
            eight.on_message = lambda: None

    eight.on_message, eight.takes = turn, 0.01
    queue(case, *everybody)
    deliver(clock)
    assert set(states().values()) == {MailStatus.SENT, MailStatus.QUEUED}
    eight.refuses = {}
    for _ in range(12):
        clock.forward(timedelta(seconds=10))
        deliver(clock)
    assert set(states().values()) == {MailStatus.SENT}
    assert Counter(eight.envelopes) == Counter(everybody)


def test_a_server_that_breaks_over_everything_is_left_alone_soon(
    eight: PostOffice, clock: HandClock, case: Case
) -> None:  # M2
    eight.breaks_over = lambda address: True
    queue(case, *many(40))
    deliver(clock)
    assert Mail.objects.filter(attempts=1).count() == BREAKS_IN_A_ROW
    assert MailCircuit.objects.count() == 1


def test_a_message_that_is_never_answered_holds_up_nobody_while_others_pass(
    eight: PostOffice, clock: HandClock, case: Case, settings: Any
) -> None:  # M2
    settings.EMAIL_TIMEOUT = 1
    eight.hangs_over = {"reader10@example.com"}
    queue(case, *many(60))
    assert deliver(clock).sent == 59
    hung = Mail.objects.get(status=MailStatus.QUEUED)
    assert (hung.to_address, hung.attempts, hung.send_at) == ("reader10@example.com", 1, clock.now + BACK_OFF[0])
    assert not MailCircuit.objects.exists()


def test_a_server_that_drops_messages_in_the_middle_gets_each_again_with_its_message_id(
    eight: PostOffice, clock: HandClock, case: Case
) -> None:  # M2
    """Each first try breaks after the whole message was said: nobody knows whether it was taken."""
    tried: Counter[str] = Counter()

    def breaks(address: str) -> bool:
        tried[address] += 1
        return tried[address] == 1 and address != "reader0@example.com"

    eight.breaks_over = breaks
    queue(case, *many(20))
    for _ in range(10):
        deliver(clock)
        clock.forward(timedelta(minutes=1))
    assert set(states().values()) == {MailStatus.SENT}
    assert {message["Message-ID"] for message in eight.received} == set(
        Mail.objects.values_list("message_id", flat=True)
    )


def test_a_message_is_built_once_however_often_it_is_tried(
    post_office: PostOffice, clock: HandClock, case: Case
) -> None:
    """The boundary between its parts is drawn anew for each message that is built."""
    said: list[bytes] = []
    post_office.on_data = said.append
    post_office.breaks_over = lambda address: address == "reader1@example.com" and len(said) == 2
    queue(case, *many(2))
    assert deliver(clock).sent == 2
    assert len(said) == 3
    assert said[1] == said[2]
    assert b"boundary=" in said[1]


def test_what_is_no_longer_true_is_dropped_though_it_waited_for_its_connection(
    post_office: PostOffice, clock: HandClock, desk: Desk, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:  # M1
    """The case is resolved while the first message is under way; the reason of the second held when it was claimed."""
    monkeypatch.setattr(connections, "FRESH", 0.1)
    monkeypatch.setattr(outbox, "FRESH", 0.1)
    queue(case, *many(2), template="reassigned")
    post_office.takes = 0.4
    resolved = []

    def stopping() -> bool:
        """Asked by the thread that delivers, again and again."""
        if post_office.at_once and not resolved:
            transitions.resolve(case.pk, desk.technician, clock.now, resolution=Resolution.NOT_PURSUED)
            resolved.append(True)
        return False

    deliver(clock, stopping=stopping)
    assert "reader1@example.com" not in post_office.envelopes
    assert states()["reader0@example.com"] == MailStatus.SENT
    assert states()["reader1@example.com"] == MailStatus.DROPPED


@pytest.mark.django_db(transaction=True)
def test_eight_messages_that_hang_are_broken_off_when_the_worker_is_asked_to_stop(
    eight: PostOffice, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:  # M2
    monkeypatch.setattr(outbox, "ENDS_WITHIN", 0.2)
    monkeypatch.setattr(leases, "LOOK_EVERY", 0.05)
    queue(case, *many(40), now=timezone.now())
    let_the_first_pass(eight, 10**9)
    asked, give_up_at = threading.Event(), time.monotonic() + 20

    def stopping() -> bool:
        if eight.at_once == CONNECTIONS or time.monotonic() > give_up_at:
            asked.set()
        return asked.is_set()

    assert deliver(timezone.now, stopping=stopping).sent == 1
    assert eight.most_at_once == CONNECTIONS
    assert set(Mail.objects.values_list("status", "attempts")) == {(MailStatus.QUEUED, 0), (MailStatus.SENT, 1)}
    assert Mail.objects.to_send(timezone.now()).count() == 39
    eight.waits_for = 0


# --- the circuit ------------------------------------------------------------------------------------------------


@contextmanager
def server_that_takes_nobody_in(port: int) -> Iterator[list[int]]:
    """A mail server that is called in vain; each call is noted."""
    calls: list[int] = []

    def serve() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            calls.append(1)
            with line:
                line.sendall(b"554 go away\r\n")

    with socket.create_server(("127.0.0.1", port)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield calls
        server.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)


def test_of_several_workers_one_tries_a_dead_server_each_twenty_seconds(
    port: int, clock: HandClock, case: Case, settings: Any
) -> None:  # M2
    settings.DESK_MAIL_CONNECTIONS = CONNECTIONS
    queue(case, *many(30), needed_by=clock.now + timedelta(minutes=10))
    with server_that_takes_nobody_in(port) as calls:
        for _ in range(4):  # workers that look at the same time
            deliver(clock)
        assert len(calls) == 1
        circuit = MailCircuit.objects.get()
        assert (circuit.server, circuit.since) == (f"127.0.0.1:{port}", clock.now)
        assert circuit.try_at == clock.now + TRIED_EVERY
        assert "go away" in circuit.error
        began = clock.now
        for _ in range(12):
            clock.forward(timedelta(seconds=10))
            for _ in range(3):
                deliver(clock)
        assert len(calls) == 1 + timedelta(seconds=120) // TRIED_EVERY
        assert MailCircuit.objects.get().since == began
    # never counted as tries of the messages
    assert set(Mail.objects.values_list("status", "attempts")) == {(MailStatus.QUEUED, 0)}


def test_a_server_that_is_well_again_gets_everything_within_twenty_seconds(
    port: int, clock: HandClock, case: Case, request: pytest.FixtureRequest
) -> None:  # M2, T3
    queue(case, *many(5), needed_by=clock.now + timedelta(minutes=10))
    deliver(clock)  # nobody listens
    assert MailCircuit.objects.exists()
    office = request.getfixturevalue("post_office")
    assert deliver(clock).sent == 0
    clock.forward(max(TRIED_EVERY, SOON))
    assert deliver(clock).sent == 5
    assert len(office.received) == 5
    assert not MailCircuit.objects.exists()


def test_mail_that_is_kept_asks_no_circuit(clock: HandClock, case: Case, settings: Any) -> None:
    queue(case, *many(3))
    with CaptureQueriesContext(connection) as statements:
        assert deliver(clock, keep=True).sent == 3
    assert not [one for one in statements if "mailcircuit" in one["sql"]]
