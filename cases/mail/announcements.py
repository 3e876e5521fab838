"""The letters about the opening and the closing of a case (M4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from cases.enums import Channel, Resolution, Severity
from cases.mail.letters import Letter, facts, to_contact, to_each
from cases.models import Case
from cases.policy.first_response import initial_response_due_at
from cases.policy.intake import missing_questions
from cases.policy.severity import RANK
from cases.roster import language_of_service
from contacts.calendars import japanese_support_opens_at
from contacts.directory import Directory
from contacts.enums import Language, Role
from contacts.models import Technician, User


def opening_letters(case: Case, actor: User, why: str, now: datetime) -> list[Letter]:
    directory = Directory()
    centre = centre_of(case.owner)
    letters = []
    customer = to_contact(case)
    if customer is not None:
        letters.append(Letter(f"opened:{case.pk}", "case_opened", customer, receipt(case, now), case))
    if case.owner is None or why.startswith("no active L2"):
        what = facts(
            case,
            why="you are the Support Manager, and there is no active L2 technician to own this case",
            expected="Assign the case to somebody, and put a technician on duty.",
            then="The case keeps its promises meanwhile: its clocks run.",
        )
        readers = directory.for_role(Role.SUPPORT_MANAGER, centre)
        letters += to_each(readers, f"nobody:{case.pk}", "nobody_on_duty", what, case)
    elif case.owner != actor:
        what = facts(
            case,
            why=f"the case was assigned to you ({why})",
            expected="Take it up and start work.",
            then=_first_promise(case),
            next_at=_first_promise_at(case),
            description=case.description,
        )
        readers = directory.for_user(case.owner, "Owner", centre)
        letters += to_each(readers, f"owner:{case.pk}", "new_case", what, case)
    if RANK[Severity(case.severity)] <= RANK[Severity.HIGH]:
        letters += severe_letters(case, directory, centre, "opened as", f"severe:{case.pk}")
    return letters


def _first_promise_at(case: Case) -> str:
    due_at = initial_response_due_at(Severity(case.severity), Channel(case.opened_by_channel), case.opened_at)
    return due_at.isoformat() if due_at else ""


def _first_promise(case: Case) -> str:
    if case.opened_by_channel == Channel.PHONE:
        return "The customer phoned and is promised a first response."
    return "The customer has been told that it is in hand."


def severe_letters(case: Case, directory: Directory, centre: int | None, how: str, key: str) -> list[Letter]:
    what = facts(
        case,
        why=f"the Support Manager is told of every new Critical and High case; this one was {how} "
        f"{case.get_severity_display()}",
        expected="Nothing for now; keep an eye on it.",
        then="The escalation schedule runs from the opening.",
        description=case.description,
    )
    return to_each(directory.for_role(Role.SUPPORT_MANAGER, centre), key, "severe_case", what, case)


def receipt(case: Case, now: datetime) -> dict[str, Any]:
    answers = {field.name: getattr(case, field.name) for field in case._meta.concrete_fields if not field.is_relation}
    questions = missing_questions(answers)
    japanese_at = japanese_support_opens_at(now) if case.contact.speaks == Language.JAPANESE else None
    return facts(
        case,
        why="you reported this issue to us",
        expected="Please answer the questions below, all in one reply." if questions else "Nothing for now.",
        then=f"{case.owner or 'A specialist'} works on it and keeps you informed.",
        questions=questions,
        japanese_opens_at=japanese_at.isoformat() if japanese_at else "",
        language=language_of_service(case.contact.speaks, now),
    )


def centre_of(user: User | None) -> int | None:
    """The support centre of a technician, for roles that are held per centre (D4)."""
    technician = Technician.objects.filter(user=user).first() if user else None
    return technician.centre_id if technician else None


def resolved_letters(case: Case) -> list[Letter]:
    """To the customer: why the case is closed, and until when an answer reopens it."""
    customer = to_contact(case)
    if customer is None or case.resolved_at is None:
        return []
    no_response = case.resolution == Resolution.NO_RESPONSE
    until = case.resolved_at + timedelta(days=settings.DESK_REOPEN_WITHIN_DAYS)
    what = facts(
        case,
        why="you are our contact for this issue",
        expected="Nothing, if this is settled. Otherwise reply to this message.",
        then="Your answer reopens the case." if no_response else "If it comes back, tell us and we reopen the case.",
        resolution=case.get_resolution_display(),
        solution=case.solution,
        reopen_until_at=until.isoformat(),
    )
    template = "closed_no_response" if no_response else "resolved"
    return [Letter(f"{template}:{case.pk}:{case.resolved_at.isoformat()}", template, customer, what, case)]
