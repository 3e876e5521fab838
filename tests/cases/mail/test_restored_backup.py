"""A restored backup lets the engine do again what it did after the backup was made: with the same Message-IDs (M2)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import transaction

from cases.enums import Channel, Severity, WaitReason
from cases.followup.apply import follow_up
from cases.models import Mail
from cases.workflow import transitions
from escalations.points.apply import escalate
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
BY_THE_DESK = ("escalation", "status_update", "notice_1")


def work(now: datetime) -> dict[str, str]:
    """Let the engine look. Returns the Message-IDs of what it wrote by itself, by key."""
    for sweep in (escalate, keep_promises, follow_up):
        sweep(now)
    return dict(Mail.objects.filter(template__in=BY_THE_DESK).values_list("key", "message_id"))


def test_what_the_engine_writes_again_after_a_restore_carries_the_same_message_id(desk: Desk) -> None:
    waiting = desk.open_case(NOON - 48 * HOUR, severity=Severity.LOW, channel=Channel.EMAIL)
    how = {"question": "?", "reason": WaitReason.CANNOT_NOW, "send": False, "channel": Channel.PHONE}
    transitions.ask_customer(waiting.pk, desk.technician, NOON - 48 * HOUR, **how)
    desk.open_case(NOON - 4 * HOUR, severity=Severity.CRITICAL, channel=Channel.EMAIL)
    with transaction.atomic():
        before = work(NOON + timedelta(minutes=1))
        transaction.set_rollback(True)
    again = work(NOON + timedelta(minutes=31))
    assert {mail.template for mail in Mail.objects.filter(key__in=before)} == set(BY_THE_DESK)
    assert again == before
