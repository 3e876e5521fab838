"""Looks into every door that the settings name, each when it is its time and by one worker at a time (M5, S3)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.db.models import Q

from cases.enums import Door
from cases.inbox.doors.access_tokens import TokenSource
from cases.inbox.doors.imap import EVERY, ImapMailbox
from cases.inbox.doors.maildir import Maildir
from cases.inbox.doors.rounds import Clock, FetchRound, NotFetched
from cases.models import MailDoor

log = logging.getLogger(__name__)

#: A look begins with no further message after so many seconds; what is left is the next look's.
LOOK_SECONDS = 20
#: As long as a look may take with its last message. After that another worker may look: this one has died or is stuck.
CLAIM = timedelta(seconds=60)
#: The longest that a look is ever put off. A moment beyond it was written by a wrong clock.
LONGEST_WAIT = timedelta(minutes=10)


class Fetched(Protocol):
    """What messages are fetched from."""

    def look(self, fetch_round: FetchRound) -> None:
        """Take what is there, as long as the round goes on. Raises NotFetched."""


@dataclass(frozen=True)
class NamedDoor:
    """A door that the settings name, and how often it is looked into."""

    kind: Door
    name: str
    every: timedelta
    source: Callable[[MailDoor], Fetched]


def named_doors() -> Iterator[NamedDoor]:
    """The doors of the settings."""
    if settings.MAILDIR:
        maildir = Maildir(Path(settings.MAILDIR))
        yield NamedDoor(Door.MAILDIR, f"Maildir {maildir.path}", timedelta(0), lambda row: maildir)
    if settings.IMAP_ACCOUNT:
        token_source = TokenSource(**settings.IMAP_OAUTH) if settings.IMAP_OAUTH else None
        mailbox = ImapMailbox(**settings.IMAP_ACCOUNT, token_source=token_source)
        yield NamedDoor(
            Door.IMAP, mailbox.name, EVERY, lambda row: replace(mailbox, since=settings.IMAP_SINCE or row.since)
        )


def fetch(clock: Clock, stopping: Callable[[], bool]) -> int:
    """Look into every door whose time it is; how many messages came in that are new."""
    named = list(named_doors())
    rows = _rows(named, clock())
    return sum(_fetch_from(door, rows[door.name], clock, stopping) for door in named if not stopping())


def forget_taken(now: datetime) -> int:
    """Delete the messages that the Maildir keeps though the desk has had them for long; how many there were."""
    if not settings.MAILDIR:
        return 0
    return Maildir(Path(settings.MAILDIR)).sweep(now, timedelta(days=settings.MAILDIR_KEEP_DAYS))


def _rows(named: Sequence[NamedDoor], now: datetime) -> dict[str, MailDoor]:
    """The row of each, made if it is new; those that are named no more go out of use."""
    rows = {row.name: row for row in MailDoor.objects.all()}
    names = {door.name for door in named}
    for door in named:
        if door.name not in rows:
            facts = {"kind": door.kind, "since": now.date() - timedelta(days=1), "look_at": now}
            rows[door.name], _ = MailDoor.objects.get_or_create(name=door.name, defaults=facts)
    changed = [row.pk for row in rows.values() if row.in_use != (row.name in names)]
    if changed:
        MailDoor.objects.filter(pk__in=changed, name__in=names).update(in_use=True)
        MailDoor.objects.filter(pk__in=changed).exclude(name__in=names).update(in_use=False)
    return rows


def _fetch_from(door: NamedDoor, row: MailDoor, clock: Clock, stopping: Callable[[], bool]) -> int:
    began_at, began = clock(), time.monotonic()
    claimed_until = began_at + CLAIM
    due = Q(look_at__lte=began_at) | Q(look_at__gt=began_at + LONGEST_WAIT)
    if MailDoor.objects.filter(due, pk=row.pk).update(look_at=claimed_until) != 1:
        return 0
    fetch_round = FetchRound(
        door.kind, clock, lambda: not stopping() and time.monotonic() - began < LOOK_SECONDS, list(row.put_off)
    )
    try:
        door.source(row).look(fetch_round)
        trouble, detail, wait = "", fetch_round.detail, door.every
    except NotFetched as error:
        trouble, detail, wait = error.why, error.detail, max(error.wait, door.every)
    _tell(row, trouble, detail, fetch_round.left)
    outcome = {
        "fetched_at": row.fetched_at if trouble else began_at,
        "trouble": trouble[:200],
        "trouble_detail": detail.encode("utf-8", "replace").decode().replace("\0", ""),
        "left": fetch_round.left,
        "trouble_since": (row.trouble_since or began_at) if trouble or fetch_round.left else None,
        "put_off": fetch_round.put_off,
        "look_at": clock() + wait,
    }
    MailDoor.objects.filter(pk=row.pk, look_at=claimed_until).update(**outcome)
    return fetch_round.new


def _tell(row: MailDoor, trouble: str, detail: str, left: int) -> None:
    """Log what changed since the last look: a door that stays shut would fill the log."""
    if trouble and trouble != row.trouble:
        log.warning("no mail from %s, because %s: %s", row.name, trouble, detail)
    elif left and (left, detail) != (row.left, row.trouble_detail):
        log.warning("%s messages stay in %s: %s", left, row.name, detail)
    elif row.trouble and not trouble:
        log.info("mail comes from %s again", row.name)
