"""The forecast says what then happens: made, and then lived, with the real sweeps at every due moment (S1, T3, E5).

Random cases with random pasts, made by the real moves on desks where roles are empty, people are away and contacts have
no address. What the forecast says is compared event by event and person by person with what is found afterwards; an
event that is missing fails as well as one that nobody foresaw.
"""

from __future__ import annotations

import html
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cases.enums import AgreedBy, Channel, Direction, FollowUpStep, MailStatus, Resolution, Severity, WaitReason
from cases.followup import absences as absence_log
from cases.followup.apply import follow_up
from cases.guards import Refused
from cases.mail.outbox import deliver
from cases.models import Case, FailedCase, FollowUp, Interaction, Mail
from cases.policy.followup.wait import TO_STAFF
from cases.workflow import contact_log, handing_on, transitions
from contacts.enums import Level, Role
from contacts.models import Contact, OpeningSpan, RoleHolder, SupportCentre, Technician, User
from escalations.enums import Member, Origin, SlaKind, SlaOutcome
from escalations.forecast.simulate import Forecast, Kind, forecast_of
from escalations.models import ClockRule, DigestLine, Escalation, EscalationRequest, Question, SlaTarget
from escalations.points.apply import escalate
from escalations.questions import apply as questions
from escalations.questions.updates import send_status_update
from escalations.requests import apply as requests
from escalations.sla.apply import keep_promises, settle
from tests.support.builders import NOON, Desk, build_technician
from tests.support.examples import ALL_EXAMPLES, own
from tests.support.pages import panel_of
from tests.support.rollout import moves_all, next_version

pytestmark = pytest.mark.django_db

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)

# --- a desk on which something is always wrong ------------------------------------------------------------------

Chance = random.Random
Twist = Callable[[Desk, Chance], Any]


def of_user(user: User) -> Any:
    return User.objects.filter(pk=user.pk)


def on_duty(user: User, is_so: bool) -> None:
    Technician.objects.filter(user=user).update(on_duty=is_so)


def empty(role: Role) -> Twist:
    return lambda desk, chance: RoleHolder.objects.filter(role=role).update(holder=None)


def unreachable(name: str) -> Twist:
    def twist(desk: Desk, chance: Chance) -> None:
        broken = {"email": ""} if chance.random() < 0.5 else {"is_active": False}
        of_user(getattr(desk, name)).update(**broken)

    return twist


def no_manager_but_a_superuser(desk: Desk, chance: Chance) -> None:
    RoleHolder.objects.filter(role=Role.SUPPORT_MANAGER).delete()
    root = {"email": "root@example.com", "is_superuser": True, "is_staff": True}
    User.objects.get_or_create(username="root", defaults=root)


def own_holders(desk: Desk, chance: Chance) -> None:
    """The centre has a manager of its own."""
    RoleHolder.objects.update_or_create(
        role=Role.SUPPORT_MANAGER, centre=desk.centre, defaults={"holder": desk.other_account_manager}
    )


def same_person_twice(desk: Desk, chance: Chance) -> None:
    RoleHolder.objects.filter(role=chance.choice([Role.CS_DIRECTOR, Role.COO])).update(holder=desk.csm)


TWISTS: list[Twist] = [
    *(empty(role) for role in (Role.CSM, Role.CS_DIRECTOR, Role.COO, Role.SUPPORT_MANAGER)),
    *(unreachable(name) for name in ("csm", "coo", "manager", "account_manager", "technician")),
    no_manager_but_a_superuser,
    own_holders,
    same_person_twice,
    lambda desk, chance: type(desk.company).objects.update(account_manager=None),
    lambda desk, chance: Contact.objects.update(email=""),
    lambda desk, chance: Contact.objects.update(email=""),
    lambda desk, chance: on_duty(desk.technician, False),
    lambda desk, chance: on_duty(desk.technician, False),
    lambda desk, chance: on_duty(desk.l3, False),
    lambda desk, chance: of_user(desk.l3).update(is_active=False),
    lambda desk, chance: Technician.objects.filter(user=desk.l3).update(level=Level.L2),
    lambda desk, chance: type(desk.company).objects.update(language="ja"),
    lambda desk, chance: ClockRule.objects.filter(severity=chance.choice(list(Severity))).update(
        automatic_updates=False
    ),
    lambda desk, chance: ClockRule.objects.update(stands_still_while_waiting=False),
]


