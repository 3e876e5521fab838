"""The stories of the demonstration: the course of a case, step by step. Each yields the time until its next step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Concatenate, ParamSpec

from cases.enums import CallOutcome, Channel, Resolution, Severity, WaitPlan, WaitReason
from cases.workflow import contact_log, transitions
from config.demo.playing import Story
from config.demo.scenes import DAY, HOUR, MINUTE, Scene
from config.demo.subjects import LATE_ANSWERS, RELAPSES, THANKS, TURNED_AWAY

P = ParamSpec("P")
Tell = Callable[[Scene], Story]
NEVER = timedelta(days=1_000)


def with_parameters(tell: Callable[Concatenate[Scene, P], Story]) -> Callable[P, Tell]:
    """A story with parameters besides its scene: calling it with them returns the story."""

    def configure(*args: P.args, **kwargs: P.kwargs) -> Tell:
        return lambda scene: tell(scene, *args, **kwargs)

    return configure


def _taken_up(scene: Scene, **intake: object) -> Story:
    """Opened, first contact, work begins, first finding."""
    scene.opens(**intake)
    yield scene.soon()
    scene.calls(
        scene.subject.first_word,
        CallOutcome.REACHED if scene.chance.random() < 0.85 else CallOutcome.LEFT_MESSAGE,
    )
    yield scene.soon(1, 5)
    scene.does(transitions.start_work)
    yield scene.soon(15, 50)
    scene.notes(scene.subject.finding)
    yield scene.soon(20, 50)
    scene.writes(scene.subject.update)


def _worked_on(scene: Scene, length: timedelta) -> Story:
    """Signs of work for so long."""
    end = scene.at + length
    while scene.at + (pause := scene.pace()) < end:
        yield pause
        scene.goes_on()
        if scene.until(DAY) > timedelta(0):
            scene.decides()
    yield end - scene.at


def _opened_and_worked_on(scene: Scene, length: timedelta) -> Story:
    yield from _taken_up(scene)
    yield from _worked_on(scene, length)


def _solved_and_agreed(scene: Scene) -> Story:
    scene.calls("The correction is in place. The customer tests with us on the line: it works.")
    yield scene.soon(3, 12)
    scene.resolves()


def fresh(scene: Scene) -> Story:
    """Just opened; nobody has taken it up yet."""
    scene.opens()
    yield NEVER


def overlooked(scene: Scene) -> Story:
    """A message was left, then nobody began: what the schedule is for."""
    scene.opens()
    yield scene.soon()
    scene.calls(scene.subject.first_word, CallOutcome.LEFT_MESSAGE)
    yield NEVER


def worked(scene: Scene) -> Story:
    """Taken up, and worked on to this day."""
    yield from _opened_and_worked_on(scene, NEVER)


def watched_by_the_account_manager(scene: Scene) -> Story:
    """Worked on to this day; the account manager adds a note halfway."""
    yield from _taken_up(scene)
    yield from _worked_on(scene, (scene.now - scene.at) / 2)
    scene.account_manager_notes()
    yield from _worked_on(scene, NEVER)


IMPACT = "Month-end closing runs at {site} this week; every hour without it costs them a delivery."
WHY_NOW = "{site} stands still longer than they can bear; they want to see somebody senior on it today."


@with_parameters
def escalation_requested(scene: Scene, before_now: timedelta) -> Story:
    """The customer asks for an escalation; nobody has decided yet (E9)."""
    yield from _taken_up(scene)
    yield from _worked_on(scene, scene.until(before_now))
    scene.is_asked_for(IMPACT, WHY_NOW)
    yield NEVER


@with_parameters
def escalation_decided(scene: Scene, before_now: timedelta, granted: bool) -> Story:
    """The customer asks for an escalation, and the Support Manager decides within minutes (E9)."""
    yield from _taken_up(scene)
    yield from _worked_on(scene, scene.until(before_now))
    request = scene.is_asked_for(IMPACT, WHY_NOW)
    yield scene.soon(8, 20)
    if granted:
        scene.is_granted(request)
    else:
        scene.is_refused(request)
    yield from _worked_on(scene, NEVER)


@with_parameters
def solved(scene: Scene, takes: timedelta) -> Story:
    """Solved within that time."""
    yield from _opened_and_worked_on(scene, takes)
    yield from _solved_and_agreed(scene)


def asked_and_solved(scene: Scene) -> Story:
    """A question, an answer, the solution."""
    yield from _taken_up(scene)
    yield scene.soon()
    scene.asks(WaitReason.INFORMATION)
    yield scene.in_office(scene.chance.uniform(2, 20) * HOUR)
    scene.answers()
    yield from _worked_on(scene, 3 * HOUR)
    yield from _solved_and_agreed(scene)


def not_pursued(scene: Scene) -> Story:
    """The customer cannot pursue it further."""
    yield from _opened_and_worked_on(scene, 5 * HOUR)
    scene.hears("We are replacing that equipment anyway next month; please close the case.", Channel.PHONE)
    yield scene.soon()
    scene.resolves(Resolution.NOT_PURSUED)


@with_parameters
def waits(scene: Scene, since: timedelta, reason: WaitReason, plan: WaitPlan | None = None) -> Story:
    """Waits for the customer since so long before the present; what follows is the plan's business (F2)."""
    yield from _taken_up(scene)
    yield from _worked_on(scene, scene.until(since))
    scene.asks(reason, plan=plan)
    yield NEVER


