"""Draws a figure as a PNG without a browser, in the light theme; called by `write_report`."""

from pathlib import Path
from typing import Final

import vl_convert

from tuningsweep_trainer.report.figures.figure import Figure
from tuningsweep_trainer.report.figures.theme import VEGA_LITE, vega_config

WIDTH: Final = 900
SCALE: Final = 2.0


def write_png(figure: Figure, path: Path) -> Path:
    """Write a figure that has a chart; the path."""
    assert figure.chart is not None
    chart = figure.chart | {
        "width": max(WIDTH, figure.least_width),
        "datasets": figure.data,
        "title": {"text": figure.title, "anchor": "start", "fontSize": 16, "offset": 14},
        "padding": 16,
    }
    path.write_bytes(
        vl_convert.vegalite_to_png(
            chart, vl_version=VEGA_LITE, scale=SCALE, config=vega_config(dark=False), allowed_base_urls=[]
        )
    )
    return path
