"""How severities compare (C2). Pure."""

from cases.enums import Severity

#: Worst first, for "has it been raised or lowered?" (E4).
RANK = {severity: rank for rank, severity in enumerate(Severity)}
