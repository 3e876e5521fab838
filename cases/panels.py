"""The side column of a case's page: a small registry of panels, so that later apps show theirs without being known.

A source looks at a case for a reader at a moment (UTC) and answers with a panel, or None when it has nothing to say.
It writes nothing, and asks the database the same few questions whatever happened to the case.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cases.follow_up_plans import PENDING_STEPS, DoneStep
from cases.follow_ups import done_steps, plan_of, planned_steps
from cases.models import Case
from cases.terms import NoticeStep, Status
from contacts.models import User


@dataclass(frozen=True)
class Panel:
    """One box of the side column; the template is rendered with the page's own context and this one."""

    title: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)


Source = Callable[[Case, User, datetime], Panel | None]

_sources: list[tuple[int, Source]] = []


def register(source: Source, place: int = 50) -> Source:
    """Show what `source` answers on every case's page, by rising place; registering again changes nothing."""
    if source not in [known for _, known in _sources]:
        _sources.append((place, source))
        _sources.sort(key=lambda entry: entry[0])
    return source


def panels_of(case: Case, user: User, now: datetime) -> list[Panel]:
    """The panels that have something to say of this case."""
    panels = (source(case, user, now) for _, source in _sources)
    return [panel for panel in panels if panel is not None]


# --- waiting for the customer (section 4) -----------------------------------------------------------------------


@dataclass(frozen=True)
class StepLine:
    """A step of the plan as the panel tells it: when it was or is due, and what became of it."""

    label: str
    due_at: datetime
    state: str  # sent, queued, replaced, due, planned
    sent_at: datetime | None = None


def waiting_panel(case: Case, user: User, now: datetime) -> Panel | None:
    """What we asked, why we wait, and what the plan has done and will do (F1, F2, F7)."""
    if case.status != Status.WAITING or case.waiting_since is None:
        return None
    done = done_steps([case])[case.pk]
    plan = plan_of(case, done, now)
    lines = [_done_line(step, done[step]) for step in PENDING_STEPS if step in done]
    lines += [
        StepLine(coming.step.label, coming.due_at, "due" if coming.due_at <= now else "planned")
        for coming in planned_steps(case.waiting_since, done)
    ]
    return Panel(
        "Waiting for the customer",
        "admin/cases/panels/waiting.html",
        {"steps": lines, "held_up": plan.held_up},
    )


def _done_line(step: NoticeStep, done: DoneStep) -> StepLine:
    if done.superseded:
        return StepLine(step.label, done.due_at, "replaced")
    return StepLine(step.label, done.due_at, "sent" if done.sent_at else "queued", done.sent_at)


# --- people and links -------------------------------------------------------------------------------------------


def people_panel(case: Case, user: User, now: datetime) -> Panel:
    """Who has to do with the case: owner, watchers, the customer's contact, account manager, customer engineer."""
    watchers = list(case.watchers.select_related("user"))
    return Panel("People", "admin/cases/panels/people.html", {"watchers": watchers})


def linked_panel(case: Case, user: User, now: datetime) -> Panel | None:
    """The earlier case this one continues, and the later ones that continue it (C4), as far as the reader sees them."""
    visible = Case.objects.visible_to(user).select_related("company")
    earlier = visible.filter(pk=case.linked_to_id).first() if case.linked_to_id else None
    later = list(visible.filter(linked_to=case.pk)[:20])
    if earlier is None and not later:
        return None
    return Panel("Linked cases", "admin/cases/panels/linked.html", {"earlier": earlier, "later": later})


register(waiting_panel, 10)
register(people_panel, 80)
register(linked_panel, 90)
