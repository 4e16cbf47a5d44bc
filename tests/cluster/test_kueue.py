"""Kueue in the cluster: a running sweep is preempted by something of higher priority, and goes on without losing a trial."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from cluster.monitoring import versions
from cluster.sweeps import (
    condition,
    function_sweep,
    is_true,
    read_records,
    restricted_pod,
    tell_trials,
    trial_counts,
    wait_condition,
    wait_running,
    wait_trials,
)
from support.kubectl import Kubectl
from support.kueue import NAMESPACE, WITHOUT_VISIBILITY, manifests, queue_labels, queue_manifests
from support.patience import eventually

QUOTA = {"cpu": "100", "memory": "1000Gi", "pods": "1"}
"""Room for one sweep: its trials run on the head."""


def image() -> str:
    """The one that the rig makes; in a cluster that is given, the published one."""
    given = os.environ.get("TUNINGSWEEP_TEST_IMAGES", "localhost") != "localhost"
    return f"{'registry.k8s.io/kueue' if given else 'localhost'}/kueue:{versions()['KUEUE_VERSION']}"


def installation(namespace: str) -> str:
    """Kueue's manifests with that image, small enough for the node of the tests; its webhooks see one namespace alone."""
    found = manifests()
    for manifest in found:
        for hook in manifest.get("webhooks", []):
            hook["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
        if manifest["kind"] == "Deployment":
            (container,) = manifest["spec"]["template"]["spec"]["containers"]
            container |= {"image": image(), "imagePullPolicy": "IfNotPresent"}
            container["args"].append(WITHOUT_VISIBILITY)
            container["resources"]["requests"] = {"cpu": "20m", "memory": "64Mi"}
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": found})


@pytest.fixture
def kueue(cluster: Kubectl, kubectl: Kubectl) -> Iterator[None]:
    """Kueue, ready to admit; taken away afterwards."""
    system, everything = Kubectl(NAMESPACE), installation(kubectl.namespace)
    try:
        system.run("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=everything)
        # It waits for its certificate, which it makes itself, and the kubelet brings to it when it next looks.
        system.run("rollout", "status", "deployment/kueue-controller-manager", "--timeout=570s")
        yield
        # While it is there: its queues hold on to what is admitted, and its definitions to the queues.
        kubectl.run("delete", "tuningsweeps,jobs,localqueues", "--all", "--timeout=570s")
        cluster.run("delete", "clusterqueues,resourceflavors", "--all", "--timeout=570s")
    finally:
        system.run("delete", "--ignore-not-found", "--wait=false", "-f", "-", stdin=everything)


def patient_sweep() -> dict[str, Any]:
    """A sweep in the queue of a trial of a second and three that go on until they are told, one at a time."""
    edits = {"spec__trainable__arguments": {"steps": "10", "until_told_from": "1"}, "spec__parallelTrialCount": 1}
    return function_sweep("patient", "counting", metadata__labels=queue_labels("low"), **edits)


def urgent_job() -> dict[str, Any]:
    """What someone else has in the queue, and more urgent; sweeps against sweeps are in tests/integration/queues."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "urgent", "labels": queue_labels("high")},
        "spec": {"suspend": True, "template": {"spec": restricted_pod("sleep", "7200")}},
    }


@pytest.mark.long
def test_a_preempted_sweep_loses_no_trial(kubectl: Kubectl, kueue: None) -> None:
    def queues_are_there() -> bool:
        kubectl.apply(*queue_manifests(kubectl.namespace, QUOTA))
        return True

    eventually(queues_are_there, "Kueue's webhooks answer")
    kubectl.apply(patient_sweep())
    wait_trials(kubectl, "patient", "succeeded", 1)
    kubectl.apply(urgent_job())
    wait_condition(kubectl, "patient", "Suspended", reason="Preempted")
    eventually(lambda: not trial_counts(kubectl, "patient")["running"], "nothing of it runs")
    status = kubectl.get("tuningsweep", "patient")["status"]
    assert (status["phase"], status["trials"]["succeeded"]) == ("Queued", 1)
    eventually(lambda: kubectl.get("job", "urgent")["status"].get("ready"), "what is more urgent runs")
    kubectl.run("delete", "job", "urgent")
    wait_running(kubectl, "patient")
    tell_trials(kubectl, "patient")
    done = wait_condition(kubectl, "patient", "Complete")
    assert not is_true(done, "Suspended"), condition(done, "Suspended")
    records = read_records(kubectl, "patient")
    assert len({record["trial"] for record in records}) == len(records) == 4
    assert {record["outcome"] for record in records} == {"Succeeded"}
    assert records[0]["attempts"] == 1, "what had ended is not run again"
