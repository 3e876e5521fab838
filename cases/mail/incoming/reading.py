"""From raw bytes to what the desk makes of them (M6, M7)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from cases.mail.incoming.charsets import decode
from cases.mail.incoming.headers import HeaderFields, addresses, decoded, display_name, message_ids, moment
from cases.mail.incoming.html_text import charset_in_html, text_of_html
from cases.mail.incoming.kinds import Understood, Verdict, judge
from cases.mail.incoming.message import AwayDays, IncomingMessage, MessageKind, ReceivedFile
from cases.mail.incoming.own_words import split
from cases.mail.incoming.parts import MimePart, RawMessage, parse, uuencoded
from cases.mail.incoming.reports import returned_ids
from cases.policy.absence_notes import Timeframe, UnreadReason, read_or_ask
from cases.policy.file_types import HEAD, TEXT, UNKNOWN, ZIP, clean_name, ending_of, judge_file

#: Bytes of text that are read; a longer text is a log, and the raw message keeps the rest.
LONGEST_BODY = 8_000_000
LONGEST_SUBJECT = 1_000
#: Characters that are searched for the days of an absence.
LONGEST_NOTE = 20_000
MOST_REFERENCES = 100
MOST_RECIPIENTS = 500

_ENDINGS = {
    "text/plain": "txt",
    "text/html": "html",
    "text/calendar": "ics",
    "message/rfc822": "eml",
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
}
_GENERIC = (
    "",
    UNKNOWN,
    "application/x-download",
    "application/force-download",
    "application/unknown",
    "binary/octet-stream",
)
_SAID_BY_TYPE = (
    "text/calendar",
    "message/delivery-status",
    "message/disposition-notification",
    "message/feedback-report",
)


def read_message(raw: bytes, *, received_on: date | None = None, country: str = "") -> IncomingMessage:
    """What the desk makes of a raw message. Never raises, and needs time linear in its length.

    `received_on` is the writer's local day on which it arrived, `country` theirs (ISO 3166 alpha-2): both are for the
    days of an absence (F5). Without the first it is the day of the Date header, and without that no day is read.
    """
    try:
        return understand(raw, received_on, country)
    except Exception as trouble:  # whatever else is wrong with it, it waits where people see it (M5)
        return IncomingMessage(MessageKind.UNREADABLE, f"It could not be read ({type(trouble).__name__}).")


def understand(raw: bytes, received_on: date | None = None, country: str = "") -> IncomingMessage:
    """As `read_message`, but whatever was not foreseen is raised."""
    if not raw.strip():
        return IncomingMessage(MessageKind.UNREADABLE, "It is empty.")
    mime = parse(raw)
    fields = mime.fields
    pieces = list(_pieces(mime))
    text, is_cut = _joined([piece for piece in pieces if isinstance(piece, str)])
    said = split(text)
    is_cut = is_cut or mime.is_cut or any(_is_text(part) and len(part.data) > LONGEST_BODY for part in mime.parts)
    files = [piece for piece in pieces if isinstance(piece, ReceivedFile)]
    sender = _sender(fields)
    name = display_name(fields.raw("from"))
    subject = fields.text("subject")[:LONGEST_SUBJECT]
    sent = moment(fields.raw("date"))
    day = received_on or (sent.date() if sent else None)
    verdict = judge(
        Understood(mime, sender, name, subject, said.own, said.quoted, _has_own_files(files)),
        lambda: _absence(text, day, country),
    )
    message = IncomingMessage(
        verdict.kind,
        _why(verdict, mime, is_cut),
        sender,
        name,
        tuple(_recipients(fields))[:MOST_RECIPIENTS],
        subject,
        sent,
        next(iter(message_ids(fields.raw("message-id"))), ""),
        tuple(_references(fields))[-MOST_REFERENCES:],
        said.own,
        said.quoted,
        tuple(files),
        failed_recipients=verdict.failed,
        delivered_to=tuple(_delivered_to(fields))[:MOST_RECIPIENTS],
        authentication=next(iter(fields.all_raw("authentication-results")), ""),
    )
    if verdict.kind is MessageKind.OUT_OF_OFFICE:
        return _with_absence(message, text, day, country)
    if verdict.kind in (MessageKind.BOUNCE, MessageKind.DELAY, MessageKind.AUTOMATIC):
        returned = [part.data for part in mime.parts if part.kind in _RETURNED_KINDS]
        return replace(message, returned_ids=returned_ids(returned, f"{said.own}\n{said.quoted}"))
    return message


_RETURNED_KINDS = (
    "message/rfc822",
    "text/rfc822-headers",
    "message/rfc822-headers",
    "message/global",
    "message/global-headers",
)


def _why(verdict: Verdict, mime: RawMessage, is_cut: bool) -> str:
    why = verdict.why
    if is_cut:
        why += " It is too long or too deep to be read whole; the raw message has the rest."
    if verdict.kind is MessageKind.PERSON and _is_encrypted(mime):
        why += " Its text is encrypted."
    return why


def _is_encrypted(mime: RawMessage) -> bool:
    is_smime = mime.kind in ("application/pkcs7-mime", "application/x-pkcs7-mime")
    return mime.kind == "multipart/encrypted" or (is_smime and mime.parameters.get("smime-type") != "signed-data")


def _absence(text: str, received_on: date | None, country: str) -> Timeframe | UnreadReason | None:
    """What the reader of absence notes makes of all that is said: it cuts off what is quoted by itself."""
    return read_or_ask(text[:LONGEST_NOTE], received_on, country) if received_on else None


def _with_absence(message: IncomingMessage, text: str, received_on: date | None, country: str) -> IncomingMessage:
    found = _absence(text, received_on, country)
    if found is None:
        return replace(message, why=f"{message.why} Its days are not read: it does not say when it was sent.")
    if found is UnreadReason.NO_RETURN:
        with_subject = _absence(f"{message.subject}\n{text}", received_on, country)
        found = with_subject if isinstance(with_subject, Timeframe) else found
    if isinstance(found, Timeframe):
        return replace(message, absence=AwayDays(found.away_from, found.back_on))
    return replace(message, why=f"{message.why} {found.value}")


def html_of(raw: bytes) -> str:
    """The HTML that says what the text of a message says, "" where there is none. Never raises.

    It is as its writer made it: it may load, hide and pretend anything, and has to be cleaned before anybody sees it.
    """
    try:
        return next(
            (_decoded_text(part) for part in parse(raw).parts if part.kind == "text/html" and _is_text(part)), ""
        )
    except Exception:  # `read_message` says what is wrong with it
        return ""


# Header -------------------------------------------------------------------------------------------------------------


def _sender(fields: HeaderFields) -> str:
    """The address of From; "" if there is none, or several From headers that differ: nothing may trust one of them."""
    named = [found[0] for value in fields.all_raw("from") if (found := addresses(value))]
    return named[0] if len({address.lower() for address in named}) == 1 else ""


def _delivered_to(fields: HeaderFields) -> Iterator[str]:
    names = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to")
    found = (address for name in names for value in fields.all_raw(name) for address in addresses(value))
    yield from dict.fromkeys(found)


def _recipients(fields: HeaderFields) -> Iterator[str]:
    found = (address for name in ("to", "cc") for value in fields.all_raw(name) for address in addresses(value))
    yield from dict.fromkeys(found)


def _references(fields: HeaderFields) -> list[str]:
    """The Message-IDs of References and In-Reply-To, the nearest last, each once."""
    found = [each for value in fields.all_raw("references") for each in message_ids(value)]
    nearest = [each for value in fields.all_raw("in-reply-to") for each in message_ids(value)]
    return [each for each in dict.fromkeys(found) if each not in nearest] + list(dict.fromkeys(nearest))


# Text and files -----------------------------------------------------------------------------------------------------


def _pieces(mime: RawMessage) -> Iterator[str | ReceivedFile]:
    """The texts and the files of the message in their order; of alternatives one text, plain before rich."""
    chosen = _chosen_alternatives(mime.parts)
    for at, part in enumerate(mime.parts):
        if at in chosen:
            continue
        if _is_text(part):
            yield from _text_and_files(part)
        elif not (part.kind in _SAID_BY_TYPE and not part.name):
            yield _file(part)


def _is_text(part: MimePart) -> bool:
    is_readable = part.kind in ("text/plain", "text/html", "text/enriched", "text/x-amp-html", "text/markdown", "text")
    return (
        is_readable
        and part.disposition != "attachment"
        and not part.name
        and (part.is_root_of_related or not part.content_id)
    )


def _chosen_alternatives(parts: Sequence[MimePart]) -> set[int]:
    """The places of the texts that say again what another text of the same alternative says."""
    groups: dict[int, list[int]] = {}
    for at, part in enumerate(parts):
        if part.alternative is not None and _is_text(part):
            groups.setdefault(part.alternative, []).append(at)
    passed: set[int] = set()
    for places in groups.values():
        plain = [at for at in places if parts[at].kind not in ("text/html", "text/x-amp-html", "text/enriched")]
        rich = [at for at in places if parts[at].kind == "text/html"]
        has_words = any(parts[at].data.strip(b" \t\r\n\xa0\xc2") for at in plain)
        passed.update(set(places) - set(plain if has_words or not rich else rich))
    return passed


def _text_and_files(part: MimePart) -> Iterator[str | ReceivedFile]:
    data = part.data
    if part.kind != "text/html" and b"\nbegin " in b"\n" + data[:LONGEST_BODY]:
        for name, content, start, end in reversed(uuencoded(data)):
            yield ReceivedFile(clean_name(decoded(name.decode("utf-8", "surrogateescape"))), UNKNOWN, content)
            data = data[:start] + data[end:]
    text = _decoded_text(part, data)
    if part.kind in ("text/html", "text/x-amp-html"):
        text = text_of_html(text)
    elif part.parameters.get("format", "").lower() == "flowed":
        text = _unflowed(text, part.parameters.get("delsp", "").lower() == "yes")
    yield text


def _decoded_text(part: MimePart, data: bytes | None = None) -> str:
    """The text of a part, or of what is left of it, with plain line ends."""
    data = part.data if data is None else data
    text = decode(
        data[:LONGEST_BODY],
        part.parameters.get("charset", "") or (charset_in_html(data) if part.kind == "text/html" else ""),
    )
    return _NO_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


_NO_TEXT = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ufeff\ufffe\uffff]")


def _unflowed(text: str, drop_space: bool) -> str:
    """Lines that a mail program broke to fit, whole again (RFC 3676)."""
    whole: list[list[str]] = []
    depth_before = -1  # of the line before, if that goes on
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        rest = line[depth:].removeprefix(" ")
        is_flowed = rest.endswith(" ") and rest != "-- "
        shown = rest[:-1] if is_flowed and drop_space else rest
        if depth == depth_before and rest != "-- ":
            whole[-1].append(shown)
        else:
            whole.append([f"{'>' * depth} {shown}" if depth else shown])
        depth_before = depth if is_flowed else -1
    return "\n".join(map("".join, whole))


def _joined(texts: Sequence[str]) -> tuple[str, bool]:
    whole = "\n\n".join(text.strip("\n") for text in texts if text.strip())
    return whole[:LONGEST_BODY], len(whole) > LONGEST_BODY


def _file(part: MimePart) -> ReceivedFile:
    name = part.name
    if not name:
        name = _own_name(part)
    return ReceivedFile(clean_name(name), _type(part, name), part.data, part.content_id)


def _own_name(part: MimePart) -> str:
    """A name for a part that has none: the subject of a message, else what it is."""
    ending = _ENDINGS.get(part.kind, "")
    if part.kind == "message/rfc822":
        subject = re.search(rb"^subject\s*:((?:[^\r\n]|\r?\n[ \t])*)", part.data[:20_000], re.IGNORECASE | re.MULTILINE)
        title = (
            decoded(subject[1].decode("utf-8", "surrogateescape").replace("\r", "").replace("\n", ""))
            if subject
            else ""
        )
        return f"{title.replace('/', '_')[:100] or 'message'}.eml"
    return f"file.{ending}" if ending else "file"


def _type(part: MimePart, name: str) -> str:
    """What the bytes are where that is plain, else what is declared."""
    declared = part.kind if part.kind != "text" else TEXT
    sniffed = judge_file(name, part.data[:HEAD], lambda: ()).content_type
    if sniffed in (UNKNOWN, ZIP) or (sniffed == TEXT and declared not in _GENERIC):
        return ZIP if sniffed == ZIP and declared in _GENERIC else declared or UNKNOWN
    return declared if ending_of(name) in ("msg", "doc", "xls", "ppt") and declared not in _GENERIC else sniffed


def _has_own_files(files: Sequence[ReceivedFile]) -> bool:
    """Files that somebody attached: no signature, no picture of one."""
    return any(not file.content_id and not file.content_type.startswith("application/p") for file in files)
