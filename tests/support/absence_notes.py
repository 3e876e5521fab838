"""Out-of-office notes as technicians paste them, and the timeframe a careful person reads from each (F5).

Names, numbers and companies are invented. MEASURED and MEASURED_AGAIN were written after the reader was finished, and
showed what it could not read: 11 of 18 and 11 of 16 were read in full at the first try.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Note:
    """`away_from` and `back_on` are what a person reads; both None when that person would have to guess."""

    name: str
    language: str
    country: str
    received_on: date
    text: str
    away_from: date | None = None
    back_on: date | None = None


def day(iso: str) -> date:
    return date.fromisoformat(iso)


ENGLISH = (
    Note(
        "a classic",
        "en",
        "GB",
        day("2026-08-03"),
        """Hello,

Thank you for your email. I am out of the office from Monday 3 August until Friday 14 August 2026 with
limited access to email. For urgent matters please contact my colleague Dave Hill (dave.hill@acme.example,
+44 20 7946 0958, ext. 12).

Kind regards,
Sarah Whitfield
Acme Widgets Ltd | 12 High Street | London
""",
        day("2026-08-03"),
        day("2026-08-15"),
    ),
    Note(
        "American numbers",
        "en",
        "US",
        day("2026-10-30"),
        """I will be on PTO 11/12/26 through 11/20/26. Your ticket INC0012345 is in good hands:
reach out to Mike at (555) 010-1234.

Thanks,
Jen""",
        day("2026-11-12"),
        day("2026-11-21"),
    ),
    Note(
        "the same numbers in Britain",
        "en",
        "GB",
        day("2026-11-30"),
        """Automatic reply: Case 12/11 firmware

I am on annual leave until 11/12/2026 inclusive.
T: 020 7946 0018 / M: 07700 900123
""",
        None,
        day("2026-12-12"),
    ),
    Note(
        "no dates",
        "en",
        "GB",
        day("2026-08-03"),
        """Hi, I'm away next week and back soon. If it is urgent call 020 7946 0958 and quote ticket #4812-06.
We are open 24/7, Monday to Friday until 5 pm. Version 12.6 is out now!
Best regards
Tom""",
    ),
    Note(
        "back on Monday",
        "en",
        "IE",
        day("2026-08-05"),
        """Hey there,

I'm out of the office at the moment and will be back on Monday.

Ciara""",
        None,
        day("2026-08-10"),
    ),
    Note(
        "until Friday, back on Monday",
        "en",
        "GB",
        day("2026-08-05"),
        """I am on leave until Friday 14 August and back on Monday. My deputy is Priya (ext 4411).""",
        None,
        day("2026-08-17"),
    ),
    Note(
        "not back until",
        "en",
        "AU",
        day("2026-12-18"),
        """Season's greetings!

Our office is closed for the holidays. I won't be back in the office until Monday, 4 January.
For emergencies: 1300 555 012.""",
        None,
        day("2027-01-04"),
    ),
    Note(
        "over New Year without a year",
        "en",
        "US",
        day("2026-12-22"),
        """Happy Holidays! I'm out of office December 23 - January 3, returning Monday, January 4th.
Please open a case at https://support.example/cases?from=2026-01-01 for anything urgent.""",
        day("2026-12-23"),
        day("2027-01-04"),
    ),
    Note(
        "in the past",
        "en",
        "GB",
        day("2026-08-20"),
        """I am out of the office from 3 August 2026 to 14 August 2026.
Regards, Sarah""",
    ),
    Note(
        "a contradiction",
        "en",
        "GB",
        day("2026-08-01"),
        """I am on leave until 21 August. I will be back on 17 August.""",
    ),
    Note(
        "quoted history with other dates",
        "en",
        "US",
        day("2026-08-03"),
        """I am out of the office and will return on August 17th.

On Mon, Jul 6, 2026 at 9:12 AM Support Desk <support@desk.example> wrote:
> We are closed until July 10, back on July 13.
> Regards
I am out of the office until August 31""",
        None,
        day("2026-08-17"),
    ),
    Note(
        "pasted with its header and markup",
        "en",
        "US",
        day("2026-08-03"),
        """From: Jane Roe <jane.roe@client.example>
Sent: Monday, August 3, 2026 9:02 AM
To: Support Desk <support@desk.example>
Subject: Automatic reply: [#2231] Router reboots

<html><body><p>Hello,</p><p>I&#39;m&nbsp;out from <b>8/3/2026</b> to <b>8/7/2026</b>.<br>I'll be back on 8/10/2026.</p>
</body></html>
-----Original Message-----
From: Support Desk
Sent: Monday, August 3, 2026 9:00 AM
Please answer until August 28.""",
        day("2026-08-03"),
        day("2026-08-10"),
    ),
)

