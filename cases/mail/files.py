"""The files of a mail to a customer: named in its facts as it is written, read from disk as it is sent (C3, M1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from email import encoders
from email.mime.base import MIMEBase

from django.core.mail import EmailMultiAlternatives

from cases.files.store import FileMissing, open_file
from cases.mail.letters import Letter
from cases.models import Attachment, Mail


def with_files(letter: Letter, files: Iterable[Attachment]) -> Letter:
    """The letter with these files, which its facts name."""
    named = [{"id": row.pk, "name": row.name, "size": row.size} for row in files]
    return replace(letter, facts=letter.facts | {"files": named}) if named else letter


def attach_files(message: EmailMultiAlternatives, mail: Mail) -> None:
    """Attach what the mail's facts name. Raises FileMissing if one of the files is gone."""
    for row in _rows(mail):
        main, _, sub = row.content_type.partition("/")
        part = MIMEBase(main, sub)
        with open_file(row) as file:
            part.set_payload(file.read())
        # As bytes, whatever they are: Django would turn a text into another one.
        encoders.encode_base64(part)
        name = row.name if row.name.isascii() else ("utf-8", "", row.name)
        part.add_header("Content-Disposition", "attachment", filename=name)
        message.attach(part)


def enclose(message: EmailMultiAlternatives, mail: Mail) -> None:
    """Attach the texts that the mail's facts hold themselves, such as the CSV of a report."""
    for text in mail.facts.get("enclosed", []):
        message.attach(text["name"], text["text"].encode(), text["type"])


def _rows(mail: Mail) -> Sequence[Attachment]:
    """The files of the mail, in its order; only those of its own case."""
    named = mail.facts.get("files", [])
    if not named:
        return []
    rows = Attachment.objects.filter(case=mail.case_id).in_bulk([file["id"] for file in named])
    for file in named:
        if file["id"] not in rows:
            raise FileMissing(f"The file “{file['name']}” is not known any more.")
    return [rows[file["id"]] for file in named]
