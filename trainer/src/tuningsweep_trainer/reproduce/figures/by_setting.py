"""Figures 11 to 28: a quantity by batch size (left) and by learning rate (right), a row of panels for each workload."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt

from tuningsweep_trainer.report.figures.figure import Figure, Row
from tuningsweep_trainer.reproduce.effects import FACTORS
from tuningsweep_trainer.reproduce.figures.panels import (
    TITLES,
    as_dict,
    columns,
    in_rows,
    series_dash,
    setting_axis,
    setting_colour,
    setting_shape,
    value,
)
from tuningsweep_trainer.reproduce.registry import PlannedFigure

WIDTH: Final = 370
HEIGHT: Final = 170


def draw(planned: PlannedFigure, rows: Sequence[Row], about: str) -> Figure:
    """The figure; marks are means over the runs, bars reach from the lowest run to the highest."""
    workloads = sorted({row["workload"] for row in rows})
    sides = []
    for factor, hue in FACTORS.items():
        levels = sorted({row[hue] for row in rows})
        panels = [_panel(planned, factor, hue, levels, x_title) for x_title in (None, TITLES[factor])]
        sides.append({"vconcat": in_rows(panels, workloads), "spacing": 16})
    named = planned.quantities[0].axis if len(planned.quantities) == 1 else planned.subject
    seen = f"{planned.subject} by batch size and by learning rate for {', '.join(workloads)}."
    return Figure(
        planned.name,
        planned.title,
        about,
        seen[0].upper() + seen[1:],
        {
            "hconcat": sides,
            "spacing": 40,
            "resolve": {"scale": dict.fromkeys(("color", "shape", "xOffset"), "independent")},
        },
        {"points": list(rows)},
        columns(named, step=False),
        least_width=2 * WIDTH + 160,
        marks=len(rows),
    )


def _panel(planned: PlannedFigure, factor: str, hue: str, levels: list[Any], x_title: str | None) -> dict[str, Any]:
    """Means of `factor`, a line for each level of `hue`."""
    quantity, several = planned.quantities[0], len(planned.quantities) > 1
    title = "loss" if several else quantity.axis
    shared = {
        "x": setting_axis(factor, x_title),
        "xOffset": alt.XOffset(f"{hue}:O"),
        "color": setting_colour(hue, levels),
        "detail": alt.Detail("series:N"),
    }
    base = alt.Chart()
    bar = base.mark_rule(strokeWidth=1.5).encode(y=value(quantity, title, "low"), y2="high:Q", **shared)
    line = base.mark_line(strokeWidth=1.2, opacity=0.6).encode(y=value(quantity, title), **shared)
    mark = base.mark_point(filled=True, size=45, opacity=1)
    mark = mark.encode(y=value(quantity, title), shape=setting_shape(hue, levels), **shared)
    if several:
        line = line.encode(strokeDash=series_dash())
    return as_dict(
        alt.LayerChart(data=alt.NamedData("points"), layer=[bar, line, mark]).properties(width=WIDTH, height=HEIGHT)
    )
