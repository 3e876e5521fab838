"""The tally of loads is what counting the cases gives, whatever happens to them (C6)."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from django.db import connection, connections, transaction

from cases.bulk import update_columns
from cases.enums import Severity, Status
from cases.loads import count_loads, open_loads
from cases.models import Case, LoadEntry
from cases.tasks import count_loads as count_loads_task
from contacts.models import User
from tests.support.builders import NOON, Desk, build_technician
from tests.support.loads import counted_loads
from tests.support.workers import at_once

pytestmark = pytest.mark.django_db


def tally() -> dict[int, int]:
    return open_loads(User.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_to_cases_the_tally_is_what_counting_gives(desk: Desk, seed: int) -> None:  # C6
    drawn = Random(seed)
    owners = [desk.technician, desk.l3, build_technician(desk.centre), None]

    def any_cases() -> list[Case]:
        cases = list(Case.objects.order_by("pk"))
        return drawn.sample(cases, drawn.randint(0, len(cases)))

    def drawn_columns() -> dict[str, object]:
        severity, owner = drawn.choice(list(Severity)), drawn.choice(owners)
        status = drawn.choice([Status.ASSIGNED, Status.IN_PROGRESS, Status.RESOLVED])
        resolved_at = NOON if status == Status.RESOLVED else None
        return {"owner": owner, "severity": severity, "status": status, "resolved_at": resolved_at}

    def some_are_opened() -> None:
        for _ in range(drawn.randint(1, 3)):
            desk.open_case(severity=drawn.choice(list(Severity)))

    def many_are_imported() -> None:
        about = {"company": desk.company, "contact": desk.contact, "opened_at": NOON}
        Case.objects.bulk_create(Case(title="?", **about, **drawn_columns()) for _ in range(drawn.randint(2, 9)))

    def some_change_alike() -> None:
        Case.objects.filter(pk__in=[case.pk for case in any_cases()]).update(**drawn_columns())

    def a_sweep_writes_some() -> None:
        cases = any_cases()
        for case in cases:
            case.owner, case.severity = drawn.choice(owners), drawn.choice(list(Severity))
        update_columns(cases, ("owner", "severity"))

    def some_are_deleted() -> None:
        Case.objects.filter(title="?", pk__in=[case.pk for case in any_cases()]).delete()

    def it_is_counted() -> None:
        count_loads()

    def it_is_taken_back() -> None:
        with transaction.atomic():
            some_change_alike()
            transaction.set_rollback(True)

    events: list[Callable[[], None]] = [
        some_are_opened,
        many_are_imported,
        some_change_alike,
        a_sweep_writes_some,
        some_are_deleted,
        it_is_counted,
        it_is_taken_back,
    ]
    some_are_opened()
    for event in drawn.choices(events, k=40):
        event()
        assert tally() == counted_loads(), event.__name__


def test_a_change_that_leaves_the_load_as_it_is_writes_no_entry(desk: Desk) -> None:
    case = desk.open_case()
    entries = LoadEntry.objects.count()
    Case.objects.filter(pk=case.pk).update(title="Another", severity=case.severity, status=Status.IN_PROGRESS)
    case.save()
    assert LoadEntry.objects.count() == entries


def test_a_tally_of_many_entries_is_put_together(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    case, before = desk.open_case(severity=Severity.LOW), tally()
    count_loads_task()
    assert LoadEntry.objects.count() == 1  # of few entries nothing is made
    for severity in (Severity.HIGH, Severity.LOW) * 20:
        Case.objects.filter(pk=case.pk).update(severity=severity)
    assert LoadEntry.objects.count() == 81
    monkeypatch.setattr("cases.loads.COUNTED_ANEW_AFTER", 50)
    count_loads_task()
    row = LoadEntry.objects.get()
    assert (row.owner_id, row.severity, row.cases) == (case.owner_id, Severity.LOW, 1)
    assert tally() == before


def test_a_tally_that_is_wrong_is_mended(desk: Desk) -> None:
    desk.open_case()
    LoadEntry.objects.all().delete()
    assert tally() != counted_loads()
    count_loads()
    assert tally() == counted_loads()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ends", ["commit", "rollback"])
def test_what_is_not_committed_while_it_is_counted_is_neither_lost_nor_counted_twice(desk: Desk, ends: str) -> None:
    cases = [desk.open_case(severity=Severity.LOW) for _ in range(3)]
    its = connections.create_connection(connection.alias)
    its.set_autocommit(False)
    try:
        with its.cursor() as cursor:
            cursor.execute("UPDATE cases_case SET severity = 'critical' WHERE id = %s", [cases[0].pk])
            cursor.execute("UPDATE cases_case SET owner_id = %s WHERE id = %s", [desk.l3.pk, cases[1].pk])
            cursor.execute(
                "UPDATE cases_case SET status = 'resolved', resolved_at = now() WHERE id = %s", [cases[2].pk]
            )
        count_loads()
        assert tally() == counted_loads()
        getattr(its, ends)()
    finally:
        its.close()
    assert tally() == counted_loads()
    assert tally()[desk.l3.pk] == (1 if ends == "commit" else 0)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_counting_at_once_counts_nothing_twice(desk: Desk) -> None:
    for _ in range(5):
        desk.open_case()
    at_once(*[count_loads] * 6)
    assert tally() == counted_loads()
