"""Whatever people and machines do, in whatever order: what stands on the ledger is what the pure clock says (E3-E6).

Hypothesis makes up lives of a few cases on a real database. Beside it the test keeps its own book of what people did
and when; from that book alone, not from the history that the engine reads, the clock is reckoned anew at the end.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st

from cases.enums import Channel, Move, Resolution, Severity, Status, WaitReason
from cases.guards import Refused
from cases.models import Case, CaseWatcher, FailedCase, Interaction, Mail
from cases.workflow import transitions
from cases.workflow.contact_log import customer_responded
from escalations.models import Escalation, EscalationRequest, Question
from escalations.points.apply import escalate
from escalations.policy.clock import Due, Snapshot, due_points, view_clock
from escalations.policy.schedule import PUBLISHED
from tests.support.builders import NOON, Desk
from tests.support.examples import played
from tests.support.schedule_table import E1, outcome_of
from tests.support.workers import Work, in_two_workers, once, twice

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

HOUR = timedelta(hours=1)


# --- people, and the book that is kept of what they did ---------------------------------------------------------

Act = Callable[[int, Desk, datetime], object]


def ask(case: int, desk: Desk, now: datetime) -> None:
    transitions.ask_customer(
        case, desk.technician, now, question="?", reason=WaitReason.CONFIRM, send=False, channel=Channel.PHONE
    )


def take_back(case: int, desk: Desk, now: datetime) -> None:
    transitions.take_back(case, desk.technician, now, reason="Found it.")


def hear(case: int, desk: Desk, now: datetime) -> None:
    customer_responded(case, desk.technician, now, channel=Channel.PHONE, body="It works.")


def resolve(case: int, desk: Desk, now: datetime) -> None:
    transitions.resolve(case, desk.technician, now, resolution=Resolution.NOT_PURSUED)


def reopen(case: int, desk: Desk, now: datetime) -> None:
    transitions.reopen(case, desk.technician, now, reason="It is back.")


def start(case: int, desk: Desk, now: datetime) -> None:
    transitions.start_work(case, desk.technician, now)


def changes_to(severity: Severity) -> Act:
    def change(case: int, desk: Desk, now: datetime) -> None:
        transitions.change_severity(case, desk.manager, now, severity=severity, reason="Looked again.")

    change.__name__ = f"becomes_{severity.value}"
    return change


#: Each act, where it may come from and where it leads (C4), typed from the rules.
LEADS: dict[Act, tuple[set[Status], Status]] = {
    start: ({Status.ASSIGNED}, Status.IN_PROGRESS),
    ask: ({Status.ASSIGNED, Status.IN_PROGRESS, Status.WAITING}, Status.WAITING),
    take_back: ({Status.WAITING}, Status.IN_PROGRESS),
    hear: ({Status.WAITING}, Status.IN_PROGRESS),
    resolve: ({Status.ASSIGNED, Status.IN_PROGRESS, Status.WAITING}, Status.RESOLVED),
    reopen: ({Status.RESOLVED}, Status.IN_PROGRESS),
}
TO_SEVERITY = {changes_to(severity): severity for severity in Severity}


@dataclass
class Book:
    """What happened to one case, as the people who did it remember."""

    life: list[Snapshot]

    def now_like(self, act: Act, at: datetime) -> Snapshot | None:
        """How the case is after the act; None where it must be refused."""
        last = self.life[-1]
        if act in TO_SEVERITY:
            severity = TO_SEVERITY[act]
            return None if severity == last.severity else Snapshot(at, last.status, severity, last.episode)
        sources, target = LEADS[act]
        if last.status not in sources or (act is reopen and at - self._resolved_at() > timedelta(days=14)):
            return None
        return Snapshot(at, target, last.severity, last.episode + (act is ask))

    def _resolved_at(self) -> datetime:
        resolved_at = self.life[-1].at
        for snapshot in reversed(self.life):
            if snapshot.status != Status.RESOLVED:
                break
            resolved_at = snapshot.at
        return resolved_at


# --- the world: people act, time passes, engines look -----------------------------------------------------------


@dataclass
class World:
    """Some cases, the book of each, and whether anybody looks."""

    desk: Desk
    books: dict[int, Book]
    work: Work
    now: datetime = NOON
    looking: bool = True
    looks: list[datetime] = field(default_factory=list)

    def look(self, now: datetime) -> None:
        self.work(lambda: escalate(now))
        self.looks.append(now)

    def pass_time(self, to: datetime) -> None:
        """Let time pass; an engine that runs looks at each moment that a case asks for, up to but not at the end."""
        while self.looking:
            asked = (
                Case.objects.filter(escalation_check_at__lt=to)
                .order_by("escalation_check_at")
                .values_list("escalation_check_at", flat=True)
                .first()
            )
            if asked is None:
                break
            self.look(max(asked, self.now))
        self.now = to

    def not_at_a_look(self) -> None:
        """What happens at a due moment comes first: whoever acts once an engine has looked acts later than that."""
        if self.looks and self.looks[-1] == self.now:
            self.now += timedelta(microseconds=1)

    def act(self, case: int, act: Act) -> None:
        """Somebody does something; if it may not be done, it is refused and nothing changes."""
        book = self.books[case]
        then = book.now_like(act, self.now)
        if then is None:
            with pytest.raises(Refused):
                act(case, self.desk, self.now)
        else:
            act(case, self.desk, self.now)
            book.life.append(then)


@dataclass(frozen=True)
class Deed:
    """After so long, somebody does something to a case, or the engine goes down, comes back, or looks."""

    hours: float
    case: int
    what: Act | str

    def __repr__(self) -> str:
        return f"Deed({self.hours}, {self.case}, {getattr(self.what, '__name__', self.what)})"


#: Hours that the rules care about, so that acts fall on due moments; and any others.
GAPS = st.one_of(st.sampled_from([0, 4, 8, 12, 20, 24, 36, 48, 96, 144]), st.integers(0, 300).map(lambda n: n / 4))
WHATS = st.one_of(
    st.sampled_from([*LEADS]),
    st.sampled_from([*TO_SEVERITY]),
    st.sampled_from(["down", "up", "look", "look"]),
)
DEEDS = st.lists(st.builds(Deed, GAPS, st.integers(0, 2), WHATS), min_size=1, max_size=14)


def play(world: World, deeds: Sequence[Deed], rest: float) -> None:
    """Live through it; at the end the engine, wherever it was, has caught up."""
    cases = sorted(world.books)
    for deed in deeds:
        world.pass_time(world.now + deed.hours * HOUR)
        if callable(deed.what):
            world.not_at_a_look()
            world.act(cases[deed.case % len(cases)], deed.what)
        elif deed.what == "look":
            world.look(world.now)
        else:
            world.looking = deed.what == "up"
        if world.looking:
            world.look(world.now)
    world.pass_time(world.now + rest * HOUR)
    world.look(world.now)


# --- what must hold ---------------------------------------------------------------------------------------------


def check_ledger(world: World, case: Case) -> None:
    """Each point that was due is there, once per run, with its due time, done at the first look from then on."""
    life = world.books[case.pk].life
    dues = {due.key: due for due in due_points(life, PUBLISHED, world.now)}
    rows = {(row.run, row.severity, row.number): row for row in Escalation.objects.filter(case=case)}
    assert Escalation.objects.filter(case=case).count() == len(rows)
    assert {key: row.due_at for key, row in rows.items()} == {key: due.due_at for key, due in dues.items()}
    for key, row in rows.items():
        assert row.done_at == min(look for look in world.looks if look >= row.due_at)
        assert row.carried_out == is_effective(dues[key], life, row.done_at)
    upcoming = view_clock(life, PUBLISHED, world.now).next_point()
    assert case.escalation_check_at == (upcoming.due_at if upcoming else None)


def is_effective(due: Due, life: Sequence[Snapshot], done_at: datetime) -> bool:
    """Carried out, not only recorded: of the severity and run the case is in when it is done, and open (E4, E5)."""
    state = [snapshot for snapshot in life if snapshot.at <= done_at][-1]
    run = view_clock(life, PUBLISHED, done_at).reading.run
    return (
        not due.recorded_only
        and state.status != Status.RESOLVED
        and (due.run, due.point.severity) == (run, state.severity)
    )


def check_steps(case: Case) -> None:
    """Each step moved the owner at most once and wrote at most one mail to each, exactly to whom E1 says (E5)."""
    steps: dict[datetime, list[Escalation]] = defaultdict(list)
    for row in Escalation.objects.filter(case=case).select_related("owner_before", "owner_after", "asked"):
        steps[row.done_at].append(row)
    assert Counter(steps.keys()) == Counter(
        case.history.filter(last_move=Move.ESCALATED).values_list("history_date", flat=True)
    )
    owner, mails = "tech", 0
    for done_at, rows in sorted(steps.items()):
        effective = [(Severity(row.severity), row.number) for row in rows if row.carried_out]
        outcome = outcome_of(effective, owner)
        assert {(str(row.owner_before), str(row.owner_after)) for row in rows} == {(owner, outcome.owner)}
        assert {str(row.asked) for row in rows if row.carried_out} == ({str(outcome.asked)} if effective else set())
        written = Mail.objects.filter(case=case, template="escalation", queued_at=done_at)
        addresses = Counter(address.removesuffix("@example.com") for (address,) in written.values_list("to_address"))
        assert addresses == dict.fromkeys(outcome.mailed, 1)
        owner, mails = outcome.owner, mails + len(outcome.mailed)
    assert str(case.owner) == owner
    assert Mail.objects.filter(case=case, template="escalation").count() == mails
    assert set(case.watchers.values_list("user__username", flat=True)) == ({"tech"} if owner != "tech" else set())


def check_cadence(world: World, case: Case) -> None:
    """The rhythm in force is that of the highest point of the present severity on this run's ledger (E4)."""
    life = world.books[case.pk].life
    run, severity = view_clock(life, PUBLISHED, world.now).reading.run, life[-1].severity
    numbers = Escalation.objects.filter(case=case, run=run, severity=severity).values_list("number", flat=True)
    assert case.update_cadence == (E1[severity, max(numbers)].minutes if numbers else {})


