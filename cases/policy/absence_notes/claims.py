"""From tokens to a timeframe: what the note says each day is, and the one reading that all claims agree on (F5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, auto
from itertools import pairwise

from cases.policy.absence_notes.own_words import own_words
from cases.policy.absence_notes.tokens import (
    BETWEEN_DAYS,
    HERE,
    JOINS,
    PART_ENDS,
    DateOrder,
    Day,
    Token,
    link_of,
    part_before,
    tokenize,
)
from cases.policy.absence_notes.vocabulary import WRITER_WORDS, Tag

#: A return further ahead than this is a misreading, or nothing a plan should sleep for.
FURTHEST_READ_RETURN = timedelta(days=120)
LONGEST_PHRASE = 160
#: A text that names more days than this is a calendar or a history, and would take long to read.
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
    """Local days of the customer: the first day away (None if the note does not say) and the first day back (F5).

    `phrase` is the part of the note that says so, for whoever checks it: one line of at most 160 characters.
    """

    away_from: date | None
    back_on: date
    phrase: str


def read_timeframe(text: str, received_on: date, country: str) -> Timeframe | None:
    """The timeframe that the note states, or None if there is none that can be read without guessing (F5).

    `received_on` is the customer's local day on which the note arrived, `country` an ISO 3166 alpha-2 code that
    decides whether 12/11 is in November or in December. Never raises; the return lies 1 to 120 days ahead.
    """
    words = own_words(text)
    tokens = tokenize(words)
    if any(token.tag is Tag.GONE for token in tokens) or sum(token.day is not None for token in tokens) > MOST_DAYS:
        return None
    order = _order_of(tokens, received_on, country)
    return _decide(list(_claims(tokens)), _DateResolver(received_on, order, country.upper() in _YEAR_FIRST), words)


# From tokens to claims ------------------------------------------------------------------------------------------------


class DayRole(Enum):
    """What a day is in an absence."""

    START = auto()
    LAST = auto()
    RETURN = auto()
    UNEXPLAINED = auto()


@dataclass(frozen=True, slots=True)
class DayClaim:
    """What the note says a day is. A weak claim stands in a sentence that does not speak of an absence."""

    role: DayRole
    day: Day
    start: int
    end: int
    strong: bool = True
    days_later: int = 0


def _claims(tokens: Sequence[Token]) -> Iterator[DayClaim]:
    days = [at for at, token in enumerate(tokens) if token.tag is Tag.DATE]
    in_range: set[int] = set()
    for first, second in pairwise(days):
        if first not in in_range and _is_range(tokens, first, second):
            in_range |= {first, second}
            yield from _range_claims(tokens, first, second)
    for at in days:
        if at not in in_range and (claim := _single_claim(tokens, at)):
            yield claim


def _is_range(tokens: Sequence[Token], first: int, second: int) -> bool:
    """ "From A to B", "A - B", "between A and B", AからBまで, with nothing of substance between the two days."""
    between = {token.tag for token in tokens[first + 1 : second]}
    if between - BETWEEN_DAYS - JOINS - {Tag.WEEKDAY_SHORT} or link_of(tokens, first) is Tag.UNTIL:
        return False
    if link_of(tokens, first) is Tag.BETWEEN:
        return Tag.AND in between
    return link_of(tokens, second) in (Tag.UNTIL, Tag.TO, Tag.DASH)


def _range_claims(tokens: Sequence[Token], first: int, second: int) -> Iterator[DayClaim]:
    """The start and the last day. Days of the week alone ("Monday to Friday") are office hours, and claim nothing."""
    context = _Surroundings(tokens, first, second)
    start, last = tokens[first].day or Day(), tokens[second].day or Day()
    strength = context.strength()
    if (
        strength is None
        or context.is_morning()
        or Tag.BACK in context.before
        or (start.is_bare_weekday and not last.is_dated)
    ):
        return
    span = context.start, context.end
    # "From today" was true when the note was written, which we do not know: the start stays open.
    if start.is_dated:
        yield DayClaim(DayRole.START, start, *span, strength)
        # "From 3 August to Friday": which Friday? Nothing that can be read, and nothing to pass over.
        last = last if last.is_dated else Day()
    yield DayClaim(DayRole.LAST, last, *span, strength)


def _single_claim(tokens: Sequence[Token], at: int) -> DayClaim | None:
    context, link, day = _Surroundings(tokens, at, at), link_of(tokens, at), tokens[at].day or Day()
    if link is Tag.VAGUE or context.is_vague() or context.is_of_somebody_else():
        return None
    strength = context.strength(link)
    if strength is None:
        return None
    if context.says_back(link):
        # "Not back until", "not back before" that day, and "back after" it.
        days_later = 1 if link is Tag.AFTER else 0
        return DayClaim(DayRole.RETURN, day, context.start, context.end, True, days_later)
    is_last = link is Tag.UNTIL and not context.before & {Tag.BACK, Tag.NOT_BACK} and not context.is_morning()
    if is_last and (strength or day.is_dated):
        return DayClaim(DayRole.LAST, day, context.start, context.end, strength)
    if not day.is_dated or link not in (Tag.FROM, Tag.ON, None):
        return None
    is_start = link is Tag.FROM and Tag.AWAY in context.before | context.after
    role = DayRole.START if is_start else DayRole.UNEXPLAINED
    return DayClaim(role, day, context.start, context.end, strength)


_SENTENCE_ENDS = frozenset({Tag.STOP, Tag.SIGN_OFF})


class _Surroundings:
    """What stands around a day or a range of days: its part of the sentence, the sentence, the note."""

    def __init__(self, tokens: Sequence[Token], first: int, last: int) -> None:
        start, end = part_before(tokens, first), _part_after(tokens, last)
        sentence_start, sentence_end = _sentence_around(tokens, first, last)
        self.part_before, self.part_after = tokens[start:first], tokens[last + 1 : end]
        self.before = {token.tag for token in self.part_before}
        self.after = {token.tag for token in self.part_after}
        self.sentence_before, self.sentence_after = tokens[sentence_start:first], tokens[last + 1 : sentence_end]
        self.sentence = [*self.sentence_before, *self.sentence_after]
        self.note = tokens
        self.next_is_day = end < len(tokens) and tokens[end].tag is Tag.DATE
        self.signed_off = any(token.tag is Tag.SIGN_OFF for token in tokens[:first])
        self.start, self.end = tokens[start].start, _end_of(tokens, last, end)

    def is_vague(self) -> bool:
        """ "Around the 14th", "14 August at the earliest", "14 August or 15 August"."""
        near = self.part_after[:3]
        choice = self.next_is_day and any(_OR.fullmatch(token.word) for token in near[:1])
        return choice or Tag.VAGUE in self.before or any(token.tag is Tag.VAGUE for token in near)

    def is_morning(self) -> bool:
        return any(token.tag is Tag.MORNING for token in self.part_after[:3])

    def says_back(self, link: Tag | None) -> bool:
        """That the customer is back on the day the link ties to it."""
        before, after = self.before, set() if self.next_is_day else self.after
        if link in (Tag.UNTIL, Tag.BEFORE):
            return Tag.NOT_BACK in before or {Tag.NOT, Tag.BACK} <= before
        if link is Tag.OF or (before | after) & {Tag.NOT, Tag.NOT_BACK}:
            return False
        if Tag.BACK in before | after or self._says_again():
            return True
        if link not in (Tag.FROM, Tag.ON, Tag.AFTER):
            return False
        return Tag.ANSWERS in before | after or (link is not Tag.ON and self._says_available(before | after))

    def _says_again(self) -> bool:
        """ "Wieder" for "wieder da", and not for "wieder im Urlaub"."""
        part = [token.tag for token in (*self.part_before, *(() if self.next_is_day else self.part_after))]
        return Tag.AGAIN in part and Tag.AWAY not in part[part.index(Tag.AGAIN) :]

    @staticmethod
    def _says_available(tags: set[Tag]) -> bool:
        return Tag.AVAILABLE in tags and not tags & {Tag.AWAY, Tag.LIMITED}

    def strength(self, link: Tag | None = None) -> bool | None:
        """True when the sentence speaks of the absence, False when it may, None when of something else."""
        tags = {token.tag for token in self.sentence}
        away = bool(tags & {Tag.AWAY, Tag.LIMITED}) or {Tag.NOT, Tag.AVAILABLE} <= tags
        if self.is_of_somebody_else() or (Tag.EVENT in tags and not away):
            return None
        if away or tags & {Tag.BACK, Tag.NOT_BACK, Tag.AGAIN}:
            return True
        if tags & {Tag.CONTACT, Tag.COLLEAGUE}:
            return False
        words = sum(token.tag is Tag.WORD for token in self.sentence)
        if Tag.AVAILABLE in tags or Tag.ANSWERS in tags:
            return True if self.says_back(link) else None
        return None if self.signed_off or words > BARE_WORDS else False

    def is_of_somebody_else(self) -> bool:
        """ "My colleague Ann is back on the 3rd", but not "Please contact my colleague until I am back on the 3rd"."""
        if self._names_somebody() and not _speaks_the_writer(self.sentence) and _speaks_the_writer(self.note):
            return True
        tags = [token.tag for token in self.sentence_before]
        if Tag.COLLEAGUE not in tags or Tag.CONTACT in tags:
            return False
        colleague = tags.index(Tag.COLLEAGUE)
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
            _IS.fullmatch(verb.word) and name.is_capital and name.tag is Tag.WORD and not _ARTICLE.fullmatch(article)
            for article, name, verb in zip(("", *(token.word for token in before)), before, before[1:], strict=False)
        )


_IS = re.compile("is|will|ist|wird|est|sera|esta|estara|sara|torna|rientra|vuelve|regresa|volta|revient")
_OR = re.compile("or|oder|ou|oppure|o")
_ARTICLE = re.compile("the|das|die|der|unser|unsere|our|le|la|les|el|il|lo|o|a|het|de")


def _speaks_the_writer(tokens: Sequence[Token]) -> bool:
    return any(word in WRITER_WORDS for token in tokens for word in token.word.split())


def _part_after(tokens: Sequence[Token], at: int) -> int:
    ends = PART_ENDS | {Tag.COLON, Tag.SHORT_LINE}
    return next((here for here in range(at + 1, len(tokens)) if tokens[here].tag in ends), len(tokens))


def _sentence_around(tokens: Sequence[Token], first: int, last: int) -> tuple[int, int]:
    start = next((here + 1 for here in range(first - 1, -1, -1) if tokens[here].tag in _SENTENCE_ENDS), 0)
    end = next((here for here in range(last + 1, len(tokens)) if tokens[here].tag in _SENTENCE_ENDS), len(tokens))
    return start, end


def _end_of(tokens: Sequence[Token], last: int, after: int) -> int:
    """The phrase goes on to a まで or a "wieder da" behind the day."""
    telling = {*HERE, Tag.BACK, Tag.AGAIN, Tag.ANSWERS, Tag.AVAILABLE, Tag.AWAY}
    return max([tokens[last].end, *(token.end for token in tokens[last + 1 : after] if token.tag in telling)])


# From claims to the timeframe ----------------------------------------------------------------------------------------

#: Everywhere else the day stands first. In the second row the year does, so there a year behind 12/11 tells no order.
_MONTH_FIRST = frozenset({"US", "PR", "GU", "VI", "AS", "MP", "FM", "MH", "PW", "PH"})
_YEAR_FIRST = frozenset({"JP", "KR", "CN", "HU", "TW"})


def _order_of(tokens: Sequence[Token], received_on: date, country: str) -> DateOrder | None:
    """The order of the numeric dates: the country's, unless one can only be read the other way; None if mixed."""
    usual = _country_order(country)
    shown: set[DateOrder] = set()
    for token in tokens:
        if token.tag is Tag.DATE and token.day and token.day.is_dated and token.day.order is None:
            possible = [order for order in DateOrder if _on(token.day, order, received_on)]
            shown.update(possible if len(possible) == 1 else ())
    if len(shown) > 1:
        return None
    return shown.pop() if shown else usual


