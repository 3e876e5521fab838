"""Raw messages as mail programs and mail servers write them, for tests of what comes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from itertools import count

_sequence = count(1)


def raw_mail(
    sender: str = "Ann <desk@acme.example.com>",
    *,
    to: str = "support@support-desk.example.com",
    subject: str = "It hangs",
    text: str = "It hangs again.",
    references: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
    files: Mapping[str, bytes] | None = None,
    message_id: str = "",
) -> bytes:
    """A message that a person might have written. `headers` stand above all others, as a server adds them."""
    message = EmailMessage()
    for name, value in (headers or {}).items():
        message[name] = value
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = "Wed, 3 Jun 2026 12:30:00 +0000"
    message["Message-ID"] = message_id or f"<{next(_sequence)}@mail.acme.example.com>"
    if references:
        message["In-Reply-To"] = references[-1]
        message["References"] = " ".join(references)
    message.set_content(text)
    for name, data in (files or {}).items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return bytes(message)


#: The name of the server whose Authentication-Results the tests trust.
AUTH_SERVER = "mx.desk.example"


def proven(sender: str) -> dict[str, str]:
    """The header that our own mail server writes above a message whose sender it has checked (M5a)."""
    domain = sender.rpartition("@")[2].strip("<> ")
    return {"Authentication-Results": f"{AUTH_SERVER}; dmarc=pass (p=none dis=none) header.from={domain}"}


def bounce_of(
    message_id: str,
    recipient: str,
    *,
    to: str = "support@support-desk.example.com",
    action: str = "failed",
    status: str = "5.1.1",
) -> bytes:
    """What a mail server reports of a mail to `recipient`, with the header of what it returns; "" returns nothing."""
    returned = f"""\
--b
Content-Type: text/rfc822-headers

Message-ID: {message_id}
Subject: Something of ours

"""
    return f"""\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.acme.example>
To: {to}
Subject: Delivery Status Notification
Message-ID: <{next(_sequence)}.dsn@mx.acme.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

<{recipient}>: the host said: 550 5.1.1 no such user

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.acme.example

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 no such user

{returned if message_id else ""}--b--
""".encode()
