"""Everything else that no person wrote: receipts, acceptances, tickets opened, newsletters, challenges."""

from tests.cases.mail.incoming.samples.build import Sample, mail, part, report, several, word

_REPLY = (
    "BEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\nATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@customer.example\n"
    "END:VEVENT\nEND:VCALENDAR\n"
)
_MDN = (
    "Reporting-UA: mail.customer.example\nFinal-Recipient: rfc822;ann@customer.example\nOriginal-Message-ID: "
    "<case-4711-9@desk.example>\n"
    "Disposition: manual-action/MDN-sent-manually; displayed\n"
)


def _auto(name: str, text: str, head: str = "", *, first: bool = True, **more: str) -> Sample:
    return Sample(f"automatic-{name}", mail(text, head=head, **more), "automatic", files=None, first_half=first)


SAMPLES = [
    Sample(
        "automatic-acceptance",
        mail(
            several("alternative", part(""), part(_REPLY, "text/calendar; method=REPLY")),
            subject="Accepted: Call about the case",
        ),
        "automatic",
        files=None,
    ),
    Sample(
        "automatic-acceptance-alone",
        mail(part(_REPLY, 'text/calendar; charset="utf-8"; METHOD=REPLY'), subject=word("Zugesagt: Termin")),
        "automatic",
        files=None,
        first_half=False,
    ),
    Sample(
        "automatic-decline-google",
        mail(
            several(
                "mixed",
                several(
                    "alternative",
                    part("Ann Miller has declined this invitation."),
                    part(_REPLY, "text/calendar; charset=UTF-8; method=REPLY"),
                ),
                part(_REPLY.encode(), 'application/ics; name="invite.ics"'),
            ),
            subject="Declined: Call @ Tue Aug 11",
        ),
        "automatic",
        files=None,
        first_half=False,
    ),
    Sample(
        "automatic-read-receipt",
        mail(
            report("Your message was read on 10 August 2026.", _MDN, kind="disposition-notification"),
            subject="Read: An update",
        ),
        "automatic",
        files=None,
    ),
    Sample(
        "automatic-deleted-unread",
        mail(
            report(
                "Your message was deleted without being read.",
                _MDN.replace("displayed", "deleted"),
                kind="disposition-notification",
            ),
            subject="Not read: An update",
        ),
        "automatic",
        files=None,
        first_half=False,
    ),
    Sample(
        "automatic-abuse-report",
        mail(
            report("A user reported this mail.", "Feedback-Type: abuse\nVersion: 1\n", kind="feedback-report"),
            sender="fbl@provider.example",
        ),
        "automatic",
        files=None,
        first_half=False,
    ),
    _auto(
        "ticket-opened",
        "Thank you for contacting us. Your request has been received as ticket 4402.",
        "Auto-Submitted: auto-replied\n",
        subject="[Ticket 4402] received",
    ),
    _auto(
        "suppressing",
        "Your request 77 was assigned.",
        "X-Auto-Response-Suppress: All\n",
        first=False,
        sender="Service <noreply@customer.example>",
    ),
    _auto("noreply", "This is an automated message, please do not reply.", sender="noreply@customer.example"),
    _auto("monitoring", "Disk 91 % full on srv-4.", "Auto-Submitted: auto-generated\n", subject="ALERT srv-4"),
    _auto(
        "newsletter",
        "Our offers in August.",
        "Precedence: bulk\nList-Unsubscribe: <https://shop.example/u>\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\nFeedback-ID: 1:2:shop\n",
        subject="August offers",
    ),
    _auto(
        "challenge",
        "Please confirm that you are a person by following this link.",
        "Auto-Submitted: auto-replied\n",
        subject="Confirm your message",
        first=False,
    ),
    _auto("autorespond", "We got your mail.", "X-Autorespond: An update\n", first=False),
    _auto("precedence-junk", "We got your mail.", "Precedence: junk\n", first=False),
    _auto(
        "loop-header",
        "We got your mail.",
        "X-Loop: helpdesk@customer.example\nAuto-Submitted: auto-generated (ticket)\n",
        first=False,
    ),
    _auto(
        "subject-only",
        "Thank you, we received your request and will answer soon.",
        subject="Automatic reply: An update",
    ),
    _auto(
        "subject-only-german",
        "Vielen Dank, wir haben Ihre Anfrage erhalten.",
        subject="Automatische Antwort: Stand",
        first=False,
    ),
    _auto(
        "subject-only-japanese", "お問い合わせを受け付けました。", subject=word("自動返信: お問い合わせ"), first=False
    ),
    _auto(
        "complaint", "", sender="staff@provider.example", subject="complaint about message from 192.0.2.7", first=False
    ),
    _auto(
        "daemon-about-something",
        "Transcript of session follows.",
        sender="MAILER-DAEMON@mx.customer.example",
        first=False,
    ),
    _auto(
        "promises-an-answer-by-a-day",
        "We received your request. You will hear from us by 14 August 2026 at the latest. Office hours: Monday to "
        "Friday.",
        "Auto-Submitted: auto-replied\n",
        first=False,
    ),
    _auto(
        "german-promise",
        "Ihre Anfrage ist eingegangen. Wir melden uns bis zum 14. August 2026. Bürozeiten: Mo bis Fr 9 bis 17 Uhr.",
        "Auto-Submitted: auto-replied\n",
        first=False,
    ),
    _auto(
        "maintenance-notice",
        "The portal is unavailable from 14 August 2026, 20:00 until 15 August 2026, 06:00.",
        "Auto-Submitted: auto-generated\nPrecedence: bulk\n",
        first=False,
    ),
    _auto(
        "read-receipt-in-words",
        "Your message\n\n   To: Ann Miller\n   Subject: An update\n   Sent: Friday\n\nwas read on Monday, 10 August "
        "2026 09:31.",
        subject="Read: An update",
        first=False,
    ),
    _auto("acceptance-in-the-subject", "", subject=word("Zugesagt: Termin zum Fall"), first=False),
]
