"""Requested escalations on the pages: a case's panel and buttons, the list, the dashboard, in Chromium (E9, E1)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from cases.enums import AgreedBy, Resolution, Severity, WaitReason
from cases.models import Case, Mail
from cases.my_desk.state import desk_of
from cases.workflow import transitions
from contacts.models import User
from escalations.enums import Origin
from escalations.models import Escalation, EscalationRequest
from escalations.points.apply import escalate
from escalations.requests import apply as requests
from tests.support.browser import open_form
from tests.support.builders import NOON, Desk, build_user
from tests.support.pages import form_of, panel_of, signed_in

HOUR = timedelta(hours=1)
LATER = NOON + 2 * HOUR
WORDS = {"asked_by": "Ada <b>Acme</b>", "impact": "The shop is closed.", "reason": "They lose a day's sales."}
TYPED = {"origin": "customer", "asked_by": "Ada", "impact": "The shop is closed.", "reason": "A day's sales."}
LIST = "admin:escalations_escalationrequest_changelist"
BUTTONS = ("Request escalation", "Accept the request", "Decline the request", "Withdraw the request")


@pytest.fixture(autouse=True)
def _afternoon(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.node.get_closest_marker("browser"):
        yield
        return
    with time_machine.travel(LATER, tick=False):
        yield


pytestmark = pytest.mark.django_db


def wanted(desk: Desk, case: Case, by: User | None = None) -> EscalationRequest:
    by = by or desk.account_manager
    return requests.request_escalation(case.pk, by, NOON + HOUR, origin=Origin.CUSTOMER, **WORDS)


def shown(user: User, case: Case) -> str:
    """The page of the case with the panel of requests."""
    client = signed_in(user)
    answer = client.get(case.get_absolute_url())
    assert answer.status_code == 200
    return answer.content.decode() + panel_of(client, case, "requests")


def do(user: User, case: Case, name: str, **typed: object):
    return signed_in(user).post(reverse("admin:cases_case_do", args=[case.pk, name]), typed)


def buttons(html: str) -> set[str]:
    """The links of the page that open a form of ours."""
    found = re.findall(r'data-desk-form="[^"]*"[^>]*><span[^>]*>[^<]*</span>([^<]*)</a>', unescape(html))
    found = [words.replace("’", "'") for words in found]
    return set(found) & {*BUTTONS, "Escalate further", "Leave it to the schedule", "End management's attention"}


# --- the page of the case ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "before", "after"),
    [
        ("account_manager", {"Request escalation"}, {"Withdraw the request"}),
        ("technician", {"Request escalation"}, set()),
        ("manager", {"Request escalation"}, {"Accept the request", "Decline the request", "Withdraw the request"}),
        ("csm", set(), set()),
        ("customer_engineer", set(), set()),
        ("coo", set(), set()),
    ],
)
def test_each_person_is_offered_what_they_may_do(desk: Desk, who: str, before: set[str], after: set[str]) -> None:  # A1
    case, person = desk.open_case(), getattr(desk, who)
    assert buttons(shown(person, case)) == before
    request = wanted(desk, case)
    html = shown(person, case)
    assert buttons(html) == after
    for words in ("Ada &lt;b&gt;Acme&lt;/b&gt;", "The shop is closed.", "They lose a day&#x27;s sales."):
        assert words in html
    assert "brings Medium 1 forward" in html
    assert "emails am" in html
    assert "tech is asked for the status" in html
    requests.pass_on([request], NOON + 5 * HOUR)
    assert buttons(shown(desk.csm, case)) == {"Accept the request", "Decline the request"}


def test_a_case_that_nobody_asked_about_shows_no_panel(desk: Desk) -> None:
    assert "Requested escalation" not in shown(desk.manager, desk.open_case())


@pytest.mark.parametrize("how", ["waiting", "resolved"])
def test_at_rest_nothing_is_offered_and_the_endpoint_says_why_and_keeps_what_was_typed(desk: Desk, how: str) -> None:
    # E9, S4
    case = desk.open_case()
    if how == "waiting":
        transitions.ask_customer(
            case.pk, desk.technician, NOON, question="Which version?", reason=WaitReason.INFORMATION
        )
    else:
        transitions.resolve(
            case.pk,
            desk.technician,
            NOON,
            resolution=Resolution.CONFIRMED,
            agreed_by=AgreedBy.PHONE,
            solution="New driver",
        )
    assert buttons(shown(desk.account_manager, case)) == set()
    answer = do(desk.account_manager, case, "request_escalation", **TYPED)
    html = answer.content.decode()
    assert answer.status_code == 409
    said = "waits for the customer since" if how == "waiting" else "is resolved since Wed 3 Jun"
    assert f"{case.number} {said}" in html
    assert "The shop is closed." in html
    assert not EscalationRequest.objects.exists()


def test_what_is_missing_is_said_at_its_field(desk: Desk) -> None:  # S4
    case = desk.open_case()
    answer = do(desk.account_manager, case, "request_escalation", **TYPED | {"impact": " "})
    assert answer.status_code == 422
    assert "Say what it means for the customer&#x27;s business." in answer.content.decode()
    assert "A day&#x27;s sales." in answer.content.decode()


def test_a_double_click_requests_once_and_another_person_hears_who_was_first(desk: Desk) -> None:
    case = desk.open_case()
    for _ in range(2):
        assert do(desk.account_manager, case, "request_escalation", **TYPED).status_code == 302
    assert EscalationRequest.objects.count() == 1
    answer = do(desk.technician, case, "request_escalation", **TYPED)
    assert answer.status_code == 409
    assert "am requested an escalation" in answer.content.decode()


def key_in(form: str) -> str:
    """The key of the point that a form sends back."""
    return re.search(r'name="point"(?: value="([^"]*)")?', form).group(1) or ""


def offered(user: User, case: Case, name: str) -> str:
    """The key of the point that the form of an action sends back."""
    return key_in(form_of(signed_in(user), case, name))


def test_the_page_sends_back_what_it_offered_and_accepting_does_it(desk: Desk) -> None:  # E9
    case = desk.open_case()
    request = wanted(desk, case)
    key = offered(desk.manager, case, "accept_request")
    assert key == "1:medium:1"
    answer = do(desk.manager, case, "accept_request", request=request.pk, point=key, why="")
    assert (answer.status_code, answer.url) == (302, case.get_absolute_url())
    row = Escalation.objects.get()
    assert (row.due_at, row.severity, row.number) == (LATER, "medium", 1)
    html = shown(desk.account_manager, case)
    assert re.search(r"accepted by support_manager.*Medium 1", html, re.S)
    again = do(desk.manager, case, "accept_request", request=request.pk, point=key, why="")
    assert again.status_code == 409
    assert "accepted by support_manager on Wed 3 Jun" in again.content.decode()


def test_a_stale_page_shows_what_accepting_would_do_now_and_pressing_again_does_that(desk: Desk) -> None:  # E9, S4
    case = desk.open_case()
    request = wanted(desk, case)
    key = offered(desk.manager, case, "accept_request")
    transitions.change_severity(case.pk, desk.technician, LATER, severity=Severity.HIGH, reason="Worse")
    answer = do(desk.manager, case, "accept_request", request=request.pk, point=key, why="They are right.")
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "brings High 1 forward" in html
    assert "They are right." in html
    assert "The shop is closed." in html
    assert not Escalation.objects.exists()
    key = key_in(html[html.index("/do/accept_request/") :])
    assert key == "1:high:1"
    again = do(desk.manager, case, "accept_request", request=request.pk, point=key, why="They are right.")
    assert again.status_code == 302
    assert Escalation.objects.get().severity == "high"


@pytest.mark.parametrize("request_id", ["", "x", "0", "99999999999999999999", "foreign"])
def test_a_request_of_another_case_or_none_is_refused(desk: Desk, request_id: str) -> None:
    case, other = desk.open_case(), desk.open_case()
    wanted(desk, case)
    sent = wanted(desk, other).pk if request_id == "foreign" else request_id
    for name in ("accept_request", "decline_request", "withdraw_request", "escalate_further", "leave_as_is"):
        answer = do(desk.manager, case, name, request=sent, point="1:medium:1", why="So.", reason="So.")
        assert answer.status_code == 422, name
        assert "look at the case as it is now" in answer.content.decode()
    assert set(EscalationRequest.objects.values_list("status", flat=True)) == {"requested"}


def test_a_request_is_not_decided_by_the_buttons_of_a_decision(desk: Desk) -> None:
    case = desk.open_case()
    request = wanted(desk, case)
    assert do(desk.manager, case, "leave_as_is", request=request.pk, why="So.").status_code == 422


def test_a_csm_before_their_time_is_told_whose_turn_it_is(desk: Desk) -> None:  # E9
    case = desk.open_case()
    answer = do(desk.csm, case, "accept_request", request=wanted(desk, case).pk, point="1:medium:1")
    assert answer.status_code == 403
    assert "the Support Manager decides first" in answer.content.decode()


def test_an_open_decision_and_a_request_stand_side_by_side(desk: Desk) -> None:  # E1, E9
    case = desk.open_case(NOON - 12 * HOUR, severity=Severity.CRITICAL)
    escalate(NOON)
    wanted(desk, case)
    html = shown(desk.manager, case)
    assert buttons(html) == {*BUTTONS[1:], "Escalate further", "Leave it to the schedule"}
    assert "Critical 2 says: additional escalation where appropriate." in html
    assert buttons(shown(desk.csm, case)) == set()
    decision = EscalationRequest.objects.get(origin=Origin.SCHEDULE)
    answer = do(desk.manager, case, "leave_as_is", request=decision.pk, why="")
    assert (answer.status_code, "Say why not" in answer.content.decode()) == (422, True)
    assert do(desk.manager, case, "leave_as_is", request=decision.pk, why="A part comes.").status_code == 302
    assert "A part comes." in shown(desk.manager, case)


def test_managements_attention_is_shown_and_ended_on_the_page(desk: Desk) -> None:
    case = desk.open_case(severity=Severity.LOW)
    requests.accept(wanted(desk, case).pk, desk.manager, LATER)
    assert "End management" not in shown(desk.account_manager, case)
    html = shown(desk.manager, case)
    assert "since" in html
    assert "granted by support_manager" in html
    assert do(desk.manager, case, "end_attention", reason="").status_code == 422
    assert do(desk.manager, case, "end_attention", reason="All is well.").status_code == 302
    assert EscalationRequest.objects.get().status == "closed"
    assert "granted by" not in shown(desk.manager, case)


def test_while_it_waits_the_panel_says_that_nothing_can_be_accepted(desk: Desk) -> None:
    case = desk.open_case()
    wanted(desk, case)
    transitions.ask_customer(case.pk, desk.technician, LATER, question="?", reason=WaitReason.INFORMATION)
    html = shown(desk.manager, case)
    assert "this cannot be accepted" in html
    assert buttons(html) == {"Decline the request", "Withdraw the request"}


def test_the_panel_asks_the_same_number_of_questions_however_long_its_story(desk: Desk) -> None:
    case, client = desk.open_case(), signed_in(desk.manager)

    def count() -> int:
        client.get(case.get_absolute_url())
        with CaptureQueriesContext(connection) as captured:
            client.get(case.get_absolute_url())
        return len(captured)

    wanted(desk, case)
    few = count()
    for _ in range(12):
        requests.decline(requests.undecided_request(case).pk, desk.manager, LATER, why="Not yet.")
        wanted(desk, case)
    assert count() == few
    assert "2 more are in the list of requests" in shown(desk.manager, case)


# --- the list and the page of a request -------------------------------------------------------------------------


def test_the_list_and_the_pages_show_own_companies_only(desk: Desk) -> None:  # A1
    request = wanted(desk, desk.open_case())
    page = reverse("admin:escalations_escalationrequest_change", args=[request.pk])
    history = reverse("admin:escalations_escalationrequest_history", args=[request.pk])
    version = request.history.get().history_id
    old = reverse("admin:escalations_escalationrequest_simple_history", args=[request.pk, version])
    for who in ("account_manager", "customer_engineer", "technician", "manager", "csm", "coo"):
        client = signed_in(getattr(desk, who))
        assert "Ada &lt;b&gt;Acme" in client.get(reverse(LIST)).content.decode(), who
        for address in (page, history, old):
            assert client.get(address).status_code == 200, (who, address)
    stranger = signed_in(desk.other_account_manager)
    for query in ("", "?q=Ada", f"?q={request.case.number}", "?status__exact=requested"):
        assert "Acme" not in stranger.get(reverse(LIST) + query).content.decode()
    for address in (page, history, old):
        assert stranger.get(address).status_code == 404
    assert signed_in(build_user("", "roleless")).get(reverse(LIST)).status_code == 403


def test_the_list_finds_a_case_by_number_and_a_person_by_name(desk: Desk) -> None:
    request = wanted(desk, desk.open_case())
    other = wanted(desk, desk.open_case(title="Other"))
    client = signed_in(desk.manager)
    html = client.get(reverse(LIST) + f"?q={request.case.number}").content.decode()
    assert request.case.number in html
    assert other.case.number not in html
    assert other.case.number in client.get(reverse(LIST) + "?q=Ada").content.decode()


@pytest.mark.parametrize("who", ["manager", "technician", "account_manager"])
def test_no_form_writes_a_request(desk: Desk, who: str) -> None:  # A1, C5
    request = wanted(desk, desk.open_case())
    client = signed_in(getattr(desk, who))
    page = reverse("admin:escalations_escalationrequest_change", args=[request.pk])
    assert client.post(page, {"status": "accepted", "reason": "Mine"}).status_code == 403
    assert client.get(reverse("admin:escalations_escalationrequest_add")).status_code == 403
    delete = reverse("admin:escalations_escalationrequest_delete", args=[request.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    old = reverse(
        "admin:escalations_escalationrequest_simple_history", args=[request.pk, request.history.get().history_id]
    )
    assert client.post(old, {}).status_code == 405
    assert EscalationRequest.objects.get().status == "requested"


def test_the_page_of_a_request_has_the_same_buttons_as_the_case(desk: Desk) -> None:
    request = wanted(desk, desk.open_case())
    page = reverse("admin:escalations_escalationrequest_change", args=[request.pk])
    assert buttons(signed_in(desk.manager).get(page).content.decode()) == set(BUTTONS[1:])
    assert buttons(signed_in(desk.technician).get(page).content.decode()) == set()
    requests.decline(request.pk, desk.manager, LATER, why="A part comes.")
    html = signed_in(desk.manager).get(page).content.decode()
    assert buttons(html) == set()
    assert "A part comes." in html


# --- the dashboard ----------------------------------------------------------------------------------------------


def card(user: User, title: str) -> str:
    html = signed_in(user).get(reverse("admin:index")).content.decode()
    found = re.search(rf">{title}</h2>(.*?)</section>", html, re.S)
    return found.group(1) if found else ""


def to_decide(user: User, now: datetime = NOON) -> list[str]:
    """The titles of the cases under “To decide” on somebody's desk."""
    rows = [row for group in desk_of(user, now, UTC).groups if group.group == "decide" for row in group.rows]
    return [row.case.title for row in rows]


