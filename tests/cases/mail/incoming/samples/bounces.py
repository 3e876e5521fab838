"""Bounces and delays: status notifications of many servers, and what says so in words only."""

from tests.cases.mail.incoming.samples.build import OUR_MAIL, Sample, mail, part, report, several

_BOB = ("bob@customer.example",)


def _status(
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 User unknown",
    *,
    to: str = "bob@customer.example",
    original: str = "",
) -> str:
    first = f"Original-Recipient: rfc822;{original}\n" if original else ""
    return (
        "Reporting-MTA: dns; mx.customer.example\nArrival-Date: Mon, 10 Aug 2026 09:29:00 +0200\n\n"
        f"{first}Final-Recipient: rfc822; {to}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: {diagnostic}\n"
    )


_DAEMON = "Mail Delivery System <MAILER-DAEMON@mx.customer.example>"
_NULL = "Return-Path: <>\nAuto-Submitted: auto-replied\n"


def _dsn(
    name: str,
    human: str,
    status: str,
    *,
    kind: str = "bounce",
    failed=_BOB,
    sender: str = _DAEMON,
    subject: str = "Undelivered Mail Returned to Sender",
    head: str = _NULL,
    first: bool = True,
) -> Sample:
    raw = mail(report(human, status, OUR_MAIL), sender=sender, subject=subject, head=head)
    return Sample(f"{kind}-{name}", raw, kind, files=None, failed=failed, first_half=first)


def _words(
    name: str,
    text: str,
    *,
    kind: str = "bounce",
    failed=_BOB,
    sender: str = _DAEMON,
    head: str = "Return-Path: <>\n",
    subject: str = "failure notice",
    html: bool = False,
    first: bool = True,
) -> Sample:
    content = part(text, "text/html") if html else text
    return Sample(
        f"{kind}-{name}",
        mail(content, sender=sender, subject=subject, head=head),
        kind,
        files=None,
        failed=failed,
        first_half=first,
    )


_EXCHANGE_HTML = (
    "<html><body><p><b><font color='#000066' size='3' face='Arial'>Delivery has failed to these recipients or "
    "groups:</font>"
    '</b></p><p><a href="mailto:bob@customer.example">Bob Ito (bob@customer.example)</a><br>The e-mail address you '
    "entered "
    "couldn't be found. Please check the recipient's address and try to resend.</p><p><b>Diagnostic information for "
    "administrators:</b></p><p>Generating server: ex1.customer.example</p><p>bob@customer.example<br>#550 5.1.1 "
    "RESOLVER.ADR.RecipNotFound; not found ##</p><p>Original message headers:</p><pre>From: Support Desk "
    "&lt;support@desk.example&gt;\nTo: bob@customer.example\nMessage-ID: "
    "&lt;case-4711-9@desk.example&gt;</pre></body></html>"
)
_EXCHANGE_HTML_DE = (
    "<html><body><p>Fehler bei der Nachrichtenzustellung an folgende Empfänger oder "
    "Gruppen:</p><p>bob@customer.example<br>"
    "Die eingegebene E-Mail-Adresse konnte nicht gefunden werden.</p><p>Diagnoseinformationen für "
    "Administratoren:</p>"
    "<p>bob@customer.example<br>#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##</p></body></html>"
)

