"""The transitions of a case (C4, C5): each checks the right, locks the case, lets the FSM guard the status, writes the
history row and the letters in one transaction, and sets when the case must be looked at next.

With `cases.workflow.contact_log`, where the customer's word ends a wait, and `cases.followup.apply`, which closes for
no response, this is where a status changes, and nowhere else. A move that may not be made raises `Refused` with one
sentence for the person who tried; then nothing has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.db.models import Q
from django_fsm import can_proceed

from cases.engine.history import record
from cases.engine.outside import recheck_open
from cases.enums import (
    AgreedBy,
    CallOutcome,
    Channel,
    Direction,
    FollowUpStep,
    MailStatus,
    Move,
    Resolution,
    Severity,
    Status,
    WaitPlan,
    WaitReason,
)
from cases.files.apply import attach, check_files
from cases.followup.absences import cannot_act_before
from cases.followup.state import load_wait
from cases.guards import (
    Refused,
    changing,
    foreign_contact,
    last_change,
    missing,
    monotonic_now,
    needs,
    refuse_together,
    refuse_who_left,
    within_bounds,
)
from cases.mail.announcements import raised_letters, resolved_letters
from cases.mail.copies import check_copies, frozen, with_copies
from cases.mail.files import with_files
from cases.mail.letters import Letter, facts, post, to_contact, to_each, why_no_mail
from cases.mail.phrases import phrase
from cases.models import Case, CaseWatcher, FollowUp, Interaction, QueueEntry
from cases.models.case import MOMENTS
from cases.policy.followup.plans import PLAN_FOR, upcoming_steps
from cases.policy.followup.wait import TO_STAFF, WARNING_PERIOD
from cases.policy.intake import DETAILS
from cases.policy.severity import RANK
from cases.search import index
from contacts.directory import Directory
from contacts.enums import Right
from contacts.models import Contact, User

#: Resolutions that need no solution: there is none to write down (C4).
WITHOUT_SOLUTION = frozenset({Resolution.NOT_PURSUED, Resolution.NO_RESPONSE})
#: What people call the transitions of C4, in the order of a case's life.
TRANSITIONS = {
    "start_work": "Start work",
    "ask_customer": "Ask the customer",
    "take_back": "Take back",
    "customer_responded": "Customer responded",
    "resolve": "Resolve",
    "reopen": "Reopen",
}


def available_transitions(case: Case) -> list[str]:
    """The names of the transitions that C4 knows from the case's present status."""
    return [name for name in TRANSITIONS if can_proceed(getattr(case, name))]


def check_transition(case: Case, transition: str) -> None:
    """Refuse a transition that C4 does not know from the case's present status, saying what happened meanwhile."""
    if can_proceed(getattr(case, transition)):
        return
    raise Refused(
        f"“{TRANSITIONS[transition]}” is not possible: {case.number} is “{case.get_status_display()}” since "
        f"{last_change(case)}. Nothing was changed; look at the case as it is now."
    )


def start_work(case: Case | int, actor: User, now: datetime) -> Case:
    """Assigned -> In Progress. Raises Refused or NotAllowed."""
    with changing(case, actor, now, right=Right.WORK_CASES, to="start work on a case") as (case, now):
        check_transition(case, "start_work")
        case.start_work()
        record_move(case, Move.STARTED, actor, "", now)
    return case


def ask_customer(
    case: Case | int,
    actor: User,
    now: datetime,
    *,
    question: str,
    reason: WaitReason,
    plan: WaitPlan | None = None,
    send: bool = True,
    channel: Channel | None = None,
    not_before: date | None = None,
    copies: Sequence[Contact] = (),
    attachments: Sequence[File[Any]] = (),
) -> Case:
    """Wait for the customer: the question, or what they told us, and why we wait (C4, F1). A new episode each time.

    `send` mails the question to the contact, and `copies` of it to others of the help desk; without it the question was
    put to them by `channel`, and that contact is logged (C3). `not_before` is the customer's local day before which
    they cannot act (F2). `attachments` are kept with the question, and sent if it is. Raises Refused or NotAllowed.
    """
    with changing(case, actor, now, right=Right.WORK_CASES, to="ask the customer") as (case, now):
        refuse_together(
            missing(question, "Write the question to the customer, or what they told us.", "question"),
            None if send else _check_put_by(channel),
        )
        said = question.strip()
        copies, checked = check_copies(case, copies) if send else [], check_files(attachments)
        check_transition(case, "ask_customer")
        case.ask_customer(said, reason, plan or PLAN_FOR[reason], now)
        case.follow_up_check_at = now
        if not_before is not None:
            cannot_act_before(case, actor, not_before, now)
        record_move(case, Move.ASKED, actor, f"{reason.label}: {said}", now)
        by = Channel.EMAIL if send or channel is None else channel
        asked = log_interaction(case, by, Direction.OUT, said, actor, now, for_customer=send, copies=copies)
        letter = _question(case, asked, now) if send else None
        kept = attach(asked, checked, actor, now)
        if letter is not None:
            post(with_copies(with_files(letter, kept), copies), now)
    return case