def test_whoever_may_decide_sees_what_waits_for_them_the_soonest_limit_first(desk: Desk) -> None:
    left_open = desk.open_case(NOON - 12 * HOUR, severity=Severity.CRITICAL, title="Left open")  # decide in 30 min
    escalate(NOON)
    asked_for = desk.open_case(title="Asked for")  # decide in 4 h
    request = wanted(desk, asked_for)
    assert to_decide(desk.manager) == ["Left open", "Asked for"]
    assert to_decide(desk.csm) == []
    requests.pass_on([request], NOON + 5 * HOUR)
    assert to_decide(desk.csm) == ["Asked for"]
    for who in (desk.technician, desk.account_manager, desk.coo):
        assert to_decide(who) == []
    assert left_open.pk


def test_the_account_manager_sees_the_requests_of_the_own_companies_and_their_outcome(desk: Desk) -> None:  # A1, E9
    case, foreign = desk.open_case(title="Ours"), desk.open_case(title="Theirs", company=desk.other_company)
    request = wanted(desk, case, by=desk.technician)
    wanted(desk, foreign, by=desk.technician)
    assert "Ours" in card(desk.account_manager, "Requested escalations")
    assert "Theirs" not in card(desk.account_manager, "Requested escalations")
    requests.decline(request.pk, desk.manager, timezone.now(), why="A part comes.")
    assert "declined by support_manager" in card(desk.account_manager, "Requested escalations")
    assert card(desk.customer_engineer, "Requested escalations") == ""


