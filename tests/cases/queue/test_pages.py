"""The pages of the queue: the board, the bar, the caller, the card on My desk (Q2, Q3, Q4, W1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from cases.enums import CallEventKind, Channel
from cases.models import Case, Interaction, QueueEntry, Refusal
from cases.queue.apply import take
from cases.queue.events import ToldEvent, take_event
from contacts.models import Technician
from tests.support.builders import NOON, Desk

pytestmark = pytest.mark.django_db
NUMBER = "+49301234567"
LIST = "/admin/cases/queueentry/"


@pytest.fixture
def alone(desk: Desk) -> Desk:
    Technician.objects.exclude(user=desk.technician).update(on_duty=False)
    contact = desk.contact
    contact.phone = "030 1234567"
    contact.save()
    return desk


@pytest.fixture
def technician(client: Client, alone: Desk) -> Client:
    client.force_login(alone.technician)
    return client


def call(
    kind: CallEventKind = CallEventKind.ARRIVED, ago: float = 0, call_id: str = "c1", number: str = NUMBER
) -> QueueEntry:
    return take_event(ToldEvent("pbx", call_id, kind, number=number), timezone.now() - timedelta(minutes=ago))


def do(client: Client, entry: QueueEntry, name: str, **posted):
    return client.post(f"{LIST}{entry.pk}/do/{name}/", posted)


def test_the_bar_shows_an_offered_call_until_it_is_taken_or_passed(
    technician, alone, django_assert_num_queries
) -> None:
    assert technician.get(f"{LIST}mine/").content.strip() == b""  # Q2
    entry = call()
    with django_assert_num_queries(3):  # session, user, and what is theirs
        shown = technician.get(f"{LIST}mine/")
    assert "Help desk of Acme" in shown.content.decode()
    assert "data-desk-ring" in shown.content.decode()
    assert technician.get(f"{LIST}mine/?seen={shown['X-Desk-Key']}").status_code == 204
    answer = do(technician, entry, "take")
    assert answer.url == f"{LIST}{entry.pk}/caller/"
    talks = technician.get(f"{LIST}mine/?seen={shown['X-Desk-Key']}").content.decode()
    assert "You speak with Help desk of Acme" in talks
    assert "data-desk-ring" not in talks


def test_every_page_asks_for_calls_of_whoever_takes_them(technician, alone, client) -> None:  # Q2, A1
    assert 'id="desk-call"' in technician.get("/admin/").content.decode()
    client.force_login(alone.account_manager)
    assert 'id="desk-call"' not in client.get("/admin/").content.decode()
    assert client.get(f"{LIST}mine/").status_code == 204


@time_machine.travel(NOON, tick=True)  # what was missed is of today
def test_the_board_shows_who_waits_what_technicians_do_and_whom_we_owe_a_call(technician, alone) -> None:  # Q2, Q3
    first, second = call(ago=9), call(ago=3, call_id="c2", number="+4989765432")
    take(first.pk, alone.technician, timezone.now())
    call(ago=50, call_id="c3", number="+4989111111"), call(CallEventKind.ENDED, 49, "c3", "+4989111111")
    page = technician.get(f"{LIST}board/").content.decode()
    for words in ("+49 89 765432", "waits 3 min", "English", "Talking", "Away", "+49 89 111111", "Hung up before"):
        assert words in page
    assert f"take-{second.pk}" in page


def test_the_board_is_asked_again_and_says_only_what_is_new(technician, alone) -> None:
    call()
    shown = technician.get(f"{LIST}board/rows/")
    assert technician.get(f"{LIST}board/rows/?seen={shown['X-Desk-Key']}").status_code == 204
    call(call_id="c2", number="+4989765432")
    assert technician.get(f"{LIST}board/rows/?seen={shown['X-Desk-Key']}").status_code == 200


def test_the_board_costs_the_same_for_two_as_for_twelve(technician, alone, django_assert_max_num_queries) -> None:
    for number in range(12):
        call(call_id=f"c{number}", number=f"+49897654{number:02}")
    with django_assert_max_num_queries(12):
        technician.get(f"{LIST}board/rows/")


@pytest.mark.parametrize("who", ["account_manager", "customer_engineer"])
def test_who_works_no_cases_sees_nothing_of_the_queue(client, alone, who) -> None:  # A1, A2
    entry = call()
    client.force_login(getattr(alone, who))
    for page in ("board/", "board/rows/", "", f"{entry.pk}/caller/"):
        assert client.get(f"{LIST}{page}").status_code in (403, 404)
    for button in ("take", "pass", "over", "later", "dismiss", "log", "name"):
        assert do(client, entry, button).status_code in (403, 404)
    assert client.post(f"{LIST}enter/", {"who": "Ann"}).status_code == 403
    assert QueueEntry.objects.get().state == "offered"


def test_a_manager_who_only_watches_sees_the_board_and_takes_nothing(client, alone) -> None:  # A1
    entry = call()
    client.force_login(alone.csm)
    page = client.get(f"{LIST}board/").content.decode()
    assert "Help desk of Acme" in page
    assert "take-" not in page
    assert do(client, entry, "take").status_code == 403


def test_a_case_is_opened_from_a_call_and_promises_count_from_its_arrival(technician, alone) -> None:  # Q4, T1
    entry = call(ago=10)
    take(entry.pk, alone.technician, timezone.now() - timedelta(minutes=8))
    page = technician.get(f"{LIST}{entry.pk}/caller/").content.decode()
    assert f"/admin/cases/case/add/?call={entry.pk}" in page
    form = technician.get(f"/admin/cases/case/add/?call={entry.pk}").content.decode()
    assert "Help desk of Acme" in form
    posted = {
        "company": alone.company.pk,
        "contact": alone.contact.pk,
        "title": "No mail",
        "opened_by_channel": "phone",
    }
    assert technician.post(f"/admin/cases/case/add/?call={entry.pk}", posted).status_code == 302
    case, entry = Case.objects.get(), QueueEntry.objects.get()
    assert (case.called_at, case.opened_by_channel) == (entry.arrived_at, Channel.PHONE)
    assert (entry.case, entry.interaction) == (case, Interaction.objects.get(opened_the_case=True))
    do(technician, entry, "over")
    page = technician.get(case.get_absolute_url()).content.decode()
    assert "Waited 2 min, talked 8 min." in page
    assert "Open a case from this call" not in technician.get(f"{LIST}{entry.pk}/caller/").content.decode()


def test_a_call_is_logged_on_an_open_case_with_one_click(technician, alone) -> None:  # Q4, C3
    case = alone.open_case(timezone.now() - timedelta(hours=1))
    entry = call()
    take(entry.pk, alone.technician, timezone.now())
    assert case.number in technician.get(f"{LIST}{entry.pk}/caller/").content.decode()
    assert do(technician, entry, "log", case=case.pk).status_code == 302
    assert Interaction.objects.filter(case=case, channel=Channel.PHONE, opened_the_case=False).count() == 1
    again = do(technician, entry, "log", case=case.pk)
    assert (again.status_code, "already" in again.content.decode()) == (409, True)
    assert do(technician, entry, "log", case="x").status_code == 409


def test_a_caller_who_is_not_the_help_desk_is_shown_with_a_warning_and_turned_away(technician, alone) -> None:  # D3, Q4
    person = alone.end_user
    person.phone = "030 7654321"
    person.save()
    entry = call(number="+49307654321")
    page = technician.get(f"{LIST}{entry.pk}/caller/").content.decode()
    assert "is not the corporate help desk of Acme" in page
    do(technician, entry, "turn-away")
    assert Refusal.objects.get().contact == person


def test_an_unknown_caller_is_named(technician, alone) -> None:  # Q1, Q4
    entry = call(number="+4989765432")
    address = f"{LIST}{entry.pk}/caller/"
    assert "ask who it is" in technician.get(address).content.decode()
    assert "Help desk of Acme" in technician.get(f"{address}?find=acme+desk").content.decode()
    assert do(technician, entry, "name").status_code == 409
    do(technician, entry, "name", contact=alone.contact.pk)
    assert QueueEntry.objects.get().contact == alone.contact


def test_a_call_comes_in_by_hand_on_my_desk(technician, alone) -> None:  # Q5, W1
    assert "A call comes in" in technician.get("/admin/").content.decode()
    answer = technician.post(f"{LIST}enter/", {"who": "030 1234567", "taken": "yes"})
    mine = QueueEntry.objects.get()
    assert answer.url == f"{LIST}{mine.pk}/caller/"
    assert (mine.contact, mine.state) == (alone.contact, "talking")
    technician.post(f"{LIST}enter/", {"who": "Somebody", "taken": "no"})
    assert QueueEntry.objects.get(caller="Somebody").state == "waiting"
    assert "1 caller waits" in technician.get("/admin/").content.decode()
    technician.post(f"{LIST}enter/", {"who": " ", "taken": "no"})
    assert QueueEntry.objects.count() == 2


def test_a_callback_owed_stands_on_my_desk(technician, alone) -> None:  # W1, Q3
    Technician.objects.update(on_duty=False)
    call(ago=30), call(CallEventKind.ENDED, 29)
    page = technician.get("/admin/").content.decode()
    assert "Call somebody back" in page
    entry = QueueEntry.objects.get()
    do(technician, entry, "take")
    assert "Nobody answered" in technician.get(f"{LIST}{entry.pk}/caller/").content.decode()
    do(technician, entry, "no-answer")
    assert QueueEntry.objects.get().tries == 1
    do(technician, entry, "dismiss")
    assert "Call somebody back" not in technician.get("/admin/").content.decode()


def test_a_page_that_asks_by_itself_keeps_no_session_alive(technician) -> None:  # A3
    session = technician.session
    session["renewed_at"] = 1.0
    session.save()
    technician.get(f"{LIST}mine/", headers={"X-Desk-Poll": "1"})
    assert technician.session["renewed_at"] == 1.0
    technician.get(f"{LIST}board/")
    assert technician.session["renewed_at"] > 1.0
