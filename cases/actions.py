"""The moves of a case as buttons: one POST-only address for each, checked at the endpoint (A1, A2, C4).

A move that is refused is answered with one page: the case's header, the sentence, and the same form with everything
that was typed (S4). 409 says that the case has moved on, 422 that something typed is missing or wrong, 403 that it
takes another right, 404 that there is no such case for this person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from cases.enums import (
    AbsenceState,
    AgreedBy,
    Channel,
    Direction,
    Move,
    Resolution,
    Severity,
    Status,
    WaitPlan,
    WaitReason,
)
from cases.forms import (
    AbsenceForm,
    AskCustomerForm,
    HandledForm,
    LogAttemptForm,
    LogContactForm,
    MoveForm,
    NoteAbsenceForm,
    NoteForm,
    ReasonForm,
    ReassignForm,
    ResolveForm,
    RespondedForm,
    SeverityForm,
    WriteForm,
)
from cases.models import Case, CaseWatcher, FollowUp, Interaction
from cases.workflow import absences as absence_log
from cases.workflow import contact_log, guards, transitions
from contacts.enums import Right
from contacts.models import User
from contacts.permissions import READERS, Needed, holds, person

#: The very same words by the same person within this time are a second click, not a second contact.
SECOND_CLICK_WITHIN = timedelta(minutes=2)

Typed = dict[str, Any]


@dataclass(frozen=True)
class Action:
    """A button of the case page: its words, its form, the right it takes, and the move it makes.

    A move that answers with a sentence is told by it instead of by `done`.
    """

    name: str
    label: str
    icon: str
    right: Needed
    form: type[MoveForm]
    move: Callable[[Case, User, datetime, Typed], Any]
    done: str
    offered: Callable[[Case], bool]
    hint: str = ""
    main: bool = False
    #: Whether the case must not have changed since the page was opened: what it decides depends on it.
    needs_fresh_look: bool = False
    #: Whether it is a button of the header; the others have their place on the page.
    in_header: bool = True
    #: Whether it is offered to this person on this case, where the case alone does not say; may ask the database.
    offered_to: Callable[[Case, User], bool] = lambda case, user: True


@dataclass(frozen=True)
class Button:
    """An action that is offered on a page, with its form."""

    action: Action
    form: MoveForm


def _possible(transition: str) -> Callable[[Case], bool]:
    return lambda case: transition in transitions.available_transitions(case)


def _always(case: Case) -> bool:
    return True


def _is_open(case: Case) -> bool:
    return case.is_open


def _waits(case: Case) -> bool:
    return case.status == Status.WAITING


# --- the moves, as the forms' fields make them ------------------------------------------------------------------


def _ask(case: Case, actor: User, now: datetime, typed: Typed) -> None:
    transitions.ask_customer(
        case.pk,
        actor,
        now,
        question=typed["question"],
        reason=WaitReason(typed["reason"]),
        plan=WaitPlan(typed["plan"]) if typed["plan"] else None,
        send=typed["send"],
        not_before=typed["not_before"],
    )


def _respond(case: Case, actor: User, now: datetime, typed: Typed) -> str:
    _refuse_second_click(case, actor, now, typed["channel"], Direction.IN, typed["body"])
    confirms = typed.get("confirms") == "yes"
    contact_log.customer_responded(
        case.pk,
        actor,
        now,
        channel=Channel(typed["channel"]),
        body=typed["body"],
        confirms=confirms,
        solution=typed.get("solution", ""),
    )
    return f"The customer confirmed it; {case.number} is resolved." if confirms else ""


def _resolve(case: Case, actor: User, now: datetime, typed: Typed) -> None:
    transitions.resolve(
        case.pk,
        actor,
        now,
        resolution=Resolution(typed["resolution"]),
        solution=typed["solution"],
        agreed_by=AgreedBy(typed["agreed_by"]) if typed["agreed_by"] else None,
        said=typed["said"],
    )


def _log(case: Case, actor: User, now: datetime, typed: Typed) -> str:
    _refuse_second_click(case, actor, now, typed["channel"], typed["direction"], typed["body"])
    interaction = contact_log.log_contact(
        case.pk,
        actor,
        now,
        channel=Channel(typed["channel"]),
        direction=Direction(typed["direction"]),
        body=typed["body"],
        reached=typed["reached"],
        send=typed["send"],
    )
    return _said_of_attempt("The contact is logged", interaction)


#: What is logged of a call in one click; the customer was not reached by either.
CALLS = {"no_answer": "Called: no answer.", "left_message": "Called: left a message."}


def _log_attempt(case: Case, actor: User, now: datetime, typed: Typed) -> str:
    return _log(
        case,
        actor,
        now,
        {
            "channel": Channel.PHONE,
            "direction": Direction.OUT,
            "body": CALLS[typed["outcome"]],
            "reached": False,
            "send": False,
        },
    )


def _write(case: Case, actor: User, now: datetime, typed: Typed) -> str:
    said = {"channel": Channel.EMAIL, "direction": Direction.OUT, "body": typed["body"], "reached": True, "send": True}
    return _log(case, actor, now, said).replace("The contact is logged", "The mail is on its way")


def _said_of_attempt(done: str, interaction: Interaction) -> str:
    """What was done, and whether it counts as one of the three contacts (F3)."""
    if interaction.why_no_attempt:
        return f"{done}. It does not count as an attempt: {interaction.why_no_attempt}."
    attempt = FollowUp.objects.filter(interaction=interaction).first()
    return f"{done} and counts as the {attempt.get_step_display().lower()}." if attempt else f"{done}."


def _note_absence(case: Case, actor: User, now: datetime, typed: Typed) -> str:
    absence = absence_log.note_absence(
        case.pk, actor, now, note=typed["note"], away_from=typed["away_from"], back_on=typed["back_on"]
    )
    return {
        AbsenceState.CONFIRMED: "The absence is noted; we do not turn to them before they are back.",
        AbsenceState.READ: "The note is documented. Please confirm the dates that were read from it.",
        AbsenceState.UNREAD: "The note is documented, but its dates cannot be read: please say how long they are away.",
    }[AbsenceState(absence.state)]


def _confirm_absence(case: Case, actor: User, now: datetime, typed: Typed) -> None:
    absence_log.confirm_absence(typed["absence"].pk, actor, now, away_from=typed["away_from"], back_on=typed["back_on"])


def _note(case: Case, actor: User, now: datetime, typed: Typed) -> None:
    _refuse_second_click(case, actor, now, Channel.NOTE, Direction.INTERNAL, typed["body"])
    contact_log.log_contact(case.pk, actor, now, channel=Channel.NOTE, direction=Direction.INTERNAL, body=typed["body"])


def _stop_watching(case: Case, actor: User, now: datetime, typed: Typed) -> None:
    if not CaseWatcher.objects.filter(case=case, user=actor).exists():
        raise guards.Refused(f"You do not watch {case.number} any more.")
    transitions.stop_watching(case.pk, actor)


def _mark_handled(case: Case, actor: User, now: datetime, typed: Typed) -> None:
    if not typed["interaction"].needs_answer:
        raise guards.Refused("This contact is marked as handled already.")
    contact_log.mark_handled(typed["interaction"].pk, actor)


def _refuse_second_click(case: Case, actor: User, now: datetime, channel: str, direction: str, body: str) -> None:
    just_now = Interaction.objects.filter(
        case=case,
        by=actor,
        channel=channel,
        direction=direction,
        body=body.strip(),
        at__gt=now - SECOND_CLICK_WITHIN,
        opened_the_case=False,
    )
    if just_now.exists():
        raise guards.Refused("You logged exactly this a moment ago; nothing was logged twice.")


ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        Action(
            "start_work",
            transitions.TRANSITIONS["start_work"],
            "play_arrow",
            Right.WORK_CASES,
            MoveForm,
            lambda case, actor, now, typed: transitions.start_work(case.pk, actor, now),
            "Work on {number} has begun.",
            _possible("start_work"),
            main=True,
        ),
        Action(
            "customer_responded",
            transitions.TRANSITIONS["customer_responded"],
            "mark_chat_read",
            Right.WORK_CASES,
            RespondedForm,
            _respond,
            "The response is logged; {number} is in progress again.",
            _possible("customer_responded"),
            hint="Ends the wait: the case goes back to work and no further notice is sent.",
            main=True,
        ),
        Action(
            "ask_customer",
            transitions.TRANSITIONS["ask_customer"],
            "contact_support",
            Right.WORK_CASES,
            AskCustomerForm,
            _ask,
            "{number} waits for the customer.",
            _possible("ask_customer"),
            hint="The case waits for the customer, and is followed up by a plan. A new question starts a new wait.",
            needs_fresh_look=True,
        ),
        Action(
            "take_back",
            transitions.TRANSITIONS["take_back"],
            "undo",
            Right.WORK_CASES,
            ReasonForm,
            lambda case, actor, now, typed: transitions.take_back(case.pk, actor, now, reason=typed["reason"]),
            "The question is taken back; {number} is in progress.",
            _possible("take_back"),
            hint="Asked by mistake, or found it yourselves: the case goes back to work.",
        ),
        Action(
            "resolve",
            transitions.TRANSITIONS["resolve"],
            "task_alt",
            Right.WORK_CASES,
            ResolveForm,
            _resolve,
            "{number} is resolved; the customer is told.",
            _possible("resolve"),
            hint="The customer is told that the case is closed and why.",
            needs_fresh_look=True,
        ),
        Action(
            "reopen",
            transitions.TRANSITIONS["reopen"],
            "restart_alt",
            Right.WORK_CASES,
            ReasonForm,
            lambda case, actor, now, typed: transitions.reopen(case.pk, actor, now, reason=typed["reason"]),
            "{number} is in progress again.",
            _possible("reopen"),
            main=True,
        ),
        Action(
            "log_contact",
            "Log a contact",
            "add_call",
            Right.WORK_CASES,
            LogContactForm,
            _log,
            "The contact is logged.",
            _always,
            hint="A word from the customer ends a wait by itself.",
        ),
        Action(
            "add_note",
            "Add a note",
            "sticky_note_2",
            Right.ADD_NOTES,
            NoteForm,
            _note,
            "The note is added.",
            _always,
            hint="For staff only: the customer never sees it.",
        ),
        Action(
            "change_severity",
            "Change severity",
            "speed",
            Right.WORK_CASES,
            SeverityForm,
            lambda case, actor, now, typed: transitions.change_severity(
                case.pk, actor, now, severity=Severity(typed["severity"]), reason=typed["reason"]
            ),
            "The severity of {number} is changed.",
            _is_open,
            hint="The escalation schedule follows as if the case had always had it.",
        ),
        Action(
            "reassign",
            "Reassign",
            "person_search",
            Right.REASSIGN,
            ReassignForm,
            lambda case, actor, now, typed: transitions.reassign(
                case.pk, actor, now, owner=typed["owner"], reason=typed["reason"]
            ),
            "{number} has a new owner.",
            _is_open,
            hint="The present owner goes on watching the case.",
        ),
        Action(
            "stop_watching",
            "Stop watching",
            "visibility_off",
            READERS,
            MoveForm,
            _stop_watching,
            "You no longer watch {number}.",
            _always,
            in_header=False,
        ),
        Action(
            "mark_handled",
            "Mark as handled",
            "check",
            Right.WORK_CASES,
            HandledForm,
            _mark_handled,
            "The contact is marked as handled.",
            _always,
            in_header=False,
        ),
        Action(
            "log_attempt",
            "Log a call",
            "phone_missed",
            Right.WORK_CASES,
            LogAttemptForm,
            _log_attempt,
            "The call is logged.",
            _waits,
            in_header=False,
        ),
        Action(
            "write_to_customer",
            "Write to the customer",
            "outgoing_mail",
            Right.WORK_CASES,
            WriteForm,
            _write,
            "The mail is on its way.",
            _waits,
            hint="It goes out as your own mail, and is logged on the case.",
            in_header=False,
        ),
        Action(
            "note_absence",
            "Note an absence",
            "beach_access",
            Right.WORK_CASES,
            NoteAbsenceForm,
            _note_absence,
            "The absence is noted.",
            _is_open,
            hint="Neither an answer nor an attempt: the follow-up sleeps until they are back.",
            in_header=False,
        ),
        Action(
            "confirm_absence",
            "Confirm the dates",
            "check",
            Right.WORK_CASES,
            AbsenceForm,
            _confirm_absence,
            "The dates are confirmed; we do not turn to them before they are back.",
            _is_open,
            in_header=False,
        ),
        Action(
            "dismiss_absence",
            "Not an absence",
            "close",
            Right.WORK_CASES,
            AbsenceForm,
            lambda case, actor, now, typed: absence_log.dismiss_absence(typed["absence"].pk, actor, now),
            "Noted that this is no absence; the follow-up goes on.",
            _is_open,
            in_header=False,
        ),
        Action(
            "end_absence",
            "They are back",
            "alarm",
            Right.WORK_CASES,
            AbsenceForm,
            lambda case, actor, now, typed: absence_log.end_absence(typed["absence"].pk, actor, now),
            "The absence is over; the follow-up goes on.",
            _is_open,
            in_header=False,
        ),
    )
}


def register(action: Action) -> Action:
    """Offer another app's move on the pages of cases, by the same endpoint and under the same guards (A2, S4)."""
    ACTIONS[action.name] = action
    return action


