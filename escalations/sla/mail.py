"""What keeping promises says to whom: the customer's status update as a letter, the staff's as lines (T3, M4).

An update says what is true: who works on the case, what was last said, what happens next and when. A customer reads
only what was said to them, or what an owner's answer marked for them (E8); never what staff said among themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery

from cases.enums import Channel, Direction, Status
from cases.mail.letters import Letter, case_facts
from cases.models import Case, Interaction
from contacts.directory import Addressee
from contacts.enums import Role
from contacts.wording import duration
from escalations.audience import staff_readers
from escalations.enums import Member, QuestionEnd
from escalations.models import DigestLine, Question
from escalations.points.decide import Batch, centre_of_owner
from escalations.policy.sla import Target
from escalations.questions.apply import marked_for_customers
from escalations.sla.decide import SlaDecision, Update
from escalations.sla.digest import Section, line_key

#: No more of what somebody said stands in an update.
QUOTED = 600


@dataclass(frozen=True)
class Said:
    """What was last said about a case, for one kind of reader."""

    text: str
    at: datetime
    by: str


class Telling:
    """The letters and lines of a batch of steps. Sets the mail of each promise that the desk keeps itself.

    Without `quoting`, for looking ahead, they do not say what was last said, and no query is made.
    """

    def __init__(self, steps: Sequence[SlaDecision], batch: Batch, quoting: bool = True) -> None:
        self.steps, self.batch, self.now = steps, batch, batch.now
        self._letters: list[Letter] = []
        self._lines: list[DigestLine] = []
        updating = [step.case for step in steps if step.updates and quoting]
        self.said = LastSaid(updating) if updating else None
        for step in steps:
            if step.acts:
                self._tell(step)

    def letters(self) -> list[Letter]:
        """To customers, one for each case."""
        return self._letters

    def lines(self) -> list[DigestLine]:
        """To staff, one for each person and reason."""
        return self._lines

    def _tell(self, step: SlaDecision) -> None:
        self._tell_customer(step)
        self._tell_staff(step)
        if step.reminders:
            self._remind(step)
        if step.silence is not None:
            self._tell_of_silence(step, step.silence)
        if step.question_unanswered:
            self._tell_of_question(step)
        for word in step.unhandled:
            self._tell_of_word(step, word)

    # --- updates ---

    def _tell_customer(self, step: SlaDecision) -> None:
        for update in step.updates:
            if update.period.member != Member.CUSTOMER:
                continue
            key = f"update:{step.case.pk}:{update.row.since.isoformat()}"
            update.row.mail_id = key
            what = self._update_facts(step, update, for_customer=True) | {
                "why": "you are our contact for this issue, and we promised to keep you informed",
                "expected": "Nothing for now. If something has changed on your side, tell us.",
                "next": f"{step.case.owner or 'A specialist'} goes on working on it, and you hear from us again at the "
                "latest:",
            }
            self._letters += [Letter(key, "status_update", one, what, step.case) for one in update.readers[:1]]

    def _tell_staff(self, step: SlaDecision) -> None:
        to_staff = [update for update in step.updates if update.period.member != Member.CUSTOMER]
        updates: dict[Member, Update] = {update.period.member: update for update in to_staff}
        watchers = step.watchers if step.updates else ()
        readers: dict[Member, Sequence[Addressee]] = {member: update.readers for member, update in updates.items()}
        for reader in staff_readers(readers, watchers):
            soonest = min(
                (updates[member] for member in reader.members),
                key=lambda one: one.period.every,
                default=step.updates[0],
            )
            self._line(step, Section.UPDATE, reader.to, reader.because, self._update_facts(step, soonest, False))
        for update in updates.values():
            update.row.mail_id = line_key(update.readers[0].address, self.now)

    def _update_facts(self, step: SlaDecision, update: Update, for_customer: bool) -> dict[str, Any]:
        case = step.case
        said = self.said.of(case.pk, for_customer) if self.said else None
        upcoming = None if for_customer else step.standing.life.upcoming(self.now)
        return {
            "case": case_facts(case),
            "said": said.text if said else "",
            "said_at": said.at.isoformat() if said else "",
            "said_by": said.by if said else "",
            "besides": self.said.besides(case.pk) if self.said and for_customer else [],
            "working": Status(case.status) == Status.IN_PROGRESS,
            "owned": case.owner is not None,
            "late": update.period.due_at < self.now,
            "due_at": update.period.due_at.isoformat(),
            "point": upcoming.point.name if upcoming else "",
            "point_at": upcoming.due_at.isoformat() if upcoming else "",
            "next_at": (self.now + update.period.every).isoformat(),
        }

    # --- what staff are told ---

    def _remind(self, step: SlaDecision) -> None:
        soonest = min(step.reminders, key=lambda one: one.due_at)
        owed_to = _joined(Member(one.member).label for one in step.reminders)
        unreachable = not step.case.contact.email and any(one.member == Member.CUSTOMER for one in step.reminders)
        what = {
            "case": case_facts(step.case),
            "owed_to": owed_to,
            "due_at": soonest.due_at.isoformat(),
            "next_at": soonest.due_at.isoformat(),
            "automatic": soonest.automatic,
            "unreachable": unreachable,
        }
        readers = self.batch.directory.for_user(step.case.owner, "Owner", centre_of_owner(step.case))
        for one in readers:
            self._line(step, Section.REMINDER, one, "you own cases on which a status update is owed soon", what)

    def _tell_of_silence(self, step: SlaDecision, period: Target) -> None:
        what = {
            "case": case_facts(step.case),
            "owed_to": Member(period.member).label,
            "every": duration(period.every),
            "next_at": "",
        }
        self._tell_manager(step, Section.SILENCE, "two status updates in a row went without a person's word", what)

    def _tell_of_question(self, step: SlaDecision) -> None:
        question = step.standing.life.question
        assert question is not None
        what = {
            "case": case_facts(step.case),
            "point": question.point,
            "asked": str(question.asked or "nobody"),
            "asked_at": question.asked_at.isoformat(),
            "next_at": "",
        }
        self._tell_manager(step, Section.QUESTION, "a question for the status of a case stayed unanswered", what)

    def _tell_of_word(self, step: SlaDecision, word: Interaction) -> None:
        what = {
            "case": case_facts(step.case),
            "said": _quoted(word.body),
            "said_at": word.at.isoformat(),
            "said_by": str(word.contact or ""),
            "next_at": "",
        }
        because = "a customer's word on a resolved case has not been handled in time"
        self._tell_manager(step, Section.WORD, because, what)

    def _tell_manager(self, step: SlaDecision, section: Section, because: str, what: dict[str, Any]) -> None:
        for one in self.batch.directory.for_role(Role.SUPPORT_MANAGER, centre_of_owner(step.case)):
            self._line(step, section, one, because, what)

    def _line(self, step: SlaDecision, section: Section, to: Addressee, because: str, what: dict[str, Any]) -> None:
        self._lines.append(
            DigestLine(
                case=step.case,
                section=section,
                key=line_key(to.address, self.now),
                to_address=to.address,
                to_name=to.name,
                time_zone=to.time_zone,
                meant_for=to.meant_for[:200],
                facts=what | {"because": because},
                written_at=self.now,
            )
        )


def _joined(names: Iterable[str]) -> str:
    *first, last = dict.fromkeys(names)
    return f"{', '.join(first)} and {last}" if first else last


# --- what was last said -----------------------------------------------------------------------------------------


class LastSaid:
    """The last words on each of some cases: those that the customer heard, those of anybody, and what is marked for the
    customer and has not reached them yet (E8); five queries.
    """

    def __init__(self, cases: Sequence[Case]) -> None:
        case_ids = [case.pk for case in cases]
        self._marked = marked_for_customers(cases)
        to_customer = Interaction.objects.filter(case=OuterRef("pk"), direction=Direction.OUT).order_by("-at", "-pk")
        anybody = Interaction.objects.filter(case=OuterRef("pk")).order_by("-at", "-pk")
        marked = Question.objects.filter(case=OuterRef("pk"), end=QuestionEnd.ANSWERED).order_by("-ended_at")
        rows = (
            Case.objects.filter(pk__in=case_ids)
            .order_by()
            .values_list(
                "pk",
                Subquery(to_customer.values("pk")[:1]),
                Subquery(anybody.values("pk")[:1]),
                Subquery(marked.exclude(for_customer="").values("pk")[:1]),
            )
        )
        self._keys = {pk: keys for pk, *keys in rows}
        contacts = [key for keys in self._keys.values() for key in keys[:2] if key]
        self._contacts = Interaction.objects.select_related("by", "contact").in_bulk(contacts)
        self._answers = Question.objects.select_related("answered_by").in_bulk(
            [keys[2] for keys in self._keys.values() if keys[2]]
        )

    def of(self, case_id: int, for_customer: bool) -> Said | None:
        """What was last said on a case, as far as this kind of reader may know."""
        to_customer, anybody, marked = self._keys.get(case_id, (None, None, None))
        found = []
        contact = self._contacts.get(to_customer if for_customer else anybody)
        if contact is not None:
            found.append(_said_in(contact))
        answer = self._answers.get(marked) if for_customer else None
        if answer is not None and answer.ended_at and answer not in self._marked.get(case_id, []):
            found.append(Said(_quoted(answer.for_customer), answer.ended_at, str(answer.answered_by or "")))
        return max(found, key=lambda one: one.at, default=None)

    def besides(self, case_id: int) -> list[str]:
        """What is marked for the customer and goes out with this update for the first time, oldest first (E8)."""
        return [_quoted(question.for_customer) for question in self._marked.get(case_id, [])]


def _said_in(contact: Interaction) -> Said:
    who = str(contact.contact) if contact.direction == Direction.IN and contact.contact else str(contact.by or "")
    note = " (internal note)" if contact.channel == Channel.NOTE else ""
    return Said(_quoted(contact.body), contact.at, f"{who}{note}")


def _quoted(text: str) -> str:
    said = text.strip()
    return said if len(said) <= QUOTED else f"{said[:QUOTED].rstrip()} ..."
