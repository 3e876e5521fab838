"""What mail programs write around quoted mail, in eight languages: separators, headers, "On ... wrote:", signatures.

One set of patterns for absence notes (F5) and for incoming mail (M7). Lines are given in NFKC. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

#: Three of From, Sent, To and Subject within so many lines, in any order, are the header of a mail.
HEADER_LINES = 6
#: A signature has at most so many lines; more under a dash are a table or a log.
LONGEST_SIGNATURE = 12

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
_OPENS_ATTRIBUTION = re.compile(r"\s*(?:on|am|le|el|il|em|no\sdia|op|den)\s.{0,60}\d|\d{4}[年/.-]", re.IGNORECASE)
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
_RULE = re.compile(r"[\s>]*[-_=*—]{3,}\s*$")
_DEVICE = (
    r"(?:i(?:Phone|Pad|Pod|OS)|Apple\sWatch|Android|Samsung|Galaxy|Huawei|Xiaomi|Pixel|BlackBerry|Nokia|Windows|Outlook|Yahoo"
    r"|mobi[el]\w{0,4}|Handy|Smartphone|Mobiltelefon|móvil|cellulare|telefoon|telefone|t[eé]l[eé]phone|portable|phone|tablet"
    r"|Mail|Gmail|GMX|Proton\w{0,4}|Thunderbird|Spark|BlueMail)"
)
#: What phones and programs sign with, alone on its line. Sentences of people have commas, and begin otherwise.
_PHONE = re.compile(
    rf"""[\s*_>-]{{0,4}}(?:
      (?:sent\s(?:from|via|with|using|by)|gesendet\s(?:von|mit|über|aus|vom)|envoyée?\s(?:de|depuis|à\spartir|avec|via|du)
        |enviad[oa]\s(?:desde|do|da|de|a\spartir|con|pelo|por|mediante)|inviat[oa]\s(?:da|dal|dalla|dallo|con|tramite)
        |(?:verzonden|verstuurd)\s(?:vanaf|vanuit|met|via|van|door))\b(?=[^,;:?!]{{1,60}}$)[^,]{{0,50}}\b{_DEVICE}\b[^,]{{0,40}}
    | (?:diese\snachricht\swurde\s)?von\smeine[mr]\s[^,]{{0,40}}{_DEVICE}[^,]{{0,20}}\s(?:aus\s)?gesendet
    | (?:get|télécharge[rz]|obtenir|obtener|descarga[r]?|scarica|ottieni|obter|obtenha|baixe|download)\s(?:o\s)?
        (?:Outlook|BlueMail|Spark)\s(?:for|pour|para|per|voor)\s(?:iOS|Android|Mac|Windows|Mobile)
    | Outlook\s(?:für|voor)\s(?:iOS|Android|Mac|Windows)\s(?:beziehen|herunterladen|downloaden)
    | .{{0,20}}(?:iPhone|iPad|Android|Galaxy|Outlook)\s?(?:から送信|より送信|からの送信|を入手).{{0,20}}
    | (?:iOS|Android)\s?版?(?:の|\s)?\s?Outlook\s?を入手.{{0,20}}
    )[\s.<>*_]{{0,4}}(?:<?https?://\S{{1,100}})?\s*$""",
    re.IGNORECASE | re.VERBOSE,
)


def is_separator(line: str) -> bool:
    """A line that mail programs, and people in logs, draw between two texts."""
    return bool(_SEPARATOR.match(line[:200]))


def is_rule(line: str) -> bool:
    """A line of nothing but dashes and the like."""
    return bool(_RULE.match(line[:200]))


def is_forward_line(line: str) -> bool:
    """ "----- Forwarded message -----": what follows is another mail, without any doubt."""
    return bool(_FORWARDED.match(line[:200]))


def is_signature_dash(line: str) -> bool:
    """The two dashes above a signature; programs lose the blank behind them."""
    return line.startswith("--") and line.rstrip() == "--"


def is_phone_line(line: str) -> bool:
    """ "Sent from my iPhone", "Get Outlook for iOS"."""
    return len(line) <= 160 and bool(_PHONE.match(line))


def begins_header(kinds: Sequence[str], at: int) -> bool:
    """Whether the header of a mail begins at a line, by the kinds (`header_kind`) of it and the next lines."""
    return bool(kinds[at]) and len({kind for kind in kinds[at : at + HEADER_LINES] if kind}) >= 3


def header_lines(line: str) -> list[str]:
    """The lines of a header that was pasted as one."""
    parts = _NEXT_HEADER.split(line) if _HEADER.match(line) else []
    return parts if len(parts) >= 3 else [line]


def header_kind(line: str) -> str:
    """Which of From, Sent, To and Subject; "" for "From: 3 August", a line of the note's own form."""
    found = _HEADER.match(line)
    if found is None:
        return ""
    kind = next(kind for kind in _KEYS if found[kind])
    is_day = kind in ("sender", "to") and "@" not in found["value"] and any(map(str.isdigit, found["value"]))
    return "" if is_day else kind


def begins_history(line: str, following: str) -> bool:
    """A separator, "Begin forwarded message:" or "On ... wrote:", which mail programs wrap."""
    if _SEPARATOR.match(line[:200]) or _FORWARDED.match(line[:200]):
        return True
    return is_attribution(line) or (is_attribution(f"{line} {following}") and not is_attribution(following))


def opens_attribution(line: str) -> bool:
    """The first line of a wrapped "On Monday, 3 August 2026, Ann\\nwrote:"."""
    return bool(_OPENS_ATTRIBUTION.match(line[:200])) and not line.rstrip().endswith((".", "!", "?", ":"))


def is_attribution(line: str) -> bool:
    return len(line) > 12 and line.rstrip().endswith(":") and bool(_SOMEBODY_WROTE.match(line[:600]))
