"""Actions: the buttons of a case's page, and the one POST address that carries each of them out (A1, A2, C4).

An action is one class: its words, the right it takes, its form, and the change it makes. The subjects define theirs in
their `actions.py` and register them here.

An action that is refused is answered with one page: the case's header, the sentence, and the same form with everything
that was typed (S4). 409 says that the case has moved on, 422 that something typed is missing or wrong, 403 that it
takes another right, 404 that there is no such case for this person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, NamedTuple, TypeVar

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.forms.utils import ErrorDict
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from cases.enums import Status
from cases.forms import bound_texts
from cases.guards import NotAllowed, Refused, last_change, locked
from cases.models import Case
from contacts.models import User
from contacts.permissions import Needed, has_right, signed_in_user

#: The very same words by the same person within this time are a second click, not a second contact.
SECOND_CLICK_WITHIN = timedelta(minutes=2)


class Tab(NamedTuple):
    """A tab of the composer, by rising place."""

    place: int
    name: str


#: Names the action that was carried out last, for `composer.js`.
DONE_COOKIE = "desk_done"
#: The fields that `CaseAction.stamps` fills.
STAMPS = frozenset({"seen", "last_logged", "owner_seen"})


class RowField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A hidden field with the key of a row that belongs to the action's case; such a row has the locked case."""

    case: Case

    def __init__(self, rows: QuerySet[Any], required: str, foreign: str) -> None:
        sentences = {"required": required, "invalid_choice": f"{foreign}; look at the case as it is now."}
        super().__init__(queryset=rows, widget=forms.HiddenInput(), error_messages=sentences)
        self.rows = rows

    def of(self, case: Case) -> Q:
        """Which rows belong to the case."""
        return Q(case=case)

    def scope(self, case: Case) -> None:
        """Accept only the rows of this case."""
        self.case, self.rows = case, self.rows.filter(self.of(case))
        self.queryset = self.rows

    def clean(self, value: Any) -> Any:
        row = super().clean(value)
        if row.case_id == self.case.pk:
            row.case = self.case
        return row


class CaseAction(forms.Form):
    """A button of a case's page and its form, for one case, one person and one moment (UTC).

    The fields ask only for what the change needs. What is missing or impossible is refused by the change itself, in
    one sentence (S4), so that every caller gets the same.
    """

    #: Templates show classes of actions; Django would call a class.
    do_not_call_in_templates: ClassVar[bool] = True
    #: Names the action in its address; never changes.
    slug: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str]
    right: ClassVar[Needed]
    hint: ClassVar[str] = ""
    #: Shown afterwards, with the case's `{number}`, unless `perform` returns a message.
    success_message: ClassVar[str] = ""
    #: Its name on a tab of the composer, and which tab it is; without one it stands in the composer's menu.
    tab: ClassVar[Tab | None] = None
    #: Whether the composer offers it; the others have their place elsewhere on the page.
    in_composer: ClassVar[bool] = True
    #: Whether it is one click in the head of the case's page.
    in_header: ClassVar[bool] = False
    #: Whether menus carry it out at once, though its form could be filled in.
    in_one_click: ClassVar[bool] = False
    #: Whether it is refused if the case has changed since the page was opened.
    requires_fresh_page: ClassVar[bool] = False
    #: A template shown above the fields.
    shown_with: ClassVar[str] = ""
    #: Whether the form shows who would hear what, before the click (E10).
    previews: ClassVar[bool] = False

    #: The case's last change as the page showed it.
    seen = forms.CharField(required=False, widget=forms.HiddenInput())

    def __init__(
        self, case: Case, actor: User, now: datetime, data: Any = None, files: Any = None, *, in_menu: bool = False
    ) -> None:
        """`in_menu` is for a choice whose form is not shown: nothing is read for its fields."""
        is_empty = data is None and not in_menu
        super().__init__(data, files, auto_id=f"do-{self.slug}-%s", initial=self.stamps(case) if is_empty else None)
        self.case = case
        self.actor = actor
        self.now = now
        if in_menu:
            return
        bound_texts(self.fields)
        for field in self.fields.values():
            if isinstance(field, RowField):
                field.scope(case)
        self.prepare()

    @classmethod
    def stamps(cls, case: Case) -> dict[str, str]:
        """The hidden fields that say which state of the case the page showed."""
        return {"seen": case.changed_at.isoformat()}

    def prepare(self) -> None:
        """Fit the fields to the case and the person."""

    def prefill(self, asked: Mapping[str, str]) -> None:
        """Fill an empty form with what the address of the page asks for: the row that the action is about."""
        for name, field in self.fields.items():
            if isinstance(field, RowField) and asked.get(name):
                self.initial[name] = asked[name]

    def read_by(self) -> str:
        """Who reads what is written here, in a sentence; "" where that needs no word."""
        return ""

    @property
    def is_for_customer(self) -> bool:
        """Whether the customer reads what is written here."""
        return False

    @property
    def is_one_click(self) -> bool:
        """Whether menus carry it out at once."""
        return self.in_one_click or all(field.widget.is_hidden for field in self.base_fields.values())

    def offered(self) -> bool:
        """Whether the case, as it stands, offers the button to this person; the right is checked apart from it."""
        return True

    def perform(self) -> str | None:
        """Make the change with `cleaned_data`; `self.case` is locked. May return a message. Raises Refused."""
        raise NotImplementedError

    def show_without_errors(self) -> None:
        """Show what was typed and not what is wrong with it: nobody has pressed the button yet."""
        self._errors = ErrorDict()

    @property
    def answers(self) -> dict[str, Any]:
        """What a valid form says: `cleaned_data` without the stamps of the page."""
        return {name: value for name, value in self.cleaned_data.items() if name not in STAMPS}

    def carry_out(self) -> str:
        """Perform a valid action on its locked case and return what to say. Raises Refused or NotAllowed."""
        if self.requires_fresh_page:
            _refuse_stale(self.case, self.cleaned_data["seen"])
        return self.perform() or self.success_message.format(number=self.case.number)


