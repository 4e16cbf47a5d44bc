"""What cluster tests ask of a sweep: conditions, records, Events, the driver's pods."""

import contextlib
import json
import os
import secrets
from functools import partial
from typing import Any

from support.api_server import KubectlError
from support.kubectl import Kubectl
from support.patience import PATIENCE, eventually
from support.sweeps import edited
from support.trainables import ENOUGH

FINISHED = ("Complete", "Failed")
TRAINER_IMAGE = f"{os.environ.get('TUNINGSWEEP_TEST_IMAGES', 'localhost')}/tuningsweep-trainer:test"


def condition(sweep: dict[str, Any], kind: str) -> dict[str, Any]:
    """The condition of a type, or an empty one."""
    found = [c for c in sweep.get("status", {}).get("conditions", []) if c["type"] == kind]
    return found[0] if found else {"type": kind, "status": "Unknown", "reason": "", "message": ""}


def is_true(sweep: dict[str, Any], kind: str) -> bool:
    """Whether a condition holds."""
    return bool(condition(sweep, kind)["status"] == "True")


def has_ended(sweep: dict[str, Any]) -> bool:
    """Whether a sweep is Complete or Failed."""
    return any(is_true(sweep, kind) for kind in FINISHED)


def wait_condition(
    kubectl: Kubectl, name: str, kind: str, seconds: float = PATIENCE, reason: str | None = None
) -> dict[str, Any]:
    """Wait until a condition is True (with a reason); returns the sweep."""

    def check() -> dict[str, Any] | None:
        sweep = kubectl.get("tuningsweep", name)
        found = condition(sweep, kind)
        if found["status"] == "True" and reason in (None, found["reason"]):
            return sweep
        if kind == "Complete" and is_true(sweep, "Failed"):
            raise AssertionError(f"sweep failed instead: {condition(sweep, 'Failed')}")
        return None

    return eventually(check, f"{name} {kind} {reason or ''} (status: {_brief(kubectl, name)})", seconds)


def _brief(kubectl: Kubectl, name: str) -> str:
    found = kubectl.find("tuningsweep", name) or {}
    return json.dumps(found.get("status", {}).get("conditions", []))


def trial_counts(kubectl: Kubectl, name: str) -> dict[str, int]:
    """`status.trials`."""
    return dict(kubectl.get("tuningsweep", name).get("status", {}).get("trials", {}))


def wait_trials(kubectl: Kubectl, name: str, state: str, count: int, seconds: float = PATIENCE) -> None:
    """Wait until `status.trials` counts so many in a state; a sweep that has ended before will never."""

    def check() -> bool:
        sweep = kubectl.get("tuningsweep", name)
        reached = bool(sweep.get("status", {}).get("trials", {}).get(state, 0) >= count)
        assert reached or not has_ended(sweep), f"{name} has ended: {_brief(kubectl, name)}"
        return reached

    eventually(check, f"{name}: {count} {state}", seconds)


def wait_running(kubectl: Kubectl, name: str, seconds: float = PATIENCE, count: int = 1) -> None:
    """Wait until trials are running."""
    wait_trials(kubectl, name, "running", count, seconds)


def recovers(kubectl: Kubectl, name: str) -> None:
    """Wait until a stalled sweep is no longer so, and its head pod runs: from there on it is as any other."""

    def check() -> bool:
        stalled = is_true(kubectl.get("tuningsweep", name), "Stalled")
        pods = kubectl.items("pods", f"tuningsweep.io/sweep={name},ray.io/node-type=head")
        return not stalled and [pod["status"].get("phase") for pod in pods] == ["Running"]

    eventually(check, f"{name} recovers (status: {_brief(kubectl, name)})")


def tell_trials(kubectl: Kubectl, name: str) -> None:
    """Let the trials of a sweep end, those to come too: each finds the file in the pod it runs in."""
    for pod in kubectl.items("pods", f"tuningsweep.io/sweep={name}"):
        if "deletionTimestamp" not in pod["metadata"]:
            tell = partial(kubectl.run, "exec", pod["metadata"]["name"], "--", "touch", str(ENOUGH))
            eventually(lambda tell=tell: tell() == "", f"{pod['metadata']['name']} is told")


def head_pod(kubectl: Kubectl, name: str) -> str:
    """Name of the sweep's head pod."""
    pods = kubectl.items("pods", f"tuningsweep.io/sweep={name},ray.io/node-type=head")
    assert pods, f"{name} has no head pod"
    return str(pods[0]["metadata"]["name"])


