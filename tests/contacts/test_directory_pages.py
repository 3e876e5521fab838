"""The directory in the admin: who sees it, who changes it (A1, A2), and what it says to bad input (S4)."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from contacts.enums import Role
from contacts.models import Company, RoleHolder, SupportLine, Technician, User
from tests.support.builders import Desk, build_user
from tests.support.pages import signed_in

pytestmark = pytest.mark.django_db

PAGES = ["user", "technician", "supportcentre", "roleholder", "supportline", "company", "contact"]
OF_COMPANIES = {"company", "contact"}


@pytest.fixture
def desk(desk: Desk) -> Desk:
    SupportLine.objects.create(name="International", number="(215) 664-1615")
    return desk


def page(model: str, *args: object, of: str = "changelist") -> str:
    return reverse(f"admin:contacts_{model}_{of}", args=args)


def filled_in(answer: HttpResponse) -> dict[str, str]:
    """What a browser would send back of the page's forms, untouched."""
    context = answer.context_data  # type: ignore[attr-defined]
    forms = [context["adminform"].form]
    for formset in context["inline_admin_formsets"]:
        forms += [formset.formset.management_form, *formset.formset.forms]
    sent: dict[str, str] = {}
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is not None and value is not False:
                sent[bound.html_name] = value
    return sent


def errors_of(answer: HttpResponse) -> list[str]:
    """Every sentence that the page's form says about what is wrong."""
    form = answer.context_data["adminform"].form  # type: ignore[attr-defined]
    return [sentence for sentences in form.errors.values() for sentence in sentences]


def first_of(model: str) -> int:
    """The oldest row of a model of the directory."""
    return apps.get_model("contacts", model).objects.order_by("pk").values_list("pk", flat=True)[0]


# --- who may do what (A1) ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", PAGES)
@pytest.mark.parametrize(
    ("who", "sees", "edits"),
    [
        ("technician", True, False),
        ("l3", True, False),
        ("manager", True, True),
        ("csm", True, False),
        ("director", True, False),
        ("coo", True, False),
        ("account_manager", None, False),
        ("customer_engineer", None, False),
    ],
)
def test_each_role_sees_and_edits_what_a1_says(
    desk: Desk, model: str, who: str, sees: bool | None, edits: bool
) -> None:
    client = signed_in(getattr(desk, who))
    may_see = model in {*OF_COMPANIES, "supportline"} if sees is None else sees  # D4: all staff read the lines
    assert client.get(page(model)).status_code == (200 if may_see else 403)
    one = page(model, first_of(model), of="change")
    assert client.get(one).status_code == (200 if may_see else 403)
    assert client.get(page(model, of="add")).status_code == (200 if edits else 403)
    assert client.post(page(model, of="add"), {}).status_code == (200 if edits else 403)
    if not edits:
        assert client.post(one, {"name": "changed"}).status_code == 403


@pytest.mark.parametrize("model", PAGES)
def test_somebody_without_a_role_sees_nothing_of_the_directory(desk: Desk, model: str) -> None:
    client = signed_in(build_user("", "temp"))
    assert client.get(page(model)).status_code == 403
    assert client.get(page(model, first_of(model), of="change")).status_code == 403


@pytest.mark.parametrize("model", ["user", "supportcentre", "company", "contact"])
def test_what_cases_and_people_refer_to_is_deleted_by_nobody(desk: Desk, model: str) -> None:
    root = User.objects.create_superuser("root", password="secret", email="root@example.com")
    for user in (desk.manager, root):
        answer = signed_in(user).post(page(model, first_of(model), of="delete"), {"post": "yes"})
        assert answer.status_code == 403
    assert first_of(model)


@pytest.mark.parametrize("who", ["account_manager", "customer_engineer"])
def test_an_account_manager_and_an_engineer_find_their_own_companies_only(desk: Desk, who: str) -> None:
    client = signed_in(getattr(desk, who))
    listed = client.get(page("company")).content.decode()
    assert "Acme" in listed
    assert "Globex" not in listed
    people = client.get(page("contact")).content.decode()
    assert "Help desk of Acme" in people
    assert "Globex" not in people


def test_a_foreign_company_is_not_found_wherever_it_is_looked_for(desk: Desk) -> None:
    client = signed_in(desk.account_manager)
    foreign, person = desk.other_company, desk.other_company.contacts.first()
    version = foreign.history.first().history_id
    for address in (
        page("company", foreign.pk, of="change"),
        page("company", foreign.pk, of="history"),
        page("company", foreign.pk, version, of="simple_history"),
        page("contact", person.pk, of="change"),
        page("contact", person.pk, of="history"),
    ):
        assert client.get(address).status_code == 404, address
    suggested = client.get(
        reverse("admin:autocomplete"),
        {"term": "", "app_label": "contacts", "model_name": "contact", "field_name": "company"},
    )
    assert "Globex" not in suggested.content.decode()


def test_groups_are_not_offered_as_a_second_source_of_rights() -> None:
    assert not admin.site.is_registered(Group)


