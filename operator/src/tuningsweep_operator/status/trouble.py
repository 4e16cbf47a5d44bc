"""What is in the way of a sweep, judged from an Observation; CHECKS is the order in which causes are looked for."""

from collections.abc import Callable
from typing import Final

from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_operator.settings import Settings
from tuningsweep_operator.status.observation import Observation, Trouble
from tuningsweep_operator.status.queue import workload_condition

IMAGE_REASONS: Final = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
CONTAINER_REASONS: Final = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
Check = Callable[[Observation, Settings], Trouble | None]


def _refused(seen: Observation, settings: Settings) -> Trouble | None:  # noqa: ARG001 - one signature for all checks
    return seen.refusal


def _kuberay_silent(seen: Observation, settings: Settings) -> Trouble | None:
    if seen.ray_job is None or seen.job_silence <= settings.kuberay_silence_seconds:
        return None
    message = "KubeRay does not act on the RayJob; look at the KubeRay operator's pod and its log"
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
    for container in seen.containers():
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in IMAGE_REASONS:
            message = f"image {container['image']} can't be pulled; check cluster.image and its pull policy and secrets"
            return Trouble(ConditionReason.IMAGE_UNAVAILABLE, f"{message}: {waiting.get('message', '')}")
    return None


def _container_refused(seen: Observation, settings: Settings) -> Trouble | None:  # noqa: ARG001
    for container in seen.containers():
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in CONTAINER_REASONS:
            message = f"container {container['name']} can't be started; check cluster.podTemplate and what it refers to"
            return Trouble(ConditionReason.POD_REFUSED, f"{message}: {waiting.get('message', '')}")
    return None


def _unschedulable(seen: Observation, settings: Settings) -> Trouble | None:  # noqa: ARG001
    for pod in seen.pods:
        for condition in pod.get("status", {}).get("conditions", []):
            if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
                message = f"no node takes pod {pod['metadata']['name']}; add nodes or ask for less"
                return Trouble(ConditionReason.UNSCHEDULABLE, f"{message}: {condition.get('message', '')}")
    return None


def _pods_not_ready(seen: Observation, settings: Settings) -> Trouble | None:
    if seen.start_silence <= settings.start_silence_seconds:
        return None
    names = ", ".join(pod["metadata"]["name"] for pod in seen.pods) or "none is there"
    message = (
        "its pods are not ready, and nothing says why: `kubectl describe pod` shows what they wait for, a volume that another"
        f" node has, a Secret or ConfigMap of cluster.podTemplate, a large image ({names})"
    )
    return Trouble(ConditionReason.PODS_NOT_READY, message)


def _driver_crashing(seen: Observation, settings: Settings) -> Trouble | None:  # noqa: ARG001
    if seen.deployment == "Retrying" or (seen.driver_failures and seen.state is None and seen.deployment != "Failed"):
        message = f"the driver failed {seen.driver_failures} times and is started again; read the head pod's log"
        cause = f" (its container ended last with {seen.head_death})" if seen.head_death else ""
        return Trouble(ConditionReason.DRIVER_CRASHING, message + cause)
    for container in seen.containers():
        if container.get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff":
            message = f"container {container['name']} keeps crashing; read its log with kubectl logs --previous"
            return Trouble(ConditionReason.DRIVER_CRASHING, message)
    return None


def _driver_unreachable(seen: Observation, settings: Settings) -> Trouble | None:
    if seen.deployment != "Running" or seen.state is not None or seen.driver_silence <= settings.driver_silence_seconds:
        return None
    message = f"{seen.driver_error}; trials and limits go on without it. Does a NetworkPolicy keep the operator away?"
    return Trouble(ConditionReason.DRIVER_UNREACHABLE, message)


def _kueue_silent(seen: Observation, settings: Settings) -> Trouble | None:
    if seen.queue_silence <= settings.kuberay_silence_seconds:
        return None
    message = (
        "Kueue does not act on the RayJob: is it installed with the integration ray.io/rayjob, "
        "and is there the WorkloadPriorityClass that the sweep's label names?"
    )
    return Trouble(ConditionReason.KUEUE_NOT_RESPONDING, message)


def _queue_unavailable(seen: Observation, settings: Settings) -> Trouble | None:  # noqa: ARG001
    quota = workload_condition(seen, "QuotaReserved")
    if quota.get("status") != "False" or quota.get("reason") != "Inadmissible":
        return None
    return Trouble(ConditionReason.QUEUE_UNAVAILABLE, f"its queue can't admit it: {quota.get('message', '')}")


def _too_large(seen: Observation, settings: Settings) -> Trouble | None:  # noqa: ARG001
    if seen.hold is None or not seen.hold.too_large:
        return None
    return Trouble(ConditionReason.UNSCHEDULABLE, seen.hold.message)


CHECKS: Final[tuple[Check, ...]] = (
    _refused,  # nothing else can be there without the objects
    _kuberay_silent,
    _pods_refused,
    _image_unavailable,
    _container_refused,
    _unschedulable,
    _driver_crashing,
    _driver_unreachable,
    _pods_not_ready,
)


CHECKS_WHILE_SUSPENDED: Final[tuple[Check, ...]] = (_refused, _kuberay_silent)
CHECKS_WHILE_HELD: Final[tuple[Check, ...]] = (_refused, _kuberay_silent, _too_large)
CHECKS_WHILE_QUEUED: Final[tuple[Check, ...]] = (_refused, _kueue_silent, _queue_unavailable)


def find_trouble(seen: Observation, settings: Settings, checks: tuple[Check, ...] = CHECKS) -> Trouble | None:
    """The first thing in the way in the order of `checks`, or None."""
    for check in checks:
        trouble = check(seen, settings)
        if trouble is not None:
            return trouble
    return None
