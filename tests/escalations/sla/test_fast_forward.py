"""Lives fast-forwarded with every sweep of the engine: who is told what at which moment, what the ledger of promises
says afterwards, and nothing besides (T1 to T4, E1, E4, E7, E8).

Every list is the whole list: a mail, a line or a row that the rules do not ask for fails the test as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases.bulk import insert
from cases.engine.history import write_history
from cases.enums import CallOutcome, Channel, Direction, MailStatus, Severity
from cases.models import Case, FailedCase, Interaction, Mail
from cases.workflow import transitions
from contacts.enums import Role
from contacts.models import Contact, RoleHolder, Technician, User
from escalations.enums import Member
from escalations.models import ClockRule, DigestLine, SlaTarget
from escalations.questions.apply import answer_question
from escalations.questions.updates import send_status_update
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk, build_centre, build_user, reload
from tests.support.schedule_table import AM, COO, E1, MANAGEMENT, outcome_of
from tests.support.schedule_table import CUSTOMER as THE_CUSTOMER
from tests.support.stage import HOUR, MINUTE, Stage, at

pytestmark = pytest.mark.django_db

C, H, M, L = Severity
CUSTOMER, ACCOUNT_MANAGER, CSM, DIRECTOR, THE_COO = Member


@pytest.fixture
def stage(desk: Desk) -> Stage:
    return Stage(desk)


# --- E1 undisturbed: an independent walk, minute by minute ------------------------------------------------------

#: Minutes, from T2 and E8.
BASE = {C: 120, H: 240, M: 480, L: 1440}
ANSWER_WITHIN = {C: 30, H: 60, M: 240}
DECIDE_WITHIN = {C: 30, H: 30, M: 240}  # E9
LEAD = 5


@dataclass
class Owed:
    """What one member is owed: since when, until when, and the interval its deadline came from; minutes."""

    since: int
    due: int
    allowed: int
    every: int
    silent: int = 0


@dataclass
class Walk:
    """A case that nobody moves and on which nobody speaks; the people's names are those of the builders."""

    severity: Severity
    owner: str = "tech"
    former: bool = False
    owed: dict[str, Owed] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    director: bool = False
    silence_told: int | None = None
    answer_by: int | None = None
    decide_by: int | None = None

    def to(self, hours: int) -> Walk:
        self._audience({"customer": BASE[self.severity]}, 0)
        points = {int(cell.hours * 60): name for name, cell in E1.items() if name[0] == self.severity}
        for minute in range(1, hours * 60 + 1):
            said: dict[str, dict[str, str]] = {}
            if minute in points:
                self._point(points[minute], minute)
            if minute == self.decide_by:
                self.told.append(f"{_said(minute)} csm: escalation_request_passed_on")
            if minute == self.answer_by:
                said.setdefault("support_manager", {})["question"] = ""
            self._promises(minute, said)
            for name, sections in said.items():
                order = [one for one in ("reminder", "silence", "question", "update") if one in sections]
                what = ", ".join(f"{one} ({sections[one]})" if sections[one] else one for one in order)
                self.told.append(f"{_said(minute)} {name}: {what}")
        for member, owed in self.owed.items():
            self._row(member, owed, "open", "-")
        return self

    def _audience(self, cadence: dict[str, int], minute: int) -> None:
        for member in [one for one in self.owed if one not in cadence]:
            self._row(member, self.owed.pop(member), "released", _said(minute))
        for member, every in cadence.items():
            owed = self.owed.get(member)
            if owed is None:
                self.owed[member] = Owed(minute, minute + every, every, every)
            elif owed.every != every:
                owed.every = every
                if minute + every < owed.due:
                    owed.due, owed.allowed = minute + every, every

    def _point(self, name: tuple[Severity, int], minute: int) -> None:
        outcome = outcome_of([name], self.owner)
        self.told += [f"{_said(minute)} {one}: escalation" for one in outcome.mailed]
        self.former |= outcome.owner != self.owner
        self.owner = outcome.owner
        if outcome.asked:
            self.answer_by = minute + ANSWER_WITHIN[name[0]]
        if name in (("critical", 2), ("high", 2), ("medium", 3)):  # additional escalation where appropriate
            self.decide_by = minute + DECIDE_WITHIN[name[0]]
        self.director |= "cs_director" in E1[name].informs
        names = {THE_CUSTOMER: ["customer"], AM: ["account_manager"], COO: ["coo"]}
        names[MANAGEMENT] = ["csm", "cs_director"] if self.director else ["csm"]
        self._audience({one: every for who, every in E1[name].minutes.items() for one in names[who]}, minute)

    def _promises(self, minute: int, said: dict[str, dict[str, str]]) -> None:
        remind = [one for one, owed in self.owed.items() if minute == owed.due - owed.allowed // 4]
        if remind:
            labels = [member.label for member in Member if member.value in remind]
            said.setdefault(self.owner, {})["reminder"] = " and ".join(
                [", ".join(labels[:-1])] * (len(labels) > 1) + labels[-1:]
            )
        if self.silence_told is not None and minute == self.silence_told + 24 * 60:
            self.silence_told = minute
            said.setdefault("support_manager", {})["silence"] = ""
        due = [one for one, owed in self.owed.items() if minute == owed.due - LEAD]
        for member in due:
            owed = self.owed[member]
            owed.silent += 1
            if owed.silent == 2 and self.silence_told is None:
                self.silence_told = minute
                said.setdefault("support_manager", {})["silence"] = ""
            if member == "customer":
                self.told.append(f"{_said(minute)} customer: status_update")
            else:
                said.setdefault("am" if member == "account_manager" else member, {})["update"] = ""
            self._row(member, owed, "system", _said(minute))
            owed.since, owed.due, owed.allowed = minute, minute + owed.every, owed.every
        if "customer" in due and self.former:
            said.setdefault("tech", {})["update"] = ""

    def _row(self, member: str, owed: Owed, outcome: str, until: str) -> None:
        if outcome == "open":  # a row is written when the first thing happens to it
            return
        self.rows.append(f"{member} {_said(owed.since)}-{_said(owed.due)} {outcome} {until}")


def _said(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02}"


def without_tells(rows: list[str]) -> list[str]:
    return [row.split(",")[0] for row in rows if " open " not in row]


@pytest.mark.slow
@pytest.mark.parametrize(("severity", "hours"), [(C, 31), (H, 60), (M, 376), (L, 100)])
def test_on_a_case_that_nothing_moves_everybody_hears_in_time_of_e1s_audience_and_nothing_besides(
    stage: Stage, severity: Severity, hours: int
) -> None:  # E1, T2, T3, E7, E8
    stage.open(severity)
    stage.to(hours)
    walk = Walk(severity).to(hours)
    assert sorted(stage.told) == sorted(walk.told)
    assert sorted(without_tells(stage.ledger())) == sorted(walk.rows)
    assert not FailedCase.objects.exists()
    assert not Mail.objects.exclude(status=MailStatus.SENT).exists()


# --- T1: the first response -------------------------------------------------------------------------------------


def responses(stage: Stage) -> list[str]:
    return [row for row in stage.ledger() if row.startswith("response")]


@pytest.mark.parametrize(
    ("severity", "remind", "due"),
    [(C, "0:22:30", "0:30"), (H, "0:45", "1:00"), (M, "1:30", "2:00"), (L, "2:15", "3:00")],
)
def test_a_phoned_in_case_is_responded_to_in_time_or_missed_for_good(
    stage: Stage, severity, remind, due
) -> None:  # T1, T4
    met = stage.open(severity, Channel.PHONE)
    missed = stage.open(severity, Channel.PHONE)
    by_mail = stage.open(severity, Channel.EMAIL)
    stage.do(due, stage.contact(met))  # at the very moment it is due
    stage.to(due)
    both = "reminder (Customer: first response; Customer: first response) x2"
    assert stage.told == [f"{remind} tech: {both}"]
    stage.to((at(due) - NOON) / HOUR + 0.01)
    assert stage.told[1:] == [f"{due}:01 support_manager: response"]
    told = f"told {due}:01"
    assert responses(stage) == [f"response 0:00-{due} person {due} by tech", f"response 0:00-{due} missed -, {told}"]
    stage.do("3:10", stage.contact(missed))
    stage.do("3:20", stage.becomes(missed, C if severity != C else L))
    stage.to("3:30")
    assert responses(stage) == [
        f"response 0:00-{due} person {due} by tech",
        f"response 0:00-{due} missed 3:10 by tech, {told}",
    ]
    assert not [row for row in stage.ledger(by_mail) if row.startswith("response")]


@pytest.mark.parametrize("send", [True, False])
def test_the_contact_in_which_the_customer_is_asked_meets_it_and_says_by_whom(stage: Stage, send: bool) -> None:
    # T1, C3
    case = stage.open(C, Channel.PHONE)
    stage.do("0:29", stage.asks(case, send=send)).to("60:00")
    assert responses(stage) == ["response 0:00-0:30 person 0:29 by tech"]


def test_a_raised_severity_brings_the_first_response_forward(stage: Stage) -> None:  # T1
    soon, later = stage.open(L, Channel.PHONE), stage.open(M, Channel.PHONE)
    stage.do("1:00", stage.becomes(soon, C)).do("1:45", stage.becomes(later, H))
    stage.to("2:10")
    assert responses(stage) == [
        "response 0:00-1:30 missed -, told 1:30:01",
        "response 0:00-2:00 missed -, told 2:00:01",
    ]


def test_neither_notes_nor_automatic_mail_nor_the_customers_own_mail_are_a_first_response(stage: Stage) -> None:  # T1
    case = stage.open(M, Channel.PHONE)
    stage.do("0:10", stage.contact(case, Channel.NOTE, Direction.INTERNAL))
    stage.do("0:20", stage.contact(case, Channel.EMAIL, Direction.IN))
    stage.to("2:01")
    assert responses(stage) == ["response 0:00-2:00 missed -, told 2:00:01"]
    stage.do("2:30", stage.contact(case, reached=False))  # a message left counts
    stage.to("2:31")
    assert responses(stage) == ["response 0:00-2:00 missed 2:30 by tech, told 2:00:01"]


def test_a_case_that_is_resolved_before_anybody_could_respond_is_released(stage: Stage) -> None:  # T1
    case = stage.open(C, Channel.PHONE)
    stage.do("0:20", stage.resolves(case)).to("5:00")
    assert stage.ledger(case) == ["response 0:00-0:30 released 0:20", "customer 0:00-2:00 released 0:20"]
    assert stage.told == []


def test_a_missed_response_that_was_given_before_anybody_looked_is_told_to_nobody(stage: Stage) -> None:  # T1, S3
    case = stage.open(C, Channel.PHONE)
    stage.now = at("0:40")
    stage.contact(case)(stage.now)
    stage.outage("0:50")
    assert [line for line in stage.told if "response" in line] == []
    assert responses(stage) == ["response 0:00-0:30 missed 0:40 by tech"]


# --- D4: whoever was contacted for a role stays -----------------------------------------------------------------


@pytest.fixture
def tokyo(desk: Desk) -> User:
    """The CSM of another centre, to which High 2 hands the case."""
    centre = build_centre("Tokyo", "JP", "Asia/Tokyo")
    Technician.objects.filter(user=desk.l3).update(centre=centre)
    csm = build_user(Role.CSM, "tokyo-csm")
    RoleHolder.objects.create(role=Role.CSM, centre=centre, holder=csm)
    return csm


@pytest.mark.slow
def test_the_csm_who_was_contacted_stays_when_the_case_goes_to_another_centre(stage: Stage, tokyo: User) -> None:  # D4
    case = stage.open(H)
    stage.to("44:00")
    assert reload(case).owner == stage.desk.l3
    updates = [line for line in after(stage, "36:00") if "csm: update" in line]
    assert updates == ["36:55 csm: update", "40:50 csm: update"]
    assert not [line for line in stage.told if "tokyo-csm" in line]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["leaves", "gives the role up", "a new run"])
