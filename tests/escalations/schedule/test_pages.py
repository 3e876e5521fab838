"""The schedule, the ledger and the clock of a case in the admin (E1 to E6, E10, A1, A2)."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.forms import BoundField
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from cases.enums import AgreedBy, Resolution, Severity, WaitReason
from cases.models import Case
from cases.panels import Panel
from cases.workflow import transitions
from contacts.models import Company, User
from contacts.wording import NotADuration, duration, read_duration
from escalations.models import ClockRule, Escalation, SchedulePoint, ScheduleVersion
from escalations.points.apply import escalate
from escalations.points.panel import ClockSummary, escalation_panel
from escalations.policy.schedule import BASE_INTERVAL, PUBLISHED
from escalations.schedule.versions import draft_next_version, put_in_force, review_key
from escalations.sla.panel import promises_panel
from tests.support.builders import NOON, Desk
from tests.support.pages import panel_of, signed_in

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DRAFT = "admin:escalations_scheduleversion_draft"
PUT_IN_FORCE = "admin:escalations_scheduleversion_put_in_force"
REVIEW = "admin:escalations_scheduleversion_review"


def page_of(version: ScheduleVersion) -> str:
    return reverse("admin:escalations_scheduleversion_change", args=[version.pk])


def confirm(client: Client, version: ScheduleVersion, reason: str = "The new contract", **options: Any) -> Any:
    """Confirm what the review shows now."""
    seen = client.get(reverse(REVIEW, args=[version.pk])).context_data["form"]["seen"].value()
    return client.post(reverse(PUT_IN_FORCE, args=[version.pk]), {"seen": seen, "reason": reason}, **options)


def filled_in(answer: HttpResponse) -> dict[str, object]:
    """What a browser would send back of a draft's page, untouched."""
    context = answer.context_data  # type: ignore[attr-defined]
    forms = [context["adminform"].form]
    for formset in context["inline_admin_formsets"]:
        forms += [formset.formset.management_form, *formset.formset.forms]
    values = {bound.html_name: _typed(bound) for form in forms for bound in form}
    return {name: value for name, value in values.items() if value not in (None, "") and value is not False}


def _typed(bound: BoundField) -> object:
    prepare = getattr(bound.field, "prepare_value", lambda value: value)
    return prepare(bound.value())


def row_of(sent: dict[str, object], version: ScheduleVersion, severity: Severity, number: int) -> str:
    """The prefix of a point's fields on the page."""
    pk = version.points.get(severity=severity, number=number).pk
    return next(name for name, value in sent.items() if name.endswith("-id") and value == pk).removesuffix("-id")


def clock_of(sent: dict[str, object], version: ScheduleVersion, severity: str) -> str:
    """The prefix of the fields of a severity as a whole."""
    pk = ClockRule.objects.get(version=version, severity=severity).pk
    rows = [name for name, value in sent.items() if name.startswith("clock_rules") and value == pk]
    return next(name for name in rows if name.endswith("-id")).removesuffix("-id")


# --- durations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant", "said"),
    [
        ("4 h", 4 * HOUR, "4 h"),
        ("90 min", 1.5 * HOUR, "1 h 30 min"),
        ("2 d 12 h", 60 * HOUR, "2 d 12 h"),
        ("2d12h", 60 * HOUR, "2 d 12 h"),
        ("1 Day", 24 * HOUR, "24 h"),
        ("36 hours", 36 * HOUR, "36 h"),
        ("15 d", 360 * HOUR, "15 d"),
    ],
)
def test_a_duration_is_written_as_people_write_it(typed: str, meant: timedelta, said: str) -> None:
    assert read_duration(typed) == meant
    assert duration(meant) == said
    assert read_duration(said) == meant


@pytest.mark.parametrize("typed", ["", "4", "four h", "4 weeks", "4 h 3 h", "-4 h", "4.5 h", "99999 d", "4 h later"])
def test_what_is_no_duration_is_refused_in_a_sentence(typed: str) -> None:
    with pytest.raises(NotADuration, match=r"write one like 4 h, 2 d 12 h or 90 min|give a shorter time"):
        read_duration(typed)


