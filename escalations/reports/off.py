"""Where a reader stops a weekly report from its mail, without signing in (W4, RFC 8058)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from escalations.models import ReportSubscription
from escalations.policy.figures import REPORTS
from escalations.reports.mail import subscription_of
from escalations.switch_off import from_a_mail


@from_a_mail
def stop_report(request: HttpRequest, token: str) -> HttpResponse:
    """Show the button, or stop the report; again, it stays so. Raises Http404 for an address nobody signed."""
    key = subscription_of(token)
    if key is None:
        raise Http404("There is no such address.")
    if request.method == "POST":
        ReportSubscription.objects.filter(pk=key).delete()
    wanted = ReportSubscription.objects.filter(pk=key).first()
    report = REPORTS.get(wanted.report) if wanted else None
    context = {"is_off": wanted is None, "report": report.label if report else ""}
    return TemplateResponse(request, "escalations/report_off.html", context)
