"""The moves of a case (C4, C5): each checks the right, locks the case, lets the FSM guard the status, writes the
history row and the letters in one transaction, and sets when the case must be looked at next.

This is the only place, with `cases.follow_ups` which closes by the same transitions, that changes a status. A move
that may not be made raises `Refused` with one sentence for the person who tried; then nothing has changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django_fsm import can_proceed

from cases.deadlines import initial_response_due_at
from cases.follow_up_plans import PENDING_STEPS
from cases.history import record
from cases.intake import missing_questions
from cases.mail.letters import Letter, facts, post, to_contact, to_each
from cases.models import Case, CaseWatcher, Interaction, Notice, Refusal
from cases.roster import Roster, language_of_service
from cases.terms import (
    PLAN_FOR,
    RANK,
    WITHOUT_SOLUTION,
    Channel,
    Direction,
    Holds,
    MailStatus,
    Move,
    NoticeStep,
    Resolution,
    Severity,
    Status,
    WaitPlan,
    WaitReason,
)
from contacts.calendars import japanese_support_opens_at
from contacts.directory import Directory, is_reachable
from contacts.models import Company, Contact, Technician, User
from contacts.terms import Language, Right, Role


class Refused(Exception):
    """A move that may not be made; the message is one sentence for whoever tried (S4). `field` names the input."""

    def __init__(self, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class NotAllowed(Refused):
    """The person has no right to make this move (A1)."""


#: What people call the transitions of C4, in the order of a case's life.
TRANSITIONS = {
    "start_work": "Start work",
    "ask_customer": "Ask the customer",
    "take_back": "Take back",
    "customer_responded": "Customer responded",
    "resolve": "Resolve",
    "reopen": "Reopen",
}


# --- guards -----------------------------------------------------------------------------------------------------


def allow(actor: User, right: Right, doing: str) -> None:
    """Check a right. Raises NotAllowed with a sentence (A1, A2)."""
    if not actor.may(right):
        raise NotAllowed(f"You may not {doing}: it takes the right of a technician or support manager.")


def locked(case_id: int, actor: User) -> Case:
    """The case as it is now, locked until the transaction ends.

    Raises Case.DoesNotExist also for a case that the actor may not read (A1).
    """
    return (
        Case.objects.visible_to(actor)
        .select_for_update(of=("self",))
        .select_related("company", "contact", "contact__company", "owner")
        .get(pk=case_id)
    )


def _guard(case: Case, transition: str, now: datetime) -> None:
    """Refuse a transition that C4 does not know from the case's present status, saying what happened meanwhile."""
    if can_proceed(getattr(case, transition)):
        return
    last = case.history.select_related("history_user").order_by("-history_date", "-history_id").first()
    by = f" by {last.history_user}" if last and last.history_user else ""
    raise Refused(
        f"“{TRANSITIONS[transition]}” is not possible: {case.number} is “{case.get_status_display()}” since "
        f"{Move(case.last_move).label.lower()}{by} at {case.changed_at:%Y-%m-%d %H:%M} UTC. "
        "Nothing was changed; look at the case as it is now."
    )


def _needs(text: str, sentence: str, field: str) -> str:
    said = text.strip()
    if not said:
        raise Refused(sentence, field)
    return said


def _foreign_contact(contact: Contact, company: Company) -> Refused:
    return Refused(f"{contact.name} does not work for {company.name}; choose one of theirs.", "contact")


def available_transitions(case: Case) -> list[str]:
    """The names of the transitions that C4 knows from the case's present status."""
    return [name for name in TRANSITIONS if can_proceed(getattr(case, name))]


