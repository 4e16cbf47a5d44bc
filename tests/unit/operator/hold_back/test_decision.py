"""Who may start and who waits, and for what: tables of nodes, pods and waiting sweeps."""

from dataclasses import replace
from typing import Any

import pytest

from tuningsweep_operator.hold_back.decision import Hold, WaitingSweep, decide
from tuningsweep_operator.hold_back.nodes import Node, PlacedPod
from tuningsweep_operator.hold_back.requests import Amounts, PodNeed, SweepNeed
from tuningsweep_operator.resources import Key

GIB = 1 << 30


def node(name: str, gibibytes: int, **spec: Any) -> Node:
    """A node with eight cores; `spec` may have the status of conditions besides."""
    conditions = {"Ready": "True", **spec.pop("conditions", {})}
    return Node.from_manifest(
        {
            "metadata": {"name": name, "labels": spec.pop("labels", {})},
            "spec": spec,
            "status": {
                "allocatable": {"memory": f"{gibibytes}Gi", "cpu": "8", "pods": "110", "hugepages-2Mi": "0"},
                "conditions": [{"type": kind, "status": status} for kind, status in conditions.items()],
            },
        }
    )


def pod(gibibytes: int, component: str = "trainer", cpu: int = 1000, **selector: str) -> PodNeed:
    return PodNeed(component, Amounts(memory=gibibytes * GIB, cpu=cpu, pods=1), selector, ())


def waiting(name: str, *pods: PodNeed, priority: int = 0, age: int = 0, on_one_node: bool = False) -> WaitingSweep:
    """A sweep; the higher its `age`, the older."""
    need = SweepNeed(pods, on_one_node, shape=repr(pods))
    return WaitingSweep(("team", name), priority, f"2026-01-{20 - age:02}T00:00:00Z", need)


def taken(node_name: str, gibibytes: int) -> PlacedPod:
    return PlacedPod(node_name, Amounts(memory=gibibytes * GIB, cpu=1000, pods=1), None, "")


def start(found: dict[Key, Hold | None]) -> set[str]:
    return {key[1] for key, hold in found.items() if hold is None}


ONE = [node("a", 10)]
TWO = [node("a", 10), node("b", 10, labels={"disk": "ssd"})]
SMALL, LARGE = pod(3), pod(8)


@pytest.mark.parametrize(
    ("nodes", "pods", "sweeps", "started"),
    [
        pytest.param(ONE, [], [waiting("x", SMALL)], {"x"}, id="there is room"),
        pytest.param(ONE, [taken("a", 8)], [waiting("x", SMALL)], set(), id="there is none"),
        pytest.param(ONE, [taken("gone", 8)], [waiting("x", SMALL)], {"x"}, id="a node that is gone"),
        pytest.param(ONE, [], [waiting("x", pod(1, cpu=9000))], set(), id="CPU is short"),
        pytest.param(ONE, [], [waiting(name, SMALL) for name in "wxyz"], {"w", "x", "y"}, id="as many as fit"),
        pytest.param(TWO, [], [waiting("x", LARGE, LARGE)], {"x"}, id="pods on two nodes"),
        pytest.param(TWO, [], [waiting("x", LARGE, LARGE, on_one_node=True)], set(), id="pods that must share one"),
        pytest.param(TWO, [taken("b", 8)], [waiting("x", pod(3, disk="ssd"))], set(), id="only there"),
        pytest.param(
            ONE,
            [],
            [waiting("old", LARGE, age=9), waiting("high", LARGE, priority=5)],
            {"high"},
            id="the higher priority goes first",
        ),
        pytest.param(ONE, [], [waiting("new", LARGE), waiting("old", LARGE, age=9)], {"old"}, id="then the older"),
        pytest.param(
            ONE,
            [taken("a", 5)],
            [waiting("large", LARGE, priority=1), waiting("small", SMALL)],
            set(),
            id="a small one does not overtake",
        ),
        pytest.param(
            TWO,
            [taken("a", 5), taken("b", 8)],
            [waiting("ssd", pod(5, disk="ssd"), priority=1), waiting("any", SMALL)],
            {"any"},
            id="but on a node that is of no use to those before it",
        ),
        pytest.param(
            ONE,
            [],
            [waiting("giant", pod(64), priority=1), waiting("small", SMALL)],
            {"small"},
            id="one that fits nowhere keeps nobody out",
        ),
        pytest.param(
            ONE,
            [],
            [waiting("half", SMALL, LARGE, priority=1), waiting("small", SMALL)],
            {"small"},
            id="nor does it hold what it can't fill",
        ),
    ],
)
def test_who_may_start(nodes: list[Node], pods: list[PlacedPod], sweeps: list[WaitingSweep], started: set[str]) -> None:
    assert start(decide(nodes, pods, [], sweeps)) == started
    assert start(decide(nodes, pods, [], reversed(sweeps))) == started


