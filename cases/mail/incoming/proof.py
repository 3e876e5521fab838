"""Whether a sender's address is proven (M5a), by what our own mail server wrote into the header (RFC 8601).

Whoever wrote the message wrote its header too, so only the topmost Authentication-Results field counts, and only if it
names our server. A DMARC pass proves the address, and so does an SPF or DKIM pass of a domain that is aligned with it.
Everything that is odd proves nothing: a server copies words of the sender into this field, and they must not be read as
a result. Nothing here raises, and all of it is linear.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

#: No server writes a longer field.
LONGEST_FIELD = 8_000
#: What stands in the setting for the field of Microsoft 365, which names no server.
MICROSOFT = "microsoft365"

_METHOD = re.compile(r"([a-z0-9-]{1,40})(?:/\d{1,3})?")
_DOMAIN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
#: A name under which others register theirs, such as “co.uk”, told by its look: no list of them is kept here.
_SUFFIX = re.compile(r"[^.]{1,3}\.[a-z]{2}")


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether the address of the sender is proven, and a sentence that says by what, or why not."""

    is_proven: bool
    why: str


@dataclass(frozen=True, slots=True)
class MethodResult:
    """What a server says of one check: “dkim”, “pass”, and the properties such as “header.d”, in lower case."""

    method: str
    outcome: str
    properties: dict[str, str]


def prove(sender: str, field: str, servers: Collection[str]) -> Proof:
    """Whether `sender` is proven by `field`, the topmost Authentication-Results of the message; "" without one.

    `servers` are the names that our own mail servers write there (authserv-id), in any case.
    """
    domain = _domain(sender)
    if not servers:
        return Proof(False, "Nothing is proven: no setting says which mail server of ours checks senders.")
    if not domain:
        return Proof(False, "The message names no sender, or several.")
    if not field:
        return Proof(False, "Our mail server has not written whether it checked the sender.")
    parsed = _parsed(field)
    if parsed is None:
        return Proof(False, "The topmost Authentication-Results cannot be read with certainty.")
    server, results = parsed
    wanted = {name.lower() for name in servers}
    if server.lower() not in wanted and not (not server and MICROSOFT in wanted):
        named = f"names {server[:100]}, which is no server of ours" if server else "names no server"
        return Proof(False, f"The topmost Authentication-Results {named}.")
    return _judged(domain, results)


def _judged(domain: str, results: list[MethodResult]) -> Proof:
    dmarc = [result for result in results if result.method == "dmarc"]
    if len(dmarc) > 1:
        return Proof(False, "Our mail server is read as saying two things of DMARC, so neither counts.")
    if dmarc and dmarc[0].outcome in ("fail", "permerror"):
        return Proof(False, f"Our mail server says that DMARC failed for {domain}.")
    if dmarc and dmarc[0].outcome == "pass":
        checked = _domain(dmarc[0].properties.get("header.from", ""))
        if checked == domain:
            return Proof(True, f"DMARC passed for {domain}.")
        return Proof(False, f"DMARC passed for {checked or 'a domain that is not named'}, not for {domain}.")
    passed = [(name, signer) for result in results for name, signer in _signers(result)]
    for name, signer in passed:
        if is_aligned(signer, domain):
            return Proof(True, f"{name} passed for {signer}.")
    others = ", ".join(dict.fromkeys(f"{name} for {signer}" for name, signer in passed))
    if others:
        return Proof(False, f"What passed belongs to another domain than {domain}: {others}."[:500])
    return Proof(False, f"Our mail server found neither DMARC nor SPF nor DKIM to pass for {domain}.")


def _signers(result: MethodResult) -> Iterator[tuple[str, str]]:
    """(“DKIM”, the domain that it vouches for) of a pass."""
    if result.outcome != "pass":
        return
    properties = result.properties
    if result.method == "spf":
        found = _domain(properties.get("smtp.mailfrom") or properties.get("smtp.mail") or "")
    elif result.method == "dkim":
        found = _domain(properties.get("header.d") or properties.get("header.i") or "")
    else:
        return
    if found:
        yield result.method.upper(), found


def is_aligned(signer: str, domain: str) -> bool:
    """Whether a domain speaks for another one: the same, or one lies below the other; never two beside each other.

    What looks like a name under which others register theirs speaks for itself only.
    """
    if signer == domain:
        return True
    shorter, longer = sorted((signer, domain), key=len)
    return longer.endswith(f".{shorter}") and "." in shorter and not _SUFFIX.fullmatch(shorter)


def _domain(address: str) -> str:
    """The domain of an address, or of a domain alone, as mail servers know it; "" for what is none."""
    domain = address.rpartition("@")[2].strip().strip("<>").rstrip(".").lower()
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    return domain if len(domain) <= 253 and _DOMAIN.fullmatch(domain) else ""


# The grammar of the field ---------------------------------------------------------------------------------------------


def _parsed(field: str) -> tuple[str, list[MethodResult]] | None:
    """The name of the server ("" where none is named) and the results; None for what is not well-formed."""
    if len(field) > LONGEST_FIELD:
        return None
    sections = _sections(field)
    if sections is None:
        return None
    server = sections[0].split()
    if server and "=" in server[0]:
        server = []  # of Microsoft: it begins with the first result
    else:
        sections = sections[1:]
    results = [found for section in sections if (found := _result(section))]
    return (server[0] if server else "", results)


def _sections(field: str) -> list[str] | None:
    """What stands between the semicolons, without comments; what was quoted has no blanks, semicolons or equals signs.

    None for a comment or a quote that does not end, for a bracket that closes nothing, and for a quote inside a
    comment: the sender's own words may stand there, and only they have a reason to hold one.
    """
    sections: list[str] = []
    out: list[str] = []
    depth = at = 0
    while at < len(field):
        char = field[at]
        if depth:
            if char == '"':
                return None
            depth += (char == "(") - (char == ")")
            at += 2 if char == "\\" else 1
            continue
        if char == "(":
            depth, char = 1, " "
        elif char == ")":
            return None
        elif char == ";":
            sections.append("".join(out))
            out, char = [], ""
        elif char == '"':
            end = _end_of_quote(field, at + 1)
            if end < 0:
                return None
            char, at = re.sub(r"[\s;=()\"\\]", "_", field[at + 1 : end]), end
        out.append(char)
        at += 1
    return None if depth else [*sections, "".join(out)]


def _end_of_quote(field: str, at: int) -> int:
    while at < len(field) and field[at] != '"':
        at += 2 if field[at] == "\\" else 1
    return at if at < len(field) else -1


def _result(section: str) -> MethodResult | None:
    """“dkim=pass header.d=acme.example”; None for “none” and what is no result."""
    pairs = list(_pairs(section.lower()))
    if not pairs:
        return None
    method = _METHOD.fullmatch(pairs[0][0])
    if method is None:
        return None
    properties: dict[str, str] = {}
    for name, value in pairs[1:]:
        if properties.setdefault(name, value) != value:
            return MethodResult(method[1], "twice", {})
    return MethodResult(method[1], pairs[0][1], properties)


def _pairs(section: str) -> Iterator[tuple[str, str]]:
    """Name and value of each “name=value”, also with blanks around the equals sign."""
    for word in " ".join(section.split()).replace(" = ", "=").split(" "):
        name, equals, value = word.partition("=")
        if equals and name:
            yield name, value
