"""A mail with a file and a copy, written with mouse and keyboard in a real Chromium (C3, S4)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from cases.models import Attachment, Interaction, Mail
from contacts.models import Contact
from tests.support.browser import log_in, picture
from tests.support.builders import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser, live_server: Any, settings: Any, tmp_path: Path) -> Iterator[Page]:
    """A fresh window; an error of a script on any page fails the test."""
    settings.DESK_FILES_DIR = tmp_path / "files"
    page = browser.new_context(viewport={"width": 1440, "height": 1000}, base_url=live_server.url).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert errors == []


def chosen(form: Any) -> list[str]:
    """The names of the files that the form holds."""
    names: list[str] = form.get_by_label("Files").evaluate("field => [...field.files].map(file => file.name)")
    return names


def test_a_file_and_a_copy_go_with_a_mail(page: Page, desk: Desk, settings: Any) -> None:  # C3, S4
    settings.DESK_LARGEST_FILE = 1_000_000
    case = desk.open_case()
    Contact.objects.create(company=desk.company, name="Yuki Tanaka", email="yuki@acme.example.com", is_help_desk=True)
    log_in(page, "tech")
    page.goto(f"{case.get_absolute_url()}?do=write_to_customer#do")
    form = page.locator('[data-desk-form-of="write_to_customer"]')
    form.get_by_label("Message").fill("Please install this.")
    form.get_by_label("Yuki Tanaka").check()

    # Too large: said before anything is sent.
    files = form.get_by_label("Files")
    files.set_input_files({"name": "big.log", "mimeType": "text/plain", "buffer": b"x" * 1_000_001})
    assert files.evaluate("field => field.validationMessage") == ("“big.log” has 1.0 MB, and a file may have 1.0 MB.")
    # A program: the desk says so, and words, tick and files are kept.
    program = {"name": "fix.exe", "mimeType": "text/plain", "buffer": b"MZ\0\0"}
    log = {"name": "steps.txt", "mimeType": "image/png", "buffer": b"1. Press the button."}
    files.set_input_files([program, log])
    form.get_by_role("button", name="Write to the customer").click()
    expect(form.get_by_text("“fix.exe” is a program or a script")).to_be_visible()
    expect(form.get_by_label("Message")).to_have_value("Please install this.")
    expect(form.get_by_label("Yuki Tanaka")).to_be_checked()
    assert chosen(form) == ["fix.exe", "steps.txt"]
    expect(page.get_by_text("Choose the files again")).to_have_count(0)
    picture(page, "file-refused")

    form.get_by_label("Files").set_input_files([log])
    form.get_by_role("button", name="Write to the customer").click()
    expect(page.get_by_text(f"The mail is on its way to {case.contact.name} and Yuki Tanaka.")).to_be_visible()
    picture(page, "file-sent")
    row = Attachment.objects.get()
    assert (row.name, row.content_type) == ("steps.txt", "text/plain")
    word = Interaction.objects.filter(case=case).last()
    assert word is not None
    assert (word.body, word.copied_names) == ("Please install this.", ["Yuki Tanaka"])
    mails = Mail.objects.filter(template="message").order_by("pk")
    assert [mail.to_address for mail in mails] == ["desk@acme.example.com", "yuki@acme.example.com"]
    assert all(mail.facts["files"][0]["id"] == row.pk for mail in mails)

    with page.expect_download() as download:  # never shown in a tab
        page.evaluate("address => { location.href = address }", row.get_absolute_url())
    assert download.value.suggested_filename == "steps.txt"
    assert Path(download.value.path()).read_bytes() == b"1. Press the button."


def test_a_logged_contact_asks_only_what_fits_it(page: Page, desk: Desk) -> None:  # C3
    case = desk.open_case()
    log_in(page, "tech")
    page.goto(f"{case.get_absolute_url()}?do=log_contact#do")
    form = page.locator('[data-desk-form-of="log_contact"]')
    outcome, marked = form.get_by_label("How our call went"), form.get_by_label("The customer may read these words")
    expect(outcome).to_be_visible()
    for channel, direction, is_asked, is_marked in (
        ("email", "out", False, True),
        ("phone", "in", False, False),
        ("chat", "out", True, True),
        ("email", "in", False, False),
        ("phone", "out", True, True),
    ):
        form.get_by_label("Channel").select_option(channel)
        form.get_by_label("Who turned to whom").select_option(direction)
        expect(outcome).to_be_visible(visible=is_asked)
        expect(marked).to_be_visible(visible=is_marked)
    picture(page, "log-contact")
