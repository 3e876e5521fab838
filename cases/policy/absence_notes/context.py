"""The part of the sentence, the sentence and the note around a day, and what they make of the day (F5)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from cases.policy.absence_notes.tokens import (
    BETWEEN_DAYS,
    JOINS,
    LINK_OF_SUFFIX,
    LINKS_OVER_ON,
    LONGEST_SENTENCE,
    PART_ENDS,
    Token,
    has_tag,
    part_before,
)
from cases.policy.absence_notes.vocabulary import WRITER_WORDS, Tag

#: "3.8. - 14.8." or "Absence period: 3-14 August" is enough; a longer sentence must name an absence or a return.
BARE_WORDS = 4


class DayRole(Enum):
    """What a day is in an absence."""

    START = auto()
    LAST = auto()
    RETURN = auto()
    UNEXPLAINED = auto()
    OPEN = auto()  # one of two possible days, or a doubtful one


@dataclass(frozen=True, slots=True)
class Note:
    """The tokens of a note, the place of its closing words (its length without any), whether it names its writer."""

    tokens: Sequence[Token]
    sign_off: int
    mentions_writer: bool

    @classmethod
    def of(cls, tokens: Sequence[Token]) -> Note:
        sign_off = next((at for at, token in enumerate(tokens) if token.tag is Tag.SIGN_OFF), len(tokens))
        return cls(tokens, sign_off, _mentions_writer(tokens))


class Context:
    """What stands around a day or a range of days: its part of the sentence, the sentence, the note."""

    def __init__(self, note: Note, first: int, last: int) -> None:
        tokens = note.tokens
        start, end = part_before(tokens, first), _part_after(tokens, last)
        sentence_start, sentence_end = _sentence_around(tokens, first, last)
        self.part_before, self.part_after = tokens[start:first], tokens[last + 1 : end]
        self.before = {token.tag for token in self.part_before}
        self.after = {token.tag for token in self.part_after}
        self.sentence_before, self.sentence_after = tokens[sentence_start:first], tokens[last + 1 : sentence_end]
        self.sentence = [*self.sentence_before, *self.sentence_after]
        self.note = note
        #: Its part of the sentence, but not what stands before another day and may belong to that.
        self.part = [*self.part_before, *(() if end < len(tokens) and tokens[end].tag is Tag.DATE else self.part_after)]
        following = tokens[sentence_end + 1 : sentence_end + 6]
        self.is_doubted_next = has_tag(following[:1], Tag.DOUBT) and not has_tag(following, Tag.DATE)
        self.signed_off = note.sign_off < first
        self.start, self.end = tokens[start].start, _end_of(tokens, last, end)

    def is_open(self) -> bool:
        """ "Around the 14th", "the 14th at the earliest", "perhaps on the 14th", "until the 14th. Maybe longer."."""
        near = self.sentence_after[:3]
        is_vague = Tag.VAGUE in self.before or has_tag(near, Tag.VAGUE) or self._has_condition()
        return is_vague or self.is_doubted_next or has_tag(self.sentence, Tag.DOUBT)

    def _has_condition(self) -> bool:
        """ "Back on the 20th; if it rains, on the 27th": an "if" leads from one day to another."""
        for tokens in (self.sentence_after, self.sentence_before[::-1]):
            tags = [token.tag for token in tokens]
            days = [at for at, tag in enumerate(tags) if tag in (Tag.DATE, Tag.NUMBER)]
            if days and Tag.IF in tags[: days[0]]:
                return True
        return False

    def is_bare(self) -> bool:
        """No more than the day and its link: "Until 14 or 15 August"."""
        return not any(token.tag in _CONTENT for token in self.sentence)

    def has_return_only(self) -> bool:
        tags = {token.tag for token in self.part}
        return bool(tags & {Tag.BACK, Tag.AGAIN}) and not tags & {Tag.AWAY, Tag.NOT}

    def after_comma(self) -> set[Tag]:
        """ "On Friday, 21 August, I am away": the part after the comma, when only the day stands before it."""
        if any(token.tag in _CONTENT for token in (*self.part_before, *self.part_after)):
            return set()
        following = self.sentence_after[len(self.part_after) + 1 :]
        return {token.tag for token in following[: _part_after(following, -1)]}

    def is_morning(self) -> bool:
        return has_tag(self.part_after[:3], Tag.MORNING)

    def is_return(self, link: Tag | None) -> bool:
        """That the customer is back on the day the link ties to it."""
        if link in (Tag.UNTIL, Tag.BEFORE, Tag.OF):
            return False
        tags = {token.tag for token in self.part}
        if tags & {Tag.NOT, Tag.NOT_BACK} and not self._is_until_return():
            return False
        if Tag.BACK in tags or self._is_back_again():
            return True
        if link not in (Tag.FROM, Tag.ON, Tag.AFTER):
            return False
        available = Tag.AVAILABLE in tags and not tags & {Tag.AWAY, Tag.LIMITED}
        return Tag.ANSWERS in tags or (link is not Tag.ON and available)

    def _is_until_return(self) -> bool:
        """ "I do not answer until I return on the 3rd", "nicht vor meiner Rückkehr am 3."."""
        tags = [token.tag for token in self.part_before]
        links = [at for at, tag in enumerate(tags) if tag in (Tag.UNTIL, Tag.BEFORE)]
        return bool(links) and Tag.NOT in tags[: links[-1]] and Tag.BACK in tags[links[-1] :]

    def _is_back_again(self) -> bool:
        """ "Wieder" for "wieder da", and not for "wieder im Urlaub"."""
        tags = [token.tag for token in self.part]
        return Tag.AGAIN in tags and Tag.AWAY not in tags[tags.index(Tag.AGAIN) :]

    def is_maybe_away_again(self) -> bool:
        """ "Then again from the 24th": back or away?"""
        tags = {token.tag for token in self.part}
        return Tag.AGAIN in self.before and not tags & {Tag.BACK, Tag.AVAILABLE, Tag.HANDLES, Tag.ANSWERS}

    def role_if_negated(self, link: Tag | None) -> DayRole | None:
        """RETURN for "not ... until", "not before" and "only from" that day, whatever the verb.

        LAST where "until" includes the day even then (German, French, Japanese); OPEN where it may be either, or may be
        about something else; None when the part is not negated or is about something else.
        """
        tags = {token.tag for token in self.part}
        negations = self._negations(link)
        if not negations or self.signed_off or tags & {Tag.EVENT, Tag.COLLEAGUE}:
            return None
        if tags & {Tag.BACK, Tag.NOT_BACK}:
            return DayRole.LAST if Tag.UNTIL_SUFFIX in tags else DayRole.RETURN
        if self._is_departure(negations[-1]):
            return DayRole.OPEN
        is_first = self.names_work() or _NOT_BEFORE.match(negations[0].word)
        if link not in (Tag.UNTIL, Tag.BEFORE) and (Tag.AWAY in tags or not is_first):
            return DayRole.OPEN  # "away only on the 14th"
        if Tag.AGAIN not in tags and not self._is_of_writer(negations[0]):
            return DayRole.OPEN if self.strength(link) else None
        if self.part_before and self.part_before[-1].word == "voor" and not self.names_work():
            return DayRole.OPEN  # Dutch "voor" is "for" too
        return self._role_of_not_until(negations) if link is Tag.UNTIL else DayRole.RETURN

    def names_work(self) -> bool:
        """That the part names the work of somebody who is back."""
        return any(token.tag in _WORK for token in self.part)

    def is_negated(self, link: Tag | None) -> bool:
        return bool(self._negations(link))

    def _negations(self, link: Tag | None) -> list[Token]:
        """The tokens that make the day a "not until", "not before" or "only from"."""
        links = [token for token in self.part if token.tag in (Tag.NOT_BEFORE, Tag.NOT_BEFORE_SUFFIX)]
        if link is Tag.NOT_BEFORE and links:
            # "Que le 14" is "only on" after a "ne".
            return links if not links[-1].word.startswith("qu") or Tag.NOT in self.before else []
        if Tag.ONLY in self.before and link in (Tag.ON, Tag.FROM, Tag.AFTER, None):
            return [token for token in self.part_before if token.tag is Tag.ONLY]
        if link not in (Tag.UNTIL, Tag.BEFORE):
            return []
        link_word = next((token.word for token in reversed(self.part_before) if token.tag is link), "")
        portuguese = link_word.startswith(("ate", "antes do")) or link_word == "antes de"
        # "Until 14 August I will not answer"; in Japanese the verb always follows.
        is_japanese = has_tag(self.part_after, Tag.UNTIL_SUFFIX)
        leads = is_japanese or not any(token.tag in _CONTENT for token in self.part_before)
        return [token for token in (self.part if leads else self.part_before) if _is_negation(token, portuguese)]

    def _is_departure(self, negation: Token) -> bool:
        """ "Not away until", "I do not leave before": the day begins the absence, if anything."""
        after = (token for token in self.part if token.start > negation.start)
        return has_tag(after, Tag.AWAY) or any(_LEAVES.fullmatch(token.word) for token in self.part)

    def _is_of_writer(self, negation: Token) -> bool:
        """ "I do not", or no subject at all: "not available until"; "your mail will not be read"."""
        first = next((token for token in self.part if token.tag not in _PASSED_AT_START), negation)
        if first.start >= negation.start or _mentions_writer(self.sentence):
            return True
        handles = has_tag(self.part, Tag.HANDLES) or has_tag(self.part, Tag.ANSWERS)
        is_japanese = any(token.tag in LINK_OF_SUFFIX for token in self.part_after)
        return handles and (is_japanese or any(_MAIL.fullmatch(token.word) for token in self.part))

    def _role_of_not_until(self, negations: Sequence[Token]) -> DayRole | None:
        until = next((token.word for token in reversed(self.part_before) if token.tag is Tag.UNTIL), "")
        is_phrase = all(token.tag is Tag.AWAY for token in negations)
        if any(_INCLUSIVE.match(token.word) for token in self.part_after[:2]):
            return DayRole.LAST
        if _UNTIL_EXCLUDES.fullmatch(until):
            # In "I am on leave with no access until 14 August" the day ends the leave.
            is_aside = all(token.word.startswith("no ") for token in negations)
            before = (token for token in self.sentence_before if token.start < negations[0].start)
            return None if is_aside and has_tag(before, Tag.AWAY) else DayRole.RETURN
        if _UNTIL_MAY_EXCLUDE.fullmatch(until):
            return None if is_phrase and not any(_NOT_IN.match(token.word) for token in negations) else DayRole.OPEN
        return DayRole.LAST if {token.tag for token in self.part} & {Tag.HANDLES, Tag.ANSWERS} else None

    def strength(self, link: Tag | None = None) -> bool | None:
        """True when the sentence is about the absence, False when it may be, None when about something else."""
        tags = {token.tag for token in self.sentence}
        away = bool(tags & {Tag.AWAY, Tag.LIMITED}) or {Tag.NOT, Tag.AVAILABLE} <= tags
        if self.is_of_somebody_else() or (Tag.EVENT in tags and not away):
            return None
        if away or tags & {Tag.BACK, Tag.NOT_BACK, Tag.AGAIN}:
            return True
        if tags & {Tag.CONTACT, Tag.COLLEAGUE}:
            return False
        words = sum(token.tag in _WORDS for token in self.sentence)
        if Tag.AVAILABLE in tags or Tag.ANSWERS in tags:
            return True if self.is_return(link) else None
        return None if self.signed_off or words > BARE_WORDS else False

    def is_of_somebody_else(self) -> bool:
        """ "My colleague Ann is back on the 3rd", but not "Please contact my colleague until I am back on the 3rd"."""
        if self._names_somebody() and not _mentions_writer(self.sentence) and self.note.mentions_writer:
            return True
        tags = [token.tag for token in self.sentence_before]
        if Tag.COLLEAGUE not in tags or Tag.CONTACT in tags:
            return False
        colleague = tags.index(Tag.COLLEAGUE)
        others = [
            *self.sentence_before[: max(0, colleague - 1)],
            *self.sentence_before[colleague:],
            *self.sentence_after,
        ]
        return not _mentions_writer(others)

    def _names_somebody(self) -> bool:
        """ "Ann is back on the 3rd", and not "Das Büro ist geschlossen"."""
        before = self.sentence_before
        return any(
            _IS.fullmatch(verb.word) and name.is_capital and name.tag is Tag.WORD and not _ARTICLE.fullmatch(article)
            for article, name, verb in zip(("", *(token.word for token in before)), before, before[1:], strict=False)
        )


_WORK = frozenset({Tag.BACK, Tag.NOT_BACK, Tag.AGAIN, Tag.AVAILABLE, Tag.HANDLES, Tag.ANSWERS})
_NOT_BEFORE = re.compile("erst|so |solo [prv]|soltanto p")
_ENDS = frozenset({Tag.STOP, Tag.SIGN_OFF})
_IS = re.compile("is|will|ist|wird|est|sera|esta|estara|sara|torna|rientra|vuelve|regresa|volta|revient")
_ARTICLE = re.compile("the|das|die|der|unser|unsere|our|le|la|les|el|il|lo|o|a|het|de")
_LEAVES = re.compile(
    "wait|leav(?:e|ing)|start(?:ing)?|fly|warten|fahren?|(?:ab|ver)?reisen?|fliegen?|attendre|pars|partirai|partons"
    "|esperar|salgo|viajo|viajare|marcho|parto|partiro|viajarei|partirei|saio|vertrek|vertrekken|reis|reizen|wachten"
)
_MAIL = re.compile(
    "e-?mails?|mails?|messages?|inbox|mailbox|requests?|tickets?|replies|nachrichten?|anfragen?|messagerie|courriels?"
    "|demandes?|correos?|mensajes?|consultas?|posta|messaggi|messaggio|richieste?|mensagem|mensagens|pedidos?|bericht"
    "|berichten|vraag|vragen|antwort|reponse|respuesta|risposta|resposta|antwoord|reactie|nothing"
)
_INCLUSIVE = re.compile("incl|inkl|einschl|compres|compris|ambos|both|と含")
_UNTIL_EXCLUDES = re.compile("until|till|til|up until|hasta(?: el| el dia)?")
_UNTIL_MAY_EXCLUDE = re.compile("(?:fino|sino|ate)(?: .*)?|tot")
_NOT_IN = re.compile("(?:non|nao) (?:sar|sono|esta|estou)")
#: What was an unknown word before it had a tag of its own, and counts as one.
_WORDS = frozenset({Tag.WORD, Tag.HANDLES, Tag.ONLY, Tag.DOUBT, Tag.IF, Tag.NOW, Tag.PERIOD, Tag.FAR, Tag.OR})
_CONTENT = frozenset(
    {Tag.WORD, Tag.HANDLES, Tag.ANSWERS, Tag.ONLY, Tag.PERIOD, Tag.FAR, Tag.AWAY, Tag.AVAILABLE, Tag.BACK, Tag.NOT}
) | {Tag.CONTACT}
_PASSED_AT_START = BETWEEN_DAYS | JOINS | LINKS_OVER_ON | {Tag.DATE, Tag.NOW} - {Tag.NOT_BEFORE}


def _is_negation(token: Token, portuguese: bool) -> bool:
    """ "No" is "on the" in Portuguese; "not available" is one token."""
    if token.tag in (Tag.NOT, Tag.NOT_BACK):
        return True
    if token.word == "no":
        return not portuguese
    return token.tag is Tag.AWAY and token.word.split()[0] in ("not", "no", "non", "nao", "nicht", "niet", "pas")


def _mentions_writer(tokens: Sequence[Token]) -> bool:
    return any(word in WRITER_WORDS for token in tokens for word in token.word.split())


def _part_after(tokens: Sequence[Token], at: int) -> int:
    ends = PART_ENDS | {Tag.COLON, Tag.SHORT_LINE}
    limit = min(len(tokens), at + LONGEST_SENTENCE)
    return next((here for here in range(at + 1, limit) if tokens[here].tag in ends), limit)


def _sentence_around(tokens: Sequence[Token], first: int, last: int) -> tuple[int, int]:
    earliest, latest = max(0, first - LONGEST_SENTENCE), min(len(tokens), last + LONGEST_SENTENCE)
    start = next((here + 1 for here in range(first - 1, earliest - 1, -1) if tokens[here].tag in _ENDS), earliest)
    return start, next((here for here in range(last + 1, latest) if tokens[here].tag in _ENDS), latest)


def _end_of(tokens: Sequence[Token], last: int, after: int) -> int:
    """The phrase goes on to a まで or a "wieder da" behind the day."""
    shown = {*LINK_OF_SUFFIX, Tag.BACK, Tag.AGAIN, Tag.ANSWERS, Tag.AVAILABLE, Tag.AWAY}
    return max([tokens[last].end, *(token.end for token in tokens[last + 1 : after] if token.tag in shown)])
