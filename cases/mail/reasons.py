"""Whether the reasons of queued messages still hold (M1), for a batch in at most three queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Max, Q
from django.db.models.functions import Lower

from cases.enums import MailStatus, SendCondition, Severity, Status
from cases.mail.messages import MESSAGES, Readers
from cases.models import Case, Mail
from cases.policy.severity import RANK
from contacts.models import Contact

TOO_LATE = "It could not be sent in time: what it says about when would not be true any more."
RESOLVED = "The case was resolved before this was sent."
HAD_LEFT = "The customer's contact had left before this was sent."


def stale_reason(mail: Mail, now: datetime) -> str:
    """Why the reason for a message no longer holds at `now`, or "" while it does (M1)."""
    return stale_reasons([mail], now).get(mail.pk, "")


def stale_reasons(mails: Sequence[Mail], now: datetime) -> dict[int, str]:
    """Why the reasons of messages no longer hold at `now`, by key of the message; those that do are left out (M1)."""
    cases = _cases_of(mails)
    left, newest = _who_left(mails), _newest_updates(mails)
    found = {}
    for mail in mails:
        why = _why_no_longer(mail, cases, newest)
        if not why and (mail.case_id, mail.to_address.lower()) in left:
            why = HAD_LEFT
        if not why and mail.send_by is not None and now > mail.send_by:
            why = TOO_LATE
        if why:
            found[mail.pk] = why
    return found


#: Of a case: its status, the number of its wait, its severity.
_CaseNow = tuple[str, int, str]
#: Of an update: its case, template and reader.
_UpdateKey = tuple[int | None, str, str]


def _cases_of(mails: Iterable[Mail]) -> dict[int, _CaseNow]:
    ids = {mail.case_id for mail in mails if mail.holds != SendCondition.ALWAYS and mail.case_id is not None}
    if not ids:
        return {}
    rows = Case.objects.filter(pk__in=ids).order_by().values_list("pk", "status", "wait_episode", "severity")
    return {pk: (status, episode, severity) for pk, status, episode, severity in rows}


def _who_left(mails: Iterable[Mail]) -> set[tuple[int | None, str]]:
    """The customers among the readers who have left, or whose company is no customer any more: case, address (D9)."""
    readers: set[tuple[int | None, str]] = {
        (mail.case_id, mail.to_address.lower())
        for mail in mails
        if mail.case_id is not None and (message := MESSAGES.get(mail.template)) and message.to is Readers.CUSTOMER
    }
    if not readers:
        return set()
    left = Contact.objects.filter(Q(active=False) | Q(company__active=False))
    left = left.alias(address=Lower("email")).filter(address__in={address for _, address in readers})
    rows = left.filter(company__cases__in={case for case, _ in readers}).order_by()
    return readers.intersection(rows.values_list("company__cases", Lower("email")))


def _newest_updates(mails: Iterable[Mail]) -> dict[_UpdateKey, int]:
    """The newest update of each kind to each reader of the batch, queued or sent, where one is newer."""
    owed = [mail for mail in mails if mail.holds == SendCondition.OWED]
    if not owed:
        return {}
    newer = Mail.objects.filter(
        case__in={mail.case_id for mail in owed},
        template__in={mail.template for mail in owed},
        to_address__in={mail.to_address for mail in owed},
        status__in=(MailStatus.QUEUED, MailStatus.SENT),
        pk__gt=min(mail.pk for mail in owed),
    )
    rows = newer.order_by().values_list("case_id", "template", "to_address").annotate(newest=Max("pk"))
    return {(case, template, address): newest for case, template, address, newest in rows}


def _why_no_longer(mail: Mail, cases: dict[int, _CaseNow], newest: dict[_UpdateKey, int]) -> str:
    if mail.holds == SendCondition.ALWAYS or mail.case_id is None:
        return ""
    status, episode, severity = cases[mail.case_id]
    if status == Status.RESOLVED:
        return RESOLVED
    if mail.holds == SendCondition.OPEN:
        return ""
    if mail.holds == SendCondition.OWED:
        return _why_not_owed(mail, status, newest)
    if mail.holds == SendCondition.RAISED:
        lowered = RANK[Severity(severity)] > RANK[Severity(mail.facts["severity"])]
        return "The severity was lowered again before this was sent." if lowered else ""
    if status != Status.WAITING:
        return "The case no longer waits for the customer: they answered, or the question was taken back."
    return "" if episode == mail.episode else "A newer question has taken this one's place."


def _why_not_owed(mail: Mail, status: str, newest: dict[_UpdateKey, int]) -> str:
    """Why a status update is not owed any more (T2)."""
    if status == Status.WAITING:
        return "The case waits for the customer now, so no update is owed."
    newer = newest.get((mail.case_id, mail.template, mail.to_address), mail.pk) > mail.pk
    return "A newer update has taken this one's place." if newer else ""
