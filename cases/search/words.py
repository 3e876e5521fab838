"""What counts as a word, for what is searched and for what somebody types; the same on every database. Pure.

A text is folded (width, case, accents) and cut into runs of letters and digits. Japanese and Chinese know no spaces:
their runs are cut into pairs of neighbouring characters, and what is typed has to have all of its pairs there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from cases.models.case import NUMBER_PREFIX, case_id_of

#: How many typed words are used, and how many tokens all of them may come to.
TYPED_WORDS = 6
TYPED_TOKENS = 48
#: How much of what somebody types is read; characters of a word that count; characters of a case that are searched.
LONGEST_TYPED = 400
LONGEST_WORD = 40
LONGEST_DOCUMENT = 250_000
#: Before a word of the title, a case's own number, and a part of a word. Folding leaves no such sign in any text.
TITLE_MARK, NUMBER_MARK, PART_MARK = "§", "№", "¦"
#: How many characters a part has.
PART = 3

_CJK = (
    "\u3040-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_ACCENTS = re.compile("[\u0300-\u036f]+")
_RUNS = re.compile(rf"(?P<cjk>[{_CJK}]+)|[^\W_{_CJK}]+")
#: A run as it was written: an accent may stand as a character of its own, and half-width kana become CJK by folding.
_WRITTEN = re.compile(rf"[{_CJK}\uff66-\uff9f]+|(?:[^\W_{_CJK}\uff66-\uff9f][\u0300-\u036f]*)+")


def folded(text: str) -> str:
    """The text without differences of width, case and accent: “ＣＡＦÉ” and “cafe” are the same word."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text)))


@dataclass(frozen=True)
class Run:
    """A run of letters and digits, folded."""

    text: str
    is_cjk: bool

    @property
    def tokens(self) -> list[str]:
        """What stands in the index for it: the word, or each pair of characters and the last character."""
        if not self.is_cjk:
            return [self.text[:LONGEST_WORD]]
        return [*self.pairs, self.text[-1]]

    @property
    def parts(self) -> list[str]:
        text = self.text[:LONGEST_WORD]
        return [PART_MARK + text[at : at + PART] for at in range(len(text) - PART + 1)]

    @property
    def pairs(self) -> list[str]:
        return [self.text[at : at + 2] for at in range(len(self.text) - 1)]


def runs_of(text: str) -> Iterator[Run]:
    """The words of a text in their order."""
    for found in _RUNS.finditer(folded(text)):
        yield Run(found.group(), found["cjk"] is not None)


def tokens_of(text: str) -> Iterator[str]:
    """What stands in the index for a text; a token may come several times."""
    for run in runs_of(text):
        yield from run.tokens


def part_tokens_of(text: str) -> Iterator[str]:
    """What stands in the index for the insides of words: every three neighbouring characters of each."""
    for run in runs_of(text):
        if not run.is_cjk:
            yield from run.parts


def document_text(tokens: Iterable[str]) -> str:
    """Tokens as a document keeps them: each once, with a space between, no more than may be searched."""
    return " ".join(dict.fromkeys(tokens))[:LONGEST_DOCUMENT]


@dataclass(frozen=True)
class SearchToken:
    """One token to look for; of a prefix every token that begins with it counts."""

    text: str
    is_prefix: bool = False

    def is_in(self, tokens: Collection[str]) -> bool:
        if self.is_prefix:
            return any(token.startswith(self.text) for token in tokens)
        return self.text in tokens


#: Tokens of which any one is enough.
Choice = tuple[SearchToken, ...]


@dataclass(frozen=True)
class Query:
    """What somebody looks for: every choice has to be met.

    `number` is the case whose number, or whose whole number and nothing else, was typed. `runs` are the typed words as
    they are to be marked; `by_parts`, wherever they stand inside of a word.
    """

    choices: tuple[Choice, ...] = ()
    runs: tuple[Run, ...] = ()
    number: int | None = None
    by_parts: bool = False

    def in_parts(self) -> Query | None:
        """The typed words anywhere inside of words; None if they are too short for that, or none is a word."""
        if not any(run.parts for run in self.runs if not run.is_cjk):
            return None
        choices = [choice for choice in self.choices if choice[0].text.startswith(NUMBER_MARK)]
        for run in self.runs:
            whole = run.is_cjk or not run.parts
            choices += _choices(run, is_last=False) if whole else [(SearchToken(part),) for part in run.parts]
        return replace(self, choices=tuple(dict.fromkeys(choices[:TYPED_TOKENS])), by_parts=True)

    def in_title(self) -> Query:
        """The same words, all of them in the title; a case's number stays what it is."""
        return replace(self, choices=tuple(tuple(map(_in_title, choice)) for choice in self.choices))

    def whole_words(self) -> Query:
        """The same without a word that may be incomplete."""
        whole = tuple(choice for choice in self.choices if not any(token.is_prefix for token in choice))
        return replace(self, choices=whole)

    def is_met_by(self, tokens: Collection[str]) -> bool:
        """Whether a document with these tokens is found."""
        return bool(self.choices) and all(any(token.is_in(tokens) for token in choice) for choice in self.choices)


