"""Carrying out the schedule on a real database: exact mails, owners, questions, rhythms, watchers; nothing besides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from cases.engine.history import write_history
from cases.engine.sweep import Swept
from cases.enums import Channel, Move, Resolution, SendCondition, Severity, Status, WaitReason
from cases.mail.rendering import render
from cases.models import Case, CaseWatcher, FailedCase, Mail, SweepRun
from cases.workflow import handing_on, transitions
from contacts.enums import Level, Role
from contacts.models import RoleHolder, Technician, User
from escalations.models import ClockRule, Escalation, SchedulePoint
from escalations.points.apply import escalate
from escalations.schedule.versions import draft_next_version, put_in_force
from tests.support.builders import NOON, Desk, build_centre, build_technician, build_user, reload
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db

C, H, M, L = Severity
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def once(*names: str) -> dict[tuple[str, str], int]:
    """One escalation mail to each."""
    return {("escalation", name): 1 for name in names}


def ledger(case: Case) -> list[tuple[str, float, float, bool]]:
    """(point, hours until due, hours until done, carried out) of each row."""
    return [
        (str(row).split(" on ")[0], (row.due_at - NOON) / HOUR, (row.done_at - NOON) / HOUR, row.carried_out)
        for row in Escalation.objects.filter(case=case).order_by("due_at", "severity", "number")
    ]


def sweep(hours: float) -> Swept:
    return escalate(NOON + hours * HOUR)


# --- E1, cell by cell -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """What a point must do on the desk of the builders, typed from E1."""

    severity: Severity
    number: int
    hours: float
    mailed: Collection[str]
    owner: str
    asked: str | None
    cadence: dict[str, int]  # hours
    watchers: Collection[str] = ()
    inherits: str | None = None  # the question that the point before has asked


CUSTOMER, AM, MANAGEMENT, COO = "customer", "account_manager", "cs_management", "coo"
E1 = [
    Cell(C, 1, 4, ("csm", "am", "l3", "tech"), "l3", None, {CUSTOMER: 2, AM: 2}, ("tech",)),
    Cell(C, 2, 12, ("csm", "l3", "support_manager"), "l3", "l3", {CUSTOMER: 2, MANAGEMENT: 2}, ("tech",)),
    Cell(C, 3, 24, ("coo", "l3"), "l3", "l3", {CUSTOMER: 2, AM: 2, MANAGEMENT: 2, COO: 2}, ("tech",)),
    Cell(H, 1, 12, ("csm", "am", "tech"), "tech", "tech", {CUSTOMER: 2, MANAGEMENT: 2}),
    Cell(
        H,
        2,
        36,
        ("am", "l3", "tech", "support_manager"),
        "l3",
        None,
        {CUSTOMER: 4, MANAGEMENT: 4, AM: 4},
        ("tech",),
        inherits="l3",
    ),
    Cell(H, 3, 48, ("cs_director", "l3"), "l3", "l3", {CUSTOMER: 4, AM: 4, MANAGEMENT: 4}, ("tech",)),
    Cell(M, 1, 48, ("am", "tech"), "tech", "tech", {CUSTOMER: 8}),
    Cell(M, 2, 144, ("csm", "l3", "tech"), "l3", None, {CUSTOMER: 8, AM: 24}, ("tech",), inherits="l3"),
    Cell(M, 3, 360, ("l3", "support_manager"), "l3", "l3", {CUSTOMER: 8, AM: 8, MANAGEMENT: 8}, ("tech",)),
]


@pytest.mark.parametrize("severity", [C, H, M])
def test_a_case_that_nothing_moves_meets_every_cell_of_the_schedule_and_nothing_else(desk: Desk, severity) -> None:
    # E1, E6
    case = desk.open_case(severity=severity)
    for cell in (one for one in E1 if one.severity == severity):
        posted = Outbox()
        before = reload(case)
        early = escalate(NOON + cell.hours * HOUR - timedelta(microseconds=1))
        assert (early.acted_on, posted.new(), reload(case).owner) == (0, {}, before.owner)
        assert reload(case).escalation_check_at == NOON + cell.hours * HOUR
        assert sweep(cell.hours).acted_on == 1
        after, row = reload(case), Escalation.objects.get(case=case, severity=severity, number=cell.number)
        assert posted.new() == once(*cell.mailed)
        assert str(after.owner) == cell.owner
        assert (str(row.asked) if row.asked else None) == cell.asked
        assert after.update_cadence == row.cadence == {who: hours * 60 for who, hours in cell.cadence.items()}
        assert sorted(watcher.user.username for watcher in after.watchers.all()) == sorted(cell.watchers)
        assert (row.run, row.due_at, row.done_at) == (1, NOON + cell.hours * HOUR, NOON + cell.hours * HOUR)
        assert (row.carried_out, row.schedule_version) == (True, 1)
        assert (row.owner_before, row.owner_after) == (before.owner, after.owner)
        assert row.mailed == sorted(f"{name}@example.com" for name in cell.mailed)
        change = case.history.order_by("-history_date", "-history_id").first()
        assert (change.last_move, change.history_user, change.owner) == (Move.ESCALATED, None, after.owner)
        assert change.history_date == NOON + cell.hours * HOUR
        assert f"{severity.label} {cell.number}" in change.history_change_reason
        assert after.status == Status.ASSIGNED
        for name in cell.mailed:
            mail = Mail.objects.order_by("-pk").filter(to_address=f"{name}@example.com").first()
            facts = mail.facts
            assert (facts["point"], facts["others"], facts["late"]) == (f"{severity.label} {cell.number}", [], False)
            assert facts["asked"] is (name in (cell.asked, cell.inherits))  # E8: a new owner inherits the question
            assert facts["takes_over"] is (name == "l3" and before.owner == desk.technician)
            subject = render(mail).subject  # a new owner reads that the case is theirs, asked for the status or not
            assert (", now yours" in subject, ", please say where it stands" in subject) == (
                facts["takes_over"],
                facts["asked"],
            )
            assert facts["owner_was"] == ("tech" if after.owner != before.owner else "")
            assert facts["why"]
            assert facts["expected"]
            assert facts["next"]
    posted = Outbox()
    assert reload(case).escalation_check_at is None
    assert sweep(24 * 400).looked_at == 0
    assert posted.new() == {}
    assert len(ledger(case)) == 3


def test_a_low_case_is_never_escalated(desk: Desk) -> None:  # E1
    case, posted = desk.open_case(severity=L), Outbox()
    for days in (0, 1, 2, 30, 400):
        sweep(days * 24)
    assert (ledger(case), posted.new(), reload(case).owner) == ([], {}, desk.technician)
    assert (reload(case).update_cadence, reload(case).escalation_check_at) == ({}, None)


def test_escalation_mail_is_for_as_long_as_the_case_is_open(desk: Desk) -> None:  # M1
    desk.open_case(severity=C)
    sweep(4)
    assert set(Mail.objects.filter(template="escalation").values_list("holds", flat=True)) == {SendCondition.OPEN}


def test_who_has_several_parts_in_a_point_gets_one_mail_that_names_them_all(desk: Desk) -> None:  # E5
    desk.company.account_manager = desk.csm
    desk.company.save()
    desk.open_case(severity=C)
    posted = Outbox()
    sweep(4)
    assert posted.new() == once("csm", "l3", "tech")
    why = Mail.objects.get(template="escalation", to_address="csm@example.com").facts["why"]
    assert "Customer service manager" in why
    assert "Account manager" in why


# --- E5: an outage ----------------------------------------------------------------------------------------------


def test_three_points_due_at_once_are_one_step_with_one_mail_each(desk: Desk) -> None:  # E5
    case, posted = desk.open_case(severity=C), Outbox()
    assert sweep(30).acted_on == 1
    assert ledger(case) == [("Critical 1", 4, 30, True), ("Critical 2", 12, 30, True), ("Critical 3", 24, 30, True)]
    assert posted.new() == once("csm", "am", "coo", "l3", "tech", "support_manager")
    after = reload(case)
    assert after.owner == desk.l3
    assert case.history.filter(last_move=Move.ESCALATED).count() == 1
    assert after.update_cadence == {CUSTOMER: 120, AM: 120, MANAGEMENT: 120, COO: 120}
    # who is asked and transferred away from in one step is asked, once
    assert set(Escalation.objects.values_list("asked", flat=True)) == {desk.technician.pk}
    for mail in Mail.objects.filter(template="escalation"):
        assert mail.facts["point"] == "Critical 3"
        assert [other["name"] for other in mail.facts["others"]] == ["Critical 1", "Critical 2"]
        assert mail.facts["late"] is True
        assert mail.facts["asked"] is (mail.to_address == "tech@example.com")


def test_a_sweep_that_runs_twice_or_late_again_changes_nothing(desk: Desk) -> None:  # E6, S1
    case = desk.open_case(severity=C)
    sweep(4)
    posted, rows = Outbox(), ledger(case)
    for hours in (4, 3, 4.5, 4):
        assert sweep(hours).acted_on == 0
    Case.objects.filter(pk=case.pk).update(escalation_check_at=NOON)  # a cache that is wrong is only a look too many
    assert sweep(5) == Swept(looked_at=1, acted_on=0)
    assert (posted.new(), ledger(case)) == ({}, rows)
    assert reload(case).escalation_check_at == NOON + 12 * HOUR


def test_a_point_stands_once_on_the_ledger_whoever_writes_it(desk: Desk) -> None:  # E6
    desk.open_case(severity=C)
    sweep(4)
    row = Escalation.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_a_sweep_leaves_a_sign_of_life_also_when_nothing_was_due(desk: Desk) -> None:  # S3
    sweep(1)
    assert SweepRun.objects.get(name="escalate").last_at == NOON + HOUR


# --- D5: nobody's message is swallowed --------------------------------------------------------------------------


def _no_row(role: Role) -> None:
    RoleHolder.objects.filter(role=role).delete()


def _no_holder(role: Role) -> None:
    RoleHolder.objects.filter(role=role).update(holder=None)


def _inactive(role: Role) -> None:
    User.objects.filter(role=role).update(is_active=False)


def _no_email(role: Role) -> None:
    User.objects.filter(role=role).update(email="")


MISSING = [(_no_row, "nobody"), (_no_holder, "nobody"), (_inactive, "{}"), (_no_email, "{}")]


@pytest.mark.parametrize(("lose", "who"), MISSING)
@pytest.mark.parametrize(
    ("role", "severity", "hours", "others"),
    [
        (Role.CSM, C, 4, ("am", "l3", "tech")),
        (Role.COO, C, 24, ("l3",)),
        (Role.CS_DIRECTOR, H, 48, ("l3",)),
    ],
)
def test_a_role_that_nobody_can_be_reached_for_falls_to_the_support_manager(
    desk: Desk, role, severity, hours, others, lose, who
) -> None:  # D5
    desk.open_case(severity=severity)
    if hours > 4:
        sweep(hours - 1)
    lose(role)
    posted = Outbox()
    sweep(hours)
    assert posted.new() == once("support_manager", *others)
    (mail,) = Mail.objects.filter(
        template="escalation", to_address="support_manager@example.com", queued_at=NOON + hours * HOUR
    )
    assert mail.meant_for == f"{role.label} ({who.format(role.value)})"


@pytest.mark.parametrize("lose", [_no_row, _no_holder, _inactive, _no_email])
def test_without_a_support_manager_every_superuser_stands_in(desk: Desk, lose) -> None:  # D5
    for name in ("root1", "root2"):
        build_user(name=name, is_superuser=True)
    build_user(name="silent", is_superuser=True, email="")
    build_user(name="gone", is_superuser=True, is_active=False)
    desk.open_case(severity=C)
    lose(Role.CSM)
    lose(Role.SUPPORT_MANAGER)
    posted = Outbox()
    sweep(4)
    assert posted.new() == once("am", "l3", "tech", "root1", "root2")
    meant = Mail.objects.filter(template="escalation", to_address__startswith="root").values_list(
        "meant_for", flat=True
    )
    assert all(said.startswith("Customer service manager (") for said in meant)


@pytest.mark.parametrize("trouble", ["none", "inactive", "no email"])
def test_a_company_without_a_reachable_account_manager_has_the_support_manager_told(desk: Desk, trouble) -> None:  # D5
    if trouble == "none":
        desk.company.account_manager = None
        desk.company.save()
    elif trouble == "inactive":
        User.objects.filter(username="am").update(is_active=False)
    else:
        User.objects.filter(username="am").update(email="")
    desk.open_case(severity=C)
    posted = Outbox()
    sweep(4)
    assert posted.new() == once("csm", "support_manager", "l3", "tech")
    mail = Mail.objects.get(template="escalation", to_address="support_manager@example.com")
    assert mail.meant_for == f"Account manager of Acme ({'nobody' if trouble == 'none' else 'am'})"


@pytest.mark.parametrize(("trouble", "asked"), [({"is_active": False}, "l3"), ({"email": ""}, "support_manager")])
def test_an_owner_who_cannot_be_written_to_is_replaced_by_the_support_manager(desk: Desk, trouble, asked) -> None:
    # D5; E8: for an owner who is gone somebody on duty answers, and the owner's copy goes to the Support Manager
    desk.open_case(severity=H)
    User.objects.filter(username="tech").update(**trouble)
    posted = Outbox()
    sweep(12)
    assert posted.new() == once("csm", "am", "support_manager", asked)
    mails = {mail.to_address: mail for mail in Mail.objects.filter(template="escalation")}
    assert mails["support_manager@example.com"].meant_for == "Owner (tech)"
    wanted = [to for to, mail in mails.items() if "Say in a line where the case stands." in mail.facts["expected"]]
    assert wanted == [f"{asked}@example.com"]


def test_the_support_manager_who_stands_in_for_two_gets_one_mail_that_names_both(desk: Desk) -> None:  # D5, E5
    desk.open_case(severity=C)
    _no_holder(Role.CSM)
    User.objects.filter(username="am").update(email="")
    posted = Outbox()
    sweep(4)
    assert posted.new() == once("support_manager", "l3", "tech")
    mail = Mail.objects.get(template="escalation", to_address="support_manager@example.com")
    assert mail.meant_for == "Customer service manager (nobody), Account manager of Acme (am)"


def test_a_centre_with_its_own_holder_has_that_one_told(desk: Desk) -> None:  # D4
    own = build_user(Role.CSM, "london-csm")
    RoleHolder.objects.create(role=Role.CSM, centre=desk.centre, holder=own)
    desk.open_case(severity=H)
    posted = Outbox()
    sweep(12)
    assert posted.new() == once("london-csm", "am", "tech")


def test_a_case_that_nobody_owns_has_the_support_manager_told(desk: Desk) -> None:  # D5
    case = desk.open_case(severity=H)
    Case.objects.filter(pk=case.pk).update(owner=None)
    posted = Outbox()
    sweep(12)
    assert posted.new() == once("csm", "am", "support_manager")
    mail = Mail.objects.get(template="escalation", to_address="support_manager@example.com")
    assert mail.meant_for == "Owner (nobody)"


# --- E7: to L3 --------------------------------------------------------------------------------------------------


def test_an_owner_who_is_l3_keeps_the_case(desk: Desk) -> None:  # E7
    build_technician(desk.centre, Level.L3, "idle-l3")
    case = desk.open_case(severity=C)
    handing_on.hand_over(case.pk, desk.manager, NOON + HOUR, owner=desk.l3, reason="Deep.")
    posted = Outbox()
    sweep(4)
    assert reload(case).owner == desk.l3
    assert posted.new() == once("csm", "am")
    assert Escalation.objects.get().asked is None
    assert list(CaseWatcher.objects.values_list("user__username", flat=True)) == ["tech"]


def test_an_l3_on_duty_who_speaks_the_language_comes_first(desk: Desk) -> None:  # E7
    french = build_technician(desk.centre, Level.L3, "french-l3", languages=["fr"])
    build_technician(desk.centre, Level.L3, "off-l3", languages=["fr"], on_duty=False)
    desk.company.contacts.update(language="fr")
    case = desk.open_case(severity=C)
    Case.objects.filter(pk=desk.open_case(severity=C).pk).update(owner=french)  # busier than the other L3
    sweep(4)
    assert reload(case).owner == french


def test_without_the_language_an_l3_on_duty_comes_before_one_off_duty(desk: Desk) -> None:  # E7
    build_technician(desk.centre, Level.L3, "off-l3", languages=["fr"], on_duty=False)
    desk.company.contacts.update(language="fr")
    case = desk.open_case(severity=C)
    sweep(4)
    assert reload(case).owner == desk.l3


def test_with_none_on_duty_any_active_l3_takes_over(desk: Desk) -> None:  # E7
    build_technician(desk.centre, Level.L3, "gone-l3")
    User.objects.filter(username="gone-l3").update(is_active=False)
    Technician.objects.update(on_duty=False)
    case = desk.open_case(severity=C)
    sweep(4)
    assert reload(case).owner == desk.l3


def test_the_least_loaded_l3_takes_over_and_a_batch_is_spread(desk: Desk) -> None:  # E7
    build_technician(desk.centre, Level.L3, "l3b")
    for minute in range(6):
        desk.open_case(NOON + minute * MINUTE, severity=C)
    sweep(5)
    owners = Counter(Case.objects.values_list("owner__username", flat=True))
    assert owners == {"l3": 3, "l3b": 3}


def test_with_no_l3_at_all_the_owner_stays_and_the_support_manager_is_told(desk: Desk) -> None:  # E7, D5
    User.objects.filter(username="l3").update(is_active=False)
    case, posted = desk.open_case(severity=C), Outbox()
    sweep(4)
    assert reload(case).owner == desk.technician
    assert posted.new() == once("csm", "am", "support_manager")
    assert not CaseWatcher.objects.exists()
    row = Escalation.objects.get()
    assert (row.owner_before, row.owner_after, row.asked) == (desk.technician, desk.technician, None)
    mail = Mail.objects.get(template="escalation", to_address="support_manager@example.com")
    assert "there is no L3 technician" in mail.facts["why"]


# --- E4: severity -----------------------------------------------------------------------------------------------


def change(case: Case, desk: Desk, hours: float, severity: Severity) -> None:
    transitions.change_severity(case.pk, desk.manager, NOON + hours * HOUR, severity=severity, reason="Looked again.")


def test_raised_the_points_passed_are_one_step_at_once(desk: Desk) -> None:  # E4, E5
    case = desk.open_case(severity=M)
    sweep(1)
    change(case, desk, 13, C)
    posted = Outbox()
    sweep(13)
    assert posted.new() == once("csm", "am", "l3", "tech", "support_manager")
    assert ledger(case) == [("Critical 1", 13, 13, True), ("Critical 2", 13, 13, True)]
    assert reload(case).update_cadence == {CUSTOMER: 120, MANAGEMENT: 120}
    assert reload(case).escalation_check_at == NOON + 24 * HOUR


def test_lowered_the_points_passed_set_the_cadence_and_nobody_hears_of_them(desk: Desk) -> None:  # E4
    case = desk.open_case(severity=C)
    for hours in (4, 12, 24):
        sweep(hours)
    change(case, desk, 40, H)
    posted = Outbox()
    assert sweep(40).acted_on == 1
    assert posted.new() == {}
    assert ledger(case)[3:] == [("High 1", 40, 40, False), ("High 2", 40, 40, False)]
    quiet = Escalation.objects.filter(carried_out=False)
    assert {(row.asked, tuple(row.mailed)) for row in quiet} == {(None, ())}
    after = reload(case)
    assert (after.owner, after.escalation_check_at) == (desk.l3, NOON + 48 * HOUR)
    assert after.update_cadence == {CUSTOMER: 240, MANAGEMENT: 240, AM: 240}
    sweep(48)
    assert posted.new() == once("cs_director", "l3")
    assert ledger(case)[5:] == [("High 3", 48, 48, True)]


def test_lowered_below_every_point_passed_the_base_interval_is_back(desk: Desk) -> None:  # E4, T2
    case = desk.open_case(severity=C)
    sweep(5)
    change(case, desk, 6, M)
    sweep(6)
    assert reload(case).update_cadence == {}
    change(case, desk, 7, C)
    posted = Outbox()
    sweep(7)
    assert (posted.new(), len(ledger(case))) == ({}, 1)  # what was carried out is not carried out again
    assert reload(case).update_cadence == {CUSTOMER: 120, AM: 120}


def test_what_an_outage_missed_before_the_severity_was_lowered_is_only_recorded(desk: Desk) -> None:  # E4
    case, posted = desk.open_case(severity=H), Outbox()
    change(case, desk, 13, M)
    sweep(14)
    assert (posted.new(), ledger(case)) == ({}, [("High 1", 12, 14, False)])
    assert (reload(case).update_cadence, reload(case).escalation_check_at) == ({}, NOON + 48 * HOUR)


def test_what_an_outage_missed_before_the_severity_was_raised_gives_way_to_the_new_points(desk: Desk) -> None:  # E4
    case = desk.open_case(severity=H)
    change(case, desk, 13, C)
    posted = Outbox()
    sweep(14)
    assert posted.new() == once("csm", "am", "l3", "tech", "support_manager")
    assert ledger(case) == [("High 1", 12, 14, False), ("Critical 1", 13, 14, True), ("Critical 2", 13, 14, True)]
    facts = Mail.objects.filter(template="escalation").first().facts
    assert (facts["point"], [other["name"] for other in facts["others"]]) == ("Critical 2", ["Critical 1"])


# --- E2: waits, resolutions, runs -------------------------------------------------------------------------------


def ask(case: Case, desk: Desk, hours: float) -> None:
    transitions.ask_customer(
        case.pk,
        desk.technician,
        NOON + hours * HOUR,
        question="?",
        reason=WaitReason.CONFIRM,
        send=False,
        channel=Channel.PHONE,
    )


def close(case: Case, desk: Desk, hours: float) -> None:
    transitions.resolve(case.pk, desk.technician, NOON + hours * HOUR, resolution=Resolution.NOT_PURSUED)


def reopen(case: Case, desk: Desk, hours: float) -> None:
    transitions.reopen(case.pk, reload(case).owner, NOON + hours * HOUR, reason="It is back.")


def test_a_waiting_case_is_not_escalated_and_goes_on_where_it_stood(desk: Desk) -> None:  # E2
    case, posted = desk.open_case(severity=C), Outbox()
    ask(case, desk, 3)
    for hours in (3, 4, 50):
        sweep(hours)
    assert (ledger(case), posted.new(), reload(case).escalation_check_at) == ([], {}, None)
    transitions.take_back(case.pk, desk.technician, NOON + 60 * HOUR, reason="Found it.")
    sweep(60)
    assert reload(case).escalation_check_at == NOON + 61 * HOUR
    sweep(61)
    assert ledger(case) == [("Critical 1", 61, 61, True)]


def test_a_severity_whose_clock_runs_on_is_escalated_on_resuming(desk: Desk) -> None:  # E2's switch
    ClockRule.objects.filter(severity=C).update(stands_still_while_waiting=False)
    case = desk.open_case(severity=C)
    ask(case, desk, 1)
    sweep(10)
    assert ledger(case) == []
    transitions.take_back(case.pk, desk.technician, NOON + 11 * HOUR, reason="Found it.")
    sweep(11)
    assert ledger(case) == [("Critical 1", 11, 11, True)]
    assert reload(case).escalation_check_at == NOON + 12 * HOUR


def test_a_resolved_case_is_never_escalated(desk: Desk) -> None:
    case = desk.open_case(severity=C)
    close(case, desk, 4)  # at the very moment the point is due
    posted = Outbox()
    for hours in (4, 5, 100):
        sweep(hours)
    assert (ledger(case), posted.new(), reload(case).owner) == ([], {}, desk.technician)
    assert reload(case).escalation_check_at is None


def test_what_was_due_before_a_case_was_resolved_is_only_recorded(desk: Desk) -> None:  # E4, E5
    case = desk.open_case(severity=C)
    close(case, desk, 5)  # nobody had looked at the fourth hour
    posted = Outbox()
    sweep(6)
    assert ledger(case) == [("Critical 1", 4, 6, False)]
    assert (posted.new(), reload(case).owner, reload(case).status) == ({}, desk.technician, Status.RESOLVED)


def test_reopened_within_a_day_the_run_goes_on_and_nothing_is_repeated(desk: Desk) -> None:  # E2, E6
    case = desk.open_case(severity=C)
    sweep(4)
    close(case, desk, 5)
    sweep(6)
    reopen(case, desk, 20)
    posted = Outbox()
    sweep(20)
    assert (posted.new(), reload(case).escalation_check_at) == ({}, NOON + 27 * HOUR)
    sweep(27)
    assert ledger(case) == [("Critical 1", 4, 4, True), ("Critical 2", 27, 27, True)]


def test_reopened_later_a_new_run_starts_at_zero_and_the_earlier_stays_on_record(desk: Desk) -> None:  # E2, E6
    case = desk.open_case(severity=C)
    sweep(13)
    close(case, desk, 14)
    sweep(14)
    reopen(case, desk, 100)
    sweep(100)
    assert reload(case).update_cadence == {}
    posted = Outbox()
    sweep(104)
    assert [row.run for row in Escalation.objects.order_by("due_at")] == [1, 1, 2]
    assert posted.new() == once("csm", "am")  # the owner is L3 by now, and keeps the case


def test_what_an_outage_missed_in_an_earlier_run_is_only_recorded(desk: Desk) -> None:  # E2, E5
    case = desk.open_case(severity=C)
    close(case, desk, 13)
    reopen(case, desk, 50)
    posted = Outbox()
    sweep(51)
    assert ledger(case) == [("Critical 1", 4, 51, False), ("Critical 2", 12, 51, False)]
    assert (posted.new(), reload(case).owner, reload(case).update_cadence) == ({}, desk.technician, {})
    sweep(55)
    assert posted.new() == once("csm", "am", "l3", "tech")
    assert Mail.objects.filter(template="escalation").first().facts["point"] == "Critical 1"


# --- E10: versions ----------------------------------------------------------------------------------------------


def test_an_open_case_keeps_the_schedule_it_was_opened_under(desk: Desk) -> None:  # E10
    old = desk.open_case(severity=C)
    draft = draft_next_version(desk.manager)
    SchedulePoint.objects.filter(version=draft, severity=C, number=1).update(after=HOUR)
    put_in_force(draft.pk, desk.manager, NOON + HOUR, reason="The new contract")
    new = desk.open_case(NOON + HOUR, severity=C)
    sweep(2)
    assert [(row.case_id, row.schedule_version) for row in Escalation.objects.all()] == [(new.pk, 2)]
    assert reload(old).escalation_check_at == NOON + 4 * HOUR


# --- S2: a broken case ------------------------------------------------------------------------------------------


def poison(case: Case) -> list[tuple[datetime, str]]:
    """A case whose history was lost: its clock cannot be reckoned."""
    kept = list(case.history.values_list("history_date", "history_change_reason"))
    case.history.all().delete()
    return kept


def test_a_broken_case_is_set_aside_the_others_go_on_and_it_is_tried_again(desk: Desk) -> None:  # S2
    cases = [desk.open_case(NOON + minute * MINUTE, severity=C) for minute in range(5)]
    broken = cases[2]
    lost = poison(broken)
    swept = sweep(5)
    assert (swept.acted_on, swept.set_aside) == (4, [broken.pk])
    assert set(Escalation.objects.values_list("case", flat=True)) == {case.pk for case in cases} - {broken.pk}
    assert set(Escalation.objects.values_list("number", flat=True)) == {1}
    aside = FailedCase.objects.get()
    assert (aside.case, aside.sweep, aside.since, aside.tries) == (broken, "escalate", NOON + 5 * HOUR, 1)
    assert aside.retry_at == reload(broken).escalation_check_at == NOON + 6 * HOUR
    assert "not open yet" in aside.error

    assert sweep(5.5) == Swept()  # left alone for a while
    assert sweep(6).set_aside == [broken.pk]
    aside = FailedCase.objects.get()
    assert (aside.tries, aside.retry_at, aside.since, aside.solved_at) == (
        2,
        NOON + 7 * HOUR,
        NOON + 5 * HOUR,
        None,
    )

    write_history([(reload(broken), at, reason) for at, reason in lost], kind="+")
    assert sweep(7) == Swept(looked_at=1, acted_on=1)
    assert FailedCase.objects.get().solved_at == NOON + 7 * HOUR
    assert ledger(broken)[0][0] == "Critical 1"


def test_a_case_that_breaks_the_database_statement_is_set_aside_as_well(desk: Desk) -> None:  # S2
    cases = [desk.open_case(NOON + minute * MINUTE, severity=C) for minute in range(3)]
    for name in ("csm", "am", "l3", "tech"):  # its mail is there already, though its ledger says nothing of it
        Mail.objects.create(
            key=f"escalation:{cases[1].pk}:1:critical:1:{name}@example.com",
            queued_at=NOON,
            send_at=NOON,
            message_id=f"<{name}>",
        )
    swept = sweep(5)
    assert (swept.acted_on, swept.set_aside) == (2, [cases[1].pk])
    assert (ledger(cases[1]), reload(cases[1]).owner) == ([], desk.technician)


# --- speed ------------------------------------------------------------------------------------------------------


@pytest.mark.postgres
def test_a_sweep_over_many_cases_asks_the_database_no_more_often_than_one_over_a_few(desk: Desk) -> None:
    def statements(count: int, start: datetime) -> int:
        for number in range(count):
            desk.open_case(start + number * timedelta(seconds=1), severity=C)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            swept = escalate(start + 4.5 * HOUR)
        assert swept.acted_on == count
        Case.objects.update(escalation_check_at=None)
        return sum("SAVEPOINT" not in query["sql"] for query in captured)

    escalate(NOON - HOUR)  # the first sign of life is a row more
    few, many = statements(5, NOON), statements(100, NOON + timedelta(days=20))
    assert few == many
    assert many <= 23  # 20 for the batch, a look for another one, two for the sign of life


def test_two_centres_are_told_apart_in_one_batch(desk: Desk) -> None:  # D4
    paris = build_centre("Paris", "FR", "Europe/Paris")
    RoleHolder.objects.create(role=Role.CSM, centre=paris, holder=build_user(Role.CSM, "paris-csm"))
    one, two = desk.open_case(severity=H), desk.open_case(NOON + MINUTE, severity=H)
    Case.objects.filter(pk=two.pk).update(owner=build_technician(paris, name="claire"))
    sweep(13)
    told = set(Mail.objects.filter(template="escalation").values_list("case", "to_address"))
    assert (one.pk, "csm@example.com") in told
    assert (two.pk, "paris-csm@example.com") in told
    assert (two.pk, "csm@example.com") not in told
