"""A database that an older desk filled upgrades, and keeps every row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps.registry import Apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from cases.enums import WaitPlan
from cases.models import Case, FailedCase, FollowUp, Mail, SweepRun
from escalations.models import DigestLine, Escalation, SchedulePoint, SlaTarget
from escalations.reports.views import drop_views, make_views

THEN = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
#: Columns of people that came later have no default in the database.
PEOPLE = ("contacts", "0003_bundled_mail")
BEFORE = [("cases", "0007_waits_under_way"), ("escalations", "0003_base_intervals")]


Make = Callable[..., Any]


def upgrade(since: Iterable[tuple[str, str]], fill: Callable[[Make], None], people: tuple[str, str] = PEOPLE) -> None:
    """Make the schema of these migrations, fill it through its own models, and migrate to the newest."""
    try:
        drop_everything()
        executor = MigrationExecutor(connection)
        executor.migrate([*since, people])
        old: Apps = executor.loader.project_state(since).apps
        fill(lambda model, **fields: old.get_model(model).objects.create(**fields))
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
        drop_views(connection)
        make_views(connection)


def drop_everything() -> None:
    """Leave an empty database, as before the first migration: much faster than to go back through all of them."""
    drop_views(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            return
        tables = connection.introspection.table_names(cursor)
        with connection.constraint_checks_disabled():
            for table in tables:
                cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)}")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_rows_written_under_the_old_names_are_read_under_the_new_ones() -> None:
    upgrade(BEFORE, fill)

    case = Case.objects.get()
    checks = case.escalation_check_at, case.follow_up_check_at, case.sla_check_at, case.sla_counts_from
    assert checks == tuple(THEN + timedelta(hours=hours) for hours in (1, 2, 3, 4))
    assert case.next_due_at == THEN + timedelta(hours=1)  # W2
    assert case.update_cadence == case.history.get().update_cadence == {"customer": 120}
    follow_up = FollowUp.objects.get()
    assert (follow_up.case, follow_up.step, follow_up.mail.follow_up) == (case, "notice-1", follow_up)
    assert FailedCase.objects.get().case == case
    assert SweepRun.objects.get().name == "escalate"
    target = SlaTarget.objects.get()
    assert (target.case, target.get_outcome_display(), target.mail.sla_targets.get()) == (case, "Missed", target)
    assert DigestLine.objects.get().mail == Mail.objects.get()
    assert Escalation.objects.get().cadence == {"customer": 60}
    assert SchedulePoint.objects.get().cadence == {"customer": 30}


def fill(make: Make) -> None:
    """One row of every table that was renamed, or has a renamed column."""
    company = make("contacts.Company", name="Acme", country="DE", time_zone="Europe/Berlin")
    contact = make("contacts.Contact", company=company, name="Help desk", email="desk@example.com")
    moments = {
        column: THEN + timedelta(hours=hours)
        for hours, column in enumerate(("look_at", "follow_up_at", "promise_at", "promises_since"), start=1)
    }
    case = make("cases.Case", company=company, contact=contact, title="?", update_rhythm={"customer": 120}, **moments)
    make(
        "cases.HistoricalCase",
        **{"id": case.pk, "company": company, "contact": contact, "title": "?", "update_rhythm": case.update_rhythm},
        **{"history_date": THEN, "history_type": "+"},
    )
    mail = make("cases.Mail", case=case, key="notice:1", template="notice_1", to_address=contact.email,
                queued_at=THEN, send_at=THEN, message_id="<1@example.com>")  # fmt: skip
    make("cases.Notice", case=case, episode=1, step="notice-1", due_at=THEN, done_at=THEN, mail=mail)
    make("cases.SetAside", case=case, sweep="escalate", since=THEN, retry_at=THEN, error="?")
    make("cases.Pulse", name="escalate", last_at=THEN)
    make("escalations.Promise", case=case, kind="update", member="customer", since=THEN, due_at=THEN,
         outcome="missed", mail=mail)  # fmt: skip
    make("escalations.StaffLine", case=case, section="update", key="k", to_address="a@example.com", written_at=THEN,
         mail=mail)  # fmt: skip
    version = make("escalations.ScheduleVersion", number=1)
    make("escalations.SchedulePoint", version=version, severity="high", number=1, after=timedelta(hours=1),
         rhythm={"customer": 30})  # fmt: skip
    make("escalations.Escalation", case=case, run=1, severity="high", number=1, due_at=THEN, done_at=THEN,
         schedule_version=1, rhythm={"customer": 60})  # fmt: skip


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_waits_that_got_notices_before_go_on_with_notices_and_the_others_look_anew() -> None:  # F1
    later = THEN + timedelta(days=27)
    cases = {}

    def fill_waits(make: Make) -> None:
        company = make("contacts.Company", name="Acme", country="DE", time_zone="Europe/Berlin")
        contact = make("contacts.Contact", company=company, name="Help desk", email="desk@example.com")
        wait = {"status": "customer_update_required", "waiting_since": THEN, "wait_episode": 1, "follow_up_at": later}
        for title, plan in (("noticed", "three_contacts"), ("fresh", "three_contacts"), ("pending", "pending")):
            case = make("cases.Case", company=company, contact=contact, title=title, wait_plan=plan, **wait)
            cases[title] = case.pk
        notice = {"step": "notice-1", "due_at": THEN, "done_at": THEN}
        make("cases.Notice", case_id=cases["noticed"], episode=1, **notice)
        make("cases.Notice", case_id=cases["fresh"], episode=9, **notice)  # of another wait

    upgrade([("cases", "0006_waiting_for_the_customer")], fill_waits)
    plans = {case.title: (case.wait_plan, case.follow_up_check_at) for case in Case.objects.all()}
    assert plans["noticed"][0] == plans["pending"][0] == WaitPlan.PENDING_CLIENT_ACTION
    assert plans["fresh"][0] == WaitPlan.THREE_CONTACTS
    assert plans["fresh"][1] != plans["pending"][1] == later


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_what_reports_read_of_a_case_is_counted_once_from_its_history() -> None:  # W4
    def history(*states: tuple[int, str]) -> Callable[[Make, dict[str, Any]], None]:
        def write(make: Make, fields: dict[str, Any]) -> None:
            for minutes, status in states:
                at = THEN + timedelta(minutes=minutes, milliseconds=900)
                make("cases.HistoricalCase", **fields, status=status, history_date=at, history_type="~")

        return write

    works, waits, resolved = "in_progress", "customer_update_required", "resolved"
    lives = {
        "waited twice": history((0, "assigned"), (10, waits), (40, works), (50, waits), (55, waits), (110, resolved)),
        "waits": history((0, works), (10, waits), (20, works), (30, waits)),
        "reopened": history((0, works), (10, resolved), (20, works), (30, resolved), (35, resolved), (50, works)),
        "came without history": history(),
    }

    def fill_lives(make: Make) -> None:
        company = make("contacts.Company", name="Acme", country="DE", time_zone="Europe/Berlin")
        contact = make("contacts.Contact", company=company, name="Help desk", email="desk@example.com")
        for title, write in lives.items():
            now = {"status": waits, "waiting_since": THEN + timedelta(minutes=30)} if title == "waits" else {}
            case = make("cases.Case", company=company, contact=contact, title=title, **now)
            write(make, {"id": case.pk, "company": company, "contact": contact, "title": title})

    before = ("cases", "0039_open_by_age"), ("escalations", "0012_account_managers")
    upgrade(before, fill_lives, people=("contacts", "0006_daily_digest"))
    assert {case.title: (case.waited_seconds, case.reopenings) for case in Case.objects.all()} == {
        "waited twice": (90 * 60, 0),
        "waits": (10 * 60, 0),  # the wait that it is in does not count
        "reopened": (0, 2),
        "came without history": (0, 0),
    }