def test_they_stay_while_they_hold_the_role_and_the_run_lasts(stage: Stage, tokyo: User, what: str) -> None:  # D4, E2
    case = stage.open(H)
    stage.to("37:00")
    if what == "leaves":
        User.objects.filter(username="csm").update(is_active=False)
    elif what == "gives the role up":
        RoleHolder.objects.filter(holder__username="csm").update(holder=None)
    else:
        stage.do("37:30", stage.resolves(case)).do("70:00", stage.reopens(case)).to("82:00")
    stage.to("84:00")
    since = after(stage, "82:00" if what == "a new run" else "37:01")
    assert [line for line in since if "tokyo-csm: " in line]
    assert not [line for line in since if " csm: " in line]


# --- T5: turning points -----------------------------------------------------------------------------------------


def contents(to: str, since: str) -> list[str]:
    rows = Mail.objects.filter(to_address__startswith=to, queued_at__gte=at(since)).order_by("pk")
    return [mail.text for mail in rows]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "read"),
    [
        ("resolves", "Customer cannot pursue it further. No further update follows."),
        ("asks", "Asked to confirm the solution. No updates are owed meanwhile"),
    ],
)
def test_everybody_who_is_owed_updates_hears_once_that_none_follows(stage: Stage, what, read) -> None:  # T5
    case = stage.open(C)
    stage.to("24:00").do("24:30", getattr(stage, what)(case)).to("30:00")
    everybody = ["am", "coo", "cs_director", "csm", "tech"]  # of Critical 3, and the former owner who watches
    hears = {line.replace("question, ", "") for line in after(stage, "24:01") if "turn" in line}
    everybody += ["support_manager"] if what == "asks" else []  # D6
    assert {f"24:30 {who}: turn" for who in everybody if who != "cs_director"} == hears
    assert read in contents("coo", "24:01")[0]
    assert stage.told.count("24:30 coo: turn") == 1


