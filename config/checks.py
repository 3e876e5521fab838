"""System checks of the settings: one sentence that says what is wrong, and a hint that says what to do (S4)."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from cases.enums import NOTICES
from config.environment import SQLITE


def register() -> None:
    """Register the checks with Django."""
    checks.register(check_environment, checks.Tags.compatibility)
    checks.register(check_production, checks.Tags.security)
    checks.register(check_site_url, checks.Tags.urls)
    checks.register(check_heartbeat_url, checks.Tags.urls)
    checks.register(check_notices, checks.Tags.compatibility)


def check_environment(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E003, E004, E005, E007, E010: the environment variables that could not be understood."""
    return [
        checks.Error(problem.sentence, hint=problem.hint, id=f"config.{problem.id}")
        for problem in settings.ENVIRONMENT_PROBLEMS
    ]


def check_production(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E001, E002, E008, W001 to W003: settings that production requires, and those that it should have."""
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
