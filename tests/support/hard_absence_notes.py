"""Absence notes whose first reading gives a false day, in eight languages, with the answers worked out by hand (F5).

The kinds:

- `later weekday`: "back on Monday" after a day or week away that lies later than the receipt.
- `not until`: "not ... until D" or "only from D" is the return, not the last day away.
- `two days`: two possible days or a doubtful one are asked.
- `history`: the mail that the note answers or forwards is not the note.
- `ordinary`: plain notes with words that make the reader ask elsewhere.
- `adversarial`: notes that look like the kinds above and are not.
- `mixed`: more of all of these.

FIRST and SECOND were written before the reader was touched, and SECOND was not run until the reader was mended for
FIRST; THIRD and FOURTH were each written after that and before they were run. Read right, asked and wrong at the first
try: FIRST 29, 24 and 43 of 96 by the reader as it was; SECOND 89, 7 and 0 of 96 by the mended one (44, 20 and 32
before); THIRD 101, 1 and 10 of 112 (63, 5 and 44 before); FOURTH 46, 11 and 7 of 64 (23, 12 and 29 before).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

COUNTRIES = {"en": "GB", "de": "DE", "fr": "FR", "es": "ES", "it": "IT", "pt": "PT", "nl": "NL", "ja": "JP"}
RECEIVED = date(2026, 8, 10)  # a Monday
KINDS = ("later weekday", "not until", "two days", "history", "ordinary", "adversarial", "mixed")


@dataclass(frozen=True, slots=True)
class HardNote:
    """`back_on` is None where a careful person asks; `away_from` may also be left unread."""

    kind: str
    language: str
    text: str
    back_on: date | None = None
    away_from: date | None = None

    @property
    def country(self) -> str:
        return COUNTRIES[self.language]


def _notes(kind: str, by_language: dict[str, list[tuple[str, ...]]]) -> list[HardNote]:
    """From (text), (text, return) and (text, return, start), the days as month-day of 2026."""
    return [
        HardNote(kind, language, text, *(date.fromisoformat(f"2026-{day}") for day in days))
        for language, notes in by_language.items()
        for text, *days in notes
    ]


_LATER_WEEKDAY = {
    "en": [
        ("Hi, I'm out of the office on Thursday 27 August and back on Friday.", "08-28", "08-27"),
        ("Next week I'm on annual leave. I'll be back at my desk on Monday.", "08-24"),
        ("I will be at a conference on 19 and 20 August. Back in the office Friday.", "08-21", "08-19"),
    ],
    "de": [
        ("Am Dienstag, 25. August bin ich auf Fortbildung, am Mittwoch wieder im Büro.", "08-26", "08-25"),
        ("Nächste Woche habe ich Urlaub, am Montag bin ich wieder erreichbar.", "08-24"),
        ("In KW 35 bin ich nicht im Haus. Ab Montag bin ich wieder da.", "08-31"),
    ],
    "fr": [
        ("Je serai absent le vendredi 28 août, de retour lundi.", "08-31", "08-28"),
        ("La semaine prochaine je suis en congés. Je reviens lundi.", "08-24"),
        ("En formation les 26 et 27 août, je serai de retour vendredi.", "08-28", "08-26"),
    ],
    "es": [
        ("El viernes 21 de agosto estaré fuera de la oficina; vuelvo el lunes.", "08-24", "08-21"),
        ("La próxima semana estoy de vacaciones y regreso el lunes.", "08-24"),
        ("Estaré de viaje los días 18 y 19 de agosto. Vuelvo el jueves.", "08-20", "08-18"),
    ],
    "it": [
        ("Venerdì 21 agosto sarò fuori ufficio, rientro lunedì.", "08-24", "08-21"),
        ("La prossima settimana sono in ferie. Torno lunedì.", "08-24"),
        ("Il 25 agosto sono in trasferta e rientro giovedì.", "08-27", "08-25"),
    ],
    "pt": [
        ("Na sexta-feira, 21 de agosto, estarei fora do escritório. Volto na segunda-feira.", "08-24", "08-21"),
        ("Estou de férias na próxima semana e regresso na segunda-feira.", "08-24"),
        ("Dia 26 de agosto estou em viagem, volto na quinta-feira.", "08-27", "08-26"),
    ],
    "nl": [
        ("Vrijdag 21 augustus ben ik vrij, maandag ben ik weer terug.", "08-24", "08-21"),
        ("Volgende week ben ik met vakantie. Op maandag ben ik terug.", "08-24"),
        ("Op 25 en 26 augustus ben ik op zakenreis. Donderdag ben ik weer op kantoor.", "08-27", "08-25"),
    ],
    "ja": [
        ("8月21日（金）は休暇をいただきます。月曜日に出社いたします。", "08-24", "08-21"),
        ("来週は夏季休暇です。月曜日から出社します。", "08-24"),
        ("8月25日は出張で不在です。木曜日に復帰します。", "08-27", "08-25"),
    ],
}

_NOT_UNTIL = {
    "en": [
        ("Thanks for your mail. I will not respond until 17 August.", "08-17"),
        ("I'm on leave and won't be checking my inbox until Wednesday 19 August.", "08-19"),
        ("We are unable to pick up new tickets until 24 August 2026.", "08-24"),
    ],
    "de": [
        ("Ich bin im Urlaub und werde Ihre Nachricht erst am 24. August lesen.", "08-24"),
        ("Vor dem 19. August werde ich keine E-Mails beantworten.", "08-19"),
        ("Ich bin bis zum 21. August nicht am Platz.", "08-22"),
    ],
    "fr": [
        ("Je ne pourrai pas vous répondre avant le 24 août.", "08-24"),
        ("En vacances, je ne consulterai ma messagerie qu'à partir du 19 août.", "08-19"),
        ("Je ne lirai pas mes mails avant lundi 17 août.", "08-17"),
    ],
    "es": [
        ("Estoy de vacaciones y no responderé hasta el 17 de agosto.", "08-17"),
        ("No revisaré el correo hasta el lunes 24 de agosto.", "08-24"),
        ("No podremos atender su consulta hasta el 19/08/2026.", "08-19"),
    ],
    "it": [
        ("Sono in ferie e non risponderò prima del 24 agosto.", "08-24"),
        ("Potrò leggere le e-mail solo dal 19 agosto.", "08-19"),
        ("Non controllerò la posta prima di lunedì 17 agosto.", "08-17"),
    ],
    "pt": [
        ("Estou de férias e não responderei antes de 24 de agosto.", "08-24"),
        ("Só volto a ler e-mails no dia 19 de agosto.", "08-19"),
        ("Não vou consultar o correio antes de segunda-feira, 17 de agosto.", "08-17"),
    ],
    "nl": [
        ("Ik ben met vakantie en beantwoord uw mail pas op 24 augustus.", "08-24"),
        ("Ik lees mijn mail niet voor 19 augustus.", "08-19"),
        ("Vóór maandag 17 augustus kan ik niet reageren.", "08-17"),
    ],
    "ja": [
        ("休暇中のため、8月17日まで返信できません。", "08-18"),
        ("8月24日以降でないとメールを確認できません。", "08-24"),
        ("メールの確認は8月19日からとなります。それまで不在です。", "08-19"),
    ],
}

_TWO_DAYS = {
    "en": [
        ("I'm away and will be back on 20 or 21 August.",),
        ("On holiday. Maybe back on 24 August.",),
        ("I am off sick, returning on Thursday 20 August, or Friday if I still feel bad.",),
    ],
    "de": [
        ("Ich bin im Urlaub und am 20. oder 21. August wieder da.",),
        ("Bin krank, vielleicht am 24. August wieder im Büro.",),
        ("Abwesend bis 20. bzw. 21. August.",),
    ],
    "fr": [
        ("Je suis absente, de retour le 20 ou le 21 août.",),
        ("En congé. Peut-être de retour le 24 août.",),
        ("Absent jusqu'au 20 août, ou au 21 si besoin.",),
    ],
    "es": [
        ("Estoy fuera y vuelvo el 20 o el 21 de agosto.",),
        ("De vacaciones. Quizá vuelva el 24 de agosto.",),
        ("Ausente hasta el 20 o 21 de agosto.",),
    ],
    "it": [
        ("Sono in ferie, rientro il 20 o il 21 agosto.",),
        ("Sono malato, forse torno il 24 agosto.",),
        ("Assente fino al 20 oppure 21 agosto.",),
    ],
    "pt": [
        ("Estou de férias e volto no dia 20 ou 21 de agosto.",),
        ("Ausente. Talvez regresse a 24 de agosto.",),
        ("Ausente até 20 ou 21 de agosto.",),
    ],
    "nl": [
        ("Ik ben afwezig en op 20 of 21 augustus weer terug.",),
        ("Ik ben ziek, misschien ben ik op 24 augustus terug.",),
        ("Afwezig tot 20 of 21 augustus.",),
    ],
    "ja": [
        ("休暇中です。8月20日か21日に出社します。",),
        ("8月24日に復帰するかもしれません。",),
        ("8月20日または8月21日まで不在です。",),
    ],
}

_HISTORY = {
    "en": [
        (
            """I am away until 14 August.

