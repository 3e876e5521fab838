"""`manage.py demo`: fill an empty desk with a demonstration, and say who can sign in to it."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from cases.models import Case
from config.demo.people import ADMIN, customer_login, login_table
from config.demo.programme import fill_desk, refuse_demo
from contacts.models import Company
from escalations.management.commands.load_directory import load_directory


class Command(BaseCommand):
    """Writes the demonstration once; with `--logins` only says how to sign in to it."""

    help = "Fill an empty desk with a demonstration: people, customers, sixty cases. Nothing is mailed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--logins", action="store_true", help="only print who can sign in, and with what")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse with one sentence, or fill the desk."""
        if options["logins"]:
            self.stdout.write(self._logins())
            return
        if settings.PRODUCTION:
            raise CommandError("A desk in production takes no demonstration: everybody knows its passwords.")
        if reason := refuse_demo():
            raise CommandError(reason)
        began = time.monotonic()
        now = timezone.now()
        load_directory(now)
        fill_desk(now)
        if options["verbosity"]:
            took = time.monotonic() - began
            self.stdout.write(
                f"The demonstration has {Case.objects.count()} cases of {Company.objects.count()} companies "
                f"({took:.0f} s). Sign in as:\n{self._logins()}"
            )

    def _logins(self) -> str:
        rows = login_table()
        if not rows:
            return "This desk holds no demonstration whose logins are unchanged: sign in with your own account."
        table = [("Role", "User name", "Password"), *rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        return "\n".join([*(_line(row, widths) for row in table), *_customers_line()])


def _customers_line() -> Iterator[str]:
    """How a customer signs in (P1), and where the code is while no mail server is set."""
    address = customer_login()
    if address:
        where = f"; {ADMIN} reads the code under Mail" if settings.MAIL_IS_KEPT else ""
        yield f"Customers sign in at {settings.SUPPORT_URL} as {address}{where}."


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
