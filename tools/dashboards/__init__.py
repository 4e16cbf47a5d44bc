"""The Grafana dashboards of the chart, built with Grafana's own SDK. Called by tools/generate.py, a JSON file for each."""

import json
from collections.abc import Callable
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import fleet, operator, sweep

DASHBOARDS: Final[dict[str, Callable[[], Dashboard]]] = {
    "sweep": sweep.dashboard,
    "fleet": fleet.dashboard,
    "operator": operator.dashboard,
}


def dashboard_text(name: str) -> str:
    """The JSON that Grafana imports."""
    built = DASHBOARDS[name]().build()
    for number, panel in enumerate(built.panels or [], start=1):
        panel.id_val = number  # the SDK gives none, and links to a panel need one that stays
    return json.dumps(built, cls=JSONEncoder, indent=1, sort_keys=True) + "\n"
