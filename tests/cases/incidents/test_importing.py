"""`manage.py import_incidents`: a real incident log becomes cases with a past, once (C5's exception)."""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from cases.enums import MailStatus, Move, Severity, Status
from cases.followup.apply import follow_up
from cases.incidents.importing import address_part
from cases.incidents.log import read_log
from cases.mail.outbox import deliver
from cases.models import Case, FollowUp, Mail
from contacts.enums import Level, Role
from contacts.models import Company, Contact, SupportCentre, Technician, User
from escalations.models import Escalation
from escalations.points.apply import escalate
from escalations.policy.clock import due_points
from escalations.policy.reporting import Period
from escalations.policy.schedule import PUBLISHED
from escalations.sla.apply import keep_promises
from tests.escalations.reports.test_reckoning import tables
from tests.support.builders import build_centre, build_desk
from tests.support.incident_logs import at, lines_of, march
from tests.support.processes import Mailbox, mail_server
from tests.support.report_counts import read_lives, table_differs

pytestmark = pytest.mark.django_db

SHARED = Path(
    os.environ.get("SHARED_DATA")
    or Path(__file__).resolve().parents[4] / "shared" / "data" / "servicenow_incidents.csv.gz"
)
needs_shared_log = pytest.mark.skipif(
    not SHARED.is_file(), reason="needs the shared incident log: name it in SHARED_DATA"
)
AS_OF = "2016-04-04T12:00"
AS_OF_MOMENT = datetime(2016, 4, 4, 12, tzinfo=UTC)

#: A life with everything C4 forbids: resolved -> waiting, waiting -> assigned, assigned -> assigned.
LIFE = [
    {},
    at("08:00", "Active", assigned_to="Resolver 7"),
    at("09:00", "Awaiting User Info", priority="2 - High"),
    at("10:00", "Resolved"),
    at("11:00", "Awaiting User Info"),
    at("12:00", "New", assigned_to="Resolver 8"),
    at("13:00", "Resolved"),
    at("14:00", "Closed"),
]
OTHERS = [
    {"number": "INC2", "caller_id": "Caller 2", "location": "Location 2", "opened_at": "29/2/2016 02:00"},
    {"number": "INC3", "location": "Location 3", "opened_at": "29/2/2016 03:00", "assigned_to": "Resolver 7"},
]


def write_log(directory: Path, *rows: dict[str, str]) -> Path:
    path = directory / "log.csv"
    path.write_text("".join(lines_of(*rows)), encoding="utf-8")
    return path


def run_import(path: Path | str, *options: str) -> str:
    """What the command says."""
    said = io.StringIO()
    call_command("import_incidents", str(path), *options, stdout=said)
    return said.getvalue()


def everything() -> list[int]:
    """How many rows there are of everything an import writes."""
    models: tuple[Any, ...] = (
        *(Case, Case.history, Company, Company.history, Contact, Contact.history),
        *(Technician, Technician.history, User, SupportCentre, SupportCentre.history),
    )
    return [getattr(model, "objects", model).count() for model in models]


def test_the_history_of_a_case_carries_the_times_of_the_log_also_where_c4_forbids_the_step(tmp_path: Path) -> None:
    run_import(write_log(tmp_path, *LIFE))
    case = Case.objects.get(external_reference="INC1")
    rows = case.history.order_by("history_date", "history_id")
    assert [(row.history_date, row.history_type, row.last_move, row.status, row.wait_episode) for row in rows] == [
        (datetime(2016, 2, 29, 1, 16, tzinfo=UTC), "+", Move.IMPORTED, Status.ASSIGNED, 0),
        (march(1, 8), "~", Move.STARTED, Status.IN_PROGRESS, 0),
        (march(1, 9), "~", Move.ASKED, Status.WAITING, 1),
        (march(1, 10), "~", Move.RESOLVED, Status.RESOLVED, 1),
        (march(1, 11), "~", Move.ASKED, Status.WAITING, 2),
        (march(1, 12), "~", Move.RESPONDED, Status.ASSIGNED, 2),
        (march(1, 13), "~", Move.RESOLVED, Status.RESOLVED, 2),
    ]
    assert [row.severity for row in rows] == [
        *(Severity.MEDIUM, Severity.MEDIUM, Severity.HIGH),
        *(Severity.MEDIUM, Severity.MEDIUM, Severity.MEDIUM, Severity.MEDIUM),
    ]
    assert [row.owner and str(row.owner) for row in rows] == [
        *(None, "Resolver 7", "Resolver 7", "Resolver 7", "Resolver 7", "Resolver 8", "Resolver 8")
    ]
    assert [row.waiting_since for row in rows] == [None, None, march(1, 9), None, march(1, 11), None, None]
    assert all(row.history_change_reason.startswith("The log of INC1 says: ") for row in rows)


