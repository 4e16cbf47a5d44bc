"""Messages between operator and driver: level-triggered, so losing, repeating or reordering them does no harm.

The operator PUTs the whole DesiredState whenever the driver's `desired_digest` differs from it; the driver answers
every GET and PUT with the whole SweepState and its tag. A GET may wait for news, so that nobody has to ask every second.
`tuningsweep run` plays the operator's part inside one process.
"""

import hashlib
import json
from typing import Annotated, Any

from pydantic import Field

from tuningsweep_api.model import Model
from tuningsweep_api.outcomes import ConditionReason, Reason
from tuningsweep_api.spec.limits import Limits
from tuningsweep_api.spec.sweep import ParallelTrialCount, TuningSweep
from tuningsweep_api.trials import OptimalTrial, RunningTrial, StopRecord, TrialCounts, TrialRecord

PARETO_TRIALS_SHOWN = 20
RECENT_STOPS_KEPT = 50
RUNNING_TRIALS_SHOWN = 100
TRIALS_PER_PAGE = 500


class DesiredState(Model):
    """What the sweep should be like now."""

    limits: Limits
    parallel_trial_count: ParallelTrialCount
    max_trial_count: int = Field(ge=1)
    max_failed_trial_count: int = Field(ge=0)
    stop_trials: Annotated[list[str], Field(max_length=10_000)] = []
    """Trials that a person asked to stop."""
    end: Reason | None = None
    """Set to end the whole sweep (SweepDeadlineExceeded): running trials are stopped with this reason."""
    acknowledged: bool = False
    """True once the operator has stored the final state: the driver may exit. Not part of the digest."""

    def digest(self) -> str:
        """A short hash of everything but `acknowledged`; equal digests mean nothing to send."""
        return told_digest(self.model_dump_json(by_alias=True))


def told_digest(content: str | bytes) -> str:
    """The digest of a DesiredState as its sender has it: of all fields in the message, also those of a later release.

    A driver answers with this one. Its own, of the fields that it knows, would never be what such an operator waits for.
    """
    told = {name: value for name, value in json.loads(content).items() if name != "acknowledged"}
    return hashlib.sha256(json.dumps(_set(told), sort_keys=True).encode()).hexdigest()[:16]


def _set(value: Any) -> Any:
    """Without what is null: a field that is not set is no part of the digest, so neither is one that a release lacks."""
    if isinstance(value, dict):
        return {name: _set(entry) for name, entry in value.items() if entry is not None}
    return value


def desired_state(sweep: TuningSweep, end: Reason | None = None, *, acknowledged: bool = False) -> DesiredState:
    """The desired state that follows from a sweep's spec and annotations."""
    spec = sweep.spec
    return DesiredState(
        limits=spec.limits,
        parallel_trial_count=spec.parallel_trial_count,
        max_trial_count=spec.max_trial_count,
        max_failed_trial_count=spec.max_failed_trial_count,
        stop_trials=list(sweep.stop_requests),
        end=end,
        acknowledged=acknowledged,
    )


class SweepResult(Model):
    """How a sweep ended."""

    succeeded: bool
    """True for the condition Complete, false for Failed."""
    reason: ConditionReason
    message: str


class SweepState(Model):
    """What the driver knows; bounded in size whatever the number of trials."""

    sweep_uid: str
    driver_id: str
    """Changes with every start of the driver."""
    start_time: str
    """When this driver started, RFC 3339."""
    desired_digest: str
    """Digest of the DesiredState in force; empty until that one is kept for a later driver, too."""
    trials: TrialCounts
    optimal_trial: OptimalTrial | None = None
    pareto_front: Annotated[list[OptimalTrial], Field(max_length=PARETO_TRIALS_SHOWN)] = []
    """With several objectives: trials that no other beats in all of them, best first objective first; of more than fit
    those that are spread evenly."""
    pareto_front_size: int = 0
    """Trials on the front."""
    stop_count: int = 0
    """Sequence number of the newest stop."""
    recent_stops: Annotated[list[StopRecord], Field(max_length=RECENT_STOPS_KEPT)] = []
    """The newest stops, oldest first."""
    running: Annotated[list[RunningTrial], Field(max_length=RUNNING_TRIALS_SHOWN)] = []
    """Trials that run, and those that are held."""
    warning_count: int = 0
    """Limit warnings so far (limits.action Warn)."""
    result: SweepResult | None = None
    """Set once the sweep has ended; the driver then waits to be acknowledged."""

    def tag(self) -> str:
        """A short hash of everything but `running`, whose numbers never rest; equal tags mean no news.

        Only the driver computes it: another version of this model may hash another text.
        """
        return hashlib.sha256(self.model_dump_json(exclude={"running"}).encode()).hexdigest()[:16]


class TrialPage(Model):
    """Some of the trials that have ended, in the order of their end; the command line asks for the next page by count."""

    records: Annotated[list[TrialRecord], Field(max_length=TRIALS_PER_PAGE)]
    total: int
    """Trials that have ended so far."""
