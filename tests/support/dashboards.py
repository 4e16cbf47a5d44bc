"""The queries of the chart's dashboards, made concrete for a Prometheus: for tests that a panel has data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.prometheus import Prometheus

FILES = Path(__file__).parents[2] / "charts" / "tuningsweep" / "files"
NAMES = ("fleet", "operator", "sweep")


@dataclass(frozen=True)
class Target:
    """A query of a panel."""

    name: str
    """Dashboard, title and letter, for messages."""
    expression: str

    def has_data(self, prometheus: Prometheus, variables: Mapping[str, str]) -> bool:
        """Whether the panel would show something: a sample that is a number."""
        samples = prometheus.query(concrete(self.expression, variables))
        return any(sample["value"][1] != "NaN" for sample in samples)


def load(name: str) -> dict[str, Any]:
    """A dashboard."""
    return dict(json.loads((FILES / "dashboards" / f"{name}.json").read_text()))


def targets() -> list[Target]:
    """Every query of every panel of every dashboard."""
    return [
        Target(f"{name}: {panel['title']}: {target['refId']}", target["expr"])
        for name in NAMES
        for panel in load(name)["panels"]
        for target in panel.get("targets", [])
    ]


def variable_queries(name: str) -> list[str]:
    """The queries that a dashboard's variables get their values by."""
    return [variable["query"] for variable in load(name)["templating"]["list"] if variable["type"] == "query"]


def concrete(expression: str, variables: Mapping[str, str]) -> str:
    """The expression with Grafana's variables (named without the dollar) replaced."""
    for name, value in variables.items():
        expression = expression.replace(f"${name}", value)
    assert "$" not in expression, f"a variable without a value: {expression}"
    return expression
