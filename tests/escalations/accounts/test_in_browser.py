"""An account manager's morning: the digest, the page of a company, a case that is muted, what was seen (W4, T5)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from cases.enums import Channel, Direction, Severity
from cases.mail.rendering import render
from cases.models import Mail
from cases.workflow.contact_log import log_contact
from contacts.models import User
from escalations.daily_digest.apply import send_daily_digests
from tests.support.browser import complaints_of, enter, picture
from tests.support.builders import Desk
from tests.support.stage import sweeps

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOUR = timedelta(hours=1)
#: What axe calls serious or critical, as the page is and in the dark.
LOOK = """async () => {
  const found = async () => (await axe.run("html", { resultTypes: ["violations"], preload: false })).violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id} at ${node.target.flat()}: ${node.failureSummary}`));
  const light = await found();
  document.documentElement.classList.add("dark");
  return [...light, ...await found()];
}"""


def accessible(page: Page) -> None:
    assert page.evaluate(f"{AXE_SCRIPT}\n({LOOK})()") == [], page.url
    page.evaluate("document.documentElement.classList.remove('dark')")


def test_an_account_managers_morning(browser: Browser, live_server: Any, desk: Desk, settings: Any) -> None:
    now = timezone.now()
    settings.SITE_URL = live_server.url
    case = desk.open_case(now - 30 * HOUR, severity=Severity.HIGH, channel=Channel.EMAIL, title="Nobody can print")
    desk.open_case(now - HOUR, severity=Severity.LOW, channel=Channel.EMAIL, title="A mouse squeaks")
    log_contact(
        case.pk, desk.technician, now, channel=Channel.NOTE, direction=Direction.INTERNAL, body="The vendor is asked."
    )
    sweeps(now)
    # The next Monday morning of the reader, whose zone is UTC.
    monday = (now + timedelta(days=(7 - now.weekday()) % 7 or 7)).replace(hour=8)
    send_daily_digests(monday)
    mail = Mail.objects.get(template="daily_digest", to_address="am@example.com")

    page = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=live_server.url).new_page()
    complaints = complaints_of(page)
    for width in (320, 600, 900):
        page.set_viewport_size({"width": width, "height": 900})
        page.set_content(render(mail).html)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
        picture(page, f"digest-{width}")
    page.set_viewport_size({"width": 1440, "height": 900})

    enter(page, desk.account_manager, live_server.url)
    page.goto("/admin/")
    page.get_by_role("region", name="My companies").get_by_role("link", name="Acme", exact=True).click()
    expect(page.get_by_role("region", name="What is owed next")).to_contain_text("Nobody can print")
    changed = page.get_by_role("region", name="What changed")
    expect(changed).to_contain_text("The vendor is asked.")
    page.reload()
    expect(changed).to_contain_text("The vendor is asked.")
    changed.get_by_role("button", name="Mark as seen").click()
    expect(changed).not_to_contain_text("The vendor is asked.")
    changed.get_by_role("button", name="Show again what I saw before").click()
    expect(changed).to_contain_text("The vendor is asked.")
    picture(page, "account-1440")
    accessible(page)
    for width in (420, 768):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width

    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("link", name=re.compile("Nobody can print")).first.click()
    page.get_by_role("button", name="Mute", exact=True).click()
    expect(page.get_by_role("button", name="Unmute", exact=True)).to_be_visible()
    page.get_by_role("link", name="Acme", exact=True).click()
    expect(page.get_by_text("Muted", exact=True)).to_be_visible()

    page.get_by_role("link", name="Summary for the call").click()
    expect(page.get_by_role("heading", name="Acme")).to_be_visible()
    expect(page.get_by_text("The vendor is asked.")).to_have_count(0)
    accessible(page)
    paper = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1

    stranger = browser.new_context(base_url=live_server.url).new_page()
    stranger.goto(mail.facts["off_url"])
    accessible(stranger)
    stranger.get_by_role("button", name="Switch it off").click()
    expect(stranger.get_by_role("heading", name="The daily digest is off")).to_be_visible()
    assert not User.objects.get(pk=desk.account_manager.pk).daily_digest
    assert complaints == []
