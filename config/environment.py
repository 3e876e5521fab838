"""Reads settings from environment variables; a wrong value becomes a sentence, never a traceback (S4).

For a value that cannot be read a `Problem` is kept, which the system checks (`config.checks`) report, and a harmless
value is used instead.
"""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from datetime import date, time
from email.utils import parseaddr
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from contacts.addresses import ascii_domain, is_mailable

POSTGRESQL = "django.db.backends.postgresql"
SQLITE = "django.db.backends.sqlite3"
# Refuses every query: with a wrong DATABASE_URL the desk must not quietly use another database.
NO_DATABASE = "django.db.backends.dummy"

# A server that cannot exist: delivery fails visibly and is tried again. No mail is dropped silently.
NO_MAIL_SERVER = {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_HOST": "mail.invalid"}

YES = frozenset({"1", "true", "yes", "on", "y", "t"})
NO = frozenset({"0", "false", "no", "off", "n", "f"})

# The name of a Unix socket is at most 104 bytes on macOS and 108 on Linux, the closing zero included.
LONGEST_SOCKET_PATH = 100


def _knows(service: str) -> bool:
    """Whether django-anymail is installed and knows a mail service of this name."""
    if not service.isidentifier() or service in ("base", "base_requests", "test", "console"):
        return False
    return find_spec("anymail") is not None and find_spec(f"anymail.backends.{service}") is not None


def _has_oidc() -> bool:
    """Whether what django-allauth needs for the accounts of other servers is installed."""
    return all(find_spec(name) is not None for name in ("jwt", "oauthlib", "requests"))


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

    def absolute_path(self, name: str) -> str:
        """A path that begins at the root; "" without one."""
        value = self.text(name)
        if value and not os.path.isabs(value):
            self._misread("E013", f"{name} is {value!r}, but it must begin with a slash.", f"Correct {name}.")
            return ""
        return value

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

    def issuer(self, prefix: str) -> str:
        """The address of the server whose accounts sign staff in; "" without one, or where something is missing."""
        url, client, secret = (self.text(prefix + name) for name in ("URL", "CLIENT_ID", "CLIENT_SECRET"))
        if not (url or client or secret):
            return ""
        if not self._is_safe(url):
            self._misread(
                "E018",
                f"{prefix}URL is not the address of a server that signs in.",
                f"Set {prefix}URL to its issuer, https://login.example.com/..., or leave it out.",
            )
        elif not (client and secret):
            self._misread(
                "E018",
                f"Nobody can sign in through {prefix}URL without {prefix}CLIENT_ID and {prefix}CLIENT_SECRET.",
                "Set both to what the server gave you for this desk.",
            )
        elif not _has_oidc():
            self._misread(
                "E018",
                f"{prefix}URL needs packages that are not installed.",
                'Install them with pip install "django-allauth[socialaccount]" into the desk\'s environment.',
            )
        else:
            return url.rstrip("/")
        return ""

    def scanner(self, name: str) -> str:
        """The address of ClamAV's daemon, tcp://host:port or unix:///path; "" without one.

        One that cannot be read stays, so that no file passes unseen.
        """
        url = self.text(name)
        if url and not (self._is_address(url, "unix") or (self._is_address(url, "tcp") and urlsplit(url).port)):
            self._misread(
                "E017",
                f"{name} is not the address of a ClamAV daemon.",
                f"Set {name} to tcp://host:3310 or unix:///path/to/clamd.socket, or leave it out.",
            )
            return "unix://"
        return url

    def cache(self, name: str, directory: Path) -> dict[str, Any]:
        """Django's settings of a cache that all processes share: the Redis of the URL, else files in `directory`."""
        url = self.text(name).replace("redis+socket://", "unix://", 1)
        if not url or not self._is_address(url, "redis", "rediss", "unix"):
            # Django would keep 300 entries: whoever tries enough names could have what counts their tries thrown out.
            room = {"MAX_ENTRIES": 100_000}
            files = "django.core.cache.backends.filebased.FileBasedCache"
            return {"BACKEND": files, "LOCATION": str(directory), "OPTIONS": room}
        patience = {"socket_connect_timeout": 1, "socket_timeout": 1}
        return {"BACKEND": "config.cache.SharedCache", "LOCATION": url, "OPTIONS": patience}

    def named(self, prefix: str) -> dict[str, str]:
        """Every variable whose name begins so, by the rest of its name."""
        return {name.removeprefix(prefix): value for name, value in self.values.items() if name.startswith(prefix)}

    def mail_service(self, name: str) -> str:
        """The mail service that a URL names, “mailgun” of anymail://mailgun; "" for an SMTP server."""
        scheme, _, service = self.text(name).partition("://")
        service = service.strip("/").lower()
        return service if scheme == "anymail" and _knows(service) else ""

    def mail(self, name: str) -> dict[str, Any]:
        """Django's `EMAIL_*` settings of a URL; empty without one."""
        url = self.text(name)
        if not url:
            return {}
        if service := self.mail_service(name):
            return {"EMAIL_BACKEND": f"anymail.backends.{service}.EmailBackend"}
        if url.startswith("anymail:"):
            self._misread(
                "E005",
                f"{name} names a mail service that is not known, or django-anymail is not installed.",
                "Install the desk with its extra “anymail”, and name the service as in anymail://mailgun.",
            )
            return NO_MAIL_SERVER
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
        return NO_MAIL_SERVER

    def mailbox(self, name: str, *, takes_tokens: bool) -> dict[str, Any]:
        """A folder on an IMAP server and how to sign in, from a URL; empty without one."""
        url = self.text(name)
        if not url:
            return {}
        security = {"imaps": "tls", "imap+ssl": "tls", "imap+tls": "starttls", "imap": "none"}
        example = "imaps://user:password@host:993/INBOX, or imap+tls://...:143 for STARTTLS"
        try:
            parts = urlsplit(url)
            port, user, password = parts.port, unquote(parts.username or ""), unquote(parts.password or "")
        except ValueError:
            parts, port, user, password = urlsplit(""), None, "", ""
        if parts.scheme not in security or not parts.hostname or not user or parts.query or parts.fragment:
            self._misread("E014", f"{name} is not the address of a mailbox.", f"Set {name} to {example}.")
            return {}
        if not password and not takes_tokens:
            self._misread(
                "E014",
                f"{name} names no password, and nothing says where a token comes from.",
                f"Set {name} to {example}; or set IMAP_OAUTH_TOKEN_URL and what belongs to it.",
            )
            return {}
        return {
            "host": parts.hostname,
            "port": port or (993 if security[parts.scheme] == "tls" else 143),
            "security": security[parts.scheme],
            "user": user,
            "password": password,
            "folder": unquote(parts.path.strip("/")) or "INBOX",
        }

    def token_source(self, prefix: str) -> dict[str, Any]:
        """Where OAuth tokens come from and for whom, from several variables; empty without the first, `TOKEN_URL`."""
        names = ("TOKEN_URL", "CLIENT_ID", "CLIENT_SECRET", "SCOPE", "REFRESH_TOKEN")
        said = {name: self.text(f"{prefix}{name}") for name in names}
        if not any(said.values()):
            return {}
        missing = [name for name in ("TOKEN_URL", "CLIENT_ID") if not said[name]]
        if not said["CLIENT_SECRET"] and not said["REFRESH_TOKEN"]:
            missing.append("CLIENT_SECRET")
        if missing:
            several = " and ".join(f"{prefix}{name}" for name in missing)
            self._misread("E015", f"Tokens cannot be had without {several}.", f"Set {several}.")
            return {}
        if not self._is_safe(said["TOKEN_URL"]):
            self._misread(
                "E015",
                f"{prefix}TOKEN_URL is no address that begins with https://, so secrets would not be safe.",
                f"Correct {prefix}TOKEN_URL.",
            )
            return {}
        return {("url" if name == "TOKEN_URL" else name.lower()): value for name, value in said.items()}

    def day(self, name: str) -> date | None:
        """A day such as 2026-08-10; None without one."""
        value = self.text(name)
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            self._misread("E007", f"{name} is {value!r}, which is no day.", f"Set {name} to a day as in 2026-08-10.")
            return None

    def _is_safe(self, url: str) -> bool:
        """Whether secrets may be sent there: over TLS, or not out of this machine."""
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            return False
        local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
        return (parts.scheme == "https" or local) and bool(parts.hostname)

    def _is_address(self, url: str, *schemes: str) -> bool:
        try:
            parts = urlsplit(url)
            _ = parts.port if parts.scheme not in ("redis+socket", "unix") else None
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
