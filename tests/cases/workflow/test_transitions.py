"""The moves of a case on a real database: the whole table of C4 for everybody of A1, and everything around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from django.utils import timezone

from cases.enums import (
    AgreedBy,
    Channel,
    Direction,
    FollowUpStep,
    MailStatus,
    Move,
    Resolution,
    SendCondition,
    Severity,
    Status,
    WaitPlan,
    WaitReason,
)
from cases.guards import NotAllowed, Refused
from cases.models import Case, FollowUp, Interaction, Mail, Refusal
from cases.workflow import contact_log, opening, transitions
from contacts.enums import Level, Role
from contacts.models import RoleHolder, Technician, User
from tests.support.builders import NOON, Desk, build_centre, build_technician, build_user, reload
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LATER = NOON + HOUR
ASSIGNED, WORKING, WAITING, RESOLVED = Status


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of our own apps: what a refused move must leave as it was."""
    return {
        model.__name__: list(model.objects.order_by("pk").values())
        for app in ("contacts", "cases", "escalations")
        for model in apps.get_app_config(app).get_models()
    }


@contextmanager
def nothing_changes() -> Iterator[None]:
    before = everything()
    yield
    assert everything() == before


@contextmanager
def undone_afterwards() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def last_change(case: Case) -> Any:
    return case.history.order_by("-history_date", "-history_id").first()


def case_in(desk: Desk, status: Status) -> Case:
    """A case of the desk's technician that has got to a status by the real moves."""
    case, who = desk.open_case(), desk.technician
    if status != ASSIGNED:
        transitions.start_work(case.pk, who, NOON)
    if status == WAITING:
        transitions.ask_customer(case.pk, who, NOON, question="Which printer?", reason=WaitReason.INFORMATION)
    if status == RESOLVED:
        transitions.resolve(
            case.pk, who, NOON, resolution=Resolution.CONFIRMED, agreed_by=AgreedBy.PHONE, solution="Toner."
        )
    return reload(case)


Attempt = Callable[[int, User], object]

ATTEMPTS: dict[str, Attempt] = {
    "start_work": lambda pk, who: transitions.start_work(pk, who, LATER),
    "ask_customer": lambda pk, who: transitions.ask_customer(
        pk, who, LATER, question="Which floor?", reason=WaitReason.INFORMATION
    ),
    "take_back": lambda pk, who: transitions.take_back(pk, who, LATER, reason="Found it ourselves."),
    "customer_responded": lambda pk, who: contact_log.customer_responded(
        pk, who, LATER, channel=Channel.PHONE, body="The third floor."
    ),
    "resolve": lambda pk, who: transitions.resolve(
        pk, who, LATER, resolution=Resolution.CONFIRMED, agreed_by=AgreedBy.PHONE, solution="A new toner."
    ),
    "reopen": lambda pk, who: transitions.reopen(pk, who, LATER, reason="It is back."),
}

#: C4, typed from the rules: from where a transition may be made, and where it leads.
TABLE: dict[str, tuple[set[Status], Status]] = {
    "start_work": ({ASSIGNED}, WORKING),
    "ask_customer": ({ASSIGNED, WORKING, WAITING}, WAITING),
    "take_back": ({WAITING}, WORKING),
    "customer_responded": ({WAITING}, WORKING),
    "resolve": ({ASSIGNED, WORKING, WAITING}, RESOLVED),
    "reopen": ({RESOLVED}, WORKING),
}

#: What the history says of each transition, and who is mailed.
TOLD: dict[str, tuple[Move, str, list[tuple[str, str]]]] = {
    "start_work": (Move.STARTED, "", []),
    "ask_customer": (Move.ASKED, "Information asked for: Which floor?", [("question", "desk@acme.example.com")]),
    "take_back": (Move.TAKEN_BACK, "Found it ourselves.", []),
    "customer_responded": (Move.RESPONDED, "Phone: The third floor.", [("contact_logged", "tech@example.com")]),
    "resolve": (Move.RESOLVED, "Customer confirmed the solution on the phone", [("resolved", "desk@acme.example.com")]),
    "reopen": (Move.REOPENED, "It is back.", [("reopened", "tech@example.com")]),
}


def people(desk: Desk) -> dict[str, tuple[User, bool]]:
    """Everybody of A1, and whether they work cases."""
    return {
        "technician": (desk.technician, True),
        "another technician": (build_technician(desk.centre, name="tech2"), True),
        "support manager": (desk.manager, True),
        "superuser": (build_user(name="root", is_superuser=True), True),
        "account manager": (desk.account_manager, False),
        "foreign account manager": (desk.other_account_manager, False),
        "customer engineer": (desk.customer_engineer, False),
        "CSM": (desk.csm, False),
        "director": (desk.director, False),
        "COO": (desk.coo, False),
        "nobody in particular": (build_user(), False),
        "inactive technician": (build_technician(desk.centre, name="gone"), False),
        "inactive superuser": (build_user(name="old-root", is_superuser=True, is_active=False), False),
    }


