"""Triage: what a person decides about a message, undone or carried out once, whoever else is at it (M5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from cases.enums import Channel, Door, MatchedBy, ReceivedKind, ReceivedOutcome, Status, TriageDecision, WaitReason
from cases.guards import NotAllowed, Refused
from cases.inbox import triage
from cases.inbox.receive import receive
from cases.inbox.triage import TriageRun, carry_out, decide, dismiss_all, plan_of, take_back
from cases.models import Absence, Case, ContractQuestion, Interaction, ReceivedMail
from cases.workflow import transitions
from contacts.models import Company, User
from tests.support.builders import NOON, Desk, build_desk, reload
from tests.support.engine_worker import killed_before_every_statement
from tests.support.mails import raw_mail
from tests.support.outbox import Outbox
from tests.support.queries import queries_of
from tests.support.workers import at_once

pytestmark = pytest.mark.django_db

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
LATER = NOON + 20 * SECOND
STRANGER = "Bob Bell <bob@elsewhere.example>"


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Path) -> None:
    settings.DESK_FILES_DIR = tmp_path / "files"


def came_in(sender: str = STRANGER, **words: Any) -> ReceivedMail:
    """The row of a message that waits in triage."""
    mail = receive(raw_mail(sender=sender, **words), NOON, door=Door.COMMAND).mail
    assert mail.outcome == ReceivedOutcome.TRIAGE
    return mail


def now_of(mail: ReceivedMail) -> ReceivedMail:
    return ReceivedMail.objects.get(pk=mail.pk)


# --- each decision ----------------------------------------------------------------------------------------------------


def test_nothing_happens_until_the_time_to_undo_has_passed(desk: Desk) -> None:  # M5
    case = desk.open_case()
    transitions.ask_customer(case.pk, desk.technician, NOON, question="Which?", reason=WaitReason.INFORMATION)
    outbox = Outbox()
    mail = decide(
        came_in(text="The blue one.").pk, TriageDecision.ATTACH, desk.technician, NOON, case=case, contact=desk.contact
    )
    assert plan_of(mail) == f"Attaches it to {case.number}"
    assert carry_out(LATER - SECOND) == TriageRun()
    assert (now_of(mail).outcome, reload(case).status) == (ReceivedOutcome.TRIAGE, Status.WAITING)
    assert carry_out(LATER) == TriageRun(done=1)
    mail = now_of(mail)
    assert (mail.outcome, mail.case_id, mail.matched_by) == (ReceivedOutcome.LOGGED, case.pk, MatchedBy.PERSON)
    assert mail.explanation == f"Attached to {case.number} by tech."
    assert (mail.interaction.body, mail.interaction.contact, mail.interaction.by) == (
        "The blue one.",
        desk.contact,
        desk.technician,
    )
    assert reload(case).status == Status.IN_PROGRESS
    assert (mail.decided_by, mail.decided_at, mail.carry_out_at) == (desk.technician, NOON, None)
    assert carry_out(LATER + HOUR) == TriageRun()
    assert outbox.letters() == []  # the owner decided it


def test_a_message_opens_a_case_for_a_contact(desk: Desk) -> None:  # M5, C1
    mail = came_in(text="All is slow.", subject="Slow")
    mail = decide(mail.pk, TriageDecision.OPEN, desk.technician, NOON, contact=desk.contact)
    assert plan_of(mail) == "Opens a case for Help desk of Acme"
    assert not Case.objects.exists()
    assert carry_out(LATER) == TriageRun(done=1)
    (case,), mail = Case.objects.all(), now_of(mail)
    assert (case.title, case.contact, case.opened_by, case.opened_by_channel) == (
        "Slow",
        desk.contact,
        desk.technician,
        Channel.EMAIL,
    )
    assert (mail.outcome, mail.case, mail.contact) == (ReceivedOutcome.OPENED, case, desk.contact)
    assert mail.interaction.opened_the_case
    assert mail.explanation == f"tech opened {case.number} with it."


def test_a_case_for_somebody_who_is_not_the_help_desk_takes_a_reason(desk: Desk) -> None:  # D3
    mail = came_in()
    with pytest.raises(Refused, match="not the corporate help desk of Acme"):
        decide(mail.pk, TriageDecision.OPEN, desk.technician, NOON, contact=desk.end_user)
    assert now_of(mail).decision == ""
    decide(mail.pk, TriageDecision.OPEN, desk.technician, NOON, contact=desk.end_user, despite=" It is down. ")
    assert carry_out(LATER) == TriageRun(done=1)
    assert Case.objects.get().opened_despite == "It is down."


def test_a_contract_question_goes_to_the_account_manager(desk: Desk) -> None:  # D6
    outbox = Outbox()
    mail = came_in(subject="Our bill", text="Why so much?")
    mail = decide(mail.pk, TriageDecision.PASS_ON, desk.technician, NOON, contact=desk.contact)
    assert plan_of(mail) == "Passes it on to the account manager of Acme"
    assert carry_out(LATER) == TriageRun(done=1)
    row = ContractQuestion.objects.get()
    assert (row.contact, row.by, row.question) == (desk.contact, desk.technician, "Our bill\n\nWhy so much?")
    assert {template for template, _ in outbox.letters()} == {"contract_question", "contract_question_passed_on"}
    mail = now_of(mail)
    assert (mail.outcome, mail.contact) == (ReceivedOutcome.PASSED_ON, desk.contact)
    assert mail.explanation == "The question is passed on to am; the customer is told."


def test_what_is_dismissed_can_be_brought_back_at_any_time(desk: Desk) -> None:  # M5
    mail = came_in()
    decide(mail.pk, TriageDecision.DISMISS, desk.technician, NOON)
    carry_out(LATER)
    assert (now_of(mail).outcome, now_of(mail).explanation) == (ReceivedOutcome.DISMISSED, "Dismissed by tech.")
    assert take_back([mail.pk], desk.l3) == 1
    mail = now_of(mail)
    assert (mail.outcome, mail.decision, mail.decided_by) == (ReceivedOutcome.TRIAGE, "", None)
    assert mail.explanation == "It was dismissed, and brought back by l3."
    assert carry_out(LATER + HOUR) == TriageRun()
    decide(mail.pk, TriageDecision.OPEN, desk.technician, NOON, contact=desk.contact)
    assert carry_out(LATER + HOUR) == TriageRun(done=1)


def test_several_are_dismissed_and_brought_back_together(desk: Desk) -> None:  # M5
    mails = [came_in(text=f"Offer {number}") for number in range(3)]
    decide(mails[0].pk, TriageDecision.OPEN, desk.technician, NOON, contact=desk.contact)
    keys = [mail.pk for mail in mails]
    assert dismiss_all(keys, desk.l3, NOON) == 2  # the first is decided
    assert now_of(mails[0]).decision == TriageDecision.OPEN
    assert take_back(keys[1:], desk.technician) == 2
    assert dismiss_all(keys, desk.l3, NOON) == 2
    assert carry_out(LATER) == TriageRun(done=3)
    assert [now_of(mail).outcome for mail in mails] == ["opened", "dismissed", "dismissed"]


# --- undo -------------------------------------------------------------------------------------------------------------


def test_what_is_undone_never_happens(desk: Desk) -> None:  # M5
    mail = came_in()
    decide(mail.pk, TriageDecision.OPEN, desk.technician, NOON, contact=desk.contact)
    assert take_back([mail.pk], desk.technician) == 1
    assert carry_out(LATER) == TriageRun()
    assert not Case.objects.exists()
    assert ReceivedMail.objects.in_triage().get() == mail


def test_it_is_too_late_to_undo_what_was_carried_out(desk: Desk) -> None:  # M5
    mail = came_in()
    decide(mail.pk, TriageDecision.OPEN, desk.technician, NOON, contact=desk.contact)
    carry_out(LATER)
    number = Case.objects.get().number
    with pytest.raises(Refused, match=f"^It is too late to undo this: it has opened {number}.$"):
        take_back([mail.pk], desk.technician)
    assert now_of(mail).outcome == ReceivedOutcome.OPENED


def test_nothing_decided_is_nothing_to_undo(desk: Desk) -> None:
    mail = came_in()
    with pytest.raises(Refused, match="nothing to undo"):
        take_back([mail.pk], desk.technician)
    with pytest.raises(Refused, match="no such message"):
        take_back([0], desk.technician)


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_of_two_people_the_first_is_heard_and_the_second_reads_who(desk: Desk) -> None:  # M5
    case = desk.open_case()
    mail = came_in()
    decide(mail.pk, TriageDecision.ATTACH, desk.technician, NOON, case=case)
    with pytest.raises(Refused, match=f"^tech was faster, on Wed 3 Jun, 12:00: attaches it to {case.number}. Undo"):
        decide(mail.pk, TriageDecision.DISMISS, desk.l3, NOON)
    carry_out(LATER)
    with pytest.raises(Refused, match=f"does not wait for a decision any more: it is logged on {case.number}."):
        decide(mail.pk, TriageDecision.DISMISS, desk.l3, NOON)


@pytest.mark.parametrize(
    ("decision", "sentence"),
    [
        (TriageDecision.ATTACH, "Choose the case"),
        (TriageDecision.OPEN, "Choose whose message it is"),
        (TriageDecision.PASS_ON, "Choose whose message it is"),
    ],
)
def test_a_decision_without_what_it_is_about_is_refused(
    desk: Desk, decision: TriageDecision, sentence: str
) -> None:  # S4
    mail = came_in()
    with pytest.raises(Refused, match=sentence):
        decide(mail.pk, decision, desk.technician, NOON)


def test_what_is_refused_as_it_is_carried_out_waits_again_with_the_sentence(desk: Desk) -> None:  # M5, S2
    mail, other = came_in(), came_in(text="Something else.")
    decide(mail.pk, TriageDecision.OPEN, desk.technician, NOON, contact=desk.contact)
    decide(other.pk, TriageDecision.DISMISS, desk.technician, NOON)
    Company.objects.filter(pk=desk.company.pk).update(active=False)
    assert carry_out(LATER) == TriageRun(done=1, refused=1)
    mail = now_of(mail)
    assert mail in ReceivedMail.objects.in_triage()
    assert mail.carry_out_at is None
    assert mail.explanation.startswith("tech decided: opens a case for Help desk of Acme. It was refused: Acme is not")
    assert not Case.objects.exists()


def test_a_file_that_is_gone_is_said(desk: Desk, settings: Any, tmp_path: Path) -> None:  # S4
    case, mail = desk.open_case(), came_in()
    decide(mail.pk, TriageDecision.ATTACH, desk.technician, NOON, case=case)
    settings.DESK_FILES_DIR = tmp_path / "elsewhere"
    assert carry_out(LATER) == TriageRun(refused=1)
    assert "not on the desk's disk any more" in now_of(mail).explanation


def test_whoever_lost_the_right_meanwhile_is_refused(desk: Desk) -> None:  # A1
    case, mail = desk.open_case(), came_in()
    decide(mail.pk, TriageDecision.DISMISS, desk.technician, NOON)
    User.objects.filter(pk=desk.technician.pk).update(role="")
    assert carry_out(LATER) == TriageRun(refused=1)
    assert now_of(mail).outcome == ReceivedOutcome.TRIAGE
    assert case.pk


def test_what_breaks_is_tried_again_and_stops_nothing_else(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:  # S2
    case = desk.open_case()
    mail, other = came_in(), came_in(text="Something else.")
    decide(mail.pk, TriageDecision.ATTACH, desk.technician, NOON, case=case)
    decide(other.pk, TriageDecision.DISMISS, desk.technician, NOON + SECOND)

    def breaks(*_: Any, **__: Any) -> None:
        Interaction.objects.create(case=case, channel=Channel.EMAIL, direction="in", at=NOON, body="Half")
        raise ValueError("a bug")

    with monkeypatch.context() as broken:
        broken.setattr(triage, "log_on_case", breaks)
        assert carry_out(LATER + SECOND) == TriageRun(done=1, failed=1)
        assert carry_out(LATER + 30 * SECOND) == TriageRun()
    assert not Interaction.objects.filter(body="Half").exists()
    assert carry_out(LATER + 61 * SECOND) == TriageRun(done=1)
    assert now_of(mail).outcome == ReceivedOutcome.LOGGED


@pytest.mark.parametrize("who", ["account_manager", "customer_engineer", "csm", "coo"])
def test_who_does_not_work_cases_decides_nothing(desk: Desk, who: str) -> None:  # A1
    mail, actor = came_in(), getattr(desk, who)
    with pytest.raises(NotAllowed):
        decide(mail.pk, TriageDecision.DISMISS, actor, NOON)
    with pytest.raises(NotAllowed):
        dismiss_all([mail.pk], actor, NOON)
    with pytest.raises(NotAllowed):
        take_back([mail.pk], actor)
    assert now_of(mail).decision == ""


def test_looking_costs_one_query_while_nothing_is_decided(desk: Desk) -> None:  # S1
    for number in range(3):
        came_in(text=str(number))
    assert queries_of(lambda: carry_out(LATER)) == 1


# --- at the same moment -----------------------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_people_at_the_same_moment_decide_once() -> None:  # M5
    desk = build_desk()
    for number in range(5):
        mail, sentences = came_in(text=f"Round {number}"), []

        def tries(actor: User, mail: ReceivedMail = mail, sentences: list[str] = sentences) -> Callable[[], None]:
            def job() -> None:
                try:
                    decide(mail.pk, TriageDecision.DISMISS, actor, NOON)
                except Refused as refused:
                    sentences.append(refused.sentence)

            return job

        at_once(tries(desk.technician), tries(desk.l3))
        assert len(sentences) == 1
        assert "was faster" in sentences[0]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_and_an_undo_at_the_same_moment_leave_one_case_or_none() -> None:  # M5
    desk = build_desk()
    for number in range(8):
        mail = came_in(text=f"Round {number}")
        decide(mail.pk, TriageDecision.OPEN, desk.technician, NOON, contact=desk.contact)
        before, undone, sentences = Case.objects.count(), [], []

        def undoes(mail: ReceivedMail = mail, undone: list[int] = undone, sentences: list[str] = sentences) -> None:
            try:
                undone.append(take_back([mail.pk], desk.l3))
            except Refused as refused:
                sentences.append(refused.sentence)

        at_once(lambda: carry_out(LATER), lambda: carry_out(LATER), undoes)
        opened = Case.objects.count() - before
        assert opened + len(undone) == 1
        assert all("too late" in sentence for sentence in sentences)
        assert now_of(mail).outcome == (ReceivedOutcome.OPENED if opened else ReceivedOutcome.TRIAGE)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_anywhere_leaves_nothing_and_the_next_does_it_once() -> None:  # M5, S1
    desk = build_desk()
    attached, opened = came_in(text="To the case."), came_in(text="A new one.")
    case = desk.open_case()
    outbox = Outbox()
    decide(attached.pk, TriageDecision.ATTACH, desk.l3, NOON, case=case, contact=desk.contact)
    decide(opened.pk, TriageDecision.OPEN, desk.technician, NOON + SECOND, contact=desk.contact)
    connection.close()  # each child has one of its own
    assert killed_before_every_statement("triage", LATER + SECOND) >= 15
    assert carry_out(LATER + HOUR) == TriageRun()
    assert [now_of(mail).outcome for mail in (attached, opened)] == [ReceivedOutcome.LOGGED, ReceivedOutcome.OPENED]
    assert sorted(Interaction.objects.values_list("body", flat=True)) == [
        "A new one.",
        "Nobody can print",
        "To the case.",
    ]
    assert Case.objects.count() == 2
    assert len(outbox.letters()) == len(set(outbox.all()))


# --- what programs wrote ----------------------------------------------------------------------------------------------


def test_a_note_of_absence_that_is_attached_is_an_absence_and_no_response(desk: Desk) -> None:  # F5, M6
    case = desk.open_case()
    transitions.ask_customer(case.pk, desk.technician, NOON, question="Which?", reason=WaitReason.INFORMATION)
    mail = came_in(
        f"Ann <{desk.contact.email}>",
        subject="Automatic reply",
        text="I am out of the office until 10 June 2026.",
        headers={"Auto-Submitted": "auto-replied"},
    )
    assert mail.kind == ReceivedKind.OUT_OF_OFFICE
    decide(mail.pk, TriageDecision.ATTACH, desk.technician, NOON, case=case, contact=desk.contact)
    assert carry_out(LATER) == TriageRun(done=1)
    mail = now_of(mail)
    assert (mail.outcome, mail.case, mail.interaction) == (ReceivedOutcome.ABSENCE, case, None)
    assert Absence.objects.get(case=case).noted_by == desk.technician
    assert reload(case).status == Status.WAITING


def test_what_a_program_wrote_is_no_response_though_a_person_attaches_it(desk: Desk) -> None:  # M6
    case = desk.open_case()
    transitions.ask_customer(case.pk, desk.technician, NOON, question="Which?", reason=WaitReason.INFORMATION)
    mail = came_in(f"Ann <{desk.contact.email}>", text="The blue one.")
    ReceivedMail.objects.filter(pk=mail.pk).update(kind=ReceivedKind.AUTOMATIC)
    decide(mail.pk, TriageDecision.ATTACH, desk.technician, NOON, case=case, contact=desk.contact)
    assert carry_out(LATER) == TriageRun(done=1)
    assert reload(case).status == Status.WAITING
    assert now_of(mail).interaction.is_response is False
