"""`manage.py load_directory`: what every desk begins with (D4, E1)."""

import pytest
from django.core.management import call_command

from cases.enums import Severity
from contacts.models import SupportLine
from escalations.models import SchedulePoint, ScheduleVersion
from escalations.policy.schedule import PUBLISHED

pytestmark = pytest.mark.django_db


def load() -> None:
    call_command("load_directory", verbosity=0)


def test_a_new_desk_gets_the_published_schedule_in_force():  # E1
    load()
    version = ScheduleVersion.objects.get()
    assert not version.is_draft
    assert version.as_schedule() == PUBLISHED


def test_a_new_desk_gets_the_support_lines():  # D4
    load()
    assert dict(SupportLine.objects.values_list("name", "number")) == {
        "US": "(800) 546-5750",
        "United Kingdom": "(800) 085-3140",
        "France": "(800) 944-304",
        "India": "(800) 440-7016",
        "New Zealand": "(050) 861-7047",
        "Australia": "(800) 713-826",
        "International": "(215) 664-1615",
    }
    assert SupportLine.objects.get(country="").name == "International"


def test_loading_twice_changes_nothing():
    load()
    load()
    assert ScheduleVersion.objects.count() == 1
    assert SchedulePoint.objects.count() == 9
    assert SupportLine.objects.count() == 7


def test_what_people_edited_is_not_overwritten():
    load()
    SupportLine.objects.filter(name="France").update(number="(800) 000-000")
    SchedulePoint.objects.filter(severity=Severity.CRITICAL, number=1).update(mailed=[])
    load()
    assert SupportLine.objects.get(name="France").number == "(800) 000-000"
    assert SchedulePoint.objects.get(severity=Severity.CRITICAL, number=1).mailed == []


def test_a_line_that_people_deleted_does_not_come_back():
    load()
    SupportLine.objects.get(name="India").delete()
    load()
    assert not SupportLine.objects.filter(name="India").exists()


def test_not_even_when_they_deleted_every_line():
    load()
    for line in SupportLine.objects.all():
        line.delete()
    load()
    assert not SupportLine.objects.exists()


def test_a_desk_with_lines_of_its_own_gets_none_added():
    SupportLine.objects.create(name="Oslo", country="NO", number="1")
    load()
    assert SupportLine.objects.count() == 1
