"""Builds raw messages from few words, and says what the desk should make of each."""

from __future__ import annotations

import base64
import quopri
from dataclasses import dataclass

OURS = "Support Desk <support@desk.example>"
ANN = "Ann Miller <ann@customer.example>"


@dataclass(frozen=True)
class Sample:
    """A raw message and what is expected; None says that nothing is."""

    name: str
    raw: bytes
    kind: str
    text: str | None = None
    files: tuple[str, ...] | None = ()
    failed: tuple[str, ...] = ()
    subject: str | None = None
    sender: str | None = None
    away: tuple[str | None, str] | None = None  # first day away, day back
    quoted: str | None = None  # a piece of what is folded away
    #: Of the half that was written before the reader was.
    first_half: bool = True


def word(text: str, charset: str = "utf-8", how: str = "B", data: bytes | None = None) -> str:
    """An encoded word (RFC 2047)."""
    data = text.encode(charset) if data is None else data
    if how == "B":
        return f"=?{charset}?B?{base64.b64encode(data).decode()}?="
    return f"=?{charset}?Q?{''.join(chr(b) if chr(b).isalnum() and b < 128 else f'={b:02X}' for b in data)}?="


def part(
    body: str | bytes, kind: str = "text/plain", *, charset: str = "utf-8", how: str = "8bit", head: str = ""
) -> bytes:
    """One MIME part with its header."""
    data = body.encode(charset) if isinstance(body, str) else body
    if isinstance(body, str) and "charset" not in kind and kind.startswith("text/"):
        kind += f"; charset={charset}"
    if how == "base64":
        data = base64.encodebytes(data)
    elif how == "quoted-printable":
        data = quopri.encodestring(data)
    lines = [f"Content-Type: {kind}", f"Content-Transfer-Encoding: {how}", *head.splitlines()]
    return "\n".join(lines).encode("latin-1", "replace") + b"\n\n" + data


def several(kind: str, *parts: bytes, boundary: str = "=_edge_1") -> bytes:
    """A multipart with its header."""
    edge = boundary.encode()
    kind = kind if "/" in kind else f"multipart/{kind}"
    body = b"".join(b"--" + edge + b"\n" + each + b"\n" for each in parts)
    return f'Content-Type: {kind}; boundary="{boundary}"\n\n'.encode() + body + b"--" + edge + b"--\n"


def mail(
    content: str | bytes,
    *,
    subject: str = "Replication stops",
    sender: str = ANN,
    to: str = OURS,
    head: str = "",
    charset: str = "utf-8",
    how: str = "8bit",
    date: str = "Mon, 10 Aug 2026 09:30:00 +0200",
) -> bytes:
    """A raw message; `content` is its text, or a part with its header."""
    body = part(content, charset=charset, how=how) if isinstance(content, str) else content
    lines = [
        f"From: {sender}",
        f"To: {to}",
        f"Subject: {subject}",
        f"Date: {date}",
        "Message-ID: <m1@customer.example>",
    ]
    lines += ["MIME-Version: 1.0", *head.splitlines()]
    return "\n".join(line for line in lines if line).encode("utf-8") + b"\n" + body


def attached(name: str, data: bytes = b"%PDF-1.4 x", kind: str = "application/pdf", head: str = "") -> bytes:
    return part(
        data, f'{kind}; name="{name}"', how="base64", head=head or f'Content-Disposition: attachment; filename="{name}"'
    )


def report(human: str, status: str, returned: bytes | None = None, *, kind: str = "delivery-status") -> bytes:
    """The body of a delivery status notification (RFC 3464) with the message it returns."""
    parts = [part(human), part(status.encode(), f"message/{kind}", how="7bit")]
    if returned is not None:
        parts.append(part(returned, "message/rfc822", how="8bit"))
    return several(f"multipart/report; report-type={kind}", *parts)


OUR_MAIL = (
    b"From: Support Desk <support@desk.example>\nTo: ann@customer.example\nSubject: [Case 4711] An update\n"
    b"Message-ID: <case-4711-9@desk.example>\n\nDear Ann,\nwe look at the log now.\n"
)
