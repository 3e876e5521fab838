"""What a hand-over is decided from: the centres with their crews, the cases that leave, where each stands (W3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, Subquery

from cases.enums import Channel, Direction, Status
from cases.models import Case, CaseQuerySet, Interaction
from cases.models.case import CHECKS, load_people
from cases.page_cache import HAS_ROWS, kept_with_case, load_kept, may_have
from cases.roster import language_of_service
from cases.work_items import upcoming_of, work_items_of
from contacts.models import SupportCentre, Technician, User
from contacts.wording import day_and_time
from escalations.clocks import load_clocks_for_page
from escalations.models import HandoverLine
from escalations.points.work import next_point
from escalations.policy.handover import Crew, EndingDay, LastWord, Standing, where_it_stands

#: How many deadlines of one case a sheet names.
OWED_SHOWN = 5


@dataclass(frozen=True)
class CentreCrew:
    """A centre, its hours, whoever belongs to it, and who of them is on duty and can sign in (D9)."""

    centre: SupportCentre
    crew: Crew
    members: tuple[int, ...]
    on_duty: tuple[User, ...]

    def without(self, user: User) -> Crew:
        """Those who are left when somebody goes."""
        left = [one for one in self.on_duty if one.pk != user.pk]
        return Crew(self.crew.centre, self.crew.hours, tuple(frozenset(one.technician.languages) for one in left))


def load_crews() -> dict[int, CentreCrew]:
    """Every centre by its key, in the order of the names; four queries."""
    centres = list(SupportCentre.objects.prefetch_related("spans", "closure_days").order_by("name"))
    members: dict[int, list[Technician]] = {centre.pk: [] for centre in centres}
    for technician in Technician.objects.select_related("user").order_by("user_id"):
        members[technician.centre_id].append(technician)
    return {centre.pk: _crew(centre, members[centre.pk]) for centre in centres}


def _crew(centre: SupportCentre, members: Sequence[Technician]) -> CentreCrew:
    on_duty = [one for one in members if one.on_duty and one.user.can_sign_in]
    crew = Crew(centre.pk, centre.opening_hours(), tuple(frozenset(one.languages) for one in on_duty))
    return CentreCrew(centre, crew, tuple(one.user_id for one in members), tuple(one.user for one in on_duty))


# --- which cases ------------------------------------------------------------------------------------------------


def leaving(owners: Sequence[int], day: EndingDay, now: datetime, *, is_over: bool) -> CaseQuerySet:
    """The open cases of these owners whose next deadline falls outside the day, the soonest first.

    As `EndingDay.leaves`, and with `is_over` as `leaves_undone`. One index is read, from the day's end on.
    """
    cases = Case.objects.open().filter(owner__in=owners, next_due_at__isnull=False)
    if day.back_at is not None:
        cases = cases.filter(next_due_at__lte=day.back_at)
    if not is_over:
        cases = cases.filter(next_due_at__gt=day.ends_at)
    return cases.order_by("next_due_at", "pk")


def is_looked_at(now: datetime) -> Q:
    """Cases that a sweep has to look at first: until then their next deadline is not known (E3)."""
    found = Q()
    for column in sorted(CHECKS):
        found |= Q(**{f"{column}__lte": now})
    return found


# --- where they stand -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StandsAt:
    """What a line of the sheet says of a case."""

    case: Case
    stands: str
    owed: list[dict[str, str]]
    language: str


def load_standings(cases: Sequence[Case], now: datetime, time_zone: str, japan_on_holidays: bool) -> Iterator[StandsAt]:
    """Where each of the owned cases stands, with moments of `time_zone`; a fixed number of queries for any number."""
    load_people(cases)
    reader = next(case.owner for case in cases if case.owner is not None)
    items, coming = work_items_of(cases, reader, now), upcoming_of(cases, now)
    clocks, words = load_clocks_for_page(cases), _last_words(cases)
    zone = ZoneInfo(time_zone)
    today = now.astimezone(zone).date()

    def show(moment: datetime) -> str:
        local = moment.astimezone(zone)
        return f"{day_and_time(local, today)} {local.tzname()}"

    for case in cases:
        owed = [(item.act, item.due_at) for item in items[case.pk] if item.due_at is not None]
        if case.pk in coming:
            owed.append((f"{coming[case.pk].what} (by itself)", coming[case.pk].at))
        owed.sort(key=lambda one: one[1])
        clock, due = clocks[case.pk], next_point(clocks[case.pk], now)
        run = clock.reading(now).run if clock.timeline is not None and clock.snapshots else 0
        done = [row for key, row in clock.ledger.items() if key[:2] == (run, case.severity) and row.carried_out]
        last = max(done, key=lambda row: row.number, default=None)
        is_waiting = case.status == Status.WAITING
        standing = Standing(
            Status(case.status).label,
            words.get(case.pk),
            case.wait_question if is_waiting else "",
            case.waiting_since if is_waiting else None,
            f"{last.get_severity_display()} {last.number}" if last is not None else "",
            due.point.name if due is not None else "",
            due.due_at if due is not None else None,
        )
        yield StandsAt(
            case,
            where_it_stands(standing, show),
            [{"what": what, "due_at": at.isoformat()} for what, at in owed[:OWED_SHOWN]],
            language_of_service(case.contact.speaks, case.next_due_at or now, japan_on_holidays),
        )


def _last_words(cases: Sequence[Case]) -> dict[int, LastWord]:
    """The newest contact with the customer of each case, by its key; one query for which, one for what."""
    spoken = Interaction.objects.filter(case=OuterRef("pk"), with_customer=True, withdrawn_at=None)
    spoken = spoken.exclude(direction=Direction.INTERNAL).order_by("-at", "-pk")
    found = Case.objects.filter(pk__in=[case.pk for case in cases]).annotate(newest=Subquery(spoken.values("pk")[:1]))
    keys = [key for key in found.order_by().values_list("newest", flat=True) if key is not None]
    rows = Interaction.objects.filter(pk__in=keys).select_related("by", "contact")
    return {row.case_id: _word(row) for row in rows}


def _word(row: Interaction) -> LastWord:
    from_customer = row.direction == Direction.IN
    who = row.contact.name if from_customer and row.contact is not None else str(row.by or "The desk")
    return LastWord(from_customer, who, Channel(row.channel).in_sentence, row.at, row.body)


# --- the page of a case -----------------------------------------------------------------------------------------

#: How many hand-overs of one case its page reads.
READ = 50
HAS_HANDOVERS = "has_handovers"
HAS_ROWS[HAS_HANDOVERS] = Exists(HandoverLine.objects.filter(case=OuterRef("pk")))


@kept_with_case
def handovers_of(case: Case) -> list[HandoverLine]:
    """The newest hand-overs of the case, for the parts of its page; one query."""
    return handovers_by_case([case])[case.pk]


def handovers_by_case(cases: Sequence[Case]) -> dict[int, list[HandoverLine]]:
    """The newest hand-overs of each of the cases; one query, none where it is known that there is none."""
    found: dict[int, list[HandoverLine]] = {case.pk: [] for case in cases}
    some = [case.pk for case in cases if may_have(case, HAS_HANDOVERS)]
    if not some:
        return found
    lines = HandoverLine.objects.filter(case__in=some)
    lines = lines.select_related(
        "sheet__centre", "sheet__to_centre", "sheet__person", "owner", "accepted_by", "new_owner"
    )
    for line in lines.order_by("-pk")[: READ * len(some)]:
        found[line.case_id].append(line)
    return found


def handovers_for_page(cases: Sequence[Case]) -> dict[int, list[HandoverLine]]:
    """As `handovers_of` for several cases of one page; one query, none for those that are known."""
    return load_kept(handovers_of, cases, handovers_by_case)
