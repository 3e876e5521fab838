"""The body of an out-of-office note as tokens: days, "until", "back", sentence ends and the like (F5).

Every day is one token with its month, year and weekday, however the note spreads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
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
    Tag,
    folded,
)

#: A wrapped line goes on in the next; a shorter one was ended on purpose.
WRAPPED_LINE = 40
REIWA_BEGAN_AFTER = 2018
#: Tokens that are looked at on each side of a day; no sentence that people write is longer.
LONGEST_SENTENCE = 100

# From text to tokens ------------------------------------------------------------------------------------------------


class DateOrder(Enum):
    """Which of the two numbers of 12/11 is the day."""

    DAY_FIRST = auto()
    MONTH_FIRST = auto()


@dataclass(frozen=True, slots=True)
class Day:
    """A day as it is written: two numbers and the order that tells which is the month, or a weekday, or "tomorrow"."""

    first: int = 0
    second: int = 0
    year: int | None = None
    order: DateOrder | None = None
    weekday: int | None = None
    days_ahead: int | None = None
    short_year: bool = False
    leads: bool = False  # the month stands first, "August 3": a bare number after it is a day of that month
    next_week: bool = False  # "next Friday": the coming one, or the one after?
    unclear: bool = False  # "Monday in two weeks", "the first Monday in May", "8/9 May": which one?

    @property
    def is_dated(self) -> bool:
        return self.second > 0

    @property
    def is_bare_weekday(self) -> bool:
        return self.first == 0 and self.weekday is not None


class Token(NamedTuple):
    """A piece of the note, from `start` to `end` in its text, and what it means."""

    tag: Tag
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
  | (?P<jperiod>(?<!\d)\d{{1,2}}月(?!\s?\d))
  | (?P<pair>{_APART}(?P<pa>\d{{1,2}})\.?/(?P<pb>\d{{1,2}})\.?(?=\s?(?:de\s|of\s)?(?!out\sof){MONTH}(?![{LATIN}])))
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


def tokenize(text: str) -> list[Token]:
    """The tokens of a note, with every day found and completed."""
    tokens = _without_brackets(_with_dates(_with_phrases(list(_raw_tokens(text))), text), text)
    tokens = _with_weekdays(tokens, text)
    tokens = _with_shared_months(tokens)
    return [_standing_alone(tokens, at) for at in range(len(tokens))]


def _raw_tokens(text: str) -> Iterator[Token]:
    line_start = 0
    for match in _TOKEN.finditer(text):
        group = match.lastgroup
        if group == "cjk":
            yield from _japanese_words(match)
        elif group == "line":
            goes_on = text[match.end() : match.end() + 9].lstrip()[:1].islower()
            wrapped = goes_on or _width(text[line_start : match.start()]) >= WRAPPED_LINE
            yield Token(Tag.LINE if wrapped else Tag.SHORT_LINE, *match.span())
        elif group == "dot":
            if _ends_sentence(text, match.start()):
                yield Token(Tag.STOP, *match.span())
        else:
            yield _raw_token(match, group or "")
        if group in ("line", "blank"):
            line_start = match.end()
        if group == "short" and match["sdot"] and _ends_sentence(text, match.end() - 1):
            # The dot of "12.6." may belong to the date alone: then it ends a part, and perhaps no sentence.
            stops = match["ssep"] == "/" or _BEGINS_SENTENCE.match(text, match.end())
            yield Token(Tag.STOP if stops else Tag.BREAK, match.end(), match.end())


def _raw_token(match: re.Match[str], group: str) -> Token:
    start, end = match.span()
    if group in _PLAIN_TOKENS:
        return Token(_PLAIN_TOKENS[group], start, end)
    if group == "word":
        return Token(Tag.WORD, start, end, word=folded(match[0]), is_capital=match[0][0].isupper())
    if group == "year":
        return Token(Tag.YEAR, start, end, int(match[0]))
    if group in ("number", "jnumber"):
        number = int(match["num"] or match["jnum"])
        return Token(Tag.NUMBER if 1 <= number <= 31 else Tag.JUNK, start, end, number, Day(first=number))
    if group == "pair":  # "8/9 August": the 8th or the 9th
        return Token(Tag.DATE, start, end, day=Day(int(match["pa"]), int(match["pb"]), unclear=True))
    if group == "jweekday":
        return Token(Tag.WEEKDAY_SHORT, start, end, "月火水木金土日".index(match["jname"]))
    day = _numeric_day(match, group)
    return Token(Tag.DATE if day else Tag.JUNK, start, end, day=day)


_PLAIN_TOKENS = {
    "junk": Tag.JUNK,
    "digits": Tag.JUNK,
    "time": Tag.TIME,
    "dash": Tag.DASH,
    "blank": Tag.STOP,
    "colon": Tag.COLON,
    "break": Tag.BREAK,
    "jperiod": Tag.PERIOD,
}


def _numeric_day(match: re.Match[str], group: str) -> Day | None:
    """The day of a numeric date; None for 17.30, 12.00 and 24/7. A 31.06. is kept, and resolves to no date later."""
    if group == "japanese":
        return Day(int(match["jday"]), int(match["jmonth"]), _japanese_year(match), DateOrder.DAY_FIRST, leads=True)
    if group == "iso":
        return Day(int(match["iday"]), int(match["imonth"]), int(match["iyear"]), DateOrder.DAY_FIRST)
    full = group == "full"
    first, second = int(match["fa" if full else "sa"]), int(match["fb" if full else "sb"])
    order = DateOrder.DAY_FIRST if "." in match["fsep" if full else "ssep"] else None
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


def _japanese_words(match: re.Match[str]) -> Iterator[Token]:
    """The known words in a run of Japanese, which has no spaces, and the rest between them."""
    at = match.start()
    for known in _JAPANESE_WORD.finditer(match.string, match.start(), match.end()):
        if known.start() > at:
            yield _japanese_rest(match.string, at, known.start())
        yield Token(Tag.WORD, *known.span(), word=known[0])
        at = known.end()
    if at < match.end():
        yield _japanese_rest(match.string, at, match.end())


def _japanese_rest(text: str, start: int, end: int) -> Token:
    """An unknown word, or the か, と and ・ that stand alone between two days only."""
    return Token({"か": Tag.OR, "と": Tag.AND, "・": Tag.AND}.get(text[start:end], Tag.WORD), start, end)


def _width(line: str) -> int:
    return sum(1 if letter < "\u1100" else 2 for letter in line)


def _ends_sentence(text: str, dot: int) -> bool:
    """Whether the dot at that place does: not the one of "einschl. Freitag", "Aug. 2026" or "support.example"."""
    rest = text[dot + 1 : dot + 200]
    if rest[:1] not in ("", " ", "\n", "\t", "\xa0"):
        return False
    before = re.search(rf"([{LATIN}]+)$", text[max(0, dot - 30) : dot])
    word = folded(before[1]) if before else ""
    following = rest.lstrip()[:1]
    if following.isdigit():
        return not (word in _ABBREVIATIONS or word in MONTH_NUMBER)
    return word not in _ABBREVIATIONS and not following.islower() and following not in (*"-–—~〜",)


def _with_phrases(words: list[Token]) -> list[Token]:
    """Known phrases joined into one token each, the longest first."""
    joined: list[Token] = []
    at = 0
    while at < len(words):
        token, used = _phrase(words, at) if words[at].tag is Tag.WORD else (words[at], 1)
        joined.append(token)
        at += used
    return joined


def _phrase(tokens: Sequence[Token], at: int) -> tuple[Token, int]:
    """The longest known phrase from `at` on, perhaps over two lines, and how many tokens it takes; else the word."""
    words: list[str] = []
    found = tokens[at], 1
    for here in range(at, min(at + LONGEST_KNOWN + 1, len(tokens))):
        token = tokens[here]
        if token.tag is Tag.WORD:
            words.append(token.word)
            if meaning := VOCABULARY.get(tuple(words)):
                word = " ".join(words)
                found = Token(meaning.tag, tokens[at].start, token.end, meaning.number, word=word), here - at + 1
        elif token.tag not in (Tag.LINE, Tag.SHORT_LINE):
            break
    return found


def _next_outside(tokens: Sequence[Token], at: int, step: int, over: frozenset[Tag]) -> int | None:
    """The index of the next token from `at` (included) on in that direction whose tag is not in `over`, if any."""
    while 0 <= at < len(tokens):
        if tokens[at].tag not in over:
            return at
        at += step
    return None


_INSIDE_DATE = frozenset({Tag.OF, Tag.FILLER, Tag.DASH, Tag.LINE, Tag.SHORT_LINE})


def _with_dates(tokens: list[Token], text: str) -> list[Token]:
    """Numbers and names of months joined into days: 12 June 2026, June 12th, 1er août, 14-Aug-26."""
    joined: list[Token] = []
    at = 0
    while at < len(tokens):
        token, used = _named_day(tokens, at, text)
        joined.append(token)
        at += used
    return joined


def _named_day(tokens: Sequence[Token], at: int, text: str) -> tuple[Token, int]:
    """The day that begins at `at` and how many tokens it takes; else the token as it is."""
    token = tokens[at]
    if token.tag is Tag.NUMBER and (month := _month_at(tokens, at + 1)) is not None:
        day = Day(token.number, MONTH_NUMBER[tokens[month].word], order=DateOrder.DAY_FIRST)
        return _with_year(tokens, at, month, day, text)
    if token.word in ENGLISH_MONTHS:
        number = _next_outside(tokens, at + 1, 1, frozenset({Tag.FILLER}))
        if number is not None and tokens[number].tag is Tag.NUMBER and _month_at(tokens, number + 1) is None:
            day = Day(tokens[number].number, MONTH_NUMBER[token.word], order=DateOrder.DAY_FIRST, leads=True)
            return _with_year(tokens, at, number, day, text)
    if token.day and token.day.is_dated and token.tag is Tag.DATE and token.day.year is None:
        return _with_year(tokens, at, at, token.day, text)
    return token, 1


def _month_at(tokens: Sequence[Token], at: int) -> int | None:
    """The index of the month of the number before `at`: next to it, or after "of", "de" or a dash."""
    month = _next_outside(tokens, at, 1, _INSIDE_DATE)
    if month is None or month > at + 2 or tokens[month].word not in MONTH_NUMBER:
        return None
    dash = next((token for token in tokens[at:month] if token.tag is Tag.DASH), None)
    if dash and not _touch(tokens[at - 1], dash, tokens[month]):
        return None
    # "December 23-January 3": the dash is one of a range, the month belongs to the number behind it.
    behind = tokens[month + 1].tag if month + 1 < len(tokens) else None
    return None if dash and behind is Tag.NUMBER else month


def _touch(*tokens: Token) -> bool:
    return all(one.end == two.start for one, two in pairwise(tokens))


def _with_year(tokens: Sequence[Token], start: int, last: int, day: Day, text: str) -> tuple[Token, int]:
    year = _year_at(tokens, last + 1, text)
    if year is not None:
        last = year
        day = replace(day, year=2000 + tokens[year].number % 100)
    return Token(Tag.DATE, tokens[start].start, tokens[last].end, day=day), last - start + 1


def _year_at(tokens: Sequence[Token], at: int, text: str) -> int | None:
    """The index of the year of the day before `at`: 2026, or a short one that is no day, "14-Aug-26", "12 June '26"."""
    for here in range(at, min(at + 2, len(tokens))):
        token = tokens[here]
        if token.tag is Tag.YEAR:
            return here
        if token.tag is Tag.NUMBER and text[token.start - 1] in "-'’" and token.end - token.start == 2:
            return here if token.number > 23 and _month_at(tokens, here + 1) is None else None
        if token.tag not in (Tag.OF, Tag.DASH) and text[token.start : token.start + 1] != ",":
            return None
    return None


def _without_brackets(tokens: list[Token], text: str) -> list[Token]:
    """Drops brackets around nothing but a date: "tomorrow (12 June)", "Friday (14.8.)"."""
    idle: set[int] = set()
    for at in range(1, len(tokens) - 1):
        before, after = tokens[at - 1], tokens[at + 1]
        if tokens[at].tag is Tag.DATE and (text[before.start : before.end], text[after.start : after.end]) == (
            "(",
            ")",
        ):
            idle |= {at - 1, at + 1}
    return [token for at, token in enumerate(tokens) if at not in idle]


_BESIDE_DATE = frozenset({Tag.FILLER, Tag.ON, Tag.OF, Tag.LINE})


def _with_weekdays(tokens: list[Token], text: str) -> list[Token]:
    """A weekday beside a date becomes part of it, to check the date by: "Friday, 12 June", "8月17日(月)"."""
    joined: list[Token] = []
    at = 0
    while at < len(tokens):
        weekday = _weekday(tokens[at], text)
        there = _dated_at(tokens, at + 1, text) if weekday is not None else None
        if joined and (found := _weekday_after(tokens, at, joined[-1], text)):
            joined[-1] = joined[-1]._replace(day=replace(joined[-1].day or Day(), weekday=found[0]))
            at = found[1]
        elif there is not None and (day := tokens[there].day):
            at = there
            joined.append(tokens[at]._replace(day=replace(day, weekday=weekday)))
        else:
            joined.append(tokens[at])
        at += 1
    return joined


def _weekday(token: Token, text: str) -> int | None:
    if token.tag in (Tag.WEEKDAY, Tag.WEEKDAY_SHORT):
        return token.number
    word = text[token.start : token.end]
    if word in TWO_LETTER_WEEKDAYS and re.match(r"[.,]? {0,2}(?:den |dem )?\d", text[token.end : token.end + 8]):
        return TWO_LETTER_WEEKDAYS[word]
    return None


def _dated_at(tokens: Sequence[Token], at: int, text: str) -> int | None:
    """The index of the day that the weekday before `at` belongs to."""
    if at < len(tokens) and tokens[at].tag is Tag.BREAK and text[tokens[at].start : tokens[at].end] == ",":
        at += 1
    there = _next_outside(tokens, at, 1, _BESIDE_DATE)
    if there is None or there > at + 2:
        return None
    day = tokens[there].day
    return there if day and day.first and day.weekday is None else None


def _weekday_after(tokens: Sequence[Token], at: int, before: Token, text: str) -> tuple[int, int] | None:
    """The weekday in brackets after a date, and the index of the closing bracket."""
    if not before.day or not before.day.is_dated or before.day.weekday is not None:
        return None
    if tokens[at].tag is Tag.WEEKDAY_SHORT and text[tokens[at].start : tokens[at].start + 1] == "(":
        return tokens[at].number, at
    inside = tokens[at : at + 3]
    if len(inside) < 3 or text[inside[0].start : inside[0].end] != "(" or text[inside[2].start : inside[2].end] != ")":
        return None
    weekday = _weekday(inside[1], text)
    return None if weekday is None else (weekday, at + 2)


JOINS = frozenset({Tag.TO, Tag.UNTIL, Tag.DASH, Tag.AND, Tag.FROM_SUFFIX})
BETWEEN_DAYS = frozenset(
    {Tag.FILLER, Tag.TIME, Tag.LINE, Tag.SHORT_LINE, Tag.ON, Tag.OF, Tag.COLON, Tag.BREAK, Tag.UNTIL_SUFFIX}
)
_JOINING = (JOINS | BETWEEN_DAYS | {Tag.OR, Tag.FROM}) - {Tag.BREAK}


def _with_shared_months(tokens: list[Token]) -> list[Token]:
    """A bare number joined to a day gets its month: 3.-14. August, "du 3 au 14 août", August 3-14, 8月10日から15日."""
    for at, token in enumerate(tokens):
        if token.tag is Tag.NUMBER and token.day:
            tokens[at] = _in_month_ahead(tokens, at) or _in_month_before(tokens, at) or token
    return tokens


def _in_month_ahead(tokens: list[Token], at: int) -> Token | None:
    there = _next_outside(tokens, at + 1, 1, _JOINING)
    if there is None or tokens[there].tag is not Tag.DATE or not _is_joined(tokens, at, there):
        return None
    whole, number = tokens[there].day, tokens[at].day
    if whole is None or number is None:
        return None
    tokens[there] = tokens[there]._replace(day=replace(whole, order=DateOrder.DAY_FIRST))
    day = replace(number, second=whole.second, year=whole.year, order=DateOrder.DAY_FIRST)
    return tokens[at]._replace(tag=Tag.DATE, day=day)


def _in_month_before(tokens: list[Token], at: int) -> Token | None:
    there = _next_outside(tokens, at - 1, -1, _JOINING)
    if there is None or not _is_joined(tokens, there, at):
        return None
    whole, number = tokens[there].day, tokens[at].day
    if tokens[there].tag is not Tag.DATE or whole is None or number is None or not whole.leads:
        return None
    year = next((one.number for one in tokens[at + 1 : at + 3] if one.tag is Tag.YEAR), whole.year)
    tokens[there] = tokens[there]._replace(day=replace(whole, year=whole.year or year))
    day = replace(number, second=whole.second, year=year, order=DateOrder.DAY_FIRST)
    return tokens[at]._replace(tag=Tag.DATE, day=day)


def _is_joined(tokens: Sequence[Token], first: int, second: int) -> bool:
    """Whether the two are joined by "to", "until", "and", "or" or a dash."""
    between = tokens[first + 1 : second]
    tags = {token.tag for token in between}
    if tags & (JOINS - {Tag.FROM_SUFFIX}) or has_or(between):
        return True
    return Tag.FROM_SUFFIX in tags and second + 1 < len(tokens) and link_of(tokens, second) is Tag.UNTIL


def has_tag(tokens: Iterable[Token], tag: Tag) -> bool:
    return any(token.tag is tag for token in tokens)


def has_or(between: Iterable[Token]) -> bool:
    """Whether "or" stands between two days; "o" is a Portuguese article and "of" an English preposition elsewhere."""
    return any(token.tag is Tag.OR or token.word in ("o", "of") for token in between)


def _standing_alone(tokens: Sequence[Token], at: int) -> Token:
    """The token as a day, if it is a weekday, "tomorrow" or a bare number that is one without its month."""
    token = tokens[at]
    if token.tag is Tag.AHEAD and not _is_morning(tokens, at):
        return token._replace(tag=Tag.DATE, day=Day(days_ahead=token.number))
    if token.tag is Tag.NUMBER and token.day and (token.day.weekday is not None or _is_return(tokens, at)):
        return token._replace(tag=Tag.DATE)  # "Monday the 15th", "back on the 15th": the next such day
    if token.tag is not Tag.WEEKDAY:
        return token
    nearest, near = tokens[max(0, at - 2) : at + 3], tokens[max(0, at - 5) : at + 6]
    unclear = any(one.tag is Tag.WEEK for one in near) or any(one.tag is Tag.FAR for one in nearest)
    next_week = at > 0 and tokens[at - 1].word in ("next", "nachsten")
    return token._replace(tag=Tag.DATE, day=Day(weekday=token.number, next_week=next_week, unclear=unclear))


def _is_return(tokens: Sequence[Token], at: int) -> bool:
    """Whether the bare number is the day of a return: "back on the 17th.", 17日に出社, and not "back on 3 machines"."""
    following = tokens[at + 1].tag if at + 1 < len(tokens) else Tag.STOP
    if following in LINK_OF_SUFFIX:
        return has_tag(tokens[at + 1 : at + 4], Tag.BACK) and link_of(tokens, at) in (Tag.ON, Tag.FROM)
    if following not in (Tag.STOP, Tag.BREAK, Tag.SHORT_LINE, Tag.LINE):
        return False
    return link_of(tokens, at) in (Tag.ON, Tag.FROM) and has_tag(tokens[part_before(tokens, at) : at], Tag.BACK)


def _is_morning(tokens: Sequence[Token], at: int) -> bool:
    """Whether "morgen" or "mañana" is no tomorrow: "guten Morgen", "Montag Morgen", "por la mañana"."""
    if tokens[at].word not in ("morgen", "manana") or not at:
        return False
    return tokens[at - 1].word in ("guten", "la", "goede", "am", "jeden") or tokens[at - 1].tag in (
        Tag.WEEKDAY,
        Tag.DATE,
    )


# What ties a day to its sentence --------------------------------------------------------------------------------------

_PASSED_TO_LINK = frozenset({Tag.FILLER, Tag.TIME, Tag.LINE, Tag.SHORT_LINE, Tag.COLON, Tag.WEEKDAY_SHORT})
LINK_OF_SUFFIX = {
    Tag.UNTIL_SUFFIX: Tag.UNTIL,
    Tag.FROM_SUFFIX: Tag.FROM,
    Tag.ON_SUFFIX: Tag.ON,
    Tag.VAGUE_SUFFIX: Tag.VAGUE,
    Tag.NOT_BEFORE_SUFFIX: Tag.NOT_BEFORE,
}
LINKS_OVER_ON = frozenset({Tag.UNTIL, Tag.FROM, Tag.AFTER, Tag.BEFORE, Tag.NOT_BEFORE, Tag.VAGUE, Tag.BETWEEN})
_LINKS = LINKS_OVER_ON | {Tag.OF, Tag.DASH, Tag.AND}


def link_of(tokens: Sequence[Token], at: int) -> Tag | None:
    """The tag of the word that ties the day to its sentence: directly before it, in Japanese directly after it."""
    after = _next_outside(tokens, at + 1, 1, frozenset({Tag.TIME, Tag.WEEKDAY_SHORT}))
    here = LINK_OF_SUFFIX.get(tokens[after].tag) if after is not None else None
    if here and here is not Tag.ON:
        return here
    weaker: Tag | None = None
    for token in reversed(tokens[max(0, at - 12) : at]):
        if token.tag in (LINKS_OVER_ON if weaker else _LINKS):
            return token.tag
        if token.tag in (Tag.ON, Tag.TO):
            weaker = token.tag
        elif token.tag not in _PASSED_TO_LINK:
            break
    return weaker or here


PART_ENDS = frozenset({Tag.DATE, Tag.STOP, Tag.SIGN_OFF, Tag.BREAK, Tag.AND})
_PASSED_AT_LINE_START = _PASSED_TO_LINK | _LINKS | {Tag.ON, Tag.TO}


def part_before(tokens: Sequence[Token], at: int) -> int:
    """The index where the part of the sentence before the day begins: after the last comma, "and" or other day, or with
    the day's line when more than links stand on it. "On my return, Monday 4 May" is one part.
    """
    start, only_links = at, True
    for here in range(at - 1, max(-1, at - LONGEST_SENTENCE), -1):
        tag = tokens[here].tag
        aside = tag is Tag.BREAK and only_links and here and tokens[here - 1].tag is Tag.BACK
        if not aside and (tag in PART_ENDS or (tag is Tag.SHORT_LINE and not only_links)):
            break
        only_links = only_links and tag in _PASSED_AT_LINE_START
        start = here
    return start
