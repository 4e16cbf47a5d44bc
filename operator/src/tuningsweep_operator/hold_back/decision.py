"""Which of the waiting sweeps may start, and what the others wait for: one pure function, called by the gate.

The higher priority goes first, then the older. A sweep that waits keeps the nodes that it could use for itself, so that
smaller ones behind it never take what becomes free there; other nodes are theirs to use.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tuningsweep_api.text import memory
from tuningsweep_operator.hold_back.nodes import Misfit, Node, PlacedPod, Room
from tuningsweep_operator.hold_back.requests import Amounts, PodNeed, SweepNeed
from tuningsweep_operator.resources import Key

NAMED: Final = 3
"""Most sweeps or nodes that a message names."""


@dataclass(frozen=True, slots=True)
class WaitingSweep:
    """A sweep that would start now."""

    key: Key
    priority: int
    created: str
    """RFC 3339, as in its metadata."""
    need: SweepNeed


@dataclass(frozen=True, slots=True)
class Hold:
    """That a sweep does not start, and why."""

    message: str
    too_large: bool = False
    """No node could ever take it as they are: waiting is in vain."""


def decide(
    nodes: Sequence[Node], pods: Iterable[PlacedPod], starting: Iterable[PodNeed], waiting: Iterable[WaitingSweep]
) -> dict[Key, Hold | None]:
    """For each waiting sweep None if it may start, or why not. `starting` are pods to come of sweeps that did start."""
    line = _Line(nodes, pods, starting)
    in_order = sorted(waiting, key=lambda sweep: (-sweep.priority, sweep.created, sweep.key))
    return {sweep.key: line.judge(sweep) for sweep in in_order}


class _Line:
    """The waiting sweeps, one after the other."""

    def __init__(self, nodes: Sequence[Node], pods: Iterable[PlacedPod], starting: Iterable[PodNeed]) -> None:
        self._nodes = nodes
        self._room = Room((node for node in nodes if not node.trouble), pods)
        for pod in starting:
            self._room.take(pod)
        self._empty = Room(nodes)
        self._misfits: dict[str, Misfit] = {}
        """By shape. What has once not fitted does not fit later: room only shrinks along the line."""
        self._impossible: dict[str, Hold] = {}
        self._kept: set[str] = set()
        """Nodes that sweeps which wait could use."""
        self._keepers: list[WaitingSweep] = []
        """The first of each shape that they are kept for."""

    def judge(self, sweep: WaitingSweep) -> Hold | None:
        """None if it may start; its room is taken then."""
        shape = sweep.need.shape
        if shape in self._impossible:
            return self._impossible[shape]
        if shape not in self._misfits:
            misfit = self._room.place(sweep.need, self._kept)
            if misfit is None:
                return None
            return self._first_held(sweep, misfit)
        return Hold(self._missing(self._misfits[shape]))

    def _first_held(self, sweep: WaitingSweep, misfit: Misfit) -> Hold:
        """The first of its shape that waits: keeps the nodes that are of use to it, if any could take it."""
        shape, impossible = sweep.need.shape, self._empty.misfit(sweep.need)
        if impossible is not None:
            self._impossible[shape] = Hold(_too_large(impossible), too_large=True)
            return self._impossible[shape]
        self._misfits[shape] = misfit
        hold = Hold(self._missing(misfit))
        self._kept.update(self._empty.suitable(sweep.need))
        self._keepers.append(sweep)
        return hold

    def _missing(self, misfit: Misfit) -> str:
        if misfit.node is None:
            troubled = [node for node in self._nodes if node.trouble and node.admits(misfit.pod)]
            return (
                f"no node takes {_named(misfit.pod)} now: {_some([f'{node.name} {node.trouble}' for node in troubled])}"
            )
        if misfit.node in self._kept:
            return self._before()
        free = _listed(misfit.free, misfit.pod)
        return f"no node has room for {_named(misfit.pod)}: at most {free} are free, on {misfit.node}"

    def _before(self) -> str:
        names = [f"{'/'.join(sweep.key)} (priority {sweep.priority})" for sweep in self._keepers]
        return f"what is free is kept for sweeps before it: {_some(names)}"


def _too_large(misfit: Misfit) -> str:
    advice = "add a node, or ask for less in a new sweep"
    if misfit.node is None:
        return f"no node admits {_named(misfit.pod)}; look at its nodeSelector and tolerations, or {advice}"
    left = f"{misfit.node} would have {_listed(misfit.free, misfit.pod)}"
    return f"even with nothing else running no node has room for {_named(misfit.pod)}: {left}; {advice}"


def _named(pod: PodNeed) -> str:
    asks = "pods, which ask" if pod.requests["pods"] > 1 else "pod, which asks"
    return f"its {pod.component} {asks} for {_listed(pod.requests, pod)}"


def _listed(has: Amounts, pod: PodNeed) -> str:
    """What there is of the resources that a pod asks for."""
    texts = [f"{memory(max(0, has['memory']))} memory", f"{max(0, has['cpu'])}m CPU"]
    if pod.requests["nvidia.com/gpu"]:
        texts.append(f"{max(0, has['nvidia.com/gpu'])} GPUs")
    return " and ".join(texts)


def _some(texts: list[str]) -> str:
    more = len(texts) - NAMED
    return ", ".join(texts[:NAMED]) + (f" and {more} more" if more > 0 else "")
