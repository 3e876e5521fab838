"""An out-of-office note cut down to its own words, and those cut into signs: days, "until", "back", sentence ends (F5).

A sign is a piece of the note that means something to the reader in `cases.policy.absence_notes.claims`; days come
out of here with their month, year and weekday together, however the note spreads them.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import pairwise
from typing import NamedTuple

from cases.policy.absence_notes.vocabulary import (
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
    Kind,
    folded,
)

LONGEST_TEXT = 20_000
#: A wrapped line goes on in the next; a shorter one was ended on purpose.
WRAPPED_LINE = 40
REIWA_BEGAN_AFTER = 2018

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


def own_words(text: str) -> str:
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
_BEGINS_SENTENCE = re.compile(
    r"\s+(?:Ich|Wir|Bitte|In|Im|Für|Meine?|Ihre?|Das|Die|Der|Während|Mit|Viele|Je|En|Per|Sie|Danach|Dann)\b"
)
_JAPANESE_WORD = re.compile("|".join(map(re.escape, JAPANESE)))
_ABBREVIATIONS = {folded(name) for names in SHORT_WEEKDAYS for name in names.split()} | {
    *("einschl", "inkl", "incl", "ca", "approx", "mo", "di", "mi", "do", "fr", "sa", "so", "kl", "zzgl", "dr", "hr"),
    *("fa", "str", "bzw", "mr", "mrs", "ms", "inc", "no", "nr", "tel", "z", "b", "d", "h", "sr", "sra", "sig", "m"),
}


def signs_of(text: str) -> list[Sign]:
    """The note as signs, every day in it found and completed."""
    signs = _without_brackets(_with_dates(_with_phrases(list(_tokens(text))), text), text)
    signs = _with_weekdays(signs, text)
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
        if group == "short" and match["sdot"] and _ends_sentence(text, match.end() - 1):
            # The dot of "12.6." may belong to the date alone: then it ends a part, and perhaps no sentence.
            stops = match["ssep"] == "/" or _BEGINS_SENTENCE.match(text, match.end())
            yield Sign(Kind.STOP if stops else Kind.BREAK, match.end(), match.end())


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
        if sign.kind not in (Kind.OF, Kind.DASH) and text[sign.start : sign.start + 1] != ",":
            return None
    return None


def _without_brackets(signs: list[Sign], text: str) -> list[Sign]:
    """Brackets around nothing but a date: "tomorrow (12 June)", "Friday (14.8.)"."""
    idle: set[int] = set()
    for at in range(1, len(signs) - 1):
        around = [text[sign.start : sign.end] for sign in (signs[at - 1], signs[at + 1])]
        if signs[at].kind is Kind.DATE and around == ["(", ")"]:
            idle |= {at - 1, at + 1}
    return [sign for at, sign in enumerate(signs) if at not in idle]


_BESIDE_DATE = frozenset({Kind.FILLER, Kind.ON, Kind.OF, Kind.LINE})


def _with_weekdays(signs: list[Sign], text: str) -> list[Sign]:
    """A weekday beside a date is a check on the date: "Friday, 12 June", "8月17日(月)"."""
    joined: list[Sign] = []
    at = 0
    while at < len(signs):
        weekday = _weekday(signs[at], text)
        there = _dated_at(signs, at + 1, text) if weekday is not None else None
        if joined and (found := _weekday_after(signs, at, joined[-1], text)):
            joined[-1] = joined[-1]._replace(day=replace(joined[-1].day or Day(), weekday=found[0]))
            at = found[1]
        elif there is not None and (day := signs[there].day):
            at = there
            joined.append(signs[at]._replace(day=replace(day, weekday=weekday)))
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
    if at < len(signs) and signs[at].kind is Kind.BREAK and text[signs[at].start : signs[at].end] == ",":
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
    if signs[at].kind is Kind.WEEKDAY_SHORT and text[signs[at].start : signs[at].start + 1] == "(":
        return signs[at].number, at
    inside = signs[at : at + 3]
    if len(inside) < 3 or text[inside[0].start : inside[0].end] != "(" or text[inside[2].start : inside[2].end] != ")":
        return None
    weekday = _weekday(inside[1], text)
    return None if weekday is None else (weekday, at + 2)


JOINS = frozenset({Kind.TO, Kind.UNTIL, Kind.DASH, Kind.AND, Kind.FROM_HERE})
BETWEEN_DAYS = frozenset(
    {Kind.FILLER, Kind.TIME, Kind.LINE, Kind.SHORT_LINE, Kind.ON, Kind.OF, Kind.COLON, Kind.BREAK, Kind.UNTIL_HERE}
)


def _with_shared_months(signs: list[Sign]) -> list[Sign]:
    """3.-14. August, "du 3 au 14 août", August 3-14, 8月10日から15日: the bare number gets the month of the other."""
    for at, sign in enumerate(signs):
        if sign.kind is Kind.NUMBER and sign.day:
            signs[at] = _in_month_ahead(signs, at) or _in_month_before(signs, at) or sign
    return signs


def _in_month_ahead(signs: list[Sign], at: int) -> Sign | None:
    there = _near(signs, at + 1, 1, JOINS | BETWEEN_DAYS - {Kind.BREAK})
    if there is None or signs[there].kind is not Kind.DATE or not _is_joined(signs, at, there):
        return None
    whole, number = signs[there].day, signs[at].day
    if whole is None or number is None:
        return None
    signs[there] = signs[there]._replace(day=replace(whole, order=Order.DAY_FIRST))
    day = replace(number, second=whole.second, year=whole.year, order=Order.DAY_FIRST)
    return signs[at]._replace(kind=Kind.DATE, day=day)


def _in_month_before(signs: list[Sign], at: int) -> Sign | None:
    there = _near(signs, at - 1, -1, JOINS | BETWEEN_DAYS - {Kind.BREAK})
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
    if kinds & (JOINS - {Kind.AND, Kind.FROM_HERE}):
        return True
    if Kind.FROM_HERE in kinds:
        return second + 1 < len(signs) and link_of(signs, second) is Kind.UNTIL
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
    if link_of(signs, at) not in (Kind.ON, Kind.FROM):
        return False
    if at + 1 < len(signs) and signs[at + 1].kind in (*HERE,):
        return any(sign.kind is Kind.BACK for sign in signs[at + 1 : at + 4])
    ends = at + 1 == len(signs) or signs[at + 1].kind in (Kind.STOP, Kind.BREAK, Kind.SHORT_LINE, Kind.LINE)
    return ends and any(sign.kind is Kind.BACK for sign in signs[part_before(signs, at) : at])


def _is_morning(signs: Sequence[Sign], at: int) -> bool:
    """Guten Morgen, Montag Morgen, por la mañana."""
    if signs[at].word not in ("morgen", "manana") or not at:
        return False
    return signs[at - 1].word in ("guten", "la", "goede", "am", "jeden") or signs[at - 1].kind in (
        Kind.WEEKDAY,
        Kind.DATE,
    )


# What ties a day to its sentence --------------------------------------------------------------------------------------

_PASSED_TO_LINK = frozenset({Kind.FILLER, Kind.TIME, Kind.LINE, Kind.SHORT_LINE, Kind.COLON, Kind.WEEKDAY_SHORT})
HERE = {
    Kind.UNTIL_HERE: Kind.UNTIL,
    Kind.FROM_HERE: Kind.FROM,
    Kind.ON_HERE: Kind.ON,
    Kind.VAGUE_HERE: Kind.VAGUE,
}
_LINKS = frozenset(
    {Kind.UNTIL, Kind.FROM, Kind.OF, Kind.AFTER, Kind.BEFORE, Kind.VAGUE, Kind.DASH, Kind.AND, Kind.BETWEEN}
)
_LINKS_OVER_ON = frozenset({Kind.UNTIL, Kind.FROM, Kind.AFTER, Kind.BEFORE, Kind.VAGUE, Kind.BETWEEN})


def link_of(signs: Sequence[Sign], at: int) -> Kind | None:
    """The word that ties the day to its sentence: directly before it, in Japanese directly after it."""
    after = _near(signs, at + 1, 1, frozenset({Kind.TIME, Kind.WEEKDAY_SHORT}))
    here = HERE.get(signs[after].kind) if after is not None else None
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


PART_ENDS = frozenset({Kind.DATE, Kind.STOP, Kind.SIGN_OFF, Kind.BREAK, Kind.AND})
_PASSED_AT_LINE_START = _PASSED_TO_LINK | _LINKS | {Kind.ON, Kind.TO}


def part_before(signs: Sequence[Sign], at: int) -> int:
    """Where the part of the sentence begins that leads to the day; a line's start ends it unless only links follow."""
    start, only_links = at, True
    for here in range(at - 1, -1, -1):
        kind = signs[here].kind
        aside = kind is Kind.BREAK and only_links and here and signs[here - 1].kind is Kind.BACK
        if not aside and (kind in PART_ENDS or (kind is Kind.SHORT_LINE and not only_links)):
            break  # but "on my return, Monday 4 May"
        only_links = only_links and kind in _PASSED_AT_LINE_START
        start = here
    return start
