"""What several parts of one page read of a case is read once and kept with the instance of the case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import TypeVar

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from cases.models import Absence, Case, Interaction, ReceivedMail
from contacts.directory import Directory
from contacts.models import User

Value = TypeVar("Value")


def kept_with_case(load: Callable[[Case], Value]) -> Callable[[Case], Value]:
    """Decorate a loader for pages: its answer lives as long as the instance. Moves and sweeps read afresh."""
    key = _key(load)

    @wraps(load)
    def kept(case: Case) -> Value:
        if key not in case.__dict__:
            case.__dict__[key] = load(case)
        value: Value = case.__dict__[key]
        return value

    return kept


def _key(load: Callable[[Case], Value]) -> str:
    return f"_kept_{load.__qualname__}"


def load_kept(
    load: Callable[[Case], Value], cases: Iterable[Case], load_many: Callable[[Sequence[Case]], Mapping[int, Value]]
) -> dict[int, Value]:
    """What a loader of `kept_with_case` answers for each of several cases of one page, by key of the case.

    Those of which it is not known yet are loaded together by `load_many`, which answers by key as well.
    """
    cases, key = list(cases), _key(load)
    unknown = [case for case in cases if key not in case.__dict__]
    found = load_many(unknown) if unknown else {}
    for case in unknown:
        case.__dict__[key] = found[case.pk]
    return {case.pk: load(case) for case in cases}


@kept_with_case
def directory_of(case: Case) -> Directory:
    """Who holds the management roles (D4)."""
    return Directory()


@kept_with_case
def _users_of(case: Case) -> dict[int, User]:
    return {}


def users_of(case: Case, ids: Iterable[int | None]) -> dict[int, User]:
    """The users with these keys, and others that the page knows; no query for those that are known."""
    known = _users_of(case)
    unknown = set(ids) - known.keys() - {None}
    if unknown:
        known |= User.objects.in_bulk(unknown)
    return known


#: How many absences a page reads; nobody notes so many.
ABSENCES_READ = 200


@kept_with_case
def absences_around(case: Case) -> list[Absence]:
    """The absences that were noted on the case, and those of its contact noted elsewhere; newest first (F5)."""
    if not may_have(case, HAS_ABSENCES):
        return []
    rows = Absence.objects.filter(Q(case=case) | Q(contact=case.contact_id))
    rows = rows.select_related("noted_by", "settled_by", "contact").order_by("-noted_at", "-pk")
    return list(rows[:ABSENCES_READ])


HAS_ABSENCES = "has_absences"
#: Whether a case has rows of some kind, by the name of the attribute that says so: other subjects add theirs, and ask
#: for the rows of few cases only.
HAS_ROWS = {
    HAS_ABSENCES: Exists(Absence.objects.filter(Q(case=OuterRef("pk")) | Q(contact=OuterRef("contact_id")))),
}


def with_page_facts(cases: QuerySet[Case]) -> QuerySet[Case]:
    """Read what `newest_entry`, `has_other_mail` and `may_have` say together with the cases."""
    newest = Interaction.objects.filter(case=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    other = ReceivedMail.objects.filter(case=OuterRef("pk"), interaction=None)
    return cases.annotate(newest_entry=Subquery(newest), has_other_mail=Exists(other), **HAS_ROWS)


def may_have(case: Case, attribute: str) -> bool:
    """Whether a case may have rows of the kind of `HAS_ROWS`: False only where its row was read with the answer."""
    return bool(case.__dict__.get(attribute, True))


def has_other_mail(case: Case) -> bool:
    """Whether mail came in on the case that is no contact of its log: bounces, delays, what programs wrote."""
    if "has_other_mail" not in case.__dict__:
        case.__dict__["has_other_mail"] = ReceivedMail.objects.filter(case=case, interaction=None).exists()
    return bool(case.__dict__["has_other_mail"])


def newest_entry(case: Case) -> int:
    """The key of the newest entry of the case's log; 0 for none."""
    if "newest_entry" not in case.__dict__:
        newest = Interaction.objects.filter(case=case).order_by("-pk").values_list("pk", flat=True).first()
        case.__dict__["newest_entry"] = newest
    return case.__dict__["newest_entry"] or 0
