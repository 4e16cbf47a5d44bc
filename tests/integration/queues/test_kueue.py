"""Queues and quotas with real controllers (KubeRay, Kueue, our operator) and no node: what waits, what is admitted.

Kueue preempts a sweep by the RayJob's `suspend`; that no trial is lost by it is in tests/cluster/test_kueue.py.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from support.control_plane import ControlPlane, running_control_plane
from support.controllers import running_kuberay
from support.kubectl import READ
from support.kueue import queue_labels, queue_manifests, running_kueue
from support.operator_process import running_operator
from support.patience import eventually
from support.sweeps import sweep_manifest
from tuningsweep_operator.resources import PODS, Resource

T = TypeVar("T")
KINDS = {**READ, "resourcequota": Resource("", "v1", "resourcequotas")}
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
QUOTA = {"cpu": "100", "memory": "1000Gi", "pods": "2"}
"""Room for one sweep: a head and a worker."""


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Everything running; the operator looks for drift every second.

    Kueue comes after it, and watching one namespace it gets no notice of that from the API server.
    """
    folder = tmp_path_factory.mktemp("plane")
    with (
        running_control_plane(folder, controllers=True) as plane,
        running_kuberay(plane),
        running_operator(plane, RESYNC_SECONDS="1", WATCH_NAMESPACES="default"),
        running_kueue(plane),
    ):
        yield plane


def apply(plane: ControlPlane, *items: dict[str, Any]) -> None:
    plane.kubectl(
        "apply", "--server-side", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    )


def find(plane: ControlPlane, kind: str, name: str) -> dict[str, Any]:
    """An object of the namespace `default`; empty if it is not there."""
    return plane.find(KINDS[kind], name) or {}


def wait(check: Callable[[], T | None], what: str) -> T:
    return eventually(check, what, every=0.2)


def conditions(sweep: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The conditions that hold, by type."""
    found = sweep.get("status", {}).get("conditions", [])
    return {condition["type"]: condition for condition in found if condition["status"] == "True"}


def holds(plane: ControlPlane, name: str, kind: str, reason: str) -> dict[str, Any]:
    """Wait until a condition of a sweep holds with a reason; the sweep."""

    def check() -> dict[str, Any] | None:
        sweep = find(plane, "tuningsweep", name)
        return sweep if conditions(sweep).get(kind, {}).get("reason") == reason else None

    return wait(check, f"{name} {kind} {reason}")


def admitted(plane: ControlPlane, name: str) -> dict[str, Any]:
    """Wait until a sweep's cluster may be made, and its status says so; the RayJob."""

    def check() -> dict[str, Any] | None:
        job, sweep = find(plane, "rayjob", name), find(plane, "tuningsweep", name)
        runs = bool(job) and not job["spec"].get("suspend") and bool(job.get("status", {}).get("rayClusterName"))
        return job if runs and "Suspended" not in conditions(sweep) else None

    return wait(check, f"{name} admitted")


def queued_sweep(name: str, priority: str) -> dict[str, Any]:
    return sweep_manifest(metadata__name=name, metadata__labels=queue_labels(priority))


def test_sweeps_wait_are_admitted_preempted_and_go_on(plane: ControlPlane) -> None:
    apply(plane, sweep_manifest(metadata__name="nowhere", metadata__labels={QUEUE_LABEL: "nowhere"}))
    assert "LocalQueue" in conditions(holds(plane, "nowhere", "Stalled", "QueueUnavailable"))["Stalled"]["message"]
    plane.kubectl("delete", "tuningsweep", "nowhere")
    apply(plane, *queue_manifests("default", QUOTA))

    apply(plane, queued_sweep("first", "low"))
    job = admitted(plane, "first")
    assert queue_labels("low").items() <= job["metadata"]["labels"].items()

    apply(plane, queued_sweep("second", "low"))
    waiting = holds(plane, "second", "Suspended", "Queued")
    assert waiting["status"]["phase"] == "Queued"
    wait(
        lambda: "pods" in conditions(find(plane, "tuningsweep", "second"))["Suspended"]["message"],
        "the message says which quota is short",
    )
    assert "startTime" not in waiting["status"]
    generation = job["metadata"]["generation"]
    plane.kubectl("patch", "tuningsweep", "first", "--type=merge", "-p", '{"spec":{"limits":{"memory":"300Mi"}}}')
    wait(
        lambda: "300Mi" in find(plane, "configmap", "first-sweep")["data"]["sweep.json"], "an edit of an admitted sweep"
    )

    assert find(plane, "rayjob", "first")["metadata"]["generation"] == generation, "Kueue's job, left alone"

    apply(plane, queued_sweep("urgent", "high"))
    assert holds(plane, "first", "Suspended", "Preempted")["status"]["phase"] == "Queued"
    admitted(plane, "urgent")
    wait(lambda: not pods(plane, "first"), "the preempted cluster is gone")

    # Kueue's order within a priority is by whole seconds: with nobody else waiting, the freed quota is the preempted sweep's.
    plane.kubectl("delete", "tuningsweep", "second")
    plane.kubectl("patch", "tuningsweep", "urgent", "--type=merge", "-p", '{"spec":{"suspend":true}}')
    holds(plane, "urgent", "Suspended", "SuspendRequested")
    wait(lambda: not find(plane, "rayjob", "urgent"), "a suspended sweep gives its quota back")
    admitted(plane, "first")
    plane.kubectl("patch", "tuningsweep", "urgent", "--type=merge", "-p", '{"spec":{"suspend":false}}')
    admitted(plane, "urgent")
    apply(plane, queued_sweep("second", "low"))
    holds(plane, "second", "Suspended", "Queued")
    # One after the other: Kueue can keep counting a workload that is deleted in the moment in which it would be admitted.
    plane.kubectl("delete", "tuningsweep", "first")
    wait(lambda: not find(plane, "rayjob", "first"), "nobody else waits")
    plane.kubectl("delete", "tuningsweep", "urgent")
    admitted(plane, "second")
    plane.kubectl("delete", "tuningsweep", "second")


def pods(plane: ControlPlane, sweep: str) -> list[dict[str, Any]]:
    return plane.items(PODS, selector=f"tuningsweep.io/sweep={sweep}")


@pytest.mark.parametrize("resource", ["pods", "count/secrets"])
def test_a_resource_quota_shows_as_a_reason_and_is_tried_again(plane: ControlPlane, resource: str) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "tight"},
        "spec": {"hard": {resource: "0"}},
    }
    apply(plane, quota)
    wait(lambda: find(plane, "resourcequota", "tight").get("status", {}).get("used"), "the quota counts")
    name = resource.replace("/", "-")
    apply(plane, sweep_manifest(metadata__name=name))
    message = conditions(holds(plane, name, "Stalled", "QuotaExceeded"))["Stalled"]["message"]
    assert "exceeded quota: tight" in message
    plane.kubectl("delete", "resourcequota", "tight")
    wait(lambda: pods(plane, name), "its pods are made")
    wait(lambda: "Stalled" not in conditions(find(plane, "tuningsweep", name)), "it says so no more")
    plane.kubectl("delete", "tuningsweep", name)
