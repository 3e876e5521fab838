"""What people write: alone, above and below quotes, in eight languages, from every mail program."""

from tests.cases.mail.incoming.samples.build import OUR_MAIL, Sample, attached, mail, part, several

_OWN = {
    "en": "The replication stopped again at 03:12.\nI attach nothing yet.",
    "de": "Die Replikation ist heute früh wieder stehen geblieben.\nKönnen Sie bitte nachsehen?",
    "fr": "La réplication s'est encore arrêtée ce matin.\nPouvez-vous vérifier ?",
    "es": "La replicación se detuvo otra vez esta mañana.\n¿Pueden revisarlo, por favor?",
    "it": "La replica si è fermata di nuovo stamattina.\nPotete controllare?",
    "pt": "A replicação parou outra vez esta manhã.\nPodem verificar, por favor?",
    "nl": "De replicatie is vanochtend weer gestopt.\nKunt u dat nakijken?",
    "ja": "今朝もレプリケーションが停止しました。\nご確認をお願いいたします。",
}
_OLD = "we look at the log now.\nPlease send us the next one too."
_MARKED = "\n".join(f"> {line}" for line in _OLD.splitlines())
_WROTE = {
    "en": "On Fri, 7 Aug 2026 at 10:02, Support Desk <support@desk.example> wrote:",
    "de": "Am 07.08.2026 um 10:02 schrieb Support Desk:",
    "fr": "Le ven. 7 août 2026 à 10:02, Support Desk <support@desk.example> a écrit :",
    "es": "El vie, 7 ago 2026 a las 10:02, Support Desk (<support@desk.example>) escribió:",
    "it": "Il giorno ven 7 ago 2026 alle ore 10:02 Support Desk <support@desk.example> ha scritto:",
    "pt": "Em sex., 7 de ago. de 2026 às 10:02, Support Desk <support@desk.example> escreveu:",
    "nl": "Op vr 7 aug 2026 om 10:02 schreef Support Desk <support@desk.example>:",
    "ja": "2026年8月7日(金) 10:02 Support Desk <support@desk.example>:",
}
_BLOCK = {
    "en": "From: Support Desk <support@desk.example>\nSent: Friday, 7 August 2026 10:02\nTo: Ann Miller\nSubject: "
    "An update",
    "de": "Von: Support Desk <support@desk.example>\nGesendet: Freitag, 7. August 2026 10:02\nAn: Ann "
    "Miller\nBetreff: Stand",
    "fr": "De : Support Desk <support@desk.example>\nEnvoyé : vendredi 7 août 2026 10:02\nÀ : Ann Miller\nObjet : "
    "Suivi",
    "es": "De: Support Desk <support@desk.example>\nEnviado el: viernes, 7 de agosto de 2026 10:02\nPara: "
    "Ann\nAsunto: Caso",
    "it": "Da: Support Desk <support@desk.example>\nInviato: venerdì 7 agosto 2026 10:02\nA: Ann Miller\nOggetto: "
    "Stato",
    "pt": "De: Support Desk <support@desk.example>\nEnviado: sexta-feira, 7 de agosto de 2026 10:02\nPara: "
    "Ann\nAssunto: Caso",
    "nl": "Van: Support Desk <support@desk.example>\nVerzonden: vrijdag 7 augustus 2026 10:02\nAan: Ann "
    "Miller\nOnderwerp: Zaak",
    "ja": "差出人: Support Desk <support@desk.example>\n送信日時: 2026年8月7日 10:02\n宛先: Ann Miller\n件名: 状況",
}
_PHONE = {
    "en": "Sent from my iPhone",
    "de": "Von meinem iPhone gesendet",
    "fr": "Envoyé de mon iPhone",
    "es": "Enviado desde mi iPhone",
    "it": "Inviato da iPhone",
    "pt": "Enviado do meu iPhone",
    "nl": "Verstuurd vanaf mijn iPhone",
    "ja": "iPhoneから送信",
}


def _languages() -> list[Sample]:
    found = []
    for at, (code, own) in enumerate(_OWN.items()):
        first = at % 2 == 0
        top = f"{own}\n\n{_WROTE[code]}\n\n{_MARKED}\n"
        bottom = f"{_WROTE[code]}\n{_MARKED}\n\n{own}\n"
        outlook = f"{own}\n\n{_BLOCK[code]}\n\n{_OLD}\n"
        phone = f"{own}\n\n{_PHONE[code]}\n\n{_WROTE[code]}\n\n{_MARKED}\n"
        found += [
            Sample(f"person-{code}-alone", mail(own, how="quoted-printable"), "person", own, first_half=first),
            Sample(f"person-{code}-top", mail(top, how="base64"), "person", own, quoted=_WROTE[code], first_half=first),
            Sample(f"person-{code}-bottom", mail(bottom), "person", own, quoted=_MARKED, first_half=not first),
            Sample(f"person-{code}-outlook", mail(outlook), "person", own, quoted=_OLD, first_half=not first),
            Sample(f"person-{code}-phone", mail(phone), "person", own, quoted=_PHONE[code], first_half=first),
        ]
    return found