**From:** Support Desk <support@desk.example>
**Sent:** Monday, August 10, 2026 9:00 AM
**To:** Jo Bell
**Subject:** Your case

We are closed and back on 31 August.""",
            "08-15",
        ),
        (
            """I'm out at the moment.

Begin forwarded message:

From: Support Desk <support@desk.example>
Subject: Closing days
Date: 9 August 2026 at 09:12:11 BST
To: Jo Bell <jo@client.example>

Our office is closed until 28 August.""",
        ),
        (
            """Back on 17 August.

-------- Forwarded Message --------
Subject: Closing days
Date: Sun, 9 Aug 2026 09:12:11 +0100
From: Support Desk <support@desk.example>
To: Jo Bell <jo@client.example>

We are away until 28 August.""",
            "08-17",
        ),
    ],
    "de": [
        (
            """Ich bin bis 14. August im Urlaub.

Anfang der weitergeleiteten Nachricht:

Von: Support <support@desk.example>
Betreff: Betriebsferien
Datum: 9. August 2026 um 09:12:11 MESZ
An: Uwe Kern <uwe@firma.example>

Wir sind bis 28. August im Urlaub.""",
            "08-15",
        ),
        (
            """Ich bin gerade nicht da.

-------- Weitergeleitete Nachricht --------
Betreff: Betriebsferien
Datum: Sun, 9 Aug 2026 09:12:11 +0200
Von: Support <support@desk.example>
An: Uwe Kern <uwe@firma.example>

Wir sind ab 31. August wieder da.""",
        ),
        (
            """Am 17. August bin ich wieder da.

**Von:** Support <support@desk.example>
**Gesendet:** Montag, 10. August 2026 09:00
**An:** Uwe Kern
**Betreff:** Ihr Fall

Wir sind bis 28. August abwesend.""",
            "08-17",
        ),
    ],
    "fr": [
        (
            """Absent jusqu'au 14 août.

Début du message transféré :

De: Support <support@desk.example>
Objet: Fermeture
Date: 9 août 2026 à 09:12:11 UTC+2
À: Luc Petit <luc@client.example>