# --- opening ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Intake:
    """What is asked at the opening (C1)."""

    company: Company
    contact: Contact
    title: str
    severity: Severity
    channel: Channel = Channel.PHONE
    description: str = ""
    preferred_means: str = ""
    affected_user: str = ""
    device: str = ""
    operating_system: str = ""
    system_information: str = ""
    several_devices: bool | None = None
    affected: str = ""
    impact: str = ""
    opened_despite: str = ""
    linked_to: Case | None = None

    def answers(self) -> dict[str, Any]:
        """The fields of the case that the answers fill."""
        return {
            "company": self.company,
            "contact": self.contact,
            "title": self.title.strip(),
            "severity": self.severity,
            "opened_by_channel": self.channel,
            "description": self.description,
            "preferred_means": self.preferred_means or self.contact.preferred_means,
            "affected_user": self.affected_user,
            "device": self.device,
            "operating_system": self.operating_system,
            "system_information": self.system_information,
            "several_devices": self.several_devices,
            "affected": self.affected,
            "impact": self.impact,
            "opened_despite": self.opened_despite.strip(),
            "linked_to": self.linked_to,
        }


def may_open(contact: Contact, opened_despite: str) -> bool:
    """Whether this contact's issue becomes a case: their help desk opens it, or somebody gave a reason (D3)."""
    return contact.is_help_desk or bool(opened_despite.strip())


def turn_away_sentence(contact: Contact) -> str:
    """What to tell somebody who is not their company's help desk (D3)."""
    desk = [
        f"{one.name} ({one.phone or one.email or 'no number on file'})"
        for one in Contact.objects.filter(company=contact.company_id, is_help_desk=True, active=True)[:3]
    ]
    where = ", ".join(desk) if desk else "the company has none on file yet"
    return (
        f"{contact.name} is not the corporate help desk of {contact.company.name}: please point them to it ({where})."
    )


def turn_away(contact: Contact, about: str, actor: User, now: datetime) -> Refusal:
    """Record that somebody was turned away (D3). Pressing twice within the hour records it once."""
    allow(actor, Right.WORK_CASES, "turn a caller away")
    with transaction.atomic():
        told = turn_away_sentence(contact)
        recent = Refusal.objects.filter(contact=contact, by=actor, at__gt=now - timedelta(hours=1)).first()
        return recent or Refusal.objects.create(
            company=contact.company,
            contact=contact,
            caller=contact.name,
            about=about[:200],
            at=now,
            by=actor,
            told=told,
        )


def open_case(intake: Intake, actor: User, now: datetime) -> Case:
    """Open a case and assign it (C1, C6). Raises Refused (D3, C1) or NotAllowed."""
    allow(actor, Right.WORK_CASES, "open a case")
    _needs(intake.title, "A case needs a title; say in one line what it is about.", "title")
    if intake.contact.company_id != intake.company.pk:
        raise _foreign_contact(intake.contact, intake.company)
    if not may_open(intake.contact, intake.opened_despite):
        raise Refused(turn_away_sentence(intake.contact), "contact")
    with transaction.atomic():
        owner, why = _first_owner(intake, now)
        case = Case(**intake.answers(), owner=owner, opened_at=now, opened_by=actor, look_at=now, update_rhythm={})
        record(case, Move.OPENED, actor, f"Opened by {Channel(intake.channel).label.lower()}; assigned: {why}.", now)
        Interaction.objects.create(
            case=case,
            channel=intake.channel,
            direction=Direction.IN,
            at=now,
            by=actor,
            contact=intake.contact,
            body=intake.description or intake.title,
            opened_the_case=True,
        )
        post(_opening_letters(case, actor, why, now), now)
    return case


def _first_owner(intake: Intake, now: datetime) -> tuple[User | None, str]:
    roster = Roster(now)
    choice = roster.at_opening(Severity(intake.severity), intake.contact.speaks)
    if choice is None:
        manager = Directory().holder(Role.SUPPORT_MANAGER, None)
        return (manager if is_reachable(manager) else None), "no active L2 technician, so the Support Manager"
    Technician.objects.filter(user=choice.user_id).update(last_case_at=now)
    return roster.users[choice.user_id], choice.why


