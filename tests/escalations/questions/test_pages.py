"""Questions for the status on the pages: the answer in a line, a status update, the dashboard, the list (E8, T2)."""

from __future__ import annotations

import html
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from cases.enums import Channel, Resolution, Severity, WaitReason, WorkKind
from cases.models import Case, Interaction, Mail
from cases.my_desk.state import desk_of
from cases.workflow import transitions
from contacts.models import Technician, User
from escalations.enums import Origin
from escalations.models import EscalationRequest, Question
from escalations.points.apply import escalate
from escalations.questions.apply import answer_question
from escalations.requests.apply import request_escalation
from tests.support.browser import open_form, open_row, picture
from tests.support.builders import NOON, Desk, build_desk, build_technician, build_user
from tests.support.pages import form_of, panel_of, signed_in

pytestmark = pytest.mark.django_db

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LINE = "The vendor sends a new board tomorrow."
LIST = "/admin/escalations/question/"
ASKS = "High 1 asks: where does it stand?"


@pytest.fixture(autouse=True)
def clock(request: pytest.FixtureRequest):
    if request.node.get_closest_marker("browser"):
        yield None  # a browser and its session live in real time
        return
    with time_machine.travel(NOON + 12.5 * HOUR, tick=False) as travelling:
        yield travelling


@pytest.fixture
def case(desk: Desk) -> Case:
    """A High case past its first point: its owner is asked, half an hour ago."""
    return asked(desk)


def asked(desk: Desk, hours: float = 12, **fields: Any) -> Case:
    case = desk.open_case(**{"severity": Severity.HIGH, **fields})
    escalate(NOON + hours * HOUR)
    return Case.objects.get(pk=case.pk)


def said(response: Any) -> str:
    """What a page says, as a reader reads it."""
    return html.unescape(response.content.decode())


