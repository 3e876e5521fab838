"""Reads the timeframe of an out-of-office note in English, German, French, Spanish, Italian, Portuguese, Dutch or
Japanese (F5). Pure: text in, days out. Everything outside imports from here, never from the modules.

How a note is read, each module building on the ones before:

1. `vocabulary` lists the words of the eight languages under the tag that says what they mean here.
2. `body` cuts off the markup and the mail that the note answers or forwards.
3. `tokens` cuts the rest into tagged tokens: a day, "until", "back", a sentence's end.
4. `context` is what stands around a day, and `claims` what it makes the day: the first or last day away, the return.
5. `dates` turns days as they are written into dates, and `reading` decides on a timeframe if all claims agree.

A wrong date would make us write to somebody on holiday or sleep through their return, while no date only costs the
owner one question: what is not stated plainly, or is stated in two ways, is not read.
"""

from cases.policy.absence_notes.dates import FURTHEST_READ_RETURN
from cases.policy.absence_notes.reading import LONGEST_PHRASE, Timeframe, UnreadReason, read_or_ask, read_timeframe

__all__ = ["FURTHEST_READ_RETURN", "LONGEST_PHRASE", "Timeframe", "UnreadReason", "read_or_ask", "read_timeframe"]
