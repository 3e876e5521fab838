"""When a chat ends that nobody ends (P6). No database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.enums import QueueEnding, QueueState
from cases.policy.queue.chats import ANSWERED_WITHIN, GONE_AFTER, ChatNow, ending_of, over
from tests.support.builders import NOON

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
WAITING, OFFERED, TALKING, _ = QueueState
MESSAGE, SPOKEN = QueueEnding.MESSAGE, QueueEnding.SPOKEN

waits = ChatNow(WAITING, NOON, NOON, NOON)
taken = ChatNow(TALKING, NOON, NOON + MINUTE, NOON, taken_at=NOON + MINUTE)
answered = replace(taken, answered_at=NOON + 2 * MINUTE, last_line_at=NOON + 2 * MINUTE)


@pytest.mark.parametrize(
    ("chat", "after", "somebody_works", "ending"),
    [
        (waits, 2 * MINUTE - SECOND, True, None),
        (waits, 2 * MINUTE, True, MESSAGE),
        (waits, SECOND, False, MESSAGE),
        (replace(waits, state=OFFERED), 2 * MINUTE, True, None),  # the answer to the offer is seconds away
        (taken, 4 * MINUTE - SECOND, True, None),
        (taken, 4 * MINUTE, True, MESSAGE),  # seen last after one minute, and nobody has written
        (replace(taken, seen_at=NOON + 6 * MINUTE), 6 * MINUTE - SECOND, True, None),
        (replace(taken, seen_at=NOON + 6 * MINUTE), 6 * MINUTE, True, MESSAGE),  # taken five minutes ago, and no word
        (answered, 4 * MINUTE - SECOND, True, None),
        (answered, 4 * MINUTE, True, SPOKEN),  # the customer has left
        (replace(answered, seen_at=NOON + 21 * MINUTE), 22 * MINUTE - SECOND, True, None),
        (replace(answered, seen_at=NOON + 21 * MINUTE), 22 * MINUTE, True, SPOKEN),  # both are silent
        (replace(answered, seen_at=NOON + 10 * MINUTE), 11 * MINUTE, False, None),  # who chats went off duty
    ],
)
def test_how_a_chat_ends_by_itself(chat, after, somebody_works, ending) -> None:  # P6
    now = NOON + after
    expected = over(chat.answered_at) if ending is not None and chat.state == TALKING else ending
    assert ending_of(chat, now, somebody_works=somebody_works) == ending == expected


def test_what_nobody_has_answered_stays_a_message() -> None:  # P6
    assert over(None) == MESSAGE
    assert over(NOON) == SPOKEN


@given(
    state=st.sampled_from([WAITING, TALKING]),
    seen=st.integers(0, 1200),
    said=st.integers(0, 1200),
    is_answered=st.booleans(),
    works=st.booleans(),
    after=st.integers(0, 4000),
)
def test_every_chat_ends_in_the_end_and_stays_ended(state, seen, said, is_answered, works, after) -> None:  # P6, S1
    talks = state == TALKING
    chat = ChatNow(
        state, NOON, NOON + seen * SECOND, NOON + said * SECOND,
        taken_at=NOON if talks else None, answered_at=NOON if talks and is_answered else None,
    )  # fmt: skip
    now = NOON + after * SECOND
    ending = ending_of(chat, now, somebody_works=works)
    if ending is not None:
        assert ending_of(chat, now + MINUTE, somebody_works=works) == ending
    last = max(chat.seen_at + GONE_AFTER, NOON + ANSWERED_WITHIN)
    assert ending_of(chat, last, somebody_works=works) is not None
