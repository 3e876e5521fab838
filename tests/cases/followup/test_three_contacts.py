"""Three contacts and absences on a real database, half an hour by half an hour: every mail, and no other (F3 to F7).

Asked on Wednesday 3 June 2026, 14:00 in Berlin, unless a test says otherwise. Moments are told in the customer's time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Min

from cases.enums import (
    AbsenceState,
    AgreedBy,
    Channel,
    Direction,
    MailStatus,
    Resolution,
    Status,
    WaitPlan,
    WaitReason,
)
from cases.followup import absences as absence_log
from cases.followup.apply import follow_up
from cases.followup.state import load_wait
from cases.guards import NotAllowed, Refused
from cases.mail.outbox import deliver
from cases.mail.reasons import TOO_LATE
from cases.mail.rendering import render
from cases.models import Absence, Case, FollowUp, Interaction, Mail
from cases.workflow import contact_log, transitions
from contacts.models import CompanyClosureDay, Contact
from tests.support.builders import NOON, Desk, reload

pytestmark = pytest.mark.django_db

HOUR, DAY, HALF = timedelta(hours=1), timedelta(days=1), timedelta(minutes=30)
BERLIN = ZoneInfo("Europe/Berlin")
#: Whether ticks at which nothing is due are delivered as well, and twice: 40,000, which takes most of the time.
EVERY_TICK_TWICE = os.environ.get("EXAMPLES") == "all"
CUSTOMER, OWNER = "desk@acme.example.com", "tech@example.com"
Deed = Callable[[datetime], object]

#: What a customer who stays silent gets, F3 and F4 typed from the rules.
SILENT = [
    ("attempt", CUSTOMER, "4 June 10:00"),
    ("attempt", CUSTOMER, "8 June 10:00"),
    ("attempt_last", CUSTOMER, "10 June 10:00"),
    ("closed_no_response", CUSTOMER, "11 June 11:00"),
]


def at(stamp: str) -> datetime:
    """“8 June 10:00” of 2026 on the customer's clock, in UTC."""
    return datetime.strptime(f"2026 {stamp}", "%Y %d %B %H:%M").replace(tzinfo=BERLIN).astimezone(UTC)


def said(moment: datetime) -> str:
    local = moment.astimezone(BERLIN)
    return f"{local.day} {local:%B %H:%M}"


def asked(desk: Desk, reason: WaitReason = WaitReason.INFORMATION, now: datetime = NOON, **fields) -> Case:
    case = desk.open_case(now - HOUR, **fields)
    return transitions.ask_customer(
        case.pk, desk.technician, now, question="Which floor?", reason=reason, send=False, channel=Channel.PHONE
    )


