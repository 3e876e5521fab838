"""The letters about the opening and the closing of a case (M4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from cases.enums import NOTICES, Channel, Resolution, Severity
from cases.mail.letters import Letter, centre_of_owner, facts, to_contact, to_each, who_works_on
from cases.mail.phrases import phrase
from cases.models import Case
from cases.policy.first_response import initial_response_due_at
from cases.policy.intake import missing_questions
from cases.policy.severity import is_severe
from cases.roster import language_of_service
from contacts.calendars import japanese_support_opens_at
from contacts.directory import Addressee, Directory
from contacts.enums import Language, Role
from contacts.models import SupportCentre, User
from contacts.wording import duration

#: By what a higher app completes a receipt: how often the customer is updated.
UpdateInterval = Callable[[Case], timedelta | None]
_update_intervals: list[UpdateInterval] = []


def update_interval(function: UpdateInterval) -> UpdateInterval:
    """Register the decorated function, which says how often the customer of a new case is promised an update (C1)."""
    _update_intervals.append(function)
    return function


def opening_letters(case: Case, actor: User | None, why: str, now: datetime, why_no_receipt: str = "") -> list[Letter]:
    """Everybody who hears of a new case; `why` is why its owner was chosen."""
    directory = Directory()
    centre = centre_of_owner(case)
    letters = []
    customer = to_contact(case)
    if customer is not None and not why_no_receipt:
        letters.append(Letter(f"opened:{case.pk}", "case_opened", customer, receipt(case, now), case))
    if case.owner is None or why.startswith("no active L2"):
        what = facts(
            case,
            why="you are the Support Manager, and there is no active L2 technician to own this case",
            expected="Assign the case to somebody, and put a technician on duty.",
            then="The case keeps its promises meanwhile: its clocks run.",
            description=case.description,
        )
        readers = directory.for_role(Role.SUPPORT_MANAGER, centre)
        letters += to_each(readers, f"nobody:{case.pk}", "nobody_on_duty", what, case)
    elif case.owner != actor:
        what = facts(
            case,
            why=f"the case was assigned to you ({why})",
            expected="Take it up and start work.",
            then=why_no_receipt or _first_promise(case),
            next_at=_first_promise_at(case),
            description=case.description,
        )
        readers = directory.for_user(case.owner, "Owner", centre)
        letters += to_each(readers, f"owner:{case.pk}", "new_case", what, case)
    return once_per_reader([*letters, *_notices_of_new_case(case, directory, centre)])


def once_per_reader(letters: Iterable[Letter]) -> list[Letter]:
    """Without a notice to somebody whom an earlier letter tells of the same (D6)."""
    told: set[str] = set()
    kept = []
    for letter in letters:
        if letter.template not in NOTICES or letter.to.address.lower() not in told:
            kept.append(letter)
            told.add(letter.to.address.lower())
    return kept


def _notices_of_new_case(case: Case, directory: Directory, centre: int | None) -> list[Letter]:
    """A new Critical or High case to the Support Manager, a Critical one to the account manager as well (D6)."""
    severity = Severity(case.severity)
    if not is_severe(severity):
        return []
    why = f"the Support Manager is told of every new Critical and High case; this one was opened as {severity.label}"
    what = _for_information(case, why, "The escalation schedule runs from the opening.", description=case.description)
    letters = unless_off(
        case, "severe_case", directory.for_role(Role.SUPPORT_MANAGER, centre), what, f"severe:{case.pk}"
    )
    if severity == Severity.CRITICAL:
        readers = directory.for_role(Role.ACCOUNT_MANAGER, centre, case.company)
        why = f"the account manager is told of every new Critical case of {case.company}"
        letters += unless_off(case, "critical_case", readers, what | {"why": why}, f"critical:{case.pk}")
    return letters


def raised_letters(case: Case, now: datetime) -> list[Letter]:
    """A severity that was raised to High or Critical, to the Support Manager (D6)."""
    severity, centre = Severity(case.severity), centre_of_owner(case)
    why = f"the Support Manager is told of every case that becomes {severity.label}"
    then = "The escalation schedule of the new severity counts from the opening."
    what = _for_information(case, why, then, severity=severity.value, description=case.description)
    readers = Directory().for_role(Role.SUPPORT_MANAGER, centre)
    return unless_off(case, "severity_raised", readers, what, f"raised:{case.pk}:{now.isoformat()}")


def _for_information(case: Case, why: str, then: str, **more: Any) -> dict[str, Any]:
    return facts(case, why=why, expected="Nothing for now; keep an eye on it.", then=then, **more)


def unless_off(case: Case, template: str, readers: list[Addressee], what: dict[str, Any], key: str) -> list[Letter]:
    """A letter that only informs; none where the desk has switched it off (D6)."""
    return [] if template in settings.DESK_NOTICES_OFF else to_each(readers, key, template, what, case)


def _first_promise_at(case: Case) -> str:
    due_at = initial_response_due_at(
        Severity(case.severity), Channel(case.opened_by_channel), case.opened_at, case.called_at
    )
    return due_at.isoformat() if due_at else ""


def _first_promise(case: Case) -> str:
    if case.opened_by_channel == Channel.PHONE:
        return "The customer phoned and is promised a first response."
    return "The customer has been told that it is in hand."


def receipt(case: Case, now: datetime) -> dict[str, Any]:
    answers = {field.name: getattr(case, field.name) for field in case._meta.concrete_fields if not field.is_relation}
    questions = missing_questions(answers)
    japanese = case.contact.speaks == Language.JAPANESE
    on_holidays = japanese and SupportCentre.objects.japan_works_on_holidays()
    japanese_at = japanese_support_opens_at(now, on_holidays) if japanese else None
    return facts(
        case,
        why=phrase("you reported this issue to us"),
        expected=phrase("Please answer the questions below, all in one reply.")
        if questions
        else phrase("Nothing for now."),
        then=phrase("%(work)s, and we keep you informed.", work=who_works_on(case)),
        questions=questions,
        **_promises(case),
        japanese_opens_at=japanese_at.isoformat() if japanese_at else "",
        language=language_of_service(case.contact.speaks, now, on_holidays),
    )


def _promises(case: Case) -> dict[str, Any]:
    """What the receipt promises: the first response to a call, and the updates, with times (C1)."""
    every = next((every for interval in _update_intervals if (every := interval(case)) is not None), None)
    return {
        "response_by_at": _first_promise_at(case),
        "updates_every": duration(every) if every else "",
        "update_by_at": (case.opened_at + every).isoformat() if every else "",
    }


def resolved_letters(case: Case) -> list[Letter]:
    """To the customer: why the case is closed, and until when an answer reopens it."""
    customer = to_contact(case)
    if customer is None or case.resolved_at is None:
        return []
    no_response = case.resolution == Resolution.NO_RESPONSE
    until = case.resolved_at + timedelta(days=settings.DESK_REOPEN_WITHIN_DAYS)
    what = facts(
        case,
        why=phrase("you are our contact for this issue"),
        expected=phrase("Nothing, if this is settled. Otherwise reply to this message."),
        then=phrase("Your answer reopens the case.")
        if no_response
        else phrase("If it comes back, tell us and we reopen the case."),
        resolution=case.get_resolution_display(),
        solution=case.solution,
        reopen_until_at=until.isoformat(),
    )
    template = "closed_no_response" if no_response else "resolved"
    return [Letter(f"{template}:{case.pk}:{case.resolved_at.isoformat()}", template, customer, what, case)]