def words(response: Any) -> str:
    """The same without markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", said(response)))


def do(case: Case, name: str) -> str:
    return reverse("admin:cases_case_do", args=[case.pk, name])


def typed(case: Case, **more: str) -> dict[str, str]:
    """What the form in the panel sends."""
    return {"seen": Case.objects.get(pk=case.pk).changed_at.isoformat(), "answer": LINE, "for_customer": "", **more}


def ticks(case: Case, *members: str, **more: str) -> dict[str, str]:
    """What the dialog of a status update sends."""
    seen = Case.objects.get(pk=case.pk).changed_at.isoformat()
    return {"seen": seen, "text": "We test it tonight.", **dict.fromkeys(members, "on"), **more}


def counts() -> tuple[int, int, int]:
    return Mail.objects.count(), Interaction.objects.count(), Question.objects.filter(ended_at=None).count()


# --- the panel --------------------------------------------------------------------------------------------------


def test_the_open_question_stands_first_with_who_is_asked_and_until_when(desk: Desk, case: Case) -> None:  # E8
    shown = said(signed_in(desk.technician).get(case.get_absolute_url()))
    panels = re.findall(r"<summary><h3>([^<]+)</h3>", shown)
    assert panels[0] == ASKS
    panel = words(signed_in(desk.technician).get(case.get_absolute_url()))
    assert "of you ." in panel
    assert "Without an answer by Thu 4 Jun, 01:00 (in 30 min) the Support Manager is told." in panel
    assert f'action="{do(case, "answer_question")}"' in shown


def test_whom_somebody_stands_in_for_is_said(desk: Desk) -> None:  # E8
    Technician.objects.filter(user=desk.technician).update(on_duty=False)
    case = desk.open_case(severity=Severity.HIGH)
    Case.objects.filter(pk=case.pk).update(owner=desk.technician)
    escalate(NOON + 12 * HOUR)
    assert "of l3 , for tech." in words(signed_in(desk.manager).get(case.get_absolute_url()))


@pytest.mark.parametrize("when", ["overdue", "told"])
def test_an_overdue_question_says_so(desk: Desk, case: Case, clock: Any, when: str) -> None:  # E8
    clock.move_to(NOON + 14 * HOUR)
    if when == "told":
        Question.objects.update(manager_told_at=NOON + 13 * HOUR)
    shown = words(signed_in(desk.technician).get(case.get_absolute_url()))
    assert ("the Support Manager is being told" if when == "overdue" else "the Support Manager was told") in shown


def test_who_may_not_answer_reads_the_question_without_a_form(desk: Desk, case: Case) -> None:  # A1
    for user in (desk.account_manager, desk.customer_engineer, desk.csm, desk.coo):
        shown = said(signed_in(user).get(case.get_absolute_url()))
        assert ASKS in shown
        assert do(case, "answer_question") not in shown
        assert do(case, "give_update") not in shown
    for user in (desk.technician, desk.l3, desk.manager):
        client = signed_in(user)
        assert do(case, "answer_question") in said(client.get(case.get_absolute_url()))
        assert do(case, "give_update") in form_of(client, case, "give_update")


def test_the_last_three_questions_stay_with_their_answers(desk: Desk, case: Case) -> None:
    answer_question(case.pk, desk.technician, NOON + 12.5 * HOUR, answer=LINE, for_customer="A part comes.")
    for number in range(1, 4):
        Question.objects.create(
            case=case,
            point=f"Later {number}",
            severity="high",
            asked=desk.technician,
            asked_at=NOON + 13 * HOUR + number * MINUTE,
            answer_by=NOON + 14 * HOUR,
            ended_at=NOON + 14 * HOUR,
            end="superseded" if number < 3 else "answered",
            answer="<b>Bold</b>" if number == 3 else "",
            answered_by=desk.l3,
        )
    client = signed_in(desk.account_manager)
    assert "Where it stood when the owner was asked" in said(client.get(case.get_absolute_url()))
    panel = panel_of(client, case, "question")
    assert [name for name in ("High 1", "Later 1", "Later 2", "Later 3") if name in panel] == [
        "Later 1",
        "Later 2",
        "Later 3",
    ]
    assert "&lt;b&gt;Bold&lt;/b&gt;" in panel
    assert "a newer question took its place" in panel


def test_a_case_that_was_never_asked_about_has_no_such_panel(desk: Desk) -> None:
    case = desk.open_case()
    assert 'id="question"' not in said(signed_in(desk.technician).get(case.get_absolute_url()))


def test_a_resolved_case_asks_nothing_more(desk: Desk, case: Case) -> None:  # E8
    transitions.resolve(case.pk, desk.technician, NOON + 12.5 * HOUR, resolution=Resolution.NOT_PURSUED)
    for _ in range(2):  # before the sweep looks, and after
        shown = said(signed_in(desk.technician).get(case.get_absolute_url()))
        assert ASKS not in shown
        assert do(case, "answer_question") not in shown
        assert do(case, "give_update") not in shown
        assert on_desk(desk.technician) == []
        escalate(NOON + 12.5 * HOUR)


# --- the answer -------------------------------------------------------------------------------------------------


def test_a_line_in_the_panel_answers_and_the_timeline_says_whom_it_told(desk: Desk, case: Case) -> None:  # E8, C3
    client = signed_in(desk.technician)
    response = client.post(do(case, "answer_question"), typed(case, for_customer="A part comes."), follow=True)
    assert "Your answer is logged and goes to the staff" in said(response)
    question = Question.objects.get()
    assert (question.answer, question.for_customer, question.answered_by) == (LINE, "A part comes.", desk.technician)
    assert "Told: customer service manager" in said(response)
    assert LINE in said(response)


@pytest.mark.parametrize(
    ("marked", "kept"),
    [
        ({}, ""),
        ({"same_for_customer": "on"}, LINE),
        ({"for_customer": "A part comes."}, "A part comes."),
        ({"for_customer": "A part comes.", "same_for_customer": "on"}, "A part comes."),
    ],
)
def test_the_customer_gets_only_what_is_marked(desk: Desk, case: Case, marked: dict[str, str], kept: str) -> None:
    # E8
    signed_in(desk.technician).post(do(case, "answer_question"), typed(case, **marked))
    assert Question.objects.get().for_customer == kept


def test_an_empty_line_gets_a_sentence_and_the_words_for_the_customer_are_kept(desk: Desk, case: Case) -> None:  # S4
    before = counts()
    response = signed_in(desk.technician).post(
        do(case, "answer_question"), typed(case, answer=" ", for_customer="Kept words")
    )
    assert response.status_code == 422
    assert "Say in a line where the case stands." in said(response)
    assert "Kept words" in said(response)
    assert counts() == before


def test_a_line_that_is_too_long_is_refused_and_kept(desk: Desk, case: Case) -> None:  # S4
    response = signed_in(desk.technician).post(do(case, "answer_question"), typed(case, answer="long " * 101))
    assert response.status_code == 422
    assert "at most 500 characters" in said(response)
    assert "long long" in said(response)


def test_a_second_click_does_nothing_twice(desk: Desk, case: Case) -> None:  # S4
    client, sent = signed_in(desk.technician), typed(case)
    assert client.post(do(case, "answer_question"), sent).status_code == 302
    before = counts()
    second = client.post(do(case, "answer_question"), sent)
    assert second.status_code == 409
    assert "You have answered High 1 already" in said(second)
    assert counts() == before


def test_in_another_tab_somebody_was_faster_and_what_was_typed_is_kept(desk: Desk, case: Case) -> None:  # S4
    signed_in(desk.l3).post(do(case, "answer_question"), typed(case, answer="Theirs"))
    before = counts()
    response = signed_in(desk.technician).post(do(case, "answer_question"), typed(case, answer="Kept words"))
    assert response.status_code == 409
    assert "l3 has answered High 1 already" in said(response)
    assert "Theirs" in said(response)
    assert "Kept words" in said(response)
    assert counts() == before


def test_an_answer_to_a_question_that_a_newer_one_replaced_is_put_once_more(desk: Desk, case: Case, clock) -> None:
    # E8, S4
    client, sent = signed_in(desk.technician), typed(case, answer="Kept words")
    clock.move_to(NOON + 48.5 * HOUR)
    client.force_login(desk.technician)  # the session of the first day has ended
    escalate(NOON + 48 * HOUR)
    first = client.post(do(case, "answer_question"), sent)
    assert first.status_code == 409
    assert "High 3 has asked anew" in said(first)
    assert "Kept words" in said(first)
    assert Question.objects.filter(end="answered").count() == 0
    fresh = re.search(r'name="seen" value="([^"]+)"', said(first))
    assert fresh
    assert client.post(do(case, "answer_question"), {**sent, "seen": fresh[1]}).status_code == 302
    assert Question.objects.get(end="answered").point == "High 3"


def test_an_edit_of_the_case_meanwhile_does_not_stand_in_the_way(desk: Desk, case: Case) -> None:
    sent = typed(case)
    transitions.edit_details(case.pk, desk.l3, NOON + 12.5 * HOUR, changes={"title": "Nobody can scan"})
    assert signed_in(desk.technician).post(do(case, "answer_question"), sent).status_code == 302


@pytest.mark.parametrize("seen", ["", "yesterday", "2026-06-03T12:00:00", "9" * 40])
def test_an_odd_stamp_is_no_500(desk: Desk, case: Case, seen: str) -> None:  # S4
    response = signed_in(desk.technician).post(do(case, "answer_question"), typed(case, seen=seen))
    assert response.status_code == 302
    assert Question.objects.get().answer == LINE


@pytest.mark.parametrize("name", ["answer_question", "give_update"])
def test_rights_are_checked_where_the_post_arrives(desk: Desk, case: Case, name: str) -> None:  # A1, A2
    foreign = asked(desk, company=desk.other_company)
    before = counts()
    sent = {**typed(case), **ticks(case, "csm")}
    expected = {
        desk.account_manager: (403, 404),
        desk.customer_engineer: (403, 404),
        desk.other_account_manager: (404, 403),
        desk.csm: (403, 403),
        desk.director: (403, 403),
        desk.coo: (403, 403),
        build_user(name="nobody"): (404, 404),
    }
    for user, answers in expected.items():
        client = signed_in(user)
        got = tuple(client.post(do(one, name), sent).status_code for one in (case, foreign))
        assert got == answers, user
    assert signed_in(desk.technician).get(do(case, name)).url == case.get_absolute_url()
    assert Client(enforce_csrf_checks=True).post(do(case, name), sent).status_code in (302, 403)
    assert Client().post(do(case, name), sent).status_code == 302  # to sign in
    assert counts() == before


def test_without_the_token_of_the_form_nothing_is_taken(desk: Desk, case: Case) -> None:  # A2
    client = Client(enforce_csrf_checks=True)
    client.force_login(desk.technician)
    assert client.post(do(case, "answer_question"), typed(case)).status_code == 403
    assert Question.objects.get().is_open


# --- a status update --------------------------------------------------------------------------------------------


def update_form(client: Client, case: Case) -> str:
    return html.unescape(form_of(client, case, "give_update"))


def ticked(client: Client, case: Case) -> set[str]:
    return checked(update_form(client, case))


def checked(markup: str) -> set[str]:
    """The names of the boxes that are ticked."""
    boxes = re.findall(r"<input type=\"checkbox\"[^>]*>", markup)
    return {re.search(r'name="(\w+)"', box)[1] for box in boxes if re.search(r"\schecked[\s>=]", box)}


def test_the_dialog_ticks_the_audience_in_force(desk: Desk, case: Case, clock: Any) -> None:  # T2, E4
    client = signed_in(desk.technician)
    shown = update_form(client, case)
    assert checked(shown) == {"customer", "csm", "answers_question"}
    assert "Account manager: am" in shown
    assert shown.count("Not in the audience of this case now.") == 3
    clock.move_to(NOON + 49 * HOUR)
    client.force_login(desk.technician)  # the session of the first day has ended
    escalate(NOON + 48 * HOUR)
    assert ticked(client, case) == {"customer", "csm", "account_manager", "cs_director", "answers_question"}


def test_a_fresh_case_ticks_the_customer_alone_and_asks_for_no_answer(desk: Desk) -> None:  # T2
    case = desk.open_case()
    shown = update_form(signed_in(desk.technician), case)
    assert checked(shown) == {"customer"}
    assert 'name="answers_question"' not in shown


def test_a_waiting_case_and_a_customer_without_an_address_are_not_ticked(desk: Desk, case: Case) -> None:
    transitions.ask_customer(
        case.pk,
        desk.technician,
        NOON + 12.5 * HOUR,
        question="?",
        reason=WaitReason.INFORMATION,
        send=False,
        channel=Channel.PHONE,
    )
    client = signed_in(desk.technician)
    assert ticked(client, case) == {"csm", "answers_question"}
    assert "Not while the case waits for them." in update_form(client, case)
    desk.company.contacts.update(email="")
    assert "Has no email address." in update_form(client, case)


def test_an_update_goes_to_whom_one_ticked_and_answers_the_question(desk: Desk, case: Case) -> None:  # T2, E8
    seen = set(Mail.objects.values_list("pk", flat=True))
    response = signed_in(desk.technician).post(
        do(case, "give_update"), ticks(case, "customer", "csm", "coo", "answers_question"), follow=True
    )
    assert f"The update on {case.number} is on its way." in said(response)
    sent = Mail.objects.exclude(pk__in=seen).values_list("template", "to_address")
    assert sorted(sent) == [
        ("status_by_person", "desk@acme.example.com"),
        ("status_by_person_to_staff", "coo@example.com"),
        ("status_by_person_to_staff", "csm@example.com"),
    ]
    assert Question.objects.get().answer == "We test it tonight."
    assert "Told: customer service manager, chief operating officer" in said(response)


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ((), "Choose at least one reader"),
        (("customer", "answers_question"), "tick the customer service manager as well"),
    ],
)
def test_a_refused_update_keeps_the_words_and_the_ticks(desk: Desk, case: Case, members, sentence) -> None:  # S4
    before = counts()
    response = signed_in(desk.technician).post(do(case, "give_update"), ticks(case, *members))
    assert response.status_code in (409, 422)
    assert sentence in said(response)
    assert "We test it tonight." in said(response)
    assert checked(said(response)) == set(members)
    assert counts() == before


def test_pressing_twice_sends_it_once(desk: Desk, case: Case) -> None:  # S4
    client, sent = signed_in(desk.technician), ticks(case, "customer", "csm")
    assert client.post(do(case, "give_update"), sent).status_code == 302
    before = counts()
    second = client.post(do(case, "give_update"), sent)
    assert second.status_code == 409
    assert "nothing was sent twice" in said(second)
    assert counts() == before


def test_a_question_that_was_answered_meanwhile_does_not_stand_in_the_way_of_an_update(desk: Desk, case) -> None:
    sent = ticks(case, "customer", "answers_question")
    answer_question(case.pk, desk.l3, NOON + 12.5 * HOUR, answer="Theirs")
    assert signed_in(desk.technician).post(do(case, "give_update"), sent).status_code == 302
    assert Question.objects.get().answer == "Theirs"


# --- the dashboard ----------------------------------------------------------------------------------------------


def on_desk(user: User) -> list[tuple[str, str, str]]:
    """What stands on somebody's desk about questions: heading, title, act."""
    desk = desk_of(user, timezone.now(), UTC)
    return [
        (group.group.label, row.case.title, row.act)
        for group in desk.groups
        for row in group.rows
        if row.item is not None and row.item.kind == WorkKind.QUESTION
    ]