class Life:
    """One case, half an hour by half an hour: deeds, the sweep twice, the post."""

    def __init__(self, desk: Desk, case: Case) -> None:
        self.desk, self.case, self.now = desk, case, case.waiting_since
        self.seen = Mail.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

    def until(
        self, stamp: str, deeds: dict[str, Deed] | None = None, *, engine: bool = True, post: bool = True
    ) -> Life:
        due = sorted((at(moment), deed) for moment, deed in (deeds or {}).items())
        while self.now < at(stamp):
            self.now = self._next_tick(min([at(stamp), *[moment for moment, _ in due[:1]]]), engine, post)
            while due and due[0][0] <= self.now:
                moment, deed = due.pop(0)
                deed(moment)
            if engine:
                acted = follow_up(self.now).acted_on
                if acted or EVERY_TICK_TWICE:
                    assert follow_up(self.now).acted_on == 0  # a tick delivered twice
            if post:
                deliver(lambda: self.now)
        assert not due
        return self

    def _next_tick(self, at_latest: datetime, engine: bool, post: bool) -> datetime:
        """The next half hour; unless every one is wanted, the next at which anything is due, or the one `at_latest`."""
        if EVERY_TICK_TWICE:
            return self.now + HALF
        cases = Case.objects.aggregate(moment=Min("follow_up_check_at")) if engine else {}
        mails = Mail.objects.filter(status=MailStatus.QUEUED).aggregate(moment=Min("send_at")) if post else {}
        asked = min(filter(None, (at_latest, cases.get("moment"), mails.get("moment"))))
        return self.now + max(1, -((self.now - asked) // HALF)) * HALF

    def mails(self) -> list[tuple[str, str, str]]:
        """Every mail that left since: what, to whom, when."""
        sent = Mail.objects.filter(pk__gt=self.seen, status=MailStatus.SENT).order_by("sent_at", "pk")
        return [(mail.template, mail.to_address, said(mail.sent_at)) for mail in sent]

    def calls(self, reached: bool = False, channel: Channel = Channel.PHONE) -> Deed:
        return lambda now: contact_log.log_contact(
            self.case.pk,
            self.desk.technician,
            now,
            channel=channel,
            direction=Direction.OUT,
            body="Called.",
            reached=reached,
        )

    def answers(self) -> Deed:
        return lambda now: contact_log.log_contact(
            self.case.pk, self.desk.technician, now, channel=Channel.EMAIL, direction=Direction.IN, body="Third floor."
        )

    def is_away(self, back_on: str, away_from: str | None = None) -> Deed:
        return lambda now: absence_log.note_absence(
            self.case.pk,
            self.desk.technician,
            now,
            away_from=day(away_from) if away_from else None,
            back_on=day(back_on),
        )


def day(said_day: str) -> date:
    return at(f"{said_day} 12:00").date()


def ledger(case: Case) -> list[tuple[str, int, str, str]]:
    rows = FollowUp.objects.filter(case=case).order_by("done_at", "pk")
    return [(row.step, row.time, said(row.due_at), said(row.done_at)) for row in rows]


def load_clock(desk: Desk, reason: WaitReason = WaitReason.INFORMATION, **fields) -> Life:
    return Life(desk, asked(desk, reason, **fields))


# --- the plan, untouched ------------------------------------------------------------------------------------------


def test_a_silent_customer_is_turned_to_three_times_and_the_case_closes_when_it_was_announced(desk: Desk):  # F3, F4, C4
    life = load_clock(desk).until("20 June 00:00")
    assert life.mails() == SILENT
    case = reload(life.case)
    assert (case.status, case.resolution, said(case.resolved_at)) == (
        Status.RESOLVED,
        Resolution.NO_RESPONSE,
        "11 June 11:00",
    )
    last = Mail.objects.get(template="attempt_last")
    assert "Thu 11 June 2026, 11:00 (Berlin, UTC+02:00)" in last.text
    assert ledger(case) == [
        ("attempt-1", 1, "4 June 10:00", "4 June 10:00"),
        ("attempt-2", 1, "8 June 10:00", "8 June 10:00"),
        ("attempt-3", 1, "10 June 10:00", "10 June 10:00"),
        ("resolve", 1, "11 June 11:00", "11 June 11:00"),
    ]


def test_the_customers_own_closure_days_are_no_business_days(desk: Desk):  # F3, D1
    for closed in ("4 June", "9 June"):
        CompanyClosureDay.objects.create(company=desk.company, day=day(closed))
    assert [when for _, _, when in load_clock(desk).until("30 June 00:00").mails()] == [
        "5 June 10:00",
        "10 June 10:00",
        "12 June 10:00",
        "15 June 11:00",
    ]


def test_whoever_prefers_the_phone_is_called_first_and_written_to_in_the_afternoon(desk: Desk):  # F3
    Contact.objects.update(phone="+49 30 1234")
    life = load_clock(desk, preferred_means="phone")
    assert life.until("5 June 00:00").mails() == [
        ("call_customer", OWNER, "4 June 10:00"),
        ("attempt", CUSTOMER, "4 June 16:00"),
    ]
    mail = Mail.objects.get(template="call_customer")
    assert "+49 30 1234" in mail.text
    assert "It is 10:00 there now" in mail.text
    life.until("20 June 00:00", {"8 June 11:00": life.calls(), "10 June 12:00": life.calls()})
    assert life.mails()[2:] == [
        ("call_customer", OWNER, "8 June 10:00"),  # and called at eleven: no mail
        ("call_customer", OWNER, "10 June 10:00"),
        ("closing_announced", CUSTOMER, "10 June 12:00"),  # the third by phone is confirmed by mail (F4)
        ("closed_no_response", CUSTOMER, "12 June 11:00"),
    ]


def test_preferring_the_phone_without_a_number_means_mail(desk: Desk):  # F3
    assert load_clock(desk, preferred_means="phone").until("20 June 00:00").mails() == SILENT


# --- what people do meanwhile -------------------------------------------------------------------------------------


def test_a_call_on_its_day_takes_the_mails_place_and_one_too_early_changes_nothing(desk: Desk):  # F3
    life = load_clock(desk)
    life.until(
        "20 June 00:00",
        {"3 June 15:00": life.calls(), "4 June 08:30": life.calls(), "5 June 11:00": life.calls()},
    )
    assert life.mails() == SILENT[1:]
    why = list(Interaction.objects.filter(body="Called.").order_by("at").values_list("why_no_attempt", flat=True))
    assert why[0].startswith("the next attempt counts from Thu 4 June on")
    assert why[1] == ""
    assert why[2] == (
        "the next attempt counts from Mon 8 June on: Thu 4 June was an attempt, Fri 5 June would be consecutive, "
        "Sat 6 June and Sun 7 June are no business days"
    )
    assert ledger(life.case)[0] == ("attempt-1", 1, "4 June 08:30", "4 June 08:30")
    assert FollowUp.objects.get(step="attempt-1").interaction.body == "Called."


def test_a_mail_by_a_technician_is_an_attempt_as_well(desk: Desk):  # F3
    life = load_clock(desk)
    life.until("20 June 00:00", {"4 June 09:00": life.calls(channel=Channel.EMAIL)})
    assert life.mails() == SILENT[1:]


def test_a_note_or_a_word_in_another_plan_is_no_attempt(desk: Desk):  # F2, F3
    life = load_clock(desk, WaitReason.CANNOT_NOW)
    life.until("5 June 00:00", {"4 June 11:00": life.calls()})
    assert FollowUp.objects.count() == 0
    assert Interaction.objects.get(body="Called.").why_no_attempt == ""


@pytest.mark.parametrize("moment", ["3 June 15:00", "4 June 10:00", "9 June 12:00", "10 June 10:00", "11 June 10:59"])
@pytest.mark.parametrize("how", ["answers", "calls and reaches them"])
def test_a_response_ends_it_at_once_whenever_it_comes(desk: Desk, moment: str, how: str):  # F6
    life = load_clock(desk)
    deed = life.answers() if how == "answers" else life.calls(reached=True)
    life.until("20 June 00:00", {moment: deed})
    assert reload(life.case).status == Status.IN_PROGRESS
    assert life.mails() == [mail for mail in SILENT[:3] if at(mail[2]) < at(moment)]


def test_an_answer_in_the_minute_of_a_notice_stops_the_mail_that_is_written_already(desk: Desk):  # F6, M1
    life = load_clock(desk).until("4 June 09:30")
    follow_up(at("4 June 10:00"))
    life.answers()(at("4 June 10:00"))
    deliver(lambda: at("4 June 10:01"))
    assert Mail.objects.get(template="attempt").status == MailStatus.DROPPED
    assert life.until("20 June 00:00").mails() == []


def test_a_new_question_begins_a_new_episode_from_zero(desk: Desk):  # F6
    life = load_clock(desk)
    life.until(
        "30 June 00:00",
        {
            "9 June 12:00": lambda now: transitions.ask_customer(
                life.case.pk,
                desk.technician,
                now,
                question="And?",
                reason=WaitReason.INFORMATION,
                send=False,
                channel=Channel.PHONE,
            )
        },
    )
    assert [when for _, _, when in life.mails()] == [
        *("4 June 10:00", "8 June 10:00"),
        *("10 June 10:00", "12 June 10:00", "16 June 10:00", "17 June 11:00"),
    ]
    assert set(FollowUp.objects.values_list("episode", flat=True)) == {1, 2}


def test_reopened_and_asked_again_it_starts_from_zero(desk: Desk):  # F6, C7
    life = load_clock(desk).until("12 June 10:30")
    assert reload(life.case).status == Status.RESOLVED
    life.answers()(at("12 June 11:00"))
    assert reload(life.case).status == Status.IN_PROGRESS
    transitions.ask_customer(
        life.case.pk,
        desk.technician,
        at("12 June 12:00"),
        question="?",
        reason=WaitReason.INFORMATION,
        send=False,
        channel=Channel.PHONE,
    )
    life.until("30 June 00:00")
    assert [when for what, _, when in life.mails() if what.startswith("attempt")][3:] == [
        *("15 June 10:00", "17 June 10:00", "19 June 10:00")
    ]
    assert reload(life.case).resolution == Resolution.NO_RESPONSE


# --- absences (F5) ------------------------------------------------------------------------------------------------


def test_the_plan_sleeps_until_ten_on_the_first_business_day_after_the_return(desk: Desk):  # F5
    life = load_clock(desk)
    life.until("30 June 00:00", {"5 June 09:00": life.is_away("14 June")})  # a Sunday
    assert life.mails() == [
        ("attempt", CUSTOMER, "4 June 10:00"),
        ("attempt", CUSTOMER, "15 June 10:00"),
        ("attempt_last", CUSTOMER, "17 June 10:00"),
        ("closed_no_response", CUSTOMER, "18 June 11:00"),
    ]


def test_pending_client_action_sleeps_as_well_and_its_later_steps_keep_their_distance(desk: Desk):  # F2, F5
    life = load_clock(desk, WaitReason.CANNOT_NOW)
    life.until("30 June 00:00", {"4 June 09:00": life.is_away("15 June")})
    assert life.mails() == [
        ("notice_1", CUSTOMER, "15 June 10:00"),
        ("notice_2", CUSTOMER, "17 June 10:00"),
        ("notice_final", CUSTOMER, "19 June 10:00"),
        ("closed_no_response", CUSTOMER, "20 June 10:00"),
    ]


def test_a_day_before_which_they_cannot_act_is_an_absence(desk: Desk):  # F2
    case = desk.open_case(NOON)
    transitions.ask_customer(
        case.pk,
        desk.technician,
        NOON,
        question="They move house.",
        reason=WaitReason.CANNOT_NOW,
        send=False,
        channel=Channel.PHONE,
        not_before=day("22 June"),
    )
    absence = Absence.objects.get()
    assert (absence.state, absence.away_from, absence.back_on) == (
        AbsenceState.CONFIRMED,
        day("3 June"),
        day("22 June"),
    )
    assert Life(desk, reload(case)).until("22 June 12:00").mails() == [("notice_1", CUSTOMER, "22 June 10:00")]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (
            WaitReason.INFORMATION,
            [("closing_announced", CUSTOMER, "22 June 10:00"), ("closed_no_response", CUSTOMER, "23 June 11:00")],
        ),
        (
            WaitReason.CANNOT_NOW,
            [("notice_final", CUSTOMER, "22 June 10:00"), ("closed_no_response", CUSTOMER, "23 June 10:00")],
        ),
    ],
)
def test_an_absence_note_in_answer_to_the_announcement_has_it_announced_anew(desk: Desk, reason, expected):  # F4, F5
    life = load_clock(desk, reason)
    announced = "9 June 15:00" if reason == WaitReason.CANNOT_NOW else "10 June 10:30"
    life.until("30 June 00:00", {announced: life.is_away("22 June", away_from=announced[:7].strip())})
    assert life.mails()[3:] == expected
    again = Mail.objects.filter(template=expected[0][0]).order_by("-pk").first()
    assert "We know that you could not answer" in again.text
    assert {mail.message_id for mail in Mail.objects.all()} == set(Mail.objects.values_list("message_id", flat=True))


