"""Asks ClamAV's daemon about a file, where one is set up (DESK_CLAMAV); without one every file passes (C3)."""

from __future__ import annotations

import logging
import socket
import struct
from typing import Any

from django.conf import settings
from django.core.files.base import File

log = logging.getLogger(__name__)

#: Seconds for a connection, and for each answer.
PATIENCE = 10
PIECE = 64 * 1024
_FOUND = " FOUND"
#: A file that was found clean carries this, so that a form and the move after it ask once.
_CLEAN = "desk_scanned"


class ScannerAway(Exception):
    """The scanner does not answer, or not in its protocol; the message says what happened."""


def why_not(file: File[Any]) -> str:
    """Why a file may not be kept, as the end of a sentence that begins with its name; "" for one that may.

    While the scanner does not answer nothing is kept.
    """
    if not settings.DESK_CLAMAV or getattr(file, _CLEAN, False):
        return ""
    try:
        virus = virus_in(file, settings.DESK_CLAMAV)
    except ScannerAway as error:
        log.warning("The virus scanner cannot be asked: %s", error)
        return "cannot be scanned for viruses just now; send it in a few minutes, and all else without it"
    if virus:
        log.warning("A virus was found in a file: %s", virus)
        return f"holds a virus ({virus}) and is not kept"
    setattr(file, _CLEAN, True)
    return ""


def virus_in(file: File[Any], address: str) -> str:
    """What the scanner at `tcp://host:port` or `unix:///path` calls the virus in a file; "" for none.

    Raises ScannerAway.
    """
    try:
        with _connected(address) as scanner:
            scanner.sendall(b"zINSTREAM\0")
            file.seek(0)
            for piece in file.chunks(PIECE):
                scanner.sendall(struct.pack("!I", len(piece)) + piece)
            scanner.sendall(struct.pack("!I", 0))
            answer = _answer(scanner)
    except OSError as error:
        raise ScannerAway(str(error) or type(error).__name__) from error
    said = answer.removeprefix("stream: ")
    if said.endswith(_FOUND):
        return said.removesuffix(_FOUND)
    if said != "OK":
        raise ScannerAway(f"it answered {answer[:200]!r}")
    return ""


def _connected(address: str) -> socket.socket:
    scheme, _, where = address.partition("://")
    if scheme == "unix":
        scanner = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        scanner.settimeout(PATIENCE)
        try:
            scanner.connect(where)
        except OSError:
            scanner.close()
            raise
        return scanner
    host, _, port = where.rstrip("/").rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE)


def _answer(scanner: socket.socket) -> str:
    """What it says, up to the end of its line."""
    said = b""
    while not said.endswith(b"\0") and len(said) < 1_000:
        piece = scanner.recv(1_000)
        if not piece:
            break
        said += piece
    return said.rstrip(b"\0\n").decode("utf-8", "replace")