def test_a_closing_for_no_response_is_told_as_well_though_no_update_was_owed_in_the_wait(stage: Stage) -> None:  # T5
    case = stage.open(H)
    stage.do("12:30", stage.asks(case, send=True)).to(24 * 8 + 12.5)
    assert [line for line in stage.told if "csm: turn" in line] == ["12:30 csm: turn", "180:30 csm: turn"]
    assert "No response from the customer" in contents("csm", "13:00")[-1]


@pytest.mark.parametrize(("severity", "off", "hears"), [(C, [], 1), (H, [], 1), (M, [], 0), (C, ["waiting_case"], 0)])
def test_the_support_manager_hears_of_each_severe_case_that_begins_to_wait(
    stage: Stage, settings, severity, off, hears
) -> None:  # D6
    settings.DESK_NOTICES_OFF = off
    case = stage.open(severity)
    stage.do("1:00", stage.asks(case, send=True)).to("1:10")
    assert stage.told.count("1:00 support_manager: turn") == hears


def test_a_wait_that_is_over_before_anybody_looked_is_told_to_nobody(stage: Stage) -> None:  # T5
    case = stage.open(H)
    stage.to("12:30")
    stage.asks(case)(at("12:31"))
    stage.takes_back(case)(at("12:31:30"))
    stage.to("13:00")
    assert [line for line in stage.told if "turn" in line] == []


def test_what_turned_before_a_case_was_taken_over_is_told_to_nobody(stage: Stage) -> None:  # T5
    case = stage.open(H)
    stage.to("12:30")
    stage.resolves(case)(at("12:31"))
    Case.objects.filter(pk=case.pk).update(sla_counts_from=at("12:40"), sla_check_at=at("12:40"))
    stage.to("13:00")
    assert [line for line in stage.told if "turn" in line] == []


def test_a_reminder_goes_to_whoever_stands_in_for_an_owner_off_duty_as_well(stage: Stage, desk: Desk) -> None:  # T3
    stage.open(H)
    Technician.objects.filter(user=desk.technician).update(on_duty=False)
    stage.to("3:00")
    assert stage.told == ["3:00 l3: reminder (Customer)", "3:00 tech: reminder (Customer)"]
    assert "tech, who owns the case, is off duty" in contents("l3", "3:00")[0]


# --- T2, T3: by a person ----------------------------------------------------------------------------------------

HEARD = {
    "a call": (Channel.PHONE, Direction.OUT, {}),
    "a message left": (Channel.PHONE, Direction.OUT, {"reached": False}),
    "a chat": (Channel.CHAT, Direction.OUT, {}),
    "a mail": (Channel.EMAIL, Direction.OUT, {}),
    "a call of theirs": (Channel.PHONE, Direction.IN, {}),
    "a chat of theirs": (Channel.CHAT, Direction.IN, {}),
}


@pytest.mark.parametrize("how", HEARD)
def test_whatever_the_customer_hears_from_us_is_an_update_and_begins_the_next(stage: Stage, how: str) -> None:  # T2
    case = stage.open(H)
    channel, direction, more = HEARD[how]
    stage.do("2:00", stage.contact(case, channel, direction, **more))
    stage.do("5:55", stage.contact(case, channel, direction, **more))  # as the desk is about to send its own
    stage.to("9:55")
    assert stage.told == [
        "5:00 tech: reminder (Customer)",
        "8:55 tech: reminder (Customer)",
        "9:50 customer: status_update",
    ]
    assert stage.ledger() == [
        "customer 0:00-4:00 person 2:00 by tech",
        "customer 2:00-6:00 person 5:55 by tech",
        "customer 5:55-9:55 system 9:50",
    ]


@pytest.mark.parametrize(
    "what", [(Channel.NOTE, Direction.INTERNAL), (Channel.EMAIL, Direction.IN)], ids=["a note", "their own mail"]
)
def test_what_the_customer_does_not_hear_from_us_is_no_update(stage: Stage, what) -> None:  # T2
    case = stage.open(H)
    stage.do("2:00", stage.contact(case, *what)).to("4:00")
    assert stage.told == ["3:00 tech: reminder (Customer)", "3:55 customer: status_update"]
    assert stage.ledger() == ["customer 0:00-4:00 system 3:55"]


def test_a_call_to_the_customer_tells_the_csm_nothing_and_the_other_way_round(stage: Stage) -> None:  # T2, E1
    case = stage.open(H)
    stage.to("12:00")  # High 1: customer and CSM every 2 h; the customer's update of 11:45 is due anew by 14:00
    stage.told.clear()
    stage.do("12:30", stage.contact(case))
    stage.do("13:15", stage.contact(case, Channel.NOTE, Direction.INTERNAL, told=(CSM,)))
    stage.to("15:15")
    assert stage.told == [
        "13:00 support_manager: question",
        "14:00 tech: reminder (Customer)",
        "14:25 customer: status_update",
        "14:45 tech: reminder (Customer service manager)",
        "15:10 csm: update",
    ]
    assert stage.ledger(since="12:00") == [
        "customer 11:45-14:00 person 12:30 by tech",
        "customer 12:30-14:30 system 14:25",
        "csm 12:00-14:00 person 13:15 by tech",
        "csm 13:15-15:15 system 15:10",
    ]


def test_a_persons_update_goes_to_those_they_choose_and_resets_their_clocks_only(stage: Stage) -> None:  # T2, E8
    case = stage.open(C)
    stage.outage("24:00")  # Critical 3: everybody from now on
    stage.told.clear()
    say = {"text": "The vendor is on it.", "answers_question": False}
    stage.do("24:10", lambda now: send_status_update(case.pk, stage.desk.l3, now, members=[THE_COO, CSM], **say))
    stage.do("24:20", lambda now: send_status_update(case.pk, stage.desk.l3, now, customer_too=True, **say))
    stage.to("26:00")
    assert [line for line in stage.told if "reminder" not in line] == [
        "24:30 csm: escalation_request_passed_on",
        "24:30 support_manager: question",
        "25:55 am: update",  # the former owner, who watches, hears with the customer
    ]
    assert [row for row in stage.ledger(since="24:00") if " person " in row] == [
        "customer 24:00-26:00 person 24:20 by l3",
        "csm 24:00-26:00 person 24:10 by l3",
        "coo 24:00-26:00 person 24:10 by l3",
    ]


