"""A person's status update: who gets it, what it resets, and when it is refused (T2, E8)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cases.enums import Channel, Direction, Resolution, Severity, WaitReason
from cases.guards import NotAllowed, Refused
from cases.mail.outbox import deliver
from cases.mail.rendering import render
from cases.models import Case, CaseWatcher, Interaction, Mail
from cases.workflow import handing_on, transitions
from contacts.enums import Role
from contacts.models import RoleHolder
from escalations.enums import Member
from escalations.models import Question
from escalations.points.apply import escalate
from escalations.questions.updates import send_status_update
from tests.support.builders import NOON, Desk, build_technician
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db

C, H, M, L = Severity
HOUR = timedelta(hours=1)
WORDS = "The new board is in; we test it tonight."
STAFF = [Member.ACCOUNT_MANAGER, Member.CSM, Member.CS_DIRECTOR, Member.COO]


@pytest.fixture
def case(desk: Desk) -> Case:
    """A High case past its first point: the audience is the customer and the CSM, the owner is asked."""
    case = desk.open_case(severity=H)
    escalate(NOON + 12 * HOUR)
    return Case.objects.get(pk=case.pk)


CUSTOMER = ("status_by_person", "desk@acme")


def staff(*names: str) -> dict[tuple[str, str], int]:
    return {("status_by_person_to_staff", name): 1 for name in names}


def update(case: Case, actor, hours: float = 13, **more) -> Interaction:
    return send_status_update(case.pk, actor, NOON + hours * HOUR, **{"text": WORDS, "answers_question": False, **more})


def test_the_customer_and_the_ticked_staff_get_it_at_once_and_it_is_one_contact(desk: Desk, case: Case) -> None:  # T2
    outbox, before = Outbox(), Interaction.objects.count()
    update(case, desk.technician, members=[Member.CSM], customer_too=True)
    assert outbox.new() == {CUSTOMER: 1, **staff("csm")}
    assert Interaction.objects.count() == before + 1
    logged = Interaction.objects.latest("pk")
    assert (logged.channel, logged.direction, logged.contact) == (Channel.EMAIL, Direction.OUT, case.contact)
    assert (logged.body, logged.by, logged.at) == (WORDS, desk.technician, NOON + 13 * HOUR)
    assert (logged.told, logged.tells_customer, logged.is_response) == (["csm"], True, False)
    assert Case.objects.get(pk=case.pk).sla_check_at == NOON + 13 * HOUR


def test_to_staff_alone_it_is_an_internal_note_that_tells_the_customer_nothing(desk: Desk, case: Case) -> None:  # T2
    outbox = Outbox()
    logged = update(case, desk.technician, members=[Member.COO, Member.CSM])
    assert outbox.new() == staff("csm", "coo")
    assert (logged.channel, logged.direction, logged.contact) == (Channel.NOTE, Direction.INTERNAL, None)
    assert (logged.told, logged.tells_customer) == (["csm", "coo"], False)
    assert "The customer did not get this." in render(outbox.rows()[0]).text


def test_to_the_customer_alone_it_tells_no_staff(desk: Desk, case: Case) -> None:  # T2
    outbox = Outbox()
    logged = update(case, desk.technician, customer_too=True)
    assert outbox.new() == {CUSTOMER: 1}
    assert logged.told == []


def test_whoever_watches_the_case_gets_every_update_as_staff(desk: Desk, case: Case) -> None:  # E7
    handing_on.hand_over(case.pk, desk.manager, NOON + 12.5 * HOUR, owner=desk.l3, reason="Knows boards")
    outbox = Outbox()
    update(case, desk.l3, customer_too=True)
    assert outbox.new() == {CUSTOMER: 1, **staff("tech")}
    assert "you watch this case" in outbox.rows()[0].facts["why"]
    update(case, desk.technician, 14, text="Me again", customer_too=True)  # the watcher's own words do not come back
    assert outbox.all() == {CUSTOMER: 2, **staff("tech")}


def test_one_person_with_several_parts_gets_one_mail(desk: Desk, case: Case) -> None:  # E5
    RoleHolder.objects.filter(role__in=(Role.COO, Role.CS_DIRECTOR)).update(holder=desk.csm)
    CaseWatcher.objects.create(case=case, user=desk.csm, since=NOON)
    outbox = Outbox()
    logged = update(case, desk.technician, members=STAFF)
    assert outbox.new() == staff("csm", "am")
    assert logged.told == ["account_manager", "csm", "cs_director", "coo"]


def test_a_role_that_nobody_holds_falls_back_and_still_counts_as_told(desk: Desk, case: Case) -> None:  # D5
    RoleHolder.objects.filter(role=Role.COO).delete()
    outbox = Outbox()
    logged = update(case, desk.technician, members=[Member.COO])
    assert outbox.new() == staff("support_manager")
    assert outbox.rows()[0].meant_for == "Chief operating officer (nobody)"
    assert logged.told == ["coo"]


def test_the_customers_mail_says_nothing_that_is_not_for_them_and_the_staffs_leads_to_the_case(desk, case) -> None:
    # M4
    outbox = Outbox()
    update(case, desk.technician, members=[Member.CSM], customer_too=True)
    to_customer, to_staff = (
        next(mail for mail in outbox.rows() if mail.template == template)
        for template in ("status_by_person", "status_by_person_to_staff")
    )
    said = render(to_customer)
    assert said.text.startswith("--- Reply above this line ---")
    assert f"tech writes to you about where your case “Nobody can print” stands:\n\n{WORDS}" in said.text
    assert "What happens next: tech takes it up" in said.text
    for inside in ("/admin/", "High 1", "service manager", "schedule"):
        assert inside not in said.text + said.html
    inside = render(to_staff).text
    for part in (WORDS, "/admin/cases/case/", "The customer got the same words.", "the customer service manager"):
        assert part in inside


def test_the_customers_mail_is_a_persons_and_stands_in_the_thread_of_the_case(desk: Desk, case: Case, mailoutbox):
    # M3
    update(case, desk.technician, members=[Member.CSM], customer_too=True)
    Mail.objects.exclude(template__startswith="status_by_person").delete()
    deliver(lambda: NOON + 13 * HOUR)
    sent = {message.to[0]: message for message in mailoutbox}
    customer, csm = (sent[name].message() for name in ("desk@acme.example.com", "csm@example.com"))
    assert f"<case-{case.pk}@" in customer["References"]
    assert customer["Auto-Submitted"] is None
    assert csm["Auto-Submitted"] == "auto-generated"


# --- it answers the question (E8) -------------------------------------------------------------------------------


def test_it_answers_the_open_question_and_sends_no_second_mail_for_that(desk: Desk, case: Case) -> None:  # E8
    outbox = Outbox()
    update(case, desk.technician, members=[Member.CSM], customer_too=True, answers_question=True)
    question = Question.objects.get(case=case)
    assert (question.end, question.answer, question.answered_by) == ("answered", WORDS, desk.technician)
    assert question.for_customer == ""  # they have read it
    assert outbox.new() == {CUSTOMER: 1, **staff("csm")}


def test_unticked_the_question_stays_open(desk: Desk, case: Case) -> None:  # E8
    update(case, desk.technician, members=[Member.CSM])
    assert Question.objects.get(case=case).is_open


def test_an_answer_that_leaves_out_staff_of_the_audience_is_refused_and_nothing_is_sent(desk, case) -> None:  # E8
    outbox, logged = Outbox(), Interaction.objects.count()
    with pytest.raises(Refused, match="tick the customer service manager") as refused:
        update(case, desk.technician, members=[Member.COO], customer_too=True, answers_question=True)
    assert refused.value.field == "answers_question"
    assert (outbox.new(), Interaction.objects.count()) == ({}, logged)
    assert Question.objects.get(case=case).is_open


def test_without_a_question_the_tick_means_nothing(desk: Desk) -> None:
    case = desk.open_case(severity=M)
    send_status_update(case.pk, desk.technician, NOON + HOUR, text=WORDS, customer_too=True)
    assert Interaction.objects.latest("pk").tells_customer


# --- who may, and when not (A1, S4) -----------------------------------------------------------------------------


def test_technicians_and_the_support_manager_may_and_nobody_else(desk: Desk, case: Case) -> None:  # A1
    for actor in (desk.technician, build_technician(desk.centre), desk.l3, desk.manager):
        update(case, actor, members=[Member.CSM])
    outbox = Outbox()
    for actor in (desk.account_manager, desk.customer_engineer, desk.csm, desk.director, desk.coo):
        with pytest.raises(NotAllowed):
            update(case, actor, members=[Member.CSM])
    assert outbox.new() == {}


@pytest.mark.parametrize(
    ("typed", "sentence", "field"),
    [
        ({"text": "  ", "customer_too": True}, "Write how the case stands", "text"),
        ({}, "Choose at least one reader", None),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(desk: Desk, case: Case, typed, sentence, field) -> None:  # S4
    outbox = Outbox()
    with pytest.raises(Refused, match=sentence) as refused:
        update(case, desk.technician, **typed)
    assert (refused.value.field, outbox.new()) == (field, {})


def test_a_customer_without_an_address_is_not_written_to(desk: Desk, case: Case) -> None:  # S4
    desk.company.contacts.update(email="")
    with pytest.raises(Refused, match="has no email address") as refused:
        update(case, desk.technician, members=[Member.CSM], customer_too=True)
    assert refused.value.field == "customer"
    outbox = Outbox()
    update(case, desk.technician, members=[Member.CSM])
    assert outbox.new() == staff("csm")


def test_while_the_case_waits_staff_may_be_told_and_the_customer_is_asked_instead(desk: Desk, case: Case) -> None:
    # T2, F3: a mail to the customer would count as one of the three contacts
    transitions.ask_customer(
        case.pk,
        desk.technician,
        NOON + 12.5 * HOUR,
        question="?",
        reason=WaitReason.INFORMATION,
        send=False,
        channel=Channel.PHONE,
    )
    outbox = Outbox()
    with pytest.raises(Refused, match="waits for the customer") as refused:
        update(case, desk.technician, members=[Member.CSM], customer_too=True)
    assert (refused.value.field, outbox.new()) == ("customer", {})
    update(case, desk.technician, members=[Member.CSM])
    assert outbox.new() == staff("csm")
    assert Case.objects.get(pk=case.pk).status == "customer_update_required"


def test_a_resolved_case_owes_nobody_an_update(desk: Desk, case: Case) -> None:  # T2
    transitions.resolve(case.pk, desk.technician, NOON + 12.5 * HOUR, resolution=Resolution.NOT_PURSUED)
    outbox = Outbox()
    with pytest.raises(Refused, match="is resolved"):
        update(case, desk.technician, members=[Member.CSM])
    assert outbox.new() == {}


def test_it_meets_the_first_response_that_was_promised(desk: Desk) -> None:  # T1
    case = desk.open_case(severity=C)
    send_status_update(case.pk, desk.technician, NOON + HOUR / 4, text=WORDS, customer_too=True)
    assert Interaction.objects.filter(case=case).latest("pk").tells_customer
    assert Case.objects.get(pk=case.pk).sla_check_at == NOON + HOUR / 4
