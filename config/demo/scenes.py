"""A scene: one customer's issue, and the moves that a story makes in it; all of them are the real moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import chain, repeat
from random import Random
from typing import Any, TypeVar

from cases.enums import AgreedBy, CallOutcome, Channel, Direction, Resolution, Severity, WaitPlan, WaitReason
from cases.followup import absences as absence_log
from cases.models import Case, Interaction
from cases.workflow import contact_log, handing_on, opening, transitions
from config.demo.people import CompanySketch, Desk
from config.demo.playing import Story
from config.demo.subjects import ACCOUNT_NOTES, ANSWERS, CALLS, NOTES, UPDATES, Subject
from contacts.calendars import OpeningHours
from contacts.enums import Level, MeansOfContact
from contacts.models import Company, Contact, Technician, User
from escalations.audience import audience_of
from escalations.clocks import load_clocks
from escalations.enums import Origin
from escalations.models import EscalationRequest, Question
from escalations.questions import apply as questions
from escalations.questions.state import open_question
from escalations.questions.updates import send_status_update
from escalations.requests import apply as requests

Moved = TypeVar("Moved")

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: How often a technician writes, calls or notes something while work goes on.
PACE = {
    Severity.CRITICAL: timedelta(minutes=105),
    Severity.HIGH: timedelta(hours=3, minutes=40),
    Severity.MEDIUM: timedelta(hours=21),
    Severity.LOW: timedelta(hours=27),
}
SURNAMES = ("ahlers", "moreau", "patel", "young", "rossi", "lind")
#: When customers answer.
OFFICE_OPENS, OFFICE_CLOSES = time(8, 30), time(17)


class Shift:
    """Which technicians are at work when."""

    def __init__(self, desk: Desk) -> None:
        self.technicians = desk.technicians()
        self.hours: dict[int, OpeningHours] = {centre.pk: centre.opening_hours() for centre in desk.centres.values()}

    def present(self, at: datetime) -> list[Technician]:
        """The technicians whose centre is open; there always are some (D1)."""
        return [person for person in self.technicians if self.hours[person.centre_id].in_business_day(at)]

    def somebody_for(self, owner_id: int | None, at: datetime, chance: Random) -> User:
        """The owner while they are at work, else a colleague on shift."""
        present = self.present(at)
        for person in present:
            if person.user_id == owner_id:
                return person.user
        first_line = [person for person in present if person.level == Level.L2]
        return chance.choice(first_line or self.technicians).user


@dataclass
class Scene:
    """One issue of a customer; `at` is the moment that its story has reached (UTC)."""

    desk: Desk
    shift: Shift
    company: Company
    sketch: CompanySketch
    subject: Subject
    at: datetime
    now: datetime
    chance: Random
    tell: Callable[[Scene], Story]
    case_id: int | None = None
    words: dict[str, Any] = field(init=False)
    story: Story = field(init=False)

    def __post_init__(self) -> None:
        site = self.chance.choice(self.sketch.sites)
        self.words = {
            "site": site.name,
            "device": f"{site.code}-{self.subject.kind}-{self.chance.randint(2, 48):02}",
            "user": f"{self.chance.choice('abdeghjklmnrst')}.{self.chance.choice(SURNAMES)}",
            "count": self.chance.choice((6, 8, 12, 14, 18, 22, 35, 40)),
        }
        contacts = list(self.company.contacts.order_by("pk"))
        desk = [contact for contact in contacts if contact.is_help_desk]
        self.contact: Contact = desk[0] if self.subject.severity == Severity.CRITICAL else self.chance.choice(desk)
        self.end_user: Contact = next(contact for contact in contacts if not contact.is_help_desk)
        self._updates = chain(UPDATES, repeat(UPDATES[1]))
        self._notes = chain(self.chance.sample(NOTES, len(NOTES)), repeat(NOTES[3]))
        self._calls = chain(self.chance.sample(CALLS, len(CALLS)), repeat(CALLS[0]))
        self.story = self.tell(self)

    # --- time ---

    def soon(self, least: float = 4, most: float = 18) -> timedelta:
        return timedelta(minutes=self.chance.uniform(least, most))

    def until(self, before_now: timedelta) -> timedelta:
        """The time from `at` until `before_now` before the present."""
        return self.now - before_now - self.at

    def in_office(self, after: timedelta) -> timedelta:
        """The time until the customer's office is open, at least `after`."""
        calendar = self.company.calendar()
        earliest = self.at + after
        day = calendar.local_date(earliest)
        while True:
            opens, closes = (calendar.at_local_time(day, clock) for clock in (OFFICE_OPENS, OFFICE_CLOSES))
            if calendar.is_business_day(day) and earliest < closes:
                return max(earliest, opens + self.soon(1, 50)) - self.at
            day += DAY

    # --- who and what ---

    @property
    def case(self) -> Case:
        """The case as the database has it now."""
        return Case.objects.select_related("owner").get(pk=self._id)

    @property
    def technician(self) -> User:
        """Who works on the case at this moment."""
        owner_id = Case.objects.values_list("owner_id", flat=True).get(pk=self._id) if self.case_id else None
        return self.shift.somebody_for(owner_id, self.at, self.chance)

    def fill_in(self, text: str) -> str:
        """The text with this customer's site, device, user and count filled in."""
        return text.format(**self.words)

    # --- the moves ---

    def opens(self, **differently: Any) -> None:
        """The help desk calls or writes, and somebody on shift opens the case (C1)."""
        subject = self.subject
        phoned = subject.severity == Severity.CRITICAL or self.contact.preferred_means == MeansOfContact.PHONE
        written = (Channel.EMAIL, Channel.EMAIL, Channel.CHAT)
        answers = {
            "company": self.company,
            "contact": self.contact,
            "title": self.fill_in(subject.title),
            "severity": subject.severity,
            "opened_by_channel": Channel.PHONE if phoned else self.chance.choice(written),
            "description": self.fill_in(subject.description),
            "affected_user": self.words["user"],
            "device": self.fill_in(subject.device),
            "operating_system": subject.operating_system,
            "system_information": subject.system,
            "several_devices": subject.severity != Severity.LOW,
            "affected": subject.affected,
            "impact": subject.impact,
        }
        by = self.shift.somebody_for(None, self.at, self.chance)
        self.case_id = opening.open_case(Case(**(answers | differently)), by, self.at).pk

    def does(self, change: Callable[..., Moved], **arguments: Any) -> Moved:
        """The technician changes the case by one of the desk's own moves."""
        return change(self._id, self.technician, self.at, **arguments)

    def calls(self, body: str, outcome: CallOutcome = CallOutcome.REACHED) -> None:
        """A technician calls the customer."""
        self._contact(Channel.PHONE, Direction.OUT, body, outcome=outcome)

    def writes(self, body: str) -> None:
        self._contact(Channel.EMAIL, Direction.OUT, body, send=True)

    def hears(self, body: str, channel: Channel = Channel.EMAIL) -> Interaction:
        return self._contact(channel, Direction.IN, body)

    def notes(self, body: str, by: User | None = None) -> None:
        """An internal note by the technician, unless `by` somebody else."""
        actor = by or self.technician
        contact_log.log_contact(
            self._id, actor, self.at, channel=Channel.NOTE, direction=Direction.INTERNAL, body=self.fill_in(body)
        )

    def account_manager_notes(self) -> None:
        """The account manager adds a note (A1)."""
        self.notes(self.chance.choice(ACCOUNT_NOTES), by=self.company.account_manager)

    def goes_on(self) -> None:
        """The next sign of work: an update, a note or a call; an open question is mostly answered (E8)."""
        kind = self.chance.random()
        question = open_question(self.case)
        if question is not None and kind < 0.85:
            self.answers_management(question)
        elif kind < 0.25:
            self.updates_everybody(next(self._updates))
        elif kind < 0.6:
            self.writes(next(self._updates))
        elif kind < 0.85:
            self.notes(next(self._notes))
        else:
            self.calls(next(self._calls))

    def answers_management(self, question: Question) -> None:
        """The owner answers the open question, in half of the cases with a text for the customer (E8)."""
        line, for_customer = self.chance.choice(ANSWERS)
        for_customer = for_customer if self.chance.random() < 0.5 else ""
        self.does(questions.answer_question, answer=line, for_customer=for_customer, question_id=question.pk)

    def updates_everybody(self, text: str) -> None:
        """A status update to the whole audience (T2)."""
        members = audience_of(load_clocks([self.case])[self._id], self.at)
        self.does(send_status_update, text=self.fill_in(text), members=members, customer_too=True)

    def decides(self) -> None:
        """The Support Manager declines the decision that the schedule left open, if there is one (E1)."""
        decision = requests.open_decision(self.case)
        if decision is not None:
            why = "Owner, customer and vendor agree on the plan; the next point of the schedule is soon enough."
            requests.decline(decision.pk, self.desk.staff["ruth"], self.at, why=why)

    def is_asked_for(self, impact: str, reason: str) -> EscalationRequest:
        """The customer asks their account manager for an escalation (E9)."""
        actor = self.company.account_manager
        assert actor is not None
        return requests.request_escalation(
            self._id,
            actor,
            self.at,
            origin=Origin.CUSTOMER,
            asked_by=self.contact.name,
            impact=self.fill_in(impact),
            reason=self.fill_in(reason),
        )

    def is_granted(self, request: EscalationRequest) -> None:
        """The Support Manager accepts: the next point is carried out now (E9)."""
        why = "The customer's business is at risk before the schedule gets there."
        requests.accept(request.pk, self.desk.staff["ruth"], self.at, why=why)

    def is_refused(self, request: EscalationRequest) -> None:
        requests.decline(
            request.pk,
            self.desk.staff["ruth"],
            self.at,
            why="The correction is in test and goes in tonight; another owner would lose a day.",
            words="Your case is in the right hands: the correction is in test and goes in tonight.",
        )

    def pace(self) -> timedelta:
        severity = Case.objects.values_list("severity", flat=True).get(pk=self._id)
        return PACE[Severity(severity)] * self.chance.uniform(0.85, 1.1)

    def asks(self, reason: WaitReason, question: str = "", plan: WaitPlan | None = None) -> None:
        """The customer is asked, and the case waits (C4)."""
        text = self.fill_in(question or self.subject.question)
        self.does(transitions.ask_customer, question=text, reason=reason, plan=plan)

    def answers(self, body: str = "", channel: Channel = Channel.EMAIL) -> None:
        self.does(contact_log.customer_responded, channel=channel, body=self.fill_in(body or self.subject.answer))

    def gets_absence_note(self, note: str, away_for: timedelta | None = None) -> None:
        """The customer is out of office: for `away_for`, or as long as their note says (F5)."""
        today = self.company.calendar().local_date(self.at)
        back_on = today + away_for if away_for is not None else None
        last_day = today + timedelta(days=9)
        text = note.format(last_day=f"{last_day.day} {last_day:%B %Y}")
        self.does(absence_log.note_absence, note=text, back_on=back_on)

    def resolves(self, resolution: Resolution = Resolution.CONFIRMED) -> None:
        solution = self.fill_in(self.subject.solution) if resolution == Resolution.CONFIRMED else ""
        self.does(transitions.resolve, resolution=resolution, solution=solution, agreed_by=AgreedBy.PHONE)

    def is_reassigned(self, reason: str) -> None:
        """The Support Manager gives the case to another first-line technician on shift (A1)."""
        others = [person.user for person in self.shift.present(self.at) if person.level == Level.L2]
        owner = self.chance.choice([user for user in others if user != self.case.owner])
        handing_on.hand_over(self._id, self.desk.staff["ruth"], self.at, owner=owner, reason=reason)

    def turns_away(self, about: str) -> None:
        """An end user is pointed to their own help desk (D3)."""
        opening.turn_away(self.end_user, about, self.technician, self.at)

    @property
    def _id(self) -> int:
        assert self.case_id is not None
        return self.case_id

    def _contact(self, channel: Channel, direction: Direction, body: str, **more: Any) -> Interaction:
        text = self.fill_in(body)
        return self.does(contact_log.log_contact, channel=channel, direction=direction, body=text, **more)
