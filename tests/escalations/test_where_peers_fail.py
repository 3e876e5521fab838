"""What breaks other help desks and paging tools, played on ours: each test is named for the failure it rules out."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest

from cases.bulk import insert
from cases.engine.history import write_history
from cases.engine.sweep import Swept
from cases.enums import Channel, Resolution, Severity, WaitReason
from cases.models import Case, FailedCase, Mail
from cases.workflow import transitions
from contacts.enums import Role
from contacts.models import RoleHolder
from escalations.models import Escalation
from escalations.points.apply import escalate
from tests.support.builders import NOON, Desk
from tests.support.schedule_table import E1

pytestmark = pytest.mark.django_db

C, H, M, L = Severity
HOUR = timedelta(hours=1)


def at(hours: float) -> datetime:
    return NOON + hours * HOUR


def ask(desk: Desk, case: Case, hours: float) -> None:
    transitions.ask_customer(
        case.pk, desk.technician, at(hours), question="?", reason=WaitReason.CONFIRM, send=False, channel=Channel.PHONE
    )


def take_back(desk: Desk, case: Case, hours: float) -> None:
    transitions.take_back(case.pk, desk.technician, at(hours), reason="Found it.")


def change(desk: Desk, case: Case, hours: float, severity: Severity) -> None:
    transitions.change_severity(case.pk, desk.manager, at(hours), severity=severity, reason="Looked again.")


def ledger() -> list[tuple[str, float]]:
    """(point, hours until due) of every row, in the order they were due."""
    return [
        (f"{row.get_severity_display()} {row.number}", (row.due_at - NOON) / HOUR)
        for row in Escalation.objects.order_by("due_at", "case", "number")
    ]


def readers() -> Counter[str]:
    """How many escalation mails each person was written."""
    mails = Mail.objects.filter(template="escalation").values_list("to_address", flat=True)
    return Counter(address.removesuffix("@example.com") for address in mails)


def test_paused_then_raised_past_its_goal_the_escalation_comes_on_resuming(desk: Desk) -> None:
    # iTop: a goal that is passed while the stop watch stands is never noticed again (E2, E4)
    case = desk.open_case(severity=M)
    ask(desk, case, 13)
    escalate(at(13))
    change(desk, case, 20, C)
    escalate(at(20))
    assert ledger() == []
    take_back(desk, case, 30)
    escalate(at(30))
    assert ledger() == [("Critical 1", 30), ("Critical 2", 30)]
    assert readers() == dict.fromkeys(("csm", "am", "l3", "tech", "support_manager"), 1)
    escalate(at(41))
    assert ledger()[2:] == [("Critical 3", 41)]


@pytest.mark.parametrize("when", ["after the wait", "in the wait"])
def test_a_wait_is_still_left_out_after_the_severity_changed(desk: Desk, when: str) -> None:
    # GLPI: a change of the agreement starts the reckoning anew and forgets the time that was paused (E4)
    case = desk.open_case(severity=M)
    ask(desk, case, 1)
    if when == "in the wait":
        change(desk, case, 2, C)
    take_back(desk, case, 11)
    if when == "after the wait":
        change(desk, case, 12, C)
    for hours in (11, 12, 13.99):
        escalate(at(hours))
    assert ledger() == []  # three hours worked of fourteen that passed
    for hours in (14, 22, 34):
        escalate(at(hours))
    assert ledger() == [("Critical 1", 14), ("Critical 2", 22), ("Critical 3", 34)]


def test_a_case_resolved_in_a_wait_and_reopened_has_not_forgotten_the_wait(desk: Desk) -> None:
    # Frappe: from “paused” straight to “resolved” the time of the pause is never subtracted (E2)
    case = desk.open_case(severity=C)
    ask(desk, case, 3)
    transitions.resolve(case.pk, desk.technician, at(10), resolution=Resolution.NOT_PURSUED)
    escalate(at(11))
    transitions.reopen(case.pk, desk.technician, at(20), reason="It is back.")
    escalate(at(20))
    assert ledger() == []
    assert Case.objects.get().escalation_check_at == at(21)
    escalate(at(21))
    assert ledger() == [("Critical 1", 21)]


def test_after_an_outage_over_three_points_all_three_are_carried_out(desk: Desk) -> None:
    # django-helpdesk: however many periods were missed, one step up is taken (E5)
    desk.open_case(severity=C)
    assert escalate(at(30)).acted_on == 1
    assert ledger() == [("Critical 1", 4), ("Critical 2", 12), ("Critical 3", 24)]
    assert set(Escalation.objects.values_list("carried_out", "done_at")) == {(True, at(30))}
    assert readers() == dict.fromkeys(("csm", "am", "coo", "l3", "tech", "support_manager"), 1)
    case = Case.objects.get()
    assert (case.owner, case.update_cadence, case.escalation_check_at) == (desk.l3, E1[C, 3].minutes, None)


@pytest.mark.parametrize(("severity", "hours", "role"), [(C, 24, Role.COO), (H, 48, Role.CS_DIRECTOR)])
def test_a_point_whose_role_nobody_holds_is_carried_out_in_its_time(desk: Desk, severity, hours, role) -> None:
    # GoAlert #4548: a step with nobody to tell only uses up its time (D5)
    case = desk.open_case(severity=severity)
    escalate(at(hours - 1))
    before = readers()
    RoleHolder.objects.filter(role=role).delete()
    escalate(at(hours))
    assert ledger()[-1] == (f"{severity.label} 3", hours)
    assert readers() - before == dict.fromkeys(("support_manager", "l3"), 1)
    assert Case.objects.get(pk=case.pk).update_cadence == E1[severity, 3].minutes


def test_a_point_that_informs_nobody_is_carried_out_in_its_time(desk: Desk) -> None:
    # GoAlert #4548: Medium 3 informs nobody new; the owner is asked and the rhythm changes all the same (E1)
    case = desk.open_case(severity=M)
    escalate(at(15 * 24 - 1))
    before = readers()
    escalate(at(15 * 24))
    assert ledger()[-1] == ("Medium 3", 15 * 24)
    assert readers() - before == {"l3": 1, "support_manager": 1}  # who has a decision to take
    assert Case.objects.get(pk=case.pk).update_cadence == E1[M, 3].minutes


MANY = 1_100


def open_many(desk: Desk, count: int) -> None:
    """Critical cases a second apart, written by the handful instead of one by one."""
    pattern = desk.open_case(severity=C)
    Mail.objects.all().delete()
    values = {field.attname: getattr(pattern, field.attname) for field in Case._meta.concrete_fields} | {"id": None}
    moments = [NOON + timedelta(seconds=number) for number in range(1, count)]
    insert(
        [
            Case(**values | dict.fromkeys(("opened_at", "changed_at", "escalation_check_at"), moment))
            for moment in moments
        ]
    )
    copies = Case.objects.exclude(pk=pattern.pk)
    write_history(((case, case.opened_at, "Opened.") for case in copies), kind="+")


def test_a_sweep_has_no_silent_limit(desk: Desk) -> None:
    # Znuny: whatever is due beyond the first 1,000 found is not looked at, and nobody is told (S2)
    open_many(desk, MANY)
    assert escalate(at(5)) == Swept(looked_at=MANY, acted_on=MANY)
    assert Escalation.objects.count() == Case.objects.filter(owner=desk.l3).count() == MANY
    assert readers() == dict.fromkeys(("csm", "am", "l3", "tech"), MANY)
    assert escalate(at(5)) == Swept()


@pytest.mark.parametrize("batch", [1, 3, 500])
@pytest.mark.parametrize("place", [0, 3, 6])
def test_one_bad_case_does_not_stop_the_sweep(desk: Desk, settings, place: int, batch: int) -> None:
    # Frappe: the first ticket that raises ends the job, and all that come after it wait for ever (S2)
    settings.DESK_BATCH = batch
    cases = [desk.open_case(NOON + number * timedelta(minutes=1), severity=C) for number in range(7)]
    bad = cases.pop(place)
    bad.history.all().delete()
    swept = escalate(at(5))
    assert (swept.acted_on, swept.set_aside) == (6, [bad.pk])
    assert set(Escalation.objects.values_list("case", flat=True)) == {case.pk for case in cases}
    assert FailedCase.objects.get().case_id == bad.pk
    assert escalate(at(13)).acted_on == 6  # nor the next one
    assert Escalation.objects.count() == 12
