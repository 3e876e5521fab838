"""Load questions for the status of a case, and the staff who get its mail (E8, E7)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Max, QuerySet

from cases.enums import MailStatus, Status
from cases.mail.messages import CUSTOMER_UPDATES
from cases.models import Case, Mail
from contacts.compiled import KEYS, CompiledQuery
from contacts.directory import Directory
from escalations.audience import StaffReader, audience_of, readers_of, staff_of, staff_readers, watchers_of
from escalations.clocks import load_clocks
from escalations.enums import Member, QuestionEnd
from escalations.models import Question


def open_question(case: Case) -> Question | None:
    """The question that is open now; none on a resolved case, which ends its question (E8)."""
    return open_questions().filter(case=case).first()


def open_questions() -> QuerySet[Question]:
    """The open questions, oldest first, with their cases and users."""
    rows = Question.objects.filter(ended_at=None).exclude(case__status=Status.RESOLVED)
    return rows.select_related("case", "case__company", "asked", "first_asked", "stands_in_for").order_by(
        "asked_at", "pk"
    )


def overdue_questions(now: datetime) -> QuerySet[Question]:
    """The open questions whose time limit has passed (E8), the longest overdue first."""
    return open_questions().filter(answer_by__lte=now).order_by("answer_by", "pk")


def find_staff_readers(
    case: Case, now: datetime, members: Iterable[Member] | None = None
) -> tuple[list[StaffReader], list[Member]]:
    """The staff who get a mail about the case, each person once, and the members it reaches.

    Without `members` those of the audience in force. Watchers get it as well (E7).
    """
    staff = staff_of(audience_of(load_clocks([case])[case.pk], now) if members is None else members)
    found = readers_of(case, staff, Directory())
    readers = staff_readers(found, watchers_of([case])[case.pk])
    return readers, [member for member in staff if found[member]]


_last_updates = CompiledQuery(
    lambda cases: (
        Mail.objects.filter(case__in=cases, template__in=CUSTOMER_UPDATES)
        .exclude(status=MailStatus.DROPPED)
        .order_by()
        .values_list("case_id")
        .annotate(last=Max("queued_at"))
    ),
    cases=KEYS,
)
_for_customers = CompiledQuery(
    lambda cases: (
        Question.objects.filter(case__in=cases, end=QuestionEnd.ANSWERED)
        .exclude(for_customer="")
        .order_by("ended_at", "pk")
    ),
    cases=KEYS,
)


def marked_for_customers(cases: Iterable[Case]) -> dict[int, list[Question]]:
    """By case, the answers with a text for the customer that no update has included yet, oldest first (E8).

    Two queries.
    """
    ids = [case.pk for case in cases]
    last_update = dict(_last_updates(cases=ids))
    marked: dict[int, list[Question]] = {case_id: [] for case_id in ids}
    for row in _for_customers(cases=ids):
        if row.case_id not in last_update or row.ended_at > last_update[row.case_id]:
            marked[row.case_id].append(row)
    return marked
