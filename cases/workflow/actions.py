"""The buttons of a case: transitions (C4), contact log (C3), severity, owner, watching, words after closing (C7)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from itertools import groupby
from typing import Any, ClassVar, cast

from django import forms
from django.db.models import TextChoices
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget

from cases.actions import SECOND_CLICK_WITHIN, CaseAction, RowField, Tab, register_action
from cases.enums import AgreedBy, CallOutcome, Channel, Direction, Resolution, Severity, Status, WaitPlan, WaitReason
from cases.followup.mail import draft_message
from cases.forms import (
    REAL_CHANNELS,
    CopiesField,
    FilesField,
    MomentField,
    PersonField,
    day_field,
    text_field,
    tick_field,
)
from cases.guards import Refused, last_change
from cases.models import Case, CaseWatcher, FollowUp, Interaction
from cases.page_cache import newest_entry
from cases.people import offer_copies, offer_people
from cases.policy.followup.plans import PLAN_FOR
from cases.policy.severity import DEFINITIONS
from cases.roster import Roster
from cases.workflow import contact_log, contract_questions, handing_on, transitions
from contacts.enums import Right
from contacts.models import User
from contacts.permissions import READERS
from contacts.wording import and_list


class ForCustomer(CaseAction):
    """An action whose words the customer reads."""

    @property
    def is_for_customer(self) -> bool:
        return True

    def read_by(self) -> str:
        return f"{self.case.contact.name} reads this."


class LoggingAction(CaseAction):
    """An action that writes into the contact log: a second click is told from a second contact.

    The page carries the newest entry that it shows. A double click carries the same one twice; whoever has seen the
    first entry and logs another like it made a second contact.
    """

    last_logged = forms.IntegerField(required=False, widget=forms.HiddenInput())

    @classmethod
    def stamps(cls, case: Case) -> dict[str, str]:
        return super().stamps(case) | {"last_logged": str(newest_entry(case))}

    def refuse_second_click(
        self, channel: Channel, direction: Direction, body: str, at: datetime | None = None
    ) -> None:
        """Refuse to log what the same person logged a moment ago, unless the page showed it already."""
        just_now = Interaction.objects.filter(
            case=self.case,
            by=self.actor,
            channel=channel,
            direction=direction,
            body=body.strip(),
            logged_at__gt=self.now - SECOND_CLICK_WITHIN,
            opened_the_case=False,
            pk__gt=self.cleaned_data["last_logged"] or 0,
            **({"at": at} if at else {}),
        )
        if just_now.exists():
            raise Refused(
                "You logged exactly this a moment ago; nothing was logged twice. If it happened twice, press again."
            )


class ShowsOwner(CaseAction):
    """An action that gives a case another owner: it is meant for the owner whom the page showed (C8)."""

    owner_seen = forms.CharField(required=False, widget=forms.HiddenInput())

    @classmethod
    def stamps(cls, case: Case) -> dict[str, str]:
        return super().stamps(case) | {"owner_seen": str(case.owner_id or 0)}

    def refuse_other_owner(self) -> None:
        """Refuse what was decided on a page that showed another owner: the second of two people sees who was first."""
        seen = self.cleaned_data["owner_seen"]
        if seen and seen != str(self.case.owner_id or 0):
            raise Refused(
                f"{self.case.number} belongs to {self.case.owner or 'nobody'} meanwhile: {last_change(self.case)}. "
                "Nothing was changed; press again if it still holds."
            )


# --- transitions (C4) -------------------------------------------------------------------------------------------


class TransitionAction(CaseAction):
    """One of the transitions of C4; its slug is the transition's name."""

    right = Right.WORK_CASES

    def offered(self) -> bool:
        return self.slug in transitions.available_transitions(self.case)


class TakeOrHelp(TextChoices):
    """What somebody means who works on a colleague's case (C8)."""

    TAKE = "take", "Take it over"
    HELP = "help", "Only help"


