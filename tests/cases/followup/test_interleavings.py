"""Whatever people, mail and machines do to a wait, in whatever order, on a real database (F1 to F7, M1, S1).

Hypothesis makes up the lives; what is left in the rows is held against the rules. The engine looks once, twice, or in
two workers at the same moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.db.models import Q
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from cases.enums import (
    AbsenceState,
    Channel,
    Direction,
    FollowUpStep,
    MailStatus,
    Resolution,
    Status,
    WaitPlan,
    WaitReason,
)
from cases.followup import absences as absence_log
from cases.followup.apply import follow_up
from cases.followup.state import load_calendar
from cases.guards import Refused
from cases.mail.outbox import deliver
from cases.models import Absence, Case, FailedCase, FollowUp, Interaction, Mail
from cases.workflow import contact_log, transitions
from tests.support.builders import NOON, Desk, build_desk
from tests.support.examples import played
from tests.support.workers import Work, in_two_workers, once, twice

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Deed = Callable[["Life", datetime], object]
ATTEMPTS = (FollowUpStep.ATTEMPT_1, FollowUpStep.ATTEMPT_2, FollowUpStep.ATTEMPT_3)


@dataclass
class Life:
    """One case and who works it."""

    desk: Desk
    case_id: int

    @property
    def case(self) -> Case:
        return Case.objects.select_related("company").get(pk=self.case_id)


def asks(reason: WaitReason) -> Deed:
    return lambda life, now: transitions.ask_customer(
        life.case_id, life.desk.technician, now, question="?", reason=reason, send=False, channel=Channel.PHONE
    )


def logs(direction: Direction, reached: bool) -> Deed:
    return lambda life, now: contact_log.log_contact(
        life.case_id,
        life.desk.technician,
        now,
        channel=Channel.PHONE,
        direction=direction,
        body="Words.",
        reached=reached,
    )


def is_away(days: int) -> Deed:
    return lambda life, now: absence_log.note_absence(
        life.case_id, life.desk.technician, now, back_on=now.date() + timedelta(days=days)
    )


def notes(life: Life, now: datetime) -> None:
    absence_log.note_absence(life.case_id, life.desk.technician, now, note="I am not there.")


def notes_days(life: Life, now: datetime) -> None:
    """A note whose days are read, and that nobody confirms."""
    back = now.date() + timedelta(days=9)
    absence_log.note_absence(life.case_id, life.desk.technician, now, note=f"I am away and will return on {back}.")


def settles(move: Callable[..., object]) -> Deed:
    def settle(life: Life, now: datetime) -> None:
        absence = Absence.objects.filter(case=life.case_id).order_by("-pk").first()
        if absence is not None:
            move(absence.pk, life.desk.technician, now)

    return settle


def newest_mail_fails(life: Life, now: datetime) -> None:
    newest = Mail.objects.filter(case=life.case_id, status=MailStatus.QUEUED).order_by("-pk").first()
    if newest is not None:
        Mail.objects.filter(pk=newest.pk).update(status=MailStatus.FAILED)


DEEDS: dict[str, Deed] = {
    "asks for information": asks(WaitReason.INFORMATION),
    "asks to confirm": asks(WaitReason.CONFIRM),
    "calls in vain": logs(Direction.OUT, False),
    "calls in vain again": logs(Direction.OUT, False),
    "reaches them": logs(Direction.OUT, True),
    "hears from them": logs(Direction.IN, True),
    "takes back": lambda life, now: transitions.take_back(life.case_id, life.desk.technician, now, reason="Found it."),
    "away for days": is_away(3),
    "away for weeks": is_away(20),
    "notes an absence nobody can read": notes,
    "notes an absence that is read": notes_days,
    "no absence": settles(absence_log.dismiss_absence),
    "back sooner": settles(absence_log.end_absence),
    "a mail fails": newest_mail_fails,
}
#: Minutes until the next thing, what happens, whether the engine runs, whether the mail server does.
STORIES = st.lists(
    st.tuples(
        st.one_of(st.integers(1, 120), st.integers(60, 40 * 60), st.integers(60, 5 * 24 * 60)),
        st.sampled_from([*DEEDS, *["nothing"] * 5]),
        st.booleans() | st.just(True),
        st.booleans() | st.just(True),
    ),
    min_size=2,
    max_size=14,
)


def lives(desk: Desk, story, look: Work) -> tuple[Life, datetime]:
    life, now = Life(desk, desk.open_case(NOON).pk), NOON
    asks(WaitReason.INFORMATION)(life, now)
    for minutes, name, engine, post in story:
        begun, until = now, now + minutes * timedelta(minutes=1)
        while now < until:
            soon = now + timedelta(minutes=1)
            due = Case.objects.values_list("follow_up_check_at", flat=True).get(pk=life.case_id) if engine else None
            # Without the engine no mail comes after what waits already, which leaves soon or has to be retried late.
            now = min(until, max(due, soon) if due else soon if now == begun else until)
            if engine:
                look(lambda now=now: follow_up(now))
            if post:
                look(lambda now=now: deliver(lambda: now))
        if name in DEEDS:
            try:
                DEEDS[name](life, now)
            except Refused:
                continue
    return life, now


def check(life: Life) -> None:
    """What must hold of the rows, whatever happened."""
    assert not FailedCase.objects.exists(), FailedCase.objects.first().error
    calendar = load_calendar(life.case.company)
    rows = FollowUp.objects.filter(case=life.case_id).select_related("mail", "interaction")
    for episode in set(rows.values_list("episode", flat=True)):
        steps = [row for row in rows if row.episode == episode]
        made = [at for row in steps if row.step in ATTEMPTS and (at := made_at(row)) is not None]
        days = sorted(calendar.local_date(at) for at in made)
        assert len(days) <= 3
        assert all(calendar.is_business_day(day) for day in days)
        assert all(calendar.business_days_between(earlier, later) >= 1 for earlier, later in pairwise(days))
        closed = [row for row in steps if row.step == FollowUpStep.RESOLVE]
        if closed:
            check_closing(closed[0], steps)
    check_silence_after_answers(life)


def made_at(row: FollowUp) -> datetime | None:
    if row.interaction is not None:
        return row.interaction.at
    return row.mail.sent_at if row.mail is not None and row.mail.status == MailStatus.SENT else None


def check_closing(closed: FollowUp, steps: list[FollowUp]) -> None:
    """F4, F5, F7: announced by a mail that left a day before, not before the time it names, not while they are away."""
    today = load_calendar(closed.case.company).local_date(closed.done_at)
    away = Absence.objects.filter(contact=closed.case.contact_id, away_from__lte=today, back_on__gt=today)
    covers = away.filter(noted_at__lte=closed.done_at).filter(
        Q(state=AbsenceState.READ) | Q(state=AbsenceState.CONFIRMED, settled_at__lte=closed.done_at, ended_on=None)
    )
    assert not covers.exists(), "closed while they were away"
    announced = [
        row
        for row in steps
        if row.closes_at is not None and row.mail is not None and row.mail.status == MailStatus.SENT
    ]
    assert announced, "closed without a word"
    last = max(announced, key=lambda row: row.mail.sent_at)
    assert closed.done_at >= last.mail.sent_at + DAY
    if closed.case.wait_plan == WaitPlan.THREE_CONTACTS and closed.episode == closed.case.wait_episode:
        assert closed.done_at >= last.closes_at
        calendar = load_calendar(closed.case.company)
        assert calendar.is_business_day(calendar.local_date(closed.done_at))


def check_silence_after_answers(life: Life) -> None:
    """F6: nothing that speaks of a wait leaves after the wait is over."""
    history = list(life.case.history.order_by("history_date", "history_id"))
    for earlier, later in pairwise(history):
        if earlier.status == Status.WAITING and (later.status, later.wait_episode) != (
            Status.WAITING,
            earlier.wait_episode,
        ):
            late = Mail.objects.filter(
                case=life.case_id, episode=earlier.wait_episode, sent_at__gt=later.history_date, follow_up__isnull=False
            )
            assert not late.exists(), list(late.values_list("template", "sent_at"))


def comes_to_an_end(life: Life, now: datetime) -> None:
    """Left alone, with mail that works and an owner who corrects what failed, it closes or somebody works on it."""
    for _ in range(80):
        case = life.case
        if case.status != Status.WAITING:
            return
        Mail.objects.filter(case=case, status=MailStatus.FAILED).update(status=MailStatus.DROPPED)
        now = max(case.follow_up_check_at, now + timedelta(minutes=1))
        follow_up(now)
        deliver(lambda now=now: now)
    raise AssertionError(f"waits for ever: {case.follow_up_check_at}")


@contextmanager
def one_example() -> Iterator[None]:
    """Leave nothing for the next example to sweep."""
    try:
        yield
    finally:
        Case.objects.update(follow_up_check_at=None)
        Mail.objects.filter(status=MailStatus.QUEUED).update(status=MailStatus.DROPPED)
        FailedCase.objects.all().delete()


@pytest.mark.parametrize(
    ("look", "examples"),
    [
        pytest.param(once, 60, id="once", marks=pytest.mark.any_database),
        pytest.param(twice, 60, id="twice", marks=pytest.mark.any_database),
        pytest.param(in_two_workers, 30, id="in two workers", marks=pytest.mark.postgres),
    ],
)
def test_in_any_interleaving_attempts_keep_their_distance_and_nobody_is_closed_unannounced(look, examples) -> None:
    # F3 to F7, M1, S1
    desk = build_desk()

    @played(examples, everywhere=False, suppress_health_check=[HealthCheck.too_slow])
    @given(story=STORIES)
    def play(story) -> None:
        with one_example():
            life, now = lives(desk, story, look)
            check(life)
            comes_to_an_end(life, now)
            check(life)

    play()
    assert Case.objects.filter(resolution=Resolution.NO_RESPONSE).exists()
    assert Interaction.objects.exclude(why_no_attempt="").exists()