Nous sommes en congés jusqu'au 28 août.""",
            "08-15",
        ),
        (
            """Je suis absent pour le moment.

De : Support <support@desk.example>
Envoyé le : lundi 10 août 2026 09:00
À : Luc Petit
Objet : Votre dossier

Nous serons de retour le 31 août.""",
        ),
        (
            """De retour le 17 août.

Le dim. 9 août 2026 à 09:12, Support <support@desk.example> a
écrit :

Nous sommes absents jusqu'au 28 août.""",
            "08-17",
        ),
    ],
    "es": [
        (
            """Estoy de vacaciones hasta el 14 de agosto.

Inicio del mensaje reenviado:

De: Soporte <support@desk.example>
Asunto: Cierre
Fecha: 9 de agosto de 2026, 9:12:11 CEST
Para: Ana Gil <ana@cliente.example>

Estaremos cerrados hasta el 28 de agosto.""",
            "08-15",
        ),
        (
            """Ahora mismo estoy fuera.

**De:** Soporte <support@desk.example>
**Enviado:** lunes, 10 de agosto de 2026 9:00
**Para:** Ana Gil
**Asunto:** Su caso

Volvemos el 31 de agosto.""",
        ),
        (
            """Vuelvo el 17 de agosto.

-------- Mensaje reenviado --------
Asunto: Cierre
Fecha: Sun, 9 Aug 2026 09:12:11 +0200
De: Soporte <support@desk.example>
Para: Ana Gil <ana@cliente.example>

Estamos ausentes hasta el 28 de agosto.""",
            "08-17",
        ),
    ],
    "it": [
        (
            """Sono in ferie fino al 14 agosto.

Inizio messaggio inoltrato:

Da: Supporto <support@desk.example>
Oggetto: Chiusura
Data: 9 agosto 2026 09:12:11 CEST
A: Luca Neri <luca@cliente.example>

Siamo chiusi fino al 28 agosto.""",
            "08-15",
        ),
        (
            """Al momento sono fuori ufficio.

**Da:** Supporto <support@desk.example>
**Inviato:** lunedì 10 agosto 2026 09:00
**A:** Luca Neri
**Oggetto:** La sua richiesta

Riapriamo il 31 agosto.""",
        ),
        (
            """Torno il 17 agosto.

Il giorno 9 ago 2026, alle ore 09:12, Supporto <support@desk.example> ha scritto:

Siamo assenti fino al 28 agosto.""",
            "08-17",
        ),
    ],
    "pt": [
        (
            """Estou ausente até 14 de agosto.

De: Suporte <support@desk.example>
Enviada em: segunda-feira, 10 de agosto de 2026 09:00
Para: Rui Pinto
Assunto: O seu caso

Estamos encerrados até 28 de agosto.""",
            "08-15",
        ),
        (
            """De momento estou fora.

Início da mensagem reenviada:

De: Suporte <support@desk.example>
Assunto: Encerramento
Data: 9 de agosto de 2026, 09:12:11 WEST
Para: Rui Pinto <rui@cliente.example>

Voltamos a 31 de agosto.""",
        ),
        (
            """Regresso a 17 de agosto.

No dia 9 de ago. de 2026, às 09:12, Suporte <support@desk.example> escreveu:

Estamos ausentes até 28 de agosto.""",
            "08-17",
        ),
    ],
    "nl": [
        (
            """Ik ben afwezig t/m 14 augustus.

Begin doorgestuurd bericht:

Van: Support <support@desk.example>
Onderwerp: Sluiting
Datum: 9 augustus 2026 om 09:12:11 CEST
Aan: Kees Bos <kees@klant.example>

Wij zijn gesloten tot en met 28 augustus.""",
            "08-15",
        ),
        (
            """Ik ben er nu even niet.

-------- Doorgestuurd bericht --------
Onderwerp: Sluiting
Datum: Sun, 9 Aug 2026 09:12:11 +0200
Van: Support <support@desk.example>
Aan: Kees Bos <kees@klant.example>

Wij zijn op 31 augustus weer terug.""",
        ),
        (
            """Op 17 augustus ben ik terug.

**Van:** Support <support@desk.example>
**Verzonden:** maandag 10 augustus 2026 09:00
**Aan:** Kees Bos
**Onderwerp:** Uw zaak

Wij zijn afwezig tot 28 augustus.""",
            "08-17",
        ),
    ],
    "ja": [
        (
            """8月14日まで不在です。

差出人: サポート <support@desk.example>
日付: 2026年8月9日 9:12
宛先: 佐藤
件名: 休業のお知らせ

8月28日まで休業いたします。""",
            "08-15",
        ),
        (
            """ただいま不在にしております。

転送されたメッセージ:

差出人: サポート <support@desk.example>
件名: 休業のお知らせ
日付: 2026年8月9日 9:12:11 JST
宛先: 佐藤 <sato@client.example>

8月31日より営業を再開いたします。""",
        ),
        (
            """8月17日に出社いたします。

2026/08/09 9:12、サポート <support@desk.example>のメール:

8月28日まで不在です。""",
            "08-17",
        ),
    ],
}

FIRST = [
    *_notes("later weekday", _LATER_WEEKDAY),
    *_notes("not until", _NOT_UNTIL),
    *_notes("two days", _TWO_DAYS),
    *_notes("history", _HISTORY),
]

_LATER_WEEKDAY_2 = {
    "en": [
        ("I am on holiday the week of 17 August, returning Monday.", "08-24"),
        ("Closed for a team day on Wed 26 Aug. We reopen on Thursday.", "08-27", "08-26"),
        ("I'm taking two weeks off. See you back on Monday!",),
    ],
    "de": [
        ("Kommende Woche bin ich auf Dienstreise und ab Donnerstag zurück.",),
        ("Wir haben am 20. und 21.8. geschlossen und sind Montag wieder für Sie da.", "08-24", "08-20"),
        ("Ich bin die letzte Augustwoche nicht da, Rückkehr am Dienstag.",),
    ],
    "fr": [
        ("Je suis en déplacement la semaine du 17 août et de retour au bureau lundi.", "08-24"),
        ("Fermeture exceptionnelle le jeudi 20 août. Réouverture vendredi.", "08-21", "08-20"),
        ("Je prends quinze jours de vacances, de retour mardi.",),
    ],
    "es": [
        ("La semana que viene no estaré; me reincorporo el martes.", "08-25"),
        ("Cerrado el lunes 24 de agosto. Reabrimos el martes.", "08-25", "08-24"),
        ("Estoy de permiso dos semanas y vuelvo el lunes.",),
    ],
    "it": [
        ("Settimana prossima chiusi per ferie, riapriamo lunedì.", "08-24"),
        ("Sono assente il 20 e 21 agosto, di ritorno lunedì.", "08-24", "08-20"),
        ("Prendo due settimane di vacanza, rientro lunedì.",),
    ],
    "pt": [
        ("Na semana de 17 de agosto estou de férias e volto na segunda-feira.", "08-24"),
        ("Encerrado na quinta-feira, 20 de agosto. Reabrimos na sexta-feira.", "08-21", "08-20"),
        ("Vou tirar duas semanas de folga, regresso na terça-feira.",),
    ],
    "nl": [
        ("In week 35 ben ik afwezig. Ik ben maandag weer aanwezig.", "08-31"),
        ("Donderdag 20 augustus zijn wij gesloten, vrijdag zijn wij weer open en terug.", "08-21", "08-20"),
        ("Ik ben twee weken op vakantie en dinsdag weer terug.",),
    ],
    "ja": [
        ("8月17日の週は休暇をいただきます。火曜日に出社します。", "08-25"),
        ("8月20日と21日は不在にします。月曜日より対応いたします。", "08-24", "08-20"),
        ("再来週は休業です。水曜日から通常営業いたします。",),
    ],
}