def buttons_of(request: HttpRequest, case: Case, now: datetime) -> list[Button]:
    """The moves that this person may make on the case as it stands."""
    return [
        Button(action, action.form(case, person(request), action.name))
        for action in ACTIONS.values()
        if action.in_header and holds(request, action.right) and _offered(action, case, person(request), now)
    ]


def button_of(name: str, case: Case, user: User) -> Button:
    """A move with an empty form, for a place on the page other than the header. Raises KeyError for an unknown name."""
    action = ACTIONS[name]
    return Button(action, action.form(case, user, action.name))


def _offered(action: Action, case: Case, user: User, now: datetime) -> bool:
    if action.name == "reopen" and not transitions.can_reopen(case, now):
        return False
    return action.offered(case) and action.offered_to(case, user)


# --- the endpoint (A2) ------------------------------------------------------------------------------------------


class Endpoint:
    """Takes the POST of a button. It is handed how to find a case for a request, and what its pages show."""

    def __init__(
        self,
        find: Callable[[HttpRequest, str], Case | None],
        page: Callable[[HttpRequest, Case, datetime], dict[str, Any]],
    ) -> None:
        self.find = find
        self.page = page

    def __call__(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Make the move, or answer why not. Raises Http404 for a foreign case or an unknown move."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        case, action, now = self.find(request, object_id), ACTIONS.get(name), timezone.now()
        if case is None or action is None:
            raise Http404("There is no such case or move.")
        if not holds(request, action.right):
            sentence = f"You may not do this: “{action.label}” takes a right that your role does not have."
            return self._answer(request, case, action, None, now, sentence, 403)
        return self._try(request, case, action, now)

    def _try(self, request: HttpRequest, case: Case, action: Action, now: datetime) -> HttpResponse:
        form = action.form(case, person(request), action.name, request.POST)
        if not form.is_valid():
            return self._answer(request, case, action, form, now, "", 422)
        try:
            with transaction.atomic():
                # The lock makes the second of two clicks wait for the first, and then see what it did.
                current = guards.locked(case.pk, person(request))
                if action.needs_fresh_look:
                    _refuse_stale(current, form.cleaned_data["seen"])
                said = action.move(current, person(request), now, form.cleaned_data)
        except Case.DoesNotExist as gone:
            raise Http404("There is no such case any more.") from gone
        except guards.NotAllowed as refused:
            return self._answer(request, case, action, None, now, refused.sentence, 403)
        except guards.Refused as refused:
            return self._refused(request, case, action, form, refused, now)
        done = said if isinstance(said, str) and said else action.done.format(number=case.number)
        messages.success(request, done)
        return redirect(case.get_absolute_url())

    def _refused(
        self,
        request: HttpRequest,
        case: Case,
        action: Action,
        form: MoveForm,
        refused: guards.Refused,
        now: datetime,
    ) -> HttpResponse:
        # As it is now, and with its present stamp: whoever presses again has read the sentence.
        fresh = self.find(request, str(case.pk)) or case
        again = action.form(fresh, person(request), action.name, _with_stamp(request.POST, fresh))
        again.is_valid()
        if refused.field in again.fields:
            again.add_error(refused.field, refused.sentence)
            return self._answer(request, fresh, action, again, now, "", 422)
        return self._answer(request, fresh, action, again, now, refused.sentence, 422 if refused.field else 409)

    def _answer(
        self,
        request: HttpRequest,
        case: Case,
        action: Action,
        form: MoveForm | None,
        now: datetime,
        sentence: str,
        status: int,
    ) -> HttpResponse:
        still_possible = _offered(action, case, person(request), now)
        context = self.page(request, case, now) | {
            "title": f"{action.label}: {case.number}",
            "original": case,
            "action": action,
            "form": form,
            "sentence": sentence,
            "still_possible": still_possible,
        }
        return TemplateResponse(request, "admin/cases/case/do.html", context, status=status)


def _with_stamp(posted: Any, case: Case) -> Any:
    data = posted.copy()
    data["seen"] = case.changed_at.isoformat()
    return data


def _refuse_stale(case: Case, seen: str) -> None:
    """Refuse what was decided on an older picture of the case; a page that sent no stamp is not checked."""
    if not seen or seen == case.changed_at.isoformat():
        return
    last = case.history.select_related("history_user").order_by("-history_date", "-history_id").first()
    by = f" by {last.history_user}" if last and last.history_user else ""
    waits = " It waits for the customer now." if case.status == Status.WAITING else ""
    raise guards.Refused(
        f"{case.number} has changed since you opened the page: {Move(case.last_move).label.lower()}{by} at "
        f"{case.changed_at:%Y-%m-%d %H:%M} UTC.{waits} Nothing was changed; look at the case as it is now, "
        "and press again if it still holds."
    )
