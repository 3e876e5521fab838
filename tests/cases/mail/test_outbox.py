"""The outbox against a real SMTP server that refuses, puts off, hangs up or is not there (M1, M2, M3)."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes, policy
from email.headerregistry import Address
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.mail.message import sanitize_address
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from cases.enums import Channel, Direction, MailStatus, WaitReason
from cases.mail import leases, outbox
from cases.mail.circuit import Circuit
from cases.mail.connections import Connections
from cases.mail.leases import CLAIM, LEASE
from cases.mail.letters import Letter, post
from cases.mail.outbox import BACK_OFF, BREAKS_IN_A_ROW, SOON, DeliveryRound, deliver, never, send_again
from cases.mail.refusals import REFUSALS_IN_A_ROW
from cases.mail.rendering import Rendered, as_message, is_reply_address, reply_address
from cases.models import Case, Mail
from cases.workflow import contact_log, transitions
from config.environment import Environment
from contacts.addresses import ascii_address, is_mailable
from contacts.directory import Addressee
from contacts.enums import Role
from contacts.models import RoleHolder
from tests.contacts.test_addresses import MAILABLE
from tests.support.builders import NOON, Desk, build_user
from tests.support.post_office import PostOffice, many, queue
from tests.support.processes import await_true
from tests.support.workers import outcomes_at_once

pytestmark = pytest.mark.django_db


def states() -> dict[str, str]:
    return dict(Mail.objects.values_list("to_address", "status"))


# --- what leaves ------------------------------------------------------------------------------------------------


def test_a_message_arrives_once_as_text_and_html_and_is_kept_as_it_was_rendered(post_office, clock, case):  # M1, M4
    queue(case, "a@example.com")
    deliver(clock)
    deliver(clock)
    (message,) = post_office.received
    mail = Mail.objects.get()
    assert (mail.status, mail.sent_at, mail.attempts, mail.kept) == (MailStatus.SENT, NOON, 1, False)
    assert message["Message-ID"] == mail.message_id
    assert message.get_body(("plain",)).get_content().replace("\r\n", "\n").strip() == mail.text.strip()
    assert "Hello" in message.get_body(("html",)).get_content()
    assert message["Subject"] == mail.subject


def test_the_thread_of_a_case_and_the_reply_address_are_stable(post_office, clock, case):  # M3
    queue(case, "a@example.com", "b@example.com")
    deliver(clock)
    first, second = post_office.received
    assert first["References"] == second["References"] == first["In-Reply-To"]
    assert first["Reply-To"] != second["Reply-To"]
    assert str(first["Reply-To"]).startswith(f"support+{case.pk}.")
    assert str(first["Reply-To"]) == str(first["Reply-To"]).lower()


def test_automatic_mail_says_so_and_a_persons_own_words_do_not(post_office, clock, desk):  # M3
    case = desk.open_case()
    transitions.ask_customer(case.pk, desk.technician, NOON, question="Which printer?", reason=WaitReason.INFORMATION)
    deliver(clock)
    said = {str(message["Subject"]).split("] ")[1].split(":")[0]: message for message in post_office.received}
    assert said["We have your case"]["Auto-Submitted"] == "auto-generated"
    assert said["We need your answer"]["Auto-Submitted"] is None
    assert "OOF" not in said["We have your case"]["X-Auto-Response-Suppress"]


@pytest.mark.parametrize(
    "name",
    [
        'Eve\r\nBcc: victim@example.com\r\n\r\n<b>"x"</b>',
        'Ann "the \\ boss" O’Neil, <ann@evil.example>',
        "情報システム部ヘルプデスク" * 8,
        "trailing\\",
        "",
    ],
)
def test_a_name_cannot_forge_a_header(post_office, clock, case, name):
    queue(case, "a@example.com")
    Mail.objects.update(to_name=name)
    deliver(clock)
    (message,) = post_office.received
    assert post_office.envelopes == ["a@example.com"]
    assert [one.addr_spec for one in message["To"].addresses] == ["a@example.com"]
    assert message["Bcc"] is None


#: Every kind that Django's own check of an address lets pass, and some that it does not.
ODD_ADDRESSES = st.builds(
    "{}@{}".format,
    st.one_of(
        st.from_regex(r"[-!#$%&'*+/=?^_`{}|~0-9A-Za-z.]{1,70}", fullmatch=True),
        st.text(st.characters(max_codepoint=300), max_size=20).map('"{}"'.format),
    ),
    st.one_of(
        st.just("[127.0.0.1]"),
        st.text(st.characters(categories=["L", "N"], include_characters=".-"), max_size=70).map("{}.example".format),
    ),
)
NAMES = st.one_of(
    st.sampled_from(
        ["Müller, Jörg", 'Ann "the boss" O’Neil', "line\r\nbreak", "名" * 300, "x" * 300, "😀" * 300, "=?utf-8?q?x?="]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300),
)


@given(address=st.one_of(st.sampled_from([*MAILABLE]), st.emails(), ODD_ADDRESSES), name=NAMES)
def test_whatever_a_form_accepts_as_an_address_can_be_mailed(address, name):
    """In the header and in the envelope, to that address alone, in lines that every server takes."""
    if not is_mailable(address):
        return
    to = Addressee(address, name)
    mail = Mail(template="message", to_name=to.name, to_address=to.address, message_id="<1@example.com>", facts={})
    message = as_message(mail, Rendered("Subject", "Text", "<p>Text</p>"))
    content = message.message().as_bytes(linesep="\r\n")
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    read = message_from_bytes(content, policy=policy.default)
    (to_whom,), wanted = read["To"].addresses, Address(addr_spec=ascii_address(address))  # "a"@b is a@b
    assert (to_whom.username, to_whom.domain) == (wanted.username, wanted.domain)
    (envelope,) = (Address(addr_spec=sanitize_address(one, "utf-8")) for one in message.recipients())
    assert envelope == wanted


@pytest.mark.parametrize("address", MAILABLE)
def test_an_accepted_address_arrives(post_office, clock, case, address):
    queue(case, address)
    deliver(clock)
    assert post_office.envelopes == [ascii_address(address)]


def test_the_sender_may_have_a_domain_of_any_letters(post_office, clock, case, settings):
    env = Environment({"FROM": "Hilfe für Müller <hilfe@müller.example>", "DOMAIN": "müller.example"})
    settings.DEFAULT_FROM_EMAIL, settings.MAIL_DOMAIN = env.sender("FROM", ""), env.domain("DOMAIN", "")
    queue(case, "a@example.com")
    deliver(clock)
    (message,) = post_office.received
    assert [one.addr_spec for one in message["From"].addresses] == ["hilfe@xn--mller-kva.example"]
    assert message["Reply-To"].addresses[0].domain == "xn--mller-kva.example"
    assert message["Message-ID"].endswith("@xn--mller-kva.example>")


def test_a_title_with_line_breaks_makes_a_subject_of_one_line(post_office, clock, desk):
    case = desk.open_case(title="Down\r\nBcc: victim@example.com\x0b\x85\u2028now")
    Mail.objects.all().delete()
    queue(case, "a@example.com")
    deliver(clock)
    (message,) = post_office.received
    assert message["Subject"] == f"[{case.number}] About your case: Down Bcc: victim@example.com now"
    assert message["Bcc"] is None


# --- one message's trouble --------------------------------------------------------------------------------------


def test_one_bad_address_among_many_fails_alone_and_over_one_connection(post_office, clock, case):  # M2
    post_office.refuses["reader5@example.com"] = "550 no such user"
    queue(case, *many(12))
    result = deliver(clock)
    assert (result.failed, result.sent) == (1, 12)  # the twelfth tells the owner
    assert states()["reader5@example.com"] == MailStatus.FAILED
    assert post_office.connections == 1


def test_a_permanent_failure_tells_the_owner(post_office, clock, case, desk):  # M2
    post_office.refuses["gone@example.com"] = "550 no such user"
    queue(case, "gone@example.com")
    deliver(clock)
    assert post_office.envelopes == [desk.technician.email]
    said = post_office.received[0].get_body(("plain",)).get_content()
    assert "gone@example.com" in said
    assert "550 no such user" in said
    assert case.number in said


def test_when_the_owners_own_address_fails_the_support_manager_is_told(post_office, clock, case, desk):  # M2, D5
    post_office.refuses[desk.technician.email] = "550 no such user"
    queue(case, desk.technician.email)
    deliver(clock)
    assert post_office.envelopes == [desk.manager.email]
    assert "This message was meant for: Owner (tech)" in post_office.received[0].get_body(("plain",)).get_content()


def test_a_failed_message_about_a_failure_is_not_told_of_again(post_office, clock, case, desk):
    post_office.refuses = dict.fromkeys(("gone@example.com", desk.technician.email, desk.manager.email), "550 5.1.1 no")
    queue(case, "gone@example.com")
    deliver(clock)
    assert states() == {"gone@example.com": MailStatus.FAILED, desk.technician.email: MailStatus.FAILED}


def test_a_failure_about_no_case_goes_to_the_support_manager(post_office, clock, desk):  # D5
    post_office.refuses["gone@example.com"] = "550 no such user"
    post([Letter("test", "message", Addressee("gone@example.com"), {"message": "Hello"})], NOON)
    deliver(clock)
    assert post_office.envelopes == [desk.manager.email]


def test_a_message_put_off_is_tried_again_after_a_minute_with_the_same_message_id(post_office, clock, case):  # M2
    post_office.refuses_once["slow@example.com"] = "451 greylisted, come back"
    (mail,) = queue(case, "slow@example.com")
    deliver(clock)
    clock.forward(timedelta(seconds=59))
    deliver(clock)
    assert post_office.received == []
    clock.forward(timedelta(seconds=1))
    deliver(clock)
    assert [message["Message-ID"] for message in post_office.received] == [mail.message_id]
    assert Mail.objects.get().attempts == 2


def test_retries_back_off_and_the_last_one_fails_for_good(post_office, clock, case, desk):  # M2
    post_office.refuses["full@example.com"] = "452 mailbox full"
    queue(case, "full@example.com")
    waits = []
    while (mail := Mail.objects.get(to_address="full@example.com")).status == MailStatus.QUEUED:
        waits.append(mail.send_at - clock.now)
        clock.now = mail.send_at
        deliver(clock)
    assert waits == [timedelta(0), *BACK_OFF]
    assert (mail.status, mail.attempts) == (MailStatus.FAILED, len(BACK_OFF) + 1)
    assert post_office.envelopes == [desk.technician.email]


def test_a_message_that_cannot_be_built_fails_alone(post_office, clock, case, desk):  # S2
    queue(case, "a@example.com", "b@example.com", "c@example.com")
    Mail.objects.filter(to_address="b@example.com").update(template="no_such_template")
    deliver(clock)
    assert post_office.envelopes == ["a@example.com", "c@example.com", desk.technician.email]
    assert "no_such_template" in Mail.objects.get(to_address="b@example.com").last_error


def test_a_message_without_an_address_is_not_called_sent(post_office, clock, case):
    queue(case, "a@example.com")
    Mail.objects.update(to_address="")
    deliver(clock)
    assert Mail.objects.get(to_address="").status == MailStatus.FAILED


# --- the reason no longer holds ---------------------------------------------------------------------------------


def test_a_question_is_dropped_when_the_customer_answered_before_it_left(post_office, clock, case, desk):  # M1, F6
    transitions.ask_customer(case.pk, desk.technician, NOON, question="Which one?", reason=WaitReason.INFORMATION)
    contact_log.customer_responded(case.pk, desk.technician, NOON, channel=Channel.PHONE, body="The red one")
    result = deliver(clock)
    mail = Mail.objects.get(template="question")
    assert (result.dropped, result.sent, post_office.received) == (1, 0, [])
    assert (mail.status, mail.attempts) == (MailStatus.DROPPED, 0)
    assert "they answered" in mail.last_error


def test_of_two_questions_only_the_newer_leaves(post_office, clock, case, desk):  # C5, M1
    for question in ("Which one?", "Which colour?"):
        transitions.ask_customer(case.pk, desk.technician, NOON, question=question, reason=WaitReason.INFORMATION)
    deliver(clock)
    (message,) = post_office.received
    assert "Which colour?" in message.get_body(("plain",)).get_content()


def test_a_message_for_an_open_case_is_dropped_once_it_is_resolved(post_office, clock, case, desk):  # M1
    queue(case, "a@example.com", template="reassigned")
    transitions.resolve(
        case.pk,
        desk.technician,
        NOON,
        resolution=transitions.Resolution.CONFIRMED,
        agreed_by=transitions.AgreedBy.PHONE,
        solution="Switched it on.",
    )
    deliver(clock)
    assert states()["a@example.com"] == MailStatus.DROPPED


# --- the server's trouble ---------------------------------------------------------------------------------------


def test_while_the_server_is_down_everything_waits_and_no_try_is_counted(port, clock, case):  # M2
    queue(case, *many(3))
    for _ in range(20):
        deliver(clock)
        clock.forward(timedelta(hours=6))
    assert set(Mail.objects.values_list("status", "attempts")) == {(MailStatus.QUEUED, 0)}
    assert "could not be used" in Mail.objects.first().last_error
    controller = Controller(handler := PostOffice(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        deliver(clock)
    finally:
        controller.stop()
    assert sorted(handler.envelopes) == many(3)


def test_a_server_that_refuses_us_as_a_sender_fails_no_message(post_office, clock, case):  # M2
    post_office.refuses_us = "550 sender not allowed"
    queue(case, *many(3))
    deliver(clock)
    assert set(Mail.objects.values_list("status", "attempts")) == {(MailStatus.QUEUED, 0)}


def test_a_server_that_hangs_up_after_every_third_message_is_called_again_at_once(post_office, clock, case):  # M2
    post_office.hangs_up_after = 3
    queue(case, *many(10))
    result = deliver(clock)
    assert (result.sent, result.put_off) == (10, 0)
    assert post_office.envelopes == many(10)
    assert post_office.connections == 4


def test_a_busy_server_that_answers_421_is_called_again(post_office, clock, case):  # M2
    post_office.refuses_once["reader1@example.com"] = "421 too many messages, closing"
    queue(case, *many(3))
    assert deliver(clock).sent == 3
    assert sorted(post_office.envelopes) == many(3)


def test_a_message_that_breaks_every_connection_holds_up_nobody(post_office, clock, case):  # M2, S2
    post_office.breaks_over = lambda address: address == "reader0@example.com"
    queue(case, *many(5))
    result = deliver(clock)
    assert (result.sent, result.put_off) == (4, 1)
    broken = Mail.objects.get(to_address="reader0@example.com")
    assert (broken.status, broken.attempts, broken.send_at) == (MailStatus.QUEUED, 1, NOON + BACK_OFF[0])


def test_after_one_message_that_is_not_answered_the_others_are_free_again_soon(
    post_office, clock, case, settings
):  # M2
    settings.EMAIL_TIMEOUT = 1
    post_office.hangs_over = {"reader1@example.com"}
    queue(case, *many(6))
    deliver(clock)
    hung = Mail.objects.get(to_address="reader1@example.com")
    assert (hung.status, hung.attempts, hung.send_at) == (MailStatus.QUEUED, 1, NOON + BACK_OFF[0])
    assert Mail.objects.filter(send_at=NOON + SOON, attempts=0).exclude(held_up_at=None).count() == 4
    clock.forward(SOON)
    assert deliver(clock).sent == 4


def test_a_server_that_breaks_over_everything_is_left_alone_soon(post_office, clock, case):  # M2
    post_office.breaks_over = lambda address: True
    queue(case, *many(10))
    deliver(clock)
    tried = Mail.objects.filter(attempts=1).count()
    assert tried == BREAKS_IN_A_ROW
    assert Mail.objects.filter(status=MailStatus.QUEUED, send_at=NOON + BACK_OFF[0]).count() == 10


# --- the server refuses everybody -------------------------------------------------------------------------------

REFUSES_EVERYBODY = (
    "550 no",
    "554 5.7.1 Relay access denied",
    "530 5.7.0 Authentication required",
    "550 5.1.1 unknown",
)


@pytest.mark.parametrize("answer", REFUSES_EVERYBODY)
def test_a_server_that_refuses_everybody_for_a_minute_loses_no_mail(post_office, clock, case, answer):  # M2
    everybody = many(30)
    post_office.refuses = dict.fromkeys(everybody, answer)
    queue(case, *everybody)
    for _ in range(6):
        deliver(clock)
        clock.forward(timedelta(seconds=10))
    assert set(Mail.objects.values_list("status", "attempts")) == {(MailStatus.QUEUED, 0)}
    assert Mail.objects.exclude(held_up_at=None).count() >= REFUSALS_IN_A_ROW
    post_office.refuses = {}
    for _ in range(12):
        deliver(clock)
        clock.forward(timedelta(seconds=10))
    assert set(states().values()) == {MailStatus.SENT}
    assert Counter(post_office.envelopes) == Counter(everybody)
    assert not Mail.objects.exclude(held_up_at=None).exists()


@pytest.mark.parametrize("where", ["greeting", "sign-in"])
def test_a_server_that_takes_nobody_in_loses_no_mail(port, clock, case, settings, where):  # M2
    """It answers 554 instead of a greeting, or 535 to the password."""
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = "desk" if where == "sign-in" else ""
    lines = {b"EHLO": b"250-mail\r\n250 AUTH PLAIN LOGIN", b"AUTH": b"535 5.7.8 no", b"QUIT": b"221 bye"}

    def serve() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line, line.makefile("rb") as said:
                line.sendall(b"554 go away\r\n" if where == "greeting" else b"220 mail\r\n")
                while word := said.readline()[:4].upper():
                    line.sendall(lines.get(word, b"535 5.7.8 no") + b"\r\n")

    with socket.create_server(("127.0.0.1", port)) as server:
        threading.Thread(target=serve, daemon=True).start()
        queue(case, *many(3))
        for _ in range(3):
            deliver(clock)
            clock.forward(timedelta(minutes=1))
        server.shutdown(socket.SHUT_RDWR)
    assert set(Mail.objects.values_list("status", "attempts")) == {(MailStatus.QUEUED, 0)}
    assert Mail.objects.exclude(held_up_at=None).count() == 3


def test_while_everybody_is_refused_the_server_is_left_alone_soon(post_office, clock, case):
    post_office.refuses = dict.fromkeys(many(30), "550 no")
    queue(case, *many(30))
    deliver(clock)
    assert Mail.objects.filter(last_error="Refused: 550 no").count() == REFUSALS_IN_A_ROW


def test_what_is_refused_first_is_not_lost_once_it_is_found_to_be_the_server(post_office, clock, case):  # M2
    """What was refused just before everybody is refused is nobody's own trouble yet, whatever the answer said."""
    post_office.refuses = {"reader0@example.com": "550 no"} | dict.fromkeys(many(9)[2:], "550 5.1.1 unknown")
    queue(case, *many(9))
    deliver(clock)
    said = states()
    assert said.pop("reader1@example.com") == MailStatus.SENT
    assert set(said.values()) == {MailStatus.QUEUED}
    post_office.refuses = {"reader0@example.com": "550 no"}
    clock.forward(timedelta(minutes=2))
    deliver(clock)
    said = states()
    assert said.pop("reader0@example.com") == MailStatus.FAILED
    assert set(said.values()) == {MailStatus.SENT}


