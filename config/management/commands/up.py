"""`manage.py up`: the whole desk with one command."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand

from config import up


def port_number(text: str) -> int:
    """The port in `text`; ArgumentTypeError when it is none."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise ArgumentTypeError(f"{text!r} is not a port: give a whole number from 1 to 65535.")
    return int(text)


class Command(BaseCommand):
    """Starts broker, web server, worker and beat, and keeps them running until Ctrl-C."""

    help = "Start the whole desk on this machine: broker, web server, worker and beat. Ctrl-C stops it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=port_number, default=settings.PORT, help="default: %(default)s")
        parser.add_argument("--no-demo", action="store_true", help="leave an empty desk empty")

    def handle(self, *args: Any, **options: Any) -> None:
        """A production desk is never filled with a demonstration, whose passwords everybody knows."""
        up.run(options["port"], demo=not options["no_demo"] and not settings.PRODUCTION, say=self.say)

    def say(self, line: str) -> None:
        """Print at once; a terminal that is gone is no reason to stop half-way."""
        try:
            self.stdout.write(line)
            self.stdout.flush()
        except OSError:
            pass
