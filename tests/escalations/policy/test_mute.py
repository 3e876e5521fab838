"""What a muted case stops, and how the clocks of its audience count meanwhile (T5, T2): tables and a property."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.mail.messages import MESSAGES, Readers
from escalations.enums import Member
from escalations.policy.cadence import CadenceChange
from escalations.policy.mute import GOES_ON, STOPPED, WANTED_AGAIN, Mute, mutes_of_manager, without_muted
from escalations.policy.sla import Target, targets_of
from escalations.sla.digest import Section

NOON = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
CUSTOMER, MANAGER = Member.CUSTOMER, Member.ACCOUNT_MANAGER


def at(hours: float) -> datetime:
    return NOON + hours * HOUR


def change(hours: float, why: str = "High 2", **every: float) -> CadenceChange:
    return CadenceChange(at(hours), {Member(who): hours * HOUR for who, hours in every.items()}, why)


def shown(changes: list[CadenceChange]) -> list[str]:
    return [f"{(one.at - NOON) / HOUR:g}: {' '.join(sorted(one.owed)) or 'nobody'} ({one.why})" for one in changes]


BOTH = change(0, customer=2, account_manager=4)


@pytest.mark.parametrize(
    ("changes", "mutes", "expected"),
    [
        ([BOTH], [], ["0: account_manager customer (High 2)"]),
        ([BOTH], [(1, None)], ["0: account_manager customer (High 2)", "1: customer (High 2)"]),
        (
            [BOTH],
            [(1, 3)],
            [
                "0: account_manager customer (High 2)",
                "1: customer (High 2)",
                f"3: account_manager customer ({WANTED_AGAIN})",
            ],
        ),
        ([BOTH], [(-2, 1)], ["0: customer (High 2)", f"1: account_manager customer ({WANTED_AGAIN})"]),
        ([BOTH], [(-2, -1)], ["0: account_manager customer (High 2)"]),
        ([change(0, customer=2)], [(1, 3)], ["0: customer (High 2)"]),
        (
            [change(0, customer=2), change(2, "High 3", customer=4, account_manager=4)],
            [(1, 3)],
            ["0: customer (High 2)", "2: customer (High 3)", f"3: account_manager customer ({WANTED_AGAIN})"],
        ),
        (
            [BOTH, change(2, "waits for the customer")],
            [(1, None)],
            ["0: account_manager customer (High 2)", "1: customer (High 2)", "2: nobody (waits for the customer)"],
        ),
    ],
)
def test_a_mute_takes_the_account_manager_out_of_the_audience(  # T5, T2
    changes: list[CadenceChange], mutes: list[tuple[float, float | None]], expected: list[str]
) -> None:
    spans = [Mute(at(since), at(until) if until is not None else None) for since, until in mutes]
    assert shown(without_muted(changes, spans)) == expected


def updates(changes: list[CadenceChange], member: Member) -> list[Target]:
    return targets_of(member, changes, [])


def test_a_promise_ends_with_the_mute_and_begins_anew_after_it() -> None:  # T2, T4
    first, second = updates(without_muted([BOTH], [Mute(at(1), at(30))]), MANAGER)
    assert (first.due_at, first.ended_at, first.ended_by) == (at(4), at(1), None)
    assert (second.since, second.due_at) == (at(30), at(34))
    assert not second.is_missed(at(34))


hours = st.integers(min_value=-5, max_value=50)


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.booleans(), st.booleans()),
        min_size=1,
        max_size=6,
        unique_by=lambda one: one[0],
    ),
    st.lists(st.tuples(hours, hours), max_size=4),
)
def test_nobody_but_the_account_manager_notices_a_mute(  # T5
    life: list[tuple[int, bool, bool]], spans: list[tuple[int, int]]
) -> None:
    changes = [
        change(when, f"point {when}", **({"customer": 2} if customer else {}), **({"account_manager": 4} if am else {}))
        for when, customer, am in sorted(life)
    ]
    mutes = [Mute(at(min(pair)), at(max(pair))) for pair in spans if pair[0] != pair[1]]
    without = without_muted(changes, mutes)

    def whole(targets: list[Target]) -> list[tuple[datetime, datetime, datetime | None]]:
        return [(one.since, one.due_at, one.ended_at) for one in targets]

    assert whole(updates(without, CUSTOMER)) == whole(updates(changes, CUSTOMER))
    for target in updates(without, MANAGER):
        assert not any(mute.covers(target.since) for mute in mutes)


def test_a_mute_of_somebody_else_moves_no_clock() -> None:
    rows = [
        {"user": 1, "since": at(0).isoformat(), "until": None, "by_manager": False},
        {"user": 2, "since": at(1).isoformat(), "until": at(2).isoformat(), "by_manager": True},
    ]
    assert mutes_of_manager(rows) == [Mute(at(1), at(2))]


def test_the_table_of_what_a_mute_stops_names_messages_to_staff() -> None:  # T5
    parts = {f"staff_lines:{section}" for section in Section}
    to_staff = {name for name, message in MESSAGES.items() if message.to is Readers.STAFF}
    assert to_staff | parts >= STOPPED | GOES_ON
    assert not STOPPED & GOES_ON
    assert {
        "staff_lines:update",
        "staff_lines:turn",
        "status_by_person_to_staff",
        "status_answer",
    } == STOPPED
