"""Several workers look for due digests at the same instant: each reader gets one (S1)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from cases.enums import Channel, Severity
from cases.models import Mail
from contacts.enums import Role
from escalations.daily_digest import apply
from escalations.daily_digest.apply import send_daily_digests
from escalations.models import DailyDigest
from tests.support.builders import build_company, build_desk, build_user
from tests.support.workers import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

EIGHT = datetime(2026, 6, 3, 8, 0, tzinfo=UTC)


def test_workers_that_look_together_write_each_digest_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "BATCH", 2)
    desk = build_desk()
    for _ in range(7):
        company = build_company(account_manager=build_user(Role.ACCOUNT_MANAGER))
        desk.open_case(EIGHT - timedelta(hours=30), severity=Severity.HIGH, channel=Channel.EMAIL, company=company)
    at_once(*(partial(send_daily_digests, EIGHT + timedelta(milliseconds=offset)) for offset in (0, 0, 3)))
    send_daily_digests(EIGHT + timedelta(minutes=1))  # what was locked by another one at that moment
    written = Counter(Mail.objects.filter(template="daily_digest").values_list("to_address", flat=True))
    assert len(written) == 7
    assert set(written.values()) == {1}
    assert DailyDigest.objects.filter(retry_at=None).count() == 10
