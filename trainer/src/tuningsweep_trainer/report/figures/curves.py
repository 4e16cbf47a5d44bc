"""Figures of memory and step time of trials over their own time, against the limits that held."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
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
from tuningsweep_trainer.report.rows import TrialRow
from tuningsweep_trainer.report.words import span
from tuningsweep_trainer.results.traces import TracePoint, TrialTrace

HEIGHT = 340
POINTS = 14_000
"""Points of all curves together."""
FEWEST_POINTS = 40
"""Points of a curve, however many curves there are."""


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


def curve_rows(rows: Sequence[TrialRow], traces: Mapping[str, Sequence[TrialTrace]]) -> list[Row]:
    """Points of the trials' curves, thinned so that all together are bounded; times are seconds of the process."""
    processes = sum(len(found) for found in traces.values()) or 1
    most = max(FEWEST_POINTS, POINTS // processes)
    outcomes = {row.trial: row.outcome for row in rows}
    found: list[Row] = []
    for trial, of_trial in traces.items():
        for attempt, trace in enumerate(of_trial, start=1):
            outcome = outcomes.get(trial, trace.outcome or "Running")
            points = _with_last(trace)
            found += [
                {
                    "trial": trial,
                    "outcome": outcome,
                    "process": f"{trial}/{attempt}",
                    "seconds": round(point.seconds, 2),
                    "memory": round(point.memory * MEMORY.factor, 1),
                    "mean": _milliseconds(point.mean_step_time),
                    "longest": _milliseconds(longest),
                }
                for point, longest in thinned(_with_longest(points), most)
            ]
            if found and attempt == len(of_trial) and points:
                found[-1]["last"] = True
    return found


def thinned(points: Sequence[tuple[TracePoint, float]], most: int) -> list[tuple[TracePoint, float]]:
    """At most `most` points: the highest in memory of each group of neighbours, and the last one as it was."""
    if len(points) <= most:
        return list(points)
    inner, groups = points[:-1], most - 1
    edges = [index * len(inner) // groups for index in range(groups + 1)]
    kept = [max(inner[edges[i] : edges[i + 1]], key=lambda pair: pair[0].memory) for i in range(groups)]
    return [*kept, points[-1]]


def curves_figure(
    curve: Curve, points: Sequence[Row], limits: Sequence[LimitPeriod], start: int, left_out: int
) -> Figure:
    """Curves of one quantity; `start` is the sweep's, to say since when a limit held; `left_out` trials are not drawn."""
    drawn = [row for row in points if row[curve.key] is not None]
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


def _with_longest(points: Sequence[TracePoint]) -> list[tuple[TracePoint, float]]:
    """Each point with the longest step seen until then, which is what limits.stepTime is about."""
    longest = itertools.accumulate((point.step_in_flight for point in points), max)
    return list(zip(points, longest, strict=True))


def _log_ticks(values: Sequence[float]) -> list[float]:
    """Round numbers over the range of the values: 1, 2 and 5 of each decade, of many decades only its 1."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    factors = (1, 2, 5) if high - low <= 3 else (1,)
    return [compact(factor * 10.0**decade) or 0.0 for decade in range(low, high + 1) for factor in factors]


def _with_last(trace: TrialTrace) -> list[TracePoint]:
    """The points, with the newest look as the last one."""
    newest = [trace.closing[-1]] if trace.closing and _later(trace) else []
    return [*trace.points, *newest]


def _later(trace: TrialTrace) -> bool:
    return not trace.points or trace.closing[-1].seconds > trace.points[-1].seconds


def _milliseconds(seconds: float | None) -> float | None:
    return None if not seconds or seconds <= 0 else compact(seconds * 1000, 4)