def test_a_case_stands_where_the_last_row_left_it(tmp_path: Path) -> None:
    run_import(write_log(tmp_path, *LIFE))
    case = Case.objects.get(external_reference="INC1")
    assert (case.status, case.resolved_at, case.resolution) == (Status.RESOLVED, march(1, 13), "customer_confirmed")
    assert (case.title, str(case.owner)) == ("Category 55, Subcategory 170: Symptom 72", "Resolver 8")
    assert (case.opened_at, case.changed_at) == (datetime(2016, 2, 29, 1, 16, tzinfo=UTC), march(1, 13))
    assert (case.escalation_check_at, case.follow_up_check_at, case.waiting_since) == (None, None, None)


def test_a_wait_lasts_since_it_began_whatever_else_changed_meanwhile(tmp_path: Path) -> None:
    before = timezone.now()
    run_import(write_log(tmp_path, *LIFE[:2], at("09:00", "Awaiting User Info"),
                         at("10:00", "Awaiting User Info", priority="1 - Critical")))  # fmt: skip
    case = Case.objects.get()
    assert (case.status, case.severity, case.waiting_since) == (Status.WAITING, Severity.CRITICAL, march(1, 9))
    assert (case.wait_reason, case.wait_plan, case.wait_episode) == ("information", "pending", 1)
    assert case.escalation_check_at is not None
    assert case.follow_up_check_at is not None
    assert before <= case.escalation_check_at == case.follow_up_check_at <= timezone.now()


def test_an_open_case_is_looked_at_at_once(tmp_path: Path) -> None:
    before = timezone.now()
    run_import(write_log(tmp_path, {}))
    case = Case.objects.get()
    assert case.escalation_check_at is not None
    assert before <= case.escalation_check_at <= timezone.now()
    assert (case.status, case.owner, case.follow_up_check_at) == (Status.ASSIGNED, None, None)


def test_the_company_of_a_caller_is_the_location_of_their_first_incident(tmp_path: Path) -> None:
    run_import(write_log(tmp_path, OTHERS[1], *LIFE, OTHERS[0]))
    assert set(Company.objects.values_list("name", flat=True)) == {"Location 1", "Location 2"}
    contact = Case.objects.get(external_reference="INC3").contact
    assert (contact.name, contact.company.name, contact.is_help_desk) == ("Caller 1", "Location 1", True)
    assert contact.email == "caller-1@customers.example.com"
    assert all(case.contact.company_id == case.company_id for case in Case.objects.select_related("contact"))


def test_callers_nobody_knows_are_not_one_person_of_one_company(tmp_path: Path) -> None:
    unknown = {"caller_id": "?"}
    run_import(write_log(tmp_path, unknown, OTHERS[0] | unknown, OTHERS[1] | unknown | {"location": "?"}))
    assert {(one.name, one.company.name) for one in Contact.objects.select_related("company")} == {
        ("Unknown caller of location 1", "Location 1"),
        ("Unknown caller of location 2", "Location 2"),
        ("Unknown caller of unknown location", "Unknown location"),
    }


