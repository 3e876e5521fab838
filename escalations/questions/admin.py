"""Questions for the status in the admin: the answer in a line, a person's status update, the list (E8, T2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from cases.actions import SECOND_CLICK_WITHIN, Action, register
from cases.enums import Status
from cases.guards import Refused
from cases.models import Case, case_id_of
from cases.templatetags.case_page import badge, moment_html
from contacts.enums import Right
from contacts.models import User
from contacts.permissions import RightsAdmin, holds, person
from escalations.enums import QuestionEnd
from escalations.models import Question
from escalations.questions import apply as questions
from escalations.questions.actions import AnswerForm, UpdateForm
from escalations.questions.updates import give_update

# --- the moves --------------------------------------------------------------------------------------------------


def _answer(case: Case, actor: User, now: datetime, typed: dict[str, Any]) -> None:
    shown = _shown(case, typed["seen"])
    questions.answer(case.pk, actor, now, answer=typed["answer"], for_customer=typed["for_customer"], question_id=shown)


def _shown(case: Case, seen: str) -> int | None:
    """The question that the page showed: the newest one when it was opened. Asking changes the case, so `seen`, the
    case's last change on the page, tells. None for a page that sent no moment.
    """
    try:
        at = datetime.fromisoformat(seen)
    except ValueError:
        return None
    if timezone.is_naive(at):
        return None
    shown = case.questions.filter(asked_at__lte=at).order_by("-asked_at", "-pk").values_list("pk", flat=True)
    return shown.first()


def _give_update(case: Case, actor: User, now: datetime, typed: dict[str, Any]) -> None:
    if questions.said_just_now(case, actor, typed["text"], now - SECOND_CLICK_WITHIN):
        raise Refused("You sent exactly this a moment ago; nothing was sent twice.")
    give_update(
        case.pk,
        actor,
        now,
        text=typed["text"],
        members=typed["members"],
        customer_too=typed["customer"],
        answers_question=typed.get("answers_question", False),
    )


ANSWER = register(
    Action(
        "answer_question",
        "Answer",
        "quickreply",
        Right.WORK_CASES,
        AnswerForm,
        _answer,
        "Your answer is logged and goes to the staff who are kept informed about {number}.",
        lambda case: case.is_open,
        in_header=False,
        offered_to=lambda case, user: questions.open_question(case) is not None,
    )
)
UPDATE = register(
    Action(
        "give_update",
        "Send a status update",
        "forward_to_inbox",
        Right.WORK_CASES,
        UpdateForm,
        _give_update,
        "The update on {number} is on its way.",
        lambda case: case.is_open,
        hint="One text to everybody who is ticked; whoever watches the case gets it as well.",
    )
)


# --- the list ---------------------------------------------------------------------------------------------------


class StateFilter(SimpleListFilter):
    """How a question stands: open, asked of the reader, overdue, or how it ended."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Open ones first."""
        return [("mine", "Asked of me"), ("open", "Open"), ("overdue", "Overdue"), *QuestionEnd.choices]

    def queryset(self, request: HttpRequest, rows: QuerySet[Question]) -> QuerySet[Question]:
        """The questions in the chosen state."""
        wanted = self.value()
        if wanted in ("mine", "open", "overdue"):
            rows = rows.filter(ended_at=None).exclude(case__status=Status.RESOLVED)
            if wanted == "mine":
                return rows.filter(asked=person(request))
            return rows.filter(answer_by__lte=timezone.now()) if wanted == "overdue" else rows
        if wanted == QuestionEnd.RESOLVED:  # also before the sweep has written it down
            return rows.filter(Q(end=wanted) | Q(ended_at=None, case__status=Status.RESOLVED))
        return rows.filter(end=wanted) if wanted in set(QuestionEnd) else rows


@admin.register(Question)
class QuestionAdmin(RightsAdmin):
    """Every question for the status of a case, and its answer (E8); read only, scoped to the reader (A1)."""

    list_display = ["point", "its_case", "company", "said_asked", "said_when", "state", "said_answer"]
    list_display_links = ["point"]
    list_filter = [StateFilter, "severity"]
    list_select_related = ["case", "case__company", "asked", "stands_in_for", "answered_by"]
    search_fields = ["case__title"]
    search_help_text = "Case number, or the title of the case"
    sortable_by = ()
    ordering = ["-asked_at", "-pk"]
    fields = [
        "said_point",
        "its_case",
        "company",
        "said_asked",
        "said_when",
        "said_until",
        "state",
        "answer",
        "for_customer",
        "answered_by",
        "said_ended",
    ]
    readonly_fields = [
        "said_point",
        "its_case",
        "company",
        "said_asked",
        "said_when",
        "said_until",
        "state",
        "said_ended",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Question]:
        """The questions on the cases that the reader may see (A1)."""
        rows = cast("QuerySet[Question]", super().get_queryset(request))
        if holds(request, Right.READ_EVERY_CASE):
            return rows
        return rows.filter(case__in=Case.objects.visible_to(request.user))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Question], search_term: str
    ) -> tuple[QuerySet[Question], bool]:
        """A case's number finds its questions; anything else is looked for in titles."""
        number = case_id_of(search_term)
        if search_term.strip() and number is not None:
            return queryset.filter(case=number), False
        return super().get_search_results(request, queryset, search_term)

    @display(description="Asked by")
    def said_point(self, row: Question) -> str:
        """The point of the schedule that asked."""
        return row.point

    @display(description="Case")
    def its_case(self, row: Question) -> SafeString:
        """The case, with the way to it."""
        return format_html(
            '<a href="{}" class="text-primary-600 dark:text-primary-500">{} {}</a>',
            row.case.get_absolute_url(),
            row.case.number,
            row.case.title,
        )

    @display(description="Company")
    def company(self, row: Question) -> str:
        """The customer."""
        return str(row.case.company)

    @display(description="Who is asked")
    def said_asked(self, row: Question) -> str:
        """Who is to answer, and for whom."""
        if row.asked is None:
            return "nobody: the case has no owner"
        return f"{row.asked}, for {row.stands_in_for}" if row.stands_in_for else str(row.asked)

    @display(description="Asked")
    def said_when(self, row: Question) -> SafeString:
        """When it was asked, in the reader's zone."""
        return moment_html(row.asked_at, timezone.now(), "date")

    @display(description="Answer wanted by")
    def said_until(self, row: Question) -> SafeString:
        """When the Support Manager is told, in the reader's zone."""
        return moment_html(row.answer_by, timezone.now())

    @display(description="State")
    def state(self, row: Question) -> SafeString:
        """How it stands."""
        if row.ended_at is None and row.case.is_open:
            is_overdue = row.answer_by <= timezone.now()
            return badge("tone", "bad" if is_overdue else "info", "Overdue" if is_overdue else "Open")
        end = QuestionEnd(row.end or QuestionEnd.RESOLVED)  # not written down yet: the sweep will
        return badge("tone", "good" if end == QuestionEnd.ANSWERED else "quiet", end.label)

    @display(description="Answer", empty_value="—")
    def said_answer(self, row: Question) -> str | None:
        """What was answered, and by whom."""
        if not row.answer:
            return None
        short = row.answer if len(row.answer) <= 120 else f"{row.answer[:119]}…"
        return f"{short} ({row.answered_by})"

    @display(description="Ended", empty_value="—")
    def said_ended(self, row: Question) -> SafeString | None:
        """When it ended, in the reader's zone."""
        return moment_html(row.ended_at, timezone.now(), "date") if row.ended_at else None