# --- staff ------------------------------------------------------------------------------------------------------


def test_a_support_manager_cannot_make_anybody_a_superuser(desk: Desk) -> None:
    client = signed_in(desk.manager)
    for user in (desk.manager, desk.technician):
        address = page("user", user.pk, of="change")
        sent = filled_in(client.get(address)) | {"is_superuser": "on", "phone": "1"}
        assert client.post(address, sent).status_code == 302
        user.refresh_from_db()
        assert (user.is_superuser, user.phone) == (False, "1")


def test_a_superuser_may(desk: Desk) -> None:
    root = User.objects.create_superuser("root", password="secret", email="root@example.com")
    client = signed_in(root)
    address = page("user", desk.technician.pk, of="change")
    client.post(address, filled_in(client.get(address)) | {"is_superuser": "on"})
    desk.technician.refresh_from_db()
    assert desk.technician.is_superuser


def test_a_support_manager_changes_neither_address_nor_password_of_a_superuser(desk: Desk) -> None:
    root = User.objects.create_superuser("root", password="secret", email="root@example.com")
    client = signed_in(desk.manager)
    assert client.post(page("user", root.pk, of="change"), {"email": "mine@example.com"}).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[root.pk])
    assert client.get(password).status_code == 403
    assert client.post(password, {"password1": "x9-long-enough", "password2": "x9-long-enough"}).status_code == 403
    root.refresh_from_db()
    assert root.email == "root@example.com"
    assert root.check_password("secret")


def test_new_staff_can_sign_in_and_have_a_role(desk: Desk) -> None:
    client = signed_in(User.objects.create_superuser("root", password="secret", email="root@example.com"))
    sent = filled_in(client.get(page("user", of="add"))) | {
        "username": "nina",
        "password1": "x9-long-enough",
        "password2": "x9-long-enough",
        "usable_password": "true",
        "role": Role.TECHNICIAN.value,
    }
    assert client.post(page("user", of="add"), sent).status_code == 302
    nina = User.objects.get(username="nina")
    assert (nina.is_staff, nina.role, nina.is_superuser) == (True, Role.TECHNICIAN, False)


def test_a_reader_of_the_staff_list_is_shown_no_password_box(desk: Desk) -> None:
    shown = signed_in(desk.technician).get(page("user", desk.manager.pk, of="change")).content.decode()
    assert "algorithm" not in shown
    assert "salt" not in shown


# --- technicians ------------------------------------------------------------------------------------------------


def test_languages_are_boxes_and_keep_their_codes(desk: Desk) -> None:
    client = signed_in(desk.manager)
    technician = desk.technician.technician
    address = page("technician", technician.pk, of="change")
    client.post(address, filled_in(client.get(address)) | {"languages": ["en", "ja"]})
    technician.refresh_from_db()
    assert technician.languages == ["en", "ja"]
    assert technician.history.first().history_user == desk.manager


def test_the_list_switches_duty_for_the_manager_and_for_nobody_else(desk: Desk) -> None:
    pks = list(Technician.objects.order_by("user__first_name", "user__last_name").values_list("pk", flat=True))
    sent = {"form-TOTAL_FORMS": len(pks), "form-INITIAL_FORMS": len(pks), "_save": "Save"}
    sent |= {f"form-{number}-id": pk for number, pk in enumerate(pks)}
    assert signed_in(desk.technician).post(page("technician"), sent).status_code == 403
    assert Technician.objects.filter(on_duty=True).count() == 2
    assert signed_in(desk.manager).post(page("technician"), sent).status_code == 302
    assert Technician.objects.filter(on_duty=True).count() == 0


def test_a_technician_switches_their_own_duty_by_post_only(desk: Desk) -> None:
    client = signed_in(desk.technician)
    switch = reverse("admin:contacts_technician_own_duty")
    assert client.get(switch).status_code == 405
    assert Technician.objects.get(user=desk.technician).on_duty
    for _ in range(2):  # pressing twice is pressing once
        assert client.post(switch, {"on_duty": "no"}).status_code == 302
        assert not Technician.objects.get(user=desk.technician).on_duty
    assert Technician.objects.get(user=desk.l3).on_duty
    client.post(switch, {"on_duty": "yes"})
    assert Technician.objects.get(user=desk.technician).on_duty


@pytest.mark.parametrize("who", ["account_manager", "coo", "customer_engineer"])
def test_who_is_no_technician_has_no_duty_to_switch(desk: Desk, who: str) -> None:
    switch = reverse("admin:contacts_technician_own_duty")
    assert signed_in(getattr(desk, who)).post(switch, {"on_duty": "no"}).status_code == 403


def test_the_switch_needs_the_form_it_came_from(desk: Desk) -> None:  # A2: CSRF
    client = Client(enforce_csrf_checks=True)
    client.force_login(desk.technician)
    assert client.post(reverse("admin:contacts_technician_own_duty"), {"on_duty": "no"}).status_code == 403


# --- bad input (S4) ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"country": "XX"}, "No calendar of public holidays is known for the country “XX”"),
        ({"time_zone": "Berlin"}, "“Berlin” is not a time zone; write one like Europe/Berlin"),
        ({"subdivision": "ZZ"}, "The calendar of DE has no subdivision “ZZ”"),
    ],
)
def test_an_unknown_place_gets_one_sentence_and_nothing_typed_is_lost(desk: Desk, typed: dict, said: str) -> None:
    client = signed_in(desk.manager)
    address = page("company", desk.company.pk, of="change")
    answer = client.post(address, filled_in(client.get(address)) | {"name": "Acme Renamed"} | typed)
    (sentence,) = errors_of(answer)
    assert sentence.startswith(said)
    assert "Acme Renamed" in answer.content.decode()
    assert Company.objects.get(pk=desk.company.pk).name == "Acme"


def test_a_country_may_be_typed_in_small_letters(desk: Desk) -> None:
    client = signed_in(desk.manager)
    address = page("company", desk.company.pk, of="change")
    assert client.post(address, filled_in(client.get(address)) | {"country": "fr"}).status_code == 302
    assert Company.objects.get(pk=desk.company.pk).country == "FR"


def test_a_second_general_holder_of_a_role_is_refused_by_name(desk: Desk) -> None:  # D4
    answer = signed_in(desk.manager).post(page("roleholder", of="add"), {"role": "coo", "holder": desk.csm.pk})
    assert errors_of(answer) == ["Chief operating officer for every centre is listed already (coo); change that entry."]


def test_a_centre_may_have_a_holder_of_its_own(desk: Desk) -> None:  # D4
    sent = {"role": "coo", "holder": desk.csm.pk, "centre": desk.centre.pk}
    assert signed_in(desk.manager).post(page("roleholder", of="add"), sent).status_code == 302
    assert RoleHolder.objects.filter(role="coo").count() == 2


# --- coverage, problems, history ----------------------------------------------------------------------------------


def test_the_hours_in_which_nobody_is_open_are_told(desk: Desk, time_machine) -> None:  # D1
    time_machine.move_to("2026-06-03 12:00Z")
    desk.centre.spans.filter(weekday=6).delete()
    for address in (page("supportcentre"), page("supportcentre", desk.centre.pk, of="change")):
        shown = signed_in(desk.technician).get(address).content.decode()
        # Sunday in London, in summer, for a reader in UTC
        assert "From Sat 6 Jun, 23:00 to Sun 7 Jun, 23:00 nobody is open." in shown


def test_full_coverage_is_told_as_well(desk: Desk) -> None:  # D1
    assert "somebody is open at every hour" in signed_in(desk.manager).get(page("supportcentre")).content.decode()


@pytest.mark.parametrize(
    ("now", "open_now", "japanese"),
    [
        ("2026-06-03 12:00Z", "London.", "opens Thu 4 June 2026, 09:00 (Tokyo, UTC+09:00)"),
        ("2026-06-04 01:00Z", "London.", "is open now"),
        ("2026-06-07 12:00Z", "no centre.", "opens Mon 8 June 2026, 09:00 (Tokyo, UTC+09:00)"),  # a Sunday
    ],
)
def test_it_says_who_is_in_their_business_day_and_when_japanese_support_opens(
    desk: Desk, time_machine, now: str, open_now: str, japanese: str
) -> None:  # D1, D2
    time_machine.move_to(now)
    desk.centre.spans.filter(weekday=6).delete()
    shown = signed_in(desk.technician).get(page("supportcentre")).content.decode()
    assert f"In their business day now: {open_now} Native Japanese support {japanese}." in shown


def test_the_role_list_says_what_would_go_to_the_fallback(desk: Desk) -> None:  # D5
    RoleHolder.objects.filter(role=Role.COO).update(holder=None)
    shown = signed_in(desk.manager).get(page("roleholder")).content.decode()
    assert "Chief operating officer: nobody holds it; messages go to the fallback." in shown


def test_a_version_of_the_past_is_read_and_never_written_back(desk: Desk) -> None:  # C5
    version = desk.company.history.first().history_id
    Company.objects.filter(pk=desk.company.pk).update(name="Acme Today")
    client = signed_in(desk.manager)
    address = page("company", desk.company.pk, version, of="simple_history")
    shown = client.get(address)
    assert shown.status_code == 200
    assert client.post(address, {"name": "Acme", "_save": "Revert"}).status_code == 405
    assert Company.objects.get(pk=desk.company.pk).name == "Acme Today"


@pytest.mark.parametrize("model", PAGES)
def test_looking_at_the_directory_changes_nothing(desk: Desk, model: str) -> None:
    client = signed_in(desk.manager)
    writes: list[str] = []

    def watch(execute, sql, params, many, context):
        if re.match(r"\s*(INSERT|UPDATE|DELETE)", sql, re.IGNORECASE):
            writes.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        client.get(page(model))
        client.get(page(model, first_of(model), of="change"))
        client.get(page(model, first_of(model), of="history"))
    assert writes == []