def deactivate_the_gone() -> None:
    User.objects.filter(username="gone").update(is_active=False)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("transition_name", TABLE)
def test_a_transition_is_made_from_its_statuses_by_those_who_work_cases_and_else_changes_nothing(
    desk: Desk, transition_name: str, status: Status
) -> None:  # C4, C5, A1, A2
    case = case_in(desk, status)
    sources, target = TABLE[transition_name]
    move, reason, mails = TOLD[transition_name]
    staff = people(desk)
    deactivate_the_gone()
    before = everything()
    for who, (stale, may) in staff.items():
        actor = User.objects.get(pk=stale.pk)
        if may and status in sources:
            with undone_afterwards():
                posted = Outbox()
                ATTEMPTS[transition_name](case.pk, actor)
                after, row = reload(case), last_change(case)
                assert after.status == target, who
                assert (row.status, row.last_move, row.history_user) == (target, move, actor)
                assert (row.history_date, row.history_change_reason) == (LATER, reason)
                assert (after.last_move, after.changed_at, after.escalation_check_at) == (move, LATER, LATER)
                of_own_doing = actor == desk.technician and mails and mails[0][1] == "tech@example.com"
                assert sorted(posted.letters()) == ([] if of_own_doing else mails), who
        else:
            with pytest.raises(Refused if may else NotAllowed) as refused:
                ATTEMPTS[transition_name](case.pk, actor)
            assert refused.value.sentence.endswith("."), who
    assert everything() == before


@pytest.mark.parametrize("status", Status)
def test_the_transitions_that_are_offered_are_those_of_the_table(desk: Desk, status: Status) -> None:  # C4
    case = case_in(desk, status)
    assert transitions.available_transitions(case) == [
        name for name, (sources, _) in TABLE.items() if status in sources
    ]


def test_a_refused_transition_says_what_happened_meanwhile(desk: Desk, time_machine) -> None:  # S4
    time_machine.move_to(NOON)
    case = case_in(desk, RESOLVED)
    with pytest.raises(Refused, match=rf"{case.number} is “Resolved” since resolved by tech on Wed 3 Jun, 12:00"):
        transitions.start_work(case.pk, desk.manager, LATER)


@pytest.mark.parametrize(("read_in", "year"), [(2026, ""), (2027, " 2026")])
def test_a_refusal_gives_the_moment_in_the_readers_zone(desk: Desk, time_machine, read_in: int, year: str):  # S4
    time_machine.move_to(NOON.replace(year=read_in))
    case = desk.open_case()
    transitions.start_work(case.pk, desk.technician, NOON)
    with (
        timezone.override("Europe/Berlin"),
        pytest.raises(Refused, match=f"since work started by tech on Wed 3 Jun{year}, 14:00"),
    ):
        transitions.start_work(case.pk, desk.technician, NOON)


NEEDS: list[tuple[Status, str, Callable[[int, User], object]]] = [
    (
        WORKING,
        "question",
        lambda pk, who: transitions.ask_customer(pk, who, LATER, question=" \n", reason=WaitReason.CONFIRM),
    ),
    (WAITING, "reason", lambda pk, who: transitions.take_back(pk, who, LATER, reason=" ")),
    (
        WAITING,
        "body",
        lambda pk, who: contact_log.customer_responded(pk, who, LATER, channel=Channel.PHONE, body=""),
    ),
    (
        WAITING,
        "channel",
        lambda pk, who: contact_log.customer_responded(pk, who, LATER, channel=Channel.NOTE, body="They said so."),
    ),
    (
        WORKING,
        "solution",
        lambda pk, who: transitions.resolve(
            pk, who, LATER, resolution=Resolution.CONFIRMED, agreed_by=AgreedBy.PHONE, solution="  "
        ),
    ),
    (WORKING, "resolution", lambda pk, who: transitions.resolve(pk, who, LATER, resolution=Resolution.NO_RESPONSE)),
    (WAITING, "resolution", lambda pk, who: transitions.resolve(pk, who, LATER, resolution=Resolution.NO_RESPONSE)),
    (RESOLVED, "reason", lambda pk, who: transitions.reopen(pk, who, LATER, reason="")),
    (WORKING, "reason", lambda pk, who: transitions.change_severity(pk, who, LATER, severity=Severity.LOW, reason="")),
    (
        WORKING,
        "severity",
        lambda pk, who: transitions.change_severity(pk, who, LATER, severity=Severity.MEDIUM, reason="Why not."),
    ),
    (
        WORKING,
        "body",
        lambda pk, who: contact_log.log_contact(
            pk, who, LATER, channel=Channel.PHONE, direction=Direction.OUT, body="\t"
        ),
    ),
    (
        WORKING,
        "direction",
        lambda pk, who: contact_log.log_contact(pk, who, LATER, channel=Channel.NOTE, direction=Direction.IN, body="x"),
    ),
    (
        WORKING,
        "direction",
        lambda pk, who: contact_log.log_contact(
            pk, who, LATER, channel=Channel.PHONE, direction=Direction.INTERNAL, body="x"
        ),
    ),
    (
        WORKING,
        "send",
        lambda pk, who: contact_log.log_contact(
            pk, who, LATER, channel=Channel.PHONE, direction=Direction.OUT, body="x", send=True
        ),
    ),
]


