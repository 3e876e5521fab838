"""The addresses of the desk: admin, customers' support page, telephone systems, what mail leads to. The probes are in
`config.health`.
"""

from allauth.account.views import logout, reauthenticate
from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import include, path
from django.utils.module_loading import import_string
from django.views.generic import RedirectView

from cases.queue.views import calls
from escalations.daily_digest.views import switch_off
from escalations.reports.off import stop_report


def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look for the icon by themselves; the name of the file carries its hash in production."""
    return redirect(static("desk/favicon.svg"))


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("favicon.ico", favicon),
    # Names that django-allauth leads to; its pages of sign-up, addresses and passwords have no address here.
    path("admin/login/", admin.site.login, name="account_login"),
    path("admin/account/leave/", logout, name="account_logout"),
    path("admin/account/password/", reauthenticate, name="account_reauthenticate"),
    path("admin/account/", include("allauth.mfa.urls")),
    path("admin/", admin.site.urls),
    path("support/", include("cases.portal.urls")),
    path("mail-service/", include("config.mail_service")),
    path("daily-digest/off/<str:token>/", switch_off, name="daily_digest_off"),
    path("reports/off/<str:token>/", stop_report, name="report_off"),
    path("calls/<slug:name>/<slug:secret>/", calls, name="calls"),
]
if apps.is_installed("allauth.socialaccount"):  # OIDC_URL
    start = import_string("config.company_sign_in.start")
    urlpatterns[:0] = [
        path("admin/account/company/<slug:provider_id>/login/", start, name="openid_connect_login"),
        path("admin/account/", include("allauth.socialaccount.providers.openid_connect.urls")),
    ]