def _check_put_by(channel: Channel | None) -> Refused | None:
    """A question that the desk does not mail was put to the customer by somebody, in some way (C3)."""
    if channel is not None and channel != Channel.NOTE:
        return None
    return Refused(
        "Say how the question was put to the customer: by phone, in a chat or by your own email; or have it sent by "
        "email now.",
        "channel",
    )


def _question(case: Case, asked: Interaction, now: datetime) -> Letter:
    """The mail that puts the question. Raises Refused if it cannot be sent."""
    customer = to_contact(case)
    if customer is None:
        raise Refused(
            f"{why_no_mail(case)}: correct the contact, or untick “send it by email” and ask by phone.",
            "send",
        )
    wait = load_wait(case)
    assert wait is not None
    next_at = next((one.due_at for one in upcoming_steps(wait, now) if one.step not in TO_STAFF), None)
    what = facts(
        case,
        why=phrase("you are our contact for this issue"),
        expected=phrase("Please answer by replying to this message, or call us."),
        then=phrase("We turn to you again if we do not hear from you; without an answer the case closes in the end."),
        next_at=next_at.isoformat() if next_at else "",
        question=asked.body,
        reason=case.get_wait_reason_display(),
    )
    key = f"question:{case.pk}:{case.wait_episode}"
    return Letter(key, "question", customer, what, case, interaction=asked)


def take_back(case: Case | int, actor: User, now: datetime, *, reason: str) -> Case:
    """Customer Update Required -> In Progress of our own accord (C4). Raises Refused or NotAllowed."""
    with changing(case, actor, now, right=Right.WORK_CASES, to="take a question back") as (case, now):
        why = needs(reason, "Say why you take it back: asked by mistake, or found it yourselves?", "reason")
        check_transition(case, "take_back")
        case.take_back(now)
        record_move(case, Move.TAKEN_BACK, actor, why, now)
    return case


def resolve(
    case: Case | int,
    actor: User,
    now: datetime,
    *,
    resolution: Resolution,
    solution: str = "",
    agreed_by: AgreedBy | None = None,
    said: str = "",
    copies: Sequence[Contact] = (),
) -> Case:
    """Close a case: why, the solution where there is one, and how a customer who confirmed it agreed (C4).

    `said` are the customer's words, if they are worth keeping. `copies` of the mail go to others of the help desk.
    Raises Refused or NotAllowed.
    """
    with changing(case, actor, now, right=Right.WORK_CASES, to="resolve a case") as (case, now):
        check_transition(case, "resolve")
        copies = check_copies(case, copies)
        if resolution == Resolution.NO_RESPONSE:
            _check_warned(case, now)
        if resolution not in WITHOUT_SOLUTION:
            refuse_together(
                _check_agreed(case, agreed_by),
                missing(
                    solution, "Write the solution: a case that the customer confirmed as solved has one.", "solution"
                ),
            )
        agreed_by = agreed_by if resolution == Resolution.CONFIRMED else None
        close(case, actor, now, resolution, solution, agreed_by, said, copies)
    return case


