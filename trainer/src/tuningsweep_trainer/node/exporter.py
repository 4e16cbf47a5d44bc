"""Prometheus metrics of the trials on one node, read from the runtime folder whenever they are scraped.

A trial's series are there while it runs and are gone with it. On the driver's node those of the whole sweep come on top.
Names and labels are part of the contract with dashboards and alerts (charts/tuningsweep).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from tuningsweep_api.outcomes import Outcome
from tuningsweep_trainer.node.runtime import TrialStatus
from tuningsweep_trainer.node.step_times import StepTimes
from tuningsweep_trainer.node.summary import SweepSummary

SWEEP_LABELS: Final = ("namespace", "sweep")
TRIAL_LABELS: Final = (*SWEEP_LABELS, "trial")

Value = Callable[[TrialStatus], float | None]

_GAUGES: Final[tuple[tuple[str, str, Value], ...]] = (
    ("memory_bytes", "Memory (RSS - SHR) of the trial's processes.", lambda s: s.memory),
    ("memory_limit_bytes", "limits.memory in force.", lambda s: s.memory_limit),
    ("gpu_memory_bytes", "GPU memory of the trial's processes, where it is limited.", lambda s: s.gpu_memory),
    ("gpu_memory_limit_bytes", "limits.gpuMemory in force.", lambda s: s.gpu_memory_limit),
    (
        "mean_step_time_seconds",
        "Mean wall time of a step over the window of the limits; without a limit also before that is full.",
        lambda s: s.mean_step_time,
    ),
    ("mean_step_time_limit_seconds", "limits.meanStepTime in force.", lambda s: s.mean_step_time_limit),
    (
        "step_in_flight_seconds",
        "Wall time of the step in flight so far; 0 between steps.",
        lambda s: s.step_in_flight or 0.0,
    ),
    ("longest_step_time_seconds", "Wall time of the longest step finished.", lambda s: s.longest_step),
    ("step_time_limit_seconds", "limits.stepTime in force.", lambda s: s.step_time_limit),
    ("duration_seconds", "Wall time of the trial's training process so far.", lambda s: s.duration),
    ("duration_limit_seconds", "limits.trialDuration in force.", lambda s: s.duration_limit),
    ("cpu_ratio", "CPU cores in use.", lambda s: s.cpu_percent / 100.0),
    ("objective", "Last reported value of the objective.", lambda s: s.objective),
)


class TrialCollector(Collector):
    """Turns the statuses of a node's trials, and the summary of the sweep where there is one, into metric families."""

    def __init__(
        self,
        namespace: str,
        sweep: str,
        statuses: Callable[[], Iterable[TrialStatus]],
        step_times: Callable[[], StepTimes],
        summary: Callable[[], SweepSummary | None],
    ) -> None:
        self._sweep = (namespace, sweep)
        self._statuses, self._step_times, self._summary = statuses, step_times, summary

    def collect(self) -> Iterator[Metric]:
        """One family a metric; those of the sweep only where the driver is."""
        yield from self._of_trials([status for status in self._statuses() if not status.held])
        yield self._of_steps()
        summary = self._summary()
        if summary is not None:
            yield from self._of_sweep(summary)
            yield from self._of_ended(summary)

    def _of_trials(self, statuses: list[TrialStatus]) -> Iterator[Metric]:
        for name, help_text, value in _GAUGES:
            family = GaugeMetricFamily(f"tuningsweep_trial_{name}", help_text, labels=TRIAL_LABELS)
            for status in statuses:
                measured = value(status)
                if measured is not None:
                    family.add_metric([*self._sweep, status.trial], measured)
            yield family
        steps = CounterMetricFamily("tuningsweep_trial_steps", "Steps done.", labels=TRIAL_LABELS)
        for status in statuses:
            steps.add_metric([*self._sweep, status.trial], status.steps)
        yield steps

    def _of_steps(self) -> Metric:
        times = self._step_times()
        family = HistogramMetricFamily(
            "tuningsweep_step_duration_seconds",
            "Wall time of a step, over all trials of this node; the shortest steps by their mean over up to 0.1 s.",
            labels=SWEEP_LABELS,
        )
        family.add_metric(self._sweep, times.cumulative(), times.seconds)
        return family

    def _of_sweep(self, summary: SweepSummary) -> Iterator[Metric]:
        gauges: tuple[tuple[str, str, float | None], ...] = (
            ("trials_pending", "Trials that wait for their start or for their scheduler.", summary.pending),
            ("trials_held", "Those of the pending trials that wait for memory or for their data set.", summary.held),
            ("trials_running", "Trials that run.", summary.running),
            ("best_objective", "Objective of the best trial so far that kept the limits.", summary.best_objective),
        )
        for name, help_text, value in gauges:
            family = GaugeMetricFamily(f"tuningsweep_{name}", help_text, labels=SWEEP_LABELS)
            if value is not None:
                family.add_metric(self._sweep, value)
            yield family
        warnings = CounterMetricFamily(
            "tuningsweep_limit_warnings",
            "Limits that trials went over while limits.action was Warn.",
            labels=SWEEP_LABELS,
        )
        warnings.add_metric(self._sweep, summary.warnings)
        yield warnings

    def _of_ended(self, summary: SweepSummary) -> Iterator[Metric]:
        """By outcome, each of them from the start, so that a rate sees the first; by reason only those that occurred."""
        counts, cpu_seconds = dict.fromkeys(Outcome, 0), dict.fromkeys(Outcome, 0.0)
        labels = (*SWEEP_LABELS, "outcome")
        by_reason = GaugeMetricFamily(
            "tuningsweep_trials_by_reason", "Ended trials by outcome and reason.", labels=(*labels, "reason")
        )
        for ended in summary.ended:
            counts[ended.outcome] += ended.count
            cpu_seconds[ended.outcome] += ended.cpu_seconds
            by_reason.add_metric([*self._sweep, ended.outcome, ended.reason], ended.count)
        trials = GaugeMetricFamily("tuningsweep_trials", "Ended trials by outcome.", labels=labels)
        cpu = CounterMetricFamily(
            "tuningsweep_trial_cpu_seconds", "CPU time of ended trials by outcome.", labels=labels
        )
        for outcome in Outcome:
            trials.add_metric([*self._sweep, outcome], counts[outcome])
            cpu.add_metric([*self._sweep, outcome], cpu_seconds[outcome])
        yield from (trials, by_reason, cpu)
