"""What a message looks like: its frozen facts in a template, as text and HTML, in the reader's time zone (M4)."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.signing import Signer
from django.template import Template
from django.template.loader import get_template
from django.utils import timezone

from cases.models import Mail

INLINER = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


@dataclass(frozen=True)
class Rendered:
    """A message as its reader sees it."""

    subject: str
    text: str
    html: str


@lru_cache(maxsize=256)
def _template(name: str) -> Template:
    return get_template(name)  # type: ignore[return-value]


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


def render(mail: Mail) -> Rendered:
    """The message of an outbox row. Raises TemplateDoesNotExist for an unknown template."""
    context = {
        **_with_moments(mail.facts),
        "to_name": mail.to_name,
        "meant_for": mail.meant_for,
        "time_zone": mail.time_zone,
    }
    with timezone.override(zoneinfo.ZoneInfo(mail.time_zone)):
        subject = " ".join(_template(f"mail/{mail.template}_subject.txt").render(context).split())  # type: ignore[arg-type]
        text = _template(f"mail/{mail.template}.txt").render(context)  # type: ignore[arg-type]
        number = mail.facts.get("case", {}).get("number", "")
        subject = f"[{number}] {subject}" if number else subject
        html = _template("mail/layout.html").render({**context, "subject": subject, "paragraphs": paragraphs(text)})  # type: ignore[arg-type]
    return Rendered(subject[:250], _squeezed(text), INLINER.inline(html))


def paragraphs(text: str) -> list[str]:
    """The blocks of a text, parted by empty lines."""
    return [block.strip() for block in text.replace("\r\n", "\n").split("\n\n") if block.strip()]


def _squeezed(text: str) -> str:
    return "\n\n".join(paragraphs(text)) + "\n"


def reply_address(mail: Mail) -> str:
    """The signed address that answers to this case by this recipient come back to (M3)."""
    if mail.case_id is None:
        return f"support@{settings.MAIL_DOMAIN}"
    signature = Signer(salt="reply-address", sep=".").signature(f"{mail.case_id}:{mail.to_address.lower()}")[:16]
    return f"support+{mail.case_id}.{signature}@{settings.MAIL_DOMAIN}"


def as_message(mail: Mail, rendered: Rendered) -> EmailMultiAlternatives:
    """The MIME message of an outbox row; it carries the row's own Message-ID each time it is tried (M2, M3)."""
    headers = {"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
    if mail.case_id:
        thread = f"<case-{mail.case_id}@{settings.MAIL_DOMAIN}>"
        headers |= {"In-Reply-To": thread, "References": thread}
    name = mail.to_name.replace('"', "").replace("\n", " ")
    message = EmailMultiAlternatives(
        subject=rendered.subject,
        body=rendered.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[f'"{name}" <{mail.to_address}>' if name else mail.to_address],
        reply_to=[reply_address(mail)],
        headers=headers,
    )
    message.attach_alternative(rendered.html, "text/html")
    return message
