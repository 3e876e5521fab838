"""How severities compare (C2). Pure."""

from cases.enums import Severity

#: Worst first, for "has it been raised or lowered?" (E4).
RANK = {severity: rank for rank, severity in enumerate(Severity)}

#: What each severity means, for whoever decides on one (C2).
DEFINITIONS = {
    Severity.CRITICAL: "The whole customer population is kept from regular business, or the impact is catastrophic.",
    Severity.HIGH: "A significant percentage is affected, or the impact is major.",
    Severity.MEDIUM: "A small percentage is affected, or the impact is significant.",
    Severity.LOW: "One user, a minor impact, or a request for information.",
}


def is_severe(severity: Severity) -> bool:
    """Whether it is Critical or High, of which the Support Manager is told (D6)."""
    return RANK[severity] <= RANK[Severity.HIGH]
