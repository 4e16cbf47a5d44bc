"""Draws figures 5 to 28 from the tidy data; called by the pages. What has no data says so in place of a chart."""

from collections.abc import Sequence

from tuningsweep_trainer.report.figures.figure import Figure, Row
from tuningsweep_trainer.reproduce.averages import diverged
from tuningsweep_trainer.reproduce.figures import by_setting, within_runs
from tuningsweep_trainer.reproduce.figures.rows import rows_of
from tuningsweep_trainer.reproduce.reading import Tidy
from tuningsweep_trainer.reproduce.registry import FIGURES, PlannedFigure


def thesis_figures(tidy: Tidy) -> list[Figure]:
    """All of them, in the order of their numbers."""
    return [_figure(planned, tidy) for planned in FIGURES]


def _figure(planned: PlannedFigure, tidy: Tidy) -> Figure:
    rows = rows_of(planned, tidy)
    if not rows:
        return Figure(planned.name, planned.title, "Not measured: no workload of this figure was run.", "", None)
    draw = within_runs.draw if planned.within_runs else by_setting.draw
    return draw(planned, rows, _about(planned, rows, tidy))


def _about(planned: PlannedFigure, rows: Sequence[Row], tidy: Tidy) -> str:
    runs = sorted({row["runs"] for row in rows})
    over = f"{runs[-1]} runs" if runs[-1] > 1 else "one run"
    spread = "bands" if planned.within_runs else "bars"
    sentences = [f"Mean over {over}; {spread} reach from the lowest run to the highest."]
    trials = tidy.trials[planned.group.holds(tidy.trials)]
    left_out = int(diverged(trials, [quantity.column for quantity in planned.quantities]).sum())
    if left_out:
        counted = (
            "1 trial that diverged beyond float64 is"
            if left_out == 1
            else f"{left_out} trials that diverged beyond float64 are"
        )
        sentences.append(f"{counted} not drawn.")
    return " ".join(sentences)