_GMAIL_HTML = (
    '<div dir="ltr">The pump is fine.<br>The valve is not.</div><br><div class="gmail_quote"><div dir="ltr" '
    'class="gmail_attr">On Fri, Aug 7, 2026 at 10:02 AM Support Desk &lt;<a href="mailto:support@desk.example">'
    'support@desk.example</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex">'
    "Is the pump fine?<br>And the valve?</blockquote></div>"
)
_OUTLOOK_HTML = (
    "<html><head><style>p.MsoNormal{margin:0}</style><title>x</title></head><body><div class=WordSection1>"
    "<p class=MsoNormal>Hello,<o:p></o:p></p><p class=MsoNormal>the valve leaks &amp; drips.<o:p></o:p></p>"
    "<div style='border:none;border-top:solid #E1E1E1 1.0pt'><p class=MsoNormal><b>From:</b> Support Desk "
    "&lt;support@desk.example&gt; "
    "<br><b>Sent:</b> Friday, August 7, 2026 10:02<br><b>To:</b> Ann Miller<br><b>Subject:</b> An "
    "update<o:p></o:p></p></div>"
    "<p class=MsoNormal>Is the valve fine?<o:p></o:p></p></div></body></html>"
)
_AUTHORED = (
    '<html><body><blockquote class="elementToProof" style="margin-left:40px"><div>Both servers are in '
    "Graz.</div></blockquote>"
    '<div class="elementToProof">Please call me.</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg">'
    "<b>Von:</b> Support Desk &lt;support@desk.example&gt;<br><b>Gesendet:</b> Freitag, 7. August 2026 10:02<br>"
    "<b>An:</b> Ann Miller<br><b>Betreff:</b> Stand</div><div>Where are the servers?</div></body></html>"
)
_APPLE_HTML = (
    '<html><body>The pump is loud.<div><br></div><div>Ann<br><blockquote type="cite"><div>On 7 Aug 2026, at 10:02, '
    "Support "
    "Desk &lt;support@desk.example&gt; wrote:</div><br><div>Is it loud?</div></blockquote></div></body></html>"
)

_NDR_TALK = (
    "Hi,\nour user got the mail below. Is your relay broken?\n\n> This is the mail system at host "
    "mx.customer.example.\n"
    "> I'm sorry to have to inform you that your message could not\n> be delivered to one or more recipients.\n>\n"
    "> <bob@customer.example>: host mx said: 550 5.1.1 User unknown\n"
)
_LONG_AWAY = (
    "Hello,\nthank you for the new build. We installed it on both nodes last night and the first run went through "
    "without "
    "a stop. The second run showed the old error in the log after forty minutes; I have put the log on the share.\n"
    "I am out of office next week, but my colleague Ben will go on with the tests and answer your questions. Please "
    "tell "
    "him which trace level you need.\nRegards\nAnn"
)
_LIST_HEAD = (
    "List-Id: Help desk <helpdesk.customer.example>\nList-Post: <mailto:helpdesk@customer.example>\nPrecedence: "
    "list\n"
    "List-Unsubscribe: <mailto:helpdesk+unsubscribe@customer.example>\nX-BeenThere: helpdesk@customer.example\n"
    "Return-Path: <helpdesk-bounces@customer.example>\n"
)


def _told(name: str, text: str, **more: str) -> list[Sample]:
    return [Sample(f"person-{name}", mail(text, **more), "person", text, first_half=False)]