@contextmanager
def world(desk: Desk, severities: Sequence[Severity], work: Work) -> Iterator[World]:
    """Cases opened an hour apart; all that came of them is gone afterwards."""
    opened = {
        desk.open_case(NOON + number * HOUR, severity=severity).pk: (NOON + number * HOUR, severity)
        for number, severity in enumerate(severities)
    }
    books = {case: Book([Snapshot(at, Status.ASSIGNED, severity)]) for case, (at, severity) in opened.items()}
    try:
        yield World(desk, books, work, now=NOON + len(severities) * HOUR)
    finally:
        for model in (
            Question,
            EscalationRequest,
            Escalation,
            CaseWatcher,
            FailedCase,
            Interaction,
            Mail,
            Case.history.model,
            Case,
        ):
            model.objects.all().delete()


C, H, M, L = Severity
RAISE = {severity: act for act, severity in TO_SEVERITY.items()}


@pytest.mark.parametrize(
    ("work", "examples"),
    [
        pytest.param(once, 36, id="once", marks=pytest.mark.any_database),
        pytest.param(twice, 24, id="twice", marks=pytest.mark.any_database),
        pytest.param(in_two_workers, 28, id="in two workers", marks=pytest.mark.postgres),
    ],
)
def test_in_any_interleaving_the_ledger_says_what_the_clock_says_and_everything_happened_once(
    desk: Desk, settings, work: Work, examples: int
) -> None:
    settings.DESK_BATCH = 2  # several batches a sweep

    @played(examples, everywhere=False, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.sampled_from(Severity), min_size=1, max_size=3), DEEDS, st.sampled_from([0, 1, 30, 400]))
    @example([C], [Deed(3, 0, resolve), Deed(20, 0, reopen)], 30)
    @example([M], [Deed(12, 0, ask), Deed(1, 0, RAISE[C]), Deed(30, 0, hear)], 400)
    @example([C, H], [Deed(0, 0, "down"), Deed(13, 0, RAISE[M]), Deed(50, 1, resolve), Deed(30, 1, reopen)], 30)
    @example([C], [Deed(3, 0, resolve), Deed(24, 0, "down"), Deed(1, 0, reopen), Deed(13, 0, RAISE[H])], 400)
    def lives(severities: list[Severity], deeds: list[Deed], rest: float) -> None:
        with world(desk, severities, work) as its:
            play(its, deeds, rest)
            for case in Case.objects.select_related("owner"):
                check_ledger(its, case)
                check_steps(case)
                check_cadence(its, case)
            assert not FailedCase.objects.exists()

    lives()
