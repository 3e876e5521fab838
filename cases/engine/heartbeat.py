"""The heartbeat: a ping to an outside watcher, which raises the alarm when the pings stop (S3).

A desk that stands still, or has lost its network, cannot say so itself.
"""

from __future__ import annotations

import http.client
import logging
import urllib.request
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

#: Seconds.
ANSWERS_WITHIN = 5


def ping(url: str) -> bool:
    """GET the http or https address. Returns False if that failed; a failure is only logged."""
    try:
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("neither http nor https")
        with urllib.request.urlopen(url, timeout=ANSWERS_WITHIN):
            return True
    except (OSError, ValueError, http.client.HTTPException) as error:
        # The address is not logged: it ends in a secret.
        log.warning("the heartbeat was not heard: %s", type(error).__name__ + _status(error))
        return False


def _status(error: Exception) -> str:
    code = getattr(error, "code", None)
    return f" {code}" if code else ""