@pytest.mark.parametrize(("status", "field", "attempt"), NEEDS)
def test_what_a_move_lacks_is_said_in_a_sentence_that_names_the_input(desk: Desk, status, field, attempt) -> None:
    # C4, S4
    case = case_in(desk, status)
    with nothing_changes(), pytest.raises(Refused) as refused:
        attempt(case.pk, desk.technician)
    assert refused.value.field == field
    assert not isinstance(refused.value, NotAllowed)
    assert refused.value.sentence[0].isupper()
    assert refused.value.sentence.endswith((".", "?"))


def test_status_cannot_be_assigned(desk: Desk) -> None:  # C5
    case = desk.open_case()
    with pytest.raises(AttributeError):
        case.status = RESOLVED
    assert reload(case).status == ASSIGNED


def test_a_case_that_cannot_be_pursued_closes_without_a_solution(desk: Desk) -> None:  # C4
    case = case_in(desk, WORKING)
    transitions.resolve(case.pk, desk.technician, LATER, resolution=Resolution.NOT_PURSUED)
    after = reload(case)
    assert (after.status, after.resolution, after.resolved_at) == (RESOLVED, Resolution.NOT_PURSUED, LATER)
    assert after.solution == ""


# --- waiting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "plan"),
    [
        (WaitReason.INFORMATION, WaitPlan.THREE_CONTACTS),
        (WaitReason.CANNOT_NOW, WaitPlan.PENDING_CLIENT_ACTION),
        (WaitReason.CONFIRM, WaitPlan.PENDING_CLIENT_ACTION),
    ],
)
def test_why_we_wait_picks_the_plan(desk: Desk, reason: WaitReason, plan: WaitPlan) -> None:  # F1
    case = case_in(desk, WORKING)
    transitions.ask_customer(case.pk, desk.technician, LATER, question="?", reason=reason)
    after = reload(case)
    assert (after.wait_reason, after.wait_plan, after.wait_episode, after.waiting_since) == (reason, plan, 1, LATER)
    assert after.follow_up_check_at == LATER


@pytest.mark.parametrize("plan", WaitPlan)
def test_the_technician_may_choose_the_other_plan(desk: Desk, plan: WaitPlan) -> None:  # F1
    case = case_in(desk, WORKING)
    transitions.ask_customer(
        case.pk,
        desk.technician,
        LATER,
        question="?",
        reason=WaitReason.CONFIRM,
        plan=plan,
        send=False,
        channel=Channel.PHONE,
    )
    assert reload(case).wait_plan == plan


def test_a_question_while_waiting_starts_a_new_episode_from_zero(desk: Desk) -> None:  # C5, F6
    case = case_in(desk, WAITING)
    transitions.ask_customer(case.pk, desk.technician, LATER, question="And which floor?", reason=WaitReason.CONFIRM)
    after = reload(case)
    assert (after.status, after.wait_episode, after.waiting_since) == (WAITING, 2, LATER)
    assert after.wait_question == "And which floor?"
    assert list(Mail.objects.filter(template="question").order_by("pk").values_list("episode", "holds")) == [
        (1, SendCondition.WAITING),
        (2, SendCondition.WAITING),
    ]


def test_episodes_are_numbered_over_the_whole_case(desk: Desk) -> None:  # F6
    case = case_in(desk, WAITING)
    transitions.take_back(case.pk, desk.technician, LATER, reason="By mistake.")
    transitions.resolve(case.pk, desk.technician, LATER, resolution=Resolution.NOT_PURSUED)
    transitions.reopen(case.pk, desk.technician, LATER, reason="After all.")
    transitions.ask_customer(case.pk, desk.technician, LATER, question="?", reason=WaitReason.CONFIRM)
    assert reload(case).wait_episode == 2


