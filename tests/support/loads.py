"""The loads of technicians, counted from the cases."""

from __future__ import annotations

from collections import Counter

from cases.enums import Severity
from cases.models import Case
from cases.policy.assignment import WEIGHT
from contacts.models import User


def counted_loads() -> dict[int, int]:
    """Open cases of every user, weighted by severity (C6), as a count of the cases gives them."""
    loads = Counter(dict.fromkeys(User.objects.values_list("pk", flat=True), 0))
    for owner_id, severity in Case.objects.open().exclude(owner=None).values_list("owner_id", "severity"):
        loads[owner_id] += WEIGHT[Severity(severity)]
    return dict(loads)
