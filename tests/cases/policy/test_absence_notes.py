"""Reading the timeframe of an out-of-office note (F5). No database."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.policy.absence_notes import FURTHEST_READ_RETURN, LONGEST_PHRASE, Timeframe, read_timeframe
from tests.support import hard_absence_notes as hard
from tests.support.absence_notes import NOTES, Note
from tests.support.examples import examples

RECEIVED = date(2026, 8, 3)  # a Monday
COUNTRIES = ("GB", "US", "DE", "FR", "ES", "IT", "PT", "NL", "JP", "HU", "XX")


def read(note: Note) -> tuple[date | None, date | None]:
    found = read_timeframe(note.text, note.received_on, note.country)
    return (found.away_from, found.back_on) if found else (None, None)


def back_on(text: str, country: str = "GB", received_on: date = RECEIVED) -> str | None:
    found = read_timeframe(text, received_on, country)
    return found.back_on.isoformat() if found else None


@pytest.mark.parametrize("note", NOTES, ids=lambda note: f"{note.language} {note.name}")
def test_each_note_is_read_as_a_careful_person_reads_it(note: Note) -> None:  # F5
    assert read(note) == (note.away_from, note.back_on)


def test_at_least_95_percent_of_stated_ranges_are_read_right_and_none_is_read_wrong() -> None:  # F5
    stated = [note for note in NOTES if note.back_on]
    right = [note for note in stated if read(note) == (note.away_from, note.back_on)]
    assert len(right) >= 0.95 * len(stated)
    assert [note.name for note in NOTES if read(note)[1] not in (None, note.back_on)] == []


def test_the_notes_cover_every_language_seven_times() -> None:  # F5
    languages = [note.language for note in NOTES]
    assert len(NOTES) >= 64
    assert {
        name: languages.count(name) >= 7 for name in ("en", "de", "fr", "es", "it", "pt", "nl", "ja")
    } == dict.fromkeys(("en", "de", "fr", "es", "it", "pt", "nl", "ja"), True)


@pytest.mark.parametrize(
    "note", hard.FIRST + hard.SECOND + hard.THIRD + hard.FOURTH, ids=lambda note: f"{note.language} {note.kind}"
)
def test_no_hard_note_gives_a_wrong_day(note: hard.HardNote) -> None:  # F5
    found = read_timeframe(note.text, hard.RECEIVED, note.country)
    if found is not None:
        assert (found.back_on, found.away_from or note.away_from) == (note.back_on, note.away_from)
    else:  # a week that the note does not date, and three wordings the reader does not know
        assert note.back_on is None or note.kind in ("later weekday", "mixed")


def test_most_notes_whose_weekday_lies_in_a_later_week_are_read_all_the_same() -> None:  # F5
    notes = [note for note in hard.FIRST + hard.SECOND if note.kind == "later weekday" and note.back_on]
    unread = [note for note in notes if read_timeframe(note.text, hard.RECEIVED, note.country) is None]
    assert len(unread) <= 0.45 * len(notes)


def test_the_hard_notes_cover_every_kind_in_every_language() -> None:  # F5
    counts = Counter((note.kind, note.language) for note in hard.FIRST + hard.SECOND)
    assert counts == {(kind, language): 6 for kind in hard.KINDS[:4] for language in hard.COUNTRIES}


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("Out on 19 and 20 August, back on Monday.", "GB", ("2026-08-19", "2026-08-24")),
        ("Out on 18, 19 and 20 August, back on Monday.", "GB", None),
        ("On Friday, 21 August, I am away. Back on Monday.", "GB", ("2026-08-21", "2026-08-24")),
        ("Out of office from Monday 17 August, back Wednesday.", "GB", ("2026-08-17", "2026-08-19")),
        ("I am away this week, back on Monday.", "GB", (None, "2026-08-17")),
        ("I'm off today. I'm out on 21 August too. Back on Wednesday.", "GB", None),
        ("Back on Wednesday. I'm also out on 21 August.", "GB", None),
        ("I'm away on 12 August and on 2 September, back on Monday.", "GB", None),
        ("I'm in Rome on 21 August, back on Monday.", "GB", None),
        ("I'm on holiday in September, back on Monday.", "GB", None),
        ("I'm on holiday in September, back on the 17th.", "GB", None),
        ("Back on the Monday after Easter.", "GB", None),
        ("Away from 17 August for ten days, back on Monday.", "GB", None),
        ("Away next week until Friday.", "GB", None),
        ("Away until 14 August, back on Monday in two weeks.", "GB", None),
        ("9月は休暇です。月曜日に出社します。", "JP", None),
    ],
)
def test_a_weekday_is_counted_from_the_last_day_away_that_the_note_names(text, country, expected) -> None:  # F5
    found = read_timeframe(text, hard.RECEIVED, country)
    days = found and (found.away_from and found.away_from.isoformat(), found.back_on.isoformat())
    assert days == expected


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("I will not respond until 17 August.", "GB", "2026-08-17"),
        ("No replies before 17 August.", "GB", "2026-08-17"),
        ("Your mail will not be read until 17 August.", "GB", "2026-08-17"),
        ("I'm away until 14 August and will not answer until 17 August.", "GB", "2026-08-17"),
        ("I won't be in until Tuesday.", "GB", "2026-08-11"),
        ("I will not answer through 14 August.", "GB", "2026-08-15"),
        ("I won't answer until 14 August inclusive.", "GB", "2026-08-15"),
        ("I'm on leave with no access to email until 14 August.", "GB", "2026-08-15"),
        ("I'm not available from 10 to 14 August.", "GB", "2026-08-15"),
        ("Ich antworte erst am 17. August.", "DE", "2026-08-17"),
        ("Ich lese bis 14. August keine E-Mails.", "DE", "2026-08-15"),
        ("No estaré disponible hasta el 17 de agosto.", "ES", "2026-08-17"),
        ("8月14日まで出社しません。", "JP", "2026-08-15"),
        ("Non risponderò fino al 14 agosto.", "IT", None),
        ("Não responderei até 14 de agosto.", "PT", None),
        ("I am not leaving until 17 August.", "GB", None),
        ("Ich bin erst ab 17. August im Urlaub.", "DE", None),
        ("The portal will not be available until 17 August. I'm away.", "GB", None),
        ("Bob cannot answer until 17 August. I'm away.", "GB", None),
        ("I cannot confirm the order before 25 August. I'm away until 14 August.", "GB", None),
        ("I'm out only on 14 August.", "GB", None),
        ("Ik heb geen afspraken voor 14 augustus.", "NL", None),
        ("I'm working from home until 14 August.", "GB", None),
        ("I will not answer until I am back on Monday 17 August.", "GB", "2026-08-17"),
        ("Erst nach dem 16. August lese ich Ihre Nachricht.", "DE", "2026-08-17"),
    ],
)
def test_not_until_a_day_is_the_return_whatever_the_verb(text, country, expected) -> None:  # F5
    assert back_on(text, country, hard.RECEIVED) == expected


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("Back on 20 or 21 August.", "GB"),
        ("Back on 20 and 21 August.", "GB"),
        ("Back on 8/9 August.", "GB"),
        ("Away until 14 August, back on 17 or 18 August.", "GB"),
        ("Away until 14 August. Maybe longer.", "GB"),
        ("Away until 14 August, then again from 24 August.", "GB"),
        ("I will be back between 20 and 22 August.", "GB"),
        ("Between 20 and 22 August I will be back.", "GB"),
        ("Back on 24 August, weather permitting.", "GB"),
        ("Zurück am 24./25. August.", "DE"),
        ("8月17日までには復帰します。", "JP"),
    ],
)
def test_an_open_day_is_asked(text, country) -> None:  # F5
    assert back_on(text, country, hard.RECEIVED) is None


@examples(300)
@given(
    note=st.sampled_from(NOTES),
    keys=st.sampled_from(
        [
            ("From", "Sent", "To", "Subject"),
            ("From", "Date", "To", "Subject"),
            ("Von", "Gesendet", "An", "Betreff"),
            ("Von", "Datum", "An", "Betreff"),
            ("De", "Envoyé", "À", "Objet"),
            ("De", "Date", "À", "Objet"),
            ("De", "Enviado el", "Para", "Asunto"),
            ("De", "Fecha", "Para", "Asunto"),
            ("Da", "Inviato", "A", "Oggetto"),
            ("Da", "Data", "A", "Oggetto"),
            ("De", "Enviada em", "Para", "Assunto"),
            ("De", "Data", "Para", "Assunto"),
            ("Van", "Verzonden", "Aan", "Onderwerp"),
            ("Van", "Datum", "Aan", "Onderwerp"),
            ("差出人", "送信日時", "宛先", "件名"),
            ("差出人", "日付", "宛先", "件名"),
        ]
    ),
    order=st.permutations(range(4)),
    mark=st.sampled_from(["{}:", "**{}:**", "*{}:*", "{} :", "| {}:", "{}："]),
    joint=st.sampled_from(["\n", "\n\n", " "]),
    parts=st.integers(3, 4),
)
def test_no_mail_below_a_header_changes_what_is_read(note, keys, order, mark, joint, parts) -> None:  # F5
    values = ("Desk <desk@desk.example>", "Mon, 10 Aug 2026 09:00", "Jo Bell <jo@client.example>", "Hours")
    header = joint.join(f"{mark.format(keys[kind])} {values[kind]}" for kind in order[:parts])
    history = "We are out of the office until 28 October 2026 and back on 2 November 2026."
    assert read(replace(note, text=f"{note.text}\n\n{header}\n\n{history}")) == read(note)


@pytest.mark.parametrize(
    "line",
    [
        "On 9 Aug 2026, at 09:12, Support Desk <desk@desk.example> wrote:",
        "On Sun, Aug 9, 2026 at 9:12 AM Support Desk <\ndesk@desk.example> wrote:",
        "Support Desk <desk@desk.example> wrote on 09/08/2026 09:12:11:",
        "Begin forwarded message:",
        "---------- Forwarded message ---------",
        "-----Original Message-----",
        "________________________________",
        "Am 09.08.2026 um 09:12 schrieb Support Desk <desk@desk.example>:",
        "Support Desk schrieb am 09.08.2026 09:12:",
        "Anfang der weitergeleiteten Nachricht:",
        "----- Ursprüngliche Mail -----",
        "Ursprüngliche Nachricht",
        "Le 9 août 2026 à 09:12, Support Desk <desk@desk.example> a écrit :",
        "Le dim. 9 août 2026 à 09:12, Support Desk <desk@desk.example> a\nécrit :",
        "Début du message réexpédié :",
        "Message d'origine",
        "El dom, 9 ago 2026 a las 9:12, Soporte (<desk@desk.example>) escribió:",
        "Inicio del mensaje reenviado:",
        "Il giorno dom 9 ago 2026 alle ore 09:12 Supporto <desk@desk.example> ha scritto:",
        "Inizio messaggio inoltrato:",
        "Em dom., 9 de ago. de 2026 às 09:12, Suporte <desk@desk.example> escreveu:",
        "No dia 09/08/2026, às 09:12, Suporte <desk@desk.example> escreveu:",
        "Início da mensagem encaminhada:",
        "Op zo 9 aug 2026 om 09:12 schreef Support Desk <desk@desk.example>:",
        "Op 9 aug. 2026, om 09:12 heeft Support <desk@desk.example> het volgende geschreven:",
        "Begin doorgestuurd bericht:",
        "Oorspronkelijk bericht",
        "2026年8月9日(日) 9:12 サポート <desk@desk.example>:",
        "2026/08/09 9:12、サポート <desk@desk.example>のメール:",
        "転送されたメッセージ:",
        "-----元のメッセージ-----",
        ">>> Support Desk <desk@desk.example> 09.08.26 09:12 >>>",
    ],
)
def test_no_mail_below_the_line_of_a_mail_program_is_read(line) -> None:  # F5
    history = "We are out of the office until 28 August 2026 and back on 31 August 2026."
    assert back_on(f"Away until 14 August.\n\n{line}\n\n{history}") == "2026-08-15"


@pytest.mark.parametrize(
    "text",
    [
        "From: 10 August\nTo: 14 August\nSubject: leave",
        "Subject: leave\nFrom: 10 August\nTo: 14 August\nDeputy: Bob",
        "Hello,\nout of office\nFrom: 10 August\nTo: 14 August\nBob",
    ],
)
def test_the_form_of_a_note_is_no_header_of_a_mail(text) -> None:  # F5
    assert back_on(text) == "2026-08-15"


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("Out of office until 14 August", "GB", "2026-08-15"),
        ("Out of office through Aug 14th", "US", "2026-08-15"),
        ("Until and including Fri 14 Aug", "GB", "2026-08-15"),
        ("Away till 2026-08-14", "US", "2026-08-15"),
        ("bis einschl. Freitag, 14. August abwesend", "DE", "2026-08-15"),
        ("bis einschließlich 14.8.26 abwesend", "DE", "2026-08-15"),
        ("absent jusqu'au 14 août inclus", "FR", "2026-08-15"),
        ("ausente hasta el viernes 14 de agosto inclusive", "ES", "2026-08-15"),
        ("assente fino al 14 agosto compreso", "IT", "2026-08-15"),
        ("ausente até ao dia 14 de agosto", "PT", "2026-08-15"),
        ("afwezig t/m 14 augustus", "NL", "2026-08-15"),
        ("afwezig tot 14 augustus", "NL", "2026-08-15"),
        ("8月14日（金）まで不在です", "JP", "2026-08-15"),
    ],
)
def test_the_day_after_the_last_day_away_is_the_first_day_back(text, country, expected) -> None:  # F5
    assert back_on(text, country) == expected


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("back on 17 August", "GB"),
        ("I am returning Monday, August 17, 2026", "US"),
        ("Return date: 17-Aug-2026", "GB"),
        ("I will not be back before 17 August", "GB"),
        ("Away until I return on 17 August", "GB"),
        ("ab dem 17. August wieder im Büro", "DE"),
        ("zurück am Mo 17.8.", "DE"),
        ("Bis zu meiner Rückkehr am 17. August hilft Ihnen meine Kollegin.", "DE"),
        ("de retour le 17/08", "FR"),
        ("Je reviens lundi 17 août", "FR"),
        ("de vuelta el 17 de agosto", "ES"),
        ("rientro il 17 agosto", "IT"),
        ("sarò di ritorno il 17/8/26", "IT"),
        ("de volta em 17 de agosto", "BR"),
        ("terug op 17 augustus", "NL"),
        ("17 augustus ben ik weer aanwezig", "NL"),
        ("8月17日(月)より出社いたします", "JP"),
        ("8月17日に復帰します", "JP"),
        ("Away until 14 August (back on the 17th).", "GB"),
        ("Volto na segunda-feira, dia 17.", "PT"),
        ("Absent jusqu'au 14 août. À mon retour, le lundi 17 août, je vous réponds.", "FR"),
        ("I am away from 10 to 14 August, at my desk from the 17 August on.", "GB"),
    ],
)
def test_a_stated_return_is_the_first_day_back(text, country) -> None:  # F5
    assert back_on(text, country) == "2026-08-17"


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("from 10 to 14 August", "GB"),
        ("from August 10th to August 14th", "US"),
        ("August 10-14, 2026", "US"),
        ("between 10 and 14 August", "GB"),
        ("10 Aug - 14 Aug", "GB"),
        ("10/08/2026-14/08/2026", "GB"),
        ("8/10-8/14", "US"),
        ("2026-08-10 - 2026-08-14", "US"),
        ("From: 10 Aug\nTo: 14 Aug", "GB"),
        ("vom 10. bis 14. August", "DE"),
        ("10.8.-14.8.", "DE"),
        ("10.–14.08.2026", "DE"),
        ("von Montag, 10.08. 8:00 Uhr bis Freitag, 14.08. 17:00 Uhr", "DE"),
        ("zwischen dem 10. und dem 14. August", "DE"),
        ("du 10 au 14 août", "FR"),
        ("du lundi 10 août au vendredi 14 août", "FR"),
        ("del 10 al 14 de agosto de 2026", "ES"),
        ("desde el 10 hasta el 14 de agosto", "ES"),
        ("dal 10 al 14 agosto", "IT"),
        ("de 10 a 14 de agosto", "PT"),
        ("do dia 10 ao dia 14 de agosto", "BR"),
        ("van 10 t/m 14 augustus", "NL"),
        ("8月10日から8月14日まで", "JP"),
        ("8/10～8/14", "JP"),
        ("2026. 08. 10. - 2026. 08. 14.", "HU"),
    ],
)
def test_a_range_gives_the_first_day_away_and_the_day_after_its_last(text, country) -> None:  # F5
    found = read_timeframe(text, RECEIVED, country)
    assert found is not None
    assert (found.away_from, found.back_on) == (date(2026, 8, 10), date(2026, 8, 15))


@pytest.mark.parametrize(
    ("text", "country", "received_on", "expected"),
    [
        ("until 12/11", "US", date(2026, 12, 1), "2026-12-12"),
        ("until 12/11", "GB", date(2026, 11, 1), "2026-11-13"),
        ("until 12/11", "GB", date(2026, 12, 1), None),  # in the past, and December would be a guess
        ("until Friday 12/11", "GB", date(2026, 12, 1), "2026-12-12"),  # the weekday tells the order
        ("until Friday 12/11", "GB", date(2026, 11, 1), "2026-12-12"),
        ("until Wednesday 12/11", "GB", date(2026, 11, 1), None),
        ("until 25/12", "US", date(2026, 12, 1), "2026-12-26"),
        ("12/10 - 12/25", "GB", date(2026, 12, 1), "2026-12-26"),
        ("until 26/08/14", "JP", RECEIVED, "2026-08-15"),
        ("until 10/09/2026", "JP", RECEIVED, None),
        ("until 14/08/2026", "JP", RECEIVED, "2026-08-15"),
        ("until 10.09.2026", "US", RECEIVED, "2026-09-11"),
        ("until 29 February", "GB", date(2028, 2, 20), "2028-03-01"),
        ("until 29 February", "GB", date(2027, 2, 20), None),
        ("until 5 January", "GB", date(2026, 12, 20), "2027-01-06"),
        ("until 30/12", "GB", date(2027, 1, 3), None),
    ],
)
def test_numbers_are_read_in_the_order_of_the_country_and_never_by_guessing(
    text, country, received_on, expected
) -> None:  # F5
    assert back_on(text, country, received_on) == expected


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("back on Monday", "GB", "2026-08-10"),
        ("back on Wednesday", "GB", "2026-08-05"),
        ("ab Donnerstag wieder da", "DE", "2026-08-06"),
        ("de retour jeudi", "FR", "2026-08-06"),
        ("I am away until Thursday", "GB", "2026-08-07"),
        ("I am away until Monday", "GB", None),  # today, or in a week?
        ("back tomorrow", "GB", "2026-08-04"),
        ("übermorgen wieder im Büro", "DE", "2026-08-05"),
        ("back next Thursday", "GB", None),
        ("back on Monday in two weeks", "GB", None),
        ("back next week", "GB", None),
        ("bald zurück", "DE", None),
        ("available Monday to Friday", "GB", None),
    ],
)
def test_a_weekday_alone_is_the_next_one_unless_it_may_be_another(text, country, expected) -> None:  # F5
    assert back_on(text, country) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I am out of the office.",
        "I am away until 31 June.",
        "I am away until 3 August 2025.",
        "I am away until 31 December 2026.",
        "I am back since 1 August.",
        "I am away until 14 August. I am away until 21 August.",
        "I am away until 21 August and back on 17 August.",
        "I am away from 14 August to 10 August.",
        "I am away until around 20 August.",
        "I am away until at least 20 August.",
        "I was in the office until 14 August.",
        "Thank you for your mail of 14 August.",
        "I am away. Call +44 20 7946 0958 or 10.08.26.14.",
        "I am away. Ticket #14/08, version 14.8, host 10.8.14.8, room 14.8, we are here 24/7.",
        "I am away. The offer is valid until 14 August.",
        "I am away. Please submit your timesheets until 14 August.",
        "My colleague Ann is back on 17 August.",
        "I will not be back on 17 August.",
        "Ann no longer works here. Her last mail was read until 14 August.",
        "I'm away. Bob is back on 17 August.",
        "I'm away. Maintenance runs from 10 August to 12 August.",
        "I'm back in the office but away from 14 August.",
        "I am back on 14 August or 15 August.",
        "I am away from 10 to 14 August and from 24 to 28 August.",
        "I am on holiday from 10 August for two weeks.",
        "I'm away until Friday 14 August in the morning.",
        "My last day was 31 July. Until 14 August please contact Bob.",
        "Unsere Preise gelten bis 14.8. Ich bin nicht da.",
        "Abwesend 10.8.-14.8. Ab 15.8. Dienstreise bis 21.8.",
        "8月14日は出社しません。",
        "8月20日までにご返信ください。現在不在です。",
        "> I am away until 14 August",
        "Hello\n-----Original Message-----\nI am away until 14 August",
    ],
)
def test_what_is_not_stated_plainly_is_not_read(text) -> None:  # F5
    assert back_on(text) is None


@pytest.mark.parametrize(("days", "read_it"), [(0, False), (1, True), (120, True), (121, False)])
def test_the_return_lies_one_to_120_days_ahead(days, read_it) -> None:  # F5
    text = f"back on {RECEIVED + timedelta(days):%Y-%m-%d}"
    assert (back_on(text) is not None) == read_it


def test_the_phrase_is_one_line_of_the_note() -> None:  # F5
    found = read_timeframe("Hi,\n\nI am away until\nFriday,  14 August. Bye", RECEIVED, "GB")
    assert found == Timeframe(None, date(2026, 8, 15), "I am away until Friday, 14 August")


def test_only_the_first_20000_characters_are_read() -> None:  # F5
    assert back_on("x" * 20_000 + "\nI am away until 14 August") is None


FRAGMENTS = st.sampled_from(
    [
        *("until", "back", "on", "from", "to", "bis", "vom", "wieder", "ab", "au", "del", "al", "dal", "até", "t/m"),
        *(
            "まで",
            "から",
            "8月10日",
            "(月)",
            "14 August",
            "August 3",
            "12/11",
            "3.",
            "31.6.",
            "2026",
            "29 Feb",
            "Monday",
        ),
        *("morgen", "-", "–", ",", ".", "\n", "\n\n", ">", "<br>", "&nbsp;", "24/7", "10.0.0.1", "tomorrow", "not"),
        *("my colleague", "regards", "26/08/10", "令和8年", "0001-01-01", "99/99/99", "next", "I am away", "12", "1er"),
    ]
)
TEXTS = st.one_of(st.text(max_size=300), st.lists(FRAGMENTS, max_size=25).map(" ".join))


@examples(400)
@given(text=TEXTS, received_on=st.dates(), country=st.sampled_from(COUNTRIES))
def test_whatever_is_pasted_nothing_is_raised_and_no_impossible_timeframe_is_read(text, received_on, country) -> None:
    found = read_timeframe(text, received_on, country)  # F5
    if found is not None:
        assert timedelta(0) < found.back_on - received_on <= FURTHEST_READ_RETURN
        assert found.away_from is None or found.away_from < found.back_on
        assert len(found.phrase) <= LONGEST_PHRASE
        assert "\n" not in found.phrase


class Steps:
    """How many lines of Python something takes: the same on every machine, however busy."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, frame, event, arg):
        self.count += event == "line"
        return self

    def of(self, text: str) -> int:
        self.count = 0
        before = sys.gettrace()
        sys.settrace(self)
        try:
            read_timeframe(text, RECEIVED, "GB")
        finally:
            sys.settrace(before)
        return self.count


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    [
        *(
            "<",
            "<p ",
            "a.",
            "1.",
            "12/",
            "On ",
            "-",
            "&amp;",
            "8月",
            "until ",
            "14 August ",
            "(",
            "\n",
            "1 ",
            "ﷺ",
            "> ",
        ),
        *("back on 1.\n", "a: b\n", "<blockquote>", "not "),
        "14 August " + "a," * 240,
    ],
)
def test_the_work_on_a_note_made_to_be_slow_grows_with_its_length_and_ends_at_the_cap(piece) -> None:  # F5
    steps = Steps()
    some, twice = (steps.of(piece * (length // len(piece))) for length in (2_000, 4_000))
    assert twice < 3 * some + 2_000
    assert steps.of(piece * 60_000) <= steps.of(piece * 40_000) * 1.01 + 100  # what is too long is not even looked at


def test_what_names_dozens_of_days_is_no_absence_note() -> None:  # F5
    note = "I am out of the office until 14 August 2026. "
    assert read_timeframe(note, date(2026, 8, 1), "GB") is not None
    assert read_timeframe(note * 50, date(2026, 8, 1), "GB") is None