@pytest.mark.parametrize("answer", REFUSES_EVERYBODY)
def test_what_a_server_refused_just_before_it_got_well_is_not_lost(post_office, clock, case, answer):  # M2
    """It refuses two readers, then takes everybody: the two were tried too soon."""
    post_office.refuses_once = dict.fromkeys(many(2), answer)
    queue(case, *many(6))
    deliver(clock)
    clock.forward(timedelta(minutes=1))
    deliver(clock)
    assert set(states().values()) == {MailStatus.SENT}


def test_many_unknown_readers_in_a_row_fail_once_the_server_takes_another_and_hold_up_nobody(
    post_office, clock, case
):  # M2
    gone = many(5)
    post_office.refuses = dict.fromkeys(gone, "550 5.1.1 unknown")
    queue(case, *gone)
    deliver(clock)
    assert set(states().values()) == {MailStatus.QUEUED}
    for number in range(5):  # two rounds a minute, in which the next ones show that the server is well
        clock.forward(timedelta(seconds=30))
        queue(case, f"well{number}@example.com", now=clock.now)
        deliver(clock)
        assert states()[f"well{number}@example.com"] == MailStatus.SENT
    assert {states()[one] for one in gone} == {MailStatus.FAILED}


def test_a_refusal_that_speaks_of_us_waits_while_others_of_another_domain_pass(post_office, clock, case, desk):  # M2
    """An expired relay rule refuses customers and takes colleagues."""
    post_office.refuses["a@customer.example"] = "554 5.7.1 Relay access denied"
    queue(case, "a@customer.example", "b@example.com")
    deliver(clock)
    assert states() == {"a@customer.example": MailStatus.QUEUED, "b@example.com": MailStatus.SENT}
    clock.forward(timedelta(minutes=1))
    queue(case, "c@customer.example", now=clock.now)  # their server takes a colleague: it is this reader's own trouble
    deliver(clock)
    assert "c@customer.example" in post_office.envelopes
    assert states()["a@customer.example"] == MailStatus.FAILED
    assert desk.technician.email in post_office.envelopes