def answered_too_late(scene: Scene) -> Story:
    """Closed for no response; then the answer came, and the case is open again (C7)."""
    yield from _taken_up(scene)
    yield scene.until(7 * DAY + 20 * HOUR)
    scene.asks(WaitReason.CANNOT_NOW)
    yield scene.until(5 * HOUR)
    scene.hears(scene.chance.choice(LATE_ANSWERS))
    yield 40 * MINUTE
    scene.calls("Thanked for the answer; we go on where we stopped.")
    yield NEVER


def asked_twice(scene: Scene) -> Story:
    """A newer question takes the place of the first: a new episode (F6)."""
    yield from _taken_up(scene)
    yield scene.until(3 * DAY + 5 * HOUR)
    scene.asks(WaitReason.INFORMATION)
    yield scene.until(30 * HOUR)
    scene.asks(WaitReason.INFORMATION, "One more thing: did anything change on {device} in the week before?")
    yield NEVER


def called_in_vain(scene: Scene) -> Story:
    """Three contacts, made by phone where there is a day for it; one call comes too early and does not count (F3)."""
    yield from _taken_up(scene)
    yield scene.until(5 * DAY)
    scene.asks(WaitReason.INFORMATION)
    yield 2 * HOUR
    scene.calls("Called to ask whether the question arrived: no answer.", CallOutcome.NO_ANSWER)
    for _ in range(4):
        yield scene.in_office(22 * HOUR)
        scene.calls("Called again: the voice box; left a message.", CallOutcome.LEFT_MESSAGE)
    yield NEVER


@with_parameters
def away(scene: Scene, note: str, away_for: timedelta | None = None) -> Story:
    """Waits for a customer who turns out to be out of office (F5)."""
    yield from _taken_up(scene)
    yield scene.until(28 * HOUR)
    scene.asks(WaitReason.INFORMATION)
    yield 40 * MINUTE
    scene.gets_absence_note(note, away_for)
    yield NEVER


def taken_back(scene: Scene) -> Story:
    """Asked, then found it ourselves."""
    yield from _taken_up(scene)
    yield scene.soon()
    scene.asks(WaitReason.INFORMATION)
    yield 3 * HOUR
    scene.does(transitions.take_back, reason="Found it ourselves in the log of the neighbouring device.")
    yield from _worked_on(scene, NEVER)


def confirmed_at_last(scene: Scene) -> Story:
    """The solution was to be confirmed; after a reminder it was."""
    yield from _opened_and_worked_on(scene, 4 * HOUR)
    scene.asks(WaitReason.CONFIRM, "We have put a correction in place. Does it work for everybody since?")
    yield scene.in_office(52 * HOUR)
    scene.answers("Yes, it works for everybody. You may close the case.", Channel.PHONE)
    yield scene.soon()
    scene.resolves()


def reopened_the_same_day(scene: Scene) -> Story:
    """A resolution that did not hold a day: the same run of the clock goes on (E2)."""
    yield from _taken_up(scene)
    yield scene.until(5 * HOUR)
    yield from _solved_and_agreed(scene)
    yield scene.until(100 * MINUTE)
    scene.does(transitions.reopen, reason="The customer called: it is back, on the same device.")
    yield scene.soon()
    scene.notes("Same symptom, but the earlier correction is still in place. Looking for a second cause.")
    yield from _worked_on(scene, NEVER)


