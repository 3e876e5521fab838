"""Simulate a case for the next seven days if nobody touches it, with the people who would be written to.

The case is loaded once and simulated in memory: at each moment at which it is to be checked, the sweeps decide in their
order (escalate, follow up, keep promises), and the decisions are applied in memory. Writes nothing; the number of
queries does not depend on what happens. Assumes that mail leaves at once, that every check is on time, and that people,
duty and load stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from django.db.models import TextChoices

from cases.enums import FollowUpStep, MailStatus, Severity, Status
from cases.followup.apply import apply_follow_up
from cases.followup.mail import StepMails
from cases.followup.state import load_wait_for_page
from cases.mail.letters import Letter, why_no_mail
from cases.mail.phrases import in_english
from cases.models import Case
from cases.page_cache import directory_of
from cases.policy.followup.held_up import manager_told_at
from cases.policy.followup.plans import with_mail_sent
from cases.policy.followup.wait import RECHECK, TO_STAFF, Wait
from cases.roster import Roster
from contacts.directory import addressee, is_reachable
from contacts.models import User
from contacts.reader import for_reader
from contacts.wording import and_list, duration
from escalations.clocks import CaseClock, load_clocks
from escalations.enums import Member, SlaKind, SlaOutcome, TurnKind
from escalations.models import DigestLine, EscalationRequest, SlaTarget
from escalations.points.apply import PointChanges, apply_points
from escalations.points.decide import PointDecision, SweepContext, decide_points
from escalations.policy.clock import Snapshot
from escalations.requests.mail import passed_on_letters
from escalations.sla.apply import apply_sla, person_in_time
from escalations.sla.decide import TELL_AGAIN, Reminder, SlaDecision, decide_sla
from escalations.sla.digest import Section
from escalations.sla.mail import Mails, build_mails
from escalations.sla.state import SlaState, load_for_sweep, load_sla_states

AHEAD = timedelta(days=7)
#: A case that is to be checked at one moment more often than this is stuck; the sweeps would set it aside (S2).
CHECKS_AT_ONE_MOMENT = 12


class Kind(TextChoices):
    """What can happen to a case that nobody touches."""

    POINT = "point", "Escalation point"
    RECORDED = "recorded", "Point only recorded"
    OWNER = "owner", "Transfer of ownership"
    ASKED = "asked", "Owner asked for the status"
    INHERITED = "inherited", "Open question goes to the new owner"
    NOTICE = "notice", "Customer turned to"
    STAFF_TOLD = "staff_told", "Staff told about the wait"
    HELD_UP = "held_up", "Closing held up"
    CLOSED = "closed", "Closed for no response"
    REMINDER = "reminder", "Owner reminded"
    UPDATE = "update", "Status update by the desk"
    MISSED = "missed", "Promise missed"
    TURN = "turn", "Turning point told"
    RESPONSE = "response", "Missed response told"
    SILENCE = "silence", "Silence told"
    QUESTION = "question", "Question unanswered"
    WORD = "word", "Customer's word not handled"
    PASSED_ON = "passed_on", "Request goes on to the CSM"


@dataclass(frozen=True, slots=True)
class ForecastRecipient:
    """Somebody who would be written to, and why; `by` is the template of the mail, or the section of the digest.

    `meant_for` says in whose place they stand, if a role is empty or its holder cannot be written to (D5).
    """

    name: str
    address: str
    meant_for: str = ""
    by: str = ""
    why: str = ""

    @property
    def instead_of(self) -> str:
        """“Account manager of Acme” of “Account manager of Acme (nobody)”."""
        return ", ".join(part.partition(" (")[0] for part in self.meant_for.split("), "))


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens at a moment (UTC). `about` names it: the point, the step, the members it concerns."""

    at: datetime
    kind: Kind
    what: str
    about: str = ""
    people: tuple[ForecastRecipient, ...] = ()
    why: str = ""
    every: timedelta | None = None  # of an update: the interval in force


@dataclass(frozen=True, slots=True)
class ForecastWarning:
    """Something that will go another way than it should, first at `at`."""

    at: datetime
    sentence: str


@dataclass
class Forecast:
    """What happens to a case from `now` until `until` if nobody touches it, in order."""

    now: datetime
    until: datetime
    events: list[Event] = field(default_factory=list)
    warnings: list[ForecastWarning] = field(default_factory=list)


