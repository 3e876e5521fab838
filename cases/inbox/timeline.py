"""Mail that came in on a case and is no contact of its log: bounces, delays, absence notes, what programs wrote (M6).

What programs wrote is folded as the desk's own routine is, so that what people wrote stands out.
"""

from __future__ import annotations

from collections.abc import Iterator

from cases.enums import ReceivedKind, ReceivedOutcome
from cases.mail.messages import Routine
from cases.models import Case, ReceivedMail
from cases.page_cache import has_other_mail
from cases.timeline import Entry, timeline_source

_BY_A_PROGRAM = Routine("automatic mail that came in", "automatic mails that came in", place=90)
_TITLES = {
    ReceivedOutcome.BOUNCE: "A message of ours did not arrive",
    ReceivedOutcome.DELAY: "A message of ours is late",
    ReceivedOutcome.ABSENCE: "Out-of-office note",
    ReceivedOutcome.ANSWER: "Answered by mail",
    ReceivedOutcome.PASSED_ON: "Passed on to the account manager",
}


@timeline_source
def received_mail(case: Case, enough: int) -> Iterator[Entry]:
    """What came in and is no contact; one query, none where there is no such mail."""
    if not has_other_mail(case):
        return
    # In triage it only seems to belong to the case (M5).
    rows = ReceivedMail.objects.filter(case=case, interaction=None).exclude(outcome=ReceivedOutcome.TRIAGE)
    for row in rows.defer("text", "quoted", "why", "proof").order_by("-received_at", "-pk")[:enough]:
        outcome = ReceivedOutcome(row.outcome)
        title = _TITLES.get(outcome) or f"{row.get_kind_display()}: {row.subject or 'no subject'}"
        yield Entry(
            at=row.received_at,
            kind="mail",
            icon="inbox",
            title=title,
            who=f"from {row.sender_name or row.sender or 'nobody'}",
            lines=[row.explanation] if row.explanation.rstrip(".") not in ("", title) else [],
            routine=_BY_A_PROGRAM if _is_of_no_interest(row) else None,
            is_lost=outcome == ReceivedOutcome.BOUNCE,
            received=row.pk,
        )


def _is_of_no_interest(row: ReceivedMail) -> bool:
    """A program wrote it, and nothing came of it."""
    return row.outcome == ReceivedOutcome.NOTHING and row.kind != ReceivedKind.PERSON
