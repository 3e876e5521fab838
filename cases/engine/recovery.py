"""What an outage did (S3): what came due while a sweep stood still, and what became of each, read from the ledgers.

Whoever keeps a ledger registers a reporter for its sweep, so that later apps tell their part without being known.
Nothing is kept of a report but the outage itself: it is read anew each time, in a fixed number of queries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Count, Q, QuerySet, TextChoices

from cases.enums import FollowUpStep
from cases.models import Case, FailedCase, FollowUp, Outage
from contacts.wording import rough_duration, utc_stamp

#: How many of the things that came due a report lists; all of them are counted.
LISTED = 100


class LateOutcome(TextChoices):
    """What became of something that came due while nobody looked."""

    LATE = "late", "done late"
    OPEN = "open", "not done yet"
    SUPERSEDED = "superseded", "superseded by a later notice"
    RECORDED = "recorded", "only recorded: the case was closed or its severity lowered meanwhile"


@dataclass(frozen=True)
class LateWork:
    """One thing that came due during an outage: what it was, when it was due and when it was done, if it was (E5,
    F7).
    """

    case_id: int
    title: str
    what: str
    due_at: datetime
    done_at: datetime | None
    outcome: LateOutcome

    @property
    def number(self) -> str:
        """The number of its case."""
        return Case(pk=self.case_id).number

    @property
    def link(self) -> str:
        """The page of its case."""
        return Case(pk=self.case_id).get_absolute_url()

    @property
    def late_by(self) -> str:
        """How much later than due it was done, in words; "" while it is not done."""
        return rough_duration(self.done_at - self.due_at) if self.done_at is not None else ""


@dataclass(frozen=True)
class Late:
    """A reporter's answer: the first things by due time, and how many there are of each outcome."""

    works: Sequence[LateWork] = ()
    counts: Counter[LateOutcome] = field(default_factory=Counter)


#: What came due after the first moment, up to and including the second; so many of them are listed, all are counted.
Reporter = Callable[[datetime, datetime, int], Late]

_reporters: dict[str, Reporter] = {}


def late_work(sweep: str) -> Callable[[Reporter], Reporter]:
    """Register the decorated reporter: it tells what came due while the sweep of that name stood still."""

    def register(reporter: Reporter) -> Reporter:
        _reporters[sweep] = reporter
        return reporter

    return register


def reported_sweeps() -> list[str]:
    """The sweeps whose outages are noted: those that somebody reports on."""
    return sorted(_reporters)


@dataclass(frozen=True)
class Report:
    """What one or several outages that were told together did."""

    outages: Sequence[Outage]
    works: Sequence[LateWork]
    counts: Counter[LateOutcome]
    set_aside: int

    @property
    def began_at(self) -> datetime:
        """The last look before, of the sweep that stopped first."""
        return min(outage.began_at for outage in self.outages)

    @property
    def ended_at(self) -> datetime:
        """The first look after, of the sweep that came back last."""
        return max(outage.ended_at for outage in self.outages)

    @property
    def catching_up(self) -> bool:
        """Whether something that came due meanwhile may still be on its way."""
        return any(outage.caught_up_at is None for outage in self.outages)

    @property
    def length(self) -> str:
        """How long nobody looked, in words."""
        return rough_duration(self.ended_at - self.began_at)

    @property
    def left_out(self) -> int:
        """How many things came due that are counted but not listed."""
        return self.counts.total() - len(self.works)

    @property
    def sentence(self) -> str:
        """How much came due and what became of it, in one sentence or two; without the times."""
        return " ".join(filter(None, [_said_counts(self.counts), _said_set_aside(self.set_aside)]))


def report_on(outages: Sequence[Outage]) -> Report:
    """The report on these outages: two queries for each and one more. `outages` is not empty."""
    lates = [_reporters[one.sweep](one.began_at, one.ended_at, LISTED) for one in outages if one.sweep in _reporters]
    works = sorted((work for late in lates for work in late.works), key=lambda work: (work.due_at, work.case_id))
    counts: Counter[LateOutcome] = Counter()
    for late in lates:
        counts.update(late.counts)
    return Report(outages, works[:LISTED], counts, _set_aside(outages))


