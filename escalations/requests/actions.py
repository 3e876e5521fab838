"""The forms of requested escalations: what is asked of whoever requests, decides or withdraws one (E9, E1).

As every move's form they decide nothing; `escalations.requests.apply` says what is missing or impossible (S4).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, cast

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from cases.enums import Status
from cases.forms import MoveForm, text_area
from cases.models import Case
from contacts.directory import Directory
from contacts.models import User
from contacts.permissions import id_of
from escalations.clocks import load_clocks
from escalations.enums import Origin
from escalations.models import EscalationRequest
from escalations.requests.apply import LONGEST_NAME, open_decision, undecided_request
from escalations.requests.decide import AcceptanceEffect, acceptance_effect


class RequestForm(MoveForm):
    """Who asked, the business impact, and why (E9)."""

    origin = forms.ChoiceField(
        label="Who wants it",
        choices=[(word.value, word.label) for word in Origin if word != Origin.SCHEDULE],
        initial=Origin.CUSTOMER.value,
        error_messages={"required": "Say who wants it: the customer, or we ourselves."},
        widget=UnfoldAdminRadioSelectWidget(),
    )
    asked_by = forms.CharField(
        label="Who asked",
        required=False,
        help_text="The name of the person, at the customer's or here.",
        widget=UnfoldAdminTextInputWidget(attrs={"required": True, "maxlength": LONGEST_NAME, "autocomplete": "off"}),
    )
    impact = forms.CharField(label="Business impact", required=False, widget=text_area(3, required=True))
    reason = forms.CharField(
        label="Why before its time",
        required=False,
        help_text="Whoever decides reads all of it.",
        widget=text_area(3, required=True),
    )


class OfferInput(forms.HiddenInput):
    """Sends back what the page offered; shown again, it offers what there is by then."""

    def __init__(self, form: AboutRequestForm) -> None:
        super().__init__()
        self.form = form

    def format_value(self, value: Any) -> str:
        """The key of the present offer, whatever was sent before."""
        offer = self.form.offer
        return offer.key if offer else ""


class AboutRequestForm(MoveForm):
    """A move about one request; the page shows that request and what accepting it would bring."""

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
        """Only what was requested, or left to decide, on this very case."""
        cast("forms.ModelChoiceField[EscalationRequest]", self.fields["request"]).queryset = self._rows()
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
        return open_decision(self.case) if self.is_about_decision else undecided_request(self.case)

    @cached_property
    def offer(self) -> AcceptanceEffect | None:
        """What accepting would bring now; None while the case is at rest, or when it is decided already."""
        if self.about is None or not self.about.is_undecided or not _is_at_work(self.case):
            return None
        return acceptance_effect(load_clocks([self.case])[self.case.pk], timezone.now(), Directory())


def _is_at_work(case: Case) -> bool:
    return case.status not in (Status.WAITING, Status.RESOLVED)


class AcceptForm(AboutRequestForm):
    """Accept what somebody requested, having seen what that brings (E9)."""

    point = forms.CharField(required=False, widget=forms.HiddenInput())
    why = forms.CharField(
        label="Why",
        required=False,
        help_text="May be left empty. The account manager reads it, the customer does not.",
        widget=text_area(2),
    )

    def __init__(self, case: Case, user: User, name: Any, data: Any = None) -> None:
        super().__init__(case, user, name, data)
        self.fields["point"].widget = OfferInput(self)


class DeclineForm(AboutRequestForm):
    """Decline what somebody requested, with a reason (E9)."""

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


class WithdrawForm(AboutRequestForm):
    """Take a request back (E9)."""

    reason = forms.CharField(label="Why", required=False, widget=text_area(2))

    def prepare(self) -> None:
        """Of one's own request the reason may stay unsaid."""
        super().prepare()
        is_own = self.about is not None and self.about.requested_by == self.user
        who = self.about.requested_by if self.about else None
        self.fields["reason"].help_text = (
            "May be left empty." if is_own else f"{who or 'Whoever requested it'} reads it."
        )


class EscalateFurtherForm(AcceptForm):
    """Escalate further what the schedule left to decide, with a reason (E1)."""

    is_about_decision = True
    why = forms.CharField(
        label="Why",
        required=False,
        help_text="Kept on record; nobody outside reads it.",
        widget=text_area(3, required=True),
    )


class LeaveAsIsForm(AboutRequestForm):
    """Leave it to the schedule's own course, with a reason (E1)."""

    is_about_decision = True
    why = forms.CharField(
        label="Why not",
        required=False,
        help_text="Kept on record; nobody outside reads it.",
        widget=text_area(3, required=True),
    )
