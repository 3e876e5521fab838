"""The buttons by which whoever looks after a company follows or mutes one of its cases, each undone by another (T5)."""

from __future__ import annotations

from cases.actions import CaseAction, register_action
from cases.panels import watchers_of
from contacts.enums import Right
from escalations.accounts import apply


class HeaderAction(CaseAction):
    """One click in the head of a case."""

    right = Right.READ_OWN_COMPANIES
    in_composer = False
    in_header = True

    @property
    def is_followed(self) -> bool:
        return any(watcher.user_id == self.actor.pk for watcher in watchers_of(self.case))


@register_action
class FollowCase(HeaderAction):
    slug, label, icon = "follow_case", "Follow", "visibility"
    hint = "You get every update that the customer gets."
    success_message = "You follow {number}: you get every update that the customer gets."

    def offered(self) -> bool:
        is_theirs = self.case.owner_id == self.actor.pk
        return self.case.is_open and not (is_theirs or self.is_followed or self.case.is_muted_by(self.actor))

    def perform(self) -> None:
        apply.follow(self.case, self.actor, self.now)


@register_action
class MuteCase(HeaderAction):
    slug, label, icon = "mute_case", "Mute", "notifications_off"
    hint = "No updates about it, and nothing of it in your daily digest; what is escalated or asked still reaches you."
    success_message = (
        "{number} is muted: you get no updates about it. What is escalated or asked of you still reaches you."
    )

    def offered(self) -> bool:
        return self.case.is_open and not (self.is_followed or self.case.is_muted_by(self.actor))

    def perform(self) -> None:
        apply.mute(self.case, self.actor, self.now)


@register_action
class UnmuteCase(HeaderAction):
    slug, label, icon = "unmute_case", "Unmute", "notifications_active"
    hint = "You muted it: you get no updates about it."
    success_message = "You get updates about {number} again."

    def offered(self) -> bool:
        return self.case.is_muted_by(self.actor)

    def perform(self) -> None:
        apply.unmute(self.case, self.actor, self.now)