SAMPLES = [
    *_languages(),
    Sample(
        "person-gmail-html",
        mail(part(_GMAIL_HTML, "text/html")),
        "person",
        "The pump is fine.\nThe valve is not.",
        quoted="Is the pump fine?",
    ),
    Sample(
        "person-outlook-html",
        mail(part(_OUTLOOK_HTML, "text/html")),
        "person",
        "Hello,\nthe valve leaks & drips.",
        quoted="Is the valve fine?",
    ),
    Sample(
        "person-authored-in-blockquote",
        mail(part(_AUTHORED, "text/html")),
        "person",
        "Both servers are in Graz.\nPlease call me.",
        quoted="Where are the servers?",
    ),
    Sample(
        "person-apple-html",
        mail(part(_APPLE_HTML, "text/html")),
        "person",
        "The pump is loud.\n\nAnn",
        quoted="Is it loud?",
    ),
    Sample(
        "person-alternative",
        mail(several("alternative", part("Plain words."), part("<p>Rich words.</p>", "text/html"))),
        "person",
        "Plain words.",
    ),
    Sample(
        "person-alternative-blank-plain",
        mail(several("alternative", part(" \n"), part("<p>Only in the rich part.</p>", "text/html"))),
        "person",
        "Only in the rich part.",
    ),
    Sample(
        "person-between-quotes",
        mail("> Is the pump fine?\n\nIt is.\n\n> And the valve?\n\nIt is not.\n"),
        "person",
        "It is.\n\nIt is not.",
        quoted="> And the valve?",
    ),
    Sample(
        "person-signature",
        mail("It works now.\n\n-- \nAnn Miller\nPlant 4, Graz\n+43 316 000"),
        "person",
        "It works now.",
        quoted="Plant 4, Graz",
    ),
    Sample(
        "person-original-message",
        mail("Done.\n\n-----Original Message-----\nFrom: Support Desk\nSent: Friday\n\nPlease restart.\n"),
        "person",
        "Done.",
        quoted="Please restart.",
    ),
    Sample(
        "person-dashes-are-no-signature",
        mail("Table:\n--\n" + "\n".join(f"row {n}" for n in range(40))),
        "person",
        "Table:\n--\n" + "\n".join(f"row {n}" for n in range(40)),
    ),
    Sample(
        "person-quotes-a-bounce", mail(_NDR_TALK), "person", "Hi,\nour user got the mail below. Is your relay broken?"
    ),
    Sample(
        "person-forwards-a-bounce",
        mail(
            "Can you see why?\n\n---------- Forwarded message ---------\nFrom: Mail Delivery Subsystem "
            "<mailer-daemon@mx.example>\n"
            "Date: Fri, 7 Aug 2026\nSubject: Delivery Status Notification (Failure)\nTo: <ann@customer.example>\n\n"
            "Your message wasn't delivered to bob@other.example because the address couldn't be found.\n",
            subject="Fwd: Delivery Status Notification (Failure)",
        ),
        "person",
        "Can you see why?",
    ),
    Sample(
        "person-forwards-a-bounce-as-a-file",
        mail(
            several(
                "mixed", part("See the file."), part(OUR_MAIL, "message/rfc822", head="Content-Disposition: attachment")
            )
        ),
        "person",
        "See the file.",
        files=("[Case 4711] An update.eml",),
    ),
    Sample("person-is-away-next-week", mail(_LONG_AWAY), "person", _LONG_AWAY),
    Sample(
        "person-by-the-group-address",
        mail(
            "The scanner fails in all branches.",
            sender="'Ben Ito' via Help desk <helpdesk@customer.example>",
            head=_LIST_HEAD,
        ),
        "person",
        "The scanner fails in all branches.",
        sender="helpdesk@customer.example",
    ),
    Sample(
        "person-on-a-list",
        mail("I see the same at our site.", head=_LIST_HEAD),
        "person",
        "I see the same at our site.",
    ),
    Sample("person-says-auto-submitted-no", mail("By hand.", head="Auto-Submitted: no\n"), "person", "By hand."),
    Sample(
        "person-answers-a-note",
        mail(
            "Enjoy the holiday! The case can wait.",
            subject="Re: Automatic reply: An update",
            head="In-Reply-To: <n1@customer.example>\n",
        ),
        "person",
        "Enjoy the holiday! The case can wait.",
    ),
    Sample(
        "person-short-away",
        mail("I'm out on Friday, let us talk on Monday instead.", head="In-Reply-To: <c@desk.example>\n"),
        "person",
        "I'm out on Friday, let us talk on Monday instead.",
    ),
    Sample(
        "person-signed",
        mail(
            several(
                'multipart/signed; protocol="application/pgp-signature"; micalg=pgp-sha256',
                part("Signed words."),
                part(b"-----BEGIN PGP SIGNATURE-----\n", 'application/pgp-signature; name="signature.asc"'),
            )
        ),
        "person",
        "Signed words.",
        files=("signature.asc",),
    ),
    Sample(
        "person-encrypted",
        mail(
            several(
                'multipart/encrypted; protocol="application/pgp-encrypted"',
                part(b"Version: 1\n", "application/pgp-encrypted"),
                part(b"-----BEGIN PGP MESSAGE-----\n", 'application/octet-stream; name="encrypted.asc"'),
            )
        ),
        "person",
        "",
        files=("file", "encrypted.asc"),
    ),
    Sample(
        "person-with-a-pdf",
        mail(several("mixed", part("See the PDF."), attached("report.pdf"))),
        "person",
        "See the PDF.",
        files=("report.pdf",),
    ),
    Sample(
        "person-invites",
        mail(
            several(
                "alternative",
                part("Let us talk at ten."),
                part("BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR", "text/calendar; method=REQUEST"),
            )
        ),
        "person",
        "Let us talk at ten.",
        files=None,
    ),
    *_told(
        "subject-of-a-bounce",
        "Hello,\nsince Monday your update mails come back to us: 550 5.1.1, mailbox unavailable. Can you check?",
        subject="Undeliverable mails from your desk",
    ),
    *_told(
        "talks-of-mailbox-full",
        "The import stops and the log says that the mailbox is full and the mail could not be delivered.",
        subject="Import: mailbox full",
    ),
    *_told(
        "is-postmaster",
        "Hello,\nI am the postmaster here and need the addresses of your relays for our allow list.",
        sender="Pat Ray <postmaster@customer.example>",
        subject="Your relays",
    ),
    *_told(
        "suppresses-answers",
        "We restarted both nodes.",
        head="X-Auto-Response-Suppress: DR, OOF, AutoReply\nIn-Reply-To: <c@desk.example>\nX-Mailer: Microsoft "
        "Outlook 16.0\n",
    ),
    *_told(
        "bulk-answer",
        "Still broken.",
        head="Precedence: bulk\nIn-Reply-To: <c@desk.example>\nUser-Agent: Thunderbird\n",
    ),
    *_told(
        "thanks-and-away",
        "Thank you for your help! Could you close the case? I am out of the office tomorrow, Ben is the contact then.",
        head="In-Reply-To: <c@desk.example>\n",
    ),
    *_told(
        "out-of-office-in-subject",
        "Hi,\nour agent shows everybody as out of office since the update. " + "Details follow.\n" * 90 + "Ann",
        subject="Out of office status is wrong",
    ),
    *_told("version-number", "We run 5.1.2 and mails are not delivered.", subject="Mails not delivered"),
    Sample(
        "person-phone-words-are-no-signature",
        mail("Outlook stopped on my iPhone\nGet error 5 on Windows\nDownload fails on Android"),
        "person",
        "Outlook stopped on my iPhone\nGet error 5 on Windows\nDownload fails on Android",
        first_half=False,
    ),
    Sample(
        "person-attribution-wrapped-before-the-address",
        mail("Fine.\n\nOn Fri, 7 Aug 2026 at 10:02, The Support Desk\n<support@desk.example>wrote:\n> Is it?\n"),
        "person",
        "Fine.",
        quoted="On Fri, 7 Aug 2026",
        first_half=False,
    ),
    Sample(
        "person-rule-above-a-header",
        mail(
            "Fine.\n\n------------------------------\n\n*From:* Support Desk "
            "[mailto:support@desk.example]\n*Sent:* Friday\n"
            "*To:* Ann\n*Subject:* An update\n\nIs it?\n"
        ),
        "person",
        "Fine.",
        quoted="------------------------------",
        first_half=False,
    ),
    Sample(
        "person-flowed",
        mail(
            part("One long line that \nwas broken.\n> their long \n> line\nA new one.\n", "text/plain; format=flowed")
        ),
        "person",
        "One long line that was broken.\nA new one.",
        quoted="> their long line",
        first_half=False,
    ),
    Sample(
        "person-invites-with-nothing-but-a-calendar",
        mail(part("BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR", "text/calendar; method=REQUEST"), subject="Call"),
        "person",
        "",
        files=None,
        first_half=False,
    ),
    *_told(
        "posts-to-an-old-list",
        "I see the same at our site.",
        head="Sender: owner-helpdesk@customer.example\nPrecedence: bulk\nReturn-Path: "
        "<owner-helpdesk@customer.example>\n",
    ),
    *_told("bulk-by-a-mail-program", "Both sites are down.", head="Precedence: bulk\nX-Mailer: Sylpheed 3.7\n"),
    *_told("accepts-in-words", "Accepted, we install the build tonight.", subject="Accepted: the proposal"),
    *_told("asks-to-read", "Please read the log.", subject="Read: the log of node 2"),
    *_told("short-table-below-dashes", "Ports:\n--\n" + "\n".join(f"port {n} is down" for n in range(16))),
    *_told(
        "away-and-news",
        "I am out of the office from 17 to 21 August 2026, please contact Ben for the logs. The server crashed "
        "again at 3.",
        subject="Re: An update",
    ),
    *_told(
        "thanks-away-and-news",
        "Thank you for your message. I am away until 14 August 2026, in urgent cases call Ben. Your patch did not "
        "help.",
        subject="Re: An update",
    ),
    *_told(
        "mail-administrator",
        "Dear colleagues,\nthe mail of your desk could not be delivered to bob@customer.example on Monday. We "
        "corrected it.",
        sender="Mail Administrator <mailadmin@customer.example>",
        subject="Delivery problem on Monday",
    ),
    *_told(
        "forwarded-by-a-rule", "The scanner fails.", head="X-MS-Exchange-Inbox-Rules-Loop: helpdesk@customer.example\n"
    ),
]
