"""The mail that came in at the demonstration, as raw messages: one of each kind, and a handful that waits in triage.

Everything goes through the real door (`receive`). The header in which a mail server says whether it checked the sender
(M5a) names a server that exists only here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, formataddr

from django.conf import settings

from cases.enums import Channel, Door, MailStatus, Status
from cases.inbox.receive import receive
from cases.models import Case, Mail
from config.demo.playing import keep_mail
from contacts.models import Contact

SERVER = "mx.support-desk.example"
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class IncomingLetter:
    """A message that comes in: who writes what, how long before the present. `checked` says that the server did."""

    ago: timedelta
    name: str
    address: str
    subject: str
    text: str
    checked: bool = False
    answers: str = ""  # the Message-ID of a message of ours
    html: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def raw(self, now: datetime, number: int) -> bytes:
        """The bytes as the mail server hands them over."""
        message = EmailMessage()
        if self.checked:
            domain = self.address.rpartition("@")[2]
            message["Authentication-Results"] = f"{SERVER}; dmarc=pass header.from={domain}"
        message["From"] = formataddr((self.name, self.address))
        message["To"] = settings.DEFAULT_FROM_EMAIL
        message["Subject"] = self.subject
        message["Date"] = format_datetime(now - self.ago)
        message["Message-ID"] = f"<demo-{number}-{int(now.timestamp())}@mail.example>"
        if self.answers:
            message["In-Reply-To"] = message["References"] = self.answers
        for name, value in self.headers.items():
            message[name] = value
        message.set_content(self.text)
        if self.html:
            message.add_alternative(self.html, subtype="html")
        for name, data in self.files.items():
            message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
        return bytes(message)


def receive_mail(now: datetime) -> None:
    """Let the messages come in, in the hours before `now`; after the cases have been played."""
    with _checking_server():
        letters = sorted(_letters(now), key=lambda letter: letter.ago, reverse=True)
        for number, letter in enumerate(letters):
            _comes_in(letter.raw(now, number), now - letter.ago)
        for number, raw in enumerate(_reports(now)):
            _comes_in(raw, now - (8 - 5 * number) * MINUTE)


def _comes_in(raw: bytes, at: datetime) -> None:
    """The message comes in, and whoever is told of it is told at once."""
    receive(raw, at, door=Door.MAILDIR)
    keep_mail(at)


@contextmanager
def _checking_server() -> Iterator[None]:
    """The desk believes the server of the demonstration while its messages come in, and no longer."""
    before = settings.MAIL_AUTH_SERVER
    settings.MAIL_AUTH_SERVER = [*before, SERVER]
    try:
        yield
    finally:
        settings.MAIL_AUTH_SERVER = before


def _letters(now: datetime) -> Iterator[IncomingLetter]:
    yield from _known_people(now)
    yield IncomingLetter(
        165 * MINUTE,
        "Dana Whitlock",
        "dana.whitlock@harbourline.example",
        "Label printers stand still since this morning",
        "Hello,\n\nwe are new at Harbour Line and were told to write here. Two label printers in the north hall print "
        "empty labels since 7:40; nothing was changed as far as I know.\n\nCan somebody look at it today?\n\n"
        "Dana Whitlock\n-- \nHarbour Line, warehouse operations\n+1 202-555-0187",
        html="<p>Hello,</p><p>we are new at <b>Harbour Line</b> and were told to write here. Two label printers in the "
        "north hall print <i>empty</i> labels since 7:40; nothing was changed as far as I know.</p>"
        '<p>Can somebody look at it today?</p><p>Dana Whitlock</p><img src="https://harbourline.example/logo.png">',
        files={"empty-label.txt": b"^XA^FO50,50^ADN,36,20^FD^FS^XZ\n"},
    )
    yield IncomingLetter(
        48 * MINUTE,
        "Trade Fair Team",
        "offers@tradefair.example",
        "Last call: your stand at the Logistics Fair",
        "Only three stands are left in hall 4. Answer by Friday and save 20 %.",
        html="<h1>Last call</h1><p>Only three stands are left in hall 4. "
        '<a href="https://tradefair.example/stand?c=4711">Book now</a> and save 20 %.</p>',
    )
    yield IncomingLetter(
        31 * MINUTE,
        "Calendar",
        "calendar@meet.example",
        "Accepted: review of the open cases",
        "The invitation was accepted.",
        headers={"Auto-Submitted": "auto-replied", "Precedence": "bulk"},
    )


def _known_people(now: datetime) -> Iterator[IncomingLetter]:
    """What contacts of the customers write; nothing that would change what the played cases show."""
    case = _case_in_work()
    ours = Mail.objects.filter(case=case, to_address=case.contact.email, status=MailStatus.SENT).order_by("-pk").first()
    if ours is not None:
        yield IncomingLetter(
            64 * MINUTE,
            case.contact.name,
            case.contact.email,
            f"Re: {ours.subject}",
            "Thank you. It happened twice more since, both times right after the shift change.\n\n"
            f"{case.contact.name}\n\nOn our side, Support Desk wrote:\n> {ours.subject}\n> We look into it and come "
            "back to you.",
            checked=True,
            answers=ours.message_id,
            files={"times.csv": b"at,device\n06:02,scanner 4\n14:03,scanner 4\n"},
        )
        yield IncomingLetter(
            22 * MINUTE,
            case.contact.name,
            case.contact.email,
            f"Re: {ours.subject}",
            "One more thing: our night shift reports the same for the scanner at gate 2.",
            answers=ours.message_id,
        )
    others = Contact.objects.filter(is_help_desk=True, active=True).exclude(company=case.company_id)
    asker = others.exclude(email="").order_by("pk")[5]
    yield IncomingLetter(
        17 * MINUTE,
        asker.name,
        asker.email,
        "Question about our last invoice",
        "The last invoice lists 14 support days, we count 11. Who can tell us which days these are?",
    )
    domain = asker.email.rpartition("@")[2]
    yield IncomingLetter(
        9 * MINUTE,
        "Sam Ortega",
        f"sam.ortega@{domain}",
        "VPN drops every few minutes",
        "Hi, I am the new colleague on the night desk. The VPN drops every few minutes for six of us.",
    )
    yield IncomingLetter(
        38 * MINUTE,
        asker.name,
        asker.email,
        "Automatic reply: out of office",
        "I am out of office until the end of the week. Please turn to my colleagues at the help desk.",
        headers={"Auto-Submitted": "auto-replied"},
    )


def _case_in_work() -> Case:
    """A case that is worked on and was opened by mail or at least has a customer with an address."""
    found = Case.objects.filter(status=Status.IN_PROGRESS).exclude(contact__email="").select_related("contact")
    return found.exclude(opened_by_channel=Channel.CHAT).order_by("-pk")[1]


def _reports(now: datetime) -> Iterator[bytes]:
    """What mail servers report: a message of ours that is late, and one that did not arrive."""
    case = _case_in_work()
    sent = list(Mail.objects.filter(case=case, status=MailStatus.SENT).order_by("-pk")[:2])
    for mail, action, status, said in zip(
        sent,
        ("delayed", "failed"),
        ("4.4.1", "5.2.2"),
        ("The server of the recipient does not answer; it is tried again for two days.", "The mailbox is full."),
        strict=False,
    ):
        name, domain = ("Delayed", mail.to_address.rpartition("@")[2])
        if action == "failed":
            name = "Undeliverable"
        yield (
            f"From: Mail Delivery System <mailer-daemon@{SERVER}>\r\n"
            f"To: {settings.DEFAULT_FROM_EMAIL}\r\nSubject: {name}: {mail.subject}\r\n"
            f"Date: {format_datetime(now)}\r\nMessage-ID: <report-{mail.pk}@{SERVER}>\r\n"
            "Auto-Submitted: auto-replied\r\n"
            'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="r"\r\n\r\n'
            f"--r\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{said}\r\n"
            f"--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; {SERVER}\r\n\r\n"
            f"Final-Recipient: rfc822; {mail.to_address}\r\nAction: {action}\r\nStatus: {status}\r\n"
            f"Remote-MTA: dns; mx.{domain}\r\nDiagnostic-Code: smtp; {status.replace('.', '')} {said}\r\n"
            f"--r\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {mail.message_id}\r\n"
            f"Subject: {mail.subject}\r\n--r--\r\n"
        ).encode()