def test_an_answer_of_the_owner_is_an_update_to_the_staff_and_none_to_the_customer(stage: Stage) -> None:  # E8, T2
    case = stage.open(H)
    stage.to("12:00")
    stage.told.clear()
    stage.do(
        "12:20",
        lambda now: answer_question(case.pk, stage.desk.technician, now, answer="Vendor!", for_customer="Soon."),
    )
    stage.to("14:20")
    assert stage.told == [
        "13:30 tech: reminder (Customer)",
        "13:50 tech: reminder (Customer service manager)",
        "13:55 customer: status_update",
        "14:15 csm: update",
    ]
    (mail,) = Mail.objects.filter(template="status_update", queued_at=at("13:55"))
    assert "Soon." in mail.text
    assert "Vendor!" not in mail.text


def test_a_word_ends_the_silence_and_after_two_more_the_support_manager_is_told_anew(stage: Stage) -> None:  # T3
    case = stage.open(L)
    stage.to("72:00").do("75:00", stage.contact(case)).to("125:00")
    assert [line for line in stage.told if "silence" in line] == [
        "47:50 support_manager: silence",
        "71:50 support_manager: silence",  # and again after a day in which nobody spoke
        "122:50 support_manager: silence",
    ]
    assert stage.ledger() == [
        "customer 0:00-24:00 system 23:55",
        "customer 23:55-47:55 system 47:50, told 47:50",
        "customer 47:50-71:50 system 71:45, told 47:50",
        "customer 71:45-95:45 person 75:00 by tech",
        "customer 75:00-99:00 system 98:55",
        "customer 98:55-122:55 system 122:50, told 122:50",
    ]


def test_who_calls_the_customer_but_never_the_csm_is_reported_for_the_csm_and_again_for_the_customer(
    stage: Stage,
) -> None:  # T3
    case = stage.open(H)
    for hours in (3, 6, 9, 11, 12.5, 14, 15.5, 16.5):
        stage.do(hours, stage.contact(case))
    stage.to("24:00")
    assert [line for line in stage.told if "silence" in line] == [
        "15:50 support_manager: silence",  # the CSM heard from the desk alone at 13:55 and 15:50
        "20:20 support_manager: silence",  # a person spoke with the customer after that, at 16:30; and then no more
    ]


# --- missed, once and for good (T4) -----------------------------------------------------------------------------


def after(stage: Stage, moment: str) -> list[str]:
    """What was told from a moment on."""
    return [line for line in stage.told if at(line.split()[0]) >= at(moment)]


def switch_off(severity: Severity) -> None:
    """The desk sends no updates by itself on cases of a severity (T3)."""
    ClockRule.objects.filter(severity=severity).update(automatic_updates=False)


def mail_server(settings, works: bool) -> None:
    kind = "locmem" if works else "smtp"
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{kind}.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there


def test_after_an_outage_one_update_goes_and_the_miss_keeps_its_moment(stage: Stage) -> None:  # T4, F7's spirit
    stage.open(L)
    stage.outage("100:00").to("124:00")
    assert stage.told == [
        "100:00 customer: status_update",
        "118:00 tech: reminder (Customer)",
        "123:55 customer: status_update",
        "123:55 support_manager: silence",
    ]
    assert stage.ledger() == [
        "customer 0:00-24:00 missed 100:00",
        "customer 100:00-124:00 system 123:55, told 123:55",
    ]
    first, second = Mail.objects.filter(template="status_update").order_by("pk")
    assert "later than we promised: it was due on" in first.text
    assert "later than" not in second.text


def test_an_outage_over_three_points_is_one_step_and_one_update_for_those_who_were_owed_one(stage: Stage) -> None:
    # E5, T2: who joins by it counts from then on
    stage.open(C)
    stage.outage("30:00").to("32:00")
    assert stage.told == [
        "30:00 am: escalation",
        "30:00 coo: escalation",
        "30:00 csm: escalation",
        "30:00 customer: status_update",
        "30:00 l3: escalation",
        "30:00 support_manager: escalation",
        "30:00 tech: escalation",
        "30:00 tech: update",
        "30:30 csm: escalation_request_passed_on",
        "30:30 support_manager: question",
        "31:30 l3: reminder (Customer, Account manager, Customer service manager and COO)",
        "31:55 am: update",
        "31:55 coo: update",
        "31:55 csm: update",
        "31:55 customer: status_update",
        "31:55 support_manager: silence",
        "31:55 tech: update",
    ]
    assert stage.ledger() == [
        "customer 0:00-2:00 missed 30:00",
        "customer 30:00-32:00 system 31:55, told 31:55",
        "account_manager 30:00-32:00 system 31:55",
        "csm 30:00-32:00 system 31:55",
        "coo 30:00-32:00 system 31:55",
    ]


def test_with_the_desks_own_updates_switched_off_only_people_keep_promises(stage: Stage) -> None:  # T3, T4
    switch_off(H)
    case = stage.open(H)
    stage.do("9:00", stage.contact(case)).to("11:00")
    assert stage.told == ["3:00 tech: reminder (Customer)", "8:00 support_manager: silence"]
    assert stage.ledger() == ["customer 0:00-4:00 missed 9:00 by tech, told 8:00"]
    (reminder,) = Mail.objects.filter(template="staff_lines", to_address="tech@example.com")
    assert "The desk sends none by itself." in reminder.text
    stage.to("40:00")
    assert [line for line in after(stage, "11:00") if "escalation" not in line and "question" not in line] == [
        "12:00 tech: reminder (Customer)",  # 9:00 and four hours; High 1 allows two, but from 12:00
        "13:30 tech: reminder (Customer service manager)",
        "15:00 support_manager: silence",  # the customer was owed a second one at 15:00; the CSM's silence is the same
        "39:00 l3: reminder (Account manager)",
        "39:00 support_manager: silence",
    ]
    assert [row for row in stage.ledger() if "released" in row or "system" in row] == []


def test_one_severity_is_switched_off_and_the_others_go_on(stage: Stage) -> None:  # T3
    switch_off(C)
    case = stage.open(C)
    stage.do("0:30", stage.becomes(case, M)).to("8:00")
    assert stage.told == [
        "1:30 tech: reminder (Customer)",
        "1:55 customer: status_update",
        "7:55 tech: reminder (Customer)",
    ]
    raised = stage.open(M)
    stage.do("9:00", stage.becomes(raised, C)).to("12:00")
    assert stage.ledger(raised) == ["customer 8:00-11:00 missed -"]


