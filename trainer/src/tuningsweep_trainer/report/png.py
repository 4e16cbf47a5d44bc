"""Draws a figure as a PNG without a browser, in the light theme; called by `write_report` and the reproduction's pages."""

from pathlib import Path
from typing import Final

import vl_convert

from tuningsweep_trainer.report.figures.figure import Figure
from tuningsweep_trainer.report.figures.theme import VEGA_LITE, vega_config

WIDTH: Final = 900
SCALE: Final = 2.0


def write_png(figure: Figure, path: Path, scale: float = SCALE) -> Path:
    """Write a figure that has a chart, `scale` pixels of the file for one of the chart; the path.

    A chart that is as wide as the page gets a width; one made of panels has its own.
    """
    assert figure.chart is not None
    width = {"width": max(WIDTH, figure.least_width)} if figure.chart.get("width") == "container" else {}
    chart = figure.chart | {
        **width,
        "datasets": figure.data,
        "title": {"text": figure.title, "anchor": "start", "fontSize": 16, "offset": 14},
        "padding": 16,
    }
    path.write_bytes(
        vl_convert.vegalite_to_png(
            chart, vl_version=VEGA_LITE, scale=scale, config=vega_config(dark=False), allowed_base_urls=[]
        )
    )
    return path
