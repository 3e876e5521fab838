"""What every test may count on: markers that skip or insist, Hypothesis that finds the same things twice, Chromium."""

import os
import shutil
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.management.commands import flush
from django.db import connection, connections
from django.db.backends.base.operations import BaseDatabaseOperations
from django.test import Client
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser, sync_playwright
from pytest_django import DjangoDbBlocker
from pytest_django.plugin import blocking_manager_key
from xdist.scheduler import LoadScopeScheduling

from cases.models import LoadEntry
from escalations.models.schedule import forget_schedules
from tests.support.builders import Desk, build_desk, remember_desk
from tests.support.customers import signed_in_customer
from tests.support.dead_rows import vacuum
from tests.support.dovecot import has_dovecot
from tests.support.examples import ALL_EXAMPLES
from tests.support.workers import dismiss_workers

hypothesis_settings.register_profile("ci", derandomize=True, deadline=None, database=None)
hypothesis_settings.register_profile("dev", hypothesis_settings.get_profile("ci"), max_examples=20)
hypothesis_settings.load_profile("ci" if ALL_EXAMPLES else "dev")

_tests_with_a_database = count(1)

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
#: The headless shell first: the same engine without a window's parts, a quarter less work for each page.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """Where this machine keeps a Chromium; the environment variable CHROMIUM goes first."""
    return next(filter(None, map(shutil.which, (os.environ.get("CHROMIUM", ""), *BROWSERS))), None)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of the Chromium that `browser` tests drive."""
    path = chromium()
    assert path, "No Chromium: install Debian's chromium, or name one in CHROMIUM."
    return path


@pytest.fixture(scope="session")
def _chromium(chromium_path: str) -> Iterator[Browser]:
    """While its event loop runs Django has other connections in this thread. Both go, so that the database can go."""
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        # Playwright runs an event loop in this thread; the database is used between its calls, never inside one.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_ARGUMENTS)
        yield browser
        connections.close_all()
        browser.close()
    connections.close_all()


@pytest.fixture
def browser(_chromium: Browser) -> Iterator[Browser]:
    """The Chromium of the session. Every window that a test opens is closed after it."""
    yield _chromium
    for context in _chromium.contexts:
        context.close()


@pytest.fixture(scope="session", autouse=True)
def _tables_emptied_row_by_row() -> Iterator[None]:
    """After a test with transactions of its own Django truncates every table, which PostgreSQL does by making some 400
    files anew: two seconds a test, where deleting the few rows takes milliseconds. Foreign keys are checked at commit.
    The tally of loads comes last, on SQLite as well: it notes that cases go.

    Then Django makes content types and permissions anew, a sixth of a second: here they stay.
    """
    kept = {model._meta.db_table for model in (ContentType, Permission)}

    def sql_flush(self: BaseDatabaseOperations, style: Any, tables: list[str], **_: Any) -> list[str]:
        in_order = sorted((table for table in tables if table not in kept), key=LoadEntry._meta.db_table.__eq__)
        return [f"DELETE FROM {self.quote_name(table)}" for table in in_order]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(connection.ops), "sql_flush", sql_flush)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_, **__: None)
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The databases of the tests, and a desk to put into them."""
    with django_db_blocker.unblock():
        remember_desk()


@pytest.fixture(autouse=True)
def _no_schedules_of_another_test() -> None:
    """Keys are used again from test to test."""
    forget_schedules()


@pytest.fixture(autouse=True)
def _no_tries_of_another_test() -> None:
    """All of them sign in from the same address."""
    cache.clear()


@pytest.fixture
def desk(db: None) -> Desk:
    """Everybody a case can meet, and the published schedule."""
    return build_desk()


@pytest.fixture
def customer(desk: Desk) -> Client:
    """A client in which the help desk contact of the desk's company is signed in on the support page."""
    return signed_in_customer(desk.contact)


def is_pure(item: pytest.Item) -> bool:
    """Whether a test touches no database and no process, so that it is the same on every set-up."""
    return not has_database(item) and not any(item.get_closest_marker(name) for name in ("processes", "browser"))


def has_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or not fixtures.isdisjoint(
        {"db", "transactional_db", "live_server"}
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what this machine cannot run, with the reason; under CI a missing browser or Dovecot is a failure instead.

    Under xdist the slow tests come first, and of these the ones of the whole desk, so that none keeps one core busy at
    the end while the others are idle.
    """
    no_postgres = pytest.mark.skip(reason="needs PostgreSQL: set DATABASE_URL to one")
    no_browser = pytest.mark.skip(reason="needs Chromium: install it or name it in CHROMIUM")
    no_dovecot = pytest.mark.skip(reason="needs Dovecot: install Debian's dovecot-imapd and dovecot-lmtpd")
    for item in items:
        if is_pure(item):
            item.add_marker("pure")
        if item.get_closest_marker("postgres") and item.get_closest_marker("any_database"):
            raise pytest.UsageError(f"CI never runs {item.nodeid}: it needs PostgreSQL, and is left to SQLite.")
        if item.get_closest_marker("postgres") and connection.vendor != "postgresql":
            item.add_marker(no_postgres)
        if item.get_closest_marker("browser") and not chromium() and not os.environ.get("CI"):
            item.add_marker(no_browser)
        if item.get_closest_marker("dovecot") and not has_dovecot() and not os.environ.get("CI"):
            item.add_marker(no_dovecot)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: (item.get_closest_marker("slow") is None, item.nodeid.count("/")))


class WithTheDemoOnce(LoadScopeScheduling):
    """Hands each test to whichever worker is free, but those of the demonstration to one, which then plays it once."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file.endswith("demo/test_demo.py") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> WithTheDemoOnce:
    return WithTheDemoOnce(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Its workers end first, so that nobody uses the database that is emptied. After each twentieth test with a
    database, and its transaction, dead rows go.
    """
    dismiss_workers()
    yield
    if has_database(item) and next(_tests_with_a_database) % 20 == 0:
        with item.config.stash[blocking_manager_key].unblock():
            vacuum()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Under CI a `browser` test without a browser fails, also one that forgot to ask for `chromium_path`; a `dovecot`
    test without a Dovecot as well.
    """
    if item.get_closest_marker("browser") and not chromium():
        pytest.fail("No Chromium on a CI machine: install Debian's chromium, or name one in CHROMIUM.")
    if item.get_closest_marker("dovecot") and not has_dovecot():
        pytest.fail("No Dovecot on a CI machine: install Debian's dovecot-imapd and dovecot-lmtpd.")
