"""The thesis' workloads by `kubectl apply`, unedited but for fewer steps and a data server of the test's own."""

import itertools
import math
from typing import Any

import pytest
import yaml

from cluster.sweeps import read_records, wait_condition
from support.kubectl import Kubectl
from support.sweeps import edited
from support.thesis import MANIFESTS

STEPS = 20
WORKLOADS = ("mnist-svm", "diabetes-logistic-regression", "red-wine-svm-regression", "wave-energy-svm-regression")
"""One of each data set, model and task; the other three differ from these in the model alone."""
GRID = set(itertools.product((30, 300, 3000, 30_000), (0.1, 0.01, 0.001, 0.0001)))


def manifest_of(workload: str, server: str) -> dict[str, Any]:
    """A workload's manifest with what its user may want otherwise."""
    manifest = yaml.safe_load((MANIFESTS / f"{workload}.yaml").read_text())
    changes = {"dataset.openml.server": server, "steps": STEPS, "evaluateEverySteps": STEPS // 2}
    return edited(manifest, {f"spec.trainable.builtin.{path}": value for path, value in changes.items()})


def test_all_seven_are_accepted_as_they_are(kubectl: Kubectl) -> None:
    accepted = kubectl.run("apply", "--dry-run=server", "-f", str(MANIFESTS)).splitlines()
    assert len(accepted) == len(list(MANIFESTS.glob("*.yaml"))) == 7


@pytest.mark.long
@pytest.mark.parametrize("workload", WORKLOADS)
def test_completes(kubectl: Kubectl, openml_server: str, workload: str) -> None:
    """With the metrics of the thesis in records and status; a short name, for the namespace is made of it."""
    manifest = manifest_of(workload, openml_server)
    kubectl.apply(manifest)
    sweep = wait_condition(kubectl, workload, "Complete", 420)
    records = {record["trial"]: record for record in read_records(kubectl, workload)}
    objective = manifest["spec"]["objective"]
    check_records(list(records.values()), {objective["objectiveMetricName"], *objective["additionalMetricNames"]})
    check_best(sweep["status"], records, objective)
    if workload == "mnist-svm":
        check_large_batches_are_dear(list(records.values()))


def check_records(records: list[dict[str, Any]], metrics: set[str]) -> None:
    """The whole grid, trained to its end, with every metric."""
    assert {(record["parameters"]["batch_size"], record["parameters"]["learning_rate"]) for record in records} == GRID
    assert {(record["outcome"], record["steps"]) for record in records} == {("Succeeded", STEPS)}
    assert len(records) == len(GRID)
    for record in records:
        assert record["metrics"].keys() >= metrics, record
        assert all(math.isfinite(record["metrics"][name]) for name in metrics), record
        assert 0 < record["metrics"]["memory_bytes"] <= record["peakMemory"], record


def check_best(status: dict[str, Any], records: dict[str, dict[str, Any]], objective: dict[str, Any]) -> None:
    """The status shows the best trial's record, to six digits, and counts all."""
    assert (status["trials"]["succeeded"], status["trials"]["total"]) == (len(GRID), len(GRID))
    name = objective["objectiveMetricName"]
    best = {"maximize": max, "minimize": min}[objective["type"]](record["metrics"][name] for record in records.values())
    shown = status["currentOptimalTrial"]
    assert float(shown["objective"]) == pytest.approx(best, rel=1e-5)
    record = records[shown["trial"]]
    for metric in objective["additionalMetricNames"]:
        assert float(shown["metrics"][metric]) == pytest.approx(record["metrics"][metric], rel=1e-5), metric


def check_large_batches_are_dear(records: list[dict[str, Any]]) -> None:
    """A step of 30,000 random rows of MNIST copies 188 MB, whatever the learning rate."""
    large, small = ([r for r in records if r["parameters"]["batch_size"] == size] for size in (30_000, 30))
    assert min(r["peakMemory"] for r in large) > max(r["peakMemory"] for r in small) + 150e6
    times = [[r["metrics"]["mean_step_time_seconds"] for r in of_size] for of_size in (large, small)]
    assert min(times[0]) > max(times[1])
