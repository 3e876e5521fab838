"""Whatever comes in, the reader answers: nothing raises or recurses, and time is linear in the length (M6)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cases.mail.incoming import IncomingMessage, MessageKind, read_message
from cases.mail.incoming import reading as reading_module
from cases.mail.incoming.own_words import split
from cases.mail.incoming.reading import understand
from tests.cases.mail.incoming.samples import SAMPLES
from tests.support.examples import examples

HEAD = b"From: ann@customer.example\nTo: support@desk.example\nSubject: x\nMIME-Version: 1.0\n"
HTML = HEAD + b"Content-Type: text/html\n\n"
DAEMON = b"From: mailer-daemon@customer.example\nReturn-Path: <>\nSubject: failure notice\n\n"
#: Processor seconds; a quadratic reader needs hours for most of these.
BOUND = 20.0

LARGE: dict[str, Callable[[], bytes]] = {
    "text": lambda: HEAD + b"\n" + b"twenty-five letters a lin\n" * 1_000_000,
    "one-line": lambda: HEAD + b"\n" + b"a" * 25_000_000,
    "blank-lines": lambda: HEAD + b"\n" * 10_000_000,
    "tag-openings": lambda: HTML + b"<" * 2_000_000,
    "tags-without-end": lambda: HTML + b"<a " * 1_000_000,
    "comments-without-end": lambda: HTML + b"<!--" * 500_000,
    "values-with-brackets": lambda: HTML + b'<a x=">' * 300_000,
    "styles-without-end": lambda: HTML + b"<style>" * 300_000,
    "nested-blockquotes": lambda: HTML + b"<blockquote type=cite>a" * 100_000,
    "quoted-lines": lambda: HEAD + b"\n" + b"> quoted\n" * 100_000,
    "attributions": lambda: HEAD + b"\n" + b"On Monday at 10:00 Ann wrote:\n> x\n" * 50_000,
    "signature-dashes": lambda: HEAD + b"\n" + b"-- \n" * 100_000,
    "header-lines-in-the-text": lambda: HEAD + b"\n" + b"From: x\nTo: y\n" * 50_000,
    "multiparts-in-each-other": lambda: (
        HEAD + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(20_000))
    ),
    "messages-in-each-other": lambda: HEAD + b"Content-Type: message/rfc822\n\n" * 50_000,
    "many-parts": lambda: HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 20_000,
    "many-fields": lambda: HEAD + b"X-A: b\n" * 300_000 + b"\nx",
    "long-field": lambda: HEAD + b"X-A: " + b"b" * 5_000_000 + b"\n\nx",
    "comments-in-from": lambda: b"From: " + b"(" * 500_000 + b"\n\nx",
    "quotes-in-from": lambda: b"From: " + b'"\\' * 500_000 + b"\n\nx",
    "brackets-in-from": lambda: b"From: " + b"<" * 500_000 + b"\n\nx",
    "at-signs-in-from": lambda: b"From: " + b"a@" * 500_000 + b"\n\nx",
    "encoded-words-without-end": lambda: b"From: a@b.example\nSubject: " + b"=?a?q?" * 100_000 + b"\n\nx",
    "parameters": lambda: HEAD + b"Content-Type: text/plain" + b'; a="' * 100_000 + b"\n\nx",
    "uuencoded-openings": lambda: HEAD + b"\n" + b"begin 644 a\n" * 100_000,
    "uuencoded-files": lambda: HEAD + b"\n" + b"begin 644 a\nend\n" * 50_000,
    "jis-letters": lambda: HEAD + b"Content-Type: text/plain; charset=iso-2022-jp\n\n" + b"\x1b$B-!\x1b(B" * 100_000,
    "status-fields": lambda: (
        HEAD
        + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"
        + b"Content-Type: message/delivery-status\n\n"
        + b"Final-Recipient: rfc822; a@b.example\nAction: failed\n\n" * 50_000
    ),
    "failures-in-words": lambda: DAEMON + b"could not be delivered to a@b.example " * 100_000,
    "days": lambda: HEAD + b"Auto-Submitted: auto-replied\n\n" + b"out of office 12.08. " * 100_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("build", LARGE.values(), ids=LARGE)
def test_a_large_message_is_read_in_linear_time(build: Callable[[], bytes]) -> None:  # M6
    raw = build()
    began = time.process_time()
    understand(raw)
    assert time.process_time() - began < BOUND


@pytest.mark.slow
def test_what_is_too_long_is_said() -> None:  # M7
    for name in ("blank-lines", "many-parts", "many-fields", "long-field"):
        assert understand(LARGE[name]()).why.endswith("the raw message has the rest."), name


def test_no_line_is_lost_of_a_hundred_thousand() -> None:  # M7
    read = understand(LARGE["quoted-lines"]())
    assert read.quoted.count("\n") == 99_999
    assert read.text == ""


def check(read: IncomingMessage) -> None:
    """What holds of every message: it can be stored and sent on, and its header values are one line each."""
    everything = [
        *(read.sender, read.sender_name, read.subject, read.message_id, read.text, read.quoted, read.why),
        *(*read.recipients, *read.references, *read.failed_recipients, *read.returned_ids),
        *(value for file in read.attachments for value in (file.name, file.content_type, file.content_id)),
    ]
    json.dumps(everything, ensure_ascii=False).encode()
    assert "\0" not in "".join(everything)
    one_line = [*everything[:4], *everything[6:]]
    assert not [value for value in one_line if "\n" in value or "\r" in value]
    assert all(file.name for file in read.attachments)
    assert read.why
    assert (read.kind is MessageKind.BOUNCE) or not read.failed_recipients
    assert (read.kind is MessageKind.OUT_OF_OFFICE) or not read.absence


@examples(1_000)
@given(st.binary(max_size=2_000))
def test_arbitrary_bytes_are_read(raw: bytes) -> None:  # M6
    check(understand(raw))


@examples(1_000)
@given(st.binary(max_size=400))
def test_arbitrary_bytes_below_a_header_are_read(body: bytes) -> None:  # M6
    for kind in (b"text/plain", b"text/html", b"multipart/mixed; boundary=b", b"text/plain; charset=iso-2022-jp"):
        check(understand(HEAD + b"Content-Type: " + kind + b"\n\n" + body))


_PIECES = (
    *(
        b"\n",
        b"\r\n",
        b"\0",
        b"\x1b$B",
        b"\x1b(B",
        b"=?utf-8?B?",
        b"?=",
        b"(",
        b"<",
        b"@",
        b'"',
        b"\\",
        b";",
        b"*0*=",
        b"\xe3",
    ),
    *(
        b"--=_edge_1\n",
        b"--=_edge_1--\n",
        b"Content-Type: ",
        b"multipart/mixed",
        b"message/rfc822",
        b"text/html",
        b"charset=",
    ),
    *(
        b"base64",
        b"> ",
        b"-- \n",
        b"On Monday Ann wrote:\n",
        b"<blockquote>",
        b"<!--",
        b"&#xD800;",
        b"\xff\xfe",
        b"From: ",
    ),
    *(b"unicode_escape", b"idna", b"rot13", b"begin 644 x\n", b"Action: failed\n", b"Date: "),
)


@examples(2_000)
@given(
    st.sampled_from([sample.raw for sample in SAMPLES if len(sample.raw) < 5_000]),
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from(_PIECES) | st.binary(max_size=3), st.integers(0, 30)), max_size=8
    ),
)
@example(HEAD + b"Content-Type: text/pla\0in\nContent-ID: <\x80>\n\nx", [])
@example(HEAD + b"Content-Type: application/\x80pdf; name=a.pdf\nContent-ID: <\n x>\n\nx", [])
@example(HEAD + b"Auto-Submitted: auto\0-\x80replied\n\nx", [])
@example(b"From: a\0@b.example, c@d\0.example\n\nx", [])
def test_damaged_messages_are_read(raw: bytes, damages: list[tuple[float, bytes, int]]) -> None:  # M6
    for place, piece, gone in damages:
        at = int(place * len(raw))
        raw = raw[:at] + piece + raw[at + gone :]
    check(understand(raw))


_LINES = st.sampled_from(
    [
        *(
            "",
            " ",
            "own words",
            "> quoted",
            ">> deeper",
            "-- ",
            "--",
            "On Monday at 10:00 Ann wrote:",
            "From: Ann <a@b.example>",
        ),
        *(
            "Sent: Monday",
            "To: Ben",
            "Subject: x",
            "-----Original Message-----",
            "Sent from my iPhone",
            "________________",
        ),
        *(
            "Am Montag um 10:00 schrieb Ann:",
            "差出人: Ann",
            "件名: x",
            "送信日時: 2026",
            "|> old",
            "---------- x ----------",
        ),
    ]
)


@examples(2_000)
@given(st.lists(_LINES, max_size=40))
def test_every_line_is_in_the_own_words_or_folded_away(lines: list[str]) -> None:  # M7
    found = split("\n".join(lines))
    kept = sorted(line.rstrip() for line in [*found.own.split("\n"), *found.quoted.split("\n")] if line.strip())
    assert kept == sorted(line.rstrip() for line in lines if line.strip())


def test_whatever_was_not_foreseen_waits_as_unreadable(monkeypatch) -> None:  # M6
    def fails(*_: object) -> IncomingMessage:
        raise RecursionError

    monkeypatch.setattr(reading_module, "understand", fails)
    read = read_message(b"From: a@b.example\n\nx")
    assert (read.kind, read.why) == (MessageKind.UNREADABLE, "It could not be read (RecursionError).")
