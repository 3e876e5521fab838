"""An automatic update says of one state one thing (M4, T3)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cases.enums import Severity
from cases.mail.rendering import render
from cases.models import Case, Mail
from cases.workflow import transitions
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("state", "is_so", "goes_on"),
    [
        ("nobody", "We are finding a specialist for", "We look for a specialist, and you hear"),
        ("assigned", "is assigned to tech.", "tech takes it up, and you hear"),
        ("started", "tech is working on", "tech goes on working on it, and you hear"),
    ],
)
def test_what_is_so_and_what_comes_next_agree(desk: Desk, state: str, is_so: str, goes_on: str):  # M4
    case = desk.open_case(severity=Severity.CRITICAL)
    if state == "started":
        transitions.start_work(case.pk, desk.technician, NOON)
    if state == "nobody":
        Case.objects.filter(pk=case.pk).update(owner=None)
    keep_promises(NOON + timedelta(hours=2))
    text = render(Mail.objects.get(template="status_update")).text
    assert is_so in text
    assert goes_on in text
    others = {"takes it up", "goes on working on it", "look for a specialist"}
    assert sum(words in text for words in others) == 1