@pytest.mark.parametrize(
    ("changes", "taint", "toleration", "starts"),
    [
        ({"conditions": {"MemoryPressure": "True"}}, None, None, False),
        ({"conditions": {"Ready": "Unknown"}}, None, None, False),
        ({"unschedulable": True}, None, None, False),
        ({}, {"key": "gpu", "value": "yes", "effect": "NoSchedule"}, None, False),
        ({}, {"key": "gpu", "value": "yes", "effect": "NoSchedule"}, {"key": "gpu", "operator": "Exists"}, True),
        ({}, {"key": "gpu", "value": "yes", "effect": "NoExecute"}, {"key": "gpu", "value": "yes"}, True),
        ({}, {"key": "gpu", "value": "yes", "effect": "NoSchedule"}, {"key": "gpu", "value": "no"}, False),
        ({}, {"key": "gpu", "effect": "NoSchedule"}, {"key": "gpu", "effect": "NoExecute"}, False),
        ({}, {"key": "gpu", "effect": "PreferNoSchedule"}, None, True),
        ({}, {"key": "gpu", "effect": "NoSchedule"}, {"operator": "Exists"}, True),
    ],
)
def test_nodes_that_take_no_pods_do_not_count(
    changes: dict[str, Any], taint: dict[str, str] | None, toleration: dict[str, str] | None, starts: bool
) -> None:
    found = node("a", 10, **changes, taints=[] if taint is None else [taint])
    wish = replace(SMALL, tolerations=() if toleration is None else (toleration,))
    assert start(decide([found], [], [], [waiting("x", wish)])) == ({"x"} if starts else set())


def test_pods_to_come_of_sweeps_that_started_have_their_room() -> None:
    assert start(decide(ONE, [], [LARGE], [waiting("x", SMALL)])) == set()
    assert start(decide(ONE, [], [pod(64)], [waiting("x", SMALL)])) == {"x"}


def hold(nodes: list[Node], pods: list[PlacedPod], *sweeps: WaitingSweep) -> Hold:
    """Why the last of the sweeps waits."""
    found = decide(nodes, pods, [], sweeps)[sweeps[-1].key]
    assert found is not None
    return found


def test_messages_say_what_is_missing_and_who_goes_first() -> None:
    full = [taken("a", 5)]
    assert hold(ONE, full, waiting("x", pod(2, "driver"), pod(4))) == Hold(
        "no node has room for its driver pod, which asks for 2048Mi memory and 1000m CPU: at most 1024Mi memory and"
        " 6000m CPU are free, on a"
    )
    first = waiting("large", LARGE, priority=7)
    assert hold(ONE, full, first, waiting("small", SMALL)) == Hold(
        "what is free is kept for sweeps before it: team/large (priority 7)"
    )
    pressed = [node("a", 10, conditions={"MemoryPressure": "True"})]
    assert "now: a is short of memory (MemoryPressure)" in hold(pressed, [], waiting("x", SMALL)).message


def test_one_that_no_node_could_take_is_told_apart() -> None:
    giant = hold(ONE, [], waiting("x", pod(64)))
    assert giant.too_large
    assert giant.message.startswith("even with nothing else running no node has room for its trainer pod, which asks")
    lost = hold(ONE, [], waiting("x", pod(1, disk="ssd")))
    assert lost.too_large
    assert "look at its nodeSelector" in lost.message
    pressed = [node("a", 10, conditions={"MemoryPressure": "True"})]
    assert not hold(pressed, [], waiting("x", SMALL)).too_large