def test_a_question_put_in_another_way_sends_nothing(desk: Desk) -> None:  # C4
    case, posted = case_in(desk, WORKING), Outbox()
    transitions.ask_customer(
        case.pk, desk.technician, LATER, question="?", reason=WaitReason.CONFIRM, send=False, channel=Channel.PHONE
    )
    assert sorted(posted.letters()) == []
    assert reload(case).status == WAITING


def test_a_question_cannot_be_mailed_to_a_contact_without_an_address(desk: Desk) -> None:  # S4
    case = case_in(desk, WORKING)
    desk.company.contacts.update(email="")
    with nothing_changes(), pytest.raises(Refused, match="has no email address") as refused:
        transitions.ask_customer(case.pk, desk.technician, LATER, question="?", reason=WaitReason.CONFIRM)
    assert refused.value.field == "send"


@pytest.mark.parametrize("leave", ["take_back", "customer_responded", "resolve"])
def test_leaving_the_wait_ends_its_follow_up(desk: Desk, leave: str) -> None:  # F6
    case = case_in(desk, WAITING)
    ATTEMPTS[leave](case.pk, desk.technician)
    after = reload(case)
    assert (after.waiting_since, after.follow_up_check_at) == (None, None)


# --- contacts (C3) ----------------------------------------------------------------------------------------------


def log(case: Case, who: User, channel: Channel, direction: Direction, **more: Any) -> Interaction:
    return contact_log.log_contact(
        case.pk, who, LATER, channel=channel, direction=direction, body="Third floor.", **more
    )


@pytest.mark.parametrize(
    ("channel", "direction", "reached", "ends_the_wait"),
    [
        (Channel.PHONE, Direction.IN, True, True),
        (Channel.CHAT, Direction.IN, True, True),
        (Channel.EMAIL, Direction.IN, True, True),
        (Channel.PHONE, Direction.OUT, True, True),
        (Channel.CHAT, Direction.OUT, True, True),
        (Channel.PHONE, Direction.OUT, False, False),
        (Channel.EMAIL, Direction.OUT, True, False),
        (Channel.NOTE, Direction.INTERNAL, True, False),
    ],
)
def test_the_customers_word_ends_a_wait_by_itself_and_nothing_else_does(
    desk: Desk, channel, direction, reached, ends_the_wait
) -> None:  # C4, F3, F6
    case = case_in(desk, WAITING)
    interaction = log(case, desk.technician, channel, direction, reached=reached)
    assert (interaction.at, interaction.by, interaction.body) == (LATER, desk.technician, "Third floor.")
    after = reload(case)
    assert after.status == (WORKING if ends_the_wait else WAITING)
    row = last_change(case)
    assert row.last_move == (Move.RESPONDED if ends_the_wait else Move.ASKED)
    if ends_the_wait:
        assert (row.history_user, row.history_change_reason) == (desk.technician, f"{channel.label}: Third floor.")


@pytest.mark.parametrize("status", [ASSIGNED, WORKING])
def test_a_contact_on_a_case_that_does_not_wait_changes_no_status(desk: Desk, status: Status) -> None:  # C3
    case, posted = case_in(desk, status), Outbox()
    log(case, desk.technician, Channel.PHONE, Direction.IN)
    assert reload(case).status == status
    assert sorted(posted.letters()) == []


def test_a_message_is_mailed_when_it_is_to_be_sent_now(desk: Desk) -> None:  # C3
    case, posted = case_in(desk, WORKING), Outbox()
    log(case, desk.technician, Channel.EMAIL, Direction.OUT, send=True)
    assert sorted(posted.letters()) == [("message", "desk@acme.example.com")]


def test_who_looks_after_a_company_notes_on_its_cases_and_cannot_see_a_foreign_one(desk: Desk) -> None:  # A1
    case = case_in(desk, WORKING)
    for who in (desk.account_manager, desk.customer_engineer):
        assert log(case, who, Channel.NOTE, Direction.INTERNAL).by == who
    with nothing_changes(), pytest.raises(Case.DoesNotExist):
        log(case, desk.other_account_manager, Channel.NOTE, Direction.INTERNAL)
    with nothing_changes(), pytest.raises(NotAllowed):
        log(case, desk.account_manager, Channel.PHONE, Direction.OUT)
    with nothing_changes(), pytest.raises(NotAllowed):
        log(case, desk.csm, Channel.NOTE, Direction.INTERNAL)


def test_only_the_call_that_opened_the_case_says_so(desk: Desk) -> None:  # T1
    case = desk.open_case(channel=Channel.PHONE, description="Since nine.")
    log(case, desk.technician, Channel.PHONE, Direction.OUT, reached=False)
    first, second = Interaction.objects.filter(case=case)
    assert (first.opened_the_case, first.direction, first.body) == (True, Direction.IN, "Since nine.")
    assert (second.opened_the_case, second.direction, second.reached) == (False, Direction.OUT, False)
    assert reload(case).opened_by_channel == Channel.PHONE


