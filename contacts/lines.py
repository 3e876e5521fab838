"""The support lines as the vendor's guide publishes them (D4); loaded once, then edited in the admin."""

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """A line: its name, the country it serves ("" for callers from everywhere else) and its number."""

    name: str
    country: str
    number: str


#: D4; L3 is reached through the same lines.
PUBLISHED_LINES = (
    Line("US", "US", "(800) 546-5750"),
    Line("United Kingdom", "GB", "(800) 085-3140"),
    Line("France", "FR", "(800) 944-304"),
    Line("India", "IN", "(800) 440-7016"),
    Line("New Zealand", "NZ", "(050) 861-7047"),
    Line("Australia", "AU", "(800) 713-826"),
    Line("International", "", "(215) 664-1615"),
)