def test_technicians_are_l2_unless_said_otherwise_and_cannot_sign_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cases.incidents.importing.BATCH", 1)  # whoever is L3 need not be in the first batch
    run_import(write_log(tmp_path, {"number": "INC0"}, *LIFE), "--l3", "Resolver 8")
    levels = {str(one.user): one.level for one in Technician.objects.select_related("user")}
    assert levels == {"Resolver 7": Level.L2, "Resolver 8": Level.L3}
    user = User.objects.get(username="resolver-7")
    assert (user.role, user.is_staff, user.is_superuser, user.email) == (
        *(Role.TECHNICIAN, True, False),
        "resolver-7@staff.example.com",
    )
    assert not user.has_usable_password()


def test_technicians_join_the_first_centre_or_one_that_never_closes(tmp_path: Path) -> None:
    run_import(write_log(tmp_path, *LIFE))
    centre = SupportCentre.objects.get()
    assert centre.name == "Imported"
    assert centre.opening_hours().in_business_day(timezone.now())
    build_centre("Osaka", "JP", "Asia/Tokyo")
    run_import(write_log(tmp_path, OTHERS[1] | {"assigned_to": "Resolver 9"}), "--centre", "Osaka")
    assert Technician.objects.get(user__username="resolver-9").centre.name == "Osaka"


def test_country_and_time_zone_of_new_companies_are_as_the_options_say(tmp_path: Path) -> None:
    run_import(write_log(tmp_path, {}), "--country", "de", "--time-zone", "Europe/Berlin")
    company = Company.objects.get()
    assert (company.country, company.time_zone) == ("DE", "Europe/Berlin")


def test_two_names_never_share_an_address_and_one_name_always_has_the_same() -> None:
    names = ["Caller 1", "caller 1", "Caller-1", "CALLER 1", "Käller 1", "電話", "Caller 1!", "x" * 120, "x" * 119]
    parts = [address_part(name) for name in names]
    assert parts[0] == "caller-1"
    assert len({part.lower() for part in parts}) == len(names)
    assert parts == [address_part(name) for name in names]
    assert all(part.isascii() and 0 < len(part) <= 64 and not part.startswith("-") for part in parts)


def test_importing_twice_adds_nothing(tmp_path: Path) -> None:
    path = write_log(tmp_path, *LIFE, *OTHERS)
    assert "3 new cases, 0 known" in run_import(path)
    there = everything()
    said = run_import(path)
    assert "0 new cases, 3 known" in said
    assert "0 companies, 0 contacts, 0 technicians" in said
    assert everything() == there


def test_a_known_case_is_left_alone_and_a_new_one_goes_to_the_people_who_are_there(tmp_path: Path) -> None:
    run_import(write_log(tmp_path, *LIFE))
    Contact.objects.update(name="Renamed")
    run_import(write_log(tmp_path, *LIFE, at("15:00", "Active", assigned_to="Resolver 9"), *OTHERS))
    assert Case.objects.get(external_reference="INC1").status == Status.RESOLVED
    assert not User.objects.filter(username="resolver-9").exists()
    assert Case.objects.get(external_reference="INC3").contact.name == "Renamed"