# --- a real browser ---------------------------------------------------------------------------------------------


def window(browser: Browser, address: str, user: User, width: int = 1440, scheme: str = "light") -> Page:
    client = signed_in(user)
    context = browser.new_context(viewport={"width": width, "height": 1000}, base_url=address, color_scheme=scheme)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}])
    return context.new_page()


def pictures(browser: Browser, address: str, user: User, path: str, name: str, opens: str = "") -> None:
    """Nothing runs over, wide or narrow. Where DESK_SCREENSHOTS names a folder, the page as one sees it, also dark."""
    folder = os.environ.get("DESK_SCREENSHOTS")
    for scheme in ("light", "dark") if folder else ("light",):
        page = window(browser, address, user, 1440, scheme)
        for width in (1440, 420):
            page.set_viewport_size({"width": width, "height": 1000})
            page.goto(path)
            if opens:
                open_form(page, opens)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            if folder:
                page.screenshot(path=Path(folder) / f"{name}-{width}-{scheme}.png", full_page=not opens)
        page.context.close()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_account_manager_requests_the_manager_declines_and_everybody_hears_it(browser, live_server, desk) -> None:
    # E9
    now = timezone.now()
    case = desk.open_case(now - HOUR, title="Nobody can print")
    page = window(browser, live_server.url, desk.account_manager)
    page.goto(case.get_absolute_url())
    asking = open_form(page, "request_escalation")
    asking.get_by_label("Who asked").fill("Ada Acme, head of sales")
    asking.get_by_label("Business impact").fill("Forty orders a day are written by hand.")
    asking.get_by_label("Why before its time").fill("The quarter ends on Friday.")
    pictures(browser, live_server.url, desk.account_manager, case.get_absolute_url(), "asking", "request_escalation")
    asking.get_by_role("button", name="Request escalation").click()
    expect(page.get_by_text("the Support Manager is emailed").first).to_be_visible()
    expect(page.get_by_text("Forty orders a day are written by hand.").first).to_be_visible()
    told = Mail.objects.filter(template="escalation_request").values_list("to_address", flat=True)
    assert list(told) == [desk.manager.email]
    page.context.close()

    request = EscalationRequest.objects.get()
    own = reverse("admin:escalations_escalationrequest_change", args=[request.pk])
    pictures(browser, live_server.url, desk.manager, case.get_absolute_url(), "panel")
    pictures(browser, live_server.url, desk.manager, case.get_absolute_url(), "accepting", "accept_request")
    pictures(browser, live_server.url, desk.manager, case.get_absolute_url(), "declining", "decline_request")
    pictures(browser, live_server.url, desk.manager, own, "request")
    pictures(browser, live_server.url, desk.manager, reverse(LIST), "requests")
    pictures(browser, live_server.url, desk.manager, reverse("admin:index"), "dashboard")

    page = window(browser, live_server.url, desk.manager)
    page.goto(reverse("admin:index"))
    page.locator(".dash-card", has_text="To decide").get_by_role("link", name=f"{case.number} {case.title}").click()
    declining = open_form(page, "decline_request")
    expect(declining.get_by_text("The quarter ends on Friday.")).to_be_visible()
    declining.get_by_label("Why", exact=True).fill("They ask every week.")
    declining.get_by_label("Words for the customer").fill("The new part arrives tomorrow.")
    declining.get_by_role("button", name="Decline the request").click()
    expect(page.get_by_text("The request is declined").first).to_be_visible()
    page.context.close()

    request.refresh_from_db(fields=["decision", "decided_by"])
    assert (request.decision, request.decided_by) == ("They ask every week.", desk.manager)
    customer = Mail.objects.get(template="escalation_request_declined")
    assert (customer.to_address, customer.facts["words"]) == (case.contact.email, "The new part arrives tomorrow.")
    assert "every week" not in str(customer.facts)
    manager = Mail.objects.get(template="escalation_request_outcome")
    assert (manager.to_address, manager.facts["outcome"]) == (desk.account_manager.email, "declined")
    assert not Escalation.objects.exists()
    pictures(browser, live_server.url, desk.account_manager, reverse("admin:index"), "dashboard-am")
    pictures(browser, live_server.url, desk.account_manager, case.get_absolute_url(), "declined")


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_stale_tab_is_shown_the_new_offer_and_a_second_press_takes_it(browser, live_server, desk) -> None:  # E9, S4
    now = timezone.now()
    case = desk.open_case(now - HOUR)
    said = {"origin": Origin.CUSTOMER, **WORDS}
    requests.request_escalation(case.pk, desk.account_manager, now - 0.5 * HOUR, **said)
    page = window(browser, live_server.url, desk.manager)
    page.goto(case.get_absolute_url())
    accepting = open_form(page, "accept_request")
    transitions.change_severity(case.pk, desk.technician, timezone.now(), severity=Severity.CRITICAL, reason="Worse")
    accepting.get_by_role("button", name="Accept the request").click()
    expect(page.get_by_text("has changed since you opened the page").first).to_be_visible()
    folder = os.environ.get("DESK_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / "stale-1440-light.png", full_page=True)
    page.get_by_role("button", name="Accept the request", exact=True).click()
    expect(page.get_by_text("The request is accepted").first).to_be_visible()
    page.context.close()
    row = Escalation.objects.get()
    assert (row.severity, row.number) == ("critical", 1)
    assert Mail.objects.filter(template="escalation_request_accepted").count() == 1
    pictures(browser, live_server.url, desk.manager, case.get_absolute_url(), "accepted")
