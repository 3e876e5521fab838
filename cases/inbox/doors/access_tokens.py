"""Access tokens for mailboxes that take no password: OAuth 2 with client credentials, or with a refresh token (M5).

Microsoft 365 gives an application tokens for its own credentials; Google and others give a refresh token once, for a
person who agrees.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from cases.inbox.doors.rounds import NotFetched

TIMEOUT = 10  # seconds
#: A token is used until so many seconds before it expires.
BEFORE_ITS_END = 60
#: Without a word of the server on how long a token lives.
LIVES = 300
LONGEST_ANSWER = 100_000
#: A refusal does not mend itself, and too many tries may lock the account.
AFTER_A_REFUSAL = timedelta(minutes=5)

#: The tokens of this process, and until when each is used, in seconds of the monotonic clock.
_tokens: dict[TokenSource, tuple[str, float]] = {}


@dataclass(frozen=True)
class TokenSource:
    """Where a token comes from, and what for. Nothing of it is ever shown or logged."""

    url: str
    client_id: str
    client_secret: str
    scope: str = ""
    refresh_token: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.client_secret, self.refresh_token)

    def token(self) -> str:
        """A token that is valid now. Raises NotFetched."""
        known, until = _tokens.get(self, ("", 0.0))
        if time.monotonic() < until:
            return known
        answer = self._ask()
        token, lives = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token:
            raise NotFetched("the token server gives no token", "Its answer holds none.", AFTER_A_REFUSAL)
        seconds = int(str(lives)) if str(lives).isdecimal() else LIVES
        _tokens[self] = token, time.monotonic() + max(0, seconds - BEFORE_ITS_END)
        return token

    def forget(self) -> None:
        """Ask for another token the next time: the mailbox refuses this one."""
        _tokens.pop(self, None)

    def _ask(self) -> dict[str, Any]:
        asked = {"client_id": self.client_id, "client_secret": self.client_secret, "scope": self.scope}
        asked |= (
            {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
            if self.refresh_token
            else {"grant_type": "client_credentials"}
        )
        body = urlencode({name: value for name, value in asked.items() if value}).encode()
        request = Request(self.url, data=body, headers={"Accept": "application/json"})
        try:
            with build_opener(_NoRedirects).open(request, timeout=TIMEOUT) as response:
                answer = json.loads(response.read(LONGEST_ANSWER))
        except HTTPError as error:
            if error.code >= 500:
                raise NotFetched("the token server has trouble", f"HTTP {error.code}") from None
            raise NotFetched("the token server refuses us", _reason(error), AFTER_A_REFUSAL) from None
        except (OSError, ValueError) as error:
            raise NotFetched("the token server cannot be reached", error) from None
        if not isinstance(answer, dict):
            raise NotFetched("the token server gives no token", "Its answer is no object.", AFTER_A_REFUSAL)
        return answer


class _NoRedirects(HTTPRedirectHandler):
    """Secrets are sent to the address of the settings, and to no other."""

    def redirect_request(self, *args: Any) -> None:
        return None


def _reason(error: HTTPError) -> str:
    """What the server says of its refusal."""
    try:
        said = json.loads(error.read(LONGEST_ANSWER))
        return f"{said['error']}: {said.get('error_description', '')}"[:500]
    except (OSError, ValueError, LookupError, TypeError):
        return f"HTTP {error.code}"
