"""A raw message as a flat list of parts (RFC 2045), whatever is wrong with it.

The standard parser reads the bytes, with its oldest policy: the newer one raises on hostile headers and needs quadratic
time on others. It is kept from recursing: too deep a multipart, and any message inside the message, is a part like
another. What is too long is cut before anything reads it, and `is_cut` says so: the raw message has the rest.
"""

from __future__ import annotations

import binascii
import re
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import Any, cast

from cases.mail.incoming.headers import HeaderFields, base64_bytes, parameters

#: Bytes and lines of a message that are read.
LONGEST_MESSAGE = 60_000_000
MOST_LINES = 1_500_000
#: Fields of one header, and characters of one field.
MOST_FIELDS = 500
LONGEST_FIELD = 30_000
#: Multiparts inside each other, and parts in all.
DEEPEST = 20
MOST_PARTS = 1_000
MOST_UUENCODED = 100

_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")
_NO_TEXTS = ("application", "image", "audio", "video", "font", "model")


@dataclass(frozen=True, slots=True)
class MimePart:
    """A part without parts of its own. `kind` is its type in lower case; `under` are the multiparts around it."""

    kind: str
    parameters: dict[str, str]
    disposition: str
    name: str
    content_id: str
    data: bytes
    under: tuple[str, ...]
    #: Whether a multipart/alternative around it has been entered anew: (number of that multipart, place in it).
    alternative: int | None = None
    is_root_of_related: bool = True


@dataclass(frozen=True, slots=True)
class RawMessage:
    """The header and the parts of a message; `kind` and `parameters` are those of the whole."""

    fields: HeaderFields
    kind: str
    parameters: dict[str, str]
    parts: tuple[MimePart, ...]
    is_cut: bool


class _CappedMessage(Message):
    """A message for the parser: knows how deep it lies and what is too long."""

    depth = 0
    cut = False
    #: What the part says, with foreign bytes as surrogates: `get_payload` would decode them by the charset declared.
    content = ""

    def attach(self, payload: Message) -> None:  # type: ignore[override]
        if isinstance(payload, _CappedMessage):
            payload.depth = self.depth + 1
        super().attach(payload)

    def set_payload(self, payload: Any, charset: Any = None) -> None:
        self.content = payload if isinstance(payload, str) else ""
        super().set_payload(payload, charset)

    def set_raw(self, name: str, value: str) -> None:
        if len(self) >= MOST_FIELDS:
            self.cut = True
            return
        if len(value) > LONGEST_FIELD:
            self.cut, value = True, value[:LONGEST_FIELD]
        super().set_raw(name, value)

    def fields(self) -> HeaderFields:
        return HeaderFields(self.raw_items())

    def own_type(self) -> tuple[str, dict[str, str]]:
        main, found = parameters(self.fields().raw("content-type"))
        main = main.strip(" \"'")
        if not _TYPE.fullmatch(main):
            main = "application/octet-stream" if main.startswith(_NO_TEXTS) else "text/plain"
        return main, found

    def get_content_type(self) -> str:
        """What the parser goes by: only a multipart that is not too deep has parts."""
        main, _ = self.own_type()
        return main if main.startswith("multipart/") and self.depth < DEEPEST else "text/plain"

    def get_content_maintype(self) -> str:
        return self.get_content_type().partition("/")[0]

    def get_boundary(self, failobj: object = None) -> object:  # type: ignore[override]
        return self.own_type()[1].get("boundary", "")[:200] or failobj


def parse(raw: bytes) -> RawMessage:
    """The parts of a raw message in their order."""
    data, is_cut = _capped(raw)
    message = cast(_CappedMessage, BytesParser(_class=_CappedMessage, policy=compat32).parsebytes(data))
    kind, found = message.own_type()
    parts, all_read = _leaves(message)
    return RawMessage(message.fields(), kind, found, tuple(parts), is_cut or not all_read or message.cut)


def _capped(raw: bytes) -> tuple[bytes, bool]:
    data = raw[:LONGEST_MESSAGE].removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if len(data) > MOST_LINES and data.count(b"\n") + data.count(b"\r") > MOST_LINES:
        lines = data.splitlines(keepends=True)
        return b"".join(lines[:MOST_LINES]), len(lines) > MOST_LINES or len(raw) > LONGEST_MESSAGE
    return data, len(raw) > LONGEST_MESSAGE


def _leaves(message: _CappedMessage) -> tuple[list[MimePart], bool]:
    """The parts that have no parts, in their order, without recursion."""
    found: list[MimePart] = []
    waiting: list[tuple[_CappedMessage, tuple[str, ...], int | None, bool]] = [(message, (), None, True)]
    alternatives = 0
    while waiting:
        part, under, alternative, is_root = waiting.pop()
        if len(found) >= MOST_PARTS:
            return found, False
        payload = part.get_payload() if part.is_multipart() else None
        kind, _ = part.own_type()
        if isinstance(payload, list):
            if kind == "multipart/alternative" and alternative is None:
                alternatives += 1
                alternative = alternatives
            below = [each for each in payload if isinstance(each, _CappedMessage)]
            waiting += [
                (each, (*under, kind), alternative, is_root and (kind != "multipart/related" or at == 0))
                for at, each in reversed(list(enumerate(below)))
            ]
        else:
            found.append(_leaf(part, part.content, under, alternative, is_root))
    return found, True


def _leaf(
    part: _CappedMessage, payload: str, under: tuple[str, ...], alternative: int | None, is_root: bool
) -> MimePart:
    fields = part.fields()
    kind, found = part.own_type()
    if kind.startswith("multipart/"):
        kind, found = "text/plain", {}  # its parts were not found
    elif "content-type" not in fields and under[-1:] == ("multipart/digest",):
        kind = "message/rfc822"
    disposition, more = parameters(fields.raw("content-disposition"))
    name = more.get("filename") or more.get("name") or found.get("name") or found.get("filename") or ""
    data = _bytes(payload.encode("utf-8", "surrogateescape"), fields.token("content-transfer-encoding"))
    return MimePart(
        kind, found, disposition, name, fields.text("content-id").strip(" <>"), data, under, alternative, is_root
    )


def _bytes(data: bytes, how: str) -> bytes:
    """The bytes of a part as its transfer encoding says; as they came when it says nothing known."""
    how = how.strip("\"'")
    if how == "base64":
        return base64_bytes(data) or (b"" if not data.strip() else data if not _BASE64_START.match(data) else b"")
    if how == "quoted-printable":
        return binascii.a2b_qp(data)
    if how in ("x-uuencode", "uuencode", "x-uue", "uue"):
        files = uuencoded(data)
        return files[0][1] if files else data
    return data


_BASE64_START = re.compile(rb"\s*[A-Za-z0-9+/]{4}")
_BEGIN = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,200})\r?$", re.MULTILINE)
_END = re.compile(rb"^end[ \t]*\r?$", re.MULTILINE)


def uuencoded(data: bytes) -> list[tuple[bytes, bytes, int, int]]:
    """The files inside a text in the manner of old programs: name, bytes, where each begins and ends."""
    found: list[tuple[bytes, bytes, int, int]] = []
    at = 0
    while (
        len(found) < MOST_UUENCODED and (begin := _BEGIN.search(data, at)) and (end := _END.search(data, begin.end()))
    ):
        lines = data[begin.end() : end.start()].splitlines()
        with suppress(binascii.Error):
            content = b"".join(binascii.a2b_uu(line) for line in lines if line.strip())
            found.append((begin[1], content, begin.start(), end.end()))
        at = end.end()
    return found