UNANSWERED = "Nobody has answered yet"


def test_a_technician_sees_what_is_asked_of_them_soonest_first(desk: Desk, clock: Any) -> None:  # E8, W1
    older = asked(desk, title="The older one")
    desk.open_case(NOON + HOUR / 2, severity=Severity.HIGH, title="The newer one")
    escalate(NOON + 12.5 * HOUR)
    Question.objects.update(asked=desk.technician)
    Case.objects.update(owner=desk.technician)
    called = {
        "channel": "phone",
        "direction": "out",
        "at": NOON + 12.5 * HOUR,
        "by": desk.technician,
        "body": "Called.",
    }
    for row in Case.objects.all():  # so that no update is due before the answer
        Interaction.objects.create(case=row, told=["customer", "csm"], **called)
    clock.move_to(NOON + 13.1 * HOUR)
    expected = [("Now", "The older one", "Answer High 1"), ("Now", "The newer one", "Answer High 1")]
    assert on_desk(desk.technician) == expected
    shown = said(signed_in(desk.technician).get("/admin/"))
    assert f"{older.get_absolute_url()}?do=answer_question#do" in shown
    assert "6 min ago" in shown
    assert "in 24 min" in shown
    for user in (desk.l3, desk.account_manager):
        assert on_desk(user) == []


