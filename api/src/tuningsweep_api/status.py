"""`status` of a TuningSweep: bounded in size, written by the operator alone."""

from typing import Annotated, Literal

from pydantic import Field

from tuningsweep_api.messages import PARETO_TRIALS_SHOWN
from tuningsweep_api.model import Model
from tuningsweep_api.outcomes import ConditionReason, ConditionType, Phase
from tuningsweep_api.trials import TrialCounts

STOPS_SHOWN = 10


class Condition(Model):
    """A condition as in metav1.Condition."""

    type: ConditionType
    status: Literal["True", "False", "Unknown"]
    reason: ConditionReason
    message: Annotated[str, Field(max_length=4096)] = ""
    last_transition_time: str
    """RFC 3339, when `status` last changed."""
    observed_generation: int | None = None


class StatusTrial(Model):
    """The best trial, with numbers as strings (no floats in the API)."""

    trial: str
    parameters: dict[str, str]
    objective: str
    metrics: dict[str, str] = {}


class ParetoTrial(Model):
    """A trial on the Pareto front, with its value of every objective as a string."""

    trial: str
    objectives: dict[str, str]


class StatusStop(Model):
    """One of the last stops, with observed and limit as text with a unit, e.g. 412Mi and 400Mi, or 61ms and 50ms."""

    trial: str
    outcome: str
    reason: str
    observed: str | None = None
    limit: str | None = None
    time: str


class TuningSweepStatus(Model):
    """What the operator last knew of a sweep."""

    phase: Phase = Phase.PENDING
    """Pending, Queued, Running, Suspended, Complete or Failed."""
    observed_generation: int | None = None
    """Generation of the spec that this status speaks of."""
    conditions: Annotated[list[Condition], Field(max_length=8)] = []
    """Complete, Failed, Suspended, Reconciling and Stalled."""
    start_time: str | None = None
    """When the operator first acted on the sweep, or last resumed it; in a queue, when it was last admitted."""
    completion_time: str | None = None
    """When it became Complete or Failed."""
    trials: TrialCounts = TrialCounts()
    """Trials by outcome."""
    current_optimal_trial: StatusTrial | None = None
    """Best trial so far, by the first objective."""
    pareto_front: Annotated[list[ParetoTrial], Field(max_length=PARETO_TRIALS_SHOWN)] = []
    """With additionalObjectives: trials that no other beats in every objective, best first objective first; of more than
    are shown those that are spread evenly over the front."""
    pareto_front_size: int | None = None
    """Trials on the front; absent with one objective."""
    last_stops: Annotated[list[StatusStop], Field(max_length=STOPS_SHOWN)] = []
    """The last stops, newest first."""
    stop_count: int = 0
    """Stops recorded as Events so far."""
    ray_job_name: str | None = None
    """The RayJob that runs the sweep."""
    ray_cluster_name: str | None = None
    """The RayCluster KubeRay made for it."""
    desired_digest: str | None = None
    """Digest of the desired state that the driver has confirmed."""
    driver_restarts: int = 0
    """Times the driver was started again after a crash."""
