"""Requested escalations and the schedule's open decisions (E9, E1): every mail, every row, and nothing besides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from cases.enums import AgreedBy, Channel, Resolution, Severity, WaitReason
from cases.guards import NotAllowed, Refused
from cases.mail.letters import post
from cases.mail.rendering import render
from cases.models import Case, Mail
from cases.workflow import transitions
from contacts.directory import Directory
from contacts.enums import Role
from contacts.models import RoleHolder, User
from escalations.clocks import load_clocks
from escalations.enums import Audience, Origin, RequestStatus
from escalations.models import Escalation, EscalationRequest
from escalations.points.apply import escalate
from escalations.requests import apply as requests
from escalations.requests.decide import acceptance_effect
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk, build_technician, reload
from tests.support.outbox import Outbox
from tests.support.workers import outcomes_at_once

pytestmark = pytest.mark.django_db

C, H, M, L = Severity


@pytest.fixture(autouse=True)
def that_year(time_machine) -> None:
    """Sentences leave the year out that it is."""
    time_machine.move_to(NOON)


HOUR, MINUTE, INSTANT = timedelta(hours=1), timedelta(minutes=1), timedelta(microseconds=1)
CUSTOMER = "desk@acme"

WORDS = {"asked_by": "Ada Acme", "impact": "The shop is closed.", "reason": "They lose a day's sales."}


def once(**names: str) -> dict[tuple[str, str], int]:
    """One mail of each template to each of the names, which are parted by blanks."""
    return {(template, name): 1 for template, readers in names.items() for name in readers.split()}


def at(hours: float) -> datetime:
    return NOON + hours * HOUR


def fresh(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def wanted(desk: Desk, case: Case, hours: float = 1, by: User | None = None, **other: str) -> EscalationRequest:
    said = {"origin": Origin.CUSTOMER, **WORDS, **other}
    return requests.request_escalation(case.pk, by or desk.account_manager, at(hours), **said)


def seen(case: Case, hours: float) -> str:
    """The key of what a page opened at that hour offers."""
    return acceptance_effect(load_clocks([fresh(case)])[case.pk], at(hours), Directory()).key


def ledger(case: Case) -> list[tuple[str, float, float]]:
    """(point, hours until due, hours until done) of each row that was carried out."""
    rows = Escalation.objects.filter(case=case, carried_out=True).order_by("done_at", "due_at", "number")
    return [(str(row).split(" on ")[0], (row.due_at - NOON) / HOUR, (row.done_at - NOON) / HOUR) for row in rows]


def rows() -> dict[str, object]:
    """All that a move could write."""
    return {
        "cases": list(Case.objects.order_by("pk").values()),
        "requests": list(EscalationRequest.objects.order_by("pk").values()),
        "history": EscalationRequest.history.count() + Case.history.count(),
        "mails": Mail.objects.count(),
        "ledger": Escalation.objects.count(),
    }


def refused(move: Callable[[], object], *words: str, field: str | None = None) -> Refused:
    """The move is refused in one sentence that holds these words, and nothing was written."""
    before = rows()
    with pytest.raises(Refused) as caught:
        move()
    for word in words:
        assert word in caught.value.sentence
    assert caught.value.field == field
    assert rows() == before
    return caught.value


def ask(desk: Desk, case: Case, hours: float) -> None:
    said = {"question": "Which version?", "reason": WaitReason.CONFIRM, "send": False, "channel": Channel.PHONE}
    transitions.ask_customer(case.pk, desk.technician, at(hours), **said)


def resolve(desk: Desk, case: Case, hours: float) -> None:
    said = {"resolution": Resolution.CONFIRMED, "agreed_by": AgreedBy.PHONE, "solution": "A new driver."}
    transitions.resolve(case.pk, desk.technician, at(hours), **said)


# --- requesting -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("severity", "minutes"), [(C, 30), (H, 30), (M, 240), (L, 240)])
def test_a_request_emails_the_support_manager_at_once_and_nobody_else(desk: Desk, severity, minutes: int) -> None:
    case, posted = desk.open_case(severity=severity), Outbox()
    request = wanted(desk, case)
    assert posted.new() == once(escalation_request="support_manager")
    row = EscalationRequest.objects.get()
    assert row == request
    assert (row.status, row.origin, row.asked_by) == (RequestStatus.REQUESTED, Origin.CUSTOMER, "Ada Acme")
    assert (row.impact, row.reason) == (WORDS["impact"], WORDS["reason"])
    assert (row.requested_by, row.requested_at) == (desk.account_manager, at(1))
    assert row.decide_by == at(1) + minutes * MINUTE  # E9
    assert fresh(case).sla_check_at == at(1)  # the sweep that passes it on looks
    change = row.history.get()
    assert (change.history_user, change.history_date) == (desk.account_manager, at(1))
    assert WORDS["reason"] in change.history_change_reason
    facts = Mail.objects.latest("pk").facts
    assert (facts["asked_by"], facts["impact"], facts["reason"]) == tuple(WORDS.values())
    assert facts["next_at"] == row.decide_by.isoformat()
    assert ("management's attention" if severity == L else f"{severity.label} 1 forward") in facts["brings"]


@pytest.mark.parametrize("missing", WORDS)
@pytest.mark.parametrize("typed", ["", "  \n "])
def test_who_asked_the_impact_and_why_are_needed(desk: Desk, missing: str, typed: str) -> None:  # S4
    case = desk.open_case()
    refused(lambda: wanted(desk, case, **{missing: typed}), "Say", field=missing)


def test_a_name_longer_than_it_is_kept_is_refused(desk: Desk) -> None:  # S4
    case = desk.open_case()
    refused(lambda: wanted(desk, case, asked_by="A" * 201), "at most 200", field="asked_by")


def test_nobody_requests_in_the_name_of_the_schedule(desk: Desk) -> None:
    case = desk.open_case()
    refused(lambda: wanted(desk, case, origin=Origin.SCHEDULE), "Say who wants it", field="origin")


@pytest.mark.parametrize("who", ["technician", "l3", "manager", "account_manager"])
def test_the_account_manager_technicians_and_support_managers_may_request(desk: Desk, who: str) -> None:  # A1
    case = desk.open_case()
    assert wanted(desk, case, by=getattr(desk, who)).requested_by == getattr(desk, who)


@pytest.mark.parametrize("who", ["customer_engineer", "csm", "director", "coo"])
def test_readers_may_not_request(desk: Desk, who: str) -> None:  # A1
    case = desk.open_case()
    refusal = refused(lambda: wanted(desk, case, by=getattr(desk, who)), "You may not do this")
    assert isinstance(refusal, NotAllowed)


def test_a_foreign_account_manager_finds_neither_case_nor_request(desk: Desk) -> None:  # A1
    case = desk.open_case()
    with pytest.raises(Case.DoesNotExist):
        wanted(desk, case, by=desk.other_account_manager)
    request = wanted(desk, case)
    for move in (requests.accept, requests.withdraw):
        with pytest.raises(EscalationRequest.DoesNotExist):
            move(request.pk, desk.other_account_manager, at(2))
    with pytest.raises(EscalationRequest.DoesNotExist):
        requests.decline(request.pk, desk.other_account_manager, at(2), why="No")


def test_pressing_twice_requests_once(desk: Desk) -> None:  # E9
    case = desk.open_case()
    first = wanted(desk, case)
    before = rows()
    assert wanted(desk, case, hours=1.01) == first
    assert rows() == before


def test_another_person_hears_who_requested_what_and_when(desk: Desk) -> None:  # E9
    case = desk.open_case()
    wanted(desk, case)
    refused(lambda: wanted(desk, case, by=desk.technician), "am requested", "on Wed 3 Jun, 13:00", WORDS["reason"])
    refused(lambda: wanted(desk, case, reason="Other words."), "You requested", "withdraw that one first")


def test_the_database_keeps_one_undecided_request_a_case(desk: Desk) -> None:
    case = desk.open_case()
    wanted(desk, case)
    with pytest.raises(IntegrityError), transaction.atomic():
        EscalationRequest.objects.create(case=case, origin=Origin.STAFF, requested_at=NOON)


def test_after_a_decision_it_can_be_requested_again(desk: Desk) -> None:
    case = desk.open_case()
    requests.decline(wanted(desk, case).pk, desk.manager, at(2), why="Not yet.")
    assert wanted(desk, case, hours=3).is_undecided


def test_while_the_case_waits_or_is_resolved_a_request_is_refused_with_the_reason(desk: Desk) -> None:  # E9
    case = desk.open_case()
    ask(desk, case, 1)
    refused(
        lambda: wanted(desk, case, 2), f"{case.number} waits for the customer since Wed 3 Jun, 13:00", "Which version?"
    )
    resolve(desk, case, 3)
    refused(lambda: wanted(desk, case, 4), f"{case.number} is resolved since Wed 3 Jun, 15:00")


# --- accepting --------------------------------------------------------------------------------------------------

#: E1: severity, point, who is emailed by it on the desk of the builders, whom it asks or gives the case.
CELLS = [
    (C, 1, "csm am l3 tech"),
    (C, 2, "csm l3 support_manager"),
    (C, 3, "coo l3"),
    (H, 1, "csm am tech"),
    (H, 2, "am l3 tech support_manager"),
    (H, 3, "cs_director l3"),
    (M, 1, "am tech"),
    (M, 2, "csm l3 tech"),
    (M, 3, "l3 support_manager"),
]
HOURS = {C: (4, 12, 24), H: (12, 36, 48), M: (48, 144, 360)}


@pytest.mark.parametrize(("severity", "number", "mailed"), CELLS)
def test_accepting_carries_out_the_next_point_due_at_the_acceptance(desk: Desk, severity, number, mailed: str) -> None:
    # E9, E1, E6
    case = desk.open_case(severity=severity)
    times = HOURS[severity]
    for passed in times[: number - 1]:
        escalate(at(passed))
    moment = (times[number - 2] if number > 1 else 0) + 1.5
    request = wanted(desk, case, moment - 0.5)
    posted = Outbox()
    assert seen(case, moment) == f"1:{severity.value}:{number}"
    done = requests.accept(request.pk, desk.manager, at(moment), point=seen(case, moment))
    by_point = {"escalation_request_outcome": "am"} if "am" not in mailed.split() else {}  # one mail to each (E9)
    assert posted.new() == once(escalation=mailed, escalation_request_accepted=CUSTOMER, **by_point)
    row = Escalation.objects.get(case=case, severity=severity, number=number)
    assert (row.due_at, row.done_at, row.carried_out, row.run) == (at(moment), at(moment), True, 1)
    assert (done.status, done.decided_by, done.decided_at) == (RequestStatus.ACCEPTED, desk.manager, at(moment))
    assert (done.run, done.severity, done.number, done.attention) == (1, severity, number, False)
    assert fresh(case).sla_check_at == at(moment)
    # the later points keep their times, and what was brought forward does not come again
    later = times[number:]
    assert fresh(case).escalation_check_at == (at(later[0]) if later else None)
    for hours in times:
        escalate(at(hours))
    assert [(name, due) for name, due, _ in ledger(case) if int(name[-1]) > number] == [
        (f"{severity.label} {number + step}", hours) for step, hours in enumerate(later, start=1)
    ]
    assert len(ledger(case)) == 3


@pytest.mark.parametrize("severity", [C, H, M])
def test_with_no_point_left_management_is_asked_for_its_attention(desk: Desk, severity) -> None:  # E9
    case = desk.open_case(severity=severity)
    for hours in HOURS[severity]:
        escalate(at(hours))
    last = HOURS[severity][-1]
    request, posted = wanted(desk, case, last + 1), Outbox()
    assert seen(case, last + 2) == ""
    requests.accept(request.pk, desk.manager, at(last + 2), point="")
    assert posted.new() == once(management_attention="csm am", escalation_request_accepted=CUSTOMER)
    assert len(ledger(case)) == 3
    row = EscalationRequest.objects.exclude(origin=Origin.SCHEDULE).get()
    assert (row.attention, row.run, row.number, row.status) == (True, 1, None, RequestStatus.ACCEPTED)
    cadence, why = load_clocks([fresh(case)])[case.pk].cadence(at(last + 2))
    assert why == "management attention"
    assert cadence[Audience.CUSTOMER] <= 4 * HOUR
    assert cadence[Audience.CS_MANAGEMENT] <= 4 * HOUR
    assert fresh(case).sla_check_at == at(last + 2)


def test_a_low_case_has_no_points_and_gets_managements_attention(desk: Desk) -> None:  # E9
    case = desk.open_case(severity=L)
    request, posted = wanted(desk, case), Outbox()
    requests.accept(request.pk, desk.manager, at(2), point=seen(case, 2))
    assert posted.new() == once(management_attention="csm am", escalation_request_accepted=CUSTOMER)
    assert ledger(case) == []
    facts = Mail.objects.get(template="escalation_request_accepted").facts
    assert (facts["attention"], facts["every"]) == (True, "4 h")
    cadence, _ = load_clocks([fresh(case)])[case.pk].cadence(at(2))
    assert cadence == {
        Audience.CUSTOMER: 4 * HOUR,
        Audience.ACCOUNT_MANAGER: 4 * HOUR,
        Audience.CS_MANAGEMENT: 4 * HOUR,
    }


def test_a_second_accept_is_refused_with_who_decided_and_when(desk: Desk) -> None:  # E9
    case = desk.open_case()
    request = wanted(desk, case)
    key = seen(case, 2)
    requests.accept(request.pk, desk.manager, at(2), point=key)
    for move in (
        lambda: requests.accept(request.pk, desk.manager, at(2), point=key),
        lambda: requests.accept(request.pk, desk.manager, at(3)),
        lambda: requests.decline(request.pk, desk.manager, at(3), why="No"),
        lambda: requests.withdraw(request.pk, desk.account_manager, at(3)),
    ):
        refused(move, "accepted by support_manager on Wed 3 Jun, 14:00", "nothing was done twice")
    assert len(ledger(case)) == 1


@pytest.mark.parametrize("who", ["technician", "account_manager", "l3", "customer_engineer", "csm", "director", "coo"])
def test_only_a_support_manager_decides_before_it_is_passed_on(desk: Desk, who: str) -> None:  # A1, E9
    case = desk.open_case()
    request = wanted(desk, case)
    person = getattr(desk, who)
    for move in (
        lambda: requests.accept(request.pk, person, at(2)),
        lambda: requests.decline(request.pk, person, at(2), why="No"),
        lambda: requests.end_attention(case.pk, person, at(2), reason="No"),
    ):
        assert isinstance(refused(move, "You may not do this"), NotAllowed)


def test_the_schedule_that_got_there_first_fulfils_the_request_and_nothing_further_comes(desk: Desk) -> None:  # E9
    case = desk.open_case()
    request = wanted(desk, case, 47)
    offered = seen(case, 47.5)
    escalate(at(48))
    posted = Outbox()
    done = requests.accept(request.pk, desk.manager, at(48.1), point=offered)
    assert ledger(case) == [("Medium 1", 48, 48)]
    assert posted.new() == once(escalation_request_accepted=CUSTOMER, escalation_request_outcome="am")
    assert (done.status, done.number) == (RequestStatus.ACCEPTED, 1)
    assert "by the schedule itself" in Mail.objects.get(template="escalation_request_outcome").facts["brought"]
    assert fresh(case).escalation_check_at == at(144)


@pytest.mark.parametrize("late", [timedelta(0), INSTANT, MINUTE])
def test_pressing_as_the_schedule_gets_there_carries_it_out_once_and_never_the_point_after_it(desk, late) -> None:
    # E9: due, and no sweep has looked yet
    case = desk.open_case()
    request, posted = wanted(desk, case, 47), Outbox()
    requests.accept(request.pk, desk.manager, at(48) + late, point=seen(case, 47.5))
    assert [(name, due) for name, due, _ in ledger(case)] == [("Medium 1", 48)]
    told = once(escalation="am tech", escalation_request_accepted=CUSTOMER)
    assert posted.new() == told
    assert escalate(at(48) + late).acted_on == 0
    assert posted.new() == {}


def test_pressing_just_before_the_schedule_gets_there_leaves_it_nothing(desk: Desk) -> None:  # E9
    case = desk.open_case()
    request = wanted(desk, case, 47)
    requests.accept(request.pk, desk.manager, at(48) - INSTANT, point=seen(case, 47.5))
    posted = Outbox()
    assert escalate(at(48)).acted_on == 0
    assert (len(ledger(case)), posted.new()) == (1, {})


def test_what_is_due_by_itself_and_what_is_granted_are_one_step_with_one_mail_each(desk: Desk) -> None:  # E5
    case = desk.open_case()
    request = wanted(desk, case, 49)  # Medium 1 is due since an hour, no sweep has looked
    offered = seen(case, 49)
    assert offered == "1:medium:2"
    posted = Outbox()
    requests.accept(request.pk, desk.manager, at(49.5), point=offered)
    assert ledger(case) == [("Medium 1", 48, 49.5), ("Medium 2", 49.5, 49.5)]
    told = once(escalation="am csm l3 tech", escalation_request_accepted=CUSTOMER)
    assert posted.new() == told
    assert fresh(case).owner == desk.l3


def test_who_saw_nothing_offered_gets_what_is_due_and_no_more(desk: Desk) -> None:
    case = desk.open_case()
    requests.accept(wanted(desk, case, 47).pk, desk.manager, at(49))
    assert [name for name, _, _ in ledger(case)] == ["Medium 1"]


def test_a_severity_changed_meanwhile_is_shown_before_anything_is_done(desk: Desk) -> None:  # E9, E4
    case = desk.open_case()
    request = wanted(desk, case)
    offered = seen(case, 1)
    transitions.change_severity(case.pk, desk.technician, at(2), severity=H, reason="Worse")
    refused(
        lambda: requests.accept(request.pk, desk.manager, at(3), point=offered),
        "has changed since you opened the page",
        "brings High 1 forward",
        "emails csm, am",
    )
    requests.accept(request.pk, desk.manager, at(3), point=seen(case, 3))
    assert ledger(case) == [("High 1", 3, 3)]


def test_a_page_that_offered_attention_is_stale_once_there_is_a_point(desk: Desk) -> None:
    case = desk.open_case(severity=L)
    request = wanted(desk, case)
    transitions.change_severity(case.pk, desk.technician, at(2), severity=M, reason="Worse")
    refused(lambda: requests.accept(request.pk, desk.manager, at(3), point=""), "brings Medium 1 forward")


def test_a_point_reached_before_the_severity_changed_fulfils_nothing(desk: Desk) -> None:
    case = desk.open_case()
    request = wanted(desk, case, 47)
    offered = seen(case, 47)
    escalate(at(48))
    transitions.change_severity(case.pk, desk.technician, at(49), severity=L, reason="Better")
    refused(lambda: requests.accept(request.pk, desk.manager, at(50), point=offered), "Low has no points")


@pytest.mark.parametrize("swept", [True, False])
def test_a_point_that_is_only_recorded_fulfils_nothing(desk: Desk, swept: bool) -> None:
    # E4: lowered, so nobody is told
    case = desk.open_case(severity=H)
    request = wanted(desk, case, 49)
    transitions.change_severity(case.pk, desk.technician, at(50), severity=M, reason="Better")
    if swept:
        escalate(at(50))
        assert not Escalation.objects.get(severity=M, number=1).carried_out
    refused(lambda: requests.accept(request.pk, desk.manager, at(51), point="1:medium:1"), "brings Medium 2 forward")


@pytest.mark.parametrize("garbage", ["x", "1:medium:9", "9:medium:1", "1:medium:2", "::", "1:huge:1", "1" * 5000])
def test_a_point_that_was_never_offered_is_refused(desk: Desk, garbage: str) -> None:
    case = desk.open_case()
    request = wanted(desk, case)
    refused(lambda: requests.accept(request.pk, desk.manager, at(2), point=garbage), "brings Medium 1 forward")


def test_while_the_case_waits_or_is_resolved_nothing_is_accepted(desk: Desk) -> None:  # E9
    case = desk.open_case()
    request = wanted(desk, case)
    ask(desk, case, 2)
    refused(lambda: requests.accept(request.pk, desk.manager, at(3)), "waits for the customer since", "Which version?")
    resolve(desk, case, 4)
    refused(lambda: requests.accept(request.pk, desk.manager, at(5)), "is resolved since Wed 3 Jun, 16:00")
    refused(lambda: requests.decline(request.pk, desk.manager, at(5), why="No"), "is resolved")
    posted = Outbox()
    escalate(at(5))
    assert EscalationRequest.objects.get().status == RequestStatus.CLOSED
    assert posted.new() == {}
    refused(lambda: requests.accept(request.pk, desk.manager, at(6)), "closed, as the case was resolved")


def test_on_a_waiting_case_a_request_can_be_declined(desk: Desk) -> None:
    case = desk.open_case()
    request = wanted(desk, case)
    ask(desk, case, 2)
    assert requests.decline(request.pk, desk.manager, at(3), why="They owe us an answer.").decision


def test_after_a_wait_an_accepted_point_is_not_carried_out_again(desk: Desk) -> None:  # E2, E6
    case = desk.open_case()
    requests.accept(wanted(desk, case).pk, desk.manager, at(2))
    ask(desk, case, 3)
    transitions.take_back(case.pk, desk.technician, at(13), reason="Found it")
    escalate(at(58))
    assert ledger(case) == [("Medium 1", 2, 2)]
    assert fresh(case).escalation_check_at == at(154)  # 144 h of work and 10 of waiting


@pytest.mark.parametrize(("away", "run"), [(23, 1), (25, 2)])
def test_a_reopened_case_goes_on_with_its_run_or_begins_a_new_one(desk: Desk, away: int, run: int) -> None:  # E2
    case = desk.open_case()
    requests.accept(wanted(desk, case).pk, desk.manager, at(2))
    resolve(desk, case, 3)
    escalate(at(3))
    transitions.reopen(case.pk, desk.technician, at(3 + away), reason="It is back")
    request = wanted(desk, case, 4 + away)
    offered = seen(case, 4 + away)
    assert offered == ("1:medium:2" if run == 1 else "2:medium:1")
    if run == 2:  # a page from before says run 1
        refused(lambda: requests.accept(request.pk, desk.manager, at(5 + away), point="1:medium:2"), "Medium 1 forward")
        refused(lambda: requests.accept(request.pk, desk.manager, at(5 + away), point="1:medium:1"), "Medium 1 forward")
    requests.accept(request.pk, desk.manager, at(5 + away), point=offered)
    row = Escalation.objects.latest("done_at")
    assert (row.run, row.due_at) == (run, at(5 + away))


def test_a_clock_that_is_behind_still_carries_out_what_was_accepted(desk: Desk) -> None:  # E3: two machines
    case = desk.open_case()
    request = wanted(desk, case)
    transitions.start_work(case.pk, desk.technician, at(3))
    requests.accept(request.pk, desk.manager, at(3) - MINUTE, point=seen(case, 3))
    assert ledger(case) == [("Medium 1", 3, 3)]


def test_the_history_says_who_decided_when_and_why(desk: Desk) -> None:  # C5
    case = desk.open_case()
    requests.accept(wanted(desk, case).pk, desk.manager, at(2), why="They are right.")
    change = EscalationRequest.objects.get().history.latest("history_date")
    assert (change.history_user, change.history_date, change.status) == (desk.manager, at(2), "accepted")
    assert change.history_change_reason == "Accepted, and Medium 1 is brought forward. They are right."
    reached, accepted = case.history.order_by("-history_date", "-history_id")[:2]
    assert (accepted.last_move, accepted.history_user) == ("escalated", desk.manager)
    said = "What Ada Acme asked for is accepted, and Medium 1 is brought forward. They are right."
    assert accepted.history_change_reason == said
    assert (reached.history_user, "Reached Medium 1" in reached.history_change_reason) == (None, True)


# --- declining and withdrawing ----------------------------------------------------------------------------------


def test_the_customer_and_the_account_manager_hear_of_a_decline_and_why(desk: Desk) -> None:  # E9
    case = desk.open_case()
    request, posted = wanted(desk, case), Outbox()
    done = requests.decline(request.pk, desk.manager, at(2), why="A part is on its way.")
    assert posted.new() == once(escalation_request_declined=CUSTOMER, escalation_request_outcome="am")
    assert (done.status, done.decision, done.decided_by) == ("declined", "A part is on its way.", desk.manager)
    assert Mail.objects.get(template="escalation_request_declined").facts["words"] == "A part is on its way."
    escalate(at(47.9))
    assert (ledger(case), fresh(case).escalation_check_at) == ([], at(48))


def test_other_words_for_the_customer_keep_the_reason_within_the_house(desk: Desk) -> None:
    case = desk.open_case()
    request = wanted(desk, case)
    requests.decline(request.pk, desk.manager, at(2), why="They shout every week.", words="A part comes tomorrow.")
    assert "shout" not in str(Mail.objects.get(template="escalation_request_declined").facts)
    facts = Mail.objects.get(template="escalation_request_outcome").facts
    assert (facts["decision"], facts["words"]) == ("They shout every week.", "A part comes tomorrow.")


def test_why_it_is_accepted_is_not_read_by_the_customer(desk: Desk) -> None:
    case = desk.open_case()
    requests.accept(wanted(desk, case).pk, desk.manager, at(2), why="Our own fault.")
    assert "fault" not in str(Mail.objects.get(template="escalation_request_accepted").facts)
    mail = Mail.objects.get(template="escalation", to_address="am@example.com")
    assert mail.facts["accepted"]["decision"] == "Our own fault."
    assert "support_manager accepted it: Our own fault." in render(mail).text


@pytest.mark.parametrize("typed", ["", " \n"])
def test_a_decline_needs_a_reason(desk: Desk, typed: str) -> None:  # E9
    case = desk.open_case()
    request = wanted(desk, case)
    refused(lambda: requests.decline(request.pk, desk.manager, at(2), why=typed), "Say why not", field="why")


def test_a_technician_who_requested_it_hears_the_outcome_as_well(desk: Desk) -> None:
    case = desk.open_case()
    request, posted = wanted(desk, case, by=desk.technician, origin=Origin.STAFF), Outbox()
    requests.decline(request.pk, desk.manager, at(2), why="Not yet.")
    assert posted.new() == once(escalation_request_declined=CUSTOMER, escalation_request_outcome="am tech")


def test_a_manager_who_decides_on_their_own_request_writes_to_themselves_of_no_outcome(desk: Desk) -> None:
    case, posted = desk.open_case(), Outbox()
    request = wanted(desk, case, by=desk.manager, origin=Origin.STAFF)
    assert posted.new() == once(escalation_request="support_manager")
    requests.decline(request.pk, desk.manager, at(2), why="Not yet.")
    assert posted.new() == once(escalation_request_declined=CUSTOMER, escalation_request_outcome="am")


def test_whoever_requested_it_withdraws_it_without_a_word(desk: Desk) -> None:
    case = desk.open_case()
    request, posted = wanted(desk, case), Outbox()
    done = requests.withdraw(request.pk, desk.account_manager, at(2))
    assert (done.status, done.decided_by, posted.new()) == ("withdrawn", desk.account_manager, {})
    refused(lambda: requests.accept(request.pk, desk.manager, at(3)), "withdrawn by am on Wed 3 Jun, 14:00")
    assert fresh(case).sla_check_at == at(2)


def test_a_support_manager_withdraws_it_with_a_reason_that_the_requester_reads(desk: Desk) -> None:
    case = desk.open_case()
    request, posted = wanted(desk, case), Outbox()
    refused(lambda: requests.withdraw(request.pk, desk.manager, at(2)), "Say why", field="reason")
    requests.withdraw(request.pk, desk.manager, at(2), reason="The customer called it off.")
    assert posted.new() == once(escalation_request_outcome="am")


@pytest.mark.parametrize("who", ["technician", "l3", "csm", "director", "customer_engineer"])
def test_nobody_else_withdraws_it(desk: Desk, who: str) -> None:  # A1
    case = desk.open_case()
    request = wanted(desk, case)
    move = lambda: requests.withdraw(request.pk, getattr(desk, who), at(2), reason="No")  # noqa: E731
    assert isinstance(refused(move, "You may not do this"), NotAllowed)


def test_managements_attention_is_ended_by_a_support_manager_with_a_reason(desk: Desk) -> None:
    case = desk.open_case(severity=L)
    requests.accept(wanted(desk, case).pk, desk.manager, at(2))
    refused(lambda: requests.end_attention(case.pk, desk.manager, at(3), reason=" "), "Say why", field="reason")
    posted = Outbox()
    (row,) = requests.end_attention(case.pk, desk.manager, at(3), reason="The customer is content.")
    assert (row.status, row.closed_at, posted.new()) == ("closed", at(3), {})
    assert row.history.latest("history_date").history_change_reason.endswith("The customer is content.")
    life = load_clocks([fresh(case)])[case.pk]
    assert life.cadence(at(3))[0] == {Audience.CUSTOMER: 24 * HOUR}
    assert fresh(case).sla_check_at == at(3)
    refused(lambda: requests.end_attention(case.pk, desk.manager, at(4), reason="Again"), "any more")


# --- the schedule's open decisions (E1) -------------------------------------------------------------------------


def left_to_decide(desk: Desk, severity: Severity) -> tuple[Case, EscalationRequest, float]:
    """A case whose last sweep left a decision; the hour of it."""
    case = desk.open_case(severity=severity)
    last = {C: 12, H: 36, M: 360}[severity]
    for hours in (one for one in HOURS[severity] if one <= last):
        escalate(at(hours))
    return case, EscalationRequest.objects.get(origin=Origin.SCHEDULE), last


@pytest.mark.parametrize(("severity", "told"), [(C, "coo l3"), (H, "cs_director l3")])
def test_an_open_decision_is_accepted_like_a_request_and_nobody_outside_hears(desk: Desk, severity, told) -> None:  # E1
    case, decision, last = left_to_decide(desk, severity)
    posted = Outbox()
    refused(lambda: requests.accept(decision.pk, desk.manager, at(last + 1)), "Say why", field="why")
    requests.accept(decision.pk, desk.manager, at(last + 1), why="It stands still.", point=seen(case, last + 1))
    assert posted.new() == once(escalation=told)
    assert ledger(case)[-1] == (f"{severity.label} 3", last + 1, last + 1)
    decision = EscalationRequest.objects.get(pk=decision.pk)
    assert (decision.status, decision.decision) == ("accepted", "It stands still.")


def test_the_decision_after_the_last_point_asks_for_managements_attention(desk: Desk) -> None:  # E1, E9
    case, decision, last = left_to_decide(desk, M)
    posted = Outbox()
    requests.accept(decision.pk, desk.manager, at(last + 1), why="Fifteen days.", point="")
    assert posted.new() == once(management_attention="csm am")
    assert load_clocks([fresh(case)])[case.pk].cadence(at(last + 1))[1] == "management attention"


def test_a_decision_against_it_leaves_a_record_and_nothing_else(desk: Desk) -> None:  # E1
    case, decision, last = left_to_decide(desk, H)
    posted, points = Outbox(), ledger(case)
    refused(lambda: requests.decline(decision.pk, desk.manager, at(last + 1), why=""), "Say why not", field="why")
    requests.decline(decision.pk, desk.manager, at(last + 1), why="A part is on its way.")
    assert (posted.new(), ledger(case)) == ({}, points)
    row = EscalationRequest.objects.get(pk=decision.pk)
    assert (row.status, row.decision, row.decided_by) == ("declined", "A part is on its way.", desk.manager)
    assert row.history.count() == 2
    escalate(at(48))
    assert ledger(case)[-1] == ("High 3", 48, 48)


def test_a_decision_is_never_withdrawn_nor_taken_by_the_csm_before_it_goes_on_to_them(desk: Desk) -> None:  # E1, E9
    _, decision, last = left_to_decide(desk, H)
    refused(lambda: requests.withdraw(decision.pk, desk.manager, at(last), reason="No"), "decide it either way")
    for move in (
        lambda: requests.accept(decision.pk, desk.csm, at(last + 0.1), why="Yes"),
        lambda: requests.decline(decision.pk, desk.csm, at(last + 0.1), why="No"),
    ):
        assert isinstance(refused(move, "the Support Manager decides first"), NotAllowed)


@pytest.mark.parametrize(("severity", "within"), [(C, 0.5), (H, 0.5), (M, 4)])
def test_a_decision_that_nobody_takes_is_chased_as_a_request_is(desk: Desk, severity, within) -> None:  # E1, E9
    case, decision, last = left_to_decide(desk, severity)
    posted = Outbox()
    keep_promises(at(last + within) - INSTANT)
    assert "escalation_request_passed_on" not in {template for template, _ in posted.new()}
    keep_promises(at(last + within))
    assert ("escalation_request_passed_on", "csm") in posted.new()
    mail = Mail.objects.get(template="escalation_request_passed_on")
    assert "The schedule left it to the Support Manager whether" in render(mail).text
    keep_promises(at(last + within + 1))
    assert Mail.objects.filter(template="escalation_request_passed_on").count() == 1
    requests.decline(decision.pk, desk.csm, at(last + within + 1), why="A part is on its way.")
    assert reload(case).is_open


def test_a_request_that_brings_a_deciding_point_forward_leaves_its_decision_too(desk: Desk) -> None:  # E1, E9
    case = desk.open_case(severity=C)
    escalate(at(4))
    requests.accept(wanted(desk, case, 5).pk, desk.manager, at(6))
    assert EscalationRequest.objects.undecided().get().origin == Origin.SCHEDULE


def test_a_request_and_a_decision_with_the_same_offer_bring_one_point(desk: Desk) -> None:  # E6
    case, decision, last = left_to_decide(desk, C)
    request = wanted(desk, case, last + 1)
    offered = seen(case, last + 1)
    requests.accept(request.pk, desk.manager, at(last + 2), point=offered)
    posted = Outbox()
    requests.accept(decision.pk, desk.manager, at(last + 2), why="Yes", point=offered)
    assert posted.new() == {}
    assert [name for name, _, _ in ledger(case)] == ["Critical 1", "Critical 2", "Critical 3"]


# --- passing on -------------------------------------------------------------------------------------------------


def pass_on(hours: float) -> int:
    """As the sweep does it; how many letters."""
    rows = EscalationRequest.objects.undecided().select_related("case")
    letters = requests.pass_on(rows, at(hours))
    post(letters, at(hours))
    return len(letters)


def test_what_nobody_decides_in_time_goes_on_to_the_csm_once(desk: Desk) -> None:  # E9
    case = desk.open_case()
    request, posted = wanted(desk, case, 1), Outbox()
    assert (pass_on(4.99), posted.new()) == (0, {})
    assert (pass_on(5), posted.new()) == (1, once(escalation_request_passed_on="csm"))
    assert (pass_on(5), pass_on(50), posted.new()) == (0, 0, {})
    row = EscalationRequest.objects.get()
    assert (row.passed_on_at, row.status) == (at(5), "requested")
    assert row.history.latest("history_id").passed_on_at == at(5)
    assert case.pk == request.case_id


@pytest.mark.parametrize("who", ["csm", "manager"])
def test_from_then_on_the_csm_may_decide_and_the_support_manager_still_may(desk: Desk, who: str) -> None:  # E9
    case = desk.open_case()
    request = wanted(desk, case, 1)
    refusal = refused(lambda: requests.accept(request.pk, desk.csm, at(4)), "the Support Manager decides first")
    assert "decided by Wed 3 Jun, 17:00." in refusal.sentence
    pass_on(5)
    posted = Outbox()
    requests.accept(request.pk, getattr(desk, who), at(6), point=seen(case, 6))
    assert posted.new() == once(escalation="am tech", escalation_request_accepted=CUSTOMER)
    other = desk.manager if who == "csm" else desk.csm
    refused(lambda: requests.decline(request.pk, other, at(7), why="No"), f"accepted by {getattr(desk, who)}")


def test_a_decided_or_resolved_one_is_not_passed_on(desk: Desk) -> None:
    first, second = desk.open_case(), desk.open_case()
    requests.decline(wanted(desk, first).pk, desk.manager, at(2), why="No")
    wanted(desk, second)
    resolve(desk, second, 2)
    posted = Outbox()
    assert requests.pass_on(EscalationRequest.objects.all(), at(100)) == []
    assert posted.new() == {}


# --- who cannot be reached (D5) ---------------------------------------------------------------------------------


def test_without_a_support_manager_the_request_falls_back_and_says_whom_it_was_meant_for(desk: Desk) -> None:  # D5
    RoleHolder.objects.filter(role=Role.SUPPORT_MANAGER).update(holder=None)
    User.objects.create_superuser("root", "root@example.com", "secret")
    posted = Outbox()
    wanted(desk, desk.open_case())
    assert posted.new()[("escalation_request", "root")] == 1
    assert Mail.objects.get(template="escalation_request").meant_for == "Support manager (nobody)"


def test_dead_addresses_fall_back_to_the_support_manager_with_one_mail(desk: Desk) -> None:  # D5
    User.objects.filter(pk__in=[desk.csm.pk, desk.account_manager.pk]).update(email="")
    case = desk.open_case(severity=L)
    request, posted = wanted(desk, case), Outbox()
    requests.accept(request.pk, desk.manager, at(2))
    assert posted.new() == once(management_attention="support_manager", escalation_request_accepted=CUSTOMER)
    mail = Mail.objects.get(template="management_attention")
    assert mail.meant_for == "Customer service manager (csm), Account manager of Acme (am)"


def test_a_customer_without_an_address_is_told_by_the_account_manager(desk: Desk) -> None:
    desk.company.contacts.update(email="")
    case = desk.open_case()
    request, posted = wanted(desk, case), Outbox()
    requests.decline(request.pk, desk.manager, at(2), why="Not yet.")
    assert posted.new() == once(escalation_request_outcome="am")
    assert Mail.objects.latest("pk").facts["expected"].startswith("Tell Help desk of Acme yourself")


# --- at the same time -------------------------------------------------------------------------------------------


together = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("again", range(5)),
]


def marked(test):
    for mark in together:
        test = mark(test)
    return test


def kinds(results: list[object]) -> list[str]:
    return sorted(type(one).__name__ for one in results)


@marked
def test_two_people_who_request_at_the_same_instant_request_once(desk: Desk, again: int) -> None:  # E9
    case, posted = desk.open_case(), Outbox()
    results = outcomes_at_once(lambda: wanted(desk, case), lambda: wanted(desk, case, by=desk.technician))
    assert kinds(results) == ["EscalationRequest", "Refused"]
    assert EscalationRequest.objects.count() == 1
    assert posted.new() == once(escalation_request="support_manager")


@marked
def test_a_double_click_at_the_same_instant_requests_once(desk: Desk, again: int) -> None:  # E9
    case, posted = desk.open_case(), Outbox()
    results = outcomes_at_once(*[lambda: wanted(desk, case)] * 3)
    assert len({one.pk for one in results}) == 1
    assert posted.new() == once(escalation_request="support_manager")


@marked
def test_two_who_accept_at_the_same_instant_bring_one_point(desk: Desk, again: int) -> None:  # E9
    case = desk.open_case()
    request = wanted(desk, case)
    key, posted = seen(case, 2), Outbox()
    job = lambda: requests.accept(request.pk, desk.manager, at(2), point=key)  # noqa: E731
    assert kinds(outcomes_at_once(job, job, job)) == ["EscalationRequest", "Refused", "Refused"]
    assert ledger(case) == [("Medium 1", 2, 2)]
    told = once(escalation="am tech", escalation_request_accepted=CUSTOMER)
    assert posted.new() == told


@marked
def test_one_who_accepts_and_one_who_declines_at_the_same_instant_decide_once(desk: Desk, again: int) -> None:
    case = desk.open_case()
    request, posted = wanted(desk, case), Outbox()
    results = outcomes_at_once(
        lambda: requests.accept(request.pk, desk.manager, at(2)),
        lambda: requests.decline(request.pk, desk.manager, at(2), why="No"),
    )
    assert kinds(results) == ["EscalationRequest", "Refused"]
    accepted = EscalationRequest.objects.get().status == "accepted"
    # of an acceptance the account manager reads in the mail of the point (E9)
    outcomes = sum(count for (template, _), count in posted.new().items() if template != "escalation")
    assert outcomes == (1 if accepted else 2)
    assert len(ledger(case)) == accepted


@marked
def test_the_sweep_and_the_decider_at_the_same_instant_carry_it_out_once(desk: Desk, again: int) -> None:  # E9, E6
    case = desk.open_case()
    request = wanted(desk, case, 47)
    key, posted = seen(case, 47), Outbox()
    results = outcomes_at_once(
        lambda: escalate(at(48)),
        lambda: requests.accept(request.pk, desk.manager, at(48), point=key),
        lambda: escalate(at(48)),
    )
    assert kinds(results) == ["EscalationRequest", "Swept", "Swept"]
    assert ledger(case) == [("Medium 1", 48, 48)]
    told = once(escalation="am tech", escalation_request_accepted=CUSTOMER)
    # where the sweep was first its mail could not speak of the acceptance yet
    assert posted.new() in (told, told | once(escalation_request_outcome="am"))


def test_a_new_technician_of_l3_gets_what_was_brought_forward(desk: Desk) -> None:  # E7, E9
    case = desk.open_case()
    escalate(at(48))
    desk.l3.technician.delete()
    newcomer = build_technician(desk.centre, level="L3", name="newcomer")
    requests.accept(wanted(desk, case, 49).pk, desk.manager, at(50), point=seen(case, 50))
    assert fresh(case).owner == newcomer
