"""What the reconciler gathered of one sweep before anything is judged."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from tuningsweep_api.messages import SweepState
from tuningsweep_api.names import LABEL_QUEUE
from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_operator.hold_back.decision import Hold
from tuningsweep_operator.resources import LABEL_CLUSTER, Manifest

HEAD_CONTAINER: Final = "ray-head"
ENDED: Final = frozenset({"Complete", "Failed", "ValidationFailed"})
"""KubeRay's words for a job that has ended."""


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
    hold: Hold | None = None
    """Why the operator holds the sweep back; None if it may start, or has."""
    state: SweepState | None = None
    """The driver's state; None if it did not answer or is not there yet."""
    driver_error: str = ""
    """Why a driver that should answer did not."""
    driver_silence: float = 0.0
    """Seconds since the driver of a running job was last heard, or since the job runs."""
    job_silence: float = 0.0
    """Seconds since the RayJob was made or changed without KubeRay taking note."""
    start_silence: float = 0.0
    """Seconds since the RayJob of a cluster that is being made has changed."""
    workload: Manifest | None = None
    """What Kueue keeps of the RayJob; None without a queue, or before Kueue took it up."""
    queue_silence: float = 0.0
    """Seconds that a RayJob in a queue has waited without Kueue having taken it up."""
    overdue: timedelta | None = None
    """Time since the operator saw that the deadline had gone by, and told the driver; None if it has not."""

    @property
    def job_status(self) -> dict[str, Any]:
        """Status of the RayJob."""
        return {} if self.ray_job is None else self.ray_job.get("status", {})

    @property
    def deployment(self) -> str:
        """KubeRay's word for where the job is: Initializing, Running, Retrying, Suspended, Complete, Failed, ..."""
        return str(self.job_status.get("jobDeploymentStatus", ""))

    @property
    def is_suspended(self) -> bool:
        """Whether KubeRay is told to keep the cluster away."""
        return self.ray_job is not None and bool(self.ray_job.get("spec", {}).get("suspend"))

    @property
    def is_under_way(self) -> bool:
        """Whether the RayJob has a cluster, or is getting one."""
        return self.ray_job is not None and not self.is_suspended and self.deployment not in ENDED

    @property
    def is_being_made(self) -> bool:
        """Whether KubeRay has begun to make a cluster whose pods are not ready yet."""
        return self.is_under_way and self.deployment == "Initializing"

    @property
    def is_queued(self) -> bool:
        """Whether Kueue keeps the cluster away: the RayJob is in a queue and waits for quota."""
        labels = {} if self.ray_job is None else self.ray_job["metadata"].get("labels", {})
        return LABEL_QUEUE in labels and self.is_suspended and self.deployment not in ENDED

    @property
    def job_failures(self) -> int:
        """Times KubeRay saw the driver fail, and made a new cluster for it."""
        return int(self.job_status.get("failed") or 0)

    @property
    def head_restarts(self) -> int:
        """Times the container of the driver was started again; KubeRay submits the driver anew and counts nothing."""
        return sum(int(container.get("restartCount") or 0) for container in self._heads())

    @property
    def driver_failures(self) -> int:
        """Times the driver ended before its sweep, by its own fault or its container's."""
        return self.job_failures + self.head_restarts

    @property
    def head_death(self) -> str:
        """Why the container of the driver ended last, in Kubernetes' word (OOMKilled, Error); empty if it never did."""
        ends = (container.get("lastState", {}).get("terminated", {}) for container in self._heads())
        return next((str(end["reason"]) for end in ends if end.get("reason")), "")

    def containers(self, cluster: str | None = None) -> Iterator[dict[str, Any]]:
        """Statuses of all containers of all pods, or of those of one Ray cluster."""
        for pod in self.pods:
            if cluster is not None and pod["metadata"].get("labels", {}).get(LABEL_CLUSTER) != cluster:
                continue
            status = pod.get("status", {})
            yield from status.get("initContainerStatuses", [])
            yield from status.get("containerStatuses", [])

    def _heads(self) -> Iterator[dict[str, Any]]:
        """Those of the job's own cluster: the pods of one before it may still be on their way out."""
        own = str(self.job_status.get("rayClusterName", ""))
        return (container for container in self.containers(own) if container.get("name") == HEAD_CONTAINER)
