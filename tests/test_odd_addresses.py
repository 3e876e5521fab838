"""Every address of the desk with values that nobody types: it says what is wrong, and never fails (S4, A3)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from itertools import count, product
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from cases.models import Case, Interaction
from cases.workflow import opening
from contacts.models import User
from tests.support.builders import NOON, Desk
from tests.support.examples import ALL_EXAMPLES, place_of_database
from tests.support.pages import signed_in

pytestmark = pytest.mark.django_db

ROLES = ("nobody", "technician", "account_manager", "customer_engineer", "manager", "csm", "director", "coo")
#: Who try every query; with few examples each a third of the values, together all of them.
SEARCHERS = ("technician", "account_manager", "manager")
#: What an address names where a row, a version or a name belongs.
ODD_NAMES = ("abc", "0", "-1", "9" * 26, "²", "1_2F", "%00", "é" * 300)
#: What a query says where a number, a choice, a date or a word belongs.
ODD_VALUES = ("abc", "0", "-1", "9" * 26, "²", "a%00b", "%f0%9f%92%a5", "'", "2026-13-45", "x" * 3_000)
#: Values of which databases think differently.
TOLD_TO_DATABASE = ("0", "-1", "9" * 26, "a%00b", "2026-13-45")
#: What every list and form reads.
EVERYWHERE = ("q", "p", "o", "e", "page", "id__exact", "pk__in", "_changelist_filters", "_to_field", "nonsense")
#: What is understood without a database.
BEFORE_DATABASE = ("p", "o", "e", "page", "_changelist_filters", "_to_field", "nonsense")
DATE_PARTS = ("", "__year", "__date", "__gte")
#: Addresses with parameters of their own.
LOOK_UPS = (
    "/admin/autocomplete/?app_label=cases&model_name=case&field_name=company&term=",
    "/admin/autocomplete/?app_label=cases&model_name=case&field_name=owner&term=",
    "/admin/autocomplete/?app_label=cases&model_name=case&field_name=company&page=",
    "/admin/autocomplete/?app_label=cases&model_name=case&field_name=",
    "/admin/autocomplete/?app_label=cases&field_name=company&model_name=",
    "/admin/autocomplete/?model_name=case&field_name=company&app_label=",
    "/admin/cases/case/contacts/?term=",
    "/admin/cases/case/contacts/?company=",
    "/admin/cases/case/contacts/?page=",
    "/admin/cases/case/add/?linked_to=",
    "/admin/cases/case/export/?format=",
    *(
        f"/admin/escalations/reports/{report}/?{name}="
        for report in ("times", "backlog")
        for name in ("from", "to", "company")
    ),
    *(
        f"/admin/escalations/reports/promises/?{name}="
        for name in ("period", "by", "owner", "centre", "severity", "kind")
    ),
    "/admin/escalations/reports/contacts/file/csv/?from=2026-06-01&to=",
    "/admin/cases/case/?figure=",
    "/admin/cases/case/?figure=backlog;from=2026-06-01;to=2026-06-02;age=",
    "/admin/escalations/promise/?figure=missed;from=2026-06-01;to=2026-06-02;zone=",
    "/admin/escalations/escalation/?figure=escalated;from=2026-06-01;to=2026-06-02;point=",
    "/admin/search/?s=a&page=",
    "/admin/search/?s=",
    "/admin/search/?extended=1&s=",
    "/admin/login/?next=",
)
_ARGUMENT = re.compile(r"<[^>]*>|\(\?P<[^)]*\)|\([^)]*\)")


def routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    """Every address of the desk, with “{}” for each argument."""
    for pattern in patterns:
        address = before + _ARGUMENT.sub("{}", str(pattern.pattern).strip("^$"))
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, address)
        else:
            yield address


ROUTES = sorted(set(routes(get_resolver().url_patterns)))


def row_of(address: str) -> str:
    """The key of a row on the page that an address belongs to; any number where there is none."""
    parts = address.split("/")
    model = {"setaside": "failedcase", "pulse": "sweeprun", "promise": "slatarget", "reports": "reportcase"}.get(
        parts[2], parts[2]
    )
    row = apps.get_model(parts[1], model).objects.first() if len(parts) > 3 and parts[1] in apps.app_configs else None
    return str(row.pk) if row else "1"


def odd_addresses(role: str) -> Iterator[str]:
    """With few examples half of the names by half of the roles, the rest on the other database."""
    names = ODD_NAMES if ALL_EXAMPLES else ODD_NAMES[(ROLES.index(role) + place_of_database()) % 2 :: 2]
    for route in ROUTES:
        arguments = route.count("{}")
        yield from {"/" + route.format(*[name] * arguments) for name in names}
        if arguments == 2:
            yield from ("/" + route.format(row_of(route), name) for name in names)


def parameters_of(page: ModelAdmin[Any], request: HttpRequest) -> Iterator[str]:
    """What a list reads from its address: what every one does, its filters, its dates and whatever it links to."""
    yield from EVERYWHERE
    for field in page.opts.concrete_fields:
        if field.is_relation:
            yield f"{field.name}__id__exact"
        elif field.choices or isinstance(field, models.BooleanField):
            yield f"{field.name}__exact"
        elif isinstance(field, models.DateField):
            yield from (field.name + part for part in DATE_PARTS)
    for entry in page.get_list_filter(request):
        if isinstance(entry, type):
            yield getattr(entry, "parameter_name", "") or "nonsense"


def odd_queries(user: User, values: tuple[str, ...] = ODD_VALUES) -> Iterator[str]:
    """With few examples half of what no database is asked, the rest on the other database."""
    request = RequestFactory().get("/")
    request.user = user
    turn = count(place_of_database())
    for page in admin.site._registry.values():
        if page.has_view_permission(request):
            address = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")
            for name, value in product(parameters_of(page, request), values):
                is_asked = name not in BEFORE_DATABASE and value in TOLD_TO_DATABASE
                if ALL_EXAMPLES or is_asked or next(turn) % 2 == 0:
                    yield f"{address}?{name}={value}"
    yield from (f"{look_up}{value}" for look_up in LOOK_UPS for value in values)


def client_of(desk: Desk, role: str) -> Client:
    client = signed_in(getattr(desk, role, None))
    client.raise_request_exception = False
    return client


def failing(client: Client, addresses: Iterator[str], method: str = "get") -> list[str]:
    """The addresses that answer with an error of ours. That the others are refused is not logged: most of them are."""
    logging.disable(logging.WARNING)
    try:
        return [address for address in addresses if getattr(client, method)(address).status_code >= 500]
    finally:
        logging.disable(logging.NOTSET)


@pytest.fixture
def rows(desk: Desk) -> Desk:
    """A desk with a case, a refusal and a version of each history."""
    desk.open_case()
    opening.turn_away(desk.end_user, "The printer", desk.technician, NOON)
    return desk


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_no_address_fails_whatever_stands_in_it(rows: Desk, role: str):  # S4
    assert failing(client_of(rows, role), odd_addresses(role)) == []


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_no_address_fails_whatever_is_posted_to_it(rows: Desk, role: str):  # S4
    assert failing(client_of(rows, role), odd_addresses(role), "post") == []


@pytest.mark.slow
@pytest.mark.parametrize("role", SEARCHERS)
def test_no_query_fails(rows: Desk, role: str):  # S4
    values = ODD_VALUES if ALL_EXAMPLES else ODD_VALUES[SEARCHERS.index(role) :: len(SEARCHERS)]
    assert failing(client_of(rows, role), odd_queries(getattr(rows, role), values)) == []


@pytest.mark.parametrize(
    "address",
    [
        "/admin/search/?s=a&page=abc",
        "/admin/search/?s=a&page=0",
        "/admin/search/?s=a&page=99",
        "/admin/contacts/technician/1/history/abc/",
        "/admin/cases/case/?severity__exact=%00",
        "/admin/cases/case/?opened_at__year=0",
        "/admin/autocomplete/?term=%00&app_label=cases&model_name=case&field_name=company",
    ],
)
def test_what_failed_before_is_answered(rows: Desk, address: str):  # S4
    assert client_of(rows, "manager").get(address).status_code < 500


def test_a_nul_is_answered_with_a_sentence_wherever_it_stands(rows: Desk):  # S4
    client = client_of(rows, "technician")
    note = reverse("admin:cases_case_do", args=[Case.objects.get().pk, "add_note"])
    for answer in (
        client.get("/admin/cases/case/?q=%00"),
        client.get("/admin/cases/case/1%00/change/"),
        client.post(note, {"body": "a\0b"}),
        client.post(note, {"bo\0dy": "x"}),
    ):
        assert answer.status_code == 400
        assert "This address asks for something that cannot be" in answer.content.decode()
    assert not Interaction.objects.filter(channel="note").exists()


def test_a_filter_that_no_column_can_answer_leads_to_the_whole_list(rows: Desk):  # S4
    answer = client_of(rows, "technician").get("/admin/cases/case/?opened_at__year=0")
    assert (answer.status_code, answer.url) == (302, "/admin/cases/case/?e=1")


def test_lists_answer_to_a_request_for_the_head_alone(rows: Desk):
    client, case = client_of(rows, "technician"), Case.objects.get()
    addresses = ["/admin/cases/case/", "/admin/cases/case/contacts/", f"/admin/cases/case/{case.pk}/history/"]
    assert [client.head(address).status_code for address in addresses] == [200, 200, 200]


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_more_than_the_desk_takes_in_is_answered_with_a_page(rows: Desk, settings: Any, content_type: str):  # S4
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = settings.DESK_LARGEST_UPLOAD = 1_000_000
    body = b"x" * 1_000_001
    answer = client_of(rows, "technician").generic("POST", "/admin/cases/case/add/", body, content_type)
    assert answer.status_code == 413
    assert "At most 1.0 MB may be sent in one go, and nothing was saved" in answer.content.decode()


def test_the_address_of_any_row_shows_nothing_of_what_the_reader_may_not_see(rows: Desk):  # A3
    foreign = rows.open_case(company=rows.other_company)
    own = rows.open_case()
    kind = ContentType.objects.get_for_model(Case).pk
    client = client_of(rows, "account_manager")

    def answer(row: object, of: object = kind) -> Any:
        return client.get(f"/admin/r/{of}/{row}/")

    assert (answer(own.pk).status_code, answer(own.pk).url) == (302, own.get_absolute_url())
    hidden = [answer(foreign.pk), answer(424242), answer("abc"), answer(own.pk, "abc"), answer(1, 424242)]
    assert {page.status_code for page in hidden} == {404}
    assert len({page.content for page in hidden}) == 1
