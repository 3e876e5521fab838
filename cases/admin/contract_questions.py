"""Questions about contracts and bills: passed on here, and read by the account managers (D6)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from cases.admin.rows import moment_column
from cases.forms import bound_texts, text_area
from cases.guards import Refused
from cases.models import ContractQuestion, Refusal
from cases.workflow.contract_questions import pass_on, sentence_of, who_answers
from contacts.enums import Right
from contacts.models import Company, Contact
from contacts.pages import link
from contacts.permissions import RightsAdmin, id_of, signed_in_user


class ContractQuestionForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = ContractQuestion
        fields = ["company", "contact", "question"]
        widgets = {"question": text_area(6)}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        bound_texts(self.fields)

    def clean(self) -> dict[str, Any]:
        """Refuse what cannot be passed on, beside its field (S4)."""
        cleaned = super().clean() or self.cleaned_data
        company, contact = cleaned.get("company"), cleaned.get("contact")
        try:
            if company and contact:
                who_answers(company, contact)
        except Refused as refused:
            self.add_error(refused.field, refused.sentence)
        return cleaned


@admin.register(ContractQuestion)
class ContractQuestionAdmin(RightsAdmin):
    """What customers asked about contracts and bills, and who answers it (D6)."""

    form = ContractQuestionForm
    add_right = Right.WORK_CASES

    list_display = ["question_display", "company", "contact_display", "passed_on_to", "at_display", "by"]
    list_select_related = ["company", "contact", "by", "case"]
    search_fields = ["question", "company__name", "contact__name"]
    autocomplete_fields = ["company", "contact"]
    readonly_fields = ["at_display", "case_display"]

    at_display = moment_column("at", "When", ordering="at")

    def get_fields(self, request: HttpRequest, obj: ContractQuestion | None = None) -> list[str]:
        asked = ["company", "contact", "question"]
        return asked if obj is None else [*asked, "passed_on_to", "case_display", "at_display", "by"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            kwargs["form"] = forms.ModelForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Start from a caller who was turned away (D3)."""
        key = id_of(request.GET.get("refusal", ""))
        refusal = Refusal.objects.visible_to(request.user).filter(pk=key).first() if key is not None else None
        if refusal is None:
            return {}
        return {"company": refusal.company_id, "contact": refusal.contact_id, "question": refusal.about}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        scoped: dict[str, QuerySet[Any]] = {
            "company": Company.objects.visible_to(request.user),
            "contact": Contact.objects.visible_to(request.user).select_related("company"),
        }
        if db_field.name in scoped:
            kwargs["queryset"] = scoped[db_field.name]
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ContractQuestion, form: Any, change: bool) -> None:
        row = pass_on(obj.company, obj.contact, signed_in_user(request), timezone.now(), question=obj.question)
        obj.pk = row.pk
        messages.success(request, sentence_of(row))

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Nothing: the row says who passed it on, and when."""

    def response_add(
        self, request: HttpRequest, obj: ContractQuestion, post_url_continue: str | None = None
    ) -> HttpResponse:
        return redirect("admin:cases_contractquestion_changelist")

    @admin.display(description="Question")
    def question_display(self, row: ContractQuestion) -> str:
        return row.question if len(row.question) <= 120 else f"{row.question[:119]}…"

    @admin.display(description="Asked by")
    def contact_display(self, row: ContractQuestion) -> str:
        return row.contact.name

    @admin.display(description="In the course of")
    def case_display(self, row: ContractQuestion) -> str:
        return link(row.case.get_absolute_url(), row.case) if row.case else "no case"
