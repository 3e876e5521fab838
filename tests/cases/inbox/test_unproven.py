"""Whatever comes in whose sender is not proven: nothing on the desk changes by it, and it is never dropped (M5a)."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as desk_settings
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cases.enums import Door, MailStatus, ReceivedOutcome, Resolution, WaitReason
from cases.inbox.receive import receive
from cases.mail.rendering import reply_address
from cases.models import Absence, Attachment, Case, Interaction, Mail, Refusal
from cases.workflow import transitions
from escalations.models import Question
from tests.support.builders import NOON, Desk
from tests.support.examples import ALL_EXAMPLES
from tests.support.mails import AUTH_SERVER, bounce_of, proven, raw_mail

pytestmark = pytest.mark.django_db

SENDERS = (
    "desk@acme.example.com",
    "user@acme.example.com",
    "desk@globex.example.com",
    "tech@example.com",
    "am@example.com",
    "eve@stranger.example",
)
#: What an attacker may write, or have our own server write, about a sender that is not theirs.
FORGED = (
    {},
    {"Authentication-Results": "mx.evil.example; dmarc=pass header.from=acme.example.com"},
    {"Authentication-Results": f"{AUTH_SERVER}; dmarc=fail header.from=acme.example.com"},
    {"Authentication-Results": f"{AUTH_SERVER}; spf=pass smtp.mailfrom=evil.example; dmarc=none"},
    {"Authentication-Results": f"{AUTH_SERVER}; dkim=pass header.d=evil.example"},
    {"Authentication-Results": f"{AUTH_SERVER}; dmarc=pass header.from=evil.example"},
    {"ARC-Authentication-Results": f"i=1; {AUTH_SERVER}; dmarc=pass header.from=acme.example.com"},
    {"X-Authentication-Results": f"{AUTH_SERVER}; dmarc=pass header.from=acme.example.com"},
)
TEXTS = ("It works now, close it.", "I am out of the office until 15 June 2026.", "", "Please escalate!")
AUTOMATIC = ({}, {"Auto-Submitted": "auto-replied"}, {"Precedence": "bulk"})


def everything() -> list[Any]:
    """All that a message could change."""
    cases = list(Case.objects.order_by("pk").values())
    return [
        cases,
        [model.objects.count() for model in (Interaction, Attachment, Absence, Refusal, Question, Case.history.model)],
        list(Mail.objects.order_by("pk").values_list("pk", "status", "last_error")),
    ]


@settings(
    max_examples=150 if ALL_EXAMPLES else 8,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_random_messages_of_unproven_senders_change_nothing(desk: Desk, data: st.DataObject) -> None:  # M5a, M5
    with transaction.atomic(), pytest.MonkeyPatch.context() as patched:
        patched.setattr(desk_settings, "MAIL_AUTH_SERVER", [AUTH_SERVER])
        open_one, waits, closed = (desk.open_case(NOON, title=title) for title in ("open", "waits", "closed"))
        transitions.ask_customer(waits.pk, desk.technician, NOON, question="?", reason=WaitReason.INFORMATION)
        transitions.close(Case.objects.get(pk=closed.pk), desk.technician, NOON, Resolution.CONFIRMED, "Done.")
        Mail.objects.update(status=MailStatus.SENT, sent_at=NOON)
        mails = list(Mail.objects.filter(case__in=[open_one, waits, closed]))
        before = everything()
        for turn in range(data.draw(st.integers(1, 8))):
            sender, answers = data.draw(st.sampled_from(SENDERS)), data.draw(st.sampled_from([None, *mails]))
            headers = data.draw(st.sampled_from(FORGED)) | data.draw(st.sampled_from(AUTOMATIC))
            raw = raw_mail(
                sender,
                to=reply_address(answers) if answers and data.draw(st.booleans()) else "support@example.com",
                subject=data.draw(st.sampled_from(["Hello", f"[{waits.number}] Re: waits", "Automatic reply: x"])),
                text=data.draw(st.sampled_from(TEXTS)),
                references=[answers.message_id] if answers else [],
                headers=headers,
                files=data.draw(st.sampled_from([{}, {"a.log": b"x\n"}])),
            )
            is_topmost = "Authentication-Results" in headers
            if is_topmost and data.draw(st.booleans()):  # what would prove the sender stands below
                result = f"Authentication-Results: {proven(sender)['Authentication-Results']}\nFrom:"
                raw = raw.replace(b"From:", result.encode(), 1)
            mail = receive(raw, NOON, door=Door.COMMAND).mail
            assert mail.outcome in (ReceivedOutcome.TRIAGE, ReceivedOutcome.NOTHING), (turn, mail.proof)
            assert (mail.is_proven, everything()) == (False, before)
        for returned in ("<case-1@support-desk.example.com>", "<x@y.example>"):
            raw = bounce_of(returned, data.draw(st.sampled_from(SENDERS)))
            assert receive(raw, NOON, door=Door.COMMAND).mail.outcome in ("triage", "nothing")
            assert everything() == before
        transaction.set_rollback(True)