@register_action
class StartWork(ShowsOwner, TransitionAction):
    slug, label, icon = "start_work", transitions.TRANSITIONS["start_work"], "play_arrow"
    success_message = "Work on {number} has begun."

    whose = forms.TypedChoiceField(
        choices=TakeOrHelp.choices,
        coerce=TakeOrHelp,
        error_messages={"required": "Say which is meant: do you take the case over, or only help?"},
        help_text="Who takes it over owns it with everything that is owed on it. Who helps leaves it where it is.",
        widget=UnfoldAdminRadioSelectWidget(),
    )

    @property
    def is_one_click(self) -> bool:
        return self.case.owner is None or self.case.owner == self.actor

    def prepare(self) -> None:
        """Ask which is meant on the case of a colleague (C8)."""
        if self.is_one_click:
            del self.fields["whose"]
        else:
            self.fields["whose"].label = f"It is {self.case.owner}'s"

    def perform(self) -> str | None:
        takes_over = self.answers.get("whose") is TakeOrHelp.TAKE
        if takes_over:
            self.refuse_other_owner()
            handing_on.take_over(self.case, self.actor, self.now)
        transitions.start_work(self.case, self.actor, self.now)
        return f"{self.case.number} is yours now, and work on it has begun." if takes_over else None


@register_action
class CustomerResponded(LoggingAction, TransitionAction):
    slug, label, icon = "customer_responded", transitions.TRANSITIONS["customer_responded"], "mark_chat_read"
    previews = True
    hint = "Ends the wait: the case goes back to work and no further notice is sent."
    success_message = "The response is logged; {number} is in progress again."
    tab: ClassVar[Tab | None] = Tab(10, "They answered")
    #: Who dialled or wrote; a response either way (F3).
    direction = Direction.IN

    channel = forms.TypedChoiceField(
        label="How they reached us",
        choices=REAL_CHANNELS,
        coerce=Channel,
        error_messages={"required": "Choose how the customer reached us: phone, chat or email."},
        widget=UnfoldAdminSelectWidget(),
    )
    contact = PersonField("Who of them")
    at = MomentField()
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
        """Ask for the confirmation only where we wait for one; a response is the help desk's."""
        offer_people(self, help_desk_only=True)
        if self.case.wait_reason != WaitReason.CONFIRM:
            del self.fields["confirms"], self.fields["solution"]
            return
        self.initial["solution"] = self.case.solution or self.case.wait_question

    def perform(self) -> str | None:
        answers = self.answers
        self.refuse_second_click(answers["channel"], self.direction, answers["body"], answers["at"])
        contact_log.customer_responded(self.case, self.actor, self.now, direction=self.direction, **answers)
        return f"The customer confirmed it; {self.case.number} is resolved." if answers.get("confirms") else None


@register_action
class ReachedCustomer(CustomerResponded):
    """We called and reached them: a call of ours, and a response (F3)."""

    slug, label, icon = "reached_customer", CallOutcome.REACHED.label, "call"
    hint = "Logged as your call; it ends the wait."
    success_message = "The call is logged; {number} is in progress again."
    tab = None
    in_composer = False
    direction = Direction.OUT

    def offered(self) -> bool:
        return self.case.status == Status.WAITING

    def prepare(self) -> None:
        super().prepare()
        self.fields["channel"].choices = [(Channel.PHONE.value, Channel.PHONE.label)]  # type: ignore[attr-defined]
        self.fields["channel"].widget = forms.HiddenInput()
        self.initial["channel"] = Channel.PHONE.value