# --- C7: a word on a resolved case ------------------------------------------------------------------------------


def closed_for_no_response(desk: Desk) -> Case:
    """A case that closed for no response at NOON + 8 days, its final notice sent two days before."""
    case = case_in(desk, WAITING)
    sent = NOON + timedelta(days=6)
    mail = Mail.objects.get(template="question", case=case)
    Mail.objects.filter(pk=mail.pk).update(status=MailStatus.SENT, sent_at=sent)
    FollowUp.objects.create(case=case, episode=1, step=FollowUpStep.FINAL, due_at=sent, done_at=sent, mail=mail)
    at = NOON + timedelta(days=8)
    return transitions.resolve(case.pk, desk.technician, at, resolution=Resolution.NO_RESPONSE)


@pytest.mark.parametrize(("days", "reopens"), [(0, True), (14, True), (14.01, False)])
def test_an_answer_within_14_days_on_a_case_closed_for_no_response_reopens_it(desk: Desk, days, reopens) -> None:  # C7
    case = closed_for_no_response(desk)
    posted, at = Outbox(), NOON + timedelta(days=8 + days)
    word = contact_log.log_contact(
        case.pk, desk.l3, at, channel=Channel.EMAIL, direction=Direction.IN, body="I was on leave."
    )
    after = reload(case)
    word.refresh_from_db()
    if reopens:
        assert (after.status, after.last_move, word.needs_answer) == (WORKING, Move.REOPENED, False)
        assert sorted(posted.letters()) == [("reopened", "tech@example.com")]
    else:
        assert (after.status, word.needs_answer) == (RESOLVED, True)
        assert sorted(posted.letters()) == [("word_on_resolved", "tech@example.com")]


def test_a_word_on_any_other_resolved_case_is_flagged_to_the_owner_and_reopens_nothing(desk: Desk) -> None:  # C7
    case, posted = case_in(desk, RESOLVED), Outbox()
    word = log(case, desk.l3, Channel.PHONE, Direction.IN)
    word.refresh_from_db()
    assert word.needs_answer
    assert reload(case).status == RESOLVED
    assert sorted(posted.letters()) == [("word_on_resolved", "tech@example.com")]


def test_our_own_call_on_a_resolved_case_is_only_logged(desk: Desk) -> None:  # C7
    case, posted = closed_for_no_response(desk), Outbox()
    at = NOON + timedelta(days=9)
    call = contact_log.log_contact(
        case.pk, desk.technician, at, channel=Channel.PHONE, direction=Direction.OUT, body="Called them."
    )
    assert reload(case).status == RESOLVED
    assert (call.needs_answer, sorted(posted.letters())) == (False, [])


def test_a_flagged_word_is_handled_by_hand_or_by_reopening(desk: Desk) -> None:  # C7
    case = case_in(desk, RESOLVED)
    thanks, again = (log(case, desk.technician, Channel.EMAIL, Direction.IN) for _ in range(2))
    with nothing_changes(), pytest.raises(NotAllowed):
        contact_log.mark_handled(thanks.pk, desk.account_manager)
    contact_log.mark_handled(thanks.pk, desk.technician)
    assert list(Interaction.objects.filter(needs_answer=True)) == [again]
    transitions.reopen(case.pk, desk.technician, LATER, reason="It is back.")
    assert not Interaction.objects.filter(needs_answer=True).exists()


# --- closing for no response, by hand (F7) ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mail_status", "hours_ago", "closes"),
    [
        (MailStatus.SENT, 24, True),
        (MailStatus.SENT, 23.99, False),
        (MailStatus.QUEUED, 100, False),
        (MailStatus.FAILED, 100, False),
        (MailStatus.BOUNCED, 100, False),
        (MailStatus.DROPPED, 100, False),
    ],
)
def test_by_hand_as_well_a_case_closes_for_no_response_only_a_day_after_its_final_notice_left(
    desk: Desk, mail_status, hours_ago, closes
) -> None:  # F7
    case = case_in(desk, WAITING)
    sent_at = LATER - hours_ago * HOUR
    mail = Mail.objects.get(template="question", case=case)
    Mail.objects.filter(pk=mail.pk).update(status=mail_status, sent_at=sent_at)
    FollowUp.objects.create(case=case, episode=1, step=FollowUpStep.FINAL, due_at=sent_at, done_at=sent_at, mail=mail)
    if closes:
        posted = Outbox()
        transitions.resolve(case.pk, desk.technician, LATER, resolution=Resolution.NO_RESPONSE)
        assert reload(case).status == RESOLVED
        assert sorted(posted.letters()) == [("closed_no_response", "desk@acme.example.com")]
    else:
        with nothing_changes(), pytest.raises(Refused, match="24 h after that was sent"):
            transitions.resolve(case.pk, desk.technician, LATER, resolution=Resolution.NO_RESPONSE)


