"""What nobody types and somebody sends all the same: odd addresses, second clicks, a session that ended (A1, S4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.enums import AgreedBy, Resolution
from cases.models import Case, Interaction
from cases.workflow import transitions
from tests.support.builders import Desk, build_desk
from tests.support.pages import signed_in
from tests.support.workers import outcomes_at_once

pytestmark = pytest.mark.django_db

LIST = "/admin/cases/case/"
ADD = "/admin/cases/case/add/"
HUGE = "9" * 26


def call(desk: Desk, **typed: Any) -> dict[str, Any]:
    return {
        "company": desk.company.pk,
        "contact": desk.contact.pk,
        "opened_by_channel": "phone",
        "title": "Nobody can print",
        "description": "Since this morning.",
        "several_devices": "unknown",
        **typed,
    }


@pytest.mark.parametrize(
    "query",
    [f"company__id__exact={HUGE}", "company__id__exact=abc", "queue=nonsense", "o=9", "p=999999", "e=1"],
)
def test_an_odd_filter_leads_to_the_list_and_to_no_error(desk: Desk, query: str):
    answer = signed_in(desk.technician).get(f"{LIST}?{query}", follow=True)
    assert answer.status_code == 200
    assert answer.templates


def test_an_export_with_an_unknown_filter_leads_back_to_the_list(desk: Desk):
    answer = signed_in(desk.technician).get(f"{LIST}export/?format=99")
    assert (answer.status_code, answer.url) == (302, LIST)


@pytest.mark.parametrize("version", ["²", HUGE, "abc", "0"])
def test_a_version_that_cannot_be_is_not_found(desk: Desk, version: str):
    case = desk.open_case()
    assert signed_in(desk.technician).get(f"{LIST}{case.pk}/history/{version}/").status_code == 404


@pytest.mark.parametrize("company", ["²", HUGE, "abc", "-1", ""])
def test_contacts_of_a_company_that_cannot_be_are_no_error(desk: Desk, company: str):
    assert signed_in(desk.technician).get(f"{LIST}contacts/", {"company": company}).status_code == 200


@pytest.mark.parametrize("field", ["company", "contact", "linked_to"])
@pytest.mark.parametrize("value", ["abc", HUGE, "²"])
def test_a_row_that_cannot_be_is_refused_beside_its_field(desk: Desk, field: str, value: str):  # S4
    answer = signed_in(desk.technician).post(ADD, call(desk, **{field: value}))
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors[field]
    assert b"Nobody can print" in answer.content
    assert Case.objects.count() == 0


def test_opening_the_same_case_twice_opens_it_once(desk: Desk):
    client = signed_in(desk.technician)
    first, second = (client.post(ADD, call(desk)) for _ in range(2))
    case = Case.objects.get()
    assert first.url == second.url == case.get_absolute_url()
    assert "a moment ago" in client.get(second.url).content.decode()
    client.post(ADD, call(desk, description="Another floor, the same words in the title."))
    assert Case.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_open_one_case():
    desk = build_desk()
    first, second = signed_in(desk.technician), signed_in(desk.technician)
    answers = outcomes_at_once(
        lambda: first.post(ADD, call(desk)).status_code, lambda: second.post(ADD, call(desk)).status_code
    )
    assert answers == [302, 302]
    assert Case.objects.count() == 1


def test_a_session_that_ended_in_a_dialog_leads_back_to_the_case_after_signing_in(desk: Desk):  # S4
    case = desk.open_case()
    before = Interaction.objects.count()
    answer = Client().post(reverse("admin:cases_case_do", args=[case.pk, "add_note"]), {"body": "Typed for long."})
    assert answer.status_code == 302
    assert answer.url == f"/admin/login/?next={case.get_absolute_url()}"
    assert Interaction.objects.count() == before


def test_a_page_that_is_not_there_says_so_in_the_desks_own_words(desk: Desk):
    answer = signed_in(desk.technician).get(f"{LIST}424242/change/")
    assert answer.status_code == 404
    assert "There is nothing here for you" in answer.content.decode()


def test_a_page_that_one_may_not_see_says_so_in_the_desks_own_words(desk: Desk):  # A2
    answer = signed_in(desk.account_manager).get(ADD)
    assert answer.status_code == 403
    assert "You may not do this" in answer.content.decode()


def test_who_signed_in_anew_is_told_to_send_it_once_more(desk: Desk):
    client = Client(enforce_csrf_checks=True)
    client.force_login(desk.technician)
    answer = client.post(reverse("admin:cases_case_do", args=[desk.open_case().pk, "add_note"]), {"body": "x"})
    assert answer.status_code == 403
    assert "Please send it once more" in answer.content.decode()


def test_a_word_after_closing_offers_to_reopen_the_case_at_once(desk: Desk):  # C7
    now = timezone.now()
    case = desk.open_case(now=now)
    solved = {"resolution": Resolution.CONFIRMED, "agreed_by": AgreedBy.PHONE, "solution": "Restarted."}
    transitions.resolve(case.pk, desk.technician, now, **solved)
    Interaction.objects.filter(case=case).update(needs_answer=True)
    client = signed_in(desk.technician)
    assert "Reopen the case" in client.get(case.get_absolute_url()).content.decode()