@register_action
class AskCustomer(ForCustomer, TransitionAction):
    slug, label, icon = "ask_customer", transitions.TRANSITIONS["ask_customer"], "contact_support"
    previews = True
    hint = "The case waits for the customer, and is followed up by a plan. A new question starts a new wait."
    success_message = "{number} waits for the customer."
    tab = Tab(40, "Ask and wait")
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
        **{"data-desk-shows": json.dumps({"channel": [""], "copies": ["on"]})},
    )
    copies = CopiesField()
    attachments = FilesField("They are sent with the question.")
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

    def prepare(self) -> None:
        """Offer copies of the question."""
        offer_copies(self)

    def perform(self) -> None:
        transitions.ask_customer(self.case, self.actor, self.now, **self.answers)


@register_action
class TakeBack(TransitionAction):
    slug, label, icon = "take_back", transitions.TRANSITIONS["take_back"], "undo"
    previews = True
    hint = "Asked by mistake, or found it yourselves: the case goes back to work."
    success_message = "The question is taken back; {number} is in progress."

    reason = text_field()

    def perform(self) -> None:
        transitions.take_back(self.case, self.actor, self.now, **self.answers)


@register_action
class Resolve(ForCustomer, TransitionAction):
    slug, label, icon = "resolve", transitions.TRANSITIONS["resolve"], "task_alt"
    previews = True
    hint = "The customer is told that the case is closed and why."
    success_message = "{number} is resolved; the customer is told."
    tab = Tab(60, "Resolve")
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
                    {name: [Resolution.CONFIRMED.value] for name in ("agreed_by", "solution")}
                    | {"said": [Resolution.CONFIRMED.value, Resolution.NOT_PURSUED.value]}
                )
            }
        ),
    )
    agreed_by = forms.TypedChoiceField(
        label="How they agreed",
        required=False,
        choices=[("", "Choose"), *((one.value, one.label) for one in AgreedBy if one != AgreedBy.PAGE)],
        coerce=AgreedBy,
        empty_value=None,
        help_text="Needed when the customer confirmed it: both sides agree to close.",
        widget=UnfoldAdminSelectWidget(),
    )
    said = text_field("What they said", 2, "May be left empty. Kept on record; it is not mailed.", required=False)
    solution = text_field("Solution", 6, "Needed when the customer confirmed it; they get it by email.", required=False)
    copies = CopiesField()

    def prepare(self) -> None:
        """Offer “no response” only where a response is waited for."""
        offer_copies(self)
        self.initial["solution"] = self.case.solution
        if self.case.status != Status.WAITING:
            reason = cast("forms.TypedChoiceField", self.fields["resolution"])
            reason.choices = [one for one in Resolution.choices if one[0] != Resolution.NO_RESPONSE]

    def perform(self) -> None:
        transitions.resolve(self.case, self.actor, self.now, **self.answers)


@register_action
class Reopen(TransitionAction):
    slug, label, icon = "reopen", transitions.TRANSITIONS["reopen"], "restart_alt"
    previews = True
    tab = Tab(10, "Reopen")
    success_message = "{number} is in progress again."

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
        at: datetime | None = None,
        **more: Any,
    ) -> str:
        """Log the contact; return `done`, and what it counts as: an attempt (F3), or no word with the customer."""
        self.refuse_second_click(channel, direction, body, at)
        interaction = contact_log.log_contact(
            self.case, self.actor, self.now, channel=channel, direction=direction, body=body, at=at, **more
        )
        if not interaction.with_customer:
            return f"{done}. It is no word with the customer: they do not belong to the help desk."
        if self.case.status == Status.WAITING and interaction.is_response:
            return f"{done}. The case goes on waiting: it was before the question."
        if interaction.why_no_attempt:
            return f"{done}. It does not count as an attempt: {interaction.why_no_attempt}."
        attempt = FollowUp.objects.filter(interaction=interaction).first()
        return f"{done} and counts as the {attempt.get_step_display().lower()}." if attempt else f"{done}."


