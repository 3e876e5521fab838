"""The mails of SLA decisions: the customer's status update as a letter, staff's as digest lines (T3, M4).

A customer reads only what was sent to them or marked for them by its author (C3, E8); of any other contact with them
only that there was one, and when.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery

from cases.enums import Channel, Direction, Severity, Status
from cases.mail.letters import Letter, case_facts, facts, to_contact, who_works_on
from cases.mail.phrases import phrase
from cases.models import Case, Interaction
from cases.models.contact_log import TELLS_CUSTOMER
from cases.policy.severity import is_severe
from contacts.compiled import KEYS, CompiledQuery
from contacts.directory import Addressee
from contacts.enums import Role
from contacts.wording import duration
from escalations.audience import audience_of, centre_of_owner, readers_of, staff_of, staff_readers
from escalations.enums import Member, QuestionEnd, TurnKind
from escalations.models import DigestLine, Question
from escalations.points.decide import SweepContext, responder
from escalations.policy.sla import TurningPoint
from escalations.questions.state import marked_for_customers
from escalations.sla.decide import SlaDecision, Update
from escalations.sla.digest import Section, line_key, send_by

#: No more characters of what somebody said stand in an update.
QUOTED = 600

Facts = dict[str, Any]


@dataclass
class Mails:
    """What is written about a batch: letters to customers, one for each case, and digest lines to staff.

    `update_keys` are the keys of the mails that carry the desk's own updates, by case and member.
    """

    letters: list[Letter] = field(default_factory=list)
    lines: list[DigestLine] = field(default_factory=list)
    update_keys: dict[tuple[int, Member], str] = field(default_factory=dict)


def build_mails(decisions: Sequence[SlaDecision], context: SweepContext, quoting: bool = True) -> Mails:
    """The mails of these decisions. Without `quoting` they do not say what was last said, and no query is made."""
    updated = [decision.case for decision in decisions if decision.updates and quoting]
    last_said = LastSaid(updated) if updated else None
    mails = Mails()
    for decision in decisions:
        if decision.acts:
            builder = _Builder(decision, context, last_said)
            mails.letters += builder.customer_letters() + builder.reopened_letters()
            mails.lines += builder.lines()
            mails.update_keys |= {
                (decision.case.pk, update.target.member): builder.update_key(update) for update in decision.updates
            }
    return mails


class _Builder:
    """The mails about one case."""

    def __init__(self, decision: SlaDecision, context: SweepContext, last_said: LastSaid | None) -> None:
        self.decision, self.case, self.context, self.last_said = decision, decision.case, context, last_said

    def update_key(self, update: Update) -> str:
        """The key of the mail that carries an update."""
        if update.target.member == Member.CUSTOMER:
            return f"update:{self.case.pk}:{update.row.since.isoformat()}"
        return line_key(update.readers[0].address, self.context.now)

    # --- updates ---

    def customer_letters(self) -> list[Letter]:
        return [
            Letter(
                self.update_key(update),
                "status_update",
                update.readers[0],
                self._customer_facts(update),
                self.case,
                needed_by=update.target.due_at,
                occasion=update.row.since,
            )
            for update in self.decision.updates
            if update.target.member == Member.CUSTOMER
        ]

    def _customer_facts(self, update: Update) -> Facts:
        return self._update_facts(update, for_customer=True) | {
            "why": phrase("you are our contact for this issue, and we promised to keep you informed"),
            "expected": phrase("Nothing for now. If something has changed on your side, tell us."),
            "next": phrase("%(work)s, and you hear from us again at the latest:", work=who_works_on(self.case)),
        }

    def _staff_updates(self) -> list[DigestLine]:
        """One line for each person, at the shortest interval of the members they stand for; watchers get it as well."""
        updates = self.decision.updates
        to_staff: dict[Member, Update] = {one.target.member: one for one in updates}
        to_customer = to_staff.pop(Member.CUSTOMER, None)
        watchers = self._watchers_told(to_customer) if updates else ()
        lines = []
        for reader in staff_readers({member: one.readers for member, one in to_staff.items()}, watchers):
            own = [to_staff[member] for member in reader.members]
            soonest = min(own, key=lambda one: one.target.every, default=to_customer or updates[0])
            lines.append(self._line(Section.UPDATE, reader.to, reader.because, self._update_facts(soonest, False)))
        return lines

    def _watchers_told(self, to_customer: Update | None) -> Sequence[Addressee]:
        """Watchers hear what the customer hears: the clocks of others differ by minutes, and they have no own (E7).

        Of a customer to whom the desk does not write they hear with anybody else's update.
        """
        running = (target for target in self.decision.state.running if target.member == Member.CUSTOMER)
        hears = to_contact(self.case) is not None and any(target.automatic for target in running)
        return self.decision.state.watchers if to_customer is not None or not hears else ()

    def _update_facts(self, update: Update, for_customer: bool) -> Facts:
        case, now = self.case, self.context.now
        said = self.last_said.of(case.pk, for_customer) if self.last_said else None
        upcoming = None if for_customer else self.decision.state.clock.upcoming(now)
        return {
            "case": case_facts(case),
            "said": said.text if said else "",
            "said_at": said.at.isoformat() if said else "",
            "said_by": said.by if said else "",
            "contact": said.contact if said else "",
            "besides": self.last_said.besides(case.pk) if self.last_said and for_customer else [],
            "working": Status(case.status) == Status.IN_PROGRESS,
            "owned": case.owner is not None,
            "late": update.target.due_at < now,
            "due_at": update.target.due_at.isoformat(),
            "point": upcoming.point.name if upcoming else "",
            "point_at": upcoming.due_at.isoformat() if upcoming else "",
            "next_at": (now + update.target.every).isoformat(),
        }

    # --- turning points (T5) ---

    def reopened_letters(self) -> list[Letter]:
        """To the customer, whom other letters tell that the case waits for them or is resolved."""
        turn, customer = self.decision.turn, to_contact(self.case)
        if turn is None or turn.kind != TurnKind.REOPENED or customer is None:
            return []
        what = facts(
            self.case,
            why=phrase("you are our contact for this issue, which was resolved and is open again"),
            expected=phrase("Nothing for now. If something has changed on your side, tell us."),
            then=phrase("%(work)s, and you hear from us at the latest:", work=who_works_on(self.case)),
            next_at=self._next_update_at([Member.CUSTOMER]),
        )
        return [Letter(f"reopened:{self.case.pk}:{turn.at.isoformat()}", "case_reopened", customer, what, self.case)]

    def _turn_lines(self) -> list[DigestLine]:
        """One line for each of the staff in the audience and each watcher."""
        turn, clock = self.decision.turn, self.decision.state.clock
        if turn is None:
            return []
        audience = staff_of(audience_of(clock, self.context.now))
        readers = staff_readers(readers_of(self.case, audience, self.context.directory), self.decision.state.watchers)
        lines = [self._line(Section.TURN, one.to, one.because, self._turn_facts(turn, one.members)) for one in readers]
        return lines + self._wait_lines(turn, {line.to_address.lower() for line in lines})

    def _wait_lines(self, turn: TurningPoint, told: Collection[str]) -> list[DigestLine]:
        """To the Support Manager: each Critical and High case that begins to wait for its customer (D6)."""
        severe = is_severe(Severity(self.case.severity))
        if turn.kind != TurnKind.WAITING or not severe or "waiting_case" in settings.DESK_NOTICES_OFF:
            return []
        because = "the Support Manager is told of each Critical and High case that begins to wait for its customer"
        lines = self._to_manager(Section.TURN, because, self._turn_facts(turn, ()))
        return [line for line in lines if line.to_address.lower() not in told]

    def _turn_facts(self, turn: TurningPoint, members: Sequence[Member]) -> Facts:
        return {
            "case": case_facts(self.case),
            "turn": turn.kind.value,
            "turned_at": turn.at.isoformat(),
            "reason": _REASONS[turn.kind](self.case),
            "next_at": self._next_update_at(members) if turn.kind == TurnKind.REOPENED else "",
        }

    def _next_update_at(self, members: Sequence[Member]) -> str:
        due = [target.due_at for target in self.decision.state.running if target.member in members]
        return min(due).isoformat() if due else ""

    # --- what staff are told ---

    def lines(self) -> list[DigestLine]:
        """To staff, one for each person and reason."""
        decision = self.decision
        lines = self._staff_updates()
        if decision.reminders:
            lines += self._reminders()
        lines += self._turn_lines()
        if decision.missed_response is not None:
            missed = {"due_at": decision.missed_response.due_at.isoformat()}
            lines += self._to_manager(Section.RESPONSE, "a customer who phoned was not responded to in time", missed)
        if decision.silence is not None:
            target = decision.silence
            owed = {"owed_to": Member(target.member).label, "every": duration(target.every)}
            lines += self._to_manager(
                Section.SILENCE, "nobody has spoken on a case for two status updates or more", owed
            )
        if decision.question_unanswered:
            lines += self._to_manager(
                Section.QUESTION, "a question for the status of a case stayed unanswered", self._question_facts()
            )
        for contact in decision.unhandled:
            because = "a customer's word on a resolved case has not been handled in time"
            lines += self._to_manager(Section.WORD, because, _contact_facts(contact))
        return lines

    def _reminders(self) -> list[DigestLine]:
        reminders, case, context = self.decision.reminders, self.case, self.context
        soonest = min(reminders, key=lambda reminder: reminder.due_at)
        what = {
            "case": case_facts(case),
            "owed_to": _joined(reminder.owed_to for reminder in reminders),
            "due_at": soonest.due_at.isoformat(),
            "next_at": soonest.due_at.isoformat(),
            "automatic": soonest.automatic,
            "unreachable": not case.contact.email and any(one.member == Member.CUSTOMER for one in reminders),
        }
        centre, stand_in = centre_of_owner(case), responder(case.owner, case, context)
        because = "you own cases on which a word is owed soon"
        lines = [
            self._line(Section.REMINDER, to, because, what)
            for to in context.directory.for_user(case.owner, "Owner", centre)
        ]
        if stand_in is not None and stand_in != case.owner:
            because = "the owner of cases on which a word is owed soon is off duty, and you stand in for them"
            to = context.directory.for_user(stand_in, "Stand-in", centre)
            lines += [self._line(Section.REMINDER, one, because, what | {"owner_is_away": True}) for one in to]
        return lines

    def _question_facts(self) -> Facts:
        question = self.decision.state.clock.question
        assert question is not None
        return {
            "point": question.point,
            "asked": str(question.asked or "nobody"),
            "asked_at": question.asked_at.isoformat(),
        }

    def _to_manager(self, section: Section, because: str, what: Facts) -> list[DigestLine]:
        readers = self.context.directory.for_role(Role.SUPPORT_MANAGER, centre_of_owner(self.case))
        what = {"case": case_facts(self.case), **what, "next_at": ""}
        return [self._line(section, to, because, what) for to in readers]

    def _line(self, section: Section, to: Addressee, because: str, what: Facts) -> DigestLine:
        return DigestLine(
            case=self.case,
            section=section,
            key=line_key(to.address, self.context.now),
            to_address=to.address,
            to_name=to.name,
            time_zone=to.time_zone,
            meant_for=to.meant_for,
            facts=what | {"because": because},
            written_at=self.context.now,
            send_by=send_by(section, to, self.context.now),
        )


_REASONS: dict[TurnKind, Callable[[Case], str]] = {
    TurnKind.WAITING: lambda case: case.get_wait_reason_display(),
    TurnKind.RESOLVED: lambda case: case.get_resolution_display(),
    TurnKind.REOPENED: lambda case: "",
}


def _contact_facts(contact: Interaction) -> Facts:
    return {
        "said": _quoted(contact.body),
        "said_at": contact.at.isoformat(),
        "said_by": str(contact.contact or ""),
    }


def _joined(names: Iterable[str]) -> str:
    *first, last = dict.fromkeys(names)
    return f"{', '.join(first)} and {last}" if first else last


# --- what was last said -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Quote:
    """The last contact about a case, as one kind of reader may know it: its `text`, or only what kind of `contact`."""

    text: str
    at: datetime
    by: str
    contact: str = ""


def _keys_of_last(cases: Any) -> QuerySet[Case, tuple[int, int | None, int | None, int | None]]:
    """By case, the keys of the last contact with the customer, of the last one, and of the last answer for them."""
    to_customer = Interaction.objects.filter(TELLS_CUSTOMER, case=OuterRef("pk")).order_by("-at", "-pk")
    anybody = Interaction.objects.filter(case=OuterRef("pk")).order_by("-at", "-pk")
    marked = Question.objects.filter(case=OuterRef("pk"), end=QuestionEnd.ANSWERED).order_by("-ended_at")
    return (
        Case.objects.filter(pk__in=cases)
        .order_by()
        .values_list(
            "pk",
            Subquery(to_customer.values("pk")[:1]),
            Subquery(anybody.values("pk")[:1]),
            Subquery(marked.exclude(for_customer="").values("pk")[:1]),
        )
    )


_last_keys = CompiledQuery(_keys_of_last, cases=KEYS)
_contacts = CompiledQuery(
    lambda keys: Interaction.objects.filter(pk__in=keys).select_related("by", "contact").order_by(), keys=KEYS
)
_answers = CompiledQuery(
    lambda keys: Question.objects.filter(pk__in=keys).select_related("answered_by").order_by(), keys=KEYS
)


class LastSaid:
    """The last contact of some cases with the customer and with anybody, and what is marked for the customer and has
    not reached them yet (E8); five queries.
    """

    def __init__(self, cases: Sequence[Case]) -> None:
        case_ids = [case.pk for case in cases]
        self._marked = marked_for_customers(cases)
        self._keys = {pk: keys for pk, *keys in _last_keys(cases=case_ids)}
        contacts = {key for keys in self._keys.values() for key in keys[:2] if key}
        self._contacts = _contacts.by_key(keys=contacts)
        self._answers = _answers.by_key(keys=[keys[2] for keys in self._keys.values() if keys[2]])

    def of(self, case_id: int, for_customer: bool) -> Quote | None:
        """What was last said on a case, as far as this kind of reader may know."""
        to_customer, anybody, marked = self._keys.get(case_id, (None, None, None))
        found = []
        contact = self._contacts.get(to_customer if for_customer else anybody)
        if contact is not None:
            found.append(_quote_for_customer(contact) if for_customer else _quote(contact))
        answer = self._answers.get(marked) if for_customer else None
        if answer is not None and answer.ended_at and answer not in self._marked.get(case_id, []):
            found.append(Quote(_quoted(answer.for_customer), answer.ended_at, str(answer.answered_by or "")))
        return max(found, key=lambda quote: quote.at, default=None)

    def besides(self, case_id: int) -> list[str]:
        """What is marked for the customer and goes out with this update for the first time, oldest first (E8)."""
        return [_quoted(question.for_customer) for question in self._marked.get(case_id, [])]


def _quote(contact: Interaction) -> Quote:
    who = str(contact.contact) if contact.direction == Direction.IN and contact.contact else str(contact.by or "")
    note = " (internal note)" if contact.channel == Channel.NOTE else ""
    return Quote(_quoted(contact.body), contact.at, f"{who}{note}")


def _quote_for_customer(contact: Interaction) -> Quote:
    """The words of a contact if the customer may read them, else what it was (C3, T3): a line of a chat says little."""
    if contact.for_customer and contact.chat_id is None:
        return _quote(contact)
    kind = _CONTACTS[Channel(contact.channel)]
    if contact.channel == Channel.PHONE and not contact.reached:
        kind = "tried to reach you by phone"
    return Quote("", contact.at, "", kind)


_CONTACTS = {Channel.PHONE: "spoke", Channel.CHAT: "chatted", Channel.EMAIL: "wrote to you"}


def _quoted(text: str) -> str:
    text = text.strip()
    return text if len(text) <= QUOTED else f"{text[:QUOTED].rstrip()} ..."