def office_in_tokyo() -> None:
    """A second centre, with opening hours, so that who stands in depends on the hour."""
    tokyo = SupportCentre.objects.create(name="Tokyo", country="JP", time_zone="Asia/Tokyo")
    for day in range(5):
        OpeningSpan.objects.create(centre=tokyo, weekday=day, opens=time(9), closes=time(17))
    build_technician(tokyo, name="hanako", languages=["ja", "en"])
    build_technician(tokyo, Level.L3, name="taro", languages=["ja"])


def office_in_london(desk: Desk) -> None:
    """London keeps hours as well."""
    OpeningSpan.objects.filter(centre=desk.centre).delete()
    for day in range(5):
        OpeningSpan.objects.create(centre=desk.centre, weekday=day, opens=time(7), closes=time(19))
    SupportCentre.objects.filter(pk=desk.centre.pk).update(open_on_holidays=False)
    build_technician(desk.centre, name="second")


# --- a past -----------------------------------------------------------------------------------------------------


@dataclass
class Past:
    """One case on its way to the moment of the forecast."""

    desk: Desk
    chance: Chance
    now: datetime
    case_id: int = 0
    looking: bool = True
    did: list[str] = field(default_factory=list)

    def person(self) -> User:
        return self.chance.choice([self.desk.technician, self.desk.technician, self.desk.l3, self.desk.manager])

    def case(self) -> Case:
        return Case.objects.get(pk=self.case_id)

    def open(self) -> None:
        chance = self.chance
        case = self.desk.open_case(
            self.now,
            severity=chance.choice(list(Severity)),
            channel=chance.choice([Channel.PHONE, Channel.PHONE, Channel.EMAIL]),
        )
        self.case_id = case.pk

    def rest(self, length: timedelta) -> None:
        """Time passes; an engine that runs looks whenever the case asks, and goes down after some looks."""
        until = self.now + length
        for _ in range(LOOKS_IN_A_REST * self.looking):
            at = next_look(self.case_id)
            if at is None or at >= until:
                break
            sweeps(max(at, self.now))
            if self.chance.random() < 0.9:
                left(max(at, self.now))
        self.now = until

    def act(self) -> None:
        """Somebody does something; what may not be done is refused."""
        name, deed = self.chance.choice(DEEDS)
        try:
            with transaction.atomic():
                deed(self)
        except (Refused, Case.DoesNotExist):  # the latter: an account manager of nobody
            return
        self.did.append(f"{self.now:%d %H:%M} {name}")


def logged(channel: Channel, direction: Direction, reached: bool = True, send: bool = False) -> Callable[[Past], Any]:
    return lambda past: contact_log.log_contact(
        past.case_id, past.person(), past.now, channel=channel, direction=direction, body="Words.", reached=reached,
        send=send,
    )  # fmt: skip


def asks(past: Past) -> None:
    reason = past.chance.choice(list(WaitReason))
    transitions.ask_customer(
        past.case_id, past.person(), past.now, question="Which?", reason=reason, send=past.chance.random() < 0.5
    )


def resolves(past: Past) -> None:
    resolution = past.chance.choice([Resolution.CONFIRMED, Resolution.NOT_PURSUED])
    transitions.resolve(
        past.case_id, past.person(), past.now, resolution=resolution, agreed_by=AgreedBy.CHAT, solution="New toner."
    )


def becomes(past: Past) -> None:
    severity = past.chance.choice(list(Severity))
    transitions.change_severity(past.case_id, past.person(), past.now, severity=severity, reason="Looked again.")


def tells(past: Past) -> None:
    members = past.chance.sample(list(Member), past.chance.randint(0, 3))
    customer_too = past.chance.random() < 0.5
    send_status_update(
        past.case_id, past.person(), past.now, text="It goes on.", members=members, customer_too=customer_too,
        answers_question=past.chance.random() < 0.3,
    )  # fmt: skip


