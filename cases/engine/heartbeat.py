"""The heartbeat: a sign to a watcher outside, who raises the alarm when it stays away (S3).

Outside, because a desk that stands still, or has lost its network, cannot say so itself.
"""

from __future__ import annotations

import http.client
import logging
import urllib.request
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

#: Seconds that the watcher may take to answer.
ANSWERS_WITHIN = 5


def ping(url: str) -> bool:
    """GET the http or https address; False if that failed, which is only logged: the watcher will miss it."""
    try:
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("neither http nor https")
        with urllib.request.urlopen(url, timeout=ANSWERS_WITHIN):
            return True
    except (OSError, ValueError, http.client.HTTPException) as error:
        # Not the address: what it ends in is a secret of whoever may ping.
        log.warning("the heartbeat was not heard: %s", type(error).__name__ + _status(error))
        return False


def _status(error: Exception) -> str:
    code = getattr(error, "code", None)
    return f" {code}" if code else ""
