"""A person's mail that reaches nobody tells the customer nothing (T1, T2), until it is sent again and leaves."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from cases.enums import Channel, Direction, MailStatus, Severity
from cases.mail.bounces import record_bounce
from cases.mail.lost import after_loss
from cases.mail.outbox import deliver, send_again
from cases.models import Case, Interaction, Mail
from cases.models.contact_log import TELLS_CUSTOMER
from cases.timeline import timeline_of
from cases.workflow import contact_log
from contacts.models import Contact
from escalations.enums import Member, SlaKind, SlaOutcome
from escalations.models import SlaTarget
from escalations.questions.updates import send_status_update
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def write(case: Case, desk: Desk, now: datetime, *copies: Contact) -> Interaction:
    """A technician's mail to the customer."""
    return contact_log.log_contact(
        case.pk,
        desk.technician,
        now,
        channel=Channel.EMAIL,
        direction=Direction.OUT,
        body="Please try this.",
        send=True,
        copies=copies,
    )


def refuse(word: Interaction, now: datetime) -> Mail:
    """The mail server refuses its mail for good, before it ever took it."""
    mail = Mail.objects.get(interaction=word)
    Mail.objects.filter(pk=mail.pk).update(status=MailStatus.FAILED, failed_at=now, last_error="550 no such user")
    after_loss(Mail.objects.get(pk=mail.pk), now)
    return mail


def bounce(word: Interaction, now: datetime) -> Mail:
    """Its mail left and comes back."""
    deliver(lambda: word.at, keep=True)
    Mail.objects.update(kept=False)
    mail = Mail.objects.get(interaction=word)
    assert record_bounce(mail, mail.to_address, "550 no such user", now)
    return mail


LOSE = pytest.mark.parametrize("lose", [refuse, bounce])


def row(case: Case, kind: SlaKind, number: int = 0) -> SlaTarget:
    return SlaTarget.objects.filter(case=case, kind=kind, member=Member.CUSTOMER).order_by("since")[number]


def state(target: SlaTarget) -> tuple[str, datetime, datetime | None]:
    return (target.outcome, target.due_at, target.ended_at)


@LOSE
def test_row_and_query_agree_that_it_tells_nobody(desk: Desk, lose) -> None:  # T1, T2
    case = desk.open_case(channel=Channel.EMAIL)
    word = write(case, desk, NOON + MINUTE)
    lose(word, NOON + 2 * MINUTE)
    word.refresh_from_db()
    assert (word.undelivered_at, word.tells_customer) == (NOON + 2 * MINUTE, False)
    assert not Interaction.objects.filter(TELLS_CUSTOMER, pk=word.pk).exists()
    said = [line for entry in timeline_of(case).entries if entry.interaction == word for line in entry.lines]
    assert any("did not reach the customer" in line for line in said)


@LOSE
@pytest.mark.parametrize("looked", [True, False], ids=["kept on paper", "not looked yet"])
def test_a_first_response_that_did_not_arrive_is_still_owed_by_the_same_moment(
    desk: Desk, lose, looked: bool
) -> None:  # T1
    case = desk.open_case(severity=Severity.CRITICAL)
    word = write(case, desk, NOON + 5 * MINUTE)
    if looked:
        keep_promises(NOON + 6 * MINUTE)
        assert state(row(case, SlaKind.RESPONSE)) == (SlaOutcome.MET, NOON + 30 * MINUTE, word.at)
    lose(word, NOON + 10 * MINUTE)
    keep_promises(NOON + 10 * MINUTE)
    if looked:
        assert state(row(case, SlaKind.RESPONSE)) == ("", NOON + 30 * MINUTE, None)
    outbox = Outbox()
    keep_promises(NOON + 23 * MINUTE)  # at 75 % the owner is reminded
    assert row(case, SlaKind.RESPONSE).reminded_at == NOON + 23 * MINUTE
    keep_promises(NOON + 31 * MINUTE)
    assert state(row(case, SlaKind.RESPONSE)) == (SlaOutcome.BREACHED, NOON + 30 * MINUTE, None)
    assert row(case, SlaKind.RESPONSE).manager_told_at == NOON + 31 * MINUTE
    assert outbox.rows()
    contact_log.log_contact(
        case.pk, desk.technician, NOON + 40 * MINUTE, channel=Channel.PHONE, direction=Direction.OUT, body="Hello?"
    )
    keep_promises(NOON + 40 * MINUTE)
    assert state(row(case, SlaKind.RESPONSE)) == (SlaOutcome.BREACHED, NOON + 30 * MINUTE, NOON + 40 * MINUTE)


@LOSE
def test_a_response_that_is_known_not_to_have_arrived_only_after_its_time_is_missed(desk: Desk, lose) -> None:  # T1, T4
    case = desk.open_case(severity=Severity.CRITICAL)
    word = write(case, desk, NOON + 5 * MINUTE)
    keep_promises(NOON + 6 * MINUTE)
    lose(word, NOON + 45 * MINUTE)
    keep_promises(NOON + 45 * MINUTE)
    assert state(row(case, SlaKind.RESPONSE)) == (SlaOutcome.BREACHED, NOON + 30 * MINUTE, None)