def reopened_later(scene: Scene) -> Story:
    """A relapse after days: flagged, then reopened, and the clock starts anew (C7, E2)."""
    yield from _opened_and_worked_on(scene, 6 * HOUR)
    yield from _solved_and_agreed(scene)
    yield scene.in_office(3 * DAY)
    scene.hears(scene.chance.choice(RELAPSES))
    yield scene.soon(20, 60)
    scene.does(transitions.reopen, reason="The customer writes that it has come back.")
    yield from _worked_on(scene, NEVER)


def relapse_unanswered(scene: Scene) -> Story:
    """Word on a resolved case that nobody has handled yet (C7)."""
    yield from _opened_and_worked_on(scene, 5 * HOUR)
    yield from _solved_and_agreed(scene)
    yield scene.until(3 * HOUR)
    scene.hears(scene.chance.choice(RELAPSES))
    yield NEVER


@with_parameters
def thanked(scene: Scene, handled: bool) -> Story:
    """“Thanks!” is not a new problem (C7)."""
    yield from _opened_and_worked_on(scene, 4 * HOUR)
    yield from _solved_and_agreed(scene)
    yield max(scene.until(50 * MINUTE), HOUR) if not handled else scene.in_office(DAY)
    word = scene.hears(scene.chance.choice(THANKS))
    if handled:
        yield scene.soon(20, 90)
        contact_log.mark_handled(word.pk, scene.technician)


@with_parameters
def raised(scene: Scene, before_now: timedelta, to: Severity) -> Story:
    """It got worse: the points of the new severity that were passed are due at once (E4)."""
    yield from _taken_up(scene)
    yield from _worked_on(scene, scene.until(before_now))
    scene.hears("It has spread: two more departments cannot work now.", Channel.PHONE)
    yield 3 * MINUTE
    why = "More departments are hit; the customer's help desk and we agree."
    scene.does(transitions.change_severity, severity=to, reason=why)
    yield from _worked_on(scene, NEVER)


@with_parameters
def lowered(scene: Scene, after: timedelta, to: Severity, solved_after: timedelta | None = None) -> Story:
    """A workaround holds, so it is less bad: points already passed are only recorded (E4)."""
    yield from _opened_and_worked_on(scene, after)
    why = "The workaround holds for nearly everybody; agreed with the customer by phone."
    scene.does(transitions.change_severity, severity=to, reason=why)
    yield from _worked_on(scene, solved_after or NEVER)
    yield from _solved_and_agreed(scene)


def handed_over(scene: Scene) -> Story:
    """The Support Manager gives it to somebody else; the former owner goes on watching."""
    yield from _opened_and_worked_on(scene, 4 * HOUR)
    scene.is_reassigned("The owner is in training for the rest of the week.")
    yield scene.soon()
    scene.notes("Taken over, read the whole case. Next: repeat the test with the customer.")
    yield from _worked_on(scene, NEVER)


@with_parameters
def opened_despite(scene: Scene, story_length: timedelta) -> Story:
    """Somebody else than the help desk calls, because the help desk itself is down (D3)."""
    despite = "Their help desk is hit by the same fault and cannot be reached."
    yield from _taken_up(scene, contact=scene.end_user, opened_despite=despite, opened_by_channel=Channel.PHONE)
    yield from _worked_on(scene, story_length)
    yield from _solved_and_agreed(scene)


def corrected(scene: Scene) -> Story:
    """Details turned out to be otherwise."""
    yield from _taken_up(scene)
    yield scene.soon()
    changes = {"device": f"{scene.words['device']}-B", "operating_system": "Firmware 7.1"}
    scene.does(transitions.edit_details, changes=changes, reason="The label on the device was read wrong.")
    yield from _worked_on(scene, NEVER)


def back_after_weeks(scene: Scene) -> Story:
    """Closed too long ago to be reopened: a new case, linked to the old one (C4)."""
    yield from _opened_and_worked_on(scene, 5 * HOUR)
    yield from _solved_and_agreed(scene)
    yield scene.until(31 * HOUR)
    first = scene.case
    title = f"Again: {first.title}"
    description = f"The same as in {first.number}, since this morning. {first.description}"
    yield from _taken_up(scene, linked_to=first, title=title[:200], description=description)
    yield from _worked_on(scene, NEVER)


def turned_away(scene: Scene) -> Story:
    """An end user calls us instead of their own help desk (D3)."""
    scene.turns_away(scene.chance.choice(TURNED_AWAY))
    yield NEVER
