"""Issue A, line 2: what is wrong with the cluster shows as a reason with a remedy, and mends without a restart."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cluster.sweeps import condition, function_sweep, recovers, wait_condition, wait_running
from support.kubectl import Kubectl
from support.patience import PATIENCE, eventually

KUBERAY = Kubectl("kuberay-system")
KUBERAY_CRDS = ("rayjobs.ray.io", "rayclusters.ray.io", "rayservices.ray.io", "raycronjobs.ray.io")
SOON = 30.0
"""Seconds within which trouble that is there has to be told of."""


def waiting_reasons(kubectl: Kubectl, name: str) -> set[str]:
    """Why containers of a sweep's pods wait, by the kubelet's account."""
    pods = kubectl.items("pods", f"tuningsweep.io/sweep={name}")
    statuses = [status for pod in pods for status in pod["status"].get("containerStatuses", [])]
    return {status.get("state", {}).get("waiting", {}).get("reason", "") for status in statuses}


def is_refused_pods(kubectl: Kubectl) -> bool:
    """Whether KubeRay has said that it can't make the pods of some cluster."""
    told = [c for found in kubectl.items("rayclusters") for c in found.get("status", {}).get("conditions", [])]
    return any((c["type"], c["status"]) == ("ReplicaFailure", "True") for c in told)


def test_missing_image(kubectl: Kubectl) -> None:
    cluster = {"image": "localhost/no-such-image:1", "imagePullPolicy": "Never"}
    kubectl.apply(
        function_sweep(
            "no-image", "quick", spec__cluster__image=cluster["image"], spec__cluster__imagePullPolicy="Never"
        )
    )
    eventually(lambda: "ErrImageNeverPull" in waiting_reasons(kubectl, "no-image"), "the kubelet refuses")
    sweep = wait_condition(kubectl, "no-image", "Stalled", SOON, "ImageUnavailable")
    assert cluster["image"] in condition(sweep, "Stalled")["message"]


def test_an_exceeded_quota_then_no_node_that_fits_then_recovery_until_the_deadline_and_deletion_in_time(
    kubectl: Kubectl,
) -> None:
    kubectl.apply(
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    )
    eventually(lambda: kubectl.get("resourcequota", "none").get("status", {}).get("hard"), "quota in force")
    selector = {"tuningsweep.io/no-such-node": "true"}
    edits = {"spec__cluster__podTemplate__nodeSelector": selector, "spec__storage": {"ephemeral": {}}}
    kubectl.apply(function_sweep("nowhere", "until_told", **edits))
    eventually(lambda: is_refused_pods(kubectl), "KubeRay is refused pods")
    wait_condition(kubectl, "nowhere", "Stalled", SOON, "QuotaExceeded")
    kubectl.run("delete", "resourcequota", "none")
    wait_condition(kubectl, "nowhere", "Stalled", PATIENCE, "Unschedulable")
    node = KUBERAY.items("nodes")[0]["metadata"]["name"]
    KUBERAY.run("label", "node", node, "tuningsweep.io/no-such-node=true")
    try:
        recovers(kubectl, "nowhere")
    finally:
        KUBERAY.run("label", "node", node, "tuningsweep.io/no-such-node-")
    wait_running(kubectl, "nowhere")
    kubectl.patch("tuningsweep", "nowhere", {"spec": {"activeDeadlineSeconds": 1}})
    wait_condition(kubectl, "nowhere", "Failed", reason="DeadlineExceeded")
    kubectl.patch("tuningsweep", "nowhere", {"spec": {"ttlSecondsAfterFinished": 1}})
    eventually(lambda: kubectl.find("tuningsweep", "nowhere") is None, "the finished sweep is deleted")


def test_broken_import_fails_the_sweep_and_names_the_module(kubectl: Kubectl) -> None:
    kubectl.apply(function_sweep("broken", "quick", spec__trainable={"function": "no_such_module:train"}))
    sweep = wait_condition(kubectl, "broken", "Failed", reason="TrainableUnavailable")
    assert "no_such_module" in condition(sweep, "Failed")["message"]


def test_crashing_driver(kubectl: Kubectl) -> None:
    env = [
        {"name": "PYTHONPATH", "value": "/opt/trainables"},
        {"name": "TUNINGSWEEP_SWEEP_FILE", "value": "/no/such/file"},
    ]
    kubectl.apply(function_sweep("crashing", "quick", spec__cluster__podTemplate__env=env, spec__backoffLimit=0))
    sweep = wait_condition(kubectl, "crashing", "Failed")
    assert condition(sweep, "Failed")["reason"] == "BackoffLimitExceeded"


def everywhere(kind: str) -> list[Any]:
    """Objects of a kind in all namespaces."""
    return list(json.loads(KUBERAY.run("get", kind, "--all-namespaces", "-o", "json"))["items"])


@pytest.fixture
def kuberay_crds() -> Iterator[list[dict[str, Any]]]:
    """KubeRay's CRDs; they and its operator are there again afterwards, whatever happened."""
    resources = [_applicable(KUBERAY.get("crd", name)) for name in KUBERAY_CRDS]
    yield resources
    _bring_crds_back(resources)
    KUBERAY.run("scale", "deployment/kuberay-operator", "--replicas=1")
    KUBERAY.run("rollout", "status", "deployment/kuberay-operator", "--timeout=300s")


def _applicable(resource: dict[str, Any]) -> dict[str, Any]:
    """A CRD as it can be applied again."""
    metadata = {
        key: resource["metadata"][key] for key in ("name", "labels", "annotations") if key in resource["metadata"]
    }
    return {
        "apiVersion": resource["apiVersion"],
        "kind": resource["kind"],
        "metadata": metadata,
        "spec": resource["spec"],
    }


def _bring_crds_back(resources: list[dict[str, Any]]) -> None:
    for resource in resources:
        eventually(lambda resource=resource: _is_there_again(resource), resource["metadata"]["name"])


def _is_there_again(resource: dict[str, Any]) -> bool:
    """Apply a CRD; false while an earlier one is still on its way out, which applying does not stop."""
    # Server-side, as they are too large for the annotation that kubectl would keep of them.
    KUBERAY.run("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(resource))
    return "deletionTimestamp" not in KUBERAY.get("crd", resource["metadata"]["name"])["metadata"]


@pytest.mark.disruptive
def test_absent_then_silent_kuberay_and_recovery(kubectl: Kubectl, kuberay_crds: list[dict[str, Any]]) -> None:
    # Those of earlier tests end with their namespaces, and only KubeRay takes its finalizers off them.
    eventually(lambda: not everywhere("rayjobs") and not everywhere("rayclusters"), "no RayJob is left")
    KUBERAY.run("scale", "deployment/kuberay-operator", "--replicas=0")
    KUBERAY.run("delete", "crd", *KUBERAY_CRDS, "--timeout=300s")
    kubectl.apply(function_sweep("too-early", "quick", spec__parallelTrialCount=1, spec__maxTrialCount=1))
    wait_condition(kubectl, "too-early", "Stalled", SOON, "KubeRayNotInstalled")
    _bring_crds_back(kuberay_crds)
    wait_condition(kubectl, "too-early", "Stalled", 60 + SOON, "KubeRayNotResponding")
    KUBERAY.run("scale", "deployment/kuberay-operator", "--replicas=1")
    wait_condition(kubectl, "too-early", "Complete")
