"""The buttons of a case: transitions (C4), contact log (C3), severity, owner, watching, words after closing (C7)."""

from __future__ import annotations

import json
from typing import cast

from django import forms
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget

from cases.actions import SECOND_CLICK_WITHIN, CaseAction, RowField, register_action
from cases.enums import AgreedBy, CallOutcome, Channel, Direction, Resolution, Severity, Status, WaitPlan, WaitReason
from cases.forms import REAL_CHANNELS, day_field, text_field, tick_field
from cases.guards import Refused
from cases.models import Case, CaseWatcher, FollowUp, Interaction
from cases.page_cache import kept_with_case
from cases.policy.followup.plans import PLAN_FOR
from cases.workflow import contact_log, contract_questions, transitions
from contacts.enums import Right
from contacts.models import User
from contacts.permissions import READERS


class LoggingAction(CaseAction):
    """An action that writes into the contact log: a second click is told from a second contact.

    The page carries the newest entry that it shows. A double click carries the same one twice; whoever has seen the
    first entry and logs another like it made a second contact.
    """

    last_logged = forms.IntegerField(required=False, widget=forms.HiddenInput())

    @classmethod
    def stamps(cls, case: Case) -> dict[str, str]:
        return super().stamps(case) | {"last_logged": str(newest_entry(case))}

    def refuse_second_click(self, channel: Channel, direction: Direction, body: str) -> None:
        """Refuse to log what the same person logged a moment ago, unless the page showed it already."""
        just_now = Interaction.objects.filter(
            case=self.case,
            by=self.actor,
            channel=channel,
            direction=direction,
            body=body.strip(),
            at__gt=self.now - SECOND_CLICK_WITHIN,
            opened_the_case=False,
            pk__gt=self.cleaned_data["last_logged"] or 0,
        )
        if just_now.exists():
            raise Refused(
                "You logged exactly this a moment ago; nothing was logged twice. If it happened twice, press again."
            )


@kept_with_case
def newest_entry(case: Case) -> int:
    """The key of the newest entry of the case's log; 0 for none."""
    return Interaction.objects.filter(case=case).order_by("-pk").values_list("pk", flat=True).first() or 0


# --- transitions (C4) -------------------------------------------------------------------------------------------


class TransitionAction(CaseAction):
    """One of the transitions of C4; its slug is the transition's name."""

    right = Right.WORK_CASES

    def offered(self) -> bool:
        return self.slug in transitions.available_transitions(self.case)


@register_action
class StartWork(TransitionAction):
    slug, label, icon = "start_work", transitions.TRANSITIONS["start_work"], "play_arrow"
    success_message = "Work on {number} has begun."
    is_main = True

    def perform(self) -> None:
        transitions.start_work(self.case, self.actor, self.now)


@register_action
class CustomerResponded(LoggingAction, TransitionAction):
    slug, label, icon = "customer_responded", transitions.TRANSITIONS["customer_responded"], "mark_chat_read"
    hint = "Ends the wait: the case goes back to work and no further notice is sent."
    success_message = "The response is logged; {number} is in progress again."
    is_main = True
    #: Who dialled or wrote; a response either way (F3).
    direction = Direction.IN

    channel = forms.TypedChoiceField(
        label="How they reached us",
        choices=REAL_CHANNELS,
        coerce=Channel,
        error_messages={"required": "Choose how the customer reached us: phone, chat or email."},
        widget=UnfoldAdminSelectWidget(),
    )
    body = text_field("What the customer said", 5)
    confirms = forms.TypedChoiceField(
        label="Is it solved?",
        choices=[("", "Choose"), ("yes", "Yes, they confirm the solution"), ("no", "No, it still does not work")],
        coerce=lambda answer: answer == "yes",
        error_messages={"required": "Say whether it is solved: if they confirm it, the case is resolved."},
        help_text="If they confirm it, the case is resolved at once; else it goes back to work.",
        widget=UnfoldAdminSelectWidget(attrs={"data-desk-shows": json.dumps({"solution": ["yes"]})}),
    )
    solution = text_field("Solution", 4, "Needed when they confirm it; they get it by email.", required=False)

    def prepare(self) -> None:
        """Ask for the confirmation only where we wait for one."""
        if self.case.wait_reason != WaitReason.CONFIRM:
            del self.fields["confirms"], self.fields["solution"]
            return
        self.initial["solution"] = self.case.solution or self.case.wait_question

    def perform(self) -> str | None:
        answers = self.answers
        self.refuse_second_click(answers["channel"], self.direction, answers["body"])
        contact_log.customer_responded(self.case, self.actor, self.now, direction=self.direction, **answers)
        return f"The customer confirmed it; {self.case.number} is resolved." if answers.get("confirms") else None


