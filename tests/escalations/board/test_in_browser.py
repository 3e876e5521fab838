"""The live board on a screen: changes only what is different, says when it is not fresh, is accessible (W4, W5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Browser, Route, expect

from cases.enums import Severity
from escalations.board import pages, state
from tests.cases.queue.test_in_browser import LOOK
from tests.support.browser import enter
from tests.support.builders import Desk

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_board_refreshes_itself_and_says_when_it_is_not_fresh(
    browser: Browser, live_server: Any, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "EVERY", 1)
    monkeypatch.setattr(state, "KEPT", timedelta(0))
    desk.open_case(timezone.now() - timedelta(hours=6), severity=Severity.HIGH)
    page = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=live_server.url).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    enter(page, desk.manager, live_server.url)
    page.goto("/admin/board/")
    young = page.locator("[data-tile=age] tbody tr").first.locator("a").first
    expect(young).to_have_text("0")
    page.evaluate("document.querySelector('[data-tile=points]').known = true")
    young.focus()
    desk.open_case(timezone.now(), severity=Severity.CRITICAL)
    cache.clear()
    expect(young).to_have_text("1")
    expect(young).to_be_focused()
    assert page.evaluate("document.querySelector('[data-tile=points]').known"), "a tile that says the same stays"
    assert page.evaluate(f"{AXE_SCRIPT}\n({LOOK})()") == []

    stale = page.locator("[data-desk-stale]")
    expect(stale).to_be_hidden()

    def fail(route: Route) -> None:
        route.abort()

    page.route("**/board/tiles/**", fail)
    expect(stale).to_be_visible()
    expect(stale).to_contain_text("Not fresh since")
    page.unroute("**/board/tiles/**", fail)
    expect(stale).to_be_hidden(timeout=10_000)
    young.click()
    expect(page.locator("h2", has_text="Critical cases open for under 4 h: 1")).to_be_visible()
    assert page.evaluate(f"{AXE_SCRIPT}\n({LOOK})()") == []
    assert errors == []
