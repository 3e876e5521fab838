"""The daily digest on a real desk: who gets it, when, once, what stands in it, and what happens after a crash (W4)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.core.mail import EmailMessage
from django.test.utils import override_settings

from cases.enums import AgreedBy, Channel, MailStatus, Resolution, Severity
from cases.mail.outbox import deliver
from cases.mail.rendering import as_message, render
from cases.mail.samples import sample_facts
from cases.models import Case, Mail
from cases.workflow import transitions
from contacts.enums import Role
from contacts.models import ClosureDay, Company, SupportCentre, User
from escalations.accounts.apply import mute
from escalations.daily_digest import apply
from escalations.daily_digest.apply import BATCH, send_daily_digests
from escalations.daily_digest.state import due_readers
from escalations.enums import Origin
from escalations.models import DailyDigest
from escalations.requests.apply import request_escalation
from escalations.sla.apply import keep_promises
from tests.support.builders import Desk, build_company, build_user
from tests.support.queries import queries_of
from tests.support.stage import sweeps

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
#: Wednesday, 8 o'clock in the zone of the builders' people.
EIGHT = datetime(2026, 6, 3, 8, 0, tzinfo=UTC)


def digests() -> list[Mail]:
    return list(Mail.objects.filter(template="daily_digest").order_by("pk"))


def lines_of(mail: Mail) -> list[str]:
    """Each line of a digest with its part."""
    return [
        f"{part['name']}: {line['title']} | {line['what']}" for part in mail.facts["parts"] for line in part["lines"]
    ]


def open_case(desk: Desk, title: str, severity: Severity, at: datetime, **more: object) -> Case:
    return desk.open_case(at, title=title, severity=severity, channel=Channel.EMAIL, **more)


# --- what it says -----------------------------------------------------------------------------------------------


def test_the_digest_is_one_mail_over_all_companies_worst_first(desk: Desk) -> None:  # W4
    desk.other_company.account_manager = desk.account_manager
    desk.other_company.save()
    User.objects.filter(pk=desk.customer_engineer.pk).update(daily_digest=False)
    open_case(desk, "Later", Severity.LOW, EIGHT - HOUR)
    open_case(desk, "Late", Severity.MEDIUM, EIGHT - 9 * HOUR, company=desk.other_company)
    asked = open_case(desk, "Asked", Severity.MEDIUM, EIGHT - 2 * HOUR)
    request_escalation(
        asked.pk, desk.technician, EIGHT - HOUR, origin=Origin.CUSTOMER, asked_by="Kim", impact="All.", reason="Now."
    )
    done = open_case(desk, "Done", Severity.MEDIUM, EIGHT - 30 * HOUR)
    transitions.resolve(
        done.pk,
        desk.technician,
        EIGHT - HOUR,
        resolution=Resolution.CONFIRMED,
        agreed_by=AgreedBy.PHONE,
        solution="Cable",
    )
    assert send_daily_digests(EIGHT) == 1
    (mail,) = digests()
    tell = "Tell the customer where it stands (tech)"
    assert mail.to_address == "am@example.com"
    assert lines_of(mail) == [
        f"risk: Late | Overdue: {tell}",
        "decide: Asked | Escalation requested by tech",
        "changed: Done | Resolved: customer confirmed the solution",
        "changed: Later | Opened as Low",
        "changed: Asked | Opened as Medium",
        "changed: Late | Opened as Medium",
        f"today: Asked | {tell}",
    ]
    assert mail.facts["counts"] == {"risk": 1, "decide": 1, "changed": 4, "today": 1}
    rendered = render(mail)
    assert rendered.subject == "Your companies today: 1 at risk or missed, 1 to be decided, 1 due"
    assert "AT RISK OR MISSED (1)" in rendered.text
    assert mail.facts["off_url"] in rendered.text


def test_the_sample_has_the_facts_of_a_real_digest(desk: Desk) -> None:  # M4
    open_case(desk, "Late", Severity.MEDIUM, EIGHT - 9 * HOUR)
    send_daily_digests(EIGHT)
    real, sample = digests()[0].facts, sample_facts("daily_digest")
    assert set(real) == set(sample)
    assert {*real["parts"][0]} == {*sample["parts"][0]}
    assert {*real["parts"][0]["lines"][0]} == {*sample["parts"][0]["lines"][0]}


def test_missed_promises_are_told_although_they_are_over(desk: Desk) -> None:  # W4, T4
    open_case(desk, "Was late", Severity.MEDIUM, EIGHT - 20 * HOUR)
    keep_promises(EIGHT - 11 * HOUR)  # nobody looked in time
    deliver(lambda: EIGHT - 11 * HOUR)
    sweeps(EIGHT - 3 * HOUR - timedelta(minutes=4))
    send_daily_digests(EIGHT)
    assert "risk: Was late | Missed: status update" in lines_of(digests()[0])


def test_nothing_of_a_foreign_company_is_in_a_digest(desk: Desk) -> None:  # A1
    open_case(desk, "Own trouble", Severity.MEDIUM, EIGHT - 9 * HOUR)
    foreign = open_case(desk, "Foreign trouble", Severity.MEDIUM, EIGHT - 9 * HOUR, company=desk.other_company)
    request_escalation(
        foreign.pk, desk.technician, EIGHT - HOUR, origin=Origin.CUSTOMER, asked_by="Kim", impact="All.", reason="Now."
    )
    assert send_daily_digests(EIGHT) == 3  # the account manager and engineer of Acme, the one of Globex
    by_reader = {mail.to_address: str(mail.facts) for mail in digests()}
    for reader in ("am@example.com", "engineer@example.com"):
        assert "Own trouble" in by_reader[reader]
        assert "Foreign trouble" not in by_reader[reader]
        assert "Globex" not in by_reader[reader]
    assert "Own trouble" not in by_reader["other-am@example.com"]
    assert "Foreign trouble" in by_reader["other-am@example.com"]


def test_a_muted_case_is_left_out_but_for_what_is_to_be_decided(desk: Desk) -> None:  # T5
    case = open_case(desk, "Muted", Severity.MEDIUM, EIGHT - 9 * HOUR)
    mute(case.pk, desk.account_manager, EIGHT - HOUR)
    send_daily_digests(EIGHT)
    assert [mail.to_address for mail in digests()] == ["engineer@example.com"]
    DailyDigest.objects.all().delete()
    Mail.objects.all().delete()
    request_escalation(
        case.pk, desk.technician, EIGHT, origin=Origin.CUSTOMER, asked_by="Kim", impact="All.", reason="Now."
    )
    send_daily_digests(EIGHT + HOUR)
    (mail,) = [mail for mail in digests() if mail.to_address == "am@example.com"]
    assert lines_of(mail) == ["decide: Muted | Escalation requested by tech"]


def test_nothing_to_say_is_no_mail_and_is_asked_once(desk: Desk) -> None:  # W4
    assert send_daily_digests(EIGHT) == 0
    assert DailyDigest.objects.filter(mail=None, day=EIGHT.date()).count() == 3
    open_case(desk, "New", Severity.MEDIUM, EIGHT)
    assert send_daily_digests(EIGHT + HOUR) == 0


# --- when, and to whom ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-06-03T07:59", 0),
        ("2026-06-03T08:00", 1),
        ("2026-06-03T17:59", 1),  # after an outage
        ("2026-06-03T18:00", 0),
        ("2026-06-06T09:00", 0),  # a Saturday
    ],
)
def test_it_goes_in_the_morning_of_business_days(desk: Desk, now: str, expected: int) -> None:  # W4
    open_case(desk, "Late", Severity.MEDIUM, EIGHT - 100 * HOUR)
    User.objects.exclude(pk=desk.account_manager.pk).update(daily_digest=False)
    assert send_daily_digests(datetime.fromisoformat(f"{now}+00:00")) == expected


def test_the_centre_in_the_readers_zone_names_the_days_off(desk: Desk) -> None:  # W4
    open_case(desk, "Late", Severity.MEDIUM, EIGHT - 100 * HOUR)
    User.objects.filter(pk=desk.account_manager.pk).update(time_zone="Europe/London")
    ClosureDay.objects.create(centre=SupportCentre.objects.get(), day=date(2026, 6, 3))
    send_daily_digests(EIGHT)
    assert "am@example.com" not in {mail.to_address for mail in digests()}
    send_daily_digests(EIGHT + 23 * HOUR)  # eight o'clock in London
    assert "am@example.com" in {mail.to_address for mail in digests()}


@pytest.mark.parametrize("why", ["off", "left", "no address", "technician"])
def test_who_does_not_want_it_or_cannot_read_it_gets_none(desk: Desk, why: str) -> None:  # W4, D9
    open_case(desk, "Late", Severity.MEDIUM, EIGHT - 100 * HOUR)
    changes = {
        "off": {"daily_digest": False},
        "left": {"is_active": False},
        "no address": {"email": ""},
        "technician": {"role": Role.TECHNICIAN},
    }[why]
    User.objects.filter(pk=desk.account_manager.pk).update(**changes)
    send_daily_digests(EIGHT)
    assert [mail.to_address for mail in digests()] == ["engineer@example.com"]


def test_it_goes_once_a_day_however_often_and_late_anybody_looks(desk: Desk) -> None:  # S1
    open_case(desk, "Late", Severity.MEDIUM, EIGHT - 30 * HOUR)
    for minutes in (0, 1, 90):
        send_daily_digests(EIGHT + timedelta(minutes=minutes))
    assert len(digests()) == 2
    # From Wednesday noon until Friday nothing ran: one digest, of Friday, which goes on from Wednesday's.
    send_daily_digests(EIGHT + 50 * HOUR)
    assert [mail.facts["since_at"] for mail in digests() if mail.to_address == "am@example.com"] == [
        (EIGHT - 24 * HOUR).isoformat(),
        EIGHT.isoformat(),
    ]


def test_another_time_zone_on_the_same_day_brings_no_second_one(desk: Desk) -> None:  # S1
    open_case(desk, "Late", Severity.MEDIUM, EIGHT - 30 * HOUR)
    send_daily_digests(EIGHT)
    User.objects.update(time_zone="America/New_York")
    send_daily_digests(EIGHT + 5 * HOUR)
    assert len(digests()) == 2


def test_one_that_the_mail_server_held_up_is_not_sent_on_the_next_day(desk: Desk) -> None:  # M1
    open_case(desk, "Late", Severity.MEDIUM, EIGHT - 30 * HOUR)
    send_daily_digests(EIGHT)
    deliver(lambda: EIGHT + 17 * HOUR)
    assert {mail.status for mail in digests()} == {MailStatus.DROPPED}


# --- crashes and trouble ----------------------------------------------------------------------------------------


class Killed(BaseException):
    """The worker is gone."""


def test_a_crash_leaves_nothing_half_done(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:  # S1
    open_case(desk, "Late", Severity.MEDIUM, EIGHT - 30 * HOUR)

    def killed(*args: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(apply, "post", killed)
        with pytest.raises(Killed):
            send_daily_digests(EIGHT)
    assert not DailyDigest.objects.exists()
    assert send_daily_digests(EIGHT + HOUR) == 2
    assert send_daily_digests(EIGHT + 2 * HOUR) == 0


def test_a_worker_that_comes_second_to_a_batch_finds_it_done(  # S1
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_case(desk, "Late", Severity.MEDIUM, EIGHT - 30 * HOUR)
    seen_before = due_readers(EIGHT)
    assert send_daily_digests(EIGHT) == 2
    monkeypatch.setattr(apply, "due_readers", lambda now: seen_before)
    assert send_daily_digests(EIGHT) == 0
    assert not DailyDigest.objects.filter(retry_at__isnull=False).exists()


def test_one_that_cannot_be_made_stops_no_other_and_is_tried_again(  # S2
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_case(desk, "Late", Severity.MEDIUM, EIGHT - 30 * HOUR)
    make = apply.digest_letter

    def fails_for_one(news, now):  # type: ignore[no-untyped-def]
        if news.user == desk.account_manager:
            raise ValueError("a broken row")
        return make(news, now)

    with monkeypatch.context() as patch:
        patch.setattr(apply, "digest_letter", fails_for_one)
        assert send_daily_digests(EIGHT) == 1
        assert send_daily_digests(EIGHT + timedelta(minutes=1)) == 0  # left alone for an hour
    assert [mail.to_address for mail in digests()] == ["engineer@example.com"]
    assert send_daily_digests(EIGHT + HOUR) == 1
    assert {mail.to_address for mail in digests()} == {"engineer@example.com", "am@example.com"}
    assert DailyDigest.objects.filter(retry_at=None).count() == 3


# --- the mail itself --------------------------------------------------------------------------------------------


def test_the_mail_is_switched_off_in_one_click_by_a_mail_program(desk: Desk) -> None:  # RFC 8058
    open_case(desk, "Late", Severity.MEDIUM, EIGHT - 30 * HOUR)
    send_daily_digests(EIGHT)
    mail = digests()[0]
    message: EmailMessage = as_message(mail, render(mail))
    sent = message.message()
    assert sent["List-Unsubscribe"] == f"<{mail.facts['off_url']}>"
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert sent["Auto-Submitted"] == "auto-generated"


def test_other_mail_says_nothing_of_switching_off(desk: Desk) -> None:
    desk.open_case(EIGHT)
    for mail in Mail.objects.all():
        assert "List-Unsubscribe" not in as_message(mail, render(mail)).message()


@override_settings(DESK_DIGEST_AT=time(10))
def test_the_hour_is_a_setting(desk: Desk) -> None:
    open_case(desk, "Late", Severity.MEDIUM, EIGHT - 30 * HOUR)
    assert send_daily_digests(EIGHT) == 0
    assert send_daily_digests(EIGHT + 2 * HOUR) == 2


def test_a_batch_costs_the_same_for_one_reader_and_for_many(desk: Desk) -> None:
    def fill(companies: list[Company]) -> None:
        for company in companies:
            for severity in (Severity.HIGH, Severity.MEDIUM):
                open_case(desk, "Late", severity, EIGHT - 30 * HOUR, company=company)

    fill([desk.company])
    sweeps(EIGHT - 20 * HOUR)
    User.objects.exclude(pk=desk.account_manager.pk).update(daily_digest=False)
    send_daily_digests(EIGHT - 24 * HOUR)  # what is looked up once per process
    one = queries_of(lambda: send_daily_digests(EIGHT))
    more = [build_user(Role.ACCOUNT_MANAGER) for _ in range(BATCH - 1)]
    fill([build_company(account_manager=user) for user in more[:8]])
    sweeps(EIGHT - 20 * HOUR)
    DailyDigest.objects.all().delete()
    Mail.objects.filter(template="daily_digest").delete()
    many = queries_of(lambda: send_daily_digests(EIGHT))
    assert len(digests()) == 9
    assert many <= one
