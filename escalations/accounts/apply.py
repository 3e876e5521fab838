"""Follow or mute a case, mark a company as seen, switch the daily digest (T5, W4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Model

from cases.guards import Refused, changing
from cases.models import Case, CaseWatcher
from contacts.changes import on_directory_change
from contacts.enums import Right
from contacts.models import Company, User
from escalations.models import AccountVisit


def follow(case: Case | int, actor: User, now: datetime) -> Case:
    """Get every update that the customer gets (E7). Raises Refused or NotAllowed, Case.DoesNotExist for a foreign case
    (A1).
    """
    with changing(case, actor, now, right=Right.READ_OWN_COMPANIES, to="follow a case") as (case, now):
        if case.owner_id == actor.pk:
            raise Refused(f"{case.number} is yours: you hear of it anyway.")
        if case.is_muted_by(actor):
            raise Refused(f"You mute {case.number}; unmute it before you follow it.")
        CaseWatcher.objects.get_or_create(case=case, user=actor, defaults={"since": now})
    return case


def mute(case: Case | int, actor: User, now: datetime) -> Case:
    """Get no updates about a case until `unmute`; what asks or decides something goes on (T5). Raises as `follow`."""
    with changing(case, actor, now, right=Right.READ_OWN_COMPANIES, to="mute a case") as (case, now):
        if case.is_muted_by(actor):
            raise Refused(f"You mute {case.number} already.")
        if CaseWatcher.objects.filter(case=case, user=actor).exists():
            raise Refused(f"You follow {case.number}; stop watching it before you mute it.")
        by_manager = case.company.account_manager_id == actor.pk
        row = {"user": actor.pk, "since": now.isoformat(), "until": None, "by_manager": by_manager}
        _write(case, [*case.mutes, row], now)
    return case


def unmute(case: Case | int, actor: User, now: datetime) -> Case:
    """Get updates again; a promise of one counts from now. Raises as `follow`."""
    with changing(case, actor, now, right=Right.READ_OWN_COMPANIES, to="unmute a case") as (case, now):
        if not case.is_muted_by(actor):
            raise Refused(f"You do not mute {case.number} any more.")
        _write(case, _ended(case, {actor.pk}, now), now)
    return case


def _ended(case: Case, users: set[int], now: datetime) -> list[dict[str, object]]:
    """The mutes of a case, those of these users ended; one that began and ends at the same moment never was."""
    rows = [
        row | {"until": now.isoformat()} if row["user"] in users and row["until"] is None else row for row in case.mutes
    ]
    return [row for row in rows if row["since"] != row["until"]]


def _write(case: Case, mutes: list[dict[str, object]], now: datetime) -> None:
    """Keep the mutes, and have the clocks of the audience reckoned anew (T2)."""
    case.mutes = mutes
    Case.objects.filter(pk=case.pk).update(mutes=mutes)  # no change of the case itself: it gets no history row
    if case.is_open:
        case.recheck("sla", now)


@on_directory_change
def end_mutes_of_former_managers(rows: Iterable[Model], now: datetime) -> None:
    """Whoever looks after a company now has muted nothing of it: what a former account manager muted is ended (T5)."""
    for company in (row for row in rows if isinstance(row, Company)):
        looking_after = {company.account_manager_id, company.customer_engineer_id}
        cases = Case.objects.filter(company=company).exclude(mutes=[]).select_for_update(of=("self",)).order_by("pk")
        with transaction.atomic():
            for case in cases:
                former = {row["user"] for row in case.mutes if row["until"] is None} - looking_after
                changed = {row["user"] for row in case.mutes if row["until"] is None and _has_other_part(row, company)}
                if former | changed:
                    _write(case, _ended(case, former | changed, now), now)


def _has_other_part(row: dict[str, object], company: Company) -> bool:
    """Whether somebody muted as account manager, or not as that, and is it no longer, or now."""
    return bool(row["by_manager"]) != (row["user"] == company.account_manager_id)


# --- what one has seen ------------------------------------------------------------------------------------------


def mark_seen(company: Company, user: User, until: datetime) -> None:
    """What changed at the company up to then, as the page showed it, is seen; never less than before (W4)."""
    with transaction.atomic():
        visit = AccountVisit.objects.select_for_update().filter(user=user, company=company).first()
        if visit is None:
            AccountVisit.objects.create(user=user, company=company, seen_until=until)
        elif visit.seen_until < until:
            visit.seen_before, visit.seen_until = visit.seen_until, until
            visit.save(update_fields=["seen_until", "seen_before"])


def unmark_seen(company: Company, user: User) -> None:
    """Undo the last `mark_seen`."""
    with transaction.atomic():
        visit = AccountVisit.objects.select_for_update().filter(user=user, company=company).first()
        if visit is None:
            return
        if visit.seen_before is None:
            visit.delete()
            return
        visit.seen_until, visit.seen_before = visit.seen_before, None
        visit.save(update_fields=["seen_until", "seen_before"])


def switch_digest(user: User, on: bool) -> None:
    """Switch somebody's daily digest; as often as one likes."""
    User.objects.filter(pk=user.pk).update(daily_digest=on)
