"""The transcript of a chat (P6), to its customer; and its words as the owner of the case reads them."""

from __future__ import annotations

from collections.abc import Sequence

from cases.chat.state import speaker
from cases.mail.letters import Letter, facts, to_contact
from cases.mail.phrases import Phrase, phrase
from cases.models import Interaction, QueueEntry
from contacts.reader import for_reader

#: Of a longer chat a mail holds the last lines; all of them stand on the case.
MOST_LINES = 300


def transcript(entry: QueueEntry, lines: Sequence[Interaction], why: Phrase) -> list[Letter]:
    """The chat to whoever had it (P6); nothing where no mail reaches them. The same lines are mailed once."""
    assert entry.case is not None, "a chat is about a case"
    customer = to_contact(entry.case, entry.contact)
    if customer is None or not lines:
        return []
    what = facts(
        entry.case,
        why=why,
        expected=phrase("Reply to this message if you have anything to add."),
        then=phrase("We keep you informed.")
        if entry.case.is_open
        else phrase("The case stays resolved unless you tell us otherwise."),
        lines=[
            {
                "said_at": line.at.isoformat(),
                "who": speaker(line),
                "said": line.body,
                "files": [file.name for file in line.attachments.all()],
            }
            for line in lines[-MOST_LINES:]
        ],
    )
    return [Letter(f"chat-transcript:{entry.pk}:{lines[-1].pk}", "chat_transcript", customer, what, entry.case)]


def as_text(lines: Sequence[Interaction]) -> str:
    """The lines with who wrote them and when, for staff."""
    return "\n\n".join(f"{speaker(line)}, {for_reader(line.at)}:\n{line.body}" for line in lines[-MOST_LINES:])
