"""The letters of a hand-over: the sheet to whoever is on duty at the centre that covers, and what nobody accepted to
the Support Manager (W3). Customers are not written to: nothing changes for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from cases.enums import Severity
from cases.mail.letters import Letter
from cases.mail.ownership import ALL_GO_ON
from contacts.directory import Addressee, Directory, addressee, is_reachable
from contacts.enums import Language, Role
from contacts.models import User
from escalations.models import HandoverLine, HandoverSheet

#: So many cases stand in a mail; the sheet has all of them.
LISTED = 40


def sheet_letters(sheet: HandoverSheet, lines: Sequence[HandoverLine], crew: Sequence[User]) -> list[Letter]:
    """The sheet, to everybody who is on duty at the centre that covers; nobody stands in for who has no address."""
    what = _facts(
        sheet,
        lines,
        why=f"you are on duty at {sheet.to_centre}, which covers after {sheet.giver}",
        expected="Accept the cases that you take up: one by one, or all of them, on the page of the sheet.",
        then=f"What nobody has accepted by then is the Support Manager's. {ALL_GO_ON}",
    )
    return [_letter(sheet, "handover_sheet", to, what) for to in (addressee(one) for one in crew if is_reachable(one))]


def not_accepted_letters(sheet: HandoverSheet, lines: Sequence[HandoverLine], directory: Directory) -> list[Letter]:
    """What nobody has accepted, to the Support Manager of the centre that covers (D4, D5)."""
    what = _facts(
        sheet,
        lines,
        why="nobody has accepted these cases, so they are the Support Manager's",
        expected="Accept them on the page of the sheet: each goes to somebody on duty. "
        "Or give them to whom you choose.",
        then=f"{ALL_GO_ON} Until somebody accepts them their owners keep them, who are at the end of their day.",
    )
    readers = directory.for_role(Role.SUPPORT_MANAGER, sheet.to_centre_id or sheet.centre_id)
    return [_letter(sheet, "handover_not_accepted", to, what) for to in readers]


def _letter(sheet: HandoverSheet, template: str, to: Addressee, what: dict[str, Any]) -> Letter:
    return Letter(f"{template}:{sheet.pk}:{to.address}", template, to, what, None, occasion=sheet.ends_at)


def _facts(
    sheet: HandoverSheet, lines: Sequence[HandoverLine], *, why: str, expected: str, then: str
) -> dict[str, Any]:
    return {
        "why": why,
        "expected": expected,
        "next": then,
        "next_at": _iso(sheet.accept_by),
        "giver": sheet.giver,
        "from_centre": sheet.centre.name,
        "to_centre": sheet.to_centre.name if sheet.to_centre is not None else "",
        "from_zone": sheet.centre.time_zone,
        "to_zone": sheet.to_centre.time_zone if sheet.to_centre is not None else "",
        "ends_at": _iso(sheet.ends_at),
        "back_at": _iso(sheet.back_at),
        "url": settings.SITE_URL + sheet.get_absolute_url(),
        "cases": [_case(line) for line in lines[:LISTED]],
        "left_out": max(0, len(lines) - LISTED),
    }


def _case(line: HandoverLine) -> dict[str, Any]:
    case = line.case
    return {
        "number": case.number,
        "title": case.title,
        "company": case.company.name,
        "severity": Severity(line.severity).label,
        "owner": str(line.owner),
        "stands": line.stands,
        "language": Language(line.language).label,
        "owed": line.owed,
        "url": settings.SITE_URL + case.get_absolute_url(),
    }


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment is not None else ""