def test_a_lone_reader_who_seems_refused_by_the_servers_trouble_fails_after_a_day_among_others(
    post_office, clock, case, desk
):  # M2
    post_office.refuses["a@customer.example"] = "554 5.7.1 Message refused"
    queue(case, "a@customer.example")
    for hour in range(26):
        clock.now = max(clock.now, Mail.objects.get(to_address="a@customer.example").send_at)
        queue(case, f"well{hour}@example.com", now=clock.now)
        deliver(clock)
        clock.forward(timedelta(hours=1))
    assert states()["a@customer.example"] == MailStatus.FAILED
    assert desk.technician.email in post_office.envelopes


def test_what_was_refused_is_tried_again_within_a_minute_at_first_and_each_quarter_of_an_hour_later(
    post_office, clock, case
):
    post_office.refuses["a@example.com"] = "550 no"
    queue(case, "a@example.com")
    waits = []
    for _ in range(18):
        deliver(clock)
        mail = Mail.objects.get()
        waits.append(mail.send_at - clock.now)
        clock.now = mail.send_at
    assert waits[0] == timedelta(minutes=1)
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(minutes=15)
    assert (mail.status, mail.attempts) == (MailStatus.QUEUED, 0)


# --- promises ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", ["451 come back", "breaks", "down", "550 no"])
def test_a_back_off_never_outlasts_the_promise_that_a_message_carries(port, clock, case, trouble, request):  # M2, T3
    """The server is well again 30 seconds before the deadline: the message arrives in time."""
    needed_by = NOON + timedelta(minutes=5)
    queue(case, "a@example.com", needed_by=needed_by)
    if trouble != "down":
        office = request.getfixturevalue("post_office")
        office.refuses = {"a@example.com": trouble} if trouble[0].isdigit() else {}
        office.breaks_over = lambda address: trouble == "breaks"
    while clock.now < needed_by - timedelta(seconds=30):
        deliver(clock)
        assert Mail.objects.get().send_at < needed_by
        clock.forward(timedelta(seconds=10))
    if trouble == "down":
        office = request.getfixturevalue("post_office")
    office.refuses, office.breaks_over = {}, lambda address: False
    while clock.now < needed_by:
        deliver(clock)
        clock.forward(timedelta(seconds=10))
    assert Mail.objects.get().sent_at < needed_by


