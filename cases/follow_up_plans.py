"""Plans for following up while the customer owes an answer (section 4). Pure: what happened in, what is due out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cases.terms import NoticeStep

#: F2: counted from the start of the wait, in plain elapsed time (decision).
PENDING_STEPS: dict[NoticeStep, timedelta] = {
    NoticeStep.NOTICE_1: timedelta(hours=48),
    NoticeStep.NOTICE_2: timedelta(days=4),
    NoticeStep.FINAL: timedelta(days=6),
    NoticeStep.RESOLVE: timedelta(days=7),
}
#: F2, F7: never closed sooner after the final notice was sent.
WARNED_FOR = timedelta(hours=24)
#: A step done this much after it was due was held up by more than a sweep's tick: later steps keep their distance (F7).
ON_TIME_WITHIN = timedelta(minutes=15)
#: How soon to look again at a wait whose final notice is not sent yet.
RECHECK = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class DoneStep:
    """A notice of this episode that was queued; `sent_at` is None until it has left (a failed one was not sent)."""

    due_at: datetime
    done_at: datetime
    sent_at: datetime | None = None
    superseded: bool = False

    @property
    def counts_from(self) -> datetime:
        """The moment later steps keep their distance from (F7)."""
        return self.done_at if self.done_at - self.due_at > ON_TIME_WITHIN else self.due_at


@dataclass(frozen=True, slots=True)
class DueStep:
    """A step and when it is, or was, due."""

    step: NoticeStep
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """What a wait asks for at a moment: at most one step to do now, those it supersedes, and when to look again."""

    act: DueStep | None = None
    superseded: tuple[DueStep, ...] = ()
    look_again_at: datetime | None = None
    held_up: str = ""


def planned_steps(started_at: datetime, done: Mapping[NoticeStep, DoneStep]) -> list[DueStep]:
    """The steps still to come, each with its planned moment (F2), re-spaced after a late one (F7)."""
    sent = [(step, done[step]) for step in PENDING_STEPS if step in done and not done[step].superseded]
    base, passed = started_at, timedelta(0)
    if sent:
        last_step, last = sent[-1]
        base, passed = last.counts_from, PENDING_STEPS[last_step]
    return [
        DueStep(step, base + offset - passed)
        for step, offset in PENDING_STEPS.items()
        if step not in done and offset > passed
    ]


def pending_client_action(started_at: datetime, done: Mapping[NoticeStep, DoneStep], now: datetime) -> Plan:
    """What pending client action asks for at `now` (F2, F7), all moments UTC."""
    planned = planned_steps(started_at, done)
    due_notices = [one for one in planned if one.step != NoticeStep.RESOLVE and one.due_at <= now]
    if due_notices:
        return Plan(act=due_notices[-1], superseded=tuple(due_notices[:-1]))
    if not planned:
        return Plan()
    if planned[0].step != NoticeStep.RESOLVE:
        return Plan(look_again_at=planned[0].due_at)
    return _closing(planned[0], done[NoticeStep.FINAL], now)


def _closing(resolve: DueStep, final: DoneStep, now: datetime) -> Plan:
    if final.sent_at is None:
        return Plan(
            look_again_at=max(resolve.due_at, now + RECHECK),
            held_up="The final notice has not been delivered, so the case stays open.",
        )
    closes_at = max(resolve.due_at, final.sent_at + WARNED_FOR)
    if closes_at > now:
        return Plan(look_again_at=closes_at)
    return Plan(act=DueStep(NoticeStep.RESOLVE, closes_at))