def _set_aside(outages: Sequence[Outage]) -> int:
    """How many cases could not be worked while catching up and still cannot (S2)."""
    aside = FailedCase.objects.filter(
        solved_at=None,
        sweep__in=[outage.sweep for outage in outages],
        since__gte=min(outage.ended_at for outage in outages),
    )
    if all(outage.caught_up_at for outage in outages):
        aside = aside.filter(since__lte=max(outage.caught_up_at for outage in outages if outage.caught_up_at))
    return aside.count()


def told_with(outage: Outage) -> list[Outage]:
    """The outages that were told together with this one, itself among them; alone while it is not told yet."""
    if outage.told_at is None:
        return [outage]
    return list(Outage.objects.filter(told_at=outage.told_at).order_by("began_at", "pk"))


def newest_reports(number: int) -> list[Report]:
    """The newest reports, the latest outage first."""
    groups: dict[datetime | int, list[Outage]] = {}
    for outage in Outage.objects.all()[: number * len(_reporters)]:
        groups.setdefault(outage.told_at or outage.pk, []).append(outage)
    return [report_on(group) for group in list(groups.values())[:number]]


def as_text(report: Report) -> str:
    """The report for a terminal; all times UTC."""
    began, ended = utc_stamp(report.began_at), utc_stamp(report.ended_at)
    lines = [f"The engine stood still from {began} to {ended} UTC ({report.length}). {report.sentence}"]
    if report.catching_up:
        lines.append("It is still catching up; more may follow.")
    lines += [f"  {work.number}  {work.what}: due {utc_stamp(work.due_at)}, {_became(work)}" for work in report.works]
    if report.left_out:
        lines.append(f"  ... and {report.left_out:,} more")
    return "\n".join(lines)


def _became(work: LateWork) -> str:
    if work.done_at is None:
        return work.outcome.label
    return f"done {utc_stamp(work.done_at)} ({work.late_by} late), {work.outcome.label}"


def _said_counts(counts: Counter[LateOutcome]) -> str:
    total = counts.total()
    if not total:
        return "Nothing came due meanwhile."
    became = [
        f"{counts[outcome]:,} {one if counts[outcome] == 1 else several}"
        for outcome, one, several in (
            (LateOutcome.LATE, "was done late", "were done late"),
            (LateOutcome.OPEN, "is not done yet", "are not done yet"),
            (LateOutcome.SUPERSEDED, "was superseded", "were superseded"),
            (LateOutcome.RECORDED, "was only recorded", "were only recorded"),
        )
        if counts[outcome]
    ]
    return f"{total:,} obligation{'' if total == 1 else 's'} came due: {', '.join(became)}."


def _said_set_aside(number: int) -> str:
    if number == 1:
        return "1 case could not be worked and is set aside."
    return f"{number:,} cases could not be worked and are set aside." if number else ""


# --- reading a ledger ---------------------------------------------------------------------------------------------


def read_late(
    ledger: QuerySet[Any], what: Callable[[Any], str], began_at: datetime, ended_at: datetime, at_most: int
) -> Late:
    """What a ledger's rows say came due in between; two queries.

    The rows have a case, `due_at`, `done_at` (None while it is not done) and, as an annotation, the LateOutcome as
    `became`; `what` names a row.
    """
    due = ledger.filter(due_at__gt=began_at, due_at__lte=ended_at)
    totals = due.order_by().values_list("became").annotate(Count("pk"))
    counts = Counter({LateOutcome(became): number for became, number in totals})
    rows = due.select_related("case").order_by("due_at", "pk")[:at_most]
    works = [
        LateWork(row.case_id, row.case.title, what(row), row.due_at, row.done_at, LateOutcome(row.became))
        for row in rows
    ]
    return Late(works, counts)


def outcome_if(condition: Q, outcome: LateOutcome, otherwise: LateOutcome) -> models.Case:
    """The LateOutcome of a row, as a database expression."""
    return models.Case(models.When(condition, then=models.Value(outcome)), default=models.Value(otherwise))


@late_work("follow-up")
def late_notices(began_at: datetime, ended_at: datetime, at_most: int) -> Late:
    """The notices and closings that came due in between (F7)."""
    became = outcome_if(Q(superseded=True), LateOutcome.SUPERSEDED, LateOutcome.LATE)
    ledger = FollowUp.objects.annotate(became=became)
    return read_late(ledger, lambda row: FollowUpStep(row.step).label, began_at, ended_at, at_most)
