"""Opening a case: the intake (C1), who may (D3), who gets it (C6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from cases.engine.history import record
from cases.enums import Channel, Direction, Move, Severity
from cases.guards import Refused, allow, foreign_contact, needs
from cases.mail.announcements import opening_letters
from cases.mail.letters import post
from cases.models import Case, Interaction, Refusal
from cases.roster import Roster
from contacts.directory import Directory, is_reachable
from contacts.enums import Right, Role
from contacts.models import Company, Contact, Technician, User


@dataclass(frozen=True)
class Intake:
    """What is asked at the opening (C1)."""

    company: Company
    contact: Contact
    title: str
    severity: Severity
    channel: Channel = Channel.PHONE
    description: str = ""
    preferred_means: str = ""
    affected_user: str = ""
    device: str = ""
    operating_system: str = ""
    system_information: str = ""
    several_devices: bool | None = None
    affected: str = ""
    impact: str = ""
    opened_despite: str = ""
    linked_to: Case | None = None

    def answers(self) -> dict[str, Any]:
        """The fields of the case that the answers fill."""
        return {
            "company": self.company,
            "contact": self.contact,
            "title": self.title.strip(),
            "severity": self.severity,
            "opened_by_channel": self.channel,
            "description": self.description,
            "preferred_means": self.preferred_means or self.contact.preferred_means,
            "affected_user": self.affected_user,
            "device": self.device,
            "operating_system": self.operating_system,
            "system_information": self.system_information,
            "several_devices": self.several_devices,
            "affected": self.affected,
            "impact": self.impact,
            "opened_despite": self.opened_despite.strip(),
            "linked_to": self.linked_to,
        }


def may_open(contact: Contact, opened_despite: str) -> bool:
    """Whether this contact's issue becomes a case: their help desk opens it, or somebody gave a reason (D3)."""
    return contact.is_help_desk or bool(opened_despite.strip())


def turn_away_sentence(contact: Contact) -> str:
    """What to tell somebody who is not their company's help desk (D3)."""
    desk = [
        f"{one.name} ({one.phone or one.email or 'no number on file'})"
        for one in Contact.objects.filter(company=contact.company_id, is_help_desk=True, active=True)[:3]
    ]
    where = ", ".join(desk) if desk else "the company has none on file yet"
    return (
        f"{contact.name} is not the corporate help desk of {contact.company.name}: please point them to it ({where})."
    )


def turn_away(contact: Contact, about: str, actor: User, now: datetime) -> Refusal:
    """Record that somebody was turned away (D3). Pressing twice within the hour records it once."""
    allow(actor, Right.WORK_CASES, "turn a caller away")
    with transaction.atomic():
        told = turn_away_sentence(contact)
        recent = Refusal.objects.filter(contact=contact, by=actor, at__gt=now - timedelta(hours=1)).first()
        return recent or Refusal.objects.create(
            company=contact.company,
            contact=contact,
            caller=contact.name,
            about=about[:200],
            at=now,
            by=actor,
            told=told,
        )


def open_case(intake: Intake, actor: User, now: datetime) -> Case:
    """Open a case and assign it (C1, C6). Raises Refused (D3, C1) or NotAllowed."""
    allow(actor, Right.WORK_CASES, "open a case")
    needs(intake.title, "A case needs a title; say in one line what it is about.", "title")
    if intake.contact.company_id != intake.company.pk:
        raise foreign_contact(intake.contact, intake.company)
    if not may_open(intake.contact, intake.opened_despite):
        raise Refused(turn_away_sentence(intake.contact), "contact")
    with transaction.atomic():
        owner, why = _first_owner(intake, now)
        case = Case(
            **intake.answers(), owner=owner, opened_at=now, opened_by=actor, escalation_check_at=now, sla_check_at=now
        )
        record(case, Move.OPENED, actor, f"Opened by {Channel(intake.channel).label.lower()}; assigned: {why}.", now)
        Interaction.objects.create(
            case=case,
            channel=intake.channel,
            direction=Direction.IN,
            at=now,
            by=actor,
            contact=intake.contact,
            body=intake.description or intake.title,
            opened_the_case=True,
        )
        post(opening_letters(case, actor, why, now), now)
    return case


def _first_owner(intake: Intake, now: datetime) -> tuple[User | None, str]:
    roster = Roster(now)
    choice = roster.at_opening(Severity(intake.severity), intake.contact.speaks)
    if choice is None:
        manager = Directory().holder(Role.SUPPORT_MANAGER, None)
        return (manager if is_reachable(manager) else None), "no active L2 technician, so the Support Manager"
    Technician.objects.filter(user=choice.user_id).update(last_case_at=now)
    return roster.users[choice.user_id], choice.why
