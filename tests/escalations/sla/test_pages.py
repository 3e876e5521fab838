"""What people see of promised times: the panel and its why, the timeline, the ledger, the dashboard (T1 to T4, A1)."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, expect

from cases.dashboard import cards_for
from cases.engine.sweep import record_run
from cases.enums import AgreedBy, Channel, Direction, Resolution, Severity, WaitReason, WorkKind
from cases.mail.outbox import deliver
from cases.models import Case, Mail
from cases.my_desk.state import desk_of
from cases.timeline import timeline_of
from cases.workflow import contact_log, transitions
from contacts.models import User
from escalations.enums import Member, SlaKind, SlaOutcome
from escalations.models import DigestLine, SlaTarget
from escalations.points.apply import escalate
from escalations.sla.apply import keep_promises
from tests.support.browser import open_row
from tests.support.builders import NOON, Desk, build_desk
from tests.support.pages import panel_of, signed_in
from tests.support.queries import queries_of_page

pytestmark = pytest.mark.django_db

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LEDGER = "/admin/escalations/promise/"


def at(hours: float) -> datetime:
    """So many hours after the opening at noon."""
    return NOON + hours * HOUR


def sweep(hours: float) -> None:
    """One look of the engine at a moment, and its mail sent."""
    escalate(at(hours))
    keep_promises(at(hours))
    deliver(lambda: at(hours), keep=True)


def call(desk: Desk, case: Case, hours: float, by: User | None = None) -> None:
    contact_log.log_contact(
        case.pk,
        by or desk.technician,
        at(hours),
        channel=Channel.PHONE,
        direction=Direction.OUT,
        body="We are on it.",
    )


def said(answer: Any) -> str:
    """What a page says, as a reader reads it."""
    text = re.sub(r"<(script|style).*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def panel(user: User, case: Case, hours: float, time_machine: Any) -> str:
    """What the panel of promises says on the case's page."""
    time_machine.move_to(at(hours), tick=False)
    client = signed_in(user)
    assert client.get(reverse("admin:cases_case_change", args=[case.pk])).status_code == 200
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", panel_of(client, case, "promises"))).split())


@pytest.fixture
def case(desk: Desk) -> Case:
    """A High case that was phoned in at noon: a first response by 13:00, an update by 16:00."""
    return desk.open_case(NOON, severity=Severity.HIGH)


# --- the panel (T1, T2, T3) -------------------------------------------------------------------------------------


def test_a_new_case_shows_what_is_owed_what_happens_next_and_why(desk: Desk, case: Case, time_machine: Any):  # T1-T3
    text = panel(desk.technician, case, 0.1, time_machine)
    assert "First response due Wed 3 Jun, 13:00 (in 54 min)" in text
    assert "Phoned in as High 12:00, to be answered within 1 h; so due 13:00." in text
    assert "Customer due Wed 3 Jun, 16:00 (in 3 h 54 min) Help desk of Acme, every 4 h No update yet." in text
    assert "Tech is reminded at 15:00; the desk writes itself at 15:55." in text
    assert "Counted from the opening 12:00; every 4 h (High before any point); so due 16:00." in text


def test_a_call_meets_the_first_response_and_starts_the_clock_anew(desk: Desk, case: Case, time_machine: Any):  # T1, T2
    call(desk, case, 0.5)
    for swept in (False, True):  # the page reckons by itself: it says the same before the engine has looked
        if swept:
            sweep(0.6)
        text = panel(desk.technician, case, 1, time_machine)
        assert "First response given in time Wed 3 Jun, 12:30 by tech; was due Wed 3 Jun, 13:00" in text
        assert "Last told 30 min ago : the call to the customer by tech." in text
        assert "Counted from the call to the customer 12:30; every 4 h (High before any point); so due 16:30." in text


def test_a_late_first_response_stays_missed_whoever_spoke_since(desk: Desk, case: Case, time_machine: Any):  # T1, T4
    sweep(1.1)
    assert "First response overdue since Wed 3 Jun, 13:00 (6 min ago)" in panel(desk.manager, case, 1.1, time_machine)
    call(desk, case, 1.5)
    sweep(1.6)
    call(desk, case, 2)
    sweep(2.1)
    text = panel(desk.manager, case, 3, time_machine)
    assert "First response missed Wed 3 Jun, 13:30 by tech; was due Wed 3 Jun, 13:00" in text
    assert "Missed on this case First response, due Wed 3 Jun, 13:00 given by tech, Wed 3 Jun, 13:30" in text
    assert text.count("First response") == 2


