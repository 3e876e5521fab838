"""From tokens to a timeframe: what the note says each day is, and the one reading that all claims agree on (F5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum, StrEnum, auto
from itertools import pairwise

from cases.policy.absence_notes.body import note_body
from cases.policy.absence_notes.tokens import (
    BETWEEN_DAYS,
    HERE,
    JOINS,
    LINKS_OVER_ON,
    PART_ENDS,
    DateOrder,
    Day,
    Token,
    has_or,
    has_tag,
    link_of,
    part_before,
    tokenize,
)
from cases.policy.absence_notes.vocabulary import MONTH_NUMBER, WRITER_WORDS, Tag

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
#: Single days away that lie further apart are two absences.
LONGEST_BETWEEN = timedelta(days=4)
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


class Question(StrEnum):
    """Why the owner is asked for the days: one sentence (F5)."""

    LEFT = "The note says that its writer has left the company."
    TOO_MANY_DAYS = "The note names too many days to be an absence note."
    NO_RETURN = "The note does not say plainly when the absence ends."
    OPEN_DAY = "The note leaves the day open: it names two possible days, or one that is not certain."
    WHICH_WEEK = "The note names a weekday or a day without its month, and it is not plain which one is meant."
    NO_SUCH_DAY = "A day in the note does not exist, falls on another weekday, or its numbers can be read in two ways."
    TWO_WAYS = "The note states a day of the absence in two ways that do not agree."
    WRONG_ORDER = "The first day, the last day and the return in the note do not follow each other."
    OUT_OF_REACH = "The return in the note is not within the next 120 days."


class Unreadable(Exception):
    """The note cannot be read without guessing."""

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        self.question = question


def read_timeframe(text: str, received_on: date, country: str) -> Timeframe | None:
    """The timeframe that the note states, or None if there is none that can be read without guessing (F5).

    `received_on` is the customer's local day on which the note arrived, `country` an ISO 3166 alpha-2 code that
    decides whether 12/11 is in November or in December. Never raises; the return lies 1 to 120 days ahead.
    """
    found = read_or_ask(text, received_on, country)
    return found if isinstance(found, Timeframe) else None


def read_or_ask(text: str, received_on: date, country: str) -> Timeframe | Question:
    """As `read_timeframe`, but with the reason why the owner has to be asked."""
    body = note_body(text)
    tokens = tokenize(body)
    if any(token.tag is Tag.GONE for token in tokens):
        return Question.LEFT
    if sum(token.day is not None for token in tokens) > MOST_DAYS:
        return Question.TOO_MANY_DAYS
    order = _order_of(tokens, received_on, country)
    try:
        return _decide(tokens, _DateResolver(received_on, order, country.upper() in _YEAR_FIRST), body)
    except Unreadable as unreadable:
        return unreadable.question


# From tokens to claims ------------------------------------------------------------------------------------------------


class DayRole(Enum):
    """What a day is in an absence."""

    START = auto()
    LAST = auto()
    RETURN = auto()
    UNEXPLAINED = auto()
    OPEN = auto()  # one of two possible days, or a doubtful one


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
    strength, span = context.strength(), (context.start, context.end)
    if strength is None or (start.is_bare_weekday and not last.is_dated):
        return
    returns_between = link_of(tokens, first) is Tag.BETWEEN and context.has_return_only()
    if (strength and context.is_open()) or _is_choice(tokens, first) or _is_choice(tokens, second) or returns_between:
        yield DayClaim(DayRole.OPEN, last, *span)
        return
    if context.is_morning() or Tag.BACK in context.before:
        return
    # "From today" was true when the note was written, which we do not know: the start stays open.
    if start.is_dated:
        yield DayClaim(DayRole.START, start, *span, strength)
        # "From 3 August to Friday": which Friday? Nothing that can be read, and nothing to pass over.
        last = last if last.is_dated else Day()
    yield DayClaim(DayRole.LAST, last, *span, strength)


def _single_claim(tokens: Sequence[Token], at: int) -> DayClaim | None:
    context, link, day = _Surroundings(tokens, at, at), link_of(tokens, at), tokens[at].day or Day()
    if context.is_of_somebody_else():
        return None
    span, strength = (context.start, context.end), context.strength(link)
    if link is Tag.VAGUE or context.is_open() or _is_choice(tokens, at):
        return DayClaim(DayRole.OPEN, day, *span) if strength or (strength is False and context.is_bare()) else None
    if role := context.role_if_negated(link):
        return DayClaim(role, day, *span)
    if strength is None or (not strength and context.is_negated(link)):
        return None
    if context.is_return(link):
        role = DayRole.OPEN if _is_choice(tokens, at, Tag.AND) else DayRole.RETURN
        return DayClaim(role, day, *span, days_later=1 if link is Tag.AFTER else 0)
    is_last = link is Tag.UNTIL and not context.before & {Tag.BACK, Tag.NOT_BACK} and not context.is_morning()
    if is_last and (strength or day.is_dated):
        return DayClaim(DayRole.LAST, day, *span, strength)
    if not day.is_dated or link not in (Tag.FROM, Tag.ON, None):
        return None
    is_start = link is Tag.FROM and Tag.AWAY in context.before | context.after
    return DayClaim(DayRole.START if is_start else DayRole.UNEXPLAINED, day, *span, strength)


_PASSED_TO_CHOICE = BETWEEN_DAYS | JOINS | LINKS_OVER_ON | {Tag.OR, Tag.DOUBT, Tag.WEEKDAY_SHORT}
_DAYS = frozenset({Tag.DATE, Tag.NUMBER, Tag.AHEAD, Tag.WEEKDAY})


def _is_choice(tokens: Sequence[Token], at: int, join: Tag = Tag.OR) -> bool:
    """ "14 August or 15 August", "the 14th, or maybe Friday": only an "or" lies between the days."""
    for step in (1, -1):
        here = at + step
        while 0 <= here < len(tokens) and tokens[here].tag in _PASSED_TO_CHOICE:
            here += step
        between = tokens[min(at, here) + 1 : max(at, here)]
        if 0 <= here < len(tokens) and tokens[here].tag in _DAYS and (has_or(between) or has_tag(between, join)):
            return True
    return False


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
        #: Its part of the sentence, but not what stands before another day and may belong to that.
        self.part = [*self.part_before, *(() if end < len(tokens) and tokens[end].tag is Tag.DATE else self.part_after)]
        following = tokens[sentence_end + 1 : sentence_end + 6]
        self.is_doubted_next = (
            bool(following) and following[0].tag is Tag.DOUBT and all(token.tag is not Tag.DATE for token in following)
        )
        self.signed_off = any(token.tag is Tag.SIGN_OFF for token in tokens[:first])
        self.start, self.end = tokens[start].start, _end_of(tokens, last, end)

    def is_open(self) -> bool:
        """ "Around the 14th", "the 14th at the earliest", "perhaps on the 14th", "until the 14th. Maybe longer."."""
        near = self.sentence_after[:3]
        if Tag.VAGUE in self.before or any(token.tag is Tag.VAGUE for token in near) or self.is_doubted_next:
            return True
        return any(token.tag is Tag.DOUBT for token in self.sentence)

    def is_bare(self) -> bool:
        """No more than the day and its link: "Until 14 or 15 August"."""
        return not any(token.tag in _CONTENT for token in self.sentence)

    def has_return_only(self) -> bool:
        tags = self.before | self.after
        return bool(tags & {Tag.BACK, Tag.AGAIN, Tag.ANSWERS}) and Tag.AWAY not in tags

    def after_comma(self) -> set[Tag]:
        """ "On Friday, 21 August, I am away": the part after the comma, when only the day stands before it."""
        if any(token.tag in _CONTENT for token in (*self.part_before, *self.part_after)):
            return set()
        following = self.sentence_after[len(self.part_after) + 1 :]
        return {token.tag for token in following[: _part_after(following, -1)]}

    def is_morning(self) -> bool:
        return any(token.tag is Tag.MORNING for token in self.part_after[:3])

    def is_return(self, link: Tag | None) -> bool:
        """That the customer is back on the day the link ties to it."""
        if link in (Tag.UNTIL, Tag.BEFORE, Tag.OF):
            return False
        tags = {token.tag for token in self.part}
        if tags & {Tag.NOT, Tag.NOT_BACK}:
            return False
        if Tag.BACK in tags or self._is_back_again():
            return True
        if link not in (Tag.FROM, Tag.ON, Tag.AFTER):
            return False
        available = Tag.AVAILABLE in tags and not tags & {Tag.AWAY, Tag.LIMITED}
        return Tag.ANSWERS in tags or (link is not Tag.ON and available)

    def _is_back_again(self) -> bool:
        """ "Wieder" for "wieder da", and not for "wieder im Urlaub"."""
        tags = [token.tag for token in self.part]
        return Tag.AGAIN in tags and Tag.AWAY not in tags[tags.index(Tag.AGAIN) :]

    def role_if_negated(self, link: Tag | None) -> DayRole | None:
        """RETURN for "not ... until", "not before" and "only from" that day, whatever the verb.

        LAST where "until" includes the day even then (German, French, Japanese); OPEN where it may be either, or may be
        about something else; None when the part is not negated or speaks of something else.
        """
        tags = {token.tag for token in self.part}
        negations = self._negations(link)
        if not negations or self.signed_off or tags & {Tag.EVENT, Tag.COLLEAGUE}:
            return None
        if tags & {Tag.BACK, Tag.NOT_BACK}:
            return DayRole.RETURN
        if self._is_departure(negations[-1]):
            return DayRole.OPEN
        if not (tags & {Tag.HANDLES, Tag.ANSWERS, Tag.AGAIN} or self._is_of_writer(negations[0])):
            return DayRole.OPEN if self.strength(link) else None
        return self._role_of_not_until(negations) if link is Tag.UNTIL else DayRole.RETURN

    def is_negated(self, link: Tag | None) -> bool:
        return bool(self._negations(link))

    def _negations(self, link: Tag | None) -> list[Token]:
        """The tokens that make the day a "not until", "not before" or "only from"."""
        links = [token for token in self.part if token.tag in (Tag.NOT_BEFORE, Tag.NOT_BEFORE_HERE)]
        if link is Tag.NOT_BEFORE and links:
            # "Que le 14" only says so after a "ne".
            return links if not links[-1].word.startswith("qu") or Tag.NOT in self.before else []
        if Tag.ONLY in self.before and link in (Tag.ON, Tag.FROM, Tag.AFTER, None):
            return [token for token in self.part_before if token.tag is Tag.ONLY]
        if link not in (Tag.UNTIL, Tag.BEFORE):
            return []
        link_word = next((token.word for token in reversed(self.part_before) if token.tag is link), "")
        portuguese = link_word.startswith(("ate", "antes do")) or link_word == "antes de"
        # "Until 14 August I will not answer"; in Japanese the verb always follows.
        leads = not any(token.tag in _CONTENT for token in self.part_before) or has_tag(self.part_after, Tag.UNTIL_HERE)
        return [token for token in (self.part if leads else self.part_before) if _is_negation(token, portuguese)]

    def _is_departure(self, negation: Token) -> bool:
        """ "Not away until", "I do not leave before": the day begins the absence, if anything."""
        after = (token for token in self.part if token.start > negation.start)
        return has_tag(after, Tag.AWAY) or bool(_LEAVES.search(" ".join(token.word for token in self.part)))

    def _is_of_writer(self, negation: Token) -> bool:
        """ "I do not", or no subject at all: "not available until"."""
        first = next((token for token in self.part if token.tag not in _PASSED_AT_START), negation)
        return first.start >= negation.start or _mentions_writer(self.sentence)

    def _role_of_not_until(self, negations: Sequence[Token]) -> DayRole | None:
        until = next((token.word for token in reversed(self.part_before) if token.tag is Tag.UNTIL), "")
        is_phrase = all(token.tag is Tag.AWAY for token in negations)
        if any(_INCLUSIVE.match(token.word) for token in self.part_after[:2]):
            return DayRole.LAST
        if _UNTIL_EXCLUDES.fullmatch(until):
            # "I am on leave with no access until 14 August" says it of the leave.
            before = [token for token in self.part_before if token.start < negations[0].start]
            return None if is_phrase and any(token.tag is Tag.AWAY for token in before) else DayRole.RETURN
        if _UNTIL_MAY_EXCLUDE.fullmatch(until):
            return None if is_phrase and not any(_NOT_IN.match(token.word) for token in negations) else DayRole.OPEN
        return DayRole.LAST if {token.tag for token in self.part} & {Tag.HANDLES, Tag.ANSWERS} else None

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
        words = sum(token.tag in _WORDS for token in self.sentence)
        if Tag.AVAILABLE in tags or Tag.ANSWERS in tags:
            return True if self.is_return(link) else None
        return None if self.signed_off or words > BARE_WORDS else False

    def is_of_somebody_else(self) -> bool:
        """ "My colleague Ann is back on the 3rd", but not "Please contact my colleague until I am back on the 3rd"."""
        if self._names_somebody() and not _mentions_writer(self.sentence) and _mentions_writer(self.note):
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
        return not _mentions_writer(others)

    def _names_somebody(self) -> bool:
        """ "Ann is back on the 3rd", and not "Das Büro ist geschlossen"."""
        before = self.sentence_before
        return any(
            _IS.fullmatch(verb.word) and name.is_capital and name.tag is Tag.WORD and not _ARTICLE.fullmatch(article)
            for article, name, verb in zip(("", *(token.word for token in before)), before, before[1:], strict=False)
        )


_IS = re.compile("is|will|ist|wird|est|sera|esta|estara|sara|torna|rientra|vuelve|regresa|volta|revient")
_ARTICLE = re.compile("the|das|die|der|unser|unsere|our|le|la|les|el|il|lo|o|a|het|de")
_LEAVES = re.compile(
    r"\b(?:wait|leav(?:e|ing)|go(?:ing)? (?:on|away|to leave)|start(?:ing)?|fly|warten|fahren?|(?:ab|ver)?reisen?"
    r"|fliegen?|attendre|pars|partirai|partons|esperar|salgo|me voy|nos vamos|viajo|viajare|me marcho|parto"
    r"|partiro|vado in|andro in|viajarei|partirei|vou de|saio|vertrek|vertrekken|ga op|gaan op|reis|reizen"
    r"|wachten)\b"
)
_INCLUSIVE = re.compile("incl|inkl|einschl|compres|compris|ambos|both|と含")
_UNTIL_EXCLUDES = re.compile("until|till|til|up until|hasta(?: el| el dia)?")
_UNTIL_MAY_EXCLUDE = re.compile("(?:fino|sino|ate)(?: .*)?|tot")
_NOT_IN = re.compile("(?:non|nao) (?:sar|sono|esta|estou)")
#: What was an unknown word before it had a tag of its own, and counts as one.
_WORDS = frozenset({Tag.WORD, Tag.HANDLES, Tag.ONLY, Tag.DOUBT, Tag.NOW, Tag.PERIOD, Tag.FAR, Tag.OR})
_CONTENT = _WORDS - {Tag.DOUBT, Tag.OR, Tag.NOW} | {
    Tag.AWAY,
    Tag.AVAILABLE,
    Tag.BACK,
    Tag.ANSWERS,
    Tag.NOT,
    Tag.CONTACT,
}
_PASSED_AT_START = BETWEEN_DAYS | JOINS | LINKS_OVER_ON | {Tag.DATE, Tag.NOW} - {Tag.NOT_BEFORE}


def _is_negation(token: Token, portuguese: bool) -> bool:
    """ "No" is "on the" in Portuguese; "not available" is one token."""
    if token.tag in (Tag.NOT, Tag.NOT_BACK):
        return True
    if token.word == "no":
        return not portuguese
    return token.tag is Tag.AWAY and token.word.split()[0] in ("not", "no", "non", "nao", "nicht", "niet", "pas")


def _mentions_writer(tokens: Sequence[Token]) -> bool:
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
        if day.unclear:
            return None
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

    def after(self, day: Day, earliest: date) -> date | None:
        """The first such weekday after that date; tomorrow counts from the day the note arrived."""
        if day.days_ahead is not None:
            return _plus(self.received_on, day.days_ahead)
        if day.first:
            coming = (found for ahead in range(1, 32) if (found := _plus(earliest, ahead)) and found.day == day.first)
            return next((found for found in coming if day.weekday in (None, found.weekday())), None)
        if day.weekday is None or day.unclear:
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


def _decide(tokens: Sequence[Token], dates: _DateResolver, body: str) -> Timeframe:
    """The timeframe that all claims agree on. Weak claims count only where there is no strong one of their kind."""
    claims = list(_claims(tokens))
    if any(claim.role is DayRole.OPEN for claim in claims):
        raise Unreadable(Question.OPEN_DAY)
    stays = [claim for claim in claims if claim.role in (DayRole.START, DayRole.LAST)]
    stays = [claim for claim in stays if claim.strong] or stays
    returns = [claim for claim in claims if claim.role is DayRole.RETURN]
    others = _other_times(tokens, dates)
    start = _agreed(dates.dated(claim.day) for claim in stays if claim.role is DayRole.START)
    last = _last([claim.day for claim in stays if claim.role is DayRole.LAST], dates, others)
    if not stays and not any(claim.day.is_dated for claim in returns):
        start, last_seen = others.absence_on_single_days()
    else:
        last_seen = None
    earliest = max(day for day in (dates.received_on, start, last, last_seen) if day)
    if any(claim.strong and claim.role is DayRole.LAST for claim in stays):
        others = replace(others, has_period=False)
    back = _return(returns, dates, earliest, others)
    if last and not back and (found := _next_working_day(dates, claims, last)):
        back, returns = dates.dated(found.day), [found]
    back_on = back or (_plus(last, 1) if last else None)
    if back_on is None:
        raise Unreadable(Question.NO_RETURN)
    _check(start, last, back_on, dates.received_on)
    return Timeframe(start, back_on, _quoted(body, [*stays, *returns]))


@dataclass(frozen=True, slots=True)
class _OtherTimes:
    """The dates and times that the note names anywhere: a weekday without a date may be meant to follow them."""

    away: tuple[date | None, ...]  # single days away: "out on Friday 21 August"
    rest: tuple[date | None, ...]
    names_first_day: bool
    is_away_now: bool
    has_period: bool  # next week, for ten days, in September, after Easter

    def absence_on_single_days(self) -> tuple[date | None, date | None]:
        """The first (None if an earlier one may be named) and the last of them, if they are one absence."""
        days = [day for day in self.away if day]
        if not days or None in self.away or self.is_away_now or max(days) - min(days) > LONGEST_BETWEEN:
            return None, None
        return (min(days) if self.names_first_day else None), max(days)


def _other_times(tokens: Sequence[Token], dates: _DateResolver) -> _OtherTimes:
    end = next((at for at, token in enumerate(tokens) if token.tag is Tag.SIGN_OFF), len(tokens))
    days = [at for at in range(end) if tokens[at].tag is Tag.DATE and (tokens[at].day or Day()).is_dated]
    away: dict[int, date | None] = {}
    rest: list[date | None] = []
    for at in reversed(days):
        context, found = _Surroundings(tokens, at, at), dates.dated(tokens[at].day or Day())
        tags = context.before | context.after | context.after_comma()
        joined = next((True for here in away if _only_and_between(tokens, at, here)), False)
        if joined or (Tag.AWAY in tags and not tags & {Tag.NOT, Tag.EVENT} and not context.is_of_somebody_else()):
            away[at] = found
        elif not (Tag.EVENT in tags or context.is_of_somebody_else()):
            rest.append(found)
    return _OtherTimes(
        tuple(away.values()),
        tuple(rest),
        names_first_day=not any(_follows_number(tokens, at) for at in away),
        is_away_now=any(
            token.tag is Tag.NOW or (token.day and token.day.days_ahead is not None) for token in tokens[:end]
        ),
        has_period=any(token.tag in (Tag.WEEK, Tag.PERIOD) or _is_month(token) for token in tokens[:end]),
    )


def _only_and_between(tokens: Sequence[Token], first: int, second: int) -> bool:
    between = {token.tag for token in tokens[first + 1 : second]}
    return first < second and Tag.AND in between and not between - BETWEEN_DAYS - {Tag.AND}


def _follows_number(tokens: Sequence[Token], at: int) -> bool:
    """ "20, 21 and 22 August": what stands before the day is a day too, whose month is not read."""
    before = next((token for token in reversed(tokens[:at]) if token.tag not in BETWEEN_DAYS | {Tag.AND}), None)
    return before is not None and before.tag is Tag.NUMBER


def _is_month(token: Token) -> bool:
    """A month that is no part of a date; "may", "mars" and the short names are words too."""
    return token.tag is Tag.WORD and token.word in MONTH_NUMBER and len(token.word) > 3 and token.word not in _NO_MONTHS


_NO_MONTHS = frozenset({"mars", "march", "sett", "sept", "genn", "janv", "juil"})


def _undated(day: Day, dates: _DateResolver, earliest: date, others: _OtherTimes) -> date:
    """The first such day after `earliest`, if none of the other days would give another one."""
    found = dates.after(day, earliest)
    if found is None or (others.has_period and day.days_ahead is None):
        raise Unreadable(Question.WHICH_WEEK)
    for other in (*others.away, *others.rest):
        if other is None or (other > earliest and found not in (other, dates.after(day, other))):
            raise Unreadable(Question.WHICH_WEEK)
    return found


def _next_working_day(dates: _DateResolver, claims: Sequence[DayClaim], last: date) -> DayClaim | None:
    """The claim of a day that nothing explains and that is the first weekday after the last day away: the return.

    There are more ways to say "back" than the vocabulary knows.
    """
    unexplained = (claim for claim in claims if claim.role is DayRole.UNEXPLAINED)
    weekday = next((day for ahead in (1, 2, 3) if (day := _plus(last, ahead)) and day.weekday() < 5), None)
    return next((claim for claim in unexplained if weekday and dates.dated(claim.day) == weekday), None)


def _agreed(days: Iterable[date | None]) -> date | None:
    """The one day they all are; None when there are none."""
    distinct = set(days)
    if None in distinct:
        raise Unreadable(Question.NO_SUCH_DAY)
    if len(distinct) > 1:
        raise Unreadable(Question.TWO_WAYS)
    return distinct.pop() if distinct else None


def _last(days: Sequence[Day], dates: _DateResolver, others: _OtherTimes) -> date | None:
    """The last day away. "Until Friday" on a Friday may be today or in a week."""
    dated = _agreed(dates.dated(day) for day in days if day.is_dated)
    undated = [day for day in days if not day.is_dated]
    if dated and all(_is_on(day, dated) for day in undated):
        return dated
    if any(day.is_bare_weekday and day.weekday == dates.received_on.weekday() for day in undated):
        raise Unreadable(Question.WHICH_WEEK)
    found = [_undated(day, dates, dates.received_on, others) for day in undated]
    return _agreed([*([dated] if dated else []), *found])


def _return(claims: Sequence[DayClaim], dates: _DateResolver, earliest: date, others: _OtherTimes) -> date | None:
    """ "Back on Monday" is the Monday after the last day away, or the one that another sentence gives a date."""
    dated = _agreed(_later(dates.dated(claim.day), claim) for claim in claims if claim.day.is_dated)
    undated = [claim for claim in claims if not claim.day.is_dated]
    if dated and all(_is_on(claim.day, dated) for claim in undated):
        return dated
    found = [_later(_undated(claim.day, dates, earliest, others), claim) for claim in undated]
    return _agreed([*([dated] if dated else []), *found])


def _is_on(day: Day, date_: date) -> bool:
    """That what a day without a month says of itself is true of the date."""
    return day.days_ahead is None and day.weekday in (None, date_.weekday()) and day.first in (0, date_.day)


def _later(day: date | None, claim: DayClaim) -> date | None:
    return day and _plus(day, claim.days_later)


def _check(start: date | None, last: date | None, back_on: date, received_on: date) -> None:
    """The return is within reach, and start, last day and return follow each other (F5)."""
    if not ONE_DAY <= back_on - received_on <= FURTHEST_READ_RETURN:
        raise Unreadable(Question.OUT_OF_REACH)
    in_order = start is None or (start < back_on and (last is None or start <= last))
    if not in_order or not (last is None or timedelta(0) <= back_on - last <= LONGEST_GAP):
        raise Unreadable(Question.WRONG_ORDER)


def _quoted(words: str, claims: Sequence[DayClaim]) -> str:
    """The claims' own words, on one line; the words between two of them only when that stays short."""
    start, end = min(claim.start for claim in claims), max(claim.end for claim in claims)
    whole = " ".join(words[start:end].split())
    if len(whole) > LONGEST_PHRASE:
        spans = sorted({(claim.start, claim.end) for claim in claims})
        whole = " … ".join(" ".join(words[start:end].split()) for start, end in spans)
    return whole if len(whole) <= LONGEST_PHRASE else whole[: LONGEST_PHRASE - 1].rstrip() + "…"
