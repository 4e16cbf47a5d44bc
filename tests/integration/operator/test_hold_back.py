"""Sweeps held back by a real operator before a real API server, with nodes and pods that are objects alone."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.control_plane import ControlPlane, running_control_plane
from support.faulty_proxy import FaultyProxy, faulty_proxy
from support.operator_process import OperatorProcess, install_definitions
from support.patience import eventually
from support.sweeps import BASE, edited
from tuningsweep_operator.resources import RAY_JOBS, SWEEPS

FREED_SECONDS = 30
READ_SECONDS = 2.0
NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "only"},
    "status": {
        "allocatable": {"memory": "8Gi", "cpu": "8", "pods": "110"},
        "conditions": [{"type": "Ready", "status": "True"}],
    },
}
"""Room for one sweep, which asks for 2 GiB and 2.5 GiB."""
OPTIONS = ("--disable-admission-plugins=TaintNodesByCondition,ServiceAccount",)
"""Without what would need a kubelet or controllers before a node takes pods."""


@pytest.fixture(scope="module")
def bare_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with running_control_plane(tmp_path_factory.mktemp("plane"), options=OPTIONS) as plane:
        install_definitions(plane)
        plane.kubectl("create", "-f", "-", stdin=json.dumps(NODE))
        plane.kubectl("replace", "--subresource=status", "-f", "-", stdin=json.dumps(NODE))
        yield plane


@pytest.fixture(scope="module")
def proxy(bare_plane: ControlPlane) -> Iterator[FaultyProxy]:
    with faulty_proxy(bare_plane) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def operator(bare_plane: ControlPlane, proxy: FaultyProxy) -> Iterator[OperatorProcess]:
    operator = OperatorProcess(
        bare_plane.folder, proxy.kubeconfig, HOLD_BACK="true", HOLD_BACK_SECONDS=str(READ_SECONDS)
    )
    try:
        yield operator.start()
    finally:
        operator.kill()


def taker(name: str, memory: str) -> dict[str, Any]:
    """A pod of somebody else on the node."""
    container = {"name": "c", "image": "i", "resources": {"requests": {"memory": memory}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"nodeName": "only", "containers": [container]},
    }


class Sweeps:
    """Makes sweeps and tells how they stand."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def create(self, name: str, priority: int) -> None:
        manifest = edited(BASE, {"metadata.name": name, "spec.priority": priority})
        self._plane.kubectl("create", "-f", "-", stdin=json.dumps(manifest))

    def started(self, name: str) -> bool:
        job = self._plane.find(RAY_JOBS, name)
        return job is not None and not job["spec"].get("suspend")

    def waits(self, name: str) -> str:
        """The message of a sweep that is held back; empty of any other."""
        status = (self._plane.find(SWEEPS, name) or {}).get("status", {})
        found = {condition["type"]: condition for condition in status.get("conditions", [])}
        suspended = found.get("Suspended", {})
        if (status.get("phase"), suspended.get("status")) != ("Queued", "True"):
            return ""
        assert suspended["reason"] == "WaitingForCapacity"
        assert not self.started(name)
        return str(suspended["message"])


def test_sweeps_wait_for_room_and_the_highest_priority_starts_first(
    bare_plane: ControlPlane, proxy: FaultyProxy, operator: OperatorProcess
) -> None:
    sweeps = Sweeps(bare_plane)
    bare_plane.kubectl("create", "-f", "-", stdin=json.dumps(taker("taker", "6Gi")))
    sweeps.create("low", 0)
    message = eventually(lambda: sweeps.waits("low"), "low is held back", every=0.2)
    assert "which ask for 4608Mi memory" in message
    assert "2048Mi memory" in message
    sweeps.create("high", 10)
    eventually(lambda: sweeps.waits("high"), "high is held back", every=0.2)
    bare_plane.kubectl("delete", "pod", "taker", "--force", "--grace-period=0")
    eventually(lambda: sweeps.started("high"), "high starts once there is room", FREED_SECONDS, every=0.2)
    assert sweeps.waits("low")

    # What has started is never sent back, whoever comes; among those that wait a new priority counts.
    sweeps.create("urgent", 1000)
    eventually(lambda: sweeps.waits("urgent"), "urgent is held back", every=0.2)
    assert sweeps.started("high")
    patch = json.dumps({"spec": {"priority": 2000}})
    bare_plane.kubectl("patch", "tuningsweep", "low", "--type=merge", "-p", patch)
    bare_plane.kubectl("delete", "tuningsweep,rayjob", "high")
    eventually(lambda: sweeps.started("low"), "low starts, by its new priority", FREED_SECONDS, every=0.2)
    assert sweeps.waits("urgent")
    reads = [request.at for request in list(proxy.requests) if "/nodes" in request.path]
    assert len(reads) <= 2 + (reads[-1] - reads[0]) / READ_SECONDS, "however many wait"
