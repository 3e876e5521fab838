"""An independent simulator of the desk, minute by minute, written from the rules alone (E1-E4, F2).

It knows the published tables by heart, reads the CSV by itself and walks each incident through time: first what
happens in a minute, then what is due in it. It is slow and simple on purpose; the clock is compared with it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

HOUR, DAY = 60, 24 * 60
#: E1, minutes unresolved.
POINTS = {
    "critical": {1: 4 * HOUR, 2: 12 * HOUR, 3: 24 * HOUR},
    "high": {1: 12 * HOUR, 2: 36 * HOUR, 3: 48 * HOUR},
    "medium": {1: 2 * DAY, 2: 6 * DAY, 3: 15 * DAY},
    "low": {},
}
#: F2, minutes of waiting.
STEPS = {"notice-1": 48 * HOUR, "notice-2": 4 * DAY, "final": 6 * DAY, "resolve": 7 * DAY}
SEVERITIES = {"1": "critical", "2": "high", "3": "medium", "4": "low"}
STATES = {
    "New": "open",
    "Active": "open",
    "Awaiting Problem": "open",
    "Awaiting Vendor": "open",
    "Awaiting Evidence": "open",
    "Awaiting User Info": "waiting",
    "Resolved": "resolved",
    "Closed": "resolved",
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Event = tuple[int, str | None, str]  # minute, state (None: as it was), severity
Line = tuple[str, str, int, str, str, str]  # case, kind, run, severity, step, due_at


def minute_of(text: str) -> int:
    """“29/2/2016 01:16” as minutes since 1970, UTC."""
    moment = datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=UTC)
    return int((moment - EPOCH).total_seconds()) // 60


def read(lines: Iterable[str]) -> tuple[dict[str, list[Event]], int]:
    """The events of each incident in order, and the minute at which the log ends."""
    rows: dict[str, list[tuple[int, dict[str, str]]]] = {}
    end = 0
    for row in csv.DictReader(lines):
        updated = minute_of(row["sys_updated_at"])
        rows.setdefault(row["number"], []).append((updated, row))
        end = max(end, updated)
    events: dict[str, list[Event]] = {}
    for number, its_rows in rows.items():
        its_rows.sort(key=lambda pair: pair[0])
        opened = minute_of(its_rows[0][1]["opened_at"])
        events[number] = [
            (
                opened if index == 0 else max(opened, updated),
                STATES.get(row["incident_state"]) or ("open" if index == 0 else None),
                SEVERITIES[row["priority"][0]],
            )
            for index, (updated, row) in enumerate(its_rows)
        ]
    return events, end


def simulate(case: str, events: list[Event], end: int) -> Iterator[Line]:
    """Everything that comes due on one incident up to and including the minute `end`."""
    state, severity, run, worked = "", "", 1, 0
    done: set[tuple[str, int]] = set()
    episode, wait_started, steps_done = 0, 0, set()
    resolved_at: int | None = None
    upcoming = list(events)
    now = upcoming[0][0]
    while now <= end:
        while upcoming and upcoming[0][0] <= now:  # what happens in this minute comes first
            _, new_state, severity = upcoming.pop(0)
            new_state = new_state or state
            if state == "resolved" and new_state != "resolved":
                assert resolved_at is not None
                if now - resolved_at > DAY:  # did not come back within a day: a new run from zero
                    run, worked, done = run + 1, 0, set()
            if new_state == "resolved" and state != "resolved":
                resolved_at = now
            if new_state == "waiting" and state != "waiting":
                episode, wait_started, steps_done = episode + 1, now, set()
            state = new_state
        if state == "open":
            for number, after in POINTS[severity].items():
                if worked >= after and (severity, number) not in done:
                    done.add((severity, number))
                    yield case, "escalation", run, severity, str(number), _said(now)
        if state == "waiting":
            for step, after in STEPS.items():
                if now - wait_started >= after and step not in steps_done:
                    steps_done.add(step)
                    yield case, "pending", episode, "", step, _said(now)
        nothing_left = (
            state == "resolved"
            or (state == "open" and all((severity, number) in done for number in POINTS[severity]))
            or (state == "waiting" and len(steps_done) == len(STEPS))
        )
        if nothing_left and not upcoming:
            return
        minutes = upcoming[0][0] - now if nothing_left else 1
        if state == "open":
            worked += minutes
        now += minutes


def _said(minute: int) -> str:
    return (EPOCH + timedelta(minutes=minute)).isoformat()
