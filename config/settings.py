"""Settings, all of them from the environment (or a `.env` file beside `manage.py`).

| variable | meaning | without it |
|---|---|---|
| `DATABASE_URL` | the database | SQLite in `.var/` |
| `REDIS_URL` | Celery's broker, and the count of tries to sign in | a Valkey, and files, in `.var/` |
| `EMAIL_URL` | `smtp://user:password@host:port`, or a service: `anymail://mailgun` | no mail leaves; it is kept |
| `DESK_MAIL_CONNECTIONS` | connections that a worker opens to the mail server at most | 8 |
| `ANYMAIL_...` | keys of a mail service, as django-anymail names them; its `..._WEBHOOK_SECRET` | none |
| `PRODUCTION` | hardened settings: HTTPS only, no default secrets | off |
| `SECRET_KEY` | signs sessions, reply addresses and Message-IDs | a key made once and kept in `.var/` |
| `SECRET_KEY_FALLBACKS` | former secret keys, separated by commas; what they signed stays valid | none |
| `ALLOWED_HOSTS`, `CSRF_TRUSTED_ORIGINS` | names this server answers to | this machine only |
| `SITE_URL` | how links in mails begin | `http://127.0.0.1:8000` |
| `MAILDIR` | a Maildir from which incoming mail is fetched | `mail/` in `DESK_VAR`, under `manage.py up` |
| `SUPPORT_HOST` | a host name of its own for the customers' support page | it is at `/support/` beside the admin |
| `IMAP_URL` | a mailbox from which incoming mail is fetched, `imaps://user:password@host:993/INBOX` | none |
| `IMAP_OAUTH_TOKEN_URL` and others | where tokens for the mailbox come from | the password in `IMAP_URL` |
| `MAIL_DOMAIN`, `DEFAULT_FROM_EMAIL` | sender, Message-ID and reply addresses | `support-desk.example.com` |
| `MAIL_AUTH_SERVER` | how our mail servers begin Authentication-Results, separated by commas | no sender is proven |
| `DESK_PHONE_SYSTEMS` | telephone systems: `name=generic:SECRET`, `name=twiml:SECRET:TOKEN` | calls by hand |
| `HEARTBEAT_URL` | pinged every minute while nothing is overdue | no pings |
| `PORT` | where `manage.py up` serves the desk | 8000 |
| `DESK_VAR` | the directory of everything the desk keeps in files | `.var/` beside `manage.py` |
| `DESK_FILES_DIR` | the directory of attachments, shared by all processes | `files/` in `DESK_VAR` |
| `DESK_ENV_FILE` | another file than `.env` | |

Wrong values are reported by system checks (`config.E001` ...) in a sentence.
"""

import os
from pathlib import Path
from typing import Any

import environ
from django.core.management.utils import get_random_secret_key
from django.templatetags.static import static
from django.urls import reverse_lazy

from config.environment import POSTGRESQL, SQLITE, Environment, embedded_broker_socket

BASE_DIR = Path(__file__).resolve().parent.parent
environ.Env.read_env(os.environ.get("DESK_ENV_FILE", str(BASE_DIR / ".env")))
env = Environment(os.environ)
# What could not be read, for the system checks. The lines below go on filling this list.
ENVIRONMENT_PROBLEMS = env.problems

VAR_DIR = Path(env.text("DESK_VAR", str(BASE_DIR / ".var"))).absolute()
VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

PRODUCTION = env.yes_or_no("PRODUCTION", default=False)
DEBUG = env.yes_or_no("DEBUG", default=False)
PORT = env.whole_number("PORT", 8000, least=1, most=65535)


def stored_secret(path: Path) -> str:
    """A secret for a machine without one: made at the first start, then read from the file."""
    try:
        with path.open("x") as fresh:
            path.chmod(0o600)
            fresh.write(get_random_secret_key())
    except FileExistsError:
        pass
    return path.read_text().strip()


