"""The support page in a real browser: drafts, and nothing that the policy of the page forbids (P3, S4)."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from cases.enums import Channel
from cases.models import Interaction
from contacts.entrances import SUPPORT_COOKIE
from tests.support.builders import Desk
from tests.support.customers import signed_in_customer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_what_is_typed_survives_until_it_has_arrived(browser: Browser, live_server, desk: Desk) -> None:  # P3
    case = desk.open_case()
    key = signed_in_customer(desk.contact).cookies[SUPPORT_COOKIE].value
    context = browser.new_context(base_url=live_server.url)
    context.add_cookies([{"name": SUPPORT_COOKIE, "value": key, "url": f"{live_server.url}/support/"}])
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))

    page.goto(f"/support/cases/{case.pk}/")
    page.get_by_label("Your message").fill("It hums since noon.")
    page.goto("/support/")
    page.goto(f"/support/cases/{case.pk}/")
    expect(page.get_by_label("Your message")).to_have_value("It hums since noon.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("your message has arrived")).to_be_visible()
    expect(page.get_by_label("Your message")).to_have_value("")
    assert Interaction.objects.get(case=case, channel=Channel.PAGE).body == "It hums since noon."

    page.goto("/support/cases/new/")
    page.get_by_label("What is it about?").fill("The tape robot hums")
    page.reload()
    expect(page.get_by_label("What is it about?")).to_have_value("The tape robot hums")
    page.get_by_label("What happens?").fill("It hums since noon.")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Open the case").click()
    expect(page.get_by_role("heading", name="The tape robot hums")).to_be_visible()
    page.goto("/support/cases/new/")
    expect(page.get_by_label("What is it about?")).to_have_value("")
    assert said == []