def _country_order(country: str) -> DateOrder:
    return DateOrder.MONTH_FIRST if country.upper() in _MONTH_FIRST | _YEAR_FIRST else DateOrder.DAY_FIRST


def _on(day: Day, order: DateOrder, received_on: date) -> date | None:
    """The day in that order of its numbers, or None: there is no such day, or it falls on another weekday."""
    number, month = (day.first, day.second) if order is DateOrder.DAY_FIRST else (day.second, day.first)
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
    return -LONGEST_AWAY_ALREADY <= day - received_on <= FURTHEST_READ_RETURN


@dataclass(frozen=True, slots=True)
class _DateResolver:
    """Resolves days as they are written into dates."""

    received_on: date
    order: DateOrder | None
    year_first: bool

    def dated(self, day: Day) -> date | None:
        """The date; None for a day that does not exist, or whose numbers can be read either way."""
        if day.order:
            return _on(day, day.order, self.received_on)
        if self.year_first and day.year is not None:
            return self._year_first(day)
        if self.order:
            return _on(day, self.order, self.received_on)
        return None if day.first != day.second else _on(day, DateOrder.DAY_FIRST, self.received_on)

    def _year_first(self, day: Day) -> date | None:
        """26/08/10 is the 10th; 10/08/2026 follows no custom of the country and must have one reading only."""
        if day.short_year and day.year:
            return _on(
                Day(day.year - 2000, day.second, 2000 + day.first, weekday=day.weekday), DateOrder.DAY_FIRST, date.min
            )
        readings = {found for order in DateOrder if (found := _on(day, order, self.received_on))}
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


