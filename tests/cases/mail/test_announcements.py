"""Who is told of a new case, and of a raise (D6), and the line that a customer calls (D4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from cases.enums import Channel, MailStatus, Severity, WaitReason
from cases.mail.outbox import deliver
from cases.mail.rendering import render
from cases.models import Case, Mail
from cases.workflow import transitions
from contacts.lines import PUBLISHED_LINES
from contacts.models import Company, SupportCentre, SupportLine, Technician
from tests.support.builders import NOON, Desk, build_centre
from tests.support.pages import signed_in

pytestmark = pytest.mark.django_db


def mails_to(address: str) -> list[str]:
    """The messages to one address, oldest first."""
    return list(Mail.objects.filter(to_address=address).order_by("pk").values_list("template", flat=True))


# --- new cases --------------------------------------------------------------------------------------------------


def test_the_account_manager_is_told_of_a_new_critical_case_and_of_no_other(desk: Desk):  # D6
    for severity in (Severity.HIGH, Severity.MEDIUM, Severity.LOW):
        desk.open_case(severity=severity)
    assert mails_to(desk.account_manager.email) == []
    desk.open_case(severity=Severity.CRITICAL)
    assert mails_to(desk.account_manager.email) == ["critical_case"]
    assert "Critical" in render(Mail.objects.get(template="critical_case")).text


@pytest.mark.parametrize("severity", [Severity.CRITICAL, Severity.HIGH])
def test_with_nobody_on_duty_the_support_manager_gets_one_mail(desk: Desk, severity: Severity):  # D6
    Technician.objects.filter(level="L2").delete()
    case = desk.open_case(severity=severity, actor=desk.l3, description="All floors.")
    assert mails_to(desk.manager.email) == ["nobody_on_duty"]
    text = render(Mail.objects.get(template="nobody_on_duty")).text
    assert severity.label in text
    assert case.description in text


def test_a_support_manager_who_stands_in_for_the_account_manager_gets_one_mail(desk: Desk):  # D6, D5
    Company.objects.update(account_manager=None)
    desk.company.refresh_from_db()
    desk.open_case(severity=Severity.CRITICAL)
    assert mails_to(desk.manager.email) == ["severe_case"]


@pytest.mark.parametrize("off", ["severe_case", "critical_case", "severity_raised"])
def test_each_notice_can_be_switched_off(desk: Desk, settings: Any, off: str):  # D6
    settings.DESK_NOTICES_OFF = [off]
    desk.open_case(severity=Severity.CRITICAL)
    raised = desk.open_case()
    transitions.change_severity(raised.pk, desk.technician, NOON, severity=Severity.HIGH, reason="Worse.")
    notices = {"severe_case", "critical_case", "severity_raised"}
    assert notices & set(Mail.objects.values_list("template", flat=True)) == notices - {off}


# --- raises -----------------------------------------------------------------------------------------------------


def set_severity(desk: Desk, case: Case, severity: Severity, at: datetime) -> None:
    transitions.change_severity(case.pk, desk.technician, at, severity=severity, reason="As they say now.")


def delivered(template: str) -> list[str]:
    deliver(timezone.now, keep=True)
    return list(Mail.objects.filter(template=template).order_by("pk").values_list("status", flat=True))


def test_a_raise_by_mistake_that_is_put_back_is_not_told(desk: Desk):  # D6, M1
    case = desk.open_case()
    set_severity(desk, case, Severity.CRITICAL, NOON)
    set_severity(desk, case, Severity.MEDIUM, NOON + timedelta(seconds=40))
    assert delivered("severity_raised") == [MailStatus.DROPPED]
    assert "lowered again" in Mail.objects.get(template="severity_raised").last_error


def test_a_raise_that_holds_is_told_and_so_is_the_next_one(desk: Desk):  # D6
    case = desk.open_case()
    set_severity(desk, case, Severity.HIGH, NOON)
    set_severity(desk, case, Severity.CRITICAL, NOON + timedelta(seconds=40))
    assert delivered("severity_raised") == [MailStatus.SENT, MailStatus.SENT]
    assert set(mails_to(desk.manager.email)) == {"severity_raised"}


def test_a_raise_to_critical_that_is_taken_back_to_high_is_not_called_critical(desk: Desk):  # D6, M1
    case = desk.open_case(severity=Severity.HIGH)
    set_severity(desk, case, Severity.CRITICAL, NOON)
    set_severity(desk, case, Severity.HIGH, NOON + timedelta(seconds=40))
    assert delivered("severity_raised") == [MailStatus.DROPPED]


# --- lines ---------------------------------------------------------------------------------------------------------


def ask(desk: Desk, case: Case) -> None:
    transitions.ask_customer(
        case.pk, desk.technician, NOON, question="Which printer?", reason=WaitReason.INFORMATION, channel=Channel.EMAIL
    )


@pytest.fixture
def lines(db: None) -> None:
    SupportLine.objects.bulk_create(SupportLine(**line._asdict()) for line in PUBLISHED_LINES)


@pytest.mark.parametrize(
    ("country", "said"),
    [
        ("GB", "(800) 085-3140 (United Kingdom)"),
        ("FR", "(800) 944-304 (France)"),
        ("DE", "(215) 664-1615 (International)"),
    ],
)
def test_a_mail_to_a_customer_gives_the_line_of_their_country(desk: Desk, lines: None, country: str, said: str):  # D4
    Company.objects.filter(pk=desk.company.pk).update(country=country)
    ask(desk, desk.open_case(actor=desk.manager))
    for template in ("question", "case_opened"):
        mail = Mail.objects.get(template=template)
        assert f"Telephone: {said}" in render(mail).text
        assert said in render(mail).html
    assert "Telephone" not in render(Mail.objects.get(template="new_case")).text


def test_a_desk_without_lines_gives_none(desk: Desk):  # D4
    desk.open_case()
    assert "Telephone" not in render(Mail.objects.get(template="case_opened")).text


def test_all_staff_read_the_lines(desk: Desk, lines: None):  # D4
    for reader in (desk.account_manager, desk.customer_engineer, desk.technician, desk.coo):
        page = signed_in(reader).get("/admin/contacts/supportline/")
        assert "(800) 085-3140" in page.content.decode()
        assert signed_in(reader).get("/admin/contacts/supportline/add/").status_code == 403


# --- Japan's holidays (D2) --------------------------------------------------------------------------------------

#: Marine Day, a Monday, at ten in Tokyo.
HOLIDAY = datetime.fromisoformat("2026-07-20T01:00:00+00:00")


@pytest.mark.parametrize("works", [False, True])
def test_on_a_holiday_of_japan_the_answer_says_when_japanese_support_opens(desk: Desk, works: bool):  # D2
    build_centre("Tokyo", "JP", "Asia/Tokyo")
    SupportCentre.objects.filter(name="Tokyo").update(open_on_holidays=works)
    Company.objects.filter(pk=desk.company.pk).update(language="ja")
    desk.company.refresh_from_db()
    desk.open_case(now=HOLIDAY)
    said = Mail.objects.get(template="case_opened").facts
    assert (said["language"], said["japanese_opens_at"]) == (
        ("ja", "") if works else ("en", "2026-07-21T00:00:00+00:00")
    )


@pytest.mark.parametrize("works", [False, True])
def test_on_a_holiday_of_japan_a_case_goes_to_who_speaks_japanese_only_if_the_centre_works(desk: Desk, works: bool):
    """D2, C6: the language counts only while Japanese support is open."""
    build_centre("Tokyo", "JP", "Asia/Tokyo")
    SupportCentre.objects.filter(name="Tokyo").update(open_on_holidays=works)
    Company.objects.filter(pk=desk.company.pk).update(language="ja")
    desk.company.refresh_from_db()
    Technician.objects.filter(user=desk.l3).update(level="L2", languages=["ja"])
    assert desk.open_case(now=HOLIDAY).owner == (desk.l3 if works else desk.technician)
