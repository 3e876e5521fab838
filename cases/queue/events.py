"""What telephone systems tell becomes rows, whatever came before it, twice, or not at all (Q1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from cases.enums import CallEventKind, QueueEnding, QueueState
from cases.models import CallEvent, QueueEntry
from cases.policy.queue.call import CallReading, HeardEvent, Settled, read_call, settle
from cases.queue.apply import can_be_called, enter, make_callback, offer_next, trying_again
from cases.queue.callers import identify
from contacts.enums import Right
from contacts.models import Technician, User
from contacts.phone_numbers import is_same_line


@dataclass(frozen=True)
class ToldEvent:
    """What a telephone system told of a call. `leg` says who answered, as that system calls them."""

    provider: str
    call_id: str
    kind: CallEventKind
    leg: str = ""
    number: str = ""
    dialled: str = ""
    cause: str = ""
    is_outgoing: bool = False


def take_event(told: ToldEvent, now: datetime) -> QueueEntry | None:
    """Keep what was told at `now` (UTC), and bring the caller to where they stand by all that is known (Q1).

    An event that came before changes nothing. None for a call that we made ourselves: it is kept, and waits for nobody.
    """
    return trying_again(lambda: _take_in(told, now))


def _take_in(told: ToldEvent, now: datetime) -> QueueEntry | None:
    if told.is_outgoing or _is_ours(told):
        with transaction.atomic():
            _keep(told, now)
            waiting = QueueEntry.objects.filter(provider=told.provider, call_id=told.call_id, taken_at=None)
            waiting.exclude(state=QueueState.ENDED).update(
                state=QueueState.ENDED, ending=QueueEnding.WITHDRAWN, ended_at=now, technician=None, is_callback=False
            )
        return None
    with transaction.atomic():
        entry = _entry_of(told, now)
        _keep(told, now)
        _bring(entry, now)
    offer_next(now)
    entry.refresh_from_db()
    return entry


def _is_ours(told: ToldEvent) -> bool:
    return CallEvent.objects.filter(provider=told.provider, call_id=told.call_id, is_outgoing=True).exists()


def _keep(told: ToldEvent, now: datetime) -> None:
    row = CallEvent(
        provider=told.provider,
        call_id=told.call_id,
        kind=told.kind,
        leg=told.leg,
        at=now,
        number=told.number,
        dialled=told.dialled,
        cause=told.cause,
        is_outgoing=told.is_outgoing,
    )
    CallEvent.objects.bulk_create([row], ignore_conflicts=True)


def _entry_of(told: ToldEvent, now: datetime) -> QueueEntry:
    """The caller's row, locked; made by whichever event comes first. Events of one call wait for each other here."""
    mine = QueueEntry.objects.filter(provider=told.provider, call_id=told.call_id)
    rows = mine.select_for_update(of=("self",)).select_related("contact__company", "technician")
    entry = rows.first()
    if entry is None:
        try:
            with transaction.atomic():
                enter(identify(told.number, told.dialled), now, provider=told.provider, call=told.call_id)
        except IntegrityError:  # another event of the same call was quicker
            pass
        entry = rows.get()
    if not entry.number and told.number and entry.contact is None:
        caller = identify(told.number, told.dialled)
        entry.number, entry.contact, entry.company = caller.number, caller.contact, caller.company
        entry.line, entry.language = caller.line, caller.language
    return entry


def _bring(entry: QueueEntry, now: datetime) -> None:
    """Settle the row by everything that was told of its call."""
    rows = CallEvent.objects.filter(provider=entry.provider, call_id=entry.call_id)
    heard = [HeardEvent(CallEventKind(kind), at, leg) for kind, at, leg in rows.values_list("kind", "at", "leg")]
    reading = read_call(heard)
    assert reading is not None
    before = Settled(
        QueueState(entry.state), QueueEnding(entry.ending) if entry.ending else None, bool(entry.is_callback)
    )
    after = settle(reading, before, can_be_called=can_be_called(entry))
    entry.heard_at = max(entry.heard_at, now)
    if after != before:
        _settle(entry, after, reading)
    entry.save()


def _settle(entry: QueueEntry, after: Settled, reading: CallReading) -> None:
    if after.is_callback:
        make_callback(entry)
        return
    entry.state, entry.ending, entry.is_callback = after.state, after.ending or "", False
    entry.ended_at = reading.ended_at if after.state == QueueState.ENDED else None
    if reading.answered_at is None:
        # Nobody had it, or somebody took it with a click and keeps it.
        entry.technician = entry.technician if entry.taken_at is not None else None
        return
    entry.taken_at = entry.taken_at or reading.answered_at
    answered_by = technician_at(reading.answered_by)
    entry.technician = answered_by or entry.technician
    if entry.technician is not None and after.state == QueueState.TALKING:
        _free_of_others(entry, entry.technician, reading.answered_at)


def _free_of_others(entry: QueueEntry, user: User, at: datetime) -> None:
    """Whoever answers speaks with nobody else any more, and what is offered to them goes to the next (Q2)."""
    others = QueueEntry.objects.with_technician().filter(technician=user).exclude(pk=entry.pk)
    for other in others.in_lock_order():
        if other.state == QueueState.TALKING:
            other.state, other.ending, other.ended_at = (
                QueueState.ENDED,
                QueueEnding.SPOKEN,
                max(at, other.taken_at or at),
            )
        else:
            other.state, other.technician, other.offered_at = QueueState.WAITING, None, None
        other.save()


def technician_at(leg: str) -> User | None:
    """Who answers under this number or name of the telephone system; None for nobody the desk knows; one query."""
    wanted = leg.strip().casefold()
    if not wanted:
        return None
    for technician in Technician.objects.at_work().select_related("user").order_by("user_id"):
        user = technician.user
        names = {name.casefold() for name in (technician.extension, user.username, user.get_full_name()) if name}
        if user.may(Right.WORK_CASES) and (wanted in names or is_same_line(leg, user.phone)):
            return user
    return None
