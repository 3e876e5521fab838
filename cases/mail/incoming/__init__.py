"""Understands a raw message: who speaks in it, what they wrote, and what came with it (M6, M7). Pure: bytes in, values
out. Everything outside imports from here, never from the modules.

How a message is read, each module building on the ones before:

1. `charsets` makes text of bytes, whatever is declared, and `headers` reads header fields.
2. `parts` makes a flat list of parts of the bytes, with caps before anything recurses.
3. `html_text` makes lines of a page, and `own_words` tells own words from quoted ones.
4. `phrases` lists what machines say in eight languages, `reports` reads what mail servers report.
5. `kinds` says who speaks, and `reading` puts the message together.

6. `proof` says whether the sender's address is proven (M5a).

Nothing here finds the case that a message belongs to, or does anything about it.
"""

from cases.mail.incoming.message import AwayDays, IncomingMessage, MessageKind, ReceivedFile
from cases.mail.incoming.parts import LONGEST_MESSAGE
from cases.mail.incoming.proof import Proof, prove
from cases.mail.incoming.reading import html_of, read_message

__all__ = [
    "LONGEST_MESSAGE",
    "AwayDays",
    "IncomingMessage",
    "MessageKind",
    "Proof",
    "ReceivedFile",
    "html_of",
    "prove",
    "read_message",
]
