"""The review of a draft, and putting it in force (E10, A1, A2, S4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, expect

from cases.enums import Severity
from contacts.enums import Role
from contacts.models import User
from escalations.models import SchedulePoint, ScheduleVersion
from escalations.schedule.versions import draft_key, draft_next_version, review_key
from tests.escalations.schedule.test_pages import clock_of, filled_in, page_of, row_of
from tests.support.browser import picture
from tests.support.builders import NOON, Desk, build_desk, build_user
from tests.support.pages import signed_in
from tests.support.queries import queries_of_page
from tests.support.rollout import next_version
from tests.support.workers import at_once

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def noon(request, time_machine) -> None:
    if not request.node.get_closest_marker("browser"):
        time_machine.move_to(NOON, tick=False)


@pytest.fixture
def draft(desk: Desk) -> ScheduleVersion:
    """A draft that differs from the version in force in one point."""
    version = draft_next_version(desk.manager)
    change(version, "high", 1, after=5 * HOUR)
    return version


def change(version: ScheduleVersion, severity: str, number: int, **fields: object) -> None:
    SchedulePoint.objects.filter(version=version, severity=severity, number=number).update(**fields)


def review_of(version: ScheduleVersion) -> str:
    return reverse("admin:escalations_scheduleversion_review", args=[version.pk])


def seen_by(client: Client, version: ScheduleVersion) -> str:
    return client.get(review_of(version)).context_data["form"]["seen"].value()


def confirm(client: Client, version: ScheduleVersion, seen: str, reason: str = "As agreed", **more: str) -> Any:
    address = reverse("admin:escalations_scheduleversion_put_in_force", args=[version.pk])
    return client.post(address, {"seen": seen, "reason": reason, **more})


def told(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


# --- what was typed is saved first ------------------------------------------------------------------------------


def test_the_review_is_of_what_was_typed(desk: Desk) -> None:  # E10
    client, draft = signed_in(desk.manager), draft_next_version(desk.manager)
    sent = filled_in(client.get(page_of(draft)))
    sent[f"{row_of(sent, draft, Severity.HIGH, 1)}-after"] = "5 h"
    sent[f"{clock_of(sent, draft, 'low')}-base_interval"] = "12 h"
    answer = client.post(page_of(draft), sent | {"_review": ""})
    assert (answer.status_code, answer.url) == (302, review_of(draft))
    page = client.get(answer.url)
    assert page.context_data["changes"] == [
        "High 1: after 12 h → after 5 h",
        "Low: customer updated every 24 h → 12 h, before any point",
    ]
    assert told(page) == []
    assert ScheduleVersion.objects.get(pk=draft.pk).is_draft


def test_a_wrong_entry_leads_to_no_review_and_everything_typed_is_kept(desk: Desk) -> None:  # S4
    client, draft = signed_in(desk.manager), draft_next_version(desk.manager)
    sent = filled_in(client.get(page_of(draft)))
    first, second = (row_of(sent, draft, Severity.HIGH, number) for number in (1, 2))
    answer = client.post(page_of(draft), sent | {f"{first}-after": "20 h", f"{second}-after": "6 h", "_review": ""})
    assert answer.status_code == 200
    shown = answer.content.decode()
    assert all(f'value="{typed}"' in shown for typed in ("20 h", "6 h"))
    beside = {form.row_name(): form.beside for form in answer.context_data["draft_table"]["groups"][1]["points"]}
    assert beside == {
        "High 1": {},
        "High 2": {"after": ["High 2 comes no later than High 1; give it a longer time."]},
        "High 3": {},
    }
    assert draft.points.get(severity="high", number=1).after == 12 * HOUR


# --- the page ---------------------------------------------------------------------------------------------------


def test_the_review_says_who_is_affected(desk: Desk) -> None:  # E10
    desk.open_case(NOON - 9 * HOUR)
    second = next_version(desk, NOON - 5 * HOUR, high_1={"after": 6 * HOUR})
    for _ in range(2):
        desk.open_case(NOON - 4 * HOUR)
    draft = draft_next_version(desk.manager)
    change(draft, "high", 1, after=5 * HOUR)
    shown = signed_in(desk.manager).get(review_of(draft)).content.decode()
    assert "High 1: after 6 h → after 5 h" in shown
    assert "3 open cases keep the version they run under until you move them: 1 on version 1, 2 on version 2" in shown
    assert f"1 difference to version {second.number}, in force since" in shown


def test_the_review_costs_the_same_queries_however_much_changes(desk: Desk) -> None:  # speed
    client, draft = signed_in(desk.manager), draft_next_version(desk.manager)
    counts = []
    for hours in (5, 6):
        SchedulePoint.objects.filter(version=draft, number=1).update(may_need_more=hours == 6)
        change(draft, "high", 1, after=hours * HOUR)
        desk.open_case(company=desk.other_company)
        counts.append(queries_of_page(client, review_of(draft)))
    assert counts[0] == counts[1]


def test_the_page_of_a_draft_costs_the_same_queries_however_many_points_it_has(  # speed
    desk: Desk, draft: ScheduleVersion
) -> None:
    client = signed_in(desk.manager)
    before = queries_of_page(client, page_of(draft))
    for number in range(1, 6):
        SchedulePoint.objects.create(version=draft, severity="low", number=number, after=number * 30 * HOUR)
    assert queries_of_page(client, page_of(draft)) == before


def test_only_the_manager_reviews(desk: Desk, draft: ScheduleVersion) -> None:  # A1
    for user in (desk.technician, desk.csm, desk.account_manager):
        assert signed_in(user).get(review_of(draft)).status_code == 403
    assert signed_in(desk.manager).get(review_of(draft)).status_code == 200


def test_no_review_of_what_there_is_not_or_is_in_force(desk: Desk) -> None:  # S4
    client = signed_in(desk.manager)
    for pk in (99, 10**30):
        assert client.get(reverse("admin:escalations_scheduleversion_review", args=[pk])).status_code == 404
    answer = client.get(review_of(desk.schedule))
    assert (answer.status_code, answer.url) == (302, page_of(desk.schedule))


# --- confirming -------------------------------------------------------------------------------------------------


def test_who_put_it_in_force_and_why_is_kept_and_shown(desk: Desk, draft: ScheduleVersion) -> None:  # E10
    client = signed_in(desk.manager)
    answer = confirm(client, draft, seen_by(client, draft), "  The new contract ")
    assert answer.url == page_of(draft)
    version = ScheduleVersion.objects.get(pk=draft.pk)
    assert (version.in_force_from, version.put_in_force_by) == (NOON, desk.manager)
    assert version.put_in_force_reason == "The new contract"
    for address in (page_of(draft), reverse("admin:escalations_scheduleversion_changelist")):
        shown = signed_in(desk.technician).get(address).content.decode()
        assert "The new contract" in shown
        assert "support_manager" in shown


def test_a_manager_may_go_on_to_the_cases_to_move(desk: Desk, draft: ScheduleVersion) -> None:  # E10
    client = signed_in(desk.manager)
    answer = confirm(client, draft, seen_by(client, draft), then_move="1")
    assert answer.url == reverse("admin:escalations_scheduleversion_move", args=[draft.pk])


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201])
def test_without_a_reason_nothing_is_in_force(desk: Desk, draft: ScheduleVersion, reason: str) -> None:  # S4
    client = signed_in(desk.manager)
    answer = confirm(client, draft, seen_by(client, draft), reason)
    assert answer.status_code == 422
    assert answer.context_data["form"].errors["reason"]
    assert answer.context_data["changes"] == ["High 1: after 12 h → after 5 h"]
    assert f'value="{reason}"' in answer.content.decode() or not reason
    assert ScheduleVersion.objects.get(pk=draft.pk).is_draft


def test_a_draft_that_changed_meanwhile_is_shown_anew_and_the_reason_is_kept(  # S4
    desk: Desk, draft: ScheduleVersion
) -> None:
    client = signed_in(desk.manager)
    seen = seen_by(client, draft)
    change(draft, "high", 2, mailed=["account_manager", "coo"])
    answer = confirm(client, draft, seen)
    assert answer.status_code == 409
    assert answer.context_data["sentence"].startswith("Version 2 was changed since this was shown")
    assert answer.context_data["changes"] == ["High 1: after 12 h → after 5 h", "High 2 now also emails the COO"]
    assert 'value="As agreed"' in answer.content.decode()
    assert ScheduleVersion.objects.get(pk=draft.pk).is_draft
    assert confirm(client, draft, answer.context_data["form"]["seen"].value()).status_code == 302
    assert not ScheduleVersion.objects.get(pk=draft.pk).is_draft


def test_another_version_in_force_meanwhile_is_a_change_as_well(desk: Desk, draft: ScheduleVersion) -> None:  # S4
    client = signed_in(desk.manager)
    seen = seen_by(client, draft)
    other = ScheduleVersion.objects.create(number=3, in_force_from=NOON - HOUR)
    SchedulePoint.objects.create(version=other, severity="high", number=1, after=HOUR)
    assert confirm(client, draft, seen).status_code == 409
    assert ScheduleVersion.objects.get(pk=draft.pk).is_draft


@pytest.mark.parametrize("seen", ["", "rubbish"])
def test_what_no_review_showed_is_not_put_in_force(desk: Desk, draft: ScheduleVersion, seen: str) -> None:  # S4
    assert confirm(signed_in(desk.manager), draft, seen).status_code == 409
    assert ScheduleVersion.objects.get(pk=draft.pk).is_draft


def test_pressing_twice_puts_in_force_once(desk: Desk, draft: ScheduleVersion, time_machine) -> None:  # E10
    client = signed_in(desk.manager)
    seen = seen_by(client, draft)
    confirm(client, draft, seen)
    time_machine.move_to(NOON + timedelta(seconds=1), tick=False)
    answer = confirm(client, draft, seen)
    assert answer.url == page_of(draft)
    assert told(answer)[-1] == (
        "Version 2 was put in force by support_manager at 12:00, with the reason “As agreed”. Nothing was done twice."
    )
    version = ScheduleVersion.objects.get(pk=draft.pk)
    assert version.in_force_from == NOON
    assert version.history.count() == 2


def test_the_second_of_two_managers_hears_of_the_first(desk: Desk, draft: ScheduleVersion) -> None:  # S4
    other = build_user(Role.SUPPORT_MANAGER, "ruth")
    User.objects.filter(pk=other.pk).update(first_name="Ruth", last_name="Castellano")
    first, second = signed_in(other), signed_in(desk.manager)
    seen = seen_by(second, draft)
    confirm(first, draft, seen_by(first, draft), "Contract of June")
    with timezone.override("Europe/Berlin"):
        answer = confirm(second, draft, seen, "Mine")
    assert told(answer)[-1].startswith("Version 2 was put in force by Ruth Castellano at ")
    assert told(answer)[-1].endswith(
        "with the reason “Contract of June”. Nothing was done twice. Your reason “Mine” is not recorded."
    )
    assert ScheduleVersion.objects.get(pk=draft.pk).put_in_force_by == other


def test_the_key_of_a_draft_is_another_one_after_every_change(desk: Desk, draft: ScheduleVersion) -> None:  # S4
    keys, high_1 = [draft_key(draft)], draft.points.get(severity="high", number=1)
    for fields in (
        {"after": 6 * HOUR},
        {"mailed": ["coo"]},
        {"owner_action": "to_l3"},
        {"cadence": {"customer": 60}},
        {"may_need_more": True},
        {"number": 4},
    ):
        SchedulePoint.objects.filter(pk=high_1.pk).update(**fields)
        keys.append(draft_key(draft))
    for rule in ({"base_interval": HOUR}, {"automatic_updates": False}, {"stands_still_while_waiting": False}):
        draft.clock_rules.filter(severity="low").update(**rule)
        keys.append(draft_key(draft))
    ScheduleVersion.objects.filter(pk=draft.pk).update(note="Sooner")
    keys.append(draft_key(ScheduleVersion.objects.get(pk=draft.pk)))
    assert len(set(keys)) == len(keys)


# --- somebody else meanwhile ------------------------------------------------------------------------------------


def test_a_draft_that_somebody_saved_meanwhile_is_not_overwritten_unseen(desk: Desk) -> None:  # S4
    draft, other = draft_next_version(desk.manager), build_user(Role.SUPPORT_MANAGER, "ruth")
    mine, theirs = signed_in(desk.manager), signed_in(other)
    page = filled_in(mine.get(page_of(draft)))
    row = row_of(page, draft, Severity.HIGH, 1)
    typed = page | {f"{row}-after": "5 h", "note": "Mine"}
    theirs.post(page_of(draft), page | {f"{row}-after": "7 h"})
    answer = mine.post(page_of(draft), typed | {"_review": ""})
    assert answer.status_code == 200
    assert answer.context_data["refused"] == [
        "ruth saved this draft at 12:00, after you opened it; save again to put what you typed in place of theirs."
    ]
    shown = answer.content.decode()
    assert "High 1: after 12 h → after 7 h" in shown
    assert 'value="5 h"' in shown
    assert 'value="Mine"' in shown
    assert draft.points.get(severity="high", number=1).after == 7 * HOUR
    again = mine.post(page_of(draft), filled_in(answer) | {"_review": ""})
    assert again.url == review_of(draft)
    assert draft.points.get(severity="high", number=1).after == 5 * HOUR


def test_rows_that_came_and_went_meanwhile_are_as_the_page_shows_them(desk: Desk) -> None:  # S4
    client, draft = signed_in(desk.manager), draft_next_version(desk.manager)
    page = filled_in(client.get(page_of(draft)))
    draft.points.get(severity="high", number=3).delete()
    SchedulePoint.objects.create(version=draft, severity="low", number=1, after=HOUR)
    added = row_of(page, draft, Severity.CRITICAL, 1).replace("-0", "-9")
    page |= {f"{added}-severity": "low", f"{added}-number": 1, f"{added}-after": "3 d", "_review": ""}
    answer = client.post(page_of(draft), page)
    assert answer.status_code == 200
    assert client.post(page_of(draft), filled_in(answer) | {"_review": ""}).status_code == 302
    (sentence,) = client.get(review_of(draft)).context_data["changes"]
    assert sentence.startswith("Low 1 is new: after 3 d")
    assert draft.points.count() == 10


@pytest.mark.parametrize("next_draft", [False, True])
def test_what_was_typed_into_a_draft_that_is_in_force_by_now_becomes_the_next_draft(  # S4
    desk: Desk, draft: ScheduleVersion, next_draft: bool
) -> None:
    client = signed_in(desk.manager)
    page = filled_in(client.get(page_of(draft)))
    page |= {
        f"{row_of(page, draft, Severity.HIGH, 2)}-after": "20 h",
        f"{clock_of(page, draft, 'low')}-base_interval": "12 h",
    }
    confirm(client, draft, seen_by(client, draft), "Contract of June")
    if next_draft:
        draft_next_version(desk.manager)
    answer = client.post(page_of(draft), page | {"_continue": ""})
    assert answer.status_code == 200
    assert answer.context_data["refused"] == [
        "Version 2 was put in force by support_manager at 12:00, with the reason “Contract of June”. What you typed is "
        "shown here as a change of version 3, the next draft; save again to keep it."
    ]
    assert 'value="20 h"' in answer.content.decode()
    third = ScheduleVersion.objects.get(number=3)
    assert third.points.get(severity="high", number=2).after == 36 * HOUR
    again = client.post(page_of(draft), filled_in(answer) | {"_continue": ""})
    assert (again.status_code, again.url) == (302, page_of(third))
    assert client.get(review_of(third)).context_data["changes"] == [
        "High 2: after 36 h → after 20 h",
        "Low: customer updated every 24 h → 12 h, before any point",
    ]
    assert ScheduleVersion.objects.get(pk=draft.pk).points.get(severity="high", number=2).after == 36 * HOUR


def test_what_was_typed_into_a_draft_that_was_deleted_is_not_lost(desk: Desk, draft: ScheduleVersion) -> None:  # S4
    client = signed_in(desk.manager)
    page = filled_in(client.get(page_of(draft)))
    page[f"{row_of(page, draft, Severity.HIGH, 2)}-after"] = "20 h"
    address = page_of(draft)
    draft.delete()
    answer = client.post(address, page)
    assert 'value="20 h"' in answer.content.decode()
    assert client.post(address, filled_in(answer)).status_code == 302
    (fresh,) = ScheduleVersion.objects.filter(in_force_from=None)
    assert client.get(review_of(fresh)).context_data["changes"] == [
        "High 1: after 12 h → after 5 h",
        "High 2: after 36 h → after 20 h",
    ]


@pytest.mark.parametrize("who", ["technician", "csm", "account_manager"])
def test_nobody_else_makes_a_draft_by_sending_one(desk: Desk, draft: ScheduleVersion, who: str) -> None:  # A1, A2
    sent = filled_in(signed_in(desk.manager).get(page_of(draft)))
    for version in (draft, desk.schedule):
        assert signed_in(getattr(desk, who)).post(page_of(version), sent).status_code == 403
    assert ScheduleVersion.objects.count() == 2


def test_readers_see_the_table_of_a_draft_and_no_fields(desk: Desk, draft: ScheduleVersion) -> None:  # A1
    page = signed_in(desk.technician).get(page_of(draft))
    assert page.context_data["table"][1]["points"][0]["after"] == "5 h"
    shown = page.content.decode()
    assert "points-0" not in shown
    assert "Review and put in force" not in shown


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"points-TOTAL_FORMS": "x", "clock_rules-TOTAL_FORMS": "²"},
        {"points-TOTAL_FORMS": "1", "points-INITIAL_FORMS": "1", "points-0-id": "9" * 30, "points-0-version": "abc"},
        {"clock_rules-TOTAL_FORMS": "1", "clock_rules-INITIAL_FORMS": "1", "clock_rules-0-id": "abc"},
    ],
)
def test_what_no_page_would_send_changes_nothing(desk: Desk, draft: ScheduleVersion, odd: dict[str, str]) -> None:  # S4
    client = signed_in(desk.manager)
    for version in (draft, desk.schedule):
        for seen in ("rubbish", "9999999999999:x", draft_key(draft)):
            assert client.post(page_of(version), {"seen": seen, **odd}).status_code == 200
    assert draft.points.count() == 9
    assert draft.points.get(severity="high", number=1).after == 5 * HOUR


# --- at the same moment -----------------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_managers_who_press_at_once_one_puts_it_in_force() -> None:  # E10
    desk = build_desk()
    draft = draft_next_version(desk.manager)
    change(draft, "high", 1, after=5 * HOUR)
    managers = [desk.manager, build_user(Role.SUPPORT_MANAGER, "ruth")]
    seen = review_key(draft, desk.schedule)
    answers: list[tuple[str, list[str]]] = []

    def pressing(user: User) -> Callable[[], None]:
        def press() -> None:
            answer = confirm(signed_in(user), draft, seen, f"As {user} wants it")
            answers.append((str(user), told(answer)))

        return press

    at_once(*map(pressing, managers))
    version = ScheduleVersion.objects.get(pk=draft.pk)
    assert version.put_in_force_reason == f"As {version.put_in_force_by} wants it"
    assert version.history.count() == 2
    (loser,) = [said for who, said in answers if who != str(version.put_in_force_by)]
    assert loser[-1].startswith(f"Version 2 was put in force by {version.put_in_force_by} at 12:00")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_edit_that_is_saved_while_the_draft_is_put_in_force_is_in_it_or_in_the_next_draft() -> None:  # E10, S4
    desk = build_desk()
    draft = draft_next_version(desk.manager)
    change(draft, "high", 1, after=5 * HOUR)
    client = signed_in(desk.manager)
    page = filled_in(client.get(page_of(draft)))
    page[f"{row_of(page, draft, Severity.HIGH, 2)}-after"] = "20 h"
    seen, answers = seen_by(client, draft), {}

    def editing() -> None:
        answers["edit"] = signed_in(desk.manager).post(page_of(draft), page)

    def pressing() -> None:
        answers["press"] = confirm(signed_in(desk.manager), draft, seen)

    at_once(editing, pressing)
    version = ScheduleVersion.objects.get(pk=draft.pk)
    if version.is_draft:  # the edit came first, so the review was of something else
        assert (answers["edit"].status_code, answers["press"].status_code) == (302, 409)
        assert version.points.get(severity="high", number=2).after == 20 * HOUR
    else:
        assert (answers["edit"].status_code, answers["press"].status_code) == (200, 302)
        assert 'value="20 h"' in answers["edit"].content.decode()
        assert version.points.get(severity="high", number=2).after == 36 * HOUR


# --- in a browser without script --------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_draft_is_edited_reviewed_and_put_in_force_without_script(browser: Browser, live_server) -> None:  # E10
    desk = build_desk()
    draft = draft_next_version(desk.manager)
    client = signed_in(desk.manager)
    context = browser.new_context(
        viewport={"width": 420, "height": 900}, base_url=live_server.url, java_script_enabled=False
    )
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(page_of(draft))
    page.get_by_label("High 1, Unresolved for").fill("5 hh")
    page.get_by_label("High 3, Remove").check()
    page.get_by_label("New point, Severity").select_option("low")
    page.get_by_label("New point, Point").fill("1")
    page.get_by_label("New point, Unresolved for").fill("3 d")
    page.get_by_role("group", name="New point, emailed").get_by_label("CSM").check()
    page.get_by_role("button", name="Review and put in force").click()
    cell = page.get_by_label("High 1, Unresolved for")
    expect(cell).to_have_value("5 hh")
    expect(cell).to_have_accessible_description("“5 hh” is not a duration; write one like 4 h, 2 d 12 h or 90 min.")
    picture(page, "draft-without-script")
    cell.fill("5 h")
    cell.press("Tab")  # the next cell is the next field
    expect(page.get_by_role("group", name="High 1, emailed").get_by_label("AM")).to_be_focused()
    page.get_by_role("button", name="Review and put in force").click()
    expect(page.locator(".esc-changes").first.locator("li")).to_have_text(
        [
            "High 1: after 12 h → after 5 h",
            "High 3 is removed; it came after 2 d",
            "Low 1 is new: after 3 d, emails the CSM, the owner is asked for the status",
        ]
    )
    page.get_by_label("Reason").fill("The new contract")
    page.get_by_label("Reason").press("Enter")
    expect(page.get_by_text("Version 2 is in force since")).to_be_visible()
    expect(page.get_by_text("Reason: The new contract")).to_be_visible()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_what_was_typed_into_a_draft_survives_the_end_of_the_session(browser: Browser, live_server) -> None:  # S4
    desk = build_desk()
    draft = draft_next_version(desk.manager)
    client = signed_in(desk.manager)
    context = browser.new_context(base_url=live_server.url)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(page_of(draft))
    page.get_by_label("High 1, Unresolved for").fill("5 h")
    page.get_by_role("group", name="High 2, emailed").get_by_label("COO").check()
    Session.objects.all().delete()
    page.get_by_role("button", name="Review and put in force").click()
    page.get_by_label("Username").fill("support_manager")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("You had to sign in again.")).to_be_visible()
    expect(page.get_by_label("High 1, Unresolved for")).to_have_value("5 h")
    page.get_by_role("button", name="Review and put in force").click()
    expect(page.locator(".esc-changes").first.locator("li")).to_have_text(
        ["High 1: after 12 h → after 5 h", "High 2 now also emails the COO"]
    )