def test_the_desks_own_update_and_each_members_clock_are_told(desk: Desk, case: Case, time_machine: Any):  # T2, T3
    call(desk, case, 0.5)
    for hours in (0.6, 3.6, 4 + 25 / 60, 12.1):
        sweep(hours)
    text = panel(desk.technician, case, 12.2, time_machine)
    assert "Customer service manager due Thu 4 Jun, 02:06" in text
    assert "Counted from joining the audience 00:06; every 2 h (High 1); so due 02:06." in text
    assert "Last told 6 min ago : the desk's own update" in text
    assert re.search(r"Counted from the desk's own update .*High 1", text)


def test_while_it_waits_none_is_owed_and_the_page_says_why_and_from_when(
    desk: Desk, case: Case, time_machine: Any
):  # T2
    time_machine.move_to(at(1), tick=False)
    transitions.ask_customer(case.pk, desk.technician, at(1), question="Which one?", reason=WaitReason.INFORMATION)
    text = panel(desk.technician, case, 2, time_machine)
    assert (
        "Nobody is owed a status update while the case waits for the customer, since 13:00. "
        "It counts again from the moment the wait ends: the customer every 4 h." in text
    )
    transitions.take_back(case.pk, desk.technician, at(3), reason="We found it ourselves.")
    assert "Counted from the end of the wait 15:00" in panel(desk.technician, case, 3.1, time_machine)
    transitions.resolve(
        case.pk,
        desk.technician,
        at(4),
        resolution=Resolution.CONFIRMED,
        agreed_by=AgreedBy.PHONE,
        solution="A new fuser.",
    )
    assert "while the case is resolved, since 16:00. It would count again from a reopening" in panel(
        desk.technician, case, 5, time_machine
    )


def test_whoever_cannot_be_written_to_is_said_so_and_overdue_is_marked(
    desk: Desk, case: Case, time_machine: Any
):  # T3, T4
    desk.company.contacts.update(email="")
    sweep(4.5)
    text = panel(desk.technician, case, 4.5, time_machine)
    assert "Customer overdue since Wed 3 Jun, 16:00 (30 min ago) Help desk of Acme, no email address" in text
    assert "The desk cannot write, as there is no address: please call." in text
    assert "Status update to Customer, due Wed 3 Jun, 16:00 still owed" in text
    page = panel_of(signed_in(desk.technician), case, "promises")
    assert page.count("pro-clock is-overdue") == 2  # the first response as well


def test_every_coming_point_says_what_its_time_comes_from(desk: Desk, case: Case, time_machine: Any):  # E2, E3
    time_machine.move_to(at(1), tick=False)
    transitions.ask_customer(case.pk, desk.technician, at(1), question="Which one?", reason=WaitReason.INFORMATION)
    transitions.take_back(case.pk, desk.technician, at(2), reason="We found it ourselves.")
    time_machine.move_to(at(3), tick=False)
    panel = panel_of(signed_in(desk.technician), case, "escalation")
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", panel)).split())
    assert "Opened 12:00 High, waited 13:00-14:00, so point 1 on Thu 4 Jun, 01:00." in text
    assert "Opened 12:00 High, waited 13:00-14:00, so point 2 on Fri 5 Jun, 01:00." in text


@pytest.mark.parametrize("who", ["technician", "l3", "manager", "csm", "coo", "account_manager", "customer_engineer"])
def test_everybody_who_reads_the_case_reads_its_promises(desk: Desk, case: Case, who: str, time_machine: Any):  # A1
    assert "Counted from the opening" in panel(getattr(desk, who), case, 0.1, time_machine)


# --- the timeline (T3, T4) --------------------------------------------------------------------------------------


def told(case: Case) -> list[str]:
    return [entry.title for entry in timeline_of(Case.objects.get(pk=case.pk)).entries]


def test_reminders_updates_and_misses_stand_in_the_timeline_once(desk: Desk, case: Case):  # T3, T4
    desk.company.contacts.update(email="")
    for hours in (1.1, 3.1, 4.1, 12.1, 14 + 5 / 60):
        sweep(hours)
    titles = told(case)
    assert "Missed: first response, due Wed 3 Jun, 13:00" in titles
    assert "Missed: status update to the customer, due Wed 3 Jun, 16:00" in titles
    assert titles.count("Status update to the customer service manager") == 1
    assert "Reminder to the owner" in titles
    assert not [title for title in titles if "Staff lines" in title]
    assert titles.count("Reminder to the owner") == DigestLine.objects.filter(section="reminder").count()


