"""The chart's own MLflow server in the test cluster: settings that fit the node, its address, what its REST API says."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from cluster.release import SYSTEM

SERVER: Final = "tuningsweep-mlflow"
SMALL: Final = (
    "--set=mlflow.enabled=true",
    "--set=mlflow.workers=1",
    "--set=mlflow.resources.requests.cpu=50m",
    "--set=mlflow.persistence.size=1Gi",
)


def uninstall() -> None:
    """Delete its data, which a rollback of the chart leaves."""
    SYSTEM.run("delete", "persistentvolumeclaim", SERVER, "--ignore-not-found", "--wait=false")


@contextmanager
def forwarded() -> Iterator[str]:
    """Its address by way of kubectl port-forward."""
    command = ["kubectl", "--namespace", SYSTEM.namespace, "port-forward", f"service/{SERVER}", ":5000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"127\.0\.0\.1:(\d+)", line)
            assert found, f"{command}: {line!r}"
            yield f"http://{found[0]}"
        finally:
            process.terminate()


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
