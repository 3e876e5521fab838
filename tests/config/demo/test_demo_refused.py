"""`manage.py demo` on a desk that is not the demonstration's: refused, or nothing to say."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from contacts.models import Company, User
from escalations.models import ScheduleVersion

pytestmark = pytest.mark.django_db


def logins() -> str:
    out = StringIO()
    call_command("demo", "--logins", stdout=out)
    return out.getvalue()


def test_a_desk_with_people_of_its_own_is_left_alone():
    Company.objects.create(name="Acme", country="DE", time_zone="Europe/Berlin")
    with pytest.raises(CommandError, match="has companies already"):
        call_command("demo")
    assert not User.objects.exists()


def test_a_desk_in_production_is_never_filled(settings: Any):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="production"):
        call_command("demo")
    assert not ScheduleVersion.objects.exists()


def test_a_desk_without_a_demonstration_has_no_logins_to_offer():
    User.objects.create_superuser("admin", "admin@example.com", "my own secret")
    assert "sign in with your own account" in logins()
