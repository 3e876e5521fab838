"""What the note claims each of its days to be: the first or last day away, the return (F5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cases.policy.absence_notes.context import Context, DayRole, Note
from cases.policy.absence_notes.tokens import (
    BETWEEN_DAYS,
    JOINS,
    LINKS_OVER_ON,
    Day,
    Token,
    has_or,
    has_tag,
    link_of,
)
from cases.policy.absence_notes.vocabulary import Tag


@dataclass(frozen=True, slots=True)
class DayClaim:
    """The role of a day. A weak claim stands in a sentence that does not name an absence or a return."""

    role: DayRole
    day: Day
    start: int
    end: int
    strong: bool = True
    days_later: int = 0
    inferred: bool = False  # from what is not done before it


def claims_of(note: Note) -> Iterator[DayClaim]:
    """The role of each day of the note that has one in an absence."""
    tokens = note.tokens
    days = [at for at, token in enumerate(tokens) if token.tag is Tag.DATE]
    in_range: set[int] = set()
    for first, second in pairwise(days):
        if first not in in_range and _is_range(tokens, first, second):
            in_range |= {first, second}
            yield from _range_claims(note, first, second)
    for at in days:
        if at not in in_range and (claim := _single_claim(note, at)):
            yield claim


def _is_range(tokens: Sequence[Token], first: int, second: int) -> bool:
    """ "From A to B", "A - B", "between A and B", AからBまで, with nothing of substance between the two days."""
    between = {token.tag for token in tokens[first + 1 : second]}
    if between - BETWEEN_DAYS - JOINS - {Tag.WEEKDAY_SHORT} or link_of(tokens, first) is Tag.UNTIL:
        return False
    if link_of(tokens, first) is Tag.BETWEEN:
        return Tag.AND in between
    return link_of(tokens, second) in (Tag.UNTIL, Tag.TO, Tag.DASH)


def _range_claims(note: Note, first: int, second: int) -> Iterator[DayClaim]:
    """The start and the last day. Days of the week alone ("Monday to Friday") are office hours, and claim nothing."""
    context, tokens = Context(note, first, second), note.tokens
    start, last = tokens[first].day or Day(), tokens[second].day or Day()
    strength, span = context.strength(), (context.start, context.end)
    if strength is None or (start.is_bare_weekday and not last.is_dated):
        return
    is_between = link_of(tokens, first) is Tag.BETWEEN or Tag.BACK not in context.before
    returns_between = is_between and context.has_return_only()
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


def _single_claim(note: Note, at: int) -> DayClaim | None:
    context, tokens = Context(note, at, at), note.tokens
    link, day = link_of(tokens, at), tokens[at].day or Day()
    if context.is_of_somebody_else():
        return None
    span, strength, days_later = (context.start, context.end), context.strength(link), int(link is Tag.AFTER)
    if link is Tag.VAGUE or context.is_open() or _is_choice(tokens, at):
        return DayClaim(DayRole.OPEN, day, *span) if strength or (strength is False and context.is_bare()) else None
    if role := context.role_if_negated(link):
        return DayClaim(role, day, *span, days_later=days_later, inferred=not context.names_work())
    if strength is None or (not strength and context.is_negated(link)):
        return None
    if context.is_return(link):
        is_open = context.is_maybe_away_again() or _is_choice(tokens, at, Tag.AND)
        role = DayRole.OPEN if is_open else DayRole.RETURN
        return DayClaim(role, day, *span, days_later=days_later)
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
