"""The desk driven by mouse and keyboard in a real Chromium: a technician's working day, an account manager's look.

Screenshots are written where DESK_SCREENSHOTS names a folder, for the README and for looking at them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from cases.enums import Channel, Direction, Severity, Status, WaitReason
from cases.models import Case, Interaction, Mail, Refusal
from cases.workflow import transitions
from contacts.models import Contact
from tests.support.browser import log_in, open_form, picture
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


def choose(page: Page, field: str, typed: str, wanted: str) -> None:
    """Pick an entry of a field that searches while one types."""
    page.locator(f"#id_{field} + .select2 .select2-selection").click()
    page.locator(".select2-search__field").last.fill(typed)
    page.locator(".select2-results__option", has_text=wanted).click()


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

    page.get_by_role("button", name="Start work").first.click()
    expect(page.get_by_text("has begun")).to_be_visible()

    call = open_form(page, "log_contact")
    call.get_by_label("Who turned to whom").select_option("out")
    call.get_by_label("What was said").fill("They say it began after the update.")
    call.get_by_role("button", name="Log a contact").click()
    expect(page.get_by_text("They say it began after the update.")).to_be_visible()

    asking = open_form(page, "ask_customer")
    asking.get_by_label("Question").fill("Which driver version is installed?")
    asking.get_by_role("button", name="Ask the customer").click()
    expect(page.locator(".desk-chips").get_by_text("Customer Update Required")).to_be_visible()
    assert Mail.objects.filter(template="question", to_address=case.contact.email).count() == 1
    picture(page, "waiting")

    answer = open_form(page, "customer_responded")
    answer.locator("textarea").fill("It is version 7.")
    answer.get_by_role("button", name="Customer responded").click()
    expect(page.get_by_text("It is version 7.").first).to_be_visible()

    solving = open_form(page, "resolve")
    solving.get_by_label("Why it closes").select_option("customer_confirmed")
    solving.get_by_role("button", name="Resolve").click()  # without a solution: refused, nothing lost
    expect(page.get_by_text("Write the solution").first).to_be_visible()
    expect(page.get_by_label("Why it closes")).to_have_value("customer_confirmed")
    page.get_by_label("How they agreed").select_option("phone")
    page.get_by_label("Solution").fill("Version 8 of the driver was installed.")
    page.get_by_role("button", name="Resolve").click()
    expect(page.locator("nav").get_by_role("link", name="Reopen")).to_be_visible()
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
    other.get_by_role("button", name="Start work").first.click()
    expect(other.get_by_text("has begun")).to_be_visible()
    page.get_by_role("button", name="Start work").first.click()
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
    expect(page.get_by_text("Ours", exact=True).first).to_be_visible()
    expect(page.get_by_text("Theirs")).to_have_count(0)
    page.get_by_role("link", name=own.number).first.click()
    expect(page.get_by_role("heading", name="Ours", exact=True)).to_be_visible()
    for words in ("Start work", "Resolve", "Ask and wait", "Log a contact", "Hand over", "Save"):
        expect(page.get_by_role("button", name=words, exact=True)).to_have_count(0)
        expect(page.get_by_role("link", name=words, exact=True)).to_have_count(0)
    picture(page, "account-manager-case")

    note = open_form(page, "add_note")
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
    note = open_form(page, "add_note")
    note.locator("textarea").fill("Typed for a long time.")
    page.context.clear_cookies(name="sessionid")
    note.get_by_role("button", name="Add a note").click()
    page.get_by_label("Username").fill("tech")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()
    kept = page.locator('[data-desk-form-of="add_note"]')
    expect(kept.get_by_text("Your draft, not sent yet.")).to_be_visible()
    expect(kept.locator("textarea")).to_have_value("Typed for a long time.")
    kept.get_by_role("button", name="Add a note").click()
    expect(page.locator(".desk-timeline").get_by_text("Typed for a long time.")).to_be_visible()
    assert Interaction.objects.filter(channel=Channel.NOTE).count() == 1
    expect(page.locator(".has-draft")).to_have_count(0)
    expect(page.get_by_text("Your draft, not sent yet.")).to_have_count(0)


def test_a_draft_survives_a_link_a_reload_and_another_tab_and_can_be_discarded(page: Page, desk: Desk) -> None:  # S4
    case, other = desk.open_case(), desk.open_case(title="Another one")
    log_in(page, "tech")
    page.goto(case.get_absolute_url())
    open_form(page, "resolve").get_by_label("Solution").fill("The fuse.")
    open_form(page, "add_note").locator("textarea").fill("Half a thought")
    page.goto(other.get_absolute_url())
    expect(page.locator(".has-draft")).to_have_count(0)
    tab = page.context.new_page()
    tab.goto(case.get_absolute_url())
    expect(tab.locator('[data-desk-form-of="add_note"] textarea')).to_have_value("Half a thought")
    expect(open_form(tab, "resolve").get_by_label("Solution")).to_have_value("The fuse.")
    tab.get_by_role("button", name="Discard it").locator("visible=true").click()
    tab.reload()
    expect(tab.locator("nav > .has-draft")).to_have_count(1)
    expect(tab.locator('[data-desk-form-of="add_note"] textarea')).to_have_value("Half a thought")


def test_a_refusal_is_said_where_one_writes_and_the_keyboard_sends(page: Page, desk: Desk) -> None:  # S4
    case = desk.open_case()
    log_in(page, "tech")
    page.goto(case.get_absolute_url())
    page.keyboard.press("n")
    note = page.locator('[data-desk-form-of="add_note"]')
    expect(note.locator("textarea")).to_be_focused()
    page.keyboard.type("x" * 5)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".desk-timeline").get_by_text("xxxxx")).to_be_visible()
    page.keyboard.press(".")
    solving = page.locator('[data-desk-form-of="resolve"]')
    solving.get_by_label("Why it closes").select_option("customer_confirmed")
    solving.get_by_label("Why it closes").press("Control+Enter")
    expect(solving.get_by_text("Write the solution")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/change/$"))  # still on the case, with the conversation above
    expect(page.locator(".desk-timeline").get_by_text("xxxxx")).to_be_visible()
    assert Case.objects.get().status != Status.RESOLVED


def test_after_a_refusal_the_head_of_the_case_is_as_it_is_meanwhile(page: Page, desk: Desk) -> None:  # C4, S4, W2
    case = desk.open_case()
    log_in(page, "tech")
    page.goto(case.get_absolute_url())
    solving = open_form(page, "resolve")
    solving.get_by_label("Why it closes").select_option("customer_confirmed")
    solving.get_by_label("Solution").fill("The fuse.")
    header = page.locator(".desk-header")
    expect(header.get_by_text("Assigned")).to_be_visible()
    transitions.start_work(case.pk, desk.technician, timezone.now())
    transitions.ask_customer(
        case.pk, desk.technician, timezone.now(), question="Which?", reason=WaitReason.INFORMATION, send=True
    )
    solving.get_by_role("button", name="Resolve").click()
    expect(solving.locator(".desk-error").first).to_be_visible()
    expect(header.get_by_text("Customer Update Required").first).to_be_visible()
    expect(header.get_by_text("Waits since")).to_be_visible()
    expect(solving.get_by_label("Solution")).to_have_value("The fuse.")
    page.locator(".desk-header [data-desk-form=change_severity]").click()  # its buttons work as before
    expect(page.locator('[data-desk-form-of="change_severity"]')).to_be_visible()


def test_whoever_is_ticked_for_a_copy_is_named_as_a_reader(page: Page, desk: Desk) -> None:  # C3
    case = desk.open_case()
    for name in ("Ada", "Ben"):
        Contact.objects.create(company=desk.company, name=name, email=f"{name}@acme.example.com", is_help_desk=True)
    log_in(page, "tech")
    page.goto(case.get_absolute_url())
    writing = open_form(page, "write_to_customer")
    readers = writing.locator(".desk-read-by")
    expect(readers).to_have_text("Help desk of Acme reads this.")
    writing.get_by_label("Ada").check()
    expect(readers).to_have_text("Help desk of Acme reads this. A copy goes to Ada.")
    writing.get_by_label("Ben").check()
    expect(readers).to_have_text("Help desk of Acme reads this. A copy goes to Ada and Ben.")
    writing.get_by_label("Ada").uncheck()
    writing.get_by_label("Message").fill("We are on it.")
    expect(readers).to_have_text("Help desk of Acme reads this. A copy goes to Ben.")
    writing.get_by_role("button", name="Write to the customer").click()
    expect(page.get_by_text("The mail is on its way to Help desk of Acme and Ben").first).to_be_visible()


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
