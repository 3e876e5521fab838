"""Maildirs as mail servers make and fill them, and messages to put into them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from pathlib import Path

_numbers = itertools.count(1)


def raw_message(name: str, text: str = "It hangs.") -> bytes:
    """A message that is told from others by its name."""
    return (
        f"From: Ann <ann@acme.example>\nTo: support@support-desk.example.com\nMessage-ID: <{name}@acme.example>\n"
        f"Subject: {name}\nDate: Wed, 03 Jun 2026 12:00:00 +0000\n\n{text}\n"
    ).encode()


def make_maildir(path: Path) -> Path:
    for folder in ("new", "cur", "tmp"):
        (path / folder).mkdir(parents=True)
    return path


def deliver_into(maildir: Path, raw: bytes, *, arrived: float | None = None) -> Path:
    """Deliver a message as a server does: written under `tmp/`, then moved."""
    name = f"{next(_numbers):09}.P{os.getpid()}.mx.example"
    (maildir / "tmp" / name).write_bytes(raw)
    if arrived is not None:
        os.utime(maildir / "tmp" / name, (arrived, arrived))
    (maildir / "tmp" / name).rename(maildir / "new" / name)
    return maildir / "new" / name


def names_in(maildir: Path, *folders: str) -> list[str]:
    return sorted(path.name for folder in folders for path in (maildir / folder).glob("*"))


def waiting_in(maildir: Path) -> list[str]:
    """What is not taken yet."""
    return names_in(maildir, "new", "cur")


def taken_in(maildir: Path) -> list[str]:
    return names_in(maildir, ".Received/cur")


def deliver_many(maildir: Path, names: Iterable[str]) -> None:
    for name in names:
        deliver_into(maildir, raw_message(name))
