"""The contact log: phone, chat, email and internal notes (C3), and what the customer's word sets off (C4, C7, F6)."""

from __future__ import annotations

from datetime import datetime

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
from cases.followup.state import load_wait
from cases.guards import Refused, allow, changing, needs
from cases.mail.letters import Letter, centre_of_owner, facts, post, to_contact, to_each, why_no_mail
from cases.models import Case, FollowUp, Interaction
from cases.policy.first_response import word_handled_by
from cases.policy.followup.three_contacts import ContactVerdict, classify_contact
from cases.workflow.transitions import can_reopen, check_transition, close, log_interaction, record_move, reopen_locked
from contacts.directory import Directory
from contacts.enums import Right
from contacts.models import User


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
) -> Interaction:
    """Log a phone call, chat or email about a case, or an internal note (C3).

    A contact from the customer ends a wait by itself (C4, F6), and on a case closed for no response it reopens (C7).
    `outcome` is how a call of ours went; without it `reached` says whether we spoke to them or left a message.
    `send` mails `body` to the contact; what is neither sent nor marked `for_customer` is read by staff only. An owner
    who did not log it is told. Raises Refused or NotAllowed.
    """
    note = channel == Channel.NOTE
    right, to = (Right.ADD_NOTES, "add a note") if note else (Right.WORK_CASES, "log a contact")
    with changing(case, actor, now, right=right, to=to) as (case, now):
        text = needs(body, "Write down what was said.", "body")
        if note != (direction == Direction.INTERNAL):
            raise Refused("A note is internal; a call, chat or email came from or went to the customer.", "direction")
        if for_customer and direction != Direction.OUT:
            raise Refused("Only what we told the customer can be marked for them; untick it.", "for_customer")
        outcome = outcome or (CallOutcome.REACHED if reached else CallOutcome.LEFT_MESSAGE)
        interaction = _take_contact(case, channel, direction, text, actor, now, outcome, for_customer or send)
        if send:
            _send_message(case, interaction, now)
    return interaction


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
) -> Case:
    """Customer Update Required -> In Progress, by logging the customer's contact (C4).

    It went out if we reached them on the phone or in a chat: a response, whoever dialled (F3).
    With `confirms`, on a case that was waiting for the customer to confirm the solution, the case is resolved instead:
    both agree (C4). Raises Refused or NotAllowed.
    """
    with changing(case, actor, now, right=Right.WORK_CASES, to="log a response") as (case, now):
        said = needs(body, "Write down what the customer said.", "body")
        if channel == Channel.NOTE:
            raise Refused("A response comes by phone, chat or email; choose how the customer reached us.", "channel")
        check_transition(case, "customer_responded")
        if confirms:
            _confirmed(case, actor, now, channel, direction, said, solution)
        else:
            _take_contact(case, channel, direction, said, actor, now)
    return case


def _confirmed(
    case: Case, actor: User, now: datetime, channel: Channel, direction: Direction, said: str, solution: str
) -> None:
    """The confirmation we waited for: logged, and the case closes as both agreed (C4)."""
    if case.wait_reason != WaitReason.CONFIRM:
        raise Refused(
            "The customer was not asked to confirm a solution; log what they said, then resolve the case.", "confirms"
        )
    needs(solution, "Write the solution that the customer confirmed.", "solution")
    log_interaction(case, channel, direction, said, actor, now)
    close(case, actor, now, Resolution.CONFIRMED, solution, AgreedBy(channel.value), said)


