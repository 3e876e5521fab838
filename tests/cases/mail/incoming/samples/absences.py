"""Out-of-office notes of all eight languages, with the headers of responders and without."""

from tests.cases.mail.incoming.samples.build import Sample, mail, part, word

_AUTO = "Auto-Submitted: auto-replied\nX-Auto-Response-Suppress: All\n"
_GMAIL = "Auto-Submitted: auto-replied\nPrecedence: bulk\nX-Autoreply: yes\n"
_NOTES = {
    "en": (
        "Automatic reply: An update",
        "Thank you for your message. I am out of the office until 14 August 2026 and will be back on 17 August "
        "2026.\n"
        "In urgent cases please write to help@customer.example.",
    ),
    "de": (
        "Automatische Antwort: Stand",
        "Vielen Dank für Ihre Nachricht. Ich bin bis einschließlich 14. August 2026 nicht im Büro.\n"
        "Ihre E-Mail wird nicht weitergeleitet. In dringenden Fällen wenden Sie sich bitte an hilfe@customer.example.",
    ),
    "fr": (
        "Réponse automatique : Suivi",
        "Bonjour, merci pour votre message. Je suis absente du bureau jusqu'au 14 août 2026 inclus.\n"
        "En cas d'urgence, veuillez contacter aide@customer.example.",
    ),
    "es": (
        "Respuesta automática: Caso",
        "Gracias por su mensaje. Estoy fuera de la oficina hasta el 14 de agosto de 2026.\nPara asuntos urgentes, "
        "contacte con ayuda@customer.example.",
    ),
    "it": (
        "Risposta automatica: Stato",
        "Grazie per il messaggio. Sono fuori ufficio fino al 14 agosto 2026 compreso.\nPer urgenze potete scrivere a "
        "aiuto@customer.example.",
    ),
    "pt": (
        "Resposta automática: Caso",
        "Obrigado pela mensagem. Estou ausente do escritório até 14 de agosto de 2026.\nEm caso de urgência, "
        "contacte "
        "ajuda@customer.example.",
    ),
    "nl": (
        "Automatisch antwoord: Zaak",
        "Bedankt voor uw bericht. Ik ben tot en met 14 augustus 2026 afwezig.\nBij spoed kunt u contact opnemen met "
        "hulp@customer.example.",
    ),
    "ja": (
        "自動応答: 状況",
        "メールありがとうございます。2026年8月14日まで休暇をいただいております。\n"
        "緊急の場合は help@customer.example までご連絡ください。",
    ),
}
_BACK = {"en": "2026-08-17"}


def _all() -> list[Sample]:
    found = []
    for at, (code, (subject, text)) in enumerate(_NOTES.items()):
        back = (None, _BACK.get(code, "2026-08-15"))
        first = at % 2 == 0
        coded = word(subject)
        found += [
            Sample(
                f"away-{code}-headers",
                mail(text, subject=coded, head=_AUTO),
                "out_of_office",
                text,
                away=back,
                subject=subject,
                first_half=first,
            ),
            Sample(
                f"away-{code}-headers-only",
                mail(text, subject=word("Re: [Case 4711]"), head=_GMAIL, how="base64"),
                "out_of_office",
                text,
                away=back,
                first_half=not first,
            ),
            Sample(
                f"away-{code}-subject-only",
                mail(text, subject=coded),
                "out_of_office",
                text,
                away=back,
                first_half=first,
            ),
            Sample(
                f"away-{code}-words-only",
                mail(text, subject="Re: [Case 4711] An update"),
                "out_of_office",
                text,
                away=back,
                first_half=not first,
            ),
        ]
    return found


_EXCHANGE_HTML = (
    "<html><body><div>Hello,</div><div>I am on leave from 10 to 21 August 2026.</div><div>My colleague "
    "Ben covers for me.</div></body></html>"
)

SAMPLES = [
    *_all(),
    Sample(
        "away-exchange-html",
        mail(
            part(_EXCHANGE_HTML, "text/html"),
            subject="Automatic reply: An update",
            head="Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\nX-MS-Exchange-Inbox-Rules-Loop: "
            "ann@customer.example\n",
        ),
        "out_of_office",
        "Hello,\nI am on leave from 10 to 21 August 2026.\nMy colleague Ben covers for me.",
        away=("2026-08-10", "2026-08-22"),
    ),
    Sample(
        "away-without-days",
        mail("I am on parental leave and read no mail.", subject="Out of Office", head=_AUTO),
        "out_of_office",
        "I am on parental leave and read no mail.",
    ),
    Sample(
        "away-left-the-company",
        mail("Ann Miller no longer works here.", subject="Automatic reply: An update", head=_AUTO),
        "out_of_office",
        "Ann Miller no longer works here.",
    ),
    Sample(
        "away-with-our-mail-below",
        mail(
            "I am out of the office until 14 August 2026.\n\n-----Original Message-----\nFrom: Support Desk\nSent: "
            "7 August 2026\n"
            "To: Ann Miller\nSubject: An update\n\nCan you test by 30 August 2026?\n",
            subject="Out of office: An update",
            head=_AUTO,
        ),
        "out_of_office",
        "I am out of the office until 14 August 2026.",
        away=(None, "2026-08-15"),
        first_half=False,
    ),
    Sample(
        "away-x-autoreply",
        mail("Away until 14 August 2026.", subject="Re: An update", head="X-Autoreply: yes\n"),
        "out_of_office",
        away=(None, "2026-08-15"),
        first_half=False,
    ),
    Sample(
        "away-precedence",
        mail("On holiday until 14 August 2026.", subject="Re: An update", head="Precedence: auto_reply\n"),
        "out_of_office",
        away=(None, "2026-08-15"),
        first_half=False,
    ),
    Sample(
        "away-vacation-program",
        mail(
            "I will not be reading my mail for a while. Back on 17 August 2026.",
            subject="away from my mail",
            head="Precedence: bulk\nDelivered-By-The-Graces-Of: vacation\n",
        ),
        "out_of_office",
        away=(None, "2026-08-17"),
        first_half=False,
    ),
    Sample(
        "away-domino",
        mail(
            "I will be out of the office starting 10 August 2026 and will not return until 17 August 2026.",
            subject="AUTO: Ann Miller is out of the office (returning 17 August 2026)",
        ),
        "out_of_office",
        away=("2026-08-10", "2026-08-17"),
    ),
    Sample(
        "away-back-only",
        mail("Zurück am 17. August 2026.", subject="Re: Stand", head=_AUTO),
        "out_of_office",
        away=(None, "2026-08-17"),
        first_half=False,
    ),
    Sample(
        "away-open-day",
        mail("Back on 20 or 21 August.", subject="Re: An update", head=_AUTO),
        "out_of_office",
        first_half=False,
    ),
    Sample(
        "away-below-groupwise-line",
        mail(
            "Abwesend bis 14. August.\n\n>>> Support Desk <support@desk.example> 10.08.26 09:00 >>>\nWeg bis 28. "
            "August.",
            subject="Abwesend",
            head=_AUTO,
        ),
        "out_of_office",
        "Abwesend bis 14. August.",
        away=(None, "2026-08-15"),
        quoted="Weg bis 28. August.",
        first_half=False,
    ),
    Sample(
        "away-words-only-without-thanks",
        mail(
            "I am out of the office until 14 August 2026 with limited access to mail. For urgent matters please "
            "contact Ben.",
            subject="Re: An update",
        ),
        "out_of_office",
        away=(None, "2026-08-15"),
        first_half=False,
    ),
]
