"""The desk's addresses as they are with `EMAIL_URL=anymail://postmark` and a secret for its reports."""

from __future__ import annotations

from django.urls import include, path

from config.mail_service import report_urls
from config.urls import urlpatterns as of_the_desk

urlpatterns = [*of_the_desk, path("mail-service/", include(report_urls("postmark", "desk:secret")))]
