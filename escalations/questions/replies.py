"""A reply by mail answers the question for the status that the mail put (E8)."""

from __future__ import annotations

from datetime import datetime

from cases.guards import LONGEST_TEXT
from cases.inbox.replies import staff_reply
from cases.models import Mail
from contacts.enums import Right
from contacts.models import User
from escalations.models import Question
from escalations.questions.apply import answer_question


@staff_reply("escalation", "question_inherited")
def answer_by_mail(asking: Mail, actor: User, text: str, now: datetime) -> bool:
    """Answer the question that `asking` put, in the writer's own words. False if it put none, if that question has
    ended, or if the writer may not answer; then the reply is a note.
    """
    if asking.template == "escalation" and not asking.facts.get("asked"):
        return False
    asked = Question.objects.filter(case=asking.case_id, asked_at__lte=asking.queued_at)
    question = asked.order_by("-asked_at", "-pk").first()
    if question is None or not question.is_open or not actor.may(Right.WORK_CASES):
        return False
    assert asking.case_id is not None
    answer_question(asking.case_id, actor, now, answer=text[:LONGEST_TEXT], question_id=question.pk)
    return True
