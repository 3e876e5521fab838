"""Bounces: a message that left and came back (M1, M2, F2, D5)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from cases.admin.mail import can_go_again
from cases.enums import Channel, MailStatus, Status, WaitReason
from cases.followup.apply import follow_up
from cases.mail.bounces import LONGEST_WHY, record_bounce
from cases.mail.letters import Letter, facts, post
from cases.mail.outbox import deliver, send_again
from cases.models import Case, Mail
from cases.workflow import transitions
from contacts.directory import Addressee
from tests.support.builders import NOON, Desk, reload
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
CUSTOMER = "desk@acme.example.com"


def sent(case: Case | None, to: str = "a@example.com", template: str = "message", now: datetime = NOON) -> Mail:
    """A message to somebody that has left."""
    what = facts(case, why="", expected="", then="", message="Hello") if case else {"message": "Hello"}
    post([Letter(f"test:{to}:{now}", template, Addressee(to, "Somebody"), what, case)], now)
    Mail.objects.filter(status=MailStatus.QUEUED).update(status=MailStatus.SENT, sent_at=now, attempts=1)
    return Mail.objects.latest("pk")


def test_a_bounce_marks_the_message_and_tells_the_owner_once(desk: Desk) -> None:  # M1, M2
    case = desk.open_case()
    mail, outbox = sent(case), Outbox()
    assert record_bounce(mail, "a@example.com", "550 5.1.1\r\nno such\x00 user", NOON + HOUR)
    assert not record_bounce(mail, "a@example.com", "550 5.1.1 no such user", NOON + 2 * HOUR)
    mail.refresh_from_db()
    assert (mail.status, mail.last_error, mail.failed_at) == (
        MailStatus.BOUNCED,
        "550 5.1.1 no such user",
        NOON + HOUR,
    )
    assert mail.sent_at == NOON  # it left
    (told,) = outbox.rows()
    assert (told.template, told.to_address, told.case_id) == ("mail_failed", "tech@example.com", case.pk)
    assert told.facts["failed"] == {"to": "a@example.com", "subject": "message", "error": "550 5.1.1 no such user"}


def test_a_bounce_of_the_owners_own_mail_goes_to_the_fallback(desk: Desk) -> None:  # D5
    case = desk.open_case()
    mail, outbox = sent(case, desk.technician.email.upper()), Outbox()
    assert record_bounce(mail, desk.technician.email, "no such user", NOON)
    assert outbox.letters() == [("mail_failed", desk.manager.email)]


def test_a_bounce_about_no_case_goes_to_the_support_manager(desk: Desk) -> None:  # D5
    mail, outbox = sent(None), Outbox()
    assert record_bounce(mail, "", "no such user", NOON)
    assert outbox.letters() == [("mail_failed", desk.manager.email)]


def test_news_of_a_bounce_that_bounces_tells_nobody(desk: Desk) -> None:  # M2: never a loop
    mail = sent(desk.open_case())
    record_bounce(mail, "", "no such user", NOON)
    news, outbox = Mail.objects.get(template="mail_failed"), Outbox()
    Mail.objects.filter(pk=news.pk).update(status=MailStatus.SENT, sent_at=NOON)
    assert record_bounce(news, "", "no such user", NOON + HOUR)
    assert outbox.rows() == []
    assert Mail.objects.get(pk=news.pk).status == MailStatus.BOUNCED


def test_a_delay_is_no_bounce_and_is_said(desk: Desk) -> None:  # M6
    mail, outbox = sent(desk.open_case()), Outbox()
    assert not record_bounce(mail, "a@example.com", "451 4.4.1 host is busy", NOON, permanent=False)
    mail.refresh_from_db()
    assert (mail.status, mail.last_error) == (MailStatus.SENT, "Delayed on its way: 451 4.4.1 host is busy")
    assert outbox.rows() == []
    assert record_bounce(mail, "a@example.com", "gave up", NOON + HOUR)


@pytest.mark.parametrize("status", [MailStatus.FAILED, MailStatus.BOUNCED, MailStatus.DROPPED])
@pytest.mark.parametrize("permanent", [True, False])
def test_what_has_not_arrived_anyway_stays_as_it_is(desk: Desk, status: MailStatus, permanent: bool) -> None:
    mail = sent(desk.open_case())
    Mail.objects.update(status=status, last_error="for a reason", failed_at=NOON)
    outbox = Outbox()
    assert not record_bounce(mail, "", "no such user", NOON + HOUR, permanent)
    mail.refresh_from_db()
    assert (mail.status, mail.last_error, mail.failed_at) == (status, "for a reason", NOON)
    assert outbox.rows() == []


def test_mail_that_was_kept_here_cannot_come_back(desk: Desk) -> None:
    mail = sent(desk.open_case())
    Mail.objects.update(kept=True)
    assert not record_bounce(mail, "", "no such user", NOON)


def test_a_bounce_that_is_faster_than_the_worker_that_sent_it_counts(desk: Desk) -> None:  # M2
    """It left, and its row still says queued; whatever worker writes next leaves the bounce as it is."""
    case = desk.open_case()
    mail = sent(case)
    Mail.objects.update(status=MailStatus.QUEUED, sent_at=None)
    assert record_bounce(mail, "", "no such user", NOON)
    assert Mail.objects.get(pk=mail.pk).status == MailStatus.BOUNCED


def test_the_address_that_failed_is_named_if_it_is_another(desk: Desk) -> None:
    mail = sent(desk.open_case())
    record_bounce(mail, "forwarded@elsewhere.example", "full", NOON)
    assert Mail.objects.get(pk=mail.pk).last_error == "forwarded@elsewhere.example: full"


@pytest.mark.parametrize(("why", "said"), [("", "did not say why"), ("x" * 10_000, "x" * LONGEST_WHY)])
def test_whatever_a_server_says_is_kept_in_one_line_of_bearable_length(desk: Desk, why: str, said: str) -> None:  # S4
    mail = sent(desk.open_case())
    record_bounce(mail, "", why, NOON)
    error = Mail.objects.get(pk=mail.pk).last_error
    assert said in error
    assert len(error) <= LONGEST_WHY


def test_a_final_notice_that_bounced_holds_the_wait_up_at_once(desk: Desk) -> None:  # F2, F7
    case = desk.open_case(NOON - HOUR)
    transitions.ask_customer(
        case.pk,
        desk.technician,
        NOON,
        question="When?",
        reason=WaitReason.CANNOT_NOW,
        send=False,
        channel=Channel.PHONE,
    )
    for hours in (48, 96, 144):
        follow_up(NOON + hours * HOUR)
        Mail.objects.filter(status=MailStatus.QUEUED).update(status=MailStatus.SENT, sent_at=NOON + hours * HOUR)
    final = Mail.objects.get(template="notice_final")
    assert final.to_address == CUSTOMER
    at = NOON + 145 * HOUR
    record_bounce(final, CUSTOMER, "no such user", at)
    assert reload(case).follow_up_check_at == at
    for hours in (145, 168, 400):
        follow_up(NOON + hours * HOUR)
    assert reload(case).status == Status.WAITING
    assert Mail.objects.filter(template="wait_held_up").exists()


def test_what_bounced_can_be_sent_again_and_bounce_again(desk: Desk) -> None:  # M2
    mail, outbox = sent(desk.open_case()), Outbox()
    record_bounce(mail, "", "full", NOON)
    mail.refresh_from_db()
    assert can_go_again(mail)
    assert send_again(mail, NOON + HOUR) == ""
    deliver(lambda: NOON + HOUR, keep=True)
    Mail.objects.update(kept=False)
    assert record_bounce(mail, "", "full", NOON + 2 * HOUR)
    assert [template for template, _ in outbox.letters()] == ["mail_failed"] * 2


def test_a_link_that_opens_an_account_is_forgotten_and_cannot_be_sent_again(desk: Desk) -> None:  # A3
    mail = sent(None, template="password_link")
    record_bounce(mail, "", "full", NOON)
    mail.refresh_from_db()
    assert not can_go_again(mail)
    with pytest.raises(ValueError, match="Only a message that failed"):
        send_again(mail, NOON)