def test_a_mail_that_covers_several_cases_is_told_on_each_and_opens_no_foreign_case(desk: Desk, case: Case):  # A1, T3
    foreign = desk.open_case(NOON, severity=Severity.HIGH, company=desk.other_company)
    sweep(3.1)
    assert Mail.objects.get(template="staff_lines", to_address="tech@example.com").case is None
    for one in (case, foreign):
        (entry,) = [entry for entry in timeline_of(one).entries if entry.title == "Reminder to the owner"]
        assert entry.mail is None
        assert entry.who == "to tech"
        assert entry.lines[-1] == "In a mail that covers other cases too: sent"
    page = said(signed_in(desk.account_manager).get(reverse("admin:cases_case_change", args=[case.pk])))
    assert foreign.number not in page


def test_older_pages_of_the_timeline_leave_out_nothing(desk: Desk, case: Case):  # C3
    SlaTarget.objects.bulk_create(
        SlaTarget(
            case=case,
            kind=SlaKind.UPDATE,
            member=Member.COO,
            since=at(number),
            due_at=at(number + 1),
            ended_at=at(number + 2),
            outcome=SlaOutcome.BREACHED,
        )
        for number in range(230)
    )
    pages = [timeline_of(case, page) for page in range(6)]
    missed = [entry.at for page in pages for entry in page.entries if entry.kind == "missed"]
    assert missed == sorted((at(number + 1) for number in range(230)), reverse=True)
    assert [page.has_older for page in pages] == [True] * 5 + [False]


# --- the ledger (T4, A1) ----------------------------------------------------------------------------------------


def promise(case: Case, outcome: SlaOutcome | str, hours: float, **fields: Any) -> SlaTarget:
    """A row of the ledger that was due so many hours after noon."""
    fields = {"kind": SlaKind.UPDATE, "member": Member.CUSTOMER, "ended_at": at(hours), **fields}
    return SlaTarget.objects.create(case=case, since=at(hours - 4), due_at=at(hours), outcome=outcome, **fields)


@pytest.fixture
def ledger(desk: Desk, case: Case, time_machine: Any) -> list[SlaTarget]:
    """One row of each kind of ending, and one of a foreign company; it is noon a day later."""
    foreign = desk.open_case(NOON, severity=Severity.LOW, company=desk.other_company, title="Foreign")
    time_machine.move_to(at(24), tick=False)
    return [
        promise(case, SlaOutcome.MET, 10, by=desk.technician),
        promise(case, SlaOutcome.MET_AUTOMATICALLY, 12, updated_at=at(12)),
        promise(case, SlaOutcome.BREACHED, 14, ended_at=None),
        promise(case, SlaOutcome.CANCELLED, 16, member=Member.CSM),
        promise(case, "", 30, ended_at=None, reminded_at=at(23)),
        promise(case, SlaOutcome.BREACHED, -300, kind=SlaKind.RESPONSE),
        promise(foreign, SlaOutcome.BREACHED, 13),
    ]


def rows_of(client: Client, query: str = "") -> str:
    answer = client.get(LEDGER + query)
    assert answer.status_code == 200
    table = re.search(r'<table[^>]*id="result_list".*?</table>', answer.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", table[0])).split()) if table else ""


def test_the_ledger_tells_outcomes_and_when_the_update_came(desk: Desk, ledger: list[SlaTarget]):  # T3, T4
    text = rows_of(signed_in(desk.manager))
    for words in (
        "Kept by a person Wed 3 Jun, 22:00 by tech",
        "Kept by the desk Thu 4 Jun, 00:00 by the desk",
        "Missed not yet",
        "No longer owed Thu 4 Jun, 04:00 no longer owed",
        "Still open not yet",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 7),
        ("?state=overdue", 1),
        ("?state=running", 1),
        ("?state=missed", 3),
        ("?state=missed&due=day", 2),
        ("?due=week", 5),
        ("?kind__exact=response", 1),
        ("?member__exact=csm", 1),
        ("?case__severity__exact=low", 1),
        ("?state=nonsense&due=nonsense", 7),
        ("?q={case.number}", 6),
        ("?q=nonsense", 0),
    ],
)
def test_the_ledger_is_filtered(desk: Desk, ledger: list[SlaTarget], query: str, number: int):
    assert rows_of(signed_in(desk.manager), query.format(case=ledger[0].case)).count("SD-") == number


