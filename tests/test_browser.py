"""The desk driven by mouse and keyboard in a real Chromium: a technician's working day, an account manager's look.

Screenshots are written where DESK_SCREENSHOTS names a folder, for the README and for looking at them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from cases.enums import Channel, Direction, Severity, Status
from cases.models import Case, Interaction, Mail, Refusal
from tests.support.browser import picture
from tests.support.builders import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser, live_server) -> Iterator[Page]:
    """A fresh window; an error of a script on any page fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, base_url=live_server.url)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def log_in(page: Page, name: str) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile(r"/admin/$"))


def choose(page: Page, field: str, typed: str, wanted: str) -> None:
    """Pick an entry of a field that searches while one types."""
    page.locator(f"#id_{field} + .select2 .select2-selection").click()
    page.locator(".select2-search__field").last.fill(typed)
    page.locator(".select2-results__option", has_text=wanted).click()


def dialog(page: Page, button: str):
    """Press a button of the case's page; the dialog that opens."""
    page.get_by_role("button", name=button, exact=True).first.click()
    opened = page.locator("dialog[open]")
    expect(opened).to_be_visible()
    return opened


def test_a_technician_opens_a_case_logs_a_call_asks_and_resolves(page: Page, desk: Desk) -> None:  # C1-C5
    log_in(page, "tech")
    picture(page, "desk")
    page.get_by_role("link", name="Open a case").first.click()
    choose(page, "company", "Acm", "Acme")
    choose(page, "contact", "Help", "Help desk of Acme")
    page.locator("#id_title").fill("Nobody can print")
    page.locator("#id_description").fill("Since this morning <b>nothing</b> comes out.")
    page.locator("#id_affected").select_option("many")
    expect(page.locator("#id_severity option:checked")).to_contain_text("High")  # C2: suggested from the answer
    picture(page, "open")
    page.get_by_role("button", name="Open the case").click()

    expect(page.get_by_role("heading", name="Nobody can print", exact=True)).to_be_visible()
    case = Case.objects.get()
    assert (case.status, case.severity, case.owner) == (Status.ASSIGNED, Severity.HIGH, desk.technician)
    expect(page.get_by_text("Since this morning <b>nothing</b> comes out.").first).to_be_visible()

    dialog(page, "Start work").get_by_role("button", name="Start work").click()
    expect(page.locator("dialog[open]")).to_have_count(0)

    call = dialog(page, "Log a contact")
    call.get_by_label("Who turned to whom").select_option("out")
    call.get_by_label("What was said").fill("They say it began after the update.")
    call.get_by_role("button", name="Log a contact").click()
    expect(page.get_by_text("They say it began after the update.")).to_be_visible()

    asking = dialog(page, "Ask the customer")
    asking.get_by_label("Question").fill("Which driver version is installed?")
    asking.get_by_role("button", name="Ask the customer").click()
    expect(page.get_by_text("Customer Update Required").first).to_be_visible()
    assert Mail.objects.filter(template="question", to_address=case.contact.email).count() == 1
    picture(page, "waiting")

    answer = dialog(page, "Customer responded")
    answer.locator("textarea").fill("It is version 7.")
    answer.get_by_role("button", name="Customer responded").click()
    expect(page.get_by_text("It is version 7.").first).to_be_visible()

    solving = dialog(page, "Resolve")
    solving.get_by_label("Why it closes").select_option("customer_confirmed")
    solving.get_by_role("button", name="Resolve").click()  # without a solution: refused, nothing lost
    expect(page.get_by_text("Write the solution").first).to_be_visible()
    expect(page.get_by_label("Why it closes")).to_have_value("customer_confirmed")
    page.get_by_label("How they agreed").select_option("phone")
    page.get_by_label("Solution").fill("Version 8 of the driver was installed.")
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_role("button", name="Reopen", exact=True)).to_be_visible()
    picture(page, "resolved")

    case = Case.objects.get()
    assert (case.status, case.solution) == (Status.RESOLVED, "Version 8 of the driver was installed.")
    moves = list(case.history.order_by("history_date", "history_id").values_list("last_move", "history_user__username"))
    assert moves == [(m, "tech") for m in ("opened", "started", "asked", "responded", "resolved")]
    logged = Interaction.objects.filter(case=case, opened_the_case=False).values_list("channel", "direction")
    assert (Channel.PHONE, Direction.OUT) in list(logged)


def test_a_caller_who_is_no_help_desk_is_turned_away_and_nothing_typed_is_lost(page: Page, desk: Desk) -> None:  # D3
    log_in(page, "tech")
    page.goto("/admin/cases/case/add/")
    choose(page, "company", "Acm", "Acme")
    choose(page, "contact", "End", "End user of Acme")
    page.locator("#id_title").fill("My mouse is broken")
    page.get_by_role("button", name="Open the case").click()
    expect(page.get_by_text("is not the corporate help desk of Acme").first).to_be_visible()
    expect(page.locator("#id_title")).to_have_value("My mouse is broken")
    assert Case.objects.count() == 0
    assert Refusal.objects.get().contact == desk.end_user
    picture(page, "turned-away")
    page.locator("#id_opened_despite").fill("Their help desk is down.")
    page.get_by_role("button", name="Open the case").click()
    expect(page.get_by_role("heading", name="My mouse is broken", exact=True)).to_be_visible()
    assert Case.objects.get().opened_despite == "Their help desk is down."