GERMAN = (
    Note(
        "a classic",
        "de",
        "DE",
        day("2026-08-03"),
        """Sehr geehrte Damen und Herren,

vielen Dank für Ihre Nachricht. Ich bin vom 03.08.2026 bis einschließlich 14.08.2026 nicht im Büro.
Ihre E-Mail wird nicht weitergeleitet. In dringenden Fällen wenden Sie sich bitte an meine Vertretung,
Frau Petra Müller (petra.mueller@firma.example, Tel. 089/12 34 56-78).

Mit freundlichen Grüßen
Hans Meier

Firma GmbH, Amtsgericht München HRB 12345, USt-IdNr. DE123456789""",
        day("2026-08-03"),
        day("2026-08-15"),
    ),
    Note(
        "short months and a return",
        "de",
        "DE",
        day("2026-08-01"),
        """Guten Morgen,
ich bin vom 3.8. bis 14.8. im Urlaub und ab Montag, den 17.8. wieder erreichbar.
Viele Grüße
Uwe""",
        day("2026-08-03"),
        day("2026-08-17"),
    ),
    Note(
        "a shared month",
        "de",
        "AT",
        day("2026-08-03"),
        """Abwesenheitsnotiz

Ich bin von 3.–14. August auf Urlaub. Dringendes bitte an office@firma.example oder +43 1 234 56 78.
LG Resi""",
        day("2026-08-03"),
        day("2026-08-15"),
    ),
    Note(
        "the day after the weekday",
        "de",
        "CH",
        day("2026-08-06"),
        """Grüezi

Ich bin am Montag wieder im Büro.

Freundliche Grüsse
Reto""",
        None,
        day("2026-08-10"),
    ),
    Note(
        "tomorrow",
        "de",
        "DE",
        day("2026-08-06"),
        """Hallo, bin heute auf Dienstreise und morgen wieder da. Gruß, Kai (Ticket 2026-0815, Version 8.10)""",
        None,
        day("2026-08-07"),
    ),
    Note(
        "Jan over New Year",
        "de",
        "DE",
        day("2026-12-21"),
        """Liebe Kolleginnen und Kollegen,

unser Büro ist vom 24.12. bis zum 06.01. geschlossen. Ab dem 07.01. sind wir wieder für Sie da.
Frohe Weihnachten!""",
        day("2026-12-24"),
        day("2027-01-07"),
    ),
    Note(
        "vague",
        "de",
        "DE",
        day("2026-08-03"),
        """Ich bin krank und voraussichtlich nächste Woche bald wieder da.
Bitte rufen Sie 0171 2345678 an, Mo.-Fr. bis 17.00 Uhr.""",
    ),
    Note(
        "no such day",
        "de",
        "DE",
        day("2026-06-03"),
        """Ich bin bis 31. Juni im Urlaub.""",
    ),
    Note(
        "quoted history",
        "de",
        "DE",
        day("2026-08-03"),
        """Bin bis Fr 7.8. unterwegs.

Am 03.08.2026 um 09:12 schrieb Support Desk <support@desk.example>:
> Wir sind vom 10.8. bis 21.8. im Urlaub""",
        None,
        day("2026-08-08"),
    ),
    Note(
        "a trade fair in the signature",
        "de",
        "DE",
        day("2026-08-03"),
        """Ich bin derzeit nur eingeschränkt erreichbar.

Mit freundlichen Grüßen
Anna Kurz

Besuchen Sie uns auf der IFA vom 4. bis 8. September 2026 in Berlin, Halle 12, Stand 110!""",
    ),
    Note(
        "German and English",
        "de",
        "DE",
        day("2026-11-02"),
        """(English version below)

Ich bin bis zum 12.11.2026 abwesend. Bitte wenden Sie sich an Frau Sommer.

I am out of the office until 12 November 2026. Please contact Ms Sommer.""",
        None,
        day("2026-11-13"),
    ),
)

