"""What a figure of the report consists of, and the encodings that all of them share."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import altair as alt

from tuningsweep_trainer.report.figures.theme import OUTCOMES

Row = dict[str, Any]
MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table behind a figure."""

    key: str
    title: str
    kind: str = "text"
    """How values are shown: text, number, mebibytes, seconds or time."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart over named data sets, with the words around it."""

    name: str
    """For its address in the page and its PNG's file name."""
    title: str
    about: str
    """What to see in it, a sentence or two."""
    alt: str
    """What it shows, for those who don't see it."""
    chart: dict[str, Any] | None
    """Vega-Lite without data and theme; None where there is nothing to draw; `about` then says why."""
    data: dict[str, list[Row]] = field(default_factory=dict)
    """Rows by data set; the first one is the table behind the figure."""
    columns: tuple[Column, ...] = ()
    least_width: int = 0
    """Pixels below which it is scrolled rather than made smaller."""
    marks: int = 0
    """Points or bars in it, one for each trial; lines are few and not counted."""


def layered(layers: Iterable[alt.Chart], height: int) -> dict[str, Any]:
    """Layers as one chart, as wide as the page."""
    chart: dict[str, Any] = alt.layer(*layers).properties(width="container", height=height).to_dict()
    chart.pop("config", None)
    return chart


def outcomes_in(rows: Iterable[Row]) -> list[str]:
    """Outcomes that occur, in the order of the palette: what a legend shows."""
    there = {row["outcome"] for row in rows}
    return [str(outcome) for outcome in OUTCOMES if outcome in there]


def by_colour(shown: list[str]) -> alt.Color:
    """Outcome as colour, each outcome's the same in every figure."""
    return alt.Color("outcome:N", scale=_scale(), legend=alt.Legend(values=shown))


def by_shape(shown: list[str]) -> alt.Shape:
    """Outcome as shape, in one legend with the colour."""
    return alt.Shape("outcome:N", scale=_scale(), legend=alt.Legend(values=shown))


def _scale() -> alt.Scale:
    return alt.Scale(domain=[str(outcome) for outcome in OUTCOMES])


def hovered() -> alt.Parameter:
    """The trial under the pointer."""
    return alt.selection_point(name="hovered", fields=["trial"], on="pointerover", clear="pointerout", empty=False)


def picked() -> alt.Parameter:
    """The outcome chosen in the legend; everything until one is."""
    return alt.selection_point(name="picked", fields=["outcome"], bind="legend")


def compact(value: float | None, digits: int = 5) -> float | None:
    """A number with as many digits as a figure can show, so that the page stays small."""
    return None if value is None else float(f"{value:.{digits}g}")


def mebibytes(value: int | None) -> float | None:
    """Bytes as MiB."""
    return None if value is None else round(value / MIB, 1)