def pod_metrics(kubectl: Kubectl, pod: str) -> str:
    """What a pod of a sweep tells Prometheus now; KubectlError while it is starting."""
    return kubectl.raw(f"/api/v1/namespaces/{kubectl.namespace}/pods/{pod}:8091/proxy/metrics")


def stop_events(kubectl: Kubectl, name: str) -> list[dict[str, Any]]:
    """Events on the sweep about stopped trials."""
    events = kubectl.items("events")
    return [e for e in events if e["involvedObject"]["name"] == name and e["involvedObject"]["kind"] == "TuningSweep"]


def read_results(kubectl: Kubectl, name: str, file: str = "trials.jsonl", claim: str | None = None) -> str:
    """A file of the sweep's results, read in its head pod while that runs, else by a pod that mounts the claim."""
    heads = kubectl.items("pods", f"tuningsweep.io/sweep={name},ray.io/node-type=head")
    running = [pod for pod in heads if pod["status"].get("phase") == "Running"]
    with contextlib.suppress(KubectlError):  # it has just gone
        if running and claim is None:
            path = f"/var/lib/tuningsweep/{name}/{file}"
            return kubectl.run("exec", running[0]["metadata"]["name"], "--", "cat", path)
    return printed_by(kubectl, _reader(claim or f"{name}-results", f"/results/{name}/{file}"))


def printed_by(kubectl: Kubectl, spec: dict[str, Any]) -> str:
    """What a pod prints until it succeeds; then it is deleted."""
    name = f"printer-{secrets.token_hex(3)}"  # the one before may still be on its way out
    kubectl.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
    try:
        eventually(lambda: _phase(kubectl, name) in ("Succeeded", "Failed"), f"pod {name}")
        printed = kubectl.run("logs", name)
        assert _phase(kubectl, name) == "Succeeded", printed
        return printed
    finally:
        kubectl.run("delete", "pod", name, "--wait=false", "--grace-period=0")


def read_records(kubectl: Kubectl, name: str) -> list[dict[str, Any]]:
    """The sweep's trials.jsonl."""
    return [json.loads(line) for line in read_results(kubectl, name).splitlines()]


def _phase(kubectl: Kubectl, pod: str) -> str:
    return str(kubectl.get("pod", pod)["status"].get("phase", ""))


def restricted_pod(*command: str) -> dict[str, Any]:
    """The spec of a pod under the restricted standard that runs a command in the trainer's image."""
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "program",
                "image": TRAINER_IMAGE,
                "imagePullPolicy": "IfNotPresent",
                "command": list(command),
                "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
    }


def _reader(claim: str, path: str) -> dict[str, Any]:
    """The spec of a pod that prints a file of a claim."""
    spec = restricted_pod("cat", path)
    spec["volumes"] = [{"name": "results", "persistentVolumeClaim": {"claimName": claim}}]
    spec["containers"][0]["volumeMounts"] = [{"name": "results", "mountPath": "/results"}]
    return spec


ONE_WORKER = {"minReplicas": 1, "maxReplicas": 1, "trialsPerWorker": 2}


def function_sweep(name: str, function: str, **edits: Any) -> dict[str, Any]:
    """A sweep of a user's function out of the ConfigMap `trainables` (see `trainables_config_map`).

    Its trials run on the head, which spares a pod; `spec__cluster__workers=ONE_WORKER` gives them one of their own.
    """
    base: dict[str, Any] = {
        "apiVersion": "tuningsweep.io/v1alpha1",
        "kind": "TuningSweep",
        "metadata": {"name": name},
        "spec": {
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "parameters": [
                {"name": "x", "parameterType": "discrete", "feasibleSpace": {"list": ["0", "1", "2", "3"]}},
            ],
            "search": {"algorithmName": "grid"},
            "trainable": {"function": f"trainables:{function}"},
            "parallelTrialCount": 2,
            "maxTrialCount": 4,
            "tracking": {"enabled": False},
            "cluster": {
                "workers": {"minReplicas": 0, "maxReplicas": 0, "trialsPerWorker": 2},
                "resourcesPerTrial": {"cpu": "100m", "memory": "1536Mi"},
                "podTemplate": {
                    "env": [{"name": "PYTHONPATH", "value": "/opt/trainables"}],
                    "volumes": [{"name": "trainables", "configMap": {"name": "trainables"}}],
                    "volumeMounts": [{"name": "trainables", "mountPath": "/opt/trainables", "readOnly": True}],
                },
            },
        },
    }
    return edited(base, {path.replace("__", "."): value for path, value in edits.items()})


def trainables_config_map(source: str) -> dict[str, Any]:
    """The ConfigMap that carries the test trainables into the pods."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "trainables"},
        "data": {"trainables.py": source},
    }