FRENCH = (
    Note(
        "a classic",
        "fr",
        "FR",
        day("2026-08-03"),
        """Bonjour,

Je suis absente du bureau du 3 au 14 août inclus. Je serai de retour le lundi 17 août.
En cas d'urgence, merci de contacter mon collègue Paul Durand au 01.42.68.53.00.

Cordialement,
Claire Martin""",
        day("2026-08-03"),
        day("2026-08-17"),
    ),
    Note(
        "until, the first of the month",
        "fr",
        "BE",
        day("2026-08-20"),
        """Bonjour, je suis en congé jusqu'au 1er septembre 2026 et ne lis pas mes mails.
Dossier n° 2026/0815 : voir avec Sophie (02 555 12 12).
Bien à vous""",
        None,
        day("2026-09-02"),
    ),
    Note(
        "numbers",
        "fr",
        "FR",
        day("2026-11-30"),
        """Absence du 07/12/26 au 11/12/26.
Tél : 06 12 34 56 78""",
        day("2026-12-07"),
        day("2026-12-12"),
    ),
    Note(
        "available again from",
        "fr",
        "CH",
        day("2026-08-03"),
        """Bonjour,
Merci pour votre message. Je serai de nouveau disponible à partir du mardi 18 août 2026.
Salutations, Luc""",
        None,
        day("2026-08-18"),
    ),
    Note(
        "no dates",
        "fr",
        "FR",
        day("2026-08-03"),
        """Bonjour, je suis en déplacement cette semaine et je réponds dès mon retour.
Votre mail du 31 juillet a bien été reçu. Ouvert du lundi au vendredi, 9h-17h30.""",
    ),
    Note(
        "the weekday contradicts",
        "fr",
        "FR",
        day("2026-08-03"),
        """Je suis en vacances jusqu'au vendredi 13 août 2026.""",
    ),
    Note(
        "quoted history",
        "fr",
        "FR",
        day("2026-08-03"),
        """Absent jusqu'au 7 août.

Le lun. 3 août 2026 à 09:12, Support Desk <support@desk.example> a écrit :
> absent jusqu'au 28 août""",
        None,
        day("2026-08-08"),
    ),
)

SPANISH = (
    Note(
        "a classic",
        "es",
        "ES",
        day("2026-08-03"),
        """Buenos días:

Estaré fuera de la oficina del 3 al 14 de agosto, ambos inclusive. Durante mi ausencia puede contactar con
mi compañera Lucía Pérez (lucia@empresa.example, +34 91 123 45 67).

Saludos cordiales,
Carlos Ruiz""",
        day("2026-08-03"),
        day("2026-08-15"),
    ),
    Note(
        "a return",
        "es",
        "MX",
        day("2026-08-03"),
        """Hola, estoy de vacaciones. Regreso el lunes 17 de agosto de 2026.
Caso 0012/06, tel. 55 1234 5678""",
        None,
        day("2026-08-17"),
    ),
    Note(
        "not back until",
        "es",
        "AR",
        day("2026-12-28"),
        """Estimados: no volveré hasta el 11 de enero. Felices fiestas.""",
        None,
        day("2027-01-11"),
    ),
    Note(
        "until with numbers",
        "es",
        "ES",
        day("2026-08-03"),
        """Respuesta automática
Ausente hasta el 07/08/26. Para urgencias 900 123 456.""",
        None,
        day("2026-08-08"),
    ),
    Note(
        "since and until",
        "es",
        "CO",
        day("2026-08-03"),
        """Me encuentro de permiso desde el 1º de agosto hasta el 9 de agosto.
Me reincorporo el martes 10 de agosto.""",
    ),
    Note(
        "no dates",
        "es",
        "ES",
        day("2026-08-03"),
        """Hola, mañana por la mañana tengo reunión; no tengo acceso al correo. Vuelvo pronto.
Su correo del 31 de julio se atenderá. Versión 8.10.2""",
    ),
    Note(
        "back tomorrow",
        "es",
        "ES",
        day("2026-08-03"),
        """Hoy no estoy en la oficina. Vuelvo mañana. Un saludo""",
        None,
        day("2026-08-04"),
    ),
)