@pytest.mark.parametrize(
    ("automatic", "told"), [(True, "customer: status_update"), (False, "tech: reminder (Customer)")]
)
def test_a_late_look_shortly_before_the_deadline_still_does_what_helps(stage: Stage, automatic, told) -> None:  # T3
    if not automatic:
        switch_off(H)
    stage.open(H)
    stage.outage("3:57")
    assert stage.told == [f"3:57 {told}"]


def test_a_customer_without_an_address_is_called_or_misses_the_update(stage: Stage) -> None:  # T3, T4
    Contact.objects.update(email="")
    case = stage.open(L)
    stage.to("50:00")
    assert stage.told == ["18:00 tech: reminder (Customer)", "48:00 support_manager: silence"]
    (reminder,) = Mail.objects.filter(template="staff_lines", to_address="tech@example.com")
    assert "so nobody is told unless you call" in reminder.text
    assert stage.ledger() == ["customer 0:00-24:00 missed -, told 48:00"]
    stage.do("51:00", stage.contact(case)).to("70:00")
    assert stage.ledger() == ["customer 0:00-24:00 missed 51:00 by tech, told 48:00", "customer 51:00-75:00 open -"]
    assert after(stage, "50:01") == ["69:00 tech: reminder (Customer)"]


def test_a_customer_who_gets_an_address_gets_the_update_that_is_late(stage: Stage) -> None:  # T3
    Contact.objects.update(email="")
    stage.open(L)
    stage.to("50:00")
    Contact.objects.filter(is_help_desk=True).update(email="desk@acme.example.com")
    stage.to("73:00")
    assert after(stage, "50:00") == ["72:00 customer: status_update"]
    assert stage.ledger() == ["customer 0:00-24:00 missed 72:00, told 48:00"]


# --- the desk's own update, and what becomes of its mail --------------------------------------------------------


def test_the_desks_update_that_leaves_too_late_has_missed_the_promise(stage: Stage, settings) -> None:  # T3, T4
    stage.open(C)
    stage.to("1:50")
    mail_server(settings, works=False)
    stage.to("2:05")
    assert stage.ledger() == ["customer 0:00-2:00 missed 1:55"]
    mail_server(settings, works=True)
    stage.to("2:10")
    assert stage.told == [
        "1:30 tech: reminder (Customer)",
        "1:55 customer: status_update",
        "2:06 customer: sent status_update",
    ]
    assert stage.ledger() == ["customer 0:00-2:00 missed 1:55"]


def test_the_desks_update_that_leaves_late_but_in_time_has_kept_it(stage: Stage, settings) -> None:  # T3
    stage.open(C)
    stage.to("1:50")
    mail_server(settings, works=False)
    stage.to("1:58")
    assert SlaTarget.objects.get().outcome == ""
    mail_server(settings, works=True)
    stage.to("2:00")
    assert after(stage, "1:58") == ["1:58:20 customer: sent status_update"]
    assert stage.ledger() == ["customer 0:00-2:00 system 1:55"]


def test_a_person_who_speaks_before_the_deadline_keeps_what_a_dead_mail_server_would_miss(
    stage: Stage, settings
) -> None:  # T2, T3
    case = stage.open(C)
    stage.to("1:50")
    mail_server(settings, works=False)
    stage.do("1:58", stage.contact(case)).to("2:05")
    assert stage.ledger() == ["customer 0:00-2:00 person 1:55", "customer 1:55-3:55 person 1:58 by tech"]


@pytest.mark.parametrize("what", ["asks", "resolves"])
def test_an_update_that_is_not_owed_any_more_is_dropped_and_its_promise_released(
    stage: Stage, settings, what: str
) -> None:  # M1, T2
    case = stage.open(C)
    stage.to("1:50")
    mail_server(settings, works=False)
    stage.do("1:56:30", getattr(stage, what)(case)).to("2:05")
    mail_server(settings, works=True)
    stage.to("3:00")
    assert [line for line in stage.told[:4] if "turn" not in line][:3] == [
        "1:30 tech: reminder (Customer)",
        "1:55 customer: status_update",
        "1:56:40 customer: dropped status_update",
    ]
    ended = "person 1:55", "person 1:56:30 by tech"  # the question is a contact; of it the customer heard in time
    first, second = ended if what == "asks" else ("released 1:55", "released 1:56:30")
    assert stage.ledger() == [f"customer 0:00-2:00 {first}", f"customer 1:55-3:55 {second}"]


def test_an_update_that_a_newer_one_has_replaced_never_leaves(stage: Stage, settings) -> None:  # M1
    stage.open(C)
    stage.to("1:50")
    mail_server(settings, works=False)
    stage.to("1:55").outage("3:50")
    mail_server(settings, works=True)
    stage.to("3:55")
    assert after(stage, "1:55") == [
        "1:55 customer: status_update",
        "3:50 customer: dropped status_update",
        "3:50 customer: status_update",
        "3:50 support_manager: silence",
        "3:50:20 customer: sent status_update",  # what keeps a promise goes first
        "3:51 support_manager: sent silence",
    ]
    assert stage.ledger() == ["customer 0:00-2:00 missed 1:55", "customer 1:55-3:55 system 3:50, told 3:50"]


def test_an_update_that_was_put_off_never_follows_a_newer_one(stage: Stage) -> None:  # M1, M2
    stage.open(C)
    stage.to("1:54")
    keep_promises(at("1:55"))  # its own mailbox is full just then
    Mail.objects.filter(template="status_update").update(send_at=at("3:52"), attempts=4)
    stage.to("3:55")
    old, new = Mail.objects.filter(template="status_update").order_by("pk")
    assert (old.status, old.last_error) == (MailStatus.DROPPED, "A newer update has taken this one's place.")
    assert new.sent_at == at("3:50")


# --- waits, resolutions, reopenings -----------------------------------------------------------------------------


def test_nothing_is_owed_while_the_case_waits_and_it_counts_from_the_end_of_the_wait(stage: Stage) -> None:  # T2
    case = stage.open(H)
    stage.do("1:00", stage.asks(case)).do("30:00", stage.takes_back(case)).to("34:00")
    assert stage.told == [
        "1:00 support_manager: turn",  # D6
        "33:00 tech: reminder (Customer)",
        "33:55 customer: status_update",
    ]
    # asked by phone, which is a contact like any other (C3)
    assert stage.ledger() == ["customer 0:00-4:00 person 1:00 by tech", "customer 30:00-34:00 system 33:55"]


