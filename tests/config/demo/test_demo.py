"""`manage.py demo`: sixty cases with a past that the real moves made; played once for the whole module."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise

import pytest
import time_machine
from django.contrib.auth import authenticate
from django.core import mail as django_mail
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import F
from django.test import override_settings

from cases.enums import (
    AbsenceState,
    FollowUpStep,
    MailStatus,
    Move,
    ReceivedKind,
    ReceivedOutcome,
    Resolution,
    Severity,
    Status,
)
from cases.models import Absence, Case, CaseWatcher, FailedCase, FollowUp, Interaction, Mail, ReceivedMail, Refusal
from config.demo.people import CENTRES, COMPANIES, PASSWORD
from config.demo.programme import is_daytime
from contacts.calendars import coverage_gaps
from contacts.directory import directory_problems
from contacts.enums import Role
from contacts.models import Company, Contact, OpeningSpan, RoleHolder, SupportCentre, Technician, User
from escalations.clocks import load_clocks
from escalations.models import DigestLine, Escalation, EscalationRequest, Question, SlaTarget
from escalations.policy.clock import due_points, view_clock
from escalations.policy.figures import BREAKDOWNS
from escalations.policy.reporting import Period
from tests.escalations.reports.test_reckoning import tables
from tests.support.dead_rows import count_rows
from tests.support.report_counts import read_lives, table_differs

NOW = datetime(2026, 6, 3, 12, 0, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)

#: C4, from and to; a new case begins Assigned.
ALLOWED = {
    (Status.ASSIGNED, Status.IN_PROGRESS),
    (Status.ASSIGNED, Status.WAITING),
    (Status.ASSIGNED, Status.RESOLVED),
    (Status.IN_PROGRESS, Status.WAITING),
    (Status.IN_PROGRESS, Status.RESOLVED),
    (Status.WAITING, Status.IN_PROGRESS),
    (Status.WAITING, Status.RESOLVED),
    (Status.RESOLVED, Status.IN_PROGRESS),
}


# One worker takes the whole file (conftest): the demonstration is played once.
pytestmark = [pytest.mark.slow, pytest.mark.any_database]


@pytest.fixture(scope="module")
def said(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[str]:
    """The demonstration at NOW; its value is what the command printed."""
    with django_db_blocker.unblock(), transaction.atomic():
        out = StringIO()
        django_mail.outbox = []
        # As on a desk with a mail server: what is kept is kept because the demonstration says so.
        with time_machine.travel(NOW, tick=False), override_settings(MAIL_IS_KEPT=False):
            call_command("demo", stdout=out)
        assert django_mail.outbox == []
        count_rows()
        yield out.getvalue()
        transaction.set_rollback(True)


@pytest.fixture
def demo(said: str, db: None) -> None:
    """The demonstration, as it was played."""


def logins() -> str:
    out = StringIO()
    call_command("demo", "--logins", stdout=out)
    return out.getvalue()


# --- people ---


def test_the_centres_leave_no_gap_in_any_season(demo: None):  # D1
    hours = [centre.opening_hours() for centre in SupportCentre.objects.all()]
    assert len(hours) == len(CENTRES) == 3
    for year in (2026, 2027, 2028):
        assert coverage_gaps(hours, datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)) == []
    OpeningSpan.objects.filter(centre__name="Philadelphia", weekday=6).delete()
    fewer = [centre.opening_hours() for centre in SupportCentre.objects.all()]
    assert coverage_gaps(fewer, NOW, NOW + timedelta(days=8))


def test_every_role_has_a_reachable_holder(demo: None):  # D4, D5
    with override_settings(MAIL_AUTH_SERVER=["mx.example"]):  # without one it is said, as mail has come in (M5a)
        assert directory_problems() == []
    assert RoleHolder.objects.filter(role=Role.CSM, centre__name="Tokyo").exists()


def test_the_desk_has_technicians_of_both_levels_everywhere_and_japanese_on_both(demo: None):  # D2, E7
    levels = set(Technician.objects.filter(on_duty=True).values_list("centre__name", "level"))
    assert levels == {(centre.name, level) for centre in CENTRES for level in ("L2", "L3")}
    japanese = {one.level for one in Technician.objects.filter(centre__name="Tokyo") if "ja" in one.languages}
    assert japanese == {"L2", "L3"}
    assert Technician.objects.filter(on_duty=False).count() == 1


def test_eight_companies_in_eight_countries_each_with_a_help_desk_of_two(demo: None):
    assert set(Company.objects.values_list("country", flat=True)) == {"US", "GB", "DE", "FR", "JP", "IN", "NZ", "AU"}
    assert Company.objects.values("account_manager").distinct().count() == 3
    for company in Company.objects.all():
        assert company.customer_engineer is not None
        assert Counter(company.contacts.values_list("is_help_desk", flat=True)) == {True: 2, False: 1}


def test_every_address_is_under_example_com(demo: None):
    addresses = {
        *User.objects.values_list("email", flat=True),
        *Contact.objects.values_list("email", flat=True),
        *Mail.objects.values_list("to_address", flat=True),
    }
    assert "" not in addresses
    assert [one for one in addresses if not one.endswith((".example.com", "@example.com"))] == []


def test_people_and_companies_have_a_history_from_before_the_first_case(demo: None):
    first = Case.objects.earliest("opened_at").opened_at
    for model in (Company, Contact, Technician, SupportCentre, RoleHolder):
        assert model.history.count() == model.objects.count()
        assert model.history.latest("history_date").history_date < first


# --- cases ---


def test_sixty_four_cases_of_every_status_and_severity(demo: None):
    assert Case.objects.count() == 64
    matrix = Counter(Case.objects.values_list("severity", "status"))
    assert set(matrix) == {(severity.value, status.value) for severity in Severity for status in Status}
    assert Refusal.objects.count() == 4  # D3
    assert Company.objects.filter(cases__isnull=True).count() == 0


def test_the_past_is_about_twenty_days_long_and_ends_now(demo: None):
    opened = list(Case.objects.values_list("opened_at", flat=True))
    assert timedelta(days=18) < NOW - min(opened) < timedelta(days=25)
    assert max(Case.history.values_list("history_date", flat=True)) <= NOW
    assert max(Interaction.objects.values_list("at", flat=True)) <= NOW
    assert NOW - max(opened) < timedelta(minutes=10)


def test_the_status_only_ever_moved_as_c4_allows(demo: None):
    for case in Case.objects.all():
        rows = list(case.history.order_by("history_id").values_list("status", "last_move", "history_date"))
        assert rows[0][:2] == (Status.ASSIGNED, Move.OPENED)
        moves = {(before[0], after[0]) for before, after in pairwise(rows) if before[0] != after[0]}
        assert moves <= ALLOWED
        assert rows[-1][0] == case.status


def test_no_history_goes_backwards(demo: None):
    for case in Case.objects.all():
        dates = list(case.history.order_by("history_id").values_list("history_date", flat=True))
        assert dates == sorted(dates)
        assert dates[0] == case.opened_at
        assert dates[-1] == case.changed_at
        assert case.interactions.earliest("at").at == case.opened_at


def test_the_ledger_is_what_the_clock_says(demo: None):  # E3, E6
    for life in load_clocks(list(Case.objects.all())).values():
        case, ledger = life.case, life.ledger
        assert life.timeline is not None
        due = {one.key: one.due_at for one in due_points(life.snapshots, life.timeline, NOW)}
        assert due == {key: row.due_at for key, row in ledger.items()}
        upcoming = view_clock(life.snapshots, life.timeline, NOW).next_point(ledger)
        assert case.escalation_check_at == (upcoming.due_at if upcoming else None)
    assert Escalation.objects.count() > 30


def test_promises_questions_and_requests_are_part_of_the_past(demo: None):  # T2, T3, E1, E8, E9
    outcomes = Counter(SlaTarget.objects.filter(kind="update").values_list("outcome", flat=True))
    assert outcomes["person"] > 50
    assert outcomes["system"] > 50
    assert Question.objects.filter(end="answered").count() > 5
    assert Question.objects.exclude(for_customer="").exists()
    assert Question.objects.filter(ended_at=None).exists()
    requests = Counter(EscalationRequest.objects.values_list("origin", "status"))
    assert {("customer", "requested"), ("customer", "accepted"), ("customer", "declined")} <= set(requests)
    assert requests["schedule", "requested"] >= 1
    assert requests["schedule", "declined"] >= 1
    assert not DigestLine.objects.filter(mail=None).exists()


def test_nothing_was_missed_in_the_demonstration_but_first_responses(demo: None):  # T1, T4
    assert not SlaTarget.objects.filter(kind="update", outcome="missed").exists()


def test_every_step_was_taken_within_two_minutes_of_its_moment(demo: None):  # S1, E4
    assert FailedCase.objects.count() == 0
    late = timedelta(minutes=2)
    assert not FollowUp.objects.filter(done_at__gt=F("due_at") + late).exists()
    changed = Case.history.filter(last_move=Move.SEVERITY).values("id")
    assert not Escalation.objects.filter(done_at__gt=F("due_at") + late).exclude(case__in=changed).exists()
    assert not Escalation.objects.filter(done_at__lt=F("due_at")).exists()


def test_nothing_is_due_that_was_not_done(demo: None):
    assert not Case.objects.filter(escalation_check_at__lte=NOW).exists()
    assert not Case.objects.filter(follow_up_check_at__lte=NOW).exists()
    assert not Mail.objects.filter(status=MailStatus.QUEUED, send_at__lte=NOW).exists()


def test_every_mail_was_kept_and_none_left_the_machine(demo: None):  # M1
    assert Mail.objects.count() > 300
    settled = Mail.objects.exclude(status=MailStatus.DROPPED)
    assert set(settled.values_list("status", "kept")) == {(MailStatus.SENT, True)}
    assert not settled.filter(subject="").exists()
    assert not settled.filter(sent_at__lt=F("queued_at")).exists()
    assert not settled.filter(sent_at__gt=F("queued_at") + timedelta(minutes=2)).exists()


def test_mail_of_every_kind_came_in_and_some_of_it_waits_in_triage(demo: None):  # M5, M6
    came_in = Counter(ReceivedMail.objects.values_list("kind", "outcome"))
    assert came_in[ReceivedKind.PERSON, ReceivedOutcome.TRIAGE] == 5
    assert came_in[ReceivedKind.PERSON, ReceivedOutcome.LOGGED] == 1
    assert came_in[ReceivedKind.BOUNCE, ReceivedOutcome.BOUNCE] == 1
    assert came_in[ReceivedKind.DELAY, ReceivedOutcome.DELAY] == 1
    assert came_in[ReceivedKind.AUTOMATIC, ReceivedOutcome.NOTHING] == 1
    assert came_in[ReceivedKind.OUT_OF_OFFICE, ReceivedOutcome.TRIAGE] == 1
    assert sum(came_in.values()) == 10
    assert [mail.sender for mail in ReceivedMail.objects.all() if not mail.sender.endswith((".example", ".com"))] == []


def test_the_schedule_is_about_to_act(demo: None):
    due = [case.escalation_check_at - NOW for case in Case.objects.filter(escalation_check_at__isnull=False)]
    assert sum(left < HOUR / 2 for left in due) >= 3
    assert sum(left < 6 * HOUR for left in due) >= 8


def test_a_critical_case_went_to_l3_and_its_former_owner_watches(demo: None):  # E7
    moved = Escalation.objects.filter(
        severity=Severity.CRITICAL, number=1, case__status=Status.IN_PROGRESS, case__owner__technician__level="L3"
    ).exclude(owner_before=F("owner_after"))
    assert moved.exists()
    for row in moved:
        assert CaseWatcher.objects.filter(case=row.case, user=row.owner_before).exists()


def test_waits_stand_at_every_stage_of_the_plan(demo: None):  # F2, F6
    stages = {
        frozenset(FollowUp.objects.filter(case=case, episode=case.wait_episode).values_list("step", flat=True))
        for case in Case.objects.filter(status=Status.WAITING)
    }
    first, second, final = FollowUpStep.NOTICE_1, FollowUpStep.NOTICE_2, FollowUpStep.FINAL
    assert {frozenset(), frozenset({first}), frozenset({first, second}), frozenset({first, second, final})} <= stages
    assert Case.objects.filter(status=Status.WAITING, wait_episode=2).exists()


def test_three_contacts_are_made_by_mail_and_by_phone_and_a_call_too_early_says_so(demo: None):  # F3
    assert FollowUp.objects.filter(step=FollowUpStep.ATTEMPT_1, interaction=None).exists()
    assert FollowUp.objects.filter(step=FollowUpStep.ATTEMPT_1, interaction__isnull=False).exists()
    assert Interaction.objects.filter(why_no_attempt__contains="the next attempt counts from").exists()


def test_customers_are_away_as_they_said_as_was_read_and_nobody_knows_until_when(demo: None):  # F5
    states = set(Absence.objects.filter(case__status=Status.WAITING).values_list("state", flat=True))
    assert states == {AbsenceState.CONFIRMED, AbsenceState.READ, AbsenceState.UNREAD}


def test_cases_closed_for_no_response_and_one_that_was_answered_after_all(demo: None):  # F2, C7
    assert Case.objects.filter(resolution=Resolution.NO_RESPONSE).count() >= 2
    answered = Case.history.filter(last_move=Move.REOPENED, history_change_reason__contains="closed for no response")
    assert answered.exists()


def test_a_word_on_a_resolved_case_waits_for_somebody(demo: None):  # C7
    assert Interaction.objects.filter(needs_answer=True, case__status=Status.RESOLVED).count() == 2


def test_every_kind_of_move_is_in_the_past(demo: None):
    moves = set(Case.history.values_list("last_move", flat=True))
    assert moves == {move.value for move in Move} - {Move.IMPORTED, Move.MOVED, Move.TAKEN_OVER}  # left to the visitor
    assert Case.objects.exclude(opened_despite="").filter(contact__is_help_desk=False).exists()  # D3
    assert Case.objects.filter(linked_to__status=Status.RESOLVED).exists()  # C4
    assert set(Case.objects.values_list("resolution", flat=True)) == {"", *(one.value for one in Resolution)}
    assert Escalation.objects.filter(carried_out=False).exists()  # E4
    assert Escalation.objects.filter(run=2).exists()  # E2


def test_a_japanese_case_was_opened_in_japanese_hours_by_somebody_who_speaks_it(demo: None):  # D2
    case = Case.objects.get(title__startswith="横浜")
    first = case.history.earliest("history_date")
    assert "ja" in Technician.objects.get(user=first.owner_id).languages
    assert case.company.country == "JP"


# --- the command ---


def test_the_demonstration_says_who_can_sign_in(said: str, demo: None):
    assert "64 cases of 8 companies" in said
    *table, customers = logins().splitlines()
    assert "\n".join(table) in said
    assert customers.partition(";")[0].rstrip(".") in said
    assert len(table) == 10
    assert "/support/ as " in customers
    assert customers.endswith("; admin reads the code under Mail.")
    for row in table[1:]:
        name, password = row.split()[-2:]
        user = authenticate(username=name, password=password)
        assert user is not None
        assert user.is_staff
    assert User.objects.filter(is_superuser=True).count() == 1


def test_a_login_whose_password_was_changed_is_not_offered(demo: None):
    user = User.objects.get(username="oliver")
    user.set_password("another-password")
    user.save()
    assert "oliver" not in logins()
    assert f"fiona      {PASSWORD}" in logins()


def test_a_second_demonstration_is_refused_in_one_sentence(demo: None):
    with pytest.raises(CommandError, match=r"^This desk holds cases already;[^.]*\.$"):
        call_command("demo")
    assert Case.objects.count() == 64


def test_somebody_is_at_work_at_any_hour():
    """Cases that begin to the minute find a customer who is awake."""
    from_midnight = datetime(2026, 1, 1, tzinfo=UTC)
    for half_hour in range(48 * 365):
        moment = from_midnight + half_hour * HOUR / 2
        assert any(is_daytime(sketch, moment) for sketch in COMPANIES)


# --- reports ---


def test_every_figure_of_a_report_is_what_the_past_says(demo: None):  # W4
    manager, account_manager = User.objects.get(username="ruth"), User.objects.get(username="thomas")
    own = set(Company.objects.visible_to(account_manager).values_list("pk", flat=True))
    with time_machine.travel(NOW, tick=False):
        lives = read_lives()
        for table in tables(Period(NOW.date() - timedelta(days=30), NOW.date()), "Europe/London", manager):
            assert table_differs(table, lives, NOW) == []
        its = [life for life in lives if life.case.company_id in own]
        for table in tables(Period(NOW.date() - timedelta(days=30), NOW.date()), "Asia/Tokyo", account_manager):
            assert BREAKDOWNS[table.by].needs_everything or table_differs(table, its, NOW) == []
    assert len(its) < len(lives) == 64