ITALIAN = (
    Note(
        "a classic",
        "it",
        "IT",
        day("2026-08-03"),
        """Buongiorno,

sarò assente dal 10 al 21 agosto compresi. Rientrerò in ufficio lunedì 24 agosto.
Per urgenze potete rivolgervi al collega Marco Bianchi (+39 02 1234567).

Cordiali saluti
Giulia Rossi""",
        day("2026-08-10"),
        day("2026-08-24"),
    ),
    Note(
        "elided articles",
        "it",
        "IT",
        day("2026-08-03"),
        """Sono in ferie dall'8 all'11 settembre.
Tel. 02/123456""",
        day("2026-09-08"),
        day("2026-09-12"),
    ),
    Note(
        "until",
        "it",
        "IT",
        day("2026-12-23"),
        """Gentile cliente, l'ufficio è chiuso fino al 6 gennaio compreso. Auguri!""",
        None,
        day("2027-01-07"),
    ),
    Note(
        "back again",
        "it",
        "CH",
        day("2026-08-03"),
        """Grazie per il messaggio. Sarò di nuovo in ufficio dal 17/08/2026.
In caso di urgenza: helpdesk@ditta.example""",
        None,
        day("2026-08-17"),
    ),
    Note(
        "two disagreeing ranges",
        "it",
        "IT",
        day("2026-08-03"),
        """Sono in ferie dal 3 al 7 agosto e dal 17 al 21 agosto.""",
    ),
    Note(
        "no dates",
        "it",
        "IT",
        day("2026-08-03"),
        """Sono fuori ufficio, risponderò la settimana prossima.
La tua mail del 31 luglio è stata ricevuta. Ticket 12.06""",
    ),
    Note(
        "leap day",
        "it",
        "IT",
        day("2028-02-21"),
        """Sono assente per ferie fino al 28 febbraio. Rientro martedì 29 febbraio.""",
        None,
        day("2028-02-29"),
    ),
)

PORTUGUESE = (
    Note(
        "a classic",
        "pt",
        "PT",
        day("2026-08-03"),
        """Bom dia,

Encontro-me ausente do escritório de 3 a 14 de agosto. Em caso de urgência, por favor contacte o meu colega
Rui Costa (rui@empresa.example, 912 345 678).

Com os melhores cumprimentos,
Ana Silva""",
        day("2026-08-03"),
        day("2026-08-15"),
    ),
    Note(
        "a return",
        "pt",
        "BR",
        day("2026-08-03"),
        """Olá! Estou de férias até o dia 16/08 e retorno no dia 17/08/2026.
Fone: (11) 91234-5678""",
        None,
        day("2026-08-17"),
    ),
    Note(
        "between",
        "pt",
        "BR",
        day("2026-12-18"),
        """Estarei de férias entre os dias 21 de dezembro e 4 de janeiro. Boas festas!""",
        day("2026-12-21"),
        day("2027-01-05"),
    ),
    Note(
        "of return on",
        "pt",
        "PT",
        day("2026-08-03"),
        """Estou fora. Estarei de volta na próxima segunda-feira, 10 de agosto.
Obrigado, João""",
        None,
        day("2026-08-10"),
    ),
    Note(
        "short months",
        "pt",
        "BR",
        day("2026-09-20"),
        """Ausente: 28 set a 2 out 2026.
Chamado 12345/26""",
        day("2026-09-28"),
        day("2026-10-03"),
    ),
    Note(
        "no dates",
        "pt",
        "BR",
        day("2026-08-03"),
        """Estou ausente no momento e respondo assim que possível. Ligue 0800 123 4567, seg. a sex. das 9h às 18h.""",
    ),
    Note(
        "too far",
        "pt",
        "PT",
        day("2026-08-03"),
        """Estou de licença de maternidade até 31/01/2027.""",
    ),
)

