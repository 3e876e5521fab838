"""The contact log: phone, chat, email and internal notes (C3), and what the customer's word sets off (C4, C7, F6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.base import File

from cases.enums import (
    AgreedBy,
    CallOutcome,
    Channel,
    Direction,
    FollowUpStep,
    Move,
    Resolution,
    Severity,
    Status,
    WaitPlan,
    WaitReason,
)
from cases.files.apply import attach, check_files
from cases.followup.state import load_wait
from cases.guards import Refused, allow, changing, foreign_contact, needs, refuse_who_left, taking_word
from cases.mail.copies import check_copies, of_help_desk, with_copies
from cases.mail.files import with_files
from cases.mail.letters import Letter, centre_of_owner, facts, post, to_contact, to_each, why_no_mail
from cases.mail.phrases import phrase
from cases.models import Case, FollowUp, Interaction, QueueEntry
from cases.policy.first_response import word_handled_by
from cases.policy.followup.three_contacts import ContactVerdict, classify_contact
from cases.workflow.transitions import (
    can_reopen,
    check_transition,
    close,
    is_customer,
    log_interaction,
    record_move,
    reopen_locked,
)
from contacts.directory import Directory
from contacts.enums import Right
from contacts.models import Contact, User
from contacts.reader import for_reader
from contacts.wording import day_and_month


@dataclass(frozen=True)
class Spoken:
    """A contact that was checked and is to be logged: by which means, with whom, when it was (UTC), what was said.

    `contact` is None for somebody whom nobody here knows. Of a line in a chat of the support page `chat` is that chat.
    """

    channel: Channel
    direction: Direction
    body: str
    at: datetime
    contact: Contact | None
    outcome: CallOutcome = CallOutcome.REACHED
    for_customer: bool = False
    copies: Sequence[Contact] = ()
    chat: QueueEntry | None = None


def log_contact(
    case: Case | int,
    actor: User,
    now: datetime,
    *,
    channel: Channel,
    direction: Direction,
    body: str,
    reached: bool = True,
    outcome: CallOutcome | None = None,
    send: bool = False,
    for_customer: bool = False,
    at: datetime | None = None,
    contact: Contact | None = None,
    copies: Sequence[Contact] = (),
    attachments: Sequence[File[Any]] = (),
    chat: QueueEntry | None = None,
) -> Interaction:
    """Log a phone call, chat or email about a case, or an internal note (C3).

    A contact from the customer ends a wait by itself (C4, F6), and on a case closed for no response it reopens (C7).
    It was `at` (UTC), if that was before now, with `contact`, if that was not the case's.
    `outcome` is how a call of ours went; without it `reached` says whether we spoke to them or left a message.
    `send` mails `body` to the contact, and `copies` of it to others of the help desk; what is neither sent nor marked
    `for_customer` is read by staff only. `attachments` are kept with it, and sent if it is. An owner who did not log it
    is told, but of a line in a `chat` when that is over (P6). Raises Refused or NotAllowed.
    """
    note = channel == Channel.NOTE
    right, to = (Right.ADD_NOTES, "add a note") if note else (Right.WORK_CASES, "log a contact")
    with changing(case, actor, now, right=right, to=to) as (case, now):
        text = needs(body, "Write down what was said.", "body")
        if note != (direction == Direction.INTERNAL):
            raise Refused("A note is internal; a call, chat or email came from or went to the customer.", "direction")
        if for_customer and direction != Direction.OUT:
            raise Refused("Only what we told the customer can be marked for them; untick it.", "for_customer")
        spoken = Spoken(
            channel,
            direction,
            text,
            at=_moment_of(case, at, now),
            contact=_with_whom(case, contact),
            outcome=outcome or (CallOutcome.REACHED if reached else CallOutcome.LEFT_MESSAGE),
            for_customer=for_customer or send,
            copies=check_copies(case, copies, contact) if send else (),
            chat=chat,
        )
        checked = check_files(attachments)
        interaction = _take_contact(case, spoken, actor, now)
        letter = _message(case, interaction, now) if send else None
        kept = attach(interaction, checked, actor, now)
        if letter is not None:
            post(with_copies(with_files(letter, kept), spoken.copies), now)
    return interaction


def take_word(
    case: Case | int,
    contact: Contact | None,
    now: datetime,
    *,
    channel: Channel,
    body: str,
    at: datetime | None = None,
    attachments: Sequence[File[Any]] = (),
    by: User | None = None,
    chat: QueueEntry | None = None,
) -> Interaction:
    """Log what somebody turned to us with by themselves, by mail or on the support page; nobody has to type it (C3).

    It ends a wait and reopens as what is logged by hand does (C4, C7, F6). The caller has proven that it is `contact`
    who speaks (M5a, P1); None is somebody whom nobody here knows, whose word counts for nothing. `by` is whoever on the
    desk said that it belongs to this case, if somebody had to. It came in `at` (UTC), if that was before now; what came
    in before the opening counts from then. It is a line of `chat`, if there is one. Raises Refused or NotAllowed.
    """
    with taking_word(case, by, now, to="log a contact") as (case, now):
        text = needs(body, "Write what you want to tell us.", "body")
        came_in = max(case.opened_at, min(at or now, now))
        who = None if contact is None else _with_whom(case, contact)
        checked = check_files(attachments)
        interaction = _take_contact(case, Spoken(channel, Direction.IN, text, came_in, who, chat=chat), by, now)
        attach(interaction, checked, by, now)
    return interaction


def _moment_of(case: Case, at: datetime | None, now: datetime) -> datetime:
    """When a contact was that is logged at `now`. Raises Refused for a moment at which it cannot have been (C3)."""
    if at is None:
        return now
    if at > now:
        raise Refused("This is in the future; leave the time empty if it was just now.", "at")
    if at < case.opened_at:
        raise Refused(
            f"{case.number} was opened on {for_reader(case.opened_at)}; write what was said before into a note.", "at"
        )
    if now - at > timedelta(days=settings.DESK_LOG_BACK_DAYS):
        raise Refused(
            f"A contact is logged within {settings.DESK_LOG_BACK_DAYS} days; write down in a note what was said on "
            f"{day_and_month(at.date())}.",
            "at",
        )
    return at


def _with_whom(case: Case, contact: Contact | None) -> Contact:
    """Whom of the company a contact was with. Raises Refused for somebody who is not there."""
    if contact is None or contact.pk == case.contact_id:
        return case.contact
    if contact.company_id != case.company_id:
        raise foreign_contact(contact, case.company)
    refuse_who_left(contact)
    return contact


def customer_responded(
    case: Case | int,
    actor: User,
    now: datetime,
    *,
    channel: Channel,
    body: str,
    direction: Direction = Direction.IN,
    confirms: bool = False,
    solution: str = "",
    at: datetime | None = None,
    contact: Contact | None = None,
) -> Case:
    """Customer Update Required -> In Progress, by logging the customer's contact (C4).

    It was `at` (UTC), if that was before now, but after the question; with somebody of their help desk.
    It went out if we reached them on the phone or in a chat: a response, whoever dialled (F3).
    With `confirms`, on a case that was waiting for the customer to confirm the solution, the case is resolved instead:
    both agree (C4). Raises Refused or NotAllowed.
    """
    with changing(case, actor, now, right=Right.WORK_CASES, to="log a response") as (case, now):
        said = needs(body, "Write down what the customer said.", "body")
        if channel == Channel.NOTE:
            raise Refused("A response comes by phone, chat or email; choose how the customer reached us.", "channel")
        check_transition(case, "customer_responded")
        person = _with_whom(case, contact)
        spoken = Spoken(channel, direction, said, _moment_of(case, at, now), person)
        _check_answers(case, spoken, person)
        if confirms:
            _confirmed(case, actor, now, spoken, solution)
        else:
            _take_contact(case, spoken, actor, now)
    return case


def confirmed_by_customer(
    case: Case | int, contact: Contact, now: datetime, *, channel: Channel, body: str
) -> Interaction:
    """Close a case that waits for the customer to confirm the solution, because they did so by themselves (C4).

    The solution is the one that we asked them to confirm. The caller has proven that it is `contact` who speaks (P1).
    The owner is told. Raises Refused.
    """
    with taking_word(case, None, now, to="confirm a solution") as (case, now):
        said = needs(body, "Write what you want to tell us.", "body")
        check_transition(case, "customer_responded")
        spoken = Spoken(channel, Direction.IN, said, now, _with_whom(case, contact))
        _check_answers(case, spoken, contact)
        return _confirmed(case, None, now, spoken, case.solution or case.wait_question, tell_owner=True)


def _check_answers(case: Case, spoken: Spoken, person: Contact) -> None:
    """Raise Refused for what cannot be the response: from before the question, or from outside the help desk (F6)."""
    if not is_customer(case, person):
        raise Refused(
            f"{person.name} does not belong to the help desk of {case.company.name}, so this does not end the "
            "wait; log it as a contact.",
            "contact",
        )
    if case.waiting_since is not None and spoken.at < case.waiting_since:
        raise Refused(
            f"The customer was asked on {for_reader(case.waiting_since)}; what they said before does not end the wait. "
            "Log it as a contact.",
            "at",
        )


def _confirmed(
    case: Case, actor: User | None, now: datetime, spoken: Spoken, solution: str, *, tell_owner: bool = False
) -> Interaction:
    """The confirmation we waited for: logged, and the case closes as both agreed (C4)."""
    if case.wait_reason != WaitReason.CONFIRM:
        raise Refused(
            "The customer was not asked to confirm a solution; log what they said, then resolve the case.", "confirms"
        )
    needs(solution, "Write the solution that the customer confirmed.", "solution")
    interaction = log_interaction(
        case, spoken.channel, spoken.direction, spoken.body, actor, now, at=spoken.at, contact=spoken.contact
    )
    if tell_owner:
        _tell_owner(case, interaction, now)
    close(case, actor, now, Resolution.CONFIRMED, solution, AgreedBy(spoken.channel.value), spoken.body)
    return interaction


def _take_contact(case: Case, spoken: Spoken, actor: User | None, now: datetime) -> Interaction:
    judged = _judged(case, spoken)
    interaction = log_interaction(
        case,
        spoken.channel,
        spoken.direction,
        spoken.body,
        actor,
        now,
        spoken.outcome,
        why_no_attempt=judged.why if judged else "",
        for_customer=spoken.for_customer,
        at=spoken.at,
        contact=spoken.contact,
        copies=spoken.copies,
        is_known=spoken.contact is not None,
        chat=spoken.chat,
    )
    if spoken.chat is None:
        _tell_owner(case, interaction, now)
    if judged is not None and judged.step is not None and judged.due_at is not None:
        _count(case, interaction, judged.step, judged.due_at, judged.time, now)
    if interaction.tells_customer:
        case.recheck("sla", now)  # it resets a clock (T2), perhaps meets the first (T1)
    if _ends_wait(case, interaction):
        case.customer_responded(now)
        record_move(case, Move.RESPONDED, actor, f"{_how_it_came(spoken, actor)}: {spoken.body}", now)
    elif case.status == Status.RESOLVED and spoken.direction == Direction.IN:
        _word_on_resolved(case, interaction, actor, now)
    return interaction


def _how_it_came(spoken: Spoken, actor: User | None) -> str:
    """“Email from Ann Lee” of what came in by itself; of what somebody logged only the channel, as the log has both."""
    if actor is not None or spoken.contact is None:
        return spoken.channel.label
    return f"{spoken.channel.label} from {spoken.contact.name}"


def _ends_wait(case: Case, interaction: Interaction) -> bool:
    """Whether it is the response that is waited for; not one from before the question (F6)."""
    if case.status != Status.WAITING or not interaction.is_response:
        return False
    return case.waiting_since is None or interaction.at >= case.waiting_since


def _tell_owner(case: Case, interaction: Interaction, now: datetime, chat: str = "") -> None:
    """Mail the owner what came in or somebody else logged on their open case (C3). On a resolved one C7 tells them.

    `chat` are the words of the whole chat that began with this contact.
    """
    if case.owner_id in (None, interaction.by_id) or not case.is_open:
        return
    came_in = "this came in on it" if interaction.by is None else "somebody else logged this on it"
    what = facts(
        case,
        why=f"you own this case, and {came_in}",
        expected="Read it, and go on from there." if interaction.is_response else "Nothing for now.",
        then="The case keeps its promises, and its escalation schedule goes on by itself.",
        what=interaction.title,
        said=chat or interaction.body,
        sender=str(interaction.by or ""),
        speaker=interaction.contact.name if interaction.by is None and interaction.contact else "",
        ends_wait=_ends_wait(case, interaction),
    )
    readers = Directory().for_user(case.owner, "Owner", centre_of_owner(case))
    post(to_each(readers, f"logged:{interaction.pk}", "contact_logged", what, case), now)


def _judged(case: Case, spoken: Spoken) -> ContactVerdict | None:
    """What a contact to the customer counts as among the three contacts; None where there is nothing to count (F3)."""
    if spoken.direction != Direction.OUT or case.status != Status.WAITING or spoken.chat is not None:
        return None
    assert spoken.contact is not None, "whom we turn to is known"
    reached = spoken.outcome == CallOutcome.REACHED and spoken.channel in (Channel.PHONE, Channel.CHAT)
    if reached and is_customer(case, spoken.contact):
        return None
    wait = load_wait(case)
    if wait is None or wait.plan != WaitPlan.THREE_CONTACTS:
        return None
    if not is_customer(case, spoken.contact):
        return ContactVerdict(None, f"{spoken.contact.name} does not belong to the help desk")
    return classify_contact(wait, spoken.at)


def _count(
    case: Case, interaction: Interaction, step: FollowUpStep, due_at: datetime, time: int, now: datetime
) -> None:
    """The contact is an attempt: it stands in the ledger in place of the desk's own, and the plan looks again (F3)."""
    FollowUp.objects.create(
        case=case,
        episode=case.wait_episode,
        step=step,
        time=time,
        due_at=due_at,
        done_at=interaction.at,
        interaction=interaction,
    )
    case.recheck("follow_up", now)


