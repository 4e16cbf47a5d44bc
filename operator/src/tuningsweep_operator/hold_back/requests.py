"""What pods ask of a node: those that are there, and those that a sweep would make. Pure; used by nodes and gate."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tuningsweep_api.names import LABEL_COMPONENT
from tuningsweep_api.quantities import any_quantity_value
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.pods import needs_one_node
from tuningsweep_operator.builders.ray_job import build_ray_job
from tuningsweep_operator.resources import Manifest
from tuningsweep_operator.settings import Settings

COUNTED: Final = ("memory", "cpu", "nvidia.com/gpu", "pods")
"""The resources that pods of sweeps ask for; of others there may be any amount."""
Amounts = Counter[str]
"""Of each resource: bytes of memory, thousandths of a core, GPUs, pods."""


@dataclass(frozen=True, slots=True)
class PodNeed:
    """What one pod of a sweep asks for, and where it may run."""

    component: str
    """`driver` or `trainer`, as in the pod's label; both where they count as one."""
    requests: Amounts
    node_selector: Mapping[str, str]
    tolerations: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class SweepNeed:
    """The pods that a sweep starts with: head, and workers before any autoscaling."""

    pods: tuple[PodNeed, ...]
    on_one_node: bool
    """Whether its claim keeps them on one node."""
    shape: str
    """The same for sweeps that ask for the same."""


def amounts(listed: Mapping[str, str]) -> Amounts:
    """The counted ones of a list of resources as in a pod or node, rounded up."""
    scale = {"cpu": 1000}
    return Counter(
        {
            name: math.ceil(any_quantity_value(str(listed[name])) * scale.get(name, 1))
            for name in COUNTED
            if name in listed
        }
    )


def pod_requests(spec: Manifest) -> Amounts:
    """What the scheduler sets aside for a pod.

    The sum of its containers and sidecars, or more where an init container asks for more while it runs:
    https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
    """
    sidecars, peak = Amounts(), Amounts()
    for container in spec.get("initContainers", []):
        asked = _of_container(container)
        if container.get("restartPolicy") == "Always":
            sidecars += asked
            asked = Amounts()
        peak |= sidecars + asked
    running = sum(map(_of_container, spec["containers"]), sidecars)
    whole = amounts(spec.get("resources", {}).get("requests", {}))
    asked = Amounts({**(running | peak), **whole}) + amounts(spec.get("overhead", {}))
    asked["pods"] = 1
    return asked


def needs_of(sweep: TuningSweep, settings: Settings) -> SweepNeed:
    """The pods of a sweep's RayJob as it would be built."""
    cluster = build_ray_job(sweep, settings, suspend=False)["spec"]["rayClusterSpec"]
    head = cluster["headGroupSpec"]["template"]
    beside = [cluster["autoscalerOptions"]] if "autoscalerOptions" in cluster else []
    pods = [_pod_need(head, beside)]
    for group in cluster.get("workerGroupSpecs", []):
        pods += [_pod_need(group["template"], ())] * group["replicas"]
    workers = sweep.spec.cluster.workers.min_replicas
    on_one_node = needs_one_node(sweep)
    return SweepNeed(tuple(pods), on_one_node, f"{pods[0]} {workers} {pods[-1]} {on_one_node}")


def together(pods: Iterable[PodNeed]) -> tuple[PodNeed, ...]:
    """Pods that must be on one node, as one; their other wishes are the same."""
    found = tuple(pods)
    if not found:
        return ()
    components = " and ".join(dict.fromkeys(pod.component for pod in found))
    requests = sum((pod.requests for pod in found), Amounts())
    return (PodNeed(components, requests, found[0].node_selector, found[0].tolerations),)


def _of_container(container: Manifest) -> Amounts:
    return amounts(container.get("resources", {}).get("requests", {}))


def _pod_need(template: Manifest, beside: Iterable[Manifest]) -> PodNeed:
    spec = template["spec"]
    requests = pod_requests({**spec, "containers": [*spec["containers"], *beside]})
    component = template["metadata"]["labels"][LABEL_COMPONENT]
    return PodNeed(component, requests, spec.get("nodeSelector", {}), tuple(spec.get("tolerations", ())))
