"""Hand-over at the end of a centre's day (W3): the sheet, its line, acceptance, what nobody accepts, leaving early."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cases.enums import Channel, Direction, Move, Resolution, Severity, WaitReason
from cases.followup.apply import follow_up
from cases.guards import NotAllowed, Refused
from cases.models import Case, CaseWatcher, FollowUp
from cases.workflow import handing_on, transitions
from cases.workflow.contact_log import log_contact
from contacts.enums import Level
from contacts.models import OpeningSpan, SupportCentre, Technician, User
from escalations.clocks import load_clocks
from escalations.enums import HandoverState
from escalations.handover import apply, state
from escalations.handover.apply import accept, go_away, keep, reword, sweep_handovers
from escalations.models import Escalation, HandoverLine, HandoverSheet, SlaTarget
from escalations.points.apply import escalate
from escalations.sla.apply import keep_promises
from tests.support.builders import Desk, build_centre, build_technician, reload
from tests.support.outbox import Outbox
from tests.support.workers import at_once

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
#: Wednesday 3 June 2026: London works from 9 to 17 on its clocks, which is 8 to 16 in UTC.
ENDS = datetime(2026, 6, 3, 16, tzinfo=UTC)
BACK = datetime(2026, 6, 4, 8, tzinfo=UTC)
OPEN, ACCEPTED, KEPT, OVER = HandoverState


class World:
    """London, where the desk's people are, and New York, which is open when London's day ends."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        work(desk.centre)
        self.new_york = build_centre("New York", "US", "America/New_York")
        work(self.new_york)
        self.nina = build_technician(self.new_york, name="nina")

    def open_case(self, at: datetime = ENDS - 2 * HOUR, **fields: Any) -> Case:
        case = self.desk.open_case(at, actor=self.desk.technician, channel=Channel.EMAIL, **fields)
        if case.owner != self.desk.technician:
            handing_on.hand_over(case.pk, self.desk.manager, at, owner=self.desk.technician)
        tick(at, sheets=False)
        return reload(case)


def work(centre: SupportCentre, opens: int = 9, closes: int = 17) -> None:
    """Monday to Friday only."""
    centre.spans.all().delete()
    OpeningSpan.objects.bulk_create(
        OpeningSpan(centre=centre, weekday=day, opens=time(opens), closes=time(closes)) for day in range(5)
    )


def tick(now: datetime, sheets: bool = True) -> None:
    """What beat does each minute."""
    follow_up(now)
    escalate(now)
    keep_promises(now)
    if sheets:
        sweep_handovers(now)


@pytest.fixture
def world(desk: Desk) -> World:
    return World(desk)


def the_sheet() -> HandoverSheet:
    return HandoverSheet.objects.exclude(lines=None).get()


def states() -> dict[str, str]:
    return {line.case.number: line.state for line in HandoverLine.objects.select_related("case").order_by("pk")}


# --- the sheet --------------------------------------------------------------------------------------------------


def test_the_sheet_is_written_before_the_day_ends_and_goes_at_its_end(world: World):  # W3
    medium = world.open_case()  # an update every 8 h: at 22 h
    low = world.open_case(severity=Severity.LOW)  # after 24 h: the centre covers itself
    tick(ENDS - 31 * MINUTE)
    assert not HandoverSheet.objects.exists()
    outbox = Outbox()
    tick(ENDS - 30 * MINUTE)
    sheet, line = the_sheet(), HandoverLine.objects.get()
    assert (sheet.centre, sheet.to_centre, sheet.ends_at, sheet.back_at) == (
        world.desk.centre,
        world.new_york,
        ENDS,
        BACK,
    )
    assert (sheet.sent_at, line.case, line.owner, line.due_at) == (
        None,
        medium,
        world.desk.technician,
        medium.next_due_at,
    )
    assert line.language == "en"
    assert line.owed_moments[0] == ("Tell the customer where it stands", ENDS + 6 * HOUR)
    assert line.stands == (
        "Assigned. Help desk of Acme turned to us by email on Wed 3 Jun, 15:00 BST: “Nobody can print” "
        "Medium 1 comes on Fri 5 Jun, 15:00 BST."
    )
    assert outbox.new() == {}
    tick(ENDS)
    assert outbox.new() == {("handover_sheet", "nina"): 1}
    sheet.refresh_from_db()
    assert (sheet.sent_at, sheet.accept_by) == (ENDS, ENDS + 30 * MINUTE)
    assert reload(low).owner == world.desk.technician
    assert states() == {medium.number: OPEN}


