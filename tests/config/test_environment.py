"""S4: whatever the environment says, it is read or it becomes a sentence; it never becomes a traceback."""

from datetime import date, time
from pathlib import Path

import pytest

from config.environment import LONGEST_SOCKET_PATH, NO_DATABASE, POSTGRESQL, SQLITE, Environment, embedded_broker_socket

FILE = Path("/desk/desk.sqlite3")
SOCKET = Path("/desk/valkey.sock")


def only_problem(environment: Environment) -> str:
    (problem,) = environment.problems
    return problem.id


def test_without_an_address_the_database_is_a_sqlite_file():
    assert Environment({}).database("DATABASE_URL", FILE) == {"ENGINE": SQLITE, "NAME": "/desk/desk.sqlite3"}


def test_a_postgresql_address_is_read_with_its_escapes_and_options():
    url = "postgres://desk:p%40ss@db.example.com:5433/support?sslmode=require"
    settings = Environment({"DATABASE_URL": url}).database("DATABASE_URL", FILE)
    assert settings["ENGINE"] == POSTGRESQL
    assert (settings["USER"], settings["PASSWORD"]) == ("desk", "p@ss")
    assert (settings["HOST"], settings["PORT"], settings["NAME"]) == ("db.example.com", 5433, "support")
    assert settings["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize(
    "url",
    ["foo", "mysql://root@localhost/desk", "postgres://host:port/desk", "postgres://host", "postgres://[::1/x", "://"],
)
def test_an_address_of_no_usable_database_is_a_problem_and_never_another_database(url: str):
    environment = Environment({"DATABASE_URL": url})
    assert environment.database("DATABASE_URL", FILE) == {"ENGINE": NO_DATABASE}
    assert only_problem(environment) == "E003"


def test_the_password_of_a_wrong_database_address_is_not_repeated():
    environment = Environment({"DATABASE_URL": "mysql://root:s3cret@localhost/desk"})
    environment.database("DATABASE_URL", FILE)
    assert "s3cret" not in environment.problems[0].sentence + environment.problems[0].hint


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("", "redis+socket:///desk/valkey.sock"),
        ("redis://:pw@cache:6379/2", "redis://:pw@cache:6379/2"),
        ("rediss://cache:6380/0", "rediss://cache:6380/0"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock"),
        ("redis+socket:///run/redis.sock", "redis+socket:///run/redis.sock"),
    ],
)
def test_a_broker_is_named_as_celery_understands_it(said: str, address: str):
    environment = Environment({"REDIS_URL": said})
    assert environment.broker("REDIS_URL", SOCKET) == address
    assert environment.problems == []


def test_a_directory_with_blanks_and_signs_makes_a_valid_broker_address():
    assert (
        Environment({}).broker("REDIS_URL", Path("/my desk/50%#/v.sock")) == "redis+socket:///my%20desk/50%25%23/v.sock"
    )


@pytest.mark.parametrize("said", ["foo", "amqp://guest@mq//", "http://cache:6379", "redis://cache:six/0", "redis:"])
def test_an_address_of_no_redis_is_a_problem(said: str):
    environment = Environment({"REDIS_URL": said})
    environment.broker("REDIS_URL", SOCKET)
    assert only_problem(environment) == "E004"


@pytest.mark.parametrize(
    ("said", "host", "port", "security"),
    [
        ("smtp://mail.example.com", "mail.example.com", 25, None),
        ("smtp+tls://me:pw@mail.example.com:587", "mail.example.com", 587, "EMAIL_USE_TLS"),
        ("smtp+ssl://me:pw@mail.example.com", "mail.example.com", 465, "EMAIL_USE_SSL"),
    ],
)
def test_a_mail_server_is_read_with_its_port_and_security(said: str, host: str, port: int, security: str | None):
    settings = Environment({"EMAIL_URL": said}).mail("EMAIL_URL")
    assert (settings["EMAIL_HOST"], settings["EMAIL_PORT"]) == (host, port)
    assert {key for key in settings if key.startswith("EMAIL_USE")} == ({security} if security else set())


