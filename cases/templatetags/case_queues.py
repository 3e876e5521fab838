"""The quick filters above the list of cases, as links that keep the search and the other filters, and saved views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django import template
from django.http import QueryDict

from cases.case_queues import OF_OPEN_CASES, in_queue, is_narrowed
from cases.models import SavedView
from contacts.models import User

register = template.Library()

#: How far a tab counts; a saved view says nothing, its filters may cost anything.
COUNTED_UP_TO = 1_000


@dataclass(frozen=True)
class QueueLink:
    label: str
    url: str
    chosen: bool
    count: str = ""


@dataclass(frozen=True)
class ViewLink:
    """A saved view as a tab."""

    view: SavedView
    url: str
    chosen: bool


@register.simple_tag(takes_context=True)
def queue_links(context: dict[str, Any], cl: Any) -> list[QueueLink]:
    """The queues of the list's queue filter; the one in force is `chosen`. Those of open cases say how many there are,
    unless a search or a filter narrows the list: then that number would not be true.
    """
    queue = next((spec for spec in cl.filter_specs if hasattr(spec, "in_force")), None)
    if queue is None:
        return []
    request = context["request"]
    user, counts = cast(User, request.user), not is_narrowed(request)
    is_kept = any(link.chosen for link in context.get("views", ()))
    return [
        QueueLink(
            label,
            cl.get_query_string({queue.parameter_name: value}, ["p", "o"]),
            value == queue.in_force and not is_kept,
            _counted(in_queue(cl.root_queryset, value, user)) if counts and value in OF_OPEN_CASES else "",
        )
        for value, label in queue.lookup_choices
    ]


def _counted(cases: Any) -> str:
    count = cases.order_by().values("pk")[: COUNTED_UP_TO + 1].count()
    return f"{COUNTED_UP_TO:,}+" if count > COUNTED_UP_TO else f"{count:,}"


@register.simple_tag(takes_context=True)
def view_links(context: dict[str, Any], cl: Any) -> list[ViewLink]:
    """The reader's saved views; one query. The one whose filters and order the list shows is chosen."""
    request = context["request"]
    shown = cl.model_admin.query_to_keep(request, request.GET.urlencode())
    views = SavedView.objects.filter(user=cast(User, request.user))
    return [
        ViewLink(view, f"?{cl.model_admin.query_to_show(request, view.query)}", view.query == shown) for view in views
    ]


@register.filter
def chosen_view(links: list[ViewLink]) -> SavedView | None:
    """The saved view that the list shows."""
    return next((link.view for link in links if link.chosen), None)


@register.simple_tag(takes_context=True)
def shown_query(context: dict[str, Any], cl: Any) -> str:
    """What a new view would keep: what the address says, with the queue in force."""
    query: QueryDict = context["request"].GET.copy()
    queue = next((spec for spec in cl.filter_specs if hasattr(spec, "in_force")), None)
    if queue is not None:
        query[queue.parameter_name] = queue.in_force
    return query.urlencode()