def _decide(claims: Sequence[DayClaim], dates: _DateResolver, words: str) -> Timeframe | None:
    """The timeframe that all claims agree on. Weak claims count only where there is no strong one of their kind."""
    stays = [claim for claim in claims if claim.role in (DayRole.START, DayRole.LAST)]
    stays = [claim for claim in stays if claim.strong] or stays
    returns = [claim for claim in claims if claim.role is DayRole.RETURN]
    try:
        start = _agreed(dates.dated(claim.day) for claim in stays if claim.role is DayRole.START)
        last = _last(dates, [claim.day for claim in stays if claim.role is DayRole.LAST])
        back = _return(dates, returns, max(day for day in (dates.received_on, start, last) if day))
    except Disagreement:
        return None
    if last and not back and (found := _next_working_day(dates, claims, last)):
        back, returns = dates.dated(found.day), [found]
    back_on = back or (_plus(last, 1) if last else None)
    if back_on is None or not _is_sound(start, last, back_on, dates.received_on):
        return None
    return Timeframe(start, back_on, _quoted(words, [*stays, *returns]))


def _next_working_day(dates: _DateResolver, claims: Sequence[DayClaim], last: date) -> DayClaim | None:
    """The claim of a day that nothing explains and that is the first weekday after the last day away: the return.

    There are more ways to say "back" than the vocabulary knows.
    """
    unexplained = (claim for claim in claims if claim.role is DayRole.UNEXPLAINED)
    weekday = next((day for ahead in (1, 2, 3) if (day := _plus(last, ahead)) and day.weekday() < 5), None)
    return next((claim for claim in unexplained if weekday and dates.dated(claim.day) == weekday), None)