def _opening_letters(case: Case, actor: User, why: str, now: datetime) -> list[Letter]:
    directory = Directory()
    centre = centre_of(case.owner)
    letters = []
    customer = to_contact(case)
    if customer is not None:
        letters.append(Letter(f"opened:{case.pk}", "case_opened", customer, _receipt(case, now), case))
    if case.owner is None or why.startswith("no active L2"):
        what = facts(
            case,
            why="you are the Support Manager, and there is no active L2 technician to own this case",
            expected="Assign the case to somebody, and put a technician on duty.",
            then="The case keeps its promises meanwhile: its clocks run.",
        )
        readers = directory.for_role(Role.SUPPORT_MANAGER, centre)
        letters += to_each(readers, f"nobody:{case.pk}", "nobody_on_duty", what, case)
    elif case.owner != actor:
        what = facts(
            case,
            why=f"the case was assigned to you ({why})",
            expected="Take it up and start work.",
            then=_first_promise(case),
            next_at=_first_promise_at(case),
            description=case.description,
        )
        readers = directory.for_user(case.owner, "Owner", centre)
        letters += to_each(readers, f"owner:{case.pk}", "new_case", what, case)
    if RANK[Severity(case.severity)] <= RANK[Severity.HIGH]:
        letters += _severe_letters(case, directory, centre, "opened as", f"severe:{case.pk}")
    return letters


def _first_promise_at(case: Case) -> str:
    due_at = initial_response_due_at(Severity(case.severity), Channel(case.opened_by_channel), case.opened_at)
    return due_at.isoformat() if due_at else ""


def _first_promise(case: Case) -> str:
    """What is promised first to whoever phoned (T1), or to everybody else."""
    if case.opened_by_channel == Channel.PHONE:
        return "The customer phoned and is promised a first response."
    return "The customer has been told that it is in hand."


def _severe_letters(case: Case, directory: Directory, centre: int | None, how: str, key: str) -> list[Letter]:
    what = facts(
        case,
        why=f"the Support Manager is told of every new Critical and High case; this one was {how} "
        f"{case.get_severity_display()}",
        expected="Nothing for now; keep an eye on it.",
        then="The escalation schedule runs from the opening.",
        description=case.description,
    )
    return to_each(directory.for_role(Role.SUPPORT_MANAGER, centre), key, "severe_case", what, case)


def _receipt(case: Case, now: datetime) -> dict[str, Any]:
    answers = {field.name: getattr(case, field.name) for field in case._meta.concrete_fields if not field.is_relation}
    questions = missing_questions(answers)
    japanese_at = japanese_support_opens_at(now) if case.contact.speaks == Language.JAPANESE else None
    return facts(
        case,
        why="you reported this issue to us",
        expected="Please answer the questions below, all in one reply." if questions else "Nothing for now.",
        then=f"{case.owner or 'A specialist'} works on it and keeps you informed.",
        questions=questions,
        japanese_opens_at=japanese_at.isoformat() if japanese_at else "",
        language=language_of_service(case.contact.speaks, now),
    )


def centre_of(user: User | None) -> int | None:
    """The support centre of a technician, for roles that are held per centre (D4)."""
    technician = Technician.objects.filter(user=user).first() if user else None
    return technician.centre_id if technician else None


# --- transitions (C4) -------------------------------------------------------------------------------------------


def start_work(case_id: int, actor: User, now: datetime) -> Case:
    """Assigned -> In Progress. Raises Refused or NotAllowed."""
    allow(actor, Right.WORK_CASES, "start work on a case")
    with transaction.atomic():
        case = locked(case_id, actor)
        _guard(case, "start_work", now)
        case.start_work()
        _moved(case, Move.STARTED, actor, "", now)
    return case


