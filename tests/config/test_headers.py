"""The pages of staff keep their own policy: nothing the desk or the theme shows violates it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, expect

from contacts.models import User
from tests.support.browser import complaints_of, enter, open_form, open_row
from tests.support.builders import Desk, build_desk


@pytest.mark.django_db
def test_scripts_of_staff_pages_come_from_the_desk_alone(desk: Desk):
    policy = Client().get(reverse("admin:login")).headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval';" in policy  # Alpine, in the theme, evaluates its attributes
    assert "frame-ancestors 'none'" in policy
    assert "microphone=()" in Client().get("/admin/").headers["Permissions-Policy"]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_no_page_of_staff_violates_its_policy(live_server: Any, browser: Browser):
    desk = build_desk()
    case = desk.open_case()
    root = User.objects.create_superuser("root", password="secret", email="root@example.com")
    page = browser.new_page()
    complaints = complaints_of(page)
    page.goto(f"{live_server.url}/admin/login/")
    enter(page, root, live_server.url)
    lists = ("cases_case", "cases_mail", "contacts_user", "contacts_company", "contacts_supportcentre")
    mail = case.mails.first()
    for address in (
        reverse("admin:index"),
        *(reverse(f"admin:{name}_changelist") for name in lists),
        reverse("admin:escalations_scheduleversion_changelist"),
        reverse("admin:escalations_scheduleversion_change", args=[desk.schedule.pk]),
        reverse("admin:cases_case_add"),
        reverse("admin:contacts_supportcentre_change", args=[desk.centre.pk]),
        reverse("admin:auth_user_password_change", args=[desk.coo.pk]),
        reverse("admin:cases_mail_change", args=[mail.pk]),
        reverse("admin:cases_case_export"),
        reverse("admin:password_change"),
    ):
        answer = page.goto(live_server.url + address)
        assert getattr(answer, "status", None) == 200, address
        expect(page.locator("body")).to_be_visible()
    page.goto(live_server.url + case.get_absolute_url())
    open_form(page, "add_note")
    open_row(page, "forecast")
    page.keyboard.press("Control+k")
    assert complaints == []
