"""The timeframe of an out-of-office note that a technician pasted (F5): from when the customer is away, and back when.

Reads English, German, French, Spanish, Italian, Portuguese, Dutch and Japanese, without being told which. Pure: text
in, days out. A wrong date would make us chase somebody on holiday or sleep through their return, while no date only
costs the owner one question: so whatever is not stated plainly, or is stated twice differently, is not read.

The way: cut the note down to its own words; cut those into signs (a day, "until", "back", "away", the end of a
sentence ...); let each day be claimed as the start, the last day or the return by the signs next to it; then decide,
and only when all claims agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, auto
from itertools import pairwise

from cases.policy.absence_notes.tokens import (
    BETWEEN_DAYS,
    HERE,
    JOINS,
    PART_ENDS,
    Day,
    Order,
    Sign,
    link_of,
    own_words,
    part_before,
    signs_of,
)
from cases.policy.absence_notes.vocabulary import WRITER_WORDS, Kind

LONGEST_ABSENCE = timedelta(days=120)
"""A return further away than this is a misreading, or nothing a plan should sleep for."""

LONGEST_PHRASE = 160

#: What names more days than this is a calendar or a history, and would take long to make sense of.
MOST_DAYS = 40

ONE_DAY = timedelta(days=1)
#: A start without a year may lie this far back; with the 120 days ahead that makes every day of the year unique.
LONGEST_AWAY_ALREADY = timedelta(days=240)
#: "Away until the 12th" and "back on the 30th" do not speak of one absence; a weekend or Christmas may lie between.
LONGEST_GAP = timedelta(days=14)
#: "3.8. - 14.8." or "Absence period: 3-14 August" speaks for itself; a longer sentence has to say what it is about.
BARE_WORDS = 4


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
    words = own_words(text)
    signs = signs_of(words)
    if any(sign.kind is Kind.GONE for sign in signs) or sum(sign.day is not None for sign in signs) > MOST_DAYS:
        return None
    order = _order_of(signs, received_on, country)
    return _decide(list(_claims(signs)), _Reader(received_on, order, country.upper() in _YEAR_FIRST), words)


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
    if between - BETWEEN_DAYS - JOINS - {Kind.WEEKDAY_SHORT} or link_of(signs, first) is Kind.UNTIL:
        return False
    if link_of(signs, first) is Kind.BETWEEN:
        return Kind.AND in between
    return link_of(signs, second) in (Kind.UNTIL, Kind.TO, Kind.DASH)


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
    context, link, day = _Context.around(signs, at, at), link_of(signs, at), signs[at].day or Day()
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
        before, after = part_before(signs, first), _part_after(signs, last)
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


def _part_after(signs: Sequence[Sign], at: int) -> int:
    ends = PART_ENDS | {Kind.COLON, Kind.SHORT_LINE}
    return next((here for here in range(at + 1, len(signs)) if signs[here].kind in ends), len(signs))


def _sentence_around(signs: Sequence[Sign], first: int, last: int) -> tuple[int, int]:
    start = next((here + 1 for here in range(first - 1, -1, -1) if signs[here].kind in _SENTENCE_ENDS), 0)
    end = next((here for here in range(last + 1, len(signs)) if signs[here].kind in _SENTENCE_ENDS), len(signs))
    return start, end


def _end_of(signs: Sequence[Sign], last: int, after: int) -> int:
    """The phrase goes on to a まで or a "wieder da" behind the day."""
    telling = {*HERE, Kind.BACK, Kind.AGAIN, Kind.ANSWERS, Kind.AVAILABLE, Kind.AWAY}
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