_NOT_UNTIL_2 = {
    "en": [
        ("Unfortunately I cannot reply to any messages until Monday, 17th August.", "08-17"),
        ("I won't be online till 19 Aug and your mail will not be forwarded.", "08-19"),
        ("On vacation, so nothing will be looked at until August 24.", "08-24"),
    ],
    "de": [
        ("Frühestens am 24. August kann ich mich wieder melden.",),
        ("Ich bin derzeit verreist und kann erst wieder ab dem 19. August antworten.", "08-19"),
        ("Nicht vor Montag, 17. August erreichbar.", "08-17"),
    ],
    "fr": [
        ("Je ne traiterai votre demande que le 24 août.", "08-24"),
        ("Pas de réponse de ma part avant le mercredi 19 août.", "08-19"),
        ("Absente, je ne serai joignable qu'à compter du 17 août.", "08-17"),
    ],
    "es": [
        ("No tendré acceso al correo hasta el miércoles 19 de agosto.", "08-19"),
        ("Hasta el 24 de agosto no podré contestar.", "08-24"),
        ("No leeré su mensaje antes del 17 de agosto.", "08-17"),
    ],
    "it": [
        ("Vi risponderò soltanto a partire dal 24 agosto, ora sono in ferie.", "08-24"),
        ("Prima del 19 agosto non sarò in grado di rispondere.", "08-19"),
        ("Non sarò di nuovo in ufficio prima del 17 agosto.", "08-17"),
    ],
    "pt": [
        ("Só poderei responder a partir de 24 de agosto.", "08-24"),
        ("Antes de 19 de agosto não terei acesso ao e-mail.", "08-19"),
        ("Não estarei de volta antes do dia 17 de agosto.", "08-17"),
    ],
    "nl": [
        ("Pas vanaf 24 augustus kan ik uw vraag weer in behandeling nemen.", "08-24"),
        ("Ik zal niet eerder dan 19 augustus antwoorden.", "08-19"),
        ("U krijgt niet vóór 17 augustus een reactie van mij.", "08-17"),
    ],
    "ja": [
        ("8月24日までメールを見ることができません。", "08-25"),
        ("8月19日まではご連絡に対応できかねます。", "08-20"),
        ("ご返信は8月17日以降になりますので、ご了承ください。", "08-17"),
    ],
}

_TWO_DAYS_2 = {
    "en": [
        ("I should be back on Monday 24 August but it could be the 25th.",),
        ("Returning either Thursday or Friday.",),
        ("Away until 14 August, perhaps until 21 August.",),
    ],
    "de": [
        ("Ich bin entweder am Donnerstag oder am Freitag wieder da.",),
        ("Wieder da am 24./25. August.",),
        ("Urlaub bis 14. August, eventuell bis 21. August.",),
    ],
    "fr": [
        ("Retour jeudi ou vendredi.",),
        ("Je pense être de retour le 24 août, sinon le 25.",),
        ("Absent jusqu'au 14 août, voire jusqu'au 21 août.",),
    ],
    "es": [
        ("Vuelvo el jueves o el viernes.",),
        ("Creo que vuelvo el 24 de agosto, a más tardar el 25.",),
        ("Fuera hasta el 14 de agosto, a lo mejor hasta el 21 de agosto.",),
    ],
    "it": [
        ("Rientro giovedì o venerdì.",),
        ("Dovrei tornare il 24 agosto, al più tardi il 25 agosto.",),
        ("In ferie fino al 14 agosto, magari fino al 21 agosto.",),
    ],
    "pt": [
        ("Volto quinta-feira ou sexta-feira.",),
        ("Em princípio regresso a 24 de agosto, o mais tardar a 25.",),
        ("De férias até 14 de agosto, ou até 21 de agosto.",),
    ],
    "nl": [
        ("Donderdag of vrijdag ben ik weer terug.",),
        ("Terug op 24/25 augustus.",),
        ("Met verlof tot 14 augustus, mogelijk tot 21 augustus.",),
    ],
    "ja": [
        ("木曜日か金曜日に出社予定です。",),
        ("8月24日、もしくは25日に復帰いたします。",),
        ("8月14日まで休暇ですが、8月21日まで延びる可能性があります。",),
    ],
}