def test_what_keeps_a_promise_goes_first_however_much_waits(post_office, clock, case):  # T3, M2
    queue(case, *many(3 * CLAIM))
    queue(case, "missed@example.com", needed_by=NOON - timedelta(minutes=1))
    queue(case, "later@example.com", needed_by=NOON + timedelta(hours=1))
    queue(case, "sooner@example.com", needed_by=NOON + timedelta(minutes=3))
    assert deliver(clock).sent == 3 * CLAIM + 3
    assert post_office.envelopes[:2] == ["sooner@example.com", "later@example.com"]
    assert post_office.envelopes[-1] == "missed@example.com"


def test_what_keeps_a_promise_is_tried_soon_after_the_server_was_away(port, clock, case):  # T3, M2
    queue(case, "first@example.com", "second@example.com", needed_by=NOON + timedelta(minutes=5))
    queue(case, "any@example.com")
    deliver(clock)  # nobody listens
    waits = dict(Mail.objects.values_list("to_address", "send_at"))
    assert {address: at - NOON <= SOON + timedelta(seconds=1) for address, at in waits.items()} == {
        "first@example.com": True,
        "second@example.com": True,
        "any@example.com": False,
    }


def test_a_message_that_breaks_the_server_holds_up_no_promise_but_its_own(post_office, clock, case):  # M2, T3
    queue(case, "breaks@example.com", needed_by=NOON + timedelta(minutes=3))
    queue(case, *many(CLAIM), needed_by=NOON + timedelta(minutes=5))
    post_office.breaks_over = lambda address: address == "breaks@example.com"
    while clock.now < NOON + timedelta(minutes=1):
        deliver(clock)
        clock.forward(timedelta(seconds=10))
    assert Mail.objects.filter(status=MailStatus.SENT).count() == CLAIM