def _word_on_resolved(case: Case, interaction: Interaction, actor: User | None, now: datetime) -> None:
    """C7: the answer we asked for reopens; any other word is flagged and never dropped.

    The answer may have come before the closing, and nobody had logged it. Whatever else was said before the closing is
    no word on it.
    """
    no_response = case.resolution == Resolution.NO_RESPONSE and interaction.is_response
    if no_response and interaction.at >= _last_asked_at(case) and can_reopen(case, now):
        by = Channel(interaction.channel).in_sentence
        reopen_locked(case, actor, f"The customer answered {by} after it was closed for no response.", now)
        return
    if case.resolved_at is not None and interaction.at < case.resolved_at:
        return
    if interaction.chat_id and case.interactions.filter(chat=interaction.chat_id, needs_answer=True).exists():
        return  # one flag for a chat
    interaction.needs_answer = True
    interaction.save(update_fields=["needs_answer"])
    case.recheck("sla", now)
    if interaction.chat_id is None:
        _tell_of_word(case, interaction, now)


def _tell_of_word(case: Case, interaction: Interaction, now: datetime, chat: str = "") -> None:
    """Mail the owner that somebody turned to us about their resolved case (C7)."""
    handled_by = word_handled_by(Severity(case.severity), interaction.logged_at)
    what = facts(
        case,
        why="you own this case, which is resolved",
        expected="Read what the customer says; reopen the case, or mark it as handled.",
        then="If nobody has done either by then, the Support Manager is told.",
        next_at=handled_by.isoformat(),
        said=chat or interaction.body,
    )
    readers = Directory().for_user(case.owner, "Owner")
    post(to_each(readers, f"word:{interaction.pk}", "word_on_resolved", what, case), now)