_HISTORY_2 = {
    "en": [
        (
            """Away until 14 August.

------- Original Message -------
On Sunday, August 9th, 2026 at 9:12 AM, Support Desk <support@desk.example> wrote:

We are away until 28 August.""",
            "08-15",
        ),
        (
            """I'm not at my desk right now.

From: Support Desk <support@desk.example>
Date: Monday, 10 August 2026 at 09:00
To: Jo Bell <jo@client.example>
Cc: Ann Lee <ann@client.example>
Subject: Re: Closing days

We are out of office until 28 August.""",
        ),
        (
            """I'll return on 17 August.

| From: Support Desk
| Sent: 10 August 2026 09:00
| To: Jo Bell
| Subject: Closing days
|
| We are out of office until 28 August.""",
            "08-17",
        ),
    ],
    "de": [
        (
            """Ich bin bis 14. August im Urlaub.

-----Ursprüngliche Nachricht-----
Von: Support [mailto:support@desk.example]
Gesendet: Montag, 10. August 2026 09:00
An: Uwe Kern
Betreff: Betriebsferien

Wir sind bis 28. August im Urlaub.""",
            "08-15",
        ),
        (
            """Danke für Ihre Nachricht, ich melde mich.

"Support Desk" <support@desk.example> schrieb am 10.08.2026 09:12:11:

Wir sind bis 28. August im Urlaub.""",
        ),
        (
            """Zurück am 17. August.

Am So., 9. Aug. 2026 um 09:12 Uhr schrieb Support Desk <
support@desk.example>:

Wir sind bis 28. August im Urlaub.""",
            "08-17",
        ),
    ],
    "fr": [
        (
            """Absent jusqu'au 14 août.

-------- Message transféré --------
Sujet : Fermeture
Date : Sun, 9 Aug 2026 09:12:11 +0200
De : Support <support@desk.example>
Pour : Luc Petit <luc@client.example>

Nous sommes absents jusqu'au 28 août.""",
            "08-15",
        ),
        (
            """Je suis en réunion.

-----Message d'origine-----
De : Support
Envoyé : lundi 10 août 2026 09:00
À : Luc Petit
Objet : Fermeture

Nous sommes absents jusqu'au 28 août.""",
        ),
        (
            """Je reviens le 17 août.

**De :** Support <support@desk.example>
**Date :** lundi 10 août 2026 à 09:00
**À :** Luc Petit
**Objet :** Fermeture

Nous sommes absents jusqu'au 28 août.""",
            "08-17",
        ),
    ],
    "es": [
        (
            """Ausente hasta el 14 de agosto.

El dom, 9 ago 2026 a las 9:12, Soporte (<support@desk.example>) escribió:

Estamos ausentes hasta el 28 de agosto.""",
            "08-15",
        ),
        (
            """Estoy reunido toda la mañana.

De: Soporte
Enviado el: lunes, 10 de agosto de 2026 9:00
Para: Ana Gil
CC: Luis Mora
Asunto: Cierre

Estamos ausentes hasta el 28 de agosto.""",
        ),
        (
            """Regreso el 17 de agosto.

-----Mensaje original-----
De: Soporte [mailto:support@desk.example]
Enviado: 10/08/2026 9:00

Estamos ausentes hasta el 28 de agosto.""",
            "08-17",
        ),
    ],
    "it": [
        (
            """Assente fino al 14 agosto.

-----Messaggio originale-----
Da: Supporto
Inviato: lunedì 10 agosto 2026 09:00
A: Luca Neri
Oggetto: Chiusura

Siamo chiusi fino al 28 agosto.""",
            "08-15",
        ),
        (
            """Ora sono in riunione.

-------- Messaggio Inoltrato --------
Oggetto: Chiusura
Data: Sun, 9 Aug 2026 09:12:11 +0200
Mittente: Supporto <support@desk.example>
A: Luca Neri <luca@cliente.example>

Siamo chiusi fino al 28 agosto.""",
        ),
        (
            """Rientro il 17 agosto.

Il dom 9 ago 2026, 09:12 Supporto <support@desk.example> ha
scritto:

Siamo chiusi fino al 28 agosto.""",
            "08-17",
        ),
    ],
    "pt": [
        (
            """De férias até 14 de agosto.

---------- Forwarded message ---------
De: Suporte <support@desk.example>
Date: dom., 9 de ago. de 2026 às 09:12
Subject: Encerramento
To: Rui Pinto <rui@cliente.example>

Estamos encerrados até 28 de agosto.""",
            "08-15",
        ),
        (
            """Estou em reunião.

-----Mensagem original-----
De: Suporte
Enviada: segunda-feira, 10 de agosto de 2026 09:00
Para: Rui Pinto
Assunto: Encerramento

Estamos encerrados até 28 de agosto.""",
        ),
        (
            """Volto a 17 de agosto.

Em dom., 9 de ago. de 2026 às 09:12, Suporte <support@desk.example>
escreveu:

Estamos encerrados até 28 de agosto.""",
            "08-17",
        ),
    ],
    "nl": [
        (
            """Afwezig tot en met 14 augustus.

Op zo 9 aug 2026 om 09:12 schreef Support Desk <support@desk.example>:

Wij zijn gesloten tot en met 28 augustus.""",
            "08-15",
        ),
        (
            """Ik zit in een overleg.

-----Oorspronkelijk bericht-----
Van: Support
Verzonden: maandag 10 augustus 2026 09:00
Aan: Kees Bos
Onderwerp: Sluiting

Wij zijn gesloten tot en met 28 augustus.""",
        ),
        (
            """Terug op 17 augustus.

Van: Support <support@desk.example>
Datum: maandag 10 augustus 2026 om 09:00
Aan: Kees Bos <kees@klant.example>
Onderwerp: Sluiting

Wij zijn gesloten tot en met 28 augustus.""",
            "08-17",
        ),
    ],
    "ja": [
        (
            """8月14日まで休暇です。

-----元のメッセージ-----
差出人: サポート
送信日時: 2026年8月10日月曜日 9:00
宛先: 佐藤
件名: 休業のお知らせ

8月28日まで休業いたします。""",
            "08-15",
        ),
        (
            """ただいま会議中です。

2026年8月9日(日) 9:12 サポート <support@desk.example>:

8月28日まで休業いたします。""",
        ),
        (
            """8月17日に復帰します。

-------- 転送メッセージ --------
件名： 休業のお知らせ
日付： Sun, 9 Aug 2026 09:12:11 +0900
差出人： サポート <support@desk.example>
宛先： 佐藤 <sato@client.example>

8月28日まで休業いたします。""",
            "08-17",
        ),
    ],
}

SECOND = [
    *_notes("later weekday", _LATER_WEEKDAY_2),
    *_notes("not until", _NOT_UNTIL_2),
    *_notes("two days", _TWO_DAYS_2),
    *_notes("history", _HISTORY_2),
]

