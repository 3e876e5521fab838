"""Staff sign in in a real browser: password and authenticator app, then a passkey, under the policy of their pages."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, expect

from contacts.models import FailedSignIn
from tests.support.browser import authenticator, complaints_of, log_in, picture
from tests.support.builders import build_desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def code(secret: str, ahead: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + ahead))


def test_staff_sign_in_with_an_app_and_then_with_a_passkey(live_server: Any, browser: Browser):  # A3
    build_desk()
    site = live_server.url.replace("127.0.0.1", "localhost")
    page = browser.new_context(base_url=site).new_page()
    complaints = complaints_of(page)
    authenticator(page)
    log_in(page, "tech")
    picture(page, "staff-signed-in")

    page.goto("/admin/account/")
    picture(page, "staff-second-factor")
    page.get_by_role("link", name="Activate").click()
    page.locator("input[type=password]").fill("secret")
    page.get_by_role("button", name="Confirm").click()
    secret = page.locator("#authenticator_secret").input_value()
    picture(page, "staff-app")
    page.locator("input[name=code]").fill(code(secret))
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_role("heading", name="Recovery Codes")).to_be_visible()
    picture(page, "staff-recovery-codes")

    page.goto("/admin/account/webauthn/add/")
    picture(page, "staff-add-key")
    page.get_by_role("button", name="Add").click()
    expect(page).to_have_url(re.compile("/admin/account/$"))

    page.context.clear_cookies()
    page.goto("/admin/")
    page.get_by_label("Username").fill("tech")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Two-Factor Authentication")).to_be_visible()
    picture(page, "staff-code")
    page.locator("input[name=code]").fill(code(secret, ahead=1))  # the one before is used up
    page.get_by_role("button", name="Sign In", exact=True).click()
    expect(page).to_have_url(re.compile("/admin/$"))

    page.context.clear_cookies()
    page.goto("/admin/login/")
    picture(page, "staff-sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(re.compile("/admin/$"))
    assert complaints == []
    assert not FailedSignIn.objects.exists()
