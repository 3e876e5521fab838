"""An IMAP mailbox, looked into every half minute (M5).

A message that was taken is marked with a keyword of the desk's own, after the commit; whether somebody has read it in
a mail program says nothing. Where the server keeps no keywords (Exchange), it is moved to a folder instead. Nothing is
remembered of the mailbox but its marks: numbers that the server gives anew (UIDVALIDITY) change nothing.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol

from imapclient import DELETED, FLAGGED, IMAPClient, SocketTimeout
from imapclient.exceptions import (
    CapabilityError,
    IMAPClientAbortError,
    IMAPClientError,
    IMAPClientReadOnlyError,
    LoginError,
    ProtocolError,
)

from cases.inbox.doors.access_tokens import AFTER_A_REFUSAL, TokenSource
from cases.inbox.doors.rounds import LARGE, FetchRound, NotFetched
from cases.mail.incoming import LONGEST_MESSAGE

EVERY = timedelta(seconds=30)
KEYWORD = "$SupportDesk"
#: Where taken messages go on a server that keeps no keywords.
FOLDER = "Support Desk"
TIMEOUTS = SocketTimeout(connect=10, read=30)
#: So many messages are looked at in one look.
BATCH = 500
#: So many messages over which looks broke off are known at a time.
MOST_PUT_OFF = 100


@dataclass(frozen=True)
class ImapMailbox:
    """A folder on an IMAP server, and how to sign in."""

    host: str
    port: int
    security: str  # "tls", "starttls" or "none"
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    token_source: TokenSource | None = field(default=None, repr=False)
    since: date | None = None

    @property
    def name(self) -> str:
        return f"IMAP mailbox {self.user} at {self.host}:{self.port}, {self.folder}"

    def look(self, fetch_round: FetchRound) -> None:
        """Take what has no mark, oldest first. Raises NotFetched."""
        try:
            with self._signed_in() as client:
                self._take_all(client, fetch_round)
        except NotFetched as error:
            error.detail = self._without_secrets(error.detail)
            raise

    @contextmanager
    def _signed_in(self) -> Iterator[IMAPClient]:
        with _told():
            client = IMAPClient(
                self.host,
                self.port,
                ssl=self.security == "tls",
                ssl_context=ssl.create_default_context() if self.security == "tls" else None,
                timeout=TIMEOUTS,
            )
        try:
            with _told():
                if self.security == "starttls":
                    client.starttls(ssl.create_default_context())
                self._sign_in(client)
            yield client
            with suppress(IMAPClientError, OSError):
                client.logout()
        finally:
            with suppress(IMAPClientError, OSError):
                client.shutdown()

    def _sign_in(self, client: IMAPClient) -> None:
        if self.token_source is None:
            client.login(self.user, self.password)
            return
        try:
            client.oauth2_login(self.user, self.token_source.token())
        except LoginError:
            self.token_source.forget()
            raise

    def _take_all(self, client: IMAPClient, fetch_round: FetchRound) -> None:
        with _told():
            mark = self._open(client)
            since = ["SINCE", self.since] if self.since else []
            waiting = sorted(client.search([*mark.absent, "UNDELETED", *since]))
            fetch_round.put_off = [uid for uid in fetch_round.put_off if uid in waiting]
            ordered = self._ordered(client, waiting[:BATCH], fetch_round.put_off)
        for uid in ordered:
            if not fetch_round.goes_on():
                return
            if not self._take(client, uid, mark, fetch_round):
                return

    def _open(self, client: IMAPClient) -> _Mark:
        """Open the folder, and find out how this server keeps marks. Raises NotFetched if it keeps none."""
        try:
            opened = client.select_folder(self.folder)
        except IMAPClientReadOnlyError as error:
            raise NotFetched("it may only be read, so that nothing could be marked as taken", error) from error
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            raise NotFetched("its folder cannot be opened", error) from error
        kept = {flag.lower() for flag in opened.get(b"PERMANENTFLAGS", ())}
        if b"\\*" in kept or KEYWORD.lower().encode() in kept:
            return _Keyword()
        return _Folder(client)

    def _ordered(self, client: IMAPClient, uids: Sequence[int], put_off: Sequence[int]) -> list[int]:
        """Oldest first; after them the large ones, and then those over which a look broke off."""
        sizes = client.fetch(uids, ["RFC822.SIZE"])
        return sorted(sizes, key=lambda uid: (uid in put_off, sizes[uid].get(b"RFC822.SIZE", 0) > LARGE, uid))

    def _take(self, client: IMAPClient, uid: int, mark: _Mark, fetch_round: FetchRound) -> bool:
        """Take a message and mark it. Returns False if the connection has broken over one that was put off before."""
        name = f"message {uid}"
        try:
            raw = _raw(client, uid)
        except (IMAPClientAbortError, ProtocolError, OSError) as error:
            if uid in fetch_round.put_off:  # nothing but such messages is left
                fetch_round.leave(name, self._without_secrets(str(error)))
                fetch_round.put_off = [*(other for other in fetch_round.put_off if other != uid), uid]
                return False
            fetch_round.put_off = [*fetch_round.put_off, uid][-MOST_PUT_OFF:]
            raise _trouble_of(error) from error
        except IMAPClientError as error:  # the server refuses this one
            fetch_round.leave(name, self._without_secrets(str(error)))
            return True
        if raw is None or not fetch_round.take(raw, name):
            return True
        fetch_round.put_off = [other for other in fetch_round.put_off if other != uid]
        with _told():
            if len(raw) > LONGEST_MESSAGE:
                with suppress(IMAPClientError):  # where flags cannot be set either
                    client.add_flags(uid, [FLAGGED], silent=True)
            mark.set(client, uid)
        return True

    def _without_secrets(self, text: str) -> str:
        secrets = [self.password, *(self.token_source.secrets if self.token_source else ())]
        for secret in filter(None, secrets):
            text = text.replace(secret, "***")
        return text


class _Mark(Protocol):
    """How a message is marked as taken."""

    absent: tuple[str, ...]

    def set(self, client: IMAPClient, uid: int) -> None:
        """Mark it. Raises IMAPClientError or OSError."""


class _Keyword:
    """A keyword on the message, which stays where it is."""

    absent: tuple[str, ...] = ("UNKEYWORD", KEYWORD)

    def set(self, client: IMAPClient, uid: int) -> None:
        client.add_flags(uid, [KEYWORD], silent=True)


class _Folder:
    """A folder for what was taken. It needs the right to delete in the mailbox."""

    absent: tuple[str, ...] = ()

    def __init__(self, client: IMAPClient) -> None:
        personal = client.namespace().personal if client.has_capability("NAMESPACE") else None
        self.name = f"{personal[0][0] if personal else ''}{FOLDER}"
        if not client.folder_exists(self.name):
            client.create_folder(self.name)
            client.subscribe_folder(self.name)

    def set(self, client: IMAPClient, uid: int) -> None:
        if client.has_capability("MOVE"):
            client.move([uid], self.name)
            return
        client.copy([uid], self.name)
        client.add_flags(uid, [DELETED], silent=True)
        if client.has_capability("UIDPLUS"):
            client.uid_expunge([uid])


def _raw(client: IMAPClient, uid: int) -> bytes | None:
    """The message, and no more of it than the inbox looks at; None if it is gone."""
    answer: dict[bytes, Any] = client.fetch([uid], [f"BODY.PEEK[]<0.{LONGEST_MESSAGE + 1}>"]).get(uid, {})
    return next((value for key, value in answer.items() if key.startswith(b"BODY[]") and value is not None), None)


@contextmanager
def _told() -> Iterator[None]:
    """Make NotFetched of whatever a server, or the way to it, raises."""
    try:
        yield
    except (IMAPClientError, OSError) as error:
        raise _trouble_of(error) from error


def _trouble_of(error: Exception) -> NotFetched:
    """What an error means for who reads it."""
    if isinstance(error, LoginError):
        return NotFetched("the server refuses the sign-in", error, AFTER_A_REFUSAL)
    if isinstance(error, CapabilityError):
        return NotFetched("the server cannot do what the desk needs", error, AFTER_A_REFUSAL)
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotFetched("the certificate of the server is not valid", error)
    if isinstance(error, TimeoutError):
        return NotFetched("the server does not answer", error)
    if isinstance(error, IMAPClientAbortError | ProtocolError):
        return NotFetched("the server broke off the conversation", error)
    if isinstance(error, IMAPClientError):
        return NotFetched("the server refuses a command", error)
    return NotFetched("the server cannot be reached", error)
