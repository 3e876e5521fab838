"""What comes in, from the raw bytes to rows and mails: kept once, matched, proven, acted on (M5, M5a, M6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from cases.enums import (
    AbsenceState,
    Channel,
    Direction,
    Door,
    MailStatus,
    MatchedBy,
    Move,
    ReceivedOutcome,
    Resolution,
    Status,
    WaitReason,
)
from cases.files.store import path_of
from cases.followup.apply import follow_up
from cases.guards import Refused
from cases.inbox.receive import receive
from cases.mail.outbox import deliver
from cases.mail.rendering import reply_address
from cases.models import Absence, Attachment, Case, Interaction, Mail, ReceivedMail, Refusal
from cases.workflow import contact_log, transitions
from contacts.models import Contact, User
from tests.support.builders import NOON, Desk, build_user, reload
from tests.support.mails import AUTH_SERVER, bounce_of, proven, raw_mail
from tests.support.outbox import Outbox
from tests.support.queries import queries_of

pytestmark = pytest.mark.django_db

RAW = b"From: Ann <ann@acme.example>\nMessage-ID: <1@acme.example>\nSubject: Hello\n\nIt hangs.\n"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _auth_server(settings: Any) -> None:
    settings.MAIL_AUTH_SERVER = [AUTH_SERVER]


def take(raw: bytes, now: Any = NOON + HOUR) -> ReceivedMail:
    return receive(raw, now, door=Door.COMMAND).mail


def to_customer(case: Case, template: str = "case_opened") -> Mail:
    """A mail of ours about the case, as sent to its contact."""
    mail = Mail.objects.filter(case=case, template=template).latest("pk")
    Mail.objects.filter(pk=mail.pk).update(status=MailStatus.SENT, sent_at=NOON)
    return Mail.objects.get(pk=mail.pk)


def reply(case: Case, sender: str = "desk@acme.example.com", text: str = "The blue one.", **more: Any) -> bytes:
    """A proven answer to what we wrote to the customer."""
    references = more.pop("references", [f"<case-{case.pk}@support-desk.example.com>", to_customer(case).message_id])
    return raw_mail(sender, text=text, references=references, headers=proven(sender), **more)


def ask(case: Case, desk: Desk) -> None:
    transitions.ask_customer(case.pk, desk.technician, NOON, question="Which one?", reason=WaitReason.INFORMATION)


# Kept once --------------------------------------------------------------------------------------------------------


def test_the_same_message_is_one_row_whatever_servers_added_on_the_way() -> None:  # M5
    first = receive(RAW, timezone.now(), door=Door.MAILDIR)
    again = receive(b"Received: by mx\r\n" + RAW.replace(b"\n", b"\r\n"), timezone.now(), door=Door.IMAP)
    assert (first.is_new, again.is_new) == (True, False)
    assert again.mail == first.mail == ReceivedMail.objects.get()
    assert path_of(first.mail.stored_as).read_bytes() == RAW
    assert first.mail.outcome == ReceivedOutcome.TRIAGE


def test_another_content_under_a_known_message_id_is_another_message() -> None:  # M5
    receive(RAW, timezone.now(), door=Door.MAILDIR)
    assert receive(RAW.replace(b"hangs", b"burns"), timezone.now(), door=Door.MAILDIR).is_new
    assert ReceivedMail.objects.count() == 2


def test_what_comes_twice_acts_once(desk: Desk) -> None:  # M5
    case = desk.open_case()
    ask(case, desk)
    raw = reply(case)
    take(raw)
    outbox = Outbox()
    take(raw, NOON + 2 * HOUR)
    assert Interaction.objects.filter(case=case, direction=Direction.IN, opened_the_case=False).count() == 1
    assert outbox.rows() == []


# Matched ----------------------------------------------------------------------------------------------------------


def test_the_answer_of_the_contact_ends_the_wait(desk: Desk) -> None:  # M5, F6
    case = desk.open_case()
    ask(case, desk)
    mail = take(reply(case))
    assert (mail.outcome, mail.case, mail.contact, mail.is_proven) == (ReceivedOutcome.LOGGED, case, desk.contact, True)
    assert (mail.matched_by, mail.answers) == (MatchedBy.REFERENCES, to_customer(case))
    assert (mail.interaction.body, mail.interaction.by) == ("The blue one.", None)  # type: ignore[union-attr]
    assert (reload(case).status, reload(case).last_move) == (Status.IN_PROGRESS, Move.RESPONDED)


def test_the_signed_address_tells_the_case_where_no_reference_does(desk: Desk) -> None:  # M5, M3
    case = desk.open_case()
    signed = reply_address(to_customer(case))
    for headers, to in (({}, f"Support <{signed.upper()}>"), ({"Delivered-To": signed}, "support@elsewhere.example")):
        sender = "desk@acme.example.com"
        mail = take(raw_mail(sender, to=to, text=f"By {to}", headers=proven(sender) | headers))
        assert (mail.outcome, mail.case, mail.matched_by) == (ReceivedOutcome.LOGGED, case, MatchedBy.ADDRESS)


def test_a_colleague_of_the_help_desk_answers_to_the_address_of_another(desk: Desk) -> None:  # M5, C3
    case = desk.open_case()
    ask(case, desk)
    Contact.objects.create(company=desk.company, name="Bea", email="bea@acme.example.com", is_help_desk=True)
    sender = "Bea <BEA@acme.example.com>"
    signed = reply_address(to_customer(case))
    mail = take(raw_mail(sender, to=f"desk@acme.example.com, {signed}", headers=proven("bea@acme.example.com")))
    assert (mail.outcome, mail.interaction.with_customer) == (ReceivedOutcome.LOGGED, True)  # type: ignore[union-attr]
    assert reload(case).status == Status.IN_PROGRESS


def test_somebody_else_of_the_company_is_heard_and_the_wait_goes_on(desk: Desk) -> None:  # C3
    case = desk.open_case()
    ask(case, desk)
    outbox = Outbox()
    mail = take(reply(case, "user@acme.example.com"))
    assert (mail.outcome, mail.interaction.with_customer) == (ReceivedOutcome.LOGGED, False)  # type: ignore[union-attr]
    assert reload(case).status == Status.WAITING
    assert outbox.letters() == [("contact_logged", desk.technician.email)]


def test_nothing_that_can_be_guessed_matches(desk: Desk) -> None:  # M5, M3
    case = desk.open_case()
    to_customer(case)
    sender, domain = "desk@acme.example.com", "support-desk.example.com"
    for raw in (
        raw_mail(sender, references=[f"<case-{case.pk}@{domain}>"], headers=proven(sender)),
        raw_mail(sender, to=f"support+{case.pk}.{'0' * 20}@{domain}", headers=proven(sender), text="Another."),
    ):
        mail = take(raw)
        assert (mail.outcome, mail.matched_by) == (ReceivedOutcome.OPENED, "")
        assert mail.case != case


def test_a_subject_alone_acts_on_nothing_and_opens_no_second_case(desk: Desk) -> None:  # M5
    case = desk.open_case()
    sender = "desk@acme.example.com"
    mail = take(raw_mail(sender, subject=f"Re: [{case.number}] Nobody can print", headers=proven(sender)))
    assert (mail.outcome, mail.case) == (ReceivedOutcome.TRIAGE, None)
    assert "subject" in mail.explanation
    assert Case.objects.count() == 1


def test_of_several_cases_the_one_that_is_answered_is_meant_or_nobody_knows(desk: Desk) -> None:  # M5
    first, second = desk.open_case(), desk.open_case(title="The scanner")
    one, two = to_customer(first), to_customer(second)
    sender = "desk@acme.example.com"

    def answer(references: list[str], to: str, text: str) -> ReceivedMail:
        return take(raw_mail(sender, to=to, text=text, references=references, headers=proven(sender)))

    newest_answered = answer([one.message_id, two.message_id], reply_address(two), "a")
    assert (newest_answered.outcome, newest_answered.case) == (ReceivedOutcome.LOGGED, second)
    older_answered = answer([two.message_id, one.message_id], reply_address(one), "b")
    assert (older_answered.outcome, older_answered.case) == (ReceivedOutcome.TRIAGE, None)
    at_odds = answer([two.message_id], reply_address(one), "c")
    assert (at_odds.outcome, at_odds.case) == (ReceivedOutcome.TRIAGE, None)


def test_a_contact_of_another_company_waits_in_triage(desk: Desk) -> None:  # M5, A1
    case = desk.open_case()
    mail = take(reply(case, "desk@globex.example.com"))
    assert (mail.outcome, mail.case) == (ReceivedOutcome.TRIAGE, case)
    assert "another company" in mail.explanation
    assert not ReceivedMail.objects.visible_to(desk.account_manager).exists()
    assert ReceivedMail.objects.visible_to(desk.technician).exists()


# Proven -----------------------------------------------------------------------------------------------------------


def test_an_unproven_answer_changes_nothing_and_waits(desk: Desk) -> None:  # M5a
    case = desk.open_case()
    ask(case, desk)
    before, outbox = case.history.count(), Outbox()
    unproven = raw_mail("desk@acme.example.com", references=[to_customer(case).message_id])
    mail = take(unproven)
    assert (mail.outcome, mail.is_proven, mail.case, mail.contact) == (
        ReceivedOutcome.TRIAGE,
        False,
        case,
        desk.contact,
    )
    assert "not proven" in mail.explanation
    assert mail.proof in mail.explanation
    assert (reload(case).status, case.history.count(), outbox.rows()) == (Status.WAITING, before, [])


def test_a_forged_result_below_the_one_of_our_server_proves_nothing(desk: Desk) -> None:  # M5a
    case = desk.open_case()
    ask(case, desk)
    raw = b"Authentication-Results: mx.desk.example; spf=fail smtp.mailfrom=evil.example\r\n" + reply(case)
    assert take(raw).outcome == ReceivedOutcome.TRIAGE
    assert reload(case).status == Status.WAITING


def test_without_the_setting_nothing_acts(desk: Desk, settings: Any) -> None:  # M5a
    settings.MAIL_AUTH_SERVER = []
    mail = take(reply(desk.open_case()))
    assert mail.outcome == ReceivedOutcome.TRIAGE
    assert "no setting" in mail.explanation


def test_a_stranger_is_kept_and_changes_nothing(desk: Desk) -> None:  # M5
    sender = "eve@evil.example"
    mail = take(raw_mail(sender, headers=proven(sender)))
    assert (mail.outcome, mail.contact, Case.objects.count()) == (ReceivedOutcome.TRIAGE, None, 0)


def test_somebody_who_left_waits_in_triage(desk: Desk) -> None:  # D9
    case = desk.open_case()
    Contact.objects.filter(pk=desk.contact.pk).update(active=False)
    mail = take(reply(case))
    assert (mail.outcome, "left" in mail.explanation) == (ReceivedOutcome.TRIAGE, True)


def test_one_address_of_contacts_of_two_companies(desk: Desk) -> None:  # M5
    case, shared = desk.open_case(), "noc@provider.example"
    for company in (desk.company, desk.other_company):
        Contact.objects.create(company=company, name="NOC", email=shared, is_help_desk=True)
    mail = take(reply(case, shared))
    assert (mail.outcome, mail.contact.company) == (ReceivedOutcome.LOGGED, desk.company)  # type: ignore[union-attr]
    assert take(raw_mail(shared, headers=proven(shared))).outcome == ReceivedOutcome.TRIAGE


# Resolved cases ---------------------------------------------------------------------------------------------------


def test_an_answer_after_closing_for_no_response_reopens_and_thanks_are_flagged(desk: Desk) -> None:  # C7
    silent, solved = desk.open_case(), desk.open_case(title="The scanner")
    ask(silent, desk)
    transitions.close(Case.objects.get(pk=silent.pk), None, NOON, Resolution.NO_RESPONSE)
    transitions.close(Case.objects.get(pk=solved.pk), desk.technician, NOON, Resolution.CONFIRMED, "A cable.")
    outbox = Outbox()
    take(reply(silent))
    assert reload(silent).status == Status.IN_PROGRESS
    assert [template for template, _ in outbox.letters()] == ["reopened"]
    mail = take(reply(solved, text="Thanks!"))
    assert (reload(solved).status, mail.interaction.needs_answer) == (Status.RESOLVED, True)  # type: ignore[union-attr]


# New mail ---------------------------------------------------------------------------------------------------------


def test_a_help_desks_mail_opens_a_case_and_is_answered_with_a_receipt(desk: Desk) -> None:  # M5, C1
    sender, outbox = "desk@acme.example.com", Outbox()
    mail = take(raw_mail(sender, subject="Printers", headers=proven(sender), files={"a.log": b"jam\n"}))
    case = Case.objects.get()
    assert (mail.outcome, mail.case, mail.was_answered) == (ReceivedOutcome.OPENED, case, True)
    assert (case.title, case.opened_by_channel, case.severity_is_provisional) == ("Printers", Channel.EMAIL, True)
    assert Attachment.objects.get(case=case).name == "a.log"
    assert dict(outbox.letters()) == {"case_opened": sender, "new_case": desk.technician.email}


def test_somebody_else_is_pointed_to_their_help_desk_once_a_day_and_recorded(desk: Desk) -> None:  # D3, M6
    sender, outbox = "user@acme.example.com", Outbox()
    first = take(raw_mail(sender, subject="My mouse", headers=proven(sender)))
    assert (first.outcome, first.was_answered) == (ReceivedOutcome.TURNED_AWAY, True)
    (answer,) = outbox.rows()
    assert (answer.template, answer.to_address, answer.case) == ("turned_away", sender, None)
    assert answer.facts["help_desk"] == [{"name": desk.contact.name, "reach": desk.contact.email}]
    second = take(raw_mail(sender, text="Hello?", headers=proven(sender)), NOON + 9 * HOUR)
    assert (second.outcome, second.was_answered) == (ReceivedOutcome.TURNED_AWAY, False)
    assert "today already" in second.explanation
    assert len(outbox.rows()) == 1
    third = take(raw_mail(sender, text="Hello!", headers=proven(sender)), NOON + 26 * HOUR)
    assert (third.was_answered, len(outbox.rows())) == (True, 2)
    first_refusal = Refusal.objects.earliest("pk")
    assert (first_refusal.by, first_refusal.about) == (None, "My mouse")
    assert Case.objects.count() == 0


def test_an_inactive_company_gets_no_case_and_no_answer(desk: Desk) -> None:  # D9
    desk.company.active = False
    desk.company.save()
    outbox = Outbox()
    for sender in ("desk@acme.example.com", "user@acme.example.com"):
        mail = take(raw_mail(sender, headers=proven(sender)))
        assert (mail.outcome, "not active" in mail.explanation) == (ReceivedOutcome.TRIAGE, True)
    assert (Case.objects.count(), Refusal.objects.count(), outbox.rows()) == (0, 0, [])


# No loop ----------------------------------------------------------------------------------------------------------


def test_two_programs_that_answer_each_other_end_at_the_cap(desk: Desk, settings: Any) -> None:  # M6
    """A help desk's own case system answers each receipt with a new mail, and does not say that it is a program."""
    settings.DESK_MOST_AUTO_ANSWERS = 3
    sender, answered = "desk@acme.example.com", 0
    for turn in range(10):
        outbox = Outbox()
        mail = take(
            raw_mail(sender, text=f"We got your mail as ticket {turn}.", headers=proven(sender)),
            NOON + turn * timedelta(minutes=1),
        )
        assert mail.outcome == ReceivedOutcome.OPENED
        receipts = [row for row in outbox.rows() if row.template == "case_opened"]
        if not receipts:
            assert "may be a loop" in mail.explanation
            told = next(row for row in outbox.rows() if row.template == "new_case")
            assert "may be a loop" in told.facts["next"]
            break
        answered += 1
    assert answered == 3


