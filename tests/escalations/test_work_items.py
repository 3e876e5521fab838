"""What is wanted on a case, of whom and by when, and what the desk does next (W1, W2, W5): exact lines."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cases.actions import ACTIONS
from cases.enums import AgreedBy, Channel, Direction, Resolution, Severity, WaitReason
from cases.followup import absences
from cases.followup.apply import follow_up
from cases.models import Case, Interaction, Mail
from cases.work_items import next_for, upcoming, upcoming_of, work_items_of
from cases.workflow import handing_on, transitions
from contacts.models import Company, Technician, User
from escalations.enums import Origin
from escalations.requests import apply as requests
from tests.support.builders import NOON, Desk, build_company
from tests.support.queries import queries_of
from tests.support.stage import MINUTE, Stage, at, clock, sweeps

pytestmark = pytest.mark.django_db


def read(case: Case) -> Case:
    """The case as a page reads it."""
    return Case.objects.with_people().get(pk=case.pk)


def wanted(case: Case, reader: User, now: str | float) -> list[str]:
    """Everything that is wanted on the case, soonest first; “*” marks what is wanted of the reader."""
    items = work_items_of([read(case)], reader, at(now))[case.pk]
    return [f"{clock(item.due_at)}{'*' if item.for_reader else ''} {item.text}" for item in items]


def coming(case: Case, now: str | float) -> str:
    found = upcoming(read(case), at(now))
    return f"{clock(found.at)} {found.what}" if found else "nothing"


# --- promises -------------------------------------------------------------------------------------------------------


def test_a_case_that_was_phoned_in_wants_its_first_response_and_then_the_update(desk: Desk) -> None:  # T1, T2, W1
    case = Stage(desk).open(Severity.HIGH, Channel.PHONE)
    assert wanted(case, desk.technician, 0) == [
        "1:00* First response",
        "4:00* Tell the customer where it stands",
        "-* Start work",
    ]
    assert wanted(case, desk.manager, 0)[0] == "1:00 Tech: first response"


def test_what_was_promised_is_wanted_while_no_engine_runs(desk: Desk) -> None:  # W5
    """No sweep has ever looked: nothing is on any ledger."""
    case = Stage(desk).open(Severity.CRITICAL, Channel.PHONE)
    assert wanted(case, desk.technician, 3)[:2] == [
        "0:30* First response",
        "2:00* Tell the customer where it stands",
    ]
    assert coming(case, 5) == "4:00 Critical 1, goes to l3 and mails csm, am"


def test_members_of_the_audience_who_are_owed_at_one_time_are_one_item(desk: Desk) -> None:  # T2, E1
    stage = Stage(desk)
    case = stage.open(Severity.HIGH)
    stage.to(12)
    assert wanted(case, desk.technician, 12)[:3] == [
        "13:00* Answer High 1",
        "14:00* Tell the customer and the customer service manager where it stands",
        "-* Start work",
    ]


def test_an_update_moves_the_deadline(desk: Desk) -> None:  # T2
    stage = Stage(desk)
    case = stage.open(Severity.MEDIUM)
    stage.do(5, stage.contact(case))
    assert wanted(case, desk.technician, 5) == ["13:00* Tell the customer where it stands", "-* Start work"]


def test_while_the_owner_is_off_duty_whoever_stands_in_is_wanted_as_well(desk: Desk) -> None:  # E8, T3
    case = Stage(desk).open(Severity.HIGH)
    Technician.objects.filter(user=desk.technician).update(on_duty=False)
    assert wanted(case, desk.l3, 0)[0] == "4:00* Tell the customer where it stands"
    assert wanted(case, desk.technician, 0)[0] == "4:00* Tell the customer where it stands"
    assert wanted(case, desk.manager, 0)[0] == "4:00 L3: tell the customer where it stands"


def test_a_case_without_an_owner_is_the_support_managers(desk: Desk) -> None:  # C6
    case = Stage(desk).open(Severity.LOW)
    Case.objects.filter(pk=case.pk).update(owner=None)
    assert wanted(case, desk.manager, 0) == ["24:00* Tell the customer where it stands", "-* Give it to a technician"]
    assert wanted(case, desk.technician, 0)[1] == "- The Support Manager: give it to a technician"


# --- questions and decisions ----------------------------------------------------------------------------------------


def test_a_question_is_asked_of_the_owner_and_late_of_the_manager_too(desk: Desk) -> None:  # E8
    stage = Stage(desk)
    case = stage.open(Severity.HIGH)
    stage.to(12)
    assert wanted(case, desk.technician, 12.5)[0] == "13:00* Answer High 1"
    assert wanted(case, desk.manager, 12.5)[0] == "13:00 Tech: answer High 1"
    assert wanted(case, desk.manager, 13)[0] == "13:00* Answer High 1"


def test_a_new_owner_inherits_the_question_before_any_sweep_has_looked(desk: Desk) -> None:  # E8, W5
    stage = Stage(desk)
    case = stage.open(Severity.HIGH)
    stage.to(12)
    handing_on.hand_over(case.pk, desk.manager, at(12), owner=desk.l3, reason="Knows it.")
    assert wanted(case, desk.l3, 12)[0] == "13:00* Answer High 1"
    assert wanted(case, desk.technician, 12)[0] == "13:00 L3: answer High 1"


def test_a_request_is_wanted_of_whoever_decides_and_goes_before_everything_else(desk: Desk) -> None:  # E9, W2
    case = Stage(desk).open(Severity.MEDIUM, Channel.PHONE)
    requests.request_escalation(
        case.pk, desk.account_manager, NOON, origin=Origin.CUSTOMER, asked_by="Kim", impact="All stand.", reason="Now."
    )
    Case.objects.filter(pk=case.pk).update(owner=desk.manager)
    assert wanted(case, desk.manager, 0)[:2] == ["2:00* First response", "4:00* Decide: Medium request by am"]
    assert wanted(case, desk.csm, 0)[1] == "4:00 The Support Manager: decide: Medium request by am"
    item = next_for(read(case), desk.manager, NOON)
    assert item is not None
    assert (item.act, item.action) == ("Decide: Medium request by am", "accept_request")
    others = next_for(read(case), desk.csm, NOON)
    assert others is not None
    assert others.text == "Support_manager: first response"


def test_what_the_schedule_leaves_open_is_a_decision(desk: Desk) -> None:  # E1
    stage = Stage(desk)
    case = stage.open(Severity.HIGH)
    stage.to(36)
    assert "36:30* Decide: escalate High further?" in wanted(case, desk.manager, 36)


# --- waits ----------------------------------------------------------------------------------------------------------


def ask(desk: Desk, case: Case, now: str | float = 0, reason: WaitReason = WaitReason.INFORMATION) -> None:
    transitions.ask_customer(
        case.pk, desk.technician, at(now), question="Since when?", reason=reason, send=False, channel=Channel.PHONE
    )


def test_a_call_is_wanted_from_ten_until_the_desk_writes_with_or_without_an_engine(desk: Desk) -> None:  # F3, W5
    desk.company.contacts.update(phone="+49 30 1234")
    case = desk.open_case(preferred_means="phone")
    ask(desk, case)
    call = "26:00* Call Help desk of Acme on +49 30 1234"  # 16:00 in Berlin on the next day
    assert wanted(case, desk.technician, "19:59") == []
    assert wanted(case, desk.technician, 20) == [call]
    follow_up(at(20))
    assert wanted(case, desk.technician, 20) == [call]
    assert wanted(case, desk.l3, 20) == [f"26:00 Tech:{call[6:].replace(' Call', ' call')}"]
    follow_up(at(26))
    assert wanted(case, desk.technician, 26) == []


def test_an_absence_is_to_be_settled_before_the_plan_wakes(desk: Desk) -> None:  # F5
    case = desk.open_case()
    ask(desk, case)
    absence = absences.note_absence(case.pk, desk.manager, NOON, note="Ich bin bald wieder da.")
    assert wanted(case, desk.technician, 0) == ["164:00* Settle the absence: say how long"]  # Wednesday next, 10:00
    absences.dismiss_absence(absence.pk, desk.technician, NOON)
    assert wanted(case, desk.technician, 0) == []


def test_a_wait_that_is_held_up_is_the_owners_and_then_the_managers_too(desk: Desk) -> None:  # F2
    case = desk.open_case()
    ask(desk, case, reason=WaitReason.CANNOT_NOW)
    Mail.objects.all().delete()
    desk.company.contacts.update(email="")
    for _ in range(2):
        follow_up(at(48))
    line = "Reach Help desk of Acme another way: our mail does not arrive"
    (told,) = wanted(case, desk.technician, 48)
    assert told.endswith(f"* {line}")
    assert wanted(case, desk.manager, 48) == [told.replace("* Reach", " Tech: reach")]
    assert wanted(case, desk.manager, 24 * 7)[0].endswith(f"* {line}")


def test_a_contact_who_left_has_to_be_replaced_before_any_sweep_has_looked(desk: Desk) -> None:  # D9, W5
    case = desk.open_case()
    ask(desk, case)
    desk.company.contacts.update(active=False)
    assert wanted(case, desk.technician, 1) == ["-* Choose another contact: Help desk of Acme has left"]


# --- after closing --------------------------------------------------------------------------------------------------


def resolved(desk: Desk, case: Case, now: str | float) -> None:
    transitions.resolve(
        case.pk, desk.technician, at(now), resolution=Resolution.CONFIRMED, agreed_by=AgreedBy.PHONE, solution="Cable"
    )


def test_a_word_after_closing_is_the_owners_until_the_time_limit_and_then_the_managers_too(desk: Desk) -> None:  # C7
    case = desk.open_case(severity=Severity.HIGH)
    resolved(desk, case, 1)
    Interaction.objects.create(
        case=case, channel=Channel.EMAIL, direction=Direction.IN, at=at(2), body="It is back.", needs_answer=True
    )
    assert wanted(case, desk.technician, 2) == ["3:00* Answer what the customer wrote after closing"]
    assert wanted(case, desk.manager, 2) == ["3:00 Tech: answer what the customer wrote after closing"]
    assert wanted(case, desk.manager, 3) == ["3:00* Answer what the customer wrote after closing"]


def test_nothing_is_wanted_on_a_resolved_case(desk: Desk) -> None:
    case = desk.open_case()
    resolved(desk, case, 1)
    assert wanted(case, desk.technician, 2) == []
    assert next_for(read(case), desk.technician, at(2)) is None
    assert coming(case, 2) == "nothing"


# --- what the desk does by itself -----------------------------------------------------------------------------------


def test_what_comes_next_by_itself(desk: Desk) -> None:  # W2
    stage = Stage(desk)
    case = stage.open(Severity.HIGH)
    assert coming(case, 0) == "12:00 High 1, asks tech for the status and mails csm, am"
    stage.to(12)
    assert coming(case, 12) == "36:00 High 2, goes to l3 and mails am"
    low = stage.open(Severity.LOW)
    assert coming(low, 12) == "nothing"


def test_a_wait_comes_to_its_next_step_and_in_the_end_to_its_closing(desk: Desk) -> None:  # F2
    case = desk.open_case()
    ask(desk, case, reason=WaitReason.CANNOT_NOW)
    Mail.objects.all().delete()
    assert coming(case, 0) == "48:00 First notice"


# --- the rest -------------------------------------------------------------------------------------------------------


def test_every_act_leads_to_an_action_that_exists(desk: Desk) -> None:
    """Each kind of item that the tests above meet names a slug; here those in the sources' own words."""
    stage = Stage(desk)
    case = stage.open(Severity.HIGH, Channel.PHONE)
    stage.to(36)
    slugs = {item.action for item in work_items_of([read(case)], desk.manager, at(36))[case.pk]}
    assert slugs <= {*ACTIONS, ""}
    for slug in ("log_contact", "give_update", "answer_question", "accept_request", "decline_request"):
        assert slug in ACTIONS
    for slug in ("escalate_further", "leave_as_is", "confirm_absence", "start_work", "hand_over"):
        assert slug in ACTIONS


