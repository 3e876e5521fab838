"""Every figure of a report equals a count by hand over the ledgers, and the list behind it has as many rows (W4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st

from cases.enums import CallOutcome, Channel, Direction, Resolution, Severity, WaitReason
from cases.guards import Refused
from cases.models import Case, Interaction
from cases.workflow import contact_log, handing_on, transitions
from contacts.models import User
from escalations.points.apply import escalate
from escalations.policy.figures import BREAKDOWNS, FIGURES, REPORTS, Unit
from escalations.policy.reporting import Period, Scope, write_rows_of
from escalations.reports.state import LISTED, ReportTable, keys_of, reckon
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk, build_desk, reload
from tests.support.examples import ALL_EXAMPLES, played
from tests.support.report_counts import read_lives, table_differs

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = ("UTC", "Asia/Tokyo", "America/New_York", "Europe/Berlin")


# --- lives ------------------------------------------------------------------------------------------------------

Step = Callable[[Desk, Case, datetime], object]


def _log(channel: Channel, direction: Direction, **more: object) -> Step:
    def step(desk: Desk, case: Case, now: datetime) -> None:
        contact_log.log_contact(
            case.pk, desk.technician, now, channel=channel, direction=direction, body="Word.", **more
        )

    return step


def _undelivered(desk: Desk, case: Case, now: datetime) -> None:
    """The last word to the customer reached nobody."""
    last = case.interactions.filter(direction=Direction.OUT).last()
    if last is not None:
        Interaction.objects.filter(pk=last.pk).update(undelivered_at=now)


def _resent(desk: Desk, case: Case, now: datetime) -> None:
    case.interactions.filter(undelivered_at__isnull=False).update(undelivered_at=None, resent_at=now)


def _withdrawn(desk: Desk, case: Case, now: datetime) -> None:
    last = case.interactions.filter(opened_the_case=False).exclude(direction=Direction.INTERNAL).last()
    if last is not None:
        Interaction.objects.filter(pk=last.pk).update(withdrawn_at=now)


STEPS: dict[str, Step] = {
    "start": lambda desk, case, now: transitions.start_work(case.pk, desk.technician, now),
    "ask": lambda desk, case, now: transitions.ask_customer(
        case.pk, desk.technician, now, question="Which?", reason=WaitReason.INFORMATION
    ),
    "take back": lambda desk, case, now: transitions.take_back(case.pk, desk.technician, now, reason="Found it"),
    "they call": _log(Channel.PHONE, Direction.IN),
    "they write": _log(Channel.EMAIL, Direction.IN),
    "we write": _log(Channel.EMAIL, Direction.OUT),
    "nobody answers": _log(Channel.PHONE, Direction.OUT, outcome=CallOutcome.NO_ANSWER),
    "note": _log(Channel.NOTE, Direction.INTERNAL),
    "resolve": lambda desk, case, now: transitions.resolve(
        case.pk, desk.technician, now, resolution=Resolution.NOT_PURSUED
    ),
    "reopen": lambda desk, case, now: transitions.reopen(case.pk, desk.technician, now, reason="It is back"),
    "raise": lambda desk, case, now: transitions.change_severity(
        case.pk, desk.technician, now, severity=Severity.CRITICAL, reason="Worse"
    ),
    "hand over": lambda desk, case, now: handing_on.hand_over(
        case.pk, desk.technician, now, owner=desk.l3, reason="L3"
    ),
    "bounce": _undelivered,
    "resent": _resent,
    "withdraw": _withdrawn,
    "sweeps": lambda desk, case, now: (escalate(now), keep_promises(now)),
}
#: Often enough for lives that end, and begin again.
NAMES = [*STEPS, "resolve", "resolve", "reopen", "ask", "sweeps", "sweeps"]

lives = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 3), st.sampled_from((0.3, 1.7, 9, 31, 80))),
    min_size=8,
    max_size=40,
)


def live(desk: Desk, steps: Sequence[tuple[str, int, float]]) -> datetime:
    """Four cases of two companies live through these steps (what, which case, after how many hours); when they end."""
    now = NOON
    other = {"company": desk.other_company}
    cases = [
        desk.open_case(now, severity=Severity.HIGH),
        desk.open_case(now + HOUR, channel=Channel.EMAIL),
        desk.open_case(now + 2 * HOUR, severity=Severity.CRITICAL, called_at=now + HOUR, **other),
        desk.open_case(now + 3 * HOUR, severity=Severity.LOW, channel=Channel.PAGE, **other),
    ]
    now += 3 * HOUR
    for name, which, hours in steps:
        now += hours * HOUR + timedelta(seconds=1, microseconds=600_001)
        with suppress(Refused), transaction.atomic():
            STEPS[name](desk, reload(cases[which]), now)
    Case.objects.filter(pk=cases[1].pk).update(owner=None)
    return now


def tables(period: Period, zone: str, user: User) -> list[ReportTable]:
    scope = Scope(period, zone)
    return [reckon(report, scope, by, user) for report in REPORTS for by in BREAKDOWNS]


def lists_differ(table: ReportTable, user: User) -> list[str]:
    """In words, each count whose list has another number of rows."""
    found = []
    for row in [*table.rows, table.total]:
        for column in table.columns:
            is_count = column.unit is Unit.COUNT and column.slug in (*FIGURES, *(f"age_{n}" for n in range(5)))
            if not (is_count or column.point):
                continue
            scope = row.scope.narrowed(point=column.point, age=column.age)
            figure = FIGURES[column.figure]
            keys = keys_of(write_rows_of(figure.slug, scope), figure.ledger, user)
            many = LISTED[figure.ledger][0].objects.visible_to(user).filter(pk__in=keys).count()
            if many != (row.values[column.slug] or 0):
                found.append(
                    f"{table.report.slug} by {table.by}, {row.label}: {column.slug} {row.values[column.slug]}, "
                    f"in its list {many}"
                )
    return found


#: Each example takes seconds; a failing life is shown as it is.
SETTINGS = played(
    25 if ALL_EXAMPLES else 4,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@SETTINGS
@given(steps=lives, zone=st.sampled_from(ZONES), before=st.integers(-3, 40), days=st.sampled_from((1, 5, 31, 60, 400)))
def test_every_figure_is_what_the_ledgers_say(steps, zone, before, days) -> None:
    with transaction.atomic():
        desk = build_desk()
        now = live(desk, steps)
        first = now.date() - timedelta(days=before)
        with time_machine.travel(now, tick=False):
            counted = read_lives()
            for table in tables(Period(first, first + timedelta(days=days - 1)), zone, desk.manager):
                assert table_differs(table, counted, now) == []
                assert lists_differ(table, desk.manager) == []
            for table in tables(Period(first, first + timedelta(days=days - 1)), zone, desk.account_manager):
                if not BREAKDOWNS[table.by].needs_everything:
                    own = [life for life in counted if life.case.company_id == desk.company.pk]
                    assert table_differs(table, own, now) == []  # A1
                    assert lists_differ(table, desk.account_manager) == []
        transaction.set_rollback(True)
