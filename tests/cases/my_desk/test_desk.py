"""My desk: what is wanted of the reader in one list, soonest first, one row a case (W1): exact rows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils.html import escape
from playwright.sync_api import Browser, expect

from cases.enums import AgreedBy, Channel, Direction, Door, Resolution, Severity, Status, WaitReason, WorkKind
from cases.inbox.receive import receive
from cases.models import Case, CaseWatcher, Interaction
from cases.my_desk.centres import centres_now
from cases.my_desk.state import READ, desk_of
from cases.policy.work_order import WorkGroup, watch_group_of
from cases.workflow import handing_on, transitions
from contacts.models import Company, Technician, User
from escalations.enums import Origin
from escalations.requests import apply as requests
from tests.support.builders import NOON, Desk, build_centre, build_desk, build_technician, reload
from tests.support.mails import raw_mail
from tests.support.pages import signed_in
from tests.support.queries import queries_of
from tests.support.stage import Stage, at, clock, sweeps

pytestmark = pytest.mark.django_db

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
PAGE = reverse("admin:index")


def shown(user: User, now: str | float, zone: str = "UTC") -> list[str]:
    """The rows of a desk: heading, deadline, case, act, who, button."""
    desk = desk_of(user, at(now), ZoneInfo(zone))
    rows = [(group.group.label, row) for group in desk.groups for row in group.rows]
    rows += [("Watched", row) for row in desk.watched]
    return [
        " | ".join(filter(None, (head, clock(row.at), row.case.title, row.act, row.who, row.button)))
        for head, row in rows
    ]


def ask(desk: Desk, case: Case, now: str | float = 0) -> None:
    transitions.ask_customer(
        case.pk,
        desk.technician,
        at(now),
        question="Since when?",
        reason=WaitReason.CANNOT_NOW,
        send=False,
        channel=Channel.PHONE,
    )


# --- one's own work ---------------------------------------------------------------------------------------------------


def test_a_technicians_desk_is_one_list_soonest_first_whatever_is_wanted(desk: Desk) -> None:  # W1
    stage = Stage(desk)
    stage.open(Severity.LOW, title="Low")
    high = stage.open(Severity.HIGH, title="High")
    stage.open(Severity.HIGH, Channel.PHONE, title="Phoned")
    waiting = stage.open(Severity.MEDIUM, title="Waits")
    ask(desk, waiting)
    closed = stage.open(Severity.MEDIUM, title="Closed")
    transitions.resolve(
        closed.pk, desk.technician, NOON, resolution=Resolution.CONFIRMED, agreed_by=AgreedBy.PHONE, solution="Cable"
    )
    Interaction.objects.create(
        case=closed, channel=Channel.EMAIL, direction=Direction.IN, at=at(0.5), body="It is back.", needs_answer=True
    )
    watched = stage.open(Severity.MEDIUM, title="Handed over")
    handing_on.hand_over(watched.pk, desk.manager, NOON, owner=desk.l3, reason="Knows it.")
    foreign = stage.open(Severity.CRITICAL, title="Foreign")
    Case.objects.filter(pk=foreign.pk).update(owner=desk.l3)
    sweeps(NOON)
    tell = "Tell the customer where it stands"
    assert shown(desk.technician, 0.75) == [
        "Now | 1:00 | Phoned | First response | Log a contact",
        "Today | 2:30 | Closed | Answer what the customer wrote after closing | Open",
        f"Today | 4:00 | High | {tell} | Send a status update",
        f"Later | 24:00 | Low | {tell} | Send a status update",
        "Waiting for the customer | 48:00 | Waits | First notice | by itself | Open",
        f"Watched | 8:00 | Handed over | {tell} | L3 | Open",
    ]
    assert high.pk


def test_the_groups_follow_the_readers_own_day(desk: Desk) -> None:  # W1
    Stage(desk).open(Severity.HIGH, title="High")  # 16:00 UTC
    assert shown(desk.technician, 0, "Europe/London")[0].startswith("Today | 4:00")
    assert shown(desk.technician, 0, "Asia/Tokyo")[0].startswith("Later | 4:00")  # 01:00 of the next day


def test_a_case_stands_once_with_what_is_wanted_first(desk: Desk) -> None:
    stage = Stage(desk)
    stage.open(Severity.HIGH, title="High")
    stage.to(12)
    assert shown(desk.technician, 12) == ["Today | 13:00 | High | Answer High 1 | Answer"]
    assert shown(desk.technician, 12.5) == ["Now | 13:00 | High | Answer High 1 | Answer"]


def test_a_question_in_somebodys_place_is_on_the_desk_of_whoever_is_asked(desk: Desk) -> None:  # E8
    stage = Stage(desk)
    stage.open(Severity.HIGH, title="High")
    Technician.objects.filter(user=desk.technician).update(on_duty=False)
    stage.to(12)
    assert shown(desk.l3, 12) == ["Today | 13:00 | High | Answer High 1 | owner tech | Answer"]


def test_what_is_wanted_stands_there_while_no_engine_runs(desk: Desk) -> None:  # W5
    Stage(desk).open(Severity.CRITICAL, Channel.PHONE, title="Critical")
    assert shown(desk.technician, 3) == ["Now | 0:30 | Critical | First response | Log a contact"]


def test_an_act_that_asks_for_nothing_is_done_from_the_list(desk: Desk, time_machine, monkeypatch) -> None:  # type: ignore[no-untyped-def]  # W1, A2
    case = Stage(desk).open(Severity.LOW, Channel.EMAIL, title="Low")
    monkeypatch.setattr("escalations.sla.state.SlaState.running", [])  # nothing is promised
    time_machine.move_to(NOON, tick=False)
    (row,) = [row for group in desk_of(desk.technician, NOON, UTC).groups for row in group.rows]
    assert (row.act, row.button) == ("Start work", "Start work")
    client = signed_in(desk.technician)
    assert row.post_to in client.get(PAGE).content.decode()
    assert client.post(row.post_to, row.hidden).status_code == 302
    assert reload(case).status == Status.IN_PROGRESS


def test_an_empty_desk_is_kind_and_offers_to_open_a_case(desk: Desk) -> None:
    page = signed_in(desk.technician).get(PAGE).content.decode()
    assert "Nothing is wanted of you." in page
    assert reverse("admin:cases_case_add") in page


# --- the whole desk ---------------------------------------------------------------------------------------------------


def test_whoever_watches_sees_first_what_to_decide_and_then_what_went_wrong(desk: Desk) -> None:  # W1
    stage = Stage(desk)
    asked = stage.open(Severity.HIGH, title="Asked")
    stage.to(10)
    late = stage.open(Severity.MEDIUM, Channel.PHONE, title="Late")
    stage.to(12)
    wanted = stage.open(Severity.MEDIUM, title="Wanted")
    stage.open(Severity.LOW, title="In hand")
    closed = stage.open(Severity.HIGH, title="Closed")
    transitions.resolve(
        closed.pk, desk.technician, at(12), resolution=Resolution.CONFIRMED, agreed_by=AgreedBy.PHONE, solution="Cable"
    )
    Interaction.objects.create(
        case=closed, channel=Channel.EMAIL, direction=Direction.IN, at=at(12.9), body="Again.", needs_answer=True
    )
    said = {"asked_by": "Kim", "impact": "All stand.", "reason": "Now."}
    requests.request_escalation(wanted.pk, desk.account_manager, at(12), origin=Origin.CUSTOMER, **said)
    assert shown(desk.manager, 13) == [
        "To decide | 16:00 | Wanted | Decide: Medium request by am | owner tech | Accept the request",
        "Nobody has answered yet | 13:00 | Asked | Answer High 1 | owner tech | Answer",
        "Written after closing | 13:54 | Closed | Answer what the customer wrote after closing | Tech | Open",
        "Overdue | 12:00 | Late | First response | Tech | Open",
    ]
    assert shown(desk.coo, 13)[0].startswith("Nobody has answered yet")
    assert asked.pk
    assert late.pk


def test_what_presses_next_stands_there_with_its_owner(desk: Desk) -> None:  # W1
    Stage(desk).open(Severity.CRITICAL, Channel.PHONE, title="Critical")
    assert shown(desk.manager, 0.2) == ["Now | 0:30 | Critical | First response | Tech | Open"]


@pytest.mark.parametrize(
    ("kind", "for_reader", "due_in", "group"),
    [
        (WorkKind.DECISION, True, 1, WorkGroup.DECIDE),
        (WorkKind.DECISION, False, -1, None),
        (WorkKind.QUESTION, False, 1, None),
        (WorkKind.QUESTION, True, 0, WorkGroup.UNANSWERED),
        (WorkKind.WORD, False, 1, WorkGroup.WORDS),
        (WorkKind.HELD_UP, False, 1, WorkGroup.HELD_UP),
        (WorkKind.UPDATE, False, 0, None),
        (WorkKind.UPDATE, False, -1, WorkGroup.OVERDUE),
        (WorkKind.START, False, None, None),
    ],
)
def test_what_concerns_whoever_watches(  # W1
    kind: WorkKind, for_reader: bool, due_in: int | None, group: WorkGroup | None
) -> None:
    due_at = NOON + due_in * HOUR if due_in is not None else None
    assert watch_group_of(kind, for_reader, due_at, NOON) == group


# --- the customers of one person --------------------------------------------------------------------------------------


def test_an_account_manager_sees_what_the_own_customers_are_owed_next(desk: Desk) -> None:  # A1, W1
    stage = Stage(desk)
    stage.open(Severity.LOW, title="Low")
    stage.open(Severity.HIGH, Channel.PHONE, title="High")
    waiting = stage.open(Severity.MEDIUM, title="Waits")
    ask(desk, waiting)
    stage.open(Severity.CRITICAL, title="Foreign", company=desk.other_company)
    sweeps(NOON)
    expected = [
        "Today | 1:00 | High | First response | Tech | Open",
        "Later | 24:00 | Low | Tell the customer where it stands | Tech | Open",
        "Waiting for the customer | 48:00 | Waits | First notice | by itself | Open",
    ]
    assert shown(desk.account_manager, 0) == expected
    assert shown(desk.customer_engineer, 0) == expected
    assert [row.split(" | ")[2] for row in shown(desk.other_account_manager, 0)] == ["Foreign"]


def test_an_account_manager_finds_the_owners_phone_and_what_came_in(desk: Desk, time_machine) -> None:  # type: ignore[no-untyped-def]  # A1
    time_machine.move_to(NOON, tick=False)
    User.objects.filter(pk=desk.technician.pk).update(phone="+44 20 7946 0018")
    desk.open_case(at(-8 * 24), title="Last week", severity=Severity.HIGH)
    for number in range(6):
        desk.open_case(at(-number), title=f"Number {number}")
    desk.open_case(title="Foreign", company=desk.other_company)
    page = signed_in(desk.account_manager).get(PAGE).content.decode()
    assert 'class="work-phone" href="tel:+44 20 7946 0018" title="tech, who owns it"' in page
    card = page.partition("Came in this week")[2].partition("</section>")[0]
    assert re.findall(r"Number \d|Last week|Foreign", card) == [f"Number {number}" for number in range(5)]
    assert "+44 20 7946 0018" in card
    assert "Foreign" not in page
    for who in (desk.technician, desk.manager):
        page = signed_in(who).get(PAGE).content.decode()
        assert "Came in this week" not in page
        assert "work-phone" not in page


# --- tonight ----------------------------------------------------------------------------------------------------------


def test_tonight_says_what_happens_by_itself_within_twelve_hours(desk: Desk) -> None:  # W2
    stage = Stage(desk)
    stage.open(Severity.HIGH, title="High")
    stage.open(Severity.CRITICAL, title="Critical")
    stage.open(Severity.MEDIUM, title="Medium")
    tonight = desk_of(desk.technician, NOON, UTC).tonight
    assert [(clock(one.at), one.what) for one in tonight] == [
        ("4:00", "Critical 1, goes to l3 and mails csm, am"),
        ("12:00", "High 1, asks tech for the status and mails csm, am"),
    ]


# --- the centres ------------------------------------------------------------------------------------------------------


def test_the_centres_say_who_is_on_duty_with_how_much_and_what_nobody_speaks(desk: Desk) -> None:  # D1, D2, C6
    tokyo = build_centre("Tokyo", "JP", "Asia/Tokyo")
    tokyo.spans.all().delete()
    build_technician(tokyo, name="yuki", languages=["ja", "fr"])
    build_technician(desk.centre, name="away", on_duty=False)
    Company.objects.filter(pk=desk.other_company.pk).update(language="fr")
    desk.open_case(severity=Severity.CRITICAL)
    desk.open_case(severity=Severity.MEDIUM)
    Case.objects.update(owner=desk.technician)
    found = centres_now(NOON)
    assert [
        (one.name, one.is_open, one.load, [(who.name, who.load) for who in one.on_duty]) for one in found.centres
    ] == [
        ("London", True, "10", [("l3", 0), ("tech", 10)]),
        ("Tokyo", False, "0", [("yuki", 0)]),
    ]
    assert found.uncovered == ["French"]  # spoken only where it is night
    on_duty = {one.name: one for centre in found.centres for one in centre.on_duty}
    manager = signed_in(desk.manager)
    assert f'href="{escape(on_duty["tech"].cases_url)}"' in manager.get(PAGE).content.decode()
    assert "2 cases" in re.sub(r"\s+", " ", manager.get(on_duty["tech"].cases_url).content.decode())
    assert "0 cases" in re.sub(r"\s+", " ", manager.get(on_duty["yuki"].cases_url).content.decode())


def test_loads_are_counted_no_further_than_is_worth_knowing(desk: Desk, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    for _ in range(4):
        desk.open_case(severity=Severity.LOW)
    monkeypatch.setattr("cases.my_desk.centres.COUNTED", 3)
    assert [one.load_text for one in centres_now(NOON).centres[0].on_duty] == ["0", "3+"]


# --- price ------------------------------------------------------------------------------------------------------------


@pytest.mark.any_database
@pytest.mark.parametrize("who", ["technician", "manager", "account_manager", "coo"])
def test_a_desk_costs_no_more_queries_however_much_there_is(desk: Desk, who: str) -> None:  # W1
    reader = getattr(desk, who)

    def fill(number: int) -> None:
        for severity in [*Severity] * number:
            desk.open_case(severity=severity)
            waiting = desk.open_case(severity=severity)
            ask(desk, waiting)
            watched = desk.open_case(severity=severity)
            Case.objects.filter(pk=watched.pk).update(owner=desk.l3)
            CaseWatcher.objects.create(case=watched, user=desk.technician, since=NOON)
        sweeps(at(13))

    def cost() -> int:
        return queries_of(lambda: desk_of(reader, at(14), UTC))

    fill(1)
    few = cost()
    fill(5)  # more than a desk reads
    assert cost() <= few <= 29


def test_only_the_cases_with_the_soonest_deadlines_are_read_and_the_page_says_so(desk: Desk) -> None:
    cases = [desk.open_case(severity=Severity.LOW) for _ in range(READ + 2)]
    for hours, case in enumerate(cases):
        Case.objects.filter(pk=case.pk).update(next_due_at=at(hours))
    found = desk_of(desk.technician, NOON, UTC)
    assert found.is_cut
    assert {row.case.pk for row in found.rows} == {case.pk for case in cases[:READ]}
    assert (
        f"Out of the {READ} cases with the soonest deadlines." in signed_in(desk.technician).get(PAGE).content.decode()
    )


# --- in the browser ---------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_technician_works_from_the_desk(browser: Browser, live_server, settings) -> None:  # type: ignore[no-untyped-def]  # W1
    desk = build_desk()
    now = datetime.now(UTC)
    low = desk.open_case(now - HOUR, severity=Severity.LOW, channel=Channel.EMAIL, title="Second screen stays black")
    phoned = desk.open_case(now - 0.75 * HOUR, severity=Severity.HIGH, title="Nobody can print")
    sweeps(now)
    page = browser.new_context(base_url=live_server.url).new_page()
    page.goto("/admin/login/")
    page.get_by_label("Username").fill(desk.technician.username)
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()
    page.goto(PAGE)
    rows = page.locator(".work-row")
    expect(rows).to_have_count(2)
    assert [re.sub(r"\s+", " ", row.locator(".work-act").inner_text()) for row in rows.all()] == [
        "First response",
        "Tell the customer where it stands",
    ]
    assert phoned.number in rows.nth(0).inner_text()
    assert low.number in rows.nth(1).inner_text()
    expect(rows.nth(0)).to_have_class(re.compile("is-pressing"))
    expect(rows.nth(1)).not_to_have_class(re.compile("is-pressing"))
    rows.nth(0).get_by_role("link", name="Log a contact").click()
    page.wait_for_url(f"**{phoned.get_absolute_url()}?do=log_contact#do")
    expect(page.get_by_role("heading", name="Nobody can print").first).to_be_visible()


# --- work that belongs to no case -------------------------------------------------------------------------------------


def triage_rows(user: User, now: str | float) -> list[str]:
    """The rows without a case: heading, deadline, act, since when, button."""
    desk = desk_of(user, at(now), ZoneInfo("UTC"))
    return [
        " | ".join((group.group.label, clock(row.at), row.act, row.waits_since, row.button))
        for group in desk.groups
        for row in group.rows
        if row.case is None
    ]


def test_mail_in_triage_is_one_row_on_everybodys_desk(desk: Desk, settings: Any, tmp_path: Path) -> None:  # M5, W1
    settings.DESK_FILES_DIR = tmp_path
    Stage(desk).open(Severity.HIGH, Channel.PHONE, title="Phoned")  # due at 1:00
    assert triage_rows(desk.technician, 0) == []
    for text, minutes in (("One", 0), ("Two", 30)):
        receive(raw_mail("Bob <bob@else.example>", text=text), NOON + minutes * MINUTE, door=Door.COMMAND)
    two = "2:00 | Decide about 2 messages | 12:00 (30 min ago) | Look at them"
    for user in (desk.technician, desk.l3):
        assert triage_rows(user, 0.5) == [f"Today | {two}"]
    assert triage_rows(desk.technician, 1.5)[0].startswith("Now |")
    rows = [row for group in desk_of(desk.technician, at(0.5), UTC).groups for row in group.rows]
    assert [row.case.title if row.case else "Triage" for row in rows] == ["Phoned", "Triage"]  # soonest first
    for user in (desk.account_manager, desk.customer_engineer, desk.csm):
        assert triage_rows(user, 3) == []
    page = signed_in(desk.technician).get(PAGE).content.decode()
    assert reverse("admin:cases_receivedmail_changelist") + "?tab=triage" in page


def test_the_support_manager_sees_what_waits_too_long(desk: Desk, settings: Any, tmp_path: Path) -> None:  # M5, W1
    settings.DESK_FILES_DIR = tmp_path
    receive(raw_mail("Bob <bob@else.example>"), NOON, door=Door.COMMAND)
    assert triage_rows(desk.manager, 1.9) == []
    assert triage_rows(desk.manager, 2.1) == [
        "Overdue | 2:00 | Decide about a message | 12:00 (2 h 6 min ago) | Look at it"
    ]
    settings.DESK_TRIAGE_WITHIN_MINUTES = 60
    assert triage_rows(desk.manager, 1.9)[0].startswith("Overdue | 1:00")


def test_mail_in_triage_costs_one_query_however_much_there_is(desk: Desk, settings: Any, tmp_path: Path) -> None:  # W1
    settings.DESK_FILES_DIR = tmp_path

    def reads() -> int:
        return queries_of(lambda: desk_of(desk.technician, NOON, UTC))

    empty = reads()
    for number in range(5):
        receive(raw_mail("Bob <bob@else.example>", text=str(number)), NOON, door=Door.COMMAND)
    assert reads() == empty
