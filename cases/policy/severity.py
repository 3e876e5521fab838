"""How severities compare (C2). Pure."""

from cases.enums import Severity

#: Worst first, for "has it been raised or lowered?" (E4).
RANK = {severity: rank for rank, severity in enumerate(Severity)}


def is_severe(severity: Severity) -> bool:
    """Whether it is Critical or High, of which the Support Manager is told (D6)."""
    return RANK[severity] <= RANK[Severity.HIGH]