def ask_customer(
    case_id: int,
    actor: User,
    now: datetime,
    *,
    question: str,
    reason: WaitReason,
    plan: WaitPlan | None = None,
    send: bool = True,
) -> Case:
    """Wait for the customer: the question, or what they told us, and why we wait (C4, F1). A new episode each time.

    `send` mails the question to the contact; without it the question was put to them in another way.
    Raises Refused or NotAllowed.
    """
    allow(actor, Right.WORK_CASES, "ask the customer")
    said = _needs(question, "Write the question to the customer, or what they told us.", "question")
    with transaction.atomic():
        case = locked(case_id, actor)
        _guard(case, "ask_customer", now)
        now = _not_before_last(case, now)
        case.ask_customer(said, reason, plan or PLAN_FOR[reason], now)
        # Until the three contacts are built whole, every wait is followed up by F2's plan.
        case.follow_up_at = now
        _moved(case, Move.ASKED, actor, f"{reason.label}: {said}", now)
        if send:
            _log(case, Channel.EMAIL, Direction.OUT, said, actor, now)
            _send_question(case, said, now)
    return case


def _send_question(case: Case, question: str, now: datetime) -> None:
    customer = to_contact(case)
    if customer is None:
        raise Refused(
            f"{case.contact.name} has no email address: add one, or untick “send it by email” and ask by phone.",
            "send",
        )
    what = facts(
        case,
        why="you are our contact for this issue",
        expected="Please answer by replying to this message, or call us.",
        then="We remind you if we do not hear from you; without an answer the case closes in the end.",
        next_at=(now + PENDING_STEPS[NoticeStep.NOTICE_1]).isoformat(),
        question=question,
        reason=case.get_wait_reason_display(),
    )
    key = f"question:{case.pk}:{case.wait_episode}"
    post([Letter(key, "question", customer, what, case, Holds.WAITING, case.wait_episode)], now)


def take_back(case_id: int, actor: User, now: datetime, *, reason: str) -> Case:
    """Customer Update Required -> In Progress of our own accord (C4). Raises Refused or NotAllowed."""
    allow(actor, Right.WORK_CASES, "take a question back")
    why = _needs(reason, "Say why you take it back: asked by mistake, or found it yourselves?", "reason")
    with transaction.atomic():
        case = locked(case_id, actor)
        _guard(case, "take_back", now)
        case.take_back()
        _moved(case, Move.TAKEN_BACK, actor, why, now)
    return case


def customer_responded(case_id: int, actor: User, now: datetime, *, channel: Channel, body: str) -> Case:
    """Customer Update Required -> In Progress, by logging the customer's contact (C4). Raises Refused or NotAllowed."""
    allow(actor, Right.WORK_CASES, "log a response")
    said = _needs(body, "Write down what the customer said.", "body")
    if channel == Channel.NOTE:
        raise Refused("A response comes by phone, chat or email; choose how the customer reached us.", "channel")
    with transaction.atomic():
        case = locked(case_id, actor)
        _guard(case, "customer_responded", now)
        _take_contact(case, channel, Direction.IN, said, actor, now, reached=True)
    return case


def resolve(case_id: int, actor: User, now: datetime, *, resolution: Resolution, solution: str = "") -> Case:
    """Close a case: why, and the solution where there is one (C4). Raises Refused or NotAllowed."""
    allow(actor, Right.WORK_CASES, "resolve a case")
    if resolution not in WITHOUT_SOLUTION:
        _needs(solution, "Write the solution: a case that the customer confirmed as solved has one.", "solution")
    with transaction.atomic():
        case = locked(case_id, actor)
        _guard(case, "resolve", now)
        now = _not_before_last(case, now)
        if resolution == Resolution.NO_RESPONSE:
            _check_warned(case, now)
        case.resolve(resolution, solution.strip(), now)
        case.follow_up_at = None
        _moved(case, Move.RESOLVED, actor, resolution.label, now)
        post(resolved_letters(case), now)
    return case