# --- who may do what --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "reads"),
    [
        ("technician", True),
        ("l3", True),
        ("manager", True),
        ("csm", True),
        ("director", True),
        ("coo", True),
        ("account_manager", False),
        ("customer_engineer", False),
    ],
)
def test_staff_read_the_schedule_and_the_support_manager_drafts_it(desk: Desk, who: str, reads: bool) -> None:
    client = signed_in(getattr(desk, who))
    edits = who == "manager"
    for address in (reverse("admin:escalations_scheduleversion_changelist"), page_of(desk.schedule)):
        assert client.get(address).status_code == (200 if reads else 403)
        assert ("Draft the next version" in client.get(address).content.decode()) == edits
    assert client.post(reverse(DRAFT)).status_code == (302 if edits else 403)
    draft = ScheduleVersion.objects.filter(in_force_from=None).first() or draft_next_version(desk.manager)
    SchedulePoint.objects.filter(version=draft, severity="critical", number=1).update(after=3 * HOUR)
    assert client.get(reverse(REVIEW, args=[draft.pk])).status_code == (200 if edits else 403)
    sent = {"seen": review_key(draft, desk.schedule), "reason": "The new contract"}
    assert client.post(reverse(PUT_IN_FORCE, args=[draft.pk]), sent).status_code == (302 if edits else 403)
    draft.refresh_from_db()
    assert draft.is_draft != edits


def test_looking_drafts_nothing_and_puts_nothing_in_force(desk: Desk) -> None:  # A2
    client = signed_in(desk.manager)
    draft = draft_next_version(desk.manager)
    assert client.get(reverse(DRAFT)).status_code == 405
    assert client.get(reverse(PUT_IN_FORCE, args=[draft.pk])).status_code == 405
    assert client.post(reverse(REVIEW, args=[draft.pk])).status_code == 405
    client.get(page_of(draft))
    client.get(reverse(REVIEW, args=[draft.pk]))
    draft.refresh_from_db()
    assert draft.is_draft
    assert ScheduleVersion.objects.count() == 2


def test_the_moves_need_the_form_they_came_from(desk: Desk) -> None:  # A2: CSRF
    client = Client(enforce_csrf_checks=True)
    client.force_login(desk.manager)
    assert client.post(reverse(DRAFT)).status_code == 403
    assert ScheduleVersion.objects.count() == 1


def test_a_version_that_there_is_not_is_not_found(desk: Desk) -> None:
    assert signed_in(desk.manager).post(reverse(PUT_IN_FORCE, args=[99])).status_code == 404


# --- the table and the draft ------------------------------------------------------------------------------------


def test_a_version_in_force_is_shown_as_the_table_of_the_guide(desk: Desk) -> None:  # E1
    table = signed_in(desk.technician).get(page_of(desk.schedule)).context_data["table"]
    critical, high, medium, low = (group["points"] for group in table)
    assert critical[0] == {
        "number": 1,
        "after": "4 h",
        "mailed": "CSM, Account manager",
        "owner": "Ownership goes to L3",
        "cadence": "Customer, Account manager every 2 h",
        "may_need_more": False,
    }
    assert [row["after"] for row in high] == ["12 h", "36 h", "2 d"]
    assert medium[1]["cadence"] == "Customer every 8 h; Account manager every 24 h"
    assert medium[2]["mailed"] == "nobody new"
    assert low == []


def test_a_version_says_how_often_the_customer_is_updated_before_any_point(desk: Desk) -> None:  # T2, T3
    ClockRule.objects.filter(version=desk.schedule, severity="medium").update(automatic_updates=False)
    answer = signed_in(desk.technician).get(page_of(desk.schedule))
    told = {group["severity"].value: (group["base"], group["automatic"]) for group in answer.context_data["table"]}
    assert told == {"critical": ("2 h", True), "high": ("4 h", True), "medium": ("8 h", False), "low": ("24 h", True)}
    shown = answer.content.decode()
    assert "Customer every 24 h" in shown
    assert shown.count("not sent by the desk itself") == 1