def test_an_import_that_was_killed_is_completed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cases.incidents.importing.BATCH", 1)
    path = write_log(tmp_path, *LIFE, *OTHERS)

    class Killed(BaseException):
        pass

    def kill(*args: Any, **kwargs: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("tqdm.std.tqdm.update", kill)
        with pytest.raises(Killed):
            run_import(path)
    assert Case.objects.count() == 1
    assert "2 new cases, 1 known" in run_import(path)
    assert Case.objects.count() == 3
    assert Contact.objects.count() == 2


def test_bad_rows_are_reported_with_their_lines_and_hold_back_their_incident_alone(tmp_path: Path) -> None:
    bad = {"priority": "9"}
    said = run_import(write_log(tmp_path, *LIFE, *[bad] * 25, *OTHERS))
    assert "25 bad rows were skipped." in said
    assert "  line 10: “9” is not a priority" in said
    assert "  line 29: " in said
    assert "line 30" not in said
    assert "and 5 more." in said
    assert "1 incident is held back whole" in said
    assert "  INC1, line 10: “9” is not a priority" in said
    assert "  priority “9”: 25 rows" in said
    assert set(Case.objects.values_list("external_reference", flat=True)) == {"INC2", "INC3"}


def test_an_incident_that_the_database_refuses_is_reported_and_the_rest_of_its_batch_goes_in(tmp_path: Path) -> None:
    refuse = {
        "sqlite": "CREATE TRIGGER no_inc2 BEFORE INSERT ON cases_case WHEN NEW.external_reference = 'INC2' "
        "BEGIN SELECT RAISE(ABORT, 'not this one'); END",
        "postgresql": "ALTER TABLE cases_case ADD CONSTRAINT no_inc2 CHECK (external_reference <> 'INC2')",
    }
    with connection.cursor() as cursor:
        cursor.execute(refuse[connection.vendor])
    said = run_import(write_log(tmp_path, *LIFE, *OTHERS))
    assert "2 new cases" in said
    assert "  line 10: INC2 could not be written: " in said
    assert set(Case.objects.values_list("external_reference", flat=True)) == {"INC1", "INC3"}
    assert not Contact.objects.filter(name="Caller 2").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no file"),
        (b"", "empty"),
        (b"number,priority\nINC1,1\n", "lacks the columns incident_state, sys_updated_at"),
        (b"\x1f\x8bno gzip", "no whole gzip file"),
        (gzip.compress("".join(lines_of({})).encode(), mtime=0)[:-9], "no whole gzip file"),
        ("".join(lines_of({"location": "横浜"})).encode("cp932"), "not UTF-8 text, nor Windows-1252"),
    ],
)
def test_a_file_that_is_no_log_is_refused_in_a_sentence_and_nothing_is_written(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "log.csv"
    if content is not None:
        path.write_bytes(content)
    there = everything()
    with pytest.raises(CommandError, match=said) as refused:
        run_import(path)
    assert refused.value.returncode == 1
    assert "\n" not in str(refused.value)
    assert everything() == there


def test_a_file_with_a_gz_name_has_to_be_gzip(tmp_path: Path) -> None:
    path = tmp_path / "log.csv.gz"
    path.write_text("".join(lines_of({})))
    with pytest.raises(CommandError, match="no whole gzip file"):
        run_import(path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--as-of", "yesterday"], "not “yesterday”"),
        (["--as-of", "9999-12-31T23:59"], "not “9999-12-31T23:59”"),
        (["--country", "XX"], "XX"),
        (["--time-zone", "Mars/Olympus"], "Mars/Olympus"),
        (["--centre", "Atlantis"], "no support centre “Atlantis”"),
        (["--l3", "Resolver 99"], "Resolver 99"),
    ],
)
def test_an_option_that_cannot_be_met_is_refused_in_a_sentence_and_nothing_is_written(
    tmp_path: Path, options: list[str], said: str
) -> None:
    there = everything()
    with pytest.raises(CommandError, match=said):
        run_import(write_log(tmp_path, *LIFE), *options)
    assert everything() == there


@pytest.mark.parametrize("moment", ["2016-03-01T11:30", "2016-03-01T12:30+01:00", "2016-03-01 11:30Z"])
def test_as_of_a_moment_drops_what_came_later_and_moves_the_moment_to_now(tmp_path: Path, moment: str) -> None:
    before = timezone.now()
    said = run_import(write_log(tmp_path, *LIFE, *OTHERS), "--as-of", moment)
    after = timezone.now()
    assert "3 rows lie after the moment" in said
    case = Case.objects.get(external_reference="INC1")
    assert (case.status, case.wait_episode) == (Status.WAITING, 2)
    since = timedelta(minutes=30)
    assert case.waiting_since is not None
    assert before - since <= case.waiting_since <= after - since
    shift = case.waiting_since - march(1, 11)
    assert case.opened_at == datetime(2016, 2, 29, 1, 16, tzinfo=UTC) + shift
    dates = set(case.history.values_list("history_date", flat=True))
    assert {date - shift for date in dates} == {case.opened_at - shift, *(march(1, hour) for hour in (8, 9, 10, 11))}
    assert max(dates) <= after


