"""The moves of the queue: offer, take, pass, end, call back; and the sweep that times them out (Q2, Q3, S1).

Each is one transaction. What somebody claims is claimed by a guarded UPDATE under the constraint that a technician has
one offer or one conversation, so that ten workers, a repeated click or a crash come to the same (E6's way).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Exists, OuterRef, Q

from cases.enums import MISSED_ENDINGS, CallOutcome, Channel, Direction, QueueEnding, QueueKind, QueueState
from cases.guards import Refused, allow, needs
from cases.mail.letters import post
from cases.models import Case, Interaction, QueueEntry
from cases.policy.queue.callbacks import call_again_at
from cases.policy.queue.chats import ANSWERED_WITHIN
from cases.policy.queue.offers import OFFERED_FOR, Match, next_available
from cases.queue.callers import Caller, promised_at, recognise
from cases.queue.mail import callback_missed, caller_unreached, callers_missed
from cases.queue.state import SPOKEN_WITHIN, load_queue
from cases.workflow.contact_log import log_contact
from contacts.enums import Right
from contacts.models import Contact, User

WAITING, OFFERED, TALKING, ENDED = QueueState
TO_ANSWER = "answer calls"


Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")
#: How often a move is tried that met another one at the same moment.
TRIES = 4
#: How long after they hung up the Support Manager is told of callers: with all who did by then, so that it is one mail.
TELL_AFTER = timedelta(minutes=15)
#: After an outage nobody is told of a call of longer ago.
TELL_WITHIN = timedelta(days=1)


def trying_again(move: Callable[[], Result]) -> Result:
    """Do a move once more where another one was quicker: a technician got an offer, or each waited for the other."""
    for left in reversed(range(TRIES)):
        try:
            return move()
        except (IntegrityError, OperationalError):
            if not left or connection.in_atomic_block:
                raise
    raise AssertionError


def one_move(move: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Make a move one transaction, tried again as `trying_again` does."""

    @wraps(move)
    def in_transaction(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        def once() -> Result:
            with transaction.atomic():
                return move(*args, **kwargs)

        return trying_again(once)

    return in_transaction


# --- entering ---------------------------------------------------------------------------------------------------


def enter_by_hand(
    actor: User,
    now: datetime,
    *,
    who: str,
    taken: bool = False,
) -> QueueEntry:
    """A call came in, and somebody writes it down (Q5, by hand): it waits, or with `taken` the actor speaks already.

    `who` is a number or a name, as it was typed.

    Raises Refused, or NotAllowed.
    """
    allow(actor, Right.WORK_CASES, TO_ANSWER)
    typed = needs(who, "Write down who calls: a number, or a name.", "who")
    caller = recognise(typed)
    with transaction.atomic():
        entry = enter(caller, now, name="" if caller.number else typed[:200])
        if taken:
            take(entry.pk, actor, now)
    if not taken:
        offer_next(now)
    entry.refresh_from_db()
    return entry


def enter(
    caller: Caller,
    now: datetime,
    *,
    kind: QueueKind = QueueKind.CALL,
    case: Case | None = None,
    name: str = "",
    provider: str = "",
    call: str = "",
) -> QueueEntry:
    """Put somebody into the line. A call gets the place of the callback that waits for them, and makes it needless.

    Raises IntegrityError for a call of the provider that is in the queue already, and for a second chat of a contact.
    """
    entry = QueueEntry(
        kind=kind,
        provider=provider,
        call_id=call,
        number=caller.number,
        caller=name,
        contact=caller.contact,
        company=caller.company,
        line=caller.line,
        language=caller.language,
        case=case,
        arrived_at=now,
        in_line_since=_earlier_place(caller, now) if kind == QueueKind.CALL else now,
        heard_at=now,
    )
    entry.save(force_insert=True)
    return entry


def _earlier_place(caller: Caller, now: datetime) -> datetime:
    """Since when the caller is in line: since the call whose callback waits, which ends with this one (Q3)."""
    same = Q(number=caller.number) if caller.number else Q(pk=None)
    if caller.contact is not None:
        same |= Q(contact=caller.contact)
    waiting = QueueEntry.objects.callbacks().filter(same, state=WAITING)
    since = now
    for earlier in waiting.in_lock_order():
        since = min(since, earlier.in_line_since)
        end_entry(earlier, QueueEnding.CALLED_AGAIN, now)
        earlier.save()
    return since


# --- offering (Q2) ----------------------------------------------------------------------------------------------


@one_move
def offer_next(now: datetime) -> list[Match]:
    """Offer whoever waits to whoever is free, in the order of the rules (Q2). Returns the offers that were made.

    Workers wait for each other here, so that each decides on what the one before it has done.
    """
    unanswered = Q(kind=QueueKind.CHAT, arrived_at__lte=now - ANSWERED_WITHIN)  # becomes a message (P6)
    waiting = list(QueueEntry.objects.to_offer(now).exclude(unanswered).in_lock_order())
    if not waiting:
        return []
    queue = load_queue(now, waiting)
    matches = next_available(queue.in_line(waiting), queue.agents, now)
    return [match for match in matches if _offered(match, now)]


def _offered(match: Match, now: datetime) -> bool:
    """Make an offer; False if the technician took a call, or the caller was taken, at this very moment."""
    try:
        with transaction.atomic():
            return bool(
                QueueEntry.objects.filter(pk=match.key, state=WAITING).update(
                    state=OFFERED, technician=match.user_id, offered_at=now, why_offered=match.why
                )
            )
    except IntegrityError:  # one offer or conversation per technician
        return False


def _back_in_line(entry: QueueEntry, now: datetime, *, passed: bool) -> None:
    """Take an offer back; `passed`: the technician let it pass, so the next one gets it first."""
    if passed and entry.technician_id is not None:
        key = str(entry.technician_id)
        entry.passed = {**entry.passed, key: entry.passed.get(key, 0) + 1}
    entry.state, entry.technician, entry.offered_at, entry.why_offered = WAITING, None, None, ""


@one_move
def take(entry_id: int, actor: User, now: datetime) -> QueueEntry:
    """Take what is offered to the actor, or whoever waits (Q2). Raises Refused, or NotAllowed."""
    allow(actor, Right.WORK_CASES, TO_ANSWER)
    entry = lock_entry(entry_id)
    if entry.state == TALKING and entry.technician_id == actor.pk:
        return entry
    if entry.state == ENDED:
        raise Refused(f"{entry.who} waits no more: {entry.get_ending_display().lower()}.")
    if entry.technician_id not in (None, actor.pk):
        does = "has taken this one" if entry.state == TALKING else "is being offered this one"
        raise Refused(f"{entry.technician} {does}; the board shows who else waits.")
    _release_others(actor, entry, now)
    entry.state, entry.technician, entry.taken_at, entry.heard_at = TALKING, actor, now, now
    entry.save()
    return entry


def _release_others(actor: User, entry: QueueEntry, now: datetime) -> None:
    """Give back what is offered to the actor besides. Raises Refused while they speak with somebody else."""
    others = QueueEntry.objects.with_technician().filter(technician=actor).exclude(pk=entry.pk)
    for other in others.in_lock_order():
        if other.state == TALKING:
            raise Refused(f"You are speaking with {other.who}; say first that it is over.")
        _back_in_line(other, now, passed=False)
        other.save()


def pass_on(entry_id: int, actor: User, now: datetime) -> None:
    """Let an offer pass: it goes to the next (Q2). One that is not the actor's any more stays as it is."""
    allow(actor, Right.WORK_CASES, TO_ANSWER)
    if _passed_on(entry_id, actor, now):
        offer_next(now)


@one_move
def _passed_on(entry_id: int, actor: User, now: datetime) -> bool:
    entry = lock_entry(entry_id)
    is_theirs = entry.state == OFFERED and entry.technician_id == actor.pk
    if is_theirs:
        _back_in_line(entry, now, passed=True)
        entry.save()
    return is_theirs


def not_connected(entry_id: int, now: datetime) -> None:
    """The technician who took the call did not pick up the telephone: it goes back to its place, and to the next."""
    if _given_back(entry_id, now):
        offer_next(now)


@one_move
def _given_back(entry_id: int, now: datetime) -> bool:
    entry = lock_entry(entry_id)
    is_taken = entry.state == TALKING and not entry.is_callback
    if is_taken:
        _back_in_line(entry, now, passed=True)
        entry.taken_at = None
        entry.save()
    return is_taken


# --- ending -----------------------------------------------------------------------------------------------------


@one_move
def say_over(entry_id: int, actor: User, now: datetime) -> QueueEntry:
    """The conversation is over, as its technician says, or whoever reassigns. Raises Refused, or NotAllowed."""
    allow(actor, Right.WORK_CASES, TO_ANSWER)
    entry = lock_entry(entry_id)
    if entry.state == TALKING:
        if entry.technician_id not in (None, actor.pk):
            allow(actor, Right.REASSIGN, f"end a call of {entry.technician}")
        end_entry(entry, QueueEnding.SPOKEN, now)
        entry.save()
    elif entry.state != ENDED:
        raise Refused(f"Nobody has spoken with {entry.who} yet; take the call first.")
    return entry


def say_ready(actor: User, now: datetime) -> None:
    """The actor has wrapped up and can be offered the next call (Q2)."""
    allow(actor, Right.WORK_CASES, TO_ANSWER)
    mine = QueueEntry.objects.filter(technician=actor, state=ENDED, ready_at=None, ended_at__gt=now - SPOKEN_WITHIN)
    mine.update(ready_at=now)
    offer_next(now)


@one_move
def dismiss(entry_id: int, actor: User, now: datetime) -> None:
    """There is nothing to call back for: the callback leaves the line. Raises Refused, or NotAllowed."""
    allow(actor, Right.WORK_CASES, TO_ANSWER)
    entry = lock_entry(entry_id)
    if not entry.is_callback or entry.state not in (WAITING, OFFERED):
        raise Refused("Only a callback that nobody has begun can be taken off the list.")
    entry.technician = None
    end_entry(entry, QueueEnding.WITHDRAWN, now)
    entry.save()


def end_entry(entry: QueueEntry, ending: QueueEnding, at: datetime) -> None:
    """It is over with somebody, whose row is locked; in memory."""
    entry.state, entry.ending, entry.ended_at = ENDED, ending, at
    if not entry.is_chat:
        entry.heard_at = max(entry.heard_at, at)


# --- callbacks (Q3) ---------------------------------------------------------------------------------------------


def make_callback(entry: QueueEntry) -> None:
    """The caller is called back, and keeps their place; in memory."""
    if entry.state in (OFFERED, ENDED):
        entry.technician = None
    entry.state, entry.ending, entry.ended_at = WAITING, "", None
    entry.offered_at, entry.why_offered = None, ""
    entry.is_callback, entry.due_at = True, promised_at(entry)


def call_back_later(entry_id: int, actor: User, now: datetime) -> QueueEntry:
    """Call somebody back who waits, or whom we missed (Q3). Raises Refused, or NotAllowed."""
    allow(actor, Right.WORK_CASES, TO_ANSWER)
    entry = _made_callback(entry_id)
    offer_next(now)
    return entry


@one_move
def _made_callback(entry_id: int) -> QueueEntry:
    entry = lock_entry(entry_id)
    if entry.is_chat:
        raise Refused(f"{entry.who} writes to us in a chat; answer there, or call them and log the call.")
    if entry.state == TALKING or entry.ending in (QueueEnding.SPOKEN, QueueEnding.CALLED_AGAIN):
        raise Refused(f"Somebody has spoken with {entry.who} already.")
    if not (entry.number or (entry.contact is not None and entry.contact.phone)):
        raise Refused("No number is known to call back; find out who it was first.")
    make_callback(entry)
    entry.tries, entry.not_before = 0, None
    entry.save()
    return entry


def called_in_vain(entry_id: int, actor: User, now: datetime, *, left_message: bool = False) -> QueueEntry:
    """We called back, and nobody answered: an attempt, logged on the case if there is one; tried twice more (Q3).

    After the last one the Support Manager is told. Raises Refused, or NotAllowed.
    """
    allow(actor, Right.WORK_CASES, TO_ANSWER)
    entry = _tried_in_vain(entry_id, actor, now, left_message)
    offer_next(now)
    return entry


@one_move
def _tried_in_vain(entry_id: int, actor: User, now: datetime, left_message: bool) -> QueueEntry:
    entry = lock_entry(entry_id)
    if entry.state != TALKING or not entry.is_callback or entry.technician_id != actor.pk:
        raise Refused("Only a callback that you have taken can be in vain.")
    _log_attempt(entry, actor, now, left_message)
    entry.tries += 1
    again_at = call_again_at(entry.tries, now)
    if again_at is None:
        end_entry(entry, QueueEnding.UNREACHED, now)
        post(caller_unreached(entry, now), now)
    else:
        entry.state, entry.technician, entry.taken_at, entry.not_before = WAITING, None, None, again_at
    entry.save()
    return entry


def _log_attempt(entry: QueueEntry, actor: User, now: datetime, left_message: bool) -> None:
    if entry.case is None:
        return
    outcome = CallOutcome.LEFT_MESSAGE if left_message else CallOutcome.NO_ANSWER
    log_contact(
        entry.case.pk,
        actor,
        now,
        channel=Channel.PHONE,
        direction=Direction.OUT,
        body=f"Called back {entry.shown_number or entry.who}: {outcome.label.lower()}.",
        outcome=outcome,
        contact=_of_company(entry, entry.case),
    )


# --- who it is, and what it is about (Q4) -----------------------------------------------------------------------


@one_move
def name_caller(entry_id: int, actor: User, now: datetime, *, contact: Contact) -> QueueEntry:
    """Somebody asked who calls: it is this contact (Q1). Raises NotAllowed."""
    allow(actor, Right.WORK_CASES, TO_ANSWER)
    entry = lock_entry(entry_id)
    entry.contact, entry.company, entry.language = contact, contact.company, contact.speaks
    entry.save()
    return entry


def opened_from(entry_id: int, case: Case) -> None:
    """A case was opened from this call (Q4): its times stand in the contact log. In the opening's transaction."""
    entry = lock_entry(entry_id)
    if entry.case_id is None:
        entry.interaction = Interaction.objects.filter(case=case, opened_the_case=True).first()
    entry.case, entry.contact, entry.company = case, case.contact, case.company
    entry.save()


@one_move
def log_on(entry_id: int, case_id: int, actor: User, now: datetime) -> Interaction:
    """Log this call on a case with one click (Q4, C3): from the customer, or to them if we called back.

    Raises Refused, NotAllowed, or Case.DoesNotExist for a case that the actor may not read.
    """
    allow(actor, Right.WORK_CASES, TO_ANSWER)
    entry = lock_entry(entry_id)
    case = Case.objects.visible_to(actor).get(pk=case_id)
    if entry.taken_at is None:
        raise Refused(f"Nobody has spoken with {entry.who} yet; take the call first.")
    if entry.interaction is not None:
        raise Refused(f"This call stands in the log of {entry.interaction.case.number} already.")
    called = "We called back" if entry.is_callback else "Called us"
    entry.interaction = log_contact(
        case.pk,
        actor,
        now,
        channel=entry.kind_of_contact,
        direction=Direction.OUT if entry.is_callback else Direction.IN,
        body=f"{called}: {entry.who}{f', {entry.shown_number}' if entry.number else ''}.",
        at=max(entry.taken_at, case.opened_at),
        contact=_of_company(entry, case),
    )
    entry.case = case
    entry.save()
    return entry.interaction


def _of_company(entry: QueueEntry, case: Case) -> Contact | None:
    """The caller, if they work for the company of the case; else it is logged as with its own contact."""
    return entry.contact if entry.contact is not None and entry.contact.company_id == case.company_id else None


# --- what time does (S1) ----------------------------------------------------------------------------------------


def sweep_queue(now: datetime) -> int:
    """Time out offers and silent calls, tell of callbacks that are late, offer who waits. Returns how much it did."""
    done = sum(_timed_out(entry_id, now) for entry_id in _due(now))
    return done + _tell_of_late(now) + _tell_of_missed(now) + len(offer_next(now))


def silent_after() -> timedelta:
    """After so long without a word of it a call is taken for lost (Q1)."""
    return timedelta(minutes=settings.DESK_SILENT_CALL_MINUTES)


def _is_lapsed(now: datetime) -> Q:
    return Q(state=OFFERED, offered_at__lte=now - OFFERED_FOR)


def _is_silent(now: datetime) -> Q:
    live = Q(state=TALKING) | Q(state__in=(WAITING, OFFERED), is_callback=False)
    return live & Q(kind=QueueKind.CALL, heard_at__lte=now - silent_after())


def _due(now: datetime) -> list[int]:
    due = QueueEntry.objects.exclude(state=ENDED).filter(_is_lapsed(now) | _is_silent(now))
    return list(due.order_by("pk").values_list("pk", flat=True))


def _timed_out(entry_id: int, now: datetime) -> bool:
    """Look again under the lock, which another worker's is left to, and do what is due."""
    with transaction.atomic():
        due = QueueEntry.objects.filter(_is_lapsed(now) | _is_silent(now), pk=entry_id)
        entry = due.select_for_update(skip_locked=True, of=("self",)).select_related("contact").first()
        if entry is None:
            return False
        is_silent = not entry.is_chat and entry.heard_at <= now - silent_after()
        if is_silent and not (entry.state == OFFERED and entry.is_callback):
            _lose(entry, now)
        else:
            _back_in_line(entry, now, passed=True)
        entry.save()
    return True


def _lose(entry: QueueEntry, now: datetime) -> None:
    """No end was told of: whoever waited and is known is called back, so that nobody is lost (Q1, Q3)."""
    if entry.state != TALKING and can_be_called(entry):
        make_callback(entry)
        return
    entry.technician = entry.technician if entry.state == TALKING else None
    end_entry(entry, QueueEnding.LOST, now)


def can_be_called(entry: QueueEntry) -> bool:
    """Whether we know whom to call back, and where (Q3)."""
    return entry.contact is not None and bool(entry.number or entry.contact.phone)


def _tell_of_late(now: datetime) -> int:
    """Tell the Support Manager of callbacks that nobody made in time, once of each (Q3)."""
    late = QueueEntry.objects.callbacks().filter(due_at__lte=now, manager_told_at=None)
    told = 0
    for entry_id in list(late.values_list("pk", flat=True)):
        with transaction.atomic():
            mine = late.filter(pk=entry_id).select_for_update(skip_locked=True, of=("self",))
            entry = mine.select_related("contact", "company").first()
            if entry is not None:
                QueueEntry.objects.filter(pk=entry.pk).update(manager_told_at=now)
                post(callback_missed(entry, now), now)
                told += 1
    return told


def _tell_of_missed(now: datetime) -> int:
    """Tell the Support Manager of callers who hung up and are not called back, in one mail, once of each (Q3).

    Whoever calls again soon is not told of, unless nobody answers that time either.
    """
    hung_up = Q(state=ENDED, kind=QueueKind.CALL, ending__in=MISSED_ENDINGS, taken_at=None, is_callback=False)
    untold = QueueEntry.objects.filter(hung_up, manager_told_at=None, ended_at__gt=now - TELL_WITHIN)
    if not untold.filter(ended_at__lte=now - TELL_AFTER).exists():
        return 0
    with transaction.atomic():
        later = QueueEntry.objects.filter(number=OuterRef("number"), arrived_at__gt=OuterRef("arrived_at"))
        rows = untold.annotate(called_again=Exists(later.exclude(number="")))
        missed = list(rows.select_for_update(skip_locked=True, of=("self",)).select_related("contact").order_by("pk"))
        QueueEntry.objects.filter(pk__in=[entry.pk for entry in missed]).update(manager_told_at=now)
        told = [entry for entry in missed if not entry.called_again]  # type: ignore[attr-defined]
        post(callers_missed(told, now), now)
    return len(missed)


def lock_entry(entry_id: int) -> QueueEntry:
    """The entry, locked until the transaction ends. Raises QueueEntry.DoesNotExist."""
    rows = QueueEntry.objects.select_for_update(of=("self",))
    return rows.select_related("contact__company", "company", "line", "technician", "case", "interaction__case").get(
        pk=entry_id
    )
