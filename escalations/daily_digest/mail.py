"""The daily digest as a letter: worst first, one mail over all the companies of its reader (W4, M4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from cases.enums import Move, Severity
from cases.mail.letters import Letter
from cases.models import Case
from contacts.directory import addressee
from contacts.models import User
from escalations.accounts.state import AccountRow
from escalations.accounts.wording import promise_name
from escalations.daily_digest.state import DailyNews
from escalations.policy.accounts import Risk
from escalations.switch_off import SwitchOff

#: How many lines a part has before it says how many more there are.
SHOWN = 10

Line = dict[str, Any]


def digest_letter(news: DailyNews, now: datetime) -> Letter | None:
    """The digest of one reader; None where there is nothing to say."""
    parts = _parts(news)
    if not parts:
        return None
    facts = {
        "parts": parts,
        "counts": {part["name"]: part["count"] for part in parts},
        "since_at": news.since.isoformat(),
        "is_cut": news.is_cut,
        "desk_url": settings.SITE_URL + reverse("admin:index"),
        "off_url": switch_off_url(news.user),
        "why": "you look after these companies, and want the daily digest",
        "expected": "Speak with the customers at the top, or with who owns their cases."
        if parts[0]["name"] in ("risk", "decide")
        else "Nothing for now: this is to inform you.",
        "next": "The next one comes in the morning of your next business day, if there is something to say.",
    }
    key = f"daily:{news.user.pk}:{news.day.isoformat()}"
    return Letter(key, "daily_digest", addressee(news.user), facts, send_by=news.ends_at)


def _parts(news: DailyNews) -> list[dict[str, Any]]:
    """The parts that have lines, worst first; no case stands twice but with what has to be decided."""
    risky = sorted((row for row in news.rows if row.risk is not None), key=lambda row: row.order)
    told = {row.case.pk for row in risky}
    missed = [row for row in news.missed if row.case_id not in told]
    told |= {row.case_id for row in missed}
    today = [row for row in news.rows if row.case.pk not in told and _is_due_today(row, news)]
    found = (
        ("risk", "At risk or missed", [*map(_risk_line, risky), *map(_missed_line, _once_a_case(missed))]),
        ("decide", "Waits for a decision", [_request_line(row) for row in news.requests]),
        ("changed", "What changed", _changed_lines(news)),
        ("today", "Due today", [_due_line(row) for row in sorted(today, key=lambda row: row.order[2])]),
    )
    return [
        {
            "name": name,
            "title": title,
            "count": len(lines),
            "lines": lines[:SHOWN],
            "more": max(0, len(lines) - SHOWN),
        }
        for name, title, lines in found
        if lines
    ]


def _is_due_today(row: AccountRow, news: DailyNews) -> bool:
    """Whether something is owed to the customer today, or the case closes."""
    closes = row.item is None and row.coming is not None and row.coming.name == "Closes"
    return (row.item is not None or closes) and row.at is not None and row.at < news.ends_at


def _once_a_case(rows: Sequence[Any]) -> list[Any]:
    """The newest missed promise of each case."""
    newest: dict[int, Any] = {}
    for row in rows:
        newest.setdefault(row.case_id, row)
    return list(newest.values())


def _line(case: Case, what: str, at: datetime | None, tone: str = "") -> Line:
    return {
        "number": case.number,
        "title": case.title,
        "company": case.company.name,
        "severity": Severity(case.severity).label,
        "what": what,
        "line_at": at.isoformat() if at is not None else "",
        "tone": tone,
        "url": settings.SITE_URL + case.get_absolute_url(),
    }


def _risk_line(row: AccountRow) -> Line:
    who = "" if row.risk in (Risk.ESCALATES, Risk.HELD_UP) else f" ({row.who})"
    tone = "warn" if row.risk in (Risk.PRESSING, Risk.ESCALATES) else "bad"
    return _line(row.case, f"{row.risk_label}: {row.act}{who}", row.at, tone)


def _missed_line(row: Any) -> Line:
    return _line(row.case, f"Missed: {promise_name(row)}", row.due_at, "bad")


def _request_line(row: Any) -> Line:
    if row.is_decision:
        return _line(row.case, "The Support Manager decides whether to escalate it further", row.decide_by)
    return _line(row.case, f"Escalation requested by {row.requested_by or row.asked_by}", row.decide_by)


def _changed_lines(news: DailyNews) -> list[Line]:
    """Points first, then what else changed last, each case once."""
    highest: dict[int, Any] = {}
    for point in news.points:
        highest.setdefault(point.case_id, point)
    lines = [
        _line(row.case, f"Escalated: {row.get_severity_display()} {row.number}", row.done_at, "warn")
        for row in highest.values()
    ]
    for case in news.changed:
        if case.pk not in highest:
            what = Move(case.last_move).label
            if case.last_move == Move.OPENED:
                what = f"Opened as {Severity(case.severity).label}"
            elif not case.is_open:
                what = f"Resolved: {case.get_resolution_display().lower()}"
            lines.append(_line(case, what, case.changed_at))
    return lines


def _due_line(row: AccountRow) -> Line:
    who = f" ({row.who})" if row.item is not None else ""
    return _line(row.case, f"{row.act}{who}", row.at)


# --- switched off from the mail (RFC 8058) ----------------------------------------------------------------------

SWITCH_OFF = SwitchOff("daily_digest_off", "escalations.daily_digest.off")


def switch_off_url(user: User) -> str:
    """Where the digest of this reader is switched off, without signing in."""
    return SWITCH_OFF.url(user.pk)


def reader_of_token(token: str) -> User | None:
    """Whose digest a signed address switches off; None for no such address."""
    key = SWITCH_OFF.key_of(token)
    return User.objects.filter(pk=key).first() if key is not None else None
