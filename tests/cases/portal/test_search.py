"""What a customer finds on the support page (P5): the whole past, by what they may read and by nothing else (C3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from cases.enums import Channel, Direction
from cases.models import Case
from cases.portal import search
from cases.portal.search import CasePage, Wanted, find_cases
from cases.workflow.contact_log import log_contact
from tests.support.builders import Desk

pytestmark = pytest.mark.django_db


def find(desk: Desk, typed: str, page: int = 1) -> CasePage:
    return find_cases(desk.contact, Wanted(typed, state="all", page=page))


def note(desk: Desk, case: Case, body: str) -> None:
    log_contact(
        case.pk, desk.technician, timezone.now(), channel=Channel.NOTE, direction=Direction.INTERNAL, body=body
    )  # fmt: skip


def tell(desk: Desk, case: Case, body: str, **more: Any) -> None:
    log_contact(
        case.pk, desk.technician, timezone.now(), channel=Channel.EMAIL, direction=Direction.OUT, body=body,
        send=True, **more,
    )  # fmt: skip


def test_the_oldest_case_is_found_behind_many_whose_notes_have_the_word(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "BATCH", 2)
    oldest = desk.open_case(timezone.now() - timedelta(days=900), title="Plain")
    tell(desk, oldest, "The gearbox was changed.")
    for number in range(7):
        note(desk, desk.open_case(title=f"Case {number}"), "gearbox")
    assert find(desk, "gearbox").cases == [oldest]


def test_pages_of_what_is_found_follow_each_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "BATCH", 2)
    monkeypatch.setattr(search, "PAGE", 3)
    wanted = []
    for number in range(5):
        wanted.append(desk.open_case(title=f"Valve {number}"))
        note(desk, desk.open_case(title=f"Case {number}"), "valve")
    first, second = find(desk, "valve"), find(desk, "valve", page=2)
    assert first.has_more
    assert not second.has_more
    assert [*first.cases, *second.cases] == wanted[::-1]


def test_a_note_does_not_change_what_is_found_inside_of_words(desk: Desk) -> None:  # A1
    case = desk.open_case(title="Turbolader")
    assert find(desk, "bolad").cases == [case]
    note(desk, desk.open_case(title="Another"), "bolad")
    assert find(desk, "bolad").cases == [case]


def test_a_case_is_found_by_the_name_of_a_file_that_its_customer_may_read(desk: Desk) -> None:
    sent, kept = desk.open_case(title="One"), desk.open_case(title="Two")
    tell(desk, sent, "Here it is.", attachments=[SimpleUploadedFile("manometer.txt", b"12 bar")])
    log_contact(
        kept.pk, desk.technician, timezone.now(), channel=Channel.NOTE, direction=Direction.INTERNAL, body="Kept.",
        attachments=[SimpleUploadedFile("manometer-inside.txt", b"13 bar")],
    )  # fmt: skip
    assert find(desk, "manometer").cases == [sent]
