"""Whatever people and machines do, in whatever order, on a real database: a promise is kept, or missed once and so for
good (T2 to T4, E8, E9, E10, S1).

Hypothesis makes up lives of two cases: contacts, updates, answers, waits, severities, schedule moves, requests and
decisions, double clicks, an engine that is down for a while, whose tasks are delivered twice or run in two workers at
the same moment. Beside it the test keeps a book of what people said and did; from that book and the desk's mail alone,
not from what the sweeps read, every promise is reckoned anew and held against the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.db import models, transaction
from django.db.models import Min
from hypothesis import HealthCheck, Phase, example, given
from hypothesis import strategies as st

from cases.enums import Channel, Direction, MailStatus, Resolution, Severity, Status, WaitReason
from cases.followup.apply import follow_up
from cases.guards import Refused
from cases.mail.outbox import deliver
from cases.models import Case, CaseWatcher, FailedCase, FollowUp, Interaction, Mail
from cases.workflow import contact_log, transitions
from contacts.enums import Role
from escalations.clocks import Versions, brought_forward
from escalations.enums import Member, Origin, RequestStatus, SlaKind, SlaOutcome
from escalations.models import (
    DigestLine,
    Escalation,
    EscalationRequest,
    Question,
    ScheduleMove,
    ScheduleVersion,
    SlaTarget,
)
from escalations.points.apply import escalate
from escalations.policy.cadence import CadenceChange, ManagementAttention, PassedPoint, owed_over_time
from escalations.policy.clock import PolicyTimeline, Snapshot, clock_spans, due_points
from escalations.policy.schedule import Schedule
from escalations.policy.sla import Target, Touchpoint, targets_of
from escalations.questions import apply as questions
from escalations.questions.updates import send_status_update
from escalations.requests import apply as requests
from escalations.schedule.rollout import Selection, rehearse, roll_out, select_cases
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk, build_desk
from tests.support.examples import ALL_EXAMPLES, played
from tests.support.rollout import next_version
from tests.support.workers import Work, in_two_workers, once, twice

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

MOMENT, MINUTE, HOUR = timedelta(microseconds=1), timedelta(minutes=1), timedelta(hours=1)
LEAD = 5 * MINUTE
#: A life takes seconds: one that fails is shown as it is, not looked for smaller ones.
PHASES = [Phase.explicit, Phase.generate]
#: A missed promise is looked for just after its deadline: an event at that very moment is in time.
JUST_AFTER = timedelta(seconds=1)
#: Who reads the updates of each member, by the addresses of the builders.
READS = {"am": Member.ACCOUNT_MANAGER, "csm": Member.CSM, "cs_director": Member.CS_DIRECTOR, "coo": Member.COO}


# --- the book ---------------------------------------------------------------------------------------------------


@dataclass
class Book:
    """What happened to one case, as those remember who did it."""

    opened_under: Schedule
    life: list[Snapshot]
    moves: list[tuple[datetime, Schedule]] = field(default_factory=list)
    words: list[Touchpoint] = field(default_factory=list)
    attentions: list[ManagementAttention] = field(default_factory=list)

    def hears(self, at: datetime, members: set[Member], by: int) -> None:
        if members:
            self.words.append(Touchpoint(at, frozenset(members), "a word", by))

    def looked_at(self, case: Case, at: datetime) -> None:
        now = Snapshot(at, Status(case.status), Severity(case.severity), case.wait_episode)
        last = self.life[-1]
        if (last.status, last.severity, last.episode) != (now.status, now.severity, now.episode):
            self.life.append(now)


@dataclass
class World:
    """The desk, the books, and an engine that runs or does not."""

    desk: Desk
    other: ScheduleVersion
    books: dict[int, Book]
    work: Work
    now: datetime = NOON
    running: bool = True
    never_down: bool = True
    missed: dict[int, tuple[object, ...]] = field(default_factory=dict)

    # --- time

    def look(self, now: datetime) -> None:
        """Every sweep, as often as this world delivers its task."""
        self.now = now
        known = {
            one: one.objects.order_by("-pk").values_list("pk", flat=True).first() or 0 for one in (Mail, DigestLine)
        }
        for is_due, sweep in self._sweeps(now):
            if is_due.exists():
                self.work(lambda sweep=sweep: sweep(now))
        for case in Case.objects.all():
            self.books[case.pk].looked_at(case, now)
        self._desk_wrote(known, now)
        self._what_is_missed_stays()

    @staticmethod
    def _sweeps(now: datetime) -> Iterator[tuple[models.QuerySet, Callable[[datetime], object]]]:
        yield Case.objects.due_for_escalation(now), escalate
        yield Case.objects.due_for_follow_up(now), follow_up
        yield Case.objects.due_for_sla(now), keep_promises
        yield Mail.objects.filter(status=MailStatus.QUEUED), lambda at: deliver(lambda: at)
        yield SlaTarget.objects.filter(outcome="", updated_at__isnull=False), keep_promises  # what became of that mail

    def _desk_wrote(self, known: dict[type[models.Model], int], now: datetime) -> None:
        told: Counter[tuple[int, Member]] = Counter()
        for case_id in Mail.objects.filter(pk__gt=known[Mail], template="status_update").values_list("case", flat=True):
            told[case_id, Member.CUSTOMER] += 1
        lines = DigestLine.objects.filter(pk__gt=known[DigestLine], section="update")
        for case_id, address in lines.values_list("case", "to_address"):
            if address.split("@")[0] in READS:
                told[case_id, READS[address.split("@")[0]]] += 1
        assert set(told.values()) <= {1}, "somebody got two for the same deadline"
        for case_id, member in told:
            self.books[case_id].words.append(Touchpoint(now, frozenset({member}), "the desk", None, by_desk=True))

    def _what_is_missed_stays(self) -> None:
        rows = SlaTarget.objects.filter(outcome=SlaOutcome.BREACHED)
        missed = {row[0]: row for row in rows.values_list("pk", "case", "kind", "member", "since", "due_at")}
        assert self.missed.items() <= missed.items(), "what was missed was rewritten"
        self.missed = missed

    def pass_time(self, until: datetime) -> None:
        """Time passes; an engine that runs looks at every moment that anything asks for, up to the end."""
        looks: Counter[datetime] = Counter()
        while self.running:
            asked = Case.objects.aggregate(
                a=Min("escalation_check_at"), b=Min("follow_up_check_at"), c=Min("sla_check_at")
            ).values()
            at = min((one for one in asked if one), default=None)
            if at is None or at >= until:
                break
            self.look(max(at, self.now))
            looks[self.now] += 1
            assert looks[self.now] < 4, "a case stays due"
        self.now = max(until, self.now + MOMENT)  # whoever acts acts after the engine has looked

    # --- what the book says

    def timeline(self, case_id: int) -> PolicyTimeline:
        book = self.books[case_id]
        granted = brought_forward(EscalationRequest.objects.filter(case=case_id, number__isnull=False))
        return PolicyTimeline(book.opened_under, tuple(book.moves), granted)

    def reached(self, case_id: int) -> list[PassedPoint]:
        """What stands on the ledger, with the rhythm of its point in the version that it ran under."""
        timeline, found = self.timeline(case_id), []
        for row in Escalation.objects.filter(case=case_id).order_by("done_at", "pk"):
            points = timeline.at(row.due_at).of(Severity(row.severity))
            (point,) = (one for one in points if one.number == row.number)
            director = row.carried_out and Role.CS_DIRECTOR in point.mailed
            key = (row.run, point.severity, row.number)
            found.append(PassedPoint(*key, row.due_at, row.done_at, point.cadence, director))
        return found

    def pieces(self, case_id: int) -> list[CadenceChange]:
        book = self.books[case_id]
        return owed_over_time(
            clock_spans(book.life, self.timeline(case_id)),
            self.timeline(case_id),
            self.reached(case_id),
            book.attentions,
        )


# --- what people do; `chance` chooses among what there is --------------------------------------------------------

Deed = Callable[[World, int, int], object]


def logs(channel: Channel, direction: Direction, tells: bool, reached: bool = True) -> Deed:
    def log(world: World, case: int, chance: int) -> None:
        told = {Member.CUSTOMER} if tells else set()
        by = world.desk.technician
        contact_log.log_contact(
            case, by, world.now, channel=channel, direction=direction, body="Words.", reached=reached
        )
        world.books[case].hears(world.now, told, by.pk)

    return log


def asks(world: World, case: int, chance: int) -> None:
    """By a mail, which is a word to the customer; or because they said so when we spoke, which was logged as that."""
    by, sends = world.desk.technician, chance % 2 == 0
    reason = WaitReason.CONFIRM if chance % 3 else WaitReason.INFORMATION
    transitions.ask_customer(case, by, world.now, question="?", reason=reason, send=sends)
    world.books[case].hears(world.now, {Member.CUSTOMER} if sends else set(), by.pk)


def becomes(world: World, case: int, chance: int) -> None:
    severity = list(Severity)[chance % 4]
    transitions.change_severity(case, world.desk.manager, world.now, severity=severity, reason="Looked again.")


def tells(world: World, case: int, chance: int) -> None:
    by, customer_too = world.desk.l3, chance % 2 == 0
    members = {member for bit, member in enumerate(Member) if chance >> bit & 1 and member != Member.CUSTOMER}
    send_status_update(
        case, by, world.now, text="It goes on.", members=members, customer_too=customer_too, answers_question=False
    )
    world.books[case].hears(world.now, members | ({Member.CUSTOMER} if customer_too else set()), by.pk)


def answers(world: World, case: int, chance: int) -> None:
    """To the staff of the audience at once, to the customer not before their next update (E8)."""
    by, owed = world.desk.technician, world.pieces(case)[-1].owed
    questions.answer_question(case, by, world.now, answer="In hand.", for_customer="Soon.")
    world.books[case].hears(world.now, set(owed) - {Member.CUSTOMER}, by.pk)
    with pytest.raises(Refused):  # a double click answers once
        questions.answer_question(case, by, world.now, answer="In hand.", for_customer="Soon.")


def wants_more(world: World, case: int, chance: int) -> None:
    words = {"asked_by": "Ada", "impact": "No orders.", "reason": "It hurts."}
    wanted = [
        requests.request_escalation(case, world.desk.account_manager, world.now, origin=Origin.CUSTOMER, **words)
        for _ in range(2)  # a double click
    ]
    assert wanted[0] == wanted[1]


def undecided(case: int, chance: int) -> EscalationRequest | None:
    rows = list(EscalationRequest.objects.filter(case=case).undecided().order_by("pk"))
    return rows[chance % len(rows)] if rows else None


def accepts(world: World, case: int, chance: int) -> None:
    request = undecided(case, chance)
    if request is None:
        return
    requests.accept(request.pk, world.desk.manager, world.now, why="Because.")
    with pytest.raises(Refused):
        requests.accept(request.pk, world.desk.manager, world.now, why="Because.")
    request = EscalationRequest.objects.get(pk=request.pk)
    if request.attention:
        world.books[case].attentions.append(ManagementAttention(world.now, None, request.run or 1))


def declines(world: World, case: int, chance: int) -> None:
    request = undecided(case, chance)
    if request is not None:
        requests.decline(request.pk, world.desk.manager, world.now, why="Not now.")


def attention_ends(world: World, case: int, chance: int) -> None:
    requests.end_attention(case, world.desk.manager, world.now, reason="It is quiet.")
    book = world.books[case]
    book.attentions[:] = [ManagementAttention(one.since, one.until or world.now, one.run) for one in book.attentions]


def moves(world: World, case: int, chance: int) -> None:
    """Every open case goes over to the other version of the schedule."""
    sights = rehearse(select_cases(world.other, Selection()), world.other, world.now).signed
    if not sights:
        return
    roll_out(sights, world.other.pk, world.desk.manager, world.now, reason="The new contract")
    schedule = Versions().numbered(world.other.number)
    assert schedule is not None
    for moved in ScheduleMove.objects.filter(at=world.now).values_list("case", flat=True):
        world.books[moved].moves.append((world.now, schedule))


def reopens(world: World, case: int, chance: int) -> None:
    transitions.reopen(case, world.desk.technician, world.now, reason="It is back.")


DEEDS: dict[str, Deed] = {
    "starts": lambda world, case, _: transitions.start_work(case, world.desk.technician, world.now),
    "asks": asks,
    "takes back": lambda world, case, _: transitions.take_back(
        case, world.desk.technician, world.now, reason="Found it."
    ),
    "resolves": lambda world, case, _: transitions.resolve(
        case, world.desk.technician, world.now, resolution=Resolution.NOT_PURSUED
    ),
    "reopens": reopens,
    "reopens again": reopens,
    "changes the severity": becomes,
    "changes it again": becomes,
    "calls": logs(Channel.PHONE, Direction.OUT, True),
    "leaves a message": logs(Channel.PHONE, Direction.OUT, True, reached=False),
    "is called": logs(Channel.PHONE, Direction.IN, True),
    "is written to": logs(Channel.EMAIL, Direction.IN, False),
    "notes": logs(Channel.NOTE, Direction.INTERNAL, False),
    "tells": tells,
    "tells others": tells,
    "answers": answers,
    "wants more": wants_more,
    "accepts": accepts,
    "accepts another": accepts,
    "declines": declines,
    "attention ends": attention_ends,
    "moves": moves,
}
GAPS = st.one_of(st.sampled_from([0, 0.25, 1, 2, 3.5, 4, 8, 12, 24]), st.integers(0, 120).map(lambda n: n / 4))
ENGINE = ("down", "up", "nothing")
STORIES = st.lists(
    st.tuples(GAPS, st.integers(0, 1), st.sampled_from([*DEEDS, *ENGINE]), st.integers(0, 31)), min_size=1, max_size=8
)
Story = list[tuple[float, int, str, int]]


def play(world: World, story: Story, rest: float) -> None:
    """Live through it; at the end the engine, wherever it was, has caught up."""
    cases = sorted(world.books)
    for hours, which, what, chance in story:
        world.pass_time(world.now + hours * HOUR)
        if what in ENGINE:
            world.running = what != "down" if what != "nothing" else world.running
            world.never_down &= world.running
        else:
            with suppress(Refused), transaction.atomic():
                DEEDS[what](world, cases[which], chance)
        for case in Case.objects.all():
            world.books[case.pk].looked_at(case, world.now)
        if world.running:
            world.look(world.now)
        check(world)
    world.running = True
    world.look(world.now)
    world.pass_time(world.now + rest * HOUR)
    world.look(world.now)
    check(world)


# --- what must hold ---------------------------------------------------------------------------------------------


def check(world: World) -> None:
    """The ledgers say what the books say."""
    assert not FailedCase.objects.exists(), FailedCase.objects.first().error
    for case_id in world.books:
        check_requests(case_id)
        if world.running:
            check_points(world, case_id)
            pieces = world.pieces(case_id)
            for member in Member:
                periods = targets_of(member, pieces, world.books[case_id].words)
                check_promises(world, case_id, member, periods)
                if world.never_down and all(piece.automatic for piece in pieces):
                    check_nobody_waited(world, periods)


def check_points(world: World, case_id: int) -> None:
    """Each point that was due is on the ledger, once."""
    dues = due_points(world.books[case_id].life, world.timeline(case_id), world.now)
    rows = Escalation.objects.filter(case=case_id).values_list("run", "severity", "number", "due_at")
    assert sorted(rows) == sorted((*due.key, due.due_at) for due in dues)


def check_requests(case_id: int) -> None:
    """What was accepted was carried out at most once, what was not accepted never (E9)."""
    for row in EscalationRequest.objects.filter(case=case_id):
        is_granted = row.number is not None or row.attention
        if row.number is not None:
            (point,) = Escalation.objects.filter(case=case_id, run=row.run, severity=row.severity, number=row.number)
            assert point.carried_out
            assert point.done_at <= row.decided_at
        assert is_granted or row.status != RequestStatus.ACCEPTED
        assert not is_granted or row.status in (RequestStatus.ACCEPTED, RequestStatus.CLOSED)


def check_promises(world: World, case_id: int, member: Member, periods: list[Target]) -> None:
    """Each time that an update was owed stands on the ledger as the book has it, and none besides (T2 to T4)."""
    rows = {
        row.since: row
        for row in SlaTarget.objects.filter(case=case_id, kind=SlaKind.UPDATE, member=member).order_by("since")
    }
    assert set(rows) <= {period.since for period in periods}
    for earlier, later in pairwise(periods):
        assert earlier.ended_at is not None
        assert earlier.ended_at <= later.since
    for period in periods:
        row = rows.get(period.since)
        if row is None:
            assert period.ended_at is None, "a promise that is over was never written down"
            assert not period.is_missed(world.now - JUST_AFTER)
            continue
        assert (row.due_at, row.ended_at) == (period.due_at, period.ended_at)
        assert row.outcome in (outcome_of(period, world.now), outcome_of(period, world.now - JUST_AFTER))
        by = period.ended_by
        assert (row.by_id, row.updated_at) == (by and by.by, period.ended_at if by and by.by_desk else None)


def outcome_of(period: Target, now: datetime) -> str:
    if period.due_at < (period.ended_at or now):
        return SlaOutcome.BREACHED
    if period.ended_at is None:
        return ""
    if period.ended_by is None:
        return SlaOutcome.CANCELLED
    return SlaOutcome.MET_AUTOMATICALLY if period.ended_by.by_desk else SlaOutcome.MET


def check_nobody_waited(world: World, periods: list[Target]) -> None:
    """While the engine runs everybody hears within their interval, and from the desk no sooner than it has to."""
    for period in periods:
        assert (period.ended_at or world.now) <= period.due_at, "nobody kept the promise"
        assert period.due_at - period.since <= 24 * HOUR
        if period.ended_by is not None and period.ended_by.by_desk:
            assert period.ended_at == period.update_at(LEAD)


# --- worlds -----------------------------------------------------------------------------------------------------


@contextmanager
def world(desk: Desk, other: ScheduleVersion, severities: tuple[Severity, Severity], work) -> Iterator[World]:
    """Two cases, opened at once; all that came of them is gone afterwards."""
    versions = Versions()
    books = {}
    for severity in severities:
        case = desk.open_case(NOON, severity=severity, channel=Channel.EMAIL)
        schedule = versions.opened_under(case)
        assert schedule is not None
        books[case.pk] = Book(schedule, [Snapshot(NOON, Status(case.status), severity, case.wait_episode)])
    deliver(lambda: NOON)
    try:
        yield World(desk, other, books, work)
    finally:
        for model in (
            SlaTarget, DigestLine, Question, EscalationRequest.history.model, EscalationRequest, Escalation,
            ScheduleMove, CaseWatcher, FailedCase, FollowUp, Mail, Interaction, Case.history.model, Case,
        ):  # fmt: skip
            model.objects.all().delete()


C, H, M, L = Severity


@pytest.mark.parametrize(
    ("work", "examples"),
    [
        pytest.param(once, 20, id="once", marks=pytest.mark.any_database),
        pytest.param(twice, 8, id="twice", marks=pytest.mark.any_database),
        pytest.param(in_two_workers, 10, id="in two workers", marks=pytest.mark.postgres),
    ],
)
def test_in_any_interleaving_nobody_waits_too_long_nobody_hears_twice_and_what_is_missed_stays(work, examples) -> None:
    desk = build_desk()
    changed = {"high_1": {"after": 6 * HOUR}, "medium_1": {"after": 24 * HOUR}, "low": {"base_interval": 6 * HOUR}}
    changed["high"] = {"automatic_updates": False}  # what nobody keeps is missed, and stays open for long
    other = next_version(desk, NOON + MOMENT, **changed)
    seen: Counter[str] = Counter()

    @played(
        examples if ALL_EXAMPLES else examples // 2,
        everywhere=False,
        suppress_health_check=[HealthCheck.too_slow],
        phases=PHASES,
    )
    @given(st.tuples(st.sampled_from(Severity), st.sampled_from(Severity)), STORIES, st.sampled_from([0, 1, 9]))
    @example((H, C), [(12, 0, "wants more", 0), (0.25, 0, "accepts", 0), (1, 1, "answers", 0)], 9)
    @example(
        (L, M), [(1, 0, "wants more", 0), (1, 0, "accepts", 0), (9, 0, "attention ends", 0), (1, 0, "moves", 0)], 30
    )
    @example((H, H), [(1, 0, "down", 0), (30, 0, "calls", 0), (1, 1, "tells", 31), (0, 0, "up", 0)], 9)
    @example((H, L), [(1, 0, "moves", 0), (9, 0, "nothing", 0), (2, 0, "calls", 0)], 9)
    @example((C, M), [(3, 0, "asks", 0), (30, 0, "takes back", 0), (1, 0, "changes the severity", 3)], 30)
    def lives(severities: tuple[Severity, Severity], story: Story, rest: float) -> None:
        with world(desk, other, severities, work) as its:
            play(its, story, rest)
            seen.update(SlaTarget.objects.values_list("outcome", flat=True))
            seen["accepted"] += EscalationRequest.objects.exclude(number=None).count()
            seen["attention"] += EscalationRequest.objects.filter(attention=True).count()
            seen["moved"] += ScheduleMove.objects.count()
            seen["answered"] += Question.objects.exclude(answer="").count()
            assert not Mail.objects.exclude(status__in=[MailStatus.SENT, MailStatus.DROPPED]).exists()

    lives()
    kinds = {*SlaOutcome, "accepted", "attention", "moved", "answered"}
    assert all(seen[kind] for kind in kinds), seen  # the lives were worth it