@register_action
class LogContact(ContactAction):
    slug, label, icon = "log_contact", "Log a contact", "add_call"
    hint = "A word from the customer ends a wait by itself."
    tab = Tab(30, "Log a contact")

    direction = forms.TypedChoiceField(
        label="Who turned to whom",
        choices=[(word.value, word.label) for word in (Direction.OUT, Direction.IN)],
        coerce=Direction,
        error_messages={"required": "Say whether it came from the customer or went to them."},
        widget=UnfoldAdminSelectWidget(
            attrs={"data-desk-shows": json.dumps({name: [Direction.OUT.value] for name in ("outcome", "for_customer")})}
        ),
    )
    channel = forms.TypedChoiceField(
        label="Channel",
        choices=REAL_CHANNELS,
        coerce=Channel,
        error_messages={"required": "Choose the channel: phone, chat or email."},
        widget=UnfoldAdminSelectWidget(
            attrs={"data-desk-shows": json.dumps({"outcome": [Channel.PHONE.value, Channel.CHAT.value]})}
        ),
    )
    contact = PersonField("With whom")
    at = MomentField()
    outcome = forms.TypedChoiceField(
        label="How our call went",
        choices=CallOutcome.choices,
        coerce=CallOutcome,
        empty_value=CallOutcome.REACHED,
        initial=CallOutcome.REACHED.value,
        required=False,
        help_text="Who was reached has responded; a message left is an attempt.",
        widget=UnfoldAdminSelectWidget(),
    )
    body = text_field("What was said", 5)
    attachments = FilesField()
    for_customer = tick_field(
        "The customer may read these words",
        help_text="They stand in the next status update then. Otherwise only staff read them.",
    )

    def prepare(self) -> None:
        """Offer everybody who is there."""
        offer_people(self)

    def read_by(self) -> str:
        return "Only staff read this, unless you mark it for the customer."

    def perform(self) -> str:
        answers = self.answers
        if answers["direction"] != Direction.OUT:
            answers |= {"for_customer": False, "outcome": CallOutcome.REACHED}  # not shown, and not meant
        return self.log("The contact is logged", **answers)


@register_action
class AddNote(LoggingAction):
    slug, label, icon = "add_note", "Add a note", "sticky_note_2"
    right = Right.ADD_NOTES
    success_message = "The note is added."
    tab = Tab(50, "Note")

    body = text_field("Note", 5)
    attachments = FilesField()

    def read_by(self) -> str:
        return "Only staff read this."

    def perform(self) -> None:
        channel, direction, body = Channel.NOTE, Direction.INTERNAL, self.cleaned_data["body"]
        self.refuse_second_click(channel, direction, body)
        contact_log.log_contact(
            self.case,
            self.actor,
            self.now,
            channel=channel,
            direction=direction,
            body=body,
            attachments=self.cleaned_data["attachments"],
        )


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


#: Each with what it means below it (C2).
DEFINED_SEVERITIES = [
    (severity.value, format_html('{}<span class="desk-meaning">{}</span>', severity.label, meaning))
    for severity, meaning in DEFINITIONS.items()
]