_ORDINARY = {
    "en": [
        (
            """Thank you for your email. I am out of the office until Friday 21 August with limited access to email.
I may not be able to reply before I return. If you need help right now, please contact Ann or Bob.""",
            "08-22",
        ),
        (
            """I am currently on leave and will return on Monday, 24 August. It might take a few days to
answer your message
once I am back, as I probably have a full inbox.""",
            "08-24",
        ),
        (
            """I'm away from 10 August to 21 August 2026 and not checking email. Should you need anything,
call Mia, or write
to desk@client.example. I hope to answer you in the week after my return.""",
            "08-22",
            "08-10",
        ),
        ("I'm off sick this week and will be back on Monday.", "08-17"),
        ("OOO today and tomorrow. Back Wednesday.", "08-12"),
        ("Our office is closed until 14 August. We do not ship any orders during that time.", "08-15"),
    ],
    "de": [
        (
            """Vielen Dank für Ihre Nachricht. Ich bin bis einschließlich 21. August nicht im Büro und habe
nur gelegentlich
Zugriff auf meine E-Mails. Sollten Sie dringend Hilfe brauchen, wenden Sie sich an Frau Kurz oder Herrn Lang.""",
            "08-22",
        ),
        (
            """Ich bin derzeit im Urlaub und ab dem 24. August wieder für Sie da. Ihre E-Mail wird nicht
weitergeleitet.
Möglicherweise dauert die Antwort dann ein paar Tage.""",
            "08-24",
        ),
        ("Vom 10.08. bis 21.08.2026 bin ich im Urlaub. Falls es eilt, hilft Ihnen mein Team gern.", "08-22", "08-10"),
        ("Ich bin diese Woche krank und am Montag wieder im Büro.", "08-17"),
        ("Bin heute unterwegs, Mittwoch wieder am Platz. Gruß Kai", "08-12"),
        ("Unser Büro bleibt bis 14. August geschlossen. In dieser Zeit beantworten wir keine Anfragen.", "08-15"),
    ],
    "fr": [
        (
            """Bonjour, je suis absente jusqu'au vendredi 21 août inclus et je n'ai pas accès à ma messagerie. En cas
d'urgence, vous pouvez joindre Paul ou Marie au bureau.""",
            "08-22",
        ),
        (
            """Je suis actuellement en congés et serai de retour le lundi 24 août. Je vous répondrai dès que
possible, ce qui
prendra peut-être quelques jours.""",
            "08-24",
        ),
        ("Absent du 10 au 21 août 2026. Votre message ne sera pas transféré.", "08-22", "08-10"),
        ("Je suis en arrêt maladie cette semaine, de retour lundi.", "08-17"),
        ("En déplacement aujourd'hui et demain, de retour mercredi.", "08-12"),
        ("Nos bureaux sont fermés jusqu'au 14 août. Aucune commande ne sera expédiée pendant cette période.", "08-15"),
    ],
    "es": [
        (
            """Gracias por su mensaje. Estaré fuera de la oficina hasta el viernes 21 de agosto con acceso
limitado al correo.
Si es urgente, escriba a Ana o a Luis.""",
            "08-22",
        ),
        (
            """Actualmente estoy de vacaciones y vuelvo el lunes 24 de agosto. Le responderé lo antes
posible, quizá con
algunos días de retraso.""",
            "08-24",
        ),
        ("Estaré ausente del 10 al 21 de agosto de 2026. No se reenviará su mensaje.", "08-22", "08-10"),
        ("Esta semana estoy de baja, vuelvo el lunes.", "08-17"),
        ("Hoy y mañana estoy de viaje. Regreso el miércoles.", "08-12"),
        ("La oficina permanecerá cerrada hasta el 14 de agosto. No atendemos pedidos en esas fechas.", "08-15"),
    ],
    "it": [
        (
            """Grazie per il messaggio. Sono fuori ufficio fino a venerdì 21 agosto con accesso limitato alla
posta. Per
urgenze potete contattare Marco o Giulia.""",
            "08-22",
        ),
        (
            """Al momento sono in ferie e rientrerò lunedì 24 agosto. Risponderò appena possibile, forse con
qualche giorno
di ritardo.""",
            "08-24",
        ),
        ("Sono assente dal 10 al 21 agosto 2026. Il messaggio non verrà inoltrato.", "08-22", "08-10"),
        ("Questa settimana sono in malattia, rientro lunedì.", "08-17"),
        ("Oggi e domani sono in trasferta. Torno mercoledì.", "08-12"),
        ("Siamo chiusi fino al 14 agosto. Non spediamo ordini in questo periodo.", "08-15"),
    ],
    "pt": [
        (
            """Obrigado pela mensagem. Estou ausente até sexta-feira, 21 de agosto, com acesso limitado ao
e-mail. Em caso de
urgência contacte a Ana ou o Rui.""",
            "08-22",
        ),
        (
            """No momento estou de férias e volto na segunda-feira, 24 de agosto. Respondo assim que
possível, talvez com
alguns dias de atraso.""",
            "08-24",
        ),
        ("Estarei ausente de 10 a 21 de agosto de 2026. A mensagem não será reencaminhada.", "08-22", "08-10"),
        ("Esta semana estou de baixa e volto na segunda-feira.", "08-17"),
        ("Hoje e amanhã estou em viagem. Regresso na quarta-feira.", "08-12"),
        ("O escritório está fechado até 14 de agosto. Não enviamos encomendas neste período.", "08-15"),
    ],
    "nl": [
        (
            """Bedankt voor uw bericht. Ik ben tot en met vrijdag 21 augustus afwezig en lees mijn mail niet. Neem voor
dringende zaken contact op met Jan of Els.""",
            "08-22",
        ),
        (
            """Ik ben momenteel op vakantie en op maandag 24 augustus weer terug. Ik antwoord zo snel
mogelijk, misschien met
enkele dagen vertraging.""",
            "08-24",
        ),
        ("Ik ben afwezig van 10 t/m 21 augustus 2026. Uw bericht wordt niet doorgestuurd.", "08-22", "08-10"),
        ("Deze week ben ik ziek, maandag ben ik weer terug.", "08-17"),
        ("Vandaag en morgen ben ik op reis. Woensdag ben ik weer bereikbaar.", "08-12"),
        ("Ons kantoor is gesloten t/m 14 augustus. Wij versturen dan geen bestellingen.", "08-15"),
    ],
    "ja": [
        (
            """お世話になっております。8月21日（金）まで休暇をいただいております。休暇中はメールの確認ができません。
お急ぎの場合は田中または鈴木までご連絡ください。""",
            "08-22",
        ),
        (
            """ただいま休暇中のため、8月24日（月）に出社予定です。ご返信までに数日いただく場合がございます。""",
            "08-24",
        ),
        ("8月10日から8月21日まで不在にしております。その間、メールは転送されません。", "08-22", "08-10"),
        ("今週はお休みをいただいております。月曜日に出社いたします。", "08-17"),
        ("本日と明日は出張です。水曜日に出社します。", "08-12"),
        ("8月14日まで休業いたします。期間中の発送は行っておりません。", "08-15"),
    ],
}

