"""The desk without a mouse: every way of a technician by keys alone, and the focus is never lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect

from cases.enums import Channel, Direction, Severity, Status
from cases.models import Case, Interaction, Mail
from cases.workflow.contact_log import log_contact
from escalations.models import Question
from tests.support.browser import enter
from tests.support.builders import Desk
from tests.support.stage import sweeps

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser, live_server, desk: Desk) -> Iterator[Page]:
    """A window of the technician; an error of a script fails the test."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=live_server.url).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    enter(page, desk.technician, live_server.url)
    yield page
    assert errors == []


def tab_to(page: Page, goal: Locator, within: int = 60) -> None:
    """Press Tab until the goal has the focus."""
    for _ in range(within):
        page.keyboard.press("Tab")
        if goal.evaluate("goal => goal === document.activeElement"):
            return
    raise AssertionError(f"{goal} is not reached with {within} Tabs")


@pytest.mark.parametrize("address", ["", "cases/case/", "cases/case/{}/change/", "contacts/company/"])
def test_the_first_tab_leads_past_the_sidebar(page: Page, desk: Desk, address: str) -> None:
    page.goto("/admin/" + address.format(desk.open_case().pk))
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).not_to_be_in_viewport()
    tab_to(page, skip, within=1)
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('#content').contains(document.activeElement)")


def test_a_technician_answers_writes_and_resolves_by_keys_alone(
    page: Page, live_server, desk: Desk
) -> None:  # C4, E8, S4
    now = timezone.now()
    case = desk.open_case(now - timedelta(hours=13), severity=Severity.CRITICAL, owner=desk.l3)
    sweeps(now)
    question = Question.objects.get(case=case, ended_at=None)
    enter(page, question.asked, live_server.url)
    page.goto(case.get_absolute_url())
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # past the sidebar
    tab_to(page, page.locator(".desk-next-line").get_by_role("link"), within=12)
    page.keyboard.press("Enter")
    answer = page.locator('[data-desk-form-of="answer_question"]')
    expect(answer.get_by_label("Your answer, in a line")).to_be_focused()
    page.keyboard.type("The fuse is being changed.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#desk-conversation").get_by_text("The fuse is being changed.")).to_be_visible()
    question.refresh_from_db()
    assert question.ended_at is not None

    page.keyboard.press("r")
    mail = page.locator('[data-desk-form-of="write_to_customer"]')
    expect(mail.locator("textarea").first).to_be_focused()
    page.keyboard.type("We are changing the fuse.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#desk-conversation").get_by_text("We are changing the fuse.")).to_be_visible()
    assert Mail.objects.filter(case=case, template="message", to_address=case.contact.email).count() == 1

    page.keyboard.press(".")
    solving = page.locator('[data-desk-form-of="resolve"]')
    expect(solving.get_by_label("Why it closes")).to_be_focused()
    page.keyboard.type("Customer confirmed")
    page.keyboard.press("Control+Enter")  # refused: neither how they agreed nor the solution
    expect(solving.get_by_text("Write the solution")).to_be_visible()
    expect(solving.get_by_label("How they agreed")).to_be_focused()
    page.keyboard.type("By phone")
    tab_to(page, solving.get_by_label("Solution"), within=5)
    page.keyboard.type("A new fuse.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("nav").get_by_role("link", name="Reopen")).to_be_visible()
    assert (Case.objects.get().status, Case.objects.get().solution) == (Status.RESOLVED, "A new fuse.")


@pytest.mark.parametrize(
    ("key", "slug"),
    [
        ("r", "write_to_customer"),
        ("c", "log_contact"),
        ("a", "ask_customer"),
        ("n", "add_note"),
        ("e", "change_severity"),
    ],
)
def test_each_key_leads_into_its_form(page: Page, desk: Desk, key: str, slug: str) -> None:
    page.goto(desk.open_case().get_absolute_url())
    page.keyboard.press(key)
    expect(page.locator(f'[data-desk-form-of="{slug}"]')).to_be_visible()
    assert page.evaluate(f"""document.querySelector('[data-desk-form-of="{slug}"]').contains(document.activeElement)""")
    page.keyboard.type("?")  # a letter like any other where one writes
    expect(page.locator("#desk-keys")).to_be_hidden()


def test_menus_rows_the_list_of_keys_and_the_conversation(page: Page, desk: Desk) -> None:
    case = desk.open_case()
    for number in range(20):
        log_contact(
            case.pk,
            desk.technician,
            timezone.now(),
            channel=Channel.NOTE,
            direction=Direction.INTERNAL,
            body=f"Note {number}\n" * 4,
        )
    page.goto(case.get_absolute_url())
    more = page.locator(".desk-composer-tabs summary")
    tab_to(page, more, within=90)
    page.keyboard.press("Enter")
    tab_to(page, page.locator(".desk-composer-tabs .desk-menu-item").first, within=1)
    page.keyboard.press("Escape")
    expect(page.locator(".desk-composer-tabs [data-desk-menu][open]")).to_have_count(0)
    expect(more).to_be_focused()

    row = page.locator("#panel-promises > summary")
    tab_to(page, row)
    page.keyboard.press("Enter")
    expect(page.locator("#panel-promises .desk-row-panel")).not_to_contain_text("Show it")
    expect(row).to_be_focused()

    page.keyboard.press("?")
    keys = page.locator("#desk-keys")
    expect(keys).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    expect(row).to_be_focused()

    pane = page.locator("#desk-conversation .desk-scroll")
    words = page.locator("#desk-show-words")
    words.focus()
    page.keyboard.press("Enter")
    expect(words).to_have_attribute("aria-current", "true")  # it was loaded anew
    expect(words).to_be_focused()
    tab_to(page, pane, within=9)
    before = pane.evaluate("pane => pane.scrollTop")
    page.keyboard.press("ArrowUp")
    page.wait_for_function("before => document.querySelector('.desk-scroll').scrollTop < before", arg=before)


def test_a_refused_page_leads_to_its_first_field_in_error(page: Page, desk: Desk) -> None:  # D3, S4
    page.goto("/admin/cases/case/add/")
    for field, words in (("company", "Acme"), ("contact", "End user")):
        page.locator(f"#id_{field} + .select2 [role=combobox]").focus()
        page.keyboard.press("Enter")
        page.keyboard.type(words)
        expect(page.locator(".select2-results__option--highlighted", has_text=words)).to_be_visible()
        page.keyboard.press("Enter")
    page.locator("#id_title").focus()
    page.keyboard.type("My mouse is broken")
    page.keyboard.press("Enter")
    expect(page.get_by_text("is not the corporate help desk of Acme").first).to_be_visible()
    expect(page.locator("#id_contact + .select2 [role=combobox]")).to_be_focused()
    assert Interaction.objects.count() == 0


def test_a_refusal_without_a_field_keeps_the_focus_in_the_form(page: Page, desk: Desk) -> None:  # S4
    page.goto(desk.open_case().get_absolute_url())
    page.keyboard.press("n")
    note = page.locator('[data-desk-form-of="add_note"]')
    expect(note.locator("textarea")).to_be_focused()
    page.keyboard.type("Half a thought")
    tab_to(page, note.locator("button[type=submit]"), within=6)
    page.context.set_offline(True)
    page.keyboard.press("Enter")
    expect(note.get_by_text("could not be reached")).to_be_visible()
    expect(note.locator("button[type=submit]")).to_be_focused()