def test_whoever_watches_sees_every_overdue_question_and_nobody_else_does(desk: Desk, case: Case, clock) -> None:  # E8
    assert on_desk(desk.manager) == []
    clock.move_to(NOON + 13 * HOUR)
    assert on_desk(desk.manager) == [(UNANSWERED, case.title, "Answer High 1")]
    assert UNANSWERED in said(signed_in(desk.manager).get("/admin/"))
    for user in (desk.technician, desk.account_manager):
        assert UNANSWERED not in said(signed_in(user).get("/admin/"))
    answer_question(case.pk, desk.l3, NOON + 13 * HOUR, answer=LINE)
    for user in (desk.manager, desk.technician):
        assert on_desk(user) == []


# --- the list ---------------------------------------------------------------------------------------------------


def test_the_list_tells_every_question_and_filters_by_how_it_stands(desk: Desk, case: Case, clock: Any) -> None:
    overdue, resolved = asked(desk, title="Overdue one"), asked(desk, title="Resolved one")
    Question.objects.filter(case=overdue).update(answer_by=NOON + 12.1 * HOUR)
    answer_question(case.pk, desk.technician, NOON + 12.5 * HOUR, answer=LINE)
    transitions.resolve(resolved.pk, desk.technician, NOON + 12.5 * HOUR, resolution=Resolution.NOT_PURSUED)
    still = asked(desk, title="Open one")
    client = signed_in(desk.manager)
    numbers = {one: one.number for one in (case, overdue, still, resolved)}

    def listed(query: str) -> set[Case]:
        shown = said(client.get(LIST + query))
        return {one for one, number in numbers.items() if number in shown}

    assert listed("") == {case, overdue, still, resolved}
    assert listed("?state=open") == {overdue, still}
    assert listed("?state=overdue") == {overdue}
    assert listed("?state=mine") == set()
    Question.objects.filter(case=still).update(asked=desk.manager)
    assert listed("?state=mine") == {still}
    assert listed("?state=answered") == {case}
    assert listed("?state=resolved") == {resolved}
    assert listed("?state=nonsense") == {case, overdue, still, resolved}
    assert listed(f"?q={still.number}") == {still}
    assert listed("?q=overdue") == {overdue}
    assert LINE in said(client.get(LIST))


