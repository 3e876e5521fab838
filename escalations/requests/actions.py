"""The buttons of escalation requests: request, decide, withdraw, and end management attention (E9, E1)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, cast

from django import forms
from django.db.models import Q, QuerySet
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from cases.actions import CaseAction, register_action
from cases.enums import Status
from cases.forms import reason_field, text_area
from cases.models import Case
from contacts.directory import Directory
from contacts.enums import Right
from contacts.permissions import Needed, id_of
from escalations.clocks import load_clocks
from escalations.enums import Origin
from escalations.models import EscalationRequest
from escalations.requests import apply as requests
from escalations.requests.decide import AcceptanceEffect, acceptance_effect

#: Whoever may decide some request; `may_decide` says whether this one.
DECIDERS = (Right.DECIDE_REQUESTS, Right.DECIDE_PASSED_ON)


def is_active(case: Case) -> bool:
    """Whether the case can be escalated: it is neither resolved nor waits for its customer."""
    return case.status not in (Status.WAITING, Status.RESOLVED)


@register_action
class RequestEscalation(CaseAction):
    slug, label, icon = "request_escalation", "Request escalation", "campaign"
    right = Right.REQUEST_ESCALATION
    hint = "The Support Manager is emailed at once and decides. The customer and the account manager hear the outcome."
    success_message = "The escalation of {number} is requested; the Support Manager is emailed."

    origin = forms.TypedChoiceField(
        label="Who wants it",
        choices=[(origin.value, origin.label) for origin in Origin if origin != Origin.SCHEDULE],
        coerce=Origin,
        initial=Origin.CUSTOMER.value,
        error_messages={"required": "Say who wants it: the customer, or we ourselves."},
        widget=UnfoldAdminRadioSelectWidget(),
    )
    asked_by = forms.CharField(
        label="Who asked",
        required=False,
        help_text="The name of the person, at the customer's or here.",
        widget=UnfoldAdminTextInputWidget(
            attrs={"required": True, "maxlength": requests.LONGEST_NAME, "autocomplete": "off"}
        ),
    )
    impact = forms.CharField(label="Business impact", required=False, widget=text_area(3, required=True))
    reason = forms.CharField(
        label="Why before its time",
        required=False,
        help_text="Whoever decides reads all of it.",
        widget=text_area(3, required=True),
    )

    def offered(self) -> bool:
        return is_active(self.case) and requests.undecided_request(self.case) is None

    def perform(self) -> None:
        requests.request_escalation(self.case, self.actor, self.now, **self.answers)


class RequestAction(CaseAction):
    """An action on one request of the case; the page shows that request, and what accepting it would do."""

    right: ClassVar[Needed] = DECIDERS
    in_header = False
    shown_with = "admin/escalations/request_shown.html"
    is_about_decision = False

    request = forms.ModelChoiceField(
        queryset=EscalationRequest.objects.none(),
        widget=forms.HiddenInput(),
        error_messages={
            "required": "Nothing is left to decide here; look at the case as it is now.",
            "invalid_choice": "This does not belong to the case; look at the case as it is now.",
        },
    )

    def prepare(self) -> None:
        """Accept only a request, or a decision, of this very case."""
        field = cast("forms.ModelChoiceField[EscalationRequest]", self.fields["request"])
        field.queryset = self._rows()
        self.initial["request"] = lambda: self.about

    def _rows(self) -> QuerySet[EscalationRequest]:
        rows = EscalationRequest.objects.filter(case=self.case).select_related("requested_by", "decided_by")
        decisions = Q(origin=Origin.SCHEDULE)
        return rows.filter(decisions if self.is_about_decision else ~decisions)

    @cached_property
    def about(self) -> EscalationRequest | None:
        """The request that is shown: the one that was sent, else the undecided one."""
        if self.is_bound:
            return self._rows().filter(pk=id_of(self.data.get("request", "")) or 0).first()
        return self._undecided

    @cached_property
    def effect(self) -> AcceptanceEffect | None:
        """What accepting would do now; None while it cannot be accepted."""
        if self.about is None or not self.about.is_undecided or not is_active(self.case):
            return None
        return acceptance_effect(load_clocks([self.case])[self.case.pk], self.now, Directory())

    @cached_property
    def _undecided(self) -> EscalationRequest | None:
        find = requests.open_decision if self.is_about_decision else requests.undecided_request
        return find(self.case)

    @property
    def chosen(self) -> EscalationRequest:
        """The request of a valid form, with the locked case."""
        request: EscalationRequest = self.cleaned_data["request"]
        request.case = self.case
        return request

    def may_act(self, request: EscalationRequest) -> bool:
        """Whether this person may act on that undecided request."""
        return requests.may_decide(request, self.actor)

    def offered(self) -> bool:
        return self.case.is_open and self._undecided is not None and self.may_act(self._undecided)


class EffectInput(forms.HiddenInput):
    """Sends back the key of the effect that the page showed; a page that is shown again has the present one."""

    def __init__(self, action: RequestAction) -> None:
        super().__init__()
        self.action = action

    def format_value(self, value: Any) -> str:
        return self.action.effect.key if self.action.effect else ""


class AcceptanceAction(RequestAction):
    """Accept a request or decision whose effect was shown."""

    point = forms.CharField(required=False, widget=forms.HiddenInput())

    def prepare(self) -> None:
        super().prepare()
        self.fields["point"].widget = EffectInput(self)

    def offered(self) -> bool:
        return is_active(self.case) and super().offered()

    def perform(self) -> None:
        answers = self.cleaned_data
        requests.accept(self.chosen, self.actor, self.now, why=answers["why"], point=answers["point"])


@register_action
class AcceptRequest(AcceptanceAction):
    slug, label, icon = "accept_request", "Accept the request", "check"
    success_message = "The request is accepted; the customer and the account manager of {number} are told."

    why = forms.CharField(
        label="Why",
        required=False,
        help_text="May be left empty. The account manager reads it, the customer does not.",
        widget=text_area(2),
    )


@register_action
class DeclineRequest(RequestAction):
    slug, label, icon = "decline_request", "Decline the request", "close"
    success_message = "The request is declined; the customer and the account manager of {number} are told."

    why = forms.CharField(
        label="Why",
        required=False,
        help_text="The account manager reads it. So does the customer, unless you write other words for them below.",
        widget=text_area(3, required=True),
    )
    words = forms.CharField(
        label="Words for the customer",
        required=False,
        help_text="The customer reads these instead of the reason above.",
        widget=text_area(3),
    )

    def perform(self) -> None:
        answers = self.cleaned_data
        requests.decline(self.chosen, self.actor, self.now, why=answers["why"], words=answers["words"])


@register_action
class WithdrawRequest(RequestAction):
    slug, label, icon = "withdraw_request", "Withdraw the request", "undo"
    right = (Right.REQUEST_ESCALATION, Right.DECIDE_REQUESTS)
    success_message = "The request is withdrawn; {number} goes on as before."

    reason = forms.CharField(label="Why", required=False, widget=text_area(2))

    def prepare(self) -> None:
        """Say who reads the reason; whoever made the request may leave it out."""
        super().prepare()
        requester = self.about.requested_by if self.about else None
        is_own = self.about is not None and requester == self.actor
        self.fields["reason"].help_text = (
            "May be left empty." if is_own else f"{requester or 'Whoever requested it'} reads it."
        )

    def may_act(self, request: EscalationRequest) -> bool:
        return requests.may_withdraw(request, self.actor)

    def perform(self) -> None:
        requests.withdraw(self.chosen, self.actor, self.now, reason=self.cleaned_data["reason"])


@register_action
class EscalateFurther(AcceptanceAction):
    slug, label, icon = "escalate_further", "Escalate further", "trending_up"
    right = Right.DECIDE_REQUESTS
    success_message = "{number} is escalated further."
    is_about_decision = True

    why = forms.CharField(
        label="Why",
        required=False,
        help_text="Kept on record; nobody outside reads it.",
        widget=text_area(3, required=True),
    )


@register_action
class LeaveAsIs(RequestAction):
    slug, label, icon = "leave_as_is", "Leave it to the schedule", "schedule"
    right = Right.DECIDE_REQUESTS
    success_message = "{number} is left to the schedule, and your reason is on record."
    is_about_decision = True

    why = forms.CharField(
        label="Why not",
        required=False,
        help_text="Kept on record; nobody outside reads it.",
        widget=text_area(3, required=True),
    )

    def perform(self) -> None:
        requests.decline(self.chosen, self.actor, self.now, why=self.cleaned_data["why"])


@register_action
class EndAttention(CaseAction):
    slug, label, icon = "end_attention", "End management's attention", "notifications_off"
    right = Right.DECIDE_REQUESTS
    success_message = "{number} no longer has management's attention; updates go on as the schedule says."
    in_header = False

    reason = reason_field()

    def offered(self) -> bool:
        return self.case.is_open and requests.attention_requests(self.case).exists()

    def perform(self) -> None:
        requests.end_attention(self.case, self.actor, self.now, reason=self.cleaned_data["reason"])
