"""What the reconciler gathered of one sweep before anything is judged."""

from dataclasses import dataclass
from typing import Any

from tuningsweep_api.messages import SweepState
from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_operator.resources import Manifest


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something in the way: the reason of a condition, and a sentence that says what to do."""

    reason: ConditionReason
    message: str


@dataclass(frozen=True, slots=True)
class Observation:
    """Facts about a sweep's objects and its driver."""

    ray_job: Manifest | None = None
    """None before it was made, or where it can't be."""
    ray_cluster: Manifest | None = None
    """Read only while the job is not running."""
    pods: tuple[Manifest, ...] = ()
    refusal: Trouble | None = None
    """Why an object of the sweep could not be applied."""
    state: SweepState | None = None
    """The driver's state; None if it did not answer or is not there yet."""
    driver_error: str = ""
    """Why a driver that should answer did not."""
    driver_silence: float = 0.0
    """Seconds since the driver of a running job was last heard, or since the job runs."""
    job_silence: float = 0.0
    """Seconds since the RayJob was made or changed without KubeRay taking note."""

    @property
    def job_status(self) -> dict[str, Any]:
        """Status of the RayJob."""
        return {} if self.ray_job is None else self.ray_job.get("status", {})

    @property
    def deployment(self) -> str:
        """KubeRay's word for where the job is: Initializing, Running, Retrying, Suspended, Complete, Failed, ..."""
        return str(self.job_status.get("jobDeploymentStatus", ""))

    @property
    def job_failures(self) -> int:
        """Times the driver crashed."""
        return int(self.job_status.get("failed") or 0)
