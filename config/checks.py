"""System checks of the settings: one sentence that says what is wrong, and a hint that says what to do (S4)."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.http.request import split_domain_port, validate_host

from cases.enums import NOTICES
from cases.queue.systems import setting_problems
from config.environment import SQLITE


def register() -> None:
    """Register the checks with Django."""
    checks.register(check_environment, checks.Tags.compatibility)
    checks.register(check_production, checks.Tags.security)
    checks.register(check_site_url, checks.Tags.urls)
    checks.register(check_support_host, checks.Tags.urls)
    checks.register(check_heartbeat_url, checks.Tags.urls)
    checks.register(check_notices, checks.Tags.compatibility)
    checks.register(check_phone_systems, checks.Tags.security)
    checks.register(check_files, checks.Tags.files)
    checks.register(check_maildir, checks.Tags.files)
    checks.register(check_imap, checks.Tags.security)


def check_environment(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E003, E004, E005, E007, E010, E013 to E015: the environment variables that could not be understood."""
    return [
        checks.Error(problem.sentence, hint=problem.hint, id=f"config.{problem.id}")
        for problem in settings.ENVIRONMENT_PROBLEMS
    ]


def check_phone_systems(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E016: telephone systems that could not be understood (Q5)."""
    hint = "Write name=generic:SECRET, or name=twiml:SECRET:TOKEN; separate several by commas."
    return [checks.Error(problem, hint=hint, id="config.E016") for problem in setting_problems()]


def check_production(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E001, E002, E008, W001 to W003, W008: settings that production requires, and those that it should have."""
    return [*_missing_in_production(), *_advised_in_production()] if settings.PRODUCTION else []


def _missing_in_production() -> Iterator[checks.CheckMessage]:
    if not _secret_key():
        yield checks.Error(
            "PRODUCTION is on, but there is no SECRET_KEY.",
            hint="Set SECRET_KEY to at least 50 random characters and keep it: it signs sessions and reply addresses.",
            id="config.E001",
        )
    if not settings.ALLOWED_HOSTS:
        yield checks.Error(
            "PRODUCTION is on, but ALLOWED_HOSTS names no host, so every page would be refused.",
            hint="Set ALLOWED_HOSTS to the names people use for this server, separated by commas.",
            id="config.E002",
        )
    if settings.DEBUG:
        yield checks.Error(
            "PRODUCTION and DEBUG are both on; DEBUG shows settings and code to strangers.",
            hint="Leave DEBUG out.",
            id="config.E008",
        )


def _advised_in_production() -> Iterator[checks.CheckMessage]:
    if settings.DATABASES["default"]["ENGINE"] == SQLITE:
        yield checks.Warning(
            "Production runs on SQLite, which lets one process write at a time.",
            hint="Set DATABASE_URL to a PostgreSQL database.",
            id="config.W001",
        )
    if not settings.EMAIL_URL:
        yield checks.Warning(
            "Production has no EMAIL_URL, so no mail leaves: customers and managers hear nothing.",
            hint="Set EMAIL_URL to your mail server, such as smtp+tls://user:password@host:587.",
            id="config.W002",
        )
    has_door = settings.MAILDIR or settings.IMAP_ACCOUNT
    if has_door and not settings.MAIL_AUTH_SERVER:
        yield checks.Warning(
            "Production fetches mail, but has no MAIL_AUTH_SERVER: no sender is proven, and all of it waits in triage.",
            hint="Set MAIL_AUTH_SERVER to the name with which your mail server begins its Authentication-Results.",
            id="config.W008",
        )
    if not settings.REDIS_URL:
        yield checks.Warning(
            "Production has no REDIS_URL; the embedded broker runs under `manage.py up` only.",
            hint="Set REDIS_URL to a Redis or Valkey server, such as redis://host:6379/0.",
            id="config.W003",
        )


def check_site_url(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E006: links in mails must be web addresses, in production with https."""
    schemes = ("https",) if settings.PRODUCTION else ("http", "https")
    try:
        address = urlsplit(settings.SITE_URL)
    except ValueError:
        address = urlsplit("")
    if address.scheme in schemes and address.hostname:
        return []
    return [
        checks.Error(
            f"SITE_URL is {settings.SITE_URL!r}, but links in mails must begin with {' or '.join(schemes)}://.",
            hint="Set SITE_URL to the address of this desk, such as https://desk.example.com.",
            id="config.E006",
        )
    ]


def check_support_host(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E016: the support page's own host name is one that this server answers to, and not that of the admin (P1)."""
    host = settings.SUPPORT_HOST
    bare = split_domain_port(host) == (host, "")
    own = bare and validate_host(host, settings.ALLOWED_HOSTS) and urlsplit(settings.SITE_URL).hostname != host
    if not host or own:
        return []
    return [
        checks.Error(
            f"SUPPORT_HOST is {host!r}, but ALLOWED_HOSTS does not name it, or it is the host of SITE_URL as well.",
            hint="Set SUPPORT_HOST to a host name of its own, without https://, and add it to ALLOWED_HOSTS.",
            id="config.E016",
        )
    ]


def check_heartbeat_url(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E009: the heartbeat goes to a web address. The message leaves it out, as it may hold a secret."""
    url = settings.HEARTBEAT_URL
    try:
        address = urlsplit(url)
        valid = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        valid = False
    if not url or (valid and " " not in url):
        return []
    return [
        checks.Error(
            "HEARTBEAT_URL is not a web address, so nobody outside would hear that the desk is well.",
            hint="Set HEARTBEAT_URL to an address that begins with http:// or https://, or leave it out.",
            id="config.E009",
        )
    ]


def _secret_key() -> str:
    """The secret key or "": Django raises for an empty one."""
    try:
        return settings.SECRET_KEY
    except ImproperlyConfigured:
        return ""


def check_notices(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """W004: a notice that is switched off and that the desk does not know (D6)."""
    unknown = sorted(set(settings.DESK_NOTICES_OFF) - set(NOTICES))
    if not unknown:
        return []
    return [
        checks.Warning(
            f"DESK_NOTICES_OFF names {', '.join(unknown)}, which the desk does not know.",
            hint=f"Choose from {', '.join(NOTICES)}.",
            id="config.W004",
        )
    ]


def check_files(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E011, E012, W005: where the files of contacts and notes lie, and how large they may be (C3)."""
    return list(_file_problems(Path(settings.DESK_FILES_DIR)))


def _file_problems(directory: Path) -> Iterator[checks.CheckMessage]:
    public = [Path(root) for root in (settings.STATIC_ROOT, settings.MEDIA_ROOT) if root]
    if any(directory.resolve().is_relative_to(root.resolve()) for root in public):
        yield checks.Error(
            f"DESK_FILES_DIR is {directory}, from where a web server may give files out to anybody.",
            hint="Set DESK_FILES_DIR to a directory outside of those of static and media files.",
            id="config.E012",
        )
        return
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        writable = os.access(directory, os.W_OK | os.X_OK)
    except OSError:
        writable = False
    if not writable:
        yield checks.Error(
            f"DESK_FILES_DIR is {directory}, where the desk cannot write, so no file can be kept.",
            hint="Let the user of the desk write there, or set DESK_FILES_DIR to another directory.",
            id="config.E011",
        )
    if settings.DESK_LARGEST_UPLOAD < settings.DESK_LARGEST_FILES + 1_000_000:
        yield checks.Warning(
            "DESK_LARGEST_UPLOAD is too small for DESK_LARGEST_FILES: files that are allowed would be refused.",
            hint="Set DESK_LARGEST_UPLOAD to at least a million bytes more than DESK_LARGEST_FILES.",
            id="config.W005",
        )


def check_maildir(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """W006: mail that came in lies in a Maildir that the desk can read and change (M5).

    No error: a file system that comes later must not keep the desk from starting. Until then /readyz says so.
    """
    if not settings.MAILDIR:
        return []
    folders = [Path(settings.MAILDIR) / name for name in ("new", "cur")]
    if all(folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK) for folder in folders):
        return []
    return [
        checks.Warning(
            f"MAILDIR is {settings.MAILDIR}, no Maildir that the desk can read and change, so no mail comes in.",
            hint="Make its directories new, cur and tmp, and let the user of the desk read and write there.",
            id="config.W006",
        )
    ]


def check_imap(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """W007: the password of the mailbox, and mail, go over the network so that others cannot read them (M5)."""
    account = settings.IMAP_ACCOUNT
    if not account or account["security"] != "none" or account["host"] in ("127.0.0.1", "::1", "localhost"):
        return []
    return [
        checks.Warning(
            "IMAP_URL begins with imap://, so the password and the mail go over the network unencrypted.",
            hint="Let it begin with imaps:// (993), or with imap+tls:// for STARTTLS (143).",
            id="config.W007",
        )
    ]