def test_the_final_notice_of_an_earlier_wait_closes_nothing(desk: Desk) -> None:  # F6, F7
    case = case_in(desk, WAITING)
    sent = NOON - timedelta(days=3)
    mail = Mail.objects.get(template="question", case=case)
    Mail.objects.filter(pk=mail.pk).update(status=MailStatus.SENT, sent_at=sent)
    FollowUp.objects.create(case=case, episode=1, step=FollowUpStep.FINAL, due_at=sent, done_at=sent, mail=mail)
    transitions.ask_customer(case.pk, desk.technician, LATER, question="Anew?", reason=WaitReason.CONFIRM)
    with nothing_changes(), pytest.raises(Refused):
        transitions.resolve(case.pk, desk.technician, LATER + HOUR, resolution=Resolution.NO_RESPONSE)


# --- reopening --------------------------------------------------------------------------------------------------


def test_a_case_is_reopened_within_14_days_and_not_later(desk: Desk) -> None:  # C4
    case = case_in(desk, RESOLVED)
    too_late = NOON + timedelta(days=14, microseconds=1)
    with nothing_changes(), pytest.raises(Refused, match="open a new case linked to it"):
        transitions.reopen(case.pk, desk.technician, too_late, reason="Again.")
    transitions.reopen(case.pk, desk.technician, NOON + timedelta(days=14), reason="Again.")
    after = reload(case)
    assert (after.status, after.resolved_at, after.resolution) == (WORKING, None, "")


# --- opening (C1, C6, D3, D6) -----------------------------------------------------------------------------------


def test_an_opened_case_has_an_owner_a_number_a_history_and_a_receipt(desk: Desk) -> None:  # C1, C3, C5, C6
    posted = Outbox()
    case = desk.open_case(actor=desk.manager, title="  Nobody can print ")
    row = last_change(case)
    assert (case.title, case.status, case.owner) == ("Nobody can print", ASSIGNED, desk.technician)
    assert case.number == f"SD-{case.pk:06d}"
    assert (row.last_move, row.history_type, row.history_user, row.history_date) == ("opened", "+", desk.manager, NOON)
    assert "L2 on duty in their business day who speaks" in row.history_change_reason
    assert (case.opened_at, case.opened_by, case.escalation_check_at) == (NOON, desk.manager, NOON)
    assert sorted(posted.letters()) == [("case_opened", "desk@acme.example.com"), ("new_case", "tech@example.com")]
    asked = Mail.objects.get(template="case_opened").facts["questions"]
    assert len(asked) == 7  # all that is missing in one message; the preferred means are known


@pytest.mark.parametrize("severity", Severity)
def test_the_support_manager_is_told_of_every_critical_and_high_case(desk: Desk, severity: Severity) -> None:  # D6
    posted = Outbox()
    desk.open_case(severity=severity)
    severe = severity in (Severity.CRITICAL, Severity.HIGH)
    told = [("severe_case", "support_manager@example.com")] if severe else []
    of_critical = [("critical_case", "am@example.com")] if severity == Severity.CRITICAL else []
    assert sorted(posted.letters()) == [("case_opened", "desk@acme.example.com"), *of_critical, *told]


@pytest.mark.parametrize(
    ("fields", "complaint", "field"),
    [({"title": "  "}, "needs a title", "title")],
)
def test_what_intake_cannot_do_without_is_said(desk: Desk, fields, complaint, field) -> None:  # C1, S4
    with nothing_changes(), pytest.raises(Refused, match=complaint) as refused:
        desk.open_case(**fields)
    assert refused.value.field == field


def test_a_contact_of_another_company_opens_nothing(desk: Desk) -> None:  # C1
    stranger = desk.other_company.contacts.get(is_help_desk=True)
    with nothing_changes(), pytest.raises(Refused, match="does not work for Acme"):
        desk.open_case(contact=stranger)


def test_who_is_not_the_help_desk_is_turned_away_politely_and_that_is_recorded_once(desk: Desk) -> None:  # D3
    with nothing_changes(), pytest.raises(Refused, match=r"point them to it \(Help desk of Acme"):
        desk.open_case(contact=desk.end_user)
    for minutes in (0, 30):
        at = NOON + timedelta(minutes=minutes)
        opening.turn_away(desk.end_user, "No printing", desk.technician, at)
    (refusal,) = Refusal.objects.all()
    assert (refusal.contact, refusal.by, refusal.at) == (desk.end_user, desk.technician, NOON)
    assert "desk@acme.example.com" in refusal.told
    opening.turn_away(desk.end_user, "No printing", desk.technician, NOON + 2 * HOUR)
    assert Refusal.objects.count() == 2
    with nothing_changes(), pytest.raises(NotAllowed):
        opening.turn_away(desk.end_user, "No printing", desk.account_manager, NOON + 4 * HOUR)


