"""A chat on a real database: its lines are contacts, it waits as a call does, and it ends by itself (P6, Q2, C3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cases.chat import apply as chat
from cases.enums import CallEventKind, Channel, Direction, QueueEnding, QueueState, Resolution, Status, WaitReason
from cases.guards import NotAllowed, Refused
from cases.mail.rendering import render
from cases.models import Case, Interaction, Mail, QueueEntry
from cases.portal import apply as portal
from cases.queue.apply import call_back_later, sweep_queue, take
from cases.queue.events import ToldEvent, take_event
from cases.workflow import transitions
from contacts.models import Contact, Technician
from escalations.enums import SlaKind, SlaOutcome
from escalations.models import SlaTarget
from tests.support.builders import NOON, Desk, build_technician, reload
from tests.support.stage import sweeps

pytestmark = pytest.mark.django_db

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
WAITING, OFFERED, TALKING, ENDED = QueueState


@pytest.fixture
def alone(desk: Desk) -> Desk:
    """A desk on which one technician works."""
    Technician.objects.exclude(user=desk.technician).update(on_duty=False)
    return desk


@pytest.fixture
def case(alone: Desk) -> Case:
    """A case that belongs to somebody who is away."""
    case = alone.open_case(NOON - 60 * MINUTE)
    Case.objects.filter(pk=case.pk).update(owner=alone.l3)
    Mail.objects.all().delete()
    return reload(case)


def begin(desk: Desk, case: Case, at: float = 0, words: str = "It hums.", who: Contact | None = None) -> QueueEntry:
    entry = portal.start_chat(who or desk.contact, case.pk, NOON + at * SECOND, words=words)
    return QueueEntry.objects.get(pk=entry.pk)


def tick(at: float) -> None:
    """What the task of the queue does, so many seconds after noon."""
    chat.sweep_chats(NOON + at * SECOND)
    sweep_queue(NOON + at * SECOND)


def mails(**which: Any) -> list[Mail]:
    return list(Mail.objects.exclude(template__in=("case_opened", "new_case")).filter(**which).order_by("pk"))


def now_of(entry: QueueEntry) -> QueueEntry:
    return QueueEntry.objects.get(pk=entry.pk)


# --- writing ----------------------------------------------------------------------------------------------------------


def test_every_line_is_a_contact_and_nobody_is_mailed_a_line(alone: Desk, case: Case) -> None:  # P6, C3
    entry = begin(alone, case)
    assert (entry.state, entry.technician, entry.language) == (OFFERED, alone.technician, "en")
    take(entry.pk, alone.technician, NOON + 10 * SECOND)
    for number in range(20):
        chat.answer(entry.pk, alone.technician, NOON + (20 + number) * SECOND, words=f"Try {number}.")
        chat.say(alone.contact, entry.pk, NOON + (20.5 + number) * SECOND, words=f"No {number}.")
    lines = list(Interaction.objects.filter(chat=entry))
    assert len(lines) == 41
    assert {(line.channel, line.direction, line.by, line.contact, line.for_customer) for line in lines} == {
        (Channel.CHAT, Direction.IN, None, alone.contact, False),
        (Channel.CHAT, Direction.OUT, alone.technician, alone.contact, True),
    }
    assert [line.body for line in lines[:3]] == ["It hums.", "Try 0.", "No 0."]
    assert lines[0].at == NOON
    assert mails() == []
    chat.end(entry.pk, alone.technician, NOON + 60 * SECOND)
    chat.seen(now_of(entry), NOON + 62 * SECOND)
    tick(89)
    assert mails() == []
    for at in (90, 95, 900):
        tick(at)
    (told,) = mails()  # the owner, who did not take it: once, with all of it
    assert (told.template, told.to_address) == ("contact_logged", alone.l3.email)
    for words in ("It hums.", "Try 19.", "No 19.", str(alone.technician)):
        assert words in render(told).text
    assert now_of(entry).ending == QueueEnding.SPOKEN


def test_the_owner_who_chats_themselves_is_told_nothing(alone: Desk, case: Case) -> None:  # C3
    Case.objects.filter(pk=case.pk).update(owner=alone.technician)
    entry = begin(alone, case)
    take(entry.pk, alone.technician, NOON + SECOND)
    chat.answer(entry.pk, alone.technician, NOON + 2 * SECOND, words="Hello.")
    chat.leave(alone.contact, entry.pk, NOON + 30 * SECOND)
    tick(90)
    assert mails() == []


def test_a_line_ends_a_wait_once_and_ours_never_does(alone: Desk, case: Case) -> None:  # F6, F3, C4
    transitions.ask_customer(
        case.pk, alone.technician, NOON - MINUTE, question="Which model?", reason=WaitReason.INFORMATION
    )
    entry = begin(alone, case)
    assert reload(case).status == Status.IN_PROGRESS
    chat.say(alone.contact, entry.pk, NOON + SECOND, words="The K-200.")
    assert case.history.filter(last_move="responded").count() == 1
    take(entry.pk, alone.technician, NOON + 2 * SECOND)
    transitions.ask_customer(
        case.pk, alone.technician, NOON + 3 * SECOND, question="Since when?", reason=WaitReason.INFORMATION,
        send=False, channel=Channel.CHAT,
    )  # fmt: skip
    line = chat.answer(entry.pk, alone.technician, NOON + 4 * SECOND, words="Since when does it hum?")
    assert not line.is_response
    assert line.why_no_attempt == ""
    assert reload(case).status == Status.WAITING
    chat.say(alone.contact, entry.pk, NOON + 5 * SECOND, words="Since noon.")
    assert reload(case).status == Status.IN_PROGRESS


def test_a_first_response_is_met_by_our_line_and_not_by_theirs(alone: Desk, case: Case) -> None:  # T1, T2
    sweeps(NOON - 59 * MINUTE)
    entry = begin(alone, case)
    take(entry.pk, alone.technician, NOON + SECOND)
    sweeps(NOON + MINUTE)
    response = SlaTarget.objects.filter(case=case, kind=SlaKind.RESPONSE)
    assert not response.filter(ended_at__isnull=False).exists()
    chat.answer(entry.pk, alone.technician, NOON + 2 * MINUTE, words="I look at it.")
    sweeps(NOON + 3 * MINUTE)
    assert (response.get().outcome, response.get().ended_at) == (SlaOutcome.MET, NOON + 2 * MINUTE)


def test_a_resolved_case_is_flagged_once_and_the_owner_told_once(alone: Desk, case: Case) -> None:  # C7
    transitions.resolve(case.pk, alone.technician, NOON - MINUTE, resolution=Resolution.NOT_PURSUED)
    Mail.objects.all().delete()
    entry = begin(alone, case, words="It is back.")
    chat.say(alone.contact, entry.pk, NOON + SECOND, words="Louder.")
    chat.say(alone.contact, entry.pk, NOON + 2 * SECOND, words="Much louder.")
    assert list(Interaction.objects.filter(needs_answer=True).values_list("body", flat=True)) == ["It is back."]
    tick(121), tick(125), tick(160)
    (told,) = mails()
    assert (told.template, told.to_address) == ("word_on_resolved", alone.l3.email)
    assert "Much louder." in render(told).text


def test_only_whoever_has_taken_it_writes(alone: Desk, case: Case) -> None:  # A1, Q2
    entry = begin(alone, case)
    with pytest.raises(Refused, match="take it first"):
        chat.answer(entry.pk, alone.technician, NOON, words="Hello.")
    take(entry.pk, alone.technician, NOON)
    with pytest.raises(Refused, match="take it first"):
        chat.answer(entry.pk, alone.l3, NOON, words="Hello.")
    for nobody in (alone.account_manager, alone.customer_engineer):
        with pytest.raises(NotAllowed):
            chat.answer(entry.pk, nobody, NOON, words="Hello.")
    with pytest.raises(NotAllowed):
        chat.end(entry.pk, alone.l3, NOON)
    chat.end(entry.pk, alone.manager, NOON + SECOND)
    with pytest.raises(Refused, match="The chat is over"):
        chat.answer(entry.pk, alone.technician, NOON + 2 * SECOND, words="Hello?")
    assert not Interaction.objects.filter(chat=entry, direction=Direction.OUT).exists()


def test_what_is_written_after_the_end_is_a_message_and_not_lost(alone: Desk, case: Case) -> None:  # P6, S4
    entry = begin(alone, case)
    chat.leave(alone.contact, entry.pk, NOON + SECOND)
    _, line = chat.say(alone.contact, entry.pk, NOON + 2 * SECOND, words="One more thing.")
    assert (line.channel, line.chat, line.body) == (Channel.PAGE, None, "One more thing.")
    assert [mail.template for mail in mails()] == ["contact_logged"]


def test_a_chat_belongs_to_its_contact(alone: Desk, case: Case) -> None:  # A1, P2
    entry = begin(alone, case)
    stranger = alone.other_company.contacts.get(is_help_desk=True)
    colleague = Contact.objects.create(company=alone.company, name="Bo", email="bo@acme.example", is_help_desk=True)
    for other in (stranger, colleague):
        for move in (chat.leave, chat.mail_transcript):
            with pytest.raises(QueueEntry.DoesNotExist):
                move(other, entry.pk, NOON)
        with pytest.raises(QueueEntry.DoesNotExist):
            chat.say(other, entry.pk, NOON, words="x")
    with pytest.raises(Case.DoesNotExist):
        begin(alone, case, who=stranger)


# --- the queue --------------------------------------------------------------------------------------------------------


def test_who_chats_is_offered_nothing_else_and_a_call_and_a_chat_wait_alike(alone: Desk, case: Case) -> None:  # Q2
    entry = begin(alone, case)
    take(entry.pk, alone.technician, NOON + SECOND)
    call = take_event(ToldEvent("pbx", "c1", CallEventKind.ARRIVED, number="+4930999"), NOON + 2 * SECOND)
    assert call is not None
    assert call.state == WAITING
    chat.answer(entry.pk, alone.technician, NOON + 3 * SECOND, words="Hello.")
    chat.end(entry.pk, alone.technician, NOON + 4 * SECOND)
    tick(10)
    assert now_of(call).state == WAITING  # wrapping up
    tick(125)
    assert (now_of(call).state, now_of(call).technician) == (OFFERED, alone.technician)


def test_nobody_for_two_minutes_makes_it_a_message_and_the_owner_is_told_once(alone: Desk, case: Case) -> None:  # P6
    entry = begin(alone, case)
    for at in range(20, 121, 20):
        tick(at)
    chat.say(alone.contact, entry.pk, NOON + 119 * SECOND, words="Hello?")
    for at in (125, 145, 150, 160, 300):
        tick(at)
    after = now_of(entry)
    assert (after.state, after.ending, after.technician) == (ENDED, QueueEnding.MESSAGE, None)
    (told,) = mails()
    assert (told.template, told.to_address) == ("contact_logged", alone.l3.email)
    assert "It hums." in told.facts["said"]
    assert "Hello?" in told.facts["said"]
    assert told.facts["speaker"] == alone.contact.name


def test_with_nobody_on_duty_it_is_a_message_at_once(alone: Desk, case: Case) -> None:  # P6
    Technician.objects.update(on_duty=False)
    entry = begin(alone, case)
    assert (entry.state, entry.ending) == (ENDED, QueueEnding.MESSAGE)
    tick(30), tick(60)
    assert [mail.template for mail in mails()] == ["contact_logged"]


def test_when_the_last_technician_goes_it_is_a_message(alone: Desk, case: Case) -> None:  # P6
    Technician.objects.exclude(user=alone.technician).update(on_duty=True)
    busy = build_technician(alone.centre)
    entries = [begin(alone, case)]
    Technician.objects.update(on_duty=False)
    QueueEntry.objects.update(state=WAITING, technician=None, offered_at=None)
    tick(5)
    assert [now_of(entry).ending for entry in entries] == [QueueEnding.MESSAGE]
    assert busy.pk


def test_taken_and_never_answered_is_a_message(alone: Desk, case: Case) -> None:  # P6
    entry = begin(alone, case)
    take(entry.pk, alone.technician, NOON + 5 * SECOND)
    for at in range(20, 330, 20):
        chat.seen(now_of(entry), NOON + at * SECOND)
        tick(at)
    assert (now_of(entry).state, now_of(entry).ending) == (ENDED, QueueEnding.MESSAGE)
    tick(360)
    assert [mail.to_address for mail in mails()] == [alone.l3.email]


def test_whoever_leaves_gets_by_mail_what_they_have_not_read(alone: Desk, case: Case) -> None:  # P6, T2
    entry = begin(alone, case)
    take(entry.pk, alone.technician, NOON + 5 * SECOND)
    chat.answer(entry.pk, alone.technician, NOON + 8 * SECOND, words="Let me look.")
    chat.seen(now_of(entry), NOON + 30 * SECOND)
    chat.answer(entry.pk, alone.technician, NOON + 70 * SECOND, words="Install version 7.2.")
    tick(209)
    assert now_of(entry).state == TALKING
    tick(210)
    assert (now_of(entry).state, now_of(entry).ending) == (ENDED, QueueEnding.SPOKEN)
    tick(240), tick(260)
    by_template = {mail.template: mail for mail in mails()}
    assert set(by_template) == {"contact_logged", "chat_transcript"}
    text = render(by_template["chat_transcript"]).text
    assert by_template["chat_transcript"].to_address == alone.contact.email
    assert "Install version 7.2." in text
    assert "you had left the chat before you could read all of it" in text


def test_the_transcript_is_mailed_once_for_the_same_lines(alone: Desk, case: Case) -> None:  # P6, M1
    entry = begin(alone, case)
    for _ in range(2):
        assert chat.mail_transcript(alone.contact, entry.pk, NOON + SECOND)
    assert len(mails(template="chat_transcript")) == 1
    chat.say(alone.contact, entry.pk, NOON + 2 * SECOND, words="More.")
    chat.mail_transcript(alone.contact, entry.pk, NOON + 3 * SECOND)
    assert len(mails(template="chat_transcript")) == 2
    Contact.objects.filter(pk=alone.contact.pk).update(email="")
    assert not chat.mail_transcript(alone.contact, entry.pk, NOON + 4 * SECOND)


def test_a_contact_has_one_chat(alone: Desk, case: Case) -> None:  # P6
    entry = begin(alone, case)
    other = alone.open_case(NOON)
    with pytest.raises(chat.InAnotherChat) as caught:
        begin(alone, other)
    assert caught.value.entry == entry
    with pytest.raises(chat.InAnotherChat):
        portal.start_chat_about_new(alone.contact, NOON, title="New", words="?")
    assert not Case.objects.filter(title="New").exists()
    assert Interaction.objects.filter(channel=Channel.CHAT).count() == 1


def test_a_new_question_opens_a_case_as_the_form_does(alone: Desk) -> None:  # P6, P3, D3, T1
    entry = portal.start_chat_about_new(alone.contact, NOON, title="The till", words="It is slow.")
    case = Case.objects.get(title="The till")
    assert (case.opened_by_channel, case.severity_is_provisional, case.opened_by) == (Channel.CHAT, True, None)
    assert entry.case == case
    (line,) = Interaction.objects.filter(case=case)
    assert (line.chat, line.body, line.opened_the_case, line.channel) == (entry, "It is slow.", True, Channel.CHAT)
    tick(121), tick(125), tick(160)
    assert now_of(entry).ending == QueueEnding.MESSAGE
    assert sorted(Mail.objects.values_list("template", flat=True)) == ["case_opened", "new_case"]
    with pytest.raises(Refused):  # somebody else is turned away, whatever the door
        portal.start_chat_about_new(alone.end_user, NOON, title="The till", words="It is slow.")


def test_a_chat_leaves_a_callback_alone_and_is_none(alone: Desk, case: Case) -> None:  # Q3
    Technician.objects.update(on_duty=False)
    Contact.objects.filter(pk=alone.contact.pk).update(phone="030 1234567", phone_e164="+49301234567")
    told = ToldEvent("pbx", "c1", CallEventKind.ARRIVED, number="+49301234567")
    call = take_event(told, NOON - 5 * MINUTE)
    take_event(ToldEvent("pbx", "c1", CallEventKind.ENDED, number="+49301234567"), NOON - 4 * MINUTE)
    Technician.objects.filter(user=alone.technician).update(on_duty=True)
    entry = begin(alone, case)
    assert now_of(call).is_callback
    assert now_of(call).state in (WAITING, OFFERED)
    assert entry.in_line_since == NOON
    with pytest.raises(Refused, match="in a chat"):
        call_back_later(entry.pk, alone.technician, NOON)


def test_who_answers_a_telephone_in_a_chat_leaves_a_message(alone: Desk, case: Case) -> None:  # Q1, P6
    Technician.objects.filter(user=alone.technician).update(extension="12")
    entry = begin(alone, case)
    take(entry.pk, alone.technician, NOON + SECOND)
    for kind in (CallEventKind.ARRIVED, CallEventKind.ANSWERED):
        take_event(ToldEvent("pbx", "c1", kind, leg="12", number="+4930999"), NOON + 5 * SECOND)
    tick(40)
    assert now_of(entry).ending == QueueEnding.MESSAGE
    assert [mail.to_address for mail in mails()] == [alone.l3.email]


def test_sweeping_twice_or_late_changes_nothing(alone: Desk, case: Case) -> None:  # S1
    entry = begin(alone, case)
    for _ in range(2):
        tick(24 * 3600)
        tick(24 * 3600 + 60), tick(24 * 3600 + 120)
    assert now_of(entry).ending == QueueEnding.MESSAGE
    assert len(mails()) == 1
    assert chat.sweep_chats(NOON + timedelta(days=2)) == 0