def test_hurried_tries_do_not_use_up_the_patience_with_a_message(post_office, clock, case):  # M2
    post_office.refuses["a@example.com"] = "451 come back"
    queue(case, "a@example.com", needed_by=NOON + timedelta(minutes=5))
    waits = []
    while clock.now < NOON + timedelta(minutes=5):
        deliver(clock)
        mail = Mail.objects.get()
        waits.append(mail.send_at - clock.now)
        clock.now = mail.send_at
    assert min(waits) >= SOON
    assert mail.attempts <= 3
    deliver(clock)
    assert Mail.objects.get().send_at <= clock.now + BACK_OFF[3]


def test_a_notice_that_is_true_only_until_then_is_tried_again_before(post_office, clock, case):  # F2, M2
    post_office.refuses["a@example.com"] = "451 come back"
    queue(case, "a@example.com", send_by=NOON + timedelta(minutes=5))
    for _ in range(4):
        deliver(clock)
        clock.now = Mail.objects.get().send_at
    assert clock.now < NOON + timedelta(minutes=5)


# --- asked to stop ----------------------------------------------------------------------------------------------


def test_a_worker_that_is_asked_to_stop_gives_its_claims_back_between_two_messages(post_office, clock, case):  # M2
    asked = []
    post_office.on_message = lambda: asked.append(True)
    queue(case, *many(2 * CLAIM))
    assert deliver(clock, stopping=lambda: len(asked) >= 3).sent == 3
    assert Mail.objects.to_send(clock.now).count() == 2 * CLAIM - 3