def close(
    case: Case,
    actor: User | None,
    now: datetime,
    resolution: Resolution,
    solution: str = "",
    agreed_by: AgreedBy | None = None,
    said: str = "",
    copies: Sequence[Contact] = (),
) -> None:
    """Resolve a locked case whose closing was checked, and tell the customer."""
    within_bounds(said, "said")
    before = case.solution
    case.resolve(resolution, within_bounds(solution, "solution").strip(), now, agreed_by or "")
    case.follow_up_check_at = None
    how = f" {agreed_by.label[0].lower()}{agreed_by.label[1:]}" if agreed_by else ""
    words = f": “{said.strip()}”" if said.strip() else ""
    record_move(case, Move.RESOLVED, actor, f"{resolution.label}{how}{words}", now)
    if before and before != case.solution:
        index.index_cases([case.pk])
    else:
        index.add_words(case.pk, f"{case.solution} {said}")
    post([copy for letter in resolved_letters(case) for copy in with_copies(letter, copies)], now)


def _check_agreed(case: Case, agreed_by: AgreedBy | None) -> Refused | None:
    """Both agree to close: whoever says that the customer confirmed it says how (C4)."""
    if agreed_by is None:
        return Refused("Say how the customer agreed: on the phone, in a chat, by email, or as logged.", "agreed_by")
    if agreed_by != AgreedBy.LOGGED:
        return None
    words = Interaction.objects.filter(case=case, opened_the_case=False).exclude(direction=Direction.INTERNAL)
    if any(word.is_response for word in words):
        return None
    return Refused(
        "No word from the customer is logged on this case; choose how they agreed, or log what they said.", "agreed_by"
    )


def _check_warned(case: Case, now: datetime) -> None:
    """Never closed for no response unless it was announced, and that was sent 24 h before (F4, F7). Raises Refused."""
    if case.status != Status.WAITING:
        raise Refused(
            f"{case.number} does not wait for its customer, so nobody failed to respond; choose another reason.",
            "resolution",
        )
    wait = load_wait(case)
    if wait is not None and wait.skip_sleep(now) > now:
        raise Refused(
            f"{case.contact.name} is noted as away, and no case closes for no response meanwhile; say that they are "
            "back, or choose another reason.",
            "resolution",
        )
    announced = FollowUp.objects.filter(Q(step=FollowUpStep.FINAL) | Q(closes_at__isnull=False), superseded=False)
    last = announced.filter(case=case, episode=case.wait_episode).select_related("mail").order_by("-done_at").first()
    mail = last.mail if last is not None else None
    sent_at = mail.sent_at if mail is not None and mail.status == MailStatus.SENT else None
    closes_at = last.closes_at if last is not None else None
    warned = sent_at is not None and sent_at + WARNING_PERIOD <= now and (closes_at is None or closes_at <= now)
    if not warned:
        raise Refused(
            "A case closes for no response only at the time that was announced to the customer, 24 h after that was "
            "sent at the soonest; let the follow-up run, or choose another reason.",
            "resolution",
        )


def reopen(case: Case | int, actor: User, now: datetime, *, reason: str) -> Case:
    """Resolved -> In Progress within 14 days; later a new linked case (C4). Raises Refused or NotAllowed."""
    with changing(case, actor, now, right=Right.WORK_CASES, to="reopen a case") as (case, now):
        why = needs(reason, "Say why the case is reopened.", "reason")
        check_transition(case, "reopen")
        if not can_reopen(case, now):
            raise Refused(
                f"{case.number} was resolved more than {settings.DESK_REOPEN_WITHIN_DAYS} days ago; "
                "open a new case linked to it instead."
            )
        reopen_locked(case, actor, why, now)
    return case


def can_reopen(case: Case, now: datetime) -> bool:
    """Whether it is still early enough to reopen instead of opening a new linked case (C4)."""
    return case.resolved_at is not None and now - case.resolved_at <= timedelta(days=settings.DESK_REOPEN_WITHIN_DAYS)


def reopen_locked(case: Case, actor: User | None, why: str, now: datetime) -> None:
    case.reopen()
    record_move(case, Move.REOPENED, actor, why, now)
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


def record_move(case: Case, move: Move, actor: User | None, reason: str, now: datetime) -> None:
    """Write the change; whoever watches for what nothing moves must look again, the pure clock decides (E3)."""
    now = monotonic_now(case, now)
    if case.status != Status.WAITING:
        case.follow_up_check_at = None
    case.nudge(now, "escalation", "sla")
    record(case, move, actor, reason, now, checks=MOMENTS)


