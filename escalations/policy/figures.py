"""Every figure of the reports, defined once: the page shows these sentences beside the figures, docs/reports.md lists
them, and the queries in `escalations.reports.state` follow them (W4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from contacts.wording import duration
from escalations.policy.reporting import AGES


class Ledger(Enum):
    """Where the rows stand that a figure counts."""

    CASES = "cases"
    PROMISES = "promises"
    ESCALATIONS = "escalations"


class Unit(Enum):
    """How a value is written."""

    COUNT = "count"
    SECONDS = "seconds"
    SHARE = "share"  # of 1
    MEAN = "mean"


@dataclass(frozen=True)
class ReportFigure:
    """Rows that are counted, and when one belongs to a period."""

    slug: str
    label: str
    ledger: Ledger
    definition: str


FIGURES = {
    figure.slug: figure
    for figure in (
        ReportFigure(
            "kept_by_people",
            "Kept by people",
            Ledger.PROMISES,
            "First responses and status updates that came due in the period and were in time because a person wrote or "
            "called (T1, T2).",
        ),
        ReportFigure(
            "kept_by_desk",
            "Kept by the desk",
            Ledger.PROMISES,
            "Status updates that came due in the period and were in time because the desk sent one by itself (T3).",
        ),
        ReportFigure(
            "missed",
            "Missed",
            Ledger.PROMISES,
            "First responses and status updates that came due in the period and were not in time; a later word does "
            "not undo that (T4).",
        ),
        ReportFigure(
            "settled",
            "Promises",
            Ledger.PROMISES,
            "Kept by people, kept by the desk and missed together. What was no longer owed, or is still open, is none "
            "of them.",
        ),
        ReportFigure("opened", "Opened", Ledger.CASES, "Cases that were opened in the period."),
        ReportFigure(
            "answered",
            "Answered",
            Ledger.CASES,
            "Cases opened in the period to which somebody has responded: a word of staff that the customer could see "
            "(T1). The call that opened a case, automatic mail and notes are none.",
        ),
        ReportFigure(
            "unanswered",
            "Not answered",
            Ledger.CASES,
            "Cases opened in the period to which nobody has responded yet, resolved ones included; without those that "
            "were taken over from another system, of which nobody knows.",
        ),
        ReportFigure(
            "resolved",
            "Resolved",
            Ledger.CASES,
            "Cases whose last resolution was in the period and stands. A resolution that did not hold is none.",
        ),
        ReportFigure(
            "escalated",
            "Escalations",
            Ledger.ESCALATIONS,
            "Escalation points that were carried out in the period (E5); not those only recorded because the severity "
            "was lowered (E4). A point is named by the severity that the case had then.",
        ),
        ReportFigure(
            "backlog",
            "Open",
            Ledger.CASES,
            "Cases that were open at the end of the day, week or month: opened before it, and not resolved at that "
            "moment, whatever happened later. Of a day that is not over, now.",
        ),
        ReportFigure(
            "reopened",
            "Reopened",
            Ledger.CASES,
            "Cases that were reopened in the period, each once however often.",
        ),
    )
}


@dataclass(frozen=True)
class Column:
    """A column of a report: a value, and the figure whose rows it counts or is reckoned from."""

    slug: str
    label: str
    figure: str
    unit: Unit = Unit.COUNT
    definition: str = ""
    group: str = ""  # above several columns
    point: str = ""  # of escalations: which one
    age: int | None = None  # of the backlog
    tone: str = ""  # how a chart paints it

    @property
    def says(self) -> str:
        """The definition that stands beside it."""
        return self.definition or FIGURES[self.figure].definition

    @property
    def name(self) -> str:
        """“Time to resolution: median”."""
        return f"{self.group}: {self.label.lower()}" if self.group else self.label


#: In the place of a definition that another column's gives.
SAID = " "


def _spread(prefix: str, figure: str, group: str, what: str) -> tuple[Column, ...]:
    """Median, 90th percentile and mean of a time of each row."""
    says = f"{what} Median: half of the cases took no longer. 90 %: nine of ten. Mean: the sum by their number."
    return (
        Column(f"{prefix}_median", "Median", figure, Unit.SECONDS, says, group, tone="info"),
        Column(f"{prefix}_p90", "90 %", figure, Unit.SECONDS, SAID, group, tone="soft"),
        Column(f"{prefix}_mean", "Mean", figure, Unit.SECONDS, SAID, group),
    )


class DrawnAs(Enum):
    """How a report is drawn."""

    STACKED = "stacked"
    SPREAD = "spread"  # median and 90th percentile: lines over time, else bars
    BARS = "bars"


@dataclass(frozen=True)
class Chart:
    """One drawing of a report, of these columns."""

    title: str
    drawing: DrawnAs
    columns: tuple[str, ...]


@dataclass(frozen=True)
class ReportPage:
    """A page of figures. `note` says what all of its columns have in common."""

    slug: str
    label: str
    title: str
    note: str
    columns: tuple[Column, ...]
    charts: tuple[Chart, ...]
    nothing: str  # what an empty period says


def _from_opening(what: str) -> str:
    return f"{what}, from the opening, or from the arrival of the call that it was opened from, in elapsed time."


REPORTS = {
    report.slug: report
    for report in (
        ReportPage(
            "promises",
            "Promises",
            "Promises kept and missed",
            "Each promise counts in the period in which it was due.",
            (
                Column("kept_by_people", "Kept by people", "kept_by_people", tone="good"),
                Column("kept_by_desk", "Kept by the desk", "kept_by_desk", tone="info"),
                Column("missed", "Missed", "missed", tone="bad"),
                Column("settled", "Promises", "settled"),
                Column("kept_share", "Kept", "settled", Unit.SHARE, "Kept by people or by the desk, of all promises."),
            ),
            (Chart("Promises", DrawnAs.STACKED, ("kept_by_people", "kept_by_desk", "missed")),),
            "No promise came due in this period.",
        ),
        ReportPage(
            "times",
            "Times",
            "Time to first response and to resolution",
            "First responses are reckoned over the cases opened in the period, resolutions over those resolved in it. "
            "A percentile is the time of one of the cases. Until the first response nobody waits for the customer: a "
            "question to them is one.",
            (
                Column("opened", "Opened", "opened"),
                Column("unanswered", "Not answered", "unanswered"),
                *_spread("response", "answered", "First response", _from_opening("The time to the first response")),
                Column("resolved", "Resolved", "resolved"),
                *_spread(
                    "resolution",
                    "resolved",
                    "Resolution",
                    _from_opening("The time to the resolution that stands, waiting for the customer included"),
                ),
                *_spread(
                    "worked",
                    "resolved",
                    "Resolution, without waiting",
                    "The same without the time in which the case waited for the customer.",
                ),
            ),
            (
                Chart("Time to first response", DrawnAs.SPREAD, ("response_median", "response_p90")),
                Chart("Time to resolution", DrawnAs.SPREAD, ("resolution_median", "resolution_p90")),
                Chart("Time to resolution, without waiting", DrawnAs.SPREAD, ("worked_median", "worked_p90")),
            ),
            "No case was opened or resolved in this period.",
        ),
        ReportPage(
            "escalations",
            "Escalations",
            "Escalations by point",
            "Each escalation counts when it was carried out.",
            (Column("escalated", "All points", "escalated"),),  # and one for each point that was reached
            (Chart("Escalations", DrawnAs.STACKED, ()),),
            "No escalation point was carried out in this period.",
        ),
        ReportPage(
            "backlog",
            "Backlog",
            "Open cases and their age",
            "What was open at the end of each day, week or month, by how long it had been open; of a company, a person "
            "or a severity at the end of the period.",
            (
                *(
                    Column(
                        f"age_{n}",
                        age.label,
                        "backlog",
                        definition="Of the open cases those opened so long before that moment." if not n else SAID,
                        group="Open for",
                        age=n,
                        tone=f"age-{n}",
                    )
                    for n, age in enumerate(AGES)
                ),
                Column("backlog", "Open", "backlog"),
            ),
            (Chart("Open cases", DrawnAs.STACKED, tuple(f"age_{n}" for n in range(len(AGES)))),),
            "Nothing was open in this period.",
        ),
        ReportPage(
            "contacts",
            "Contacts",
            "Contacts per case, and reopened cases",
            "Contacts are counted over the cases resolved in the period.",
            (
                Column("resolved", "Resolved", "resolved"),
                Column(
                    "contacts",
                    "Contacts",
                    "resolved",
                    definition="Calls, chats, mails and words on the support page, from and to the customer, of these "
                    "cases over their whole lives, the one that opened them included; no notes, and nothing that was "
                    "withdrawn.",
                ),
                Column(
                    "contacts_mean",
                    "Mean",
                    "resolved",
                    Unit.MEAN,
                    "Contacts by the number of cases. Median: half of the cases took no more. 90 %: nine of ten.",
                    "Per case",
                    tone="info",
                ),
                Column("contacts_median", "Median", "resolved", Unit.COUNT, SAID, "Per case"),
                Column("contacts_p90", "90 %", "resolved", Unit.COUNT, SAID, "Per case"),
                Column("reopened", "Reopened", "reopened", tone="bad"),
            ),
            (
                Chart("Contacts per case", DrawnAs.BARS, ("contacts_mean",)),
                Chart("Reopened cases", DrawnAs.BARS, ("reopened",)),
            ),
            "No case was resolved or reopened in this period.",
        ),
    )
}


@dataclass(frozen=True)
class Breakdown:
    """By what the rows of a report are grouped. `needs_everything`: only for whoever reads every case (A1)."""

    slug: str
    label: str
    column: str = ""  # of the views; "" for time
    needs_everything: bool = False


BREAKDOWNS = {
    one.slug: one
    for one in (
        Breakdown("time", "Time"),
        Breakdown("company", "Company", "company_id"),
        Breakdown("centre", "Centre", "centre_id", needs_everything=True),
        Breakdown("owner", "Person", "owner_id", needs_everything=True),
        Breakdown("severity", "Severity", "severity"),
    )
}


def shares(counts: Iterable[int]) -> float | None:
    """Of kept by people, kept by the desk and missed: which share was kept; None of none."""
    people, desk, missed = counts
    total = people + desk + missed
    return (people + desk) / total if total else None


#: Where there is nothing to reckon a value from.
NOTHING = "–"


def written(value: float | None, unit: Unit) -> str:
    """A value as people read it: “1,204”, “2 h 5 min”, “98.4 %”, “3.2”."""
    if value is None:
        return NOTHING
    if unit is Unit.SECONDS:
        length = timedelta(seconds=round(value))
        return duration(length, units=2, under_a_minute=f"{round(value)} s")
    if unit is Unit.SHARE:
        return f"{value * 100:.1f} %" if value < 1 else "100 %"
    return f"{value:,.1f}" if unit is Unit.MEAN else f"{value:,.0f}"
