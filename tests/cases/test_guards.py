"""What a refusal says of the right that is lacking (A1, S4)."""

from __future__ import annotations

import pytest

from cases.guards import NotAllowed
from cases.workflow import handing_on
from contacts.enums import Right
from contacts.permissions import who_may
from tests.support.builders import NOON, Desk


@pytest.mark.parametrize(
    ("right", "said"),
    [
        (Right.WORK_CASES, "technicians and support managers"),
        (Right.REASSIGN, "support managers"),
        (Right.DECIDE_PASSED_ON, "customer service managers"),
    ],
)
def test_the_roles_that_have_a_right_are_named(right: Right, said: str):  # A1
    assert who_may(right) == said


@pytest.mark.django_db
def test_a_technician_who_is_refused_does_not_read_that_it_takes_a_technician(desk: Desk):  # A1, S4
    with pytest.raises(NotAllowed, match="You may not reassign a case: that is for support managers"):
        handing_on.give_on_cases(desk.l3, desk.technician, NOON, reason="x")