SECRET_KEY = env.text("SECRET_KEY") or ("" if PRODUCTION else stored_secret(VAR_DIR / "secret_key"))
# Former secret keys: what they signed, sessions and reply addresses in mails that are out, goes on working.
SECRET_KEY_FALLBACKS = env.listed("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.listed("ALLOWED_HOSTS", default=[] if PRODUCTION else ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.listed("CSRF_TRUSTED_ORIGINS", default=[])
SITE_URL = env.text("SITE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
# P1: the support page's own host name; with it the page answers there only, and nothing else does.
SUPPORT_HOST = env.text("SUPPORT_HOST").lower()
SUPPORT_URL = (
    f"{'https' if PRODUCTION else 'http'}://{SUPPORT_HOST}/support/" if SUPPORT_HOST else f"{SITE_URL}/support/"
)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "config.apps.DeskAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "import_export",
    "simple_history",
    "config.apps.ConfigConfig",
    "contacts",
    "cases",
    "escalations",
]

MIDDLEWARE = [
    "config.health.ProbeMiddleware",
    "config.headers.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "contacts.entrances.EntranceSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "contacts.entrances.EntranceMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.odd_requests.OddRequestMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "contacts.sign_ins.SessionEndMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "contacts.second_factor.SecondFactorMiddleware",
    "contacts.middleware.ReaderTimeZoneMiddleware",
    "cases.portal.visitors.SupportPageMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "contacts.User"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def database() -> dict[str, Any]:
    """PostgreSQL when `DATABASE_URL` names one, else a SQLite file that several processes can write to."""
    settings = env.database("DATABASE_URL", VAR_DIR / "desk.sqlite3")
    options = settings.setdefault("OPTIONS", {})
    if settings["ENGINE"] == SQLITE:
        # Without IMMEDIATE four writers get "database is locked" in transactions that read before they write.
        options |= {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        }
    if settings["ENGINE"] == POSTGRESQL:
        # A server that does not answer raises within seconds; pages and probes do not hang for minutes.
        settings["OPTIONS"] = {"connect_timeout": 3, "tcp_user_timeout": 15_000} | options
        settings["CONN_MAX_AGE"] = env.whole_number("CONN_MAX_AGE", 60)
        settings["CONN_HEALTH_CHECKS"] = True
    return settings


DATABASES = {"default": database()}

PASSWORD_RESET_TIMEOUT = 24 * 3600
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "en"
# Customers are written to in these; pages of staff are English, whatever their browser asks for (M4).
LANGUAGES = [("en", "English"), ("ja", "Japanese")]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = "config.formats"
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = VAR_DIR / "media"
# Bytes of a request: a form, and a form with files.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DESK_LARGEST_UPLOAD = env.whole_number("DESK_LARGEST_UPLOAD", 30_000_000, least=2_500_000)
# C3: the files of contacts and notes. No web server may give this directory out.
DESK_FILES_DIR = Path(env.text("DESK_FILES_DIR", str(VAR_DIR / "files"))).absolute()
DESK_MOST_FILES = env.whole_number("DESK_MOST_FILES", 10, least=1, most=100)
DESK_LARGEST_FILE = env.whole_number("DESK_LARGEST_FILE", 10_000_000, least=100_000)
DESK_LARGEST_FILES = env.whole_number("DESK_LARGEST_FILES", 25_000_000, least=100_000)
DESK_CLAMAV = env.scanner("DESK_CLAMAV")

# --- mail -----------------------------------------------------------------------------------------------------
MAIL_DOMAIN = env.domain("MAIL_DOMAIN", "support-desk.example.com")
DEFAULT_FROM_EMAIL = env.sender("DEFAULT_FROM_EMAIL", f"Support Desk <support@{MAIL_DOMAIN}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = env.whole_number("EMAIL_TIMEOUT", 20)
# M2: a worker opens so many connections to the mail server while much waits.
DESK_MAIL_CONNECTIONS = env.whole_number("DESK_MAIL_CONNECTIONS", 8, least=1, most=100)
EMAIL_URL = env.text("EMAIL_URL")
MAIL_IS_KEPT = not EMAIL_URL
# `EMAIL_URL=anymail://mailgun`: the mail service, and what django-anymail has to know of it (ANYMAIL_MAILGUN_API_KEY).
MAIL_SERVICE = env.mail_service("EMAIL_URL")
ANYMAIL: dict[str, Any] = {
    "REQUESTS_TIMEOUT": min(EMAIL_TIMEOUT, 7),  # a worker that is asked to stop waits for the answer
    **env.named("ANYMAIL_"),
}
# M5a: the names of our own mail servers in Authentication-Results; “microsoft365” for a field that names none.
MAIL_AUTH_SERVER = env.listed("MAIL_AUTH_SERVER", default=[])
# M6: so many receipts and the like go to one address a day, whatever it writes.
DESK_MOST_AUTO_ANSWERS = env.whole_number("DESK_MOST_AUTO_ANSWERS", 5)
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
vars().update(env.mail("EMAIL_URL"))

# --- mail that comes in (M5) ------------------------------------------------------------------------------------
# How many days the Maildir keeps what was taken from it; the desk has the raw messages in DESK_FILES_DIR.
MAILDIR = env.absolute_path("MAILDIR")
MAILDIR_KEEP_DAYS = env.whole_number("MAILDIR_KEEP_DAYS", 30)
IMAP_OAUTH = env.token_source("IMAP_OAUTH_")
IMAP_ACCOUNT = env.mailbox("IMAP_URL", takes_tokens=bool(IMAP_OAUTH))
# What came before that day is left in the mailbox; without it, before the day that precedes the desk's first look.
IMAP_SINCE = env.day("IMAP_SINCE")

# --- broker ---------------------------------------------------------------------------------------------------
EMBEDDED_BROKER_SOCKET = embedded_broker_socket(VAR_DIR)
REDIS_URL = env.text("REDIS_URL")
CELERY_BROKER_URL = env.broker("REDIS_URL", EMBEDDED_BROKER_SOCKET)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Keeps messages apart where several desks share one Redis.
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": env.text("BROKER_PREFIX", "desk:")}

# --- cache ----------------------------------------------------------------------------------------------------
# Shared by all processes: limits that each process counted for itself would be no limits.
CACHES = {"default": env.cache("REDIS_URL", VAR_DIR / "cache") | {"KEY_PREFIX": env.text("BROKER_PREFIX", "desk:")}}

# --- history --------------------------------------------------------------------------------------------------
SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True

# --- figures of the rules that are configurable -----------------------------------------------------------------
# "Fixed default value": a centre opens at nine by default; the check takes that for the current time at nine.
SILENCED_SYSTEM_CHECKS = ["fields.W161"]

DESK_REOPEN_WITHIN_DAYS = env.whole_number("DESK_REOPEN_WITHIN_DAYS", 14)  # C4
# M5: how long the mail in triage may wait before the Support Manager sees it, and a decision about it can be undone.
DESK_TRIAGE_WITHIN_MINUTES = env.whole_number("DESK_TRIAGE_WITHIN_MINUTES", 120, least=5)
DESK_UNDO_SECONDS = env.whole_number("DESK_UNDO_SECONDS", 20, least=0, most=600)
DESK_LOG_BACK_DAYS = env.whole_number("DESK_LOG_BACK_DAYS", 7, least=1)  # C3: how long ago a logged contact may be
DESK_UPDATE_LEAD_MINUTES = env.whole_number("DESK_UPDATE_LEAD_MINUTES", 5, least=1)  # T3
# F3: local time of an attempt, and of the mail to a customer who should have been called.
# When the daily digest goes to whoever looks after companies, on their own clock (W4).
DESK_DIGEST_AT = env.clock_time("DESK_DIGEST_AT", "08:00", earliest="05:00", latest="12:00")
DESK_ATTEMPT_AT = env.clock_time("DESK_ATTEMPT_AT", "10:00", earliest="06:00", latest="12:00")
DESK_ATTEMPT_MAIL_AT = env.clock_time("DESK_ATTEMPT_MAIL_AT", "16:00", earliest="12:30", latest="16:45")
# F4: local time at which a case closes that nobody answered; the mail of an attempt has to leave before that.
DESK_CLOSES_AT = env.clock_time(
    "DESK_CLOSES_AT",
    max("11:00", f"{DESK_ATTEMPT_AT.hour + 1:02}:00"),
    earliest=f"{DESK_ATTEMPT_AT:%H:%M}",
    latest="16:45",
)
# Q2, Q1: how long a technician is left alone after a call, and after how long without a word a call is taken for lost.
DESK_PHONE_SYSTEMS = env.listed("DESK_PHONE_SYSTEMS", default=[])  # Q5, see cases/queue/systems.py
DESK_WRAP_UP_SECONDS = env.whole_number("DESK_WRAP_UP_SECONDS", 120, most=3600)
DESK_SILENT_CALL_MINUTES = env.whole_number("DESK_SILENT_CALL_MINUTES", 120, least=10)
# W3: how long before the end of a centre's day its hand-over sheet is written.
DESK_HANDOVER_BEFORE_MINUTES = env.whole_number("DESK_HANDOVER_BEFORE_MINUTES", 30, least=1, most=240)
DESK_BATCH = env.whole_number("DESK_BATCH", 500, least=1)
# S3: when a sweep counts as late, due work as overdue, and queued mail as late.
DESK_BEAT_LATE_AFTER_SECONDS = env.whole_number("DESK_BEAT_LATE_AFTER_SECONDS", 180)
DESK_OVERDUE_AFTER_MINUTES = env.whole_number("DESK_OVERDUE_AFTER_MINUTES", 5)
DESK_MAIL_LATE_AFTER_MINUTES = env.whole_number("DESK_MAIL_LATE_AFTER_MINUTES", 15)
# S3: more mails than this that failed within an hour are a trouble of the engine.
DESK_MAILS_FAILED_PER_HOUR = env.whole_number("DESK_MAILS_FAILED_PER_HOUR", 10)
HEARTBEAT_URL = env.text("HEARTBEAT_URL")
# D6: notices that nobody wants, separated by commas: severe_case, severity_raised, critical_case, waiting_case.
DESK_NOTICES_OFF = env.listed("DESK_NOTICES_OFF", default=[])

# --- security -------------------------------------------------------------------------------------------------
SESSION_ENGINE = "contacts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 3600 * env.whole_number("DESK_SESSION_ENDS_AFTER_HOURS", 12, least=1)  # without use
DESK_SESSION_ENDS_AFTER_DAYS = env.whole_number("DESK_SESSION_ENDS_AFTER_DAYS", 7, least=1)  # used or not
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
if PRODUCTION:
    SECURE_SSL_REDIRECT = env.yes_or_no("SECURE_SSL_REDIRECT", default=True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = env.whole_number("SECURE_HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# --- signing in (P1, A3) ----------------------------------------------------------------------------------------
# Who must have a second factor: managers (and administrators), everybody, or nobody.
DESK_SECOND_FACTOR = env.one_of(
    "DESK_SECOND_FACTOR", ("MANAGERS", "EVERYBODY", "OFF"), "MANAGERS" if PRODUCTION else "OFF"
).lower()
ACCOUNT_ADAPTER = "config.sign_in.StaffAccounts"
MFA_ADAPTER = "config.sign_in.StaffFactors"
MFA_FORMS = {"add_webauthn": "config.sign_in.NewKeyForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1  # clocks of phones are up to half a minute off
MFA_TOTP_ISSUER = "Support Desk"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_RATE_LIMITS = {
    # Of staff: wrong passwords and second factors, by where they come from and by name; and the page itself.
    "login_failed": "10/m/ip,10/5m/key",
    "login": "30/m/ip",
    # Of the support page: asking for a code, by who asks and by the address; trying one; a passkey.
    "support_code": "10/m/ip,100/h/ip,5/10m/key,20/d/key",
    "support_try": "30/10m/ip",
}
# With the account of their company too, where its server is named (OpenID Connect).
OIDC_URL = env.issuer("OIDC_")
OIDC_NAME = env.text("OIDC_NAME", "your company account")
OIDC_TRUST_EMAIL = env.yes_or_no("OIDC_TRUST_EMAIL", default=False)
OIDC_SECOND_FACTOR = env.yes_or_no("OIDC_SECOND_FACTOR", default=False)
if OIDC_URL:
    INSTALLED_APPS[:0] = ["allauth.socialaccount", "allauth.socialaccount.providers.openid_connect"]
SOCIALACCOUNT_ADAPTER = "config.company_sign_in.CompanyAccounts"
SOCIALACCOUNT_LOGIN_ON_GET = True  # a form cannot lead to another server: form-action
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_OPENID_CONNECT_URL_PREFIX = "company"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "staff",
                "name": OIDC_NAME,
                "client_id": env.text("OIDC_CLIENT_ID"),
                "secret": env.text("OIDC_CLIENT_SECRET"),
                "settings": {"server_url": OIDC_URL},
            }
        ],
    }
}
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if PRODUCTION else 0

LOG_LEVEL = env.one_of("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # Its DEBUG logs the mails of customers.
    "loggers": {"imapclient": {"level": "INFO" if LOG_LEVEL == "DEBUG" else LOG_LEVEL}},
}

EXPORT_FORMATS_NAMES = ("csv", "xlsx", "json")

UNFOLD = {
    "SITE_TITLE": "Support Desk",
    "SITE_HEADER": "Support Desk",
    "SITE_SUBHEADER": "Cases, promises, escalations",
    "SITE_SYMBOL": "support_agent",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [lambda request: static("desk/desk.css"), lambda request: static("desk/escalations.css")],
    "SCRIPTS": [
        lambda request: static("desk/desk.js"),
        lambda request: static("desk/drafts.js"),
        lambda request: static("desk/search.js"),
        lambda request: static("desk/composer.js"),
        lambda request: static("desk/calls.js"),
        lambda request: static("desk/chat.js"),
    ],
    "ACCOUNT": {"navigation": [{"title": "Second factor and passkeys", "link": reverse_lazy("mfa_index")}]},
    "DASHBOARD_CALLBACK": "cases.dashboard.dashboard",
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "config.navigation.navigation",
    },
}
