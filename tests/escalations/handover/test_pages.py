"""Hand-over on the desk, on a case and on the page of its sheet (W3); who sees and may do what (A1, A2)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from cases.mail.rendering import render
from cases.models import Mail
from cases.my_desk.state import desk_of
from cases.work_items import next_for, shared_work_for
from contacts.models import Technician, User
from escalations.handover.apply import accept, go_away
from escalations.models import HandoverLine, HandoverSheet
from tests.escalations.handover.test_apply import BACK, ENDS, HOUR, MINUTE, World, states, tick, world
from tests.support.builders import Desk, build_technician, reload
from tests.support.pages import panel_of, signed_in
from tests.support.queries import queries_of_page

pytestmark = pytest.mark.django_db

__all__ = ["world"]
LISTS = reverse("admin:escalations_handoversheet_changelist")
LEAVE = reverse("admin:escalations_handoversheet_leave")


def said(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return re.sub(r"\s+", " ", answer.content.decode())


def sheet_with_cases() -> HandoverSheet:
    return HandoverSheet.objects.exclude(lines=None).latest("pk")


def of_sheet(name: str, key: int) -> str:
    return reverse(f"admin:escalations_handoversheet_{name}", args=[key])


def work_of(user: User, now) -> list[tuple[str, bool]]:
    user = User.objects.get(pk=user.pk)
    return [(work.act, work.due_at <= now) for work in shared_work_for(user, now) if work.kind == "handover"]


def test_what_waits_stands_on_the_desks_of_giver_receiver_and_late_of_the_manager(world: World):  # W1, W3
    first, second = world.open_case(), world.open_case()
    london, nina, manager = world.desk.technician, world.nina, world.desk.manager
    away = build_technician(world.new_york, name="off", on_duty=False)
    tick(ENDS - 30 * MINUTE)
    assert work_of(london, ENDS) == [("Check the lines of your 2 cases", True)]
    assert work_of(nina, ENDS) == [("Accept 2 cases that are handed over", False)]
    assert work_of(manager, ENDS) == work_of(away, ENDS) == work_of(world.desk.l3, ENDS) == []
    tick(ENDS)
    late = ENDS + 30 * MINUTE
    assert work_of(london, ENDS) == []
    assert work_of(manager, late) == [("Accept 2 cases that are handed over", True)]
    accept(sheet_with_cases().pk, nina, ENDS, lines=[HandoverLine.objects.get(case=first).pk])
    assert work_of(nina, ENDS) == [("Accept a case that is handed over", False)]
    accept(sheet_with_cases().pk, nina, ENDS)
    assert work_of(nina, late) == work_of(manager, late) == []
    assert reload(second).owner == nina


def test_the_head_of_a_case_says_who_accepts_it_and_has_the_button(world: World):  # W2, W3
    case = world.open_case()
    tick(ENDS)
    with time_machine.travel(ENDS + MINUTE, tick=False):
        nina, manager = User.objects.get(pk=world.nina.pk), User.objects.get(pk=world.desk.manager.pk)
        mine = next_for(reload(case), nina, ENDS + MINUTE)
        assert mine is not None
        assert (mine.act, mine.due_at, mine.for_reader) == (
            "Accept the hand-over from London",
            ENDS + 30 * MINUTE,
            True,
        )
        foreign = next_for(reload(case), manager, ENDS + MINUTE)
        assert foreign is not None
        assert foreign.text == "New York: accept the hand-over from London"
        late = next_for(reload(case), manager, ENDS + HOUR)
        assert late is not None
        assert late.for_reader
        client = signed_in(nina)
        assert "Accept the hand-over from London" in said(client, case.get_absolute_url())
        posted = {"line": HandoverLine.objects.get().pk}
        answer = client.post(reverse("admin:cases_case_do", args=[case.pk, "accept_handover"]), posted, follow=True)
        assert f"{case.number} is nina&#x27;s now." in answer.content.decode()
    assert reload(case).owner == nina
    assert states() == {case.number: "accepted"}


def test_the_page_of_a_case_says_where_its_hand_over_stands(world: World):  # W3
    case = world.open_case()
    tick(ENDS - 20 * MINUTE)
    client = signed_in(world.desk.technician)
    with time_machine.travel(ENDS - 10 * MINUTE, tick=False):
        assert "goes to New York 16:00" in said(client, case.get_absolute_url())
    tick(ENDS)
    with time_machine.travel(ENDS + MINUTE, tick=False):
        text = said(client, case.get_absolute_url())
        assert "New York accepts by 16:30" in text
        assert "Handed over to New York" in text
        assert "What nobody has accepted by" in panel_of(client, case, "handover")
        assert "The sheet" not in panel_of(signed_in(world.desk.account_manager), case, "handover")
    accept(sheet_with_cases().pk, world.nina, ENDS + MINUTE)
    with time_machine.travel(ENDS + HOUR, tick=False):
        assert "nina accepted it." in said(client, case.get_absolute_url())
    with time_machine.travel(BACK, tick=False):
        assert "accepted by nina" in panel_of(client, case, "handover")


def test_the_sheet_shows_both_clocks_and_takes_the_clicks(world: World):  # W3
    first, second = world.open_case(), world.open_case()
    tick(ENDS)
    sheet, client = sheet_with_cases(), signed_in(world.nina)
    with time_machine.travel(ENDS + MINUTE, tick=False):
        text = said(client, sheet.get_absolute_url())
        assert "London to New York" in text
        assert "Wed 3 Jun, 17:00 <span>London</span>" in text
        assert "Wed 3 Jun, 12:00 <span>New York</span>" in text
        assert '>Wed 3 Jun, 23:00</td><td class="dash-nowrap">Wed 3 Jun, 18:00</td>' in text
        assert "Accept all 2 cases" in text
        one = HandoverLine.objects.get(case=first)
        answer = client.post(of_sheet("accept", sheet.pk), {"line": one.pk}, follow=True)
        assert "1 case accepted, for you." in answer.content.decode()
        assert states() == {first.number: "accepted", second.number: "open"}
        answer = client.post(of_sheet("accept", sheet.pk), {"line": one.pk}, follow=True)
        assert "nina has accepted it already." in answer.content.decode()
        client.post(of_sheet("accept", sheet.pk))
    assert set(states().values()) == {"accepted"}


def test_its_owner_rewords_and_keeps_on_the_sheet(world: World):  # W3
    world.open_case()
    tick(ENDS - 20 * MINUTE)
    sheet, client, line = sheet_with_cases(), signed_in(world.desk.technician), HandoverLine.objects.get()
    with time_machine.travel(ENDS - 10 * MINUTE, tick=False):
        assert "Say it better" in said(client, sheet.get_absolute_url())
        assert "Say it better" not in said(signed_in(world.nina), sheet.get_absolute_url())
        answer = client.post(of_sheet("reword", line.pk), {"stands": "Call <b>Ana</b>."}, follow=True)
        assert "Call &lt;b&gt;Ana&lt;/b&gt;." in answer.content.decode()
        answer = client.post(of_sheet("reword", line.pk), {"stands": " "}, follow=True)
        assert "Say in a line where the case stands." in answer.content.decode()
        assert signed_in(world.nina).post(of_sheet("keep", line.pk)).status_code == 403
        client.post(of_sheet("keep", line.pk))
    assert list(states().values()) == ["kept"]


def test_ending_ones_day_is_one_click_on_ones_desk(world: World):  # W3
    world.open_case()
    client = signed_in(world.desk.technician)
    with time_machine.travel(ENDS - HOUR, tick=False):
        assert LEAVE in said(client, reverse("admin:index"))
        answer = client.post(LEAVE, follow=True)
        assert "You are away, and your cases are handed over to London." in answer.content.decode()
        assert LEAVE not in said(client, reverse("admin:index"))
    assert not Technician.objects.get(user=world.desk.technician).on_duty


def test_a_sheet_is_read_by_those_who_read_every_case_and_by_nobody_else(world: World):  # A1
    world.open_case()
    tick(ENDS)
    sheet = sheet_with_cases()
    line, desk = HandoverLine.objects.get(), world.desk
    for person in (desk.technician, desk.manager, desk.csm, desk.director, desk.coo):
        assert str(sheet) in said(signed_in(person), sheet.get_absolute_url())
        assert "London to New York" in said(signed_in(person), LISTS)
    posts = [of_sheet("accept", sheet.pk), of_sheet("keep", line.pk), of_sheet("reword", line.pk), LEAVE]
    for person in (desk.account_manager, desk.other_account_manager, desk.customer_engineer):
        client = signed_in(person)
        assert client.get(LISTS).status_code == 403
        assert client.get(sheet.get_absolute_url()).status_code in (403, 404)
        assert {client.post(address, {"stands": "x"}).status_code for address in posts} <= {403, 404}
    for person in (desk.csm, desk.director, desk.coo):
        client = signed_in(person)
        assert {client.post(address, {"stands": "x"}).status_code for address in posts} == {403}
        assert "Accept" not in said(client, sheet.get_absolute_url())
    for address in posts:
        assert signed_in(desk.technician).get(address).status_code == 405
    assert set(states().values()) == {"open"}


def test_a_foreign_company_is_in_no_mail_to_who_may_not_read_it(world: World):  # A1
    world.open_case()
    tick(ENDS)
    tick(ENDS + 30 * MINUTE)
    readers = set(Mail.objects.filter(template__startswith="handover").values_list("to_address", flat=True))
    assert readers == {"nina@example.com", "support_manager@example.com"}


def test_the_mail_says_where_each_case_stands_and_what_is_owed_on_both_clocks(world: World):  # W3, M4
    case = world.open_case()
    tick(ENDS)
    mail = Mail.objects.get(template="handover_sheet")
    rendered = render(mail)
    assert rendered.subject == "Hand-over from London: 1 case"
    assert "Help desk of Acme turned to us by email on Wed 3 Jun, 15:00 BST" in rendered.text
    assert (
        "Wed 3 June 2026, 23:00 (London, UTC+01:00), Wed 3 June 2026, 18:00 (New York, UTC-04:00): "
        "Tell the customer where it stands"
    ) in rendered.text
    assert case.get_absolute_url() in rendered.text
    tick(ENDS + 30 * MINUTE)
    text = render(Mail.objects.get(template="handover_not_accepted")).text
    assert "Nobody there has accepted it." in text


def test_pages_cost_the_same_for_two_cases_and_for_ten(world: World):  # W3
    client, costs = signed_in(world.nina), []
    for number in (2, 8):
        for _ in range(number):
            world.open_case()
        HandoverSheet.objects.all().delete()
        tick(ENDS)
        with time_machine.travel(ENDS + MINUTE, tick=False):
            sheet = sheet_with_cases()
            costs.append(
                [
                    queries_of_page(client, address)
                    for address in (sheet.get_absolute_url(), LISTS, reverse("admin:index"))
                ]
            )
    assert costs[0] == costs[1]


def test_the_desk_of_a_manager_shows_what_nobody_accepted(world: World, desk: Desk):  # W1
    world.open_case()
    tick(ENDS)
    manager = User.objects.get(pk=desk.manager.pk)
    late = ENDS + 31 * MINUTE
    acts = [row.act for row in desk_of(manager, late, late.tzinfo).rows]
    assert "Accept a case that is handed over" in acts
    go_away(world.nina, ENDS + timedelta(hours=1))
