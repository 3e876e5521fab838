"""What every change of a case starts with: the actor's right, the lock, and the moment of the change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction

from cases.enums import Move
from cases.models import Case, CaseQuerySet
from contacts.compiled import KEY, CompiledQuery
from contacts.enums import Right
from contacts.models import Company, Contact, User
from contacts.permissions import who_may
from contacts.reader import for_reader

#: Characters of anything that somebody writes on a case: it is mailed, and shown on one page with everything else.
LONGEST_TEXT = 20_000


class Refused(Exception):
    """A change that may not be made; the message is one sentence for whoever tried (S4). `field` names the input.

    `others` are refused for the same try: everything that is missing is named at once.
    """

    def __init__(self, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
        self.others: list[Refused] = []


class NotAllowed(Refused, PermissionDenied):
    """The person lacks the right (A1); Django answers with 403 where nothing else does."""


def allow(actor: User, right: Right, doing: str) -> None:
    """Check a right. Raises NotAllowed with a sentence (A1, A2)."""
    if not actor.may(right):
        raise NotAllowed(f"You may not {doing}: that is for {who_may(right)}.")


def locked(case_id: int, actor: User | None, *, nowait: bool = False) -> Case:
    """Read a case and lock it until the transaction ends; without an actor any case.

    `nowait` raises OperationalError instead of waiting for whoever changes it (not on SQLite, which locks as a whole).
    Raises Case.DoesNotExist also for a case that the actor may not read (A1).
    """
    if actor is not None and not actor.may(Right.READ_EVERY_CASE):
        return _lockable(actor, nowait).get(pk=case_id)
    found = (_at_once if nowait else _any_case)(case=case_id)
    if not found:
        raise Case.DoesNotExist
    return found[0]


def all_locked(case_ids: Iterable[int], actor: User) -> list[Case]:
    """Those of the cases that the actor may read (A1), locked until the transaction ends, in the order of their keys.

    In one order, so that two people who take the same cases wait for each other instead of blocking each other.
    """
    return list(_lockable(actor).filter(pk__in=list(case_ids)).order_by("pk"))


_any_case = CompiledQuery(lambda case: _lockable(None).filter(pk=case), case=KEY)
_at_once = CompiledQuery(lambda case: _lockable(None, nowait=True).filter(pk=case), case=KEY)


def _lockable(actor: User | None, nowait: bool = False) -> CaseQuerySet:
    visible = Case.objects.all() if actor is None else Case.objects.visible_to(actor)
    rows = visible.select_for_update(of=("self",), nowait=nowait)
    return rows.select_related("company", "contact", "contact__company", "owner")


@contextmanager
def changing(case: Case | int, actor: User, now: datetime, *, right: Right, to: str) -> Iterator[tuple[Case, datetime]]:
    """Open a change of a case: check the right, then `locking`.

    `to` ends “You may not ...”. Raises NotAllowed, or Case.DoesNotExist for a case that the actor may not read.
    """
    allow(actor, right, to)
    with locking(case, actor, now) as opened:
        yield opened


@contextmanager
def taking_word(case: Case | int, by: User | None, now: datetime, *, to: str) -> Iterator[tuple[Case, datetime]]:
    """As `changing`, for a word of the customer's own. `by` is whoever on the desk takes it, who needs the right; None
    if nobody does: it came in by mail or on the support page, and the caller has proven whose it is (M5a, P1).
    """
    if by is not None:
        allow(by, Right.WORK_CASES, to)
    with locking(case, by, now) as opened:
        yield opened


@contextmanager
def locking(case: Case | int, actor: User | None, now: datetime) -> Iterator[tuple[Case, datetime]]:
    """Begin a transaction and lock the case, for a change that checks the right itself.

    Yields the locked case and the moment of the change: `now` (UTC), but never before the case's last change. A `Case`
    instance is taken as it is: the caller has locked it, and its transaction is the caller's. Raises
    Case.DoesNotExist for a case that the actor may not read.
    """
    if isinstance(case, Case):
        yield case, monotonic_now(case, now)
        return
    with transaction.atomic():
        row = locked(case, actor)
        yield row, monotonic_now(row, now)


def monotonic_now(case: Case, now: datetime) -> datetime:
    """`now`, but not before the case's last change, even when the clocks of two machines differ a little (E3)."""
    return max(now, case.changed_at)


def last_change(case: Case) -> str:
    """What changed a case last, by whom and when, for a refusal: “reopened by Tina Berg on Wed 3 Jun, 14:00”."""
    row = case.last_history_row()
    by = f" by {row.history_user}" if row and row.history_user else ""
    return f"{Move(case.last_move).label.lower()}{by} on {for_reader(case.changed_at)}"


def needs(text: str, sentence: str, field: str) -> str:
    """The text without surrounding space. Raises Refused at `field` if nothing is left or it is too long."""
    refuse_together(missing(text, sentence, field))
    return text.strip()


def missing(text: str, sentence: str, field: str) -> Refused | None:
    """The refusal of a text that says nothing or is too long, for `refuse_together`."""
    if len(text) > LONGEST_TEXT:
        return Refused(too_long(len(text)), field)
    return None if text.strip() else Refused(sentence, field)


def refuse_together(*refusals: Refused | None) -> None:
    """Raises the first refusal with the others, so that everything that is missing is named at once (S4)."""
    found = [refusal for refusal in refusals if refusal is not None]
    if found:
        found[0].others = found[1:]
        raise found[0]


def within_bounds(text: str, field: str) -> str:
    """The text as it is. Raises Refused at `field` if it is longer than `LONGEST_TEXT`."""
    if len(text) > LONGEST_TEXT:
        raise Refused(too_long(len(text)), field)
    return text


def too_long(length: int) -> str:
    """What to tell somebody whose text is longer than `LONGEST_TEXT` (S4)."""
    return (
        f"This text has {length:,} characters, and at most {LONGEST_TEXT:,} are kept; "
        "shorten it, or send the rest as another entry."
    )


def foreign_contact(contact: Contact, company: Company, field: str = "contact") -> Refused:
    return Refused(f"{contact.name} does not work for {company.name}; choose one of theirs.", field)


def refuse_who_left(contact: Contact, field: str = "contact") -> None:
    """Raises Refused for a contact who is not active any more: no case is theirs (D9)."""
    if not contact.active:
        raise Refused(
            f"{contact.name} has left {contact.company.name} (the contact is inactive); choose somebody who is there.",
            field,
        )
