"""Opening a case: who may (D3), what it needs (C1), who gets it (C6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import File
from django.db import transaction

from cases.engine.history import record
from cases.enums import Channel, Direction, Move, Severity
from cases.files.apply import attach, check_files
from cases.guards import Refused, allow, foreign_contact, needs, refuse_who_left, within_bounds
from cases.mail.announcements import opening_letters
from cases.mail.letters import post
from cases.models import Case, Interaction, Refusal
from cases.roster import Roster
from cases.search import index
from contacts.directory import Directory, is_reachable
from contacts.enums import Right, Role
from contacts.models import Company, Contact, Technician, User


class TurnedAway(Refused):
    """The caller is not their company's help desk, and nobody gave a reason to open the case all the same (D3)."""

    def __init__(self, contact: Contact) -> None:
        super().__init__(turn_away_sentence(contact), "contact")


def check_caller(company: Company, contact: Contact, opened_despite: str) -> None:
    """Check that a case may be opened for this contact. Raises Refused (C1, D9) or TurnedAway (D3)."""
    if not company.active:
        raise Refused(
            f"{company.name} is not active as a customer, so no case is opened for it; if that is wrong, have a "
            "Support Manager make it active under Companies.",
            "company",
        )
    if contact.company_id != company.pk:
        raise foreign_contact(contact, company)
    refuse_who_left(contact)
    if not (contact.is_help_desk or opened_despite.strip()):
        raise TurnedAway(contact)


def check_linked(company: Company, earlier: Case | None) -> None:
    """Check that a case continues one of its own company (C4). Raises Refused."""
    if earlier is not None and earlier.company_id != company.pk:
        raise Refused(
            f"{earlier.number} is a case of another company; open a linked case from a case of {company.name}.",
            "linked_to",
        )


def turn_away_sentence(contact: Contact, help_desk: Sequence[Contact] | None = None) -> str:
    """What to tell somebody who is not their company's help desk (D3); `help_desk` is read unless it is given."""
    found = Contact.objects.help_desk().filter(company=contact.company_id) if help_desk is None else help_desk
    names = [f"{desk.name} ({desk.phone or desk.email or 'no number on file'})" for desk in found[:3]]
    where = ", ".join(names) if names else "the company has none on file yet"
    return (
        f"{contact.name} is not the corporate help desk of {contact.company.name}: please point them to it ({where})."
    )


def turn_away(contact: Contact, about: str, actor: User | None, now: datetime) -> Refusal:
    """Record that somebody was turned away (D3), once for tries within the hour; without an actor by the desk itself.

    Raises NotAllowed.
    """
    if actor is not None:
        allow(actor, Right.WORK_CASES, "turn a caller away")
    with transaction.atomic():
        recent = Refusal.objects.filter(contact=contact, by=actor, at__gt=now - timedelta(hours=1)).first()
        return recent or Refusal.objects.create(
            company=contact.company,
            contact=contact,
            caller=contact.name,
            about=about[:200],
            at=now,
            by=actor,
            told=turn_away_sentence(contact),
        )


def open_case(
    case: Case,
    actor: User | None,
    now: datetime,
    *,
    keep: bool = False,
    attachments: Sequence[File[Any]] = (),
    why_no_receipt: str = "",
) -> Case:
    """Save a new case with who, when and to whom it is assigned (C1, C6), and mail everybody concerned.

    `case` is unsaved and holds the answers given at intake. With `keep` the actor owns it (C8). Without an actor its
    contact opens it, by mail or on the support page; the caller has proven that it is they (M5a, P1). `attachments`
    are kept with it. `why_no_receipt` says why the customer gets no receipt, if they get none.
    Raises Refused (C1, D3) or NotAllowed.
    """
    if actor is not None:
        allow(actor, Right.WORK_CASES, "open a case")
    checked = check_files(attachments)
    case.title = needs(case.title, "A case needs a title; say in one line what it is about.", "title")
    case.opened_despite = case.opened_despite.strip()
    within_bounds(case.description, "description")
    within_bounds(case.system_information, "system_information")
    check_caller(case.company, case.contact, case.opened_despite)
    check_linked(case.company, case.linked_to)
    case.preferred_means = case.preferred_means or case.contact.preferred_means
    with transaction.atomic():
        case.owner, why = _kept_by(actor, now) if keep and actor else _first_owner(case, now)
        case.opened_by = actor
        case.opened_at = now
        case.nudge(now, "escalation", "sla")
        came_by = Channel(case.opened_by_channel).in_sentence
        record(case, Move.OPENED, actor, f"Opened {came_by}; assigned: {why}.{_until_decided(case)}", now)
        said = Interaction.objects.create(
            case=case,
            channel=case.opened_by_channel,
            direction=Direction.IN,
            at=now,
            by=actor,
            contact=case.contact,
            body=case.description or case.title,
            opened_the_case=True,
        )
        index.add_case(case, [said.body])
        attach(said, checked, actor, now)
        post(opening_letters(case, actor, why, now, why_no_receipt), now)
    return case


def _until_decided(case: Case) -> str:
    """What the history says of a severity that no person has decided (C2, M5)."""
    if not case.severity_is_provisional:
        return ""
    return f" {Severity(case.severity).label} until a person decides how severe it is."


def first_in_line(language: str, now: datetime) -> tuple[User, int] | None:
    """Who would get a new case of a customer who speaks this language (C6), and how many open ones they have."""
    roster = Roster(now)
    choice = roster.at_opening(Severity.MEDIUM, language)
    if choice is None:
        return None
    return roster.users[choice.user_id], Case.objects.open().filter(owner=choice.user_id).count()


def _kept_by(actor: User, now: datetime) -> tuple[User, str]:
    Technician.objects.filter(user=actor).update(last_case_at=now)
    return actor, "kept by who opened it"


def _first_owner(case: Case, now: datetime) -> tuple[User | None, str]:
    """The owner of a new case, and why they were chosen (C6)."""
    roster = Roster(now)
    choice = roster.at_opening(Severity(case.severity), case.contact.speaks)
    if choice is None:
        manager = Directory().holder(Role.SUPPORT_MANAGER, None)
        return (manager if is_reachable(manager) else None), "no active L2 technician, so the Support Manager"
    Technician.objects.filter(user=choice.user_id).update(last_case_at=now)
    return roster.users[choice.user_id], choice.why
