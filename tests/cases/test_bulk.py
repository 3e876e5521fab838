"""Bulk writes: what they cannot convert is refused, on every database alike."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from django.db.models import Model

from cases.bulk import insert, insert_rows
from contacts.models import ClosureDay, OpeningSpan
from escalations.models import SchedulePoint
from tests.support.builders import NOON


@pytest.mark.parametrize(
    "row",
    [
        SchedulePoint(version_id=1, severity="high", number=1, after=timedelta(hours=4)),
        OpeningSpan(centre_id=1, weekday=0, opens=time(9), closes=time(17)),
        ClosureDay(centre_id=1, day=NOON.date()),
    ],
    ids=["DurationField", "TimeField", "DateField"],
)
def test_a_field_type_that_bulk_writes_cannot_convert_is_refused_by_name(row: Model, request) -> None:
    with pytest.raises(TypeError, match=request.node.callspec.id):  # before any query: this test has no database
        insert([row])


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(LookupError, match="has no column opened"):
        insert_rows(OpeningSpan, ["opened"], [])