def _refuse_stale(case: Case, seen: str) -> None:
    """Refuse what was decided on an older state of the case; a page that sent no stamp is not checked."""
    if not seen or seen == case.changed_at.isoformat():
        return
    waits = " It waits for the customer now." if case.status == Status.WAITING else ""
    raise Refused(
        f"{case.number} has changed since you opened the page: {last_change(case)}.{waits} Nothing was changed; "
        "look at the case as it is now, and press again if it still holds."
    )


# --- the registry -----------------------------------------------------------------------------------------------

ActionType = TypeVar("ActionType", bound=type[CaseAction])

#: Every action by its slug. Menus show them in this order: that of registration.
ACTIONS: dict[str, type[CaseAction]] = {}


def register_action(action: ActionType) -> ActionType:
    """Register the decorated action for the pages of cases."""
    assert action.slug not in ACTIONS, f"Two actions are named {action.slug}."
    ACTIONS[action.slug] = action
    return action


def actions_of(request: HttpRequest, case: Case, now: datetime) -> list[CaseAction]:
    """The composer's actions that this person may take on the case as it stands."""
    permitted = [action for action in ACTIONS.values() if action.in_composer and has_right(request, action.right)]
    actions = (action(case, signed_in_user(request), now, in_menu=True) for action in permitted)
    return [action for action in actions if action.offered()]


def header_actions(request: HttpRequest, case: Case, now: datetime) -> list[CaseAction]:
    """The actions of one click in the head of the case's page that this person may take."""
    permitted = [action for action in ACTIONS.values() if action.in_header and has_right(request, action.right)]
    actions = (action(case, signed_in_user(request), now, in_menu=True) for action in permitted)
    return [action for action in actions if action.offered()]


# --- the endpoint (A2) ------------------------------------------------------------------------------------------


