"""Following up on a wait on a real database: F2's life with exact mails, and what an outage does to it (F7)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases.engine.sweep import Swept
from cases.enums import Channel, Direction, MailStatus, Move, Resolution, Severity, Status, WaitReason
from cases.followup.apply import follow_up
from cases.mail.reasons import stale_reason
from cases.models import Case, FailedCase, FollowUp, Mail
from cases.policy.followup.pending_client_action import PENDING_STEPS
from cases.workflow import contact_log, transitions
from contacts.models import Contact, User
from tests.support.builders import NOON, Desk, reload
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
CUSTOMER = "desk@acme.example.com"
FIRST, SECOND, FINAL, RESOLVE = PENDING_STEPS


def waiting_case(desk: Desk, minutes: float = 0, **fields) -> Case:
    """A case that waits for its customer from `minutes` after NOON, asked by phone."""
    start = NOON + minutes * MINUTE
    case = desk.open_case(start, **fields)
    return transitions.ask_customer(
        case.pk,
        desk.technician,
        start,
        question="Which floor?",
        reason=WaitReason.CANNOT_NOW,
        send=False,
        channel=Channel.PHONE,
    )


def leaves(hours: float) -> None:
    """Mark what is queued as sent."""
    Mail.objects.filter(status=MailStatus.QUEUED).update(status=MailStatus.SENT, sent_at=NOON + hours * HOUR)


def sweep(hours: float) -> Swept:
    return follow_up(NOON + hours * HOUR)


def ledger(case: Case) -> list[tuple[str, float, float, bool]]:
    """(step, hours until due, hours until done, superseded) of each row."""
    return [
        (row.step, (row.due_at - NOON) / HOUR, (row.done_at - NOON) / HOUR, row.superseded)
        for row in FollowUp.objects.filter(case=case).order_by("due_at")
    ]


def test_a_customer_who_does_not_answer_gets_three_notices_and_the_case_closes_after_seven_days(desk: Desk) -> None:
    # F2, C4, C5
    case, outbox = waiting_case(desk), Outbox()
    for hours, template in ((48, "notice_1"), (96, "notice_2"), (144, "notice_final"), (168, "closed_no_response")):
        sweep(hours - 0.01)
        assert outbox.letters() == []
        assert reload(case).status == Status.WAITING
        assert reload(case).follow_up_check_at == NOON + hours * HOUR
        assert sweep(hours).acted_on == 1
        assert outbox.letters() == [(template, CUSTOMER)]
        leaves(hours)
    after = reload(case)
    assert (after.status, after.resolution, after.resolved_at) == (
        Status.RESOLVED,
        Resolution.NO_RESPONSE,
        NOON + 168 * HOUR,
    )
    assert (after.waiting_since, after.follow_up_check_at) == (None, None)
    assert ledger(case) == [
        ("notice-1", 48, 48, False),
        ("notice-2", 96, 96, False),
        ("final", 144, 144, False),
        ("resolve", 168, 168, False),
    ]
    changes = list(case.history.order_by("history_date", "history_id").values_list("last_move", "history_user"))
    assert changes[2:] == [(Move.FOLLOWED_UP, None)] * 3 + [(Move.RESOLVED, None)]
    row = case.history.latest("history_date")
    assert (row.status, row.history_date) == (Status.RESOLVED, NOON + 168 * HOUR)
    assert row.history_change_reason == "No response from the customer."
    assert sweep(1_000).looked_at == 0
    assert outbox.letters() == []


def test_the_final_notice_says_when_the_case_closes_and_the_ledger_holds_its_mail(desk: Desk) -> None:  # F2, M4
    case = waiting_case(desk)
    for hours in (48, 96, 144):
        sweep(hours)
    final = FollowUp.objects.get(case=case, step=FINAL)
    assert final.mail is not None
    assert final.mail.template == "notice_final"
    assert final.mail.facts["closes_at"] == (NOON + 168 * HOUR).isoformat()
    assert final.mail.facts["question"] == "Which floor?"


def test_a_notice_changes_no_status_owner_or_severity(desk: Desk) -> None:
    case = waiting_case(desk)
    before = reload(case)
    sweep(48)
    after = reload(case)
    assert (after.status, after.owner, after.severity, after.wait_episode) == (
        before.status,
        before.owner,
        before.severity,
        before.wait_episode,
    )
    assert after.waiting_since == NOON


@pytest.mark.parametrize("answered_at", [48, 60, 100, 150, 167.9])
def test_an_answer_ends_the_plan_at_once_and_what_is_queued_is_no_longer_true(desk: Desk, answered_at) -> None:
    # F6, M1
    case, outbox = waiting_case(desk), Outbox()
    for hours in (48, 96, 144):
        if hours <= answered_at:
            sweep(hours)
    outbox.letters()
    contact_log.log_contact(
        case.pk,
        desk.technician,
        NOON + answered_at * HOUR,
        channel=Channel.PHONE,
        direction=Direction.IN,
        body="Third floor.",
    )
    for hours in (answered_at, 168, 200, 1_000):
        assert sweep(hours).looked_at == 0
    assert outbox.letters() == []
    assert reload(case).status == Status.IN_PROGRESS
    notices = Mail.objects.filter(template__startswith="notice")
    assert notices
    assert all("no longer waits" in stale_reason(mail, NOON) for mail in notices)


def test_a_new_question_starts_the_notices_from_zero_with_a_ledger_of_its_own(desk: Desk) -> None:  # C5, F6
    case, outbox = waiting_case(desk), Outbox()
    sweep(48)
    transitions.ask_customer(
        case.pk,
        desk.technician,
        NOON + 50 * HOUR,
        question="And?",
        reason=WaitReason.CONFIRM,
        send=False,
        channel=Channel.PHONE,
    )
    old = Mail.objects.get(template="notice_1")
    assert "newer question" in stale_reason(old, NOON)
    for hours in (50, 96, 97.9):
        assert sweep(hours).acted_on == 0
    assert sweep(98).acted_on == 1
    assert outbox.letters() == [("notice_1", CUSTOMER)] * 2
    assert list(FollowUp.objects.order_by("due_at").values_list("episode", "step")) == [(1, FIRST), (2, FIRST)]
    assert reload(case).follow_up_check_at == NOON + (50 + 96) * HOUR


@pytest.mark.parametrize("status", [MailStatus.QUEUED, MailStatus.FAILED, MailStatus.BOUNCED])
def test_a_case_never_closes_while_its_final_notice_has_not_left(desk: Desk, status: MailStatus) -> None:  # F2, F7
    case, outbox = waiting_case(desk), Outbox()
    for hours in (48, 96, 144):
        sweep(hours)
    outbox.letters()
    left_first = NOON + 144 * HOUR if status == MailStatus.BOUNCED else None  # it left, and came back
    Mail.objects.update(status=status, sent_at=left_first)
    for hours in (168, 200, 400, 1_000):
        assert sweep(hours).acted_on == (status != MailStatus.QUEUED)
        # of what did not reach them the Support Manager is told (F2)
        assert outbox.letters() == [("wait_held_up", "support_manager@example.com")] * (status != MailStatus.QUEUED)
        assert reload(case).status == Status.WAITING
        assert reload(case).follow_up_check_at > NOON + hours * HOUR
    leaves(1_001)
    Mail.objects.filter(template="notice_final").update(status=MailStatus.SENT, sent_at=NOON + 1_001 * HOUR)
    sweep(1_002)
    assert reload(case).follow_up_check_at == NOON + 1_025 * HOUR
    assert sweep(1_024.9).acted_on == 0
    assert sweep(1_025).acted_on == 1
    assert reload(case).resolution == Resolution.NO_RESPONSE
    assert outbox.letters() == [("closed_no_response", CUSTOMER)]


def test_a_final_notice_that_left_late_puts_the_closing_off(desk: Desk) -> None:  # F2
    case = waiting_case(desk)
    for hours in (48, 96, 144):
        sweep(hours)
    leaves(160)
    sweep(168)
    assert (reload(case).status, reload(case).follow_up_check_at) == (Status.WAITING, NOON + 184 * HOUR)
    sweep(184)
    assert reload(case).status == Status.RESOLVED
    assert ledger(case)[-1] == ("resolve", 184, 184, False)


def test_a_customer_without_an_address_is_the_owners_to_reach_and_the_case_stays_open(desk: Desk) -> None:  # D5, F7
    case = waiting_case(desk)
    Contact.objects.update(email="")
    outbox = Outbox()
    for hours in (48, 96, 144, 168, 300):
        sweep(hours)
    leaves(144)
    sweep(1_000)
    told = outbox.letters()
    assert [one for one in told if one[0] == "unreachable"] == [("unreachable", "tech@example.com")] * 3
    assert {one for one in told if one[0] != "unreachable"} == {("wait_held_up", "support_manager@example.com")}
    assert reload(case).status == Status.WAITING
    assert set(FollowUp.objects.exclude(step="held-up").values_list("mail", flat=True)) == {None}


def test_if_the_owner_cannot_be_written_to_either_the_support_manager_hears_of_it(desk: Desk) -> None:  # D5
    waiting_case(desk)
    Contact.objects.update(email="")
    User.objects.filter(username="tech").update(is_active=False)
    outbox = Outbox()
    sweep(48)
    assert outbox.letters() == [("unreachable", "support_manager@example.com")]
    assert Mail.objects.get(template="unreachable").meant_for == "Owner (tech)"


def test_after_an_outage_of_eight_days_one_notice_goes_out_and_the_case_closes_a_day_later(desk: Desk) -> None:  # F7
    case, outbox = waiting_case(desk), Outbox()
    assert sweep(192).acted_on == 1
    assert outbox.letters() == [("notice_final", CUSTOMER)]
    assert ledger(case) == [("notice-1", 48, 192, True), ("notice-2", 96, 192, True), ("final", 144, 192, False)]
    assert Mail.objects.get(template="notice_final").facts["closes_at"] == (NOON + 216 * HOUR).isoformat()
    leaves(193)
    assert sweep(216).acted_on == 0
    assert sweep(217).acted_on == 1
    assert outbox.letters() == [("closed_no_response", CUSTOMER)]
    assert reload(case).resolved_at == NOON + 217 * HOUR


def test_a_late_notice_pushes_the_later_ones(desk: Desk) -> None:  # F7
    case, outbox = waiting_case(desk), Outbox()
    sweep(60)
    assert outbox.letters() == [("notice_1", CUSTOMER)]
    assert reload(case).follow_up_check_at == NOON + 108 * HOUR


def test_a_sweep_that_runs_twice_or_after_a_wrong_cache_changes_nothing(desk: Desk) -> None:  # S1
    case, outbox = waiting_case(desk), Outbox()
    sweep(48)
    outbox.letters()
    for hours in (48, 47, 49):
        sweep(hours)
    Case.objects.update(follow_up_check_at=NOON)  # a cache that is wrong is only a look too many
    assert sweep(50) == Swept(looked_at=1, acted_on=0)
    assert (outbox.letters(), len(ledger(case))) == ([], 1)
    assert reload(case).follow_up_check_at == NOON + 96 * HOUR


def test_a_case_that_does_not_wait_is_never_followed_up_whatever_its_cache_says(desk: Desk) -> None:  # F6
    case, outbox = desk.open_case(), Outbox()
    Case.objects.update(follow_up_check_at=NOON)
    assert sweep(1_000).acted_on == 0
    assert (outbox.letters(), reload(case).follow_up_check_at) == ([], None)


def test_closing_silences_the_escalation_clock(desk: Desk) -> None:  # E3
    case = waiting_case(desk, severity=Severity.CRITICAL)
    for hours in (48, 96, 144, 168):
        sweep(hours)
        leaves(hours)
    assert reload(case).escalation_check_at == NOON + 168 * HOUR  # somebody looks once more, and finds it closed


def test_an_answer_after_the_closing_reopens_the_case(desk: Desk) -> None:  # C7
    case = waiting_case(desk)
    for hours in (48, 96, 144, 168):
        sweep(hours)
        leaves(hours)
    contact_log.log_contact(
        case.pk, desk.l3, NOON + 200 * HOUR, channel=Channel.EMAIL, direction=Direction.IN, body="I was on leave."
    )
    assert reload(case).status == Status.IN_PROGRESS


def test_a_notice_never_stands_in_the_history_before_the_change_it_follows(desk: Desk) -> None:  # E3
    case = waiting_case(desk)
    ahead = NOON + 48 * HOUR + timedelta(seconds=2)  # another machine, whose clock is ahead
    transitions.change_severity(case.pk, desk.technician, ahead, severity=Severity.HIGH, reason="More of them.")
    sweep(48)
    rows = list(case.history.order_by("history_id").values_list("last_move", "history_date"))
    assert rows[-2:] == [(Move.SEVERITY, ahead), (Move.FOLLOWED_UP, ahead)]
    assert reload(case).changed_at == ahead


def test_a_broken_case_is_set_aside_and_the_others_get_their_notices(desk: Desk) -> None:  # S2
    cases = [waiting_case(desk, minutes) for minutes in range(4)]
    broken = cases[1]
    stray = Mail.objects.create(
        key=f"notice:{broken.pk}:1:notice-1", queued_at=NOON, send_at=NOON, message_id="<stray>", case=broken
    )
    swept = sweep(49)
    assert (swept.acted_on, swept.set_aside) == (3, [broken.pk])
    assert set(FollowUp.objects.values_list("case", flat=True)) == {case.pk for case in cases} - {broken.pk}
    assert reload(broken).follow_up_check_at == FailedCase.objects.get().retry_at == NOON + 50 * HOUR
    stray.delete()
    assert sweep(50) == Swept(looked_at=1, acted_on=1)
    assert FailedCase.objects.get().solved_at == NOON + 50 * HOUR
    assert ledger(broken)[0][0] == "notice-1"


def test_a_case_set_aside_whose_customer_answers_is_no_trouble_any_more(desk: Desk) -> None:  # S2
    broken, other = waiting_case(desk), waiting_case(desk, 2 * 60)
    Mail.objects.create(key=f"notice:{broken.pk}:1:notice-1", queued_at=NOON, send_at=NOON, message_id="<stray>")
    assert sweep(48).set_aside == [broken.pk]
    transitions.take_back(broken.pk, desk.technician, NOON + 49 * HOUR, reason="Found it ourselves.")
    assert FailedCase.objects.get().solved_at is None
    assert sweep(50).acted_on == 1
    assert ledger(other)[0][0] == "notice-1"
    assert FailedCase.objects.get().solved_at == NOON + 50 * HOUR


@pytest.mark.postgres
@pytest.mark.parametrize("reachable", [True, False])
def test_following_up_on_many_cases_asks_the_database_no_more_often_than_on_a_few(desk: Desk, reachable: bool) -> None:
    if not reachable:
        Contact.objects.update(email="")

    def statements(count: int, day: int) -> int:
        for number in range(count):
            waiting_case(desk, day * 24 * 60 + number / 60)
        with CaptureQueriesContext(connection) as captured:
            swept = sweep(day * 24 + 49)
        assert swept.acted_on == count
        Case.objects.update(follow_up_check_at=None)
        return sum("SAVEPOINT" not in query["sql"] for query in captured)

    follow_up(NOON - HOUR)  # the first sign of life is a row more
    few, many = statements(5, 0), statements(100, 30)
    assert few == many
    assert many <= 14
