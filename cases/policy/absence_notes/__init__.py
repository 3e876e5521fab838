"""Reads the timeframe of an out-of-office note in English, German, French, Spanish, Italian, Portuguese, Dutch or
Japanese (F5). Pure: text in, days out. Everything outside imports from here, never from the modules.

How a note is read, each module building on the one before:

1. `vocabulary` lists the words of the eight languages under the tag that says what they mean here.
2. `tokens` cuts the note down to its own words and these into tagged tokens: a day, "until", "back", a sentence's end.
3. `claims` lets the tokens beside each day say whether it is the first or the last day away or the return, and
   decides on a timeframe if all claims agree.

A wrong date would make us write to somebody on holiday or sleep through their return, while no date only costs the
owner one question: what is not stated plainly, or is stated in two ways, is not read.
"""

from cases.policy.absence_notes.claims import FURTHEST_READ_RETURN, LONGEST_PHRASE, Timeframe, read_timeframe

__all__ = ["FURTHEST_READ_RETURN", "LONGEST_PHRASE", "Timeframe", "read_timeframe"]