def log_interaction(
    case: Case,
    channel: Channel,
    direction: Direction,
    body: str,
    actor: User | None,
    now: datetime,
    outcome: CallOutcome = CallOutcome.REACHED,
    told: Sequence[str] = (),
    why_no_attempt: str = "",
    for_customer: bool = False,
    at: datetime | None = None,
    contact: Contact | None = None,
    copies: Sequence[Contact] = (),
    is_known: bool = True,
    chat: QueueEntry | None = None,
) -> Interaction:
    """Write a contact down at `now`; it was `at`, if that was earlier, with `contact`, if not with the case's (C3).

    `is_known` is False for a word with somebody who is no contact at all.
    """
    contact = contact or case.contact
    is_call = direction == Direction.OUT and channel in (Channel.PHONE, Channel.CHAT) and chat is None
    interaction = Interaction.objects.create(
        case=case,
        channel=channel,
        direction=direction,
        at=at or now,
        logged_at=now,
        by=actor,
        contact=contact if is_known and direction != Direction.INTERNAL else None,
        with_customer=is_known and is_customer(case, contact),
        body=body,
        reached=outcome == CallOutcome.REACHED,
        outcome=outcome if is_call else "",
        told=list(told),
        why_no_attempt=why_no_attempt,
        for_customer=for_customer,
        copied_to=frozen(copies),
        chat=chat,
    )
    index.add_words(case.pk, body)
    return interaction


def is_customer(case: Case, contact: Contact) -> bool:
    """Whether a word with this person is a word with the customer: the case's contact, or their help desk (C3)."""
    return contact.pk == case.contact_id or contact.is_help_desk


def change_severity(case: Case | int, actor: User, now: datetime, *, severity: Severity, reason: str) -> Case:
    """Change how bad it is, with a reason (C2); the schedule follows as if it had always been so (E4).

    One that nobody has decided yet can be confirmed as well.

    Raises Refused or NotAllowed.
    """
    with changing(case, actor, now, right=Right.WORK_CASES, to="change the severity") as (case, now):
        why = needs(reason, "Say why the severity changes; a change without a reason is not kept.", "reason")
        before = Severity(case.severity)
        if severity == before and not case.severity_is_provisional:
            raise Refused(f"{case.number} is {before.label} already; choose another severity.", "severity")
        case.severity, case.severity_is_provisional = severity, False
        how = f"{before.label} to {severity.label}" if severity != before else f"{severity.label} it is"
        record_move(case, Move.SEVERITY, actor, f"{how}: {why}", now)
        if case.is_open and RANK[severity] < min(RANK[before], RANK[Severity.MEDIUM]):
            post(raised_letters(case, case.changed_at), now)
    return case


def stop_watching(case_id: int, actor: User) -> None:
    """A former owner leaves the case (E7)."""
    CaseWatcher.objects.filter(case=case_id, user=actor).delete()


#: What may be edited by a form; severity, status and owner change by moves only.
EDITABLE = frozenset(detail.name for detail in DETAILS)
#: Of these, what a promise or the plan of a wait depends on: whom we write to, when, and how (E3).
INPUTS_OF_CLOCKS = frozenset({"contact", "preferred_means"})


def edit_details(case: Case | int, actor: User, now: datetime, *, changes: dict[str, Any], reason: str = "") -> Case:
    """Correct what the case says (C1); only fields of `EDITABLE`. Raises Refused, NotAllowed, or KeyError."""
    with changing(case, actor, now, right=Right.WORK_CASES, to="edit a case") as (case, now):
        if "title" in changes:
            needs(changes["title"], "A case needs a title; say in one line what it is about.", "title")
        foreign = set(changes) - EDITABLE
        if foreign:
            raise KeyError(f"not editable: {sorted(foreign)}")
        of_a_person = changes.get("contact", case.contact) != case.contact
        for name, value in changes.items():
            setattr(case, name, within_bounds(value, name) if isinstance(value, str) else value)
        if case.contact.company_id != case.company_id:
            raise foreign_contact(case.contact, case.company)
        if "contact" in changes:
            refuse_who_left(case.contact)
        if of_a_person and "preferred_means" not in changes:
            case.preferred_means = case.contact.preferred_means  # the former contact's is no fact of the case
        record(case, Move.EDITED, actor, reason or f"Edited: {', '.join(sorted(changes))}", now)
        index.index_cases([case.pk])
        if INPUTS_OF_CLOCKS & set(changes):
            recheck_open(Case.objects.filter(pk=case.pk), ("follow_up", "sla"), now)
    return case
