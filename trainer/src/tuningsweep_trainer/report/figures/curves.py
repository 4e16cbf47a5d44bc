"""Figures of memory and step time of trials over their own time, against the limits that held."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import altair as alt

from tuningsweep_api.spec.limits import Limits
from tuningsweep_trainer.report.figures.figure import (
    MIB,
    Column,
    Figure,
    Row,
    by_colour,
    by_shape,
    compact,
    hovered,
    layered,
    outcomes_in,
    picked,
)
from tuningsweep_trainer.report.limits import LimitPeriod
from tuningsweep_trainer.report.words import span

HEIGHT = 340


@dataclass(frozen=True, slots=True)
class Curve:
    """What one figure of curves shows."""

    name: str
    title: str
    key: str
    """Column of the curve rows."""
    axis: str
    kind: str
    """Kind of the column, as in `Column`."""
    unit: str
    factor: float
    """From bytes or seconds to the unit."""
    log: bool
    limit: Callable[[Limits], float | None]
    about: str


MEMORY = Curve(
    "memory",
    "Memory",
    "memory",
    "memory (MiB)",
    "mebibytes",
    "MiB",
    1 / MIB,
    False,
    lambda limits: limits.memory_bytes,
    "RSS less shared pages of a trial's processes.",
)
MEAN_STEP = Curve(
    "mean-step-time",
    "Mean step time",
    "mean",
    "mean step time (ms)",
    "milliseconds",
    "ms",
    1000.0,
    True,
    lambda limits: limits.mean_step_seconds,
    "Over the window of the limits. A curve begins once a trial has done its first steps.",
)
STEP = Curve(
    "longest-step",
    "Longest step",
    "longest",
    "longest step so far (ms)",
    "milliseconds",
    "ms",
    1000.0,
    True,
    lambda limits: limits.step_seconds,
    "The longest time that any look so far saw a step take; a hanging step climbs until it is stopped.",
)


def curves_figure(
    curve: Curve, points: Sequence[Row], limits: Sequence[LimitPeriod], start: int, left_out: int
) -> Figure:
    """Curves of one quantity; `start` is the sweep's, to say since when a limit held; `left_out` trials are not drawn."""
    shown = ("trial", "outcome", "process", "seconds", curve.key, "last")
    drawn = [{key: row[key] for key in shown if key in row} for row in points if row[curve.key] is not None]
    if not drawn:
        return Figure(curve.name, curve.title, "No trace of it is on record for this sweep.", "", None)
    trials = len({row["trial"] for row in drawn})
    heights = [row[curve.key] for row in drawn] + [_limit_value(curve, period) for period in limits]
    lines = _lines(curve, drawn, trials, heights)
    data: dict[str, list[Row]] = {"points": drawn}
    if limits:
        data["limits"] = [
            {"limit": _limit_value(curve, period), "label": _limit_label(curve, period, start, several=len(limits) > 1)}
            for period in limits
        ]
    about = f"{curve.about} Dashed: the limit. The mark at a curve's end is the trial's outcome."
    if left_out:
        about += (
            f" {left_out} more trials are not drawn: half of the room is for trials over a limit, and what is drawn is"
            " evenly spread over the sweep."
        )
    held = ", ".join(f"{_limit_value(curve, period):g} {curve.unit}" for period in limits) or "none"
    return Figure(
        curve.name,
        curve.title,
        about,
        f"Curves of {curve.title.lower()} of {trials} trials over the seconds since each began; limit: {held}.",
        layered([*lines, *(_limit_layers() if limits else [])], HEIGHT),
        data,
        (
            Column("trial", "trial"),
            Column("outcome", "outcome"),
            Column("seconds", "since its start", "seconds"),
            Column(curve.key, curve.title.lower(), curve.kind),
        ),
    )


def _lines(curve: Curve, drawn: Sequence[Row], trials: int, heights: Sequence[float]) -> list[alt.Chart]:
    shown, chosen, under = outcomes_in(drawn), picked(), hovered()
    base = alt.Chart(alt.NamedData("points"))
    faint = 0.9 if trials <= 20 else 0.7 if trials <= 100 else 0.45
    top = max(heights) * (1.8 if curve.log else 1.1)  # room for a limit's label
    scale = (
        alt.Scale(type="log", domain=[min(heights), top], nice=False)
        if curve.log
        else alt.Scale(domain=[0, top], nice=False)
    )
    x = alt.X(
        "seconds:Q",
        title="time since the trial's start (s)",
        axis=alt.Axis(grid=False),
        scale=alt.Scale(zero=True, nice=False),
    )
    axis = alt.Axis(format="~g", values=_log_ticks(heights)) if curve.log else alt.Axis(tickCount=6)
    y = alt.Y(f"{curve.key}:Q", title=curve.axis, scale=scale, axis=axis)
    line = (
        base.mark_line(clip=True)
        .encode(
            x=x,
            y=y,
            detail="process:N",
            color=by_colour(shown),
            tooltip="trial:N",
            opacity=alt.when(chosen).then(alt.value(faint)).otherwise(alt.value(0.06)),
            strokeWidth=alt.when(under).then(alt.value(3.5)).otherwise(alt.value(1.6)),
        )
        .add_params(chosen, under)
    )
    end = (
        base.transform_filter("datum.last")
        .mark_point(filled=True, size=60 if trials <= 80 else 30)
        .encode(
            x=x,
            y=y,
            color=by_colour(shown),
            shape=by_shape(shown),
            tooltip="trial:N",
            opacity=alt.when(chosen).then(alt.value(1)).otherwise(alt.value(0.06)),
        )
    )
    return [line, end]


def _limit_layers() -> list[alt.Chart]:
    base = alt.Chart(alt.NamedData("limits"))
    rule = base.mark_rule(style="limit").encode(y="limit:Q")
    texts = [
        base.mark_text(style=style).encode(y="limit:Q", x=alt.value("width"), text="label:N")
        for style in ("limit-halo", "limit-label")
    ]
    return [rule, *texts]


def _limit_label(curve: Curve, period: LimitPeriod, start: int, *, several: bool) -> str:
    since = max(0.0, (period.since - start) / 1000)
    text = f"limit {_limit_value(curve, period):g} {curve.unit}"
    if not several:
        return text
    return f"{text}, from {span(since)} of the sweep on" if since >= 1 else f"{text}, from the start"


def _limit_value(curve: Curve, period: LimitPeriod) -> float:
    return round(period.value * curve.factor, 3)


def _log_ticks(values: Sequence[float]) -> list[float]:
    """Round numbers over the range of the values: 1, 2 and 5 of each decade, of many decades only its 1."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    factors = (1, 2, 5) if high - low <= 3 else (1,)
    return [compact(factor * 10.0**decade) or 0.0 for decade in range(low, high + 1) for factor in factors]
