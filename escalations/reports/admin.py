"""The pages of reports: figures over a period, their charts, files of them, and who gets them by mail (W4).

Everything is narrowed to what the reader may see (A1); people and centres are chosen and compared only by those who
read every case.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone

from cases.enums import Severity
from cases.guards import Refused
from cases.models import Case
from contacts.enums import Right
from contacts.models import Company, SupportCentre, User
from contacts.permissions import KnownRowsSelect, RightsAdmin, has_right, id_of, own_page, signed_in_user
from escalations.enums import SlaKind
from escalations.models import ReportCase, ReportSubscription
from escalations.policy.figures import BREAKDOWNS, REPORTS, Column, ReportPage, Unit, written
from escalations.policy.reporting import NotAPeriod, Period, Scope, quick_periods, read_period
from escalations.reports.apply import may_group, subscribe, unsubscribe
from escalations.reports.drawing import drawings_of, scope_of
from escalations.reports.export import FORMATS, file_of
from escalations.reports.filters import link_to_rows
from escalations.reports.state import ReportLine, ReportTable, narrowed_to, reckon

FIRST, DEFAULT_PERIOD, DEFAULT_BY = "promises", "this-month", "time"
#: So many companies or people stand on the page; a file has all of them.
MOST_SHOWN = 50
#: What of an address says which report it is, in the order in which it is written.
ASKED = ("period", "from", "to", "by", "company", "centre", "owner", "severity", "kind")


@dataclass(frozen=True)
class Cell:
    """A figure in the table, and the list of exactly its cases."""

    text: str
    link: str
    title: str


class WhichCases(forms.Form):
    """Company and, for those who read every case, person; both looked up as one types."""

    company = forms.ModelChoiceField(Company.objects.none(), required=False)
    owner = forms.ModelChoiceField(User.objects.none(), required=False, label="Person")

    def __init__(self, asked: QueryDict, reader: User, site: admin.AdminSite) -> None:
        super().__init__(asked)
        for name in ("company", "owner"):
            field = self.fields[name]
            field.widget = KnownRowsSelect(
                Case._meta.get_field(name),
                site,
                attrs={"class": "unfold-filter-autocomplete", "data-allow-clear": "true"},
            )
            field.widget.choices = field.choices  # type: ignore[attr-defined]
        self.fields["company"].queryset = Company.objects.visible_to(reader)  # type: ignore[attr-defined]
        self.fields["owner"].queryset = User.objects.all()  # type: ignore[attr-defined]
        if not reader.may(Right.READ_EVERY_CASE):
            del self.fields["owner"]


@dataclass
class Asked:
    """What the address asks for, as far as the reader may have it."""

    report: ReportPage
    by: str
    period: str  # of the ready-made ones, or ""
    first: str
    last: str
    scope: Scope | None
    problem: str = ""


def read_address(report: str, asked: QueryDict, reader: User, today: date) -> Asked:
    """Raises Http404 for a report that there is not. A day that is none is a problem, in a sentence (S4)."""
    if report not in REPORTS:
        raise Http404("There is no such report.")
    quick = quick_periods(today)
    by = asked.get("by", DEFAULT_BY)
    by = by if may_group(reader, by) else DEFAULT_BY
    typed = asked.get("from", ""), asked.get("to", "")
    chosen = asked.get("period", "" if any(typed) else DEFAULT_PERIOD)
    problem, period = "", quick[chosen][1] if chosen in quick else None
    if period is None:
        try:
            period = read_period(*typed)
        except NotAPeriod as error:
            problem = str(error)
    first, last = (period.first.isoformat(), period.last.isoformat()) if period else typed
    scope = None if period is None else _scope(period, asked, reader, report)
    return Asked(REPORTS[report], by, chosen if chosen in quick else "", first, last, scope, problem)


def _scope(period: Period, asked: QueryDict, reader: User, report: str) -> Scope:
    everything = reader.may(Right.READ_EVERY_CASE)
    severity, kind = asked.get("severity", ""), asked.get("kind", "")
    return Scope(
        period,
        timezone.get_current_timezone_name(),
        company=id_of(asked.get("company", "")),
        centre=id_of(asked.get("centre", "")) if everything else None,
        owner=id_of(asked.get("owner", "")) if everything else None,
        severity=severity if severity in set(Severity) else "",
        kind=kind if kind in set(SlaKind) and report == "promises" else "",
    )


@admin.register(ReportCase)
class ReportsAdmin(RightsAdmin):
    """The reports, which have pages of their own and no rows."""

    view_right = Right.READ_REPORTS

    def get_urls(self) -> list[URLPattern]:
        """Without the pages of rows: a case has its own."""
        of_rows = ("_add", "_change", "_delete", "_history")
        return [url for url in super().get_urls() if url.name and not url.name.endswith(of_rows)]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> None:
        """None: no row has a page."""
        return

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The first report."""
        return self.report_view(request, FIRST)

    @own_page("<slug:report>/", "report")
    def report_view(self, request: HttpRequest, report: str) -> HttpResponse:
        """A report: its filters, charts, table and definitions."""
        reader = self._may_read(request)
        asked = read_address(report, request.GET, reader, timezone.localdate())
        which = WhichCases(request.GET, reader, self.admin_site)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Reports",
            "subtitle": None,
            "media": self.media + which.media,
            "asked": asked,
            "reports": [(one, _address(one.slug, request.GET)) for one in REPORTS.values()],
            "quick": _quick(report, request.GET),
            "which": which,
            "choices": _choices(reader),
            "chosen": {name: request.GET.get(name, "") for name in ASKED} | {"by": asked.by},
            "query": _query(request.GET),
            "mailed": [_mailed(row, reader) for row in reader.report_subscriptions.all()],
        }
        if asked.scope is not None:
            context |= _shown(reckon(report, asked.scope, asked.by, reader), reader)
        return TemplateResponse(request, "admin/escalations/reports/report.html", context)

    @own_page("<slug:report>/file/<slug:kind>/", "report_file")
    def file_view(self, request: HttpRequest, report: str, kind: str) -> HttpResponse:
        """A report as CSV or Excel, with all of its rows."""
        reader = self._may_read(request)
        asked = read_address(report, request.GET, reader, timezone.localdate())
        if kind not in FORMATS:
            raise Http404("There is no such file.")
        if asked.scope is None:
            messages.error(request, asked.problem)
            return redirect(f"{_page(report)}?{_query(request.GET)}")
        name, content_type, content = file_of(reckon(report, asked.scope, asked.by, reader), kind)
        return HttpResponse(
            content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )

    @own_page("<slug:report>/by-mail/", "report_by_mail", "POST")
    def by_mail_view(self, request: HttpRequest, report: str) -> HttpResponse:
        """Have this report mailed every Monday; the period is then the week before."""
        reader = self._may_read(request)
        query = QueryDict(request.POST.get("query", ""))
        asked = read_address(report, query, reader, timezone.localdate())
        try:
            if asked.scope is None:
                raise Refused(asked.problem)
            wanted = subscribe(reader, report, asked.by, asked.scope, timezone.now())
        except Refused as refused:
            messages.error(request, refused.sentence)
        else:
            first = timezone.localtime(wanted.next_at)
            messages.success(
                request, f"You get this report by mail every Monday, first on {first:%-d %B} for the week before."
            )
        return redirect(f"{_page(report)}?{_query(query)}#by-mail")

    @own_page("<slug:report>/by-mail/<int:key>/stop/", "report_stop", "POST")
    def stop_view(self, request: HttpRequest, report: str, key: int) -> HttpResponse:
        """Stop one of one's own mails."""
        reader = self._may_read(request)
        if report not in REPORTS:
            raise Http404("There is no such report.")
        unsubscribe(reader, key)
        messages.success(request, "That report is not mailed to you any more.")
        return redirect(f"{_page(report)}?{_query(QueryDict(request.POST.get('query', '')))}")

    def _may_read(self, request: HttpRequest) -> User:
        """The reader. Raises Http404 for somebody to whom reports do not exist (A3)."""
        if not has_right(request, self.view_right):
            raise Http404("There are no reports that you may see.")
        return signed_in_user(request)