@pytest.mark.parametrize("who", ["manager", "root"])
def test_a_version_in_force_is_not_changed_at_its_endpoint_either(desk: Desk, who: str) -> None:  # E10
    root = User.objects.create_superuser("root", password="secret", email="root@example.com")
    client = signed_in(desk.manager if who == "manager" else root)
    point = desk.schedule.points.get(severity="critical", number=1)
    sent = {
        "note": "changed",
        "points-TOTAL_FORMS": 1,
        "points-INITIAL_FORMS": 1,
        "points-0-id": point.pk,
        "points-0-version": desk.schedule.pk,
        "points-0-severity": "critical",
        "points-0-number": 1,
        "points-0-after": "99 h",
        "points-0-owner_action": "asked",
    }
    assert client.post(page_of(desk.schedule), sent).status_code == 403
    delete = reverse("admin:escalations_scheduleversion_delete", args=[desk.schedule.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    point.refresh_from_db()
    assert point.after == 4 * HOUR
    assert ScheduleVersion.objects.get().note != "changed"


def test_a_draft_is_a_copy_that_can_be_saved_unchanged(desk: Desk) -> None:
    client = signed_in(desk.manager)
    client.post(reverse(DRAFT))
    draft = ScheduleVersion.objects.get(in_force_from=None)
    answer = client.post(page_of(draft), filled_in(client.get(page_of(draft))))
    assert answer.status_code == 302
    assert draft.as_schedule().points == PUBLISHED.points


def test_pressing_draft_twice_drafts_once(desk: Desk) -> None:
    client = signed_in(desk.manager)
    client.post(reverse(DRAFT))
    client.post(reverse(DRAFT))
    assert ScheduleVersion.objects.filter(in_force_from=None).count() == 1


def test_everything_of_a_point_can_be_written_in_a_draft(desk: Desk) -> None:  # E10
    client, draft = signed_in(desk.manager), draft_next_version(desk.manager)
    sent = filled_in(client.get(page_of(draft)))
    row = row_of(sent, draft, Severity.MEDIUM, 1)
    sent |= {
        f"{row}-after": "2 d 12 h",
        f"{row}-mailed": ["coo", "support_manager"],
        f"{row}-owner_action": "to_l3",
        f"{row}-every_customer": "90 min",
        f"{row}-every_account_manager": "1 d",
        f"{row}-may_need_more": "on",
    }
    assert client.post(page_of(draft), sent).status_code == 302
    point = draft.points.get(severity="medium", number=1)
    assert (point.after, point.mailed, point.owner_action) == (60 * HOUR, ["coo", "support_manager"], "to_l3")
    assert (point.cadence, point.may_need_more) == ({"customer": 90, "account_manager": 1440}, True)
    assert draft.points.count() == 9


def test_a_clock_can_be_told_to_go_on_in_a_wait(desk: Desk) -> None:  # E2
    client, draft = signed_in(desk.manager), draft_next_version(desk.manager)
    sent = filled_in(client.get(page_of(draft)))
    del sent[f"{clock_of(sent, draft, 'low')}-stands_still_while_waiting"]
    assert client.post(page_of(draft), sent).status_code == 302
    assert draft.as_schedule().stands_still == frozenset(Severity) - {Severity.LOW}


def test_the_base_interval_and_the_desks_own_updates_are_written_in_a_draft(desk: Desk) -> None:  # T2, T3, E10
    client, draft = signed_in(desk.manager), draft_next_version(desk.manager)
    sent = filled_in(client.get(page_of(draft)))
    row = clock_of(sent, draft, "high")
    sent[f"{row}-base_interval"] = "90 min"
    del sent[f"{row}-automatic_updates"]
    assert client.post(page_of(draft), sent).status_code == 302
    schedule = draft.as_schedule()
    assert schedule.base_interval == BASE_INTERVAL | {Severity.HIGH: 1.5 * HOUR}
    assert schedule.automatic_updates == frozenset(Severity) - {Severity.HIGH}
    assert schedule.stands_still == frozenset(Severity)


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "High, customer updated every: say how often the customer is updated before any point, like 4 h."),
        ("0 min", "High, customer updated every: give 10 min or more."),
        ("9 min", "High, customer updated every: give 10 min or more."),
        (
            "soon",
            "High, customer updated every: “soon” is not a duration; write one like 4 h, 2 d 12 h or 90 min.",
        ),
    ],
)
def test_a_wrong_base_interval_is_refused_by_name(desk: Desk, typed: str, said: str) -> None:  # E10, S4
    client, draft = signed_in(desk.manager), draft_next_version(desk.manager)
    sent = filled_in(client.get(page_of(draft)))
    sent[f"{clock_of(sent, draft, 'high')}-base_interval"] = typed
    answer = client.post(page_of(draft), sent | {"note": "Kept as typed"})
    assert answer.status_code == 200
    assert [sentence for sentences in answer.context_data["errors"] for sentence in sentences] == [said]
    assert "Kept as typed" in answer.content.decode()
    assert draft.as_schedule().base_interval == BASE_INTERVAL


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        (
            "after",
            "soon",
            "Critical 2, unresolved for: “soon” is not a duration; write one like 4 h, 2 d 12 h or 90 min.",
        ),
        (
            "after",
            "0 h",
            "Critical 2, unresolved for: a point must come some time after the opening; give a time above zero.",
        ),
        ("after", "", "Critical 2, unresolved for: give a time, like 4 h."),
        ("every_customer", "0 min", "Critical 2, Customer every: give 10 min or more, or leave it empty."),
        ("every_customer", "9 min", "Critical 2, Customer every: give 10 min or more, or leave it empty."),
        (
            "every_coo",
            "often",
            "Critical 2, COO every: “often” is not a duration; write one like 4 h, 2 d 12 h or 90 min.",
        ),
        ("after", "4 h", "Critical 2 comes no later than Critical 1; give it a longer time."),
        ("after", "30 h", "Critical 3 comes no later than Critical 2; give it a longer time."),
        ("number", "5", "The points of Critical are numbered 1, 3, 5; number them 1 to 3 without a gap."),
        ("number", "3", "The points of Critical are numbered 1, 3, 3; number them 1 to 3 without a gap."),
    ],
)
def test_a_wrong_entry_gets_one_sentence_and_nothing_typed_is_lost(  # S4
    desk: Desk, field: str, typed: str, said: str
) -> None:
    client, draft = signed_in(desk.manager), draft_next_version(desk.manager)
    sent = filled_in(client.get(page_of(draft)))
    row = row_of(sent, draft, Severity.CRITICAL, 2)
    answer = client.post(page_of(draft), sent | {f"{row}-{field}": typed, "note": "Kept as typed"})
    assert answer.status_code == 200
    shown = answer.content.decode()
    assert said in unescape(shown)
    assert not typed or f'value="{typed}"' in shown
    assert "Kept as typed" in shown
    assert draft.as_schedule().points == PUBLISHED.points


