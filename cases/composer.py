"""The composer: the form that stands open under the conversation of a case, its tabs, and the menu of other actions.

It works without a script: each tab is a link to the page with that form open. A script loads the form into the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from cases.actions import ACTIONS, CaseAction, Tab, actions_of
from cases.models import Case
from contacts.permissions import has_right, signed_in_user


@dataclass(frozen=True)
class ActionChoice:
    """An action that the composer can turn to; one of a single click is a button and has no form to open."""

    action: CaseAction
    url: str
    is_open: bool = False

    @property
    def stamps(self) -> dict[str, str]:
        """What a button that carries it out sends along."""
        return self.action.stamps(self.action.case)

    @property
    def name(self) -> str:
        """The name on its tab."""
        return self.action.tab.name if self.action.tab else self.action.label


@dataclass(frozen=True)
class Composer:
    """The form that is open, and the actions that this person may take."""

    open: CaseAction | None
    all: Sequence[ActionChoice]
    is_asked_for: bool  # by the address of the page

    @property
    def tabs(self) -> list[ActionChoice]:
        """The everyday actions, each with a tab."""
        with_tab = [(choice.action.tab.place, choice) for choice in self.all if choice.action.tab]
        return [choice for _, choice in sorted(with_tab, key=lambda pair: pair[0])]

    @property
    def menu(self) -> list[ActionChoice]:
        """The other actions."""
        return [choice for choice in self.all if not choice.action.tab]

    def offers(self, slug: str) -> bool:
        """Whether the person may take that action now."""
        return any(choice.action.slug == slug for choice in self.all)


def composer_of(request: HttpRequest, case: Case, now: datetime) -> Composer | None:
    """What this person may do with the case as it stands, the form that `do` in the address names open, else that of
    the first tab; None for whoever may do nothing.
    """
    offered = actions_of(request, case, now)
    asked_for = _asked_for(request, case, now)
    with_tab = [action for action in offered if action.tab]
    first = min(with_tab, key=lambda action: action.tab or Tab(0, ""), default=None)
    shown = asked_for or (type(first)(case, signed_in_user(request), now) if first else None)
    if shown is None and not offered:
        return None
    choices = [
        ActionChoice(action, case.form_url(action.slug), shown is not None and action.slug == shown.slug)
        for action in offered
    ]
    return Composer(shown, choices, asked_for is not None)


def _asked_for(request: HttpRequest, case: Case, now: datetime) -> CaseAction | None:
    """The action that the address of the page names, if this person may take it now."""
    action_type = ACTIONS.get(request.GET.get("do", ""))
    if action_type is None or not has_right(request, action_type.right):
        return None
    action = action_type(case, signed_in_user(request), now)
    if not action.offered():
        return None
    action.prefill({name: request.GET[name] for name in request.GET})
    return action
