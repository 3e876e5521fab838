"""What every test may count on: markers that skip or insist, Hypothesis that finds the same things twice, Chromium."""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.db import connection
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser, sync_playwright

from tests.support.builders import Desk, build_desk
from tests.support.examples import ALL_EXAMPLES

hypothesis_settings.register_profile("ci", derandomize=True, deadline=None, database=None)
hypothesis_settings.register_profile("dev", hypothesis_settings.get_profile("ci"), max_examples=20)
hypothesis_settings.load_profile("ci" if ALL_EXAMPLES else "dev")

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


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
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        # Playwright runs an event loop in this thread; the database is used between its calls, never inside one.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def browser(_chromium: Browser) -> Iterator[Browser]:
    """The Chromium of the session. Every window that a test opens is closed after it."""
    yield _chromium
    for context in _chromium.contexts:
        context.close()


@pytest.fixture
def desk(db: None) -> Desk:
    """Everybody a case can meet, and the published schedule."""
    return build_desk()


def is_pure(item: pytest.Item) -> bool:
    """Whether a test touches no database and no process, so that it is the same on every set-up."""
    fixtures = set(getattr(item, "fixturenames", ()))
    marked = any(item.get_closest_marker(name) for name in ("django_db", "processes", "browser"))
    return not marked and fixtures.isdisjoint({"db", "transactional_db", "live_server"})


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what this machine cannot run, with the reason; under CI a missing browser is a failure instead.

    Under xdist the slow tests come first, so that none keeps one core busy at the end while the others are idle.
    """
    no_postgres = pytest.mark.skip(reason="needs PostgreSQL: set DATABASE_URL to one")
    no_browser = pytest.mark.skip(reason="needs Chromium: install it or name it in CHROMIUM")
    for item in items:
        if is_pure(item):
            item.add_marker("pure")
        if item.get_closest_marker("postgres") and connection.vendor != "postgresql":
            item.add_marker(no_postgres)
        if item.get_closest_marker("browser") and not chromium() and not os.environ.get("CI"):
            item.add_marker(no_browser)
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))  # one Chromium for all workers
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Under CI a `browser` test without a browser fails, also one that forgot to ask for `chromium_path`."""
    if item.get_closest_marker("browser") and not chromium():
        pytest.fail("No Chromium on a CI machine: install Debian's chromium, or name one in CHROMIUM.")
