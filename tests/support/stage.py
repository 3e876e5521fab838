"""A desk fast-forwarded with every sweep of the engine, and what came of it in words: each mail, each row.

Times are hours and minutes since `NOON` (“26:05”). What people do themselves writes mail as well; only what the engine
does is told. A mail that leaves later than it was written, is dropped or fails is told once more, with the word first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Min

from cases.enums import Channel, Direction, MailStatus, Resolution, Severity, WaitReason
from cases.followup.apply import follow_up
from cases.mail.outbox import Delivery, deliver
from cases.models import Case, Interaction, Mail
from cases.workflow import handing_on, transitions
from cases.workflow.contact_log import log_contact
from contacts.models import User
from escalations.enums import Member, SlaKind
from escalations.models import SlaTarget
from escalations.points.apply import escalate
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk
from tests.support.examples import ALL_EXAMPLES

MOMENT, MINUTE, HOUR = timedelta(microseconds=1), timedelta(minutes=1), timedelta(hours=1)


def at(said: str | float) -> datetime:
    """A moment from how it is said: “26:05”, or a number of hours."""
    if isinstance(said, str):
        hours, minutes, *seconds = said.split(":")
        return NOON + timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds[0]) if seconds else 0)
    return NOON + said * HOUR


def clock(moment: datetime | None) -> str:
    """How a moment is said."""
    if moment is None:
        return "-"
    seconds = (moment - NOON).total_seconds()
    minutes = int(seconds // 60)
    said = f"{minutes // 60}:{minutes % 60:02}"
    return said if seconds % 60 == 0 else f"{said}:{seconds % 60:02g}"


def sweeps(now: datetime) -> None:
    """One look of every sweep, the outbox in between, and what became of its mail."""
    escalate(now)
    follow_up(now)
    keep_promises(now)
    if deliver(lambda: now) != Delivery():
        keep_promises(now)


class Stage:
    """A desk on which time passes. `told` is everything the engine did to anybody's mailbox."""

    def __init__(self, desk: Desk, sweep: Callable[[datetime], None] = sweeps) -> None:
        self.desk, self.sweep, self.now = desk, sweep, NOON
        self.told: list[str] = []
        self._known: dict[int, str] = {}

    def open(self, severity: Severity, channel: Channel = Channel.EMAIL, **fields: object) -> Case:
        """A case, opened now; what its opening says has left."""
        case = self.desk.open_case(self.now, severity=severity, channel=channel, **fields)
        deliver(lambda: self.now)
        self._look_away()
        return case

    # --- time

    def to(self, said: str | float) -> Stage:
        """Let time pass until a moment, that one included; the engine looks whenever anything asks for it, a moment
        before (with few examples only the first time), at it, and once more.
        """
        until = at(said)
        looks_before = True
        while (asked := self._asked()) is not None and asked <= until:
            assert asked >= self.now, f"something is still due since {clock(asked)}"
            if looks_before and asked - MOMENT > self.now:
                self.look(asked - MOMENT)
                looks_before = ALL_EXAMPLES
            self.look(asked)
            self.look(asked)  # delivered once more
            left = self._asked()
            assert left is None or left > asked, f"the engine left something due as it was at {clock(asked)}"
        self.look(until)
        return self

    def outage(self, said: str | float) -> Stage:
        """Let time pass while no engine runs; at the end it looks again."""
        self.now = at(said)
        self.look(self.now)
        return self

    def look(self, now: datetime) -> None:
        """Every sweep, once."""
        self.now = now
        self.sweep(now)
        self._tell(now)

    def _asked(self) -> datetime | None:
        cases = Case.objects.aggregate(
            look=Min("escalation_check_at"), follow=Min("follow_up_check_at"), promise=Min("sla_check_at")
        )
        mails = Mail.objects.filter(status=MailStatus.QUEUED).aggregate(mail=Min("send_at"))
        return min((moment for moment in (cases | mails).values() if moment), default=None)

    # --- what came of it

    def _tell(self, now: datetime) -> None:
        lines = []
        statuses = dict(Mail.objects.values_list("pk", "status"))
        changed = [pk for pk, status in statuses.items() if self._known.get(pk) != status]
        for mail in Mail.objects.filter(pk__in=changed) if changed else ():
            before = self._known.get(mail.pk)
            if before is None:
                lines.append(f"{clock(now)} {_who(mail)}: {_what(mail)}")
            in_time = mail.status == MailStatus.SENT and mail.sent_at == mail.queued_at
            if mail.status not in (before, MailStatus.QUEUED) and not in_time:
                lines.append(f"{clock(now)} {_who(mail)}: {mail.status} {_what(mail)}")
        self._known = statuses
        self.told += sorted(lines)

    def _look_away(self) -> None:
        mine = dict(Mail.objects.values_list("pk", "status"))
        self._known = mine | self._known

    def ledger(self, case: Case | None = None, since: str = "0:00") -> list[str]:
        """Every row of promises whose deadline comes after a moment, in words."""
        rows = SlaTarget.objects.filter(due_at__gt=at(since)).order_by("since", "due_at", "case_id", "pk")
        if case is not None:
            rows = rows.filter(case=case)
        return [self._row(row) for row in sorted(rows, key=lambda row: (row.kind, list(Member).index(row.member)))]

    @staticmethod
    def _row(row: SlaTarget) -> str:
        whose = "response" if row.kind == SlaKind.RESPONSE else row.member
        said = f"{whose} {clock(row.since)}-{clock(row.due_at)} {row.outcome or 'open'} {clock(row.ended_at)}"
        said += f" by {row.by}" if row.by else ""
        return said + (f", told {clock(row.manager_told_at)}" if row.manager_told_at else "")

    # --- what people do

    def do(self, said: str | float, act: Callable[[datetime], object]) -> Stage:
        """Let time pass, then somebody does something; at a due moment, before the engine looks."""
        self.to((at(said) - MOMENT - NOON) / HOUR)
        self.now = at(said)
        act(self.now)
        self._look_away()
        return self

    def contact(
        self,
        case: Case,
        channel: Channel = Channel.PHONE,
        direction: Direction = Direction.OUT,
        *,
        by: User | None = None,
        told: tuple[Member, ...] = (),
        body: str = "We are on it.",
        **more: bool,
    ) -> Callable[[datetime], Interaction]:
        """A contact that somebody logs; `told` are members of the staff who heard it too."""

        def act(now: datetime) -> Interaction:
            who = by or self.desk.technician
            row = log_contact(case.pk, who, now, channel=channel, direction=direction, body=body, **more)
            if told:
                Interaction.objects.filter(pk=row.pk).update(told=list(told))
                Case.objects.filter(pk=case.pk).update(sla_check_at=now)
            return row

        return act

    def asks(self, case: Case, send: bool = False) -> Callable[[datetime], object]:
        """The customer is asked; the case waits."""
        return lambda now: transitions.ask_customer(
            case.pk,
            self.desk.technician,
            now,
            question="Which one?",
            reason=WaitReason.CONFIRM,
            send=send,
            channel=None if send else Channel.PHONE,
        )

    def takes_back(self, case: Case) -> Callable[[datetime], object]:
        return lambda now: transitions.take_back(case.pk, self.desk.technician, now, reason="Found it.")

    def resolves(self, case: Case) -> Callable[[datetime], object]:
        return lambda now: transitions.resolve(case.pk, self.desk.technician, now, resolution=Resolution.NOT_PURSUED)

    def reopens(self, case: Case) -> Callable[[datetime], object]:
        return lambda now: transitions.reopen(case.pk, self.desk.technician, now, reason="It is back.")

    def becomes(self, case: Case, severity: Severity) -> Callable[[datetime], object]:
        return lambda now: transitions.change_severity(
            case.pk, self.desk.manager, now, severity=severity, reason="Looked again."
        )

    def goes_to(self, case: Case, owner: User) -> Callable[[datetime], object]:
        return lambda now: handing_on.hand_over(case.pk, self.desk.manager, now, owner=owner, reason="Knows it.")


def _who(mail: Mail) -> str:
    if mail.to_address.startswith("desk@"):
        return "customer"
    return mail.to_address.removesuffix("@example.com")


def _what(mail: Mail) -> str:
    if mail.template != "staff_lines":
        return mail.template
    return ", ".join(_section(section) for section in mail.facts["sections"])


def _section(section: dict[str, list[dict[str, str]]]) -> str:
    about = [line["owed_to"] for line in section["lines"] if section["name"] == "reminder"]
    said = f"{section['name']} ({'; '.join(about)})" if about else str(section["name"])
    return said if len(section["lines"]) == 1 else f"{said} x{len(section['lines'])}"