def test_a_question_by_mail_is_a_persons_word_and_so_is_the_answer_by_phone_no_new_one(stage: Stage) -> None:  # T2
    case = stage.open(H)
    stage.do("1:00", stage.asks(case, send=True))
    stage.do("5:00", stage.contact(case, direction=Direction.IN)).to("9:00")
    assert stage.told == [
        "1:00 support_manager: turn",  # D6
        "8:00 tech: reminder (Customer)",
        "8:55 customer: status_update",
    ]
    assert stage.ledger() == ["customer 0:00-4:00 person 1:00 by tech", "customer 5:00-9:00 system 8:55"]


def test_reopened_within_a_day_the_audience_is_as_it_was(stage: Stage) -> None:  # E2, E4, T2
    case = stage.open(H)
    stage.do("12:45", stage.resolves(case)).do("30:00", stage.reopens(case)).to("32:00")
    assert after(stage, "12:01") == [
        "12:45 csm: turn",
        "30:00 csm: turn",
        "30:00 customer: case_reopened",
        "31:30 tech: reminder (Customer and Customer service manager)",
        "31:55 csm: update",
        "31:55 customer: status_update",
    ]
    assert stage.ledger(since="12:00") == [
        "customer 11:45-14:00 released 12:45",
        "customer 30:00-32:00 system 31:55",
        "csm 12:00-14:00 released 12:45",
        "csm 30:00-32:00 system 31:55",
    ]


def test_reopened_later_it_is_the_customer_alone_until_a_point_comes_again(stage: Stage) -> None:  # E2, E4, T2
    case = stage.open(H)
    stage.do("12:45", stage.resolves(case)).do("40:00", stage.reopens(case)).to("52:00")
    assert after(stage, "12:01") == [
        "12:45 csm: turn",
        "40:00 customer: case_reopened",
        "43:00 tech: reminder (Customer)",
        "43:55 customer: status_update",
        "46:55 tech: reminder (Customer)",
        "47:50 customer: status_update",
        "47:50 support_manager: silence",
        "50:50 tech: reminder (Customer)",
        "51:45 customer: status_update",
        "52:00 am: escalation",
        "52:00 csm: escalation",
        "52:00 tech: escalation",
    ]


# --- severities in the middle (E4) ------------------------------------------------------------------------------


def test_raised_the_earlier_deadline_holds_and_the_new_interval_from_then_on(stage: Stage) -> None:  # T2, E4
    case = stage.open(M)
    stage.do("7:30", stage.becomes(case, C)).to("9:55")
    assert stage.told == [
        "6:00 tech: reminder (Customer)",
        "7:30 am: escalation",
        "7:30 csm: escalation",
        "7:30 l3: escalation",
        "7:30 tech: escalation",
        "7:55 customer: status_update",
        "7:55 tech: update",
        "9:00 l3: reminder (Account manager)",
        "9:25 am: update",
        "9:25 l3: reminder (Customer)",
        "9:50 customer: status_update",
        "9:50 support_manager: silence",
        "9:50 tech: update",
    ]
    assert stage.ledger() == [
        "customer 0:00-8:00 system 7:55",
        "customer 7:55-9:55 system 9:50, told 9:50",
        "account_manager 7:30-9:30 system 9:25",
    ]


def test_raised_with_no_point_passed_the_next_interval_is_the_shorter_one(stage: Stage) -> None:  # T2
    case = stage.open(M)
    stage.do("7:50", stage.becomes(case, H)).to("11:55")
    assert stage.ledger() == ["customer 0:00-8:00 system 7:55", "customer 7:55-11:55 system 11:50, told 11:50"]
    first, _ = Mail.objects.filter(template="status_update").order_by("pk")
    assert first.facts["next_at"] == at("11:55").isoformat()


def test_lowered_the_old_deadline_holds_and_who_leaves_the_audience_is_owed_nothing(stage: Stage) -> None:  # T2, E4
    case = stage.open(C)
    stage.do("5:00", stage.becomes(case, L)).to("29:45")
    assert after(stage, "5:00") == [
        "5:20 l3: reminder (Customer)",
        "5:45 customer: status_update",
        "5:45 tech: update",
        "23:45 l3: reminder (Customer)",
        "27:50 support_manager: silence",
        "29:40 customer: status_update",
        "29:40 tech: update",
    ]
    assert stage.ledger(since="5:00") == [
        "customer 3:50-5:50 system 5:45, told 3:50",
        "customer 5:45-29:45 system 29:40, told 27:50",
        "account_manager 4:00-6:00 released 5:00",
    ]


def test_lowered_past_points_of_the_new_severity_they_set_the_audience_and_nobody_is_written_to(stage: Stage) -> None:
    # E4: recorded quietly; who was in the audience and is so again never leaves it
    case = stage.open(C)
    stage.outage("39:00").do("40:00", stage.becomes(case, H)).to("44:30")
    assert [line for line in after(stage, "40:00") if "escalation" in line or "question" in line] == []
    released = [row for row in stage.ledger(since="40:00") if "released" in row]
    assert len(released) == 1
    assert released[0].startswith("coo ")
    assert released[0].endswith(" released 40:00")
    since: dict[str, list[str]] = {}
    for row in stage.ledger(since="40:00"):
        since.setdefault(row.split()[0], []).append(row.split()[1])
    assert set(since) == {"customer", "account_manager", "csm", "coo"}
    for member in ("customer", "account_manager", "csm"):
        (first, due), *_ = [[at(one) for one in period.split("-")] for period in since[member]]
        assert first < at("40:00"), "it never left the audience"
        assert due - first == 2 * HOUR, "the old deadline is the earlier one"


# --- who reads it -----------------------------------------------------------------------------------------------


def test_the_former_owner_reads_the_updates_as_staff_until_they_leave(stage: Stage) -> None:  # E7
    case = stage.open(C)
    stage.do("5:50", lambda now: transitions.stop_watching(case.pk, stage.desk.technician)).to("8:00")
    assert [line for line in after(stage, "4:01") if "reminder" not in line] == [
        "5:45 customer: status_update",
        "5:45 tech: update",
        "5:55 am: update",
        "7:40 customer: status_update",
        "7:50 am: update",
    ]


def test_the_former_owner_hears_with_the_customer_and_not_with_everybody_else(stage: Stage) -> None:  # E7
    case = stage.open(C)
    am_heard = stage.contact(case, Channel.NOTE, Direction.INTERNAL, by=stage.desk.l3, told=(Member.ACCOUNT_MANAGER,))
    stage.do("5:00", am_heard).to("8:00")
    assert [line for line in after(stage, "5:01") if "update" in line] == [
        "5:45 customer: status_update",
        "5:45 tech: update",
        "6:55 am: update",
        "7:40 customer: status_update",
        "7:40 tech: update",
    ]