def test_the_address_of_an_item_opens_its_form(desk: Desk) -> None:  # W1
    case = Stage(desk).open(Severity.HIGH, Channel.PHONE)
    item = next_for(read(case), desk.technician, NOON)
    assert item is not None
    assert item.url == f"{case.get_absolute_url()}?do=log_contact#do"


def _busy(desk: Desk, number: int) -> list[int]:
    """So many cases of each kind."""
    keys = []
    company = build_company()
    Company.objects.filter(pk=company.pk).update(account_manager=desk.account_manager)
    company.contacts.update(phone="+49 30 1", email="")
    for _ in range(number):
        keys.append(desk.open_case(severity=Severity.CRITICAL).pk)
        waiting = desk.open_case(preferred_means="phone", company=company)
        ask(desk, waiting)
        keys.append(waiting.pk)
        closed = desk.open_case()
        resolved(desk, closed, 0)
        Interaction.objects.filter(case=closed).update(needs_answer=True)
        keys.append(closed.pk)
    return keys


def test_fifty_cases_cost_as_many_queries_as_three(desk: Desk) -> None:  # W1, W2
    def cost(keys: list[int]) -> int:
        cases = list(Case.objects.filter(pk__in=keys).with_people())

        def job() -> None:
            assert any(work_items_of(cases, desk.technician, at(30)).values())
            upcoming_of(cases, at(30))

        return queries_of(job)

    few = _busy(desk, 1)
    sweeps(at(30))
    first = cost(few)
    many = _busy(desk, 16)
    sweeps(at(30))
    assert cost(many) == first
    assert first <= 22


def test_a_page_that_has_read_a_case_already_reads_it_no_more(desk: Desk) -> None:
    case = read(Stage(desk).open(Severity.HIGH, Channel.PHONE))
    next_for(case, desk.technician, NOON)
    assert queries_of(lambda: next_for(case, desk.technician, NOON + MINUTE)) == 0
    assert queries_of(lambda: upcoming(case, NOON + timedelta(minutes=2))) <= 1  # who holds the roles