def tell_of_chat(case: Case, first: Interaction, words: str, now: datetime, *, answered_by: int | None) -> None:
    """Tell the owner of a chat that is over, once and with all of it, as of any word that others took (C3, C7, P6).

    `first` is its first line; `answered_by` the key of whoever chatted, who knows of it. On a resolved case the flag
    says whether somebody has handled it meanwhile. The caller has locked the case.
    """
    if case.is_open:
        if case.owner_id != answered_by:
            _tell_owner(case, first, now, words)
        return
    flagged = case.interactions.filter(chat=first.chat_id, needs_answer=True).first()
    if flagged is not None:
        _tell_of_word(case, flagged, now, words)


def _last_asked_at(case: Case) -> datetime:
    """When the last wait of a case began that does not wait any more; its closing, if it never waited."""
    of_wait = case.history.filter(wait_episode=case.wait_episode, waiting_since__isnull=False)
    asked_at: datetime | None = of_wait.values_list("waiting_since", flat=True).first()
    assert case.resolved_at is not None
    return asked_at or case.resolved_at


def withdraw_call(case: Case | int, actor: User, now: datetime, *, interaction_id: int) -> Interaction:
    """Say that a call in vain was logged by mistake: it stays in the log and counts for nothing (C3, F3).

    Only one's own, on a case that still waits as it did. Raises Refused or NotAllowed.
    """
    with changing(case, actor, now, right=Right.WORK_CASES, to="withdraw a call") as (case, now):
        mine = Interaction.objects.filter(case=case, by=actor, direction=Direction.OUT, withdrawn_at=None)
        mine = mine.filter(outcome__in=(CallOutcome.LEFT_MESSAGE, CallOutcome.NO_ANSWER))
        call = mine.filter(pk=interaction_id, at__gte=case.waiting_since or now).first()
        if call is None or case.status != Status.WAITING:
            raise Refused("Only a call in vain that you logged in this wait can be withdrawn; add a note instead.")
        call.withdrawn_at = now
        call.save(update_fields=["withdrawn_at"])
        case.recheck("follow_up", now)
        case.recheck("sla", now)
    return call