def test_a_sweep_that_runs_again_and_again_does_it_once(world: World):  # W3, S1
    world.open_case()
    outbox = Outbox()
    for minutes in (-30, -30, -10, 0, 0, 1, 29):
        tick(ENDS + minutes * MINUTE)
    assert outbox.new() == {("handover_sheet", "nina"): 1}
    assert (HandoverSheet.objects.count(), HandoverLine.objects.count()) == (1, 1)  # New York's day goes on


def test_after_an_outage_the_sheet_goes_late_but_once(world: World):  # W3, S1
    case = world.open_case()
    outbox = Outbox()
    late = ENDS + 4 * HOUR
    tick(late)
    tick(late + MINUTE)
    assert ("handover_sheet", "nina") in outbox.new()
    sheet = the_sheet()
    assert (sheet.made_at, sheet.sent_at, sheet.accept_by) == (late, late, late + 30 * MINUTE)
    assert states() == {case.number: OPEN}


def test_an_outage_over_the_whole_night_hands_nothing_over(world: World):  # W3, S1
    world.open_case()
    tick(BACK + HOUR)
    assert not HandoverLine.objects.exists()


def test_what_its_owner_does_in_the_last_minutes_changes_what_goes(world: World):  # W3
    done, undone = (world.open_case(ENDS - 7 * HOUR - 50 * MINUTE) for _ in range(2))  # updates are due at 16:10 BST
    assert reload(done).next_due_at == ENDS + 10 * MINUTE
    late = world.open_case(ENDS - 8 * HOUR - 10 * MINUTE)
    resolved = world.open_case()
    tick(ENDS - 30 * MINUTE)
    assert set(states()) == {done.number, undone.number, resolved.number}
    transitions.resolve(
        resolved.pk, world.desk.technician, ENDS - 5 * MINUTE, resolution=Resolution.NOT_PURSUED, solution=""
    )
    tick(ENDS)
    assert states() == {done.number: OPEN, undone.number: OPEN, resolved.number: OVER, late.number: OPEN}


def test_a_deadline_that_no_sweep_has_reckoned_is_waited_for_but_not_for_ever(world: World):  # W3, E3
    low = world.open_case(severity=Severity.LOW)
    Case.objects.filter(pk=low.pk).recheck("sla", ENDS)
    sweep_handovers(ENDS)
    assert not HandoverLine.objects.exists()
    assert HandoverSheet.objects.get(centre=world.desk.centre).sent_at is None
    sweep_handovers(ENDS + 5 * MINUTE)
    assert states() == {low.number: OPEN}


def test_a_case_that_waits_for_its_customer_goes_only_if_its_plan_has_something_to_do(world: World):  # W3, F2
    soon, later = (world.open_case(ENDS - 2 * timedelta(days=1) + 5 * HOUR) for _ in range(2))
    transitions.ask_customer(
        soon.pk,
        world.desk.technician,
        ENDS - 2 * timedelta(days=1) + 6 * HOUR,
        question="Which printer?",
        reason=WaitReason.CONFIRM,
    )  # the notice after 48 h is due in the night
    transitions.ask_customer(
        later.pk, world.desk.technician, ENDS - HOUR, question="Which printer?", reason=WaitReason.CONFIRM
    )
    tick(ENDS - 30 * MINUTE)
    assert list(states()) == [soon.number]
    line = HandoverLine.objects.get()
    assert line.stands.startswith("Waits for the customer since Mon 1 Jun, 23:00 BST: “Which printer?”")
    assert [what for what, _ in line.owed_moments] == ["First notice (by itself)"]


def test_a_critical_case_goes_with_its_next_update(world: World):  # W3
    critical = world.open_case(ENDS - HOUR, severity=Severity.CRITICAL)
    tick(ENDS - 20 * MINUTE)
    assert states() == {critical.number: OPEN}
    assert HandoverLine.objects.get().severity == Severity.CRITICAL


def test_a_case_without_an_owner_or_of_a_manager_belongs_to_no_centre(world: World):  # W3
    case = world.open_case()
    Case.objects.filter(pk=case.pk).update(owner=None)
    tick(ENDS)
    assert not HandoverLine.objects.exists()