def test_our_own_mail_that_comes_back_is_nothing(desk: Desk) -> None:  # M6
    case = desk.open_case()
    ours, outbox = to_customer(case), Outbox()
    domain = "support-desk.example.com"
    for sender, message_id in (
        (f"Support Desk <support@{domain}>", ""),
        (reply_address(ours), ""),
        ("desk@acme.example.com", ours.message_id),
    ):
        raw = raw_mail(sender, text=f"x {sender}", headers=proven(sender), message_id=message_id)
        assert take(raw).outcome == ReceivedOutcome.NOTHING
    assert (Case.objects.count(), outbox.rows()) == (1, [])


def test_what_a_program_writes_is_kept_and_stands_on_the_case(desk: Desk) -> None:  # M6
    case = desk.open_case()
    ask(case, desk)
    raw = b"Auto-Submitted: auto-generated\r\n" + reply(case, text="Ticket 7 was created.")
    mail = take(raw)
    assert (mail.outcome, mail.case) == (ReceivedOutcome.NOTHING, case)
    assert reload(case).status == Status.WAITING


# Absences ---------------------------------------------------------------------------------------------------------

AWAY = "I am out of the office until 15 June 2026 and will answer when I am back."


def away(case: Case, sender: str = "desk@acme.example.com", text: str = AWAY, **more: Any) -> bytes:
    subject = more.pop("subject", "Automatic reply: Which one?")
    return b"Auto-Submitted: auto-replied\r\n" + reply(case, sender, text, subject=subject, **more)