def test_points_may_change_places_in_one_save(desk: Desk) -> None:  # E10: a point stands once in a version
    client, draft = signed_in(desk.manager), draft_next_version(desk.manager)
    sent = filled_in(client.get(page_of(draft)))
    first, second = (row_of(sent, draft, Severity.HIGH, number) for number in (1, 2))
    sent |= {f"{first}-number": 2, f"{first}-after": "40 h", f"{second}-number": 1, f"{second}-after": "10 h"}
    assert client.post(page_of(draft), sent).status_code == 302
    points = draft.points.filter(severity="high").order_by("number").values_list("after", "owner_action")
    assert list(points) == [(10 * HOUR, "to_l3"), (40 * HOUR, "asked"), (48 * HOUR, "asked")]


def test_a_point_may_be_taken_out_and_the_later_ones_close_the_gap(desk: Desk) -> None:  # E10
    client, draft = signed_in(desk.manager), draft_next_version(desk.manager)
    sent = filled_in(client.get(page_of(draft)))
    first, second, third = (row_of(sent, draft, Severity.HIGH, number) for number in (1, 2, 3))
    sent[f"{second}-DELETE"] = "on"
    answer = client.post(page_of(draft), sent)
    assert "The points of High are numbered 1, 3; number them 1 to 2 without a gap." in unescape(
        answer.content.decode()
    )
    sent |= {f"{third}-number": 1, f"{third}-after": "2 h", f"{first}-number": 2}
    assert client.post(page_of(draft), sent).status_code == 302
    points = draft.points.filter(severity="high").order_by("number").values_list("number", "after")
    assert list(points) == [(1, 2 * HOUR), (2, 12 * HOUR)]


def test_a_draft_without_points_is_not_saved(desk: Desk) -> None:  # E10
    client, draft = signed_in(desk.manager), draft_next_version(desk.manager)
    sent = filled_in(client.get(page_of(draft)))
    sent |= {name.replace("-id", "-DELETE"): "on" for name in sent if name.startswith("points") and "-id" in name}
    answer = client.post(page_of(draft), sent)
    assert "A schedule needs at least one point; add one." in answer.content.decode()
    assert draft.points.count() == 9


