"""Bounces: what came back of the mail that had left, whoever reports it (M1, M2)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from cases.enums import MailStatus
from cases.mail.lost import after_loss
from cases.mail.rendering import one_line
from cases.models import Mail

#: Of what a mail server says so much is kept.
LONGEST_WHY = 500
SAYS_NOTHING = "It came back, and the mail server did not say why."


def record_bounce(mail: Mail, recipient: str, why: str, now: datetime, permanent: bool = True) -> bool:
    """Record that a message came back from `recipient`, the address it failed at; "" if the report names none.

    Its row becomes bounced, the owner is told (D5), and a wait whose message it was is held up (F2); a bounce of such
    news itself tells nobody. A delay (not `permanent`) is no bounce: the row only says it. Nothing is changed for a
    message that is known not to have arrived already, or that never left this desk. The caller is sure that `mail` is
    what came back (M5a). `why` is what the server said, of any length. Returns whether the row is bounced by this call.
    """
    said = one_line(why)[:LONGEST_WHY]
    elsewhere = one_line(recipient)[:LONGEST_WHY]
    if elsewhere and elsewhere.lower() != mail.to_address.lower():
        said = f"{elsewhere}: {said}" if said else elsewhere
    # One that is queued may have left as well: its worker has not written so yet, or died before it could.
    out = Mail.objects.filter(pk=mail.pk, kept=False, status__in=(MailStatus.QUEUED, MailStatus.SENT))
    if not permanent:
        out.filter(status=MailStatus.SENT).update(last_error=f"Delayed on its way: {said}" if said else "Delayed.")
        return False
    with transaction.atomic():
        bounced = out.update(status=MailStatus.BOUNCED, failed_at=now, held_up_at=None, last_error=said or SAYS_NOTHING)
        if bounced:
            after_loss(Mail.objects.get(pk=mail.pk), now)
    return bounced == 1