@LOSE
def test_an_update_that_did_not_arrive_lets_the_promise_run_on(desk: Desk, lose) -> None:  # T2
    case = desk.open_case(channel=Channel.EMAIL, severity=Severity.HIGH)  # every four hours
    word = write(case, desk, NOON + HOUR)
    keep_promises(NOON + HOUR)
    assert state(row(case, SlaKind.UPDATE)) == (SlaOutcome.MET, NOON + 4 * HOUR, NOON + HOUR)
    lose(word, NOON + HOUR + MINUTE)
    keep_promises(NOON + HOUR + MINUTE)
    assert state(row(case, SlaKind.UPDATE)) == ("", NOON + 4 * HOUR, None)
    keep_promises(NOON + 4 * HOUR - 5 * MINUTE)  # the desk writes itself, by the deadline that there was before
    assert row(case, SlaKind.UPDATE).updated_at == NOON + 4 * HOUR - 5 * MINUTE
    assert Mail.objects.filter(template="status_update", case=case).count() == 1


@pytest.mark.parametrize(("lose", "outcome"), [(refuse, SlaOutcome.BREACHED), (bounce, SlaOutcome.MET)])
def test_where_a_later_promise_runs_only_what_a_server_took_stays_kept(desk: Desk, lose, outcome) -> None:  # T2, T4
    case = desk.open_case(channel=Channel.EMAIL, severity=Severity.HIGH)
    word = write(case, desk, NOON + HOUR)
    keep_promises(NOON + HOUR)
    keep_promises(NOON + 4 * HOUR)  # at 75 % of the next one the owner is reminded: it stands in the ledger
    assert SlaTarget.objects.filter(case=case, kind=SlaKind.UPDATE).count() == 2
    lose(word, NOON + 4 * HOUR + 10 * MINUTE)
    for minutes in (10, 20):
        keep_promises(NOON + 4 * HOUR + minutes * MINUTE)
    assert row(case, SlaKind.UPDATE).outcome == outcome
    assert row(case, SlaKind.UPDATE).due_at == NOON + 4 * HOUR
    assert row(case, SlaKind.UPDATE, 1).due_at == NOON + 5 * HOUR


def test_a_status_update_by_a_person_that_does_not_arrive_counts_for_nothing_either(desk: Desk) -> None:  # T2
    case = desk.open_case(channel=Channel.EMAIL)
    word = send_status_update(case.pk, desk.technician, NOON + HOUR, text="Nearly there.", customer_too=True)
    refuse(word, NOON + HOUR)
    assert not Interaction.objects.get(pk=word.pk).tells_customer


@LOSE
def test_sent_again_it_counts_from_when_it_left(desk: Desk, lose) -> None:  # T1, T2, M2
    case = desk.open_case(severity=Severity.HIGH)  # the first response is due after an hour
    word = write(case, desk, NOON + 5 * MINUTE)
    keep_promises(NOON + 6 * MINUTE)
    mail = lose(word, NOON + 10 * MINUTE)
    keep_promises(NOON + 10 * MINUTE)
    left_at = NOON + 50 * MINUTE
    assert send_again(mail, left_at) == ""
    assert not Interaction.objects.get(pk=word.pk).tells_customer  # it is on its way
    deliver(lambda: left_at, keep=True)
    word.refresh_from_db()
    assert (word.undelivered_at, word.resent_at, word.at, word.tells_customer) == (
        None,
        left_at,
        NOON + 5 * MINUTE,
        True,
    )
    keep_promises(left_at)
    assert state(row(case, SlaKind.RESPONSE)) == (SlaOutcome.MET, NOON + HOUR, left_at)
    assert state(row(case, SlaKind.UPDATE)) == (SlaOutcome.MET, NOON + 4 * HOUR, left_at)


def test_as_long_as_a_copy_may_arrive_the_help_desk_was_told(desk: Desk) -> None:  # C3, T2
    case = desk.open_case(channel=Channel.EMAIL)
    colleague = Contact.objects.create(
        company=case.company, name="Yuki Tanaka", email="yuki@acme.example.com", is_help_desk=True
    )
    word = write(case, desk, NOON + MINUTE, colleague)
    first, copy = Mail.objects.filter(interaction=word).order_by("pk")
    assert record_bounce(first, "", "no such user", NOON + HOUR)
    assert Interaction.objects.get(pk=word.pk).tells_customer
    assert record_bounce(copy, "", "no such user", NOON + HOUR)
    assert not Interaction.objects.get(pk=word.pk).tells_customer


def test_what_was_missed_before_stays_missed(desk: Desk) -> None:  # T4
    case = desk.open_case(severity=Severity.CRITICAL)
    keep_promises(NOON + 31 * MINUTE)
    word = write(case, desk, NOON + 35 * MINUTE)
    keep_promises(NOON + 35 * MINUTE)
    assert state(row(case, SlaKind.RESPONSE)) == (SlaOutcome.BREACHED, NOON + 30 * MINUTE, word.at)
    refuse(word, NOON + 36 * MINUTE)
    keep_promises(NOON + 36 * MINUTE)
    assert state(row(case, SlaKind.RESPONSE)) == (SlaOutcome.BREACHED, NOON + 30 * MINUTE, None)