def test_the_list_is_scoped_and_can_only_be_read(desk: Desk, case: Case) -> None:  # A1
    foreign = asked(desk, company=desk.other_company)
    ours, theirs = (Question.objects.get(case=one) for one in (case, foreign))
    for user in (desk.account_manager, desk.customer_engineer):
        client = signed_in(user)
        shown = said(client.get(LIST))
        assert case.number in shown
        assert foreign.number not in shown
        assert client.get(f"{LIST}{ours.pk}/change/").status_code == 200
        assert client.get(f"{LIST}{theirs.pk}/change/").status_code == 404
    for user in (desk.technician, desk.manager, desk.csm):
        client = signed_in(user)
        assert foreign.number in said(client.get(LIST))
        assert client.get(f"{LIST}add/").status_code == 403
        assert client.post(f"{LIST}{ours.pk}/change/", {"answer": "Forged"}).status_code == 403
        assert client.post(f"{LIST}{ours.pk}/delete/").status_code == 403
    assert signed_in(build_user(name="nobody")).get(LIST).status_code == 403
    ours.refresh_from_db()
    assert ours.answer == ""


def test_the_lists_of_an_account_manager_are_counted_without_the_cases_of_all(desk: Desk, case: Case) -> None:  # A1
    for model in (Question, EscalationRequest):
        rows = model.objects.visible_to(desk.account_manager)
        assert "cases_case" not in str(rows.order_by().values("pk").query)
    request_escalation(case.pk, desk.technician, NOON, origin=Origin.STAFF, asked_by="Ann", impact="All", reason="Now")
    for model in (Question, EscalationRequest):
        assert {(row.case_id, row.company_id) for row in model.objects.all()} == {(case.pk, case.company_id)}
        assert model.objects.visible_to(desk.account_manager).count() == 1
        assert not model.objects.visible_to(desk.other_account_manager).exists()


