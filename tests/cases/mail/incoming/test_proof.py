"""What proves the address of a sender, and what does not (M5a)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.mail.incoming import prove, read_message
from cases.mail.incoming.proof import LONGEST_FIELD, is_aligned

OURS = ("mx.desk.example", "mx2.desk.example")
ANN = "ann@acme.example"

PROVEN = {
    "dmarc": "mx.desk.example; dmarc=pass (p=none dis=none) header.from=acme.example",
    "capitals": "MX.desk.EXAMPLE; DMARC=Pass header.from=ACME.example",
    "the second server": "mx2.desk.example; dmarc=pass header.from=acme.example",
    "a version": "mx.desk.example 1; dmarc=pass header.from=acme.example",
    "an address in header.from": "mx.desk.example; dmarc=pass header.from=ann@acme.example",
    "gmail": (
        "mx.desk.example;\r\n dkim=pass header.i=@acme.example header.s=s1 header.b=AbC+dE/=;\r\n spf=pass "
        "(google.com: domain of ann@acme.example designates 192.0.2.1 as permitted sender) "
        "smtp.mailfrom=ann@acme.example;\r\n "
        "dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=acme.example"
    ),
    "rspamd": (
        "mx.desk.example;\r\n\tdkim=pass header.d=acme.example header.s=mail header.b=abc=;\r\n\tspf=pass "
        "(mx.desk.example: domain of ann@acme.example designates 192.0.2.1 as permitted sender) "
        "smtp.mailfrom=ann@acme.example"
    ),
    "opendkim": "mx.desk.example;\r\n\tdkim=pass (2048-bit key; unprotected) header.d=acme.example "
    'header.i=@acme.example header.b="kZ4=="',
    "dkim after a value that ends in equals signs": "mx.desk.example; dkim=pass header.b=abc= header.d=acme.example",
    "dkim of the domain above": "mx.desk.example; dkim=pass header.d=mail.acme.example",
    "spf of a domain below": "mx.desk.example; spf=pass smtp.mailfrom=bounces+1@mail.acme.example",
    "spf": "mx.desk.example; spf=pass smtp.mailfrom=acme.example",
    "one of several signatures": (
        "mx.desk.example; dkim=fail header.d=acme.example; dkim=pass header.d=lists.example; "
        "dkim=pass header.d=acme.example"
    ),
    "no dmarc record": "mx.desk.example; dmarc=none header.from=acme.example; spf=pass smtp.mailfrom=acme.example",
    "a quoted local part": 'mx.desk.example; spf=pass smtp.mailfrom="ann; (lee)"@acme.example',
    "nested comments": "mx.desk.example (a (b (c) d) e); dmarc=pass (x (y) z) header.from=acme.example (f)",
    "an escaped bracket": "mx.desk.example; dmarc=pass (a \\) b) header.from=acme.example",
    "blanks around the equals sign": "mx.desk.example ; dmarc = pass header.from = acme.example",
}

UNPROVEN = {
    "another server": ("mx.evil.example; dmarc=pass header.from=acme.example", "names mx.evil.example"),
    "a server that ends like ours": ("x.mx.desk.example; dmarc=pass header.from=acme.example", "no server of ours"),
    "no server": ("dmarc=pass header.from=acme.example", "names no server"),
    "nothing": ("", "not written"),
    "only blanks": ("   ", "names no server"),
    "none": ("mx.desk.example; none", "neither DMARC nor SPF nor DKIM"),
    "dmarc fails": ("mx.desk.example; dmarc=fail header.from=acme.example", "DMARC failed"),
    "dmarc fails beside a pass": (
        "mx.desk.example; dmarc=fail header.from=acme.example; dkim=pass header.d=acme.example",
        "DMARC failed",
    ),
    "dmarc for another domain": ("mx.desk.example; dmarc=pass header.from=evil.example", "passed for evil.example"),
    "dmarc for nobody": ("mx.desk.example; dmarc=pass", "a domain that is not named"),
    "dmarc twice": (
        "mx.desk.example; dmarc=none; dmarc=pass header.from=acme.example",
        "two things",
    ),
    "spf for another domain": ("mx.desk.example; spf=pass smtp.mailfrom=x@evil.example", "another domain"),
    "spf of the greeting": ("mx.desk.example; spf=pass smtp.helo=acme.example", "neither"),
    "softfail": ("mx.desk.example; spf=softfail smtp.mailfrom=ann@acme.example", "neither"),
    "dkim for another domain": ("mx.desk.example; dkim=pass header.d=evil.example", "another domain"),
    "a domain beside": ("mx.desk.example; dkim=pass header.d=evilacme.example", "another domain"),
    "compauth": ("mx.desk.example; compauth=pass reason=100", "neither"),
    "arc": ("mx.desk.example; arc=pass header.d=acme.example", "neither"),
    "a comment that says pass": ("mx.desk.example; dmarc=fail (dmarc=pass header.from=acme.example)", "DMARC failed"),
    "a quote that says pass": (
        'mx.desk.example; spf=fail smtp.mailfrom="x; dmarc=pass header.from=acme.example"@evil.example',
        "neither",
    ),
    "words of the sender that end the comment": (
        'mx.desk.example; spf=fail (domain of "a) ; dkim=pass header.d=acme.example ; (b"@evil.example is not)',
        "with certainty",
    ),
    "an open comment": ("mx.desk.example; spf=fail (; dmarc=pass header.from=acme.example", "with certainty"),
    "a bracket that closes nothing": ("mx.desk.example; ) dmarc=pass header.from=acme.example", "with certainty"),
    "an open quote": (
        'mx.desk.example; spf=fail smtp.mailfrom="; dmarc=pass header.from=acme.example',
        "with certainty",
    ),
    "a property twice": ("mx.desk.example; dkim=pass header.d=evil.example header.d=acme.example", "neither"),
    "too long": ("mx.desk.example; " + "x" * LONGEST_FIELD + "; dmarc=pass header.from=acme.example", "with certainty"),
}


@pytest.mark.parametrize("field", PROVEN.values(), ids=PROVEN)
def test_our_servers_word_proves_the_sender(field: str) -> None:  # M5a
    proof = prove(ANN, field.replace("\r\n", ""), OURS)
    assert proof.is_proven, proof.why
    assert "passed for" in proof.why


@pytest.mark.parametrize(("field", "why"), UNPROVEN.values(), ids=UNPROVEN)
def test_nothing_else_does(field: str, why: str) -> None:  # M5a
    proof = prove(ANN, field, OURS)
    assert not proof.is_proven
    assert why in proof.why


def test_without_the_name_of_our_server_nothing_is_proven() -> None:  # M5a
    proof = prove(ANN, PROVEN["dmarc"], ())
    assert (proof.is_proven, "no setting" in proof.why) == (False, True)


def test_a_message_without_a_sender_or_with_several_proves_nothing() -> None:  # M5a
    assert not prove("", PROVEN["dmarc"], OURS).is_proven
    two = b"From: ann@acme.example\nFrom: x@evil.example\nAuthentication-Results: mx.desk.example; dmarc=pass "
    message = read_message(two + b"header.from=acme.example\n\nHello\n")
    assert not prove(message.sender, message.authentication, OURS).is_proven


def test_the_field_of_microsoft_names_no_server_and_counts_only_where_a_setting_says_so() -> None:  # M5a
    field = (
        "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=acme.example; dkim=pass (signature was verified) "
        "header.d=acme.example;dmarc=pass action=none header.from=acme.example;compauth=pass reason=100"
    )
    assert not prove(ANN, field, OURS).is_proven
    assert prove(ANN, field, ("microsoft365",)).is_proven
    assert not prove(ANN, f"mx.evil.example; {field}", ("microsoft365",)).is_proven


def test_only_the_topmost_field_counts_however_it_is_folded() -> None:  # M5a
    ours = b"Authentication-Results: mx.desk.example;\r\n\tdmarc=fail\r\n\theader.from=acme.example\r\n"
    forged = b"Authentication-Results: mx.desk.example; dmarc=pass header.from=acme.example\r\n"
    rest = b"From: Ann <ann@acme.example>\r\n\r\nHello\r\n"
    for raw, proven in ((ours + forged + rest, False), (forged + ours + rest, True), (ours + rest + forged, False)):
        message = read_message(raw)
        assert prove(message.sender, message.authentication, OURS).is_proven == proven


@pytest.mark.parametrize(
    ("signer", "domain", "aligned"),
    [
        ("acme.example", "acme.example", True),
        ("mail.acme.example", "acme.example", True),
        ("acme.example", "mail.acme.example", True),
        ("a.acme.example", "b.acme.example", False),  # two customers of one provider
        ("acme.co.uk", "co.uk", False),
        ("co.uk", "acme.co.uk", False),
        ("mail.acme.co.uk", "acme.co.uk", True),
        ("example", "acme.example", False),
        ("notacme.example", "acme.example", False),
    ],
)
def test_a_domain_speaks_for_itself_and_those_above_and_below(signer: str, domain: str, aligned: bool) -> None:  # M5a
    assert is_aligned(signer, domain) == aligned


@given(st.text(alphabet='()"\\;=. \tadmrcpskifx', max_size=300), st.text(max_size=60))
def test_it_never_raises(field: str, sender: str) -> None:  # M5a
    prove(sender, field, OURS)
    prove(ANN, f"mx.desk.example; {field}", OURS)


@given(st.text(alphabet='()"\\;=. \tadmrcpskifx@', max_size=200))
def test_whatever_a_sender_has_our_server_quote_proves_nothing(words: str) -> None:  # M5a
    """A server writes the envelope sender as it came into a comment and, quoted, into a property."""
    quoted = words.replace("\\", "\\\\").replace('"', '\\"')
    for field in (
        f'mx.desk.example; spf=fail (domain of "{quoted}"@evil.example is not permitted) smtp.mailfrom=evil.example',
        f'mx.desk.example; spf=pass smtp.mailfrom="{quoted}"@evil.example',
    ):
        assert not prove(ANN, field, OURS).is_proven


@pytest.mark.parametrize("piece", ["(", ")", '"', "\\", ";", "a=b ", "dkim=pass header.d=x.example;", " = ", "((\\"])
def test_hostile_fields_take_linear_time(piece: str) -> None:  # M5a
    field = ("mx.desk.example; " + piece * LONGEST_FIELD)[:LONGEST_FIELD]
    began = time.process_time()
    for _ in range(20):
        prove(ANN, field, OURS)
    assert time.process_time() - began < 2