def test_a_version_that_changes_nothing_is_not_put_in_force(desk: Desk) -> None:  # E10
    client, draft = signed_in(desk.manager), draft_next_version(desk.manager)
    sent = filled_in(client.get(page_of(draft)))
    sent[f"{row_of(sent, draft, Severity.CRITICAL, 1)}-mailed"] = ["account_manager", "csm"]  # in another order
    client.post(page_of(draft), sent | {"note": "Nothing new"})
    said = "Version 2 says the same as version 1, which is in force; change something first, or delete the draft."
    shown = client.get(reverse(REVIEW, args=[draft.pk])).content.decode()
    assert said in shown
    assert "Put version 2 in force</button>" not in shown
    answer = confirm(client, draft)
    assert answer.status_code == 409
    assert answer.context_data["sentence"] == said
    assert ScheduleVersion.objects.get(pk=draft.pk).is_draft


@pytest.mark.parametrize("changed", [{"base_interval": HOUR}, {"automatic_updates": False}])
def test_a_change_of_a_severity_as_a_whole_is_a_change(desk: Desk, changed: dict[str, object]) -> None:  # T2, T3
    draft = draft_next_version(desk.manager)
    ClockRule.objects.filter(version=draft, severity="low").update(**changed)
    assert not put_in_force(draft.pk, desk.manager, NOON, reason="The new contract").is_draft


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"mailed": ["csm", "pope"]}, "Critical 1: Unknown role pope; choose from"),
        ({"cadence": {"press": 60}}, "Critical 1: Unknown audience “press”; choose from"),
        ({"cadence": {"customer": 9}}, "Critical 1 sends Customer updates every 9 min; give 10 min or more."),
    ],
)
def test_what_no_form_would_write_is_refused_by_name_as_well(  # E10
    desk: Desk, wrong: dict[str, object], said: str
) -> None:
    client, draft = signed_in(desk.manager), draft_next_version(desk.manager)
    SchedulePoint.objects.filter(version=draft, severity="critical", number=1).update(**wrong)
    page = client.get(page_of(draft))
    assert page.status_code == 200
    assert any(sentence.startswith(said) for sentence in page.context_data["schedule_problems"])
    assert said in unescape(client.get(reverse(REVIEW, args=[draft.pk])).content.decode())
    answer = confirm(client, draft)
    assert answer.status_code == 409
    assert answer.context_data["sentence"].startswith(said)
    assert ScheduleVersion.objects.get(pk=draft.pk).is_draft


def test_a_role_that_nobody_holds_is_a_warning_that_names_who_gets_its_mail(desk: Desk) -> None:  # D5, E10
    User.objects.filter(pk=desk.coo.pk).update(is_active=False)
    Company.objects.filter(pk=desk.other_company.pk).update(account_manager=None)
    client, draft = signed_in(desk.manager), draft_next_version(desk.manager)
    SchedulePoint.objects.filter(version=draft, severity="high", number=1).update(after=10 * HOUR)
    warnings = client.get(page_of(draft)).context_data["schedule_warnings"]
    assert warnings == [
        "Critical 3 writes to the Chief operating officer, and nobody who can be written to holds that role for the "
        "whole desk: support_manager would get it instead. Name a holder under Management roles.",
        "Critical 1, Critical 3, High 1, High 2, High 3, Medium 1, Medium 2 and Medium 3 write to the account manager, "
        "and Globex has none who can be written to: support_manager would get it instead. "
        "Name one on the page of the company.",
    ]
    assert client.get(reverse(REVIEW, args=[draft.pk])).context_data["warnings"] == warnings
    confirm(client, draft)
    assert not ScheduleVersion.objects.get(pk=draft.pk).is_draft


def test_a_desk_where_every_role_is_held_gets_no_warning(desk: Desk) -> None:  # D5
    draft = draft_next_version(desk.manager)
    assert signed_in(desk.manager).get(page_of(draft)).context_data["schedule_warnings"] == []


def test_a_draft_whose_times_do_not_rise_is_not_put_in_force_and_stays(desk: Desk) -> None:  # E10
    client, draft = signed_in(desk.manager), draft_next_version(desk.manager)
    SchedulePoint.objects.filter(version=draft, severity="high", number=2).update(after=HOUR)
    said = "High 2 comes no later than High 1; give it a longer time."
    answer = confirm(client, draft, "Kept as typed")
    assert (answer.status_code, answer.context_data["sentence"]) == (409, said)
    assert 'value="Kept as typed"' in answer.content.decode()
    draft.refresh_from_db()
    assert draft.is_draft
    assert draft.points.get(severity="high", number=2).after == HOUR


