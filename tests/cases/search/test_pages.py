"""The search in the list of cases and in the command palette: what they show, say and keep to themselves."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from cases.enums import Channel, Direction
from cases.models import Case, UnindexedCase
from cases.search import index, palette, query
from cases.workflow import contact_log, handing_on
from tests.support.browser import picture
from tests.support.builders import NOON, Desk
from tests.support.pages import signed_in
from tests.support.queries import queries_of_page

pytestmark = pytest.mark.django_db

LIST = "/admin/cases/case/"
PALETTE = "/admin/search/?extended=1&s="


@pytest.fixture
def tech(desk: Desk) -> Client:
    return signed_in(desk.technician)


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(answer.content.decode()))


def numbers(client: Client, address: str) -> list[str]:
    """The numbers of the cases on a page, in its order."""
    return list(dict.fromkeys(re.findall(r"SD-\d{6}", shown(client, address).split("result_list")[-1])))


# --- the list ---------------------------------------------------------------------------------------------------------


def test_the_list_shows_the_best_first_and_where_the_words_are(desk: Desk, tech: Client):
    titled = desk.open_case(title="The fuser burns")
    said = desk.open_case(title="Nobody can print")
    contact_log.log_contact(
        said.pk, desk.technician, NOON, channel=Channel.PHONE, direction=Direction.IN, body="<b>Fuser</b> & smoke"
    )
    page = tech.get(f"{LIST}?q=fuser").content.decode()
    assert "The <mark>fuser</mark> burns" in page
    assert "Phone from the customer: &lt;b&gt;<mark>Fuser</mark>&lt;/b&gt; &amp; smoke" in page
    assert numbers(tech, f"{LIST}?q=fuser") == [titled.number, said.number]
    assert numbers(tech, f"{LIST}?q=fuser&o=-1") == [said.number, titled.number]
    assert "<mark>" not in shown(tech, LIST)


def test_a_search_says_where_it_looked(desk: Desk, tech: Client):
    desk.open_case(title="Moira cannot print")
    desk.open_case(title="Moira again")
    handing_on.hand_over(desk.open_case(title="Moira too").pk, desk.manager, NOON, owner=desk.l3, reason="Load")
    assert "Searched in all cases." in shown(tech, f"{LIST}?q=moira")
    mine = shown(tech, f"{LIST}?q=moira&queue=mine")
    assert "Searched only in “My queue”." in mine
    everywhere = re.search(r'<a href="([^"]*)">Search in all cases', mine)
    assert everywhere is not None
    assert len(numbers(tech, LIST + everywhere[1])) == 3
    filtered = shown(tech, f"{LIST}?q=moira&severity__exact=medium")
    assert "Searched only in the filters." in filtered
    assert "Searched" not in shown(tech, LIST)


def test_a_search_says_when_there_is_more_and_when_something_is_missing(
    desk: Desk, tech: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(query, "SHOWN", 2)
    desk.open_case()
    assert "add a word" not in shown(tech, f"{LIST}?q=print")
    desk.open_case()
    desk.open_case()
    assert "The best 2 are shown: add a word to find fewer." in shown(tech, f"{LIST}?q=print")
    assert "still being indexed" not in shown(tech, f"{LIST}?q=print")
    index.ask_to_index(Case.objects.all())
    assert UnindexedCase.objects.count() == 3
    assert "still being indexed" in shown(tech, f"{LIST}?q=print")


def test_parts_of_words_are_announced(desk: Desk, tech: Client):
    desk.open_case(title="The Laserjet")
    sentence = "No case has these words; these have them inside of other words."
    for road in (f"{LIST}?q=", PALETTE):
        assert sentence in shown(tech, f"{road}serj")
        assert "<mark>Laserjet</mark>" in shown(tech, f"{road}serj")
        assert sentence not in shown(tech, f"{road}laser")
        assert sentence not in shown(tech, f"{road}absent")


def test_the_export_of_a_search_has_everything_it_finds(desk: Desk, tech: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(query, "SHOWN", 2)
    cases = [desk.open_case(title=f"printer {number}") for number in range(4)]
    desk.open_case(title="other")
    answer = tech.post("/admin/cases/case/export/?q=printer", {"format": 0, "resource": 0})
    assert re.findall(r"SD-\d{6}", answer.content.decode()) == [case.number for case in reversed(cases)]


def test_a_found_page_costs_the_same_for_one_case_and_for_many(desk: Desk, tech: Client):
    desk.open_case()
    one = queries_of_page(tech, f"{LIST}?q=print")
    palette_of_one = queries_of_page(tech, f"{PALETTE}print")
    for _ in range(8):
        case = desk.open_case()
        contact_log.log_contact(
            case.pk, desk.technician, NOON, channel=Channel.PHONE, direction=Direction.IN, body="print"
        )
    assert queries_of_page(tech, f"{LIST}?q=print") == one
    assert queries_of_page(tech, f"{PALETTE}print") == palette_of_one


# --- the command palette ----------------------------------------------------------------------------------------------


def test_the_palette_finds_cases_by_number_title_and_any_word(desk: Desk, tech: Client):
    case = desk.open_case(title="Nobody can print", description="Since the <b>thunderstorm</b>")
    for typed in ("nobody", "print nobody", case.number, str(case.pk), "acme"):
        assert case.get_absolute_url() in shown(tech, PALETTE + typed), typed
    page = tech.get(f"{PALETTE}thunder").content.decode()
    assert "Detailed description: Since the &lt;b&gt;<mark>thunderstorm</mark>&lt;/b&gt;" in page
    assert "No case" not in page
    assert "No case with these words." in shown(tech, f"{PALETTE}absent")
    assert tech.get(PALETTE).content == tech.get(f"{PALETTE}%20").content == b""
    assert 'href="/admin/contacts/company/"' in shown(tech, f"{PALETTE}compan")


def test_the_palette_answers_anew_each_time(desk: Desk, tech: Client):
    assert "No case" in shown(tech, f"{PALETTE}print")
    desk.open_case()
    assert "No case" not in shown(tech, f"{PALETTE}print")


def test_of_many_cases_the_palette_leads_to_the_list(desk: Desk, tech: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(palette, "SHOWN", 2)
    for _ in range(3):
        desk.open_case(title="a & b print")
    page = tech.get(f"{PALETTE}print%20%26").content.decode()
    address = re.search(r'href="([^"]*)">All cases', page)
    assert address is not None
    assert len(numbers(tech, html.unescape(address[1]))) == 3


@pytest.mark.parametrize("typed", ["print", "acme", "thunder", "SD-{pk}", "{pk}", "fuser", "0"])
def test_a_foreign_case_is_nowhere_in_an_answer(desk: Desk, typed: str):  # A1
    """The very same answers as when the case were not there at all."""
    client = signed_in(desk.other_account_manager)
    typed = typed.format(pk=f"{desk.open_case(company=desk.other_company, title='x').pk + 1:06d}")
    roads = [PALETTE + typed, f"{LIST}?q={typed}", f"{LIST}?q={typed}&queue=everything"]
    without = [_answer(client, road) for road in roads]
    case = desk.open_case(title="Nobody can print", description="Since the thunderstorm")
    contact_log.log_contact(
        case.pk, desk.technician, NOON, channel=Channel.PHONE, direction=Direction.IN, body="The fuser"
    )
    assert [_answer(client, road) for road in roads] == without
    assert case.get_absolute_url() in shown(signed_in(desk.account_manager), PALETTE + "print")


def _answer(client: Client, address: str) -> str:
    return re.sub(r'(csrfmiddlewaretoken" value=)"\w+"', r"\1", shown(client, address))


# --- in a browser -----------------------------------------------------------------------------------------------------


@pytest.fixture
def page(browser: Browser, live_server: Any, client: Client) -> Iterator[Page]:
    """A fresh window; an error of a script on any page fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=live_server.url)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert errors == []