@pytest.mark.parametrize(
    ("who", "number"),
    [("technician", 7), ("manager", 7), ("coo", 7), ("account_manager", 6), ("other_account_manager", 1)],
)
def test_each_reads_the_promises_of_the_cases_they_may_read(
    desk: Desk, ledger: list[SlaTarget], who: str, number: int
):  # A1
    client = signed_in(getattr(desk, who))
    assert rows_of(client).count("SD-") == number
    foreign = reverse("admin:escalations_slatarget_change", args=[ledger[-1].pk])
    assert client.get(foreign).status_code == (404 if who == "account_manager" else 200)
    assert client.post(foreign, {"outcome": "person"}).status_code in (403, 404)
    assert SlaTarget.objects.get(pk=ledger[-1].pk).outcome == SlaOutcome.BREACHED


def test_the_summary_counts_the_last_7_days_of_what_one_may_read(desk: Desk, ledger: list[SlaTarget]):  # A1, T3
    for who, low in (("manager", "0 0 1"), ("account_manager", "0 0 0")):
        text = said(signed_in(getattr(desk, who)).get(LEDGER))
        assert "Severity of the case Kept by a person Kept by the desk Missed" in text
        assert "Critical 0 0 0 High 1 1 1 Medium 0 0 0 Low " + low in text


def test_page_and_sidebar_have_the_same_name(desk: Desk, ledger: list[SlaTarget]):
    for who in ("technician", "manager", "account_manager"):
        answer = signed_in(getattr(desk, who)).get(LEDGER)
        assert answer.context_data["title"] == "Promises"
        items = [item["title"] for group in answer.context_data["sidebar_navigation"] for item in group["items"]]
        assert "Promises" in items
        assert "<title>Promises" in " ".join(answer.content.decode().split()).replace("<title> ", "<title>")


def test_a_promises_own_page_tells_all_of_it(desk: Desk, ledger: list[SlaTarget]):
    address = reverse("admin:escalations_slatarget_change", args=[ledger[4].pk])
    text = said(signed_in(desk.manager).get(address))
    assert "Status update to Customer" in text
    assert "Thu 4 Jun, 11:00" in text  # reminded


# --- the dashboard ----------------------------------------------------------------------------------------------


MISSED = "Missed in the last 24 hours"


def cards(user: User, hours: float) -> dict[str, dict[str, Any]]:
    return {card.title: card.context for card in cards_for(user, at(hours))}


def promised(user: User, hours: float) -> list[tuple[int, str, datetime | None]]:
    """The first responses and updates on somebody's desk, soonest first: case, act, deadline."""
    rows = [row for group in desk_of(user, at(hours), UTC).groups for row in group.rows]
    kinds = (WorkKind.RESPONSE, WorkKind.UPDATE)
    return [(row.case.pk, row.act, row.at) for row in rows if row.item is not None and row.item.kind in kinds]


@pytest.mark.parametrize(
    ("who", "titles"),
    [
        ("technician", set()),
        ("l3", set()),
        ("manager", {MISSED}),
        ("csm", {MISSED}),
        ("account_manager", set()),
        ("customer_engineer", set()),
    ],
)
def test_each_has_the_card_of_their_work(desk: Desk, case: Case, who: str, titles: set[str]):
    assert {MISSED} & set(cards(getattr(desk, who), 0.1)) == titles


def test_the_manager_sees_what_is_overdue_and_what_was_missed_lately(desk: Desk, ledger: list[SlaTarget]):  # T4
    assert ledger[2] in cards(desk.manager, 24)[MISSED]["missed"]
    assert ledger[6] in cards(desk.manager, 24)[MISSED]["missed"]
    text = said(signed_in(desk.manager).get(reverse("admin:index")))
    assert f"High {ledger[2].case.number} Nobody can print Status update to Customer" in text
    assert f"Low {ledger[6].case.number} Foreign" in text


def test_while_the_engine_stands_the_manager_reads_since_when_nothing_is_known(desk: Desk):  # W5, S3
    page = reverse("admin:index")
    never = said(signed_in(desk.manager).get(page))
    assert never.count("Not known: the engine has not looked yet.") == 2
    for name in ("promises", "escalate"):
        record_run(name, NOON, 0, 0)
    desk.open_case(NOON, severity=Severity.CRITICAL)
    with time_machine.travel(at(0.01), tick=False):
        well = said(signed_in(desk.manager).get(page))
    assert "Nothing was missed in the last 24 hours" in well
    with time_machine.travel(at(5), tick=False):
        stands = said(signed_in(desk.manager).get(page))
    assert stands.count("Not known since") == 2
    for calming in ("Nothing was missed", "No case was escalated", "being kept"):
        assert calming not in stands


