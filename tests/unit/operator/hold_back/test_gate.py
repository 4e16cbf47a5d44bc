"""The gate: who waits, how often the cluster is read for however many, and what is decided while it can't be."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from support.sweeps import BASE, edited
from tuningsweep_operator.hold_back.gate import Gate, waits_to_start
from tuningsweep_operator.kube import Kube, KubeError
from tuningsweep_operator.resources import NODES, Resource
from tuningsweep_operator.settings import Settings
from tuningsweep_operator.store import Store
from unit.operator.observations import ray_job

SETTINGS = Settings(hold_back=True)
NODE = {
    "metadata": {"name": "a"},
    "status": {
        "allocatable": {"memory": "16Gi", "cpu": "8", "pods": "110"},
        "conditions": [{"type": "Ready", "status": "True"}],
    },
}
"""Room for three sweeps: each asks for 2 GiB and 2.5 GiB."""


def sweep(name: str, **metadata: Any) -> dict[str, Any]:
    facts = {"namespace": "team", "name": name, "uid": name, "generation": 1, "resourceVersion": "1"}
    return edited(BASE, {"metadata": {**facts, "creationTimestamp": "2026-01-02T03:04:05Z", **metadata}})


def job(name: str, deployment: str, *, suspend: bool) -> dict[str, Any]:
    owned = {"metadata.name": name, "metadata.ownerReferences": [{"uid": name}]}
    return edited(ray_job(deployment), {**owned, "spec": {"suspend": suspend}})


@pytest.mark.parametrize(
    ("edits", "found", "waits"),
    [
        ({}, None, True),
        ({"spec.suspend": True}, None, False),
        ({"metadata.deletionTimestamp": "2026-01-02T03:04:05Z"}, None, False),
        ({"metadata.labels": {"kueue.x-k8s.io/queue-name": "q"}}, None, False),
        ({"status": {"phase": "Running"}}, None, False),
        ({"status": {"phase": "Queued"}}, None, True),
        ({"status": {"phase": "Suspended"}}, ("Suspended", True), True),
        ({"status": {"phase": "Queued"}}, ("", True), True),
        ({"status": {"phase": "Running"}}, ("Running", False), False),
        ({"status": {"phase": "Complete"}}, ("Suspended", True), False),
    ],
)
def test_only_a_sweep_that_would_start_now_waits(
    edits: dict[str, Any], found: tuple[str, bool] | None, waits: bool
) -> None:
    live = None if found is None else job("x", found[0], suspend=found[1])
    assert waits_to_start(edited(sweep("x"), edits), live) is waits


class Cluster:
    """Stands for the API server: one node, pods, and how often they were listed."""

    def __init__(self) -> None:
        self.pods: list[dict[str, Any]] = []
        self.lists = 0
        self.away = False

    async def list_all(self, resource: Resource, **_: str) -> AsyncIterator[dict[str, Any]]:
        if self.away:
            raise KubeError(403, "nodes is forbidden")
        self.lists += 1
        for item in [NODE] if resource is NODES else self.pods:
            yield item


class Installation:
    """A gate with its store and cluster."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.cluster, self.store, self.now = Cluster(), Store(), 0.0
        self.gate = Gate(cast("Kube", self.cluster), self.store, settings, lambda: 1.0, clock=lambda: self.now)

    def add(self, *names: str, **metadata: Any) -> None:
        for name in names:
            self.store.put_sweep(sweep(name, **metadata))

    async def decided(self) -> list[str]:
        """Those that a round makes due."""
        return [name for _, name in await self.gate._round()]

    def held(self) -> set[str]:
        return {key[1] for key in self.store.sweeps if self.gate.hold(key) is not None}


async def test_switched_off_it_lets_everybody_through() -> None:
    found = Installation(Settings())
    found.add("x")
    assert not found.gate.is_undecided(("team", "x"))
    assert found.gate.hold(("team", "x")) is None


async def test_the_cluster_is_read_once_for_however_many_sweeps() -> None:
    found = Installation()
    names = [f"sweep-{number:04}" for number in range(200)]
    found.add(*names)
    assert all(found.gate.is_undecided(("team", name)) for name in names)
    assert sorted(await found.decided()) == names
    assert found.held() == set(names[3:])
    found.add("tenth")
    assert await found.decided() == ["tenth"]
    assert found.cluster.lists == 2, "nodes and pods, once each"
    found.now += SETTINGS.hold_back_seconds
    assert await found.decided() == []
    assert found.cluster.lists == 4


async def test_nobody_waits_nothing_is_read() -> None:
    found = Installation()
    found.store.put_sweep(edited(sweep("x"), {"status.phase": "Running"}))
    found.store.put_ray_job(job("x", "Running", suspend=False))
    assert await found.decided() == []
    assert found.cluster.lists == 0


async def test_a_sweep_that_has_just_started_keeps_the_room_of_its_pods() -> None:
    found = Installation()
    found.add("a", "b", "c", "d")
    assert set(await found.decided()) == {"a", "b", "c", "d"}
    for name in "abc":
        found.store.put_returned_ray_job(job(name, "", suspend=False))
    found.now += SETTINGS.hold_back_seconds
    assert await found.decided() == []
    assert found.held() == {"d"}
    # KubeRay says Running after nodes and pods were read: its pods are not in that reading.
    found.store.put_ray_job(edited(job("a", "Running", suspend=False), {"metadata.resourceVersion": "9"}))
    await found.decided()
    assert found.held() == {"d"}


async def test_a_sweep_is_due_once_it_may_start() -> None:
    found = Installation()
    request = {"resources": {"requests": {"memory": "14Gi", "cpu": "1"}}}
    found.cluster.pods = [
        {"metadata": {"namespace": "other", "name": "p"}, "spec": {"nodeName": "a", "containers": [request]}}
    ]
    found.add("x")
    assert await found.decided() == ["x"]
    assert found.held() == {"x"}
    assert not found.gate.is_undecided(("team", "x"))
    found.cluster.pods = []
    assert await found.decided() == [], "known from a moment ago"
    found.now += SETTINGS.hold_back_seconds
    assert await found.decided() == ["x"]
    assert found.held() == set()


async def test_a_new_priority_is_heeded() -> None:
    found = Installation()
    found.add("a", "b", "c", "d")
    await found.decided()
    assert found.held() == {"d"}
    found.store.put_sweep(edited(sweep("d", generation=2, resourceVersion="2"), {"spec.priority": 1}))
    assert found.gate.is_undecided(("team", "d"))
    assert set(await found.decided()) == {"c", "d"}
    assert found.held() == {"c"}


async def test_a_cluster_that_can_not_be_read_starts_nobody_new() -> None:
    found = Installation()
    found.add("a", "b", "c", "d")
    await found.decided()
    found.cluster.away = True
    found.now += SETTINGS.hold_back_seconds
    found.add("e")
    assert await found.decided() == ["e"]
    assert found.held() == {"d", "e"}
    hold = found.gate.hold(("team", "e"))
    assert hold is not None
    assert "nodes is forbidden" in hold.message
    found.cluster.away = False
    found.gate.forget()
    assert set(await found.decided()) == set("abcde")
