"""Write the daily digests that are due: once for each reader and day, whoever looks, however late (W4, S1, S2).

A batch of readers is claimed by locking their rows; the ledger row and the mail are written in one transaction, so a
worker that is killed leaves nothing half done, and two at once share the work.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction

from cases.bulk import batched
from cases.mail.letters import post
from contacts.models import User
from escalations.daily_digest.mail import digest_letter
from escalations.daily_digest.state import DueReader, due_readers, load_news, still_due
from escalations.models import DailyDigest

log = logging.getLogger(__name__)

#: So many readers are served in one transaction.
BATCH = 25
#: How long a reader whose digest could not be made is left alone (S2).
RETRY_AFTER = timedelta(hours=1)


def send_daily_digests(now: datetime) -> int:
    """Write what is due at `now`; returns how many mails were written."""
    written = 0
    for batch in batched(due_readers(now), BATCH):
        try:
            written += _send(batch, now)
        except (OperationalError, InterfaceError):
            raise  # the database's trouble: the next run tries again
        except Exception:
            log.exception("daily digest: a batch failed, making its digests one by one")
            written += sum(_send_alone(reader, now) for reader in batch)
    return written


def _send(readers: Sequence[DueReader], now: datetime) -> int:
    with transaction.atomic():
        keys = [reader.user_id for reader in readers]
        locked = User.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk__in=keys, daily_digest=True)
        users = {user.pk: user for user in locked.order_by("pk")}
        # Under the lock: another worker may have been quicker.
        due = still_due([reader for reader in readers if reader.user_id in users], now)
        if not due:
            return 0
        news = load_news(due, {one.user_id: users[one.user_id] for one in due}, now)
        letters = [(one, digest_letter(one, now)) for one in news]
        found = [letter for _, letter in letters if letter is not None]
        _write([(one.user.pk, one.day, letter.key if letter else None) for one, letter in letters], now)
        post(found, now)
    return len(found)


def _write(rows: Sequence[tuple[int, date, str | None]], now: datetime) -> None:
    """The ledger rows; one that waited to be tried again is done now."""
    DailyDigest.objects.bulk_create(
        (DailyDigest(user_id=user, day=day, until=now, mail_id=key) for user, day, key in rows),
        update_conflicts=True,
        unique_fields=["user", "day"],
        update_fields=["until", "mail", "retry_at"],
    )


def _send_alone(reader: DueReader, now: datetime) -> int:
    try:
        return _send([reader], now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("daily digest: that of user %s is set aside", reader.user_id)
        DailyDigest.objects.update_or_create(
            user_id=reader.user_id, day=reader.day, defaults={"until": now, "retry_at": now + RETRY_AFTER}
        )
        return 0
