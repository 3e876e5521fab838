"""The options by which people help to read a log: what a command asks for, and what comes of it."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError

from cases.enums import Severity, Status
from cases.incidents.columns import NEEDED, OPTIONAL
from cases.incidents.dates import Order
from cases.incidents.file import FileOptions
from cases.incidents.words import key_of
from contacts.calendars import time_zone_problem

V = TypeVar("V")

STATES = {
    "assigned": Status.ASSIGNED,
    "in progress": Status.IN_PROGRESS,
    "waiting": Status.WAITING,
    "resolved": Status.RESOLVED,
}
FIELDS = NEEDED + OPTIONAL
SEVERITIES = {severity.value: severity for severity in Severity}


def add_reading_options(parser: ArgumentParser, *zone_names: str) -> None:
    """Add the options; `zone_names` are further names of the log's time zone."""
    group = parser.add_argument_group("what the log does not say, or says in other words")
    group.add_argument(
        "--date-order", choices=[order.value for order in Order], help="of 3/4/2016 (default: what the file proves)"
    )
    group.add_argument(
        "--log-time-zone", *zone_names, default="UTC", metavar="ZONE", help="of the log's times (default %(default)s)"
    )
    group.add_argument("--encoding", default="", help="of a text file (default: UTF-8, UTF-16 or else Windows-1252)")
    group.add_argument(
        "--column", action="append", default=[], metavar="FIELD=NAME", help=f"its name in the file: {', '.join(FIELDS)}"
    )
    group.add_argument(
        "--state", action="append", default=[], metavar="WORD=STATUS", help=f"what a state means: {', '.join(STATES)}"
    )
    group.add_argument(
        "--priority",
        action="append",
        default=[],
        metavar="WORD=SEVERITY",
        help=f"what it means: {', '.join(SEVERITIES)}",
    )


def reading_options(options: Mapping[str, Any]) -> FileOptions:
    """What the options of a command say. Raises CommandError with a sentence."""
    zone = options["log_time_zone"]
    if problem := time_zone_problem(zone):
        raise CommandError(problem)
    return FileOptions(
        order=Order(options["date_order"]) if options["date_order"] else None,
        zone=UTC if zone == "UTC" else ZoneInfo(zone),
        columns=_columns(options["column"]),
        states=_meanings("--state", options["state"], STATES),
        severities=_meanings("--priority", options["priority"], SEVERITIES),
        encoding=options["encoding"],
    )


def _columns(texts: Iterable[str]) -> dict[str, str]:
    columns = {}
    for text in texts:
        field, _, name = text.partition("=")
        if field not in FIELDS or not name.strip():
            raise CommandError(f"--column takes FIELD=NAME, not “{text}”; the field is one of {', '.join(FIELDS)}.")
        columns[field] = name.strip()
    return columns


def _meanings(option: str, texts: Iterable[str], meanings: Mapping[str, V]) -> dict[str, V]:
    """The meaning of each word, by its key."""
    given = {}
    for text in texts:
        word, _, meaning = text.rpartition("=")
        key = meaning.strip().casefold().replace("_", " ")
        if key not in meanings or not key_of(word):
            raise CommandError(
                f"{option} takes WORD=MEANING, not “{text}”; the meaning is one of {', '.join(meanings)}."
            )
        given[key_of(word)] = meanings[key]
    return given