def test_a_case_that_cannot_be_read_is_handed_over_all_the_same(world: World, monkeypatch):  # S2
    good, bad = world.open_case(), world.open_case()
    real = apply.load_standings

    def fails(cases, *rest):
        if any(case.pk == bad.pk for case in cases):
            raise ZeroDivisionError
        return real(cases, *rest)

    monkeypatch.setattr(apply, "load_standings", fails)
    tick(ENDS)
    lines = {line.case_id: line.stands for line in HandoverLine.objects.all()}
    assert lines[bad.pk] == "Assigned. Read the case itself."
    assert lines[good.pk].startswith("Assigned. Help desk of Acme turned to us")


def test_opening_hours_that_change_meanwhile_leave_no_sheet_behind(world: World):  # W3
    case = world.open_case()
    tick(ENDS - 20 * MINUTE)
    work(world.desk.centre, closes=18)
    tick(ENDS + 11 * MINUTE)
    assert states() == {case.number: OVER}
    assert not HandoverSheet.objects.filter(centre=world.desk.centre, ends_at=ENDS, settled_at=None).exists()
    tick(ENDS + HOUR)
    assert sorted(line.state for line in HandoverLine.objects.all()) == [OPEN, OVER]


# --- nobody covers ----------------------------------------------------------------------------------------------


def test_with_nobody_on_duty_there_it_is_the_support_managers_at_once(world: World):  # W3, D5
    Technician.objects.filter(user=world.nina).update(on_duty=False)
    world.open_case()
    outbox = Outbox()
    tick(ENDS)
    assert outbox.new() == {("handover_not_accepted", "support_manager"): 1}
    assert the_sheet().is_managers(ENDS)


def test_with_every_centre_closed_it_is_the_support_managers_at_once(world: World):  # W3
    work(world.new_york, closes=11)  # to 15 in UTC
    world.open_case()
    outbox = Outbox()
    tick(ENDS)
    assert ("handover_not_accepted", "support_manager") in outbox.new()
    tick(ENDS + HOUR)
    assert ("handover_not_accepted", "support_manager") not in outbox.new()


def test_with_one_centre_only_nobody_covers(desk: Desk):  # W3
    work(desk.centre)
    desk.open_case(ENDS - 2 * HOUR, channel=Channel.EMAIL)
    outbox = Outbox()
    tick(ENDS)
    sheet = the_sheet()
    assert (sheet.to_centre, sheet.receiver, sheet.accept_by) == (None, "the Support Manager", ENDS)
    assert outbox.new()["handover_not_accepted", "support_manager"] == 1


def test_what_nobody_accepts_in_half_an_hour_is_the_support_managers(world: World):  # W3
    world.open_case()
    tick(ENDS)
    outbox = Outbox()
    tick(ENDS + 29 * MINUTE)
    assert outbox.new() == {}
    tick(ENDS + 30 * MINUTE)
    tick(ENDS + 31 * MINUTE)
    assert outbox.new() == {("handover_not_accepted", "support_manager"): 1}


def test_when_the_centre_works_again_nobody_has_to_accept_any_more(world: World):  # W3
    case = world.open_case()
    tick(ENDS)
    tick(BACK)
    assert states() == {case.number: OVER}
    assert the_sheet().settled_at == BACK
    with pytest.raises(Refused, match="Nothing is left to accept"):
        accept(the_sheet().pk, world.nina, BACK + MINUTE)


# --- accepting --------------------------------------------------------------------------------------------------


def test_whoever_accepts_owns_the_case_and_the_history_says_how(world: World):  # W3, C8, C5
    case = world.open_case()
    tick(ENDS)
    outbox = Outbox()
    done = accept(the_sheet().pk, world.nina, ENDS + 5 * MINUTE)
    case = reload(case)
    assert (done.given, case.owner, case.last_move) == (1, world.nina, Move.TAKEN_OVER)
    row = case.last_history_row()
    assert row.history_user == world.nina
    assert row.history_change_reason.startswith("tech to nina: Handed over from London to New York. Assigned.")
    assert [one.user for one in CaseWatcher.objects.filter(case=case)] == [world.desk.technician]
    line = HandoverLine.objects.get()
    assert (line.state, line.accepted_by, line.new_owner, line.state_at) == (
        ACCEPTED,
        world.nina,
        world.nina,
        ENDS + 5 * MINUTE,
    )
    assert the_sheet().settled_at == ENDS + 5 * MINUTE
    assert outbox.new() == {}
    tick(ENDS + 31 * MINUTE)
    assert outbox.new() == {}


