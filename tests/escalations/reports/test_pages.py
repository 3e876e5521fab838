"""The pages of reports: who sees what, what an empty period says, files, and what a page costs (W4, A1, S4)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases.enums import Channel, Direction, Resolution, Severity
from cases.models import Case
from cases.workflow import contact_log, transitions
from escalations.points.apply import escalate
from escalations.policy.figures import BREAKDOWNS, REPORTS
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk, build_company, build_desk, build_desk_anew, build_user
from tests.support.pages import signed_in
from tests.support.snapshot import made_once

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
WEEK_ENDS = NOON + 30 * HOUR
LINK = re.compile(r'<td class="dash-figure"[^>]*><a href="([^"]+)">([^<]+)</a>')


def page(report: str = "promises") -> str:
    return reverse("admin:escalations_reportcase_report", args=[report])


@made_once
def a_week() -> tuple[Desk, list[Case]]:
    """A week of cases of two companies."""
    desk = build_desk_anew()
    cases = [
        desk.open_case(NOON, severity=Severity.CRITICAL),
        desk.open_case(NOON + HOUR, channel=Channel.EMAIL),
        desk.open_case(NOON + HOUR, severity=Severity.HIGH, company=desk.other_company),
        desk.open_case(NOON + HOUR, company=desk.other_company, channel=Channel.EMAIL),
    ]
    for case in cases[:3]:
        contact_log.log_contact(
            case.pk, desk.technician, NOON + 2 * HOUR, channel=Channel.PHONE, direction=Direction.OUT, body="Called."
        )
    for hours in range(3, 30, 2):
        escalate(NOON + hours * HOUR)
        keep_promises(NOON + hours * HOUR)
    for case in cases[1:3]:
        transitions.resolve(case.pk, desk.technician, WEEK_ENDS, resolution=Resolution.NOT_PURSUED)
    transitions.reopen(cases[2].pk, desk.technician, WEEK_ENDS + HOUR, reason="It is back")
    return desk, cases


@pytest.fixture
def desk_that_lived(db: None) -> tuple[Desk, list[Case]]:
    return a_week()


@pytest.fixture
def desk(request: pytest.FixtureRequest, db: None) -> Desk:
    """The one that has lived, for a test of `lived`."""
    return request.getfixturevalue("desk_that_lived")[0] if "lived" in request.fixturenames else build_desk()


@pytest.fixture
def lived(desk_that_lived: tuple[Desk, list[Case]]) -> Iterator[list[Case]]:
    """The cases of the week, some hours after it."""
    with time_machine.travel(WEEK_ENDS + 2 * HOUR, tick=False):
        yield desk_that_lived[1]


def count_behind(client: Client, address: str) -> int:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.context["cl"].result_count


READERS = ("manager", "account_manager", "customer_engineer", "csm", "director", "coo")


@pytest.mark.parametrize("report", REPORTS)
def test_figures_of_the_page_lead_to_as_many_rows(desk: Desk, lived, report: str) -> None:
    """Of all, and of the first row; `test_reckoning` counts the rows of every figure."""
    client = signed_in(desk.account_manager if report == "promises" else desk.manager)
    text = client.get(page(report), {"by": "severity", "period": "this-month"}).content.decode()
    links = LINK.findall(text)[:10]
    assert links
    for link, shown in links:
        many = count_behind(client, link.replace("&amp;", "&"))
        assert many == int(shown) if shown.isdigit() and report != "contacts" else many > 0, (link, shown)


@pytest.mark.parametrize("report", REPORTS)
def test_bars_lead_where_the_table_leads(desk: Desk, lived, report: str) -> None:
    text = signed_in(desk.manager).get(page(report)).content.decode()
    bars = set(re.findall(r'<a href="([^"]+)" tabindex="-1"', text))
    assert bars
    assert bars <= {link for link, _ in LINK.findall(text)}


def test_who_may_read_reports(desk: Desk) -> None:
    for who in READERS:
        assert signed_in(getattr(desk, who)).get(page()).status_code == 200, who
        assert (
            "/admin/escalations/reports/" in signed_in(getattr(desk, who)).get(reverse("admin:index")).content.decode()
        )
    addresses = [page(), reverse("admin:escalations_reportcase_changelist")]
    addresses += [
        reverse("admin:escalations_reportcase_report_file", args=["promises", kind]) for kind in ("csv", "xlsx")
    ]
    for address in addresses:
        assert signed_in(desk.technician).get(address).status_code == 404
        assert signed_in(None).get(address).status_code == 302
    for name, arguments in (("report_by_mail", ["promises"]), ("report_stop", ["promises", 1])):
        address = reverse(f"admin:escalations_reportcase_{name}", args=arguments)
        assert signed_in(desk.technician).post(address).status_code == 404
        assert signed_in(desk.manager).get(address).status_code == 405
    assert "/admin/escalations/reports/" not in signed_in(desk.technician).get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("report", REPORTS)
def test_nothing_of_a_foreign_company_is_told(desk: Desk, lived, report: str) -> None:
    """A1: no name, no count, no person; whatever the address asks for."""
    client = signed_in(desk.account_manager)
    asked = [{"by": by} for by in BREAKDOWNS] + [
        {"company": desk.other_company.pk},
        {"owner": desk.technician.pk},
        {"centre": desk.centre.pk},
        {"company": desk.other_company.pk, "by": "company"},
    ]
    files = [reverse("admin:escalations_reportcase_report_file", args=[report, "csv"])]
    for query in asked:
        for address in [page(report), *files]:
            text = client.get(address, query).content.decode()
            assert desk.other_company.name not in text, (address, query)
            assert not [who for who in (desk.technician, desk.l3) if f">{who}<" in text or f"\n{who}," in text]
    own = signed_in(desk.account_manager).get(page(report)).context["table"].total.values
    theirs = signed_in(desk.manager).get(page(report), {"company": desk.company.pk}).context["table"].total.values
    assert own == theirs
    foreign = client.get(page(report), {"company": desk.other_company.pk}).context["table"]
    assert foreign.is_empty


def test_a_link_of_somebody_else_shows_no_foreign_case(desk: Desk, lived) -> None:
    text = signed_in(desk.manager).get(page("times"), {"by": "severity"}).content.decode()
    links = [link.replace("&amp;", "&") for link, _ in LINK.findall(text)]
    client = signed_in(desk.account_manager)
    for link in links:
        rows = client.get(link).context["cl"].queryset
        assert {row.company_id for row in rows} <= {desk.company.pk}


def test_an_empty_period_says_so(desk: Desk, lived) -> None:
    for report in REPORTS.values():
        text = (
            signed_in(desk.manager).get(page(report.slug), {"from": "2020-01-01", "to": "2020-01-31"}).content.decode()
        )
        assert report.nothing in text
        assert "<svg width" not in text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"from": "2026-06-31", "to": "2026-07-01"}, "“2026-06-31” is no day"),
        ({"from": "2026-06-30", "to": "2026-06-01"}, "before it begins"),
        ({"from": "", "to": "2026-06-01"}, "Say which day is the first"),
        ({"from": "1900-01-01", "to": "2026-06-01"}, "choose a year from 2000"),
        ({"from": "2001-01-01", "to": "2026-06-01"}, "ten years at most"),
        ({"from": "<b>", "to": "x" * 300}, "“&lt;b&gt;” is no day"),
    ],
)
def test_a_bad_period_is_one_sentence_and_keeps_what_was_typed(desk: Desk, typed, sentence) -> None:
    answer = signed_in(desk.manager).get(page(), typed)
    text = answer.content.decode()
    assert text.count('role="alert"') == 1
    assert sentence in text
    assert f'name="from" value="{typed["from"].replace("<b>", "&lt;b&gt;")}"' in text
    exported = signed_in(desk.manager).get(
        reverse("admin:escalations_reportcase_report_file", args=["times", "csv"]), typed
    )
    assert exported.status_code == 302


def test_a_list_refuses_a_figure_that_there_is_not(desk: Desk) -> None:
    client = signed_in(desk.manager)
    for name in ("cases_case", "escalations_slatarget", "escalations_escalation"):
        listed = reverse(f"admin:{name}_changelist")
        for value in (
            "x",
            "missed",
            "opened;from=2026-13-01;to=2026-06-01",
            "backlog;from=2026-06-01;to=2026-06-02;age=9",
        ):
            answer = client.get(listed, {"figure": value})
            assert answer.status_code == 302 and "e=1" in answer["Location"], (name, value)  # noqa: PT018


def test_files_hold_every_row_and_no_formula(desk: Desk, lived) -> None:
    evil = build_company("=cmd()")
    desk.open_case(NOON + 3 * HOUR, company=evil)
    client = signed_in(desk.manager)
    address = reverse("admin:escalations_reportcase_report_file", args=["times", "csv"])
    answer = client.get(address, {"by": "company", "period": "this-month"})
    assert answer["Content-Disposition"] == 'attachment; filename="times-by-company-2026-06-01-to-2026-06-30.csv"'
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [line["Company"] for line in lines][-1] == "All"
    assert {line["Company"] for line in lines} == {"Acme", "Globex", "'=cmd()", "All"}
    assert lines[-1]["Opened"] == "5"
    median = client.get(page("times"), {"by": "company"}).context["table"].total.values["response_median"]
    assert lines[-1]["First response: median (seconds)"] == str(median)
    excel = client.get(address.replace("/csv/", "/xlsx/"), {"by": "company", "period": "this-month"})
    sheet = openpyxl.load_workbook(io.BytesIO(excel.content)).active
    assert sheet.title == "Times"
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[-1][:2] == ("All", "2026-06-01")
    assert rows[-1][3] == 5
    assert "'=cmd()" in {row[0] for row in rows}


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_takes_as_many_queries_over_a_year_as_over_a_day(desk: Desk, lived, report: str) -> None:
    def queries(**asked: str) -> int:
        client = signed_in(desk.manager)
        client.get(page(report), asked)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(page(report), asked).status_code == 200
        return len(captured)

    for by in ("time", "company"):
        few = queries(by=by, **{"from": "2026-06-03", "to": "2026-06-03"})
        assert queries(by=by, period="year") <= few + 1 < 30, by


def test_the_filter_of_a_person_narrows(desk: Desk, lived) -> None:
    client = signed_in(desk.manager)
    everybody = client.get(page("times")).context["table"].total.values["opened"]
    by_owner = client.get(page("times"), {"by": "owner"}).context["table"].rows
    assert everybody == sum(row.values["opened"] or 0 for row in by_owner) == 4
    for row in by_owner:
        alone = client.get(page("times"), {"owner": row.scope.owner}).context["table"].total.values
        assert alone == row.values


def test_the_list_names_the_figure_it_shows(desk: Desk, lived) -> None:
    text = signed_in(desk.manager).get(page("times")).content.decode()
    link = next(link for link, shown in LINK.findall(text)).replace("&amp;", "&")
    assert parse_qs(urlsplit(link).query)["figure"][0].startswith("opened;")
    shown = signed_in(desk.manager).get(link).content.decode()
    assert "figure of a report" in shown
    assert "Opened, Mon 1 June 2026 to Tue 30 June 2026" in shown


def test_an_administrator_reads_everything(desk: Desk, lived) -> None:
    root = build_user("", "root", is_superuser=True)
    assert signed_in(root).get(page("times")).context["table"].total.values["opened"] == 4


@pytest.mark.parametrize("report", REPORTS)
def test_whoever_has_no_company_reads_that_there_is_nothing(desk: Desk, lived, report: str) -> None:
    text = signed_in(build_user("account_manager")).get(page(report)).content.decode()
    assert REPORTS[report].nothing in text
