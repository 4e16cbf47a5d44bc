"""`write_report`: from a sweep's results to its page and PNGs; called by `tuningsweep report`.

altair and vl-convert come with the extra `tuningsweep-trainer[report]`, so they are imported only here and below.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.report.errors import ReportError
from tuningsweep_trainer.report.gather import Results, gather

if TYPE_CHECKING:
    from tuningsweep_trainer.report.figures.figure import Figure
    from tuningsweep_trainer.report.rows import TrialRow
    from tuningsweep_trainer.results.store import Store

EXTRA: Final = "tuningsweep-trainer[report]"


@dataclass(frozen=True)
class Written:
    """The files of a report, and what is missing in it, a sentence each."""

    page: Path
    pngs: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def write_report(
    source: str,
    target: Path,
    *,
    pngs: bool = False,
    sweep: TuningSweep | None = None,
    store: "Store | None" = None,
    now: datetime | None = None,
) -> Written:
    """Write the report of the results at `source` (a folder or URI) to the file `target`, its PNGs beside it.

    `store` is for results that are open already, `sweep` for results without a manifest. ReportError says what is missing.
    """
    need_extra("a report")
    from tuningsweep_trainer.report.headline import facts
    from tuningsweep_trainer.report.page import Content, render
    from tuningsweep_trainer.report.png import write_png
    from tuningsweep_trainer.report.rows import trial_rows
    from tuningsweep_trainer.report.savings import estimate

    results = gather(source, now or datetime.now(UTC), sweep, store)
    rows = trial_rows(results)
    figures = make_figures(results, rows)
    ours = version("tuningsweep-trainer")
    content = Content(
        results=results,
        rows=rows,
        savings=estimate(results.records, results.traces),
        figures=figures,
        facts=facts(results, ours),
        version=ours,
    )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(render(content), encoding="utf-8")
        drawn = [figure for figure in figures if pngs and figure.chart is not None]
        images = [write_png(figure, target.with_name(f"{target.stem}-{figure.name}.png")) for figure in drawn]
    except OSError as error:
        raise ReportError(f"{target}: {error.strerror}; choose another place") from error
    return Written(target, images, results.notes)


def need_extra(what: str) -> None:
    """ReportError says what to install if the libraries that pages are made with are missing."""
    missing = [name for name in ("altair", "jinja2", "PIL", "vl_convert") if find_spec(name) is None]
    if missing:
        raise ReportError(f"{what} needs {', '.join(missing)}; install them with: pip install '{EXTRA}'")


def make_figures(results: Results, rows: "list[TrialRow]") -> "list[Figure]":
    """All figures in the order of the page."""
    from tuningsweep_trainer.report.curve_rows import curve_rows
    from tuningsweep_trainer.report.figures import curves
    from tuningsweep_trainer.report.figures.parallel import parallel_figure
    from tuningsweep_trainer.report.figures.timeline import timeline_figure
    from tuningsweep_trainer.report.figures.trials import order_figure, pareto_figure
    from tuningsweep_trainer.report.limits import limit_periods

    objective = results.sweep.spec.objective
    traces = [trace for found in results.traces.values() for trace in found]
    points = curve_rows(rows, results.traces)
    start = min((row.start for row in rows if row.start is not None), default=0)
    left_out = results.traced - len(results.traces)

    def curve(shown: curves.Curve) -> "Figure":
        periods = limit_periods(traces, results.limits, shown.limit)
        return curves.curves_figure(shown, points, periods, start, left_out)

    step_limit = bool(limit_periods(traces, results.limits, curves.STEP.limit))
    return [
        pareto_figure(rows, objective, results.limits.memory_bytes),
        order_figure(rows, objective),
        parallel_figure(rows, results.sweep),
        curve(curves.MEMORY),
        curve(curves.MEAN_STEP),
        *([curve(curves.STEP)] if step_limit else []),
        timeline_figure(rows),
    ]