def test_a_note_of_absence_puts_the_plan_to_sleep_and_is_no_answer(desk: Desk) -> None:  # F5
    case = desk.open_case()
    ask(case, desk)
    outbox = Outbox()
    mail = take(away(case))
    absence = Absence.objects.get()
    assert mail.outcome == ReceivedOutcome.ABSENCE
    assert (absence.contact, absence.noted_by, absence.state) == (desk.contact, None, AbsenceState.READ)
    assert str(absence.back_on) == "2026-06-16"
    assert AWAY in absence.note
    assert reload(case).status == Status.WAITING
    assert not Interaction.objects.filter(case=case, direction=Direction.IN, opened_the_case=False).exists()
    assert outbox.letters() == [("absence_unclear", desk.technician.email)]


def test_days_that_nobody_can_read_are_asked_of_the_owner(desk: Desk) -> None:  # F5
    case = desk.open_case()
    ask(case, desk)
    assert take(away(case, text="I am out of the office.")).outcome == ReceivedOutcome.ABSENCE
    assert Absence.objects.get().state == AbsenceState.UNREAD


def test_an_absence_of_others_or_on_a_resolved_case_puts_nothing_to_sleep(desk: Desk) -> None:  # F5
    case = desk.open_case()
    ask(case, desk)
    other = Contact.objects.create(company=desk.company, name="Bea", email="bea@acme.example.com", is_help_desk=True)
    assert take(away(case, other.email)).outcome == ReceivedOutcome.TRIAGE
    copy = Mail.objects.get(pk=to_customer(case).pk)
    copy.pk, copy.key, copy.message_id, copy.to_address = None, "copy", "<copy@x>", other.email
    copy.save()
    assert take(away(case, other.email, references=["<copy@x>"])).outcome == ReceivedOutcome.NOTHING
    unproven = away(case).replace(b"dmarc=pass", b"dmarc=none")
    assert take(unproven).outcome == ReceivedOutcome.TRIAGE
    transitions.close(Case.objects.get(pk=case.pk), desk.technician, NOON, Resolution.CONFIRMED, "A cable.")
    assert take(away(case, text=f"{AWAY} Bye.")).outcome == ReceivedOutcome.NOTHING
    assert not Absence.objects.exists()