class Disagreement(Exception):
    """The note says two things, or one that cannot be read."""


def _agreed(days: Iterable[date | None]) -> date | None:
    """The one day they all are; None when there are none."""
    distinct = set(days)
    if len(distinct) > 1 or (distinct and None in distinct):
        raise Disagreement
    return distinct.pop() if distinct else None


def _last(dates: _DateResolver, days: Sequence[Day]) -> date | None:
    dated = _agreed(dates.dated(day) for day in days if day.is_dated)
    others = [day for day in days if not day.is_dated]
    if dated and all(_is_on(day, dated) for day in others):
        return dated
    return _agreed([*([dated] if dated else []), *(dates.last(day) for day in others)])


def _return(dates: _DateResolver, claims: Sequence[DayClaim], earliest: date) -> date | None:
    """ "Back on Monday" is the Monday after the last day away, or the one that another sentence gives a date."""
    dated = _agreed(_later(dates.dated(claim.day), claim) for claim in claims if claim.day.is_dated)
    others = [claim for claim in claims if not claim.day.is_dated]
    if dated and all(_is_on(claim.day, dated) for claim in others):
        return dated
    return _agreed(
        [*([dated] if dated else []), *(_later(dates.after(claim.day, earliest), claim) for claim in others)]
    )


def _is_on(day: Day, date_: date) -> bool:
    """That what a day without a month says of itself is true of the date."""
    return day.days_ahead is None and day.weekday in (None, date_.weekday()) and day.first in (0, date_.day)


def _later(day: date | None, claim: DayClaim) -> date | None:
    return day and _plus(day, claim.days_later)


def _is_sound(start: date | None, last: date | None, back_on: date, received_on: date) -> bool:
    """Within reach, and in the order start, last day, return (F5)."""
    if not ONE_DAY <= back_on - received_on <= FURTHEST_READ_RETURN:
        return False
    if start and (start >= back_on or (last and start > last)):
        return False
    return last is None or timedelta(0) <= back_on - last <= LONGEST_GAP


def _quoted(words: str, claims: Sequence[DayClaim]) -> str:
    """The claims' own words, on one line; the words between two of them only when that stays short."""
    start, end = min(claim.start for claim in claims), max(claim.end for claim in claims)
    whole = " ".join(words[start:end].split())
    if len(whole) > LONGEST_PHRASE:
        spans = sorted({(claim.start, claim.end) for claim in claims})
        whole = " … ".join(" ".join(words[start:end].split()) for start, end in spans)
    return whole if len(whole) <= LONGEST_PHRASE else whole[: LONGEST_PHRASE - 1].rstrip() + "…"
