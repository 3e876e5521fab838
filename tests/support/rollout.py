"""Further versions of the schedule, and moving cases to them (E10)."""

from __future__ import annotations

from datetime import datetime

from escalations.models import ClockRule, SchedulePoint, ScheduleVersion
from escalations.schedule.rollout import Rehearsal, Selection, rehearse, roll_out, select_cases
from escalations.schedule.versions import draft_next_version, put_in_force
from tests.support.builders import Desk


def next_version(desk: Desk, at: datetime, **changed: dict[str, object]) -> ScheduleVersion:
    """A version in force from `at` on: `high_1={"after": …}` changes a point, `high={…}` a severity as a whole."""
    draft = draft_next_version(desk.manager)
    for name, fields in changed.items():
        severity, _, number = name.partition("_")
        if number:
            SchedulePoint.objects.update_or_create(
                version=draft, severity=severity, number=int(number), defaults=fields
            )
        else:
            ClockRule.objects.filter(version=draft, severity=severity).update(**fields)
    return put_in_force(draft.pk, desk.manager, at, reason="The new contract")


def moves_all(desk: Desk, version: ScheduleVersion, now: datetime, **options: bool) -> Rehearsal:
    """Rehearse every open case and move what was shown."""
    rehearsal = rehearse(select_cases(version, Selection()), version, now)
    roll_out(rehearsal.signed, version.pk, desk.manager, now, reason="The new contract", **options)
    return rehearsal
