"""How a file of a customer's is given out: as a download, and never shown inside a page (C3)."""

from __future__ import annotations

from typing import BinaryIO

from django.http import FileResponse


def as_download(content: BinaryIO, name: str, content_type: str) -> FileResponse:
    """The answer that gives the file out; no browser opens it on its own, or guesses what it is."""
    answer = FileResponse(content, as_attachment=True, filename=name, content_type=content_type)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer
