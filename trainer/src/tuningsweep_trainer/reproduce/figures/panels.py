"""What the panels of all figures share: colours and shapes of settings, axes, columns of the table behind a figure."""

import json
from collections.abc import Sequence
from typing import Any, Final

import altair as alt

from tuningsweep_trainer.report.figures.figure import Column
from tuningsweep_trainer.reproduce.quantities import TRAINING_LOSS, VALIDATION_LOSS, Quantity

TITLES: Final = {"batch_size": "batch size", "learning_rate": "learning rate"}
PLAIN: Final = "format(datum.value, ',~g')"
"""Numbers of an axis: an axis's own format goes over to exponents at a hundred."""
FORMATS: Final = {"batch_size": ",", "learning_rate": "~g"}


def setting_axis(factor: str, title: str | None) -> alt.X:
    """A setting's values side by side, in ascending order."""
    return alt.X(
        f"{factor}:O",
        title=title,
        axis=alt.Axis(format=FORMATS[factor], labelAngle=0, labelOverlap=False),
        scale=alt.Scale(type="band", paddingInner=0.45, paddingOuter=0.3),
    )


def setting_colour(factor: str, levels: list[Any], *, legend: bool = True) -> alt.Color:
    """A setting as colour, with its values in ascending order."""
    return alt.Color(f"{factor}:N", scale=alt.Scale(domain=levels, range="category"), legend=_legend(factor, legend))


def setting_shape(factor: str, levels: list[Any], *, legend: bool = True) -> alt.Shape:
    """A setting as shape, in one legend with the colour."""
    return alt.Shape(f"{factor}:N", scale=alt.Scale(domain=levels, range="symbol"), legend=_legend(factor, legend))


def value(quantity: Quantity, title: str | None, field: str = "mean") -> alt.Y:
    """A quantity's axis; logarithmic for times."""
    scale = alt.Scale(type="log") if quantity.log else alt.Scale(zero=quantity.zero)
    return alt.Y(f"{field}:Q", title=title, scale=scale, axis=alt.Axis(labelExpr=PLAIN, tickCount=4))


def columns(quantity: str, *, step: bool) -> tuple[Column, ...]:
    """Of the table behind a figure."""
    return (
        Column("workload", "workload"),
        Column("series", "quantity"),
        Column("batch_size", "batch size", "number"),
        Column("learning_rate", "learning rate", "parameter"),
        *([Column("step", "step", "number")] if step else []),
        Column("mean", f"{quantity}: mean of the runs", "number"),
        Column("low", "lowest", "number"),
        Column("high", "highest", "number"),
        Column("runs", "runs", "number"),
    )


def as_dict(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """A chart as Vega-Lite without theme, which page and PNG add, to be put into others.

    Panels are put together as dicts: altair copies all it is given, and that takes seconds for panels in panels.
    """
    made: dict[str, Any] = chart.to_dict()
    return {key: part for key, part in made.items() if key not in ("$schema", "config")}


def of_workload(panel: dict[str, Any], workload: str) -> dict[str, Any]:
    """The panel with a workload's rows under its name."""
    title = {"text": workload, "anchor": "start", "fontSize": 13, "fontWeight": 600, "offset": 6}
    return panel | {"transform": [{"filter": f"datum.workload === {json.dumps(workload)}"}], "title": title}


def in_rows(panels: Sequence[dict[str, Any]], workloads: Sequence[str]) -> list[dict[str, Any]]:
    """A panel for each workload: the first of `panels`, but the last, with the title of the x axis, in the last row."""
    first, last = panels
    return [*(of_workload(first, workload) for workload in workloads[:-1]), of_workload(last, workloads[-1])]


def _legend(factor: str, shown: bool) -> alt.Legend | None:
    return alt.Legend(title=TITLES[factor], format=FORMATS[factor], titleAnchor="start") if shown else None


def series_dash() -> alt.StrokeDash:
    """Training loss dashed, validation loss solid."""
    scale = alt.Scale(domain=[TRAINING_LOSS.title, VALIDATION_LOSS.title], range=[[4, 3], [1, 0]])
    return alt.StrokeDash("series:N", scale=scale, legend=alt.Legend(title=None, symbolType="stroke"))
