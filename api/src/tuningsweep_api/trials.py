"""Records of trials: what is written to trials.jsonl, served by the control API and folded into status.

Times are RFC 3339 strings in UTC; memory is bytes, durations are seconds.
"""

from collections.abc import Mapping
from typing import Self

from tuningsweep_api.model import Model
from tuningsweep_api.outcomes import Outcome, Reason

ParameterValue = str | int | float
Metrics = dict[str, float]


class Forecast(Model):
    """What a trial was predicted to need, in the unit of the limit: bytes or seconds."""

    reason: Reason
    """The reason it would end with: MemoryLimitExceeded or MeanStepTimeLimitExceeded."""
    predicted: float
    """Median of the prediction."""
    lower: float
    """Lower bound of the 95 % prediction interval."""
    upper: float
    """Upper bound of the 95 % prediction interval."""
    limit: float
    """The limit it was held against."""
    based_on: list[str]
    """The trials that count most for it, at most five, the most similar first."""


class TrialRecord(Model):
    """The one record of a trial that has ended."""

    trial: str
    """Name, e.g. trial-0007."""
    parameters: dict[str, ParameterValue]
    """Hyperparameters as the trainable received them."""
    outcome: Outcome
    reason: Reason
    message: str = ""
    """A sentence for people."""
    observed: float | None = None
    """The value over the limit: bytes or seconds, as the reason says."""
    limit: float | None = None
    """The limit it was held against, in the same unit."""
    metrics: Metrics = {}
    """The last reported metrics."""
    steps: int = 0
    """Steps done."""
    start_time: str | None = None
    """When its first training process started; absent for a trial that never did."""
    completion_time: str
    duration_seconds: float = 0.0
    """Wall time of its training processes under the driver that ended it; one that was killed counts to its last report."""
    cpu_seconds: float = 0.0
    """CPU time of the same."""
    peak_memory: int = 0
    """Highest memory seen, bytes."""
    peak_gpu_memory: int | None = None
    """Highest GPU memory seen, bytes; absent without limits.gpuMemory."""
    attempts: int = 1
    """Training processes started for it; more than one after a crash, suspension or pause."""
    worker: str | None = None
    """Where the last of them ran: host (in a cluster the pod) and the supervisor's PID, as host/PID; absent without one."""
    forecast: Forecast | None = None
    """For a trial that was skipped or warned of: the prediction."""


class RunningTrial(Model):
    """A trial that is being trained now, or held until memory for it is free or its node's data set is there."""

    trial: str
    parameters: dict[str, ParameterValue]
    start_time: str
    steps: int = 0
    memory: int = 0
    """Bytes."""
    mean_step_time: float | None = None
    """Seconds; absent before the first step."""
    step_in_flight: float | None = None
    """Seconds since the running step began; absent between steps."""
    metrics: Metrics = {}
    held: str = ""
    """Why it waits for memory (parallelTrialCount Auto) or for its data set; empty for one that is being trained."""


class StopRecord(Model):
    """One trial ended by a limit, a person or the kernel; numbered, so that each becomes one Event."""

    sequence: int
    """1 for the first stop of the sweep, then one more each; survives restarts of the driver."""
    trial: str
    outcome: Outcome
    reason: Reason
    observed: float | None = None
    limit: float | None = None
    time: str
    message: str = ""


class TrialCounts(Model):
    """Trials by where they are; the six outcomes add up with pending and running to total."""

    total: int = 0
    """Trials the sweep knows of so far: ended, running and waiting."""
    pending: int = 0
    held: int = 0
    """Those of the pending ones that wait for memory (parallelTrialCount Auto) or for their node's data set."""
    running: int = 0
    succeeded: int = 0
    pruned: int = 0
    limit_exceeded: int = 0
    skipped: int = 0
    stopped: int = 0
    failed: int = 0

    @classmethod
    def of(cls, outcomes: Mapping[Outcome, int], *, pending: int, running: int, held: int = 0) -> Self:
        """From the ended trials by outcome and how many have not ended."""
        return cls(
            total=sum(outcomes.values()) + pending + running,
            pending=pending,
            held=held,
            running=running,
            succeeded=outcomes.get(Outcome.SUCCEEDED, 0),
            pruned=outcomes.get(Outcome.PRUNED, 0),
            limit_exceeded=outcomes.get(Outcome.LIMIT_EXCEEDED, 0),
            skipped=outcomes.get(Outcome.SKIPPED, 0),
            stopped=outcomes.get(Outcome.STOPPED, 0),
            failed=outcomes.get(Outcome.FAILED, 0),
        )


class OptimalTrial(Model):
    """The best trial so far, as Katib shows it."""

    trial: str
    parameters: dict[str, ParameterValue]
    objective: float
    metrics: Metrics = {}
