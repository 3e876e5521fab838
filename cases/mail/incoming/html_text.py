"""The text of an HTML mail, line by line; what a mail program marks as quoted gets the "> " that plain mail has (M7).

A scanner of its own, because the standard one needs quadratic time on some broken pages. It reads once from left to
right and executes, loads and cleans nothing: what comes out is text.
"""

from __future__ import annotations

import html
import re

from cases.policy.quoted_mail import is_attribution

MOST_QUOTES = 20
LONGEST_TAG = 20_000

_NAME = re.compile(r"/?([a-zA-Z][\w:-]{0,40})")
_ATTRIBUTE = re.compile(
    r"""\b(class|type|id|cite|style)\s*=\s*("[^"]{0,2000}"|'[^']{0,2000}'|[^\s>]{1,2000})""", re.IGNORECASE
)
_BLOCKS = frozenset(
    {
        *(
            "p",
            "div",
            "li",
            "ul",
            "ol",
            "dl",
            "dt",
            "dd",
            "tr",
            "table",
            "tbody",
            "thead",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
        ),
        *("h6", "blockquote", "pre", "center", "section", "article", "header", "footer", "address", "form", "fieldset"),
        *("hr", "body", "html", "main", "aside", "nav"),
    }
)
_UNSEEN = frozenset({"script", "style", "head", "title", "noscript", "template", "object", "svg", "textarea"})
_QUOTES = re.compile(
    r"\b(?:gmail_quote|yahoo_quoted|moz-cite|cite|protonmail_quote|zmail_extra_hr|mailquote|quote)\b", re.IGNORECASE
)
_BLANKS = re.compile(r"[ \t\r\n\f\v\u00a0]+")


class _WrittenLines:
    """The lines that have been written so far, and the one that is being written."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.now: list[str] = []
        self.last = ""
        self.depth = 0

    def write(self, text: str) -> None:
        if not self.now:
            text = text.lstrip(" ")
        if text:
            self.now.append(text)

    def end(self, always: bool = False) -> None:
        """End the line; an empty one is kept only where a line break asks for it."""
        line = _BLANKS.sub(" ", "".join(self.now)).strip() if self.now else ""
        self.now = []
        if line or always:
            self.done.append(f"{'> ' * self.depth}{line}" if self.depth else line)
            self.last = line or self.last

    def keep(self, text: str) -> None:
        """Text whose blanks and lines count."""
        lines = text.replace("\r\n", "\n").split("\n")
        for line in lines[:-1]:
            self.now.append(line)
            self._end_as_it_is()
        self.now.append(lines[-1])

    def _end_as_it_is(self) -> None:
        line = "".join(self.now).rstrip()
        self.now = []
        self.done.append(f"{'> ' * self.depth}{line}" if self.depth else line)
        self.last = line or self.last


def text_of_html(page: str) -> str:
    """The text, its blocks and line breaks as lines. Linear in the page, whatever it is."""
    lines, scan = _WrittenLines(), _Scanner(page)
    quotes: list[bool] = []  # of each blockquote that is open, whether it quotes
    kept = 0
    for text, tag, attributes in scan:
        if text:
            lines.keep(text) if kept else lines.write(_BLANKS.sub(" ", text))
        name = tag.lstrip("/")
        if name == "br":
            lines.end(always=True)
        elif name in ("td", "th"):
            lines.write(" ")
        elif name in _BLOCKS:
            lines.end()
        if tag == "li":
            lines.write("* ")
        elif name == "pre":
            kept = max(0, kept + (1 if tag == "pre" else -1))
        elif tag == "blockquote" and len(quotes) < LONGEST_TAG:
            quotes.append(_is_quote(attributes, lines.last))
        elif tag == "/blockquote" and quotes:
            quotes.pop()
        if name == "blockquote":
            lines.depth = min(sum(quotes) if len(quotes) < 200 else MOST_QUOTES, MOST_QUOTES)
    lines.end()
    return "\n".join(lines.done)


def _is_quote(attributes: dict[str, str], line_before: str) -> bool:
    """Outlook and others indent what people write themselves with a blockquote too (freescout#3580)."""
    if "cite" in attributes or _QUOTES.search(f"{attributes.get('type', '')} {attributes.get('class', '')}"):
        return True
    return is_attribution(line_before)


class _Scanner:
    """Text and tags in turn: (text before the tag, tag in lower case with its slash, some of its attributes)."""

    def __init__(self, page: str) -> None:
        self.page = page
        self.lower = page.lower() if len(page.lower()) == len(page) else page
        self.missing: set[str] = set()

    def find(self, what: str, start: int) -> int:
        """The place of `what`, or -1; what is missing once is never searched again."""
        if what in self.missing:
            return -1
        at = self.lower.find(what, start)
        if at < 0:
            self.missing.add(what)
        return at

    def __iter__(self):  # type: ignore[no-untyped-def]
        page, at, text_from = self.page, 0, 0
        while (opens := page.find("<", at)) >= 0:
            name = _NAME.match(page, opens + 1)
            if name is None and page[opens + 1 : opens + 2] not in ("!", "?"):
                at = opens + 1
                continue
            yield html.unescape(page[text_from:opens]), "", {}
            if page.startswith("<!--", opens) and (end := self.find("-->", opens)) >= 0:
                at = text_from = end + 3
                continue
            end = self.find(">", opens)
            if end < 0:
                at = text_from = len(page)
                if name is None or len(page) - opens > 200:
                    yield html.unescape(page[opens:]), "", {}
                else:
                    yield "", page[opens + 1 : name.end()].lower(), {}
                break
            end = self._past_quotes(opens, end)
            at = text_from = end + 1
            if name is None:
                continue
            tag = page[opens + 1 : name.end()].lower()
            if tag in _UNSEEN and page[end - 1] != "/" and (close := self.find(f"</{tag}", end)) >= 0:
                at = text_from = close
                continue
            attributes = {}
            if tag in ("blockquote",):
                found = _ATTRIBUTE.findall(page[name.end() : min(end, opens + 4_000)])
                attributes = {key.lower(): value.strip("\"'") for key, value in found}
            yield "", tag, attributes
        yield html.unescape(page[text_from:]), "", {}

    def _past_quotes(self, opens: int, end: int) -> int:
        """The end of a tag one of whose values holds a ">"."""
        for _ in range(3):
            inside = self.page[opens : min(end, opens + LONGEST_TAG)]
            if inside.count('="') == 0 or inside.count('"') % 2 == 0:
                return end
            further = self.page.find(">", end + 1, end + 2_000)
            if further < 0:
                return end
            end = further
        return end


_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w.:-]{2,40})", re.IGNORECASE)


def charset_in_html(data: bytes) -> str:
    """The charset that the page itself declares; "" without one."""
    found = _CHARSET.search(data[:4_000])
    return found[1].decode("ascii", "ignore") if found else ""