def test_an_absence_is_neither_a_response_nor_an_attempt(desk: Desk):  # F5
    life = load_clock(desk)
    life.is_away("15 June")(at("4 June 09:00"))
    assert reload(life.case).status == Status.WAITING
    assert not FollowUp.objects.exists()
    assert Interaction.objects.get(opened_the_case=False).body == "Which floor?"


def test_a_note_that_cannot_be_read_asks_the_owner_once_and_sleeps_a_business_week(desk: Desk):  # F5
    life = load_clock(desk)

    def note(now: datetime) -> Absence:
        return absence_log.note_absence(life.case.pk, desk.manager, now, note="I am out of the office for a while.")

    life.until("30 June 00:00", {"3 June 16:00": note, "8 June 11:00": note, "11 June 11:00": note})
    assert life.mails() == [
        ("absence_unclear", OWNER, "3 June 16:00"),
        ("absence_noted", OWNER, "8 June 11:00"),  # by somebody else, and not asked again
        ("attempt", CUSTOMER, "10 June 10:00"),
        ("absence_noted", OWNER, "11 June 11:00"),
        ("attempt", CUSTOMER, "12 June 10:00"),
        ("attempt_last", CUSTOMER, "16 June 10:00"),
        ("closed_no_response", CUSTOMER, "17 June 11:00"),
    ]
    assert Absence.objects.filter(state=AbsenceState.UNREAD).count() == 3
    assert Absence.objects.filter(asked_at__isnull=False).count() == 1