def test_one_case_is_accepted_and_the_others_stay(world: World):  # W3
    first, second = world.open_case(), world.open_case()
    tick(ENDS)
    accept(the_sheet().pk, world.nina, ENDS, lines=[HandoverLine.objects.get(case=second).pk])
    assert states() == {first.number: OPEN, second.number: ACCEPTED}
    assert the_sheet().settled_at is None


def test_it_can_be_accepted_before_the_day_ends(world: World):  # W3
    case = world.open_case()
    tick(ENDS - 20 * MINUTE)
    accept(the_sheet().pk, world.nina, ENDS - 10 * MINUTE)
    outbox = Outbox()
    tick(ENDS)
    assert (outbox.new(), states(), reload(case).owner) == ({}, {case.number: ACCEPTED}, world.nina)


def test_the_second_who_accepts_is_told_who_was_first(world: World):  # W3, E6
    world.open_case()
    tick(ENDS)
    other = build_technician(world.new_york, name="otto")
    accept(the_sheet().pk, world.nina, ENDS)
    with pytest.raises(Refused, match="nina has accepted"):
        accept(the_sheet().pk, other, ENDS)


def test_the_giver_does_not_accept_their_own_cases(world: World):  # W3
    world.open_case()
    tick(ENDS)
    with pytest.raises(Refused, match="your own cases"):
        accept(the_sheet().pk, world.desk.technician, ENDS)


def test_the_case_of_an_l3_goes_to_an_l3_on_duty(world: World):  # W3, E7
    deep, shallow = world.open_case(), world.open_case()
    handing_on.hand_over(deep.pk, world.desk.manager, ENDS - HOUR, owner=world.desk.l3)
    l3 = build_technician(world.new_york, Level.L3, "lou")
    tick(ENDS - HOUR)
    tick(ENDS)
    outbox = Outbox()
    accept(the_sheet().pk, world.nina, ENDS)
    assert (reload(deep).owner, reload(shallow).owner) == (l3, world.nina)
    assert outbox.new() == {("reassigned", "lou"): 1}


def test_with_no_other_l3_on_duty_whoever_accepts_takes_it(world: World):  # W3, E7
    deep = world.open_case()
    handing_on.hand_over(deep.pk, world.desk.manager, ENDS - HOUR, owner=world.desk.l3)
    tick(ENDS - HOUR)
    tick(ENDS)
    accept(the_sheet().pk, world.nina, ENDS)
    assert reload(deep).owner == world.nina


def test_what_a_support_manager_accepts_goes_to_who_is_on_duty_there(world: World):  # W3, C6
    cases = [world.open_case() for _ in range(2)]
    other = build_technician(world.new_york, name="otto")
    tick(ENDS)
    done = accept(the_sheet().pk, world.desk.manager, ENDS + HOUR)
    assert {reload(case).owner for case in cases} == {world.nina, other}
    assert done.given == 2
    assert {line.accepted_by for line in HandoverLine.objects.all()} == {world.desk.manager}


def test_a_case_that_somebody_took_meanwhile_is_left(world: World):  # W3, C8
    case, other = world.open_case(), world.open_case()
    tick(ENDS)
    taker = build_technician(world.new_york, name="otto")
    handing_on.take_over(case.pk, taker, ENDS)
    done = accept(the_sheet().pk, world.nina, ENDS)
    assert (done.given, list(done.left)) == (1, [case.number])
    assert states() == {case.number: OVER, other.number: ACCEPTED}


def test_who_may_not_work_cases_accepts_nothing(world: World):  # A1
    world.open_case()
    tick(ENDS)
    for person in (world.desk.account_manager, world.desk.csm, world.desk.coo):
        with pytest.raises(NotAllowed):
            accept(the_sheet().pk, person, ENDS)


# --- keeping and rewording --------------------------------------------------------------------------------------


