"""Figures 5 to 10: a quantity over the steps of a run, a panel for each workload (rows) and learning rate (columns)."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt

from tuningsweep_trainer.report.figures.figure import Figure, Row
from tuningsweep_trainer.reproduce.figures.panels import (
    as_dict,
    columns,
    in_rows,
    series_dash,
    setting_colour,
    value,
)
from tuningsweep_trainer.reproduce.registry import PlannedFigure

WIDTH: Final = 800
"""Of the panels of a row together."""
HEIGHT: Final = 105


def draw(planned: PlannedFigure, rows: Sequence[Row], about: str) -> Figure:
    """The figure; lines are means over the runs, bands reach from the lowest run to the highest."""
    workloads = sorted({row["workload"] for row in rows})
    rates = sorted({row["learning_rate"] for row in rows})
    batches = sorted({row["batch_size"] for row in rows})
    panels = [_panels(planned, batches, WIDTH // len(rates) - 10, x_title) for x_title in (None, "step")]
    seen = f"{planned.subject} over the steps of a run: {len(workloads)} workloads by {len(rates)} learning rates."
    named = planned.quantities[0].axis if len(planned.quantities) == 1 else planned.subject
    return Figure(
        planned.name,
        planned.title,
        about,
        seen[0].upper() + seen[1:],
        {"vconcat": in_rows(panels, workloads), "spacing": 16},
        {"points": list(rows)},
        columns(named, step=True),
        least_width=WIDTH + 90,
    )


def _panels(planned: PlannedFigure, batches: list[int], width: int, x_title: str | None) -> dict[str, Any]:
    """A workload's panels, one for each learning rate."""
    quantity, several = planned.quantities[0], len(planned.quantities) > 1
    title = "loss" if several else quantity.axis
    x = alt.X("step:Q", title=x_title, axis=alt.Axis(tickCount=3, format="~s", grid=False))
    shared = {"x": x, "color": setting_colour("batch_size", batches), "detail": alt.Detail("series:N")}
    band = alt.Chart().mark_area(opacity=0.2).encode(y=value(quantity, title, "low"), y2="high:Q", **shared)
    line = alt.Chart().mark_line(strokeWidth=1.6).encode(y=value(quantity, title), **shared)
    if several:
        line = line.encode(strokeDash=series_dash())
    rate = alt.Column(
        "learning_rate:O",
        header=alt.Header(title=None, labelExpr="'learning rate ' + format(datum.value, '~g')", labelPadding=4),
    )
    layers = alt.LayerChart(layer=[band, line]).properties(width=width, height=HEIGHT)
    return as_dict(layers.facet(column=rate, data=alt.NamedData("points"), spacing=10))
