"""A company that is made inactive leaves no open case behind silently (D9)."""

from __future__ import annotations

import html

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases.enums import Resolution
from cases.workflow import transitions
from contacts.directory import directory_problems
from contacts.models import Company, Contact
from tests.contacts.test_directory_pages import filled_in, page
from tests.support.builders import NOON, Desk
from tests.support.pages import signed_in

pytestmark = pytest.mark.django_db


def test_making_a_company_inactive_says_what_is_still_open_there_until_it_is_handled(desk: Desk):  # D9
    cases = [desk.open_case() for _ in range(3)]
    transitions.resolve(cases[2].pk, desk.technician, NOON, resolution=Resolution.NOT_PURSUED)
    client, address = signed_in(desk.manager), page("company", desk.company.pk, of="change")
    sent = filled_in(client.get(address))
    assert "is inactive" not in client.post(address, sent, follow=True).content.decode()
    del sent["active"]
    answer = client.post(address, sent, follow=True).content.decode()
    cases_there = f"/admin/cases/case/?queue=open&amp;company__id__exact={desk.company.pk}"
    assert f'Acme is inactive and still has <a href="{cases_there}" class="underline">2 open cases</a>' in answer
    listed = client.get(html.unescape(cases_there)).content.decode()
    assert [case.number in listed for case in cases] == [True, True, False]
    still = "Acme is no longer a customer and still has 2 open cases"
    assert any(problem.startswith(still) for problem in directory_problems())
    assert still in client.get("/admin/").content.decode()
    for case in cases[:2]:
        transitions.resolve(case.pk, desk.technician, NOON, resolution=Resolution.NOT_PURSUED)
    assert not any(problem.startswith("Acme") for problem in directory_problems())


def test_the_problems_of_the_directory_cost_as_many_queries_for_many_companies_as_for_one(desk: Desk):  # D9
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            directory_problems()
        return len(queries)

    desk.open_case()
    Company.objects.update(active=False)
    one = cost()
    for number in range(5):
        company = Company.objects.create(name=f"Gone {number}", country="DE", time_zone="Europe/Berlin")
        Contact.objects.create(company=company, name="Ann", email="ann@example.com", is_help_desk=True)
        desk.open_case(company=company)
    Company.objects.update(active=False)
    assert cost() == one
    assert sum("no longer a customer" in problem for problem in directory_problems()) == 6
