"""The moments at which the sweeps look at a case: what changes it sets them, and no stale copy puts them back (S1)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cases.models import Case
from tests.support.builders import NOON, Desk

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)


@pytest.mark.parametrize("check", ["escalation", "follow_up", "sla"])
def test_a_copy_that_was_read_before_a_recheck_does_not_undo_it(desk: Desk, check: str):
    stale = desk.open_case()
    Case.objects.filter(pk=stale.pk).recheck(check, LATER)
    stale.title = "Nobody can print"
    stale.save()
    case = Case.objects.get(pk=stale.pk)
    assert getattr(case, f"{check}_check_at") == LATER
    assert case.title == "Nobody can print"


def test_a_check_column_that_is_named_is_saved(desk: Desk):
    case = desk.open_case()
    case.sla_check_at = LATER
    case.save(update_fields=["sla_check_at"])
    assert Case.objects.get(pk=case.pk).sla_check_at == LATER


def test_a_new_row_keeps_its_check_columns(desk: Desk):
    case = desk.open_case(NOON)
    assert case.escalation_check_at == case.sla_check_at == NOON


def test_a_recheck_of_one_case_stands_in_the_row_and_in_memory(desk: Desk):
    case = desk.open_case()
    case.recheck("follow_up", LATER)
    assert case.follow_up_check_at == Case.objects.get(pk=case.pk).follow_up_check_at == LATER


def test_a_case_that_was_read_in_part_saves_what_was_read(desk: Desk):
    case = desk.open_case()
    part = Case.objects.defer("description").get(pk=case.pk)
    Case.objects.filter(pk=case.pk).update(description="Written meanwhile.")
    part.title = "Nobody can print"
    part.save()
    row = Case.objects.get(pk=case.pk)
    assert (row.title, row.description) == ("Nobody can print", "Written meanwhile.")
