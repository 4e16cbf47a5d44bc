"""Nodes, what the pods on them leave free, and where pods of a sweep would fit. Pure; read by gate, judged by decision.

It foresees the scheduler only as far as sweeps need: requests, node selectors, taints. What affinity or spreading asks
beyond that shows as Unschedulable once the sweep has started.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from tuningsweep_api.names import LABEL_COMPONENT, LABEL_SWEEP
from tuningsweep_operator.hold_back.requests import Amounts, PodNeed, SweepNeed, amounts, pod_requests, together
from tuningsweep_operator.resources import Key, Manifest

KEEPS_OUT: Final = ("NoSchedule", "NoExecute")
PASSING: Final = (
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
)
"""Taints that say what a condition says too."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node that takes pods, or would once its trouble has passed."""

    name: str
    allocatable: Amounts
    labels: Mapping[str, str]
    taints: tuple[Mapping[str, str], ...]
    trouble: str
    """Why it takes no pods now; empty if it does."""

    @classmethod
    def from_manifest(cls, manifest: Manifest) -> Self:
        """The part of a node that is judged."""
        status, spec = manifest.get("status", {}), manifest.get("spec", {})
        taints = (taint for taint in spec.get("taints", []) if taint["effect"] in KEEPS_OUT)
        return cls(
            manifest["metadata"]["name"],
            amounts(status.get("allocatable", {})),
            manifest["metadata"].get("labels", {}),
            tuple(taint for taint in taints if taint["key"] not in PASSING),
            _trouble({condition["type"]: condition["status"] for condition in status.get("conditions", [])}, spec),
        )

    def admits(self, pod: PodNeed) -> bool:
        """Whether the pod may run here, whatever there is room for."""
        selected = all(self.labels.get(label) == value for label, value in pod.node_selector.items())
        return selected and all(any(_tolerates(one, taint) for one in pod.tolerations) for taint in self.taints)


@dataclass(frozen=True, slots=True)
class PlacedPod:
    """A pod on a node, and the sweep it is of."""

    node: str
    requests: Amounts
    sweep: Key | None
    component: str

    @classmethod
    def from_manifest(cls, manifest: Manifest) -> Self:
        """The part of a pod that is judged."""
        metadata, spec = manifest["metadata"], manifest["spec"]
        labels = metadata.get("labels", {})
        sweep = (metadata["namespace"], labels[LABEL_SWEEP]) if LABEL_SWEEP in labels else None
        return cls(spec["nodeName"], pod_requests(spec), sweep, labels.get(LABEL_COMPONENT, ""))


@dataclass(frozen=True, slots=True)
class Misfit:
    """A pod of a sweep that there is no room for once the sweep's other pods have theirs."""

    pod: PodNeed
    node: str | None
    """The one with most free memory of those that admit the pod; None if none does."""
    free: Amounts
    """What is free there."""


class Room:
    """What is free on each node while sweeps are placed one after the other."""

    def __init__(self, nodes: Iterable[Node], pods: Iterable[PlacedPod] = ()) -> None:
        self.nodes = {node.name: node for node in nodes}
        self._free = {name: Amounts(node.allocatable) for name, node in self.nodes.items()}
        for pod in pods:
            if pod.node in self._free:
                self._free[pod.node].subtract(pod.requests)

    def place(self, need: SweepNeed, kept: Collection[str] = ()) -> Misfit | None:
        """Take the room for all pods on nodes that are not `kept`, or none; then the first pod that fits nowhere."""
        taken, misfit = self._fill(need, kept)
        if misfit is not None:
            self._release(taken)
        return misfit

    def misfit(self, need: SweepNeed) -> Misfit | None:
        """The first pod that `place` would find no room for; nothing is taken."""
        taken, misfit = self._fill(need, ())
        self._release(taken)
        return misfit

    def take(self, pod: PodNeed, kept: Collection[str] = ()) -> str | None:
        """Take the room for a pod on the node with most free memory, as the scheduler tends to; that node, if any."""
        found = [name for name in self._free if name not in kept and self._fits(pod, name)]
        name = max(found, key=self._free_memory, default=None)
        if name is not None:
            self._free[name].subtract(pod.requests)
        return name

    def suitable(self, need: SweepNeed) -> list[str]:
        """Nodes with room for at least one of a sweep's pods."""
        pods = {id(pod): pod for pod in need.pods}.values()
        return [name for name in self.nodes if any(self._fits(pod, name) for pod in pods)]

    def _fill(self, need: SweepNeed, kept: Collection[str]) -> tuple[list[tuple[str, PodNeed]], Misfit | None]:
        taken: list[tuple[str, PodNeed]] = []
        pods = together(need.pods) if need.on_one_node else need.pods
        for pod in sorted(pods, key=lambda pod: -pod.requests["memory"]):
            name = self.take(pod, kept)
            if name is None:
                return taken, self._misfit(pod)
            taken.append((name, pod))
        return taken, None

    def _release(self, taken: Iterable[tuple[str, PodNeed]]) -> None:
        for name, pod in taken:
            self._free[name].update(pod.requests)

    def _misfit(self, pod: PodNeed) -> Misfit:
        admitting = [name for name, node in self.nodes.items() if node.admits(pod)]
        name = max(admitting, key=self._free_memory, default=None)
        return Misfit(pod, name, Amounts() if name is None else Amounts(self._free[name]))

    def _fits(self, pod: PodNeed, name: str) -> bool:
        free = self._free[name]
        return all(asked <= free[kind] for kind, asked in pod.requests.items()) and self.nodes[name].admits(pod)

    def _free_memory(self, name: str) -> int:
        return self._free[name]["memory"]


def _trouble(conditions: Mapping[str, str], spec: Mapping[str, Any]) -> str:
    if spec.get("unschedulable"):
        return "is cordoned"
    if conditions.get("Ready") != "True":
        return "is not ready"
    return "is short of memory (MemoryPressure)" if conditions.get("MemoryPressure") == "True" else ""


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, str]) -> bool:
    """https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"""
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    same_value = toleration.get("value", "") == taint.get("value", "")
    return toleration.get("key") == taint["key"] and same_value