_ADVERSARIAL = {
    "en": [
        ("My flight leaves on 21 August. I'm back on Monday the week after.",),
        ("Away until 14 August. Do not expect an answer before 24 August.", "08-24"),
        ("I will not be leaving until 21 August.",),
        ("I'm on leave. The new portal will not be available until 21 August.",),
        ("Back 21/22 August.",),
        ("Between 19 and 21 August I will be back in the office.",),
        ("I'm on holiday in September and back on the 17th.",),
        ("Back on the first Monday of September.",),
    ],
    "de": [
        ("Ich bin erst ab dem 21. August im Urlaub.",),
        ("Ich bin am 21. August und am 4. September nicht im Büro, Montag wieder da.",),
        ("Ab 24. August, spätestens 26. August, bin ich wieder im Büro.",),
        ("Im September bin ich im Urlaub, am Dienstag wieder da.",),
        ("Zurück am 8./9. August 2027 oder später.",),
        ("Bin im Urlaub, zurück am Montag nach Ostern.",),
        ("Das neue Portal ist nicht vor dem 21. August erreichbar. Ich bin im Urlaub.",),
        ("Ich lese meine Mails bis 21. August nicht.", "08-22"),
    ],
    "fr": [
        ("Je ne pars pas avant le 21 août.",),
        ("Absent le 21 août et le 4 septembre, de retour lundi.",),
        ("De retour le 8/9 août.",),
        ("Je serai en vacances en septembre, de retour mardi.",),
        ("Retour le lundi suivant.",),
        ("Entre le 19 et le 21 août je serai de retour.",),
        ("Le nouveau portail ne sera pas disponible avant le 21 août. Je suis en congés.",),
        ("Je ne répondrai pas à vos messages jusqu'au 21 août.", "08-22"),
    ],
    "es": [
        ("No me voy hasta el 21 de agosto.",),
        ("Estaré fuera el 21 de agosto y el 4 de septiembre; vuelvo el lunes.",),
        ("Vuelvo el 20/21 de agosto.",),
        ("En septiembre estoy de vacaciones, vuelvo el martes.",),
        ("Vuelvo el lunes siguiente.",),
        ("Entre el 19 y el 21 de agosto estaré de vuelta.",),
        ("El portal no estará disponible hasta el 21 de agosto. Estoy de vacaciones.",),
        ("No estaré disponible hasta el 24 de agosto.", "08-24"),
    ],
    "it": [
        ("Non parto prima del 21 agosto.",),
        ("Sono assente il 21 agosto e il 4 settembre, rientro lunedì.",),
        ("Torno il 20/21 agosto.",),
        ("A settembre sono in ferie, rientro martedì.",),
        ("Rientro il lunedì successivo.",),
        ("Tra il 19 e il 21 agosto sarò di ritorno.",),
        ("Il portale non sarà disponibile prima del 21 agosto. Sono in ferie.",),
        ("Non risponderò fino al 24 agosto.",),
    ],
    "pt": [
        ("Não viajo antes de 21 de agosto.",),
        ("Estou ausente no dia 21 de agosto e no dia 4 de setembro, volto na segunda-feira.",),
        ("Volto a 20/21 de agosto.",),
        ("Em setembro estou de férias e volto na terça-feira.",),
        ("Volto na segunda-feira seguinte.",),
        ("Entre 19 e 21 de agosto estarei de volta.",),
        ("O portal não estará disponível antes de 21 de agosto. Estou de férias.",),
        ("Não responderei até 24 de agosto.",),
    ],
    "nl": [
        ("Ik vertrek niet voor 21 augustus.",),
        ("Op 21 augustus en op 4 september ben ik afwezig, maandag weer terug.",),
        ("Terug op 8/9 augustus.",),
        ("In september ben ik op vakantie, dinsdag ben ik terug.",),
        ("Ik ben volgende maandag terug.",),
        ("Tussen 19 en 21 augustus ben ik weer terug.",),
        ("Het portaal is niet voor 21 augustus beschikbaar. Ik ben op vakantie.",),
        ("Ik reageer niet tot 24 augustus.",),
    ],
    "ja": [
        ("8月21日まで出発しません。",),
        ("8月21日と9月4日は不在です。月曜日に出社します。",),
        ("8月20日・21日に出社します。",),
        ("9月は休暇です。火曜日に出社します。",),
        ("翌週の月曜日に出社します。",),
        ("8月19日か20日ごろ復帰します。",),
        ("新しいシステムは8月21日まで利用できません。休暇中です。",),
        ("休暇中につき、8月24日以降に確認いたします。", "08-24"),
    ],
}

THIRD = [*_notes("ordinary", _ORDINARY), *_notes("adversarial", _ADVERSARIAL)]

