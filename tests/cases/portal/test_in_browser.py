"""A customer signs in in a real browser: by code, then by a passkey, under the strict policy (P1)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from cases.models import Mail
from contacts.enums import Language
from contacts.models import Contact, Passkey
from tests.support.browser import authenticator, complaints_of, enter, picture
from tests.support.builders import build_desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def by_code(page: Page, site: str, address: str) -> None:
    page.goto(f"{site}/support/")
    page.get_by_label("Email address").fill(address)
    page.get_by_role("button", name="Mail me a code").click()
    expect(page.get_by_role("heading", name="Type the code")).to_be_visible()
    page.get_by_label("Code").fill(Mail.objects.filter(template="sign_in_code").latest("pk").facts["code"])
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_a_customer_signs_in_by_code_and_then_by_passkey(live_server: Any, browser: Browser):  # P1
    desk = build_desk()
    site = live_server.url.replace("127.0.0.1", "localhost")  # passkeys are bound to a name
    page = browser.new_page()
    complaints = complaints_of(page)
    authenticator(page)
    picture(page, "support-sign-in")
    by_code(page, site, desk.contact.email)
    heading = page.get_by_role("heading", name="Cases of Acme")
    expect(heading).to_be_visible()
    page.get_by_role("link", name="Passkeys").click()
    page.get_by_label("What you call this device").fill("My laptop")
    page.get_by_role("button", name="Add this device").click()
    expect(page.get_by_text("you can sign in with this device")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(heading).to_be_visible()
    key = Passkey.objects.get()
    assert (key.contact, key.name, key.used_at is not None) == (desk.contact, "My laptop", True)

    # The passkey belongs to whoever was reached at the address, and to nobody who comes after them.
    Contact.objects.filter(pk=desk.contact.pk).update(email="who.comes.after@acme.example.com")
    page.goto(f"{site}/support/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("This passkey does not open the page")).to_be_visible()
    assert complaints == []


def test_the_two_entrances_are_strangers_in_one_browser(live_server: Any, browser: Browser):  # P1
    desk = build_desk()
    page = browser.new_page()
    enter(page, desk.manager, live_server.url)
    page.goto(f"{live_server.url}/support/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    by_code(page, live_server.url, desk.contact.email)
    expect(page.get_by_text("Cases of Acme")).to_be_visible()
    page.goto(f"{live_server.url}/admin/")
    expect(page).to_have_url(re.compile("/admin/$"))
    page.goto(f"{live_server.url}/support/")
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{live_server.url}/admin/")
    expect(page).to_have_url(re.compile("/admin/$"))
    page.context.clear_cookies(name="sessionid")
    by_code(page, live_server.url, desk.contact.email)
    page.goto(f"{live_server.url}/admin/")
    expect(page).to_have_url(re.compile("/admin/login/"))


def test_signing_in_needs_no_script_and_speaks_japanese(live_server: Any, browser: Browser):  # P1, P7
    desk = build_desk()
    Contact.objects.filter(pk=desk.contact.pk).update(language=Language.JAPANESE)
    context = browser.new_context(java_script_enabled=False, viewport={"width": 420, "height": 900})
    page = context.new_page()
    page.goto(f"{live_server.url}/support/")
    page.get_by_role("link", name="日本語").click()
    page.get_by_label("メールアドレス").fill(desk.contact.email)
    picture(page, "support-sign-in-ja")
    page.get_by_role("button", name="コードをメールで受け取る").click()
    page.get_by_label("コード").fill(Mail.objects.get().facts["code"])
    picture(page, "support-code-ja")
    page.get_by_role("button", name="サインイン").click()
    expect(page.get_by_text("Acme様のお問い合わせ")).to_be_visible()
    page.get_by_role("link", name="パスキー").click()
    picture(page, "support-passkeys-ja")
    expect(page.get_by_role("button", name="この端末を追加する")).to_have_count(0)
