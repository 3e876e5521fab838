"""Reads settings from environment variables; a wrong value becomes a sentence, never a traceback (S4).

For a value that cannot be read a `Problem` is kept, which the system checks (`config.checks`) report, and a harmless
value is used instead.
"""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from datetime import time
from email.utils import parseaddr
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from contacts.addresses import ascii_domain, is_mailable

POSTGRESQL = "django.db.backends.postgresql"
SQLITE = "django.db.backends.sqlite3"
# Refuses every query: with a wrong DATABASE_URL the desk must not quietly use another database.
NO_DATABASE = "django.db.backends.dummy"

YES = frozenset({"1", "true", "yes", "on", "y", "t"})
NO = frozenset({"0", "false", "no", "off", "n", "f"})

# The name of a Unix socket is at most 104 bytes on macOS and 108 on Linux, the closing zero included.
LONGEST_SOCKET_PATH = 100


class Problem(NamedTuple):
    """A wrong value: the id of the check that reports it, what is wrong, and what to do."""

    id: str
    sentence: str
    hint: str


class Environment:
    """Typed values of environment variables; what cannot be read is added to `problems`."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.problems: list[Problem] = []

    def text(self, name: str, default: str = "") -> str:
        """The value without surrounding blanks; `default` if it is missing or empty."""
        return self.values.get(name, "").strip() or default

    def yes_or_no(self, name: str, default: bool) -> bool:
        """`1`, `true`, `yes`, `on` or their opposites."""
        value = self.text(name).lower()
        if value in YES or value in NO:
            return value in YES
        if value:
            self._misread("E007", f"{name} is {value!r}, which is neither yes nor no.", f"Set {name} to 1 or 0.")
        return default

    def one_of(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """One of the choices, in capitals or small letters."""
        value = self.text(name, default).upper()
        if value in choices:
            return value
        self._misread("E007", f"{name} is {value!r}, which is none of {', '.join(choices)}.", f"Correct {name}.")
        return default

    def whole_number(self, name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
        """A whole number within the bounds, both included."""
        value = self.text(name)
        if not value:
            return default
        allowed = f"a whole number from {least} to {most}" if most is not None else f"a whole number, {least} or more"
        try:
            number = int(value)
        except ValueError:
            number = least - 1
        if number < least or (most is not None and number > most):
            self._misread("E007", f"{name} is {value!r}, but it must be {allowed}.", f"Correct {name} or leave it out.")
            return default
        return number

    def clock_time(self, name: str, default: str, *, earliest: str, latest: str) -> time:
        """A time of the day such as 10:00, within the bounds, both included."""
        value = self.text(name, default)
        try:
            clock = time.fromisoformat(value)
        except ValueError:
            clock = time.max
        if clock.tzinfo is None and time.fromisoformat(earliest) <= clock <= time.fromisoformat(latest):
            return clock
        allowed = f"a time from {earliest} to {latest}, such as {default}"
        self._misread("E007", f"{name} is {value!r}, but it must be {allowed}.", f"Correct {name} or leave it out.")
        return time.fromisoformat(default)

    def domain(self, name: str, default: str) -> str:
        """A domain of mail addresses, as mail servers know it (without letters that are not ASCII)."""
        value = self.text(name, default)
        if is_mailable(f"support@{value}"):
            return ascii_domain(value)
        self._misread("E010", f"{name} is {value!r}, which is no domain.", f"Set {name} to a domain, or leave it out.")
        return default

    def sender(self, name: str, default: str) -> str:
        """An address that mail is sent from, with or without a name before it."""
        value = self.text(name, default)
        address = parseaddr(value)[1]
        if value.isprintable() and is_mailable(address):
            return value
        self._misread(
            "E010",
            f"{name} is {value!r}, which is no address that mail can be sent from.",
            f'Set {name} to an address such as "Support Desk <support@example.com>", or leave it out.',
        )
        return default

    def listed(self, name: str, default: list[str]) -> list[str]:
        """Values separated by commas."""
        return [part.strip() for part in self.text(name).split(",") if part.strip()] or default

    def database(self, name: str, sqlite_file: Path) -> dict[str, Any]:
        """Django's settings for the PostgreSQL or SQLite database of the URL; without a URL, for `sqlite_file`."""
        url = self.text(name)
        if not url:
            return {"ENGINE": SQLITE, "NAME": str(sqlite_file)}
        scheme = url.partition("://")[0]
        known = scheme in ("postgres", "postgresql", "sqlite")
        try:
            settings: dict[str, Any] = environ.Env.db_url_config(url) if known else {}
        except ValueError:
            settings = {}
        if settings.get("NAME"):
            return settings
        why = "cannot be read" if known or scheme in ("", url) else f"names an unsupported database ({scheme})"
        self._misread(
            "E003",
            f"{name} {why}; Support Desk runs on PostgreSQL and SQLite.",
            f"Set {name} to postgres://user:password@host:5432/name or sqlite:////path/to/file, or leave it out.",
        )
        return {"ENGINE": NO_DATABASE}

    def broker(self, name: str, socket: Path) -> str:
        """Celery's address of the Redis or Valkey of the URL; without a URL, of the embedded Valkey on `socket`."""
        url = self.text(name)
        if not url:
            return f"redis+socket://{quote(str(socket))}"
        if url.startswith("unix://"):
            return f"redis+socket://{url.removeprefix('unix://')}"
        if not self._is_address(url, "redis", "rediss", "redis+socket"):
            self._misread(
                "E004",
                f"{name} is not the address of a Redis or Valkey server.",
                f"Set {name} to redis://host:6379/0, rediss://... or unix:///path/to/socket, or leave it out.",
            )
        return url

    def mail(self, name: str) -> dict[str, Any]:
        """Django's `EMAIL_*` settings of a URL; empty without one."""
        url = self.text(name)
        if not url:
            return {}
        try:
            settings: dict[str, Any] = environ.Env.email_url_config(url)
        except (ImproperlyConfigured, ValueError):
            settings = {}
        smtp = settings.get("EMAIL_BACKEND", "").endswith("smtp.EmailBackend")
        if settings and (settings["EMAIL_HOST"] or not smtp):
            settings["EMAIL_PORT"] = settings["EMAIL_PORT"] or (465 if settings.get("EMAIL_USE_SSL") else 25)
            return settings
        self._misread(
            "E005",
            f"{name} is not the address of a mail server.",
            f"Set {name} to smtp://user:password@host:25, smtp+tls://...:587 or smtp+ssl://...:465, or leave it out.",
        )
        # A server that cannot exist: delivery fails visibly and is tried again. No mail is dropped silently.
        return {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_HOST": "mail.invalid"}

    def _is_address(self, url: str, *schemes: str) -> bool:
        try:
            parts = urlsplit(url)
            _ = parts.port if parts.scheme != "redis+socket" else None
        except ValueError:
            return False
        return parts.scheme in schemes and bool(parts.netloc or parts.path)

    def _misread(self, check_id: str, sentence: str, hint: str) -> None:
        self.problems.append(Problem(check_id, sentence, hint))


def embedded_broker_socket(var_dir: Path) -> Path:
    """Where the embedded Valkey listens for a desk that keeps its files in `var_dir`.

    In that directory if the path is short enough for a socket, else in a directory under the system's temporary one
    that is the same for every process of this desk and this user.
    """
    beside = var_dir.resolve() / "valkey.sock"
    if len(os.fsencode(beside)) <= LONGEST_SOCKET_PATH:
        return beside
    mark = hashlib.sha256(os.fsencode(var_dir.resolve())).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"support-desk-{os.getuid()}-{mark}" / "valkey.sock"
