"""A compiled query answers what the same query of Django answers, whatever it is asked with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.test.utils import CaptureQueriesContext

from cases.enums import Channel, Direction, Severity
from cases.models import Case, Interaction
from cases.workflow.contact_log import log_contact
from contacts.compiled import KEY, KEYS, MOMENT, TEXT, CompiledQuery
from contacts.models import User
from tests.support.builders import NOON, Desk
from tests.support.workers import at_once

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def due(now: object) -> QuerySet[Case]:
    return Case.objects.due_for_sla(now).select_related("contact", "owner__technician")[:3]


def of_keys(keys: object) -> QuerySet[Case]:
    return Case.objects.filter(pk__in=keys).order_by("-pk")


def said(cases: object, since: object, words: object) -> QuerySet[Interaction]:
    rows = Interaction.objects.filter(Q(at__gte=since) | Q(resent_at__gte=since), case__in=cases, body=words)
    return rows.exclude(direction=Direction.INTERNAL, told=[]).defer("body").order_by("at", "pk")


def said_to(case: object) -> QuerySet[Case]:
    contacts = Interaction.objects.filter(case=OuterRef("pk"), by__isnull=False)
    return Case.objects.filter(pk=case).annotate(has_contacts=Exists(contacts), twice=F("pk") * 2)


@pytest.fixture
def cases(desk: Desk) -> list[Case]:
    made = [desk.open_case(NOON + n * HOUR, severity=severity) for n, severity in enumerate(Severity)]
    for n, case in enumerate(made[:3]):
        words = {"channel": Channel.PHONE, "direction": Direction.OUT, "body": f"Word {n % 2}"}
        log_contact(case.pk, desk.technician, NOON + (5 + n) * HOUR, **words)
    return made


def everything(row: object) -> object:
    """A row with what was read with it."""
    if not isinstance(row, Case | Interaction):
        return row
    return {name: value for name, value in vars(row).items() if name != "_state"}, row._state.fields_cache


@pytest.mark.parametrize("moment", [NOON - HOUR, NOON, NOON + 2 * HOUR, NOON + 300 * HOUR])
def test_by_a_moment(cases: list[Case], moment: object) -> None:
    compiled = CompiledQuery(due, now=MOMENT)
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            rows = compiled(now=moment)
            owners = [row.owner.technician.level for row in rows if row.owner]
        assert len(asked) == 1
        assert list(map(everything, rows)) == list(map(everything, due(moment)))
        assert len(owners) == len(rows)


def test_by_lists_of_any_length(cases: list[Case]) -> None:
    compiled = CompiledQuery(of_keys, keys=KEYS)
    keys = [case.pk for case in cases]
    for wanted in (keys[:1], keys, keys[1:3], [*keys, 424242], [424242]):
        assert compiled(keys=wanted) == list(of_keys(wanted))
        assert compiled.by_key(keys=set(wanted)) == of_keys(wanted).order_by().in_bulk()
    with CaptureQueriesContext(connection) as asked:
        assert compiled(keys=[]) == compiled(keys=[None, 2**63, -(2**64)]) == []
    assert len(asked) == 0
    assert compiled(keys=[2**63, keys[0]]) == [cases[0]]


@pytest.mark.parametrize("key", [None, 10**26, -(2**63) - 1])
def test_a_key_that_no_row_can_have_finds_nothing(cases: list[Case], key: int | None) -> None:
    compiled = CompiledQuery(lambda case: Case.objects.filter(pk=case), case=KEY)
    assert compiled(case=key) == []
    assert compiled(case=cases[0].pk) == [cases[0]]


@pytest.mark.parametrize("words", ["Word 0", "Word 1", "%s", "'; --", "(:cases:)", ""])
def test_by_several_at_once(cases: list[Case], words: str) -> None:
    compiled = CompiledQuery(said, cases=KEYS, since=MOMENT, words=TEXT)
    keys = [case.pk for case in cases]
    for since in (NOON, NOON + 6 * HOUR):
        wanted = said(keys, since, words)
        assert [everything(row) for row in compiled(cases=keys, since=since, words=words)] == list(
            map(everything, wanted)
        )
    Interaction.objects.filter(case=cases[0]).update(body=words)
    assert len(compiled(cases=keys, since=NOON, words=words)) >= 1


@pytest.mark.parametrize(
    "shape",
    [
        lambda rows: rows,
        lambda rows: rows.values_list("pk", "severity", "has_contacts"),
        lambda rows: rows.values_list("pk", flat=True),
        lambda rows: rows.values("pk", "twice"),
        lambda rows: rows.only("pk", "title"),
    ],
)
def test_rows_have_the_shape_of_the_query(cases: list[Case], shape: Callable[[QuerySet], QuerySet]) -> None:
    compiled = CompiledQuery(lambda case: shape(said_to(case)), case=KEY)
    for case in (cases[3], cases[0], cases[3]):
        assert list(map(everything, compiled(case=case.pk))) == list(map(everything, shape(said_to(case.pk))))


def test_what_changed_is_read_anew(cases: list[Case]) -> None:
    compiled = CompiledQuery(of_keys, keys=KEYS)
    (before,) = compiled(keys=[cases[0].pk])
    Case.objects.filter(pk=cases[0].pk).update(title="Nobody can scan")
    (after,) = compiled(keys=[cases[0].pk])
    assert (before.title, after.title) == ("Nobody can print", "Nobody can scan")
    assert before is not after


def test_a_row_is_a_row_like_any_other(cases: list[Case]) -> None:
    """It is saved, and what was not read with it is read."""
    (case,) = CompiledQuery(lambda case: Case.objects.filter(pk=case).only("title"), case=KEY)(case=cases[0].pk)
    assert case.company.name == "Acme"
    assert case.severity == cases[0].severity
    case.title = "Nobody can scan"
    case.save()
    assert Case.objects.get(pk=case.pk).title == "Nobody can scan"


def test_a_failure_leaves_it_usable(cases: list[Case]) -> None:
    compiled = CompiledQuery(of_keys, keys=KEYS)
    with pytest.raises((ValueError, TypeError)):
        compiled(keys=["x"])
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username=User.objects.values_list("username", flat=True)[0])
    assert compiled(keys=[cases[0].pk]) == [cases[0]]


@pytest.mark.django_db(transaction=True)
def test_two_threads_at_once_read_each_their_own(cases: list[Case]) -> None:
    compiled = CompiledQuery(of_keys, keys=KEYS)
    found: list[tuple[Case, list[Case]]] = []

    def read(case: Case) -> None:
        for _ in range(20):
            found.append((case, compiled(keys=[case.pk])))

    at_once(partial(read, cases[0]), partial(read, cases[1]))
    assert len(found) == 40
    assert all(rows == [case] for case, rows in found)
