"""The live board (W4, W5): its figures, the cases behind each, what it costs, and who may see it (A1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from cases.engine.watch import watched_jobs
from cases.enums import Channel, Severity, WaitReason
from cases.models import Case, SweepRun
from cases.workflow import transitions
from contacts.models import Company, Technician
from escalations.board import state
from escalations.board.figures import figures
from escalations.board.pages import EVERY
from escalations.board.state import board_of, load_board
from escalations.enums import Origin
from escalations.models import HandoverLine, HandoverSheet
from escalations.requests.apply import request_escalation
from tests.support.builders import NOON, Desk, build_user
from tests.support.pages import signed_in
from tests.support.queries import queries_of
from tests.support.stage import sweeps

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BOARD, TILES = reverse("admin:board"), reverse("admin:board_tiles")


def cases_page(key: str) -> str:
    return reverse("admin:board_cases", args=[key])


def said(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return re.sub(r"\s+", " ", answer.content.decode())


@pytest.fixture
def at_noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


def fill(desk: Desk, number: int = 1) -> None:
    """Open cases of every severity and age, some escalated, some waiting, one to decide, one handed over."""
    for severity in [*Severity] * number:
        for age in (HOUR, 6 * HOUR, 30 * HOUR, 5 * DAY, 9 * DAY):
            desk.open_case(NOON - age, severity=severity, channel=Channel.EMAIL)
        waits = desk.open_case(NOON - 2 * HOUR, severity=severity, channel=Channel.EMAIL)
        transitions.ask_customer(
            waits.pk, desk.technician, NOON - HOUR, question="Which?", reason=WaitReason.INFORMATION
        )
        asked = desk.open_case(NOON - HOUR, severity=severity, channel=Channel.EMAIL)
        words = {"origin": Origin.CUSTOMER, "asked_by": "Ada", "impact": "Closed.", "reason": "Sales."}
        request_escalation(asked.pk, desk.technician, NOON - HOUR, **words)
        given = desk.open_case(NOON - HOUR, severity=severity, channel=Channel.EMAIL)
        sheet = HandoverSheet.objects.create(
            centre=desk.centre,
            ends_at=NOON - HOUR,
            made_at=NOON - HOUR,
            sent_at=NOON - HOUR,
            accept_by=NOON + HOUR,
            person=desk.technician,
        )
        HandoverLine.objects.create(sheet=sheet, case=given, owner=desk.technician, language="en")
    sweeps(NOON)


# --- the figures ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_figure_leads_to_exactly_the_cases_that_it_counts(desk: Desk, at_noon: None):  # W4
    fill(desk)
    Case.objects.filter(pk=desk.open_case(NOON).pk).update(owner=None)
    board, client = load_board(NOON, desk.manager), signed_in(desk.manager)
    assert set(board.counts) == set(figures())
    for key, count in board.counts.items():
        text = said(client, cases_page(key))
        assert f"{count.title}: {count.number}<" in text, key
        assert len(set(re.findall(r"/admin/cases/case/(\d+)/change/", text))) == count.number, key


def test_the_figures_are_what_an_independent_count_finds(desk: Desk, at_noon: None):  # W4
    fill(desk)
    numbers = {key: count.number for key, count in load_board(NOON, desk.manager).counts.items()}
    cases = list(Case.objects.exclude(status="resolved"))
    assert numbers["open"] == len(cases) == 32
    for severity in Severity:
        ages = [NOON - case.opened_at for case in cases if case.severity == severity]
        assert [numbers[f"age_{severity}_{key}"] for key in ("4h", "24h", "3d", "7d", "older")] == [
            sum(age < 4 * HOUR for age in ages),
            sum(4 * HOUR <= age < DAY for age in ages),
            sum(DAY <= age < 3 * DAY for age in ages),
            sum(3 * DAY <= age < 7 * DAY for age in ages),
            sum(age >= 7 * DAY for age in ages),
        ]
    assert (numbers["waiting_critical"], numbers["waiting_high"]) == (1, 1)
    dues = [case.sla_due_at for case in cases if case.sla_due_at is not None]
    assert numbers["late"] == sum(due <= NOON for due in dues)
    assert numbers["soon"] == sum(NOON < due <= NOON + HOUR for due in dues)
    assert numbers["risk"] == sum(NOON < due <= NOON + 4 * HOUR for due in dues) > 0
    assert (numbers["handed_over"], numbers["handed_over_late"]) == (4, 0)
    assert numbers["decisions"] >= 4
    reached = {(row.severity, row.number) for case in cases for row in case.escalations.filter(carried_out=True)}
    assert {key for key, number in numbers.items() if key.startswith("point_") and number} == {
        f"point_{severity}_{number}" for severity, number in reached
    }


def test_what_nobody_took_in_time_is_counted_apart(desk: Desk):  # W4, E9, W3
    fill(desk)
    later = NOON + 5 * HOUR
    numbers = {key: count.number for key, count in load_board(later, desk.manager).counts.items()}
    assert numbers["handed_over_late"] == 4
    assert numbers["decisions_late"] >= 4


def test_resolved_cases_are_in_no_figure(desk: Desk, at_noon: None):  # W4
    fill(desk)
    Case.objects.update(status="resolved", resolved_at=NOON)
    assert {count.number for count in load_board(NOON, desk.manager).counts.values()} == {0}


def test_figures_are_counted_no_further_than_is_worth_knowing(desk: Desk, at_noon: None, monkeypatch):  # W4
    fill(desk)
    monkeypatch.setattr(state, "COUNTED", 3)
    monkeypatch.setattr("escalations.board.pages.COUNTED", 3)
    assert load_board(NOON, desk.manager).counts["open"].text == "3+"
    text = said(signed_in(desk.manager), cases_page("open"))
    assert "Open cases: 3+" in text
    assert len(set(re.findall(r"/admin/cases/case/(\d+)/change/", text))) == 3


def test_the_board_says_who_is_on_duty_what_comes_tonight_and_which_language_nobody_speaks(
    desk: Desk, at_noon: None
):  # W4, D2
    fill(desk)
    Company.objects.filter(pk=desk.other_company.pk).update(language="fr")
    text = said(signed_in(desk.manager), BOARD)
    assert "French</dt><dd>all day" in text
    assert "nobody on duty" not in text
    assert "If nobody acts" in text
    assert re.search(r"<time>\d\d:\d\d</time>", text)
    Technician.objects.update(on_duty=False)
    cache.clear()
    text = said(signed_in(desk.manager), BOARD)
    assert "nobody on duty" in text
    assert "English</dt><dd>all day" in text


def test_a_board_whose_engine_stands_still_says_so(desk: Desk, at_noon: None):  # W5
    for name in watched_jobs():
        SweepRun.objects.create(name=name, last_at=NOON - timedelta(seconds=20))
    assert "stands still" not in said(signed_in(desk.manager), BOARD)
    SweepRun.objects.filter(name="promises").update(last_at=NOON - HOUR)
    cache.clear()
    text = said(signed_in(desk.manager), BOARD)
    assert "The engine stands still, so this board is not complete: “promises” looked last at 11:00." in text


# --- refreshing and price ---------------------------------------------------------------------------------------


def test_a_screen_that_shows_the_same_gets_nothing(desk: Desk, at_noon: None):  # W4
    client = signed_in(desk.manager)
    first = client.get(TILES)
    assert (first.status_code, first.headers["X-Desk-At"]) == (200, "12:00:00")
    assert "no-store" in first.headers["Cache-Control"]
    again = client.get(TILES, {"seen": first.headers["X-Desk-Key"]})
    assert (again.status_code, again.content) == (204, b"")
    desk.open_case(NOON)
    cache.clear()
    assert client.get(TILES, {"seen": first.headers["X-Desk-Key"]}).status_code == 200
    assert f'data-desk-every="{EVERY}"' in said(client, BOARD)


def test_ten_screens_cost_one(desk: Desk, at_noon: None):  # W4
    fill(desk)
    assert queries_of(lambda: board_of(NOON, desk.manager)) > 0
    assert queries_of(lambda: board_of(NOON + timedelta(seconds=3), desk.coo)) == 0
    assert board_of(NOON + timedelta(seconds=3), desk.coo).now == NOON
    assert board_of(NOON + timedelta(seconds=5), desk.coo).now == NOON + timedelta(seconds=5)


@pytest.mark.any_database
def test_the_board_costs_the_same_however_much_there_is(desk: Desk, at_noon: None, monkeypatch):  # W4
    tonight = queries_of(lambda: state._tonight(NOON))
    monkeypatch.setattr(state, "_tonight", lambda now: ([], 0))
    costs = []
    for number in (1, 2):
        fill(desk, number)
        cache.clear()
        board_of(NOON, desk.manager)
        cache.clear()
        costs.append(queries_of(lambda: board_of(NOON, desk.manager)))
    assert costs[0] == costs[1] <= 24
    monkeypatch.undo()
    # Who gets a case is read where one of the lines says it: no more for many lines than for one.
    assert tonight <= queries_of(lambda: state._tonight(NOON)) <= 24


# --- rights -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("manager", 200),
        ("csm", 200),
        ("director", 200),
        ("coo", 200),
        ("technician", 403),
        ("l3", 403),
        ("account_manager", 403),
        ("customer_engineer", 403),
    ],
)
def test_the_board_is_for_those_who_watch_over_the_desk(desk: Desk, who: str, status: int, at_noon: None):  # A1
    desk.open_case()
    client = signed_in(getattr(desk, who))
    for address in (BOARD, TILES, cases_page("open"), cases_page("age_critical_4h")):
        assert client.get(address).status_code == status, address
        assert client.post(address).status_code == (405 if status == 200 else status) or status == 403, address
    assert (BOARD in client.get(reverse("admin:index")).content.decode()) is (status == 200)


def test_a_stranger_signs_in_and_an_administrator_sees_it(desk: Desk, at_noon: None):  # A1
    assert signed_in(None).get(BOARD).status_code == 302
    assert signed_in(None).get(TILES).status_code == 302
    administrator: Any = build_user(is_superuser=True)
    assert signed_in(administrator).get(BOARD).status_code == 200


def test_a_figure_that_the_board_has_not_is_not_found(desk: Desk, at_noon: None):
    client = signed_in(desk.manager)
    for key in ("nothing", "age_critical_never", "point_low_1"):
        assert client.get(cases_page(key)).status_code == 404, key