# --- what the page shows ------------------------------------------------------------------------------------------


def _page(report: str) -> str:
    return reverse("admin:escalations_reportcase_report", args=[report])


def _query(asked: QueryDict, **instead: str) -> str:
    """The part of an address that says which report it is."""
    values = {name: asked.get(name, "") for name in ASKED} | instead
    return urlencode({name: value for name, value in values.items() if value})


def _address(report: str, asked: QueryDict, **instead: str) -> str:
    query = _query(asked, **instead)
    return f"{_page(report)}?{query}" if query else _page(report)


def _quick(report: str, asked: QueryDict) -> list[tuple[str, str, str]]:
    """The ready-made periods: slug, name, address."""
    own = {"from": "", "to": ""}
    return [
        (slug, label, _address(report, asked, period=slug, **own))
        for slug, (label, _) in quick_periods(timezone.localdate()).items()
    ]


def _choices(reader: User) -> dict[str, Any]:
    everything = reader.may(Right.READ_EVERY_CASE)
    return {
        "severity": Severity.choices,
        "kind": SlaKind.choices,
        "centre": list(SupportCentre.objects.values_list("pk", "name")) if everything else [],
        "by": [(one.slug, one.label) for one in BREAKDOWNS.values() if may_group(reader, one.slug)],
    }


