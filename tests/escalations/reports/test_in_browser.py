"""A report in a real browser: its chart, a bar that leads to its rows, nothing that axe finds (W4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.utils import timezone
from playwright.sync_api import Browser, expect

from cases.enums import Channel, Direction
from cases.workflow import contact_log
from escalations.policy.figures import REPORTS
from escalations.sla.apply import keep_promises
from tests.cases.queue.test_in_browser import LOOK
from tests.support.browser import enter
from tests.support.builders import Desk

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOUR = timedelta(hours=1)


def test_a_bar_leads_to_the_rows_that_it_counts(browser: Browser, live_server: Any, desk: Desk) -> None:
    now = timezone.now()
    for _ in range(2):
        case = desk.open_case(now - 9 * HOUR)
        contact_log.log_contact(
            case.pk, desk.technician, now - 9 * HOUR, channel=Channel.PHONE, direction=Direction.OUT, body="Called."
        )
    for hours in range(8, -1, -1):
        keep_promises(now - hours * HOUR)
    page = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=live_server.url).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    enter(page, desk.manager, live_server.url)
    for report in REPORTS:
        page.goto(f"/admin/escalations/reports/{report}/?by=severity&period=last-year")
        assert page.evaluate(f"{AXE_SCRIPT}\n({LOOK})()") == [], report
    page.goto("/admin/escalations/reports/promises/?by=severity&period=last-year")
    bar = page.locator(".desk-chart svg a").first
    figure = page.locator(f"td.dash-figure a[href='{bar.get_attribute('href')}']")
    count = int(figure.inner_text())
    assert count
    bar.click()
    expect(page.locator("#result_list tbody tr")).to_have_count(count)
    assert errors == []
