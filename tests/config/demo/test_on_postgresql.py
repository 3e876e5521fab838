"""The demonstration on PostgreSQL: each fourth entry of its programme. The whole is looked at on one database."""

from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.test import override_settings

from cases.enums import MailStatus, Status
from cases.models import Case, FailedCase, Mail, ReceivedMail, Refusal
from config.demo import programme
from escalations.models import Escalation
from tests.config.demo.test_demo import NOW


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db
def test_each_fourth_entry_of_the_programme_is_played(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(programme, "PROGRAMME", programme.PROGRAMME[::4])
    with time_machine.travel(NOW, tick=False), override_settings(MAIL_IS_KEPT=False):
        call_command("demo", stdout=StringIO())
    assert set(Case.objects.values_list("status", flat=True)) == set(Status)
    assert Escalation.objects.filter(carried_out=True).exists()
    assert Refusal.objects.exists()
    assert ReceivedMail.objects.exists()
    assert Mail.objects.filter(status=MailStatus.SENT).exists()
    assert not FailedCase.objects.exists()