@pytest.mark.parametrize("who", ["without address", "left"])
def test_of_a_customer_who_is_not_written_to_the_former_owner_hears_with_the_others(stage: Stage, who) -> None:  # E7
    stage.open(C)
    stage.to("5:00")
    Contact.objects.update(**{"email": ""} if who == "without address" else {"active": False})
    stage.to("6:00")
    assert [line for line in after(stage, "5:00") if ": update" in line] == ["5:55 am: update", "5:55 tech: update"]


def test_a_former_owner_who_has_left_the_desk_gets_nothing_more_and_nobody_in_their_place(stage: Stage) -> None:  # E7
    stage.open(C)
    stage.to("5:00")
    User.objects.filter(username="tech").update(is_active=False)
    stage.to("6:00")
    assert [line for line in after(stage, "5:00") if "reminder" not in line] == [
        "5:45 customer: status_update",
        "5:55 am: update",
    ]


def test_the_reminder_goes_to_whoever_owns_the_case_by_then(stage: Stage, desk: Desk) -> None:  # T3
    case = stage.open(L)
    stage.do("10:00", stage.goes_to(case, desk.l3)).to("24:00")
    assert stage.told == [
        "18:00 l3: reminder (Customer)",
        "23:55 customer: status_update",
        "23:55 tech: update",
    ]


@pytest.mark.parametrize("owner", ["nobody", "tech"])
def test_the_reminder_of_an_owner_who_cannot_be_reached_goes_to_the_support_manager(stage: Stage, owner) -> None:
    # T3, D5
    case = stage.open(L)
    if owner == "nobody":
        Case.objects.filter(pk=case.pk).update(owner=None)
    else:
        User.objects.filter(username="tech").update(email="")
    stage.to("24:00")
    assert stage.told == ["18:00 support_manager: reminder (Customer)", "23:55 customer: status_update"]
    (reminder,) = Mail.objects.filter(template="staff_lines")
    assert reminder.meant_for == f"Owner ({owner})"
    (update,) = Mail.objects.filter(template="status_update")
    wanted = "We are finding a specialist for “Nobody can print”." if owner == "nobody" else "is assigned to tech"
    assert wanted in update.text


def test_one_person_in_two_roles_gets_one_mail_with_one_line(stage: Stage, desk: Desk) -> None:  # T3, E5
    desk.company.account_manager = desk.csm
    desk.company.save()
    case = stage.open(M)
    stage.do("25:00", stage.becomes(case, C)).to("27:00")  # all three points at once
    assert after(stage, "26:55") == [
        "26:55 coo: update",
        "26:55 csm: update",
        "26:55 customer: status_update",
        "26:55 tech: update",
    ]
    (mail,) = Mail.objects.filter(template="staff_lines", to_address="csm@example.com")
    assert "updates on this case go to the account manager and the customer service manager" in mail.facts["why"]
    assert stage.ledger(since="26:00")[-3:] == [
        "account_manager 25:00-27:00 system 26:55",
        "csm 25:00-27:00 system 26:55",
        "coo 25:00-27:00 system 26:55",
    ]


def test_a_role_that_nobody_holds_has_the_support_manager_read_its_updates(stage: Stage) -> None:  # D5
    RoleHolder.objects.filter(role=Role.CSM).update(holder=None)
    stage.open(H)
    stage.to("14:00")
    (line,) = DigestLine.objects.filter(section="update")
    assert (line.to_address, line.meant_for) == ("support_manager@example.com", "Customer service manager (nobody)")
    assert stage.ledger(since="12:00")[-1] == "csm 12:00-14:00 system 13:55"


def test_staff_get_one_mail_for_all_their_cases_and_customers_one_for_each(stage: Stage, desk: Desk) -> None:  # T3
    for company in (desk.company, desk.company, desk.other_company):
        stage.open(L, company=company)
    stage.to("48:00")
    three = "reminder (Customer; Customer; Customer) x3"
    assert stage.told == [
        f"18:00 tech: {three}",
        *["23:55 customer: status_update"] * 3,
        f"41:55 tech: {three}",
        *["47:50 customer: status_update"] * 3,
        "47:50 support_manager: silence x3",
    ]
    (first, _) = Mail.objects.filter(template="staff_lines", to_address="tech@example.com").order_by("pk")
    assert first.case is None
    for case in Case.objects.all():
        assert case.number in first.text
    assert first.subject.endswith("3 cases")


def test_a_technician_without_an_l3_to_hand_over_to_keeps_the_reminders(stage: Stage, desk: Desk) -> None:  # E7, D5
    User.objects.filter(username="l3").update(is_active=False)
    stage.open(C)
    stage.to("6:00")
    assert [line for line in after(stage, "4:01") if "reminder" in line] == [
        "5:20 tech: reminder (Customer)",
        "5:30 tech: reminder (Account manager)",
    ]


# --- bundled ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_updates_of_several_cases_leave_together_for_whoever_wants_it_so_and_none_is_late(stage: Stage) -> None:  # T3
    User.objects.filter(username="csm").update(bundle_minutes=60)
    for minutes in (0, 7, 13):
        stage.to(minutes / 60)
        stage.open(H)
    stage.to("24:00")
    mails = Mail.objects.filter(to_address="csm@example.com", template="staff_lines")
    assert [mail.queued_at for mail in mails.order_by("pk")] == [at(hours) for hours in range(13, 25)]
    assert {mail.facts["cases"] for mail in mails if mail.queued_at > at("14:00")} == {3}
    assert not [row for row in stage.ledger() if row.startswith("csm") and "missed" in row]
    at_once = Mail.objects.filter(to_address="tech@example.com", template="staff_lines", queued_at__lt=at("12:00"))
    assert {mail.facts["cases"] for mail in at_once} == {1}


def test_what_does_not_press_waits_for_the_next_common_moment_or_for_what_does(stage: Stage) -> None:  # T3, T5
    User.objects.filter(username__in=("csm", "support_manager")).update(bundle_minutes=30)
    first, second = stage.open(H), stage.open(H)
    stage.to("12:01").do("12:05", stage.resolves(first)).do("12:10", stage.resolves(second)).to("12:29")
    assert not [line for line in stage.told if "turn" in line]
    stage.look(at("12:30"))
    assert [line for line in stage.told if "turn" in line] == ["12:30 csm: turn x2"]


# --- what it says -----------------------------------------------------------------------------------------------