JUNE_AND_JULY = "I am out of the office from 1 June 2026 and will return on 31 July 2026."


@pytest.mark.parametrize(
    ("reason", "first"), [(WaitReason.INFORMATION, "attempt"), (WaitReason.CANNOT_NOW, "notice_1")]
)
def test_dates_that_were_read_put_the_plan_to_sleep_at_once_and_nothing_closes_meanwhile(desk: Desk, reason, first):
    # F5
    life = load_clock(desk, reason)
    absence = absence_log.note_absence(life.case.pk, desk.technician, at("3 June 15:00"), note=JUNE_AND_JULY)
    assert (absence.state, absence.back_on) == (AbsenceState.READ, day("31 July"))
    asked = render(Mail.objects.get(template="absence_unclear"))
    assert "away from Mon 1 June 2026, back on Fri 31 July 2026. Is that right?" in asked.text
    life.until("31 July 12:00")
    assert life.mails() == [
        ("absence_unclear", OWNER, "3 June 15:00"),  # to confirm, though the owner pasted it
        ("asleep_long", OWNER, "3 July 14:00"),  # 30 days of the wait
        (first, CUSTOMER, "31 July 10:00"),
    ]


def test_confirming_dates_corrects_them(desk: Desk):  # F5
    life = load_clock(desk)
    absence = absence_log.note_absence(life.case.pk, desk.technician, at("3 June 15:00"), note=JUNE_AND_JULY)
    absence_log.confirm_absence(absence.pk, desk.technician, at("3 June 15:30"), back_on=day("29 June"))
    assert load_wait(reload(life.case)).skip_sleep(at("4 June 10:00")) == at("29 June 10:00")
    life.until("29 June 12:00")
    assert life.mails()[1:] == [("attempt", CUSTOMER, "29 June 10:00")]