@register_action
class ReachedCustomer(CustomerResponded):
    """We called and reached them: a call of ours, and a response (F3)."""

    slug, label, icon = "reached_customer", CallOutcome.REACHED.label, "call"
    hint = "Logged as your call; it ends the wait."
    success_message = "The call is logged; {number} is in progress again."
    is_main = in_header = False
    direction = Direction.OUT

    def offered(self) -> bool:
        return self.case.status == Status.WAITING

    def prepare(self) -> None:
        super().prepare()
        self.fields["channel"].choices = [(Channel.PHONE.value, Channel.PHONE.label)]  # type: ignore[attr-defined]
        self.fields["channel"].widget = forms.HiddenInput()
        self.initial["channel"] = Channel.PHONE.value


@register_action
class AskCustomer(TransitionAction):
    slug, label, icon = "ask_customer", transitions.TRANSITIONS["ask_customer"], "contact_support"
    hint = "The case waits for the customer, and is followed up by a plan. A new question starts a new wait."
    success_message = "{number} waits for the customer."
    requires_fresh_page = True

    question = text_field("Question, or what the customer told us", 5)
    reason = forms.TypedChoiceField(
        label="Why we wait",
        choices=WaitReason.choices,
        coerce=WaitReason,
        initial=WaitReason.INFORMATION.value,
        error_messages={"required": "Say why we wait: it picks how we follow up."},
        widget=UnfoldAdminSelectWidget(
            attrs={"data-desk-plans": json.dumps({reason.value: plan.value for reason, plan in PLAN_FOR.items()})}
        ),
    )
    plan = forms.TypedChoiceField(
        label="How we follow up",
        choices=WaitPlan.choices,
        coerce=WaitPlan,
        empty_value=None,
        initial=PLAN_FOR[WaitReason.INFORMATION].value,
        required=False,
        help_text="The reason picks one; choose the other where it fits better.",
        widget=UnfoldAdminSelectWidget(),
    )
    not_before = day_field("They cannot act before", "If they named a day: until then we do not turn to them.")
    send = tick_field(
        "Send it by email now",
        True,
        "Untick it when the question was put in another way.",
        **{"data-desk-shows": json.dumps({"channel": [""]})},
    )
    channel = forms.TypedChoiceField(
        label="How it was put to them",
        required=False,
        choices=[
            ("", "Choose"),
            (Channel.PHONE.value, "By phone"),
            (Channel.CHAT.value, "In a chat"),
            (Channel.EMAIL.value, "By my own email"),
        ],
        coerce=Channel,
        empty_value=None,
        help_text="It is logged as your contact with them, now.",
        widget=UnfoldAdminSelectWidget(),
    )

    def perform(self) -> None:
        transitions.ask_customer(self.case, self.actor, self.now, **self.answers)


@register_action
class TakeBack(TransitionAction):
    slug, label, icon = "take_back", transitions.TRANSITIONS["take_back"], "undo"
    hint = "Asked by mistake, or found it yourselves: the case goes back to work."
    success_message = "The question is taken back; {number} is in progress."

    reason = text_field()

    def perform(self) -> None:
        transitions.take_back(self.case, self.actor, self.now, **self.answers)


@register_action
class Resolve(TransitionAction):
    slug, label, icon = "resolve", transitions.TRANSITIONS["resolve"], "task_alt"
    hint = "The customer is told that the case is closed and why."
    success_message = "{number} is resolved; the customer is told."
    requires_fresh_page = True

    resolution = forms.TypedChoiceField(
        label="Why it closes",
        choices=Resolution.choices,
        coerce=Resolution,
        error_messages={
            "required": "Choose why the case closes.",
            "invalid_choice": "This is no reason to close this case: “no response” closes only a case that waits for "
            "its customer. Choose another one.",
        },
        widget=UnfoldAdminSelectWidget(
            attrs={
                "data-desk-shows": json.dumps(
                    {name: [Resolution.CONFIRMED.value] for name in ("agreed_by", "said", "solution")}
                )
            }
        ),
    )
    agreed_by = forms.TypedChoiceField(
        label="How they agreed",
        required=False,
        choices=[("", "Choose"), *AgreedBy.choices],
        coerce=AgreedBy,
        empty_value=None,
        help_text="Needed when the customer confirmed it: both sides agree to close.",
        widget=UnfoldAdminSelectWidget(),
    )
    said = text_field("What they said", 2, required=False)
    solution = text_field("Solution", 6, "Needed when the customer confirmed it; they get it by email.", required=False)

    def prepare(self) -> None:
        """Offer “no response” only where a response is waited for."""
        self.initial["solution"] = self.case.solution
        if self.case.status != Status.WAITING:
            reason = cast("forms.TypedChoiceField", self.fields["resolution"])
            reason.choices = [one for one in Resolution.choices if one[0] != Resolution.NO_RESPONSE]

    def perform(self) -> None:
        transitions.resolve(self.case, self.actor, self.now, **self.answers)