def test_list_page_and_dashboard_ask_the_database_no_more_with_many_questions(desk: Desk, case: Case) -> None:
    def asked_for(address: str) -> int:
        client = signed_in(desk.technician)
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    addresses = (LIST, "/admin/", case.get_absolute_url())
    few = [asked_for(address) for address in addresses]
    for number in range(20):
        asked(desk, title=f"Case {number}")
    Question.objects.update(asked=desk.technician)
    for number in range(10):
        Question.objects.create(
            case=case,
            point=f"Earlier {number}",
            severity="high",
            asked=build_technician(desk.centre),
            asked_at=NOON + number * MINUTE,
            answer_by=NOON + HOUR,
            ended_at=NOON + HOUR,
            end="superseded",
        )
    assert [asked_for(address) for address in addresses] == few


# --- in a browser -----------------------------------------------------------------------------------------------


def screen(browser: Browser, live_server: Any, user: User, **options: Any) -> Page:
    """A window in which somebody is signed in."""
    client = signed_in(user)
    options = {"viewport": {"width": 1440, "height": 1000}, **options}
    context = browser.new_context(base_url=live_server.url, **options)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.set_default_timeout(15_000)
    return page


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_owner_answers_in_one_line_and_sends_an_update(live_server: Any, browser: Browser) -> None:
    # E8, T2
    desk, now = build_desk(), datetime.now(UTC)
    case = desk.open_case(now - 12.5 * HOUR, severity=Severity.HIGH)
    second = desk.open_case(now - 13.5 * HOUR, severity=Severity.HIGH, title="Nobody can scan")
    escalate(now - HOUR / 2)
    page = screen(browser, live_server, desk.technician)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))

    page.goto("/admin/")
    picture(page, "asked-dashboard")
    page.get_by_role("link", name=case.title).first.click()
    expect(open_row(page, "question").get_by_text("of you")).to_be_visible()
    picture(page, "asked-case")
    line = open_form(page, "answer_question").get_by_label("Your answer, in a line")
    line.fill(LINE)
    line.press("Enter")
    expect(page.get_by_text("Your answer is logged and goes to the staff").first).to_be_visible()
    expect(page.locator(".desk-timeline").get_by_text(LINE).first).to_be_visible()
    picture(page, "answered-case")

    page.goto(second.get_absolute_url())
    opened = open_form(page, "give_update")
    expect(opened.get_by_label("Customer: Help desk of Acme")).to_be_checked()
    expect(opened.get_by_label("Customer service manager: csm")).to_be_checked()
    expect(opened.get_by_label("COO: coo")).not_to_be_checked()
    opened.get_by_label("How it stands").fill("We test it tonight.")
    picture(page, "update-dialog")
    opened.get_by_role("button", name="Send a status update").dblclick()
    expect(page.get_by_text(f"The update on {second.number} is on its way.").first).to_be_visible()

    for width, scheme in ((1440, "dark"), (420, "light"), (420, "dark")):
        third = desk.open_case(now - 12.6 * HOUR, severity=Severity.HIGH, title=f"Look {width} {scheme}")
        escalate(now - HOUR / 2)
        narrow = screen(
            browser,
            live_server,
            desk.technician,
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
        )
        narrow.goto(third.get_absolute_url())
        expect(open_row(narrow, "question")).to_be_visible()
        assert narrow.evaluate("document.documentElement.scrollWidth") <= width
        picture(narrow, f"asked-case-{width}-{scheme}")
        open_form(narrow, "give_update")
        if os.environ.get("DESK_SCREENSHOTS"):
            narrow.screenshot(path=Path(os.environ["DESK_SCREENSHOTS"]) / f"update-dialog-{width}-{scheme}.png")
        narrow.goto("/admin/")
        picture(narrow, f"asked-dashboard-{width}-{scheme}")
        narrow.goto(LIST)
        assert narrow.evaluate("document.documentElement.scrollWidth") <= width
        picture(narrow, f"question-list-{width}-{scheme}")
        narrow.context.close()
    manager = screen(browser, live_server, desk.manager)
    manager.goto(LIST)
    picture(manager, "question-list")
    manager.goto(f"{LIST}{Question.objects.filter(case=case).get().pk}/change/")
    picture(manager, "question-page")
    manager.context.close()
    assert errors == []
    assert set(Question.objects.filter(case__in=(case, second)).values_list("end", flat=True)) == {"answered"}
    assert Interaction.objects.filter(case=case, channel=Channel.NOTE).get().body == LINE
    assert Mail.objects.filter(template="status_by_person").count() == 1
