"""The figure of parallel coordinates: a line for each trial over parameters, objective, memory and step time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from tuningsweep_api.pareto import spread
from tuningsweep_api.spec.search_space import Distribution
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import ParameterValue
from tuningsweep_trainer.report.figures.figure import (
    Column,
    Figure,
    Row,
    by_colour,
    compact,
    hovered,
    layered,
    mebibytes,
    outcomes_in,
    picked,
)
from tuningsweep_trainer.report.rows import TrialRow, best_row

ABOUT = (
    "Each line is a trial; the thickest one is the best. Point at a line to see its trial; where a trial has no value,"
    " its line is broken."
)
HEIGHT = 360
MOST_LINES = 600
AXIS_WIDTH = 110
"""Pixels between two axes at least."""
MOST_LABELS = 12
TITLE_LENGTH, LABEL_LENGTH = 18, 14
LOG_RATIO = 50.0
"""Values that span more than this are shown on a log axis."""


@dataclass(frozen=True)
class Axis:
    """One vertical axis; positions are from 0 (bottom) to 1."""

    title: str
    positions: list[float | None]
    """Of each trial."""
    ticks: list[tuple[float, str]]


def parallel_figure(rows: Sequence[TrialRow], sweep: TuningSweep) -> Figure:
    """All trials that ended, or evenly spread ones of more than can be told apart, and the best in any case."""
    title = "Parallel coordinates"
    ended = [row for row in rows if row.record is not None]
    if not ended:
        return Figure("parallel", title, "No trial has ended.", "", None)
    best = best_row(rows, sweep.spec.objective)
    chosen = set(spread([row.trial for row in ended], MOST_LINES)) | ({best.trial} if best else set())
    drawn = [row for row in ended if row.trial in chosen]
    axes = make_axes(drawn, sweep)
    lines = [
        {
            "trial": row.trial,
            "outcome": row.outcome,
            "axis": number,
            "at": None if position is None else round(position, 4),
            **({"best": True} if best and row.trial == best.trial else {}),
        }
        for number, axis in enumerate(axes)
        for row, position in zip(drawn, axis.positions, strict=True)
    ]
    ticks = [{"axis": number, "at": at, "label": label} for number, axis in enumerate(axes) for at, label in axis.ticks]
    titles = [{"axis": number, "title": shortened(axis.title, TITLE_LENGTH)} for number, axis in enumerate(axes)]
    about = ABOUT
    if len(drawn) < len(ended):
        about += f" {len(drawn)} of {len(ended)} trials are drawn, evenly spread over the sweep."
    return Figure(
        "parallel",
        title,
        about,
        f"Lines of {len(drawn)} trials over {len(axes)} axes: {', '.join(axis.title for axis in axes)}.",
        _chart(len(axes), lines, len(drawn)),
        {"lines": lines, "ticks": ticks, "titles": titles},
        (Column("trial", "trial"), Column("outcome", "outcome")),
        least_width=AXIS_WIDTH * len(axes),
    )


def make_axes(rows: Sequence[TrialRow], sweep: TuningSweep) -> list[Axis]:
    """An axis for each parameter in the order of the spec, then for what was measured."""
    log = {p.name for p in sweep.spec.parameters if p.feasible_space.distribution is Distribution.LOG_UNIFORM}
    names = [p.name for p in sweep.spec.parameters]
    axes = [make_axis(name, [row.parameters.get(name) for row in rows], log=name in log) for name in names]
    axes += [
        make_axis(sweep.spec.objective.objective_metric_name, [row.objective for row in rows]),
        make_axis("memory (MiB)", [mebibytes(row.memory) for row in rows]),
        make_axis("mean step (ms)", [None if row.step is None else compact(row.step * 1000, 3) for row in rows]),
    ]
    return axes


def make_axis(title: str, values: Sequence[ParameterValue | None], *, log: bool = False) -> Axis:
    """Numbers on a linear or log axis, anything else as places in a row, in the order of first use."""
    known = [value for value in values if value is not None]
    numbers = [float(value) for value in known if not isinstance(value, str)]
    if len(numbers) != len(known) or not all(math.isfinite(number) for number in numbers):
        return _categories(title, values)
    if not numbers:
        return Axis(title, [None] * len(values), [])
    low, high = min(numbers), max(numbers)
    if not math.isfinite(high - low):
        return _categories(title, values)
    log = low > 0 and (log or math.log(high) - math.log(low) > math.log(LOG_RATIO))

    def place(value: float) -> float:
        if high == low:
            return 0.5
        return (
            (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
            if log
            else (value - low) / (high - low)
        )

    positions = [None if value is None else place(float(value)) for value in values]
    distinct = sorted(set(numbers))
    if len(distinct) > 5:
        shares = (0.0, 0.25, 0.5, 0.75, 1.0)
        distinct = [
            math.exp(math.log(low) + (math.log(high) - math.log(low)) * share) if log else low + (high - low) * share
            for share in shares
        ]
    return Axis(title, positions, _apart([(place(number), plain(number)) for number in distinct]))


def plain(value: float) -> str:
    """A number in few characters, without an exponent where it needs none."""
    return f"{value:.0f}" if 100 <= abs(value) < 1e6 else f"{value:.3g}"


def shortened(text: str, length: int) -> str:
    """Text that fits over an axis."""
    return text if len(text) <= length else text[: length - 1] + "…"


def _categories(title: str, values: Sequence[ParameterValue | None]) -> Axis:
    texts = [None if value is None else str(value) for value in values]
    found = list(dict.fromkeys(text for text in texts if text is not None))
    places = {text: 0.5 if len(found) == 1 else index / (len(found) - 1) for index, text in enumerate(found)}
    labelled = spread(found, MOST_LABELS)
    ticks = [(places[text], shortened(text, LABEL_LENGTH)) for text in labelled]
    return Axis(title, [None if text is None else places[text] for text in texts], ticks)


def _apart(ticks: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Ticks without those whose labels would lie on the one below; the highest stays."""
    kept: list[tuple[float, str]] = []
    for tick in reversed(ticks):
        if not kept or kept[-1][0] - tick[0] > 0.05:
            kept.append(tick)
    return kept