def reassigns(past: Past) -> None:
    owner = past.chance.choice(list(User.objects.filter(technician__isnull=False)))
    handing_on.hand_over(past.case_id, past.desk.manager, past.now, owner=owner, reason="Holidays.")


def asks_for_more(past: Past) -> None:
    requests.request_escalation(
        past.case_id, past.desk.account_manager, past.now, origin=Origin.CUSTOMER, asked_by="Their boss",
        impact="No shipping.", reason="It hurts.",
    )  # fmt: skip


def decides(past: Past) -> None:
    request = EscalationRequest.objects.filter(case=past.case_id).undecided().first()
    if request is None:
        return
    decide = requests.accept if past.chance.random() < 0.7 else requests.decline
    decide(request.pk, past.desk.manager, past.now, why="Because.")


def moves_to_another_schedule(past: Past) -> None:
    """High 1 after six hours, Medium 1 after a day; the cases that are open go over to it."""
    changed = {"high_1": {"after": 6 * HOUR}, "medium_1": {"after": 24 * HOUR}, "low": {"base_interval": 6 * HOUR}}
    moves_all(past.desk, next_version(past.desk, past.now, **changed), past.now)


def leaves(past: Past) -> None:
    transitions.stop_watching(past.case_id, past.desk.technician)


def mail_fails(past: Past) -> None:
    newest = Mail.objects.filter(case=past.case_id).order_by("-pk")[:1]
    Mail.objects.filter(pk__in=list(newest.values_list("pk", flat=True))).update(status=MailStatus.FAILED, sent_at=None)


def is_away(past: Past) -> None:
    """The customer is out of office for some days, or nobody can read for how long."""
    days = past.chance.choice([0, 1, 3, 5, 12, 40])
    back_on = past.now.date() + timedelta(days=days) if days else None
    absence_log.note_absence(past.case_id, past.person(), past.now, note="Not there.", back_on=back_on)


def prefers_the_phone(past: Past) -> None:
    Contact.objects.update(phone="+49 30 1234")
    Case.objects.filter(pk=past.case_id).update(preferred_means="phone")


DEEDS: list[tuple[str, Callable[[Past], Any]]] = [
    ("starts", lambda past: transitions.start_work(past.case_id, past.person(), past.now)),
    ("asks", asks),
    ("asks", asks),
    ("asks", asks),
    ("takes back", lambda past: transitions.take_back(past.case_id, past.person(), past.now, reason="Found it.")),
    ("calls them", logged(Channel.PHONE, Direction.OUT)),
    ("leaves a message", logged(Channel.PHONE, Direction.OUT, reached=False)),
    ("writes", logged(Channel.EMAIL, Direction.OUT, send=True)),
    ("notes", logged(Channel.NOTE, Direction.INTERNAL)),
    ("is called", logged(Channel.PHONE, Direction.IN)),
    ("is written to", logged(Channel.EMAIL, Direction.IN)),
    ("chats", logged(Channel.CHAT, Direction.IN)),
    ("resolves", resolves),
    ("reopens", lambda past: transitions.reopen(past.case_id, past.person(), past.now, reason="It is back.")),
    ("reopens", lambda past: transitions.reopen(past.case_id, past.person(), past.now, reason="It is back.")),
    ("changes the severity", becomes),
    ("changes the severity", becomes),
    ("tells", tells),
    ("tells", tells),
    ("answers", lambda past: questions.answer_question(past.case_id, past.person(), past.now, answer="In hand.")),
    ("reassigns", reassigns),
    ("asks for more", asks_for_more),
    ("asks for more", asks_for_more),
    ("decides", decides),
    ("leaves", leaves),
    ("moves to another schedule", moves_to_another_schedule),
    ("a mail fails", mail_fails),
    ("is away", is_away),
    ("is away", is_away),
    ("prefers the phone", prefers_the_phone),
]
LOOKS_IN_A_REST = 3
GAPS = [0, 0.25, 0.5, 1, 1, 2, 3, 4, 5, 8, 12, 13, 24, 30, 48, 49]


