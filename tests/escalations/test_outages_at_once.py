"""Several workers come back from one outage at the same instant: it is noted once and reported once (S3, E6)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cases.engine.outages import run_watched
from cases.enums import Severity
from cases.followup import apply as follow_ups
from cases.models import Mail, Outage
from escalations.models import Escalation
from escalations.points import apply as dispatch
from tests.support.builders import NOON, build_desk
from tests.support.workers import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

HOUR = timedelta(hours=1)
CASES = 40


@pytest.mark.parametrize("outage", range(1, 6))
def test_workers_that_come_back_together_note_one_outage_and_send_one_report(settings, outage: int) -> None:
    settings.DESK_BATCH = 7
    desk = build_desk()
    for number in range(CASES):
        desk.open_case(NOON + timedelta(seconds=number), severity=Severity.CRITICAL)
    for sweep in (dispatch.SWEEP, follow_ups.SWEEP):
        run_watched(sweep, lambda: NOON + HOUR)
    end = NOON + (outage + 4) * HOUR

    def back(sweep, offset):
        return lambda: run_watched(sweep, lambda: end + timedelta(milliseconds=offset))

    at_once(*(back(sweep, offset) for offset in (0, 3) for sweep in (dispatch.SWEEP, follow_ups.SWEEP)))
    noted = Outage.objects.order_by("sweep").values_list("sweep", "began_at")
    assert list(noted) == [("escalate", NOON + HOUR), ("follow-up", NOON + HOUR)]
    assert Escalation.objects.count() == CASES
    # whatever the order in which they ended, the next look finds nothing to add
    run_watched(dispatch.SWEEP, lambda: end + timedelta(minutes=1))
    assert not Outage.objects.filter(told_at=None).exists()
    (mail,) = Mail.objects.filter(template="recovery_report")
    assert mail.facts["sentence"] == f"{CASES} obligations came due: {CASES} were done late."
