"""The timeframe of an out-of-office note that a technician pasted (F5): from when the customer is away, and back when.

Reads English, German, French, Spanish, Italian, Portuguese, Dutch and Japanese, without being told which. Pure: text
in, days out. A wrong date would make us chase somebody on holiday or sleep through their return, while no date only
costs the owner one question: so whatever is not stated plainly, or is stated twice differently, is not read.

The way: cut the note down to its own words; cut those into signs (a day, "until", "back", "away", the end of a
sentence ...); let each day be claimed as the start, the last day or the return by the signs next to it; then decide,
and only when all claims agree.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum, auto
from itertools import pairwise
from typing import NamedTuple

from cases.absence_words import (
    CJK,
    ENGLISH_MONTHS,
    JAPANESE,
    LATIN,
    LONGEST_KNOWN,
    MONTH,
    MONTH_NUMBER,
    SHORT_WEEKDAYS,
    TWO_LETTER_WEEKDAYS,
    VOCABULARY,
    WRITER_WORDS,
    Kind,
    folded,
)

LONGEST_ABSENCE = timedelta(days=120)
"""A return further away than this is a misreading, or nothing a plan should sleep for."""

LONGEST_TEXT = 20_000
LONGEST_PHRASE = 160

ONE_DAY = timedelta(days=1)
#: A start without a year may lie this far back; with the 120 days ahead that makes every day of the year unique.
LONGEST_AWAY_ALREADY = timedelta(days=240)
#: "Away until the 12th" and "back on the 30th" do not speak of one absence; a weekend or Christmas may lie between.
LONGEST_GAP = timedelta(days=14)
#: A wrapped line goes on in the next; a shorter one was ended on purpose.
WRAPPED_LINE = 40
#: "3.8. - 14.8." or "Absence period: 3-14 August" speaks for itself; a longer sentence has to say what it is about.
BARE_WORDS = 4

REIWA_BEGAN_AFTER = 2018


@dataclass(frozen=True, slots=True)
class Timeframe:
    """Local days of the customer: the first day away (None when the note does not say) and the first day back (F5).

    `phrase` is the part of the note it was read from, for the people who check: one line of at most 160 characters.
    """

    away_from: date | None
    back_on: date
    phrase: str


def read_timeframe(text: str, received_on: date, country: str) -> Timeframe | None:
    """The timeframe the note states, or None when it states none that can be read without guessing (F5).

    `received_on` is the customer's local day on which the note arrived, `country` an ISO 3166 alpha-2 code that
    decides whether 12/11 is in November or in December. Never raises; the return lies 1 to 120 days ahead.
    """
    words = _own_words(text)
    signs = _signs(words)
    if any(sign.kind is Kind.GONE for sign in signs):
        return None
    order = _order_of(signs, received_on, country)
    return _decide(list(_claims(signs)), _Reader(received_on, order, country.upper() in _YEAR_FIRST), words)


# The note's own words ------------------------------------------------------------------------------------------------

_LINE_TAG = re.compile(r"<(?:br|/?p|/?div|/?li|/?tr|/?h\d|/?table|/?ul)\b[^<>]{0,2000}>", re.IGNORECASE)
_UNSEEN_TAG = re.compile(r"<(style|script|head)\b.{0,5000}?</\1>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</?[a-z!][^<>@]{0,2000}>", re.IGNORECASE)

_SEPARATOR = re.compile(r"\s*(?:-{3,}\s*[^\W\d_].{0,80}?-{3,}|_{10,})\s*$")
_SOMEBODY_WROTE = re.compile(
    r"\s*(?:(?:on|am|le|el|il|em|op|den|a)\s.{4,250}"
    r"(?:wrote|schrieb|écrit|escribió|ha scritto|escreveu|schreef|het volgende geschreven).{0,120}"
    r"|\d{4}年.{4,200}(?:[<>]|さん|wrote|のメール).{0,80}):\s*$",
    re.IGNORECASE,
)
_HEADER_FROM = re.compile(r"\s*\*?(?:from|von|de|da|van|差出人|送信者)\s?\*?:", re.IGNORECASE)
_HEADER_SENT = re.compile(
    r"\s*\*?(?:sent|gesendet|envoyé|enviado(?: el| em)?|inviato|data|verzonden|date|datum|fecha|送信日時|日時)\s?\*?:",
    re.IGNORECASE,
)
_HEADER_REST = re.compile(r"\s*\*?(?:to|an|à|para|a|per|aan|cc|kopie|宛先)\s?\*?:", re.IGNORECASE)
_HEADER_SUBJECT = re.compile(
    r"\s*\*?(?:subject|betreff|objet|asunto|oggetto|assunto|onderwerp|件名)\s?\*?:", re.IGNORECASE
)


def _own_words(text: str) -> str:
    """The note without markup and without the mail it answers, full-width digits made plain."""
    text = unicodedata.normalize("NFKC", text[:LONGEST_TEXT])[:LONGEST_TEXT]
    text = _LINE_TAG.sub("\n", _UNSEEN_TAG.sub(" ", text)) if "<" in text else text
    text = html.unescape(_TAG.sub(" ", text))[:LONGEST_TEXT].replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(_newest(unicodedata.normalize("NFKC", text)[:LONGEST_TEXT].split("\n")))


def _newest(lines: Sequence[str]) -> Iterator[str]:
    """The lines above the quoted history; the header lines of the note itself are passed over but for its subject."""
    said_something = in_own_header = False
    for at, line in enumerate(lines):
        if line.lstrip().startswith((">", "|>")):
            continue
        if in_own_header and _is_header(line):
            if _HEADER_SUBJECT.match(line):
                yield line.split(":", 1)[1] + "\n"
            continue
        in_own_header = False
        if _begins_history(lines, at):
            if said_something or not _begins_header(lines, at):
                return
            in_own_header = True
            continue
        said_something = said_something or bool(line.strip())
        yield line


def _begins_history(lines: Sequence[str], at: int) -> bool:
    """A separator, "On ... wrote:" (which mail programs wrap) or a block of From, Sent, To, Subject."""
    one, two = lines[at], " ".join(lines[at : at + 2])
    wrote = any(_SOMEBODY_WROTE.match(line[:600]) for line in (one, two))
    return bool(_SEPARATOR.match(one[:200])) or wrote or _begins_header(lines, at)


def _begins_header(lines: Sequence[str], at: int) -> bool:
    near = lines[at + 1 : at + 4]
    return (
        bool(_HEADER_FROM.match(lines[at]))
        and any(map(_HEADER_SENT.match, near))
        and any(_HEADER_SUBJECT.match(line) or _HEADER_REST.match(line) for line in near)
    )


def _is_header(line: str) -> bool:
    return any(header.match(line) for header in (_HEADER_FROM, _HEADER_SENT, _HEADER_REST, _HEADER_SUBJECT))


# From text to signs --------------------------------------------------------------------------------------------------


class Order(Enum):
    """Which of the two numbers of 12/11 is the day."""

    DAY_FIRST = auto()
    MONTH_FIRST = auto()


@dataclass(frozen=True, slots=True)
class Day:
    """A day as it is written: two numbers and the order that tells which is the month, or a weekday, or "tomorrow"."""

    first: int = 0
    second: int = 0
    year: int | None = None
    order: Order | None = None
    weekday: int | None = None
    days_ahead: int | None = None
    short_year: bool = False
    leads: bool = False  # the month stands first, "August 3": a bare number after it is a day of that month
    next_week: bool = False  # "next Friday": the coming one, or the one after?

    @property
    def is_dated(self) -> bool:
        return self.second > 0

    @property
    def is_bare_weekday(self) -> bool:
        return self.first == 0 and self.weekday is not None


class Sign(NamedTuple):
    kind: Kind
    start: int
    end: int
    number: int = 0
    day: Day | None = None
    word: str = ""
    is_capital: bool = False


#: Before a number that may be a day: no part of a longer number, an address or a code.
_APART = r"(?<![a-z\d/+#])(?<!\d[.,:])"
_TOKEN = re.compile(
    rf"""
    (?P<junk>
        (?:https?://|www\.)\S{{1,500}}
      | [\w.+-]{{1,64}}@[\w.-]{{1,255}}
      | (?<![{LATIN}])(?:tel|telefon|teléfono|telefono|telefone|tél|téléphone|phone|fon|fone|fax|mobil|mobile|móvil
          |cell|handy|cellulare|telemóvel|mobiel|telephone|電話|ph)[\x20.:()/-]{{0,6}}[\d+][\d\x20()/.+-]{{4,30}}
      | \+\d[\d\x20()/.-]{{6,30}}
      | (?<![{LATIN}])(?:version|versión|versione|versão|versie|release|build|rev|firmware|ticket|case|ref|incident
          |nr|sr|ver|vorgang|dossier|caso|chamado|zaak|バージョン)[.:\x20\#º°-]{{0,3}}(?:[a-z]{{1,5}}-?)?\d[\w./-]{{0,40}}
      | \#\s?\d[\w./-]{{0,40}}
      | (?<![{LATIN}\d])(?!{MONTH}[-_]?20\d\d(?!\d))[a-z]{{1,12}}[-_]?\d{{3,}}[\w/-]{{0,40}}
      | (?<![{LATIN}\d])v\.?\d[\w.]{{0,30}}
      | [€$£¥]\s?\d[\d.,]{{0,20}} | \d[\d.,]{{0,20}}\s?(?:%|€|eur\b|usd\b|円)
    )
  | (?P<time>
        (?<![\w.])\d{{1,2}}(?:[:.h]\d{{2}}(?::\d{{2}})?)?\s?(?:uhr|h|hrs|a\.?m\.?|p\.?m\.?|o'clock|heures|horas|uur)(?!\w)
      | (?<![\w.])\d{{1,2}}[:h]\d{{2}}(?::\d{{2}})?(?![\d]) | \d{{1,2}}時(?:\d{{1,2}}分)?
    )
  | (?P<japanese>
        (?:(?:(?P<reiwa>令和\s?(?:\d{{1,2}}|元))|(?P<jyear>\d{{4}}|(?<!\d)\d{{2}}))\s?年\s?)?
        (?P<jmonth>\d{{1,2}})\s?月\s?(?P<jday>\d{{1,2}})\s?日(?!間)
    )
  | (?P<jweekday>\((?P<jname>[月火水木金土日])(?:曜日?)?(?:[・/]?祝日?)?\))
  | (?P<jnumber>(?P<jnum>\d{{1,2}})日(?!間|目|以内|以上|程))
  | (?P<iso>{_APART}(?P<iyear>20\d{{2}})(?P<isep>[-/.])\s?(?P<imonth>\d{{1,2}})(?P=isep)\s?(?P<iday>\d{{1,2}})
        (?!\d|[a-su-z]|[./:]\d))
  | (?P<full>{_APART}(?P<fa>\d{{1,2}})(?P<fsep>\.\s?|[-/])(?P<fb>\d{{1,2}})(?P=fsep)
        (?P<fyear>20\d{{2}}|\d{{2}})(?!\d|[a-z]|[./:]\d))
  | (?P<short>{_APART}(?P<sa>\d{{1,2}})(?P<ssep>/|\.|\.\s(?=\d{{1,2}}\.))(?P<sb>\d{{1,2}})
        (?!\d|[./:]\d|-\d{{3}}|[a-z])(?P<sdot>\.(?!\d))?)
  | (?P<year>{_APART}20\d{{2}}(?![\w]|[.,/:]\d))
  | (?P<number>{_APART}(?P<num>\d{{1,2}})(?:st|nd|rd|th|er|ère|o|a|º|°|e|de|ste|\.)?(?![a-z\d]|[.,/:]\d))
  | (?P<digits>\d[\d.,:/]*)
  | (?P<word>t/m|&|[{LATIN}]+(?:-[{LATIN}]+)*)
  | (?P<cjk>[{CJK}]+)
  | (?P<dash>[-‐‑–—−~〜→])
  | (?P<blank>\n[ \t]*\n\s*|[!?。！？]+)
  | (?P<line>\n)
  | (?P<dot>\.)
  | (?P<colon>:)
  | (?P<break>[,;()|、•*])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_JAPANESE_WORD = re.compile("|".join(map(re.escape, JAPANESE)))
_ABBREVIATIONS = {folded(name) for names in SHORT_WEEKDAYS for name in names.split()} | {
    *("einschl", "inkl", "incl", "ca", "approx", "mo", "di", "mi", "do", "fr", "sa", "so", "kl", "zzgl", "dr", "hr"),
    *("fa", "str", "bzw", "mr", "mrs", "ms", "inc", "no", "nr", "tel", "z", "b", "d", "h", "sr", "sra", "sig", "m"),
}


def _signs(text: str) -> list[Sign]:
    """The note as signs, every day in it found and completed."""
    signs = _with_weekdays(_with_dates(_with_phrases(list(_tokens(text))), text), text)
    signs = _with_shared_months(signs)
    return [_standing_alone(signs, at) for at in range(len(signs))]


def _tokens(text: str) -> Iterator[Sign]:
    line_start = 0
    for match in _TOKEN.finditer(text):
        group = match.lastgroup
        if group == "cjk":
            yield from _japanese_words(match)
        elif group == "line":
            goes_on = text[match.end() : match.end() + 9].lstrip()[:1].islower()
            wrapped = goes_on or _width(text[line_start : match.start()]) >= WRAPPED_LINE
            yield Sign(Kind.LINE if wrapped else Kind.SHORT_LINE, *match.span())
        elif group == "dot":
            if _ends_sentence(text, match.start()):
                yield Sign(Kind.STOP, *match.span())
        else:
            yield _token(match, group or "")
        if group in ("line", "blank"):
            line_start = match.end()
        if group == "short" and match["sdot"] and text[match.end() : match.end() + 3].strip()[:1].isupper():
            yield Sign(Kind.BREAK, match.end(), match.end())


def _token(match: re.Match[str], group: str) -> Sign:
    start, end = match.span()
    if group in _PLAIN_TOKENS:
        return Sign(_PLAIN_TOKENS[group], start, end)
    if group == "word":
        return Sign(Kind.WORD, start, end, word=folded(match[0]), is_capital=match[0][0].isupper())
    if group == "year":
        return Sign(Kind.YEAR, start, end, int(match[0]))
    if group in ("number", "jnumber"):
        number = int(match["num"] or match["jnum"])
        return Sign(Kind.NUMBER if 1 <= number <= 31 else Kind.JUNK, start, end, number, Day(first=number))
    if group == "jweekday":
        return Sign(Kind.WEEKDAY_SHORT, start, end, "月火水木金土日".index(match["jname"]))
    day = _numeric_day(match, group)
    return Sign(Kind.DATE if day else Kind.JUNK, start, end, day=day)


_PLAIN_TOKENS = {
    "junk": Kind.JUNK,
    "digits": Kind.JUNK,
    "time": Kind.TIME,
    "dash": Kind.DASH,
    "blank": Kind.STOP,
    "colon": Kind.COLON,
    "break": Kind.BREAK,
}


def _numeric_day(match: re.Match[str], group: str) -> Day | None:
    """None for 17.30, 12.00 and 24/7, which are no days; a 31.06. is one that cannot be, and stays to be refused."""
    if group == "japanese":
        return Day(int(match["jday"]), int(match["jmonth"]), _japanese_year(match), Order.DAY_FIRST, leads=True)
    if group == "iso":
        return Day(int(match["iday"]), int(match["imonth"]), int(match["iyear"]), Order.DAY_FIRST)
    full = group == "full"
    first, second = int(match["fa" if full else "sa"]), int(match["fb" if full else "sb"])
    order = Order.DAY_FIRST if "." in match["fsep" if full else "ssep"] else None
    if full:
        year = int(match["fyear"])
        return Day(first, second, year % 100 + 2000, order, short_year=year < 100)
    is_day = 1 <= first <= 31 and 1 <= second <= (12 if order else 31) and (first, second) != (24, 7)
    return Day(first, second, None, order) if is_day else None


def _japanese_year(match: re.Match[str]) -> int | None:
    if match["reiwa"]:
        count = match["reiwa"][2:].strip()
        return REIWA_BEGAN_AFTER + (1 if count == "元" else int(count))
    return int(match["jyear"]) % 100 + 2000 if match["jyear"] else None


def _japanese_words(match: re.Match[str]) -> Iterator[Sign]:
    """Japanese runs on without spaces: the known words in it, and the rest between them."""
    at = match.start()
    for known in _JAPANESE_WORD.finditer(match.string, match.start(), match.end()):
        if known.start() > at:
            yield Sign(Kind.WORD, at, known.start())
        yield Sign(Kind.WORD, *known.span(), word=known[0])
        at = known.end()
    if at < match.end():
        yield Sign(Kind.WORD, at, match.end())


def _width(line: str) -> int:
    return sum(1 if letter < "\u1100" else 2 for letter in line)


def _ends_sentence(text: str, dot: int) -> bool:
    """Not the dot of "einschl. Freitag", "Aug. 2026" or "support.example"."""
    rest = text[dot + 1 : dot + 200]
    if rest[:1] not in ("", " ", "\n", "\t", "\xa0"):
        return False
    before = re.search(rf"([{LATIN}]+)$", text[max(0, dot - 30) : dot])
    word = folded(before[1]) if before else ""
    following = rest.lstrip()[:1]
    if following.isdigit():
        return not (word in _ABBREVIATIONS or word in MONTH_NUMBER)
    return word not in _ABBREVIATIONS and not following.islower() and following not in (*"-–—~〜",)


def _with_phrases(tokens: list[Sign]) -> list[Sign]:
    """The longest known phrase from each word on becomes one sign; a phrase may be wrapped over two lines."""
    signs: list[Sign] = []
    at = 0
    while at < len(tokens):
        sign, used = _phrase(tokens, at) if tokens[at].kind is Kind.WORD else (tokens[at], 1)
        signs.append(sign)
        at += used
    return signs


def _phrase(tokens: Sequence[Sign], at: int) -> tuple[Sign, int]:
    words: list[str] = []
    found = tokens[at], 1
    for here in range(at, min(at + LONGEST_KNOWN + 1, len(tokens))):
        token = tokens[here]
        if token.kind is Kind.WORD:
            words.append(token.word)
            if meaning := VOCABULARY.get(tuple(words)):
                word = " ".join(words)
                found = Sign(meaning.kind, tokens[at].start, token.end, meaning.number, word=word), here - at + 1
        elif token.kind not in (Kind.LINE, Kind.SHORT_LINE):
            break
    return found


def _near(signs: Sequence[Sign], at: int, step: int, over: frozenset[Kind]) -> int | None:
    """Where the next sign is from `at` (included) on in that direction, when kinds in `over` are passed over."""
    while 0 <= at < len(signs):
        if signs[at].kind not in over:
            return at
        at += step
    return None


_INSIDE_DATE = frozenset({Kind.OF, Kind.FILLER, Kind.DASH, Kind.LINE, Kind.SHORT_LINE})


def _with_dates(signs: list[Sign], text: str) -> list[Sign]:
    """12 June 2026, June 12th, 1er août, 14-Aug-26: numbers and the names of months joined into days."""
    joined: list[Sign] = []
    at = 0
    while at < len(signs):
        sign, used = _named_day(signs, at, text)
        joined.append(sign)
        at += used
    return joined


def _named_day(signs: Sequence[Sign], at: int, text: str) -> tuple[Sign, int]:
    sign = signs[at]
    if sign.kind is Kind.NUMBER and (month := _month_at(signs, at + 1)) is not None:
        day = Day(sign.number, MONTH_NUMBER[signs[month].word], order=Order.DAY_FIRST)
        return _with_year(signs, at, month, day, text)
    if sign.word in ENGLISH_MONTHS:
        number = _near(signs, at + 1, 1, frozenset({Kind.FILLER}))
        if number is not None and signs[number].kind is Kind.NUMBER and _month_at(signs, number + 1) is None:
            day = Day(signs[number].number, MONTH_NUMBER[sign.word], order=Order.DAY_FIRST, leads=True)
            return _with_year(signs, at, number, day, text)
    if sign.day and sign.day.is_dated and sign.kind is Kind.DATE and sign.day.year is None:
        return _with_year(signs, at, at, sign.day, text)
    return sign, 1


def _month_at(signs: Sequence[Sign], at: int) -> int | None:
    """Where the month to a number stands: next to it, or after "of", "de", a dash."""
    month = _near(signs, at, 1, _INSIDE_DATE)
    if month is None or month > at + 2 or signs[month].word not in MONTH_NUMBER:
        return None
    dash = next((sign for sign in signs[at:month] if sign.kind is Kind.DASH), None)
    if dash and not _touch(signs[at - 1], dash, signs[month]):
        return None
    # "December 23-January 3": the dash is one of a range, the month belongs to the number behind it.
    behind = signs[month + 1].kind if month + 1 < len(signs) else None
    return None if dash and behind is Kind.NUMBER else month


def _touch(*signs: Sign) -> bool:
    return all(one.end == two.start for one, two in pairwise(signs))


def _with_year(signs: Sequence[Sign], start: int, last: int, day: Day, text: str) -> tuple[Sign, int]:
    year = _year_at(signs, last + 1, text)
    if year is not None:
        last = year
        day = replace(day, year=2000 + signs[year].number % 100)
    return Sign(Kind.DATE, signs[start].start, signs[last].end, day=day), last - start + 1


def _year_at(signs: Sequence[Sign], at: int, text: str) -> int | None:
    """2026, or a short year that can be nothing else: "14-Aug-26", "12 June '26"."""
    for here in range(at, min(at + 2, len(signs))):
        sign = signs[here]
        if sign.kind is Kind.YEAR:
            return here
        if sign.kind is Kind.NUMBER and text[sign.start - 1] in "-'’" and sign.end - sign.start == 2:
            return here if sign.number > 23 and _month_at(signs, here + 1) is None else None
        if sign.kind not in (Kind.OF, Kind.DASH) and text[sign.start] != ",":
            return None
    return None


_BESIDE_DATE = frozenset({Kind.FILLER, Kind.ON, Kind.OF, Kind.LINE})


def _with_weekdays(signs: list[Sign], text: str) -> list[Sign]:
    """A weekday beside a date is a check on the date: "Friday, 12 June", "8月17日(月)"."""
    joined: list[Sign] = []
    at = 0
    while at < len(signs):
        weekday = _weekday(signs[at], text)
        there = _dated_at(signs, at + 1, text) if weekday is not None else None
        if there is not None and (day := signs[there].day):
            at, weekday = there, weekday
            joined.append(signs[at]._replace(day=replace(day, weekday=weekday)))
        elif joined and (found := _weekday_after(signs, at, joined[-1], text)):
            joined[-1] = joined[-1]._replace(day=replace(joined[-1].day or Day(), weekday=found[0]))
            at = found[1]
        else:
            joined.append(signs[at])
        at += 1
    return joined


def _weekday(sign: Sign, text: str) -> int | None:
    if sign.kind in (Kind.WEEKDAY, Kind.WEEKDAY_SHORT):
        return sign.number
    word = text[sign.start : sign.end]
    if word in TWO_LETTER_WEEKDAYS and re.match(r"[.,]? {0,2}(?:den |dem )?\d", text[sign.end : sign.end + 8]):
        return TWO_LETTER_WEEKDAYS[word]
    return None


def _dated_at(signs: Sequence[Sign], at: int, text: str) -> int | None:
    if at < len(signs) and signs[at].kind is Kind.BREAK and text[signs[at].start] == ",":
        at += 1
    there = _near(signs, at, 1, _BESIDE_DATE)
    if there is None or there > at + 2:
        return None
    day = signs[there].day
    return there if day and day.first and day.weekday is None else None


def _weekday_after(signs: Sequence[Sign], at: int, before: Sign, text: str) -> tuple[int, int] | None:
    """The weekday in brackets after a date, and the place of the closing bracket."""
    if not before.day or not before.day.is_dated or before.day.weekday is not None:
        return None
    if signs[at].kind is Kind.WEEKDAY_SHORT and text[signs[at].start] == "(":
        return signs[at].number, at
    inside = signs[at : at + 3]
    if len(inside) < 3 or text[inside[0].start : inside[0].end] != "(" or text[inside[2].start : inside[2].end] != ")":
        return None
    weekday = _weekday(inside[1], text)
    return None if weekday is None else (weekday, at + 2)


_JOINS = frozenset({Kind.TO, Kind.UNTIL, Kind.DASH, Kind.AND, Kind.FROM_HERE})
_BETWEEN_DAYS = frozenset(
    {Kind.FILLER, Kind.TIME, Kind.LINE, Kind.SHORT_LINE, Kind.ON, Kind.OF, Kind.COLON, Kind.BREAK, Kind.UNTIL_HERE}
)


def _with_shared_months(signs: list[Sign]) -> list[Sign]:
    """3.-14. August, "du 3 au 14 août", August 3-14, 8月10日から15日: the bare number gets the month of the other."""
    for at, sign in enumerate(signs):
        if sign.kind is Kind.NUMBER and sign.day:
            signs[at] = _in_month_ahead(signs, at) or _in_month_before(signs, at) or sign
    return signs


def _in_month_ahead(signs: list[Sign], at: int) -> Sign | None:
    there = _near(signs, at + 1, 1, _JOINS | _BETWEEN_DAYS - {Kind.BREAK})
    if there is None or signs[there].kind is not Kind.DATE or not _is_joined(signs, at, there):
        return None
    whole, number = signs[there].day, signs[at].day
    if whole is None or number is None:
        return None
    signs[there] = signs[there]._replace(day=replace(whole, order=Order.DAY_FIRST))
    day = replace(number, second=whole.second, year=whole.year, order=Order.DAY_FIRST)
    return signs[at]._replace(kind=Kind.DATE, day=day)


def _in_month_before(signs: list[Sign], at: int) -> Sign | None:
    there = _near(signs, at - 1, -1, _JOINS | _BETWEEN_DAYS - {Kind.BREAK})
    if there is None or not _is_joined(signs, there, at):
        return None
    whole, number = signs[there].day, signs[at].day
    if signs[there].kind is not Kind.DATE or whole is None or number is None or not whole.leads:
        return None
    year = next((one.number for one in signs[at + 1 : at + 3] if one.kind is Kind.YEAR), whole.year)
    signs[there] = signs[there]._replace(day=replace(whole, year=whole.year or year))
    day = replace(number, second=whole.second, year=year, order=Order.DAY_FIRST)
    return signs[at]._replace(kind=Kind.DATE, day=day)


def _is_joined(signs: Sequence[Sign], first: int, second: int) -> bool:
    """By "to", "until" or a dash; by "and" only after "between"."""
    kinds = {sign.kind for sign in signs[first + 1 : second]}
    if kinds & (_JOINS - {Kind.AND, Kind.FROM_HERE}):
        return True
    if Kind.FROM_HERE in kinds:
        return second + 1 < len(signs) and _link(signs, second) is Kind.UNTIL
    return Kind.AND in kinds and any(sign.kind is Kind.BETWEEN for sign in signs[max(0, first - 4) : first])


def _standing_alone(signs: Sequence[Sign], at: int) -> Sign:
    """A weekday or "tomorrow" without a date is a day too, unless the sentence counts weeks: "Monday in two weeks"."""
    sign = signs[at]
    if sign.kind is Kind.AHEAD and not _is_morning(signs, at):
        return sign._replace(kind=Kind.DATE, day=Day(days_ahead=sign.number))
    if sign.kind is Kind.NUMBER and sign.day and (sign.day.weekday is not None or _is_return(signs, at)):
        return sign._replace(kind=Kind.DATE)  # "Monday the 15th", "back on the 15th": the next such day
    if sign.kind is not Kind.WEEKDAY:
        return sign
    near = [one for one in signs[max(0, at - 5) : at + 6] if one.kind is Kind.WEEK]
    if near:
        return sign._replace(kind=Kind.JUNK)
    next_week = at > 0 and signs[at - 1].word in ("next", "nachsten")
    return sign._replace(kind=Kind.DATE, day=Day(weekday=sign.number, next_week=next_week))


def _is_return(signs: Sequence[Sign], at: int) -> bool:
    """ "Back on the 17th.", 17日に出社: said of the number, and of nothing that is counted."""
    if _link(signs, at) not in (Kind.ON, Kind.FROM):
        return False
    if at + 1 < len(signs) and signs[at + 1].kind in (*_HERE,):
        return any(sign.kind is Kind.BACK for sign in signs[at + 1 : at + 4])
    ends = at + 1 == len(signs) or signs[at + 1].kind in (Kind.STOP, Kind.BREAK, Kind.SHORT_LINE, Kind.LINE)
    return ends and any(sign.kind is Kind.BACK for sign in signs[_part_before(signs, at) : at])


def _is_morning(signs: Sequence[Sign], at: int) -> bool:
    """Guten Morgen, Montag Morgen, por la mañana."""
    if signs[at].word not in ("morgen", "manana") or not at:
        return False
    return signs[at - 1].word in ("guten", "la", "goede", "am", "jeden") or signs[at - 1].kind in (
        Kind.WEEKDAY,
        Kind.DATE,
    )


# From signs to claims ------------------------------------------------------------------------------------------------


class Role(Enum):
    START = auto()
    LAST = auto()
    RETURN = auto()
    UNEXPLAINED = auto()


@dataclass(frozen=True, slots=True)
class Claim:
    """What the note says a day is. A weak one stands in a sentence that does not speak of an absence."""

    role: Role
    day: Day
    start: int
    end: int
    strong: bool = True
    days_later: int = 0


_PASSED_TO_LINK = frozenset({Kind.FILLER, Kind.TIME, Kind.LINE, Kind.SHORT_LINE, Kind.COLON, Kind.WEEKDAY_SHORT})
_HERE = {
    Kind.UNTIL_HERE: Kind.UNTIL,
    Kind.FROM_HERE: Kind.FROM,
    Kind.ON_HERE: Kind.ON,
    Kind.VAGUE_HERE: Kind.VAGUE,
}
_LINKS = frozenset(
    {Kind.UNTIL, Kind.FROM, Kind.OF, Kind.AFTER, Kind.BEFORE, Kind.VAGUE, Kind.DASH, Kind.AND, Kind.BETWEEN}
)
_LINKS_OVER_ON = frozenset({Kind.UNTIL, Kind.FROM, Kind.AFTER, Kind.BEFORE, Kind.VAGUE, Kind.BETWEEN})


def _link(signs: Sequence[Sign], at: int) -> Kind | None:
    """The word that ties the day to its sentence: directly before it, in Japanese directly after it."""
    after = _near(signs, at + 1, 1, frozenset({Kind.TIME, Kind.WEEKDAY_SHORT}))
    here = _HERE.get(signs[after].kind) if after is not None else None
    if here and here is not Kind.ON:
        return here
    weaker: Kind | None = None
    for sign in reversed(signs[max(0, at - 12) : at]):
        if sign.kind in (_LINKS_OVER_ON if weaker else _LINKS):
            return sign.kind
        if sign.kind in (Kind.ON, Kind.TO):
            weaker = sign.kind
        elif sign.kind not in _PASSED_TO_LINK:
            break
    return weaker or here


def _claims(signs: Sequence[Sign]) -> Iterator[Claim]:
    days = [at for at, sign in enumerate(signs) if sign.kind is Kind.DATE]
    in_range: set[int] = set()
    for first, second in pairwise(days):
        if first not in in_range and _is_range(signs, first, second):
            in_range |= {first, second}
            yield from _range_claims(signs, first, second)
    for at in days:
        if at not in in_range and (claim := _single_claim(signs, at)):
            yield claim


def _is_range(signs: Sequence[Sign], first: int, second: int) -> bool:
    """ "From A to B", "A - B", "between A and B", AからBまで, with nothing of substance between the two days."""
    between = {sign.kind for sign in signs[first + 1 : second]}
    if between - _BETWEEN_DAYS - _JOINS - {Kind.WEEKDAY_SHORT} or _link(signs, first) is Kind.UNTIL:
        return False
    if _link(signs, first) is Kind.BETWEEN:
        return Kind.AND in between
    return _link(signs, second) in (Kind.UNTIL, Kind.TO, Kind.DASH)


def _range_claims(signs: Sequence[Sign], first: int, second: int) -> Iterator[Claim]:
    """The start and the last day. Days of the week alone ("Monday to Friday") are office hours, and claim nothing."""
    context = _Context.around(signs, first, second)
    start, last = signs[first].day or Day(), signs[second].day or Day()
    strength = context.strength()
    if (
        strength is None
        or context.is_morning()
        or Kind.BACK in context.before
        or (start.is_bare_weekday and not last.is_dated)
    ):
        return
    span = context.start, context.end
    # "From today" was true when the note was written, which we do not know: the start stays open.
    if start.is_dated:
        yield Claim(Role.START, start, *span, strength)
        # "From 3 August to Friday": which Friday? Nothing that can be read, and nothing to pass over.
        last = last if last.is_dated else Day()
    yield Claim(Role.LAST, last, *span, strength)


def _single_claim(signs: Sequence[Sign], at: int) -> Claim | None:
    context, link, day = _Context.around(signs, at, at), _link(signs, at), signs[at].day or Day()
    if link is Kind.VAGUE or context.is_vague() or context.is_of_somebody_else():
        return None
    strength = context.strength(link)
    if strength is None:
        return None
    if context.says_back(link):
        # "Not back until", "not back before" that day, and "back after" it.
        days_later = 1 if link is Kind.AFTER else 0
        return Claim(Role.RETURN, day, context.start, context.end, True, days_later)
    is_last = link is Kind.UNTIL and not context.before & {Kind.BACK, Kind.NOT_BACK} and not context.is_morning()
    if is_last and (strength or day.is_dated):
        return Claim(Role.LAST, day, context.start, context.end, strength)
    if not day.is_dated or link not in (Kind.FROM, Kind.ON, None):
        return None
    is_start = link is Kind.FROM and Kind.AWAY in context.before | context.after
    role = Role.START if is_start else Role.UNEXPLAINED
    return Claim(role, day, context.start, context.end, strength)


_PART_ENDS = frozenset({Kind.DATE, Kind.STOP, Kind.SIGN_OFF, Kind.BREAK, Kind.AND})
_PASSED_AT_LINE_START = _PASSED_TO_LINK | _LINKS | {Kind.ON, Kind.TO}
_SENTENCE_ENDS = frozenset({Kind.STOP, Kind.SIGN_OFF})


@dataclass(frozen=True, slots=True)
class _Context:
    """What stands around a day (or a range of days): the part of the sentence before it and after it, and all of it."""

    part_before: Sequence[Sign]
    part_after: Sequence[Sign]
    sentence_before: Sequence[Sign]
    sentence_after: Sequence[Sign]
    note: Sequence[Sign]
    next_is_day: bool
    signed_off: bool
    start: int
    end: int

    @classmethod
    def around(cls, signs: Sequence[Sign], first: int, last: int) -> _Context:
        before, after = _part_before(signs, first), _part_after(signs, last)
        sentence_start, sentence_end = _sentence_around(signs, first, last)
        return cls(
            part_before=signs[before:first],
            part_after=signs[last + 1 : after],
            sentence_before=signs[sentence_start:first],
            sentence_after=signs[last + 1 : sentence_end],
            note=signs,
            next_is_day=after < len(signs) and signs[after].kind is Kind.DATE,
            signed_off=any(sign.kind is Kind.SIGN_OFF for sign in signs[:first]),
            start=signs[before].start,
            end=_end_of(signs, last, after),
        )

    @property
    def before(self) -> set[Kind]:
        return {sign.kind for sign in self.part_before}

    @property
    def after(self) -> set[Kind]:
        return {sign.kind for sign in self.part_after}

    @property
    def sentence(self) -> Sequence[Sign]:
        return [*self.sentence_before, *self.sentence_after]

    def is_vague(self) -> bool:
        """ "Around the 14th", "14 August at the earliest", "14 August or 15 August"."""
        near = self.part_after[:3]
        choice = self.next_is_day and any(_OR.fullmatch(sign.word) for sign in near[:1])
        return choice or Kind.VAGUE in self.before or any(sign.kind is Kind.VAGUE for sign in near)

    def is_morning(self) -> bool:
        return any(sign.kind is Kind.MORNING for sign in self.part_after[:3])

    def says_back(self, link: Kind | None) -> bool:
        """That the customer is back on the day the link ties to it."""
        before, after = self.before, set() if self.next_is_day else self.after
        if link in (Kind.UNTIL, Kind.BEFORE):
            return Kind.NOT_BACK in before or {Kind.NOT, Kind.BACK} <= before
        if link is Kind.OF or (before | after) & {Kind.NOT, Kind.NOT_BACK}:
            return False
        if Kind.BACK in before | after or self._says_again():
            return True
        if link not in (Kind.FROM, Kind.ON, Kind.AFTER):
            return False
        return Kind.ANSWERS in before | after or (link is not Kind.ON and self._says_available(before | after))

    def _says_again(self) -> bool:
        """ "Wieder" for "wieder da", and not for "wieder im Urlaub"."""
        part = [sign.kind for sign in (*self.part_before, *(() if self.next_is_day else self.part_after))]
        return Kind.AGAIN in part and Kind.AWAY not in part[part.index(Kind.AGAIN) :]

    @staticmethod
    def _says_available(kinds: set[Kind]) -> bool:
        return Kind.AVAILABLE in kinds and not kinds & {Kind.AWAY, Kind.LIMITED}

    def strength(self, link: Kind | None = None) -> bool | None:
        """True when the sentence speaks of the absence, False when it may, None when of something else."""
        kinds = {sign.kind for sign in self.sentence}
        away = bool(kinds & {Kind.AWAY, Kind.LIMITED}) or {Kind.NOT, Kind.AVAILABLE} <= kinds
        if self.is_of_somebody_else() or (Kind.EVENT in kinds and not away):
            return None
        if away or kinds & {Kind.BACK, Kind.NOT_BACK, Kind.AGAIN}:
            return True
        if kinds & {Kind.CONTACT, Kind.COLLEAGUE}:
            return False
        words = sum(sign.kind is Kind.WORD for sign in self.sentence)
        if Kind.AVAILABLE in kinds or Kind.ANSWERS in kinds:
            return True if self.says_back(link) else None
        return None if self.signed_off or words > BARE_WORDS else False

    def is_of_somebody_else(self) -> bool:
        """ "My colleague Ann is back on the 3rd", but not "Please contact my colleague until I am back on the 3rd"."""
        if self._names_somebody() and not _speaks_the_writer(self.sentence) and _speaks_the_writer(self.note):
            return True
        kinds = [sign.kind for sign in self.sentence_before]
        if Kind.COLLEAGUE not in kinds or Kind.CONTACT in kinds:
            return False
        colleague = kinds.index(Kind.COLLEAGUE)
        others = [
            *self.sentence_before[: max(0, colleague - 1)],
            *self.sentence_before[colleague:],
            *self.sentence_after,
        ]
        return not _speaks_the_writer(others)

    def _names_somebody(self) -> bool:
        """ "Ann is back on the 3rd", and not "Das Büro ist geschlossen"."""
        before = self.sentence_before
        return any(
            _IS.fullmatch(verb.word) and name.is_capital and name.kind is Kind.WORD and not _ARTICLE.fullmatch(article)
            for article, name, verb in zip(("", *(sign.word for sign in before)), before, before[1:], strict=False)
        )


_IS = re.compile("is|will|ist|wird|est|sera|esta|estara|sara|torna|rientra|vuelve|regresa|volta|revient")
_OR = re.compile("or|oder|ou|oppure|o")
_ARTICLE = re.compile("the|das|die|der|unser|unsere|our|le|la|les|el|il|lo|o|a|het|de")


def _speaks_the_writer(signs: Sequence[Sign]) -> bool:
    return any(word in WRITER_WORDS for sign in signs for word in sign.word.split())


def _part_before(signs: Sequence[Sign], at: int) -> int:
    """Where the part of the sentence begins that leads to the day; a line's start ends it unless only links follow."""
    start, only_links = at, True
    for here in range(at - 1, -1, -1):
        kind = signs[here].kind
        aside = kind is Kind.BREAK and only_links and here and signs[here - 1].kind is Kind.BACK
        if not aside and (kind in _PART_ENDS or (kind is Kind.SHORT_LINE and not only_links)):
            break  # but "on my return, Monday 4 May"
        only_links = only_links and kind in _PASSED_AT_LINE_START
        start = here
    return start


def _part_after(signs: Sequence[Sign], at: int) -> int:
    ends = _PART_ENDS | {Kind.COLON, Kind.SHORT_LINE}
    return next((here for here in range(at + 1, len(signs)) if signs[here].kind in ends), len(signs))


def _sentence_around(signs: Sequence[Sign], first: int, last: int) -> tuple[int, int]:
    start = next((here + 1 for here in range(first - 1, -1, -1) if signs[here].kind in _SENTENCE_ENDS), 0)
    end = next((here for here in range(last + 1, len(signs)) if signs[here].kind in _SENTENCE_ENDS), len(signs))
    return start, end


def _end_of(signs: Sequence[Sign], last: int, after: int) -> int:
    """The phrase goes on to a まで or a "wieder da" behind the day."""
    telling = {*_HERE, Kind.BACK, Kind.AGAIN, Kind.ANSWERS, Kind.AVAILABLE, Kind.AWAY}
    return max([signs[last].end, *(sign.end for sign in signs[last + 1 : after] if sign.kind in telling)])


# From claims to the timeframe ----------------------------------------------------------------------------------------

#: Everywhere else the day stands first. In the second row the year does, so there a year behind 12/11 tells no order.
_MONTH_FIRST = frozenset({"US", "PR", "GU", "VI", "AS", "MP", "FM", "MH", "PW", "PH"})
_YEAR_FIRST = frozenset({"JP", "KR", "CN", "HU", "TW"})


def _order_of(signs: Sequence[Sign], received_on: date, country: str) -> Order | None:
    """The order of the numeric dates: the country's, unless one can only be read the other way; None if mixed."""
    usual = _country_order(country)
    shown: set[Order] = set()
    for sign in signs:
        if sign.kind is Kind.DATE and sign.day and sign.day.is_dated and sign.day.order is None:
            possible = [order for order in Order if _on(sign.day, order, received_on)]
            shown.update(possible if len(possible) == 1 else ())
    if len(shown) > 1:
        return None
    return shown.pop() if shown else usual


def _country_order(country: str) -> Order:
    return Order.MONTH_FIRST if country.upper() in _MONTH_FIRST | _YEAR_FIRST else Order.DAY_FIRST


def _on(day: Day, order: Order, received_on: date) -> date | None:
    """The day in that order of its numbers, or None: there is no such day, or it falls on another weekday."""
    number, month = (day.first, day.second) if order is Order.DAY_FIRST else (day.second, day.first)
    years = range(received_on.year - 1, received_on.year + 2) if day.year is None else (day.year,)
    for year in years:
        found = _date(year, month, number)
        if found is None or (day.year is None and not _is_near(found, received_on)):
            continue
        return found if day.weekday in (None, found.weekday()) else None
    return None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _is_near(day: date, received_on: date) -> bool:
    return -LONGEST_AWAY_ALREADY <= day - received_on <= LONGEST_ABSENCE


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns the days of the claims into dates."""

    received_on: date
    order: Order | None
    year_first: bool

    def dated(self, day: Day) -> date | None:
        """None for a day that cannot be, or whose numbers can be read either way."""
        if day.order:
            return _on(day, day.order, self.received_on)
        if self.year_first and day.year is not None:
            return self._year_first(day)
        if self.order:
            return _on(day, self.order, self.received_on)
        return None if day.first != day.second else _on(day, Order.DAY_FIRST, self.received_on)

    def _year_first(self, day: Day) -> date | None:
        """26/08/10 is the 10th; 10/08/2026 follows no custom of the country and must have one reading only."""
        if day.short_year and day.year:
            return _on(
                Day(day.year - 2000, day.second, 2000 + day.first, weekday=day.weekday), Order.DAY_FIRST, date.min
            )
        readings = {found for order in Order if (found := _on(day, order, self.received_on))}
        return readings.pop() if len(readings) == 1 else None

    def last(self, day: Day) -> date | None:
        """A last day. "Until Friday" on a Friday may be today or in a week."""
        if day.is_dated:
            return self.dated(day)
        if day.is_bare_weekday and day.weekday == self.received_on.weekday():
            return None
        return self.after(day, self.received_on)

    def after(self, day: Day, earliest: date) -> date | None:
        """The first such weekday after that date; tomorrow counts from the day the note arrived."""
        if day.days_ahead is not None:
            return _plus(self.received_on, day.days_ahead)
        if day.first:
            coming = (found for ahead in range(1, 32) if (found := _plus(earliest, ahead)) and found.day == day.first)
            return next((found for found in coming if day.weekday in (None, found.weekday())), None)
        if day.weekday is None:
            return None
        days = (day.weekday - earliest.weekday() - 1) % 7 + 1
        # "Next Friday" said on a Monday is this week's to some and next week's to others.
        is_this_week = earliest.weekday() + days < 7
        return None if day.next_week and is_this_week else _plus(earliest, days)


def _plus(day: date, days: int) -> date | None:
    """None when the calendar ends there."""
    try:
        return day + days * ONE_DAY
    except OverflowError:
        return None


def _decide(claims: Sequence[Claim], reader: _Reader, words: str) -> Timeframe | None:
    """The one timeframe all claims agree on. Weak claims are heard only where no strong one speaks of the same."""
    stays = [claim for claim in claims if claim.role in (Role.START, Role.LAST)]
    stays = [claim for claim in stays if claim.strong] or stays
    returns = [claim for claim in claims if claim.role is Role.RETURN]
    try:
        start = _agreed(reader.dated(claim.day) for claim in stays if claim.role is Role.START)
        last = _last(reader, [claim.day for claim in stays if claim.role is Role.LAST])
        back = _return(reader, returns, max(day for day in (reader.received_on, start, last) if day))
    except Disagreement:
        return None
    if last and not back and (found := _next_working_day(reader, claims, last)):
        back, returns = reader.dated(found.day), [found]
    back_on = back or (_plus(last, 1) if last else None)
    if back_on is None or not _is_sound(start, last, back_on, reader.received_on):
        return None
    return Timeframe(start, back_on, _quoted(words, [*stays, *returns]))


def _next_working_day(reader: _Reader, claims: Sequence[Claim], last: date) -> Claim | None:
    """The claim of a day that nothing explains and that is the first weekday after the last day away: the return.

    There are more ways to say "back" than the vocabulary knows.
    """
    unexplained = (claim for claim in claims if claim.role is Role.UNEXPLAINED)
    weekday = next((day for ahead in (1, 2, 3) if (day := _plus(last, ahead)) and day.weekday() < 5), None)
    return next((claim for claim in unexplained if weekday and reader.dated(claim.day) == weekday), None)


class Disagreement(Exception):
    """The note says two things, or one that cannot be read."""


def _agreed(days: Iterable[date | None]) -> date | None:
    """The one day they all are; None when there are none."""
    distinct = set(days)
    if len(distinct) > 1 or (distinct and None in distinct):
        raise Disagreement
    return distinct.pop() if distinct else None


def _last(reader: _Reader, days: Sequence[Day]) -> date | None:
    dated = _agreed(reader.dated(day) for day in days if day.is_dated)
    others = [day for day in days if not day.is_dated]
    if dated and all(_is_on(day, dated) for day in others):
        return dated
    return _agreed([*([dated] if dated else []), *(reader.last(day) for day in others)])


def _return(reader: _Reader, claims: Sequence[Claim], earliest: date) -> date | None:
    """ "Back on Monday" is the Monday after the last day away, or the one that another sentence gives a date."""
    dated = _agreed(_later(reader.dated(claim.day), claim) for claim in claims if claim.day.is_dated)
    others = [claim for claim in claims if not claim.day.is_dated]
    if dated and all(_is_on(claim.day, dated) for claim in others):
        return dated
    return _agreed([*([dated] if dated else []), *(_later(reader.after(one.day, earliest), one) for one in others)])


def _is_on(day: Day, date_: date) -> bool:
    """That what a day without a month says of itself is true of the date."""
    return day.days_ahead is None and day.weekday in (None, date_.weekday()) and day.first in (0, date_.day)


def _later(day: date | None, claim: Claim) -> date | None:
    return day and _plus(day, claim.days_later)


def _is_sound(start: date | None, last: date | None, back_on: date, received_on: date) -> bool:
    """Within reach, and in the order start, last day, return (F5)."""
    if not ONE_DAY <= back_on - received_on <= LONGEST_ABSENCE:
        return False
    if start and (start >= back_on or (last and start > last)):
        return False
    return last is None or timedelta(0) <= back_on - last <= LONGEST_GAP


def _quoted(words: str, claims: Sequence[Claim]) -> str:
    """The claims' own words, on one line; the words between two of them only when that stays short."""
    start, end = min(claim.start for claim in claims), max(claim.end for claim in claims)
    whole = " ".join(words[start:end].split())
    if len(whole) > LONGEST_PHRASE:
        spans = sorted({(claim.start, claim.end) for claim in claims})
        whole = " … ".join(" ".join(words[start:end].split()) for start, end in spans)
    return whole if len(whole) <= LONGEST_PHRASE else whole[: LONGEST_PHRASE - 1].rstrip() + "…"