def live(desk: Desk, chance: Chance) -> Past:
    """A past of a few deeds, with the engine up or down in between."""
    past = Past(desk, chance, NOON + chance.randint(0, 14 * 24 * 4) * 15 * MINUTE)
    past.open()
    for _ in range(chance.randint(0, 6)):
        past.looking = chance.random() < 0.7
        past.rest(chance.choice(GAPS) * HOUR)
        past.act()
    past.looking = chance.random() < 0.8
    past.rest(chance.choice([0, 0, 0.25, 1, 2, 7]) * HOUR)
    return past


# --- the sweeps, at every moment the case asks for --------------------------------------------------------------


def next_look(case_id: int) -> datetime | None:
    moments = Case.objects.values_list("escalation_check_at", "follow_up_check_at", "sla_check_at").get(pk=case_id)
    return min((moment for moment in moments if moment), default=None)


def sweeps(now: datetime) -> None:
    if Case.objects.due_for_escalation(now).exists():
        escalate(now)
    if Case.objects.due_for_follow_up(now).exists():
        follow_up(now)
    if Case.objects.due_for_sla(now).exists():
        keep_promises(now)


def left(now: datetime, really: bool = False) -> None:
    """What is queued has left; `really` renders and sends it, which is most of the work of such a look."""
    if really:
        deliver(lambda: now)
    else:
        Mail.objects.filter(status=MailStatus.QUEUED).update(status=MailStatus.SENT, sent_at=now)


def fast_forward(case_id: int, now: datetime, until: datetime, really: bool) -> None:
    """Untouched until then: every sweep looks when the case asks, and mail leaves at once."""
    left(now, really)
    looks: Counter[datetime] = Counter()
    while (at := next_look(case_id)) is not None and at <= until:
        now = max(at, now)
        sweeps(now)
        left(now, really)
        looks[now] += 1
        assert looks[now] < 4, "the case stays due"
    settle(until)
    assert not FailedCase.objects.exists()


# --- what happened, in the words of the forecast ----------------------------------------------------------------

Fact = tuple[Any, ...]


#: Moments that the sweeps write on rows.
STAMPS: dict[str, Any] = {
    "promise reminded_at": SlaTarget,
    "promise updated_at": SlaTarget,
    "question manager_told_at": Question,
    "request passed_on_at": EscalationRequest,
    "word manager_told_at": Interaction,
}