def test_dates_that_were_read_can_be_ended_and_dismissed_before_anybody_confirms_them(desk: Desk):  # F5
    life = load_clock(desk)
    for move in (absence_log.end_absence, absence_log.dismiss_absence):
        absence = absence_log.note_absence(life.case.pk, desk.technician, at("4 June 09:00"), note=JUNE_AND_JULY)
        assert load_wait(reload(life.case)).skip_sleep(at("5 June 10:00")) == at("31 July 10:00")
        move(absence.pk, desk.technician, at("5 June 09:00"))
        assert load_wait(reload(life.case)).skip_sleep(at("5 June 10:00")) == at("5 June 10:00")


def test_the_owner_is_told_what_somebody_else_notes_and_asked_what_nobody_has_confirmed_once(desk: Desk):  # F5
    life = load_clock(desk)
    absence_log.note_absence(life.case.pk, desk.manager, at("3 June 15:00"), back_on=day("10 June"))
    absence_log.note_absence(life.case.pk, desk.technician, at("3 June 15:10"), back_on=day("11 June"))
    for minute in (20, 30):  # the reply to each of two mails
        absence_log.note_absence(life.case.pk, desk.manager, at(f"3 June 15:{minute}"), note=JUNE_AND_JULY)
    deliver(lambda: at("3 June 15:40"))
    assert [(mail.template, mail.to_address) for mail in Mail.objects.filter(template__startswith="absence")[::-1]] == [
        ("absence_noted", OWNER),
        ("absence_unclear", OWNER),
        ("absence_noted", OWNER),  # the same dates again
    ]
    noted = Mail.objects.filter(template="absence_noted").first()
    assert "support_manager has noted: Away from Mon 1 June, back on Fri 31 July." in noted.text


