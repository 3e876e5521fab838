"""`manage.py receive_mail < MESSAGE`: the door for a mail server that hands each message to a program (M5)."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from cases.enums import Door
from cases.inbox.receive import receive
from cases.mail.incoming import LONGEST_MESSAGE

#: sysexits.h: there is no message. `manage.py` makes 75, try again later, of every other trouble.
EX_DATAERR = 65
CHUNK = 1_000_000


class Command(BaseCommand):
    help = (
        "Take the raw message on standard input. The exit code is 0 when the desk has it, now or from before; 65 when "
        "there is none; 75 when it is to be tried again, because the database or the disk is away, say. Prints nothing "
        "but what went wrong."
    )
    requires_system_checks = ()  # a wrong setting shows in what it breaks, and the message waits

    def handle(self, *args: Any, **options: Any) -> None:
        raw = sys.stdin.buffer.read(LONGEST_MESSAGE + 1)
        if not raw.strip():
            raise CommandError("There is no message on standard input.", returncode=EX_DATAERR)
        while sys.stdin.buffer.read(CHUNK):  # a server whose message is not read to its end takes that for a failure
            pass
        receive(raw, timezone.now(), door=Door.COMMAND)
