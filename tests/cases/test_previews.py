"""What a form shows before the click: it is what happens, and nothing of it stays (E10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models.signals import post_save
from django.http import HttpResponse, QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from cases.actions import ACTIONS
from cases.engine import sweep as engine
from cases.engine.sweep import Sweep
from cases.enums import AgreedBy, MailStatus, Resolution, Severity, Status, WaitReason
from cases.followup.apply import follow_up
from cases.mail.outbox import deliver
from cases.models import Case, Interaction, Mail
from cases.previews import BUSY, UNFORESEEN, ActionPreview, preview_of
from cases.workflow import transitions
from contacts.models import User
from escalations.enums import Origin
from escalations.models import DigestLine, EscalationRequest
from escalations.points.apply import escalate
from escalations.requests import apply as requests
from escalations.sla.apply import keep_promises
from tests.support.browser import open_form
from tests.support.builders import NOON, Desk, reload
from tests.support.pages import signed_in
from tests.support.queries import queries_of

HOUR = timedelta(hours=1)
pytestmark = pytest.mark.django_db


def address(case: Case, slug: str) -> str:
    return reverse("admin:cases_case_preview", args=[case.pk, slug])


def ask(user: User | Client, case: Case, slug: str, **typed: object) -> HttpResponse:
    """The block as the script asks for it."""
    client = user if isinstance(user, Client) else signed_in(user)
    return client.post(address(case, slug), typed, headers={"HX-Request": "true"})


def shown(user: User, case: Case, slug: str, **typed: object) -> str:
    answer = ask(user, case, slug, **typed)
    assert answer.status_code == 200
    return answer.content.decode()


def preview(user: User, case: Case, slug: str, now: datetime, typed: dict[str, str]) -> ActionPreview:
    posted = QueryDict(mutable=True)
    posted.update(typed)
    return preview_of(ACTIONS[slug], case.pk, user, now, posted)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    with time_machine.travel(moment, tick=False):
        yield


def sweeps(moment: datetime) -> None:
    for run in (escalate, follow_up, keep_promises):
        run(moment)
    deliver(lambda: moment)


def working(desk: Desk, severity: Severity, now: datetime) -> Case:
    """A case in progress whose first response is given."""
    case = desk.open_case(now, severity=severity)
    return transitions.start_work(case.pk, desk.technician, now)


def lived(desk: Desk, severity: Severity, status: Status, hours: int) -> Case:
    """A case of that severity after so many hours with its sweeps, in that status since half an hour."""
    case = working(desk, severity, NOON)
    for part in range(2):
        sweeps(NOON + hours * HOUR * part / 2)
    since = NOON + hours * HOUR - HOUR / 2
    sweeps(since)
    if status == Status.WAITING:
        transitions.ask_customer(case.pk, desk.technician, since, question="Which one?", reason=WaitReason.CONFIRM)
    if status == Status.RESOLVED:
        transitions.resolve(
            case.pk, desk.technician, since, resolution=Resolution.CONFIRMED, agreed_by=AgreedBy.PHONE, solution="A fix"
        )
    sweeps(since)
    return reload(case)


#: (action, the status it starts from, what is chosen, what is typed besides)
TABLE = [
    *[("change_severity", Status.IN_PROGRESS, {"severity": one.value}, {"reason": "So it is"}) for one in Severity],
    ("ask_customer", Status.IN_PROGRESS, {"reason": "information", "send": "on"}, {"question": "Which version?"}),
    ("ask_customer", Status.IN_PROGRESS, {"reason": "confirm", "channel": "phone"}, {"question": "Is it solved?"}),
    ("ask_customer", Status.WAITING, {"reason": "cannot_now", "send": "on"}, {"question": "And now?"}),
    ("resolve", Status.IN_PROGRESS, {"resolution": "not_pursued"}, {}),
    ("resolve", Status.WAITING, {"resolution": "customer_confirmed", "agreed_by": "phone"}, {"solution": "A fix"}),
    ("take_back", Status.WAITING, {}, {"reason": "Found it"}),
    ("customer_responded", Status.WAITING, {"channel": "phone", "confirms": "no"}, {"body": "Still broken"}),
    (
        "customer_responded",
        Status.WAITING,
        {"channel": "phone", "confirms": "yes"},
        {"body": "It works", "solution": "A fix"},
    ),
    ("reopen", Status.RESOLVED, {}, {"reason": "It is back"}),
]


@pytest.mark.parametrize(("slug", "status", "chosen", "written"), TABLE)
@pytest.mark.parametrize("hours", [5, pytest.param(40, marks=[pytest.mark.slow, pytest.mark.any_database])])
def test_who_is_named_is_who_is_written_to(
    desk: Desk, slug: str, status: Status, chosen: dict[str, str], written: dict[str, str], hours: int
) -> None:  # E10
    desk.manager.bundle_minutes = 60
    desk.manager.save()
    for severity in Severity:
        now = NOON + hours * HOUR
        case = lived(desk, severity, status, hours)
        foreseen = preview(desk.technician, case, slug, now, chosen)
        if foreseen.hints:
            assert (slug, chosen.get("severity")) == ("change_severity", severity)  # it has that severity already
            continue
        owner, before = case.owner, newest()
        with at(now):
            answer = signed_in(desk.technician).post(
                reverse("admin:cases_case_do", args=[case.pk, slug]), chosen | written
            )
        assert answer.status_code == 302, answer.content
        sweeps(now)
        assert Counter(one.address for one in foreseen.recipients) == Counter(hears(case, before)), severity
        assert Counter(one.address for one in foreseen.recipients if one.is_later) == Counter(waits_for(case, before))
        case = reload(case)
        assert any(f"to {case.owner}." in line for line in foreseen.lines) == (case.owner != owner)
        assert any(case.get_status_display() in line for line in foreseen.lines) == (case.status != status)


def newest() -> dict[type[models.Model], int]:
    return {
        model: model.objects.order_by("-pk").values_list("pk", flat=True).first() or 0 for model in (Mail, DigestLine)
    }


def hears(case: Case, before: dict[type[models.Model], int]) -> list[str]:
    """Who was written to of the case: a mail that left, or a line in the mail of all cases."""
    mails = Mail.objects.filter(case=case, pk__gt=before[Mail]).exclude(template="staff_lines")
    assert {mail.status for mail in mails} <= {MailStatus.SENT}
    lines = DigestLine.objects.filter(case=case, pk__gt=before[DigestLine])
    return [row.to_address for row in (*mails, *lines)]


def waits_for(case: Case, before: dict[type[models.Model], int]) -> list[str]:
    lines = DigestLine.objects.filter(case=case, pk__gt=before[DigestLine])
    return [line.to_address for line in lines if line.send_by is not None and line.send_by > line.written_at]


def test_a_decision_on_a_request_names_everybody_too(desk: Desk) -> None:  # E10, E9
    words = {"asked_by": "Ada", "impact": "The shop is closed.", "reason": "A day's sales."}
    now = NOON + 3 * HOUR
    for slug in ("accept_request", "decline_request"):
        case = lived(desk, Severity.MEDIUM, Status.IN_PROGRESS, 3)
        request = requests.request_escalation(case.pk, desk.account_manager, now, origin=Origin.CUSTOMER, **words)
        sweeps(now)
        later = now + HOUR / 4
        chosen = {"request": str(request.pk), "point": "1:medium:1"}
        foreseen = preview(desk.manager, case, slug, later, chosen)
        assert not foreseen.hints
        before = newest()
        with at(later):
            typed = chosen | {"why": "As we agreed"}
            answer = signed_in(desk.manager).post(reverse("admin:cases_case_do", args=[case.pk, slug]), typed)
        assert answer.status_code == 302
        sweeps(later)
        assert Counter(one.address for one in foreseen.recipients) == Counter(hears(case, before))
        assert foreseen.recipients
        assert EscalationRequest.objects.get(pk=request.pk).is_undecided is False


def test_the_block_says_it_in_sentences(desk: Desk) -> None:  # E10, E4
    case = lived(desk, Severity.MEDIUM, Status.IN_PROGRESS, 13)
    with at(NOON + 13 * HOUR):
        html = shown(desk.technician, case, "change_severity", severity="high")
        low = shown(desk.technician, case, "change_severity", severity="low")
        waiting = shown(desk.technician, case, "ask_customer", reason="information", send="on")
        resolved = shown(desk.technician, case, "resolve", resolution="not_pursued")
    for sentence in (
        "Asks you for the status.",
        "Emails csm (CSM) and am (account manager): High 1.",
        "Emails support_manager (support manager): the raised severity.",
        "The customer gets no mail of it.",
        "High 2 is reached on Fri 5 Jun, 00:00: emails am",
        "ownership goes from tech to l3",
    ):
        assert f"{sentence}" in html, html
    assert "Emails" not in low
    assert "Updates: customer every 24 h; the next at 08:25" in low
    assert "The customer (Help desk of Acme) gets the question." in waiting
    assert "The case is “Customer Update Required” then." in waiting
    assert "First attempt on Fri 5 Jun, 08:00" in waiting
    assert "Closes on Fri 12 Jun, 09:00 at the soonest" in waiting
    assert "gets word that the case is closed, and why" in resolved
    assert "The case is “Resolved” then, and can be reopened until Thu 18 Jun, 01:00." in resolved


# --- nothing stays ----------------------------------------------------------------------------------------------


def every_row() -> dict[str, list[object]]:
    return {
        model._meta.label: sorted(map(repr, model._base_manager.values_list()))
        for model in apps.get_models(include_auto_created=True)
    }


@pytest.mark.parametrize(("slug", "status", "chosen", "written"), TABLE)
def test_nothing_is_left_of_a_preview(
    desk: Desk, slug: str, status: Status, chosen: dict[str, str], written: dict[str, str]
) -> None:  # E10
    case = lived(desk, Severity.MEDIUM, status, 3)
    client = signed_in(desk.technician)
    before = every_row()
    with at(NOON + 3 * HOUR):
        answer = ask(client, case, slug, **chosen, **written)
    assert answer.status_code == 200
    assert every_row() == before


@pytest.mark.django_db(transaction=True)
def test_what_waits_for_a_commit_never_runs(desk: Desk) -> None:  # E10
    case, ran = working(desk, Severity.MEDIUM, NOON), []

    def after_save(**_: object) -> None:
        transaction.on_commit(lambda: ran.append("committed"))

    post_save.connect(after_save, sender=Case)
    try:
        with at(NOON + HOUR):
            html = shown(desk.technician, case, "resolve", resolution="not_pursued")
            assert "Resolved" in html
            assert ran == []
            signed_in(desk.technician).post(
                reverse("admin:cases_case_do", args=[case.pk, "resolve"]), {"resolution": "not_pursued"}
            )
            assert ran
    finally:
        post_save.disconnect(after_save, sender=Case)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_preview_does_not_wait_for_a_click(desk: Desk) -> None:  # E10
    case = working(desk, Severity.MEDIUM, NOON)
    holds, done = Event(), Event()

    def click() -> None:
        try:
            with transaction.atomic():
                Case.objects.select_for_update().get(pk=case.pk)
                holds.set()
                done.wait(30)
        finally:
            connection.close()

    thread = Thread(target=click)
    thread.start()
    try:
        assert holds.wait(30)
        with at(NOON + HOUR):
            assert BUSY in shown(desk.technician, case, "resolve", resolution="not_pursued")
    finally:
        done.set()
        thread.join()
    with at(NOON + HOUR):
        assert BUSY not in shown(desk.technician, case, "resolve", resolution="not_pursued")
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


# --- what would be refused --------------------------------------------------------------------------------------


def test_a_refusal_is_a_hint_and_no_error(desk: Desk) -> None:  # E10, S4
    case = working(desk, Severity.MEDIUM, NOON)
    with at(NOON + HOUR):
        same = shown(desk.technician, case, "change_severity", severity="medium")
        nothing = shown(desk.technician, case, "resolve", resolution="")
        how = shown(desk.technician, case, "ask_customer", reason="confirm")
        stale = shown(desk.technician, case, "resolve", resolution="not_pursued", seen="2020-01-01T00:00:00+00:00")
        back = shown(desk.technician, case, "take_back")
    assert "is Medium already; choose another severity." in same
    assert "Choose why the case closes." in nothing
    assert "Say how the question was put to the customer" in how
    assert "has changed since you opened the page" in stale
    assert "is not possible" in back
    for html in (same, nothing, how, stale, back):
        assert "If you do this now" not in html
        assert "desk-error" not in html


def test_what_follows_may_fail_without_the_preview(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:  # E10, S2
    case = working(desk, Severity.MEDIUM, NOON)

    def fail(cases: object, now: datetime) -> int:
        raise ZeroDivisionError

    failing = Sweep("failing", Case.objects.due_for_sla, "sla_check_at", fail)
    monkeypatch.setitem(engine._in_order, 99, failing)
    monkeypatch.setitem(engine._in_order, 5, failing)
    with at(NOON + HOUR):
        html = shown(desk.technician, case, "resolve", resolution="not_pursued")
    assert UNFORESEEN in html
    assert "gets word that the case is closed" in html


# --- who may, and how it is asked for (A1, A2) ------------------------------------------------------------------


def test_a_foreign_case_does_not_exist_and_a_right_is_checked(desk: Desk) -> None:  # A1, A2
    case = working(desk, Severity.MEDIUM, NOON)
    foreign = desk.open_case(NOON, company=desk.other_company)
    assert ask(desk.account_manager, foreign, "resolve", resolution="not_pursued").status_code == 404
    assert ask(desk.account_manager, case, "resolve", resolution="not_pursued").status_code == 403
    assert ask(desk.technician, case, "accept_request").status_code == 403
    assert ask(desk.technician, case, "start_work").status_code == 404  # has no preview
    assert ask(desk.technician, case, "nothing").status_code == 404
    assert ask(Client(), case, "resolve").status_code == 401
    assert Client().post(address(case, "resolve")).status_code == 302
    assert ask(Client(enforce_csrf_checks=True), case, "resolve").status_code in (401, 403)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(desk.technician)
    assert ask(strict, case, "resolve").status_code == 403
    opened = signed_in(desk.technician).get(address(case, "resolve"))
    assert (opened.status_code, opened["Location"]) == (302, case.get_absolute_url())
    assert Interaction.objects.filter(case=case, opened_the_case=False).count() == 0


def test_without_a_script_a_page_shows_it_and_keeps_what_is_typed(desk: Desk) -> None:  # E10, S4
    case = working(desk, Severity.MEDIUM, NOON)
    with at(NOON + 13 * HOUR):
        typed = {"severity": "high", "reason": "The whole <floor>"}
        html = signed_in(desk.technician).post(address(case, "change_severity"), typed).content.decode()
        empty = signed_in(desk.technician).post(address(case, "resolve"), {}).content.decode()
    assert "If you do this now" in html
    assert "High 1" in html
    assert "The whole &lt;floor&gt;</textarea>" in html
    assert "desk-error" not in html
    assert "Choose why the case closes." in empty
    assert "desk-error" not in empty
    assert reload(case).severity == Severity.MEDIUM


def test_the_form_asks_for_its_preview(desk: Desk) -> None:  # E10
    case = working(desk, Severity.MEDIUM, NOON)
    with at(NOON + HOUR):
        html, note = (
            signed_in(desk.technician)
            .get(reverse("admin:cases_case_do", args=[case.pk, slug]), headers={"HX-Request": "true"})
            .content.decode()
            for slug in ("change_severity", "add_note")
        )
    assert f'hx-post="{address(case, "change_severity")}"' in html
    assert f'formaction="{address(case, "change_severity")}"' in html
    assert "<textarea" in note
    assert "desk-preview" not in note


def test_a_preview_asks_the_same_of_a_full_desk(desk: Desk) -> None:  # E10
    case = lived(desk, Severity.MEDIUM, Status.IN_PROGRESS, 3)
    now = NOON + 3 * HOUR
    preview(desk.technician, case, "change_severity", now, {"severity": "high"})
    few = queries_of(lambda: preview(desk.technician, case, "change_severity", now, {"severity": "high"}))
    for _ in range(5):
        working(desk, Severity.HIGH, NOON)
    sweeps(now)
    many = queries_of(lambda: preview(desk.technician, case, "change_severity", now, {"severity": "high"}))
    assert many == few


# --- in a browser -----------------------------------------------------------------------------------------------


def opened(browser: Browser, address: str, user: User, **options: Any) -> Page:
    context = browser.new_context(base_url=address, **options)
    session = signed_in(user).cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
    return context.new_page()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_each_choice_shows_its_people(browser: Browser, live_server: Any, desk: Desk) -> None:  # E10, C2
    case = working(desk, Severity.MEDIUM, timezone.now() - 13 * HOUR)
    sweeps(timezone.now())
    page = opened(browser, live_server.url, desk.technician)
    page.goto(case.get_absolute_url())
    form = open_form(page, "change_severity")
    block = form.locator(".desk-preview")
    block.scroll_into_view_if_needed()  # it is asked for when it comes into sight
    expect(block).to_have_text(f"{case.number} is Medium already; choose another severity.")
    expect(form.get_by_text("A significant percentage is affected, or the impact is major.")).to_be_visible()
    form.get_by_label("High").check()
    expect(block).to_contain_text("Emails csm (CSM) and am (account manager): High 1.")
    form.get_by_label("Low").check()
    expect(block).to_contain_text("every 24 h")
    expect(block).not_to_contain_text("csm")
    page.route("**/preview/", lambda route: route.abort())
    form.get_by_label("High").check()
    expect(block).to_be_empty()  # what the choice before would have done is not shown for this one
    assert reload(case).severity == Severity.MEDIUM