def _chart(axes: int, lines: Sequence[Row], trials: int) -> dict[str, Any]:
    shown, chosen, under = outcomes_in(lines), picked(), hovered()
    x_scale = alt.Scale(domain=[-0.35, axes - 0.65 + 0.2], nice=False)
    x = alt.X("axis:Q", scale=x_scale, axis=None)
    y = alt.Y("at:Q", scale=alt.Scale(domain=[-0.04, 1.12], nice=False), axis=None)
    base = alt.Chart(alt.NamedData("lines"))
    faint = 0.8 if trials <= 40 else 0.4 if trials <= 200 else 0.2
    line = (
        base.mark_line(strokeJoin="round")
        .encode(
            x=x,
            y=y,
            detail="trial:N",
            color=by_colour(shown),
            tooltip="trial:N",
            opacity=alt.when(under).then(alt.value(1)).when(chosen).then(alt.value(faint)).otherwise(alt.value(0.04)),
            strokeWidth=alt.when(under).then(alt.value(4)).otherwise(alt.value(1.5)),
        )
        .add_params(chosen, under)
    )
    best = (
        base.transform_filter("datum.best").mark_line(style="front", strokeWidth=4).encode(x=x, y=y, tooltip="trial:N")
    )
    ticks = alt.Chart(alt.NamedData("ticks"))
    titles = alt.Chart(alt.NamedData("titles"))
    upright = (
        titles.transform_calculate(low="0", high="1")
        .mark_rule(style="axis-line")
        .encode(x=x, y=alt.Y("low:Q", scale=alt.Scale(domain=[-0.04, 1.12], nice=False), axis=None), y2="high:Q")
    )
    texts = [
        ticks.mark_text(style=style, align="left", dx=7).encode(x=x, y=y, text="label:N")
        for style in ("halo", "tick-label")
    ]
    marks = ticks.mark_tick(style="axis-line", orient="horizontal", size=8, thickness=1).encode(x=x, y=y)
    heads = (
        titles.transform_calculate(at="1.08")
        .mark_text(style="axis-title", baseline="bottom")
        .encode(x=x, y=y, text="title:N")
    )
    return layered([upright, line, best, marks, *texts, heads], HEIGHT)
