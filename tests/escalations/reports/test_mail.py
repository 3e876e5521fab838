"""Reports by mail: in the reader's Monday morning, once, whatever happens to the worker (W4)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail as sent
from django.urls import reverse

from cases.enums import Severity
from cases.mail.outbox import deliver
from cases.mail.rendering import render
from cases.models import Mail
from contacts.models import User
from escalations.models import ReportSubscription
from escalations.points.apply import escalate
from escalations.policy.figures import REPORTS
from escalations.reports import apply
from escalations.reports.apply import mail_reports
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk
from tests.support.pages import signed_in
from tests.support.workers import at_once

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: The Monday after NOON, a Wednesday, at seven in the morning of Tokyo.
MONDAY = datetime(2026, 6, 7, 22, 0, tzinfo=UTC)


@pytest.fixture
def tokyo(desk: Desk) -> Desk:
    User.objects.update(time_zone="Asia/Tokyo")
    desk.manager.refresh_from_db()
    desk.account_manager.refresh_from_db()
    return desk


def ask(user: User, report: str = "promises", query: str = "by=severity&severity=high", now: datetime = NOON) -> Any:
    with time_machine.travel(now, tick=False):
        address = reverse("admin:escalations_reportcase_report_by_mail", args=[report])
        return signed_in(user).post(address, {"query": query}, follow=True)


def live_a_week(desk: Desk) -> None:
    for company in (desk.company, desk.other_company):
        desk.open_case(NOON, severity=Severity.HIGH, company=company)
    for hours in range(1, 30):
        escalate(NOON + hours * HOUR)
        keep_promises(NOON + hours * HOUR)


def test_a_report_comes_in_the_readers_monday_morning_with_figures_link_and_csv(tokyo: Desk) -> None:
    live_a_week(tokyo)
    answer = ask(tokyo.manager)
    assert "first on 8 June" in answer.content.decode()
    assert ReportSubscription.objects.get().next_at == MONDAY
    assert mail_reports(MONDAY - timedelta(seconds=1)) == 0
    assert mail_reports(MONDAY) == 1
    row = Mail.objects.get(template="report")
    assert row.to_address == tokyo.manager.email
    assert row.facts["period"] == "Mon 1 June 2026 to Sun 7 June 2026"
    with time_machine.travel(MONDAY, tick=False):
        page = signed_in(tokyo.manager).get(row.facts["url"].partition("8000")[2])
    total = page.context["total"]
    assert [figure["value"] for figure in row.facts["figures"]] == [cell.text for cell in total]
    assert row.facts["figures"][3]["value"] != "0"
    text = render(row).text
    assert "Promises kept and missed, of High: Mon 1 June 2026 to Sun 7 June 2026." in text
    assert "Attached: promises-by-severity-2026-06-01-to-2026-06-07.csv" in text
    deliver(lambda: MONDAY)
    (message,) = [one for one in sent.outbox if one.subject.startswith("Promises kept")]
    (name, content, kind) = message.attachments[0] if message.attachments else ("", b"", "")
    assert (name, kind) == ("promises-by-severity-2026-06-01-to-2026-06-07.csv", "text/csv")
    assert "High,2026-06-01,2026-06-07" in (content if isinstance(content, str) else content.decode("utf-8-sig"))


def test_a_week_is_written_once(tokyo: Desk) -> None:
    ask(tokyo.manager)
    assert [mail_reports(MONDAY), mail_reports(MONDAY), mail_reports(MONDAY + DAY)] == [1, 0, 0]
    assert ReportSubscription.objects.get().next_at == MONDAY + 7 * DAY
    assert mail_reports(MONDAY + 7 * DAY) == 1
    assert Mail.objects.filter(template="report").count() == 2


def test_after_an_outage_only_the_newest_week_is_sent(tokyo: Desk) -> None:
    ask(tokyo.manager)
    assert mail_reports(MONDAY + 23 * DAY) == 1
    assert Mail.objects.get(template="report").facts["period"] == "Mon 22 June 2026 to Sun 28 June 2026"
    assert ReportSubscription.objects.get().next_at == MONDAY + 28 * DAY


def test_a_crash_in_the_middle_leaves_the_week_to_be_written(tokyo: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(tokyo.manager)
    ask(tokyo.account_manager)
    posted = apply.post

    def dies(letters: list[Any], now: datetime) -> None:
        posted(letters, now)
        if letters[0].to.address == tokyo.manager.email:
            raise RuntimeError

    monkeypatch.setattr(apply, "post", dies)
    assert mail_reports(MONDAY) == 1  # the other one is not stopped (S2)
    assert Mail.objects.get(template="report").to_address == tokyo.account_manager.email
    monkeypatch.setattr(apply, "post", posted)
    assert mail_reports(MONDAY + timedelta(minutes=59)) == 0
    assert mail_reports(MONDAY + HOUR) == 1
    assert Mail.objects.filter(template="report").count() == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_write_it_once(tokyo: Desk) -> None:
    ask(tokyo.manager)
    at_once(*[lambda: mail_reports(MONDAY)] * 2)
    assert Mail.objects.filter(template="report").count() == 1


def test_an_account_manager_gets_their_own_companies_only(tokyo: Desk) -> None:
    """A1: also when the subscription asks for a person, or was made while they read everything."""
    live_a_week(tokyo)
    for report in REPORTS:
        ask(tokyo.account_manager, report, "by=company")
    own = ReportSubscription.objects.filter(user=tokyo.account_manager)
    own.filter(report="times").update(by="owner", filters={"owner": str(tokyo.technician.pk)})
    own.filter(report="backlog").update(filters={"company": str(tokyo.other_company.pk)})
    assert mail_reports(MONDAY) == len(REPORTS)
    for row in Mail.objects.filter(template="report"):
        text = json.dumps(row.facts) + render(row).text
        assert tokyo.other_company.name not in text
        assert str(tokyo.technician) not in row.facts["enclosed"][0]["text"].splitlines()[1:]
    assert not Mail.objects.visible_to(tokyo.technician).filter(template="report").exists()
    assert Mail.objects.visible_to(tokyo.manager).filter(template="report").count() == len(REPORTS)


def test_whoever_left_or_may_not_read_reports_any_more_gets_none(tokyo: Desk) -> None:
    ask(tokyo.manager)
    User.objects.filter(pk=tokyo.manager.pk).update(role="technician")
    assert mail_reports(MONDAY) == 0
    User.objects.filter(pk=tokyo.manager.pk).update(role="support_manager", is_active=False)
    assert mail_reports(MONDAY + 7 * DAY) == 0
    assert not Mail.objects.filter(template="report").exists()


def test_a_report_is_asked_for_once_and_stopped_by_its_reader_alone(tokyo: Desk) -> None:
    ask(tokyo.manager)
    assert "You get this very report every Monday already." in ask(tokyo.manager).content.decode()
    row = ReportSubscription.objects.get()
    stop = reverse("admin:escalations_reportcase_report_stop", args=["promises", row.pk])
    signed_in(tokyo.csm).post(stop)
    assert ReportSubscription.objects.exists()
    shown = signed_in(tokyo.manager).get(reverse("admin:escalations_reportcase_report", args=["promises"]))
    assert stop in shown.content.decode()
    assert stop not in signed_in(tokyo.csm).get(shown.request["PATH_INFO"]).content.decode()
    signed_in(tokyo.manager).post(stop)
    assert not ReportSubscription.objects.exists()
    assert mail_reports(MONDAY) == 0


def test_an_empty_week_says_so(tokyo: Desk) -> None:
    ask(tokyo.manager)
    mail_reports(MONDAY)
    row = Mail.objects.get(template="report")
    assert "No promise came due in this period." in render(row).text
    assert row.facts["figures"] == []


def test_a_report_is_stopped_from_its_mail_without_signing_in(tokyo: Desk) -> None:
    ask(tokyo.manager)
    mail_reports(MONDAY)
    deliver(lambda: MONDAY)
    (message,) = [one for one in sent.outbox if one.subject.startswith("Promises kept")]
    off = Mail.objects.get(template="report").facts["off_url"]
    assert message.extra_headers["List-Unsubscribe"] == f"<{off}>"
    address = off.partition("8000")[2]
    client = signed_in(None)
    assert "Stop it" in client.get(address).content.decode()  # a scanner that opens links changes nothing
    assert ReportSubscription.objects.exists()
    assert client.get(address.replace("off/", "off/9")).status_code == 404
    assert "not mailed to you any more" in client.post(address).content.decode()
    assert client.post(address).status_code == 200
    assert not ReportSubscription.objects.exists()