@register_action
class ChangeSeverity(CaseAction):
    slug, label, icon = "change_severity", "Change severity", "speed"
    previews = True
    right = Right.WORK_CASES
    hint = "The escalation schedule follows as if the case had always had it."
    success_message = "The severity of {number} is changed."

    severity = forms.TypedChoiceField(
        label="Severity",
        choices=DEFINED_SEVERITIES,
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
    """A technician, from a list that says who is there, where, in which languages and with which load (C8)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=User.objects.none(), widget=UnfoldAdminSelectWidget(), **kwargs)

    def offer(self, now: datetime, language: str, besides: int | None = None) -> None:
        """Accept whoever can sign in (D9); list them, but for `besides`, when the field is shown."""
        self.queryset = User.objects.able_to_sign_in().filter(technician__isnull=False)
        self.choices = cache(partial(self._listed, now, language, besides))  # a widget reads them more than once

    def _listed(self, now: datetime, language: str, besides: int | None) -> list[Any]:
        people = [one for one in Roster(now).colleagues(language) if one.technician.user_id != besides]
        groups = groupby(people, key=lambda one: one.availability)
        grouped = [(name, [(one.technician.user_id, str(one)) for one in those]) for name, those in groups]
        return [("", self.empty_label or ""), *grouped]


class OwnershipAction(ShowsOwner):
    """An action that gives a case another owner (C8); the menu of the owner offers it."""

    right = Right.WORK_CASES

    def offered(self) -> bool:
        return self.case.is_open


@register_action
class TakeOver(OwnershipAction):
    slug, label, icon = "take_over", "Take over", "front_hand"
    hint = "It becomes yours with everything that is owed on it. The present owner is told and goes on watching it."
    success_message = "{number} is yours now."
    in_one_click = True

    reason = text_field("A word for the present owner", 2, "It may be left out.", required=False)

    def offered(self) -> bool:
        return super().offered() and self.case.owner_id != self.actor.pk

    def perform(self) -> None:
        self.refuse_other_owner()
        handing_on.take_over(self.case, self.actor, self.now, **self.answers)


@register_action
class HandOver(OwnershipAction):
    slug, label, icon = "hand_over", "Hand over", "forward"
    hint = "The new owner is told. Whoever has it now goes on watching the case."

    owner = OwnerField(
        label="To",
        empty_label="Choose a technician",
        error_messages={
            "required": "Choose who gets the case.",
            "invalid_choice": "This is no active technician; choose one who is.",
        },
    )
    reason = text_field("A word for the new owner", 3, "It may be left out.", required=False)

    def prepare(self) -> None:
        owner = cast(OwnerField, self.fields["owner"])
        owner.offer(self.now, self.case.contact.speaks, besides=self.case.owner_id)
        owner.widget.attrs["required"] = True

    def offered(self) -> bool:
        return super().offered() and handing_on.may_hand_over(self.case, self.actor)

    def perform(self) -> str:
        self.refuse_other_owner()
        case = handing_on.hand_over(self.case, self.actor, self.now, **self.answers)
        return f"{case.number} is {case.owner}'s now."


# --- with a place of their own on the page ----------------------------------------------------------------------


@register_action
class StopWatching(CaseAction):
    slug, label, icon = "stop_watching", "Stop watching", "visibility_off"
    right = READERS
    success_message = "You no longer watch {number}."
    in_composer = False

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
    in_composer = False

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
    in_composer = False

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
    in_composer = False

    interaction = RowField(
        Interaction.objects.all(), "Say which call is meant.", "This call does not belong to the case"
    )

    def offered(self) -> bool:
        return self.case.status == Status.WAITING

    def perform(self) -> None:
        contact_log.withdraw_call(self.case, self.actor, self.now, interaction_id=self.cleaned_data["interaction"].pk)


@register_action
class WriteToCustomer(ForCustomer, ContactAction):
    """A mail to the customer, now; while they are waited for it may be an attempt (F3)."""

    slug, label, icon = "write_to_customer", "Write to the customer", "outgoing_mail"
    hint = "It goes out as your own mail, and is logged on the case."
    tab = Tab(20, "Write")

    body = text_field("Message", 5)
    attachments = FilesField("They are sent with the message.")
    copies = CopiesField()

    def prepare(self) -> None:
        """Offer copies."""
        offer_copies(self)

    def prefill(self, asked: Mapping[str, str]) -> None:
        """While the case waits the address may ask for the draft of an attempt, by its number."""
        super().prefill(asked)
        if self.case.status == Status.WAITING and asked.get("draft") in ("1", "2", "3"):
            self.initial["body"] = draft_message(self.case, int(asked["draft"]))

    def perform(self) -> str:
        answers = self.answers
        readers = [self.case.contact.name, *(person.name for person in answers.get("copies", ()))]
        return self.log(f"The mail is on its way to {and_list(readers)}", **answers, channel=Channel.EMAIL, send=True)