@pytest.mark.parametrize("said", ["foo", "mail.example.com:25", "http://mail.example.com", "smtp://", "smtp://host:x"])
def test_an_address_of_no_mail_server_is_a_problem_and_no_mail_is_thrown_away(said: str):
    environment = Environment({"EMAIL_URL": said})
    assert environment.mail("EMAIL_URL")["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    assert only_problem(environment) == "E005"


@pytest.mark.parametrize("said", ["eighty", "0", "65536", "-1", "8000.5"])
def test_a_number_that_is_none_or_out_of_bounds_is_a_problem_and_the_default_stands(said: str):
    environment = Environment({"PORT": said})
    assert environment.whole_number("PORT", 8000, least=1, most=65535) == 8000
    assert only_problem(environment) == "E007"


@pytest.mark.parametrize("said", ["ten", "05:59", "12:01", "25:00", "10:00+02:00"])
def test_a_time_of_day_that_is_none_or_out_of_bounds_is_a_problem_and_the_default_stands(said: str):  # F3
    environment = Environment({"DESK_ATTEMPT_AT": said})
    assert environment.clock_time("DESK_ATTEMPT_AT", "10:00", earliest="06:00", latest="12:00") == time(10)
    assert only_problem(environment) == "E007"


def test_a_time_of_day_is_read():  # F3
    environment = Environment({"DESK_ATTEMPT_AT": "09:30"})
    assert environment.clock_time("DESK_ATTEMPT_AT", "10:00", earliest="06:00", latest="12:00") == time(9, 30)
    assert environment.problems == []


@pytest.mark.parametrize(("said", "meant"), [("1", True), (" On ", True), ("yes", True), ("0", False), ("NO", False)])
def test_yes_and_no_are_read_in_their_usual_spellings(said: str, meant: bool):
    environment = Environment({"PRODUCTION": said})
    assert environment.yes_or_no("PRODUCTION", default=not meant) is meant
    assert environment.problems == []


def test_neither_yes_nor_no_is_a_problem():
    environment = Environment({"PRODUCTION": "maybe"})
    assert environment.yes_or_no("PRODUCTION", default=False) is False
    assert only_problem(environment) == "E007"


def test_a_choice_that_is_not_offered_is_a_problem():
    environment = Environment({"LOG_LEVEL": "loud"})
    assert environment.one_of("LOG_LEVEL", ("INFO", "ERROR"), "INFO") == "INFO"
    assert only_problem(environment) == "E007"


def test_an_empty_variable_is_like_a_missing_one():
    environment = Environment({"PORT": "", "PRODUCTION": " ", "SITE_URL": "", "ALLOWED_HOSTS": " , "})
    assert environment.whole_number("PORT", 8000) == 8000
    assert environment.yes_or_no("PRODUCTION", default=True) is True
    assert environment.text("SITE_URL", "http://x") == "http://x"
    assert environment.listed("ALLOWED_HOSTS", ["a"]) == ["a"]
    assert environment.problems == []


def test_the_broker_listens_beside_the_files_of_the_desk(tmp_path: Path):
    assert embedded_broker_socket(tmp_path) == tmp_path / "valkey.sock"


def test_a_directory_too_deep_for_a_socket_gets_a_short_one_of_its_own(tmp_path: Path):
    deep, other = tmp_path / ("d" * 120), tmp_path / ("e" * 120)
    assert len(str(embedded_broker_socket(deep))) <= LONGEST_SOCKET_PATH
    assert embedded_broker_socket(deep) == embedded_broker_socket(deep)
    assert embedded_broker_socket(deep).parent != embedded_broker_socket(other).parent


ACCOUNT = {
    "host": "mail.example.com",
    "port": 993,
    "security": "tls",
    "user": "desk",
    "password": "pw",
    "folder": "INBOX",
}


@pytest.mark.parametrize(
    ("url", "differs"),
    [
        ("imaps://desk:pw@mail.example.com", {}),
        ("imap+ssl://desk:pw@mail.example.com:993/INBOX", {}),
        ("imaps://desk%40example.com:p%40s%2Fs@mail.example.com", {"user": "desk@example.com", "password": "p@s/s"}),
        ("imap+tls://desk:pw@mail.example.com", {"security": "starttls", "port": 143}),
        ("imap://desk:pw@mail.example.com:1143/Support/K%C3%B6ln", {
            "security": "none", "port": 1143, "folder": "Support/Köln",
        }),
    ],
)  # fmt: skip
def test_a_mailbox_is_read_with_its_escapes(url: str, differs: dict[str, object]):  # M5
    assert Environment({"IMAP_URL": url}).mailbox("IMAP_URL", takes_tokens=False) == ACCOUNT | differs


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com", "pop3://desk:s3cret@mail", "imaps://mail.example.com", "imaps://desk:s3cret@",
        "imaps://desk:s3cret@mail:port", "imaps://desk:s3cret@[mail", "imaps://desk@mail", "imaps://d:s3cret#x@mail",
    ],
)  # fmt: skip
def test_an_address_of_no_mailbox_is_a_problem_that_repeats_no_password(url: str):  # S4
    environment = Environment({"IMAP_URL": url})
    assert environment.mailbox("IMAP_URL", takes_tokens=False) == {}
    assert only_problem(environment) == "E014"
    assert "s3cret" not in environment.problems[0].sentence + environment.problems[0].hint