# Bounces ----------------------------------------------------------------------------------------------------------


def test_a_bounce_that_returns_a_message_of_ours_marks_it_and_tells_the_owner(desk: Desk) -> None:  # M5, M2
    case = desk.open_case()
    ours, outbox = to_customer(case), Outbox()
    mail = take(bounce_of(ours.message_id, ours.to_address))
    assert (mail.outcome, mail.case, mail.answers) == (ReceivedOutcome.BOUNCE, case, ours)
    ours.refresh_from_db()
    assert ours.status == MailStatus.BOUNCED
    assert "550 5.1.1" in ours.last_error
    assert outbox.letters() == [("mail_failed", desk.technician.email)]


def test_a_bounce_that_returns_nothing_of_ours_marks_nothing(desk: Desk) -> None:  # M5a
    case = desk.open_case()
    ours, outbox = to_customer(case), Outbox()
    known = take(bounce_of("<guess@support-desk.example.com>", ours.to_address))
    assert (known.outcome, "nothing was marked" in known.explanation) == (ReceivedOutcome.TRIAGE, True)
    assert (
        take(bounce_of("<guess2@support-desk.example.com>", "x@elsewhere.example")).outcome == ReceivedOutcome.NOTHING
    )
    assert (
        take(bounce_of(f"<case-{case.pk}@support-desk.example.com>", "y@z.example")).outcome == ReceivedOutcome.NOTHING
    )
    ours.refresh_from_db()
    assert (ours.status, outbox.rows()) == (MailStatus.SENT, [])


