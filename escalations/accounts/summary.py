"""A company on one page, for the call with its customer: only what they may read themselves (C3, P2), and the promises.

Made from the public view of a case and never from the rows behind it: no notes, no roles, no mail to staff.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cases.models import Case
from cases.models.case import load_people
from cases.portal.state import PublicLine, public_lines
from contacts.models import Company
from escalations.accounts.state import READ, Kept, promises_kept, shortened
from escalations.sla.mail import LastSaid

#: How many open cases, and cases that were resolved lately, fit on the page.
OPEN_SHOWN, RESOLVED_SHOWN = 14, 6
RESOLVED_WITHIN = timedelta(days=30)
#: Characters of what was last said.
QUOTED = 150


@dataclass(frozen=True)
class SummaryLine:
    """A case on the summary: its public line, its severity, and what its customer last read or said."""

    line: PublicLine
    severity: str
    said: str
    said_at: datetime | None


@dataclass(frozen=True)
class Summary:
    """The summary of a company; `more` open cases did not fit, or at least so many."""

    open_cases: list[SummaryLine]
    more: str
    resolved: list[PublicLine]
    kept: list[Kept]


def summary_of(company: Company, now: datetime) -> Summary:
    """What the customer may read of their company's cases, in English; a fixed number of queries."""
    found = list(Case.objects.open().filter(company=company).soonest_first()[: READ + 1])
    shown = found[:OPEN_SHOWN]
    lately = Case.objects.filter(company=company, changed_at__gt=now - RESOLVED_WITHIN, resolved_at__isnull=False)
    resolved = list(lately.order_by("-changed_at")[:RESOLVED_SHOWN])
    load_people([*shown, *resolved])
    words = LastSaid(shown) if shown else None
    lines = []
    for case, line in zip(shown, public_lines(shown, now), strict=True):
        quote = words.of(case.pk, for_customer=True) if words else None
        # What we wrote down of a call is for staff: of it the page says only that there was one (T3).
        said = (shortened(quote.text, QUOTED) or f"We {quote.contact}") if quote is not None else ""
        lines.append(SummaryLine(line, case.get_severity_display(), said, quote.at if quote else None))
    left = len(found) - len(shown)
    more = f"{READ - OPEN_SHOWN}+" if len(found) > READ else str(left) if left else ""
    return Summary(lines, more, public_lines(resolved, now), promises_kept(company, now))