_MIXED = {
    "en": [
        ("I've got Thursday 20 August off and I'm in again on Friday.", "08-21", "08-20"),
        ("Travelling until the 19th of August; you won't hear from me until the 20th of August.", "08-20"),
        ("It will be Monday 24 August before I can get back to you.", "08-24"),
        ("I return on the 20th; if the baby comes early, make that the 27th.",),
        ("Away for the rest of the month, back on Tuesday.",),
        (
            "Away until 14 August.\n\nFrom: Support Desk Sent: 10 Aug 2026 To: Jo Subject: Hi\nClosed until 28 August.",
            "08-15",
        ),
        ("I will not read your e-mail until I return on 24 August 2026.", "08-24"),
        ("I'm on leave from tomorrow until Friday 21 August.", "08-22"),
    ],
    "de": [
        ("Donnerstag, den 20. August habe ich frei, Freitag bin ich wieder im Büro.", "08-21", "08-20"),
        ("Erst nach dem 21. August kann ich mich um Ihr Anliegen kümmern.", "08-22"),
        ("Bin bis zum 21. August im Urlaub, eine Antwort gibt es nicht vor dem 24. August.", "08-24"),
        ("Ich komme am 20. August zurück, wenn der Zug fährt sonst am 21. August.",),
        ("Bis Monatsende bin ich weg, am Dienstag wieder da.",),
        (
            "Abwesend bis 14. August.\n>>> Support <desk@desk.example> 10.08.26 09:00 >>>\nWeg bis 28. August.",
            "08-15",
        ),
        ("Ich bin vom 17. bis 20. oder 21. August im Urlaub.",),
        ("Ich bin im Krankenstand und frühestens ab 24. August zurück.",),
    ],
    "fr": [
        ("Je ne travaille pas le jeudi 20 août et reviens vendredi.", "08-21", "08-20"),
        ("Vous n'aurez pas de réponse avant le 24 août.", "08-24"),
        ("Je ne serai de retour au bureau que le lundi 24 août.", "08-24"),
        ("Retour prévu entre le 20 et le 24 août.",),
        ("Absent jusqu'à la fin du mois, de retour mardi.",),
        ("Absent jusqu'au 14 août.\n\nLe 10/08/2026 à 09:00, Support a écrit :\nFermé jusqu'au 28 août.", "08-15"),
        ("Je serai absent du 17 au 20 ou 21 août.",),
        ("Je devrais reprendre le 24 août.",),
    ],
    "es": [
        ("El jueves 20 de agosto libro y vuelvo el viernes.", "08-21", "08-20"),
        ("No recibirá respuesta mía hasta el 24 de agosto.", "08-24"),
        ("Hasta el lunes 24 de agosto no estaré de vuelta.", "08-24"),
        ("Regreso entre el 20 y el 24 de agosto.",),
        ("Fuera hasta fin de mes; vuelvo el martes.",),
        (
            "Ausente hasta el 14 de agosto.\n\nEl 10/8/26 a las 9:00, Ana escribió:\nCerrado hasta el 28 de agosto.",
            "08-15",
        ),
        ("Estaré fuera del 17 al 20 o 21 de agosto.",),
        ("Debería estar de vuelta el 24 de agosto.",),
    ],
    "it": [
        ("Giovedì 20 agosto sono in permesso e rientro venerdì.", "08-21", "08-20"),
        ("Non riceverete risposta prima del 24 agosto.", "08-24"),
        ("Rientrerò in ufficio solo lunedì 24 agosto.", "08-24"),
        ("Rientro tra il 20 e il 24 agosto.",),
        ("Assente fino a fine mese, rientro martedì.",),
        ("Assente fino al 14 agosto.\n\nIl 10/08/26 09:00, Supporto ha scritto:\nChiusi fino al 28 agosto.", "08-15"),
        ("Sono in ferie dal 17 al 20 o 21 agosto.",),
        ("Dovrei essere di ritorno il 24 agosto.",),
    ],
    "pt": [
        ("Quinta-feira, 20 de agosto, estou de folga e volto na sexta-feira.", "08-21", "08-20"),
        ("Não terá resposta minha antes de 24 de agosto.", "08-24"),
        ("Só estarei de volta na segunda-feira, 24 de agosto.", "08-24"),
        ("Regresso entre 20 e 24 de agosto.",),
        ("Fora até ao fim do mês, regresso na terça-feira.",),
        ("Ausente até 14 de agosto.\n\nA 10/08/2026 09:00, Suporte escreveu:\nEncerrado até 28 de agosto.", "08-15"),
        ("Estarei de férias de 17 a 20 ou 21 de agosto.",),
        ("Devo voltar no dia 24 de agosto.",),
    ],
    "nl": [
        ("Donderdag 20 augustus heb ik vrij en vrijdag ben ik er weer.", "08-21", "08-20"),
        ("U hoort pas na 21 augustus van mij.", "08-22"),
        ("Ik ben pas maandag 24 augustus weer op kantoor.", "08-24"),
        ("Ik ben ergens tussen 20 en 24 augustus terug.",),
        ("Afwezig tot het einde van de maand, dinsdag weer terug.",),
        ("Afwezig t/m 14 augustus.\n\nOp 10-08-26 om 09:00 schreef Support:\nGesloten t/m 28 augustus.", "08-15"),
        ("Ik ben van 17 tot 20 of 21 augustus op vakantie.",),
        ("Ik zou 24 augustus weer terug moeten zijn.",),
    ],
    "ja": [
        ("8月20日（木）はお休みをいただき、金曜日に出社いたします。", "08-21", "08-20"),
        ("8月21日まではお返事できませんので、ご了承ください。", "08-22"),
        ("出社は早くても8月24日になります。",),
        ("8月20日から24日の間に復帰予定です。",),
        ("月末まで不在、火曜日に出社します。",),
        ("8月14日まで不在です。\n\n2026/08/10 9:00、サポートさんは書きました:\n8月28日まで休業します。", "08-15"),
        ("8月17日から20日または21日まで休暇です。",),
        ("たぶん8月24日に出社します。",),
    ],
}

FOURTH = _notes("mixed", _MIXED)
