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
        self._when_empty: dict[str, tuple[Misfit | None, list[str]]] = {}
        self._kept: dict[str, WaitingSweep] = {}
        """Nodes, each with the first sweep that waits for it."""

    def judge(self, sweep: WaitingSweep) -> Hold | None:
        """None if it may start; its room is taken then."""
        misfit = None
        all_kept = bool(self._kept) and self._room.nodes.keys() <= self._kept.keys()
        if not all_kept:
            misfit = self._room.place(sweep.need, self._kept)
            if misfit is None:
                return None
        impossible, suitable = self._if_empty(sweep.need)
        if impossible is not None:
            return Hold(_too_large(impossible), too_large=True)
        hold = Hold(self._before() if misfit is None else self._missing(misfit))
        for name in suitable:
            self._kept.setdefault(name, sweep)
        return hold

    def _if_empty(self, need: SweepNeed) -> tuple[Misfit | None, list[str]]:
        """What would not fit if nothing else ran, and the nodes that are of use to the sweep."""
        if need.shape not in self._when_empty:
            self._when_empty[need.shape] = self._empty.misfit(need), self._empty.suitable(need)
        return self._when_empty[need.shape]

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
        sweeps = {sweep.key: sweep for sweep in self._kept.values()}.values()
        return "what is free is kept for sweeps before it: " + _some(
            [f"{'/'.join(sweep.key)} (priority {sweep.priority})" for sweep in sweeps]
        )


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
