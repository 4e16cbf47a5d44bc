"""Figures with a mark for each trial: objective against memory with its Pareto front, and objective by order of end."""

from collections.abc import Sequence

import altair as alt

from tuningsweep_api.spec.objective import Objective
from tuningsweep_trainer.report.figures.figure import (
    Column,
    Figure,
    Row,
    by_colour,
    by_shape,
    compact,
    layered,
    mebibytes,
    outcomes_in,
    picked,
)
from tuningsweep_trainer.report.rows import TrialRow, best_so_far, pareto_rows
from tuningsweep_trainer.report.words import counted

HEIGHT = 340
NOTHING = "No trial has reported the objective."


def pareto_figure(rows: Sequence[TrialRow], objective: Objective, limit: int | None) -> Figure:
    """Objective against highest memory; `limit` in bytes is the one in force last."""
    name, title = objective.objective_metric_name, "Objective against memory"
    front = {row.trial for row in pareto_rows(rows, objective)}
    points = [
        {
            "trial": row.trial,
            "outcome": row.outcome,
            "memory": mebibytes(row.memory),
            "objective": compact(row.objective),
            "front": row.trial in front,
        }
        for row in rows
        if row.objective is not None and row.memory is not None
    ]
    if not points:
        return Figure("pareto", title, NOTHING, "", None)
    better = "lower" if objective.sign > 0 else "higher"
    x = alt.X(
        "memory:Q",
        title="highest memory (MiB)",
        axis=alt.Axis(tickCount=8),
        scale=alt.Scale(zero=False, nice=True, padding=12),
    )
    y = alt.Y("objective:Q", title=f"{name} ({better} is better)", scale=alt.Scale(zero=False, padding=12))
    base = alt.Chart(alt.NamedData("points"))
    line = (
        base.transform_filter("datum.front")
        .mark_line(style="front", interpolate="step-after")
        .encode(x=x, y=y, order=alt.Order("memory:Q"))
    )
    marks = _marks(base, points).encode(x=x, y=y)
    ring = (
        base.transform_filter("datum.front")
        .mark_point(style="ring", size=2.4 * mark_size(len(points)), tooltip=None)
        .encode(x=x, y=y)
    )
    layers: list[alt.Chart] = [marks, line, ring, *(_limit_layers() if limit else [])]
    held = mebibytes(limit)
    data: dict[str, list[Row]] = {"points": points}
    if held:
        data["limits"] = [{"limit": held, "label": f"limit {held:g} MiB"}]
    return Figure(
        "pareto",
        title,
        "Ringed trials on the line are the Pareto front: no other trial within the limits has both less memory and a"
        " better objective. Trials over a limit are shown with what they last reported, and count for nothing."
        + _left_out(rows),
        f"Scatter plot of {len(points)} trials, {name} against highest memory; {len(front)} are on the Pareto front.",
        layered([*layers], HEIGHT),
        data,
        (
            Column("trial", "trial"),
            Column("outcome", "outcome"),
            Column("memory", "highest memory", "mebibytes"),
            Column("objective", name, "number"),
            Column("front", "on the front", "flag"),
        ),
        marks=len(points),
    )


def order_figure(rows: Sequence[TrialRow], objective: Objective) -> Figure:
    """Objective by the order in which trials ended, with the best so far."""
    name, title = objective.objective_metric_name, "Objective by trial"
    points = [
        {"trial": row.trial, "outcome": row.outcome, "order": row.order, "objective": compact(row.objective)}
        for row in rows
        if row.objective is not None and row.order is not None
    ]
    if not points:
        return Figure("order", title, NOTHING, "", None)
    steps = best_so_far(rows, objective)
    last = max(row.order or 0 for row in rows)
    best = [{"order": order, "objective": compact(value)} for order, value in steps]
    best += [{"order": last, "objective": best[-1]["objective"]}] if best else []
    better = "lower" if objective.sign > 0 else "higher"
    x = alt.X(
        "order:Q",
        title="trials ended",
        axis=alt.Axis(tickMinStep=1, format="d", grid=False),
        scale=alt.Scale(domain=[0, last + 0.6], nice=False),
    )
    y = alt.Y("objective:Q", title=f"{name} ({better} is better)", scale=alt.Scale(zero=False, padding=12))
    line = alt.Chart(alt.NamedData("best")).mark_line(style="front", interpolate="step-after").encode(x=x, y=y)
    return Figure(
        "order",
        title,
        "The line is the best objective so far among trials within the limits." + _left_out(rows),
        f"Scatter plot of {name} of {len(points)} trials in the order of their end, with the best so far as a line.",
        layered([line, _marks(alt.Chart(alt.NamedData("points")), points).encode(x=x, y=y)], HEIGHT),
        {"points": points, "best": best},
        (
            Column("order", "ended as number", "number"),
            Column("trial", "trial"),
            Column("outcome", "outcome"),
            Column("objective", name, "number"),
        ),
        marks=len(points),
    )


def _left_out(rows: Sequence[TrialRow]) -> str:
    """A sentence about trials that have no mark."""
    silent = sum(1 for row in rows if row.objective is None)
    return f" Not shown: {counted(silent, 'trial')} that never reported the objective." if silent else ""


def mark_size(trials: int) -> int:
    """Area of a mark in square pixels, smaller where there are many."""
    return 80 if trials <= 200 else 40 if trials <= 2000 else 16


def _marks(base: alt.Chart, points: Sequence[Row]) -> alt.Chart:
    """A mark for each trial, its outcome as colour and shape."""
    shown, chosen = outcomes_in(points), picked()
    marks: alt.Chart = (
        base.mark_point(filled=True, size=mark_size(len(points)), opacity=0.85)
        .encode(
            color=by_colour(shown),
            shape=by_shape(shown),
            tooltip="trial:N",
            opacity=alt.when(chosen).then(alt.value(0.85)).otherwise(alt.value(0.08)),
        )
        .add_params(chosen)
    )
    return marks


def _limit_layers() -> list[alt.Chart]:
    base = alt.Chart(alt.NamedData("limits"))
    rule = base.mark_rule(style="limit").encode(x="limit:Q")
    label = base.mark_text(style="limit-top").encode(x="limit:Q", y=alt.value(0), text="label:N")
    return [rule, label]
