"""The thesis' workloads by `kubectl apply`, unedited but for fewer steps, a data server of the test's own and no MLflow.

MNIST is in test_mnist_grid.py.
"""

import itertools
import math
from typing import Any

import pytest

from cluster.sweeps import read_records, wait_condition
from support.kubectl import Kubectl
from support.sweeps import edited
from support.thesis import MANIFESTS, manifest_of

STEPS = 20
WORKLOAD = "red-wine-svm-regression"
"""The others differ from this one, a regression, and from MNIST's, a classification, in model and data alone: those
are proven in tests/integration/reproduce and tests/integration/datasets."""
GRID = set(itertools.product((30, 300, 3000, 30_000), (0.1, 0.01, 0.001, 0.0001)))


def test_all_seven_are_accepted_as_they_are(kubectl: Kubectl) -> None:
    accepted = kubectl.run("apply", "--dry-run=server", "-f", str(MANIFESTS)).splitlines()
    assert len(accepted) == len(list(MANIFESTS.glob("*.yaml"))) == 7


@pytest.mark.long
def test_a_regression_completes(kubectl: Kubectl, openml_server: str) -> None:
    """With the metrics of the thesis in records and status."""
    untracked = {"spec.tracking": {"enabled": False}}
    manifest = edited(manifest_of(WORKLOAD, openml_server, STEPS, STEPS // 2), untracked)
    kubectl.apply(manifest)
    sweep = wait_condition(kubectl, WORKLOAD, "Complete")
    records = {record["trial"]: record for record in read_records(kubectl, WORKLOAD)}
    objective = manifest["spec"]["objective"]
    check_records(list(records.values()), {objective["objectiveMetricName"], *objective["additionalMetricNames"]})
    check_best(sweep["status"], records, objective)


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
