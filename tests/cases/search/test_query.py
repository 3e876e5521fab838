"""What a search finds, in which order, and that it finds nothing a reader may not see; the same on both databases."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from cases.enums import Channel, Direction, Status
from cases.models import Case, CaseQuerySet, SearchDocument
from cases.search import postgresql, query
from cases.search.index import index_cases
from cases.search.query import every, readable_by, search
from cases.search.words import TITLE_MARK, document_text, marked, tokens_of
from cases.workflow import contact_log
from contacts.enums import Role
from tests.support.builders import NOON, Desk, build_user
from tests.support.examples import ALL_EXAMPLES
from tests.support.queries import queries_of

pytestmark = pytest.mark.django_db

EVERYTHING = Case.objects.all()


def found(typed: str, cases: CaseQuerySet | None = None, limit: int = query.SHOWN) -> list[str]:
    """The titles of what a search finds, the best first."""
    rows = Case.objects.all() if cases is None else cases
    result = search(rows, typed, limit)
    titles = list(result.of(rows).values_list("title", flat=True))
    assert sorted(result.keys, reverse=True) == sorted(result.of(rows).values_list("pk", flat=True), reverse=True)
    assert len(set(result.keys)) == len(result.keys)
    return titles


# --- what is searched -------------------------------------------------------------------------------------------------


def test_a_case_is_found_by_everything_it_says_and_everything_said(desk: Desk):
    case = desk.open_case(
        title="Nobody can print",
        description="Since the thunderstorm",
        device="Laserjet",
        affected_user="jdoe42",
        operating_system="Solaris",
        system_information="Driver seven",
    )
    contact_log.log_contact(
        case.pk, desk.technician, NOON, channel=Channel.PHONE, direction=Direction.IN, body="It smells of Café crème."
    )
    words = ["print", "thunder", "laserjet", "jdoe42", "solaris", "driver", "creme", "CAFÉ", "acme", "help desk"]
    for typed in [
        *words,
        "desk@acme.example.com",
        case.number,
        f"{case.pk}",
        f"{case.number} café",
        "acme smells print",
    ]:
        assert found(typed) == ["Nobody can print"], typed
    for typed in ["", " ", "thunder print", "orm", "SD-999999", "?", "😀", "print nothing"]:
        assert found(typed) == [], typed


def test_japanese_is_found_by_any_part_of_it(desk: Desk):
    desk.open_case(title="プリンタが印刷しない", description="再起動しても、ﾄﾞﾗｲﾊﾞが動きません。")
    for typed in ("印刷", "プリンタ", "刷し", "印", "い", "ドライバ", "印刷 プリンタ", "動きません 再起動"):
        assert found(typed) == ["プリンタが印刷しない"], typed
    for typed in ("刷印", "しるし", "起再"):
        assert found(typed) == [], typed


def test_parts_of_words_are_found_where_nothing_has_the_words(desk: Desk):
    desk.open_case(title="The Laserjet", device="srv-database-7", description="thunderstorm")
    desk.open_case(title="Jet lag")
    assert found("serj") == ["The Laserjet"]
    assert found("tabas laser") == ["The Laserjet"]
    assert found("jet") == ["Jet lag"]  # a word of its own, so no part is looked for
    result = search(EVERYTHING, "aserj")
    assert result.by_parts
    assert marked("The Laserjet", result.query) == [("The ", False), ("Laserjet", True)]
    assert [case.title for case in every(EVERYTHING, "serj")] == ["The Laserjet"]
    assert not search(EVERYTHING, "jet").by_parts
    for typed in ("nders", "rj", "SD-000999 serj", "absent", "serj absent"):
        assert found(typed) == [], typed
        assert not search(EVERYTHING, typed).by_parts


# --- order ------------------------------------------------------------------------------------------------------------


def test_the_number_comes_first_then_titles_then_the_newest(desk: Desk):
    named = desk.open_case(title="The one")
    titled = desk.open_case(title=f"Error {named.pk} again")
    older = desk.open_case(title="Older", description=f"error {named.pk}")
    newer = desk.open_case(title="Newer", description=f"error {named.pk}")
    assert found(str(named.pk)) == ["The one", titled.title, "Newer", "Older"]
    assert found(f"error {named.pk}") == [titled.title, "Newer", "Older"]
    assert found(named.number) == ["The one"]
    Case.objects.filter(pk=older.pk).update(external_reference="INC-77001")
    assert found("INC-77001") == ["Older"]  # by the column itself, whatever is indexed
    index_cases([older.pk, newer.pk])
    assert found("inc-770") == ["Older"]


def test_of_many_the_titles_and_the_newest_are_shown(desk: Desk, monkeypatch: Any):
    monkeypatch.setattr(postgresql, "WALKED", 4)
    for number in range(9):
        title = f"printer {number}" if number in (0, 1) else f"case {number}"
        desk.open_case(title=title, description="printer")
    assert found("printer", limit=5) == ["printer 1", "printer 0", "case 8", "case 7", "case 6"]
    assert search(EVERYTHING, "printer", 5).is_cut
    assert not search(EVERYTHING, "printer", 9).is_cut
    assert set(every(EVERYTHING, "printer")) == set(Case.objects.all())
    assert set(every(EVERYTHING, "")) == set()


# --- A1 ---------------------------------------------------------------------------------------------------------------


def test_nothing_foreign_is_found_counted_or_fills_the_answer(desk: Desk):  # A1
    own = desk.open_case(title="Own", company=desk.other_company, description="printer")
    for number in range(5):
        desk.open_case(title=f"printer {number}")
    mine = Case.objects.visible_to(desk.other_account_manager)
    assert found("printer", mine) == ["Own"]
    result = search(mine, "printer", 3)
    assert (result.keys, result.is_cut) == ([own.pk], False)
    foreign = Case.objects.exclude(pk=own.pk).first()
    assert foreign is not None
    for typed in (str(foreign.pk), foreign.number, "acme", "0"):
        assert found(typed, mine) == [], typed
    assert set(every(mine, "printer")) == {own}


def test_a_search_in_some_companies_asks_the_index_for_these_alone(desk: Desk, monkeypatch: Any):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite looks every found case up among those of the reader")
    monkeypatch.setattr(postgresql, "WALKED", 1)
    for company in (desk.company, desk.other_company, desk.other_company):
        desk.open_case(company=company, description="printer")
    with CaptureQueriesContext(connection) as asked:
        search(readable_by(desk.other_account_manager, Case.objects.all()), "printer acme")
    (statement,) = {row["sql"] for row in asked if "OFFSET 0) AS f" in row["sql"] and "acme" in row["sql"]}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        cursor.execute(f"EXPLAIN {statement}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    of_index = plan.partition("Bitmap Index Scan on search_document_words")[2]
    assert "(ARRAY[company_id] && " in of_index.partition("Index Cond")[2].splitlines()[0], plan


def test_the_companies_of_a_list_are_those_that_it_names_by_key(desk: Desk):
    one, other = desk.company.pk, desk.other_company.pk
    for cases, companies in (
        (EVERYTHING, None),
        (EVERYTHING.filter(company=one), [one]),
        (EVERYTHING.filter(company__id__exact=str(one)).exclude(status=Status.RESOLVED), [one]),
        (EVERYTHING.filter(company__in=[one, other]).filter(company=other), [other]),
        (EVERYTHING.filter(company=one).filter(company=other), []),
        (readable_by(desk.other_account_manager, EVERYTHING), [other]),
        (Case.objects.visible_to(desk.other_account_manager), None),  # by a subquery
        (EVERYTHING.exclude(company=one), None),
        (EVERYTHING.filter(Q(company=one) | Q(status=Status.ASSIGNED)), None),
        (EVERYTHING.filter(linked_to__company=one), None),
        (EVERYTHING.filter(contact__company=one), None),
        (EVERYTHING.filter(company__gt=one), None),
    ):
        assert postgresql.companies_of(cases) == companies, cases.query


def test_whoever_may_read_no_case_finds_none(desk: Desk):  # A1
    desk.open_case()
    for nobody in (build_user("", "roleless"), build_user(Role.COO, "left", is_active=False)):
        assert found("print", Case.objects.visible_to(nobody)) == []
    assert found("print", Case.objects.none()) == []


# --- the slow definition ----------------------------------------------------------------------------------------------

LATIN = ["printer", "print", "café", "Straße", "db1", "x"]
JAPANESE = ["印刷", "印刷機", "プリンタ", "刷"]


def plainly(typed: str, text: str) -> bool:
    """Whether a text has what was typed, by reading it: spaces separate words, and the last may be incomplete."""
    there = text.lower().replace("é", "e").replace("ß", "ss").split()
    asked = typed.lower().replace("é", "e").replace("ß", "ss").split()[:6]

    def is_there(word: str, is_last: bool) -> bool:
        if not word.isascii():
            pairs = [word[at : at + 2] for at in range(len(word) - 1)] or [word]
            return all(any(pair in one for one in there) for pair in pairs)
        return any(one.startswith(word) if is_last else one == word for one in there if one.isascii())

    return bool(asked) and all(is_there(word, place == len(asked) - 1) for place, word in enumerate(asked))


def plain_order(typed: str, cases: list[Case], limit: int) -> list[int]:
    both = [(plainly(typed, case.title), plainly(typed, f"{case.title} {case.description}"), case.pk) for case in cases]
    titled = sorted((pk for in_title, _, pk in both if in_title), reverse=True)
    others = sorted((pk for in_title, anywhere, pk in both if anywhere and not in_title), reverse=True)
    if len(titled) + len(others) > limit:
        others = sorted({*titled, *others}, reverse=True)[: limit + 1]
        others = [pk for pk in others if pk not in titled]
    return [*titled, *others][:limit]


@pytest.mark.parametrize("walked", [2, 2_000])
def test_a_search_finds_what_reading_everything_would_find(desk: Desk, monkeypatch: Any, walked: int):
    monkeypatch.setattr(postgresql, "WALKED", walked)
    random = Random(walked)
    cases = [desk.open_case(company=(desk.company, desk.other_company)[n % 2]) for n in range(12)]
    of_one = Case.objects.filter(company=desk.company)
    scopes = [
        Case.objects.all(),
        of_one,
        Case.objects.filter(pk__in=[case.pk for case in cases[:7]]),
        Case.objects.filter(company__in=[desk.company.pk, desk.other_company.pk], pk__lt=cases[9].pk),
        of_one.filter(company__in=[desk.other_company.pk]),
        readable_by(desk.other_account_manager, Case.objects.all()),
        Case.objects.visible_to(desk.other_account_manager),
    ]
    for round_number in range(30 if ALL_EXAMPLES else 8):
        for case in cases:
            case.title = " ".join(random.choices(LATIN + JAPANESE, k=random.randint(1, 2)))
            case.description = " ".join(random.choices(LATIN + JAPANESE, k=random.randint(0, 4)))
            Case.objects.filter(pk=case.pk).update(title=case.title, description=case.description)
        _index_without_names(cases)
        for _ in range(20):
            typed = " ".join(random.choices([*LATIN, *JAPANESE, "pri", "d", "absent", "stra"], k=random.randint(1, 3)))
            limit = random.choice([3, 50])
            scope = random.choice(scopes).all()  # asks afresh
            expected = plain_order(typed, list(scope), limit)
            assert search(scope, typed, limit).keys == expected, (round_number, typed)
            if limit == 50:
                assert set(every(scope, typed).values_list("pk", flat=True)) == set(expected)


def _index_without_names(cases: list[Case]) -> None:
    """Index the titles and descriptions alone: the names of people are not what is compared."""
    for case in cases:
        title = list(tokens_of(case.title))
        words = document_text([*title, *(TITLE_MARK + word for word in title), *tokens_of(case.description)])
        SearchDocument.objects.filter(case=case).update(words=words)


# --- cost and bad input -----------------------------------------------------------------------------------------------


def test_a_search_is_a_few_queries_however_much_there_is(desk: Desk):
    desk.open_case(title="printer")
    few = queries_of(lambda: search(EVERYTHING.filter(status=Status.ASSIGNED), "printer acme"))
    for _ in range(6):
        desk.open_case(title="printer")
    assert queries_of(lambda: search(EVERYTHING.filter(status=Status.ASSIGNED), "printer acme")) == few <= 6


@pytest.mark.parametrize(
    "typed",
    [
        "'", '"', "\\", "print'", "a:*", "a & !b | (c) <-> d", "NEAR(a b)", "{words}: x", "^print", "print*", "-print",
        "%", "_", "\0", "print\0er", "\ud800", "😀", "x" * 100_000, "印" * 10_000, " ".join("abcdefghij"), "AND OR NOT",
        "§print", "№1", "SD-", "SD-1 SD-2", "١٢٣", "9" * 40, "print\n\tacme", "\u200b",
    ],
)  # fmt: skip
def test_no_text_is_an_error(desk: Desk, typed: str):  # S4
    desk.open_case()
    for scope in (Case.objects.all(), Case.objects.filter(company=desk.company), Case.objects.none()):
        search(scope, typed)
        list(every(scope, typed))