def _check_warned(case: Case, now: datetime) -> None:
    """Never closed for no response unless the final notice was sent 24 h before (F7). Raises Refused."""
    warned = Notice.objects.filter(
        case=case,
        episode=case.wait_episode,
        step=NoticeStep.FINAL,
        mail__status=MailStatus.SENT,
        mail__sent_at__lte=now - timedelta(hours=24),
    )
    if case.status != Status.WAITING or not warned.exists():
        raise Refused(
            "A case closes for no response only 24 h after its final notice was sent (F7); "
            "let the follow-up run, or choose another reason.",
            "resolution",
        )


def resolved_letters(case: Case) -> list[Letter]:
    """The customer is told that their case is closed, why, and until when a word from them reopens it."""
    customer = to_contact(case)
    if customer is None or case.resolved_at is None:
        return []
    no_response = case.resolution == Resolution.NO_RESPONSE
    until = case.resolved_at + timedelta(days=settings.DESK_REOPEN_WITHIN_DAYS)
    what = facts(
        case,
        why="you are our contact for this issue",
        expected="Nothing, if this is settled. Otherwise reply to this message.",
        then="Your answer reopens the case." if no_response else "If it comes back, tell us and we reopen the case.",
        resolution=case.get_resolution_display(),
        solution=case.solution,
        reopen_until_at=until.isoformat(),
    )
    template = "closed_no_response" if no_response else "resolved"
    return [Letter(f"{template}:{case.pk}:{case.resolved_at.isoformat()}", template, customer, what, case)]


def reopen(case_id: int, actor: User, now: datetime, *, reason: str) -> Case:
    """Resolved -> In Progress within 14 days; later a new linked case (C4). Raises Refused or NotAllowed."""
    allow(actor, Right.WORK_CASES, "reopen a case")
    why = _needs(reason, "Say why the case is reopened.", "reason")
    with transaction.atomic():
        case = locked(case_id, actor)
        _guard(case, "reopen", now)
        if not can_reopen(case, now):
            raise Refused(
                f"{case.number} was resolved more than {settings.DESK_REOPEN_WITHIN_DAYS} days ago; "
                "open a new case linked to it instead."
            )
        _reopen(case, actor, why, now)
    return case


def can_reopen(case: Case, now: datetime) -> bool:
    """Whether it is still early enough to reopen instead of opening a new linked case (C4)."""
    return case.resolved_at is not None and now - case.resolved_at <= timedelta(days=settings.DESK_REOPEN_WITHIN_DAYS)


def _reopen(case: Case, actor: User | None, why: str, now: datetime) -> None:
    case.reopen()
    _moved(case, Move.REOPENED, actor, why, now)
    Interaction.objects.filter(case=case, needs_answer=True).update(needs_answer=False)
    if case.owner is not None and case.owner != actor:
        what = facts(
            case,
            why="you own this case",
            expected="Take it up again.",
            then="Within a day of its resolution its escalation clock goes on; later it starts anew.",
            reason=why,
        )
        readers = Directory().for_user(case.owner, "Owner")
        post(to_each(readers, f"reopened:{case.pk}:{now.isoformat()}", "reopened", what, case), now)


def _moved(case: Case, move: Move, actor: User | None, reason: str, now: datetime) -> None:
    """Write the change; whoever watches for what nothing moves must look again, the pure clock decides (E3)."""
    now = _not_before_last(case, now)
    if case.status != Status.WAITING:
        case.follow_up_at = None
    case.look_at = now
    record(case, move, actor, reason, now)


def _not_before_last(case: Case, now: datetime) -> datetime:
    """A move never happens before the one it follows, even when two machines' clocks differ a little (E3)."""
    return max(now, case.changed_at)


# --- contacts (C3) ----------------------------------------------------------------------------------------------


