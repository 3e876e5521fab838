"""The download of a case's files: for whoever may read the case, and never shown inside a page (A1, C3)."""

from __future__ import annotations

import logging

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from unfold.admin import ModelAdmin

from cases.files.download import as_download
from cases.files.store import FileMissing, open_file
from cases.models import Attachment, Case
from contacts.permissions import own_page

log = logging.getLogger(__name__)


class CaseFiles(ModelAdmin):
    """A case's page gives out its files."""

    @own_page("<int:object_id>/files/<int:file_id>/<str:name>", "file")
    def file_view(self, request: HttpRequest, object_id: int, file_id: int, name: str) -> HttpResponseBase:
        """Raises Http404 for a foreign case, an unknown file, and one that is gone from the disk."""
        case: Case | None = self.get_object(request, str(object_id))
        attachment = Attachment.objects.filter(case=case, pk=file_id, name=name).first() if case else None
        if attachment is None:
            raise Http404("There is no such file.")
        try:
            file = open_file(attachment)
        except FileMissing as missing:
            log.error("attachment %s: %s", attachment.pk, missing)
            raise Http404(str(missing)) from missing
        return as_download(file, attachment.name, attachment.content_type)
