"""Estimates the compute that stopped trials would still have needed; pure, shown by the report's headline and table.

A trial is taken to go on at its own step time and share of a CPU to as many steps as the trials that finished.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.results.traces import TrialTrace

SAVING: Final = (Outcome.LIMIT_EXCEEDED, Outcome.PRUNED, Outcome.SKIPPED)
"""Trials that a limit, a forecast or a scheduler ended; what a person stopped or what failed saves nothing."""
METHOD: Final = (
    "Estimate: the steps a stopped trial was short of the trials that finished, times its own mean step time, times the"
    " share of a CPU it had used; it assumes that the trial would have gone on like that and trained as long as they did."
)


@dataclass(frozen=True, slots=True)
class Saving:
    """CPU seconds one stopped trial would still have needed, from the shortest and the longest trial that finished."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Savings:
    """All stopped trials together, CPU seconds."""

    low: float
    high: float
    by_trial: dict[str, Saving]
    uncounted: int
    """Stopped trials whose need can't be known: they ended before their step time was known."""
    used: float
    """CPU seconds that all ended trials used."""


def estimate(records: Sequence[TrialRecord], traces: Mapping[str, Sequence[TrialTrace]]) -> Savings:
    """Estimate from the records; traces give the step time of trials that never reported."""
    finished = [record.steps for record in records if record.outcome is Outcome.SUCCEEDED and record.steps > 0]
    stopped = [record for record in records if record.outcome in SAVING]
    by_trial: dict[str, Saving] = {}
    for record in stopped:
        cpu = cpu_per_step(record, traces.get(record.trial, ()))
        if cpu is not None and finished:
            low, high = (max(0, steps - record.steps) * cpu for steps in (min(finished), max(finished)))
            by_trial[record.trial] = Saving(low, high)
    return Savings(
        low=sum(saving.low for saving in by_trial.values()),
        high=sum(saving.high for saving in by_trial.values()),
        by_trial=by_trial,
        uncounted=len(stopped) - len(by_trial),
        used=sum(record.cpu_seconds for record in records),
    )


def cpu_per_step(record: TrialRecord, traces: Sequence[TrialTrace]) -> float | None:
    """CPU seconds of one of the trial's steps; None if its step time or its CPU time is not known."""
    pace = mean_step_seconds(record, traces)
    if pace is None or record.duration_seconds <= 0 or record.cpu_seconds <= 0:
        return None
    return pace * record.cpu_seconds / record.duration_seconds


def mean_step_seconds(record: TrialRecord, traces: Sequence[TrialTrace]) -> float | None:
    """The trial's last known mean step time in seconds: observed over the limit, reported, or traced."""
    if record.reason is Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED and record.observed is not None:
        return record.observed
    reported = record.metrics.get("mean_step_time_seconds")
    if reported is not None:
        return reported
    if record.steps == 0:
        return None
    known = (p.mean_step_time for t in reversed(traces) for p in reversed(t.points) if p.mean_step_time is not None)
    return next(known, None)
