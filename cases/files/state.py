"""The files of contacts and notes, for pages: one query for all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.template.defaultfilters import filesizeformat

from cases.models import Attachment, Interaction


@dataclass(frozen=True)
class FileLine:
    """A file as pages show it."""

    name: str
    size: str  # “12.0 KB”
    url: str


def files_of(interactions: Iterable[Interaction]) -> dict[int, list[FileLine]]:
    """The files of contacts, by the key of the contact; one query, none for no contacts."""
    keys = [interaction.pk for interaction in interactions]
    lines: dict[int, list[FileLine]] = defaultdict(list)
    if keys:
        for row in Attachment.objects.filter(interaction__in=keys).order_by("pk"):
            lines[row.interaction_id].append(FileLine(row.name, filesizeformat(row.size), row.get_absolute_url()))
    return dict(lines)