def test_a_technician_sees_the_soonest_deadlines_of_their_own_cases(desk: Desk, case: Case):  # T1, T2, W1
    low = desk.open_case(NOON, severity=Severity.LOW, title="A question")
    tell = "Tell the customer where it stands"
    assert promised(desk.technician, 0.1) == [(case.pk, "First response", at(1)), (low.pk, "First response", at(3))]
    call(desk, case, 0.5)
    sweep(0.6)
    assert promised(desk.technician, 0.6) == [(low.pk, "First response", at(3)), (case.pk, tell, at(4.5))]


def test_what_is_overdue_stays_on_the_desk_when_the_engine_has_nothing_left_to_do(desk: Desk, case: Case):  # T4
    desk.company.contacts.update(email="")
    for hours in (1.1, 4.1, 8.1, 8.2, 13):
        sweep(hours)
    Case.objects.filter(pk=case.pk).update(sla_check_at=None)
    assert promised(desk.technician, 13) == [(case.pk, "First response", at(1))]
    assert "overdue" in said(signed_in(desk.technician).get(reverse("admin:index")))


def test_a_waiting_case_owes_no_update(desk: Desk, case: Case):  # T2
    transitions.ask_customer(case.pk, desk.technician, at(0.1), question="Which one?", reason=WaitReason.INFORMATION)
    assert promised(desk.technician, 0.2) == []


# --- the price --------------------------------------------------------------------------------------------------


@pytest.mark.any_database
@pytest.mark.parametrize("who", ["technician", "manager", "account_manager"])
def test_pages_cost_the_same_queries_with_one_row_and_with_200(desk: Desk, case: Case, who: str, time_machine: Any):
    call(desk, case, 0.5)
    sweep(0.6)
    promise(case, SlaOutcome.BREACHED, -1, by=desk.technician, kind=SlaKind.UPDATE)
    promise(case, SlaOutcome.MET_AUTOMATICALLY, -2, updated_at=at(-2), member=Member.CSM)
    about = {"case": case, "section": "update", "to_address": "csm@example.com", "mail": Mail.objects.first()}
    DigestLine.objects.create(key="staff:x", written_at=at(-2), **about)
    time_machine.move_to(at(1), tick=False)
    client = signed_in(getattr(desk, who))
    pages = [reverse("admin:cases_case_change", args=[case.pk]), LEDGER, reverse("admin:index")]
    few = [queries_of_page(client, page) for page in pages]
    for number in range(200):
        outcome = (SlaOutcome.BREACHED, SlaOutcome.MET_AUTOMATICALLY, SlaOutcome.MET)[number % 3]
        by = (desk.technician, desk.l3, desk.csm)[number % 3]
        promise(case, outcome, -3 - number / 10, by=by, updated_at=at(-3 - number / 10), ended_at=at(-number / 10))
    for number in range(30):
        other = desk.open_case(NOON, severity=Severity.HIGH)
        promise(other, SlaOutcome.BREACHED, -number / 10, ended_at=None)
        DigestLine.objects.create(key=f"staff:{number}", written_at=at(0), **about)
    sweep(0.9)
    assert [queries_of_page(client, page) for page in pages] == few


# --- in a browser -----------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_why_of_a_clock_opens_by_keyboard(live_server: Any, browser: Browser):  # T2
    desk = build_desk()
    case = desk.open_case(timezone.now() - 5 * MINUTE, severity=Severity.HIGH)
    page = browser.new_context(base_url=live_server.url).new_page()
    page.goto(case.get_absolute_url())
    page.get_by_label("Username").fill("am")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()
    open_row(page, "promises")
    why = page.get_by_text("Counted from the opening")
    expect(page.locator(".pro-panel summary")).to_have_count(2)
    expect(why).to_be_hidden()
    response, customer = page.locator(".pro-panel summary").all()
    response.focus()
    page.keyboard.press("Tab")
    expect(customer).to_be_focused()
    page.keyboard.press("Enter")
    expect(why).to_be_visible()
    expect(why).to_contain_text("every 4 h (High before any point); so due")
    page.keyboard.press("Space")
    expect(why).to_be_hidden()