def _take_contact(
    case: Case,
    channel: Channel,
    direction: Direction,
    body: str,
    actor: User | None,
    now: datetime,
    outcome: CallOutcome = CallOutcome.REACHED,
    for_customer: bool = False,
) -> Interaction:
    judged = _judged(case, channel, direction, now, outcome)
    why_no_attempt = judged.why if judged else ""
    interaction = log_interaction(
        case, channel, direction, body, actor, now, outcome, why_no_attempt=why_no_attempt, for_customer=for_customer
    )
    _tell_owner(case, interaction, now)
    if judged is not None and judged.step is not None and judged.due_at is not None:
        _count(case, interaction, judged.step, judged.due_at, judged.time, now)
    if interaction.tells_customer:
        case.recheck("sla", now)  # it resets a clock (T2), perhaps meets the first (T1)
    if not interaction.is_response:
        return interaction
    if case.status == Status.WAITING:
        case.customer_responded()
        record_move(case, Move.RESPONDED, actor, f"{channel.label}: {body}", now)
    elif case.status == Status.RESOLVED and direction == Direction.IN:
        _word_on_resolved(case, interaction, actor, now)
    return interaction


def _tell_owner(case: Case, interaction: Interaction, now: datetime) -> None:
    """Mail the owner what somebody else logged on their case (C3). Of a contact on a resolved case C7 tells them."""
    if case.owner_id in (None, interaction.by_id) or not case.is_open:
        return
    what = facts(
        case,
        why="you own this case, and somebody else logged this on it",
        expected="Read it, and go on from there." if interaction.is_response else "Nothing for now.",
        then="The case keeps its promises, and its escalation schedule goes on by itself.",
        what=interaction.title,
        said=interaction.body,
        sender=str(interaction.by or ""),
        ends_wait=interaction.is_response and case.status == Status.WAITING,
    )
    readers = Directory().for_user(case.owner, "Owner", centre_of_owner(case))
    post(to_each(readers, f"logged:{interaction.pk}", "contact_logged", what, case), now)


def _judged(
    case: Case, channel: Channel, direction: Direction, now: datetime, outcome: CallOutcome
) -> ContactVerdict | None:
    """What a contact to the customer counts as among the three contacts; None where there is nothing to count (F3)."""
    spoke = outcome == CallOutcome.REACHED and channel in (Channel.PHONE, Channel.CHAT)
    if direction != Direction.OUT or spoke or case.status != Status.WAITING:
        return None
    wait = load_wait(case)
    return classify_contact(wait, now) if wait is not None and wait.plan == WaitPlan.THREE_CONTACTS else None


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
        done_at=now,
        interaction=interaction,
    )
    case.recheck("follow_up", now)


def _word_on_resolved(case: Case, interaction: Interaction, actor: User | None, now: datetime) -> None:
    """C7: the answer we asked for reopens; any other word is flagged and never dropped."""
    if case.resolution == Resolution.NO_RESPONSE and can_reopen(case, now):
        reopen_locked(case, actor, "The customer answered after it was closed for no response.", now)
        return
    interaction.needs_answer = True
    interaction.save(update_fields=["needs_answer"])
    case.recheck("sla", now)
    handled_by = word_handled_by(Severity(case.severity), interaction.at)
    what = facts(
        case,
        why="you own this case, which is resolved",
        expected="Read what the customer says; reopen the case, or mark it as handled.",
        then="If nobody has done either by then, the Support Manager is told.",
        next_at=handled_by.isoformat(),
        said=interaction.body,
    )
    readers = Directory().for_user(case.owner, "Owner")
    post(to_each(readers, f"word:{interaction.pk}", "word_on_resolved", what, case), now)


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


def _send_message(case: Case, interaction: Interaction, now: datetime) -> None:
    if (interaction.channel, interaction.direction) != (Channel.EMAIL, Direction.OUT):
        raise Refused("Only an email to the customer can be sent; untick “send it now”.", "send")
    customer = to_contact(case)
    if customer is None:
        raise Refused(f"{why_no_mail(case)}; correct the contact, or untick “send it now”.", "send")
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
    """The customer's word on a resolved case needed nothing more (C7). Raises NotAllowed.

    A word on a case that the actor may not read stays as it is (A1).
    """
    allow(actor, Right.WORK_CASES, "mark a contact as handled")
    mine = Interaction.objects.filter(case__in=Case.objects.visible_to(actor))
    mine.filter(pk=interaction_id).update(needs_answer=False)
