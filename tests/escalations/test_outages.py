"""After an outage: from when to when, what came due, what was done late, what was superseded; told once (S3, E5)."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases.engine import recovery
from cases.engine import sweep as sweeping
from cases.engine.outages import WAIT_FOR_THE_OTHERS, note_caught_up, note_outage, report_outages, run_watched
from cases.engine.recovery import LateOutcome, newest_reports, report_on
from cases.engine.sweep import Sweep, record_run
from cases.enums import AgreedBy, Channel, Direction, MailStatus, Resolution, Severity, WaitReason
from cases.followup import apply as follow_ups
from cases.mail.rendering import render
from cases.models import Case, FailedCase, Mail, Outage, SweepRun
from cases.workflow import transitions
from cases.workflow.contact_log import log_contact
from contacts.enums import Role
from contacts.models import RoleHolder
from escalations.models import Escalation
from escalations.points import apply as dispatch
from escalations.sla import apply as promises
from tests.support.builders import NOON, Desk
from tests.support.pages import signed_in

pytestmark = pytest.mark.django_db

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
SWEEPS = (dispatch.SWEEP, follow_ups.SWEEP)


def look(now: datetime, *sweeps: Sweep) -> None:
    """One tick of the beat."""
    for sweep in sweeps or SWEEPS:
        run_watched(sweep, lambda: now)


def reports_mailed() -> list[Mail]:
    return list(Mail.objects.filter(template="recovery_report").order_by("pk"))


def outages() -> list[tuple[str, datetime, datetime]]:
    return list(Outage.objects.order_by("pk").values_list("sweep", "began_at", "ended_at"))


# --- what is an outage, and what is none ------------------------------------------------------------------------------


def test_the_first_look_ever_ends_no_outage(desk: Desk) -> None:
    desk.open_case(severity=Severity.CRITICAL)
    look(NOON + 30 * HOUR)
    assert outages() == []
    assert reports_mailed() == []


def test_an_idle_desk_that_looks_every_minute_has_none(desk: Desk) -> None:
    for minute in range(10):
        look(NOON + minute * MINUTE)
    assert outages() == []


@pytest.mark.parametrize(("seconds", "expected"), [(180, 0), (181, 2)])
def test_more_than_the_allowed_seconds_without_a_look_are_an_outage(desk: Desk, seconds: int, expected: int) -> None:
    look(NOON)
    SweepRun.objects.update(took_seconds=0)
    look(NOON + timedelta(seconds=seconds))
    assert Outage.objects.count() == expected


def test_an_outage_says_from_the_last_look_to_the_next(desk: Desk) -> None:
    look(NOON)
    look(NOON + 3 * HOUR)
    look(NOON + 3 * HOUR + MINUTE)
    assert outages() == [(name, NOON, NOON + 3 * HOUR) for name in ("escalate", "follow-up")]


def test_a_look_that_takes_long_is_no_outage(desk: Desk) -> None:
    record_run("escalate", NOON, 600, 0)
    look(NOON + 11 * MINUTE, dispatch.SWEEP)
    assert outages() == []


def test_a_long_look_shows_on_the_way_that_it_lives(desk: Desk, monkeypatch, settings) -> None:
    monkeypatch.setattr(sweeping, "RECORD_EVERY", 0.0)
    settings.DESK_BATCH = 1
    for _ in range(2):
        desk.open_case(severity=Severity.LOW)
    seen: list[bool] = []

    def step(cases, now):
        seen.append(SweepRun.objects.filter(name="escalate", last_at=now).exists())
        return dispatch.SWEEP.work(cases, now)

    sweeping.run(Sweep("escalate", dispatch.SWEEP.due, "escalation_check_at", step), NOON)
    assert seen == [False, True]


def test_a_slow_look_does_not_take_the_place_of_a_quicker_one_that_began_later() -> None:
    record_run("escalate", NOON + MINUTE, 1, 7)
    record_run("escalate", NOON, 90, 8)
    assert SweepRun.objects.get().last_at == NOON + MINUTE


def test_a_look_from_a_clock_that_ran_ahead_does_not_blind_the_watch_for_long() -> None:
    record_run("escalate", NOON + 400 * DAY, 1, 0)
    record_run("escalate", NOON, 1, 0)
    assert SweepRun.objects.get().last_at == NOON


def test_two_starts_after_one_outage_note_it_once(desk: Desk) -> None:
    look(NOON)
    for second in range(3):
        note_outage("escalate", NOON + HOUR + timedelta(seconds=second))
    assert outages() == [("escalate", NOON, NOON + HOUR)]


def test_a_sweep_that_came_back_and_died_goes_on_with_a_second_outage_from_there(desk: Desk) -> None:
    look(NOON, dispatch.SWEEP)
    note_outage("escalate", NOON + HOUR)  # it began, and was killed
    note_outage("escalate", NOON + HOUR + MINUTE)  # the next one began in time, and was killed too
    look(NOON + 2 * HOUR, dispatch.SWEEP)
    assert outages() == [("escalate", NOON, NOON + HOUR), ("escalate", NOON + HOUR, NOON + 2 * HOUR)]
    assert len(reports_mailed()) == 1


# --- the report -------------------------------------------------------------------------------------------------------


def life_with_an_outage(desk: Desk) -> datetime:
    """Ten hours without a look, in which points, notices and a closing came due; some were overtaken by events."""
    who = desk.technician
    late = desk.open_case(severity=Severity.CRITICAL, title="Late")
    overtaken = desk.open_case(severity=Severity.CRITICAL, title="Overtaken")
    waits = desk.open_case(NOON - 4 * DAY + HOUR, severity=Severity.LOW, title="Waits")
    transitions.ask_customer(
        waits.pk,
        who,
        NOON - 4 * DAY + HOUR,
        question="?",
        reason=WaitReason.CANNOT_NOW,
        send=False,
        channel=Channel.PHONE,
    )
    look(NOON)
    Mail.objects.update(status=MailStatus.SENT, sent_at=NOON)
    transitions.resolve(
        overtaken.pk, who, NOON + 5 * HOUR, resolution=Resolution.CONFIRMED, agreed_by=AgreedBy.PHONE, solution="Cable"
    )
    assert Case.objects.filter(pk=late.pk, escalation_check_at=NOON + 4 * HOUR).exists()
    return NOON + 13 * HOUR


def test_the_report_says_what_came_due_and_what_became_of_it(desk: Desk) -> None:  # E5, F7
    end = life_with_an_outage(desk)
    look(end)
    (report,) = newest_reports(1)
    assert (report.began_at, report.ended_at, report.length) == (NOON, end, "13 h")
    told = [(work.title, work.what, (work.due_at - NOON) / HOUR, work.outcome) for work in report.works]
    assert told == [
        ("Late", "Critical 1", 4, LateOutcome.LATE),
        ("Overtaken", "Critical 1", 4, LateOutcome.RECORDED),
        ("Late", "Critical 2", 12, LateOutcome.LATE),
    ]
    assert {work.done_at for work in report.works} == {end}
    assert report.sentence == "3 obligations came due: 2 were done late, 1 was only recorded."


def test_a_first_response_that_nobody_gave_is_not_reported_as_done(desk: Desk) -> None:  # S3, T4
    case = desk.open_case(severity=Severity.CRITICAL)
    sweeps = (*SWEEPS, promises.SWEEP)
    look(NOON, *sweeps)
    end = NOON + 3 * HOUR
    look(end, *sweeps)
    (report,) = newest_reports(1)
    response, update = report.works
    assert (response.what, response.due_at) == ("First response to Customer", NOON + 30 * MINUTE)
    assert (response.done_at, response.late_by, response.outcome) == (None, "", LateOutcome.OPEN)
    assert (update.what, update.done_at, update.outcome) == ("Status update to Customer", end, LateOutcome.LATE)
    assert report.sentence == "2 obligations came due: 1 was done late, 1 is not done yet."
    assert f"  {case.number}  First response to Customer: due 2026-06-03 12:30, not done yet" in said().splitlines()

    (mail,) = reports_mailed()
    text = render(mail).text
    assert "First response to Customer, due Wed 3 June 2026, 12:30 (UTC+00:00) (not done yet)" in text
    assert "What is not done yet stays owed until somebody does it" in text
    page = reverse("admin:cases_outage_change", args=[report.outages[0].pk])
    assert "not done yet</td>" in signed_in(desk.manager).get(page).content.decode()

    log_contact(
        case.pk, desk.technician, end + HOUR, channel=Channel.PHONE, direction=Direction.OUT, body="We are on it."
    )
    look(end + HOUR, *sweeps)
    response = report_on(report.outages).works[0]
    assert (response.done_at, response.late_by, response.outcome) == (end + HOUR, "3 h 30 min", LateOutcome.LATE)


def test_notices_that_a_later_one_stands_for_are_superseded(desk: Desk) -> None:  # F7
    case = desk.open_case(severity=Severity.LOW)
    transitions.ask_customer(
        case.pk, desk.technician, NOON, question="?", reason=WaitReason.CANNOT_NOW, send=False, channel=Channel.PHONE
    )
    look(NOON)
    look(NOON + 5 * DAY)
    (report,) = newest_reports(1)
    assert [(work.what, work.late_by, work.outcome) for work in report.works] == [
        ("First notice", "3 d", LateOutcome.SUPERSEDED),
        ("Second notice", "1 d", LateOutcome.LATE),
    ]
    assert report.sentence == "2 obligations came due: 1 was done late, 1 was superseded."


def test_what_was_due_before_the_last_look_or_after_the_next_is_not_in_it(desk: Desk) -> None:
    desk.open_case(NOON - 4 * HOUR, severity=Severity.CRITICAL, title="At the last look")
    desk.open_case(NOON - 3 * HOUR, severity=Severity.CRITICAL, title="At the next")
    desk.open_case(NOON - 3 * HOUR + MINUTE, severity=Severity.CRITICAL, title="After it")
    look(NOON)
    look(NOON + HOUR)
    look(NOON + HOUR + MINUTE)
    assert Escalation.objects.count() == 3
    assert [work.title for report in newest_reports(9) for work in report.works] == ["At the next"]


def test_an_outage_in_which_nothing_came_due_says_so(desk: Desk) -> None:
    look(NOON)
    look(NOON + HOUR)
    assert newest_reports(1)[0].sentence == "Nothing came due meanwhile."


def test_a_case_that_could_not_be_worked_is_counted(desk: Desk) -> None:  # S2
    case = desk.open_case(severity=Severity.CRITICAL)
    look(NOON)

    def step(cases, now):
        raise ValueError("broken")

    look(NOON + 5 * HOUR, Sweep("escalate", dispatch.SWEEP.due, "escalation_check_at", step))
    assert FailedCase.objects.get().case == case
    (report,) = newest_reports(1)
    assert report.sentence == "Nothing came due meanwhile. 1 case could not be worked and is set aside."


def test_a_long_outage_with_everything_due_is_counted_in_full_and_listed_in_part(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "LISTED", 15)
    for number in range(30):
        case = desk.open_case(NOON + number * MINUTE, severity=list(Severity)[number % 4])
        if number % 5 == 4:
            at = NOON + number * MINUTE
            transitions.ask_customer(
                case.pk,
                desk.technician,
                at,
                question="?",
                reason=WaitReason.CANNOT_NOW,
                send=False,
                channel=Channel.PHONE,
            )
    look(NOON + HOUR)
    look(NOON + 20 * DAY)
    (report,) = newest_reports(1)
    # 24 cases do not wait: 6 each of Critical, High, Medium with three points; 6 cases wait, with three notices
    running = Case.objects.filter(wait_episode=0).exclude(severity=Severity.LOW).count()
    assert report.counts == {LateOutcome.LATE: 3 * running + 6, LateOutcome.SUPERSEDED: 12}
    assert len(report.works) == 15
    assert report.left_out == report.counts.total() - 15
    assert list(report.works) == sorted(report.works, key=lambda work: (work.due_at, work.case_id))


def much_due(desk: Desk, number: int) -> datetime:
    """So many cases with three points each, and as many with a notice, all due in one outage. Returns its start."""
    start = NOON + number * 10 * DAY
    for _ in range(number):
        desk.open_case(start, severity=Severity.CRITICAL)
        waits = desk.open_case(start, severity=Severity.LOW)
        transitions.ask_customer(
            waits.pk,
            desk.technician,
            start,
            question="?",
            reason=WaitReason.CANNOT_NOW,
            send=False,
            channel=Channel.PHONE,
        )
    SweepRun.objects.all().delete()
    look(start)
    look(start + 50 * HOUR)
    return start


def test_a_report_costs_the_same_queries_however_much_came_due(desk: Desk) -> None:
    counted = []
    for number in (1, 12):
        group = list(Outage.objects.filter(began_at=much_due(desk, number)))
        with CaptureQueriesContext(connection) as captured:
            report = report_on(group)
            assert [work.title for work in report.works] == ["Nobody can print"] * 4 * number
        counted.append(len(captured))
    assert counted == [5, 5]


# --- the mail ---------------------------------------------------------------------------------------------------------


def test_the_support_manager_is_mailed_one_report_for_both_sweeps(desk: Desk) -> None:
    end = life_with_an_outage(desk)
    look(end)
    for minute in range(1, 12):
        look(end + minute * MINUTE)
    (mail,) = reports_mailed()
    assert (mail.to_address, mail.case) == (desk.manager.email, None)
    mail.time_zone = "Europe/Berlin"
    said = render(mail)
    assert said.subject == "The engine stood still for 13 h"
    assert "from Wed 3 June 2026, 14:00 (Berlin, UTC+02:00) to Thu 4 June 2026, 03:00 (Berlin" in said.text
    assert "3 obligations came due: 2 were done late, 1 was only recorded." in said.text
    assert "Late: Critical 1, due Wed 3 June 2026, 18:00 (Berlin, UTC+02:00), done 9 h later (done late)" in said.text
    assert reverse("admin:cases_outage_change", args=[Outage.objects.order_by("pk")[0].pk]) in said.text
    assert "You get this because you look after the desk" in said.text
    for part in (said.text, said.html):
        assert "None" not in part
        assert "Reply above this line" not in part


def test_the_report_waits_for_the_sweep_that_has_not_looked_again_but_not_for_ever(desk: Desk) -> None:
    look(NOON)
    end = NOON + 5 * HOUR
    look(end, dispatch.SWEEP)
    look(end + MINUTE, dispatch.SWEEP)
    assert reports_mailed() == []
    look(end + WAIT_FOR_THE_OTHERS, dispatch.SWEEP)
    assert [mail.facts["sentence"] for mail in reports_mailed()] == ["Nothing came due meanwhile."]
    look(end + HOUR, follow_ups.SWEEP)
    look(end + HOUR + MINUTE, *SWEEPS)
    assert Outage.objects.filter(told_at=None).count() == 0


def test_the_report_waits_until_another_worker_has_done_what_it_holds(desk: Desk) -> None:
    desk.open_case(severity=Severity.CRITICAL)
    look(NOON, dispatch.SWEEP)
    end = NOON + 5 * HOUR

    # a quick worker finds nothing free: a slow one holds the case
    note_outage("escalate", end)
    record_run("escalate", end, 0, 0)
    note_caught_up(dispatch.SWEEP, end)
    report_outages(end)
    assert reports_mailed() == []
    assert newest_reports(1)[0].catching_up
    look(end + MINUTE, dispatch.SWEEP)
    (mail,) = reports_mailed()
    assert mail.facts["sentence"] == "1 obligation came due: 1 was done late."


def test_a_report_for_nobody_goes_to_the_fallback(desk: Desk) -> None:  # D5
    RoleHolder.objects.filter(role=Role.SUPPORT_MANAGER).delete()
    desk.coo.is_superuser = True
    desk.coo.save()
    look(NOON)
    look(NOON + HOUR)
    (mail,) = reports_mailed()
    assert (mail.to_address, mail.meant_for) == (desk.coo.email, "Support manager (nobody)")


# --- pages and command ------------------------------------------------------------------------------------------------


def test_the_page_of_an_outage_shows_the_report_of_all_that_was_told_with_it(desk: Desk) -> None:
    look(life_with_an_outage(desk))
    client = signed_in(desk.manager)
    assert client.get(reverse("admin:cases_outage_changelist")).status_code == 200
    for outage in Outage.objects.all():
        page = client.get(reverse("admin:cases_outage_change", args=[outage.pk])).content.decode()
        assert "3 obligations came due: 2 were done late, 1 was only recorded." in page
        assert Case.objects.get(title="Overtaken").get_absolute_url() in page
        assert "only recorded: the case was closed" in page
        assert "still catching up" not in page


def test_the_page_costs_the_same_queries_however_much_came_due(desk: Desk) -> None:
    client, counted = signed_in(desk.manager), []
    for number in (1, 12):
        outage = Outage.objects.filter(began_at=much_due(desk, number))[0]
        page = reverse("admin:cases_outage_change", args=[outage.pk])
        client.get(page)  # what is cached once per process does not count
        with CaptureQueriesContext(connection) as captured:
            assert client.get(page).status_code == 200
        counted.append(len(captured))
    assert counted[0] == counted[1] < 20


def test_an_outage_is_read_by_those_who_watch_the_engine_and_written_by_nobody(desk: Desk) -> None:  # A1, A2
    look(NOON)
    look(NOON + HOUR)
    change = reverse("admin:cases_outage_change", args=[Outage.objects.order_by("pk")[0].pk])
    for user, status in ((desk.manager, 200), (desk.coo, 200), (desk.technician, 403), (desk.account_manager, 403)):
        assert signed_in(user).get(change).status_code == status
    assert signed_in(desk.manager).post(change, {}).status_code == 403
    assert signed_in(desk.manager).get(change.replace("/change/", "9/change/")).status_code == 404


def test_the_pulse_page_says_what_is_wrong_and_leads_to_the_last_outage(desk: Desk, time_machine) -> None:
    case = desk.open_case(severity=Severity.CRITICAL)
    look(NOON)
    look(NOON + HOUR)
    outage = Outage.objects.first()
    client, address = signed_in(desk.manager), reverse("admin:cases_sweeprun_changelist")
    time_machine.move_to(NOON + 6 * HOUR, tick=False)
    client.force_login(desk.manager)
    page = client.get(address).content.decode()
    assert "The engine needs a look." in page
    assert f"The escalation of {case.number} is overdue" in page
    assert reverse("admin:cases_outage_change", args=[outage.pk]) in page


def test_the_dashboard_leads_to_an_outage_of_late(desk: Desk, time_machine) -> None:
    look(NOON)
    look(NOON + HOUR)
    link = reverse("admin:cases_outage_change", args=[Outage.objects.first().pk])
    for hours, shown in ((2, True), (80, False)):
        time_machine.move_to(NOON + hours * HOUR, tick=False)
        assert (link in signed_in(desk.manager).get(reverse("admin:index")).content.decode()) is shown


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("recovery", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_newest_report(desk: Desk) -> None:
    assert said() == "No outage was ever noted: the engine has looked all the time since it was started.\n\n"
    look(life_with_an_outage(desk))
    lines = said().splitlines()
    assert lines[0] == (
        "The engine stood still from 2026-06-03 12:00 to 2026-06-04 01:00 UTC (13 h). "
        "3 obligations came due: 2 were done late, 1 was only recorded."
    )
    number = Case.objects.get(title="Late").number
    assert lines[1] == f"  {number}  Critical 1: due 2026-06-03 16:00, done 2026-06-04 01:00 (9 h late), done late"
    assert len(lines) == 4


def test_the_command_prints_as_many_as_asked_the_newest_first(desk: Desk) -> None:
    for hours in (0, 1, 3, 6):
        look(NOON + hours * HOUR)
    heads = [line for line in said("--last", "2").splitlines() if line]
    assert ["(3 h)" in heads[0], "(2 h)" in heads[1], len(heads)] == [True, True, 2]
    with pytest.raises(CommandError, match="1 or more"):
        said("--last", "0")
