"""`promtool check metrics`: names, units and types of all metrics follow Prometheus' conventions."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from support.prometheus import promtool
from support.synthetic import operator_registry, status, summary, trainer_registry

pytestmark = pytest.mark.timeout(1800)  # the first run on a machine builds Prometheus


@pytest.mark.parametrize(
    "registry", [trainer_registry([status(0)], summary()), operator_registry()], ids=["trainer", "operator"]
)
def test_metrics_follow_the_conventions(registry: CollectorRegistry) -> None:
    printed = generate_latest(registry).decode()
    assert "tuningsweep_" in printed
    promtool("check", "metrics", stdin=printed)


def test_promtool_would_object() -> None:
    with pytest.raises(AssertionError, match="counter"):
        promtool("check", "metrics", stdin="# HELP x A.\n# TYPE x counter\nx 1\n")
