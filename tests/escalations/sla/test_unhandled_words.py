"""A customer's word on a resolved case: flagged, and told to the Support Manager if nobody handles it in time (C7)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cases.enums import AgreedBy, Channel, Direction, Resolution, Severity
from cases.models import Case, Interaction, Mail
from cases.workflow import contact_log, transitions
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
#: T1's times, in minutes.
WITHIN = {Severity.CRITICAL: 30, Severity.HIGH: 60, Severity.MEDIUM: 120, Severity.LOW: 180}


def thanked(desk: Desk, severity: Severity = Severity.MEDIUM) -> Interaction:
    """A resolved case on which the customer says something more."""
    case = desk.open_case(severity=severity)
    transitions.resolve(
        case.pk,
        desk.technician,
        NOON + MINUTE,
        resolution=Resolution.CONFIRMED,
        agreed_by=AgreedBy.PHONE,
        solution="Toner.",
    )
    keep_promises(NOON + MINUTE)
    return contact_log.log_contact(
        case.pk, desk.technician, NOON + 10 * MINUTE, channel=Channel.EMAIL, direction=Direction.IN, body="It is back!"
    )


def told() -> list[tuple[str, str]]:
    """Who was written to by the sweep, and the first part of each mail."""
    mails = Mail.objects.filter(template="staff_lines").order_by("pk")
    return [(mail.to_address, mail.facts["sections"][0]["name"]) for mail in mails]


@pytest.mark.parametrize(("severity", "minutes"), WITHIN.items())
def test_a_word_that_nobody_handles_in_time_goes_to_the_support_manager_once(desk: Desk, severity, minutes):  # C7
    word = thanked(desk, severity)
    due_at = word.at + minutes * MINUTE
    keep_promises(word.at)
    assert Case.objects.get().sla_check_at == due_at
    keep_promises(due_at - MINUTE)
    assert told() == []
    keep_promises(due_at)
    keep_promises(due_at)
    keep_promises(due_at + timedelta(days=3))
    assert told() == [("support_manager@example.com", "word")]
    assert Interaction.objects.get(pk=word.pk).manager_told_at == due_at
    assert Case.objects.get().sla_check_at is None


@pytest.mark.parametrize("handled", ["marked", "reopened"])
def test_a_word_that_was_handled_goes_to_nobody(desk: Desk, handled):  # C7
    word = thanked(desk)
    if handled == "marked":
        contact_log.mark_handled(word.pk, desk.technician)
    else:
        transitions.reopen(word.case_id, desk.technician, word.at + MINUTE, reason="It is back.")
    keep_promises(word.at + 121 * MINUTE)
    assert [one for one in told() if one[1] == "word"] == []


def test_the_owner_hears_at_once_and_until_when(desk: Desk):  # C7, M4
    word = thanked(desk)
    mail = Mail.objects.get(template="word_on_resolved")
    assert mail.to_address == "tech@example.com"
    assert mail.facts["next_at"] == (word.at + 120 * MINUTE).isoformat()


def test_two_words_are_two_lines_of_one_mail(desk: Desk):  # C7, T3
    word = thanked(desk)
    contact_log.log_contact(
        word.case_id, desk.technician, word.at, channel=Channel.EMAIL, direction=Direction.IN, body="Are you there?"
    )
    keep_promises(word.at + 120 * MINUTE)
    (mail,) = Mail.objects.filter(template="staff_lines")
    assert [line["said"] for line in mail.facts["sections"][0]["lines"]] == ["It is back!", "Are you there?"]
