"""Several cases at once: taken over or handed over from their list, and a whole queue from its page (C8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from cases.forms import bound_texts, text_field
from cases.guards import Refused
from cases.models import Case
from cases.workflow.actions import OwnerField
from cases.workflow.handing_on import (
    MOST_AT_ONCE,
    HandedOn,
    Seen,
    hand_over_many,
    open_cases_of,
    take_over_many,
)
from contacts.enums import Language, Right
from contacts.models import User
from contacts.permissions import RightsAdmin, has_right, id_of, own_page, signed_in_user


class TakeOverForm(forms.Form):
    """A word for the present owners."""

    title, button, done = "Take over", "Take them over", "taken over"

    reason = text_field("A word for their owners", 2, "It may be left out.", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        bound_texts(self.fields)

    def carry_out(self, seen: Seen, actor: User) -> HandedOn:
        """Raises Refused or NotAllowed."""
        return take_over_many(seen, actor, timezone.now(), **self.cleaned_data)


class HandOverForm(TakeOverForm):
    """To whom the cases go, and a word for them."""

    title, button, done = "Hand over", "Hand them over", "handed over"

    owner = OwnerField(
        label="To",
        required=False,
        empty_label="For each case, whom the rules of a new one choose",
        error_messages={"invalid_choice": "This is no active technician; choose one who is."},
    )
    field_order = ("owner", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].offer(timezone.now(), Language.ENGLISH)  # type: ignore[attr-defined]
        self.fields["reason"].label = "A word for the new owners"

    def carry_out(self, seen: Seen, actor: User) -> HandedOn:
        """Raises Refused or NotAllowed."""
        return hand_over_many(seen, actor, timezone.now(), **self.cleaned_data)


class CaseOwnership(RightsAdmin):
    """The bulk actions of the list of cases and their pages."""

    actions = ("take_over_selected", "hand_over_selected")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Nothing for those who only read."""
        return super().get_actions(request) if has_right(request, Right.WORK_CASES) else {}

    @admin.action(description="Take over")
    def take_over_selected(self, request: HttpRequest, cases: QuerySet[Case]) -> HttpResponse | None:
        """Show whose the selected cases are, before they are taken over."""
        return self._of_selected(request, cases, TakeOverForm)

    @admin.action(description="Hand over ...")
    def hand_over_selected(self, request: HttpRequest, cases: QuerySet[Case]) -> HttpResponse | None:
        """Ask to whom the selected cases go."""
        return self._of_selected(request, cases, HandOverForm)

    def _of_selected(
        self, request: HttpRequest, cases: QuerySet[Case], form_class: type[TakeOverForm]
    ) -> HttpResponse | None:
        shown = dict(cases.order_by().values_list("pk", "owner_id")[: MOST_AT_ONCE + 1])
        if len(shown) > MOST_AT_ONCE:
            messages.error(request, f"These are too many for one step; choose at most {MOST_AT_ONCE} cases.")
            return None
        return self._page(request, form_class(), shown, set(shown))

    @own_page("take-over/", "take_over", "POST")
    def take_over_view(self, request: HttpRequest) -> HttpResponse:
        """Take the ticked cases over (C8). Raises PermissionDenied."""
        return self._carry_out(request, TakeOverForm)

    @own_page("hand-over/", "hand_over", "GET", "HEAD", "POST")
    def hand_over_view(self, request: HttpRequest) -> HttpResponse:
        """Hand the ticked cases over (C8); opened by its address, it shows the queue of `of`, by default one's own.

        Raises PermissionDenied or Http404.
        """
        if request.method == "POST":
            return self._carry_out(request, HandOverForm)
        owner = self._whose_queue(request)
        shown = dict.fromkeys(open_cases_of(owner).values_list("pk", flat=True)[:MOST_AT_ONCE], owner.pk)
        return self._page(request, HandOverForm(), shown, set(shown))

    def _whose_queue(self, request: HttpRequest) -> User:
        if not has_right(request, Right.WORK_CASES):
            raise PermissionDenied
        person, asked = signed_in_user(request), request.GET.get("of", "")
        if not asked or asked == str(person.pk):
            return person
        if not has_right(request, Right.REASSIGN):
            raise PermissionDenied
        owner = User.objects.filter(pk=id_of(asked) or 0).first()
        if owner is None:
            raise Http404
        return owner

    def _carry_out(self, request: HttpRequest, form_class: type[TakeOverForm]) -> HttpResponse:
        if not has_right(request, Right.WORK_CASES):
            raise PermissionDenied
        shown = _shown(request.POST.getlist("shown"))
        ticked = {key for key in map(id_of, request.POST.getlist("cases")) if key in shown}
        form = form_class(request.POST)
        if not ticked:
            form.add_error(None, "Tick at least one case.")
        if form.is_valid():
            try:
                done = form.carry_out({key: shown[key] for key in shown if key in ticked}, signed_in_user(request))
            except Refused as refused:
                form.add_error(refused.field if refused.field in form.fields else None, refused.sentence)
            else:
                _say(request, done, form.done)
                return redirect("admin:cases_case_changelist")
        return self._page(request, form, shown, ticked, 422)

    def _page(
        self, request: HttpRequest, form: TakeOverForm, shown: Seen, ticked: Iterable[int | None], status: int = 200
    ) -> HttpResponse:
        """The cases that the reader may see of these (A1), each with a tick and the owner whom the page shows."""
        cases = self.get_queryset(request).filter(pk__in=list(shown)).select_related("owner", "company").order_by("pk")
        former = User.objects.in_bulk({key for key in shown.values() if key})
        rows = [(case, former.get(shown[case.pk] or 0), case.pk in set(ticked)) for case in cases]
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "most": MOST_AT_ONCE if len(shown) == MOST_AT_ONCE else 0,
            "title": f"{form.title} {counted_cases(len(rows))}",
            "form": form,
            "rows": rows,
            "address": "admin:cases_case_hand_over" if isinstance(form, HandOverForm) else "admin:cases_case_take_over",
        }
        return TemplateResponse(request, "admin/cases/case/ownership.html", context, status=status)


def counted_cases(cases: int) -> str:
    """“1 case”, “3 cases”."""
    return f"{cases:,} case{'' if cases == 1 else 's'}"


def _shown(sent: Iterable[str]) -> dict[int, int | None]:
    """The cases that the page showed, each with the key of the owner whom it showed; “12:5”, “13:” for no owner."""
    pairs = (one.partition(":") for one in sent)
    keys = ((id_of(case), id_of(owner)) for case, _, owner in pairs)
    return {case: owner for case, owner in keys if case is not None}


def _say(request: HttpRequest, done: HandedOn, what: str) -> None:
    """How many have a new owner, and which were left and why."""
    if done.changes:
        owners = Counter(str(change.after) for change in done.changes)
        to = ", ".join(f"{number} to {name}" for name, number in sorted(owners.items()))
        said = f"{counted_cases(done.given)} {what}"
        messages.success(request, f"{said}: {to}." if what == HandOverForm.done else f"{said}.")
    if done.left:
        messages.warning(request, f"Left where they are: {done.why_left}.")