DUTCH = (
    Note(
        "a classic",
        "nl",
        "NL",
        day("2026-08-03"),
        """Beste lezer,

Ik ben afwezig van maandag 3 t/m vrijdag 14 augustus 2026. Vanaf maandag 17 augustus ben ik weer bereikbaar.
Voor dringende zaken kunt u contact opnemen met Jan de Vries, 020-1234567.

Met vriendelijke groet,
Els Bakker""",
        day("2026-08-03"),
        day("2026-08-17"),
    ),
    Note(
        "until and including",
        "nl",
        "BE",
        day("2026-08-03"),
        """Wegens vakantie ben ik tot en met 21 augustus niet aanwezig. Mijn collega Sofie helpt u graag verder.""",
        None,
        day("2026-08-22"),
    ),
    Note(
        "back",
        "nl",
        "NL",
        day("2026-08-03"),
        """Ik ben op vakantie en op 17-08-2026 weer terug.
Groeten, Piet (KvK 12345678)""",
        None,
        day("2026-08-17"),
    ),
    Note(
        "tomorrow",
        "nl",
        "NL",
        day("2026-08-03"),
        """Goede morgen, vandaag ben ik vrij. Morgen ben ik weer bereikbaar. Groet, Kees""",
        None,
        day("2026-08-04"),
    ),
    Note(
        "no dates",
        "nl",
        "NL",
        day("2026-08-03"),
        """Ik werk niet op woensdag en vrijdag. Bel 06-12345678 (ma-do tot 17:00 uur).""",
    ),
    Note(
        "numbers over New Year",
        "nl",
        "NL",
        day("2026-12-21"),
        """Ons kantoor is gesloten van 24/12 tot en met 03/01. Prettige feestdagen!""",
        day("2026-12-24"),
        day("2027-01-04"),
    ),
    Note(
        "vague",
        "nl",
        "NL",
        day("2026-08-03"),
        """Ik ben afwezig tot rond 20 augustus, misschien later.""",
    ),
)

JAPANESE = (
    Note(
        "a classic",
        "ja",
        "JP",
        day("2026-08-07"),
        """お世話になっております。株式会社サンプルの佐藤です。

誠に勝手ながら、2026年8月10日（月）から8月15日（土）まで夏季休暇をいただいております。
ご返信は8月17日（月）以降となります。お急ぎの場合は鈴木（03-1234-5678）までご連絡ください。

よろしくお願いいたします。
佐藤 花子""",
        day("2026-08-10"),
        day("2026-08-17"),
    ),
    Note(
        "full-width numbers",
        "ja",
        "JP",
        day("2026-08-07"),
        """自動返信：不在のお知らせ
期間：８／１０～８／１５
電話：０３－１２３４－５６７８""",
        day("2026-08-10"),
        day("2026-08-16"),
    ),
    Note(
        "the era",
        "ja",
        "JP",
        day("2026-08-07"),
        """本日より令和8年8月16日まで休業いたします。
8月17日より通常営業となります。""",
        None,
        day("2026-08-17"),
    ),
    Note(
        "back at work",
        "ja",
        "JP",
        day("2026-08-07"),
        """出張のため不在にしております。8月12日（水）に出社いたします。
チケット番号 #2026-0812""",
        None,
        day("2026-08-12"),
    ),
    Note(
        "over New Year",
        "ja",
        "JP",
        day("2026-12-25"),
        """年末年始休業のお知らせ
12月29日(火)～1月3日(日)
※1月4日(月)より通常業務を開始いたします。""",
        day("2026-12-29"),
        day("2027-01-04"),
    ),
    Note(
        "no dates",
        "ja",
        "JP",
        day("2026-08-07"),
        """ただいま席を外しております。営業時間は平日9:00～17:30です。2日以内にご連絡いたします。
8月3日のメールを拝受しました。""",
    ),
    Note(
        "day only after the month",
        "ja",
        "JP",
        day("2026-08-07"),
        """8月10日から14日まで休みをいただきます。緊急の際は 090-1234-5678 へ。
田中""",
        day("2026-08-10"),
        day("2026-08-15"),
    ),
    Note(
        "Japanese and English",
        "ja",
        "JP",
        day("2026-08-07"),
        """8月14日まで不在です。8月17日に復帰いたします。

I am out of the office until Aug 14 and will be back on Aug 17, 2026.""",
        None,
        day("2026-08-17"),
    ),
)

WRITTEN_FIRST = ENGLISH + GERMAN + FRENCH + SPANISH + ITALIAN + PORTUGUESE + DUTCH + JAPANESE

