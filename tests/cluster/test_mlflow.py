"""The chart's own MLflow server on the cluster: a sweep that names no server is on record there, parent and trials."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cluster.release import SYSTEM, rolled_back_after, upgrade
from cluster.sweeps import function_sweep, wait_condition
from support.chart import CHART
from support.kubectl import PATIENCE, Kubectl, eventually

NAME = "tracked"
SERVER = "tuningsweep-mlflow"
TRIALS = [f"trial-{number:04d}" for number in range(4)]
SMALL = (
    "--set=mlflow.enabled=true",
    "--set=mlflow.workers=1",
    "--set=mlflow.resources.requests.cpu=50m",
    "--set=mlflow.persistence.size=1Gi",
)


@contextmanager
def forwarded(service: str, port: int) -> Iterator[str]:
    """Address of a Service of the chart by way of kubectl port-forward."""
    command = ["kubectl", "--namespace", SYSTEM.namespace, "port-forward", f"service/{service}", f":{port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"127\.0\.0\.1:(\d+)", line)
            assert found, f"{command}: {line!r}"
            yield f"http://{found[0]}"
        finally:
            process.terminate()


@pytest.fixture
def mlflow() -> Iterator[str]:
    """Address of the chart's MLflow server; it and its data are gone afterwards."""
    try:
        with rolled_back_after():
            upgrade(CHART, *SMALL)
            with forwarded(SERVER, 5000) as address:
                yield address
    finally:
        SYSTEM.run("delete", "persistentvolumeclaim", SERVER, "--ignore-not-found", "--wait=false")


def call(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """What MLflow's REST API answers."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.loads(answer.read()))


def runs_of(server: str, experiment: str) -> list[dict[str, Any]]:
    """All runs of an experiment, their tags, parameters and metrics by name."""
    api = f"{server}/api/2.0/mlflow"
    found = call(f"{api}/experiments/get-by-name?experiment_name={experiment}")["experiment"]
    runs = call(f"{api}/runs/search", {"experiment_ids": [found["experiment_id"]], "max_results": 100})["runs"]
    return [
        {**run["info"], **{kind: {e["key"]: e["value"] for e in entries} for kind, entries in run["data"].items()}}
        for run in runs
    ]


def parent_of(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The run of the sweep itself."""
    (parent,) = (run for run in runs if "mlflow.parentRunId" not in run["tags"])
    return parent


@pytest.mark.disruptive
def test_a_sweep_is_on_record_in_the_charts_server(kubectl: Kubectl, mlflow: str) -> None:
    kubectl.apply(function_sweep(NAME, "quick", spec__tracking={"enabled": True}))
    sweep = wait_condition(kubectl, NAME, "Complete")
    experiment = f"{kubectl.namespace}/{NAME}"
    # What is told last is on its way while the operator already says Complete.
    eventually(
        lambda: parent_of(runs_of(mlflow, experiment))["status"] == "FINISHED", PATIENCE, "the parent run is ended"
    )
    runs = runs_of(mlflow, experiment)
    parent = parent_of(runs)
    trials = {run["tags"]["tuningsweep.trial"]: run for run in runs if run is not parent}
    assert parent["tags"]["tuningsweep.uid"] == sweep["metadata"]["uid"]
    best = sweep["status"]["currentOptimalTrial"]
    assert parent["metrics"]["best_objective"] == pytest.approx(float(best["objective"]))

    assert sorted(trials) == TRIALS
    assert {run["tags"]["mlflow.parentRunId"] for run in trials.values()} == {parent["run_id"]}
    assert {(run["status"], run["tags"]["tuningsweep.outcome"]) for run in trials.values()} == {
        ("FINISHED", "Succeeded")
    }
    assert sorted(run["params"]["x"] for run in trials.values()) == ["0", "1", "2", "3"]
    assert trials[best["trial"]]["metrics"]["loss"] == pytest.approx(float(best["objective"]))