def test_a_good_draft_is_in_force_from_then_on(desk: Desk, time_machine) -> None:  # E10
    time_machine.move_to(NOON, tick=False)
    client, draft = signed_in(desk.manager), draft_next_version(desk.manager)
    SchedulePoint.objects.filter(version=draft, severity="high", number=1).update(after=10 * HOUR)
    confirm(client, draft)
    draft.refresh_from_db()
    assert (draft.in_force_from, draft.put_in_force_by) == (NOON, desk.manager)
    rows = client.get(reverse("admin:escalations_scheduleversion_changelist")).context_data["cl"].result_list
    page = admin.site.get_model_admin(ScheduleVersion)
    assert [page.state(row) for row in rows] == ["In force", "Earlier"]


def test_a_draft_may_be_thrown_away(desk: Desk) -> None:
    draft = draft_next_version(desk.manager)
    delete = reverse("admin:escalations_scheduleversion_delete", args=[draft.pk])
    assert signed_in(desk.manager).post(delete, {"post": "yes"}).status_code == 302
    assert ScheduleVersion.objects.get() == desk.schedule


# --- the ledger -------------------------------------------------------------------------------------------------


def test_the_ledger_shows_an_account_manager_their_own_companies_only(desk: Desk) -> None:  # A1
    own = desk.open_case(severity=Severity.CRITICAL)
    foreign = desk.open_case(company=desk.other_company, severity=Severity.CRITICAL)
    escalate(NOON + 5 * HOUR)
    client = signed_in(desk.account_manager)
    listed = client.get(reverse("admin:escalations_escalation_changelist")).content.decode()
    assert own.number in listed
    assert foreign.number not in listed
    rows = {row.case_id: row for row in Escalation.objects.all()}
    assert client.get(_ledger_page(rows[own.pk])).status_code == 200
    assert client.get(_ledger_page(rows[foreign.pk])).status_code == 404


