"""Sessions, as Django keeps them in the database."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from contacts.compiled import MOMENT, TEXT, CompiledQuery

_unexpired = CompiledQuery(
    lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now).values_list(
        "session_data", flat=True
    ),
    key=TEXT,
    now=MOMENT,
)


class SessionStore(db.SessionStore):
    """Reads the session of a request by a query that is compiled once: every request asks it."""

    def load(self) -> dict[str, Any]:
        """What the session holds; {}, and no key any more, if it has expired or there is none."""
        found = _unexpired(key=self.session_key or "", now=timezone.now())
        if not found:
            self._session_key = None
            return {}
        return self.decode(found[0])