@register_action
class Reopen(TransitionAction):
    slug, label, icon = "reopen", transitions.TRANSITIONS["reopen"], "restart_alt"
    success_message = "{number} is in progress again."
    is_main = True

    reason = text_field()

    def offered(self) -> bool:
        return super().offered() and transitions.can_reopen(self.case, self.now)

    def perform(self) -> None:
        transitions.reopen(self.case, self.actor, self.now, **self.answers)


# --- the contact log (C3) ---------------------------------------------------------------------------------------


class ContactAction(LoggingAction):
    """An action that logs a contact with the customer."""

    right = Right.WORK_CASES

    def log(
        self,
        done: str,
        *,
        body: str,
        channel: Channel,
        direction: Direction = Direction.OUT,
        outcome: CallOutcome = CallOutcome.REACHED,
        send: bool = False,
        for_customer: bool = False,
    ) -> str:
        """Log the contact; return `done`, and whether it counts as one of the three contacts (F3)."""
        self.refuse_second_click(channel, direction, body)
        interaction = contact_log.log_contact(
            self.case,
            self.actor,
            self.now,
            channel=channel,
            direction=direction,
            body=body,
            outcome=outcome,
            send=send,
            for_customer=for_customer,
        )
        if interaction.why_no_attempt:
            return f"{done}. It does not count as an attempt: {interaction.why_no_attempt}."
        attempt = FollowUp.objects.filter(interaction=interaction).first()
        return f"{done} and counts as the {attempt.get_step_display().lower()}." if attempt else f"{done}."


@register_action
class LogContact(ContactAction):
    slug, label, icon = "log_contact", "Log a contact", "add_call"
    hint = "A word from the customer ends a wait by itself."

    channel = forms.TypedChoiceField(
        label="Channel",
        choices=REAL_CHANNELS,
        coerce=Channel,
        error_messages={"required": "Choose the channel: phone, chat or email."},
        widget=UnfoldAdminSelectWidget(),
    )
    direction = forms.TypedChoiceField(
        label="Who turned to whom",
        choices=[(word.value, word.label) for word in Direction if word != Direction.INTERNAL],
        coerce=Direction,
        error_messages={"required": "Say whether it came from the customer or went to them."},
        widget=UnfoldAdminSelectWidget(),
    )
    body = text_field("What was said", 5)
    outcome = forms.TypedChoiceField(
        label="How our call went",
        choices=CallOutcome.choices,
        coerce=CallOutcome,
        empty_value=CallOutcome.REACHED,
        initial=CallOutcome.REACHED.value,
        required=False,
        help_text="Of a call or chat of ours. Who was reached has responded; a message left is an attempt.",
        widget=UnfoldAdminSelectWidget(),
    )
    send = tick_field("Send it now", help_text="Only an email to the customer can be sent.")
    for_customer = tick_field(
        "The customer may read these words",
        help_text="They stand in the next status update then. Otherwise only staff read what is not sent.",
    )

    def perform(self) -> str:
        return self.log("The contact is logged", **self.answers)


@register_action
class AddNote(LoggingAction):
    slug, label, icon = "add_note", "Add a note", "sticky_note_2"
    right = Right.ADD_NOTES
    hint = "For staff only: the customer never sees it."
    success_message = "The note is added."

    body = text_field("Note", 5)

    def perform(self) -> None:
        channel, direction, body = Channel.NOTE, Direction.INTERNAL, self.cleaned_data["body"]
        self.refuse_second_click(channel, direction, body)
        contact_log.log_contact(self.case, self.actor, self.now, channel=channel, direction=direction, body=body)


@register_action
class PassOnContractQuestion(CaseAction):
    """A question about a contract or a bill that came up in a case (D6)."""

    slug, label, icon = "contract_question", "Contract question", "request_quote"
    right = Right.WORK_CASES
    hint = "It goes to the account manager, and the customer is told who answers. The case itself goes on."

    question = text_field("What they want to know", 4)

    def perform(self) -> str:
        case = self.case
        row = contract_questions.pass_on(
            case.company, case.contact, self.actor, self.now, question=self.answers["question"], case=case
        )
        return contract_questions.sentence_of(row)


# --- severity and owner (C2, A1) --------------------------------------------------------------------------------


@register_action
class ChangeSeverity(CaseAction):
    slug, label, icon = "change_severity", "Change severity", "speed"
    right = Right.WORK_CASES
    hint = "The escalation schedule follows as if the case had always had it."
    success_message = "The severity of {number} is changed."

    severity = forms.TypedChoiceField(
        label="Severity",
        choices=Severity.choices,
        coerce=Severity,
        error_messages={"required": "Choose the new severity."},
        widget=UnfoldAdminRadioSelectWidget(),
    )
    reason = text_field()

    def prepare(self) -> None:
        self.initial["severity"] = self.case.severity

    def offered(self) -> bool:
        return self.case.is_open

    def perform(self) -> None:
        transitions.change_severity(self.case, self.actor, self.now, **self.answers)