@pytest.mark.parametrize("who", ["manager", "technician", "coo"])
def test_nobody_writes_the_ledger(desk: Desk, who: str) -> None:  # E6
    desk.open_case(severity=Severity.CRITICAL)
    escalate(NOON + 5 * HOUR)
    row = Escalation.objects.get()
    client = signed_in(getattr(desk, who))
    assert client.get(_ledger_page(row)).status_code == 200
    assert client.post(_ledger_page(row), {"run": 7}).status_code == 403
    assert client.post(reverse("admin:escalations_escalation_add"), {"run": 7}).status_code == 403
    delete = reverse("admin:escalations_escalation_delete", args=[row.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert Escalation.objects.get().run == 1


def _ledger_page(row: Escalation) -> str:
    return reverse("admin:escalations_escalation_change", args=[row.pk])


# --- the clock on a case's page -----------------------------------------------------------------------------------


def standing_of(case: Case, user: User, hours: float) -> ClockSummary:
    panel = escalation_panel(Case.objects.get(pk=case.pk), user, NOON + timedelta(hours=hours))
    assert isinstance(panel, Panel)
    return panel.context["standing"]


def test_the_panel_says_where_the_clock_stands_and_what_comes_next(desk: Desk) -> None:  # E1
    case = desk.open_case(severity=Severity.CRITICAL)
    standing = standing_of(case, desk.technician, 1.5)
    assert (standing.elapsed, standing.reading.running) == ("1 h 30 min", True)
    first, second, third = standing.lines
    assert (first.name, first.state, first.due_at) == ("Critical 1", "next", NOON + 4 * HOUR)
    assert first.mailed == "csm, am"
    assert first.owner == "ownership goes to an L3 technician"
    assert (second.state, second.due_at) == ("later", NOON + 12 * HOUR)
    assert (third.state, third.mailed) == ("later", "coo")


def test_the_panel_tells_what_was_done_when_it_was_due_and_how_late(desk: Desk) -> None:  # E5
    case = desk.open_case(severity=Severity.CRITICAL)
    escalate(NOON + 5 * HOUR)
    first, second, _ = standing_of(case, desk.technician, 6).lines
    assert (first.state, first.due_at, first.done_at) == ("done", NOON + 4 * HOUR, NOON + 5 * HOUR)
    assert (first.late_by, first.owner) == ("1 h", "tech → l3")
    assert (second.state, second.owner) == ("next", "l3 is asked for the status")


def test_the_panel_shows_a_point_that_nobody_has_carried_out_yet(desk: Desk) -> None:  # S3
    case = desk.open_case(severity=Severity.CRITICAL)
    assert standing_of(case, desk.technician, 4.5).lines[0].state == "due"


def test_the_clock_stands_still_in_a_wait_and_the_panel_says_why(desk: Desk) -> None:  # E2
    case = desk.open_case(severity=Severity.CRITICAL)
    transitions.ask_customer(
        case.pk, desk.technician, NOON + HOUR, question="Since when?", reason=WaitReason.CANNOT_NOW
    )
    standing = standing_of(case, desk.technician, 9)
    assert (standing.elapsed, standing.reading.running) == ("1 h", False)
    assert standing.stands_still == "because the case waits for the customer"
    assert {line.state for line in standing.lines} == {"paused"}
    assert {line.due_at for line in standing.lines} == {None}
    worked, waited = standing.spans
    assert (worked.length, worked.counted) == ("1 h", True)
    assert (waited.length, waited.counted, waited.end) == ("8 h", False, None)


def test_points_recorded_by_a_lowering_are_marked_as_such(desk: Desk) -> None:  # E4
    case = desk.open_case(severity=Severity.CRITICAL)
    escalate(NOON + 13 * HOUR)
    transitions.change_severity(case.pk, desk.technician, NOON + 13 * HOUR, severity=Severity.HIGH, reason="Workaround")
    escalate(NOON + 13 * HOUR)
    standing = standing_of(case, desk.technician, 14)
    assert (standing.lines[0].name, standing.lines[0].state) == ("High 1", "recorded")
    assert {f"{row.severity} {row.number}" for row in standing.earlier} == {"critical 1", "critical 2"}


def test_a_fallback_is_named_with_whom_it_stands_for(desk: Desk) -> None:  # D5
    User.objects.filter(pk=desk.coo.pk).update(is_active=False)
    case = desk.open_case(severity=Severity.CRITICAL)
    third = standing_of(case, desk.technician, 1).lines[2]
    assert third.mailed == "support_manager (for Chief operating officer (coo))"


def test_low_has_a_clock_and_no_points(desk: Desk) -> None:  # E1
    case = desk.open_case(severity=Severity.LOW)
    standing = standing_of(case, desk.technician, 100)
    assert standing.lines == []
    clocks = promises_panel(case, desk.technician, NOON).context["clocks"]
    assert [(clock.who, clock.every) for clock in clocks] == [("Customer", "24 h")]


def test_a_desk_without_a_schedule_says_so(desk: Desk) -> None:
    case = desk.open_case()
    ScheduleVersion.objects.all().delete()
    panel = escalation_panel(case, desk.technician, NOON)
    assert panel is not None
    assert panel.context["standing"] is None
    assert "No schedule was in force" in panel_of(signed_in(desk.technician), case, "escalation")


def test_the_panel_costs_the_same_queries_whatever_happened_to_the_case(  # speed
    desk: Desk, django_assert_num_queries
) -> None:
    quiet = Case.objects.select_related("owner__technician", "company__account_manager").get(
        pk=desk.open_case(severity=Severity.CRITICAL).pk
    )
    busy_id = desk.open_case(severity=Severity.CRITICAL).pk
    for number in range(6):
        at = NOON + number * 5 * HOUR
        escalate(at)
        transitions.ask_customer(busy_id, desk.technician, at + HOUR, question="?", reason=WaitReason.CANNOT_NOW)
        transitions.take_back(busy_id, desk.technician, at + 2 * HOUR, reason="found it")
    transitions.resolve(
        busy_id,
        desk.technician,
        NOON + 40 * HOUR,
        resolution=Resolution.CONFIRMED,
        agreed_by=AgreedBy.PHONE,
        solution="Cable replaced",
    )
    busy = Case.objects.select_related("owner__technician", "company__account_manager").get(pk=busy_id)
    # Nobody has to be named on the quiet case yet: that question is not asked.
    for case, queries in ((quiet, QUERIES_OF_THE_PANEL - 1), (busy, QUERIES_OF_THE_PANEL)):
        with django_assert_num_queries(queries):
            escalation_panel(case, desk.technician, NOON + 41 * HOUR)


#: Versions 1 once they are known, the life of the case 4, people of the ledger 2, role holders 1.
QUERIES_OF_THE_PANEL = 8


def test_the_case_page_shows_the_panel(desk: Desk) -> None:
    case = desk.open_case(severity=Severity.CRITICAL)
    shown = panel_of(signed_in(desk.account_manager), case, "escalation")
    assert "Critical 1" in shown
    assert "Why the clock shows this" in shown