#: Whether the events so far are all that is wanted of a forecast.
Enough = Callable[[Sequence["Event"]], bool]


def forecast_of(case: Case, now: datetime, known: SlaState | None = None, enough: Enough | None = None) -> Forecast:
    """What happens to the case by itself in the seven days from `now` on; at most 21 queries, whatever happens.

    `known` is what the page of the case has read already; it is left as it is. A forecast that has `enough` ends early.
    """
    return _Simulation(case.pk, now, known).run(enough)


def load(case_id: int) -> Case:
    """The case with everybody whom its letters need, as the sweeps claim it; one query."""
    people = ("company__account_manager", "company__customer_engineer", "contact", "owner__technician")
    case = Case.objects.select_related(*people).get(pk=case_id)
    if case.contact.company_id == case.company_id:
        case.contact.company = case.company
    return case


def _copied(clock: CaseClock, case: Case) -> CaseClock:
    return CaseClock(
        case,
        list(clock.snapshots),
        clock.timeline,
        dict(clock.ledger),
        list(clock.passed),
        [copy(request) for request in clock.requests],
        copy(clock.question),
    )


class _Simulation:
    """One case in memory. `case` is never saved; everything else is a copy or was read for this only."""

    def __init__(self, case_id: int, now: datetime, known: SlaState | None) -> None:
        self.forecast = Forecast(now, now + AHEAD)
        self.now = now
        self.case = load(case_id)
        page = known.clock.case if known else self.case
        self.clock = _copied(known.clock if known else load_clocks([self.case])[case_id], self.case)
        known = known or load_sla_states([self.clock])[case_id]
        self.state = replace(known, clock=self.clock, newest=dict(known.newest), flagged=[])
        load_for_sweep({case_id: self.state})
        self.missed = {_name(row) for row in self.state.newest.values() if row.outcome == SlaOutcome.BREACHED}
        self.wait: Wait | None = load_wait_for_page(page, leaving_at=now)
        self.directory = directory_of(page)
        self._roster: Roster | None = None
        self.met_by_people: list[SlaTarget] = []
        self.unsettled = self._read_unsettled()

    def run(self, enough: Enough | None = None) -> Forecast:
        checks = 0
        while (at := self._next_check()) is not None and at <= self.forecast.until:
            checks = checks + 1 if at == self.now else 0
            if checks > CHECKS_AT_ONE_MOMENT:
                self._warn("The case asks for the same moment again and again, so the rest cannot be foreseen.")
                break
            self.now = at
            self._check()
            if enough is not None and enough(self.forecast.events):
                break
        self._settle()
        self.forecast.events.sort(key=lambda event: event.at)
        return self.forecast

    def _next_check(self) -> datetime | None:
        moments = (self.case.escalation_check_at, self.case.follow_up_check_at, self.case.sla_check_at)
        return max((min(moment for moment in moments if moment), self.now)) if any(moments) else None

    def _check(self) -> None:
        """Run the sweeps for which the case is due, in their order."""
        case = self.case
        if case.escalation_check_at is not None and case.escalation_check_at <= self.now:
            self._escalate()
        if case.follow_up_check_at is not None and case.follow_up_check_at <= self.now:
            self._follow_up()
        if case.sla_check_at is not None and case.sla_check_at <= self.now:
            self._keep_sla()

    def _context(self) -> SweepContext:
        return _Context(self.now, self)

    def roster(self) -> Roster:
        """The technicians as they are now, less what was given away meanwhile, seen at the moment reached."""
        if self._roster is None:
            self._roster = Roster(self.forecast.now)
        return self._roster.at(self.now)

    # --- escalation (E1, E5, E7, E8) ---

    def _escalate(self) -> None:
        context = self._context()
        decision = decide_points(self.clock, context)
        changes = apply_points(decision, context)
        self._report_points(changes)
        if decision.new_owner is not None:
            self._hand_over(decision)

    def _report_points(self, changes: PointChanges) -> None:
        decision, people = changes.decision, _readers(changes.letters)
        for due in decision.dues:
            if not decision.is_effective(due):
                what = f"{due.point.name} is only recorded, nobody is told"
                why = "it was passed already when the severity was lowered, or belongs to what is over"
                self._happens(Kind.RECORDED, what, f"{due.run}:{due.point.name}", why=why)
        for due in decision.effective[:-1]:
            what = f"{due.point.name}, together with {decision.highest.point.name}"
            self._happens(Kind.POINT, what, f"{due.run}:{due.point.name}")
        if decision.effective:
            self._report_highest(decision, people)
        self._report_owner(changes, people)

    def _report_highest(self, decision: PointDecision, people: tuple[ForecastRecipient, ...]) -> None:
        point = decision.highest.point
        why = f"unresolved for {duration(point.after)}"
        why += "; the Support Manager decides whether more is done" if decision.leaves_to_decide else ""
        self._happens(Kind.POINT, f"{point.name} is reached", f"{decision.highest.run}:{point.name}", people, why)
        if not people:
            self._warn(f"{point.name} can be told to nobody: nobody with an address stands in for them.")
        if decision.no_l3:
            self._warn(f"{point.name} gives the case to L3, and there is no L3 technician.")
        if decision.owner_after is None:
            self._warn("Nobody owns the case.")

    def _report_owner(self, changes: PointChanges, people: tuple[ForecastRecipient, ...]) -> None:
        decision, question = changes.decision, changes.reassigned
        if decision.new_owner is not None:
            what = f"Ownership goes from {decision.former_owner or 'nobody'} to {decision.new_owner}"
            owner = decision.new_owner
            self._happens(Kind.OWNER, what, owner.username, _of(people, owner), decision.owner_reason)
        if decision.asked is not None:
            why = f"in place of {decision.absent}, who is off duty" if decision.absent else ""
            what = f"{decision.asked} is asked for the status"
            self._happens(Kind.ASKED, what, decision.asked.username, _of(people, decision.asked), why)
        if decision.new_assignee is not None and question is not None:
            what = f"{decision.new_assignee} has to answer what {question.point} asked"
            people = _of(people, decision.new_assignee) if decision.effective else people
            self._happens(Kind.INHERITED, what, decision.new_assignee.username, people)

    def _hand_over(self, decision: PointDecision) -> None:
        """The former owner goes on watching, with one case less on their load (E7)."""
        former, owner = decision.former_owner, decision.new_owner
        if former is not None:
            if is_reachable(former) and former.pk not in {watcher.user_id for watcher in self.state.watchers}:
                self.state.watchers.append(addressee(former))
            if self._roster is not None:
                self._roster.relieve(former.pk, Severity(self.case.severity))
        self.state.watchers = [
            watcher for watcher in self.state.watchers if owner is None or watcher.user_id != owner.pk
        ]

    # --- waiting for the customer (F2, F7) ---

    def _follow_up(self) -> None:
        outcome = apply_follow_up(self.case, self.wait, self.now, self.directory)
        self.wait = with_mail_sent(outcome.after, self.now) if outcome.after is not None else None
        due, held_up = outcome.decision.due, outcome.decision.held_up
        if held_up:
            self._report_hold_up(held_up)
        if outcome.closes:
            self._report_closing(outcome.closing_letters)
        elif due is not None:
            self._report_follow_up(due.step, outcome.mails)
        elif held_up and outcome.decision.check_at == self.now + RECHECK:
            # No mail leaves by itself later: the sweep checks every few minutes from here on, and nothing comes of it
            # but that the Support Manager is told.
            self.case.follow_up_check_at = manager_told_at(self.wait) if self.wait is not None else None

    def _report_hold_up(self, held_up: str) -> None:
        if held_up not in {one.sentence for one in self.forecast.warnings}:
            self._happens(Kind.HELD_UP, "The case is not closed", FollowUpStep.RESOLVE, why=held_up)
            self._warn(held_up)

    def _report_follow_up(self, step: FollowUpStep, mails: StepMails) -> None:
        what = f"{step.label} cannot be sent" if mails.lost else step.label
        kind = Kind.STAFF_TOLD if step in TO_STAFF else Kind.NOTICE
        self._happens(kind, what, step, _readers(mails.letters), "the case waits for the customer")
        if mails.lost:
            self._warn(f"{why_no_mail(self.case)}: nothing can be sent to them.")

    def _report_closing(self, letters: Sequence[Letter]) -> None:
        case = self.case
        self.clock.snapshots.append(Snapshot(self.now, Status.RESOLVED, Severity(case.severity), case.wait_episode))
        self.clock.changed()
        people = _readers(letters)
        self._happens(
            Kind.CLOSED, "Closed for no response", FollowUpStep.RESOLVE, people, "the customer has not answered"
        )

    # --- promises (T1 to T3, E8, E9, C7) ---

    def _keep_sla(self) -> None:
        self.state = replace(self.state)  # what it has computed is of another moment
        context = self._context()
        decision = decide_sla(self.state, context)
        mails = build_mails([decision], context, quoting=False)
        self._report_missed(decision.rows)
        self._report_mails(decision, mails)
        self._report_requests(decision.passed_on)
        apply_sla(decision, mails, self.now)
        self._settle_at_once(decision.rows)

    def _report_missed(self, rows: Iterable[SlaTarget]) -> None:
        for row in rows:
            if row.outcome == SlaOutcome.BREACHED and _name(row) not in self.missed:
                self._misses(row)

    def _report_mails(self, decision: SlaDecision, mails: Mails) -> None:
        question, lines = self.clock.question, mails.lines
        if decision.updates:
            to_customer = _readers(letter for letter in mails.letters if letter.template == "status_update")
            self._report_updates(decision, to_customer + _listed(lines, Section.UPDATE))
        if decision.reminders:
            self._report_reminders(decision.reminders, _listed(lines, Section.REMINDER))
        if decision.turn is not None:
            self._report_turn(decision.turn.kind, mails)
        if decision.missed_response is not None:
            what = "Nobody has responded in time: the Support Manager is told"
            self._report_manager(Kind.RESPONSE, what, "the customer phoned and has heard from nobody", lines)
        if decision.silence is not None:
            why = "two updates in a row or more went without a person's word"
            what = "Nobody has spoken: the Support Manager is told"
            self._report_manager(Kind.SILENCE, what, why, lines, TELL_AGAIN)
        if decision.question_unanswered and question is not None:
            what = f"{question.point}'s question is unanswered: the Support Manager is told"
            self._report_manager(Kind.QUESTION, what, f"{question.asked or 'nobody'} was asked for the status", lines)
        if decision.unhandled:
            what = "The customer's word on the resolved case is not handled: the Support Manager is told"
            self._report_manager(Kind.WORD, what, "nobody has reopened the case or marked it as handled", lines)

    def _report_turn(self, kind: TurnKind, mails: Mails) -> None:
        people = _readers(letter for letter in mails.letters if letter.template == "case_reopened")
        people += _listed(mails.lines, Section.TURN)
        if people:
            what = f"Everybody who is owed updates hears: {kind.label.lower()}"
            self._happens(Kind.TURN, what, kind.value, people, "the case came to a turning point")

    def _report_updates(self, decision: SlaDecision, people: tuple[ForecastRecipient, ...]) -> None:
        members = [update.target.member for update in decision.updates]
        every = min(update.target.every for update in decision.updates)
        about = ",".join(sorted(member.value for member in members))
        what = f"Status update to {_names(members)}"
        self._happens(Kind.UPDATE, what, about, people, "nobody has given one by then", every)

    def _report_reminders(self, reminders: Sequence[Reminder], people: tuple[ForecastRecipient, ...]) -> None:
        owed_to = _names(reminder.member for reminder in reminders)
        owed = f"the update to {owed_to}" if reminders[0].every else "the first response to the customer"
        what = f"{self.case.owner or 'Whoever stands in for the owner'} is reminded of {owed}"
        every = min((reminder.every for reminder in reminders if reminder.every), default=None)
        self._happens(Kind.REMINDER, what, owed_to, people, f"{owed} is owed soon", every)

    def _report_requests(self, passed_on: Iterable[EscalationRequest]) -> None:
        for request in passed_on:
            which = "open decision" if request.is_decision else "requested escalation"
            what = f"The {which} goes on to the Customer Service Manager"
            people = _readers(passed_on_letters(request, self.case, self.directory))
            self._happens(Kind.PASSED_ON, what, request.origin, people, "nobody has decided on it in time")
            request.passed_on_at = self.now

    def _report_manager(
        self, kind: Kind, what: str, why: str, lines: Sequence[DigestLine], every: timedelta | None = None
    ) -> None:
        people = _listed(lines, Section(kind.value))
        self._happens(kind, what, "", people, why, every)
        if not people:
            self._warn("Nobody with an address is Support Manager or stands in for them.")

    def _misses(self, row: SlaTarget) -> None:
        self.missed.add(_name(row))
        member, kind = Member(row.member), SlaKind(row.kind)
        why = f"it is due by {for_reader(row.due_at)}"
        if member == Member.CUSTOMER and (no_mail := why_no_mail(self.case)):
            why = f"{no_mail}, so the desk cannot update them itself"
            self._warn(f"{no_mail}: the desk cannot update them itself.")
        at = max(row.due_at, self.forecast.now)
        what = f"{kind.label} to the {member.label.lower()} is missed"
        self.forecast.events.append(Event(at, Kind.MISSED, what, f"{kind.value}:{member.value}", (), why))

    def _settle_at_once(self, rows: Iterable[SlaTarget]) -> None:
        """The outcome that the outbox would settle: mail leaves at once, and by the deadline it meets the target."""
        for row in rows:
            if row.updated_at is not None and not row.outcome:
                row.outcome = SlaOutcome.MET_AUTOMATICALLY if row.updated_at <= row.due_at else SlaOutcome.BREACHED
            if row.outcome == SlaOutcome.MET:
                self.met_by_people.append(row)

    def _read_unsettled(self) -> list[SlaTarget]:
        """The desk's own updates from before that did not, or will not, leave in time; what is queued leaves now."""
        rows = SlaTarget.objects.filter(case=self.case.pk, outcome="", updated_at__isnull=False).select_related("mail")
        return [row for row in rows.annotate(saved=person_in_time()) if not self._leaves_in_time(row)]

    def _leaves_in_time(self, row: SlaTarget) -> bool:
        status = row.mail.status if row.mail else MailStatus.FAILED
        if status == MailStatus.DROPPED:
            return row.due_at < self.now  # nothing was owed any more
        if status == MailStatus.QUEUED:
            return self.now <= row.due_at
        sent_at = row.mail.sent_at if row.mail and status == MailStatus.SENT else None
        return sent_at is not None and sent_at <= row.due_at

    def _settle(self) -> None:
        """They are missed, unless a person spoke before they were due."""
        kept = {(row.kind, row.member, row.since): row.ended_at for row in self.met_by_people}
        for row in self.unsettled:
            spoken_at = kept.get((row.kind, row.member, row.updated_at or row.since))
            in_time = row.saved or (spoken_at is not None and spoken_at <= row.due_at)  # type: ignore[attr-defined]
            if not in_time and row.due_at < self.forecast.until:
                self._misses(row)

    # --- the report ---

    def _happens(
        self,
        kind: Kind,
        what: str,
        about: str,
        people: tuple[ForecastRecipient, ...] = (),
        why: str = "",
        every: timedelta | None = None,
    ) -> None:
        self.forecast.events.append(Event(self.now, kind, what, about, people, why, every))
        for reader in people:
            if reader.meant_for:
                self._warn(f"{reader.meant_for} cannot be written to: {reader.name or reader.address} gets it instead.")

    def _warn(self, sentence: str) -> None:
        if sentence not in {warning.sentence for warning in self.forecast.warnings}:
            self.forecast.warnings.append(ForecastWarning(self.now, sentence))