@dataclass
class Before:
    """What is there already at the moment of the forecast."""

    case_id: int
    now: datetime

    def __post_init__(self) -> None:
        case = Case.objects.get(pk=self.case_id)
        self.owner_id = case.owner_id
        self.newest = {
            model: model.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            for model in (Escalation, Mail, DigestLine, FollowUp, Question)
        }
        rows = SlaTarget.objects.filter(case=self.case_id, outcome=SlaOutcome.BREACHED)
        self.missed = set(rows.values_list("kind", "member", "since"))
        self.stamps = {name: self._stamped(name) for name in STAMPS}

    def _stamped(self, name: str) -> set[tuple[int, datetime]]:
        rows = STAMPS[name].objects.filter(case=self.case_id, **{f"{name.split()[1]}__isnull": False})
        return set(rows.values_list("pk", name.split()[1]))

    def stamped(self, name: str) -> dict[int, datetime]:
        """Which rows were stamped since, and when."""
        return dict(self._stamped(name) - self.stamps[name])

    def new(self, model: Any) -> Any:
        return model.objects.filter(case=self.case_id, pk__gt=self.newest[model])

    def happened(self) -> Counter[Fact]:
        """Everything that has happened since, counted."""
        facts: list[Fact] = []
        for row in self.new(Escalation):
            kind = Kind.POINT if row.carried_out else Kind.RECORDED
            facts.append((kind, row.done_at, f"{row.run}:{row}".split(" on ")[0]))
        owner_id = self.owner_id
        for row in self.new(Escalation).select_related("owner_after").order_by("pk"):
            if row.owner_after_id != owner_id:
                owner_id = row.owner_after_id
                facts.append((Kind.OWNER, row.done_at, row.owner_after.username))
        asked = set(self.new(Escalation).filter(asked__isnull=False).values_list("done_at", "asked__username"))
        facts += [(Kind.ASKED, *row) for row in asked]
        assert self.new(Question).count() >= len(asked)
        for row in self.new(FollowUp).filter(superseded=False):
            kind = Kind.STAFF_TOLD if row.step in TO_STAFF else Kind.NOTICE
            kind = Kind.CLOSED if row.step == FollowUpStep.RESOLVE else kind
            facts.append((kind, row.done_at, row.step))
        facts += self._promises()
        facts += [(Kind.QUESTION, at, "") for at in self.stamped("question manager_told_at").values()]
        passed_on = self.stamped("request passed_on_at")
        origins = dict(EscalationRequest.objects.filter(pk__in=passed_on).values_list("pk", "origin"))
        facts += [(Kind.PASSED_ON, at, origins[pk]) for pk, at in passed_on.items()]
        lines = self.new(DigestLine).filter(section="turn").values_list("written_at", "facts__turn")
        letters = self.new(Mail).filter(template="case_reopened").values_list("queued_at", flat=True)
        facts += [(Kind.TURN, *turn) for turn in {*lines, *((at, "reopened") for at in letters)}]
        facts += [(Kind.WORD, at, "") for at in set(self.stamped("word manager_told_at").values())]
        return Counter(facts) + self._told()

    def _promises(self) -> Iterator[Fact]:
        rows = list(SlaTarget.objects.filter(case=self.case_id))
        for row in rows:
            if row.outcome == SlaOutcome.BREACHED and (row.kind, row.member, row.since) not in self.missed:
                yield Kind.MISSED, max(row.due_at, self.now), f"{row.kind}:{row.member}"
        yield from ((Kind.REMINDER, at) for at in set(self.stamped("promise reminded_at").values()))
        # a row that stays open is stamped again after a day, and the lines keep every time; nobody is no reader
        lines = self.new(DigestLine).filter(section__in=("silence", "response"))
        yield from ((Kind(section), at, "") for section, at in set(lines.values_list("section", "written_at")))
        updated: dict[datetime, list[str]] = {}
        by_key = {row.pk: row for row in rows}
        for pk, at in self.stamped("promise updated_at").items():
            updated.setdefault(at, []).append(by_key[pk].member)
            assert by_key[pk].outcome in (SlaOutcome.MET_AUTOMATICALLY, SlaOutcome.BREACHED)
        yield from ((Kind.UPDATE, at, ",".join(sorted(members))) for at, members in updated.items())

    def _told(self) -> Counter[Fact]:
        """Who was written to: by which message, or in which part of the staff's mail."""
        mails = self.new(Mail).exclude(template="staff_lines")
        told = [("told", *row) for row in mails.values_list("queued_at", "template", "to_address", "meant_for")]
        lines = self.new(DigestLine).values_list("written_at", "section", "to_address", "meant_for")
        return Counter([*told, *(("told", *row) for row in lines)])


def foreseen(forecast: Forecast, until: datetime) -> Counter[Fact]:
    """What the forecast says until then, in the same words."""
    facts: list[Fact] = []
    for event in forecast.events:
        if event.at > until:
            continue
        to_nobody = event.kind in (Kind.SILENCE, Kind.RESPONSE) and not event.people
        if event.kind not in (Kind.INHERITED, Kind.HELD_UP) and not to_nobody:
            facts.append((event.kind, event.at) if event.kind == Kind.REMINDER else (event.kind, event.at, event.about))
        for one in event.people:
            # who becomes the owner, is asked or inherits reads it in the one letter of the step (E5)
            if event.kind not in (Kind.OWNER, Kind.ASKED, Kind.INHERITED) or one.by == "question_inherited":
                facts.append(("told", event.at, one.by, one.address, one.meant_for))
    return Counter(facts)


class Undo(Exception):
    """Nothing of this stays."""


@contextmanager
def undone() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
            raise Undo
    except Undo:
        pass


def counted() -> dict[str, int]:
    models = [model for app in ("cases", "contacts", "escalations") for model in apps.get_app_config(app).get_models()]
    return {model.__name__: model.objects.count() for model in models}