def test_a_bounce_to_the_signed_address_of_whom_it_names(desk: Desk) -> None:  # M5, M3
    case = desk.open_case()
    ours = to_customer(case)
    to = reply_address(ours)
    assert take(bounce_of("", "x@elsewhere.example", to=to)).outcome == ReceivedOutcome.NOTHING
    assert take(bounce_of("", ours.to_address, to=to)).outcome == ReceivedOutcome.BOUNCE
    ours.refresh_from_db()
    assert ours.status == MailStatus.BOUNCED


def test_a_delay_is_told_to_nobody_and_stands_on_the_message(desk: Desk) -> None:  # M6
    case = desk.open_case()
    ours, outbox = to_customer(case), Outbox()
    mail = take(bounce_of(ours.message_id, ours.to_address, action="delayed", status="4.4.1"))
    assert (mail.outcome, mail.case, outbox.rows()) == (ReceivedOutcome.DELAY, case, [])
    ours.refresh_from_db()
    assert (ours.status, ours.last_error.startswith("Delayed")) == (MailStatus.SENT, True)


# Staff ------------------------------------------------------------------------------------------------------------


def from_staff(case: Case, staff: User, text: str, template: str = "new_case", **more: Any) -> bytes:
    return reply(case, staff.email, text, references=[to_customer(case, template).message_id], **more)


