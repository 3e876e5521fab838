"""The queue on a real database: who is offered whom, what events and people do, what time does (D7, Q1 to Q4)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError

from cases.enums import CallEventKind, CallOutcome, Direction, MailStatus, QueueEnding, QueueState, Severity
from cases.guards import NotAllowed, Refused
from cases.models import CallEvent, Interaction, Mail, QueueEntry
from cases.queue import apply as queue
from cases.queue.apply import (
    call_back_later,
    called_in_vain,
    dismiss,
    enter_by_hand,
    lock_entry,
    log_on,
    name_caller,
    not_connected,
    pass_on,
    say_over,
    say_ready,
    sweep_queue,
    take,
)
from cases.queue.callers import identify
from cases.queue.events import ToldEvent, take_event
from cases.queue.state import load_queue
from contacts.enums import Language
from contacts.models import Contact, SupportLine, Technician
from tests.support.builders import NOON, Desk, build_company, build_technician

pytestmark = pytest.mark.django_db

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
ARRIVED, ANSWERED, HUNG_UP, CALLBACK = CallEventKind
WAITING, OFFERED, TALKING, ENDED = QueueState
NUMBER = "+49301234567"


@pytest.fixture
def contact(desk: Desk) -> Contact:
    """The help desk of the company, with a telephone."""
    person = desk.contact
    person.phone = "030 1234567"
    person.save()
    return person


@pytest.fixture
def alone(desk: Desk) -> Desk:
    """A desk on which one technician works."""
    Technician.objects.exclude(user=desk.technician).update(on_duty=False)
    return desk


def tell(kind: CallEventKind, at: float = 0, call: str = "c1", **facts) -> QueueEntry:
    """An event `at` seconds after noon."""
    facts = {"number": NUMBER, **facts}
    return take_event(ToldEvent("pbx", call, kind, **facts), NOON + at * SECOND)


def stands(entry: QueueEntry) -> tuple:
    entry.refresh_from_db()
    return entry.state, entry.ending, entry.technician


# --- offers -----------------------------------------------------------------------------------------------------


def test_a_call_is_offered_to_whoever_is_free_and_taken(alone, contact) -> None:  # Q1, Q2
    entry = tell(ARRIVED)
    assert stands(entry) == (OFFERED, "", alone.technician)
    assert (entry.contact, entry.company, entry.number) == (contact, alone.company, NUMBER)
    assert "speaks the language" in entry.why_offered
    take(entry.pk, alone.technician, NOON + 5 * SECOND)
    assert stands(entry) == (TALKING, "", alone.technician)
    assert tell(HUNG_UP, 65).talk == MINUTE
    assert stands(entry) == (ENDED, QueueEnding.SPOKEN, alone.technician)


def test_with_nobody_free_it_waits_for_the_next_available_technician(alone, contact) -> None:  # D7, Q2
    first, second = tell(ARRIVED, call="c1"), tell(ARRIVED, 1, call="c2", number="+49309999999")
    assert [stands(one)[0] for one in (first, second)] == [OFFERED, WAITING]
    take(first.pk, alone.technician, NOON + 2 * SECOND)
    sweep_queue(NOON + MINUTE)
    assert stands(second)[0] == WAITING  # they speak
    tell(HUNG_UP, 90, call="c1")
    sweep_queue(NOON + 91 * SECOND)
    assert stands(second)[0] == WAITING  # they wrap up
    sweep_queue(NOON + (90 + 120) * SECOND)
    assert stands(second) == (OFFERED, "", alone.technician)


def test_wrap_up_ends_when_they_say_so(alone, contact) -> None:  # Q2
    first, second = tell(ARRIVED, call="c1"), tell(ARRIVED, 1, call="c2", number="+49309999999")
    take(first.pk, alone.technician, NOON + 2 * SECOND)
    say_over(first.pk, alone.technician, NOON + MINUTE)
    assert stands(second)[0] == WAITING
    say_ready(alone.technician, NOON + MINUTE + SECOND)
    assert stands(second) == (OFFERED, "", alone.technician)


def test_not_taken_in_twenty_seconds_it_goes_to_the_next(desk, contact) -> None:  # Q2
    entry = tell(ARRIVED)
    first = entry.technician
    assert sweep_queue(NOON + 19 * SECOND) == 0
    sweep_queue(NOON + 20 * SECOND)
    assert stands(entry)[0] == OFFERED
    assert entry.technician != first
    with pytest.raises(Refused, match="being offered"):
        take(entry.pk, first, NOON + 21 * SECOND)
    pass_on(entry.pk, entry.technician, NOON + 22 * SECOND)
    assert stands(entry) == (OFFERED, "", first)  # nobody else is free


def test_who_lets_it_pass_is_not_asked_twice_and_a_stale_click_does_nothing(desk, contact) -> None:  # Q2
    entry = tell(ARRIVED)
    first = entry.technician
    pass_on(entry.pk, first, NOON + SECOND)
    second = QueueEntry.objects.get(pk=entry.pk).technician
    assert second != first
    pass_on(entry.pk, first, NOON + 2 * SECOND)
    assert stands(entry) == (OFFERED, "", second)


def test_nobody_takes_two_and_nobody_takes_what_another_has(desk, contact) -> None:  # Q2
    first, second = tell(ARRIVED, call="c1"), tell(ARRIVED, 1, call="c2", number="+49309999999")
    tech, other = first.technician, second.technician
    assert {tech, other} == {desk.technician, desk.l3}
    take(first.pk, tech, NOON)
    assert take(first.pk, tech, NOON).taken_at == NOON  # a second click
    with pytest.raises(Refused, match="has taken this one"):
        take(first.pk, other, NOON)
    third = tell(ARRIVED, 2, call="c3", number="+49308888888")
    with pytest.raises(Refused, match="You are speaking with"):
        take(third.pk, tech, NOON)
    take(third.pk, other, NOON)  # a waiting one, from the board: what was offered goes back to its place
    assert stands(second)[0] == WAITING
    assert stands(third) == (TALKING, "", other)


def test_who_does_not_work_cases_takes_no_call(desk, contact) -> None:  # A1
    entry = tell(ARRIVED)
    for who in (desk.account_manager, desk.customer_engineer, desk.csm):
        for move in (take, pass_on, say_over, call_back_later, dismiss):
            with pytest.raises(NotAllowed):
                move(entry.pk, who, NOON)
    assert take(entry.pk, entry.technician, NOON).state == TALKING


def test_language_goes_first_and_japanese_is_served_in_english_at_night(desk, contact) -> None:  # D2, Q2
    speaks = build_technician(desk.centre, languages=["en", "ja"])
    contact.language = Language.JAPANESE
    contact.save()
    entry = tell(ARRIVED)  # noon UTC is nine in the evening in Tokyo
    assert load_queue(NOON).served_in(entry) == Language.ENGLISH
    by_day = NOON.replace(hour=3)
    assert load_queue(by_day).served_in(entry) == Language.JAPANESE
    QueueEntry.objects.update(state=WAITING, technician=None, offered_at=None)
    sweep_queue(by_day + 24 * 60 * MINUTE)
    assert stands(entry)[2] == speaks


# --- who calls --------------------------------------------------------------------------------------------------


def test_who_calls_is_found_by_number_and_line(desk, contact) -> None:  # Q1, D4
    german = SupportLine.objects.create(name="Germany", country="DE", number="(800) 123-4567", language="de")
    for number in (NUMBER, "030 1234567", "030/123 45 67", "49301234567", "0049301234567"):
        found = identify(number, "+498001234567")
        assert (found.contact, found.company, found.line, found.number) == (contact, desk.company, german, NUMBER)
    stranger = identify("+4989765432", "+498001234567")
    assert (stranger.contact, stranger.company, stranger.language) == (None, None, "de")
    assert identify("anonymous").number == "anonymous"
    other = desk.end_user
    other.phone = NUMBER
    other.save()
    assert (identify(NUMBER).contact, identify(NUMBER).company) == (None, desk.company)  # one of two: somebody asks
    foreign = build_company("Initech").contacts.first()
    foreign.phone = NUMBER
    foreign.save()
    assert identify(NUMBER).company is None
    desk.other_company.phone = "+49 89 1000"
    desk.other_company.save()
    assert identify("+49891000").company == desk.other_company


def test_a_contact_who_left_is_not_found(desk, contact) -> None:  # D9, Q1
    contact.active = False
    contact.save()
    assert identify(NUMBER).contact is None


def test_an_unknown_caller_is_asked_who_they_are(alone, contact) -> None:  # Q1
    entry = tell(ARRIVED, number="+4989765432")
    assert (entry.contact, entry.who) == (None, "+49 89 765432")
    assert name_caller(entry.pk, alone.technician, NOON, contact=contact).company == alone.company


# --- events -----------------------------------------------------------------------------------------------------


def test_events_that_come_twice_change_nothing(alone, contact) -> None:  # Q1
    for _ in range(3):
        tell(ARRIVED), tell(ANSWERED, 9, leg="tech"), tell(HUNG_UP, 60)
    assert CallEvent.objects.count() == 3
    entry = QueueEntry.objects.get()
    assert stands(entry) == (ENDED, QueueEnding.SPOKEN, alone.technician)
    assert (entry.arrived_at, entry.talk) == (NOON, 51 * SECOND)


def test_events_in_the_wrong_order_come_to_the_same(alone, contact) -> None:  # Q1
    tell(HUNG_UP, 1), tell(ANSWERED, 2, leg="tech"), tell(ARRIVED, 3)
    assert stands(QueueEntry.objects.get()) == (ENDED, QueueEnding.SPOKEN, alone.technician)


def test_who_answers_is_known_by_extension_name_or_number(desk, contact) -> None:  # Q1
    Technician.objects.filter(user=desk.technician).update(extension="21")
    desk.l3.phone = "+44 20 7946 0018"
    desk.l3.save()
    assert tell(ANSWERED, call="a", leg="21").technician == desk.technician
    assert tell(ANSWERED, call="b", leg="442079460018").technician == desk.l3
    tell(HUNG_UP, 1, call="b")
    assert tell(ANSWERED, 2, call="c", leg="L3").technician == desk.l3
    assert tell(ANSWERED, 3, call="d", leg="somebody else").technician is None


def test_who_answers_another_call_has_ended_the_one_before(alone, contact) -> None:  # Q1: an end that was never told
    first = tell(ANSWERED, call="a", leg="tech")
    second = tell(ANSWERED, 90, call="b", leg="tech", number="+49309999999")
    assert stands(first) == (ENDED, QueueEnding.SPOKEN, alone.technician)
    assert stands(second) == (TALKING, "", alone.technician)


def test_a_call_of_our_own_waits_for_nobody(desk, contact) -> None:  # Q1
    assert tell(ARRIVED, is_outgoing=True) is None
    assert tell(ANSWERED, 4) is None
    assert tell(HUNG_UP, 9) is None
    assert (CallEvent.objects.count(), QueueEntry.objects.count()) == (3, 0)
    tell(HUNG_UP, call="late")  # its end comes before we hear that it was ours
    assert tell(ARRIVED, 1, call="late", is_outgoing=True) is None
    assert QueueEntry.objects.exclude(state=ENDED).count() == 0


def test_a_silent_call_is_closed_as_lost(alone, contact) -> None:  # Q1
    entry = tell(ARRIVED)
    take(entry.pk, alone.technician, NOON)
    sweep_queue(NOON + 119 * MINUTE)
    assert stands(entry)[0] == TALKING
    sweep_queue(NOON + 120 * MINUTE)
    assert stands(entry) == (ENDED, QueueEnding.LOST, alone.technician)
    tell(HUNG_UP, 9000)
    assert stands(entry)[:2] == (ENDED, QueueEnding.LOST)


def test_a_waiting_call_that_falls_silent_is_called_back(alone, contact) -> None:  # Q1, Q3
    Technician.objects.update(on_duty=False)
    known, unknown = tell(ARRIVED), tell(ARRIVED, call="c2", number="+4989765432")
    sweep_queue(NOON + 120 * MINUTE)
    assert stands(known)[0] == WAITING
    assert known.is_callback
    assert stands(unknown)[:2] == (ENDED, QueueEnding.LOST)


# --- callbacks --------------------------------------------------------------------------------------------------


def test_an_abandoned_call_of_a_contact_becomes_a_callback_with_its_promise(alone, contact) -> None:  # Q3, T1
    alone.open_case(severity=Severity.HIGH)
    Technician.objects.update(on_duty=False)
    entry = tell(ARRIVED)
    tell(HUNG_UP, 30)
    entry.refresh_from_db()
    assert (entry.state, entry.is_callback, entry.due_at) == (WAITING, True, NOON + 60 * MINUTE)
    assert stands(tell(ARRIVED, call="c2", number="+4989765432")) == (WAITING, "", None)
    assert stands(tell(HUNG_UP, 9, call="c2", number="+4989765432")) == (ENDED, QueueEnding.ABANDONED, None)


def test_a_callback_keeps_its_place_and_the_technician_accepts_it_first(alone, contact) -> None:  # Q3
    first, second = tell(ARRIVED), tell(ARRIVED, 1, call="c2", number="+49309999999")
    pressed = tell(CALLBACK, 5)
    tell(HUNG_UP, 6)
    assert (pressed.in_line_since, pressed.is_callback) == (NOON, True)
    assert stands(first) == (OFFERED, "", alone.technician)
    assert stands(second)[0] == WAITING
    take(first.pk, alone.technician, NOON + 9 * SECOND)
    say_over(first.pk, alone.technician, NOON + 99 * SECOND)
    assert stands(first)[:2] == (ENDED, QueueEnding.SPOKEN)


def test_in_vain_it_is_logged_tried_twice_more_and_goes_to_the_support_manager(alone, contact) -> None:  # Q3, F3
    case = alone.open_case()
    entry = tell(ARRIVED)
    tell(HUNG_UP, 30)
    QueueEntry.objects.update(case=case)
    at = NOON + MINUTE
    for tried in (1, 2, 3):
        sweep_queue(at)
        take(entry.pk, alone.technician, at)
        called_in_vain(entry.pk, alone.technician, at)
        entry.refresh_from_db()
        assert entry.tries == tried
        if tried < 3:
            assert (entry.state, entry.not_before) == (WAITING, at + 10 * MINUTE)
            sweep_queue(at + 9 * MINUTE)
            assert stands(entry)[0] == WAITING  # not yet
        at += 10 * MINUTE
    assert stands(entry)[:2] == (ENDED, QueueEnding.UNREACHED)
    calls = Interaction.objects.filter(case=case, direction=Direction.OUT)
    assert [call.outcome for call in calls] == [CallOutcome.NO_ANSWER] * 3
    mail = Mail.objects.get(template="caller_unreached")
    assert (mail.to_address, mail.status) == (alone.manager.email, MailStatus.QUEUED)


def test_a_callback_that_nobody_makes_in_time_is_told_to_the_support_manager_once(alone, contact) -> None:  # Q3, T1
    Technician.objects.update(on_duty=False)
    entry = tell(ARRIVED)
    tell(HUNG_UP, 30)
    sweep_queue(NOON + 119 * MINUTE)
    assert not Mail.objects.filter(template="callback_missed").exists()
    for minutes in (120, 121):
        sweep_queue(NOON + minutes * MINUTE)
    mail = Mail.objects.get(template="callback_missed")
    assert mail.to_address == alone.manager.email
    assert stands(entry)[0] == WAITING  # it stays owed


def test_unknown_callers_who_hung_up_are_told_to_the_support_manager_in_one_mail(alone) -> None:  # Q3
    Technician.objects.update(on_duty=False)
    for call, number, minute in (("a", "+81 3 4444 5555", 0), ("b", "", 5), ("c", "+1 555 0199", 6)):
        take_event(ToldEvent("pbx", call, ARRIVED, number=number), NOON + minute * MINUTE)
        take_event(ToldEvent("pbx", call, HUNG_UP, number=number), NOON + minute * MINUTE + 20 * SECOND)
    take_event(ToldEvent("pbx", "d", ARRIVED, number="+1 555 0199"), NOON + 8 * MINUTE)  # called again, and waits
    sweep_queue(NOON + 15 * MINUTE)
    assert not Mail.objects.filter(template="callers_missed").exists()
    for minutes in (16, 17, 40):
        sweep_queue(NOON + minutes * MINUTE)
    mail = Mail.objects.get(template="callers_missed")
    assert mail.to_address == alone.manager.email
    assert [caller["caller"] for caller in mail.facts["callers"]] == ["+81 3-4444-5555", "an unknown caller"]


def test_who_calls_again_keeps_their_place_and_is_not_called_back(alone, contact) -> None:  # Q3
    Technician.objects.update(on_duty=False)
    first = tell(ARRIVED)
    tell(HUNG_UP, 30)
    again = tell(ARRIVED, 300, call="c2")
    assert stands(first)[:2] == (ENDED, QueueEnding.CALLED_AGAIN)
    assert (again.arrived_at, again.in_line_since) == (NOON + 300 * SECOND, NOON)


def test_a_missed_call_can_be_called_back_and_a_needless_callback_dismissed(alone, contact) -> None:  # Q3
    missed = tell(ARRIVED, number="+4989765432")
    tell(HUNG_UP, 9, number="+4989765432")
    call_back_later(missed.pk, alone.technician, NOON + MINUTE)
    assert stands(missed) == (OFFERED, "", alone.technician)
    dismiss(missed.pk, alone.technician, NOON + MINUTE)
    assert stands(missed)[:2] == (ENDED, QueueEnding.WITHDRAWN)
    with pytest.raises(Refused, match="Only a callback"):
        dismiss(missed.pk, alone.technician, NOON + MINUTE)


# --- by hand, and the contact log -------------------------------------------------------------------------------


def test_a_call_is_entered_by_hand(alone, contact) -> None:  # Q5
    mine = enter_by_hand(alone.technician, NOON, who="030 1234567", taken=True)
    assert stands(mine) == (TALKING, "", alone.technician)
    assert (mine.contact, mine.number) == (contact, NUMBER)
    waits = enter_by_hand(alone.technician, NOON, who="Somebody")
    assert (waits.state, waits.who) == (WAITING, "Somebody")
    assert enter_by_hand(alone.technician, NOON, who=contact.name.upper()).contact == contact
    with pytest.raises(Refused, match="Write down who calls"):
        enter_by_hand(alone.technician, NOON, who=" ")
    with pytest.raises(Refused, match="You are speaking with"):
        enter_by_hand(alone.technician, NOON, who="Two at once", taken=True)
    assert not QueueEntry.objects.filter(caller="Two at once").exists()


def test_a_call_is_logged_on_a_case_with_one_click(alone, contact) -> None:  # Q4, C3
    case = alone.open_case(NOON - 60 * MINUTE)
    entry = tell(ARRIVED)
    with pytest.raises(Refused, match="take the call first"):
        log_on(entry.pk, case.pk, alone.technician, NOON)
    take(entry.pk, alone.technician, NOON + 5 * SECOND)
    logged = log_on(entry.pk, case.pk, alone.technician, NOON + MINUTE)
    assert (logged.direction, logged.channel, logged.at, logged.contact) == ("in", "phone", NOON + 5 * SECOND, contact)
    with pytest.raises(Refused, match="already"):
        log_on(entry.pk, case.pk, alone.technician, NOON + MINUTE)
    tell(HUNG_UP, 300)
    entry.refresh_from_db()
    assert (entry.case, entry.interaction, entry.talk) == (case, logged, 295 * SECOND)


def test_a_sweep_of_a_quiet_queue_costs_little_however_much_has_been(alone, contact, django_assert_num_queries) -> None:
    for number in range(12):
        entry = tell(ARRIVED, number * 600, call=f"c{number}")
        take(entry.pk, alone.technician, NOON + (number * 600 + 5) * SECOND)
        tell(HUNG_UP, number * 600 + 60, call=f"c{number}")
    later = NOON + 24 * 60 * MINUTE
    with django_assert_num_queries(5 + 1):  # due, late, missed, waiting, and the transaction of the last
        sweep_queue(later)


# --- two moves at the same moment -------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("move", "expected", "passed"),
    [
        (lambda entry, who, at: take(entry, who, at), TALKING, 0),
        (lambda entry, who, at: pass_on(entry, who, at), OFFERED, 1),
        (lambda entry, who, at: call_back_later(entry, who, at), OFFERED, 0),
        (lambda entry, who, at: [take(entry, who, at), say_over(entry, who, at)], ENDED, 0),
        (lambda entry, who, at: [take(entry, who, at), not_connected(entry, at)], OFFERED, 1),
        (lambda entry, who, at: [call_back_later(entry, who, at), dismiss(entry, who, at)], ENDED, 0),
    ],
    ids=["take", "pass on", "call back later", "say over", "not connected", "dismiss"],
)
def test_a_move_that_was_given_up_for_another_one_is_made_again(  # S1
    alone, contact, monkeypatch, move, expected, passed
) -> None:
    """PostgreSQL ends a circle of moves that wait for each other by giving one of them up."""
    entry = tell(ARRIVED)
    given_up = []

    def lock_after_a_deadlock(entry_id: int) -> QueueEntry:
        if len(given_up) % 2 == 0:
            given_up.append(entry_id)
            QueueEntry.objects.filter(pk=entry_id).update(caller="written in vain")
            raise OperationalError("deadlock detected")
        given_up.append(0)
        return lock_entry(entry_id)

    monkeypatch.setattr(queue, "lock_entry", lock_after_a_deadlock)
    move(entry.pk, alone.technician, NOON + 5 * SECOND)
    assert given_up
    assert (stands(entry)[0], sum(entry.passed.values())) == (expected, passed)
    assert entry.caller == ""


@pytest.mark.django_db(transaction=True)
def test_what_is_in_trouble_for_longer_is_given_up(alone, contact, monkeypatch) -> None:  # S1
    entry = tell(ARRIVED)

    def never(entry_id: int) -> QueueEntry:
        raise OperationalError("deadlock detected")

    monkeypatch.setattr(queue, "lock_entry", never)
    with pytest.raises(OperationalError):
        say_over(entry.pk, alone.technician, NOON + 5 * SECOND)
    assert stands(entry)[0] == OFFERED
