"""The bytes of a message: those that Django would send, built once (M2)."""

from __future__ import annotations

from email.generator import Generator
from itertools import count

import pytest
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import sanitize_address
from hypothesis import given
from hypothesis import strategies as st

from cases.mail import mime
from cases.mail.mime import BuiltMessage

LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=200)
ADDRESSES = st.sampled_from(["a@example.com", "Ann <ann@example.com>", "Jörg Müller <j@xn--mller-kva.example>"])


PIECES = ["word ", "Ü", "\n", "\r", "\r\n", ".", "\x0b", "\u2028", "x" * 500]
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
)


def letter(subject: str, text: str, to: str = "a@example.com", **headers: str) -> EmailMultiAlternatives:
    """A message with a text and its HTML, as the desk writes them."""
    headers = {"X-Long": "word " * 40, "Message-ID": "<1@example.com>", "To": to, **headers}
    message = EmailMultiAlternatives(
        subject, text, "desk@example.com", [to], reply_to=["support+1.ab@example.com"], headers=headers
    )
    message.attach_alternative(f"<p>{text}</p>", "text/html")
    return message


@given(subject=LINES, text=TEXTS, word=LINES, to=ADDRESSES, attached=st.booleans())
def test_a_built_message_is_byte_for_byte_what_django_makes(
    subject: str, text: str, word: str, to: str, attached: bool
) -> None:
    message = letter(subject, text, to, **{"X-Word": word})
    if attached:
        message.attach("notes.txt", "1\n2\r\n3", "text/plain")
    built = BuiltMessage(message)
    ours, theirs = built.message().as_bytes(linesep="\r\n"), message.message().as_bytes(linesep="\r\n")
    assert without_boundaries(ours) == without_boundaries(theirs)
    assert (built.recipients(), built.from_email) == (message.recipients(), message.from_email)
    assert built.message().as_bytes() is ours


def test_a_text_and_its_html_are_not_put_through_the_generator_of_python(monkeypatch: pytest.MonkeyPatch) -> None:
    def flatten(*args: object, **kwargs: object) -> None:
        raise AssertionError("it was flattened")

    monkeypatch.setattr(Generator, "flatten", flatten)
    built = BuiltMessage(letter("Word", "Guten Tag.\n\nGrüße.\n"))
    assert "\r\n\r\nGrüße.\r\n".encode() in built.message().as_bytes()


def test_a_boundary_stands_in_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count(1)
    monkeypatch.setattr(mime.random, "randrange", lambda most: next(numbers))
    text = "\n".join(f"--==============={number:019d}==" for number in (1, 2))
    content = BuiltMessage(letter("Word", text)).message().as_bytes()
    assert b'boundary="===============0000000000000000003=="' in content
    assert content.count(b"\r\n--===============0000000000000000003==") == 3


@given(to=ADDRESSES)
def test_the_envelope_is_what_django_would_write_into_it(to: str) -> None:
    message = letter("Word", "Text", to)
    message.from_email = "Büro <desk@example.com>"
    expected = sanitize_address(message.from_email, "utf-8"), [sanitize_address(to, "utf-8")]
    assert BuiltMessage(message).envelope == expected


def test_an_address_that_cannot_be_mailed_is_refused_as_the_message_is_built() -> None:
    with pytest.raises(ValueError, match="Invalid address"):
        BuiltMessage(letter("Word", "Text", "@"))


def without_boundaries(content: bytes) -> list[bytes]:
    """The lines, but for the random boundary and the moment of the date."""
    named = [line.split(b'"')[1] for line in content.split(b"\r\n") if b"boundary=" in line]
    for number, boundary in enumerate(named):
        content = content.replace(boundary, b"boundary %d" % number)
    return [line for line in content.split(b"\r\n") if not line.startswith(b"Date:")]