def test_a_reply_of_staff_is_a_note_that_no_customer_sees(desk: Desk) -> None:  # C3, A1
    case = desk.open_case(actor=desk.manager)
    outbox = Outbox()
    mail = take(from_staff(case, desk.technician, "I know this one.", files={"old.log": b"jam\n"}))
    note = mail.interaction
    assert note is not None
    assert (mail.outcome, note.channel, note.by, note.body) == (
        ReceivedOutcome.LOGGED,
        Channel.NOTE,
        desk.technician,
        "I know this one.",
    )
    assert (note.for_customer, Attachment.objects.get(interaction=note).name) == (False, "old.log")
    assert outbox.rows() == []  # it is the owner's own


def test_staff_note_by_mail_only_what_they_may_note(desk: Desk) -> None:  # A1
    case = desk.open_case(actor=desk.manager)
    assert take(from_staff(case, desk.account_manager, "They are angry.")).outcome == ReceivedOutcome.LOGGED
    assert take(from_staff(case, desk.customer_engineer, "Old firmware.")).outcome == ReceivedOutcome.LOGGED
    for staff in (desk.other_account_manager, desk.csm):
        mail = take(from_staff(case, staff, f"{staff} says so"))
        assert (mail.outcome, mail.staff) == (ReceivedOutcome.TRIAGE, staff)
        assert "may not" in mail.explanation
    assert Interaction.objects.filter(channel=Channel.NOTE).count() == 2