def _in_title(token: SearchToken) -> SearchToken:
    return token if token.text.startswith(NUMBER_MARK) else replace(token, text=TITLE_MARK + token.text)


def parsed(typed: str) -> Query:
    """Read what somebody typed. No text is an error; one without a word finds nothing."""
    words = typed[:LONGEST_TYPED].replace("\0", " ").split()[:TYPED_WORDS]
    number = case_id_of(words[0]) if len(words) == 1 else None
    choices: list[Choice] = []
    runs: list[Run] = []
    for place, word in enumerate(words, start=1):
        named = case_id_of(word)
        if named is not None and word.upper().startswith(NUMBER_PREFIX):
            choices.append((SearchToken(f"{NUMBER_MARK}{named}"),))
            continue
        found = list(runs_of(word))
        runs += found
        for run in found[:-1]:
            choices += _choices(run, is_last=False)
        for run in found[-1:]:
            choices += _choices(run, is_last=place == len(words))
        if named is not None:
            choices[-1] = (*choices[-1], SearchToken(f"{NUMBER_MARK}{named}"))
    return Query(tuple(dict.fromkeys(choices[:TYPED_TOKENS])), tuple(runs), number)


def _choices(run: Run, is_last: bool) -> list[Choice]:
    """What a typed word asks for. The last word may be incomplete; a single CJK character stands in pairs as well."""
    if run.is_cjk:
        return [(SearchToken(pair),) for pair in run.pairs] or [(SearchToken(run.text, is_prefix=True),)]
    text = run.text[:LONGEST_WORD]
    return [(SearchToken(text, is_prefix=is_last and len(run.text) <= LONGEST_WORD),)]


# --- marking ----------------------------------------------------------------------------------------------------

#: A piece of a text, and whether it is one of the words looked for.
Piece = tuple[str, bool]


def marked(text: str, query: Query, around: int | None = None) -> list[Piece]:
    """The text in pieces, with the words looked for marked.

    With `around`, only so many characters before and after the first of them, from word to word; [] if there is none.
    """
    found = list(_found_spans(text, query))
    start, end = 0, len(text)
    if around is not None:
        if not found:
            return []
        start, end = _window(text, found[0][0], around)
    pieces: list[Piece] = [("… ", False)] if start else []
    at = start
    for begin, until in found:
        if until <= end:
            pieces += [(text[at:begin], False), (text[begin:until], True)]
            at = until
    pieces.append((text[at:end] + (" …" if end < len(text) else ""), False))
    return [piece for piece in pieces if piece[0]]


def _window(text: str, found_at: int, around: int) -> tuple[int, int]:
    start, end = max(0, found_at - around // 3), min(len(text), found_at + around)
    if start:
        space = text.find(" ", start, found_at)
        start = start if space < 0 else space + 1
    if end < len(text):
        space = text.rfind(" ", found_at + LONGEST_WORD, end)
        end = end if space < 0 else space
    return start, end


def _found_spans(text: str, query: Query) -> Iterator[tuple[int, int]]:
    """Where words looked for stand in the text as it was written, in order."""
    wanted = _wanted(query)
    cjk = sorted({run.text for run in query.runs if run.is_cjk}, key=len, reverse=True)
    for written in _WRITTEN.finditer(text):
        word = folded(written.group())
        if not _is_cjk(word):
            if wanted(word):
                yield written.span()
        elif cjk:
            yield from _found_in_cjk(written.start(), written.end(), word, cjk)


def _is_cjk(word: str) -> bool:
    found = _RUNS.match(word)
    return found is not None and found["cjk"] is not None


def _wanted(query: Query) -> Callable[[str], bool]:
    tokens = [token for choice in query.choices for token in choice]
    whole = {token.text for token in tokens if not token.is_prefix}
    begins = tuple(token.text for token in tokens if token.is_prefix)
    if query.by_parts:
        parts = [run.text for run in query.runs if run.parts and not run.is_cjk]
        return lambda word: word in whole or any(part in word for part in parts)
    return lambda word: word[:LONGEST_WORD] in whole or (bool(begins) and word.startswith(begins))


def _found_in_cjk(start: int, end: int, word: str, looked_for: list[str]) -> Iterator[tuple[int, int]]:
    """The places of the texts in a CJK run; all of the run where folding has changed its length."""
    places = [found.span() for found in re.finditer("|".join(map(re.escape, looked_for)), word)]
    if len(word) == end - start:
        yield from ((start + begin, start + until) for begin, until in places)
    elif places:
        yield start, end