class _Context(SweepContext):
    """What decisions at one moment need besides the case, read once for all moments."""

    def __init__(self, now: datetime, simulation: _Simulation) -> None:
        super().__init__(now)
        self._simulation = simulation
        self.directory = simulation.directory

    @cached_property
    def roster(self) -> Roster:
        return self._simulation.roster()


def _name(row: SlaTarget) -> tuple[str, str, datetime]:
    return row.kind, row.member, row.since


def _readers(letters: Iterable[Letter]) -> tuple[ForecastRecipient, ...]:
    return tuple(
        ForecastRecipient(
            to.name, to.address, to.meant_for, letter.template, str(in_english(letter.facts.get("why", "")))
        )
        for letter in letters
        for to in [letter.to]
    )


def _listed(lines: Iterable[DigestLine], section: Section) -> tuple[ForecastRecipient, ...]:
    return tuple(
        ForecastRecipient(
            line.to_name, line.to_address, line.meant_for, section.value, str(line.facts.get("because", ""))
        )
        for line in lines
        if line.section == section
    )


def _of(people: Iterable[ForecastRecipient], user: User) -> tuple[ForecastRecipient, ...]:
    """Those of a decision's readers who are, or stand in for, this person."""
    return tuple(
        reader for reader in people if reader.address.lower() == user.email.lower() or str(user) in reader.meant_for
    )


def _names(members: Iterable[Member]) -> str:
    return and_list(member.in_sentence for member in dict.fromkeys(members))