def _message(case: Case, interaction: Interaction, now: datetime) -> Letter:
    """The mail with the words of a contact. Raises Refused if it cannot be sent."""
    if (interaction.channel, interaction.direction) != (Channel.EMAIL, Direction.OUT):
        raise Refused("Only an email to the customer can be sent.", "send")
    if interaction.at < now:
        raise Refused("What is sent now was not earlier; leave the time empty.", "at")
    to = interaction.contact
    if not interaction.with_customer:
        raise Refused(
            f"{to.name if to else 'This person'} does not belong to the help desk of {case.company.name}; write to "
            "somebody who does.",
            "contact",
        )
    customer = to_contact(case, to)
    if customer is None:
        raise Refused(f"{why_no_mail(case, to)}; correct the contact, or call them and log the call.", "send")
    for_colleague = to is not None and to.pk != case.contact_id
    what = facts(
        case,
        why=of_help_desk(case.company) if for_colleague else phrase("you are our contact for this issue"),
        expected=phrase("Reply to this message if you have anything to add."),
        then=phrase("We keep you informed.")
        if case.is_open
        else phrase("The case stays resolved unless you tell us otherwise."),
        message=interaction.body,
        sender=str(interaction.by),
    )
    return Letter(f"message:{interaction.pk}", "message", customer, what, case, interaction=interaction)


def mark_handled(interaction_id: int, actor: User) -> None:
    """The customer's word on a resolved case needed nothing more (C7). Raises NotAllowed.

    A word on a case that the actor may not read stays as it is (A1).
    """
    allow(actor, Right.WORK_CASES, "mark a contact as handled")
    mine = Interaction.objects.filter(case__in=Case.objects.visible_to(actor))
    mine.filter(pk=interaction_id).update(needs_answer=False)
