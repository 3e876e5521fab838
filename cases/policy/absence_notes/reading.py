"""From claims to the timeframe: the one reading that all claims agree on, or why the owner is asked (F5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from cases.policy.absence_notes.body import note_body
from cases.policy.absence_notes.claims import DayClaim, claims_of
from cases.policy.absence_notes.context import Context, DayRole, Note
from cases.policy.absence_notes.dates import FURTHEST_READ_RETURN, ONE_DAY, YEAR_FIRST, DateResolver, order_of, plus
from cases.policy.absence_notes.tokens import BETWEEN_DAYS, Day, Token, tokenize
from cases.policy.absence_notes.vocabulary import MONTH_NUMBER, Tag

LONGEST_PHRASE = 160
#: A text that names more days than this is a calendar or a history, and would take long to read.
MOST_DAYS = 40
#: "Away until the 12th" and "back on the 30th" are no single absence; a weekend or Christmas may lie between.
LONGEST_GAP = timedelta(days=14)
#: Single days away that lie further apart are two absences; a weekend and a holiday lie between at most.
LONGEST_BETWEEN = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class Timeframe:
    """Local days of the customer: the first day away (None if the note does not say) and the first day back (F5).

    `phrase` is the part of the note that says so, for whoever checks it: one line of at most 160 characters.
    """

    away_from: date | None
    back_on: date
    phrase: str


class UnreadReason(StrEnum):
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

    def __init__(self, reason: UnreadReason) -> None:
        super().__init__(reason)
        self.reason = reason


def read_timeframe(text: str, received_on: date, country: str) -> Timeframe | None:
    """The timeframe that the note states, or None if there is none that can be read without guessing (F5).

    `received_on` is the customer's local day on which the note arrived, `country` an ISO 3166 alpha-2 code that
    decides whether 12/11 is in November or in December. Never raises; the return lies 1 to 120 days ahead.
    """
    found = read_or_ask(text, received_on, country)
    return found if isinstance(found, Timeframe) else None


def read_or_ask(text: str, received_on: date, country: str) -> Timeframe | UnreadReason:
    """As `read_timeframe`, but with the reason why the owner has to be asked."""
    body = note_body(text)
    tokens = tokenize(body)
    if any(token.tag is Tag.GONE for token in tokens):
        return UnreadReason.LEFT
    if sum(token.day is not None for token in tokens) > MOST_DAYS:
        return UnreadReason.TOO_MANY_DAYS
    order = order_of(tokens, received_on, country)
    try:
        return _decide(Note.of(tokens), DateResolver(received_on, order, country.upper() in YEAR_FIRST), body)
    except Unreadable as unreadable:
        return unreadable.reason


def _decide(note: Note, dates: DateResolver, body: str) -> Timeframe:
    """The timeframe that all claims agree on. Weak claims count only where there is no strong one of their kind."""
    claims = list(claims_of(note))
    if any(claim.role is DayRole.OPEN for claim in claims):
        raise Unreadable(UnreadReason.OPEN_DAY)
    stays = [claim for claim in claims if claim.role in (DayRole.START, DayRole.LAST)]
    stays = [claim for claim in stays if claim.strong] or stays
    returns = [claim for claim in claims if claim.role is DayRole.RETURN]
    others = _other_times(note, dates, [claim for claim in returns if not claim.day.is_dated])
    start = _agreed(dates.dated(claim.day) for claim in stays if claim.role is DayRole.START)
    last = _last([claim.day for claim in stays if claim.role is DayRole.LAST], dates, others)
    last_known = last or start
    if not stays and returns and not any(claim.day.is_dated for claim in returns):
        start, last_known, stays = others.absence_on_single_days()
    earliest = max(dates.received_on, last_known) if last_known else dates.received_on
    if any(claim.strong and claim.role is DayRole.LAST for claim in stays):
        others = replace(others, has_period=False)  # "away for two weeks until the 14th, back on Monday"
    back = _return(returns, dates, earliest, others)
    if last and not back and (found := _next_working_day(dates, claims, last)):
        back, returns = dates.dated(found.day), [found]
    back_on = back or (plus(last, 1) if last else None)
    if back_on is None:
        raise Unreadable(UnreadReason.NO_RETURN)
    if last and back_on - last > LONGEST_BETWEEN and any(claim.inferred for claim in returns):
        raise Unreadable(UnreadReason.TWO_WAYS)  # "away until the 14th. I cannot confirm the order before the 25th."
    _check(start, last, back_on, dates.received_on)
    return Timeframe(start, back_on, _quoted(body, [*stays, *returns]))


@dataclass(frozen=True, slots=True)
class _OtherTimes:
    """The dates and times that the note names anywhere: a weekday without a date may be meant to follow them."""

    away: tuple[date | None, ...]  # single days away: "out on Friday 21 August"
    claims: tuple[DayClaim, ...]  # of those days
    rest: tuple[date | None, ...]
    names_first_day: bool
    is_one_absence: bool  # that the undated return ends, with nothing about another one
    has_period: bool  # next week, for ten days, in September, after Easter

    def absence_on_single_days(self) -> tuple[date | None, date | None, list[DayClaim]]:
        """The first (None if an earlier one may be named) and the last of them, if they are one absence."""
        days = [day for day in self.away if day]
        if not days or None in self.away or not self.is_one_absence or max(days) - min(days) > LONGEST_BETWEEN:
            return None, None, []
        return (min(days) if self.names_first_day else None), max(days), list(self.claims)


def _other_times(note: Note, dates: DateResolver, undated: Sequence[DayClaim]) -> _OtherTimes:
    tokens, end = note.tokens, note.sign_off
    days = [at for at in range(end) if tokens[at].tag is Tag.DATE and (tokens[at].day or Day()).is_dated]
    away: dict[int, date | None] = {}
    claims: list[DayClaim] = []
    rest: list[date | None] = []
    for at in reversed(days):
        context, found = Context(note, at, at), dates.dated(tokens[at].day or Day())
        tags = context.before | context.after | context.after_comma()
        joined = next((True for here in away if _only_and_between(tokens, at, here)), False)
        if joined or (Tag.AWAY in tags and not tags & {Tag.NOT, Tag.EVENT} and not context.is_of_somebody_else()):
            away[at] = found
            claims.append(DayClaim(DayRole.START, tokens[at].day or Day(), context.start, context.end))
        elif not (Tag.EVENT in tags or context.is_of_somebody_else()):
            rest.append(found)
    return _OtherTimes(
        tuple(away.values()),
        tuple(claims),
        tuple(rest),
        names_first_day=not any(_follows_number(tokens, at) for at in away),
        is_one_absence=not any(token.tag is Tag.NOW or _is_another_day(token, undated) for token in tokens[:end])
        and all(tokens[at].start < claim.end for at in away for claim in undated),
        has_period=any(token.tag in (Tag.WEEK, Tag.PERIOD) or _is_period(token) for token in tokens[:end]),
    )


def _is_another_day(token: Token, undated: Sequence[DayClaim]) -> bool:
    """A weekday or "today" that is not the return."""
    is_undated = token.tag is Tag.DATE and token.day is not None and not token.day.is_dated
    return is_undated and not any(claim.start <= token.start < claim.end for claim in undated)


def _only_and_between(tokens: Sequence[Token], first: int, second: int) -> bool:
    between = {token.tag for token in tokens[first + 1 : second]}
    return first < second and Tag.AND in between and not between - BETWEEN_DAYS - {Tag.AND}


def _follows_number(tokens: Sequence[Token], at: int) -> bool:
    """ "20, 21 and 22 August": what stands before the day is a day too, whose month is not read."""
    before = next((token for token in reversed(tokens[:at]) if token.tag not in BETWEEN_DAYS | {Tag.AND}), None)
    return before is not None and before.tag is Tag.NUMBER


def _is_period(token: Token) -> bool:
    """A month that is no part of a date ("may", "mars" and the short names are words too), or "Monatsende"."""
    is_month = token.word in MONTH_NUMBER and len(token.word) > 3 and token.word not in _NO_MONTHS
    return token.tag is Tag.WORD and (is_month or bool(_COMPOUND_PERIOD.fullmatch(token.word)))


_NO_MONTHS = frozenset({"mars", "march", "sett", "sept", "genn", "janv", "juil"})
_COMPOUND_PERIOD = re.compile(r"\w+(?:wochen?|monate?|ferien|vakantie)|(?:monat|jahr|quartal)e?s(?:ende|anfang|mitte)")


def _undated(day: Day, dates: DateResolver, earliest: date, others: _OtherTimes) -> date:
    """The first such day after `earliest`, if none of the other days would give another one."""
    found = dates.after(day, earliest)
    if found is None or (others.has_period and day.days_ahead is None):
        raise Unreadable(UnreadReason.WHICH_WEEK)
    for other in (*others.away, *others.rest):
        if other is None or (other > earliest and found not in (other, dates.after(day, other))):
            raise Unreadable(UnreadReason.WHICH_WEEK)
    return found


def _next_working_day(dates: DateResolver, claims: Sequence[DayClaim], last: date) -> DayClaim | None:
    """The claim of a day that nothing explains and that is the first weekday after the last day away: the return.

    There are more ways to say "back" than the vocabulary knows.
    """
    unexplained = (claim for claim in claims if claim.role is DayRole.UNEXPLAINED)
    weekday = next((day for ahead in (1, 2, 3) if (day := plus(last, ahead)) and day.weekday() < 5), None)
    return next((claim for claim in unexplained if weekday and dates.dated(claim.day) == weekday), None)


def _agreed(days: Iterable[date | None]) -> date | None:
    """The one day they all are; None when there are none."""
    distinct = set(days)
    if None in distinct:
        raise Unreadable(UnreadReason.NO_SUCH_DAY)
    if len(distinct) > 1:
        raise Unreadable(UnreadReason.TWO_WAYS)
    return distinct.pop() if distinct else None


def _last(days: Sequence[Day], dates: DateResolver, others: _OtherTimes) -> date | None:
    """The last day away. "Until Friday" on a Friday may be today or in a week."""
    dated = _agreed(dates.dated(day) for day in days if day.is_dated)
    undated = [day for day in days if not day.is_dated]
    if dated and all(_is_on(day, dated) for day in undated):
        return dated
    if any(day.is_bare_weekday and day.weekday == dates.received_on.weekday() for day in undated):
        raise Unreadable(UnreadReason.WHICH_WEEK)
    found = [_undated(day, dates, dates.received_on, others) for day in undated]
    return _agreed([*([dated] if dated else []), *found])


def _return(claims: Sequence[DayClaim], dates: DateResolver, earliest: date, others: _OtherTimes) -> date | None:
    """ "Back on Monday" is the Monday after the last day away, or the one that another sentence gives a date."""
    dated = _agreed(_later(dates.dated(claim.day), claim) for claim in claims if claim.day.is_dated)
    undated = [claim for claim in claims if not claim.day.is_dated]
    if dated and all(_is_on(claim.day, dated) for claim in undated):
        return dated
    found = [_later(_undated(claim.day, dates, earliest, others), claim) for claim in undated]
    return _agreed([*([dated] if dated else []), *found])


def _is_on(day: Day, date_: date) -> bool:
    """Whether a day without a month can be that date: its number and weekday fit."""
    return day.days_ahead is None and day.weekday in (None, date_.weekday()) and day.first in (0, date_.day)


def _later(day: date | None, claim: DayClaim) -> date | None:
    return day and plus(day, claim.days_later)


def _check(start: date | None, last: date | None, back_on: date, received_on: date) -> None:
    """The return is within reach, and start, last day and return follow each other (F5)."""
    if not ONE_DAY <= back_on - received_on <= FURTHEST_READ_RETURN:
        raise Unreadable(UnreadReason.OUT_OF_REACH)
    in_order = start is None or (start < back_on and (last is None or start <= last))
    if not in_order or not (last is None or timedelta(0) <= back_on - last <= LONGEST_GAP):
        raise Unreadable(UnreadReason.WRONG_ORDER)


def _quoted(body: str, claims: Sequence[DayClaim]) -> str:
    """The text of the claims on one line; what stands between two of them only when that stays short."""
    start, end = min(claim.start for claim in claims), max(claim.end for claim in claims)
    whole = " ".join(body[start:end].split())
    if len(whole) > LONGEST_PHRASE:
        spans = sorted({(claim.start, claim.end) for claim in claims})
        whole = " … ".join(" ".join(body[start:end].split()) for start, end in spans)
    return whole if len(whole) <= LONGEST_PHRASE else whole[: LONGEST_PHRASE - 1].rstrip() + "…"
