"""The bytes of a message: those that Django would send, built once (M2)."""

from __future__ import annotations

from django.core.mail import EmailMultiAlternatives
from hypothesis import given
from hypothesis import strategies as st

from cases.mail.mime import BuiltMessage

LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=200)
ADDRESSES = st.sampled_from(["a@example.com", "Ann <ann@example.com>", "Jörg Müller <j@xn--mller-kva.example>"])


@given(subject=LINES, text=st.text(st.characters(exclude_categories=["Cs"]), max_size=300), word=LINES, to=ADDRESSES)
def test_a_built_message_is_byte_for_byte_what_django_makes(subject: str, text: str, word: str, to: str) -> None:
    headers = {"X-Word": word, "X-Long": "word " * 40, "Message-ID": "<1@example.com>", "To": to}
    message = EmailMultiAlternatives(subject, text, "desk@example.com", [to], headers=headers)
    message.attach_alternative(f"<p>{text}</p>", "text/html")
    message.attach("notes.txt", "1\n2\r\n3", "text/plain")
    built = BuiltMessage(message)
    ours, theirs = built.message().as_bytes(linesep="\r\n"), message.message().as_bytes(linesep="\r\n")
    assert without_boundaries(ours) == without_boundaries(theirs)
    assert (built.recipients(), built.from_email) == (message.recipients(), message.from_email)
    assert built.message().as_bytes() is ours


def without_boundaries(content: bytes) -> list[bytes]:
    """The lines, but for the random boundary and the moment of the date."""
    named = [line.split(b'"')[1] for line in content.split(b"\r\n") if b"boundary=" in line]
    for number, boundary in enumerate(named):
        content = content.replace(boundary, b"boundary %d" % number)
    return [line for line in content.split(b"\r\n") if not line.startswith(b"Date:")]