MEASURED = (
    Note(
        "a long corporate note",
        "en",
        "US",
        day("2026-06-29"),
        """Thanks for reaching out! I'm currently OOO (Mon June 29th - Thu July 2nd) and our offices are closed on
Friday, July 3rd in observance of Independence Day. I'll be back online Monday, July 6th.

If you need something before then:
  * Billing - billing@corp.example or 1-800-555-0199 opt. 2
  * Support - reference case 00412/26

Best,
Alex Romero (he/him)
Senior Network Engineer | Corp Inc. | Join us at NetWorld, September 9-11, 2026""",
        day("2026-06-29"),
        day("2026-07-06"),
    ),
    Note(
        "parental leave with a deputy's absence",
        "en",
        "GB",
        day("2026-05-11"),
        """Hi

I'm on parental leave and will be returning to work on Tuesday 1st September 2026.

In my absence please speak to Olu Adeyemi. Please note that Olu is on holiday from 25 May to 29 May.

Regards
Ben""",
        None,
        day("2026-09-01"),
    ),
    Note(
        "conference and access",
        "en",
        "IN",
        day("2026-02-02"),
        """Dear Sender,
I am travelling on business and shall have intermittent access to mails from 02-Feb-2026 till 06-Feb-2026.
Kindly call +91 98200 12345 for anything critical. SLA ticket SR-20260131-77.
Thanks & Regards,
R. Iyer""",
        day("2026-02-02"),
        day("2026-02-07"),
    ),
    Note(
        "a form",
        "de",
        "DE",
        day("2026-10-05"),
        """Automatische Antwort: AW: Angebot 4711

Abwesend von: 05.10.2026
Abwesend bis: 16.10.2026
Vertretung: Hr. Schulz, Durchwahl -231

i. A. Karin Vogt""",
        day("2026-10-05"),
        day("2026-10-17"),
    ),
    Note(
        "away today and the next day at work",
        "de",
        "DE",
        day("2026-10-01"),
        """Sehr geehrter Absender, ich befinde mich bis einschl. 09.10. im Urlaub. Am Montag, den 12. Oktober stehe ich
Ihnen gerne wieder zur Verfügung. Ihre Nachricht vom 1. Oktober wird bis dahin nicht gelesen.

Freundliche Grüße aus Köln
i.V. Dr. M. Breuer
Tel.: +49 (0)221 98 76-54""",
        None,
        day("2026-10-12"),
    ),
    Note(
        "Swiss, a year on one side",
        "de",
        "CH",
        day("2026-12-20"),
        """Guten Tag
Vom 21. Dezember bis und mit 3. Januar 2027 bin ich nicht im Hause. Bei Notfällen: 044 123 45 67
Freundliche Grüsse, Beat Frei""",
        day("2026-12-21"),
        day("2027-01-04"),
    ),
    Note(
        "part time hours",
        "fr",
        "FR",
        day("2026-04-20"),
        """Bonjour et merci de votre message,

Actuellement en congés, je serai absent jusqu'au vendredi 1er mai inclus et prendrai connaissance de votre
e-mail à mon retour, le lundi 4 mai 2026.
Je travaille du lundi au jeudi, de 9h à 17h.

Bien cordialement,
Nadia Benali - 04 72 00 11 22""",
        None,
        day("2026-05-04"),
    ),
    Note(
        "closing for summer",
        "fr",
        "FR",
        day("2026-07-27"),
        """Madame, Monsieur,
Nos bureaux seront fermés pour congés annuels du samedi 1er août au dimanche 23 août 2026. Réouverture le lundi
24 août à 8h30.
Commande n°25/08 : en cours.""",
        day("2026-08-01"),
        day("2026-08-24"),
    ),
    Note(
        "long dates",
        "es",
        "ES",
        day("2026-03-27"),
        """Gracias por su mensaje.
Con motivo de la Semana Santa permaneceré fuera desde el lunes 30 de marzo hasta el lunes 6 de abril de 2026,
incorporándome de nuevo el martes 7 de abril.

Un cordial saludo,
Mª José Ortega
Móvil: 600 12 34 56""",
        day("2026-03-30"),
        day("2026-04-07"),
    ),
    Note(
        "available again",
        "es",
        "CL",
        day("2026-09-14"),
        """Hola! Por fiestas patrias no estaré disponible entre el 16 y el 20 de septiembre. Respondo correos a
partir del lunes 21/09.
Slds, Pancho""",
        day("2026-09-16"),
        day("2026-09-21"),
    ),
    Note(
        "closing for summer",
        "it",
        "IT",
        day("2026-07-31"),
        """Si informa la gentile clientela che gli uffici rimarranno chiusi per ferie estive da lunedì 10 agosto a
venerdì 28 agosto 2026. Riapriremo il 31 agosto.
P.IVA 01234567890 - Via Roma 12/8""",
        day("2026-08-10"),
        day("2026-08-31"),
    ),
    Note(
        "a short one",
        "it",
        "IT",
        day("2026-11-02"),
        """Ciao, oggi e domani sono in trasferta, torno operativo mercoledì 4/11.
Luca""",
        None,
        day("2026-11-04"),
    ),
    Note(
        "holidays in Brazil",
        "pt",
        "BR",
        day("2026-02-12"),
        """Prezados,
Informo que estarei em férias no período de 13/02/2026 a 27/02/2026, retornando às atividades em 02/03/2026.
Assuntos urgentes: Marina (ramal 4021).
Atenciosamente,
Paulo""",
        day("2026-02-13"),
        day("2026-03-02"),
    ),
    Note(
        "a colleague in the meantime",
        "pt",
        "PT",
        day("2026-06-08"),
        """Boa tarde. Estou ausente até sexta-feira, dia 12 de junho, inclusive. Voltarei a responder aos e-mails na
segunda-feira, dia 15. Entretanto fale com a Teresa (ext. 15/6).""",
        None,
        day("2026-06-15"),
    ),
    Note(
        "bilingual",
        "nl",
        "BE",
        day("2026-07-17"),
        """Geachte,
Ik ben met verlof van 20/07 tot en met 31/07. Op maandag 3 augustus ben ik opnieuw aanwezig.

Bonjour,
Je suis en congé du 20/07 au 31/07 inclus. De retour le lundi 3 août.

Mvg / Bien à vous, Wim""",
        day("2026-07-20"),
        day("2026-08-03"),
    ),
    Note(
        "back from",
        "nl",
        "NL",
        day("2026-10-19"),
        """Hoi! Herfstvakantie :-) Ik lees m'n mail weer vanaf ma 26 okt. Spoed? Bel Joris: 06 - 1234 5678.""",
        None,
        day("2026-10-26"),
    ),
    Note(
        "a company's summer",
        "ja",
        "JP",
        day("2026-08-05"),
        """平素より格別のお引き立てを賜り、厚く御礼申し上げます。
弊社では、下記の期間を夏季休業とさせていただきます。

【休業期間】2026年8月8日（土）～ 2026年8月16日（日）
【営業開始】2026年8月17日（月）9:00～

休業中にいただいたお問い合わせは、8月17日以降順次ご対応いたします。""",
        day("2026-08-08"),
        day("2026-08-17"),
    ),
    Note(
        "a business trip",
        "ja",
        "JP",
        day("2026-11-09"),
        """ご連絡ありがとうございます。
11/9（月）～11/11（水）は出張のため、返信が遅れる場合がございます。11/12（木）より通常通り対応いたします。
--
山本 （内線 11-12）""",
        day("2026-11-09"),
        day("2026-11-12"),
    ),
)

