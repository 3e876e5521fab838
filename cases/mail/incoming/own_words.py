"""What the writer of a mail wrote, apart from what they quote and sign with (M7). Folded away, never cut."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from cases.policy.quoted_mail import (
    LONGEST_SIGNATURE,
    begins_header,
    header_kind,
    is_attribution,
    is_forward_line,
    is_phone_line,
    is_rule,
    is_separator,
    is_signature_dash,
    opens_attribution,
)

#: A line that mail programs write around quotes is shorter; only so much of a line is looked at.
LOOKED_AT = 600
#: "On ... wrote:" is wrapped over so many lines at most.
ATTRIBUTION_LINES = 3
#: Lines in which the quoted text has to begin after "On ... wrote:".
BLANKS_BEFORE_QUOTE = 3


@dataclass(frozen=True, slots=True)
class SplitText:
    """Each line that is not blank is in one of the two, in its order."""

    own: str
    quoted: str


def split(text: str) -> SplitText:
    """Own words and what is folded away. Linear in the number of lines."""
    lines = text.split("\n")
    looked = [_plain(line) for line in lines]
    folded = _history(looked)
    _fold_signatures(lines, looked, folded)
    own: list[str] = []
    after_fold = False
    for line, is_folded in zip(lines, folded, strict=True):
        if is_folded:
            after_fold = True
        elif line.strip() or not after_fold or (own and own[-1].strip()):
            own.append(line.rstrip())
            after_fold = after_fold and not line.strip()
    quoted = [line.rstrip() for line, is_folded in zip(lines, folded, strict=True) if is_folded]
    return SplitText("\n".join(own).strip("\n"), "\n".join(quoted).strip("\n"))


def _plain(line: str) -> str:
    line = line[:LOOKED_AT].replace("\u00a0", " ")
    return line if line.isascii() else unicodedata.normalize("NFKC", line)


def _is_marked(line: str) -> bool:
    return line.lstrip().startswith((">", "|>")) and not is_separator(line)


def _history(lines: Sequence[str]) -> list[bool]:
    """Of each line, whether it is quoted or stands around a quote."""
    folded = [_is_marked(line) for line in lines]
    kinds = ["" if marked else header_kind(line) for line, marked in zip(lines, folded, strict=True)]
    next_text = _next_text(lines)
    at = 0
    while at < len(lines):
        if not folded[at] and lines[at].strip():
            size = _attribution_size(lines, folded, at)
            if size:
                follows = next_text[at + size] if at + size < len(lines) else len(lines)
                if follows < len(lines) and folded[follows]:
                    folded[at : at + size] = [True] * size
                    at += size
                    continue
                if _has_words_before(lines, folded, at) or follows == len(lines) or not any(folded[follows:]):
                    return folded[:at] + [True] * (len(lines) - at)
            if _begins_other_mail(lines, kinds, next_text, at):
                return folded[:at] + [True] * (len(lines) - at)
        at += 1
    return folded


def _next_text(lines: Sequence[str]) -> list[int]:
    """Of each line, the first that is not blank from there on."""
    found, following = [0] * len(lines), len(lines)
    for at in range(len(lines) - 1, -1, -1):
        if lines[at].strip():
            following = at
        found[at] = following
    return found


def _attribution_size(lines: Sequence[str], folded: Sequence[bool], at: int) -> int:
    """How many lines "On Monday Ann wrote:" takes here; 0 for none."""
    joined = ""
    for size in range(1, ATTRIBUTION_LINES + 1):
        here = at + size - 1
        if here >= len(lines) or folded[here] or not lines[here].strip() or len(joined) > LOOKED_AT:
            return 0
        joined = f"{joined} {lines[here].strip()}".strip()
        if is_attribution(joined):
            starts_here = opens_attribution(lines[at]) or lines[here].lstrip().startswith("<")
            is_wrapped = size > 1 and (starts_here or not is_attribution(lines[here]))
            return size if size == 1 or is_wrapped else 0
    return 0


def _has_words_before(lines: Sequence[str], folded: Sequence[bool], at: int) -> bool:
    return any(line.strip() and not fold for line, fold in zip(lines[:at], folded[:at], strict=True))


def _begins_other_mail(lines: Sequence[str], kinds: Sequence[str], next_text: Sequence[int], at: int) -> bool:
    """A forwarded message, or the header that Outlook and others put above what they answer."""
    if is_forward_line(lines[at]) or begins_header(kinds, at):
        return True
    if lines[at].lstrip().startswith(">>>") and is_separator(lines[at]):
        return True  # GroupWise: ">>> Ann <ann@customer.example> 10.08.26 09:00 >>>"
    if is_separator(lines[at]) or is_rule(lines[at]):
        follows = next_text[at + 1] if at + 1 < len(lines) else len(lines)
        return follows < len(lines) and follows - at <= BLANKS_BEFORE_QUOTE and begins_header(kinds, follows)
    return False


def _fold_signatures(lines: Sequence[str], looked: Sequence[str], folded: list[bool]) -> None:
    for at, line in enumerate(looked):
        if folded[at]:
            continue
        if is_phone_line(line):
            folded[at] = True
        elif is_signature_dash(lines[at]) and (end := _signature_end(looked, folded, at)):
            folded[at:end] = [True] * (end - at)


def _signature_end(lines: Sequence[str], folded: Sequence[bool], at: int) -> int:
    """Where the signature under the dashes ends: at a quote or the end of the mail. 0: too long, or nothing."""
    size = 0
    for here in range(at + 1, len(lines)):
        if folded[here]:
            return here if size else 0
        size += bool(lines[here].strip())
        if size > LONGEST_SIGNATURE or here - at > 3 * LONGEST_SIGNATURE:
            return 0
    return len(lines)
