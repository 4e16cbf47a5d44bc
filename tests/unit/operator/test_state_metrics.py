"""What the operator serves of its store and queue: phases, stalled sweeps, KubeRay, lag and depth."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from tuningsweep_operator.lease import Fence
from tuningsweep_operator.state_metrics import StateCollector
from tuningsweep_operator.store import Store
from tuningsweep_operator.work_queue import WorkQueue

PREFIX = "tuningsweep_operator_"


def sweep(name: str, phase: str | None = None, stalled: str | None = None) -> dict[str, Any]:
    manifest: dict[str, Any] = {"metadata": {"namespace": "team", "name": name, "resourceVersion": "1"}}
    if phase is not None:
        manifest["status"] = {"phase": phase, "conditions": []}
    if stalled is not None:
        manifest["status"]["conditions"] = [{"type": "Stalled", "status": "True", "reason": stalled}]
    return manifest


@pytest.fixture
def store() -> Store:
    return Store()


def series(store: Store, *due: str, fence: Fence = lambda: 8.0) -> dict[str, float]:
    async def never(_: tuple[str, str]) -> None:
        raise AssertionError

    queue = WorkQueue(never, 1, fence)
    for name in due:
        queue.add(("team", name))
    registry = CollectorRegistry()
    registry.register(StateCollector(store, queue, fence))
    lines = (line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#"))
    return {name.removeprefix(PREFIX): float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


async def test_sweeps_by_phase_those_without_a_status_are_pending(store: Store) -> None:
    for manifest in (sweep("a"), sweep("b", "Running"), sweep("c", "Running")):
        store.put_sweep(manifest)
    found = series(store)
    assert found['sweeps{phase="Pending"}'] == 1
    assert found['sweeps{phase="Running"}'] == 2
    assert found['sweeps{phase="Failed"}'] == 0


async def test_a_sweep_has_a_series_only_while_it_is_stalled(store: Store) -> None:
    store.put_sweep(sweep("a", "Running", stalled="QuotaExceeded"))
    store.put_sweep(sweep("b", "Running"))
    found = series(store)
    assert found['sweep_stalled{namespace="team",reason="QuotaExceeded",sweep="a"}'] == 1
    assert not [name for name in found if 'sweep="b"' in name]
    assert found["kuberay_available"] == 1
    store.drop_sweep(("team", "a"))
    assert not [name for name in series(store) if name.startswith("sweep_stalled")]


@pytest.mark.parametrize("reason", ["KubeRayNotInstalled", "KubeRayNotResponding"])
async def test_kuberay_is_missed(store: Store, reason: str) -> None:
    store.put_sweep(sweep("a", "Pending", stalled=reason))
    assert series(store)["kuberay_available"] == 0


async def test_depth_of_the_queue_and_lag_of_the_watches(store: Store) -> None:
    found = series(store, "a", "b")
    assert (found["queue_depth"], found["queue_working"]) == (2, 0)
    assert found['watch_lag_seconds{resource="rayjobs"}'] == 0
    store.ray_jobs_lag.returned(("team", "a"), 5, -1e9)
    assert series(store)['watch_lag_seconds{resource="rayjobs"}'] > 1e9


async def test_a_replica_that_waits_tells_nothing_about_sweeps(store: Store) -> None:
    store.put_sweep(sweep("a", "Running"))
    found = series(store, "a", fence=lambda: 0.0)
    assert not [name for name in found if name.startswith(("sweeps", "sweep_stalled", "kuberay"))]
    assert found["queue_depth"] == 0.0
