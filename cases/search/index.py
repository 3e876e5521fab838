"""Keeps the search documents: in the transaction of the change that brings new words, or of the batch that catches up.

The sweeps write no words and never come here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, Model, QuerySet, Value
from django.db.models.functions import Concat, Left

from cases.bulk import lock_in_order
from cases.enums import Move
from cases.models import Attachment, Case, Interaction, SearchDocument, UnindexedCase
from cases.search.document import document_of
from cases.search.words import LONGEST_DOCUMENT, document_text, tokens_of
from contacts.changes import on_directory_change
from contacts.models import Company, Contact

#: Cases that are indexed in one transaction.
BATCH = 200
#: How many cases of a renamed company or contact are indexed at once; with more, all of them wait for the beat.
AT_ONCE = 200


def add_case(case: Case, said: Iterable[str]) -> None:
    """Index a new case; `case` has its company and contact loaded."""
    SearchDocument.objects.create(case=case, words=document_of(case, said))


def add_words(case_id: int, text: str) -> None:
    """Index what was said about a case, locked by the caller."""
    words = document_text(tokens_of(text))
    if not words:
        return
    longer = Left(Concat(F("words"), Value(f" {words}")), LONGEST_DOCUMENT)
    if not SearchDocument.objects.filter(case=case_id).update(words=longer):
        index_cases([case_id])


def index_cases(case_ids: Collection[int]) -> None:
    """Make the documents of these cases anew, as they are in the database. The caller has locked them, or made them."""
    said = _said_about(case_ids)
    cases = Case.objects.filter(pk__in=case_ids).order_by().select_related("company", "contact")
    SearchDocument.objects.bulk_create(
        [SearchDocument(case_id=case.pk, words=document_of(case, said[case.pk])) for case in cases],
        update_conflicts=True,
        unique_fields=["case"],
        update_fields=["words"],
    )


def index_waiting(done_after: Callable[[], bool]) -> int:
    """Index the cases that wait for it, newest first, until none is left or `done_after` says so; returns how many.

    Cases that somebody else is changing at the moment are left for the next time.
    """
    count = 0
    while not done_after():
        with transaction.atomic():
            batch = list(_lockable(UnindexedCase.objects.order_by("-pk")).values_list("pk", flat=True)[:BATCH])
            locked = list(_lockable(Case.objects.filter(pk__in=batch).order_by("pk")).values_list("pk", flat=True))
            index_cases(locked)
            UnindexedCase.objects.filter(pk__in=locked).delete()
        count += len(locked)
        if not locked:
            break
    return count


def ask_to_index(cases: QuerySet[Case]) -> None:
    """Have the documents of these cases made anew in the background."""
    keys, params = cases.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            # Not DO NOTHING: the row of a case that is being indexed right now goes, and what has changed is missed.
            f"INSERT INTO cases_unindexedcase (case_id) SELECT * FROM ({keys}) AS k WHERE true "
            "ON CONFLICT (case_id) DO UPDATE SET case_id = excluded.case_id",
            params,
        )


def _lock(case_ids: Collection[int]) -> None:
    """Lock cases as a move does, so that what is said meanwhile is not lost from their documents."""
    lock_in_order(Case.objects.filter(pk__in=case_ids))


def _lockable(rows: QuerySet[Model]) -> QuerySet[Model]:
    return rows.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked, no_key=True)


def _said_about(case_ids: Collection[int]) -> dict[int, list[str]]:
    """The words of the contact log, the names of its files, and the customer's own words at a closing, by case."""
    said: dict[int, list[str]] = defaultdict(list)
    for case_id, body in Interaction.objects.filter(case__in=case_ids).order_by("pk").values_list("case_id", "body"):
        said[case_id].append(body)
    for case_id, name in Attachment.objects.filter(case__in=case_ids).order_by("pk").values_list("case_id", "name"):
        said[case_id].append(name)
    closings = Case.history.filter(id__in=case_ids, last_move=Move.RESOLVED).order_by("history_id")
    for case_id, reason in closings.values_list("id", "history_change_reason"):
        said[case_id].append(closing_words(reason or ""))
    return said


def closing_words(reason: str) -> str:
    """The customer's words in the reason of a closing; “” without any."""
    return reason.partition(": “")[2]


# --- names --------------------------------------------------------------------------------------------------------


@on_directory_change
def index_renamed(rows: Iterable[Model], now: datetime) -> None:
    """Index the cases of a company or contact whose name has changed: a few at once, many in the background."""
    for row in rows:
        if isinstance(row, Company | Contact) and _is_renamed(row):
            cases = row.cases.order_by("-pk")
            few = list(cases.values_list("pk", flat=True)[: AT_ONCE + 1])
            if len(few) > AT_ONCE:
                ask_to_index(cases)
            else:
                _lock(few)
                index_cases(few)


def _is_renamed(row: Company | Contact) -> bool:
    names = ("name",) if isinstance(row, Company) else ("name", "email")
    states = row.history.order_by("-history_date", "-history_id").values_list(*names)[:2]
    return len(set(states)) > 1
