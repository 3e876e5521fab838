"""The buttons that answer a question for the status and send a status update (E8, T2)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from cases.actions import SECOND_CLICK_WITHIN, CaseAction, Tab, register_action
from cases.enums import Status
from cases.forms import CopiesField, text_field, tick_field
from cases.guards import Refused
from cases.models import Case, Interaction
from cases.page_cache import directory_of
from cases.people import offer_copies
from contacts.directory import Addressee
from contacts.enums import Right
from escalations.audience import STAFF, audience_of, readers_of
from escalations.clocks import load_clock
from escalations.enums import Member
from escalations.questions.apply import answer_question
from escalations.questions.updates import send_status_update

#: The longest answer, in characters; whoever has more to say adds a note.
LONGEST_LINE = 500


@register_action
class AnswerQuestion(CaseAction):
    slug, label, icon = "answer_question", "Answer", "quickreply"
    right = Right.WORK_CASES
    success_message = "Your answer is logged and goes to the staff who are kept informed about {number}."
    tab = Tab(5, "Answer")

    answer = forms.CharField(
        label="Your answer, in a line",
        required=False,
        max_length=LONGEST_LINE,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "required": True}),
    )
    for_customer = forms.CharField(
        label="For the customer (optional)",
        required=False,
        max_length=LONGEST_LINE,
        help_text="Goes out with their next status update. They never see your answer itself.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    same_for_customer = tick_field("The customer may read the answer as it is")

    def read_by(self) -> str:
        return "Staff read the answer at once; the customer reads only what you write for them."

    def offered(self) -> bool:
        return load_clock(self.case).question is not None and self.case.is_open

    def perform(self) -> None:
        typed = self.cleaned_data
        same = typed["answer"] if typed["same_for_customer"] else ""
        answer_question(
            self.case,
            self.actor,
            self.now,
            answer=typed["answer"],
            for_customer=typed["for_customer"] or same,
            question_id=_shown_question(self.case, typed["seen"]),
        )


def _shown_question(case: Case, seen: str) -> int | None:
    """The newest question when the page was opened. `seen` tells when that was, as asking changes the case.

    None for a page that sent no moment.
    """
    try:
        at = datetime.fromisoformat(seen)
    except ValueError:
        return None
    if timezone.is_naive(at):
        return None
    shown = case.questions.filter(asked_at__lte=at).order_by("-asked_at", "-pk").values_list("pk", flat=True)
    return shown.first()


@register_action
class SendStatusUpdate(CaseAction):
    """One text, with a tick for each member; those of the audience in force are ticked (T2, E4)."""

    slug, label, icon = "give_update", "Send a status update", "forward_to_inbox"
    right = Right.WORK_CASES
    hint = "One text to everybody who is ticked; whoever watches the case gets it as well."
    success_message = "The update on {number} is on its way."

    text = text_field("How it stands", 5)
    copies = CopiesField("A copy to")

    def prepare(self) -> None:
        """Add a tick for each member, with the names of its readers."""
        clock = load_clock(self.case)
        audience = audience_of(clock, self.now)
        readers = readers_of(self.case, [Member.CUSTOMER, *STAFF], directory_of(self.case))
        copies = self.fields.pop("copies")
        self.fields["customer"] = self._customer_tick(readers[Member.CUSTOMER])
        self.fields["copies"] = copies
        for member in STAFF:
            self.fields[member.value] = tick_field(
                f"{member.label}: {_names(readers[member])}",
                member in audience and bool(readers[member]),
                "" if member in audience else "Not in the audience of this case now.",
            )
        if clock.question is not None:
            self.fields["answers_question"] = tick_field(
                f"This answers {clock.question.point}, which asks for the status",
                True,
                "An answer goes to all the staff in the audience.",
            )
        offer_copies(self)

    def _customer_tick(self, readers: Sequence[Addressee]) -> forms.BooleanField:
        label = f"Customer: {self.case.contact.name}"
        if not readers:
            return tick_field(label, False, "Has no email address.")
        if self.case.status == Status.WAITING:
            return tick_field(label, False, "Not while the case waits for them.")
        return tick_field(label, True, **{"data-desk-shows": json.dumps({"copies": ["on"]})})

    def offered(self) -> bool:
        return self.case.is_open

    def perform(self) -> None:
        typed = self.cleaned_data
        self._refuse_second_click(typed["text"])
        send_status_update(
            self.case,
            self.actor,
            self.now,
            text=typed["text"],
            members=[member for member in STAFF if typed[member.value]],
            customer_too=typed["customer"],
            answers_question=typed.get("answers_question", False),
            copies=typed.get("copies", ()),
        )

    def _refuse_second_click(self, text: str) -> None:
        since = self.now - SECOND_CLICK_WITHIN
        logged = Interaction.objects.filter(case=self.case, by=self.actor, body=text.strip(), opened_the_case=False)
        if logged.filter(logged_at__gt=since).exists():
            raise Refused("You sent exactly this a moment ago; nothing was sent twice.")


def _names(readers: Sequence[Addressee]) -> str:
    names = [f"{reader.name} (in their place)" if reader.meant_for else reader.name for reader in readers]
    return ", ".join(names) or "nobody"
