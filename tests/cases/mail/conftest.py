"""A mail server that listens, a clock, a case without mail."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from cases.models import Case, Mail
from tests.support.builders import Desk
from tests.support.post_office import HandClock, PostOffice
from tests.support.processes import free_port


@pytest.fixture
def port(settings: Any) -> int:
    """Where the desk looks for its mail server; nobody listens there yet."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    settings.MAIL_IS_KEPT = False
    settings.DESK_MAIL_CONNECTIONS = 1  # messages leave in order; over several: test_connections.py
    return int(settings.EMAIL_PORT)


@pytest.fixture
def post_office(port: int) -> Iterator[PostOffice]:
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    # The server is a thread of this process: without this it waits 5 ms for its turn at every reply.
    switching = sys.getswitchinterval()
    sys.setswitchinterval(0.0002)
    handler = PostOffice()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    handler.connections = 0
    yield handler
    controller.stop()
    sys.setswitchinterval(switching)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def case(desk: Desk) -> Case:
    case = desk.open_case()
    Mail.objects.all().delete()
    return case