def test_staff_who_are_away_or_forward_a_mail_note_nothing(desk: Desk) -> None:  # M6
    case = desk.open_case(actor=desk.manager)
    note = b"Auto-Submitted: auto-replied\r\n" + from_staff(case, desk.technician, AWAY, subject="Out of office")
    assert take(note).outcome == ReceivedOutcome.NOTHING
    sender = desk.technician.email
    forwarded = "-------- Forwarded Message --------\nFrom: Ann <desk@acme.example.com>\n\nIt hangs."
    mail = take(raw_mail(sender, subject="Fwd: It hangs", text=forwarded, headers=proven(sender)))
    assert (mail.outcome, desk.contact.name in mail.explanation) == (ReceivedOutcome.TRIAGE, True)
    assert not Interaction.objects.filter(channel=Channel.NOTE).exists()


# Whatever goes wrong -----------------------------------------------------------------------------------------------


def test_what_cannot_be_done_is_undone_as_a_whole_and_waits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:  # M5
    case = desk.open_case()
    ask(case, desk)
    outbox = Outbox()
    for number, trouble in enumerate((Refused("The disk is full."), RuntimeError("a bug"))):

        def fails(*args: Any, trouble: Exception = trouble) -> None:
            raise trouble

        monkeypatch.setattr(contact_log, "attach", fails)
        mail = take(reply(case, text=f"try {number}"))
        assert (mail.outcome, mail.case, mail.interaction) == (ReceivedOutcome.TRIAGE, case, None)
        assert ("The disk is full." if number == 0 else "RuntimeError") in mail.explanation
        assert ReceivedMail.objects.get(pk=mail.pk).outcome == ReceivedOutcome.TRIAGE
    assert (reload(case).status, outbox.rows()) == (Status.WAITING, [])
    assert not Interaction.objects.filter(case=case, direction=Direction.IN, opened_the_case=False).exists()


def test_trouble_of_the_database_leaves_the_message_at_the_door(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:  # M5
    case = desk.open_case()

    def fails(*args: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(contact_log, "attach", fails)
    raw = reply(case)
    with pytest.raises(OperationalError):
        take(raw)
    assert not ReceivedMail.objects.exists()
    monkeypatch.undo()
    assert take(raw).outcome == ReceivedOutcome.LOGGED


def test_a_notice_that_is_queued_is_dropped_by_an_answer_in_the_same_minute(desk: Desk) -> None:  # F6, M1
    case = desk.open_case()
    transitions.ask_customer(case.pk, desk.technician, NOON, question="Which?", reason=WaitReason.CANNOT_NOW)
    at = NOON + 48 * HOUR
    follow_up(at)
    notice = Mail.objects.get(template="notice_1")
    take(reply(case), at)

    deliver(lambda: at)
    notice.refresh_from_db()
    assert (notice.status, reload(case).status) == (MailStatus.DROPPED, Status.IN_PROGRESS)


def test_somebody_new_on_the_staff_has_an_address_in_capitals(desk: Desk) -> None:  # M5
    case = desk.open_case(actor=desk.manager)
    zoe = build_user("support_manager", "zoe", email="Zoe@Example.com")
    assert take(from_staff(case, zoe, "Noted.")).staff == zoe


def test_a_message_costs_the_same_queries_however_much_it_names(desk: Desk) -> None:  # M5
    case = desk.open_case()
    asked = reply(case, text="a")
    few = queries_of(lambda: take(asked))
    for number in range(15):
        Contact.objects.create(company=desk.company, name=f"Bea {number}", email=f"bea{number}@acme.example.com")
    others = [to_customer(case)] + [to_customer(desk.open_case(title=f"Case {number}")) for number in range(5)]
    signed = ", ".join(reply_address(mail) for mail in others)
    references = [*(mail.message_id for mail in others), *(f"<{number}@x.example>" for number in range(80))]
    crowded = reply(case, text="b", references=[*references, others[0].message_id], to=signed)
    many = queries_of(lambda: take(crowded))
    assert ReceivedMail.objects.latest("pk").outcome == ReceivedOutcome.TRIAGE  # it names several cases
    assert many <= few <= 30