def written(asked: CaptureQueriesContext) -> list[str]:
    """Statements that do more than read; PostgreSQL reads the history by a cursor."""
    return [one["sql"] for one in asked if not re.match(r"SELECT |DECLARE .* CURSOR FOR SELECT ", one["sql"])]


def columns(case_id: int) -> dict[str, Any]:
    return Case.objects.filter(pk=case_id).values().get()


def check(past: Past, moments: int | None, really: bool) -> Forecast:
    """The forecast at this moment says what then happens, at its first so many moments or in all seven days."""
    before, rows, case = Before(past.case_id, past.now), columns(past.case_id), past.case()
    with CaptureQueriesContext(connection) as asked:
        forecast = forecast_of(case, past.now)
    assert len(asked) <= 21, len(asked)
    assert written(asked) == []
    assert columns(past.case_id) == rows
    until = end_of(forecast, moments)
    fast_forward(past.case_id, past.now, until, really)
    happened, said = before.happened(), foreseen(forecast, until)
    assert happened == said, explain(past, happened - said, said - happened)
    return forecast


def end_of(forecast: Forecast, moments: int | None) -> datetime:
    """The moment that is the so manieth in the forecast; its end when there are not so many."""
    seen = sorted({event.at for event in forecast.events})
    # what is missed is seen a second after it was due
    return seen[moments - 1] + MINUTE if moments and moments < len(seen) else forecast.until


def explain(past: Past, missing: Counter[Fact], unexpected: Counter[Fact]) -> str:
    case = past.case()
    lines = [f"{case.severity} {case.status}, opened {case.opened_at}, forecast at {past.now}", *past.did]
    lines += ["not foreseen:", *map(str, sorted(missing, key=lambda fact: fact[1])[:12])]
    lines += ["foreseen and did not happen:", *map(str, sorted(unexpected, key=lambda fact: fact[1])[:12])]
    return "\n".join(lines)


def one_life(desk: Desk, seed: int) -> Forecast:
    """A desk, a past and its forecast, of which nothing stays."""
    chance = random.Random(seed)
    with undone():
        if chance.random() < 0.4:
            office_in_tokyo()
        if chance.random() < 0.3:
            office_in_london(desk)
        for twist in chance.sample(TWISTS, chance.choice([0, 0, 1, 2, 3, 5])):
            twist(desk, chance)
        past = live(desk, chance)
        for twist in chance.sample(TWISTS, chance.choice([0, 0, 0, 1, 2])):
            twist(desk, chance)
        moments = chance.choice([3, 6, 9, 20])
        if WHOLE_WEEKS or seed % 75 == 0:
            moments = None
        return check(past, moments, really=seed % 10 == 1)
    raise AssertionError


#: Half a second of a processor each.
LIVES = own(range(300 if ALL_EXAMPLES else 100))
#: With DESK_WHOLE_WEEKS=1 every one is lived for all seven days; that takes long, so else four are, and the others
#: until their first 3 to 20 moments.
WHOLE_WEEKS = bool(os.environ.get("DESK_WHOLE_WEEKS"))
#: Tests run beside each other by pytest-xdist share the lives.
SHARES = 6


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
def test_what_is_foreseen_happens_and_nothing_else(desk: Desk, share: int) -> None:
    # T1 to T4, E1 to E9, F2, F7, D5, C7
    for seed in LIVES[share::SHARES]:
        try:
            one_life(desk, seed)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise


def test_who_stands_in_is_chosen_by_the_load_that_is_left_after_the_transfer(desk: Desk) -> None:  # E7, E8, C6
    on_duty(desk.l3, False)
    busier = build_technician(desk.centre, name="busier")
    case = desk.open_case(severity=Severity.CRITICAL)
    other = desk.open_case(severity=Severity.MEDIUM)
    Case.objects.filter(pk=other.pk).update(owner=busier, escalation_check_at=None, sla_check_at=None)
    assert case.owner == desk.technician
    forecast = check(Past(desk, Chance(1), NOON, case.pk), 40, really=True)
    asked = [(event.at - NOON, event.about) for event in forecast.events if event.kind == Kind.ASKED]
    assert asked == [(12 * HOUR, "tech"), (24 * HOUR, "tech")]  # without the critical case that went to L3


