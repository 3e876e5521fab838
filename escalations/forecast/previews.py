"""What a preview says of promises and escalations: who reads it in a digest, and what comes next (T2, T5, E1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from cases.previews import CarriedOut, PreviewPart, PreviewRecipient, preview_source
from contacts.wording import and_list, at_moment, duration, moment_formatter
from escalations.clocks import CaseClock
from escalations.enums import TurnKind
from escalations.forecast.simulate import Event, Kind, forecast_of
from escalations.models import DigestLine
from escalations.sla.digest import Section
from escalations.sla.state import load_sla_state

#: Of each of these the first is shown; the rest is in the panel of the case.
NEXT = (Kind.UPDATE, Kind.POINT, Kind.PASSED_ON)
_TURNS = {
    TurnKind.WAITING: "waiting for the customer",
    TurnKind.RESOLVED: "resolved",
    TurnKind.REOPENED: "reopened",
}
_GISTS = {
    Section.REMINDER: "a reminder of what is owed",
    Section.RESPONSE: "the missed first response",
    Section.SILENCE: "that nobody has spoken for too long",
    Section.QUESTION: "the unanswered question for the status",
    Section.WORD: "the customer's word that nobody has handled",
    Section.UPDATE: "a status update",
}


@preview_source(30, DigestLine)
def staff_lines(seen: CarriedOut) -> PreviewPart:
    """Who of the staff reads a line about it in the mail that covers all their cases (T3)."""
    return PreviewPart([_recipient(line) for line in seen.new(DigestLine)])


def _recipient(line: DigestLine) -> PreviewRecipient:
    is_later = line.send_by is not None and line.send_by > line.written_at
    return PreviewRecipient(line.to_name, line.to_address, _what(line), line.meant_for, is_later=is_later)


def _what(line: DigestLine) -> str:
    if line.section == Section.TURN:
        return f"word that it is {_TURNS[TurnKind(line.facts['turn'])]}"
    return _GISTS[Section(line.section)]


@preview_source(40)
def what_comes_next(seen: CarriedOut) -> PreviewPart:
    """The next update with all intervals, the next point and the next step of a request, in the reader's zone."""
    state = load_sla_state(seen.case)
    awaited = {Kind.UPDATE} if state.clock.upcoming(seen.now) is None else {Kind.UPDATE, Kind.POINT}
    forecast = forecast_of(
        seen.case, seen.now, state, lambda events: awaited <= {event.kind for event in events if event.at > seen.now}
    )
    events = [event for event in forecast.events if event.at > seen.now]
    firsts = [next((event for event in events if event.kind == kind), None) for kind in NEXT]
    show = moment_formatter(seen.now, timezone.get_current_timezone())
    then = []
    for event in filter(None, firsts):
        at = at_moment(event.at, show)
        if event.kind == Kind.UPDATE:
            sentence = f"Updates: {_intervals(state.clock, seen.now)}; the next {at} if nobody gives one before"
        elif event.kind == Kind.POINT:
            sentence = _point(event, events, at)
        else:
            sentence = f"{event.what} {at} if nobody decides before"
        then.append((event.at, sentence))
    return PreviewPart(then=then)


def _intervals(clock: CaseClock, now: datetime) -> str:
    """“customer and CS Management every 2 h, account manager every 24 h”."""
    by_interval: dict[timedelta, list[str]] = {}
    for audience, every in clock.cadence(now)[0].items():
        by_interval.setdefault(every, []).append(audience.in_sentence)
    return ", ".join(f"{and_list(names)} every {duration(every)}" for every, names in by_interval.items())


def _point(event: Event, events: Iterable[Event], at: str) -> str:
    """“High 2 is reached at 20:46: emails Ann Lee; ownership goes from Tina Berg to Fiona Byrne”."""
    names = and_list(dict.fromkeys(person.name for person in event.people))
    transfers = [one.what for one in events if one.kind == Kind.OWNER and one.at == event.at]
    effects = [*([f"emails {names}"] if names else []), *(f"{one[0].lower()}{one[1:]}" for one in transfers)]
    return f"{event.what} {at}{': ' if effects else ''}{'; '.join(effects)}"