def test_with_a_reason_a_technician_opens_it_for_somebody_else(desk: Desk) -> None:  # D3
    with nothing_changes(), pytest.raises(Refused):
        desk.open_case(contact=desk.end_user, opened_despite="   ")
    case = desk.open_case(contact=desk.end_user, opened_despite="Their help desk is down.")
    assert reload(case).opened_despite == "Their help desk is down."


def test_nobody_without_the_right_opens_a_case(desk: Desk) -> None:  # A1
    for actor in (desk.account_manager, desk.customer_engineer, desk.csm, desk.director, desk.coo, build_user()):
        with nothing_changes(), pytest.raises(NotAllowed):
            desk.open_case(actor=actor)


def test_work_goes_to_the_least_loaded_and_the_load_is_weighted_by_severity(desk: Desk) -> None:  # C6
    other = build_technician(desk.centre, name="tech2")
    third = build_technician(desk.centre, name="tech3")
    owners = [
        desk.open_case(NOON + timedelta(minutes=minute), severity=severity).owner
        for minute, severity in enumerate(
            [Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.MEDIUM, Severity.LOW, Severity.LOW]
        )
    ]
    #          8               4      2      2+2    4: the other waits longer  5 against 4
    assert owners == [desk.technician, other, third, third, other, third]


def test_a_resolved_case_weighs_nothing(desk: Desk) -> None:  # C6
    other = build_technician(desk.centre, name="tech2")
    heavy = desk.open_case(severity=Severity.CRITICAL)
    assert desk.open_case(NOON + HOUR, severity=Severity.LOW).owner == other
    transitions.resolve(heavy.pk, desk.technician, NOON + HOUR, resolution=Resolution.NOT_PURSUED)
    assert desk.open_case(NOON + 2 * HOUR).owner == desk.technician


def test_a_case_goes_to_the_centre_in_its_business_day_and_then_to_the_night(desk: Desk) -> None:  # C6, D1
    shut = build_centre("Tokyo", "JP", "Asia/Tokyo")
    shut.spans.all().delete()
    idle_at_night = build_technician(shut, name="night", languages=["en", "fr"])
    desk.open_case(NOON)  # now the day's technician is busier
    assert desk.open_case(NOON + HOUR).owner == desk.technician
    Technician.objects.filter(user=desk.technician).update(on_duty=False)
    assert desk.open_case(NOON + 2 * HOUR).owner == idle_at_night


def test_the_customers_language_goes_before_a_lighter_load(desk: Desk) -> None:  # C6
    french = build_technician(desk.centre, name="french", languages=["en", "fr"])
    desk.company.contacts.update(language="fr")
    for minute in range(3):
        assert desk.open_case(NOON + timedelta(minutes=minute)).owner == french


def test_a_japanese_customer_is_served_in_english_outside_japans_business_hours(desk: Desk) -> None:  # D2
    japanese = build_technician(desk.centre, name="yuki", languages=["ja"])
    desk.company.contacts.update(language="ja")
    in_japan = NOON.replace(hour=2)  # 11:00 in Tokyo, a Wednesday
    assert desk.open_case(in_japan).owner == japanese
    case = desk.open_case(NOON)  # 21:00 in Tokyo
    assert case.owner == desk.technician
    facts = Mail.objects.get(template="case_opened", case=case).facts
    assert facts["language"] == "en"
    assert facts["japanese_opens_at"] == "2026-06-04T00:00:00+00:00"


def test_with_none_on_duty_any_active_l2_gets_the_case(desk: Desk) -> None:  # C6
    build_technician(desk.centre, name="gone", on_duty=True)
    deactivate_the_gone()
    Technician.objects.update(on_duty=False)
    case = desk.open_case()
    row = last_change(case)
    assert case.owner == desk.technician
    assert "L2 off duty, as none is on duty" in row.history_change_reason


def test_with_no_l2_at_all_the_support_manager_gets_it_and_is_told(desk: Desk) -> None:  # C6
    User.objects.filter(technician__level=Level.L2).update(is_active=False)
    posted = Outbox()
    case = desk.open_case(actor=desk.l3)
    assert case.owner == desk.manager
    assert sorted(posted.letters()) == [
        ("case_opened", "desk@acme.example.com"),
        ("nobody_on_duty", "support_manager@example.com"),
    ]


