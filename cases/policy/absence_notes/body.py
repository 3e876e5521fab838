"""The body of an absence note: without markup and without the mail that it answers or forwards (F5)."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence

from cases.policy.quoted_mail import begins_header, begins_history, header_kind, header_lines, is_separator

LONGEST_TEXT = 20_000

_LINE_TAG = re.compile(r"<(?:br|/?p|/?div|/?li|/?tr|/?h\d|/?table|/?ul)\b[^<>]{0,2000}>", re.IGNORECASE)
_UNSEEN_TAG = re.compile(r"<(style|script|head)\b.{0,5000}?</\1>", re.IGNORECASE | re.DOTALL)
_QUOTE_TAG = re.compile(r"<blockquote\b.*", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</?[a-z!][^<>@]{0,2000}>", re.IGNORECASE)


def note_body(text: str) -> str:
    """The note without markup and without the mail it answers, full-width digits made plain."""
    text = unicodedata.normalize("NFKC", text[:LONGEST_TEXT])[:LONGEST_TEXT]
    if "<" in text:
        text = _LINE_TAG.sub("\n", _QUOTE_TAG.sub("", _UNSEEN_TAG.sub(" ", text)))
    text = html.unescape(_TAG.sub(" ", text))[:LONGEST_TEXT].replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(_newest(unicodedata.normalize("NFKC", text)[:LONGEST_TEXT].split("\n")))


def _newest(lines: Sequence[str]) -> Iterator[str]:
    """The lines above the quoted history; of a header above the note itself only the subject is kept."""
    lines = [part for line in lines for part in header_lines(line)]
    kinds = [header_kind(line) for line in lines]
    any_text = in_own_header = False
    for at, line in enumerate(lines):
        if line.lstrip().startswith((">", "|>")) and not is_separator(line):
            continue
        is_header = begins_header(kinds, at)
        in_own_header = (in_own_header and bool(kinds[at])) or (is_header and not any_text)
        if in_own_header:
            if kinds[at] == "subject":
                yield line.split(":", 1)[1] + "\n"
            continue
        if is_header or begins_history(line, lines[at + 1] if at + 1 < len(lines) else ""):
            return
        any_text = any_text or bool(line.strip())
        yield line