def test_rows_that_lie_in_the_future_are_left_out(tmp_path: Path) -> None:
    run_import(write_log(tmp_path, *LIFE[:2], at("1/1/2100 08:00", "Resolved")))
    assert Case.objects.get().status == Status.IN_PROGRESS


# --- the real log, the whole way ---------------------------------------------------------------------------------


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    """An SMTP server on this machine that the desk sends its mail to."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with mail_server() as (box, port):
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.MAIL_IS_KEPT = "127.0.0.1", port, False
        yield box


def a_thirtieth_of_the_shared_log(directory: Path) -> Path:
    """A few hundred incidents, whole."""
    path = directory / "some.csv.gz"
    with (
        gzip.open(SHARED, "rt", newline="") as whole,
        gzip.open(path, "wt", newline="", compresslevel=1) as part,
    ):
        rows = csv.reader(whole)
        writer = csv.writer(part)
        writer.writerow(next(rows))
        writer.writerows(row for row in rows if int(row[0].removeprefix("INC")) % 30 == 0)
    return path


@needs_shared_log
def test_as_of_a_moment_the_real_log_is_a_live_desk_and_its_mails_arrive_once(tmp_path: Path, mailbox: Mailbox) -> None:
    build_desk()
    path = a_thirtieth_of_the_shared_log(tmp_path)
    run_import(path, "--as-of", AS_OF, "--l3", "Resolver 7")
    with gzip.open(path, "rt", newline="") as lines:
        incidents = {one.number: one for one in read_log(lines, AS_OF_MOMENT).incidents}
    assert len(incidents) > 200
    cases = {case.external_reference or "": case for case in Case.objects.all()}
    assert cases.keys() == incidents.keys()
    shift = next(cases[number].opened_at - one.opened_at for number, one in incidents.items())

    now = timezone.now()
    escalate(now)
    follow_up(now)
    to_escalate = [one for one in incidents.values() if one.states[-1].status != Status.RESOLVED]
    expected = {
        (one.number, *due.key, due.due_at + shift)
        for one in to_escalate
        for due in due_points(one.states, PUBLISHED, now - shift)  # type: ignore[arg-type]
    }
    ledger = Escalation.objects.values_list("case__external_reference", "run", "severity", "number", "due_at")
    assert set(ledger) == expected
    assert len(expected) > 20
    long_ago = Case.objects.filter(status=Status.WAITING, waiting_since__lte=now - timedelta(hours=48))
    sent = FollowUp.objects.filter(superseded=False)
    assert set(sent.values_list("case", flat=True)) == set(long_ago.values_list("pk", flat=True))
    assert 0 < sent.count() == long_ago.count()

    queued = Mail.objects.count()
    delivery = deliver(timezone.now)
    assert (delivery.sent, delivery.failed, delivery.put_off) == (queued - delivery.dropped, 0, 0)
    arrived = {message["Message-ID"] for message in mailbox.messages}
    assert len(mailbox.messages) == len(arrived) == delivery.sent > 20
    assert arrived == set(Mail.objects.filter(status=MailStatus.SENT).values_list("message_id", flat=True))

    later = timezone.now()
    assert escalate(later).acted_on == 0
    assert follow_up(later).acted_on == 0
    assert deliver(timezone.now).sent == 0
    assert Escalation.objects.count() == len(expected)
    assert Mail.objects.count() == queued
    assert len(mailbox.messages) == delivery.sent


@pytest.mark.slow
@needs_shared_log
def test_every_figure_of_a_report_over_the_real_log_is_what_its_ledgers_say(tmp_path: Path) -> None:  # W4
    desk = build_desk()
    run_import(a_thirtieth_of_the_shared_log(tmp_path))
    now = timezone.now()
    keep_promises(now)
    days = sorted(Case.objects.values_list("opened_at__date", flat=True))
    lives = read_lives()
    assert len(lives) > 200
    for table in tables(Period(days[0], days[-1] + timedelta(days=40)), "Europe/Rome", desk.manager):
        assert table_differs(table, lives, now) == []
