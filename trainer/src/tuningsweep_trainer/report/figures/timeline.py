"""The figure of which trial ran when, one row for each trial that ran at the same time."""

from collections.abc import Sequence

import altair as alt

from tuningsweep_trainer.report.figures.figure import (
    Column,
    Figure,
    Row,
    by_colour,
    by_shape,
    layered,
    outcomes_in,
    picked,
)
from tuningsweep_trainer.report.rows import TrialRow

ROW_HEIGHT = 28
MOST_HEIGHT = 620
MARK_WIDTH = 12
"""Pixels that a mark at the end of a bar takes."""
LEAST_WIDTH = 640
MARKED = 300
"""Trials up to which the end of each bar is marked by shape; with more the marks would cover the bars."""


def timeline_figure(rows: Sequence[TrialRow]) -> Figure:
    """Bars from start to end of each trial."""
    title = "Timeline"
    bars: list[Row] = [_bar(row, row.slot + 1) for row in rows if row.slot is not None]
    if not bars:
        return Figure("timeline", title, "No trial has started.", "", None)
    _mark_ends(bars)
    slots = max(int(bar["slot"]) for bar in bars)
    height = min(MOST_HEIGHT, max(3, slots) * ROW_HEIGHT)
    shown, chosen = outcomes_in(bars), picked()
    base = alt.Chart(alt.NamedData("bars"))
    y = alt.Y(
        "slot:O", title="slot", scale=alt.Scale(padding=0.25), axis=alt.Axis(grid=False, ticks=False, labelOverlap=True)
    )
    scale = alt.Scale(type="utc", nice=False)
    bar = base.mark_bar(cornerRadius=2 if len(bars) <= MARKED else 0).encode(
        x=alt.X("start:T", title="time (UTC)", scale=scale, axis=alt.Axis(tickCount=8, format=_time_format(rows))),
        x2="end:T",
        y=y,
        color=by_colour(shown),
        tooltip="trial:N",
        opacity=alt.when(chosen).then(alt.value(0.8)).otherwise(alt.value(0.1)),
    )
    layers = [bar.add_params(chosen)]
    if len(bars) <= MARKED:
        layers.append(
            base.transform_filter("datum.marked")
            .mark_point(filled=True, size=70, opacity=1, style="bar-end")
            .encode(x=alt.X("end:T", scale=scale), y=y, xOffset=alt.value(-7), shape=by_shape(shown), tooltip="trial:N")
        )
    return Figure(
        "timeline",
        title,
        "Each bar is a trial from its first start to its end; the mark at its end is its outcome's. A slot is a worker that"
        " runs one trial at a time. A trial that runs, or ran on more than one, is in the lowest slot that was free.",
        f"Bars of {len(bars)} trials over time in {slots} rows, coloured by outcome.",
        layered([*layers], height),
        {"bars": bars},
        (
            Column("trial", "trial"),
            Column("outcome", "outcome"),
            Column("start", "start (UTC)", "time"),
            Column("end", "end (UTC)", "time"),
            Column("slot", "slot", "number"),
            Column("worker", "worker"),
        ),
        least_width=LEAST_WIDTH,
        marks=len(bars),
    )


def _bar(row: TrialRow, slot: int) -> Row:
    worker = None if row.record is None else row.record.worker
    return {
        "trial": row.trial,
        "outcome": row.outcome,
        "start": row.start,
        "end": row.end,
        "slot": slot,
        "worker": worker or "",
    }


def _mark_ends(bars: list[Row]) -> None:
    """Choose the bars that are long enough for a mark at their end."""
    span = max(bar["end"] for bar in bars) - min(bar["start"] for bar in bars)
    for bar in bars:
        if bar["end"] - bar["start"] > span * MARK_WIDTH / LEAST_WIDTH:
            bar["marked"] = True


def _time_format(rows: Sequence[TrialRow]) -> str:
    """Seconds for a sweep of minutes, minutes for one of hours, days for a longer one."""
    starts = [row.start for row in rows if row.start is not None]
    seconds = (max(row.end or 0 for row in rows) - min(starts)) / 1000
    return "%H:%M:%S" if seconds < 1800 else "%H:%M" if seconds < 86_400 else "%d %b %H:%M"