SAMPLES = [
    _dsn("postfix", "This is the mail system at host mx.\n<bob@customer.example>: host mx said: 550 5.1.1", _status()),
    _dsn(
        "sendmail",
        "   ----- The following addresses had permanent fatal errors -----\n<bob@customer.example>",
        _status(),
        subject="Returned mail: see transcript for details",
    ),
    _dsn(
        "exim",
        "A message that you sent could not be delivered to all of its recipients:\n\n  bob@customer.example\n",
        _status(status="5.0.0"),
        subject="Mail delivery failed: returning message to sender",
        first=False,
    ),
    _dsn(
        "exchange",
        "Your message to bob could not be delivered.",
        _status(diagnostic="smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound"),
        sender="Microsoft Outlook <MicrosoftExchange329e71ec@customer.example>",
        subject="Undeliverable: An update",
    ),
    _dsn(
        "gmail",
        "Address not found. Your message wasn't delivered to bob@customer.example.",
        _status(),
        sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
        subject="Delivery Status Notification (Failure)",
        head=_NULL + "X-Failed-Recipients: bob@customer.example\n",
    ),
    _dsn(
        "ses",
        "An error occurred while trying to deliver the mail to the following recipients:\nbob@customer.example",
        _status(),
        sender="MAILER-DAEMON@eu.ses.example",
        first=False,
    ),
    _dsn("original-recipient", "Not delivered.", _status(to="robert@inner.example", original="bob@customer.example")),
    _dsn("quota", "Mailbox full.", _status(status="5.2.2", diagnostic="smtp; 552 5.2.2 Over quota"), first=False),
    _dsn("expired", "Gave up after five days.", _status(status="4.4.7", diagnostic="smtp; 451 timeout"), first=False),
    _dsn(
        "two-recipients",
        "Two failed.",
        _status() + "\nFinal-Recipient: RFC822; <cy@customer.example>\nAction: failed\nStatus: 5.1.1\n",
        failed=("bob@customer.example", "cy@customer.example"),
    ),
    _dsn(
        "failed-and-delayed",
        "One failed.",
        _status() + "\nFinal-Recipient: rfc822; cy@customer.example\nAction: delayed\nStatus: 4.2.0\n",
    ),
    _dsn(
        "no-null-return-path",
        "Not delivered.",
        _status(),
        head="Return-Path: <postmaster@customer.example>\n",
        first=False,
    ),
    _dsn("japanese", "次の宛先に配信できませんでした。", _status(), subject="配信不能通知", first=False),
    _dsn(
        "postfix",
        "will keep trying for five days",
        _status("delayed", "4.4.1", "X-Postfix; connect timed out"),
        kind="delay",
        failed=(),
        subject="Delayed Mail (still being retried)",
    ),
    _dsn(
        "exchange",
        "Delivery is delayed.",
        _status("delayed", "4.4.7"),
        kind="delay",
        failed=(),
        subject="Delivery delayed: An update",
        first=False,
    ),
    _dsn(
        "gmail",
        "Message will be retried for 46 more hours",
        _status("delayed", "4.0.0"),
        kind="delay",
        failed=(),
        subject="Delivery Status Notification (Delay)",
        first=False,
    ),
    Sample(
        "automatic-dsn-delivered",
        mail(
            report("Delivered.", _status("delivered", "2.0.0", "smtp; 250 ok"), OUR_MAIL),
            sender=_DAEMON,
            subject="Delivery report",
            head=_NULL,
        ),
        "automatic",
        files=None,
    ),
    Sample(
        "automatic-dsn-relayed",
        mail(
            report("Relayed.", _status("relayed", "2.0.0"), OUR_MAIL),
            sender=_DAEMON,
            subject="Relayed: An update",
            head=_NULL,
        ),
        "automatic",
        files=None,
        first_half=False,
    ),
    _words(
        "exchange-html",
        _EXCHANGE_HTML,
        html=True,
        sender="Microsoft Outlook <postmaster@customer.example>",
        subject="Undeliverable: An update",
    ),
    _words(
        "exchange-html-german",
        _EXCHANGE_HTML_DE,
        html=True,
        sender="Microsoft Outlook <postmaster@customer.example>",
        subject="Unzustellbar: Stand",
        first=False,
    ),
    _words(
        "qmail",
        "Hi. This is the qmail-send program at mx.customer.example.\nI'm afraid I wasn't able to deliver your "
        "message "
        "to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        "<bob@customer.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of "
        "the message.\n\n" + OUR_MAIL.decode(),
    ),
    _words(
        "postfix-words",
        "This is the mail system at host mx.\n\nI'm sorry to have to inform you that your message could not\n"
        "be delivered to one or more recipients.\n\n<bob@customer.example>: host mx[10.0.0.1] said: 550 5.1.1 no "
        "user\n",
        subject="Undelivered Mail Returned to Sender",
        first=False,
    ),
    _words(
        "exim-words",
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
        "delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) "
        "failed:\n\n"
        "  bob@customer.example\n    SMTP error from remote mail server after RCPT TO:<bob@customer.example>:\n    "
        "550 unknown user\n\n"
        "------ This is a copy of the message, including all the headers. ------\n\n" + OUR_MAIL.decode(),
        subject="Mail delivery failed: returning message to sender",
        head="X-Failed-Recipients: bob@customer.example\n",
    ),
    _words(
        "gmail-words",
        "Delivery to the following recipient failed permanently:\n\n     bob@customer.example\n\nTechnical details "
        "of "
        "permanent failure:\nThe account is disabled.\n\n----- Original message -----\n\n" + OUR_MAIL.decode(),
        subject="Delivery Status Notification (Failure)",
        sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
    ),
    _words(
        "yahoo",
        "Sorry, we were unable to deliver your message to the following address.\n\n<bob@customer.example>:\n"
        "554: delivery error: dd This user doesn't have an account\n\n--- Below this line is a copy of the message.\n",
        subject="Failure Notice",
        sender="MAILER-DAEMON@yahoo.example",
        first=False,
    ),
    _words(
        "domino",
        "Your message\n\n  Subject: An update\n\nwas not delivered to:\n\n  bob@customer.example\n\nbecause:\n\n"
        "  User bob (bob@customer.example) not listed in Domino Directory\n",
        sender="Postmaster@customer.example",
        subject="DELIVERY FAILURE: User bob not listed in Domino Directory",
    ),
    _words(
        "mimecast",
        "The message you sent to bob@customer.example was not delivered: the recipient address was rejected "
        "(550 Invalid Recipient).\n",
        sender="Mimecast <postmaster@customer.example>",
        subject="[Postmaster] Email Delivery Failure",
    ),
    _words(
        "proofpoint",
        "Your message could not be delivered to the following recipients:\n\n  <bob@customer.example>\n\n"
        "550 5.7.1 Blocked by policy\n",
        sender="Mail Delivery Subsystem <postmaster@customer.example>",
        subject="Undeliverable mail",
        first=False,
    ),
    _words(
        "quota-words",
        "Your mail to bob@customer.example could not be delivered: mailbox full, the quota is exceeded.\n",
        sender="postmaster@customer.example",
        subject="Mail delivery failed",
        head="",
    ),
    _words(
        "spam-filter",
        "Your message to <bob@customer.example> was rejected as spam by the content filter (554 5.7.1).\n",
        sender="postmaster@customer.example",
        subject="Considered UNSOLICITED BULK EMAIL",
        first=False,
    ),
    _words(
        "french",
        "Votre message n'a pas pu être remis aux destinataires suivants :\n\n<bob@customer.example>\n\n550 5.1.1\n",
        subject="Échec de la remise",
        sender="postmaster@customer.example",
        first=False,
    ),
    _words(
        "german",
        "Ihre Nachricht konnte nicht zugestellt werden an:\n\nbob@customer.example\n\n550 5.1.1 unbekannt\n",
        subject="Unzustellbar: Stand",
        sender="postmaster@customer.example",
    ),
    _words(
        "spanish",
        "No se pudo entregar el mensaje a estos destinatarios:\n\nbob@customer.example\n\n550 5.1.1\n",
        subject="No se puede entregar: Caso",
        sender="postmaster@customer.example",
        first=False,
    ),
    _words(
        "italian",
        "Impossibile recapitare il messaggio ai seguenti destinatari:\n\nbob@customer.example\n\n550 5.1.1\n",
        subject="Non recapitabile: Stato",
        sender="postmaster@customer.example",
        first=False,
    ),
    _words(
        "portuguese",
        "Não foi possível entregar a mensagem aos seguintes destinatários:\n\nbob@customer.example\n\n550 5.1.1\n",
        subject="Não é possível entregar: Caso",
        sender="postmaster@customer.example",
        first=False,
    ),
    _words(
        "dutch",
        "Uw bericht kan niet worden bezorgd bij de volgende geadresseerden:\n\nbob@customer.example\n\n550 5.1.1\n",
        subject="Niet bestelbaar: Zaak",
        sender="postmaster@customer.example",
        first=False,
    ),
    _words(
        "japanese-words",
        "次の宛先へのメールは配信できませんでした。\n\nbob@customer.example\n\n550 5.1.1 User unknown\n",
        subject="配信エラー",
        sender="postmaster@customer.example",
        first=False,
    ),
    _words(
        "sendmail-warning",
        "    **********************************************\n    **      THIS IS A WARNING MESSAGE ONLY      **\n"
        "    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n\n<bob@customer.example>... Deferred: Connection timed "
        "out\n"
        "Warning: message still undelivered after 4 hours\nWill keep trying until message is 5 days old\n",
        kind="delay",
        failed=(),
        subject="Warning: could not send message for past 4 hours",
    ),
    _words(
        "exim-warning",
        "A message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 "
        "hours "
        "on the queue.\n\n  bob@customer.example\n    Delay reason: timed out\n\nNo action is required on your "
        "part. Delivery attempts will continue.\n",
        kind="delay",
        failed=(),
        subject="Warning: message 1abc delayed 24 hours",
    ),
    Sample(
        "bounce-mixed-with-status",
        mail(
            several("mixed", part("Not delivered."), part(_status().encode(), "message/delivery-status", how="7bit")),
            sender=_DAEMON,
            head="Return-Path: <>\n",
        ),
        "bounce",
        files=None,
        failed=_BOB,
        first_half=False,
    ),
    _dsn(
        "utf8-address", "Not delivered.", _status(to="bob@customer.example").replace("rfc822;", "utf-8;"), first=False
    ),
    _words(
        "words-like-a-header",
        "Your message\n\n  To:      bob@customer.example\n  Subject: An update\n  Sent:    Mon, 10 Aug 2026 "
        "09:30:00\n\n"
        "did not reach the following recipient(s):\n\nbob@customer.example on Mon, 10 Aug 2026\n    Unknown "
        "Recipient\n",
        sender="System Administrator <postmaster@customer.example>",
        subject="E",
        first=False,
    ),
    Sample(
        "bounce-from-nobody",
        mail(
            several(
                "mixed",
                part("The address had problems."),
                part(_status().encode(), "message/delivery-status", how="7bit"),
            ),
            sender="<>",
            subject="Delivery Status",
        ),
        "bounce",
        files=None,
        failed=_BOB,
        first_half=False,
    ),
    _words(
        "ses-notification",
        '{"Type": "Notification", "Message": '
        '"{\\"notificationType\\":\\"Bounce\\",\\"bounce\\":{\\"bouncedRecipients\\":'
        '[{\\"emailAddress\\":\\"bob@customer.example\\"}]}}"}',
        sender="no-reply@notify.example",
        subject="Notification Message",
        head="",
        first=False,
    ),
    _words(
        "gateway-without-any-sign",
        "****** Message from the mail gateway ******\n\nThe following mail could not be delivered.\n"
        "Reason: no answer from <bob@customer.example>\n",
        sender="gateway@customer.example",
        subject="Mail could not be delivered",
        head="",
        first=False,
    ),
    _words(
        "no-reply-mailbox-full",
        "Your mail could not be delivered to: <bob@customer.example>\nAs their mailbox is full.\n",
        sender="no-reply@provider.example",
        subject="Mail error",
        head="",
        first=False,
    ),
    _words(
        "not-delivered-is-no-delay",
        "Your message to bob@customer.example has NOT been delivered: the address is no longer valid.\n",
        sender="MAILER-DAEMON@customer.example",
        subject="Your message to bob@customer.example could not be delivered",
        first=False,
    ),
    _words(
        "to-oneself",
        "I'm afraid I wasn't able to deliver your message.\n\n<support@desk.example>:\n552 disk quota exceeded\n",
        failed=("support@desk.example",),
        first=False,
    ),
    _words(
        "chinese",
        "邮件无法发送到您指定的地址中。\n\n<bob@customer.example>:\n",
        sender="MAILER-DAEMON@provider.example",
        subject="邮件传输失败",
        first=False,
    ),
    _words(
        "quota-warning",
        "Delivery of email to this address\n\nbob@customer.example\n\nhas been postponed. We will continue to try "
        "to deliver your "
        "message over the next days. It has not yet been delivered.\n",
        kind="delay",
        failed=(),
        sender="postmaster@customer.example",
        subject="Mail delivery warning",
        first=False,
    ),
]
