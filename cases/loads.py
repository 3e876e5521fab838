"""How many open cases each owner has, without counting them (C6): read from a tally that the database keeps."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection, transaction
from django.db.models import Sum

from cases.enums import Severity
from cases.models import LoadEntry
from cases.policy.assignment import WEIGHT

#: With so many entries the tally is counted anew: reading it takes a few milliseconds by then.
COUNTED_ANEW_AFTER = 5_000
COUNT_CASES = """
INSERT INTO cases_loadentry (owner_id, severity, cases)
SELECT owner_id, severity, count(*) FROM cases_case
WHERE status <> 'resolved' AND owner_id IS NOT NULL GROUP BY owner_id, severity
"""


def open_loads(user_ids: Collection[int]) -> dict[int, int]:
    """Open cases of each owner, weighted 8/4/2/1 by severity (C6); one query."""
    loads = dict.fromkeys(user_ids, 0)
    for owner_id, severity, cases in LoadEntry.objects.values_list("owner_id", "severity").annotate(Sum("cases")):
        if owner_id in loads:
            loads[owner_id] += WEIGHT[Severity(severity)] * cases
    return loads


def count_loads_if_worn() -> int:
    """Count the open cases anew if the tally has many entries, so that it stays short. Returns how many, or 0."""
    entries = LoadEntry.objects.count()
    if entries < COUNTED_ANEW_AFTER:
        return 0
    count_loads()
    return entries


def count_loads() -> None:
    """Count the open cases of every owner anew, in place of the entries so far, also of wrong ones (a restore without
    triggers). Cases may change meanwhile: what is not committed yet is neither among the entries that go nor counted.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("LOCK TABLE cases_loadentry IN SHARE UPDATE EXCLUSIVE MODE")  # one at a time
            # One statement, which reads entries and cases as of one moment
            cursor.execute(f"WITH gone AS (DELETE FROM cases_loadentry) {COUNT_CASES}")
        else:
            cursor.execute("DELETE FROM cases_loadentry")  # nobody else writes from now on
            cursor.execute(COUNT_CASES)
