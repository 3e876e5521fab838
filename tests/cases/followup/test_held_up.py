"""Waits that are held up: the owner hears at once, the Support Manager each business day until somebody acts (F2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from cases.dashboard import cards_for
from cases.enums import Channel, Direction, MailStatus, Status, WaitReason
from cases.followup.apply import follow_up
from cases.followup.panel import waiting_panel
from cases.mail.outbox import deliver, stale_reason
from cases.models import Case, FollowUp, Mail
from cases.policy.followup.wait import RECHECK
from cases.workflow import contact_log, transitions
from contacts.models import Company, Contact
from escalations.forecast.simulate import Kind, forecast_of
from tests.support.builders import NOON, Desk, reload

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
        cards = [card for card in cards_for(user, now) if card.title == "Waits that are held up"]
        return [todo.what for card in cards for todo in card.context["rows"]]

    fine, life = asked(desk, WaitReason.INFORMATION), Life(asked(desk, WaitReason.INFORMATION))
    Case.objects.filter(pk=fine.pk).update(contact=desk.end_user, follow_up_check_at=None)
    assert shown(desk.manager, NOON) == shown(desk.technician, NOON) == []
    life.to("4 June 12:00")
    sentence = "“First attempt” did not reach the customer: call them, correct the address, or choose another contact."
    assert shown(desk.manager, life.now) == shown(desk.technician, life.now) == [sentence]
    assert shown(desk.l3, life.now) == []
    panel = waiting_panel(reload(life.case), desk.technician, life.now)
    assert panel is not None
    assert "did not reach the customer" in panel.context["held_up"]
    client = Client()
    client.force_login(desk.manager)
    with time_machine.travel(life.now, tick=False):
        assert "Waits that are held up" in client.get(reverse("admin:index")).content.decode()


def test_the_forecast_tells_of_it_as_it_then_happens(desk: Desk):  # F2
    case = asked(desk, WaitReason.INFORMATION)
    life = Life(case).to("4 June 12:00")
    events = [one for one in forecast_of(reload(case), life.now).events if one.kind == Kind.STAFF_TOLD]
    life.to("11 June 12:00")
    rows = FollowUp.objects.filter(step="held-up").order_by("done_at")
    assert [one.at for one in events] == [row.done_at for row in rows]
    assert {one.address for event in events for one in event.people} == {MANAGER}