class OwnerField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A technician with level and duty, so that whoever reassigns sees whom they choose."""

    def label_from_instance(self, user: User) -> str:
        """“Tina Berg (L3, on duty)”."""
        duty = "on duty" if user.technician.on_duty else "away"
        return f"{user} ({user.technician.level}, {duty})"


@register_action
class Reassign(CaseAction):
    slug, label, icon = "reassign", "Reassign", "person_search"
    right = Right.REASSIGN
    hint = "The present owner goes on watching the case."
    success_message = "{number} has a new owner."

    owner = OwnerField(
        label="New owner",
        queryset=User.objects.none(),
        empty_label="Choose a technician",
        error_messages={
            "required": "Choose who gets the case.",
            "invalid_choice": "This is no active technician; choose one who is.",
        },
        widget=UnfoldAdminSelectWidget(attrs={"required": True}),
    )
    reason = text_field()

    def prepare(self) -> None:
        """Offer the technicians who can sign in (D9)."""
        technicians = User.objects.able_to_sign_in().filter(technician__isnull=False).select_related("technician")
        cast(OwnerField, self.fields["owner"]).queryset = technicians

    def offered(self) -> bool:
        return self.case.is_open

    def perform(self) -> None:
        transitions.reassign(self.case, self.actor, self.now, **self.answers)


# --- with a place of their own on the page ----------------------------------------------------------------------


@register_action
class StopWatching(CaseAction):
    slug, label, icon = "stop_watching", "Stop watching", "visibility_off"
    right = READERS
    success_message = "You no longer watch {number}."
    in_header = False

    def perform(self) -> None:
        if not CaseWatcher.objects.filter(case=self.case, user=self.actor).exists():
            raise Refused(f"You do not watch {self.case.number} any more.")
        transitions.stop_watching(self.case.pk, self.actor)


@register_action
class MarkHandled(CaseAction):
    """A word from the customer on a resolved case needs nothing more (C7)."""

    slug, label, icon = "mark_handled", "Mark as handled", "check"
    right = Right.WORK_CASES
    success_message = "The contact is marked as handled."
    in_header = False

    interaction = RowField(
        Interaction.objects.all(), "Say which contact is handled.", "This contact does not belong to the case"
    )

    def perform(self) -> None:
        interaction = self.cleaned_data["interaction"]
        if not interaction.needs_answer:
            raise Refused("This contact is marked as handled already.")
        contact_log.mark_handled(interaction.pk, self.actor)


@register_action
class LogAttempt(ContactAction):
    """A call to a customer who was not reached, in one click (F3)."""

    slug, label, icon = "log_attempt", "Log a call", "phone_missed"
    in_header = False

    outcome = forms.TypedChoiceField(
        choices=[(one.value, one.label) for one in CallOutcome if one != CallOutcome.REACHED],
        coerce=CallOutcome,
        error_messages={
            "required": "Say how the call went: no answer, or a message left.",
            "invalid_choice": "Say how the call went: no answer, or a message left.",
        },
        widget=forms.HiddenInput(),
    )

    def offered(self) -> bool:
        return self.case.status == Status.WAITING

    def perform(self) -> str:
        outcome = self.cleaned_data["outcome"]
        body = f"Called: {outcome.label.lower()}."
        return self.log("The contact is logged", body=body, channel=Channel.PHONE, outcome=outcome)


@register_action
class WithdrawCall(CaseAction):
    """A call in vain that was logged by mistake counts for nothing (C3)."""

    slug, label, icon = "withdraw_call", "Logged by mistake", "undo"
    right = Right.WORK_CASES
    success_message = "The call is withdrawn; it stays in the log and counts for nothing."
    in_header = False

    interaction = RowField(
        Interaction.objects.all(), "Say which call is meant.", "This call does not belong to the case"
    )

    def offered(self) -> bool:
        return self.case.status == Status.WAITING

    def perform(self) -> None:
        contact_log.withdraw_call(self.case, self.actor, self.now, interaction_id=self.cleaned_data["interaction"].pk)


@register_action
class WriteToCustomer(ContactAction):
    """A mail to the customer who is waited for (F3); whoever shows the form puts the draft in."""

    slug, label, icon = "write_to_customer", "Write to the customer", "outgoing_mail"
    hint = "It goes out as your own mail, and is logged on the case."
    in_header = False

    body = text_field("Message", 10)

    def offered(self) -> bool:
        return self.case.status == Status.WAITING

    def perform(self) -> str:
        return self.log("The mail is on its way", **self.answers, channel=Channel.EMAIL, send=True)
