"""The state of the engine, for the admin, `/readyz` and the heartbeat (S3): late jobs, overdue work, late mail, doors
through which no mail comes in.

It costs a fixed number of index probes, however many cases and mails there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery import current_app
from django.conf import settings
from django.db.models import Count, Min, QuerySet

from cases.enums import Door, MailStatus
from cases.models import Case, FailedCase, Mail, MailCircuit, MailDoor, SweepRun
from contacts.wording import MomentFormatter, rough_duration, utc_stamp

#: The heartbeat is watched from outside; tidying up may be late.
UNWATCHED = frozenset({"heartbeat", "count-loads", "tidy"})
#: Mails are counted up to here.
MAILS_COUNTED = 1_000
#: A mail server that takes no mail for so long is a trouble, however little waits for it.
SERVER_AWAY = timedelta(minutes=1)
#: Fewer that are held up may be those messages' own trouble.
HELD_UP_AT_LEAST = 3
#: What sentences call the doors that are looked into.
DOORS = {Door.MAILDIR: "Maildir", Door.IMAP: "IMAP mailbox"}


def in_utc_with_seconds(moment: datetime) -> str:
    """“2026-06-03 12:00:00 UTC”: for logs and probes, which have no reader with a zone."""
    return f"{utc_stamp(moment, seconds=True)} UTC"


@dataclass(frozen=True)
class Look:
    """The last run of a job of the beat table."""

    name: str
    last_at: datetime | None
    done: int
    is_late: bool


@dataclass(frozen=True)
class Waiting:
    """The oldest due work of a kind."""

    what: str
    case_id: int
    due_at: datetime


@dataclass(frozen=True)
class MailState:
    """The outbox: how much waits and has failed (capped), and the oldest message that nobody could try yet.

    `held_up` is how much waits because the mail server is in trouble, and since when. `circuit` is the server that is
    not tried for now, if any (the one for the longest time).
    """

    queued: int
    failed: int
    failed_lately: int
    oldest_at: datetime | None
    last_error: str
    held_up: int
    held_up_since: datetime | None
    circuit: MailCircuit | None


@dataclass(frozen=True)
class EngineState:
    """The engine at a moment."""

    now: datetime
    looks: tuple[Look, ...]
    waiting: tuple[Waiting, ...]
    set_aside: int
    set_aside_since: datetime | None
    mail: MailState
    doors: tuple[MailDoor, ...]

    @property
    def overdue(self) -> list[Waiting]:
        """The oldest work of each kind, if it has been due for longer than it may be."""
        return [work for work in self.waiting if self._too_long(work.due_at)]

    def _too_long(self, due_at: datetime) -> bool:
        return self.now - due_at > timedelta(minutes=settings.DESK_OVERDUE_AFTER_MINUTES)

    @property
    def oldest_due_at(self) -> datetime | None:
        """When the oldest work of all open cases was due, cases set aside included; None when nothing is due."""
        moments = [work.due_at for work in self.waiting]
        return min([*moments, *([self.set_aside_since] if self.set_aside_since else [])], default=None)

    @property
    def mail_is_late(self) -> bool:
        """Whether a message that was never tried waits for longer than it may."""
        allowed = timedelta(minutes=settings.DESK_MAIL_LATE_AFTER_MINUTES)
        return self.mail.oldest_at is not None and self.now - self.mail.oldest_at > allowed

    def troubles(self) -> list[str]:
        """A sentence for everything that is wrong, without secrets; none while all is well."""
        return [*self.late_looks(), *self.late_work(), *self.mail_troubles(), *self.door_troubles()]

    def late_looks(self) -> Iterator[str]:
        for look in self.looks:
            if look.last_at is None:
                yield f"'{look.name}' has never run."
            elif look.is_late:
                ago = (self.now - look.last_at).total_seconds()
                yield f"'{look.name}' ran last at {in_utc_with_seconds(look.last_at)}, {ago:,.0f} s ago."

    def late_work(self) -> Iterator[str]:
        """Overdue work, and cases that have been set aside for too long (S2)."""
        for work in self.overdue:
            number = Case(pk=work.case_id).number
            since, ago = in_utc_with_seconds(work.due_at), rough_duration(self.now - work.due_at)
            yield f"The {work.what} of {number} is overdue: it was due at {since}, {ago} ago."
        if self.set_aside_since is not None and self._too_long(self.set_aside_since):
            cases = "case is" if self.set_aside == 1 else "cases are"
            yield f"{self.set_aside:,} {cases} set aside, the oldest since {in_utc_with_seconds(self.set_aside_since)}."

    def mail_troubles(self, show: MomentFormatter = in_utc_with_seconds) -> Iterator[str]:
        """Mail that waits for too long or for the server, or has failed. Errors are shown in the admin only (M2)."""
        mail = self.mail
        if mail.held_up >= HELD_UP_AT_LEAST and mail.held_up_since is not None:
            since = show(mail.held_up_since)
            yield f"The mail server takes no mail: {_counted(mail.held_up)} held up, the oldest since {since}."
        elif mail.circuit is not None and self.now - mail.circuit.since >= SERVER_AWAY:
            yield f"The mail server has taken no mail since {show(mail.circuit.since)}."
        if mail.circuit is not None and self.now - mail.circuit.since >= SERVER_AWAY:
            yield f"One worker tries it again at {show(mail.circuit.try_at)}; the others leave it alone."
        if mail.failed_lately > settings.DESK_MAILS_FAILED_PER_HOUR:
            yield f"{_counted(mail.failed_lately)} failed within the last hour."
        if self.mail_is_late and self.mail.oldest_at is not None:
            ago = rough_duration(self.now - self.mail.oldest_at)
            wait = "waits" if self.mail.queued == 1 else "wait"
            yield f"{_counted(self.mail.queued)} {wait} to be sent, the oldest for {ago}."

    def door_troubles(self, show: MomentFormatter = in_utc_with_seconds) -> Iterator[str]:
        """Doors into which nobody could look for too long, and messages that stay in them (M5).

        What exactly went wrong is shown in the admin only.
        """
        for door in self.doors:
            where = DOORS[Door(door.kind)]
            since = door.fetched_at or door.trouble_since or door.look_at
            if self._too_long(since):
                when = f"since {show(door.fetched_at)}" if door.fetched_at else "yet"
                why = f", because {door.trouble}" if door.trouble else ""
                yield f"No mail has been fetched from the {where} {when}{why}."
            elif door.left and door.trouble_since is not None and self._too_long(door.trouble_since):
                yield f"{_counted(door.left)} in the {where} cannot be taken, since {show(door.trouble_since)}."

    def door_details(self) -> list[str]:
        """What exactly went wrong at the last look into each door, for the admin."""
        return [f"{door}: {door.trouble_detail}" for door in self.doors if door.trouble_detail]


def _counted(mails: int) -> str:
    """“1 mail”, “12 mails”, “1,000 or more mails”."""
    more = " or more" if mails >= MAILS_COUNTED else ""
    return f"{mails:,}{more} {'mail' if mails == 1 else 'mails'}"


def watched_jobs() -> list[str]:
    return sorted(name for name in current_app.conf.beat_schedule if name not in UNWATCHED)


def engine_state(now: datetime) -> EngineState:
    """What is known of the engine; a fixed number of queries."""
    aside = FailedCase.objects.filter(solved_at=None).aggregate(number=Count("pk"), since=Min("since"))
    doors = tuple(MailDoor.objects.filter(in_use=True))
    waiting, mail = tuple(_waiting(now)), mail_state(now)
    return EngineState(now, tuple(looks(now)), waiting, aside["number"], aside["since"], mail, doors)


def looks(now: datetime) -> Iterator[Look]:
    """Every job that is watched; one query."""
    allowed = timedelta(seconds=settings.DESK_BEAT_LATE_AFTER_SECONDS)
    runs = {run.name: run for run in SweepRun.objects.all()}
    for name in watched_jobs():
        run = runs.get(name)
        if run is None:
            yield Look(name, None, 0, is_late=True)
        else:
            yield Look(name, run.last_at, run.done, is_late=now - run.alive_at > allowed)


def late_look(now: datetime, name: str) -> Look | None:
    """The last run of a job that is late: since then nothing is known of what it finds out (W5); one query."""
    return next((look for look in looks(now) if look.name == name and look.is_late), None)


def _waiting(now: datetime) -> Iterator[Waiting]:
    for what, cases, column in (
        ("escalation", Case.objects.due_for_escalation(now), "escalation_check_at"),
        ("follow-up", Case.objects.due_for_follow_up(now), "follow_up_check_at"),
        ("promise", Case.objects.due_for_sla(now), "sla_check_at"),
    ):
        oldest = cases.values_list("pk", column).first()
        if oldest is not None:
            yield Waiting(what, *oldest)


def mail_state(now: datetime) -> MailState:
    """What is known of the outbox; six queries."""
    # A message that was tried backs off by itself (M2); one that was not waits for the engine or a server that is down.
    untried = Mail.objects.filter(status=MailStatus.QUEUED, attempts=0).order_by("pk")
    oldest_at, last_error = untried.values_list("queued_at", "last_error").first() or (None, "")
    queued, failed = MailStatus.QUEUED, MailStatus.FAILED
    held_up = Mail.objects.filter(status=queued, held_up_at__isnull=False).order_by()
    held = held_up.aggregate(number=Count("pk"), since=Min("held_up_at"))
    return MailState(
        queued=_capped(Mail.objects.filter(status=queued)),
        failed=_capped(Mail.objects.filter(status=failed)),
        failed_lately=_capped(Mail.objects.filter(status=failed, failed_at__gt=now - timedelta(hours=1))),
        oldest_at=oldest_at,
        last_error=last_error,
        held_up=held["number"],
        held_up_since=held["since"],
        circuit=MailCircuit.objects.order_by("since").first(),
    )


def _capped(mails: QuerySet[Mail]) -> int:
    return mails.order_by()[:MAILS_COUNTED].count()
