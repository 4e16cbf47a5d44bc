"""Issue A(a): the thesis' MNIST grid on a real cluster; status, Events, metrics and records agree trial by trial."""

import collections
import re
import time
from typing import Any

from cluster.sweeps import is_true, read_records, stop_events
from support.kubectl import Kubectl, KubectlError
from support.sweeps import edited

GRID: dict[str, Any] = {
    "apiVersion": "tuningsweep.io/v1alpha1",
    "kind": "TuningSweep",
    "metadata": {"name": "mnist-svm"},
    "spec": {
        "objective": {
            "type": "minimize",
            "objectiveMetricName": "validation_loss",
            "additionalMetricNames": ["accuracy"],
        },
        "parameters": [
            {
                "name": "batch_size",
                "parameterType": "discrete",
                "feasibleSpace": {"list": ["30", "300", "3000", "30000"]},
            },
            {
                "name": "learning_rate",
                "parameterType": "discrete",
                "feasibleSpace": {"list": ["0.1", "0.01", "0.001", "0.0001"]},
            },
        ],
        "search": {"algorithmName": "grid"},
        "trainable": {
            "builtin": {
                "model": "linearSVM",
                "task": "classification",
                "dataset": {"openml": {"id": 554}},
                "shuffle": True,
                "steps": 60,
                "evaluateEverySteps": 20,
            }
        },
        "limits": {"memory": "250Mi", "meanStepTime": "30ms", "warmupSteps": 3, "windowSteps": 10},
        "parallelTrialCount": 2,
        "maxTrialCount": 16,
        "cluster": {
            "workers": {"minReplicas": 1, "maxReplicas": 1, "trialsPerWorker": 2},
            "resourcesPerTrial": {"cpu": "250m", "memory": "2Gi"},
        },
    },
}


def scrape(kubectl: Kubectl, name: str, seen: dict[str, set[str]]) -> None:
    """Add the trials that the trainer's metrics name now to `seen`, by metric."""
    for pod in kubectl.items("pods", f"tuningsweep.io/sweep={name}"):
        try:
            printed = kubectl.run("get", "--raw", _metrics_path(kubectl.namespace, pod["metadata"]["name"]))
        except KubectlError:
            continue  # the pod is starting or gone
        for metric, labels in re.findall(r"^(tuningsweep_\w+)\{([^}]*)\}", printed, re.MULTILINE):
            for trial in re.findall(r'trial="([^"]+)"', labels):
                seen[metric].add(trial)


def _metrics_path(namespace: str, pod: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods/{pod}:8091/proxy/metrics"


def watch_to_the_end(kubectl: Kubectl, name: str, seconds: float) -> tuple[dict[str, Any], dict[str, set[str]]]:
    """Follow a sweep until it has ended; the sweep and the trials seen in metrics."""
    seen: dict[str, set[str]] = collections.defaultdict(set)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        sweep = kubectl.get("tuningsweep", name)
        if is_true(sweep, "Complete") or is_true(sweep, "Failed"):
            return sweep, seen
        scrape(kubectl, name, seen)
        time.sleep(1)
    raise AssertionError(f"{name} has not ended within {seconds:g} s: {sweep.get('status')}")


def test_trials_over_a_limit_are_stopped_and_everything_agrees(kubectl: Kubectl, openml_server: str) -> None:
    dataset = {"openml": {"id": 554, "server": openml_server}}
    kubectl.apply(edited(GRID, {"spec.trainable.builtin.dataset": dataset}))
    sweep, seen = watch_to_the_end(kubectl, "mnist-svm", 420)
    assert is_true(sweep, "Complete"), sweep["status"]
    kubectl.run("wait", "--for=condition=Complete", "tuningsweep/mnist-svm", "--timeout=5s")

    records = read_records(kubectl, "mnist-svm")
    assert len(records) == len({record["trial"] for record in records}) == 16
    outcomes = {(int(r["parameters"]["batch_size"]), r["outcome"], r["reason"]) for r in records}
    print("outcomes by batch size:", sorted(outcomes))
    for record in records:
        print(
            record["trial"],
            record["parameters"],
            record["outcome"],
            record["reason"],
            record.get("observed"),
            record["peakMemory"],
        )
        if record["outcome"] == "LimitExceeded":
            assert record["observed"] > record["limit"]
        else:
            assert record["outcome"] == "Succeeded", record
    stopped = {r["trial"]: r for r in records if r["outcome"] == "LimitExceeded"}
    by_reason = {
        reason: {r["parameters"]["batch_size"] for r in stopped.values() if r["reason"] == reason}
        for reason in ("MemoryLimitExceeded", "MeanStepTimeLimitExceeded")
    }
    assert by_reason["MemoryLimitExceeded"] == {30000}, "a batch of 30,000 random rows is a copy of 188 MB"
    assert 3000 in by_reason["MeanStepTimeLimitExceeded"]
    assert {r["parameters"]["batch_size"] for r in records if r["outcome"] == "Succeeded"} >= {30}

    counts = sweep["status"]["trials"]
    assert counts["succeeded"] == 16 - len(stopped)
    assert counts["limitExceeded"] == len(stopped)
    assert counts["total"] == 16
    agree_with_status_and_events(kubectl, sweep, stopped)
    assert seen["tuningsweep_trial_memory_bytes"] | seen["tuningsweep_trial_memory_limit_bytes"]
    assert seen["tuningsweep_trial_memory_bytes"] <= {r["trial"] for r in records}


def agree_with_status_and_events(kubectl: Kubectl, sweep: dict[str, Any], stopped: dict[str, Any]) -> None:
    for stop in sweep["status"]["lastStops"]:
        assert stopped[stop["trial"]]["reason"] == stop["reason"]
    text = "\n".join(event["message"] for event in stop_events(kubectl, "mnist-svm"))
    for trial in stopped:
        assert trial in text, text