CALLED = "Called back: customer furious, probably their admin's fault"


@pytest.mark.parametrize(
    ("how", "read"),
    [
        ((Channel.PHONE, Direction.OUT, {}), "We last spoke on"),
        ((Channel.PHONE, Direction.IN, {}), "We last spoke on"),
        ((Channel.PHONE, Direction.OUT, {"reached": False}), "We last tried to reach you by phone on"),
        ((Channel.CHAT, Direction.OUT, {}), "We last chatted on"),
        ((Channel.EMAIL, Direction.OUT, {}), "We last wrote to you on"),
    ],
)
def test_of_what_is_only_logged_the_customer_reads_that_it_was_and_when(stage: Stage, how, read) -> None:  # C3, T3
    case = stage.open(H)
    channel, direction, more = how
    stage.do("1:00", stage.contact(case, channel, direction, body=CALLED, **more)).to("5:00")
    mail = Mail.objects.get(template="status_update")
    assert read in mail.text
    assert "15:00" in mail.text
    assert "furious" not in mail.text + mail.html
    assert "told you" not in mail.text


@pytest.mark.parametrize("what", ["no answer", "withdrawn"])
def test_of_a_call_that_told_the_customer_nothing_they_read_nothing(stage: Stage, what: str) -> None:  # C3, T3
    case = stage.open(H)
    stage.do("1:00", stage.contact(case, body="CALLED", reached=False))
    change = {"outcome": CallOutcome.NO_ANSWER} if what == "no answer" else {"withdrawn_at": at("1:01")}
    Interaction.objects.update(**change)
    stage.to("5:00")
    assert "We last" not in Mail.objects.get(template="status_update").text


@pytest.mark.parametrize("channel", [Channel.PHONE, Channel.CHAT, Channel.EMAIL])
def test_words_that_their_author_marked_for_the_customer_are_read_by_them(stage: Stage, channel) -> None:  # C3, T3
    case = stage.open(H)
    stage.do("1:00", stage.contact(case, channel, body="The part comes on Friday.", for_customer=True)).to("5:00")
    assert "What we last told you" in Mail.objects.get(template="status_update").text
    assert "The part comes on Friday." in Mail.objects.get(template="status_update").text


def test_the_customer_reads_what_was_sent_to_them_and_never_what_staff_said_among_themselves(stage: Stage) -> None:
    # T3, E8
    case = stage.open(H)
    stage.do("1:00", stage.contact(case, Channel.EMAIL, body="We look into the spooler.", send=True))
    stage.do("2:00", stage.contact(case, Channel.NOTE, Direction.INTERNAL, body="SECRET: no idea."))
    stage.do("3:00", stage.contact(case, Channel.EMAIL, Direction.IN, body="Any news? THEIR MAIL"))
    stage.to("5:00")
    (mail,) = Mail.objects.filter(template="status_update")
    assert "We look into the spooler." in mail.text
    for secret in ("SECRET", "THEIR MAIL", "/admin/"):
        assert secret not in mail.text + mail.html
    assert "you hear from us again at the latest" in mail.text
    assert mail.facts["next_at"] == at("8:55").isoformat()


def test_what_answers_mark_for_the_customer_goes_with_the_next_update_and_is_new_only_once(stage: Stage) -> None:  # E8
    case = stage.open(H)
    stage.do(
        "12:10",
        lambda now: answer_question(
            case.pk, stage.desk.technician, now, answer="INSIDE", for_customer="A part is due."
        ),
    )
    stage.do("12:20", stage.contact(case, body="CALLED"))
    stage.to("16:30")
    first, second = Mail.objects.filter(template="status_update", queued_at__gt=at("12:00")).order_by("pk")
    assert "What is new:\n\nA part is due." in first.text
    assert "We last spoke on" in first.text
    assert "CALLED" not in first.text
    assert "What is new" not in second.text
    assert "INSIDE" not in first.text + second.text


def test_staff_read_what_was_last_said_by_anybody_and_what_comes_next(stage: Stage) -> None:  # T3
    case = stage.open(H)
    stage.do("13:00", stage.contact(case, Channel.NOTE, Direction.INTERNAL, body="The vendor has it.")).to("14:00")
    (mail,) = Mail.objects.filter(to_address="csm@example.com", template="staff_lines")
    assert "The vendor has it." in mail.text
    assert "High 2 on" in mail.text


# --- taken over from another system -----------------------------------------------------------------------------


def test_a_case_that_was_taken_over_was_promised_nothing_before(stage: Stage) -> None:  # T2
    case = stage.open(M, Channel.PHONE)
    Case.objects.filter(pk=case.pk).update(sla_counts_from=at("10:00"), sla_check_at=at("10:00"))
    stage.do("5:00", stage.contact(case)).to("18:00")
    assert stage.told == ["16:00 tech: reminder (Customer)", "17:55 customer: status_update"]
    assert stage.ledger() == ["customer 10:00-18:00 system 17:55"]


# --- how much it costs ------------------------------------------------------------------------------------------


def statements(now: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        keep_promises(at(now))
    return len([query for query in captured if "SAVEPOINT" not in query["sql"]])


def fill(desk: Desk, number: int, opened_at: datetime) -> None:
    """So many Low cases, as an import would write them."""
    known = set(Case.objects.values_list("pk", flat=True))
    same = {"company": desk.company, "contact": desk.contact, "owner": desk.technician, "severity": L}
    times = dict.fromkeys(("opened_at", "changed_at", "sla_check_at"), opened_at)
    insert([Case(title=f"Case {one}", opened_by_channel=Channel.EMAIL, **same, **times) for one in range(number)])
    write_history(((case, opened_at, "Filled in.") for case in Case.objects.exclude(pk__in=known)), kind="+")


@pytest.mark.parametrize("hour", ["18:00", "47:50"])
def test_a_sweep_asks_as_much_for_400_cases_as_for_10(desk: Desk, hour: str) -> None:
    counted = []
    for number, later in ((10, 0 * MINUTE), (390, MINUTE)):
        fill(desk, number, NOON + later)
        for earlier in ("0:01", "18:00", "23:55", "41:55"):
            if at(earlier) < at(hour):
                keep_promises(at(earlier) + later)
        with CaptureQueriesContext(connection) as captured:
            assert keep_promises(at(hour) + later).acted_on == number
        counted.append(len(captured))
    assert counted[0] == counted[1]
    assert counted[0] <= 45


def test_a_sweep_that_finds_nothing_asks_next_to_nothing(stage: Stage, desk: Desk) -> None:
    for _ in range(20):
        desk.open_case(NOON, severity=L)
    stage.to("24:00")
    assert statements("24:01") <= 6
