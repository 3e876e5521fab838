"""The settings of the tests: the desk's own, with a directory that is thrown away and without this machine's `.env`."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# Before the desk's settings are read: they make files in DESK_VAR. Variables that the shell of a developer may hold
# say nothing to a test; DATABASE_URL and REDIS_URL choose what it runs on.
_var_dir = tempfile.mkdtemp(prefix="desk-tests-")
atexit.register(shutil.rmtree, _var_dir, ignore_errors=True)
for _name in (
    *("PRODUCTION", "DEBUG", "SECRET_KEY", "SECRET_KEY_FALLBACKS"),
    *("ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "SITE_URL", "SUPPORT_HOST", "PORT"),
    *(
        "EMAIL_URL",
        "EMAIL_TIMEOUT",
        "DESK_MAIL_CONNECTIONS",
        "MAIL_DOMAIN",
        "DEFAULT_FROM_EMAIL",
        "LOG_LEVEL",
    ),
    *("MAILDIR", "MAILDIR_KEEP_DAYS", "IMAP_URL", "IMAP_SINCE"),
    *("IMAP_OAUTH_TOKEN_URL", "IMAP_OAUTH_CLIENT_ID", "IMAP_OAUTH_CLIENT_SECRET", "IMAP_OAUTH_SCOPE"),
    *("IMAP_OAUTH_REFRESH_TOKEN",),
    *("ANYMAIL_WEBHOOK_SECRET",),
    *("DESK_SESSION_ENDS_AFTER_DAYS", "DESK_SECOND_FACTOR"),
    *("OIDC_URL", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_NAME", "OIDC_TRUST_EMAIL", "OIDC_SECOND_FACTOR"),
    *("MAIL_AUTH_SERVER", "DESK_MOST_AUTO_ANSWERS"),
    *("DESK_SESSION_ENDS_AFTER_HOURS", "DESK_REOPEN_WITHIN_DAYS", "DESK_BATCH", "DESK_BEAT_LATE_AFTER_SECONDS"),
    *("DESK_FILES_DIR", "DESK_MOST_FILES", "DESK_LARGEST_FILE", "DESK_LARGEST_FILES", "DESK_LARGEST_UPLOAD"),
    *("DESK_CLAMAV", "DESK_TRIAGE_WITHIN_MINUTES", "DESK_UNDO_SECONDS", "DESK_HANDOVER_BEFORE_MINUTES"),
    *("DESK_LOG_BACK_DAYS", "DESK_ATTEMPT_AT", "DESK_ATTEMPT_MAIL_AT", "DESK_CLOSES_AT", "DESK_DIGEST_AT"),
    *("DESK_OVERDUE_AFTER_MINUTES", "DESK_MAIL_LATE_AFTER_MINUTES", "DESK_MAILS_FAILED_PER_HOUR", "HEARTBEAT_URL"),
):
    os.environ.pop(_name, None)
# Runs that share a Redis keep apart by the prefix.
os.environ |= {"DESK_VAR": _var_dir, "DESK_ENV_FILE": os.devnull, "BROKER_PREFIX": f"{Path(_var_dir).name}:"}

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES, INSTALLED_APPS, STORAGES  # noqa: E402

# With OIDC_URL it is installed; a test says who signs in there.
INSTALLED_APPS[:0] = ["allauth.socialaccount", "allauth.socialaccount.providers.openid_connect"]
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", "testserver"]
# Not Redis: a test empties it, and would empty the broker of another one.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": f"{_var_dir}/cache"}
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, not memory: a live server, threads and WAL need one.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(_var_dir) / "test.sqlite3")}
