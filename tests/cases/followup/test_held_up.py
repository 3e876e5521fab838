"""Waits that are held up: the owner hears at once, the Support Manager each business day until somebody acts (F2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from cases.enums import Channel, Direction, FollowUpStep, MailStatus, Status, WaitReason, WorkKind
from cases.followup.apply import follow_up
from cases.followup.panel import waiting_panel
from cases.followup.state import may_be_held_up
from cases.mail.outbox import deliver
from cases.mail.reasons import stale_reason
from cases.models import Case, FollowUp, Mail
from cases.my_desk.state import desk_of
from cases.policy.followup.wait import RECHECK
from cases.work_items import upcoming
from cases.workflow import contact_log, transitions
from contacts.models import Company, Contact
from escalations.forecast.simulate import Kind, forecast_of
from tests.support.builders import NOON, Desk, reload
from tests.support.pages import signed_in

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CUSTOMER, OWNER, MANAGER = "desk@acme.example.com", "tech@example.com", "support_manager@example.com"


def at(text: str) -> datetime:
    """Local time in Berlin, in the summer of 2026."""
    return datetime.strptime(f"2026 {text} +0200", "%Y %d %B %H:%M %z").astimezone(UTC)


def asked(desk: Desk, reason: WaitReason, **how: object) -> Case:
    """Asked on Wednesday 3 June at 14:00 in Berlin."""
    case = desk.open_case(NOON)
    how = how or {"send": False, "channel": Channel.PHONE}
    return transitions.ask_customer(case.pk, desk.technician, NOON, question="Which?", reason=reason, **how)  # type: ignore[arg-type]


class Life:
    """Time passes; mail to the customer is refused unless the server `accepts` it, and the rest leaves at once."""

    def __init__(self, case: Case) -> None:
        self.case, self.accepts, self.now = case, False, NOON
        Mail.objects.filter(status=MailStatus.QUEUED).exclude(template="question").update(status=MailStatus.SENT)

    def to(self, until: str) -> Life:
        while True:
            self.mail_leaves()
            due = Case.objects.values_list("follow_up_check_at", flat=True).get(pk=self.case.pk)
            if due is None or due > at(until):
                break
            if due - self.now == RECHECK:  # nothing to do but to look again: whole hours are often enough for a test
                due = due.replace(minute=0) + HOUR
            self.now = max(self.now, due)
            follow_up(self.now)
        self.now = at(until)
        return self

    def mail_leaves(self) -> None:
        queued = Mail.objects.filter(status=MailStatus.QUEUED)
        if not self.accepts:
            refused = queued.filter(to_address__endswith="acme.example.com")
            if refused.update(status=MailStatus.FAILED, last_error="550 No such user"):
                self.case.recheck("follow_up", self.now)  # as the outbox does
        queued.update(status=MailStatus.SENT, sent_at=self.now)

    def told(self, address: str) -> list[str]:
        """When somebody was written to about the wait."""
        mails = Mail.objects.filter(to_address=address, template__in=TEMPLATES).order_by("queued_at", "pk")
        berlin = timedelta(hours=2)
        return [f"{mail.template} {mail.queued_at + berlin:%-d %B %H:%M}" for mail in mails]


TEMPLATES = ("unreachable", "contact_left", "wait_held_up", "attempt", "notice_1", "notice_2", "notice_final")


@pytest.mark.slow
def test_a_refused_address_goes_to_the_support_manager_after_a_business_day_and_on_each_one(desk: Desk):  # F2
    life = Life(asked(desk, WaitReason.INFORMATION)).to("10 June 09:00")
    assert life.told(CUSTOMER) == ["attempt 4 June 10:00"]
    assert life.told(MANAGER) == [  # a weekend in between
        "wait_held_up 5 June 10:00",
        "wait_held_up 8 June 10:00",
        "wait_held_up 9 June 10:00",
    ]
    life.to("15 June 12:00")
    assert len(life.told(MANAGER)) == 7
    assert reload(life.case).status == Status.WAITING
    mail = Mail.objects.filter(template="wait_held_up").order_by("pk").first()
    assert mail is not None
    assert mail.facts["what"].startswith("“First attempt” did not reach the customer")


def test_without_an_address_the_owner_hears_of_each_notice_and_the_manager_each_business_day(desk: Desk):  # F2, D5
    Contact.objects.update(email="")
    life = Life(asked(desk, WaitReason.CANNOT_NOW)).to("12 June 09:00")
    assert life.told(OWNER) == ["unreachable 5 June 14:00", "unreachable 7 June 14:00", "unreachable 9 June 14:00"]
    assert life.told(MANAGER) == [f"wait_held_up {day} June 14:00" for day in (8, 9, 10, 11)]
    assert reload(life.case).status == Status.WAITING


def test_a_question_that_was_refused_holds_the_wait_up_already(desk: Desk):  # F2
    life = Life(asked(desk, WaitReason.CANNOT_NOW, send=True)).to("5 June 13:00")
    assert life.told(MANAGER) == ["wait_held_up 4 June 14:00"]


def test_it_ends_when_the_address_is_corrected_and_the_plan_goes_on(desk: Desk):  # F2
    life = Life(asked(desk, WaitReason.INFORMATION)).to("5 June 12:00")
    life.accepts = True
    Contact.objects.filter(pk=desk.contact.pk).update(email="right@acme.example.com")
    Case.objects.update(follow_up_check_at=at("5 June 12:00"))
    life.to("30 June 12:00")
    assert life.told(MANAGER) == ["wait_held_up 5 June 10:00"]
    assert life.told("right@acme.example.com")[0] == "attempt 5 June 12:00"
    assert reload(life.case).status == Status.RESOLVED


def test_a_call_is_an_act_and_if_nothing_comes_of_it_the_manager_hears_a_business_day_later(desk: Desk):  # F2
    life = Life(asked(desk, WaitReason.CANNOT_NOW)).to("8 June 15:00")
    contact_log.log_contact(
        life.case.pk, desk.technician, life.now, channel=Channel.PHONE, direction=Direction.OUT, body="Voice box.",
        reached=False,
    )  # fmt: skip
    Case.objects.update(follow_up_check_at=life.now)
    life.to("9 June 16:00")
    assert life.told(MANAGER) == ["wait_held_up 8 June 14:00", "wait_held_up 9 June 15:00"]


@pytest.mark.parametrize("who", ["contact", "company"])
@pytest.mark.parametrize("reason", [WaitReason.INFORMATION, WaitReason.CANNOT_NOW])
def test_to_a_contact_who_left_nothing_is_sent_and_the_owner_is_asked_once_for_another(desk: Desk, reason, who):  # D9
    life = Life(asked(desk, reason)).to("3 June 16:00")
    life.accepts = True
    Contact.objects.filter(pk=desk.contact.pk).update(active=who != "contact")
    Company.objects.filter(pk=desk.company.pk).update(active=who != "company")
    Case.objects.update(follow_up_check_at=life.now)
    life.to("15 June 10:00")
    assert life.told(CUSTOMER) == []
    assert life.told(OWNER) == ["contact_left 3 June 16:00"]
    assert life.told(MANAGER) == [f"wait_held_up {day} June 16:00" for day in (4, 5, 8, 9, 10, 11, 12)]
    Contact.objects.update(active=True)
    Company.objects.update(active=True)
    transitions.edit_details(life.case.pk, desk.technician, life.now, changes={"contact": desk.end_user})
    life.to("15 June 12:00")
    assert len(life.told("user@acme.example.com")) == 1  # one, however many were due meanwhile (F7)
    assert Mail.objects.filter(template="contact_left").count() == 1


def test_what_is_queued_for_somebody_who_left_is_not_sent(desk: Desk):  # D9, M1
    asked(desk, WaitReason.INFORMATION, send=True)
    mail = Mail.objects.get(template="question")
    assert stale_reason(mail, NOON) == ""
    Contact.objects.filter(pk=desk.contact.pk).update(active=False)
    assert "had left" in stale_reason(mail, NOON)
    deliver(lambda: NOON)
    mail.refresh_from_db()
    assert mail.status == MailStatus.DROPPED


def test_it_is_shown_as_a_problem_to_the_manager_and_to_its_owner(desk: Desk):  # F2
    def shown(user, now: datetime) -> list[str]:
        rows = [row for group in desk_of(user, now, UTC).groups for row in group.rows]
        return [row.act for row in rows if row.item is not None and row.item.kind == WorkKind.HELD_UP]

    fine, life = asked(desk, WaitReason.INFORMATION), Life(asked(desk, WaitReason.INFORMATION))
    Case.objects.filter(pk=fine.pk).update(contact=desk.end_user, follow_up_check_at=None)
    assert shown(desk.manager, NOON) == shown(desk.technician, NOON) == []
    life.to("4 June 12:00")
    sentence = "Reach Help desk of Acme another way: our mail does not arrive"
    assert shown(desk.manager, life.now) == shown(desk.technician, life.now) == [sentence]
    assert shown(desk.l3, life.now) == []
    panel = waiting_panel(reload(life.case), desk.technician, life.now)
    assert panel is not None
    assert "did not reach the customer" in panel.context["held_up"]
    client = Client()
    client.force_login(desk.manager)
    with time_machine.travel(life.now, tick=False):
        assert "Nothing reaches the customer" in client.get(reverse("admin:index")).content.decode()


def test_the_forecast_tells_of_it_as_it_then_happens(desk: Desk):  # F2
    case = asked(desk, WaitReason.INFORMATION)
    life = Life(case).to("4 June 12:00")
    events = [one for one in forecast_of(reload(case), life.now).events if one.kind == Kind.STAFF_TOLD]
    life.to("11 June 12:00")
    rows = FollowUp.objects.filter(step="held-up").order_by("done_at")
    assert [one.at for one in events] == [row.done_at for row in rows]
    assert {one.address for event in events for one in event.people} == {MANAGER}


@pytest.mark.parametrize(
    ("reason", "step"), [(WaitReason.INFORMATION, "First attempt"), (WaitReason.CANNOT_NOW, "First notice")]
)
def test_the_page_does_not_promise_a_mail_to_a_customer_without_an_address(desk: Desk, reason, step):  # W2, D5
    case = asked(desk, reason)
    coming = upcoming(reload(case), NOON)
    assert coming is not None
    assert (coming.what, coming.name) == (step, step)

    Contact.objects.filter(pk=desk.contact.pk).update(email="")
    coming = upcoming(reload(case), NOON)
    assert coming is not None
    assert coming.what == f"{step} is asked of tech, as Help desk of Acme has no email address"
    assert coming.name == "Call asked for"
    page = signed_in(desk.technician).get(case.get_absolute_url()).content.decode()
    assert "is asked of tech, as Help desk of Acme has no email address" in page


# --- which waits may be held up ---------------------------------------------------------------------------------------


def _notice(case: Case, status: MailStatus, episode: int, at: datetime, step: FollowUpStep) -> None:
    """A step of a wait whose mail has this fate."""
    key = f"{case.pk}:{status}:{episode}:{step}"
    mail = Mail.objects.create(
        case=case, key=key, message_id=key, template="notice_1", to_address=CUSTOMER, episode=episode, status=status,
        queued_at=at, send_at=at,
    )  # fmt: skip
    FollowUp.objects.create(case=case, episode=episode, step=step, due_at=at, done_at=at, mail=mail)


def test_only_waits_to_whose_customer_something_did_not_arrive_may_be_held_up(desk: Desk) -> None:  # F2, D9
    waits = [asked(desk, WaitReason.INFORMATION) for _ in range(8)]
    fine, lost, before, unsent, staff, bounced, answered, asked_in_vain = waits
    _notice(fine, MailStatus.SENT, 1, NOON, FollowUpStep.NOTICE_1)
    _notice(lost, MailStatus.DROPPED, 1, NOON, FollowUpStep.NOTICE_1)
    _notice(before, MailStatus.FAILED, 0, NOON - 40 * DAY, FollowUpStep.NOTICE_1)
    FollowUp.objects.create(case=unsent, episode=1, step=FollowUpStep.NOTICE_1, due_at=NOON, done_at=NOON)
    _notice(staff, MailStatus.FAILED, 1, NOON, FollowUpStep.CALL_1)
    _notice(bounced, MailStatus.BOUNCED, 1, NOON + DAY, FollowUpStep.NOTICE_2)
    _notice(answered, MailStatus.FAILED, 1, NOON, FollowUpStep.NOTICE_1)
    contact_log.log_contact(
        answered.pk, desk.technician, NOON + HOUR, channel=Channel.PHONE, direction=Direction.IN, body="Floor 3."
    )
    Mail.objects.create(
        case=asked_in_vain, key="q", message_id="q", template="question", to_address=CUSTOMER, episode=1,
        status=MailStatus.FAILED, queued_at=NOON, send_at=NOON,
    )  # fmt: skip
    found = {lost.pk, unsent.pk, bounced.pk, asked_in_vain.pk}
    assert {key for (key,) in may_be_held_up()[:50]} == found
    assert len(may_be_held_up()[:2]) == 2
    gone = desk.open_case(NOON, company=desk.other_company)
    transitions.ask_customer(
        gone.pk, desk.technician, NOON, question="?", reason=WaitReason.INFORMATION, send=False, channel=Channel.PHONE
    )
    Company.objects.filter(pk=desk.other_company.pk).update(active=False)
    assert {key for (key,) in may_be_held_up()[:50]} == found | {gone.pk}
    Contact.objects.filter(pk=desk.contact.pk).update(active=False)
    assert {key for (key,) in may_be_held_up()[:50]} == {wait.pk for wait in waits if wait != answered} | {gone.pk}


def test_without_a_wait_none_is_held_up(desk: Desk) -> None:
    desk.open_case(NOON)
    assert list(may_be_held_up()[:50]) == []
