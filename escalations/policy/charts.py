"""Where the bars, lines and words of a chart stand. Pure.

Across, places are percentages of the width, so that a drawing fits every screen and its words keep their size; down,
they are pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

#: Down: where the plot begins and ends, where the words below it stand, and how high all of it is.
TOP, BOTTOM, BELOW, HEIGHT = 18, 188, 208, 216
#: Of a chart that lies on its side: how high a row is, and its bar.
ROW, ROW_BAR = 42, 14
#: So many words fit below a chart on a phone.
MOST_WORDS = 6
#: The share of its place that a bar fills.
FILLED = 0.76
#: What a scale of durations ends at, in seconds.
_DURATIONS = (
    *(60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200),
    *(86_400, 172_800, 345_600, 691_200, 1_382_400, 2_592_000, 5_184_000, 15_552_000, 31_104_000),
)


@dataclass(frozen=True)
class ChartPoint:
    """A value of a series: how high, how it is said, and the list it leads to; None where there is nothing."""

    value: float | None
    title: str
    link: str = ""


@dataclass(frozen=True)
class Series:
    """Values for each of the labels of a chart."""

    label: str
    tone: str
    points: Sequence[ChartPoint]


@dataclass(frozen=True)
class Mark:
    """A bar, or a dot where `width` is 0: left edge and width in per cent, top and height in pixels."""

    x: float
    y: float
    width: float
    height: float
    tone: str
    title: str
    link: str


@dataclass(frozen=True)
class Stroke:
    x1: float
    y1: float
    x2: float
    y2: float
    tone: str


@dataclass(frozen=True)
class Word:
    """Something written: `anchor` is start, middle or end."""

    x: float
    y: float
    text: str
    anchor: str = "start"


@dataclass
class Drawing:
    """A chart that is ready to be drawn."""

    title: str
    says: str
    height: float = HEIGHT
    marks: list[Mark] = field(default_factory=list)
    strokes: list[Stroke] = field(default_factory=list)
    grid: list[float] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    legend: list[tuple[str, str]] = field(default_factory=list)


def nice_top(highest: float, is_duration: bool) -> float:
    """Where a scale ends that holds the highest value: a round number, whose half is one as well."""
    if is_duration:
        return next((top for top in _DURATIONS if top >= highest), float(highest))
    power = 1
    while True:
        for factor in (2, 4, 6, 8):
            if highest <= factor * power:
                return factor * power
        power *= 10


def _round(number: float) -> float:
    return round(number, 3)


def _scale(drawing: Drawing, top: float, said: Sequence[str]) -> None:
    """Lines at nothing, half and all, with what they stand for above them."""
    for share, text in zip((0.0, 0.5, 1.0), said, strict=True):
        y = BOTTOM - share * (BOTTOM - TOP)
        drawing.grid.append(_round(y))
        if text:
            drawing.words.append(Word(0, _round(y - 4), text))


def _labels(drawing: Drawing, labels: Sequence[str]) -> None:
    """Some of the labels, evenly, so that none touches another."""
    every = -(-len(labels) // MOST_WORDS)
    for n in range(0, len(labels), every):
        drawing.words.append(Word(_round((n + 0.5) * 100 / len(labels)), BELOW, labels[n], "middle"))


def _legend(series: Sequence[Series]) -> list[tuple[str, str]]:
    return [(one.label, one.tone) for one in series] if len(series) > 1 else []


def stacked(
    title: str, says: str, labels: Sequence[str], series: Sequence[Series], top: float, said: Sequence[str]
) -> Drawing:
    """Columns, each the sum of its series; `said` names nothing, half and all of the scale that ends at `top`."""
    drawing = Drawing(title, says, legend=_legend(series))
    _scale(drawing, top, said)
    place = 100 / max(1, len(labels))
    for n in range(len(labels)):
        below = float(BOTTOM)
        for one in series:
            point = one.points[n]
            height = (point.value or 0) / top * (BOTTOM - TOP)
            if point.value:
                below -= height
                x, width = (n + (1 - FILLED) / 2) * place, FILLED * place
                drawing.marks.append(
                    Mark(_round(x), _round(below), _round(width), _round(height), one.tone, point.title, point.link)
                )
    _labels(drawing, labels)
    return drawing


def lines(
    title: str, says: str, labels: Sequence[str], series: Sequence[Series], top: float, said: Sequence[str]
) -> Drawing:
    """A line for each series, with a dot at each value; it is broken where there is none."""
    drawing = Drawing(title, says, legend=_legend(series))
    _scale(drawing, top, said)
    place = 100 / max(1, len(labels))
    for one in series:
        dots = [
            None if point.value is None else ((n + 0.5) * place, BOTTOM - point.value / top * (BOTTOM - TOP), point)
            for n, point in enumerate(one.points)
        ]
        drawing.strokes += [
            Stroke(_round(start[0]), _round(start[1]), _round(end[0]), _round(end[1]), one.tone)
            for start, end in pairwise(dots)
            if start and end
        ]
        drawing.marks += [
            Mark(_round(dot[0]), _round(dot[1]), 0, 0, one.tone, dot[2].title, dot[2].link) for dot in dots if dot
        ]
    _labels(drawing, labels)
    return drawing


def lying(
    title: str, says: str, labels: Sequence[str], series: Sequence[Series], top: float, sums: Sequence[str]
) -> Drawing:
    """A row for each label, which may be a long name: its words, what it comes to, and below them its bar."""
    drawing = Drawing(title, says, height=ROW * len(labels) + 4, legend=_legend(series))
    for n, label in enumerate(labels):
        y = ROW * n
        drawing.words += [Word(0, y + 16, label), Word(100, y + 16, sums[n], "end")]
        x = 0.0
        for one in series:
            point = one.points[n]
            if point.value:
                width = point.value / top * 100
                drawing.marks.append(Mark(_round(x), y + 22, _round(width), ROW_BAR, one.tone, point.title, point.link))
                x += width
    return drawing