OAUTH = {
    "IMAP_OAUTH_TOKEN_URL": "https://login.example.com/token",
    "IMAP_OAUTH_CLIENT_ID": "desk",
    "IMAP_OAUTH_CLIENT_SECRET": "s3cret",
}


def test_tokens_take_the_place_of_a_password():  # M5
    environment = Environment(OAUTH | {"IMAP_URL": "imaps://desk@mail.example.com"})
    assert environment.token_source("IMAP_OAUTH_") == {
        "url": "https://login.example.com/token", "client_id": "desk", "client_secret": "s3cret",
        "scope": "", "refresh_token": "",
    }  # fmt: skip
    assert environment.mailbox("IMAP_URL", takes_tokens=True) == ACCOUNT | {"password": ""}
    assert environment.problems == []
    assert Environment({}).token_source("IMAP_OAUTH_") == {}


@pytest.mark.parametrize(
    "changed",
    [
        {"IMAP_OAUTH_TOKEN_URL": ""},
        {"IMAP_OAUTH_CLIENT_ID": ""},
        {"IMAP_OAUTH_CLIENT_SECRET": ""},
        {"IMAP_OAUTH_TOKEN_URL": "http://login.example.com/token"},
        {"IMAP_OAUTH_TOKEN_URL": "login.example.com"},
        {"IMAP_OAUTH_TOKEN_URL": "https://[login"},
    ],
)
def test_tokens_that_could_not_be_had_or_not_safely_are_a_problem(changed: dict[str, str]):  # S4
    environment = Environment(OAUTH | changed)
    assert environment.token_source("IMAP_OAUTH_") == {}
    assert only_problem(environment) == "E015"
    assert "s3cret" not in environment.problems[0].sentence


def test_a_path_begins_at_the_root_and_a_day_is_a_day():  # S4
    environment = Environment({"MAILDIR": "mail", "IMAP_SINCE": "yesterday"})
    assert (environment.absolute_path("MAILDIR"), environment.day("IMAP_SINCE")) == ("", None)
    assert [problem.id for problem in environment.problems] == ["E013", "E007"]
    good = Environment({"MAILDIR": "/var/mail/desk", "IMAP_SINCE": "2026-08-10"})
    assert (good.absolute_path("MAILDIR"), good.day("IMAP_SINCE")) == ("/var/mail/desk", date(2026, 8, 10))
    assert good.problems == []
