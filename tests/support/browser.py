"""What the tests in a browser share; `browser` is a fixture of conftest.py."""

from __future__ import annotations

import os
import re
from pathlib import Path

from django.conf import settings
from playwright.sync_api import Locator, Page, expect

from contacts.models import User
from tests.support.pages import signed_in


def picture(page: Page, name: str) -> None:
    """Take a screenshot of the page, where DESK_SCREENSHOTS names a folder."""
    folder = os.environ.get("DESK_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def open_form(page: Page, slug: str) -> Locator:
    """Open the form of an action by mouse, by its tab, a menu or a button beside it; the form."""
    links = page.locator(f'a[data-desk-form="{slug}"]')
    links.first.wait_for(state="attached")
    in_sight = [link for link in links.all() if link.evaluate("one => !one.closest('details:not([open])')")]
    if not in_sight:
        page.locator("details[data-desk-menu]", has=links).first.locator("summary").click()
    (in_sight or [links.first])[0].click()
    form = page.locator(f'[data-desk-form-of="{slug}"]')
    expect(form).to_be_visible()
    return form


def open_row(page: Page, slug: str) -> Locator:
    """Open a row of the side column of a case; its panel."""
    row = page.locator(f"#panel-{slug}")
    if row.get_attribute("open") is None:
        row.locator("summary").first.click()
    panel = row.locator(".desk-row-panel")
    expect(panel.get_by_text("Show it", exact=True)).to_have_count(0)
    return panel


def enter(page: Page, user: User, base_url: str) -> None:
    """Be a member of staff in this window, without the sign-in page."""
    client = signed_in(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": base_url}])


def log_in(page: Page, name: str) -> None:
    """Sign in by the page, as one of the users of the builders."""
    page.goto("/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile(r"/admin/$"))


def authenticator(page: Page) -> str:
    """Give the browser a device for passkeys, whose owner always agrees; its id."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    return str(devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"])


def complaints_of(page: Page) -> list[str]:
    """What the browser complains about from now on: violations of the policy, and errors of scripts."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints
