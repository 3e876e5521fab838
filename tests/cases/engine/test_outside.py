"""Every input from outside a case has it reckoned anew at once: input -> which sweeps, by the pages that change it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from cases.engine.outside import INPUTS
from cases.enums import Channel, Resolution, Status, WaitReason
from cases.followup.apply import follow_up
from cases.followup.panel import waiting_panel
from cases.models import Case
from cases.workflow import transitions
from contacts.models import CompanyClosureDay, RoleHolder, SupportLine, Technician, User
from escalations.models import ScheduleVersion
from escalations.schedule.versions import load_published_schedule
from tests.contacts.test_directory_pages import filled_in
from tests.support.builders import NOON, Desk, reload

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LATER = NOON + HOUR
QUIET = NOON + timedelta(days=300)
ESCALATION, FOLLOW_UP, SLA = "escalation_check_at", "follow_up_check_at", "sla_check_at"


def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", email="root@example.com"))
    return client


def saves(model: str, key: Callable[[Desk], int], **typed: Any) -> Callable[[Desk, Client], Any]:
    """The page of a row, saved with something changed."""

    def save(desk: Desk, client: Client) -> None:
        address = reverse(f"admin:contacts_{model}_change", args=[key(desk)])
        values = {name: value(desk) if callable(value) else value for name, value in typed.items()}
        sent = {name: value for name, value in (filled_in(client.get(address)) | values).items() if value is not None}
        answer = client.post(address, sent)
        assert answer.status_code == 302, answer.context_data["adminform"].form.errors

    return save


def deletes(model: str, key: Callable[[Desk], int]) -> Callable[[Desk, Client], Any]:
    return lambda desk, client: client.post(
        reverse(f"admin:contacts_{model}_delete", args=[key(desk)]), {"post": "yes"}
    )


def csm_row(desk: Desk) -> int:
    return RoleHolder.objects.get(role="csm").pk


def closes_a_day(desk: Desk, client: Client) -> None:
    saves(
        "company",
        lambda desk: desk.company.pk,
        **{
            "closure_days-TOTAL_FORMS": "1",
            "closure_days-0-day": "2026-06-05",
            "closure_days-0-company": lambda desk: desk.company.pk,
        },
    )(desk, client)
    assert CompanyClosureDay.objects.exists()


def opens_a_day_again(desk: Desk, client: Client) -> None:
    CompanyClosureDay.objects.create(company=desk.company, day=date(2026, 6, 5))
    saves("company", lambda desk: desk.company.pk, **{"closure_days-0-DELETE": "on"})(desk, client)
    assert not CompanyClosureDay.objects.exists()


def changes_the_hours(desk: Desk, client: Client) -> None:
    saves("supportcentre", lambda desk: desk.centre.pk, **{"spans-0-opens": "05:00"})(desk, client)


def goes_off_duty_in_the_list(desk: Desk, client: Client) -> None:
    address = reverse("admin:contacts_technician_changelist")
    rows = client.get(address).context_data["cl"].formset
    sent = {bound.html_name: bound.value() for form in rows.forms for bound in form if bound.name == "id"}
    management = {bound.html_name: bound.value() for bound in rows.management_form}
    client.post(address, sent | management | {"_save": "Save"})
    assert not Technician.objects.filter(on_duty=True).exists()


def goes_off_duty_by_the_switch(desk: Desk, client: Client) -> None:
    client.force_login(desk.technician)
    client.post(reverse("admin:contacts_technician_own_duty"), {"on_duty": "no"})


def replaces_the_contact(desk: Desk, client: Client) -> None:
    transitions.edit_details(
        Case.objects.get(company=desk.company).pk, desk.technician, LATER, changes={"contact": desk.end_user}
    )


COMPANY, CONTACT = (lambda desk: desk.company.pk), (lambda desk: desk.contact.pk)
OWNER = lambda desk: desk.technician.pk  # noqa: E731

#: What changes, and which sweeps look at the waiting case of Acme at once.
TABLE: dict[str, tuple[Callable[[Desk, Client], Any], set[str]]] = {
    "a company's time zone": (saves("company", COMPANY, time_zone="Asia/Tokyo"), {FOLLOW_UP, SLA}),
    "a company's country": (
        saves("company", COMPANY, country="JP", subdivision="", time_zone="Asia/Tokyo"),
        {FOLLOW_UP, SLA},
    ),
    "a company's subdivision": (saves("company", COMPANY, subdivision="BY"), {FOLLOW_UP, SLA}),
    "a company's account manager": (saves("company", COMPANY, account_manager=""), {FOLLOW_UP, SLA}),
    "a company made inactive": (saves("company", COMPANY, active=None), {FOLLOW_UP, SLA}),
    "a closure day added": (closes_a_day, {FOLLOW_UP, SLA}),
    "a closure day removed": (opens_a_day_again, {FOLLOW_UP, SLA}),
    "a contact's address": (saves("contact", CONTACT, email="new@acme.example.com"), {FOLLOW_UP, SLA}),
    "a contact's preferred means": (saves("contact", CONTACT, preferred_means="phone"), {FOLLOW_UP, SLA}),
    "a contact made inactive": (saves("contact", CONTACT, active=None), {FOLLOW_UP, SLA}),
    "the case's contact replaced": (replaces_the_contact, {FOLLOW_UP, SLA}),
    "another holder of a role": (saves("roleholder", csm_row, holder=lambda desk: desk.coo.pk), {FOLLOW_UP, SLA}),
    "a role without a holder": (deletes("roleholder", csm_row), {FOLLOW_UP, SLA}),
    "a holder of a role made inactive": (
        saves("user", lambda desk: desk.csm.pk, is_active=None),
        {ESCALATION, FOLLOW_UP, SLA},
    ),
    "the owner's address": (saves("user", OWNER, email="t@example.com"), {ESCALATION, FOLLOW_UP, SLA}),
    "the owner's level": (
        saves("technician", lambda desk: desk.technician.technician.pk, level="L3"),
        {ESCALATION, SLA},
    ),
    "off duty in the list": (goes_off_duty_in_the_list, {ESCALATION, SLA}),
    "off duty by the switch": (goes_off_duty_by_the_switch, {ESCALATION, SLA}),
    "a centre's time zone": (
        saves("supportcentre", lambda desk: desk.centre.pk, time_zone="Asia/Tokyo"),
        {ESCALATION, SLA},
    ),
    "a centre's hours": (changes_the_hours, {ESCALATION, SLA}),
    "the directory of another company": (saves("company", lambda desk: desk.other_company.pk, time_zone="UTC"), set()),
    "a contact of another company": (
        saves("contact", lambda desk: desk.other_company.contacts.first().pk, email="x@globex.example.com"),
        set(),
    ),
    "a support line": (
        lambda desk, client: client.post(
            reverse("admin:contacts_supportline_add"), {"name": "Japan", "country": "JP", "number": "1"}
        ),
        set(),
    ),
}


def waits(desk: Desk, now: datetime = NOON) -> Case:
    case = desk.open_case(now)
    return transitions.ask_customer(
        case.pk, desk.technician, now, question="?", reason=WaitReason.INFORMATION, send=False, channel=Channel.PHONE
    )


@pytest.mark.parametrize("name", TABLE)
def test_an_input_from_outside_has_the_right_sweeps_look_at_once(desk: Desk, name: str) -> None:  # E3
    change, expected = TABLE[name]
    case, closed = waits(desk), desk.open_case(NOON)
    transitions.resolve(closed.pk, desk.technician, NOON, resolution=Resolution.NOT_PURSUED)
    Case.objects.update(**dict.fromkeys((ESCALATION, FOLLOW_UP, SLA), QUIET))
    Case.objects.filter(pk=closed.pk).update(company=desk.other_company)
    with time_machine.travel(LATER, tick=False):
        change(desk, root())
    after = reload(case)
    assert {column for column in (ESCALATION, FOLLOW_UP, SLA) if getattr(after, column) == LATER} == expected
    assert {getattr(reload(closed), column) for column in (ESCALATION, FOLLOW_UP, SLA)} == {QUIET}


def test_the_table_names_every_model_of_the_directory(desk: Desk) -> None:  # E3
    """What belongs to a row is saved on its page; a support line is an input of texts only, a sign-in none."""
    belongs_to_a_row = {"OpeningSpan", "ClosureDay", "CompanyClosureDay"}
    models = {one.__name__ for one in apps.get_app_config("contacts").get_models() if "Historical" not in one.__name__}
    no_input = {SupportLine.__name__, "FailedSignIn", "Passkey", "SignInCode"}
    assert models == {one.__name__ for one in INPUTS} | belongs_to_a_row | no_input


def test_page_and_sweep_agree_after_a_company_has_been_corrected(desk: Desk) -> None:  # E3, F3
    case = waits(desk)
    follow_up(NOON)
    before = reload(case).follow_up_check_at
    with time_machine.travel(LATER, tick=False):
        saves("company", COMPANY, country="US", subdivision="PA", time_zone="America/New_York")(desk, root())
    follow_up(LATER)
    shown = waiting_panel(reload(case), desk.technician, LATER)
    assert shown is not None
    assert reload(case).follow_up_check_at == shown.context["next_attempt"].writes_at == before + 6 * HOUR


def test_after_a_change_of_settings_every_open_case_is_reckoned_anew_by_a_command(
    desk: Desk, capsys: Any
) -> None:  # E3
    case, working = waits(desk), desk.open_case(NOON)
    Case.objects.update(**dict.fromkeys((ESCALATION, FOLLOW_UP, SLA), QUIET))
    with time_machine.travel(LATER, tick=False):
        call_command("recheck")
    assert "2 open cases are reckoned anew." in capsys.readouterr().out
    assert [(reload(one).sla_check_at, reload(one).follow_up_check_at) for one in (case, working)] == [
        (LATER, LATER),
        (LATER, QUIET),
    ]


def test_cases_that_ran_without_a_schedule_get_it_when_there_is_one(desk: Desk) -> None:  # E3, E10
    ScheduleVersion.objects.all().delete()
    case = desk.open_case(NOON)
    Case.objects.update(escalation_check_at=None, sla_check_at=None)
    load_published_schedule(LATER)
    assert (reload(case).escalation_check_at, reload(case).sla_check_at) == (LATER, LATER)


def test_the_preferred_means_are_the_contacts_and_not_the_former_ones(desk: Desk) -> None:  # C1
    case = desk.open_case(NOON, preferred_means="chat")
    assert reload(case).status == Status.ASSIGNED
    transitions.edit_details(case.pk, desk.technician, LATER, changes={"contact": desk.end_user})
    assert reload(case).preferred_means == "email"
    changes = {"contact": desk.contact, "preferred_means": "phone"}
    transitions.edit_details(case.pk, desk.technician, LATER, changes=changes)
    assert reload(case).preferred_means == "phone"
