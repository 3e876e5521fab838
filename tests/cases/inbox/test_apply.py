"""What a message sets off on a case: the same moves as a click, with nobody on the desk as the actor (M5, C3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings

from cases.enums import Channel, Direction, Door, Move, ReceivedOutcome, Resolution, Severity, Status, WaitReason
from cases.guards import NotAllowed, Refused
from cases.inbox.apply import log_on_case, open_case
from cases.inbox.receive import receive
from cases.models import Attachment, Case, Interaction, ReceivedMail
from cases.work_items import work_items_of
from cases.workflow import transitions
from contacts.directory import directory_problems
from contacts.models import User
from tests.support.builders import NOON, Desk, reload
from tests.support.mails import raw_mail
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def came_in(raw: bytes) -> ReceivedMail:
    """The row of a message on which nothing has acted: its sender is not proven."""
    mail = receive(raw, NOON + HOUR, door=Door.COMMAND).mail
    assert mail.outcome == ReceivedOutcome.TRIAGE
    return mail


def test_a_word_by_mail_ends_the_wait_and_nobody_on_the_desk_is_its_author(desk: Desk) -> None:  # C4, F6
    case = desk.open_case()
    transitions.ask_customer(case.pk, desk.technician, NOON, question="Which one?", reason=WaitReason.INFORMATION)
    outbox = Outbox()
    said = log_on_case(came_in(raw_mail(text="The blue one.")), case.pk, NOON + HOUR, contact=desk.contact, by=None)
    assert (said.channel, said.direction, said.by, said.contact) == (Channel.EMAIL, Direction.IN, None, desk.contact)
    assert (said.body, said.is_response) == ("The blue one.", True)
    case = reload(case)
    assert (case.status, case.last_move) == (Status.IN_PROGRESS, Move.RESPONDED)
    row = case.last_history_row()
    assert row.history_user is None
    assert row.history_change_reason == f"Email from {desk.contact.name}: The blue one."
    (told,) = outbox.rows()
    assert (told.template, told.to_address) == ("contact_logged", desk.technician.email)
    assert told.facts["why"] == "you own this case, and this came in on it"
    assert told.facts["speaker"] == desk.contact.name


def test_a_colleague_who_is_not_the_help_desk_is_heard_and_counts_for_nothing(desk: Desk) -> None:  # C3
    case = desk.open_case()
    transitions.ask_customer(case.pk, desk.technician, NOON, question="Which one?", reason=WaitReason.INFORMATION)
    outbox = Outbox()
    said = log_on_case(came_in(raw_mail()), case.pk, NOON + HOUR, contact=desk.end_user, by=None)
    assert (said.with_customer, said.is_response, said.title) == (
        False,
        False,
        "Email from the company, not the help desk",
    )
    assert reload(case).status == Status.WAITING
    assert outbox.letters() == [("contact_logged", desk.technician.email)]


def test_somebody_whom_nobody_knows_is_put_on_a_case_by_a_person_only_and_counts_for_nothing(desk: Desk) -> None:  # M5
    case = desk.open_case()
    mail = came_in(raw_mail(sender="Bob <bob@elsewhere.example>", text="Me too."))
    said = log_on_case(mail, case.pk, NOON + HOUR, contact=None, by=desk.technician)
    assert (said.contact, said.with_customer, said.by) == (None, False, desk.technician)
    assert said.body == "From Bob <bob@elsewhere.example>:\n\nMe too."
    assert said.title == "Email from somebody who is no contact"
    with pytest.raises(NotAllowed):
        log_on_case(mail, case.pk, NOON + HOUR, contact=None, by=desk.account_manager)


def test_what_came_in_before_the_question_does_not_end_the_wait(desk: Desk) -> None:  # F6
    case = desk.open_case()
    mail = came_in(raw_mail())
    transitions.ask_customer(
        case.pk, desk.technician, NOON + 2 * HOUR, question="Which?", reason=WaitReason.INFORMATION
    )
    said = log_on_case(mail, case.pk, NOON + 30 * HOUR, contact=desk.contact, by=desk.technician)
    assert (said.at, said.logged_at) == (NOON + HOUR, NOON + 30 * HOUR)
    assert reload(case).status == Status.WAITING


def test_the_answer_after_a_closing_for_no_response_reopens(desk: Desk) -> None:  # C7
    case = desk.open_case()
    transitions.ask_customer(case.pk, desk.technician, NOON, question="Which one?", reason=WaitReason.INFORMATION)
    closed = Case.objects.select_for_update().get(pk=case.pk)
    transitions.close(closed, None, NOON + HOUR / 2, Resolution.NO_RESPONSE)
    log_on_case(came_in(raw_mail()), case.pk, NOON + HOUR, contact=desk.contact, by=None)
    case = reload(case)
    assert (case.status, case.last_move) == (Status.IN_PROGRESS, Move.REOPENED)
    assert "answered by email" in case.last_history_row().history_change_reason


def test_a_word_on_a_case_that_is_solved_is_flagged(desk: Desk) -> None:  # C7
    case = desk.open_case()
    closed = Case.objects.select_for_update().get(pk=case.pk)
    transitions.close(closed, desk.technician, NOON, Resolution.CONFIRMED, "A new cable.")
    outbox = Outbox()
    said = log_on_case(came_in(raw_mail(text="Thanks!")), case.pk, NOON + HOUR, contact=desk.contact, by=None)
    assert said.needs_answer
    assert reload(case).status == Status.RESOLVED
    assert outbox.letters() == [("word_on_resolved", desk.technician.email)]


def test_files_are_kept_and_a_program_is_named(desk: Desk) -> None:  # C3, M7
    case = desk.open_case()
    raw = raw_mail(text="See the log.", files={"log.txt": b"12:00 it hangs\n", "fix.exe": b"MZ\x90\x00program"})
    said = log_on_case(came_in(raw), case.pk, NOON + HOUR, contact=desk.contact, by=None)
    (kept,) = Attachment.objects.filter(interaction=said)
    assert (kept.name, kept.added_by) == ("log.txt", None)
    assert said.body.startswith("See the log.\n\n[Not kept with the case: “fix.exe”")


@override_settings(DESK_MOST_FILES=2)
def test_one_file_too_many_does_not_lose_the_others(desk: Desk) -> None:  # C3
    case = desk.open_case()
    raw = raw_mail(files={f"{at}.txt": f"file {at}".encode() for at in range(3)})
    said = log_on_case(came_in(raw), case.pk, NOON + HOUR, contact=desk.contact, by=None)
    assert [row.name for row in Attachment.objects.filter(interaction=said)] == ["0.txt", "1.txt"]
    assert "“2.txt” is one file too many" in said.body


def test_a_message_without_words_is_logged_with_what_it_has(desk: Desk) -> None:  # M7
    case = desk.open_case()
    only_quoted = raw_mail(text="On Wed, 3 Jun 2026 Support wrote:\n> Does it work now?\n")
    said = log_on_case(came_in(only_quoted), case.pk, NOON + HOUR, contact=desk.contact, by=None)
    assert "> Does it work now?" in said.body
    assert "They wrote nothing" in said.body
    empty = raw_mail(text="", subject="Yes, close it")
    said = log_on_case(came_in(empty), case.pk, NOON + HOUR, contact=desk.contact, by=None)
    assert said.body == "(no text) Yes, close it"


def test_a_case_is_opened_with_the_words_and_files_of_the_message(desk: Desk) -> None:  # M5, C1, C2
    outbox = Outbox()
    raw = raw_mail(subject="Printers are dead", text="All of them.", files={"log.txt": b"paper jam\n"})
    mail = came_in(raw)
    case = open_case(mail, desk.contact, NOON + HOUR, by=None)
    assert (case.title, case.description, case.severity) == ("Printers are dead", "All of them.", Severity.MEDIUM)
    assert (case.opened_by, case.opened_by_channel, case.severity_is_provisional) == (None, Channel.EMAIL, True)
    assert case.last_history_row().history_change_reason.endswith("Medium until a person decides how severe it is.")
    first = Interaction.objects.get(case=case)
    assert (first.opened_the_case, first.by) == (True, None)
    assert Attachment.objects.get(interaction=first).name == "log.txt"
    mail.refresh_from_db()
    assert (mail.outcome, mail.case, mail.interaction) == (ReceivedOutcome.OPENED, case, first)
    letters = dict(outbox.letters())
    assert letters == {"case_opened": desk.contact.email, "new_case": desk.technician.email}
    receipt = next(row for row in outbox.rows() if row.template == "case_opened")
    assert "Which operating system, in which version?" in receipt.facts["questions"]


def test_only_a_person_opens_a_case_for_somebody_else_than_the_help_desk(desk: Desk) -> None:  # D3
    mail = came_in(raw_mail())
    with pytest.raises(Refused, match="not the corporate help desk"):
        open_case(mail, desk.end_user, NOON, by=None)
    case = open_case(mail, desk.end_user, NOON + HOUR, by=desk.technician, despite="Their help desk is down.")
    assert (case.opened_by, case.opened_despite) == (desk.technician, "Their help desk is down.")


def test_the_severity_of_a_case_that_came_by_mail_is_confirmed_by_a_person(desk: Desk) -> None:  # C2
    case = open_case(came_in(raw_mail()), desk.contact, NOON + HOUR, by=None)
    transitions.change_severity(
        case.pk, desk.technician, NOON + 2 * HOUR, severity=Severity.MEDIUM, reason="One printer of many."
    )
    case = reload(case)
    assert not case.severity_is_provisional
    assert case.last_history_row().history_change_reason == "Medium it is: One printer of many."
    with pytest.raises(Refused, match="Medium already"):
        transitions.change_severity(case.pk, desk.technician, NOON + 3 * HOUR, severity=Severity.MEDIUM, reason="x")


def test_the_owner_is_asked_to_decide_how_severe_it_is(desk: Desk) -> None:  # W2, C2
    mail = came_in(raw_mail())
    case = open_case(mail, desk.contact, NOON + HOUR, by=None)

    def wanted(reader: User) -> list[tuple[str, bool]]:
        found = Case.objects.with_people().get(pk=case.pk)
        items = work_items_of([found], reader, NOON + HOUR)[case.pk]
        return [(item.act, item.for_reader) for item in items if item.action == "change_severity"]

    act = "Decide how severe it is: Medium until then"
    assert wanted(desk.technician) == [(act, True)]
    assert wanted(desk.manager) == [(act, False)]
    transitions.change_severity(
        case.pk, desk.technician, NOON + 2 * HOUR, severity=Severity.HIGH, reason="Half the office."
    )
    assert wanted(desk.technician) == []


def test_it_is_a_problem_that_no_sender_is_proven_once_mail_comes_in(desk: Desk, settings: Any) -> None:  # M5a
    assert not any("Senders are not proven" in problem for problem in directory_problems())
    came_in(raw_mail())
    assert any("Senders are not proven" in problem for problem in directory_problems())
    settings.MAIL_AUTH_SERVER = ["mx.desk.example"]
    assert not any("Senders are not proven" in problem for problem in directory_problems())