def test_by_hand_no_case_closes_for_no_response_while_its_contact_is_away(desk: Desk):  # F5, C4
    life = load_clock(desk).until("11 June 10:30")
    life.is_away("22 June", away_from="11 June")(at("11 June 10:30"))
    with pytest.raises(Refused, match="is noted as away"):
        transitions.resolve(life.case.pk, desk.technician, at("11 June 11:00"), resolution=Resolution.NO_RESPONSE)


def test_an_absence_is_its_persons_whoever_the_case_waits_for(desk: Desk):  # F5
    life = load_clock(desk)
    other = transitions.ask_customer(
        desk.open_case(NOON).pk, desk.l3, NOON, question="?", reason=WaitReason.CONFIRM, send=False,
        channel=Channel.PHONE,
    )  # fmt: skip
    Case.objects.filter(pk=other.pk).update(owner=desk.l3)
    away_until, awake = at("22 June 10:00"), at("4 June 10:00")
    absence_log.note_absence(life.case.pk, desk.technician, at("3 June 15:00"), back_on=day("22 June"))
    for case in (life.case, other):
        assert load_wait(reload(case)).skip_sleep(awake) == away_until
        assert reload(case).follow_up_check_at == at("3 June 15:00")
    assert list(Mail.objects.filter(template="absence_noted").values_list("to_address", "case")) == [
        (desk.l3.email, other.pk)
    ]
    for contact, wakes in ((desk.end_user, awake), (desk.contact, away_until)):  # another contact is not away
        transitions.edit_details(life.case.pk, desk.technician, at("3 June 16:00"), changes={"contact": contact})
        assert load_wait(reload(life.case)).skip_sleep(awake) == wakes
        assert load_wait(reload(other)).skip_sleep(awake) == away_until


def test_no_absence_after_all_and_the_plan_goes_on_at_once(desk: Desk):  # F5
    life = load_clock(desk)
    absence = absence_log.note_absence(life.case.pk, desk.technician, at("3 June 15:00"), note="?")
    life.until(
        "20 June 00:00", {"5 June 12:00": lambda now: absence_log.dismiss_absence(absence.pk, desk.technician, now)}
    )
    assert life.mails()[1] == ("attempt", CUSTOMER, "5 June 12:00")


def test_back_sooner_than_said(desk: Desk):  # F5
    life = load_clock(desk)
    life.is_away("26 June")(at("3 June 15:00"))
    absence = Absence.objects.get()
    life.until("9 June 11:30", {"9 June 11:00": lambda now: absence_log.end_absence(absence.pk, desk.technician, now)})
    assert life.mails() == [("attempt", CUSTOMER, "9 June 11:00")]
    with pytest.raises(Refused, match="over already"):
        absence_log.end_absence(absence.pk, desk.technician, at("30 June 11:00"))


def test_after_thirty_days_asleep_the_owner_is_asked_to_decide_once(desk: Desk):  # F5
    life = load_clock(desk)
    life.is_away("10 July")(at("3 June 15:00"))
    assert life.until("10 July 12:00").mails() == [
        ("asleep_long", OWNER, "3 July 14:00"),  # 30 days of the wait
        ("attempt", CUSTOMER, "10 July 10:00"),
    ]


@pytest.mark.parametrize(
    ("fields", "sentence", "field"),
    [
        ({}, "Paste the note", "note"),
        ({"back_on": day("3 June")}, "back already", "back_on"),
        ({"back_on": day("10 June"), "away_from": day("12 June")}, "has to come after", "back_on"),
        ({"back_on": date(2028, 6, 1)}, "more than a year ahead", "back_on"),
        ({"note": "x" * 20_001}, "longer than 20,000", "note"),
    ],
)
def test_what_cannot_be_an_absence_is_refused_in_a_sentence(desk: Desk, fields, sentence, field):  # F5, S4
    life = load_clock(desk)
    with pytest.raises(Refused, match=sentence) as refused:
        absence_log.note_absence(life.case.pk, desk.technician, NOON, **fields)
    assert refused.value.field == field
    assert not Absence.objects.exists()


