"""Names as long as the forms allow stop nothing (S1): 150 characters of first name and as many of last name."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cases.bulk import insert
from cases.enums import Severity
from cases.models import FailedCase, Mail
from cases.workflow import handing_on
from contacts.enums import Role
from contacts.models import RoleHolder, User
from escalations.models import DigestLine
from escalations.points.apply import escalate
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk

pytestmark = pytest.mark.django_db


def test_the_longest_names_stop_no_opening_no_hand_over_no_sweep(desk: Desk) -> None:  # S1, S2
    User.objects.update(first_name="F" * 150, last_name="L" * 150)
    RoleHolder.objects.filter(role=Role.CSM).update(holder=None)  # whoever stands in is told for whom
    User.objects.filter(pk=desk.account_manager.pk).update(is_active=False)
    case = desk.open_case(severity=Severity.CRITICAL)
    handing_on.hand_over(case.pk, desk.manager, NOON, owner=desk.l3, reason="Knows it.")
    for hours in range(1, 26):
        keep_promises(NOON + timedelta(hours=hours))
        escalate(NOON + timedelta(hours=hours))
    assert not FailedCase.objects.exists(), FailedCase.objects.first().error
    assert Mail.objects.filter(template="escalation").exists()
    assert max(len(name) for name in Mail.objects.values_list("to_name", flat=True)) == 200
    assert max(len(name) for name in DigestLine.objects.values_list("to_name", flat=True)) == 200


def test_a_bulk_write_refuses_a_text_that_is_longer_than_its_field_on_every_database() -> None:
    row = Mail(key="x" * 201, template="message", queued_at=NOON, send_at=NOON, message_id="<1@x>")
    with pytest.raises(ValueError, match=r"too long for cases\.Mail\.key, which takes 200"):
        insert([row])
    row.key = "x" * 200
    insert([row])
    assert Mail.objects.get().key == "x" * 200
