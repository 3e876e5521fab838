"""What follows when a message is known not to reach its reader: it was refused for good, or it came back (M2).

Called in the transaction that records it. A mail with a person's words that reached nobody told the customer nothing
(T1, T2), until it is sent again and leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from cases.enums import LOST, SendCondition, Status
from cases.mail.letters import facts, post, to_each
from cases.models import Case, Interaction, Mail
from contacts.directory import Addressee, Directory


def after_loss(mail: Mail, now: datetime) -> None:
    """Tell the owner of a message that is lost, have the plan of a wait checked that it belongs to, and let the contact
    whose words it carried count for nothing (D5, F2, T1, T2).
    """
    _tell_owner(mail, now)
    recheck_wait(mail, now)
    _unsay(mail, now)


def after_arrival(mails: Sequence[Mail]) -> None:
    """Contacts that had reached nobody, and whose mail was sent again and has left: they count from then on (T1)."""
    sent_at = {mail.interaction_id: mail.sent_at for mail in mails if mail.interaction_id is not None}
    if not sent_at:
        return
    for unsaid in Interaction.objects.filter(pk__in=sent_at, undelivered_at__isnull=False):
        now = sent_at[unsaid.pk]
        assert now is not None
        with transaction.atomic():
            if Interaction.objects.filter(pk=unsaid.pk).update(undelivered_at=None, resent_at=now):
                _recheck(unsaid.case_id, now)


def _unsay(mail: Mail, now: datetime) -> None:
    """The contact whose words a lost message carried told the customer nothing, unless a copy of it may arrive."""
    if mail.interaction_id is None or mail.case_id is None:
        return
    may_arrive = Mail.objects.filter(interaction=mail.interaction_id).exclude(status__in=LOST)
    if may_arrive.exists():
        return
    if Interaction.objects.filter(pk=mail.interaction_id, undelivered_at=None).update(undelivered_at=now):
        _recheck(mail.case_id, now)


def _recheck(case_id: int, now: datetime) -> None:
    """Have promises reckoned anew, and the plan of a wait of which the contact may be an attempt (T1, T2, F3)."""
    Case.objects.filter(pk=case_id).recheck("sla", now)
    Case.objects.filter(pk=case_id, status=Status.WAITING).recheck("follow_up", now)


def recheck_wait(mail: Mail, now: datetime) -> None:
    """A message of a waiting plan got lost: have the plan checked at once (F2, F3)."""
    if mail.holds == SendCondition.WAITING and mail.case_id is not None:
        waiting = Case.objects.filter(pk=mail.case_id, status=Status.WAITING, wait_episode=mail.episode)
        waiting.recheck("follow_up", now)


def _tell_owner(mail: Mail, now: datetime) -> None:
    """Mail the owner, or the fallback, about a lost message (M2, D5); not if that was such a mail itself."""
    if mail.template == "mail_failed":
        return
    case = None
    if mail.case_id:
        case = Case.objects.select_related("company", "contact", "owner").get(pk=mail.case_id)
    owner = case.owner if case else None
    readers = _other_than(mail.to_address, Directory().for_user(owner, "Owner"))
    if not readers:  # it was the owner's own mail that failed
        readers = _other_than(mail.to_address, Directory().fallback(f"Owner ({owner})", None))
    what = {
        "failed": {"to": mail.to_address, "subject": mail.subject or mail.template, "error": mail.last_error},
        "why": "you own this case" if case else "you look after the desk",
        "expected": "Correct the address or reach the reader in another way, then send the message again.",
        "next": "Nothing more is tried by itself.",
    }
    if case is not None:
        what = {**facts(case, why="", expected="", then=""), **what}
    # The moment is part of the key: a message that was sent again may fail again.
    post(to_each(readers, f"failed:{mail.pk}:{now.isoformat()}", "mail_failed", what, case), now)


def _other_than(address: str, readers: Sequence[Addressee]) -> list[Addressee]:
    return [reader for reader in readers if reader.address.lower() != address.lower()]
