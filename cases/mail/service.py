"""What a mail service reports of the messages that it was given, whichever it is (M1, M2).

Each message carries its Message-ID as the service's own data, and the report brings it back. Nobody can guess one, so
a report about a message is about one that this desk gave away; the address of the reports has a secret besides.
"""

from __future__ import annotations

from datetime import datetime

from django.core.mail import EmailMessage

from cases.enums import MailStatus
from cases.mail.bounces import record_bounce
from cases.models import Mail

#: The name under which a service keeps the Message-ID.
OUR_ID = "desk_message_id"
#: Kinds of reports, as django-anymail names them, that say that a message has not arrived and will not.
LOST_KINDS = frozenset({"bounced", "rejected", "failed"})


def name_for_service(message: EmailMessage, mail: Mail) -> None:
    """Let a mail service know by which name it reports on a message."""
    message.metadata = {OUR_ID: mail.message_id}  # type: ignore[attr-defined]


def take_report(kind: str, message_id: str, recipient: str, why: str, now: datetime) -> bool:
    """Record what a service reports: delivered, deferred, bounced, rejected, failed, complained. Others say nothing.

    Returns whether it is about a message of this desk.
    """
    mail = Mail.objects.filter(message_id=message_id).first()
    if mail is None:
        return False
    if kind in LOST_KINDS:
        record_bounce(mail, recipient, why, now)
    elif kind == "deferred":
        record_bounce(mail, recipient, why, now, permanent=False)
    elif kind == "delivered":
        arrived = Mail.objects.filter(pk=mail.pk, status__in=(MailStatus.QUEUED, MailStatus.SENT), delivered_at=None)
        arrived.update(delivered_at=now, last_error="")
    elif kind == "complained":
        Mail.objects.filter(pk=mail.pk, status=MailStatus.SENT).update(last_error="Its reader called it spam.")
    return True
