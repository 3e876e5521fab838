"""What a mail server has refused for good in a round of delivery, until it shows whose trouble that is (M2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cases.mail.connections import Sending
from cases.mail.server import NotTaken
from cases.models import Mail
from cases.policy.mail_refusals import Whose

#: So many readers who are refused one after the other, none taken between them, mean that the server refuses everybody.
REFUSALS_IN_A_ROW = 3
#: So many refusals in a row end a round, whether they are new or not.
REFUSALS_IN_A_ROUND = 20
#: A refusal that speaks of us counts as the message's own when it has lasted so long, while others are taken.
OWN_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class RefusedMail:
    """A message that was refused in this round, or refused `again` after another one was taken.

    `after` is the number of the last message that was handed over by then: only a later one shows something.
    """

    sending: Sending
    error: NotTaken
    again: bool
    after: int

    @property
    def mail(self) -> Mail:
        """The message."""
        return self.sending.mail


@dataclass
class RefusalVerdict:
    """What a message that was taken shows about those that were refused before."""

    own: list[RefusedMail] = field(default_factory=list)  # they have failed
    servers: list[RefusedMail] = field(default_factory=list)  # they are held
    unknown: list[RefusedMail] = field(default_factory=list)  # tried once more at once: the server may have got well


class Refusals:
    """The refused messages of a round of which nothing is known yet."""

    def __init__(self) -> None:
        self._open: list[RefusedMail] = []
        self._retried: set[int] = set()

    @property
    def open(self) -> int:
        """How many there are."""
        return len(self._open)

    def add(self, sending: Sending, error: NotTaken, after: int) -> RefusedMail | None:
        """Keep a refused message until something shows whose trouble it is; it is returned if this shows already:
        refused again, and held since an earlier round.
        """
        refused = RefusedMail(sending, error, sending.mail.pk in self._retried, after)
        if refused.again and refused.mail.held_up_at is not None:
            return refused
        self._open.append(refused)
        return None

    def retry(self, refused: RefusedMail) -> None:
        """It is tried once more now."""
        self._retried.add(refused.mail.pk)

    @property
    def of_everybody(self) -> bool:
        """Whether the server seems to refuse everybody; asked when nothing is under way, because of messages that were
        sent at once the refused ones come back first.

        A refusal follows another in a row if its message was handed over after the other was known.
        """
        readers: set[str] = set()
        after = 0
        for one in self._open:
            is_new = not one.again and one.mail.held_up_at is None
            if is_new and one.sending.number > after:
                readers.add(one.mail.to_address.lower())
                after = one.after
        return len(readers) >= REFUSALS_IN_A_ROW or len(self._open) >= REFUSALS_IN_A_ROUND

    def judge(self, taken: Sending, now: datetime) -> RefusalVerdict:
        """The server has taken a message: what it refused before that was handed over is judged, and let go."""
        verdict, still_open = RefusalVerdict(), []
        for refused in self._open:
            if taken.number <= refused.after:
                still_open.append(refused)
            elif refused.error.whose is Whose.SERVER and not _is_own_by_now(refused.mail, taken.mail, now):
                verdict.servers.append(refused)
            elif refused.again:
                verdict.own.append(refused)
            else:
                verdict.unknown.append(refused)
        self._open = still_open
        return verdict

    def take_lonely(self) -> list[RefusedMail]:
        """Those that were clearly refused for their address, for a round with nothing else to send; they are let go."""
        lonely = [one for one in self._open if one.error.whose is Whose.OWN and one.mail.held_up_at is None]
        self._open = [one for one in self._open if one not in lonely]
        return lonely

    def take_all(self) -> list[RefusedMail]:
        """All that are left, at the end of the round; they are let go."""
        left, self._open = self._open, []
        return left


def _is_own_by_now(refused: Mail, taken: Mail, now: datetime) -> bool:
    """Whether a refusal that speaks of us is the message's own all the same: its neighbours pass, or for long."""
    since = refused.held_up_at
    return _domain(refused) == _domain(taken) or (since is not None and now - since > OWN_AFTER)


def _domain(mail: Mail) -> str:
    return mail.to_address.rpartition("@")[2].lower()
