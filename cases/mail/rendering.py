"""Render a message from its facts as text and HTML, in the reader's language and time zone (M4).

`mail/<name>.txt` is the message's own text; `mail/layout.txt` and `mail/layout.html` add what every message has: whom
it was meant for (D5), what is expected, what happens next, why the reader gets it, the case.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import formataddr
from typing import Any

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import Q, Subquery
from django.template import Context
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare, salted_hmac

from cases.mail.messages import MESSAGES, Readers, message_named
from cases.mail.phrases import in_words
from cases.mail.templates import template_in
from cases.models import Case, Mail
from contacts.addresses import ascii_address
from contacts.models import Company, SupportLine

INLINER = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)

_EMPTY_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


#: What the layouts ask for and most messages do not say: a variable that there is not costs a template ten times more.
_NOT_SAID = dict.fromkeys(
    ("also_to", "parts", "files", "figures", "enclosed", "expected", "questions", "next", "next_at", "why", "case")
)


@dataclass(frozen=True)
class Rendered:
    subject: str
    text: str
    html: str


def _with_moments(value: Any) -> Any:
    """The facts with every `..._at` (ISO 8601, UTC) turned back into a moment."""
    if isinstance(value, dict):
        return {
            name: datetime.fromisoformat(each)
            if name.endswith("_at") and isinstance(each, str) and each
            else _with_moments(each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_with_moments(each) for each in value]
    return value


#: The support lines of cases, by key of the case.
Lines = dict[int | None, SupportLine | None]


def render(mail: Mail, lines: Lines | None = None) -> Rendered:
    """The message of an outbox row; `lines` takes the result of `load_lines`, for many messages. Raises
    UnknownMessage.
    """
    language = mail.language if mail.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    zone = reader_zone(mail.time_zone)
    with timezone.override(zone), translation.override(language):
        return _rendered_in(mail, language, zone.key, lines or {})


def _rendered_in(mail: Mail, language: str, time_zone: str, lines: Lines) -> Rendered:
    """The message in the language and the time zone that are active."""
    to_staff = message_named(mail.template).to is Readers.STAFF
    context = {
        **in_words(_with_moments(mail.facts)),
        "to_name": one_line(mail.to_name),
        "to_staff": to_staff,
        "line": None if to_staff else lines[mail.case_id] if mail.case_id in lines else _line_of(mail),
        "meant_for": one_line(mail.meant_for),
        "time_zone": time_zone,
        "language": language,
    }
    subject = one_line(_rendered(f"mail/{mail.template}_subject.txt", context))
    own = paragraphs(_rendered(f"mail/{mail.template}.txt", context))
    number = mail.facts.get("case", {}).get("number", "")
    subject = (f"[{number}] {subject}" if number else subject)[:250]
    context = {**_NOT_SAID, **context, "subject": subject, "paragraphs": own, "says": "\n\n".join(own)}
    text = "\n\n".join(paragraphs(_rendered("mail/layout.txt", context))) + "\n"
    html = _rendered("mail/layout.html", context)
    return Rendered(subject, text, INLINER.inline(html))


def _line_of(mail: Mail) -> SupportLine | None:
    """The number a customer calls: that of their country, else the international one (D4)."""
    company = Q(pk=mail.facts.get("company_id")) if mail.case_id is None else Q(cases=mail.case_id)
    country = Subquery(Company.objects.filter(company).values("country")[:1])
    return SupportLine.objects.for_country(country)


def load_lines(mails: Iterable[Mail]) -> Lines:
    """The lines that the customers among the readers call, by key of their case; a query, and one a country (D4)."""
    to_customers = (mail for mail in mails if (known := MESSAGES.get(mail.template)) and known.to is Readers.CUSTOMER)
    cases = {mail.case_id for mail in to_customers if mail.case_id is not None}
    if not cases:
        return {}
    countries = dict(Case.objects.filter(pk__in=cases).order_by().values_list("pk", "company__country"))
    lines = {country: SupportLine.objects.for_country(country) for country in set(countries.values())}
    return {case_id: lines[country] for case_id, country in countries.items()}


def _rendered(template: str, context: dict[str, Any]) -> str:
    return template_in(context["language"], template).render(Context(context))


def reader_zone(name: str) -> zoneinfo.ZoneInfo:
    """The reader's time zone; UTC, which the message then names, when there is no such zone."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return zoneinfo.ZoneInfo("UTC")


def one_line(text: str) -> str:
    """The text without line breaks and other control characters: what may stand in a header."""
    return " ".join(_CONTROL_CHARACTERS.sub(" ", text).split())


def paragraphs(text: str) -> list[str]:
    """The blocks of a text, parted by empty lines; every newline becomes one of ours."""
    blocks = _EMPTY_LINES.split(text.replace("\r\n", "\n").replace("\r", "\n"))
    return [block.strip("\n").rstrip() for block in blocks if block.strip()]


def reply_address(mail: Mail) -> str:
    """The signed address that answers to this case by this recipient come back to (M3).

    Lower case throughout: some mail systems do not keep the case of a local part.
    """
    if mail.case_id is None:
        return f"support@{settings.MAIL_DOMAIN}"
    return f"support+{mail.case_id}.{_signature(mail, settings.SECRET_KEY)}@{settings.MAIL_DOMAIN}"


def is_reply_address(address: str, mail: Mail) -> bool:
    """Whether it is the signed address of this case and recipient, signed with the secret key or a former one (M3)."""
    local = address.partition("@")[0].lower()
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(local, f"support+{mail.case_id}.{_signature(mail, key)}") for key in keys)


def _signature(mail: Mail, secret: str) -> str:
    signed = f"{mail.case_id}:{mail.to_address.lower()}"
    return salted_hmac("cases.mail.reply-address", signed, secret, algorithm="sha256").hexdigest()[:20]


def mailbox(name: str, address: str) -> str:
    """A name and an ASCII address as they stand in a header, in pieces at which a long line may be broken."""
    name = one_line(name)
    if name.isascii():
        return formataddr((name, address))
    return f"{Header(name, 'utf-8').encode(linesep='')} <{address}>"


def as_message(mail: Mail, rendered: Rendered) -> EmailMultiAlternatives:
    """The MIME message of an outbox row; it carries the row's own Message-ID each time it is tried (M2, M3).

    Raises UnicodeError for an address that cannot be mailed.
    """
    address = ascii_address(mail.to_address)
    headers = {
        # The name stands in the header only; the envelope knows the bare address.
        "To": mailbox(mail.to_name, address),
        "Message-ID": mail.message_id,
        # Not "All": bounces and absence notes have to come back (M1, F5).
        "X-Auto-Response-Suppress": "DR, RN, NRN, AutoReply",
        "Content-Language": mail.language,
    }
    if not message_named(mail.template).by_person:
        headers["Auto-Submitted"] = "auto-generated"
    if mail.case_id:
        thread = f"<case-{mail.case_id}@{settings.MAIL_DOMAIN}>"
        headers |= {"In-Reply-To": thread, "References": thread}
    if off_url := mail.facts.get("off_url"):  # one click in the reader's mail program switches it off (RFC 8058)
        headers |= {"List-Unsubscribe": f"<{off_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    message = EmailMultiAlternatives(
        subject=rendered.subject,
        body=rendered.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[address],
        reply_to=[reply_address(mail)],
        headers=headers,
    )
    message.attach_alternative(rendered.html, "text/html")
    return message