def test_a_stale_tab_is_told_what_happened_meanwhile(page: Page, desk: Desk) -> None:  # C4, S4
    case = desk.open_case()
    log_in(page, "tech")
    page.goto(case.get_absolute_url())
    other = page.context.new_page()
    other.goto(case.get_absolute_url())
    dialog(other, "Start work").get_by_role("button", name="Start work").click()
    expect(other.locator("dialog[open]")).to_have_count(0)
    dialog(page, "Start work").get_by_role("button", name="Start work").click()
    expect(page.get_by_text("“Start work” is not possible").first).to_be_visible()
    expect(page.get_by_text("Nothing was changed").first).to_be_visible()
    picture(page, "stale")
    assert case.history.count() == 2


def test_an_account_manager_reads_the_own_companies_cases_and_no_others(page: Page, desk: Desk) -> None:  # A1
    own = desk.open_case(title="Ours", description="Nothing works.")
    foreign = desk.open_case(title="Theirs", company=desk.other_company)
    log_in(page, "am")
    picture(page, "account-manager")
    page.goto("/admin/cases/case/")
    expect(page.get_by_text("Ours").first).to_be_visible()
    expect(page.get_by_text("Theirs")).to_have_count(0)
    page.get_by_role("link", name=own.number).first.click()
    expect(page.get_by_role("heading", name="Ours", exact=True)).to_be_visible()
    for button in ("Start work", "Resolve", "Ask the customer", "Log a contact", "Reassign", "Save"):
        expect(page.get_by_role("button", name=button, exact=True)).to_have_count(0)
    picture(page, "account-manager-case")

    note = dialog(page, "Add a note")
    note.locator("textarea").fill("They renew in July.")
    note.get_by_role("button", name="Add a note").click()
    expect(page.get_by_text("They renew in July.")).to_be_visible()
    assert Interaction.objects.get(channel=Channel.NOTE).by == desk.account_manager

    for address in (foreign.get_absolute_url(), f"/admin/cases/case/{foreign.pk}/history/"):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 404
        expect(page.get_by_text("Theirs")).to_have_count(0)


def test_a_narrow_dark_window_shows_the_case_without_scrolling_sideways(browser: Browser, live_server, desk) -> None:
    case = desk.open_case(description="A long story. " * 40, severity=Severity.CRITICAL)
    client = Client()
    client.force_login(desk.technician)
    context = browser.new_context(viewport={"width": 400, "height": 860}, base_url=live_server.url, color_scheme="dark")
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(case.get_absolute_url())
    expect(page.get_by_role("heading", name=case.title, exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    picture(page, "case-narrow-dark")
    context.close()


def test_what_was_typed_survives_the_end_of_the_session(page: Page, desk: Desk) -> None:  # S4
    case = desk.open_case()
    log_in(page, "tech")
    page.goto(case.get_absolute_url())
    note = dialog(page, "Add a note")
    note.locator("textarea").fill("Typed for a long time.")
    page.context.clear_cookies(name="sessionid")
    note.get_by_role("button", name="Add a note").click()
    page.get_by_label("Username").fill("tech")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()
    opened = page.locator("dialog[open]")
    expect(opened.get_by_text("what you typed is still here")).to_be_visible()
    expect(opened.locator("textarea")).to_have_value("Typed for a long time.")
    opened.get_by_role("button", name="Add a note").click()
    expect(page.locator(".desk-timeline").get_by_text("Typed for a long time.")).to_be_visible()
    assert Interaction.objects.filter(channel=Channel.NOTE).count() == 1
    page.reload()
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_the_contact_may_be_chosen_before_the_company(page: Page, desk: Desk) -> None:  # D3
    log_in(page, "tech")
    page.goto("/admin/cases/case/add/")
    refused = page.locator(".field-contact [role=alert]")
    choose(page, "contact", "End user of Ac", "End user of Acme")
    expect(page.locator("#id_company option:checked")).to_have_text("Acme")  # the company comes along
    expect(refused).to_contain_text("End user of Acme is not the corporate help desk of Acme")  # before anything else
    choose(page, "contact", "Help", "Help desk of Acme")
    expect(refused).to_be_hidden()
    choose(page, "company", "Acm", "Acme")  # the same one: whoever was chosen stays
    expect(page.locator("#id_contact option:checked")).to_contain_text("Help desk of Acme")
    choose(page, "company", "Glob", "Globex")  # another one empties the choice
    expect(page.locator("#id_contact")).to_have_value("")