class Endpoint:
    """Takes the POST of a button. It is given how to find a case for a request, and what its pages show."""

    def __init__(
        self,
        find: Callable[[HttpRequest, str], Case | None],
        page: Callable[[HttpRequest, Case, datetime], dict[str, Any]],
    ) -> None:
        self.find = find
        self.page = page

    def __call__(self, request: HttpRequest, object_id: int, slug: str) -> HttpResponse:
        """Take the action, or answer why not. Raises Http404 for a foreign case or an unknown action.

        A script that asks for the form gets it. Whoever opens the address, as Back or a bookmark does, is led to the
        page of the case.
        """
        if slug not in ACTIONS:
            raise Http404("There is no such action.")
        if request.method in ("GET", "HEAD"):
            return self._form(request, self._found(request, object_id), slug)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        action, now = ACTIONS[slug], timezone.now()
        if not has_right(request, action.right):
            return self._no_right(request, object_id, action, now)
        return self._try(request, object_id, action, now)

    def _form(self, request: HttpRequest, case: Case, slug: str) -> HttpResponse:
        action_type = ACTIONS[slug]
        if "HX-Request" not in request.headers or not has_right(request, action_type.right):
            return redirect(case.get_absolute_url())
        action = action_type(case, signed_in_user(request), timezone.now())
        if not action.offered():
            return redirect(case.get_absolute_url())
        action.prefill(request.GET)
        return TemplateResponse(request, "admin/cases/case/composer_form.html", {"case": case, "action": action})

    def _try(self, request: HttpRequest, case_id: int, action: type[CaseAction], now: datetime) -> HttpResponse:
        try:
            with transaction.atomic():
                # The lock makes the second of two clicks wait for the first, and then see what it did.
                actor = signed_in_user(request)
                button = action(locked(case_id, actor), actor, now, request.POST, request.FILES)
                message = button.carry_out() if button.is_valid() else ""
        except Case.DoesNotExist as error:
            raise Http404("There is no such case.") from error
        except NotAllowed as refused:
            return self._not_allowed(request, case_id, action, now, refused.sentence)
        except Refused as refused:
            return self._refused(request, case_id, action, now, refused)
        if button.errors:
            return self._answer(request, button, "", 422)
        messages.success(request, message)
        response = redirect(button.case.get_absolute_url())
        # The page drops the draft of what was carried out; it holds nothing that only the server should know.
        response.set_cookie(DONE_COOKIE, f"{button.case.pk}:{action.slug}", max_age=300, samesite="Lax")
        return response

    def _found(self, request: HttpRequest, case_id: int) -> Case:
        case = self.find(request, str(case_id))
        if case is None:
            raise Http404("There is no such case.")
        return case

    def _no_right(self, request: HttpRequest, case_id: int, action: type[CaseAction], now: datetime) -> HttpResponse:
        sentence = f"You may not do this: “{action.label}” takes a right that your role does not have."
        return self._not_allowed(request, case_id, action, now, sentence)

    def _not_allowed(
        self, request: HttpRequest, case_id: int, action: type[CaseAction], now: datetime, sentence: str
    ) -> HttpResponse:
        button = action(self._found(request, case_id), signed_in_user(request), now)
        return self._answer(request, button, sentence, 403, with_form=False)

    def _refused(
        self, request: HttpRequest, case_id: int, action: type[CaseAction], now: datetime, refused: Refused
    ) -> HttpResponse:
        # As it is now, and with its present stamp: whoever presses again has read the sentence.
        case = self._found(request, case_id)
        posted = request.POST.copy()
        posted.update(action.stamps(case))
        button = action(case, signed_in_user(request), now, posted)
        button.is_valid()
        if refused.field in button.fields:
            for one in (refused, *refused.others):
                button.add_error(one.field, one.sentence)
            return self._answer(request, button, "", 422)
        return self._answer(request, button, refused.sentence, 422 if refused.field else 409)

    def _answer(
        self,
        request: HttpRequest,
        button: CaseAction,
        sentence: str,
        status: int,
        with_form: bool = True,
        **more: Any,
    ) -> HttpResponse:
        context = self.page(request, button.case, button.now) | {
            "title": f"{button.label}: {button.case.number}",
            "original": button.case,
            "action": button,
            "form": button if with_form else None,
            "sentence": sentence,
            "still_possible": button.offered(),
            "files_to_choose_again": [file.name for file in request.FILES.getlist("attachments")],
            **more,
        }
        return TemplateResponse(request, "admin/cases/case/do.html", context, status=status)
