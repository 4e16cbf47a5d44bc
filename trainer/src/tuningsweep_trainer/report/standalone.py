"""What pages that fetch nothing are made of: templates, styles, scripts, and figures with their data. Used by the report's
page and the reproduction's.

Text that comes from a user is escaped by Jinja in the markup and by `tojson` in the data; scripts only make text nodes of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any, Final

import jinja2
import vl_convert
from markupsafe import Markup

from tuningsweep_trainer.report.figures.figure import Figure
from tuningsweep_trainer.report.figures.theme import OUTCOMES, VEGA_LITE, vega_config
from tuningsweep_trainer.report.tables import Table

CANVAS_ABOVE: Final = 4000
"""Marks above which a figure is drawn on a canvas: as many SVG elements make a page slow."""
GLYPHS: Final = ("●", "✚", "▼", "■", "▲", "◆", "▶")
"""The shapes of the figures as characters, in the order of OUTCOMES."""
REPORT: Final = "tuningsweep_trainer.report"
"""Where the parts are that all pages share, in the folder `assets`."""


def render(package: str, figures: Sequence[Figure], tables: Mapping[str, Table], **values: Any) -> str:
    """The page.html among the assets of `package`, which extends base.html.

    `tables` go where it has `data-table`, the one named trials also into tooltips.
    """
    loader = jinja2.ChoiceLoader([jinja2.PackageLoader(name, "assets") for name in (package, REPORT)])
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    return environment.get_template("page.html").render(
        **values,
        figures=[_figure_words(figure) for figure in figures],
        css=Markup(_asset("page.css")),  # noqa: S704 - our own file
        script=Markup(_asset("page.js")),  # noqa: S704 - our own file
        vega=Markup(vega_script()),  # noqa: S704 - comes with vl-convert
        data=_data(figures, tables),
    )


@cache
def vega_script() -> str:
    """Vega, Vega-Lite and vega-embed as one script that needs no other."""
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE))


def _asset(name: str) -> str:
    return files(REPORT).joinpath("assets", name).read_text(encoding="utf-8")


def _figure_words(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "title": figure.title,
        "about": figure.about,
        "drawn": figure.chart is not None,
        "least_width": figure.least_width,
    }


def _data(figures: Sequence[Figure], tables: Mapping[str, Table]) -> dict[str, Any]:
    """What the page's script draws from."""
    return {
        "glyphs": {str(outcome): glyph for outcome, glyph in zip(OUTCOMES, GLYPHS, strict=True)},
        "themes": {"light": vega_config(dark=False), "dark": vega_config(dark=True)},
        "tables": {name: asdict(table) for name, table in tables.items()},
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
