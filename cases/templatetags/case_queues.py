"""The quick filters above the list of cases, as links that keep the search and the other filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template

register = template.Library()


@dataclass(frozen=True)
class QueueLink:
    label: str
    url: str
    chosen: bool


@register.simple_tag
def queue_links(cl: Any) -> list[QueueLink]:
    """The queues of the list's queue filter; the one in force is `chosen`."""
    queue = next((spec for spec in cl.filter_specs if hasattr(spec, "in_force")), None)
    if queue is None:
        return []
    return [
        QueueLink(label, cl.get_query_string({queue.parameter_name: value}, ["p"]), value == queue.in_force)
        for value, label in queue.lookup_choices
    ]
