"""Two technicians, two windows, one call: offered, not taken, to the next, taken, a case opened from it (Q2, Q4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from cases.enums import CallEventKind
from cases.models import Case, QueueEntry
from cases.queue.apply import sweep_queue
from cases.queue.events import ToldEvent, take_event
from contacts.models import User
from tests.support.browser import complaints_of, enter, picture
from tests.support.builders import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: What axe calls serious or critical, light and dark.
LOOK = """async () => {
  const found = async () => (await axe.run("html", { resultTypes: ["violations"], preload: false })).violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id} at ${node.target.flat()}: ${node.failureSummary}`));
  const still = document.createElement("style");
  still.textContent = "*, *::before, *::after { transition: none !important; animation: none !important; }";
  document.head.append(still);
  const light = await found();
  document.documentElement.classList.add("dark");
  const dark = await found();
  document.documentElement.classList.remove("dark");
  return [...light, ...dark];
}"""


@pytest.fixture
def windows(browser: Browser, live_server: Any) -> Iterator[Any]:
    """Opens windows for people; an error of a script, or of the policy, in any of them fails the test."""
    errors: list[str] = []
    said: list[list[str]] = []

    def window(user: User, width: int = 1440) -> Page:
        page = browser.new_context(viewport={"width": width, "height": 900}, base_url=live_server.url).new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        said.append(complaints_of(page))
        enter(page, user, live_server.url)
        return page

    yield window
    assert errors == []
    assert [text for texts in said for text in texts] == []


def accessible(page: Page, name: str) -> None:
    """Nothing serious before axe, and a picture in both colours."""
    assert page.evaluate(f"{AXE_SCRIPT}\n({LOOK})()") == [], name
    picture(page, f"{name}-light")
    page.evaluate("document.documentElement.classList.add('dark')")
    picture(page, f"{name}-dark")
    page.evaluate("document.documentElement.classList.remove('dark')")


def call(kind: CallEventKind, number: str = "+49301234567", call_id: str = "c1") -> None:
    take_event(ToldEvent("pbx", call_id, kind, number=number), timezone.now())


def test_one_call_and_two_technicians(windows: Any, desk: Desk) -> None:  # Q2, Q4, D3, T1
    contact = desk.contact
    contact.phone = "030 1234567"
    contact.save()
    desk.open_case(timezone.now() - timedelta(hours=2))
    pages = {user.pk: windows(user) for user in (desk.technician, desk.l3)}
    for page in pages.values():
        page.goto("/admin/")
    call(CallEventKind.ARRIVED)
    entry = QueueEntry.objects.get()
    first, second = pages.pop(entry.technician_id), next(iter(pages.values()))
    expect(first.get_by_role("alert")).to_contain_text("Help desk of Acme")
    expect(first).to_have_title(re.compile("Call: Help desk of Acme"))
    name = first.locator(".call-bar-who strong")
    covered_by = "one => { const box = one.getBoundingClientRect(); "
    covered_by += "return document.elementFromPoint(box.x + 2, box.y + box.height / 2) === one; }"
    assert name.evaluate(covered_by), "the name of the caller is covered"
    expect(second.locator("#call-take")).to_have_count(0)
    accessible(first, "bar-wide")

    # Twenty seconds later: the next one.
    QueueEntry.objects.update(offered_at=timezone.now() - timedelta(seconds=21))
    sweep_queue(timezone.now())
    expect(second.locator("#call-take")).to_be_visible(timeout=10_000)
    expect(first.locator("#call-take")).to_have_count(0, timeout=10_000)
    second.locator("#call-take").click()
    expect(second.get_by_role("heading", name="Help desk of Acme")).to_be_visible()
    expect(second.get_by_text("Nobody can print")).to_be_visible()
    accessible(second, "caller-wide")

    # What somebody else waits for stands on the board of the first.
    call(CallEventKind.ARRIVED, "+4989765432", "c2")
    call(CallEventKind.ARRIVED, "+4989765433", "c3")
    call(CallEventKind.ARRIVED, "+4989765434", "c4"), call(CallEventKind.ENDED, "+4989765434", "c4")
    first.goto("/admin/cases/queueentry/board/")
    expect(first.get_by_text("+49 89 765433")).to_be_visible()
    accessible(first, "board-wide")
    first.set_viewport_size({"width": 420, "height": 900})
    accessible(first, "board-narrow")

    second.get_by_role("link", name="Open a case from this call").click()
    second.get_by_label("Title").fill("The mail does not come in")
    second.get_by_role("button", name="Open the case").click()
    expect(second).to_have_url(re.compile(r"/admin/cases/case/\d+/change/"))
    case, entry = Case.objects.get(title="The mail does not come in"), QueueEntry.objects.get(call_id="c1")
    assert (entry.case, case.called_at, case.contact) == (case, entry.arrived_at, contact)
    second.locator("#call-over").click()
    expect(second.get_by_text("is over")).to_be_visible()
    second.set_viewport_size({"width": 420, "height": 900})
    accessible(second, "caller-narrow")
    second.goto(case.get_absolute_url())
    expect(second.get_by_text(re.compile(r"Waited .* talked "))).to_be_visible()


def test_a_call_is_passed_with_the_keyboard_and_the_page_stays(windows: Any, desk: Desk) -> None:  # Q2
    page = windows(desk.technician)
    page.goto("/admin/")
    page.get_by_label("A call comes in").fill("Ann")
    page.get_by_role("button", name="They wait").click()
    expect(page.get_by_text("Ann is in the queue.")).to_be_visible()
    entry = QueueEntry.objects.get()
    if entry.technician != desk.technician:  # of two who have never spoken, either may be first
        QueueEntry.objects.update(technician=desk.technician)
    page.reload()
    page.locator("#call-pass").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#call-take")).to_have_count(0, timeout=10_000)
    assert QueueEntry.objects.get().passed == {str(desk.technician.pk): 1}