def open_palette(page: Page) -> Any:
    page.locator("body").press("Control+k")
    field = page.locator("#search-input-command")
    expect(field).to_be_focused()
    return field


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_palette_works_by_keyboard_on_every_page(page: Page, desk: Desk):
    older = desk.open_case(title="Nobody can print", description="Since the thunderstorm hit the office")
    newer = desk.open_case(title="Nobody can print again")
    desk.open_case(title="VPN drops", description="print")
    page.goto("/admin/")
    page.get_by_label("Username").fill("tech")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()
    for address in ("/admin/", LIST, older.get_absolute_url(), "/admin/contacts/company/"):
        page.goto(address)
        field = open_palette(page)
        field.press("Enter")  # nothing typed, nothing to open
        field.press("ArrowDown")
        field.press("Control+Enter")
        field.press_sequentially("absent")
        expect(page.get_by_text("No case with these words.")).to_be_visible()
        field.press("ArrowDown")
        field.press("Enter")
        field.press("ArrowUp")
        field.fill("")
        field.press_sequentially("print nob")
        rows = page.locator("#command-results-list li")
        expect(rows).to_have_count(2)
        expect(rows.first.locator("mark")).to_have_text(["Nobody", "print"])
    picture(page, "palette")
    field.press("ArrowDown")
    field.press("ArrowDown")
    field.press("ArrowDown")
    expect(rows.nth(1)).to_have_class(re.compile("active"))
    field.press("Enter")
    expect(page).to_have_url(re.compile(older.get_absolute_url()))
    field = open_palette(page)
    field.press_sequentially("print nob")
    expect(rows).to_have_count(2)
    field.press("Enter")  # without a choice: the best
    expect(page).to_have_url(re.compile(newer.get_absolute_url()))
    page.goto(f"{LIST}?q=thunder")
    expect(page.locator(".desk-found mark")).to_have_text("thunderstorm")
    picture(page, "found")
