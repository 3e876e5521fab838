"""The buttons of escalation requests: request, decide, withdraw, and end management attention (E9, E1)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, cast

from django import forms
from django.db.models import QuerySet
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from cases.actions import CaseAction, RowField, register_action
from cases.enums import Status
from cases.forms import text_field
from cases.models import Case
from contacts.directory import Directory
from contacts.enums import Right
from contacts.permissions import Needed, id_of
from escalations.clocks import load_clock, load_clocks
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
    impact = text_field("Business impact")
    reason = text_field("Why before its time", help_text="Whoever decides reads all of it.")

    def offered(self) -> bool:
        undecided = [row for row in load_clock(self.case).requests if row.is_undecided and not row.is_decision]
        return is_active(self.case) and not undecided

    def perform(self) -> None:
        requests.request_escalation(self.case, self.actor, self.now, **self.answers)


def request_field(rows: QuerySet[EscalationRequest]) -> RowField:
    rows = rows.select_related("requested_by", "decided_by")
    required = "Nothing is left to decide here; look at the case as it is now."
    return RowField(rows, required, "This does not belong to the case")


class RequestAction(CaseAction):
    """An action on one request of the case; the page shows that request, and what accepting it would do."""

    right: ClassVar[Needed] = DECIDERS
    in_composer = False
    shown_with = "admin/escalations/request_shown.html"
    request = request_field(EscalationRequest.objects.exclude(origin=Origin.SCHEDULE))

    def prepare(self) -> None:
        self.initial["request"] = lambda: self.about

    @cached_property
    def about(self) -> EscalationRequest | None:
        """The request that is shown: the one that was sent, else the undecided one."""
        if self.is_bound:
            rows = cast(RowField, self.fields["request"]).rows
            return rows.filter(pk=id_of(self.data.get("request", "")) or 0).first()
        return self.undecided

    @cached_property
    def effect(self) -> AcceptanceEffect | None:
        """What accepting would do now; None while it cannot be accepted."""
        if self.about is None or not self.about.is_undecided or not is_active(self.case):
            return None
        return acceptance_effect(load_clocks([self.case])[self.case.pk], self.now, Directory())

    @cached_property
    def undecided(self) -> EscalationRequest | None:
        return requests.undecided_request(self.case)

    def may_act(self, request: EscalationRequest) -> bool:
        """Whether this person may act on that undecided request."""
        return requests.may_decide(request, self.actor)

    def offered(self) -> bool:
        return self.case.is_open and self.undecided is not None and self.may_act(self.undecided)


class DecisionAction(RequestAction):
    """An action on a decision that the schedule left to the Support Manager (E1)."""

    right = Right.DECIDE_REQUESTS

    request = request_field(EscalationRequest.objects.filter(origin=Origin.SCHEDULE))

    @cached_property
    def undecided(self) -> EscalationRequest | None:
        return requests.open_decision(self.case)


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
        requests.accept(actor=self.actor, now=self.now, **self.answers)


@register_action
class AcceptRequest(AcceptanceAction):
    slug, label, icon = "accept_request", "Accept the request", "check"
    previews = True
    success_message = "The request is accepted; the customer and the account manager of {number} are told."

    why = text_field(
        "Why", 2, "May be left empty. The account manager reads it, the customer does not.", required=False
    )


@register_action
class DeclineRequest(RequestAction):
    slug, label, icon = "decline_request", "Decline the request", "close"
    previews = True
    success_message = "The request is declined; the customer and the account manager of {number} are told."

    why = text_field(
        help_text="The account manager reads it. So does the customer, unless you write other words for them below."
    )
    words = text_field(
        "Words for the customer", help_text="The customer reads these instead of the reason above.", required=False
    )

    def perform(self) -> None:
        requests.decline(actor=self.actor, now=self.now, **self.answers)


@register_action
class WithdrawRequest(RequestAction):
    slug, label, icon = "withdraw_request", "Withdraw the request", "undo"
    right = (Right.REQUEST_ESCALATION, Right.DECIDE_REQUESTS)
    success_message = "The request is withdrawn; {number} goes on as before."

    reason = text_field(rows=2, required=False)

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
        requests.withdraw(actor=self.actor, now=self.now, **self.answers)


@register_action
class EscalateFurther(DecisionAction, AcceptanceAction):
    slug, label, icon = "escalate_further", "Escalate further", "trending_up"
    previews = True
    success_message = "{number} is escalated further."

    why = text_field(help_text="Kept on record; nobody outside reads it.")


@register_action
class LeaveAsIs(DecisionAction):
    slug, label, icon = "leave_as_is", "Leave it to the schedule", "schedule"
    previews = True
    success_message = "{number} is left to the schedule, and your reason is on record."

    why = text_field("Why not", help_text="Kept on record; nobody outside reads it.")

    def perform(self) -> None:
        requests.decline(actor=self.actor, now=self.now, **self.answers)


@register_action
class EndAttention(CaseAction):
    slug, label, icon = "end_attention", "End management's attention", "notifications_off"
    right = Right.DECIDE_REQUESTS
    success_message = "{number} no longer has management's attention; updates go on as the schedule says."
    in_composer = False

    reason = text_field()

    def offered(self) -> bool:
        return self.case.is_open and requests.attention_requests(self.case).exists()

    def perform(self) -> None:
        requests.end_attention(self.case, self.actor, self.now, reason=self.cleaned_data["reason"])
