"""Puts the report's page together: template, styles, scripts and data in one file that fetches nothing.

Text that comes from a user is escaped by Jinja in the markup and by `tojson` in the data; scripts only make text nodes of it.
"""

from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import jinja2
import vl_convert
from markupsafe import Markup

from tuningsweep_trainer.report import headline, words
from tuningsweep_trainer.report.figures.figure import Figure
from tuningsweep_trainer.report.figures.theme import OUTCOMES, VEGA_LITE, vega_config
from tuningsweep_trainer.report.gather import Results
from tuningsweep_trainer.report.rows import TrialRow, best_row
from tuningsweep_trainer.report.savings import Savings
from tuningsweep_trainer.report.tables import Table, parameter_names, stops_table, trials_table

CANVAS_ABOVE: Final = 4000
"""Marks above which a figure is drawn on a canvas: as many SVG elements make a page slow."""
GLYPHS: Final = ("●", "✚", "▼", "■", "▲", "◆", "▶")
"""The shapes of the figures as characters, in the order of OUTCOMES."""


@dataclass(frozen=True)
class Content:
    """All that the page shows."""

    results: Results
    rows: list[TrialRow]
    savings: Savings
    figures: list[Figure]
    facts: list[tuple[str, str]]
    version: str


def render(content: Content) -> str:
    """The page."""
    results = content.results
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    template = environment.from_string(_asset("page.html"))
    trials = trials_table(content.rows, results.sweep)
    stops = stops_table(content.rows, results.sweep, content.savings.by_trial)
    return template.render(
        name=results.sweep.metadata.name,
        status=headline.status(results),
        notes=results.notes,
        cards=headline.cards(results, content.rows, content.savings),
        counts=headline.outcome_counts(content.rows),
        shares=headline.cpu_shares(results, content.savings),
        facts=content.facts,
        best=_best(content),
        method=headline.savings_sentence(content.savings),
        stops=bool(stops.rows),
        any_trial=bool(trials.rows),
        figures=[_figure_words(figure) for figure in content.figures],
        written=results.now.strftime("%Y-%m-%d %H:%M:%S"),
        version=content.version,
        css=Markup(_asset("page.css")),  # noqa: S704 - our own file
        script=Markup(_asset("page.js")),  # noqa: S704 - our own file
        vega=Markup(vega_script()),  # noqa: S704 - comes with vl-convert
        data=_data(content.figures, trials, stops),
    )


@cache
def vega_script() -> str:
    """Vega, Vega-Lite and vega-embed as one script that needs no other."""
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE))


def _asset(name: str) -> str:
    return files("tuningsweep_trainer.report").joinpath("assets", name).read_text(encoding="utf-8")


def _best(content: Content) -> dict[str, Any] | None:
    sweep = content.results.sweep
    best = best_row(content.rows, sweep.spec.objective)
    if best is None or best.objective is None:
        return None
    parts = [f"{sweep.spec.objective.objective_metric_name} {words.number(best.objective)}"]
    if best.memory is not None:
        parts.append(f"highest memory {words.memory(best.memory)}")
    if best.step is not None:
        parts.append(f"mean step time {words.seconds(best.step)}")
    names = [name for name in parameter_names([best], sweep) if name in best.parameters]
    return {
        "trial": best.trial,
        "words": ", ".join(parts),
        "parameters": [(name, words.parameter(best.parameters[name])) for name in names],
    }


def _figure_words(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "title": figure.title,
        "about": figure.about,
        "drawn": figure.chart is not None,
        "least_width": figure.least_width,
    }


def _data(figures: list[Figure], trials: Table, stops: Table) -> dict[str, Any]:
    """What the page's script draws from."""
    return {
        "glyphs": {str(outcome): glyph for outcome, glyph in zip(OUTCOMES, GLYPHS, strict=True)},
        "themes": {"light": vega_config(dark=False), "dark": vega_config(dark=True)},
        "tables": {"trials": asdict(trials), "stops": asdict(stops)},
        "figures": [
            {
                "name": figure.name,
                "chart": figure.chart | {"description": figure.alt},
                "data": figure.data,
                "renderer": "canvas" if figure.marks > CANVAS_ABOVE else "svg",
                "columns": [asdict(column) for column in figure.columns],
            }
            for figure in figures
            if figure.chart is not None
        ],
    }