def log_contact(
    case_id: int,
    actor: User,
    now: datetime,
    *,
    channel: Channel,
    direction: Direction,
    body: str,
    reached: bool = True,
    send: bool = False,
) -> Interaction:
    """Log a phone call, chat or email about a case, or an internal note (C3).

    A contact from the customer ends a wait by itself (C4, F6), and on a case closed for no response it reopens (C7).
    `send` mails `body` to the contact. Raises Refused or NotAllowed.
    """
    note = channel == Channel.NOTE
    allow(actor, Right.ADD_NOTES if note else Right.WORK_CASES, "add a note" if note else "log a contact")
    said = _needs(body, "Write down what was said.", "body")
    if note != (direction == Direction.INTERNAL):
        raise Refused("A note is internal; a call, chat or email came from or went to the customer.", "direction")
    with transaction.atomic():
        case = locked(case_id, actor)
        interaction = _take_contact(case, channel, direction, said, actor, now, reached)
        if send:
            _send_message(case, interaction, now)
    return interaction


def _take_contact(
    case: Case, channel: Channel, direction: Direction, body: str, actor: User | None, now: datetime, reached: bool
) -> Interaction:
    interaction = _log(case, channel, direction, body, actor, now, reached)
    if not interaction.is_response:
        return interaction
    if case.status == Status.WAITING:
        case.customer_responded()
        _moved(case, Move.RESPONDED, actor, f"{channel.label}: {body}", now)
    elif case.status == Status.RESOLVED and direction == Direction.IN:
        _word_on_resolved(case, interaction, actor, now)
    return interaction


def _word_on_resolved(case: Case, interaction: Interaction, actor: User | None, now: datetime) -> None:
    """C7: the answer we asked for reopens; any other word is flagged and never dropped."""
    if case.resolution == Resolution.NO_RESPONSE and can_reopen(case, now):
        _reopen(case, actor, "The customer answered after it was closed for no response (C7).", now)
        return
    interaction.needs_answer = True
    interaction.save(update_fields=["needs_answer"])
    what = facts(
        case,
        why="you own this case, which is resolved",
        expected="Read what the customer says; reopen the case, or mark it as handled.",
        then="Nothing happens by itself.",
        said=interaction.body,
    )
    readers = Directory().for_user(case.owner, "Owner")
    post(to_each(readers, f"word:{interaction.pk}", "word_on_resolved", what, case), now)


def _log(
    case: Case,
    channel: Channel,
    direction: Direction,
    body: str,
    actor: User | None,
    now: datetime,
    reached: bool = True,
) -> Interaction:
    return Interaction.objects.create(
        case=case,
        channel=channel,
        direction=direction,
        at=now,
        by=actor,
        contact=None if direction == Direction.INTERNAL else case.contact,
        body=body,
        reached=reached,
    )


def _send_message(case: Case, interaction: Interaction, now: datetime) -> None:
    if (interaction.channel, interaction.direction) != (Channel.EMAIL, Direction.OUT):
        raise Refused("Only an email to the customer can be sent; untick “send it now”.", "send")
    customer = to_contact(case)
    if customer is None:
        raise Refused(f"{case.contact.name} has no email address; add one, or untick “send it now”.", "send")
    what = facts(
        case,
        why="you are our contact for this issue",
        expected="Reply to this message if you have anything to add.",
        then="We keep you informed.",
        message=interaction.body,
        sender=str(interaction.by),
    )
    post([Letter(f"message:{interaction.pk}", "message", customer, what, case)], now)


def mark_handled(interaction_id: int, actor: User) -> None:
    """The customer's word on a resolved case needed nothing more (C7). Raises NotAllowed."""
    allow(actor, Right.WORK_CASES, "mark a contact as handled")
    Interaction.objects.filter(pk=interaction_id).update(needs_answer=False)


# --- changes that are no transition -----------------------------------------------------------------------------


