"""The header of a message or a part: unfolded, decoded (RFC 2047), its parameters (RFC 2231), its addresses.

Every function is linear in a header that `parts` has capped, and none raises.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import groupby
from urllib.parse import unquote_to_bytes

from cases.mail.incoming.charsets import decode, undeclared

LONGEST_PARAMETERS = 8_000
MOST_PARAMETERS = 200
LONGEST_ADDRESS = 254

_WORD = re.compile(r"=\?([\w.:+-]{1,40})(?:\*[\w-]{0,20})?\?([bBqQ])\?((?:[^?]|\?(?!=)){0,2000})\?=")
_ADDRESS = re.compile(r"[^\s\0-\x1f\x7f-\x9f<>()\[\],;:\"'\\@=]{1,64}@[^\s\0-\x1f\x7f-\x9f<>()\[\],;:\"'\\@]{1,190}")
_ANGLE_ADDRESS = re.compile(rf"<\s*(?:mailto:)?[\"']?({_ADDRESS.pattern})[\"']?\s*>")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?$)', re.DOTALL)
_PARAMETER = re.compile(r';\s*([^\s=;"]{1,80})\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)', re.DOTALL)
_SECTION = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?$")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,990}>")


class HeaderFields:
    """The fields of one header, in their order; names in any case."""

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        """`fields` are raw: their foreign bytes as surrogates."""
        self._fields: dict[str, list[str]] = {}
        for name, value in fields:
            self._fields.setdefault(name.lower(), []).append(value)

    def __bool__(self) -> bool:
        return bool(self._fields)

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def raw(self, name: str) -> str:
        """The first field of that name as it came, unfolded; "" without one."""
        return unfolded(self._fields.get(name, [""])[0])

    def all_raw(self, name: str) -> Sequence[str]:
        return [unfolded(value) for value in self._fields.get(name, ())]

    def text(self, name: str) -> str:
        """The first field of that name, decoded, on one line."""
        return decoded(self.raw(name))

    def token(self, name: str) -> str:
        """The first word of a field, in lower case: "auto-replied" of "Auto-Replied; owner-email=x"."""
        return re.sub(r"[^!-~]", "?", re.split(r"[\s;(,]", self.raw(name).strip().lower(), maxsplit=1)[0])[:100]


def unfolded(value: str) -> str:
    return value.replace("\r", "").replace("\n", "")


def decoded(value: str) -> str:
    """The words of a raw header value, on one line and without control characters."""
    out: list[str] = []
    for is_word, group in groupby(_pieces(value), key=lambda piece: piece[0] != ""):
        pieces = list(group)
        if not is_word:
            out += [_raw_text(text) for _, text, _ in pieces]
            continue
        # Words of one charset follow each other in the middle of a letter.
        for charset, words in groupby(pieces, key=lambda piece: piece[0]):
            out.append(_decoded_words(charset, [data for _, _, data in words]))
    return one_line("".join(out))


def one_line(text: str) -> str:
    """Control and direction characters as blanks, blanks in a row as one."""
    return _BLANKS.sub(" ", _CONTROLS.sub(" ", text)).strip()


_BLANKS = re.compile("[ \u00a0]+")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def _pieces(value: str) -> Iterator[tuple[str, str, bytes]]:
    """(charset, "", bytes) of each encoded word, ("", text, b"") of what stands between; blanks between words go."""
    at = 0
    for found in _WORD.finditer(value):
        between = value[at : found.start()]
        if between.strip() or (between and at == 0):
            yield "", between, b""
        yield found[1].lower(), "", _word_bytes(found[2], found[3])
        at = found.end()
    if at < len(value):
        yield "", value[at:], b""


def _word_bytes(how: str, data: str) -> bytes:
    raw = data.encode("utf-8", "surrogateescape")
    return base64_bytes(raw) if how in "bB" else binascii.a2b_qp(raw.replace(b"\n", b""), header=True)


def _decoded_words(charset: str, words: Sequence[bytes]) -> str:
    if charset.startswith("iso-2022"):
        return "".join(decode(data, charset) for data in _joined_escapes(words))
    return decode(b"".join(words), charset)


def _joined_escapes(words: Sequence[bytes]) -> Iterator[bytes]:
    """Words of ISO-2022-JP begin and end in ASCII each; those that do not are read with the next one."""
    pending = b""
    for data in words:
        pending += data
        if pending.rfind(b"\x1b$") <= max(pending.rfind(b"\x1b(B"), pending.rfind(b"\x1b(J")):
            yield pending
            pending = b""
    if pending:
        yield pending


def _raw_text(text: str) -> str:
    """Text that was sent as it is: bytes of any charset, which the parser kept as surrogates."""
    if text.isascii() and "\x1b" not in text:
        return text
    return decode(text.encode("utf-8", "surrogateescape"))


def base64_bytes(data: bytes) -> bytes:
    """What base64 says, whatever is between its letters and however it ends."""
    letters = _NO_BASE64.sub(b"", data.replace(b"-", b"+").replace(b"_", b"/"))
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    try:
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    except binascii.Error:
        return b""


_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


# Parameters ---------------------------------------------------------------------------------------------------------


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """The value before the first semicolon, in lower case, and the parameters: decoded, continued ones joined."""
    value = unfolded(value)[:LONGEST_PARAMETERS]
    main, _, _ = value.partition(";")
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[bool, str]]] = {}
    for count, found in enumerate(_PARAMETER.finditer(value, value.find(";") if ";" in value else len(value))):
        name = _SECTION.match(found[1].lower())
        if name is None or count >= MOST_PARAMETERS:
            continue
        text = _unquoted(found[2])
        if name[2] is None and name[3] is None:
            plain.setdefault(name[1], decoded(text))
        else:
            sections.setdefault(name[1], {})[int(name[2] or 0)] = (bool(name[3]), text)
    return main.strip().lower(), plain | {name: _joined(parts) for name, parts in sections.items()}


def _unquoted(text: str) -> str:
    text = text.strip()
    if not text.startswith('"'):
        return text
    return re.sub(r'\\([\\"])', r"\1", text[1:-1] if len(text) > 1 and text.endswith('"') else text[1:])


def _joined(parts: dict[int, tuple[bool, str]]) -> str:
    charset, data = "", b""
    for at, (is_coded, text) in sorted(parts.items()):
        if is_coded and at == min(parts) and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        raw = text.encode("utf-8", "surrogateescape")
        data += unquote_to_bytes(raw) if is_coded else raw
    text = decode(data, charset) if charset else undeclared(data)
    return decoded(text) if "=?" in text else one_line(text)


# Addresses, dates, ids ----------------------------------------------------------------------------------------------


def addresses(value: str) -> list[str]:
    """The addresses of a raw header value, those in angle brackets before any other; each once."""
    value = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    found = _ANGLE_ADDRESS.findall(value) or _ADDRESS.findall(_QUOTED.sub(" ", value)) or _ADDRESS.findall(value)
    cleaned = (address.strip(".'\"")[:LONGEST_ADDRESS] for address in found)
    return list(dict.fromkeys(address for address in cleaned if "@" in address))


def display_name(value: str) -> str:
    """What stands before the address."""
    text = decoded(value)
    return text.partition("<")[0].strip(" \"'") if "<" in text else ""


def message_ids(value: str) -> list[str]:
    return list(dict.fromkeys(_MESSAGE_ID.findall(value)))


def moment(value: str) -> datetime | None:
    """The moment of a Date field in the zone that it names; None if it names none."""
    try:
        return parsedate_to_datetime(value[:200].strip())
    except Exception:  # the standard parser raises whatever it stumbles over
        return None
