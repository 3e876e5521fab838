"""The list of cases: its order, what comes next on each case, its tabs, and saved views (W2, A2)."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.db.models import Case as SqlCase
from django.db.models import F, When
from django.test import Client
from django.urls import reverse

from cases.admin import case_list
from cases.admin.saved_views import MOST_VIEWS
from cases.enums import Channel, Resolution, Severity
from cases.models import Case, CaseWatcher, SavedView
from cases.models.case import SEVERITY_RANK, SOONEST_FIRST
from cases.workflow import transitions
from escalations.points.apply import escalate
from tests.support.builders import NOON, Desk
from tests.support.pages import signed_in
from tests.support.queries import queries_of_page
from tests.support.stage import Stage, at, sweeps

pytestmark = pytest.mark.django_db

LIST = reverse("admin:cases_case_changelist")
KEEP = reverse("admin:cases_case_keep_view")


@pytest.fixture
def tech(desk: Desk, time_machine) -> Client:  # type: ignore[no-untyped-def]
    time_machine.move_to(NOON, tick=False)
    return signed_in(desk.technician)


def said(client: Client, query: str = "") -> str:
    return re.sub(r"\s+", " ", client.get(LIST + query).content.decode())


def listed(client: Client, query: str = "") -> list[str]:
    return re.findall(r">\s*(SD-\d{6})\s*<", said(client, query))


def coming(page: str) -> list[str]:
    """The column “Next”, with its tone: “is-bad First response in 45 min”."""
    cells = re.findall(r'<span class="desk-next ([\w-]*)" title="[^"]*"><span>([^<]*)</span>(.*?)</span>', page)
    return [" ".join([tone, name, *re.sub(r"<[^>]*>", "", when).split()]).strip() for tone, name, when in cells]


def tabs(page: str) -> list[str]:
    nav = page.partition('aria-label="Queues"')[2].partition("</nav>")[0]
    return [
        re.sub(r"<[^>]*>", " ", link).replace("bookmark", "").split(">", 1)[-1].strip() for link in nav.split("<a ")[1:]
    ]


# --- what is due first stands first -----------------------------------------------------------------------------------


def test_the_soonest_deadline_of_any_kind_stands_first(desk: Desk, tech: Client) -> None:  # W2
    stage = Stage(desk)
    low = stage.open(Severity.LOW)
    high = stage.open(Severity.HIGH)
    phoned = stage.open(Severity.HIGH, Channel.PHONE)
    critical = stage.open(Severity.CRITICAL)
    sweeps(NOON)
    assert listed(tech) == [phoned.number, critical.number, high.number, low.number]
    assert coming(said(tech)) == ["First response in 1 h", "Update in 2 h", "Update in 4 h", "Update in 1 d"]
    assert listed(tech, "?queue=everything") == [critical.number, phoned.number, high.number, low.number]


def test_what_presses_is_red_and_is_known_without_an_engine(desk: Desk, tech: Client, time_machine) -> None:  # type: ignore[no-untyped-def]  # W2, W5
    Stage(desk).open(Severity.CRITICAL, Channel.PHONE)
    time_machine.move_to(at(0.25), tick=False)
    assert coming(said(tech)) == ["is-bad First response in 15 min"]
    time_machine.move_to(at(0.6), tick=False)
    assert coming(said(tech)) == ["is-bad First response 6 min ago"]


def test_what_the_desk_does_by_itself_is_quiet(desk: Desk, tech: Client, time_machine) -> None:  # type: ignore[no-untyped-def]
    stage = Stage(desk)
    case = stage.open(Severity.HIGH)
    stage.do(11, stage.contact(case))
    stage.to(11)
    time_machine.move_to(at(11), tick=False)
    assert coming(said(tech)) == ["is-quiet High 1 in 1 h"]


def test_a_case_that_has_just_changed_stands_at_the_top(desk: Desk, tech: Client) -> None:  # W2
    stage = Stage(desk)
    critical, low = stage.open(Severity.CRITICAL), stage.open(Severity.LOW)
    sweeps(NOON)
    assert listed(tech) == [critical.number, low.number]
    Case.objects.filter(pk=low.pk).recheck("sla", NOON)
    assert listed(tech) == [low.number, critical.number]


@pytest.mark.parametrize(("column", "expected"), [("1", "lchm"), ("4", "chml"), ("-4", "lmhc"), ("8", "lchm")])
def test_columns_with_an_index_can_be_sorted(desk: Desk, tech: Client, column: str, expected: str) -> None:
    worst_last = [Severity.LOW, Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM]
    names = {
        desk.open_case(at(hour - 9), severity=severity).number: severity.value[0]
        for hour, severity in enumerate(worst_last)
    }
    assert "".join(names[one] for one in listed(tech, f"?o={column}")) == expected  # the first column is for ticks


def test_the_list_asks_as_many_questions_for_one_case_as_for_twenty_five(desk: Desk, tech: Client) -> None:  # W2
    desk.open_case()
    few = queries_of_page(tech, LIST)
    for number in range(30):
        desk.open_case(severity=list(Severity)[number % 4])
    escalate(at(60))
    assert queries_of_page(tech, LIST) == few


@pytest.mark.parametrize("queue", ["everything", "open", "resolved", "mine"])
@pytest.mark.parametrize("column", ["3", "-3", "4", "-4", "-4.1"])
def test_the_pages_of_a_list_read_in_parts_are_those_of_one_order(  # speed
    desk: Desk, tech: Client, monkeypatch: pytest.MonkeyPatch, queue: str, column: str
) -> None:
    stage = Stage(desk)
    cases = [stage.open(list(Severity)[number * 3 % 4]) for number in range(9)]
    for number in (1, 5, 6):
        transitions.resolve(
            cases[number].pk, desk.technician, NOON, resolution=Resolution.NOT_PURSUED, solution="Went away."
        )
    sweeps(NOON)
    Case.objects.filter(pk=cases[4].pk).update(next_due_at=None)
    of_queue = {"everything": Case.objects.all(), "resolved": Case.objects.exclude(resolved_at=None)}
    rows = of_queue.get(queue, Case.objects.open())
    due = F("next_due_at").desc(nulls_first=True) if column == "-3" else SOONEST_FIRST[0]
    rank = [SEVERITY_RANK.desc() if column.startswith("-4") else SEVERITY_RANK.asc()]
    tie = ["pk"] if column == "-4.1" else ["-pk"] if queue in ("everything", "resolved") else list(SOONEST_FIRST)
    order = [due, "-pk"] if "3" in column else [*rank, *tie]
    if "3" in column and queue == "everything":  # of those without a deadline, which are last, the open ones first
        is_resolved = SqlCase(When(status="resolved", then=1), default=0)
        order = [is_resolved.desc() if column == "-3" else is_resolved.asc(), *order]
    whole = [case.number for case in rows.order_by(*order)]
    monkeypatch.setattr(type(admin.site.get_model_admin(Case)), "list_per_page", 2)
    pages = [listed(tech, f"?queue={queue}&o={column}&p={page}") for page in range(1, -(-len(whole) // 2) + 1)]
    assert [number for page in pages for number in page] == whole


def test_a_list_is_counted_some_way_beyond_the_page_that_is_shown(
    desk: Desk, tech: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(9):
        desk.open_case()
    monkeypatch.setattr(type(admin.site.get_model_admin(Case)), "list_per_page", 2)
    monkeypatch.setattr(case_list, "COUNTED_UP_TO", 4)
    assert "4+ cases" in said(tech, "?queue=open")
    assert "6+ cases" in said(tech, "?queue=open&p=2")
    assert "9 cases" in said(tech, "?queue=open&p=4")
    monkeypatch.setattr(case_list, "DEEPEST", 5)
    assert "5+ cases" in said(tech, "?queue=open&p=2")


def test_a_column_without_an_index_sorts_nothing(desk: Desk, tech: Client) -> None:  # speed
    first = desk.open_case(company=desk.other_company)
    second = desk.open_case(company=desk.company)
    assert (
        listed(tech, "?queue=everything&o=6") == [second.number, first.number] == listed(tech, "?queue=everything&o=-6")
    )


# --- tabs -------------------------------------------------------------------------------------------------------------


def test_the_tabs_of_open_cases_say_how_many_there_are(desk: Desk, tech: Client, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    for _ in range(3):
        desk.open_case()
    watched = desk.open_case()
    Case.objects.filter(pk=watched.pk).update(owner=desk.l3)
    CaseWatcher.objects.create(case=watched, user=desk.technician, since=NOON)
    others = ["Resolved", "Everything"]
    assert tabs(said(tech)) == ["My queue  3", "Watched  1", "All open  4", "Waiting for the customer  0", *others]
    assert tabs(said(tech, "?q=print"))[:3] == [
        "My queue",
        "Watched",
        "All open",
    ]  # of what is found nothing is counted
    assert tabs(said(signed_in(desk.account_manager)))[0] == "All open  4"
    assert tabs(said(signed_in(desk.other_account_manager)))[0] == "All open  0"  # A1
    monkeypatch.setattr("cases.templatetags.case_queues.COUNTED_UP_TO", 2)
    assert tabs(said(tech))[:2] == ["My queue  2+", "Watched  1"]


# --- saved views ------------------------------------------------------------------------------------------------------


def test_a_view_is_kept_as_a_tab_with_its_filters_and_its_order(desk: Desk, tech: Client) -> None:
    low, high = desk.open_case(severity=Severity.LOW), desk.open_case(severity=Severity.HIGH)
    assert listed(tech, "?queue=open&severity__exact=high") == [high.number]
    answer = tech.post(KEEP, {"name": " Bad ones ", "query": "queue=open&severity__exact=high&o=-1&p=2"})
    assert answer.url == f"{LIST}?o=-1&queue=open&severity__exact=high"
    view = SavedView.objects.get()
    assert (view.user, view.name) == (desk.technician, "Bad ones")
    assert view.query == "o=-number_display&queue=open&severity__exact=high"  # stays when columns are moved
    page = said(tech, "?" + answer.url.partition("?")[2])
    assert tabs(page)[-1] == "Bad ones"
    assert page.count('aria-current="page"') == 1
    assert low.number not in page
    assert "Bad ones" not in said(signed_in(desk.l3))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Give the view a name; then it becomes a tab of yours."),
        ("x" * 41, f"“{'x' * 40}…” is too long: the name of a tab has at most 40 characters."),
        ("mine", "You keep a view named “mine” already; choose another name, or delete that one."),
    ],
)
def test_a_view_that_cannot_be_kept_is_refused_in_one_sentence(  # S4
    desk: Desk, tech: Client, name: str, sentence: str
) -> None:
    SavedView.objects.create(user=desk.technician, name="Mine", query="queue=mine")
    answer = tech.post(KEEP, {"name": name, "query": "queue=open"}, follow=True)
    assert [str(message) for message in answer.context["messages"]] == [sentence]
    assert SavedView.objects.count() == 1


def test_only_so_many_views_are_kept(desk: Desk, tech: Client) -> None:
    for number in range(MOST_VIEWS):
        SavedView.objects.create(user=desk.technician, name=f"View {number}", query="queue=open")
    answer = tech.post(KEEP, {"name": "One more", "query": "queue=open"}, follow=True)
    assert "You keep 20 views already" in str(next(iter(answer.context["messages"])))
    assert SavedView.objects.count() == MOST_VIEWS


def test_a_view_is_renamed_and_deleted_by_its_owner_alone_and_by_post(desk: Desk, tech: Client) -> None:  # A2, A3
    view = SavedView.objects.create(user=desk.technician, name="Mine", query="queue=mine")
    rename, delete = (reverse(f"admin:cases_case_{verb}_view", args=[view.pk]) for verb in ("rename", "forget"))
    for address in (rename, delete):
        assert tech.get(address).status_code == 405
        assert signed_in(desk.manager).post(address, {"name": "Stolen"}).status_code == 404
    assert tech.post(rename, {"name": "Ours"}).status_code == 302
    assert SavedView.objects.get().name == "Ours"
    assert tech.post(delete).url == f"{LIST}?queue=mine"
    assert not SavedView.objects.exists()


def test_a_column_that_is_gone_only_loses_its_order(desk: Desk, tech: Client) -> None:
    SavedView.objects.create(user=desk.technician, name="Old", query="o=-nothing_display.next_display&queue=open")
    assert 'href="?o=3&amp;queue=open"' in said(tech)


# --- customers --------------------------------------------------------------------------------------------------------


def test_the_pages_of_a_company_and_of_a_contact_show_their_open_cases(desk: Desk, tech: Client) -> None:  # A1, W2
    low, high = desk.open_case(severity=Severity.LOW), desk.open_case(severity=Severity.HIGH)
    foreign = desk.open_case(company=desk.other_company)
    sweeps(NOON)
    for kind, row in (("company", desk.company), ("contact", desk.contact)):
        address = reverse(f"admin:contacts_{kind}_change", args=[row.pk])
        page = signed_in(desk.account_manager).get(address).content.decode()
        assert re.findall(r"desk-rows-number\">(SD-\d+)", page) == [high.number, low.number]
        assert foreign.number not in page
        link = f"?queue=everything&amp;{kind}__id__exact={row.pk}"
        assert link in page
        assert set(listed(tech, link.replace("&amp;", "&"))) == {high.number, low.number}
        assert signed_in(desk.other_account_manager).get(address).status_code == 404
