"""Open cases go over to another version of the schedule: what is rehearsed is what then happens (E10)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect

from cases.enums import Channel, Move, Resolution, Severity, WaitReason
from cases.guards import NotAllowed, Refused
from cases.models import Case, Mail
from cases.workflow import handing_on, transitions
from contacts.enums import Level, Role
from contacts.models import RoleHolder, User
from escalations.clocks import Versions, load_clocks
from escalations.models import Escalation, ScheduleMove, ScheduleVersion
from escalations.points.apply import escalate
from escalations.points.panel import escalation_panel
from escalations.schedule import rollout
from escalations.schedule.rollout import (
    LISTED,
    CasePreview,
    PreviewOutdated,
    Rehearsal,
    Selection,
    count_movable,
    movable_cases,
    rehearse,
    roll_out,
    rollout_progress,
    select_cases,
)
from escalations.schedule.rollout_admin import rollout_address
from escalations.schedule.versions import draft_next_version
from escalations.sla.panel import promises_panel
from tests.support.browser import open_row
from tests.support.builders import NOON, Desk, build_desk, build_technician, reload
from tests.support.examples import examples
from tests.support.pages import signed_in
from tests.support.queries import queries_of
from tests.support.rollout import moves_all, next_version
from tests.support.workers import at_once

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
C, H, M, L = Severity
NOW = NOON + 40 * HOUR


def sooner(desk: Desk, at: datetime) -> ScheduleVersion:
    """High 1 after 6 hours instead of 12."""
    return next_version(desk, at, high_1={"after": 6 * HOUR})


def names(preview: CasePreview) -> tuple[list[str], list[str]]:
    return [due.point.name for due in preview.step.effective], [due.point.name for due in preview.recorded_only]


# --- which cases ------------------------------------------------------------------------------------------------


def test_open_cases_on_other_versions_are_counted_and_chosen(desk: Desk) -> None:  # E10
    first = desk.open_case(severity=H)
    second = desk.open_case(severity=L, company=desk.other_company)
    closed = desk.open_case(severity=H)
    transitions.resolve(closed.pk, desk.technician, NOON + HOUR, resolution=Resolution.NOT_PURSUED)
    version = sooner(desk, NOON + HOUR)
    new = desk.open_case(NOON + 2 * HOUR, severity=H)
    counts = count_movable(version)
    assert (counts.total, counts.by_severity, counts.by_version) == (2, {H: 1, L: 1}, {1: 2})
    assert counts.by_company == {desk.company: 1, desk.other_company: 1}
    assert select_cases(version, Selection()) == [first.pk, second.pk]
    assert select_cases(version, Selection(severities=(H,))) == [first.pk]
    assert select_cases(version, Selection(company=desk.other_company.pk)) == [second.pk]
    assert select_cases(version, Selection(versions=(2,))) == []
    assert select_cases(desk.schedule, Selection(versions=(2,))) == [new.pk]  # and back again


def test_a_case_counts_by_the_version_it_was_moved_to_last(desk: Desk) -> None:  # E10
    case = desk.open_case(severity=H)
    version = sooner(desk, NOON + HOUR)
    moves_all(desk, version, NOON + 2 * HOUR)
    assert select_cases(version, Selection()) == []
    assert select_cases(desk.schedule, Selection()) == [case.pk]
    moves_all(desk, desk.schedule, NOON + 3 * HOUR)
    assert select_cases(version, Selection()) == [case.pk]
    assert [one.version for one in (load_clocks([case])[case.pk].timeline.at(NOON + h * HOUR) for h in (1, 2, 3))] == [
        1,
        2,
        1,
    ]


# --- what is rehearsed is what then happens ---------------------------------------------------------------------

Act = Callable[[Case, Desk, datetime], object]


def _ask(case: Case, desk: Desk, at: datetime) -> None:
    transitions.ask_customer(
        case.pk, desk.technician, at, question="?", reason=WaitReason.CONFIRM, send=False, channel=Channel.PHONE
    )


def _take_back(case: Case, desk: Desk, at: datetime) -> None:
    transitions.take_back(case.pk, desk.technician, at, reason="Found it.")


def _start(case: Case, desk: Desk, at: datetime) -> None:
    transitions.start_work(case.pk, desk.technician, at)


def _resolve(case: Case, desk: Desk, at: datetime) -> None:
    transitions.resolve(case.pk, desk.technician, at, resolution=Resolution.NOT_PURSUED)


def _reopen(case: Case, desk: Desk, at: datetime) -> None:
    transitions.reopen(case.pk, desk.technician, at, reason="It is back.")


def _off_duty(case: Case, desk: Desk, at: datetime) -> None:
    owner = reload(case).owner
    if owner is not None:
        owner.technician.on_duty = False
        owner.technician.save()


def _reassign(case: Case, desk: Desk, at: datetime) -> None:
    new_owner = desk.technician if reload(case).owner == desk.l3 else desk.l3
    handing_on.hand_over(case.pk, desk.manager, at, owner=new_owner, reason="Knows it")


def _sweep(case: Case, desk: Desk, at: datetime) -> None:
    escalate(at)


def _becomes(severity: Severity) -> Act:
    def change(case: Case, desk: Desk, at: datetime) -> None:
        transitions.change_severity(case.pk, desk.manager, at, severity=severity, reason="Looked again.")

    return change


ACTS: list[Act] = [_ask, _take_back, _start, _resolve, _reopen, _sweep, _off_duty, _reassign, *map(_becomes, Severity)]

#: Versions that change every kind of thing: times, people, owners, audiences, the switches and the base interval.
NEW_VERSIONS: list[dict[str, dict[str, object]]] = [
    {"high_1": {"after": 6 * HOUR}, "critical_1": {"after": 2 * HOUR}},
    {
        "high_2": {"after": 20 * HOUR, "mailed": ["coo", "csm"]},
        "medium_1": {"after": 5 * HOUR, "owner_action": "to_l3"},
    },
    {"high": {"stands_still_while_waiting": False}, "critical": {"stands_still_while_waiting": False}},
    {"low": {"base_interval": 3 * HOUR}, "medium": {"base_interval": 2 * HOUR, "automatic_updates": False}},
    {"low_1": {"after": 4 * HOUR, "mailed": ["account_manager"], "cadence": {"customer": 600}}},
    {
        "critical_1": {"after": 50 * HOUR},
        "critical_2": {"after": 60 * HOUR},
        "critical_3": {"after": 70 * HOUR},
        "medium_1": {"after": 10 * HOUR, "cadence": {"customer": 60, "cs_management": 120}, "may_need_more": True},
    },
]

lives = st.lists(
    st.tuples(
        st.sampled_from(list(Severity)),
        st.integers(0, 80).map(lambda halves: halves * 30),  # minutes from noon to the opening
        st.lists(st.tuples(st.integers(1, 40).map(lambda halves: halves * 30), st.sampled_from(ACTS)), max_size=5),
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@examples(40)
@given(lives=lives, version=st.sampled_from(NEW_VERSIONS), batch=st.sampled_from([2, 500]), fallback=st.booleans())
def test_what_was_rehearsed_is_what_the_next_sweep_does_case_by_case(lives, version, batch, fallback) -> None:
    with override_settings(DESK_BATCH=batch), transaction.atomic():
        _rehearse_move_and_compare(lives, version, fallback)
        transaction.set_rollback(True)


def _rehearse_move_and_compare(lives, changed: dict[str, dict[str, object]], fallback: bool) -> None:
    desk = build_desk()
    build_technician(desk.centre, Level.L3, name="l3b")
    if fallback:  # D5: the customer service manager cannot be written to
        User.objects.filter(pk=desk.csm.pk).update(email="")
    script = []
    for severity, opens, acts in lives:
        opened_at = NOON + opens * MINUTE
        case = desk.open_case(opened_at, severity=severity)
        at = opened_at
        for after, act in acts:
            at += after * MINUTE
            script.append((at, case, act))
    now = NOON + 80 * HOUR
    for at, case, act in sorted(script, key=lambda step: step[0]):
        if at < now:
            try:
                act(case, desk, at)
            except Refused:
                continue
    new = next_version(desk, now - MINUTE, **changed)

    rehearsal = rehearse(select_cases(new, Selection()), new, now)
    mailed_before = set(Mail.objects.values_list("pk", flat=True))
    done_before = set(Escalation.objects.values_list("pk", flat=True))
    roll_out(rehearsal.signed, new.pk, desk.manager, now, reason="Trying it.")
    assert set(Mail.objects.values_list("pk", flat=True)) == mailed_before  # the sweep carries it out, not the move
    escalate(now)

    assert len(rehearsal.listed) == Case.objects.open().count() == rehearsal.totals["cases"]
    lives_now = load_clocks([preview.case for preview in rehearsal.listed], Versions())
    for preview in rehearsal.listed:
        case = reload(preview.case)
        rows = Escalation.objects.filter(case=case).exclude(pk__in=done_before)
        done = {(row.run, row.severity, row.number, row.carried_out, row.due_at) for row in rows}
        assert done == {(*due.key, preview.step.is_effective(due), due.due_at) for due in preview.step.dues}
        mails = Mail.objects.filter(case=case).exclude(pk__in=mailed_before)
        shown = sorted((letter.to.address, letter.to.meant_for) for letter in preview.letters)
        assert sorted(mails.values_list("to_address", "meant_for")) == shown
        assert case.owner == preview.step.case.owner
        assert {row.asked for row in rows if row.carried_out} <= {preview.step.asked}
        life = lives_now[case.pk]
        assert life.cadence(now)[0] == preview.cadence_after
        upcoming = life.upcoming(now)
        assert upcoming == preview.next_after
        assert case.escalation_check_at == (upcoming.due_at if upcoming else None)
    moved = [preview.case.pk for preview in rehearsal.listed]  # the sweep also records what passed on resolved cases
    total = Escalation.objects.filter(case__in=moved).exclude(pk__in=done_before)
    assert total.filter(carried_out=True).count() == rehearsal.totals["effective"]
    assert total.filter(carried_out=False).count() == rehearsal.totals["recorded_only"]
    mails = Mail.objects.filter(case__in=moved).exclude(pk__in=mailed_before)
    addresses = list(mails.values_list("to_address", flat=True))
    assert len(addresses) == rehearsal.totals["mails"]
    shown_readers = {reader.address: reader.mails for reader in rehearsal.readers.values()}
    assert shown_readers == {address: addresses.count(address) for address in addresses}


def test_a_rehearsal_says_points_people_owner_cadence_and_the_next_point(desk: Desk) -> None:  # E10
    case = desk.open_case(severity=H)
    version = next_version(
        desk, NOON + MINUTE, high_1={"after": 6 * HOUR, "mailed": ["csm"]}, high_2={"after": 9 * HOUR}
    )
    rehearsal = rehearse([case.pk], version, NOON + 7 * HOUR)
    (preview,) = rehearsal.listed
    assert names(preview) == (["High 1"], [])
    assert sorted(letter.to.address for letter in preview.letters) == ["csm@example.com", "tech@example.com"]
    assert preview.step.asked == desk.technician
    assert (preview.next_before.point.name, preview.next_before.due_at) == ("High 1", NOON + 12 * HOUR)
    assert (preview.next_after.point.name, preview.next_after.due_at) == ("High 2", NOON + 9 * HOUR)
    assert preview.changes_cadence
    assert (rehearsal.totals["due_at_once"], rehearsal.totals["mails"], rehearsal.points) == (1, 2, {"High 1": 1})


def test_a_rehearsal_writes_nothing(desk: Desk) -> None:  # E10
    desk.open_case(severity=H)
    version = sooner(desk, NOON + MINUTE)
    before = [list(model.objects.values()) for model in (Case, Mail, Escalation, ScheduleMove)]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        rehearse(select_cases(version, Selection()), version, NOON + 7 * HOUR)
    assert [list(model.objects.values()) for model in (Case, Mail, Escalation, ScheduleMove)] == before
    reading = ("SELECT", "DECLARE")  # PostgreSQL reads long answers through a cursor
    assert [query["sql"] for query in queries if not query["sql"].startswith(reading)] == []
    assert Case.history.count() == 1


def test_a_fallback_is_named_with_whom_it_stands_for(desk: Desk) -> None:  # D5
    RoleHolder.objects.filter(role=Role.CSM).delete()
    case = desk.open_case(severity=H)
    rehearsal = rehearse([case.pk], sooner(desk, NOON + MINUTE), NOON + 7 * HOUR)
    assert rehearsal.readers["support_manager@example.com"].meant_for == {"Customer service manager (nobody)"}


def test_waits_are_counted_by_the_new_versions_switch(desk: Desk) -> None:  # E2, E4
    case = desk.open_case(severity=C)
    _ask(case, desk, NOON + HOUR)
    version = next_version(desk, NOON + MINUTE, critical={"stands_still_while_waiting": False})
    (waiting,) = rehearse([case.pk], version, NOON + 6 * HOUR).listed
    assert names(waiting) == ([], [])
    assert waiting.after_the_wait == ["Critical 1"]
    _take_back(case, desk, NOON + 6 * HOUR)
    (working,) = moves_all(desk, version, NOON + 7 * HOUR).listed
    assert names(working) == (["Critical 1"], [])
    escalate(NOON + 7 * HOUR)
    row = Escalation.objects.get()
    assert (row.number, row.due_at, row.schedule_version) == (1, NOON + 7 * HOUR, 2)


def test_points_passed_before_a_lowering_are_only_recorded_by_a_move(desk: Desk) -> None:  # E4
    case = desk.open_case(severity=C)
    _becomes(H)(case, desk, NOON + 8 * HOUR)
    escalate(NOON + 8 * HOUR)
    version = sooner(desk, NOON + 8 * HOUR)
    (preview,) = moves_all(desk, version, NOON + 9 * HOUR).listed
    assert names(preview) == ([], ["High 1"])
    assert preview.letters == []
    escalate(NOON + 9 * HOUR)
    row = Escalation.objects.get(severity=H)
    assert (row.carried_out, row.mailed, reload(case).owner) == (False, [], preview.case.owner)


def test_a_point_that_was_carried_out_is_not_carried_out_again_by_a_move(desk: Desk) -> None:  # E6
    desk.open_case(severity=H)
    escalate(NOON + 13 * HOUR)
    version = sooner(desk, NOON + 13 * HOUR)
    (preview,) = moves_all(desk, version, NOON + 14 * HOUR).listed
    assert names(preview) == ([], [])
    escalate(NOON + 14 * HOUR)
    assert Escalation.objects.get().done_at == NOON + 13 * HOUR


def test_a_question_that_goes_on_to_a_new_owner_is_among_the_mails(desk: Desk) -> None:  # E8
    case = desk.open_case(severity=H)
    escalate(NOON + 13 * HOUR)
    version = sooner(desk, NOON + 13 * HOUR)
    handing_on.hand_over(case.pk, desk.manager, NOON + 14 * HOUR, owner=desk.l3, reason="Knows it")
    (preview,) = moves_all(desk, version, NOON + 14 * HOUR).listed
    assert [(letter.template, letter.to.address) for letter in preview.letters] == [
        ("question_inherited", desk.l3.email)
    ]
    escalate(NOON + 14 * HOUR)
    assert Mail.objects.get(template="question_inherited").to_address == desk.l3.email


def test_points_that_are_due_without_the_move_as_well_are_told_apart(desk: Desk) -> None:  # E10
    desk.open_case(severity=H)
    version = next_version(desk, NOON + MINUTE, high_2={"after": 13 * HOUR})
    (preview,) = rehearse(select_cases(version, Selection()), version, NOON + 14 * HOUR).listed
    assert names(preview) == (["High 1", "High 2"], [])
    assert preview.due_anyway == {"High 1"}


def test_the_totals_are_of_all_cases_and_the_list_of_those_with_the_most_consequences(desk: Desk) -> None:  # S2
    late = desk.open_case(severity=H)
    for minute in range(LISTED + 5):
        desk.open_case(NOON + 6 * HOUR + minute * MINUTE, severity=L)
    version = next_version(desk, NOON + 9 * HOUR, high_1={"after": 6 * HOUR}, low={"base_interval": 23 * HOUR})
    rehearsal = rehearse(select_cases(version, Selection()), version, NOON + 10 * HOUR)
    assert (rehearsal.totals["cases"], len(rehearsal.listed), rehearsal.unlisted) == (LISTED + 6, LISTED, 6)
    assert rehearsal.listed[0].case == late
    assert rehearsal.totals["cadence"] == LISTED + 6


# --- the move ---------------------------------------------------------------------------------------------------


def test_a_move_is_on_record_and_in_the_history_and_makes_the_case_due_for_a_look(desk: Desk) -> None:  # E10, C5
    case = desk.open_case(severity=H)
    version = sooner(desk, NOON + MINUTE)
    moves_all(desk, version, NOON + 2 * HOUR)
    row = ScheduleMove.objects.get()
    assert (row.case, row.version, row.at, row.by, row.reason) == (
        case, version, NOON + 2 * HOUR, desk.manager, "The new contract",
    )  # fmt: skip
    change = case.history.latest()
    assert (change.last_move, change.history_user, change.history_date) == (Move.MOVED, desk.manager, row.at)
    assert change.history_change_reason == "From version 1 to version 2 of the schedule: The new contract"
    moved = reload(case)
    assert (moved.escalation_check_at, moved.sla_check_at, moved.changed_at) == (row.at, row.at, row.at)
    assert (moved.status, moved.owner, moved.update_cadence) == (case.status, desk.technician, {})


def test_moved_twice_is_moved_once(desk: Desk) -> None:  # E10
    desk.open_case(severity=H)
    version = sooner(desk, NOON + MINUTE)
    seen = rehearse(select_cases(version, Selection()), version, NOON + HOUR).signed
    first = roll_out(seen, version.pk, desk.manager, NOON + HOUR, reason="Once")
    second = roll_out(seen, version.pk, desk.manager, NOON + HOUR, reason="Once")
    assert (first.moved, first.already) == (1, 0)
    assert (second.moved, second.already, second.left) == (0, 1, [])
    assert ScheduleMove.objects.count() == 1
    assert Case.history.filter(last_move=Move.MOVED).count() == 1


@pytest.mark.parametrize("who", ["technician", "l3", "account_manager", "customer_engineer", "csm", "director", "coo"])
def test_only_who_may_edit_the_schedule_moves_cases(desk: Desk, who: str) -> None:  # A1
    desk.open_case(severity=H)
    version = sooner(desk, NOON + MINUTE)
    seen = rehearse(select_cases(version, Selection()), version, NOON + HOUR).signed
    with pytest.raises(NotAllowed):
        roll_out(seen, version.pk, getattr(desk, who), NOON + HOUR, reason="I want to")
    assert ScheduleMove.objects.count() == 0


def test_a_move_needs_a_reason_and_a_version_in_force(desk: Desk) -> None:  # S4
    desk.open_case(severity=H)
    version = sooner(desk, NOON + MINUTE)
    seen = rehearse(select_cases(version, Selection()), version, NOON + HOUR).signed
    with pytest.raises(Refused, match="Say why the cases are moved"):
        roll_out(seen, version.pk, desk.manager, NOON + HOUR, reason="  ")
    draft = draft_next_version(desk.manager)
    with pytest.raises(Refused, match="Version 3 is a draft; put it in force before cases are moved to it"):
        roll_out(seen, draft.pk, desk.manager, NOON + HOUR, reason="Why not")
    assert ScheduleMove.objects.count() == 0


MEANWHILE: list[tuple[Act, str]] = [
    (_resolve, "was resolved meanwhile."),
    (_becomes(C), "is Critical now."),
    (_ask, "waits for the customer now."),
    (_sweep, "has other points that come due."),
]


@pytest.mark.parametrize(("act", "said"), MEANWHILE)
def test_what_changed_since_it_was_shown_is_said_and_nothing_is_moved(desk: Desk, act: Act, said: str) -> None:
    case, other = desk.open_case(severity=H), desk.open_case(NOON + 8 * HOUR, severity=H)
    version = sooner(desk, NOON + 9 * HOUR)
    seen = rehearse(select_cases(version, Selection()), version, NOON + 13 * HOUR).signed
    act(case, desk, NOON + 13 * HOUR)
    with pytest.raises(PreviewOutdated) as changed:
        roll_out(seen, version.pk, desk.manager, NOON + 13 * HOUR, reason="As shown")
    assert changed.value.sentences == [f"{case.number} {said}"]
    assert ScheduleMove.objects.count() == 0

    moved = roll_out(seen, version.pk, desk.manager, NOON + 13 * HOUR, reason="The others", leave_changed=True)
    assert (moved.moved, moved.left) == (1, [f"{case.number} {said}"])
    assert ScheduleMove.objects.get().case == other


def test_time_that_made_another_point_due_is_a_change_as_well(desk: Desk) -> None:  # E10
    case = desk.open_case(severity=H)
    version = sooner(desk, NOON + MINUTE)
    seen = rehearse([case.pk], version, NOON + 6 * HOUR - MINUTE).signed
    with pytest.raises(PreviewOutdated, match="Something has changed"):
        roll_out(seen, version.pk, desk.manager, NOON + 6 * HOUR, reason="Too late")


def test_a_case_that_was_opened_or_reopened_meanwhile_is_not_moved_unseen(desk: Desk) -> None:  # E10
    case = desk.open_case(severity=H)
    late = desk.open_case(severity=H)
    _resolve(late, desk, NOON + HOUR)
    version = sooner(desk, NOON + MINUTE)
    seen = rehearse(select_cases(version, Selection()), version, NOON + 2 * HOUR).signed
    _reopen(late, desk, NOON + 2 * HOUR)
    roll_out(seen, version.pk, desk.manager, NOON + 2 * HOUR, reason="As shown")
    assert [row.case for row in ScheduleMove.objects.all()] == [case]


def test_progress_says_how_many_the_sweep_has_carried_out(desk: Desk) -> None:  # E10
    for _ in range(3):
        desk.open_case(severity=H)
    desk.open_case(severity=L)
    version = sooner(desk, NOON + MINUTE)
    at = NOON + 7 * HOUR
    moves_all(desk, version, at)
    before = rollout_progress(version, at)
    assert (before.moved, before.carried_out, before.to_come, before.points) == (4, 0, 4, 0)
    escalate(at + MINUTE)
    after = rollout_progress(version, at)
    assert (after.moved, after.carried_out, after.to_come, after.points) == (4, 4, 0, 3)
    assert {row.number for row in after.brought} == {1}


def test_a_case_that_the_sweep_had_to_set_aside_is_not_called_carried_out(desk: Desk) -> None:  # S2
    case = desk.open_case(severity=H)
    version = sooner(desk, NOON + MINUTE)
    at = NOON + 7 * HOUR
    moves_all(desk, version, at)
    case.history.all().delete()
    escalate(at)
    told = rollout_progress(version, at)
    assert (told.carried_out, told.set_aside, told.to_come) == (0, 1, 0)


def test_the_clock_panel_reads_the_version_the_case_was_moved_to(desk: Desk) -> None:  # E3, E10
    case = desk.open_case(severity=H)
    version = next_version(desk, NOON + MINUTE, high_1={"after": 6 * HOUR}, high={"base_interval": 3 * HOUR})
    moves_all(desk, version, NOON + 2 * HOUR)
    standing = escalation_panel(Case.objects.get(pk=case.pk), desk.manager, NOON + 3 * HOUR).context["standing"]
    assert standing.schedule_version == 2
    clocks = promises_panel(Case.objects.get(pk=case.pk), desk.manager, NOON + 3 * HOUR).context["clocks"]
    assert [(clock.who, clock.every) for clock in clocks] == [("Customer", "3 h")]
    assert (standing.lines[0].after, standing.lines[0].due_at) == ("6 h", NOON + 6 * HOUR)
    assert [line.moved for line in standing.spans] == ["", "moved to version 2"]
    earlier = escalation_panel(Case.objects.get(pk=case.pk), desk.manager, NOON + HOUR).context["standing"]
    assert (earlier.schedule_version, earlier.lines[0].due_at) == (1, NOON + 12 * HOUR)


# --- size -------------------------------------------------------------------------------------------------------


def many_cases(desk: Desk, count: int) -> None:
    """Cases as the import writes them: rows of cases and of their history."""
    one = desk.open_case(severity=H)
    Case.objects.bulk_create(
        Case(company=one.company, contact=one.contact, owner=one.owner, severity=H, opened_at=NOON, changed_at=NOON)
        for _ in range(count - 1)
    )
    row = one.history.get()
    history = type(row)
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    del values["history_id"]
    fresh = Case.objects.exclude(pk=one.pk).values_list("pk", flat=True)
    history.objects.bulk_create(history(**values | {"id": pk}) for pk in fresh)


@pytest.mark.slow
def test_two_thousand_cases_cost_the_same_queries_for_each_batch(desk: Desk) -> None:  # S2
    many_cases(desk, 2_000)
    version = sooner(desk, NOON + MINUTE)
    ids = select_cases(version, Selection())
    assert len(ids) == 2_000
    at = NOON + 7 * HOUR
    rehearse(ids[:1], version, at)  # the versions in force are read once a process
    cost = {count: queries_of(lambda count=count: rehearse(ids[:count], version, at)) for count in (500, 1_000)}
    assert cost[1_000] - cost[500] == 6
    rehearsals: list[Rehearsal] = []
    assert queries_of(lambda: rehearsals.append(rehearse(ids, version, at))) == cost[500] + 3 * 6
    seen = rehearsals[0].signed
    moved = queries_of(lambda: roll_out({pk: seen[pk] for pk in ids[:500]}, version.pk, desk.manager, at, reason="A"))
    rest = queries_of(lambda: roll_out({pk: seen[pk] for pk in ids[500:]}, version.pk, desk.manager, at, reason="A"))
    assert rest <= 3 * moved
    assert ScheduleMove.objects.count() == Case.history.filter(last_move=Move.MOVED).count() == 2_000
    assert not movable_cases(version).exists()
    escalate(at)
    assert rollout_progress(version, at).carried_out == 2_000
    assert Escalation.objects.filter(carried_out=True).count() == 2_000


# --- the pages --------------------------------------------------------------------------------------------------


def page_of(name: str, version: ScheduleVersion, query: str = "") -> str:
    return reverse(f"admin:escalations_scheduleversion_{name}", args=[version.pk]) + query


@pytest.fixture
def noon(time_machine) -> None:
    time_machine.move_to(NOON + 7 * HOUR, tick=False)


@pytest.mark.parametrize("who", ["technician", "csm", "coo", "account_manager", "customer_engineer"])
def test_the_pages_of_the_move_are_the_managers(desk: Desk, who: str, noon) -> None:  # A1
    desk.open_case(severity=H)
    version = sooner(desk, NOON + MINUTE)
    moves_all(desk, version, NOON + HOUR)
    client = signed_in(getattr(desk, who))
    addresses = [page_of(name, version) for name in ("move", "rehearsal")]
    for address in [*addresses, rollout_address(version, NOON + HOUR)]:
        assert client.get(address).status_code == 403
    assert client.post(page_of("carry_out", version), {"reason": "x", "seen": "y"}).status_code == 403
    shown = client.get(page_of("change", version)).content.decode()
    assert "Move open cases" not in shown


def test_looking_moves_nothing_and_moving_takes_a_post_with_its_form(desk: Desk, noon) -> None:  # A2
    desk.open_case(severity=H)
    version = sooner(desk, NOON + MINUTE)
    client = signed_in(desk.manager)
    for name in ("move", "rehearsal", "change"):
        assert client.get(page_of(name, version)).status_code == 200
    assert client.get(page_of("carry_out", version)).status_code == 405
    for name in ("move", "rehearsal"):
        assert client.post(page_of(name, version)).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(desk.manager)
    assert strict.post(page_of("carry_out", version), {"reason": "x"}).status_code == 403
    assert ScheduleMove.objects.count() == 0


def test_versions_and_moves_that_there_are_not_are_not_found(desk: Desk) -> None:  # A1
    client = signed_in(desk.manager)
    for name in ("move", "rehearsal", "carry_out"):
        for number in (99, 10**30):
            address = reverse(f"admin:escalations_scheduleversion_{name}", args=[number])
            assert (client.post if name == "carry_out" else client.get)(address).status_code == 404
    for stamp in (0, 5, 10**30):
        assert client.get(reverse("admin:escalations_scheduleversion_moved", args=[1, stamp])).status_code == 404


def test_a_draft_sends_the_manager_back_with_a_sentence(desk: Desk) -> None:  # S4
    draft = draft_next_version(desk.manager)
    answer = signed_in(desk.manager).get(page_of("rehearsal", draft), follow=True)
    said = [str(message) for message in answer.context["messages"]]
    assert said == ["Version 2 is a draft; put it in force before cases are moved to it."]


def test_when_nothing_is_to_move_the_page_says_so_kindly(desk: Desk) -> None:
    client = signed_in(desk.manager)
    assert "Nothing to move." in client.get(page_of("move", desk.schedule)).content.decode()
    assert "Nothing to move." in client.get(page_of("rehearsal", desk.schedule)).content.decode()
    assert "Every open case runs under this version." in client.get(page_of("change", desk.schedule)).content.decode()


@pytest.mark.parametrize("query", ["?severity=awful", "?version=x", "?company=999999", "?company=x", "?version=77"])
def test_an_odd_selection_is_asked_for_again(desk: Desk, query: str, noon) -> None:  # S4
    desk.open_case(severity=H)
    answer = signed_in(desk.manager).get(page_of("rehearsal", sooner(desk, NOON + MINUTE), query))
    assert answer.status_code == 422
    assert "choose again" in answer.content.decode()


def test_a_selection_is_rehearsed_and_moved_and_no_other_case(desk: Desk, noon) -> None:  # E10
    case, other = desk.open_case(severity=H), desk.open_case(severity=H, company=desk.other_company)
    version = sooner(desk, NOON + MINUTE)
    client, query = signed_in(desk.manager), f"?severity=high&company={desk.company.pk}"
    shown = client.get(page_of("rehearsal", version, query))
    assert case.number in shown.content.decode()
    assert other.number not in shown.content.decode()
    seen = shown.context_data["form"]["seen"].value()
    answer = client.post(page_of("carry_out", version, query), {"seen": seen, "reason": "As agreed"})
    assert (answer.status_code, answer.url) == (302, rollout_address(version, NOON + 7 * HOUR))
    assert [row.case for row in ScheduleMove.objects.all()] == [case]
    told = client.get(answer.url).content.decode()
    assert "0 of 1 carried out" in told
    escalate(NOON + 7 * HOUR)
    assert "All carried out." in client.get(answer.url).content.decode()
    again = client.post(page_of("carry_out", version, query), {"seen": seen, "reason": "As agreed"}, follow=True)
    said = [str(message) for message in again.context["messages"]]
    assert said == ["1 case is on version 2 already; nothing was moved twice."]
    assert again.redirect_chain == [(answer.url, 302)]
    assert ScheduleMove.objects.count() == 1


def test_cases_on_which_nothing_changes_are_one_line(desk: Desk, noon) -> None:  # E10
    changed = desk.open_case(severity=H)
    same = [desk.open_case(severity=L) for _ in range(2)]
    page = signed_in(desk.manager).get(page_of("rehearsal", sooner(desk, NOON + MINUTE)))
    assert [line["preview"].case for line in page.context_data["lines"]] == [changed]
    assert {preview.case for preview in page.context_data["unchanged"]} == set(same)
    shown = page.content.decode()
    assert shown.count("<summary>2 cases: nothing changes now</summary>") == 1
    assert all(case.number in shown for case in same)


def test_where_nothing_changes_there_is_no_table(desk: Desk, noon) -> None:  # E10
    desk.open_case(severity=L)
    shown = signed_in(desk.manager).get(page_of("rehearsal", sooner(desk, NOON + MINUTE))).content.decode()
    assert "<summary>1 case: nothing changes now</summary>" in shown
    assert "Due at once" not in shown


def test_the_fold_and_the_table_say_how_many_they_leave_out(desk: Desk, noon, monkeypatch) -> None:  # S2
    monkeypatch.setattr(rollout, "LISTED", 3)
    for severity in (H, H, L, L, L):
        desk.open_case(severity=severity)
    version, client = sooner(desk, NOON + MINUTE), signed_in(desk.manager)
    shown = client.get(page_of("rehearsal", version)).context_data
    assert (len(shown["lines"]), shown["more_lines"]) == (2, 0)
    assert (len(shown["unchanged"]), shown["more_unchanged"]) == (1, 2)


def test_without_a_reason_nothing_is_moved_and_the_page_says_so(desk: Desk, noon) -> None:  # S4
    desk.open_case(severity=H)
    version, client = sooner(desk, NOON + MINUTE), signed_in(desk.manager)
    seen = client.get(page_of("rehearsal", version)).context_data["form"]["seen"].value()
    answer = client.post(page_of("carry_out", version), {"seen": seen, "reason": " "})
    assert answer.status_code == 422
    assert "Say why the cases are moved." in answer.content.decode()
    assert ScheduleMove.objects.count() == 0


@pytest.mark.parametrize("seen", ["", "rubbish", "a:b:c"])
def test_what_no_page_showed_is_not_moved(desk: Desk, seen: str, noon) -> None:  # S4
    desk.open_case(severity=H)
    version = sooner(desk, NOON + MINUTE)
    answer = signed_in(desk.manager).post(page_of("carry_out", version), {"seen": seen, "reason": "Kept as typed"})
    assert answer.status_code == 409
    assert "could not be read back" in answer.content.decode()
    assert "Kept as typed" in answer.content.decode()
    assert ScheduleMove.objects.count() == 0


def test_a_change_meanwhile_is_shown_with_everything_anew_and_the_reason_is_kept(desk: Desk, noon) -> None:  # S4
    case, other = desk.open_case(severity=H), desk.open_case(severity=H)
    version, client = sooner(desk, NOON + MINUTE), signed_in(desk.manager)
    seen = client.get(page_of("rehearsal", version)).context_data["form"]["seen"].value()
    _resolve(case, desk, NOON + 7 * HOUR)
    answer = client.post(page_of("carry_out", version), {"seen": seen, "reason": "The new contract"})
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert f"{case.number} was resolved meanwhile." in shown
    assert 'value="The new contract"' in shown
    assert "Move 1 case to version 2" in shown
    assert ScheduleMove.objects.count() == 0
    fresh = answer.context_data["form"]["seen"].value()
    assert client.post(page_of("carry_out", version), {"seen": fresh, "reason": "Now"}).status_code == 302
    assert [row.case for row in ScheduleMove.objects.all()] == [other]


# --- a sweep at the same time -----------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(4))
def test_a_move_while_the_sweep_runs_loses_no_case_and_does_nothing_twice(settings, attempt: int) -> None:  # E6, S1
    settings.DESK_BATCH = 7
    desk = build_desk()
    cases = [desk.open_case(severity=H) for _ in range(40)]
    low = [desk.open_case(severity=L) for _ in range(20)]
    version = next_version(desk, NOON + MINUTE, high_1={"after": 6 * HOUR}, low_1={"after": 5 * HOUR, "cadence": {}})
    at = NOON + 7 * HOUR
    seen = rehearse(select_cases(version, Selection()), version, at).signed
    Case.objects.filter(pk__in=[case.pk for case in cases]).update(
        escalation_check_at=at
    )  # the sweep looks at them now
    results = []

    def moving() -> None:
        options = {"reason": "The new contract", "leave_changed": True}
        results.append(roll_out(seen, version.pk, desk.manager, at, **options))

    at_once(moving, lambda: escalate(at), moving, lambda: escalate(at + MINUTE))
    assert sum(one.moved for one in results) == ScheduleMove.objects.count() == len(cases) + len(low)
    assert [one.left for one in results] == [[], []]
    escalate(at + 2 * MINUTE)
    done = Escalation.objects.values_list("case_id", "severity", "number")
    assert sorted(done) == sorted([(case.pk, H, 1) for case in cases] + [(case.pk, L, 1) for case in low])
    assert Case.history.filter(last_move=Move.MOVED).count() == len(cases) + len(low)
    assert not Case.objects.filter(escalation_check_at__lte=at + 2 * MINUTE).exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_move_waits_for_a_sweep_that_holds_its_cases(settings) -> None:  # E10: none is lost
    desk = build_desk()
    case = desk.open_case(severity=H)
    version = sooner(desk, NOON + MINUTE)
    at = NOON + 7 * HOUR
    seen = rehearse([case.pk], version, at).signed
    held, moved = threading.Event(), threading.Event()

    def sweeping() -> None:
        with transaction.atomic():
            Case.objects.select_for_update().get(pk=case.pk)
            held.set()
            assert not moved.wait(0.5)

    def moving() -> None:
        held.wait()
        assert roll_out(seen, version.pk, desk.manager, at, reason="The new contract").moved == 1
        moved.set()

    at_once(sweeping, moving)
    assert reload(case).escalation_check_at == at


# --- a manager's afternoon in a real browser ----------------------------------------------------------------------


def picture(page: Page, name: str) -> None:
    """At both widths, light and dark, where DESK_SCREENSHOTS names a folder."""
    folder = os.environ.get("DESK_SCREENSHOTS")
    if not folder:
        return
    for width, scheme in ((1440, "light"), (1440, "dark"), (420, "light"), (420, "dark")):
        page.set_viewport_size({"width": width, "height": 1000})
        page.evaluate("scheme => document.documentElement.classList.toggle('dark', scheme === 'dark')", scheme)
        page.screenshot(path=Path(folder) / f"{name}-{width}-{scheme}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width}"
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.evaluate("document.documentElement.classList.remove('dark')")


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_manager_changes_the_schedule_and_moves_the_open_cases(browser: Browser, live_server) -> None:  # E10, S4
    desk, now = build_desk(), timezone.now()
    User.objects.filter(pk=desk.coo.pk).update(is_active=False)
    late = desk.open_case(now - 8 * HOUR, severity=H, title="Nobody can log in")
    fresh = desk.open_case(now - HOUR, severity=H, title="Slow report")
    waiting = desk.open_case(now - 20 * HOUR, severity=M, company=desk.other_company, title="Wrong total")
    transitions.ask_customer(
        waiting.pk, desk.technician, now - 19 * HOUR, question="Since when?", reason=WaitReason.CONFIRM
    )
    client = signed_in(desk.manager)
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, base_url=live_server.url)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()

    page.goto("/admin/escalations/scheduleversion/")
    page.get_by_role("button", name="Draft the next version").click()
    expect(page.get_by_text("Version 2 is a draft").first).to_be_visible()
    expect(page.get_by_text("Critical 3 writes to the Chief operating officer")).to_be_visible()
    page.locator("#id_note").fill("High cases are seen to sooner.")
    after = page.locator(f"#{_field_of(page, 'High', 2)}-after")
    after.fill("3 h")
    picture(page, "draft")
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.get_by_role("alert")).to_contain_text("High 2 comes no later than High 1; give it a longer time.")
    expect(page.locator(f"#{_field_of(page, 'High', 2)}-after")).to_have_value("3 h")
    expect(page.locator("#id_note")).to_have_value("High cases are seen to sooner.")
    picture(page, "refused")
    page.locator(f"#{_field_of(page, 'High', 1)}-after").fill("2 h")
    page.locator(f"#{_field_of(page, 'Medium', 1)}-every_customer").fill("5 min")
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.get_by_role("alert")).to_contain_text("Medium 1, Customer every: give 10 min or more")
    page.locator(f"#{_field_of(page, 'Medium', 1)}-every_customer").fill("4 h")
    page.get_by_role("button", name="Review and put in force").dblclick()
    expect(page.get_by_role("heading", name="What version 2 changes")).to_be_visible()
    expect(page.locator(".esc-changes").first.locator("li")).to_have_text(
        [
            "High 1: after 12 h → after 2 h",
            "High 2: after 36 h → after 3 h",
            "Medium 1: customer updated every 8 h → 4 h",
        ]
    )
    expect(page.get_by_text("3 open cases keep the version they run under")).to_be_visible()
    picture(page, "review")
    page.get_by_role("button", name="Put version 2 in force").click()
    expect(page.get_by_text("Say why the version is put in force.")).to_be_visible()
    page.get_by_label("Reason").fill("High cases are promised more.")
    page.get_by_role("button", name="Put version 2 in force").dblclick()
    expect(page.get_by_text("Version 2 is in force since")).to_be_visible()
    expect(page.get_by_text("Nothing was done twice")).to_have_count(0)
    expect(page.get_by_text("3 open cases run under other versions")).to_be_visible()
    picture(page, "in-force")
    page.goto("/admin/escalations/scheduleversion/")
    expect(page.get_by_text("High cases are promised more.")).to_be_visible()
    picture(page, "versions")
    page.go_back()

    page.get_by_role("link", name="Move open cases to this version").click()
    picture(page, "choose")
    page.get_by_label("High (2)").check()
    page.get_by_role("button", name="See what would happen").click()
    expect(page.get_by_text("Moving 2 open cases to version 2")).to_be_visible()
    row = page.locator("tr", has_text=late.title)
    expect(row).to_contain_text("High 1, High 2")
    expect(row).to_contain_text("tech → l3")
    expect(row).to_contain_text("csm@example.com")
    expect(page.locator("tr", has_text=fresh.title)).to_contain_text("nobody")
    expect(page.get_by_text(waiting.title)).to_have_count(0)
    picture(page, "rehearsal")
    assert ScheduleMove.objects.count() == 0

    transitions.start_work(fresh.pk, desk.technician, timezone.now())
    transitions.change_severity(fresh.pk, desk.technician, timezone.now(), severity=C, reason="It spreads")
    page.get_by_label("Reason").fill("The new contract")
    page.get_by_role("button", name="Move 2 cases to version 2").click()
    expect(page.get_by_text(f"{fresh.number} is Critical now.")).to_be_visible()
    expect(page.get_by_label("Reason")).to_have_value("The new contract")
    picture(page, "changed")
    assert ScheduleMove.objects.count() == 0
    page.get_by_role("button", name="Move 1 case to version 2").click()
    expect(page.get_by_text("0 of 1 carried out")).to_be_visible()
    picture(page, "moved")
    escalate(timezone.now())
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("All carried out.")).to_be_visible()
    expect(page.locator("tr", has_text="High 2")).to_contain_text(late.title)
    picture(page, "carried-out")
    assert [(row.case_id, row.reason) for row in ScheduleMove.objects.all()] == [(late.pk, "The new contract")]
    page.goto(late.get_absolute_url())
    open_row(page, "escalation")
    page.get_by_text("Why the clock shows this").click()
    expect(page.locator(".esc-panel").get_by_text("moved to version 2", exact=True)).to_be_visible()
    picture(page, "case")
    context.close()


def _field_of(page: Page, severity: str, number: int) -> str:
    """The prefix of the fields of a point: rows keep the order of severity and number."""
    prefixes = page.locator("select[id$='-severity']").evaluate_all(
        "all => all.map(one => [one.id, one.selectedOptions[0]?.label, document.getElementById("
        "one.id.replace('-severity', '-number')).value])"
    )
    return next(
        prefix.removesuffix("-severity") for prefix, label, its in prefixes if (label, its) == (severity, str(number))
    )
