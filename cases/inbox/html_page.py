"""The HTML of a message, made harmless: a page of text that loads nothing, runs nothing and leads nowhere (M7)."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

import nh3
from django.utils.safestring import SafeString, mark_safe

#: Characters that are cleaned, and tags: cleaning tags inside each other takes quadratic time (5,000: 0.2 s).
LONGEST_HTML = 200_000
MOST_TAGS = 5_000

_TAGS = {
    *("p", "br", "div", "span", "pre", "blockquote", "hr", "center", "a", "b", "strong", "i", "em", "u", "s", "small"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "code", "sub", "sup", "kbd"),
    *("table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption"),
}
_ATTRIBUTES = {"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}, "ol": {"start"}}
#: What goes with everything inside it; of other tags only the words stay.
_DROPPED_WHOLE = {
    *("script", "style", "title", "template", "noscript", "noembed", "noframes", "object", "applet", "iframe"),
    *("svg", "math", "select", "textarea", "button", "audio", "video", "canvas"),
}
_TARGET = re.compile(r'<a(?: href="([^"]*)")?[^>]*>')

STYLE = "body{font:14px/1.5 sans-serif;color:#111;background:#fff;margin:16px;overflow-wrap:anywhere}" + (
    "blockquote{margin:0 0 0 8px;padding-left:8px;border-left:2px solid #ccc}td,th{padding:2px 6px;vertical-align:top}"
    ".to{color:#555;font-size:12px}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
#: What a browser may do with the page: show it, inside of a page of the desk.
CONTENT_SECURITY_POLICY = (
    f"sandbox; default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)


@dataclass(frozen=True)
class CleanHtml:
    """What is left of a message's HTML. `is_cut` says that it was too long to be shown whole."""

    body: SafeString
    is_cut: bool


def clean_html(html: str) -> CleanHtml:
    """The words of the HTML with their headings, lists, tables and quotes; of a link its words and where it leads."""
    head, is_cut = _capped(html)
    cleaned = nh3.clean(
        head,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        clean_content_tags=_DROPPED_WHOLE,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
    )
    # nh3 writes what it built from the page: no attribute can hold a quotation mark or a tag.
    body = _TARGET.sub(_where_to, cleaned).replace("</a>", "")
    return CleanHtml(mark_safe(body), is_cut)


def _where_to(link: re.Match[str]) -> str:
    return f'<span class="to">[{link[1]}]</span> ' if link[1] else ""


def _capped(html: str) -> tuple[str, bool]:
    head = html[:LONGEST_HTML]
    if head.count("<") > MOST_TAGS:
        head = "<".join(head.split("<", MOST_TAGS)[:MOST_TAGS])
    if len(head) == len(html):
        return html, False
    # Not in the midst of a tag, whose rest would be shown as text.
    return head[: head.rfind("<")] if head.rfind("<") > head.rfind(">") else head, True
