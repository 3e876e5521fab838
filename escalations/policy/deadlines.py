"""How soon a question is answered (E8) and a request decided (E9) before somebody else is told. Elapsed time."""

from __future__ import annotations

from datetime import timedelta

from cases.enums import Severity

#: E8: the Support Manager is told of a question that is unanswered after this time (decision). The schedule never asks
#: on a Low case, but its severity may have been lowered since.
ANSWER_WITHIN: dict[Severity, timedelta] = {
    Severity.CRITICAL: timedelta(minutes=30),
    Severity.HIGH: timedelta(hours=1),
    Severity.MEDIUM: timedelta(hours=4),
    Severity.LOW: timedelta(hours=4),
}

#: E9: a request that is undecided after this time goes on to the CSM.
DECIDE_WITHIN: dict[Severity, timedelta] = {
    Severity.CRITICAL: timedelta(minutes=30),
    Severity.HIGH: timedelta(minutes=30),
    Severity.MEDIUM: timedelta(hours=4),
    Severity.LOW: timedelta(hours=4),
}

#: E9: the interval of updates under management attention, which a request brings when no point is left to carry out.
ATTENTION_INTERVAL = timedelta(hours=4)