# --- what it costs, and that it writes nothing ------------------------------------------------------------------


def test_it_asks_no_more_of_the_database_for_200_contacts_and_200_promises(desk: Desk) -> None:
    case = desk.open_case(severity=Severity.CRITICAL, channel=Channel.PHONE)
    few = queries_of(case, NOON + HOUR)
    for number in range(200):
        at = NOON + number * MINUTE
        Interaction.objects.create(
            case=case, channel=Channel.PHONE, direction=Direction.OUT, at=at, by=desk.technician,
            contact=desk.contact, body="Hello", told=[Member.CSM],
        )  # fmt: skip
        SlaTarget.objects.create(
            case=case, kind=SlaKind.UPDATE, member=list(Member)[number % 5], since=at, due_at=at + HOUR,
            ended_at=at + MINUTE, outcome=SlaOutcome.MET,
        )  # fmt: skip
    assert queries_of(case, NOON + 4 * HOUR) <= few <= 21


@pytest.mark.parametrize("severity", list(Severity))
def test_it_writes_nothing(desk: Desk, severity: Severity) -> None:
    case = desk.open_case(severity=severity)
    before, row, people = counted(), columns(case.pk), list(User.objects.order_by("pk").values())
    with CaptureQueriesContext(connection) as asked:
        assert forecast_of(case, NOON + HOUR).events
    assert written(asked) == []
    assert (counted(), columns(case.pk), list(User.objects.order_by("pk").values())) == (before, row, people)


def test_a_forecast_that_has_enough_ends_early_and_says_the_same_until_then(desk: Desk) -> None:  # E10
    case = desk.open_case(severity=Severity.HIGH)
    whole = forecast_of(case, NOON).events
    short = forecast_of(case, NOON, enough=lambda events: any(one.kind == Kind.POINT for one in events)).events
    assert short == whole[: len(short)]
    assert {one.at for one in short if one.kind == Kind.POINT} == {NOON + 12 * HOUR}
    assert len(short) < len(whole)


def queries_of(case: Case, now: datetime) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert forecast_of(case, now).events
    return len(asked)


# --- roles that are empty (D5) ----------------------------------------------------------------------------------


def said(forecast: Forecast) -> str:
    return "\n".join(one.sentence for one in forecast.warnings)


def test_a_desk_on_which_everybody_is_there_gives_no_warning(desk: Desk) -> None:
    assert said(forecast_of(desk.open_case(severity=Severity.CRITICAL), NOON)) == ""


def test_an_empty_role_is_a_warning_that_names_who_gets_it_instead(desk: Desk) -> None:  # D5
    RoleHolder.objects.filter(role=Role.CSM).update(holder=None)
    forecast = forecast_of(desk.open_case(severity=Severity.CRITICAL), NOON)
    assert forecast.warnings[0].at == NOON + 4 * HOUR
    assert "Customer service manager (nobody) cannot be written to: support_manager gets it instead." in said(forecast)
    point = next(event for event in forecast.events if event.kind == Kind.POINT)
    people = {one.address: one.meant_for for one in point.people}
    assert people["support_manager@example.com"] == "Customer service manager (nobody)"
    assert "csm@example.com" not in people


@pytest.mark.parametrize(
    ("twist", "sentence"),
    [
        (lambda desk: desk.l3.delete(), "Critical 1 gives the case to L3, and there is no L3 technician."),
        (
            lambda desk: Contact.objects.update(email=""),
            "Help desk of Acme has no email address: the desk cannot update them itself.",
        ),
        (
            lambda desk: User.objects.filter(pk=desk.account_manager.pk).update(is_active=False),
            "Account manager of Acme (am) cannot be written to: support_manager gets it instead.",
        ),
    ],
)
def test_what_will_go_another_way_is_said(desk: Desk, twist: Callable[[Desk], Any], sentence: str) -> None:  # D5, E7
    twist(desk)
    assert sentence in said(forecast_of(desk.open_case(severity=Severity.CRITICAL), NOON))