def change_severity(case_id: int, actor: User, now: datetime, *, severity: Severity, reason: str) -> Case:
    """Change how bad it is, with a reason (C2); the schedule follows as if it had always been so (E4).

    Raises Refused or NotAllowed.
    """
    allow(actor, Right.WORK_CASES, "change the severity")
    why = _needs(reason, "Say why the severity changes; a change without a reason is not kept (C2).", "reason")
    with transaction.atomic():
        case = locked(case_id, actor)
        before = Severity(case.severity)
        if severity == before:
            raise Refused(f"{case.number} is {before.label} already; choose another severity.", "severity")
        case.severity = severity
        _moved(case, Move.SEVERITY, actor, f"{before.label} to {severity.label}: {why}", now)
        if RANK[severity] <= RANK[Severity.HIGH] < RANK[before] and case.is_open:
            key = f"severe:{case.pk}:{case.changed_at.isoformat()}"
            post(_severe_letters(case, Directory(), centre_of(case.owner), "raised to", key), now)
    return case


def reassign(case_id: int, actor: User, now: datetime, *, owner: User, reason: str) -> Case:
    """Give a case to another technician; the former owner goes on watching (A1, E7). Raises Refused or NotAllowed."""
    allow(actor, Right.REASSIGN, "reassign a case")
    why = _needs(reason, "Say why the case goes to somebody else.", "reason")
    if not owner.is_active or not Technician.objects.filter(user=owner).exists():
        raise Refused(f"{owner} is no active technician; choose one who is.", "owner")
    with transaction.atomic():
        case = locked(case_id, actor)
        if case.owner == owner:
            raise Refused(f"{case.number} belongs to {owner} already; choose somebody else.", "owner")
        if not case.is_open:
            raise Refused(f"{case.number} is resolved; reopen it before it goes to somebody else.")
        before = case.owner
        if before is not None:
            CaseWatcher.objects.get_or_create(case=case, user=before, defaults={"since": now})
        CaseWatcher.objects.filter(case=case, user=owner).delete()
        case.owner = owner
        _moved(case, Move.REASSIGNED, actor, f"{before or 'nobody'} to {owner}: {why}", now)
        what = facts(
            case,
            why=f"{actor} gave you this case",
            expected="Take it up.",
            then="Its promises and its escalation clock go on as they stand.",
            reason=why,
        )
        post(
            to_each(
                Directory().for_user(owner, "Owner"),
                f"reassigned:{case.pk}:{case.changed_at.isoformat()}",
                "reassigned",
                what,
                case,
                Holds.OPEN,
            ),
            now,
        )
    return case


def stop_watching(case_id: int, actor: User) -> None:
    """A former owner leaves the case (E7)."""
    CaseWatcher.objects.filter(case=case_id, user=actor).delete()


#: What may be edited by a form; severity, status and owner change by moves only.
EDITABLE = frozenset(
    {
        "title",
        "description",
        "preferred_means",
        "affected_user",
        "device",
        "operating_system",
        "system_information",
        "several_devices",
        "affected",
        "impact",
        "contact",
        "solution",
    }
)


def edit_details(case_id: int, actor: User, now: datetime, *, changes: dict[str, Any], reason: str = "") -> Case:
    """Correct what the case says (C1); only fields of `EDITABLE`. Raises Refused, NotAllowed, or KeyError."""
    allow(actor, Right.WORK_CASES, "edit a case")
    if "title" in changes:
        _needs(changes["title"], "A case needs a title; say in one line what it is about.", "title")
    foreign = set(changes) - EDITABLE
    if foreign:
        raise KeyError(f"not editable: {sorted(foreign)}")
    with transaction.atomic():
        case = locked(case_id, actor)
        for name, value in changes.items():
            setattr(case, name, value)
        if case.contact.company_id != case.company_id:
            raise _foreign_contact(case.contact, case.company)
        record(case, Move.EDITED, actor, reason or f"Edited: {', '.join(sorted(changes))}", _not_before_last(case, now))
    return case