def test_with_neither_l2_nor_support_manager_the_superusers_are_told(desk: Desk) -> None:  # C6, D5
    User.objects.filter(technician__level=Level.L2).update(is_active=False)
    RoleHolder.objects.filter(role=Role.SUPPORT_MANAGER).update(holder=None)
    roots = [build_user(name=name, is_superuser=True) for name in ("root1", "root2")]
    build_user(name="silent-root", is_superuser=True, email="")
    posted = Outbox()
    case = desk.open_case(actor=desk.l3)
    assert reload(case).owner is None
    assert sorted(posted.letters()) == [
        ("case_opened", "desk@acme.example.com"),
        *(("nobody_on_duty", root.email) for root in roots),
    ]
    meant = set(Mail.objects.filter(template="nobody_on_duty").values_list("meant_for", flat=True))
    assert meant == {"Support manager (nobody)"}


def test_a_contact_without_an_address_gets_no_receipt_and_the_case_opens_all_the_same(desk: Desk) -> None:  # D5
    desk.company.contacts.update(email="")
    posted = Outbox()
    assert desk.open_case().owner == desk.technician
    assert sorted(posted.letters()) == []


# --- severity, owner, details -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (Severity.MEDIUM, Severity.CRITICAL, True),
        (Severity.LOW, Severity.HIGH, True),
        (Severity.HIGH, Severity.CRITICAL, True),
        (Severity.CRITICAL, Severity.HIGH, False),
        (Severity.HIGH, Severity.LOW, False),
    ],
)
def test_a_severity_changes_with_a_reason_and_the_manager_hears_of_a_raise_to_a_severe_one(
    desk: Desk, before, after, told
) -> None:  # C2, C5, D6
    case, posted = desk.open_case(severity=before), Outbox()
    transitions.change_severity(case.pk, desk.technician, LATER, severity=after, reason="The whole floor.")
    row = last_change(case)
    assert (reload(case).severity, row.severity, row.last_move) == (after, after, Move.SEVERITY)
    assert row.history_change_reason == f"{before.label} to {after.label}: The whole floor."
    assert reload(case).escalation_check_at == LATER
    assert sorted(posted.letters()) == ([("severity_raised", "support_manager@example.com")] if told else [])


def test_details_are_edited_with_a_history_and_nothing_else_is(desk: Desk) -> None:  # C1, C5
    case = desk.open_case()
    transitions.edit_details(case.pk, desk.technician, LATER, changes={"device": "LaserJet", "title": "No printing"})
    row = last_change(case)
    assert (reload(case).device, reload(case).title) == ("LaserJet", "No printing")
    assert (row.last_move, row.history_user, row.history_change_reason) == (
        Move.EDITED,
        desk.technician,
        "Edited: device, title",
    )
    for forbidden in ("status", "severity", "owner", "opened_at", "company", "resolved_at"):
        with nothing_changes(), pytest.raises(KeyError):
            transitions.edit_details(case.pk, desk.technician, LATER, changes={forbidden: "x"})
    stranger = desk.other_company.contacts.get(is_help_desk=True)
    with nothing_changes(), pytest.raises(Refused, match="does not work for Acme"):
        transitions.edit_details(case.pk, desk.technician, LATER, changes={"contact": stranger})
    for actor in (desk.account_manager, desk.csm):
        with nothing_changes(), pytest.raises(NotAllowed):
            transitions.edit_details(case.pk, actor, LATER, changes={"device": "x"})


def test_a_move_of_a_machine_whose_clock_is_slow_does_not_happen_before_the_last_one(desk: Desk) -> None:  # E3
    case = desk.open_case()
    transitions.ask_customer(case.pk, desk.technician, LATER, question="?", reason=WaitReason.CONFIRM)
    transitions.take_back(case.pk, desk.technician, LATER - timedelta(seconds=2), reason="By mistake.")
    transitions.resolve(
        case.pk,
        desk.technician,
        LATER - timedelta(seconds=1),
        resolution=Resolution.CONFIRMED,
        agreed_by=AgreedBy.PHONE,
        solution="Toner.",
    )
    assert list(case.history.order_by("history_id").values_list("history_date", flat=True)) == [NOON, *[LATER] * 3]
    assert reload(case).resolved_at == LATER


def test_an_intake_is_kept_as_it_was_answered(desk: Desk) -> None:  # C1
    answers = {
        "description": "Since nine.",
        "affected_user": "PC-117",
        "device": "LaserJet",
        "operating_system": "Windows 11",
        "system_information": "Driver 4.2",
        "several_devices": False,
        "affected": "some",
        "impact": "minor",
        "preferred_means": "phone",
    }
    case = reload(desk.open_case(title="No printing", channel=Channel.CHAT, **answers))
    assert {name: getattr(case, name) for name in answers} == answers
    assert Mail.objects.get(template="case_opened").facts["questions"] == []
