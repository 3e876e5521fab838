"""What a mail server reports of a mail of ours: status notifications (RFC 3464) and reports in words (M5, M6)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cases.mail.incoming.headers import addresses, message_ids
from cases.mail.incoming.phrases import FAILURE, RETURNED

LONGEST_REPORT = 200_000
#: Recipients of one report that are looked at.
MOST_RECIPIENTS = 500
#: Lines of a report in words that are searched for addresses.
MOST_LINES_OF_WORDS = 400

_FIELD = re.compile(r"([A-Za-z][A-Za-z-]{1,60})\s*:\s*(.*)", re.DOTALL)
_STATUS = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")
_RETURNED_ID = re.compile(r"^[>\s|*]{0,8}message-id\s?\**:\s*(<[^<>\s]{1,990}>)", re.IGNORECASE | re.MULTILINE)
_RECIPIENT_FIELDS = ("original-recipient", "final-recipient", "x-actual-recipient", "remote-recipient")


@dataclass(frozen=True, slots=True)
class RecipientReport:
    """What became of the mail to one recipient: the address ("" if none is named), and the action in lower case."""

    address: str
    action: str


def recipients_of(data: bytes) -> list[RecipientReport]:
    """What a message/delivery-status part says of each recipient; an action that is missing is told by the status."""
    found = [report for report in map(_report, _groups(data)) if report]
    return found[:MOST_RECIPIENTS]


def _groups(data: bytes) -> Iterator[dict[str, str]]:
    """The fields of each recipient. Some servers forget the blank line between two, or put one between fields."""
    group: dict[str, str] = {}
    text = data[:LONGEST_REPORT].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    for line in re.sub(r"\n[ \t]+(?=\S)", " ", text).split("\n"):
        if not line.strip():
            if "action" in group or "status" in group:
                yield group
                group = {}
            continue
        found = _FIELD.match(line.strip())
        if found is None:
            continue
        name = found[1].lower()
        if name in group and name in ("final-recipient", "original-recipient", "action"):
            yield group
            group = {}
        group.setdefault(name, found[2].strip())
    yield group


def _report(group: dict[str, str]) -> RecipientReport | None:
    address = next((found for name in _RECIPIENT_FIELDS if (found := _address(group.get(name, "")))), "")
    action = re.split(r"[\s;(]", group.get("action", "").strip().lower(), maxsplit=1)[0]
    status = _STATUS.search(group.get("status", "")) or _STATUS.search(group.get("diagnostic-code", ""))
    if not action and status and (address or "final-recipient" in group):
        action = {"2": "delivered", "4": "delayed", "5": "failed"}[status[1]]
    if action == "delayed" and status and status[1] == "5":
        action = "failed"
    return RecipientReport(address, action) if action else None


def _address(value: str) -> str:
    """The address of "rfc822; bob@customer.example"; "" for X.400 and names without a domain."""
    kind, semicolon, rest = value.partition(";")
    if semicolon and kind.strip().lower() not in ("rfc822", "utf-8", "smtp", "internet", "unknown"):
        return ""
    return next(iter(addresses(rest if semicolon else value)), "")


def addresses_in_words(text: str, sender: str, recipients: Sequence[str]) -> list[str]:
    """The addresses that a report in words names, above what it returns.

    Those that begin a line below "could not be delivered to" go before all others, of which only the first counts. Whom
    the report went to is meant only if nobody else is: a mail to oneself fails too.
    """
    above: list[str] = []
    for line in text.split("\n")[:MOST_LINES_OF_WORDS]:
        if RETURNED.match(line[:200]) and above:
            break
        above.append(line[:1_000])
    leading: list[str] = []
    others: list[str] = []
    has_begun = False
    for line in above:
        found = [each for each in addresses(line) if each.lower() != sender.lower()]
        has_begun = has_begun or bool(FAILURE.search(line))
        (leading if has_begun and _STARTS_WITH_ADDRESS.match(line) else others).extend(found)
    ignored = {address.lower() for address in recipients}
    for places, most in ((leading, len(leading)), (others, 1)):
        meant = [each for each in places if each.lower() not in ignored]
        if meant:
            return list(dict.fromkeys(meant[:most]))
    return list(dict.fromkeys(leading))


def notified(text: str) -> list[str]:
    """The addresses of a bounce that Amazon SES notifies of by mail, as JSON."""
    if not _NOTIFICATION.search(text[:LONGEST_REPORT]):
        return []
    return [found for value in _NOTIFIED.findall(text[:LONGEST_REPORT]) for found in addresses(value)[:1]]


_NOTIFICATION = re.compile(r'\\?"notificationType\\?"\s{0,9}:\s{0,9}\\?"Bounce\\?"')
_NOTIFIED = re.compile(r'\\?"emailAddress\\?"\s{0,9}:\s{0,9}\\?"([^"\\]{3,320})\\?"')
_STARTS_WITH_ADDRESS = re.compile(
    r"\s*(?:[*•·-]\s*)?(?:to:?\s*)?[\"'(]?<?[^\s<>()@]{1,64}@[^\s<>()]{1,190}>?(?:\s|[:;,.()\[\]\"']|$)"
    r"|[^@]{0,60}[<(][^\s<>()@]{1,64}@[^\s<>()]{1,190}[>)]\s*(?:<mailto|$)",
    re.IGNORECASE,
)


def returned_ids(returned: Sequence[bytes], text: str) -> tuple[str, ...]:
    """The Message-IDs of what a report returns: parts that hold it, or its header in the text."""
    found: list[str] = []
    for data in returned:
        head = re.split(rb"\r?\n\r?\n", data[:LONGEST_REPORT].lstrip(), maxsplit=1)[0].decode("latin-1")
        field = re.search(r"^message-id\s*:\s*((?:.|\r?\n[ \t])*)", head, re.IGNORECASE | re.MULTILINE)
        found += message_ids(field[1])[:1] if field else []
    return tuple(dict.fromkeys(found or _RETURNED_ID.findall(text[:LONGEST_REPORT])[:5]))