def test_who_may_not_work_a_case_notes_no_absence_and_a_foreign_one_is_not_there(desk: Desk):  # A1
    life = load_clock(desk)
    life.is_away("15 June")(NOON)
    absence = Absence.objects.get()
    with pytest.raises(NotAllowed):
        absence_log.note_absence(life.case.pk, desk.account_manager, NOON, back_on=day("15 June"))
    for move in (absence_log.confirm_absence, absence_log.dismiss_absence, absence_log.end_absence):
        with pytest.raises(NotAllowed):
            move(absence.pk, desk.customer_engineer, NOON)


# --- mail that is lost, an engine that stands still ---------------------------------------------------------------


def test_a_mail_that_cannot_leave_on_its_day_is_dropped_and_the_attempt_is_made_on_the_next(desk: Desk):  # F3, M1
    life = load_clock(desk).until("4 June 21:00", post=False).until("20 June 00:00")
    first = Mail.objects.filter(template="attempt").order_by("pk").first()
    assert (first.status, first.last_error) == (MailStatus.DROPPED, TOO_LATE)
    assert [when for _, _, when in life.mails()] == [
        *("5 June 10:00", "9 June 10:00", "11 June 10:00", "12 June 11:00")
    ]
    assert ledger(life.case)[:2] == [
        ("attempt-1", 1, "4 June 10:00", "4 June 10:00"),
        ("attempt-1", 2, "5 June 10:00", "5 June 10:00"),
    ]


def test_an_announcement_that_leaves_too_late_is_written_anew_with_a_date_that_holds(desk: Desk):  # F2, F7, M1
    life = load_clock(desk, WaitReason.CANNOT_NOW).until("9 June 12:00").until("11 June 12:00", post=False)
    life.until("20 June 00:00")
    finals = list(Mail.objects.filter(template="notice_final").order_by("pk"))
    assert [mail.status for mail in finals] == [MailStatus.DROPPED, MailStatus.SENT]
    closes_at = datetime.fromisoformat(finals[1].facts["closes_at"])
    assert timedelta(0) <= reload(life.case).resolved_at - closes_at <= HALF
    assert reload(life.case).resolved_at - finals[1].sent_at >= DAY
    assert "We know that you" not in finals[1].text  # they never had the first one


def test_a_failed_attempt_waits_for_the_owner_and_goes_on_when_the_address_is_right(desk: Desk):  # F3, D5
    life = load_clock(desk).until("4 June 10:00", post=False)
    mail = Mail.objects.get(template="attempt")
    Mail.objects.filter(pk=mail.pk).update(status=MailStatus.FAILED)
    life.until("9 June 11:00")
    held_up = [("wait_held_up", "support_manager@example.com", f"{day} June 10:00") for day in (8, 9)]
    assert life.mails() == held_up  # F2
    Contact.objects.filter(email=CUSTOMER).update(email="new@acme.example.com")
    life.until("30 June 00:00")
    assert [(to, when) for _, to, when in life.mails()[len(held_up) :]] == [
        ("new@acme.example.com", "9 June 11:30"),
        ("new@acme.example.com", "11 June 10:00"),
        ("new@acme.example.com", "15 June 10:00"),
        ("new@acme.example.com", "16 June 11:00"),
    ]


@pytest.mark.slow
def test_without_an_address_the_owner_calls_and_the_calls_count(desk: Desk):  # D5, F3
    Contact.objects.update(email="")
    life = load_clock(desk)
    life.until("20 June 00:00", {"4 June 12:00": life.calls(), "8 June 09:00": life.calls()})
    told = [(what, to) for what, to, _ in life.mails()]
    assert [one for one in told if one[0] != "wait_held_up"] == [("unreachable", OWNER)] * 2
    assert set(told) - {("unreachable", OWNER)} == {("wait_held_up", "support_manager@example.com")}  # F2
    assert reload(life.case).status == Status.WAITING  # nothing was announced, so nothing closes