def test_its_owner_keeps_a_case_and_it_does_not_go(world: World):  # W3
    case = world.open_case()
    tick(ENDS - 20 * MINUTE)
    keep(HandoverLine.objects.get().pk, world.desk.technician, ENDS - 10 * MINUTE)
    outbox = Outbox()
    tick(ENDS)
    tick(ENDS + HOUR)
    assert (states(), outbox.new(), reload(case).owner) == ({case.number: KEPT}, {}, world.desk.technician)


def test_its_owner_rewords_the_line_before_it_goes(world: World):  # W3
    world.open_case()
    tick(ENDS - 20 * MINUTE)
    key = HandoverLine.objects.get().pk
    reword(key, world.desk.technician, ENDS - 10 * MINUTE, " They expect a\ncall at 19:00. ")
    tick(ENDS)
    line = HandoverLine.objects.get()
    assert (line.stands, line.edited_by) == ("They expect a call at 19:00.", world.desk.technician)
    for text, sentence in (("  ", "Say in a line"), ("x" * 1_001, "at most 1,000")):
        with pytest.raises(Refused, match=sentence):
            reword(key, world.desk.technician, ENDS, text)


@pytest.mark.parametrize("move", [keep, lambda key, who, now: reword(key, who, now, "Mine")])
def test_a_colleague_neither_keeps_nor_rewords_it(world: World, move: Callable[..., Any]):  # W3, A1
    world.open_case()
    tick(ENDS - 20 * MINUTE)
    with pytest.raises(NotAllowed, match="tech's"):
        move(HandoverLine.objects.get().pk, world.nina, ENDS)
    move(HandoverLine.objects.get().pk, world.desk.manager, ENDS)


# --- leaving early ----------------------------------------------------------------------------------------------


def test_whoever_leaves_early_hands_over_to_colleagues_who_are_there(world: World):  # W3
    tina = build_technician(world.desk.centre, name="tina")
    case, low = world.open_case(), world.open_case(severity=Severity.LOW)
    outbox, leaves = Outbox(), ENDS - HOUR
    sheet = go_away(world.desk.technician, leaves)
    assert sheet is not None
    assert (sheet.giver, sheet.to_centre, sheet.sent_at, sheet.back_at) == (
        "tech (London)",
        world.desk.centre,
        leaves,
        BACK,
    )
    assert outbox.new() == {("handover_sheet", "tina"): 1, ("handover_sheet", "l3"): 1}
    assert not Technician.objects.get(user=world.desk.technician).on_duty
    accept(sheet.pk, tina, leaves + MINUTE)
    assert (reload(case).owner, reload(low).owner) == (tina, world.desk.technician)


def test_alone_in_their_centre_they_hand_over_to_the_one_that_covers(world: World):  # W3
    Technician.objects.filter(user=world.desk.l3).update(on_duty=False)
    world.open_case()
    sheet = go_away(world.desk.technician, ENDS - HOUR)
    assert sheet is not None
    assert sheet.to_centre == world.new_york


def test_with_nothing_due_until_they_are_back_they_keep_their_cases(world: World):  # W3
    world.open_case(severity=Severity.LOW)
    outbox = Outbox()
    assert go_away(world.desk.technician, ENDS - HOUR) is None
    assert not Technician.objects.get(user=world.desk.technician).on_duty
    assert outbox.new() == {}


def test_what_colleagues_did_not_accept_goes_on_with_the_centre_at_the_end_of_its_day(world: World):  # W3
    case = world.open_case()
    go_away(world.desk.technician, ENDS - HOUR)
    tick(ENDS - HOUR + MINUTE)
    tick(ENDS - 30 * MINUTE)
    tick(ENDS)
    lines = HandoverLine.objects.filter(case=case).order_by("pk")
    assert [(line.state, line.sheet.receiver) for line in lines] == [(OVER, "London"), (OPEN, "New York")]


def test_only_a_technician_hands_over(world: World):  # A1
    for person in (world.desk.account_manager, world.desk.manager):
        with pytest.raises(NotAllowed):
            go_away(person, ENDS)


# --- what does not notice ---------------------------------------------------------------------------------------