@pytest.mark.django_db(transaction=True)
def test_a_message_that_hangs_is_broken_off_when_the_worker_is_asked_to_stop(post_office, case, monkeypatch):  # M2
    monkeypatch.setattr(outbox, "ENDS_WITHIN", 0.2)
    monkeypatch.setattr(leases, "LOOK_EVERY", 0.05)
    asked = threading.Event()
    post_office.on_message = lambda: (asked.set(), time.sleep(2))
    queue(case, *many(3), now=timezone.now())
    began = time.monotonic()
    deliver(timezone.now, stopping=asked.is_set)
    assert time.monotonic() - began < 1.5
    assert set(Mail.objects.values_list("status", "attempts")) == {(MailStatus.QUEUED, 0)}
    assert Mail.objects.to_send(timezone.now()).count() == 3


# --- crashes, leases, two at once -------------------------------------------------------------------------------


def database_dies_when_marking(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    if 'UPDATE "cases_mail" SET "status"' in sql:
        raise OperationalError("the database went away")
    return execute(sql, params, many, context)


@pytest.mark.django_db(transaction=True)
def test_a_crash_between_sending_and_marking_repeats_the_same_message_id(post_office, clock, case):  # M2
    (mail,) = queue(case, "a@example.com")
    with connection.execute_wrapper(database_dies_when_marking), pytest.raises(OperationalError):
        deliver(clock)
    assert Mail.objects.get().status == MailStatus.QUEUED  # not failed: it left
    clock.forward(LEASE - timedelta(seconds=1))
    deliver(clock)
    assert len(post_office.received) == 1
    clock.forward(timedelta(seconds=1))
    deliver(clock)
    assert [message["Message-ID"] for message in post_office.received] == [mail.message_id] * 2
    assert Mail.objects.get().status == MailStatus.SENT


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_slow_server_never_outlives_the_lease(post_office, case, monkeypatch):  # M2
    """Each message takes longer than the lease; a second worker that looks meanwhile finds nothing to send."""
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=0.4))
    monkeypatch.setattr(leases, "RENEW_EVERY", timedelta(seconds=0.1))
    monkeypatch.setattr(leases, "LOOK_EVERY", 0.05)
    over, found = threading.Event(), []

    def look() -> None:
        while not over.wait(0.05):
            found.extend(Mail.objects.to_send(timezone.now()))
        connection.close()

    queue(case, *many(3), now=timezone.now() - timedelta(minutes=1))
    second = threading.Thread(target=look)
    post_office.on_message = lambda: (second.is_alive() or second.start(), time.sleep(0.7))
    assert deliver(timezone.now).sent == 3
    over.set()
    second.join()
    assert found == []


