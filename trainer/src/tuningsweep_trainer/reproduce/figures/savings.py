"""The figure of the open question: CPU time saved against the change of the best objective, a panel for each workload."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import altair as alt

from tuningsweep_trainer.report.figures.figure import Column, Figure, Row, compact
from tuningsweep_trainer.reproduce.figures.panels import as_dict
from tuningsweep_trainer.reproduce.savings import ARMS, Outcome

NAME: Final = "savings"
TITLE: Final = "What early stopping saves, and what it costs"
ABOUT: Final = (
    "A mark is an arm's mean over the runs, crosses reach from the lowest run to the highest. Right is good: less CPU time"
    " than the same sweep without limits. Up is bad: a worse best validation objective; 0 % is as good as without limits."
)
WIDTH: Final = 250
HEIGHT: Final = 200
IN_A_ROW: Final = 3


def draw(outcomes: Sequence[Outcome]) -> Figure:
    """The figure, or why there is none."""
    rows = [_row(outcome) for outcome in outcomes if outcome.worse_percent is not None]
    if not rows:
        return Figure(NAME, TITLE, "Not measured: no sweep with limits or ASHA was run beside one without.", "", None)
    workloads = sorted({row["workload"] for row in rows})
    arms = [arm for arm in ARMS if any(row["arm"] == arm for row in rows)]
    panel = _layers(arms).properties(width=WIDTH, height=HEIGHT)
    workload = alt.Facet("workload:N", title=None, header=alt.Header(labelFontSize=12, labelFontWeight="bold"))
    chart = panel.facet(facet=workload, columns=IN_A_ROW, data=alt.NamedData("points"), spacing=24)
    chart = chart.resolve_scale(y="independent")
    return Figure(
        NAME,
        TITLE,
        ABOUT,
        f"Share of CPU time saved against change of the best objective for {len(workloads)} workloads and {len(arms)} arms.",
        as_dict(chart),
        {"points": rows},
        (
            Column("workload", "workload"),
            Column("arm", "arm"),
            Column("saved_percent", "CPU time saved (%)", "number"),
            Column("saved_low", "lowest", "number"),
            Column("saved_high", "highest", "number"),
            Column("worse_percent", "best objective worse by (%)", "number"),
            Column("worse_low", "lowest", "number"),
            Column("worse_high", "highest", "number"),
            Column("runs", "runs", "number"),
        ),
        least_width=IN_A_ROW * (WIDTH + 60),
        marks=len(rows),
    )


def _layers(arms: list[str]) -> alt.LayerChart:
    colour = alt.Color("arm:N", scale=alt.Scale(domain=arms, range="category"), legend=alt.Legend(title=None))
    shape = alt.Shape("arm:N", scale=alt.Scale(domain=arms, range="symbol"), legend=alt.Legend(title=None))
    base = alt.Chart().encode(color=colour)
    layers = [
        base.mark_rule().encode(x=_x("saved_low"), x2="saved_high:Q", y=_y("worse_percent")),
        base.mark_rule().encode(x=_x("saved_percent"), y=_y("worse_low"), y2="worse_high:Q"),
        base.mark_point(filled=True, size=80, opacity=1).encode(
            x=_x("saved_percent"), y=_y("worse_percent"), shape=shape
        ),
    ]
    return alt.LayerChart(layer=layers)


def _x(field: str) -> alt.X:
    return alt.X(f"{field}:Q", title="CPU time saved (%)", axis=alt.Axis(tickCount=5), scale=alt.Scale(zero=True))


def _y(field: str) -> alt.Y:
    title = "best objective worse by (%)"
    return alt.Y(f"{field}:Q", title=title, axis=alt.Axis(tickCount=5), scale=alt.Scale(zero=True))


def _row(outcome: Outcome) -> Row:
    saved, worse = outcome.saved_range, outcome.worse_range
    assert worse is not None
    kept = {key: entry for key, entry in asdict(outcome).items() if key in ("workload", "arm", "runs")}
    numbers = {
        "saved_percent": outcome.saved_percent,
        "saved_low": saved[0],
        "saved_high": saved[1],
        "worse_percent": outcome.worse_percent,
        "worse_low": worse[0],
        "worse_high": worse[1],
    }
    return kept | {key: compact(number, 4) for key, number in numbers.items()}