def test_a_wait_that_nobody_can_be_reminded_of_is_not_closed(desk: Desk) -> None:  # F2, F7
    Contact.objects.update(email="")
    case = desk.open_case()
    transitions.ask_customer(
        case.pk, desk.technician, NOON, question="?", reason=WaitReason.CONFIRM, send=False, channel=Channel.PHONE
    )
    forecast = forecast_of(case, NOON)
    told = [event for event in forecast.events if event.kind == Kind.STAFF_TOLD]
    assert [event.at - NOON for event in told] == [timedelta(days=5), timedelta(days=6), timedelta(days=7)]
    assert {one.address for event in told for one in event.people} == {"support_manager@example.com"}
    kinds = Counter(event.kind for event in forecast.events)
    assert (kinds[Kind.NOTICE], Kind.HELD_UP in kinds, kinds[Kind.CLOSED]) == (3, True, 0)
    assert "nothing can be sent to them" in said(forecast)


def test_a_wait_is_reminded_of_three_times_and_closed(desk: Desk) -> None:  # F2
    case = desk.open_case()
    transitions.ask_customer(case.pk, desk.technician, NOON, question="?", reason=WaitReason.CONFIRM)
    found = [(event.at - NOON, event.kind, [one.address for one in event.people]) for event in seen(case)]
    customer = ["desk@acme.example.com"]
    notices = [(timedelta(days=days), Kind.NOTICE, customer) for days in (2, 4, 6)]
    assert found == [*notices, (timedelta(days=7), Kind.CLOSED, customer)]


def seen(case: Case) -> list[Any]:
    return forecast_of(case, NOON).events


# --- the page ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", ["technician", "account_manager", "customer_engineer", "manager"])
def test_the_case_page_says_what_happens_if_nobody_touches_it(desk: Desk, client: Client, reader: str) -> None:
    RoleHolder.objects.filter(role=Role.CSM).update(holder=None)
    User.objects.update(time_zone="Asia/Tokyo")
    case = desk.open_case(severity=Severity.CRITICAL)
    client.force_login(getattr(desk, reader))
    with time_machine.travel(NOON + 3 * HOUR, tick=False):
        text = forecast_panel_of(client, case)
    assert "Ownership goes from tech to l3" in text
    assert "01:00" in text  # Critical 1, at 16:00 UTC
    assert "Today, Thu 4 Jun" in text
    assert "Fri 5 Jun to Wed 10 Jun" in text
    assert "Customer service manager (nobody) cannot be written to: support_manager gets it instead." in text
    assert "l3@example.com" in text
    assert re.search(r"Status update to customer every 2 h: \d\d:\d\d, \d\d:\d\d, \d\d:\d\d, … \(\d+ times\)", text)


def test_a_resolved_case_says_until_when_it_can_be_reopened(desk: Desk, client: Client) -> None:  # C4
    case = desk.open_case()
    transitions.resolve(case.pk, desk.technician, NOON, resolution=Resolution.NOT_PURSUED)
    client.force_login(desk.technician)
    with time_machine.travel(NOON + HOUR, tick=False):
        text = forecast_panel_of(client, case)
        assert "The case is resolved: nothing happens by itself." in text
        assert "It can be reopened until Wed 17 Jun, 12:00" in text
    with time_machine.travel(NOON + timedelta(days=15), tick=False):
        text = forecast_panel_of(client, case)
    assert "It was resolved too long ago to be reopened" in text


def test_a_foreign_case_is_foretold_to_nobody(desk: Desk, client: Client) -> None:  # A1
    case = desk.open_case()
    client.force_login(desk.other_account_manager)
    answer = client.get(case.get_absolute_url(), follow=True)
    assert "If nobody touches it" not in answer.content.decode()
    assert panel_of(client, case, "forecast") == ""


def forecast_panel_of(client: Client, case: Case) -> str:
    """What the panel says, in one line of text."""
    return " ".join(re.sub(r"<[^>]+>", " ", html.unescape(panel_of(client, case, "forecast"))).split())
