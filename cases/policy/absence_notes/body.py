"""The body of an absence note: without markup and without the mail that it answers or forwards (F5)."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence

LONGEST_TEXT = 20_000
#: Three of From, Sent, To and Subject within so many lines, in any order, are the header of a mail.
HEADER_LINES = 6

_LINE_TAG = re.compile(r"<(?:br|/?p|/?div|/?li|/?tr|/?h\d|/?table|/?ul)\b[^<>]{0,2000}>", re.IGNORECASE)
_UNSEEN_TAG = re.compile(r"<(style|script|head)\b.{0,5000}?</\1>", re.IGNORECASE | re.DOTALL)
_QUOTE_TAG = re.compile(r"<blockquote\b.*", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</?[a-z!][^<>@]{0,2000}>", re.IGNORECASE)

_SEPARATOR = re.compile(r"\s*(?:>{3}\s.{3,80}\s>{3}|-{3,}\s*[^\W\d_].{0,80}?-{3,}|_{10,})\s*$")
#: "Begin forwarded message:", alone on its line.
_FORWARDED = re.compile(
    r"""[\W_]{0,20}(?:
      (?:begin(?:ning)?\ (?:of\ )?)?(?:the\ )?(?:original|forwarded)\ (?:message|e-?mail)
    | (?:(?:anfang|beginn)\ der\ )?(?:urspr(?:ü|ue)nglichen?|weitergeleiteten?|original)\W?(?:nachricht|e-?mail)
    | (?:début\ du\ )?(?:message|courriel|e-?mail)\ (?:d['’]origine|original|initial|transféré|réexpédié)
    | (?:inicio\ del\ )?(?:mensaje|correo)\ (?:original|reenviado)
    | (?:inizio\ (?:del\ )?)?messaggio\ (?:originale|inoltrato)
    | (?:início\ da\ )?(?:mensagem|e-?mail)\ (?:original|reenviad[ao]|encaminhad[ao])
    | (?:begin\ )?(?:van\ )?(?:het\ )?(?:oorspronkelijke?|doorgestuurde?|origineel|originele)\ (?:bericht|e-?mail)
    | (?:元の|転送された|転送|オリジナル)(?:メッセージ|メール)(?:の先頭)?
    )[\W_]{0,20}$""",
    re.IGNORECASE | re.VERBOSE,
)
_WROTE = r"\b(?:wrote|schrieb|a\sécrit|escribió|ha\sscritto|escreveu|schreef|geschreven)\b"
_SOMEBODY_WROTE = re.compile(
    rf"""\s*(?:
      (?:on|am|le|el|il|em|no\ dia|op|den|a)\s.{{4,250}}{_WROTE}.{{0,120}}    # On Monday Ann wrote:
    | (?=.{{0,250}}(?:@|\d[:.h]\d\d)).{{2,250}}{_WROTE}.{{0,120}}           # Ann <a@example> wrote on 3/8/2026 9:12:
    | \d{{4}}[年/.-].{{4,200}}(?:[<>]|さん|wrote|のメール|書きました).{{0,80}}
    ):\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
_KEYS = {
    "sender": "from|von|de|da|van|absender|expéditeur|remitente|mittente|remetente|afzender|差出人|送信者|送信元",
    "sent": "(?:sent|gesendet|envoyée?|enviad[oa]|inviat[oa]|verzonden|date|datum|data|fecha)"
    r"(?:\s(?:on|am|le|el|em|il|op))?|送信日時?|受信日時|日付|日時|送信",
    "to": "to|an|à|para|pour|a|per|aan|cc|bcc|kopie|copie|empfänger|destinataires?|destinat[aá]ri[oi]s?|宛先|宛て",
    "subject": "subject|betreff|objet|sujet|asunto|oggetto|assunto|onderwerp|件名|題名|表題",
}
_KEY = "|".join(f"(?P<{kind}>{names})" for kind, names in _KEYS.items())
_HEADER = re.compile(rf"[\s|*_]{{0,10}}(?:{_KEY})[\s*_]{{0,4}}:[\s*_]{{0,4}}(?P<value>.{{0,80}})", re.IGNORECASE)
_NEXT_HEADER = re.compile(rf"\s(?=[*_]{{0,2}}(?:{'|'.join(_KEYS.values())})\s?[*_]{{0,2}}:[*_\s])", re.IGNORECASE)


def note_body(text: str) -> str:
    """The note without markup and without the mail it answers, full-width digits made plain."""
    text = unicodedata.normalize("NFKC", text[:LONGEST_TEXT])[:LONGEST_TEXT]
    if "<" in text:
        text = _LINE_TAG.sub("\n", _QUOTE_TAG.sub("", _UNSEEN_TAG.sub(" ", text)))
    text = html.unescape(_TAG.sub(" ", text))[:LONGEST_TEXT].replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(_newest(unicodedata.normalize("NFKC", text)[:LONGEST_TEXT].split("\n")))


def _newest(lines: Sequence[str]) -> Iterator[str]:
    """The lines above the quoted history; of a header above the note itself only the subject is kept."""
    lines = [part for line in lines for part in _header_lines(line)]
    kinds = [_header_kind(line) for line in lines]
    any_text = in_own_header = False
    for at, line in enumerate(lines):
        if line.lstrip().startswith((">", "|>")) and not _SEPARATOR.match(line[:200]):
            continue
        begins_header = bool(kinds[at]) and len({kind for kind in kinds[at : at + HEADER_LINES] if kind}) >= 3
        in_own_header = (in_own_header and bool(kinds[at])) or (begins_header and not any_text)
        if in_own_header:
            if kinds[at] == "subject":
                yield line.split(":", 1)[1] + "\n"
            continue
        if begins_header or _begins_history(line, lines[at + 1] if at + 1 < len(lines) else ""):
            return
        any_text = any_text or bool(line.strip())
        yield line


def _header_lines(line: str) -> list[str]:
    """The lines of a header that was pasted as one."""
    parts = _NEXT_HEADER.split(line) if _HEADER.match(line) else []
    return parts if len(parts) >= 3 else [line]


def _header_kind(line: str) -> str:
    """Which of From, Sent, To and Subject; "" for "From: 3 August", a line of the note's own form."""
    found = _HEADER.match(line)
    if found is None:
        return ""
    kind = next(kind for kind in _KEYS if found[kind])
    is_day = kind in ("sender", "to") and "@" not in found["value"] and any(map(str.isdigit, found["value"]))
    return "" if is_day else kind


def _begins_history(line: str, following: str) -> bool:
    """A separator, "Begin forwarded message:" or "On ... wrote:", which mail programs wrap."""
    if _SEPARATOR.match(line[:200]) or _FORWARDED.match(line[:200]):
        return True
    return _is_attribution(line) or (_is_attribution(f"{line} {following}") and not _is_attribution(following))


def _is_attribution(line: str) -> bool:
    return len(line) > 12 and line.rstrip().endswith(":") and bool(_SOMEBODY_WROTE.match(line[:600]))
