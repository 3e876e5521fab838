"""Lives fast-forwarded with every sweep of the engine: who is told what at which moment, what the ledger of promises
says afterwards, and nothing besides (T1 to T4, E1, E4, E7, E8).

Every list is the whole list: a mail, a line or a row that the rules do not ask for fails the test as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from cases.models import Mail, SetAside
from cases.terms import Channel, Direction, MailStatus, Severity
from escalations.models import Promise
from escalations.questions import answer
from escalations.terms import Member
from escalations.updates_by_person import give_update
from tests.builders import NOON, Desk, build_desk
from tests.escalations.promised import HOUR, Stage, at
from tests.escalations.table import AM, COO, E1, MANAGEMENT, outcome_of
from tests.escalations.table import CUSTOMER as THE_CUSTOMER

pytestmark = pytest.mark.django_db

C, H, M, L = Severity
CUSTOMER, ACCOUNT_MANAGER, CSM, DIRECTOR, THE_COO = Member


@pytest.fixture
def desk() -> Desk:
    return build_desk()


@pytest.fixture
def stage(desk: Desk) -> Stage:
    return Stage(desk)


# --- E1 undisturbed: an independent walk, minute by minute ------------------------------------------------------

#: Minutes, from T2 and E8.
BASE = {C: 120, H: 240, M: 480, L: 1440}
ANSWER_WITHIN = {C: 30, H: 60, M: 240}
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

    def to(self, hours: int) -> Walk:
        self._audience({"customer": BASE[self.severity]}, 0)
        points = {int(cell.hours * 60): name for name, cell in E1.items() if name[0] == self.severity}
        for minute in range(1, hours * 60 + 1):
            said: dict[str, dict[str, str]] = {}
            if minute in points:
                self._point(points[minute], minute)
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

    def _audience(self, rhythm: dict[str, int], minute: int) -> None:
        for member in [one for one in self.owed if one not in rhythm]:
            self._row(member, self.owed.pop(member), "released", _said(minute))
        for member, every in rhythm.items():
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
        due = [one for one, owed in self.owed.items() if minute == owed.due - LEAD]
        for member in due:
            owed = self.owed[member]
            owed.silent += 1
            if owed.silent == 2 and self.silence_told is None:
                self.silence_told = minute
                said.setdefault("support_manager", {})["silence"] = ""
                owed.told = minute
            if member == "customer":
                self.told.append(f"{_said(minute)} customer: status_update")
            else:
                said.setdefault("am" if member == "account_manager" else member, {})["update"] = ""
            self._row(member, owed, "system", _said(minute))
            owed.since, owed.due, owed.allowed = minute, minute + owed.every, owed.every
        if due and self.former:
            said.setdefault("tech", {})["update"] = ""

    def _row(self, member: str, owed: Owed, outcome: str, until: str) -> None:
        if outcome == "open":  # a row is written when the first thing happens to it
            return
        self.rows.append(f"{member} {_said(owed.since)}-{_said(owed.due)} {outcome} {until}")


def _said(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02}"


def without_tells(rows: list[str]) -> list[str]:
    return [row.split(",")[0] for row in rows if " open " not in row]


@pytest.mark.parametrize(("severity", "hours"), [(C, 31), (H, 60), (M, 376), (L, 100)])
def test_on_a_case_that_nothing_moves_everybody_hears_in_time_of_e1s_audience_and_nothing_besides(
    stage: Stage, severity: Severity, hours: int
) -> None:  # E1, T2, T3, E7, E8
    stage.open(severity)
    stage.to(hours)
    walk = Walk(severity).to(hours)
    assert sorted(stage.told) == sorted(walk.told)
    assert sorted(without_tells(stage.ledger())) == sorted(walk.rows)
    assert Promise.objects.exclude(manager_told_at=None).values("manager_told_at").distinct().count() == 1
    assert not SetAside.objects.exists()
    assert not Mail.objects.exclude(status=MailStatus.SENT).exists()


# --- T1: the first response -------------------------------------------------------------------------------------


def responses(stage: Stage) -> list[str]:
    return [row for row in stage.ledger() if row.startswith("response")]


@pytest.mark.parametrize(("severity", "due"), [(C, "0:30"), (H, "1:00"), (M, "2:00"), (L, "3:00")])
def test_a_phoned_in_case_is_responded_to_in_time_or_missed_for_good(stage: Stage, severity, due) -> None:  # T1, T4
    met = stage.open(severity, Channel.PHONE)
    missed = stage.open(severity, Channel.PHONE)
    by_mail = stage.open(severity, Channel.EMAIL)
    stage.do(due, stage.contact(met))  # at the very moment it is due
    stage.to(due)
    assert stage.told == []
    stage.to((at(due) - NOON) / HOUR + 0.01)
    assert responses(stage) == [f"response 0:00-{due} person {due} by tech", f"response 0:00-{due} missed -"]
    stage.do("3:10", stage.contact(missed))
    stage.do("3:20", stage.becomes(missed, C if severity != C else L))
    stage.to("3:30")
    assert responses(stage) == [
        f"response 0:00-{due} person {due} by tech",
        f"response 0:00-{due} missed 3:10 by tech",
    ]
    assert not [row for row in stage.ledger(by_mail) if row.startswith("response")]


def test_a_raised_severity_brings_the_first_response_forward(stage: Stage) -> None:  # T1
    soon, later = stage.open(L, Channel.PHONE), stage.open(M, Channel.PHONE)
    stage.do("1:00", stage.becomes(soon, C)).do("1:45", stage.becomes(later, H))
    stage.to("2:10")
    assert responses(stage) == ["response 0:00-1:30 missed -", "response 0:00-2:00 missed -"]


def test_neither_notes_nor_automatic_mail_nor_the_customers_own_mail_are_a_first_response(stage: Stage) -> None:  # T1
    case = stage.open(M, Channel.PHONE)
    stage.do("0:10", stage.contact(case, Channel.NOTE, Direction.INTERNAL))
    stage.do("0:20", stage.contact(case, Channel.EMAIL, Direction.IN))
    stage.to("2:01")
    assert responses(stage) == ["response 0:00-2:00 missed -"]
    stage.do("2:30", stage.contact(case, reached=False))  # a message left counts
    stage.to("2:31")
    assert responses(stage) == ["response 0:00-2:00 missed 2:30 by tech"]


def test_a_case_that_is_resolved_before_anybody_could_respond_is_released(stage: Stage) -> None:  # T1
    case = stage.open(C, Channel.PHONE)
    stage.do("0:20", stage.resolves(case)).to("5:00")
    assert stage.ledger(case) == ["response 0:00-0:30 released 0:20", "customer 0:00-2:00 released 0:20"]
    assert stage.told == []


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
    stage.to("24:00")
    stage.told.clear()
    say = {"text": "The vendor is on it.", "answers_question": False}
    stage.do("24:10", lambda now: give_update(case.pk, stage.desk.l3, now, members=[THE_COO, CSM], **say))
    stage.do("24:20", lambda now: give_update(case.pk, stage.desk.l3, now, customer_too=True, **say))
    stage.to("26:00")
    assert [line for line in stage.told if "reminder" not in line] == [
        "24:30 support_manager: question",
        "25:55 am: update",
        "25:55 tech: update",
    ]
    assert [row for row in stage.ledger(since="24:00") if " person " in row] == [
        "customer 23:00-25:00 person 24:20 by l3",
        "csm 23:30-25:30 person 24:10 by l3",
        "coo 24:00-26:00 person 24:10 by l3",
    ]


def test_an_answer_of_the_owner_is_an_update_to_the_staff_and_none_to_the_customer(stage: Stage) -> None:  # E8, T2
    case = stage.open(H)
    stage.to("12:00")
    stage.told.clear()
    stage.do("12:20", lambda now: answer(case.pk, stage.desk.technician, now, answer="Vendor!", for_customer="Soon."))
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
