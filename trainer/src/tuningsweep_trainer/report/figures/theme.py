"""How the figures look, light and dark: Okabe and Ito's palette, a shape for each outcome, fonts and lines.

Charts name roles (style `limit`, range `category`), never colours, so that one chart serves both themes and the PNGs.
"""

from typing import Any, Final

from tuningsweep_api.outcomes import Outcome
from tuningsweep_trainer.report.rows import RUNNING

OUTCOMES: Final = (
    Outcome.SUCCEEDED,
    Outcome.LIMIT_EXCEEDED,
    Outcome.PRUNED,
    Outcome.STOPPED,
    Outcome.FAILED,
    Outcome.SKIPPED,
    RUNNING,
)
"""In the order of the palettes."""
SHAPES: Final = ("circle", "cross", "triangle-down", "square", "triangle-up", "diamond", "triangle-right")
LIGHT: Final = ("#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#E69F00", "#7F7F7F", "#0072B2")
DARK: Final = ("#1FBF92", "#F5793A", "#56B4E9", "#CC79A7", "#E69F00", "#A6A6A6", "#F0E442")
"""Okabe and Ito's green and vermillion, lightened to stand out on black; yellow where blue would be too dark."""
VEGA_LITE: Final = "6.4"
"""The version that altair writes charts for."""
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', 'DejaVu Sans', sans-serif"


def vega_config(*, dark: bool) -> dict[str, Any]:
    """Vega-Lite's `config` for a theme."""
    ink, soft, line, paper = (
        ("#e8eaed", "#a9b1ba", "#3a424c", "#171b21") if dark else ("#1f2328", "#59636e", "#dfe3e8", "#ffffff")
    )
    above_right = {"align": "right", "baseline": "bottom", "dx": -4, "dy": -4}
    accent = "#E8EAED" if dark else "#1f2328"
    return {
        "background": paper,
        "font": FONT,
        "view": {"stroke": None},
        "title": {"color": ink},
        "header": {"labelColor": soft, "titleColor": ink},
        "range": {"category": list(DARK if dark else LIGHT), "symbol": list(SHAPES)},
        "axis": {
            "labelColor": soft,
            "titleColor": ink,
            "titleFontWeight": 500,
            "titleFontSize": 12,
            "titlePadding": 10,
            "labelFontSize": 11,
            "gridColor": line,
            "domainColor": line,
            "tickColor": line,
            "labelOverlap": "greedy",
        },
        "legend": {
            "labelColor": ink,
            "labelFontSize": 12,
            "titleColor": soft,
            "orient": "top",
            "title": None,
            "symbolSize": 90,
            "symbolOpacity": 1,
            "symbolStrokeWidth": 2,
            "columnPadding": 18,
            "offset": 12,
        },
        "style": {
            "limit": {"color": accent, "strokeDash": [6, 4], "strokeWidth": 1.5},
            "limit-label": {"color": ink, "fontSize": 11, "fontWeight": 500, **above_right},
            "limit-halo": {
                "fill": paper,
                "stroke": paper,
                "strokeWidth": 4,
                "fontSize": 11,
                "fontWeight": 500,
                **above_right,
            },
            "limit-top": {
                "color": ink,
                "fontSize": 11,
                "fontWeight": 500,
                "align": "right",
                "baseline": "top",
                "dx": -5,
                "dy": 4,
            },
            "front": {"color": ink, "strokeWidth": 1.5},
            "axis-line": {"color": soft, "strokeWidth": 1},
            "axis-title": {"color": ink, "fontSize": 12, "fontWeight": 600},
            "tick-label": {"color": ink, "fontSize": 11},
            "halo": {"color": paper, "stroke": paper, "strokeWidth": 4, "fontSize": 11, "strokeJoin": "round"},
            "ring": {"color": ink, "strokeWidth": 1.5},
            "bar-end": {"color": ink},
        },
    }