#: Written after what the first measurement showed was mended, to measure once more.
MEASURED_AGAIN = (
    Note(
        "a lab closes",
        "en",
        "NZ",
        day("2026-12-14"),
        """Kia ora,

The team is on its summer break between 24 December 2026 and 10 January 2027 (inclusive). We're back at our desks
on Monday 11 January. Urgent? Call 0800 555 111, option 3.

Ngā mihi
Hana""",
        day("2026-12-24"),
        day("2027-01-11"),
    ),
    Note(
        "a phone reply",
        "en",
        "US",
        day("2026-09-08"),
        """On vacay thru Sunday 9/13. Text me @ 415-555-0133 if the bldg is on fire.

Sent from my iPhone 15""",
        None,
        day("2026-09-14"),
    ),
    Note(
        "a follow-up on the ticket",
        "en",
        "GB",
        day("2026-02-23"),
        """RE: [INC-20931] Switch 10.2.3.4 fails after upgrade to 12.3.1

Many thanks for your email dated 20/02/2026. Unfortunately I am away from my desk this week, returning on 02/03.
Please expect a slower response than usual.

M. Okafor, Tel 01632 960 001""",
        None,
        day("2026-03-02"),
    ),
    Note(
        "a half promise",
        "en",
        "CA",
        day("2026-07-06"),
        """I'm off sick and expect to be back in a couple of days, possibly Thursday.
Meeting of July 9 is cancelled.""",
    ),
    Note(
        "a clinic",
        "de",
        "DE",
        day("2026-06-26"),
        """Sehr geehrte Damen und Herren,
aufgrund eines Klinikaufenthaltes bin ich voraussichtlich bis zum 17. Juli 2026 nicht zu erreichen. Ihre Mail
wird automatisch an team-it@werk.example weitergeleitet.
Mit besten Grüßen
Jürgen Pohl (Raum 3.14, App. 2705)""",
        None,
        day("2026-07-18"),
    ),
    Note(
        "weekday names only in the range",
        "de",
        "DE",
        day("2026-05-11"),
        """Moin, bin Do. 14.5. + Fr. 15.5. (Brückentag) nicht da, Montag 18.5. wieder am Platz. Ole""",
        None,
        day("2026-05-18"),
    ),
    Note(
        "an out-of-date note",
        "de",
        "AT",
        day("2026-09-14"),
        """Ich bin vom 24.08. bis 11.09.2026 auf Urlaub und ab 14.09. wieder für Sie erreichbar. LG, Vroni""",
    ),
    Note(
        "a training",
        "fr",
        "CA",
        day("2026-10-13"),
        """Bonjour,
Je suis en formation du mardi 13 octobre au jeudi 15 octobre 2026 et j'aurai un accès limité à mes courriels.
Je vous répondrai dès le vendredi 16 octobre.
Merci, Geneviève Roy, 514 555-0188 poste 4512""",
        day("2026-10-13"),
        day("2026-10-16"),
    ),
    Note(
        "away until the return",
        "fr",
        "FR",
        day("2026-02-16"),
        """Absente pour congés, retour prévu le 02/03/2026. Urgences : Marc (06.11.22.33.44).""",
        None,
        day("2026-03-02"),
    ),
    Note(
        "a move",
        "es",
        "ES",
        day("2026-05-25"),
        """Buenas, estoy de baja desde el 18/05 y mi reincorporación está prevista para el 08/06/2026.
Cualquier consulta, con Elena en la ext. 2206. Incidencia 10/06-A.""",
        day("2026-05-18"),
        day("2026-06-08"),
    ),
    Note(
        "Mexican",
        "es",
        "MX",
        day("2026-12-15"),
        """Estimado cliente: les informamos que nuestras oficinas permanecerán cerradas del 19 de diciembre al 3 de
enero, reanudando labores el lunes 4 de enero de 2027.""",
        day("2026-12-19"),
        day("2027-01-04"),
    ),
    Note(
        "an absence of one's own",
        "it",
        "IT",
        day("2026-04-01"),
        """Buongiorno, la informo che sarò fuori sede fino a martedì 7 aprile p.v. incluso, con rientro previsto per
mercoledì 8. La sua segnalazione n. 8/2026 è in carico.
Dott. F. Greco""",
        None,
        day("2026-04-08"),
    ),
    Note(
        "collective holidays",
        "pt",
        "BR",
        day("2026-12-11"),
        """Olá, nosso escritório estará em férias coletivas de 21/12/26 a 08/01/27. Retornamos dia 11/01/27.
Plantão: (21) 99999-0001""",
        day("2026-12-21"),
        day("2027-01-11"),
    ),
    Note(
        "until and back",
        "nl",
        "NL",
        day("2026-04-24"),
        """Dank voor uw bericht! Van 27 april tot en met 8 mei geniet ik van mijn vakantie; op 11 mei sta ik weer voor u
klaar. Dringend? Mail naar planning@bedrijf.example o.v.v. order 5/11.
Hartelijke groet, Fleur""",
        day("2026-04-27"),
        day("2026-05-11"),
    ),
    Note(
        "golden week",
        "ja",
        "JP",
        day("2026-04-28"),
        """いつもお世話になっております。ゴールデンウィーク休業のご案内です。
休業日：2026年4月29日（水・祝）～5月6日（水・祝）
5月7日（木）より平常通り営業いたします。
サポート窓口：0120-000-000（10:00～17:00）""",
        day("2026-04-29"),
        day("2026-05-07"),
    ),
    Note(
        "one day off",
        "ja",
        "JP",
        day("2026-06-11"),
        """本日は有給休暇をいただいております。明日（6/12）出社後、順次返信いたします。
株式会社例　開発部　高橋""",
        None,
        day("2026-06-12"),
    ),
)

NOTES = WRITTEN_FIRST + MEASURED + MEASURED_AGAIN