@pytest.mark.django_db(transaction=True)
def test_a_claim_whose_worker_is_gone_is_free_again_within_a_minute(clock, case):  # M2
    queue(case, "a@example.com")
    dead = leases.Leases(clock, lambda: None)
    assert len(dead.claim()) == 1
    dead.__exit__(None, None, None)  # whoever is killed renews nothing any more
    clock.forward(timedelta(seconds=50))  # and a tick comes each ten seconds
    with leases.Leases(clock, lambda: None) as others:
        assert len(others.claim()) == 1


@pytest.mark.django_db(transaction=True)
def test_two_deliverers_at_once_send_nothing_twice(post_office, clock, desk):  # M2, S1
    case = desk.open_case()
    Mail.objects.all().delete()
    queue(case, *many(3 * CLAIM))
    sent = outcomes_at_once(lambda: deliver(clock).sent, lambda: deliver(clock).sent)
    assert sum(sent) == 3 * CLAIM
    assert Counter(post_office.envelopes) == Counter(many(3 * CLAIM))


WRITES: dict[str, Callable[[DeliveryRound, list[Mail]], None]] = {
    "renewed": lambda its, mails: leases.lease([mail.pk for mail in mails], NOON),
    "given back": lambda its, mails: its._give_back(mails),
    "held up": lambda its, mails: its._wait_for_server(mails),
    "taken": lambda its, mails: its.taken.extend(mails) or its._write_taken(),
}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", WRITES)
def test_two_workers_that_write_about_the_same_messages_never_block_each_other(clock, case, what):  # M2
    """Each locks the older one first, wherever its row stands in the table and in the list."""
    older, newer = queue(case, "a@example.com", "b@example.com")
    Mail.objects.filter(pk=older.pk).update(last_error="A new row, behind the other.")
    its = DeliveryRound(clock, Connections(keep=True), Circuit(""), never)
    its.leases = leases.Leases(clock, lambda: None)

    def write() -> None:
        WRITES[what](its, [newer, older])
        connection.close()

    other = threading.Thread(target=write)
    with transaction.atomic():
        Mail.objects.select_for_update().get(pk=older.pk)
        other.start()
        await_true(waits_for_this_connection, "The other worker's wait")
        assert Mail.objects.select_for_update(skip_locked=True).filter(pk=newer.pk).exists()
    other.join()


def waits_for_this_connection() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))")
        return cursor.fetchone() is not None


def test_several_batches_leave_over_one_connection(post_office, clock, case):
    queue(case, *many(3 * CLAIM + 1))
    assert deliver(clock).sent == 3 * CLAIM + 1
    assert post_office.connections == 1
    assert post_office.envelopes == many(3 * CLAIM + 1)


