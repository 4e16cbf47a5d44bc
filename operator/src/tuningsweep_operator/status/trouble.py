"""What is in the way of a sweep, judged from an Observation; CHECKS is the order in which causes are looked for."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_operator.resources import Manifest
from tuningsweep_operator.settings import Settings
from tuningsweep_operator.status.observation import Observation, Trouble

IMAGE_REASONS: Final = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
Check = Callable[[Observation, Settings], Trouble | None]


def _refused(seen: Observation, settings: Settings) -> Trouble | None:  # noqa: ARG001 - one signature for all checks
    return seen.refusal


def _kuberay_silent(seen: Observation, settings: Settings) -> Trouble | None:
    if seen.ray_job is None or seen.job_silence <= settings.kuberay_silence_seconds:
        return None
    message = "the RayJob was made, but KubeRay does not act on it; look at the KubeRay operator's pod and its log"
    return Trouble(ConditionReason.KUBERAY_NOT_RESPONDING, message)


def _pods_refused(seen: Observation, settings: Settings) -> Trouble | None:  # noqa: ARG001
    conditions = (seen.ray_cluster or {}).get("status", {}).get("conditions", [])
    for condition in conditions:
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return refusal_of_pods(condition.get("message", ""))
    return None


def refusal_of_pods(message: str) -> Trouble:
    """The trouble that KubeRay's message about a pod it could not make stands for."""
    if "exceeded quota" in message:
        advice = "raise the ResourceQuota, or ask for less in a new sweep (cluster.workers, cluster.resourcesPerTrial)"
        return Trouble(ConditionReason.QUOTA_EXCEEDED, f"{advice}: {message}")
    return Trouble(ConditionReason.POD_REFUSED, f"the API server refuses a pod; see cluster.podTemplate: {message}")


def _image_unavailable(seen: Observation, settings: Settings) -> Trouble | None:  # noqa: ARG001
    for container in _containers(seen.pods):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in IMAGE_REASONS:
            message = f"image {container['image']} can't be pulled; check cluster.image and its pull policy and secrets"
            return Trouble(ConditionReason.IMAGE_UNAVAILABLE, f"{message}: {waiting.get('message', '')}")
    return None


def _unschedulable(seen: Observation, settings: Settings) -> Trouble | None:  # noqa: ARG001
    for pod in seen.pods:
        for condition in pod.get("status", {}).get("conditions", []):
            if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
                message = f"no node takes pod {pod['metadata']['name']}; add nodes or ask for less"
                return Trouble(ConditionReason.UNSCHEDULABLE, f"{message}: {condition.get('message', '')}")
    return None


def _driver_crashing(seen: Observation, settings: Settings) -> Trouble | None:  # noqa: ARG001
    if seen.deployment == "Retrying" or (seen.job_failures and seen.state is None and seen.deployment != "Failed"):
        count = seen.job_failures
        message = f"the driver failed {count} times and is started again; read the head pod's log"
        return Trouble(ConditionReason.DRIVER_CRASHING, message)
    for container in _containers(seen.pods):
        if container.get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff":
            message = f"container {container['name']} keeps crashing; read its log with kubectl logs --previous"
            return Trouble(ConditionReason.DRIVER_CRASHING, message)
    return None


def _driver_unreachable(seen: Observation, settings: Settings) -> Trouble | None:
    if seen.deployment != "Running" or seen.state is not None or seen.driver_silence <= settings.driver_silence_seconds:
        return None
    message = f"{seen.driver_error}; trials and limits go on without it. Does a NetworkPolicy keep the operator away?"
    return Trouble(ConditionReason.DRIVER_UNREACHABLE, message)


def _containers(pods: Iterable[Manifest]) -> Iterable[dict[str, Any]]:
    for pod in pods:
        status = pod.get("status", {})
        yield from status.get("initContainerStatuses", [])
        yield from status.get("containerStatuses", [])


CHECKS: Final[tuple[Check, ...]] = (
    _refused,  # nothing else can be there without the objects
    _kuberay_silent,
    _pods_refused,
    _image_unavailable,
    _unschedulable,
    _driver_crashing,
    _driver_unreachable,
)


def find_trouble(seen: Observation, settings: Settings) -> Trouble | None:
    """The first thing in the way in the order of CHECKS, or None."""
    for check in CHECKS:
        trouble = check(seen, settings)
        if trouble is not None:
            return trouble
    return None
