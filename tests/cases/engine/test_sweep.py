"""The machinery that every sweep shares (S1, S2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from cases.engine.sweep import CLAIMED_AT_MOST, RETRY_AFTER, Sweep, run
from cases.models import Case, FailedCase
from tests.support.builders import NOON, build_desk


@pytest.mark.django_db
def test_a_case_that_stays_due_however_often_it_is_worked_ends_set_aside_and_not_the_sweep_endless() -> None:  # S2
    desk = build_desk()
    case = desk.open_case()
    worked: list[int] = []

    def step_that_forgets_the_next_moment(cases: Sequence[Case], now: datetime) -> int:
        worked.extend(one.pk for one in cases)
        return len(cases)

    sweep = Sweep(
        "forgetful", Case.objects.due_for_escalation, "escalation_check_at", step_that_forgets_the_next_moment
    )
    swept = run(sweep, NOON)
    assert worked == [case.pk] * CLAIMED_AT_MOST
    assert swept.set_aside == [case.pk]
    assert "still due" in FailedCase.objects.get(case=case, sweep="forgetful").error
    assert Case.objects.get().escalation_check_at == NOON + RETRY_AFTER