def test_without_a_mail_server_messages_are_kept_and_say_so(clock, case, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    settings.MAIL_IS_KEPT = True
    queue(case, "a@example.com")
    deliver(clock)
    mail = Mail.objects.get()
    assert (mail.status, mail.kept) == (MailStatus.SENT, True)
    assert "Hello" in mail.text


# --- again ------------------------------------------------------------------------------------------------------


def test_a_failed_message_is_sent_again_with_its_message_id_and_may_fail_again(post_office, clock, case, desk):
    post_office.refuses["gone@example.com"] = "550 no such user"
    (mail,) = queue(case, "gone@example.com")
    for told in (1, 2):
        deliver(clock)
        assert post_office.envelopes == [desk.technician.email] * told
        clock.forward(timedelta(hours=1))
        send_again(mail, clock.now)
    post_office.refuses.clear()
    deliver(clock)
    assert post_office.received[-1]["Message-ID"] == mail.message_id


def test_a_failed_message_whose_reason_no_longer_holds_is_dropped_instead_of_sent_again(
    post_office, clock, case, desk
):  # M1, M2
    post_office.refuses["gone@example.com"] = "550 no such user"
    (mail,) = queue(case, "gone@example.com", template="reassigned")
    deliver(clock)
    transitions.resolve(case.pk, desk.technician, clock.now, resolution=transitions.Resolution.NOT_PURSUED)
    assert "resolved" in send_again(mail, clock.now)
    assert states()["gone@example.com"] == MailStatus.DROPPED


# --- the same message, the same Message-ID ------------------------------------------------------------------------


def test_the_message_id_of_a_reason_is_the_same_after_a_restored_backup(case, settings):  # M2
    def write(**more: Any) -> str:
        Mail.objects.all().delete()
        (mail,) = queue(case, "a@example.com", **more)
        return mail.message_id

    due_at, later = NOON - timedelta(hours=1), NOON + timedelta(hours=1)
    first = write(occasion=due_at)
    assert write(occasion=due_at, now=later) == first
    assert write(occasion=later) != first  # another occasion
    assert write() != write(now=later)  # what a person set off again is another message
    case.opened_at += timedelta(seconds=1)  # the restored desk gave the number of a lost case to another one
    assert write(occasion=due_at) != first
    assert first.endswith(f"@{settings.MAIL_DOMAIN}>")


def test_nobody_can_guess_a_message_id_without_the_secret_key(settings):  # M2
    first = Mail.message_id_for("update:1")
    settings.SECRET_KEY = "another"
    assert Mail.message_id_for("update:1") != first


def test_a_reply_address_that_is_out_survives_a_new_secret_key(case, settings):  # M3
    first, second = queue(case, "a@example.com", "b@example.com")
    address = reply_address(first)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert reply_address(first) != address
    assert is_reply_address(address, first)
    assert is_reply_address(reply_address(first), first)
    assert not is_reply_address(address, second)
    settings.SECRET_KEY_FALLBACKS = []
    assert not is_reply_address(address, first)


def test_a_message_that_was_sent_cannot_be_sent_again(post_office, clock, case):
    (mail,) = queue(case, "a@example.com")
    deliver(clock)
    with pytest.raises(ValueError, match="Only a message that failed"):
        send_again(mail, NOON)


def test_a_support_manager_who_is_told_of_failures_is_the_one_in_office(post_office, clock, case, desk):  # D5
    desk.technician.email = ""
    desk.technician.save()
    newcomer = build_user(Role.SUPPORT_MANAGER, "newcomer")
    RoleHolder.objects.filter(role=Role.SUPPORT_MANAGER).update(holder=newcomer)
    post_office.refuses["gone@example.com"] = "550 no such user"
    queue(case, "gone@example.com")
    deliver(clock)
    assert post_office.envelopes == [newcomer.email]


# --- files (C3) -------------------------------------------------------------------------------------------------


def written(case: Case, desk: Desk, *files: SimpleUploadedFile) -> Mail:
    """A person's mail to the customer with files; its row."""
    word = contact_log.log_contact(
        case.pk,
        desk.technician,
        NOON,
        channel=Channel.EMAIL,
        direction=Direction.OUT,
        body="Please try this.",
        send=True,
        attachments=files,
    )
    return Mail.objects.get(key=f"message:{word.pk}")


BYTES = bytes(range(256)) * 40


def test_files_arrive_as_they_were(post_office, clock, case, desk, settings, tmp_path):  # C3, M1
    settings.DESK_FILES_DIR = tmp_path
    texts = {"windows.log": b"one\r\ntwo\r\n", "unix.log": b"one\ntwo", "手順.txt": "手順".encode("cp932")}
    everything = texts | {"photo.png": b"\x89PNG\r\n\x1a\n" + BYTES}
    mail = written(case, desk, *(SimpleUploadedFile(name, content) for name, content in everything.items()))
    deliver(clock)
    (message,) = post_office.received
    arrived = {part.get_filename(): part for part in message.iter_attachments()}
    assert {name: part.get_payload(decode=True) for name, part in arrived.items()} == everything
    assert {part.get_content_disposition() for part in arrived.values()} == {"attachment"}
    assert arrived["photo.png"].get_content_type() == "image/png"
    assert arrived["unix.log"].get_content_type() == "text/plain"
    mail.refresh_from_db()
    assert mail.status == MailStatus.SENT
    assert "Attached: windows.log" in message.get_body(("plain",)).get_content()
    assert message.get_body(("html",)) is not None


def test_a_file_that_is_gone_fails_its_mail_and_no_other(post_office, clock, case, desk, settings, tmp_path):  # C3, S2
    settings.DESK_FILES_DIR = tmp_path
    mail = written(case, desk, SimpleUploadedFile("fix.txt", b"Press the button."))
    queue(case, "a@example.com", "b@example.com")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.unlink()
    deliver(clock)
    mail.refresh_from_db()
    assert mail.status == MailStatus.FAILED
    assert mail.last_error == "The file “fix.txt” is not on the desk's disk any more. Write again, with the file."
    assert {"a@example.com", "b@example.com"} <= set(post_office.envelopes)
    assert mail.to_address not in post_office.envelopes
    told = Mail.objects.get(template="mail_failed")
    assert (told.to_address, told.facts["failed"]["error"]) == ("tech@example.com", mail.last_error)


def test_a_mail_takes_no_file_of_another_case_along(post_office, clock, case, desk, settings, tmp_path):  # A1, C3
    settings.DESK_FILES_DIR = tmp_path
    foreign = written(case, desk, SimpleUploadedFile("secret.txt", b"Theirs."))
    other = desk.open_case(company=desk.other_company)
    (mail,) = queue(other, "c@example.com")
    mail.facts |= {"files": foreign.facts["files"]}
    mail.save()
    deliver(clock)
    mail.refresh_from_db()
    assert mail.status == MailStatus.FAILED
    assert "c@example.com" not in post_office.envelopes