def test_after_an_outage_there_is_one_attempt_and_the_others_keep_their_distance(desk: Desk):  # F7
    life = load_clock(desk).until("13 June 12:00", engine=False).until("30 June 00:00")
    assert [when for _, _, when in life.mails()] == [
        *("15 June 10:00", "17 June 10:00", "19 June 10:00", "22 June 11:00")
    ]


def test_an_outage_over_the_closing_closes_in_business_hours(desk: Desk):  # F4, F7
    life = load_clock(desk).until("11 June 10:30").until("13 June 12:00", engine=False).until("30 June 00:00")
    assert life.mails() == [*SILENT[:3], ("closed_no_response", CUSTOMER, "15 June 10:00")]


def test_nobody_closes_it_by_hand_before_the_time_that_was_announced(desk: Desk):  # F4, F7
    life = load_clock(desk).until("10 June 12:00")
    for moment in ("10 June 12:00", "11 June 10:59"):
        with pytest.raises(Refused, match="at the time that was announced"):
            transitions.resolve(life.case.pk, desk.technician, at(moment), resolution=Resolution.NO_RESPONSE)
    transitions.resolve(life.case.pk, desk.technician, at("11 June 11:00"), resolution=Resolution.NO_RESPONSE)
    assert reload(life.case).status == Status.RESOLVED


# --- agreed closings (C4) -----------------------------------------------------------------------------------------


def test_resolving_asks_how_the_customer_agreed(desk: Desk):  # C4
    case = desk.open_case()
    with pytest.raises(Refused, match="how the customer agreed") as refused:
        transitions.resolve(case.pk, desk.technician, NOON, resolution=Resolution.CONFIRMED, solution="Toner.")
    assert refused.value.field == "agreed_by"
    with pytest.raises(Refused, match="No word from the customer"):
        transitions.resolve(
            case.pk,
            desk.technician,
            NOON,
            resolution=Resolution.CONFIRMED,
            solution="Toner.",
            agreed_by=AgreedBy.LOGGED,
        )
    contact_log.log_contact(
        case.pk, desk.technician, NOON, channel=Channel.CHAT, direction=Direction.IN, body="It prints."
    )
    transitions.resolve(
        case.pk,
        desk.technician,
        NOON + HOUR,
        resolution=Resolution.CONFIRMED,
        solution="Toner.",
        agreed_by=AgreedBy.LOGGED,
    )
    after = reload(case)
    assert (after.resolution, after.agreed_by) == (Resolution.CONFIRMED, AgreedBy.LOGGED)
    assert "in a contact that is logged already" in after.history.latest("history_date").history_change_reason


def test_a_confirmation_we_waited_for_resolves_and_still_not_working_resumes(desk: Desk):  # C4, F1
    for confirms, status in ((True, Status.RESOLVED), (False, Status.IN_PROGRESS)):
        case = asked(desk, WaitReason.CONFIRM)
        assert case.wait_plan == WaitPlan.PENDING_CLIENT_ACTION
        contact_log.customer_responded(
            case.pk,
            desk.technician,
            NOON + HOUR,
            channel=Channel.PHONE,
            body="About the floor.",
            confirms=confirms,
            solution="New toner.",
        )
        after = reload(case)
        assert (after.status, after.follow_up_check_at) == (status, None)
        assert (after.agreed_by, after.solution) == ((AgreedBy.PHONE, "New toner.") if confirms else ("", ""))
        assert Interaction.objects.filter(case=case, direction=Direction.IN, body="About the floor.").exists()


def test_only_who_was_asked_to_confirm_can_confirm(desk: Desk):  # C4
    case = asked(desk)
    with pytest.raises(Refused, match="was not asked to confirm"):
        contact_log.customer_responded(
            case.pk, desk.technician, NOON + HOUR, channel=Channel.PHONE, body="Fine.", confirms=True, solution="x"
        )
    assert reload(case).status == Status.WAITING