def _mailed(row: ReportSubscription, reader: User) -> dict[str, Any]:
    report = REPORTS.get(row.report)
    by = BREAKDOWNS[row.by].label.lower() if row.by in BREAKDOWNS else row.by
    filters = {name: value for name, value in row.filters.items() if name in ASKED}
    page = f"{_page(row.report)}?{urlencode({'period': 'last-week', 'by': row.by, **filters})}"
    return {
        "key": row.pk,
        "label": report.label if report else row.report,
        "by": by,
        "narrowed": bool(filters),
        "page": page,
    }


def _shown(table: ReportTable, reader: User) -> dict[str, Any]:
    over_time = table.by == "time"
    told = [row for row in reversed(table.rows) if any(row.values.values())] if over_time else table.rows
    rows = told if over_time else told[:MOST_SHOWN]
    return {
        "table": table,
        "about": narrowed_to(table.scope, reader),
        "by_label": BREAKDOWNS[table.by].label,
        "groups": _groups(table.columns),
        "definitions": [column for column in table.columns if column.says.strip()],
        "lines": [(row.label, _cells(table, row)) for row in rows],
        "total": _cells(table, table.total) if table.total else [],
        "left_out": len(told) - len(rows),
        "quiet": len(table.rows) - len(told),
        "drawings": drawings_of(table, link_to_rows),
        "has_seconds": any(column.unit is Unit.SECONDS for column in table.columns),
    }


def _groups(columns: Iterable[Column]) -> list[tuple[str, int]]:
    """What stands above the columns: a group and how many columns it spans; [] without any group."""
    spans: list[tuple[str, int]] = []
    for column in columns:
        if spans and column.group and spans[-1][0] == column.group:
            spans[-1] = (column.group, spans[-1][1] + 1)
        else:
            spans.append((column.group, 1))
    return spans if any(label for label, _ in spans) else []


def _cells(table: ReportTable, row: ReportLine) -> list[Cell]:
    return [_cell(column, row) for column in table.columns]


def _cell(column: Column, row: ReportLine) -> Cell:
    value = row.values[column.slug]
    leads = value is not None and (value or column.unit is not Unit.COUNT)
    link = link_to_rows(column.figure, scope_of(column, row)) if leads else ""
    exact = f"{round(value):,} s" if column.unit is Unit.SECONDS and value is not None else ""
    return Cell(written(value, column.unit), link, exact)
