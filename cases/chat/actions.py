"""The chat in the composer of a case (P6): whoever has taken it writes there, and its lines come in above the field."""

from __future__ import annotations

import secrets

from django import forms

from cases.actions import CaseAction, Tab, register_action
from cases.chat import apply
from cases.chat.state import chat_with
from cases.forms import FilesField, text_field
from cases.models import QueueEntry
from cases.once import SentAlready, only_once
from contacts.enums import Right


@register_action
class Chat(CaseAction):
    slug, label, icon = "chat", "Send", "forum"
    right = Right.WORK_CASES
    tab = Tab(1, "Chat")
    shown_with = "admin/cases/chat/lines.html"
    success_message = "Your line is in the chat."

    once = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput())
    body = text_field("Your line", 2)
    attachments = FilesField()

    def prepare(self) -> None:
        self.initial["once"] = secrets.token_urlsafe(12)

    @property
    def entry(self) -> QueueEntry | None:
        """The chat about this case that this person has taken."""
        return chat_with(self.case, self.actor)

    @property
    def is_for_customer(self) -> bool:
        return True

    def read_by(self) -> str:
        entry = self.entry
        return f"{entry.who} reads this at once." if entry is not None else ""

    def offered(self) -> bool:
        return self.entry is not None

    def perform(self) -> str | None:
        entry, answers = self.entry, self.answers
        if entry is None:
            raise apply.over_already()
        try:
            with only_once(f"staff-{self.actor.pk}", answers["once"] or secrets.token_urlsafe(12)):
                apply.answer(entry.pk, self.actor, self.now, words=answers["body"], files=answers["attachments"])
        except SentAlready:
            return "This line is in the chat already."
        return None
