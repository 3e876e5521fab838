"""Questions for the status of a case: who is asked, who hears the answer, and how a question ends (E8)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from cases.enums import AgreedBy, Channel, Direction, Resolution, Severity, WaitReason
from cases.guards import NotAllowed, Refused
from cases.mail.rendering import render
from cases.models import Case, CaseWatcher, Interaction, Mail
from cases.workflow import contact_log, handing_on, transitions
from contacts.enums import Role
from contacts.models import RoleHolder, Technician, User
from escalations.models import Question
from escalations.points.apply import escalate
from escalations.questions.apply import answer_question
from escalations.questions.state import marked_for_customers, open_questions, overdue_questions
from escalations.questions.updates import send_status_update
from tests.support.builders import NOON, Desk, build_centre, build_technician, build_user
from tests.support.outbox import Outbox
from tests.support.pages import signed_in

pytestmark = pytest.mark.django_db

C, H, M, L = Severity
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LINE = "The vendor sends a new board tomorrow."


def answers_to(*names: str) -> dict[tuple[str, str], int]:
    return {("status_answer", name): 1 for name in names}


def sweep(hours: float) -> None:
    escalate(NOON + hours * HOUR)


def asked_case(desk: Desk, severity: Severity = H, hours: float = 12, **fields) -> Case:
    case = desk.open_case(severity=severity, **fields)
    sweep(hours)
    return Case.objects.get(pk=case.pk)


def question_of(case: Case) -> Question:
    return Question.objects.filter(case=case).latest("asked_at")


def ends(case: Case) -> list[tuple[str, str]]:
    """(point, how it ended) of each question, oldest first."""
    return [(row.point, row.end) for row in Question.objects.filter(case=case).order_by("asked_at", "pk")]


def asked_of(case: Case) -> tuple[User | None, User | None]:
    row = question_of(case)
    return row.asked, row.stands_in_for


# --- the answer -------------------------------------------------------------------------------------------------


def test_the_owners_line_is_logged_ends_the_question_and_reaches_the_staff_in_the_audience_at_once(desk: Desk) -> None:
    # E8, T2, C3
    case = asked_case(desk)
    outbox = Outbox()
    now = NOON + 12 * HOUR + 7 * MINUTE
    answer_question(case.pk, desk.technician, now, answer=f"  {LINE} ", for_customer="A part is on its way.")
    row = question_of(case)
    assert (row.end, row.answered_by, row.ended_at) == ("answered", desk.technician, now)
    assert (row.answer, row.for_customer) == (LINE, "A part is on its way.")
    assert outbox.new() == answers_to("csm")
    note = Interaction.objects.get(case=case, channel=Channel.NOTE)
    assert (note.direction, note.body, note.by, note.at) == (Direction.INTERNAL, LINE, desk.technician, now)
    assert (note.told, note.tells_customer, note.is_response) == (["csm"], False, False)
    assert Case.objects.get(pk=case.pk).sla_check_at == now


def test_the_letter_says_who_asked_who_answers_what_the_customer_will_read_and_why_one_gets_it(desk: Desk) -> None:
    # M4
    case, outbox = asked_case(desk), Outbox()
    answer_question(case.pk, desk.technician, NOON + 13 * HOUR, answer=LINE, for_customer="A part is on its way.")
    [mail] = outbox.rows()
    said = render(mail)
    assert said.subject == f"[{case.number}] Where it stands, asked by High 1: Nobody can print"
    for part in (
        "High 1 asked on",
        f"tech answers:\n\n{LINE}",
        "A part is on its way.",
        "You get this because updates on this case go to the customer service manager.",
        "the next point of the schedule comes by itself",
        "Open the case: ",
    ):
        assert part in said.text


AUDIENCES = [
    # severity, hours, who is asked, who of the staff is in the audience, who watches
    (C, 12, "l3", ["csm"], ["tech"]),  # Critical 2
    (C, 24, "l3", ["am", "csm", "coo"], ["tech"]),  # Critical 3
    (H, 12, "tech", ["csm"], []),  # High 1
    (H, 48, "l3", ["am", "csm", "cs_director"], ["tech"]),  # High 3 contacts the Director
    (M, 48, "tech", [], []),  # Medium 1: the customer alone
    (M, 360, "l3", ["am", "csm"], ["tech"]),  # Medium 3
]


@pytest.mark.parametrize(("severity", "hours", "asked", "audience", "watchers"), AUDIENCES)
def test_each_audience_of_the_schedule_hears_the_answer_and_nobody_else(  # E1, E8, E7
    desk: Desk, severity: Severity, hours: float, asked: str, audience: list[str], watchers: list[str]
) -> None:
    case = desk.open_case(severity=severity)
    for step in (4, 12, 24, 36, 48, 144, 360):
        if step <= hours:
            sweep(step)
    owner = question_of(case).asked
    assert owner.username == asked
    outbox = Outbox()
    answer_question(case.pk, owner, NOON + (hours + 1) * HOUR, answer=LINE)
    assert outbox.new() == answers_to(*audience, *watchers)
    members = {"am": "account_manager"}
    told = Interaction.objects.get(case=case, channel=Channel.NOTE).told
    assert told == [members.get(name, name) for name in audience]


def test_the_director_hears_it_on_every_point_once_contacted_on_the_case_and_not_before(desk: Desk) -> None:
    # section 1, CS Management
    contacted, other = asked_case(desk, hours=48), asked_case(desk, C, hours=50)
    transitions.change_severity(contacted.pk, desk.manager, NOON + 49 * HOUR, severity=C, reason="It is everybody now")
    sweep(50)
    assert question_of(contacted).point == "Critical 3"
    for case, director in ((contacted, ["cs_director"]), (other, [])):
        outbox, asked = Outbox(), question_of(case).asked
        answer_question(case.pk, asked, NOON + 51 * HOUR, answer=LINE)
        watchers = set(CaseWatcher.objects.filter(case=case).values_list("user__username", flat=True))
        expected = {"am", "csm", "coo", *director, *watchers} - {asked.username}
        assert outbox.new() == answers_to(*expected)


def test_a_person_with_two_roles_who_watches_as_well_gets_one_mail(desk: Desk) -> None:  # E5, E8
    desk.company.account_manager = desk.csm
    desk.company.save()
    case = asked_case(desk, M, hours=360)
    CaseWatcher.objects.create(case=case, user=desk.csm, since=NOON)
    outbox = Outbox()
    answer_question(case.pk, desk.l3, NOON + 361 * HOUR, answer=LINE)
    assert outbox.new() == answers_to("csm", "tech")
    why = outbox.rows()[0].facts["why"]
    assert "the account manager and the customer service manager" in why
    assert "you watch this case" in why
    assert Interaction.objects.get(channel=Channel.NOTE).told == ["account_manager", "csm"]


def test_whoever_answers_does_not_write_to_themselves(desk: Desk) -> None:  # E8
    case = asked_case(desk, M, hours=360)  # tech watches
    RoleHolder.objects.filter(role=Role.CSM).update(holder=desk.manager)
    outbox = Outbox()
    answer_question(case.pk, desk.manager, NOON + 361 * HOUR, answer=LINE)
    assert outbox.new() == answers_to("am", "tech")


def test_a_watcher_who_left_or_has_no_address_is_passed_over(desk: Desk) -> None:  # E7
    case = asked_case(desk, M, hours=360)
    User.objects.filter(pk=desk.technician.pk).update(email="")
    outbox = Outbox()
    answer_question(case.pk, desk.l3, NOON + 361 * HOUR, answer=LINE)
    assert outbox.new() == answers_to("am", "csm")


def test_a_watcher_who_stopped_watching_hears_no_more(desk: Desk) -> None:  # E7
    case = asked_case(desk, M, hours=360)
    transitions.stop_watching(case.pk, desk.technician)
    outbox = Outbox()
    answer_question(case.pk, desk.l3, NOON + 361 * HOUR, answer=LINE)
    assert outbox.new() == answers_to("am", "csm")


@pytest.mark.parametrize("lost", ["no holder", "inactive", "no address"])
def test_an_answer_for_a_role_that_nobody_can_be_reached_for_goes_to_the_support_manager_once(desk, lost) -> None:
    # D5
    case = asked_case(desk, C, hours=24)
    if lost == "no holder":
        RoleHolder.objects.filter(role__in=(Role.CSM, Role.COO)).update(holder=None)
    else:
        change = {"is_active": False} if lost == "inactive" else {"email": ""}
        User.objects.filter(pk__in=(desk.csm.pk, desk.coo.pk)).update(**change)
    outbox = Outbox()
    answer_question(case.pk, question_of(case).asked, NOON + 25 * HOUR, answer=LINE)
    assert outbox.new() == answers_to("am", "support_manager")
    meant_for = next(one.meant_for for one in outbox.rows() if one.to_address.startswith("support_manager"))
    assert "Customer service manager" in meant_for
    assert "Chief operating officer" in meant_for


def test_a_role_held_for_the_owners_centre_goes_before_the_general_one(desk: Desk) -> None:  # D4
    local = build_user(Role.CSM, "csm-london")
    RoleHolder.objects.create(role=Role.CSM, holder=local, centre=desk.centre)
    case = asked_case(desk)
    outbox = Outbox()
    answer_question(case.pk, desk.technician, NOON + 13 * HOUR, answer=LINE)
    assert outbox.new() == answers_to("csm-london")


def test_it_may_be_answered_while_the_case_waits(desk: Desk) -> None:  # E8
    case = asked_case(desk)
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
    answer_question(case.pk, desk.technician, NOON + 13 * HOUR, answer=LINE)
    assert outbox.new() == answers_to("csm")
    assert "waits for the customer" in outbox.rows()[0].facts["next"]
    assert Case.objects.get(pk=case.pk).status == "customer_update_required"


# --- the customer (E8) ------------------------------------------------------------------------------------------


def test_nobody_outside_ever_reads_the_answer_only_what_was_marked_with_the_next_update(desk: Desk) -> None:  # E8
    case = asked_case(desk)
    outbox = Outbox()
    answer_question(case.pk, desk.technician, NOON + 13 * HOUR, answer=LINE, for_customer="A part is on its way.")
    assert [one.for_customer for one in marked_for_customers([case])[case.pk]] == ["A part is on its way."]
    send_status_update(case.pk, desk.technician, NOON + 14 * HOUR, text="We are on it.", customer_too=True)
    send_status_update(case.pk, desk.technician, NOON + 15 * HOUR, text="Still on it.", customer_too=True)
    texts = [render(mail).text for mail in outbox.rows() if mail.to_address == case.contact.email]
    assert len(texts) == 2
    assert not any(LINE in text for text in texts)
    assert ["A part is on its way." in text for text in texts] == [True, False]
    assert marked_for_customers([case])[case.pk] == []


def test_what_is_not_marked_is_nothing_to_bring(desk: Desk) -> None:  # E8
    case = asked_case(desk)
    answer_question(case.pk, desk.technician, NOON + 13 * HOUR, answer=LINE)
    contact_log.log_contact(
        case.pk,
        desk.technician,
        NOON + 14 * HOUR,
        channel=Channel.EMAIL,
        direction=Direction.OUT,
        body="Hello",
        send=True,
    )
    assert marked_for_customers([case])[case.pk] == []
    assert not any(LINE in render(mail).text for mail in Mail.objects.filter(to_address=case.contact.email))


# --- who may, and when not (A1, S4) -----------------------------------------------------------------------------


def test_any_technician_and_the_support_manager_may_answer(desk: Desk) -> None:  # A1, E8
    other = build_technician(desk.centre, name="other")
    for actor in (desk.technician, other, desk.l3, desk.manager):
        case = asked_case(desk)
        answer_question(case.pk, actor, NOON + 13 * HOUR, answer=LINE)
        assert question_of(case).answered_by == actor


def test_nobody_else_may_answer(desk: Desk) -> None:  # A1
    case, outbox = asked_case(desk), Outbox()
    nobody = build_user(name="nobody")
    for actor in (desk.account_manager, desk.customer_engineer, desk.csm, desk.director, desk.coo, nobody):
        with pytest.raises(NotAllowed):
            answer_question(case.pk, actor, NOON + 13 * HOUR, answer=LINE)
    assert question_of(case).is_open
    assert outbox.new() == {}
    assert not Interaction.objects.filter(channel=Channel.NOTE).exists()


@pytest.mark.parametrize("line", ["", "   ", "\n"])
def test_an_empty_line_is_no_answer(desk: Desk, line: str) -> None:  # S4
    case = asked_case(desk)
    with pytest.raises(Refused, match="Say in a line") as refused:
        answer_question(case.pk, desk.technician, NOON + 13 * HOUR, answer=line)
    assert refused.value.field == "answer"
    assert question_of(case).is_open


def test_the_second_of_two_answers_is_told_of_the_first(desk: Desk) -> None:  # S4
    case = asked_case(desk)
    answer_question(case.pk, desk.l3, NOON + 13 * HOUR, answer=LINE)
    outbox = Outbox()
    with pytest.raises(Refused, match=f"l3 has answered High 1 already.*{LINE}"):
        answer_question(case.pk, desk.technician, NOON + 13 * HOUR, answer="Mine")
    with pytest.raises(Refused, match="You have answered High 1 already"):
        answer_question(case.pk, desk.l3, NOON + 13 * HOUR, answer=LINE)
    assert outbox.new() == {}
    assert Interaction.objects.filter(channel=Channel.NOTE).count() == 1
    assert question_of(case).answer == LINE


def test_a_question_that_a_newer_one_replaced_cannot_be_answered_any_more(desk: Desk) -> None:  # E8
    case = asked_case(desk)
    first = question_of(case)
    sweep(48)
    outbox = Outbox()
    with pytest.raises(Refused, match="High 3 has asked anew"):
        answer_question(case.pk, desk.technician, NOON + 49 * HOUR, answer=LINE, question_id=first.pk)
    assert outbox.new() == {}
    assert ends(case) == [("High 1", "superseded"), ("High 3", "")]
    answer_question(case.pk, desk.technician, NOON + 49 * HOUR, answer=LINE, question_id=question_of(case).pk)
    assert ends(case) == [("High 1", "superseded"), ("High 3", "answered")]


def test_a_question_of_another_case_is_not_answered_on_this_one(desk: Desk) -> None:
    case, other = asked_case(desk), asked_case(desk)
    with pytest.raises(Refused):
        answer_question(case.pk, desk.technician, NOON + 13 * HOUR, answer=LINE, question_id=question_of(other).pk)
    assert ends(case) == ends(other) == [("High 1", "")]


def test_a_case_that_asks_nothing_has_nothing_to_answer(desk: Desk) -> None:  # S4
    case = desk.open_case()
    with pytest.raises(Refused, match="Nobody asks"):
        answer_question(case.pk, desk.technician, NOON, answer=LINE)


def test_on_a_resolved_case_the_question_has_ended_also_before_the_sweep_looks(desk: Desk) -> None:  # E8
    case = asked_case(desk)
    transitions.resolve(
        case.pk,
        desk.technician,
        NOON + 13 * HOUR,
        resolution=Resolution.CONFIRMED,
        agreed_by=AgreedBy.PHONE,
        solution="A new board.",
    )
    with pytest.raises(Refused, match="is resolved"):
        answer_question(case.pk, desk.technician, NOON + 13 * HOUR, answer=LINE)
    assert not open_questions().exists()
    sweep(13.1)
    assert ends(case) == [("High 1", "resolved")]
    with pytest.raises(Refused, match="is resolved"):
        answer_question(case.pk, desk.technician, NOON + 14 * HOUR, answer=LINE)


# --- how a question lives and ends (E8, E5) ---------------------------------------------------------------------


def test_a_newer_question_takes_the_place_of_one_that_nobody_answered(desk: Desk) -> None:  # E8
    case = asked_case(desk)
    sweep(48)
    assert ends(case) == [("High 1", "superseded"), ("High 3", "")]
    assert Question.objects.filter(case=case, ended_at=None).count() == 1


def test_an_answered_question_stays_answered_when_a_newer_one_comes(desk: Desk) -> None:  # E8
    case = asked_case(desk)
    answer_question(case.pk, desk.technician, NOON + 13 * HOUR, answer=LINE)
    sweep(48)
    assert ends(case) == [("High 1", "answered"), ("High 3", "")]


def test_resolving_ends_it_and_reopening_does_not_ask_again(desk: Desk) -> None:  # E8
    case = asked_case(desk)
    transitions.resolve(case.pk, desk.technician, NOON + 13 * HOUR, resolution=Resolution.NOT_PURSUED)
    sweep(13.1)
    row = question_of(case)
    assert (row.end, row.ended_at) == ("resolved", NOON + 13.1 * HOUR)
    transitions.reopen(case.pk, desk.technician, NOON + 14 * HOUR, reason="Back again")
    sweep(14.1)
    assert ends(case) == [("High 1", "resolved")]


def test_reopening_before_anybody_looked_does_not_bring_the_question_back(desk: Desk) -> None:  # E8
    case = asked_case(desk)
    transitions.resolve(case.pk, desk.technician, NOON + 13 * HOUR, resolution=Resolution.NOT_PURSUED)
    transitions.reopen(case.pk, desk.technician, NOON + 13.001 * HOUR, reason="Pressed by mistake")
    handing_on.hand_over(case.pk, desk.manager, NOON + 13.002 * HOUR, owner=desk.l3, reason="Knows boards")
    outbox = Outbox()
    sweep(13.01)
    assert ends(case) == [("High 1", "resolved")]
    assert outbox.new() == {}
    sweep(49)
    assert ends(case) == [("High 1", "resolved"), ("High 3", "")]


def test_a_new_owner_inherits_the_question_and_its_time(desk: Desk) -> None:  # E8
    case = asked_case(desk)
    before = question_of(case)
    handing_on.hand_over(case.pk, desk.manager, NOON + 12.2 * HOUR, owner=desk.l3, reason="Knows boards")
    outbox = Outbox()
    sweep(12.3)
    assert outbox.new() == {("question_inherited", "l3"): 1}
    after = question_of(case)
    assert (after.pk, after.asked, after.stands_in_for) == (before.pk, desk.l3, None)
    assert (after.asked_at, after.answer_by) == (before.asked_at, before.answer_by)
    sweep(12.4)
    assert len(outbox.rows()) == 1


def test_an_inherited_question_keeps_who_was_asked_first_and_says_what_changed(desk: Desk) -> None:  # E8, M4
    case = asked_case(desk)
    other = build_technician(desk.centre, name="other")
    outbox = Outbox()
    for hours, owner in ((12.2, desk.l3), (12.3, other)):
        handing_on.hand_over(case.pk, desk.manager, NOON + hours * HOUR, owner=owner, reason="Knows boards")
        sweep(hours + 0.05)
        question = question_of(case)
        assert (question.asked, question.first_asked) == (owner, desk.technician)
        mail = next(
            row for row in outbox.rows() if row.template == "question_inherited" and owner.email == row.to_address
        )
        said = render(mail)
        assert said.subject == f"[{case.number}] Yours now, and its status is asked: {case.title}"
        assert "belongs to you now. High 1 asked for its status: the question was put to tech on" in said.text
    page = signed_in(other).get(case.get_absolute_url()).content.decode()
    assert "of tech; the case has another owner now, and the answer is wanted of <strong>you</strong>" in page
    listed = signed_in(desk.manager).get("/admin/escalations/question/").content.decode()
    assert "other; put to tech" in listed


def test_ownership_that_goes_to_l3_takes_the_question_along_in_the_same_letter(desk: Desk) -> None:  # E5, E8
    case = asked_case(desk)
    outbox = Outbox()
    sweep(36)
    assert asked_of(case) == (desk.l3, None)
    assert outbox.new() == {("escalation", name): 1 for name in ("am", "l3", "tech", "support_manager")}
    letter = next(mail for mail in outbox.rows() if mail.to_address.startswith("l3"))
    assert letter.facts["asked"] is True
    assert ends(case) == [("High 1", "")]


def test_who_is_asked_and_transferred_away_from_in_one_step_is_asked_once_and_the_new_owner_is_not(desk: Desk) -> None:
    # E5
    case = desk.open_case(severity=C)
    sweep(30)
    assert asked_of(case) == (desk.technician, desk.l3)
    assert Case.objects.get(pk=case.pk).owner == desk.l3
    outbox = Outbox()
    for hours in (30, 31, 40):
        sweep(hours)
    assert outbox.new() == {}
    assert asked_of(case) == (desk.technician, desk.l3)
    assert Question.objects.count() == 1


def test_after_that_yet_another_owner_inherits_it(desk: Desk) -> None:  # E5, E8
    case = desk.open_case(severity=C)
    sweep(30)
    third = build_technician(desk.centre, name="third")
    handing_on.hand_over(case.pk, desk.manager, NOON + 31 * HOUR, owner=third, reason="Knows boards")
    sweep(31.1)
    assert asked_of(case) == (third, None)


@pytest.mark.parametrize(
    ("severity", "hours", "within"), [(C, 12, 30 * MINUTE), (H, 12, HOUR), (M, 48, 4 * HOUR)], ids=str
)
def test_the_time_for_an_answer_goes_by_the_severity(desk: Desk, severity, hours, within) -> None:  # E8
    case = asked_case(desk, severity, hours)
    row = question_of(case)
    assert row.answer_by - row.asked_at == within
    assert not overdue_questions(row.answer_by - MINUTE).exists()
    assert list(overdue_questions(row.answer_by)) == [row]
    answer_question(case.pk, desk.technician, row.answer_by, answer=LINE)
    assert not overdue_questions(row.answer_by + HOUR).exists()


# --- an owner off duty (E8) -------------------------------------------------------------------------------------


def off_duty(user: User) -> None:
    Technician.objects.filter(user=user).update(on_duty=False)


def test_an_owner_off_duty_is_stood_in_for_by_the_covering_centre_and_copied(desk: Desk) -> None:  # E8
    case = desk.open_case(severity=H)
    off_duty(desk.technician)
    off_duty(desk.l3)
    asleep = build_centre("Auckland", "NZ", "Pacific/Auckland")
    asleep.spans.all().delete()
    build_technician(asleep, name="asleep")
    covering = build_technician(desk.centre, name="covering")
    outbox = Outbox()
    sweep(12)
    assert asked_of(case) == (covering, desk.technician)
    assert outbox.new() == {("escalation", name): 1 for name in ("csm", "am", "covering", "tech")}
    by_name = {mail.to_address.removesuffix("@example.com"): mail.facts for mail in outbox.rows()}
    assert [name for name, said in by_name.items() if said["asked"]] == ["covering"]
    assert "as tech, who owns it, is off duty" in by_name["covering"]["why"]
    assert "covering is asked for the status of the case, as you are off duty" in by_name["tech"]["why"]
    assert Case.objects.get(pk=case.pk).owner == desk.technician


def test_the_stand_in_answers_and_the_audience_hears_it(desk: Desk) -> None:  # E8
    case = desk.open_case(severity=H)
    off_duty(desk.technician)
    sweep(12)
    assert asked_of(case) == (desk.l3, desk.technician)
    outbox = Outbox()
    answer_question(case.pk, desk.l3, NOON + 12.2 * HOUR, answer=LINE)
    assert outbox.new() == answers_to("csm")


def test_with_nobody_on_duty_the_owner_is_asked_all_the_same(desk: Desk) -> None:  # E8
    case = desk.open_case(severity=H)
    off_duty(desk.technician)
    off_duty(desk.l3)
    sweep(12)
    assert asked_of(case) == (desk.technician, None)


def test_a_new_owner_off_duty_is_stood_in_for_as_well(desk: Desk) -> None:  # E8
    case = asked_case(desk)
    covering = build_technician(desk.centre, name="covering")
    off_duty(desk.l3)
    off_duty(desk.technician)
    handing_on.hand_over(case.pk, desk.manager, NOON + 12.2 * HOUR, owner=desk.l3, reason="Knows boards")
    outbox = Outbox()
    sweep(12.3)
    assert asked_of(case) == (covering, desk.l3)
    assert outbox.new() == {("question_inherited", "covering"): 1}
    assert "belongs to l3 now" in outbox.rows()[0].facts["why"]


def test_a_case_without_an_owner_asks_nobody_and_anybody_may_answer(desk: Desk) -> None:  # E8, D5
    case = desk.open_case(severity=H)
    Case.objects.filter(pk=case.pk).update(owner=None)
    sweep(12)
    assert asked_of(case) == (None, None)
    outbox = Outbox()
    answer_question(case.pk, desk.technician, NOON + 13 * HOUR, answer=LINE)
    assert outbox.new() == answers_to("csm")


# --- two at once (E8, S4) ---------------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_several_who_answer_at_the_same_moment_one_is_heard(desk: Desk) -> None:
    case = asked_case(desk)
    people = [desk.technician, desk.l3, desk.manager, build_technician(desk.centre, name="other")]
    outbox, together = Outbox(), Barrier(len(people))

    def press(person: User) -> str:
        try:
            together.wait()
            answer_question(case.pk, person, NOON + 13 * HOUR, answer=f"{person} says so")
            return "answered"
        except Refused as refused:
            return refused.sentence
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        heard = list(pool.map(press, people))
    row = question_of(case)
    assert heard.count("answered") == 1
    assert sum("has answered High 1 already" in sentence for sentence in heard) == len(people) - 1
    assert row.answer == f"{row.answered_by} says so"
    assert outbox.new() == answers_to("csm")
    assert Interaction.objects.filter(channel=Channel.NOTE).count() == 1
