"""A hand-over sheet by mouse: its owner rewords a line, the centre that covers accepts it (W3)."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.utils import timezone
from playwright.sync_api import Browser, expect

from contacts.models import User
from escalations.handover.apply import go_away
from escalations.models import HandoverLine
from tests.cases.queue.test_in_browser import LOOK
from tests.support.browser import enter
from tests.support.builders import Desk, build_technician

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_line_is_reworded_and_accepted_by_mouse(browser: Browser, live_server: Any, desk: Desk) -> None:
    tina = build_technician(desk.centre, name="tina")
    case = desk.open_case(timezone.now())
    owner = case.owner
    assert owner is not None
    sheet = go_away(owner, timezone.now())
    assert sheet is not None

    def window(user: User) -> Any:
        page = browser.new_context(viewport={"width": 420, "height": 900}, base_url=live_server.url).new_page()
        enter(page, user, live_server.url)
        page.goto(sheet.get_absolute_url())
        return page

    page = window(owner)
    page.get_by_text("Say it better").click()
    page.get_by_label("stands, for whoever takes it up").fill("Call Ana at 19:00.")
    assert page.evaluate(f"{AXE_SCRIPT}\n({LOOK})()") == []
    page.get_by_role("button", name="Save the line").click()
    expect(page.locator(".hand-stands")).to_contain_text("Call Ana at 19:00.")
    taker = tina if owner != tina else desk.technician
    page = window(taker)
    page.get_by_role("button", name=f"Accept {case.number}").click()
    expect(page.get_by_text(f"Accepted by {taker}")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert HandoverLine.objects.get().new_owner == taker