def clocks_of(case: Case, now: datetime) -> list[Any]:
    """Everything that is promised, was carried out and comes next on a case."""
    case = reload(case)
    clock = load_clocks([case])[case.pk]
    upcoming = clock.upcoming(now)
    return [
        list(
            SlaTarget.objects.filter(case=case)
            .order_by("due_at", "kind", "member")
            .values_list("kind", "member", "since", "due_at", "outcome", "ended_at")
        ),
        list(
            Escalation.objects.filter(case=case)
            .order_by("due_at")
            .values_list("run", "severity", "number", "due_at", "done_at")
        ),
        list(FollowUp.objects.filter(case=case).order_by("pk").values_list("episode", "step", "due_at", "done_at")),
        (case.status, case.severity, case.wait_episode, case.waiting_since, case.update_cadence),
        (case.sla_check_at, case.escalation_check_at, case.follow_up_check_at, case.next_due_at),
        (clock.reading(now), upcoming.due_at if upcoming else None),
    ]


STEPS = st.lists(
    st.tuples(st.sampled_from(("start", "ask", "answer", "write", "severity")), st.integers(1, 600)), max_size=5
)


@pytest.mark.slow
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=12,
    phases=[Phase.explicit, Phase.generate],
)
@given(STEPS, st.sampled_from(Severity), st.integers(1, 300), st.lists(st.integers(1, 400), min_size=1, max_size=4))
def test_neither_the_clock_nor_the_promises_notice(world: World, steps, severity, opened, looks):  # W3
    """Whatever the life of a case: accepted or not, the same is promised, done and due."""
    with transaction.atomic():
        case = world.open_case(ENDS - opened * HOUR / 10, severity=severity)
        now = ENDS - opened * HOUR / 10
        for name, minutes in steps:
            now = min(now + minutes * MINUTE, ENDS - MINUTE)
            live(world, case, name, now)
            tick(now)
        tick(ENDS)
        lives = []
        for accepted in (False, True):
            with transaction.atomic():
                at = ENDS + 10 * MINUTE
                line = HandoverLine.objects.filter(state=OPEN).first()
                if accepted and line is not None:
                    accept(line.sheet_id, world.nina, at)
                tick(at, sheets=False)
                seen = [clocks_of(case, at)]
                for minutes in looks:
                    at += minutes * MINUTE
                    tick(at, sheets=False)
                    seen.append(clocks_of(case, at))
                lives.append(seen)
                transaction.set_rollback(True)
        transaction.set_rollback(True)
    assert lives[0] == lives[1]


def live(world: World, case: Case, name: str, now: datetime) -> None:
    """One step of a case's life, if it can be made."""
    person = world.desk.technician
    try:
        with transaction.atomic():
            if name == "start":
                transitions.start_work(case.pk, person, now)
            elif name == "ask":
                transitions.ask_customer(case.pk, person, now, question="Which?", reason=WaitReason.INFORMATION)
            elif name == "answer":
                log_contact(case.pk, person, now, channel=Channel.PHONE, direction=Direction.IN, body="This one.")
            elif name == "write":
                log_contact(
                    case.pk, person, now, channel=Channel.EMAIL, direction=Direction.OUT, body="We look.", send=True
                )
            else:
                worse = Severity.HIGH if reload(case).severity != Severity.HIGH else Severity.MEDIUM
                transitions.change_severity(case.pk, person, now, severity=worse, reason="So it is.")
    except Refused:
        pass


def test_reading_a_sheet_costs_the_same_for_two_cases_and_for_twenty(world: World):  # W3
    costs = []
    for number in (2, 18):
        for _ in range(number):
            world.open_case()
        cases = list(Case.objects.open())
        with CaptureQueriesContext(connection) as queries:
            list(state.load_standings(cases, ENDS, "Europe/London", False))
        costs.append(len(queries))
    assert costs[0] == costs[1]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_ten_workers_write_one_sheet_and_hand_it_over_once(desk: Desk):  # W3, E6
    world = World(desk)
    cases = [world.open_case() for _ in range(3)]
    outbox = Outbox()
    at_once(*[lambda: sweep_handovers(ENDS) for _ in range(6)])
    assert outbox.new() == {("handover_sheet", "nina"): 1}
    assert set(states()) == {case.number for case in cases}
    others = [build_technician(world.new_york, name=f"otto{number}") for number in range(3)]
    results: list[User] = []

    def take(person: User) -> None:
        try:
            if accept(the_sheet().pk, person, ENDS).given:
                results.append(person)
        except Refused:
            pass

    at_once(*[lambda person=person: take(person) for person in [world.nina, *others]])
    assert len(results) == 1
    assert {reload(case).owner for case in cases} == set(results)
