"""Prometheus metrics of the trials on one node, read from the runtime folder whenever they are scraped.

A trial's series are there while it runs and are gone with it. Names and labels are part of the contract with dashboards.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tuningsweep_trainer.node.runtime import TrialStatus

LABELS: Final = ("namespace", "sweep", "trial")

Value = Callable[[TrialStatus], float | None]

_GAUGES: Final[tuple[tuple[str, str, Value], ...]] = (
    ("memory_bytes", "Memory (RSS - SHR) of the trial's processes.", lambda s: s.memory),
    ("memory_limit_bytes", "limits.memory in force.", lambda s: s.memory_limit),
    ("mean_step_time_seconds", "Mean wall time of a step over the window of the limits.", lambda s: s.mean_step_time),
    (
        "step_in_flight_seconds",
        "Wall time of the step in flight so far; 0 between steps.",
        lambda s: s.step_in_flight or 0.0,
    ),
    ("cpu_ratio", "CPU cores in use.", lambda s: s.cpu_percent / 100.0),
    ("objective", "Last reported value of the objective.", lambda s: s.objective),
)


class TrialCollector(Collector):
    """Turns the statuses of a node's trials into metric families."""

    def __init__(
        self,
        namespace: str,
        sweep: str,
        statuses: Callable[[], Iterable[TrialStatus]],
        outcomes: Callable[[], Mapping[str, int]],
    ) -> None:
        self._sweep = (namespace, sweep)
        self._statuses = statuses
        self._outcomes = outcomes

    def collect(self) -> Iterator[Metric]:
        """One family a metric; trials by outcome only where the driver is."""
        statuses = list(self._statuses())
        for name, help_text, value in _GAUGES:
            family = GaugeMetricFamily(f"tuningsweep_trial_{name}", help_text, labels=LABELS)
            for status in statuses:
                measured = value(status)
                if measured is not None:
                    family.add_metric([*self._sweep, status.trial], measured)
            yield family
        steps = CounterMetricFamily("tuningsweep_trial_steps", "Steps done.", labels=LABELS)
        for status in statuses:
            steps.add_metric([*self._sweep, status.trial], status.steps)
        yield steps
        yield from self._by_outcome()

    def _by_outcome(self) -> Iterator[Metric]:
        outcomes = self._outcomes()
        if outcomes:
            family = GaugeMetricFamily(
                "tuningsweep_trials", "Trials of the sweep by outcome.", labels=("namespace", "sweep", "outcome")
            )
            for outcome, count in outcomes.items():
                family.add_metric([*self._sweep, outcome], count)
            yield family
