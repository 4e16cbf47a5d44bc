"""One Ray for each file of tests of the engine, and sweeps of the functions in functions_of_engine.py."""

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.sweeps import edited
from tuningsweep_api.messages import SweepState
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver.options import DriverOptions
from tuningsweep_trainer.driver.ray_session import ray_session
from tuningsweep_trainer.driver.run import run_sweep

HERE = Path(__file__).parent
TESTS = HERE.parent.parent
PYTHON_PATH = [str(HERE), str(TESTS)]

BASE: dict[str, Any] = {
    "apiVersion": "tuningsweep.io/v1alpha1",
    "kind": "TuningSweep",
    "metadata": {"name": "engine"},
    "spec": {
        "objective": {"type": "minimize", "objectiveMetricName": "loss"},
        "parameters": [{"name": "x", "parameterType": "discrete", "feasibleSpace": {"list": ["0", "1", "2", "3"]}}],
        "search": {"algorithmName": "grid"},
        "trainable": {"function": "functions_of_engine:stepping"},
        "parallelTrialCount": 2,
        "maxTrialCount": 4,
        "tracking": {"enabled": False},
    },
}


@pytest.fixture(scope="module")
def embedded_ray() -> Iterator[None]:
    """Ray in a folder of its own, as a local run would start it."""
    with (
        tempfile.TemporaryDirectory(prefix="engine-", dir="/tmp", ignore_cleanup_errors=True) as folder,
        ray_session(DriverOptions(results=folder, ray_temp_dir=folder, log_to_driver=False)),
    ):
        yield


def sweep_of(edits: dict[str, Any]) -> TuningSweep:
    """The base sweep with edits by path."""
    return TuningSweep.from_manifest(edited(BASE, {f"spec.{path}": value for path, value in edits.items()}))


def records_in(results: Path) -> dict[str, dict[str, Any]]:
    """Records by trial; fails if a trial has two."""
    lines = [json.loads(line) for line in (results / "trials.jsonl").read_text().splitlines()]
    found = {line["trial"]: line for line in lines}
    assert len(found) == len(lines), "a trial has more than one record"
    return found


Run = Callable[..., tuple[SweepState, dict[str, dict[str, Any]]]]


@pytest.fixture
def run(embedded_ray: None, tmp_path: Path) -> Run:
    """Run a sweep with edits of the base; its last state and its records."""

    def _run(edits: dict[str, Any], **options: Any) -> tuple[SweepState, dict[str, dict[str, Any]]]:
        settings = {"python_path": PYTHON_PATH, "preflight": False, "handle_signals": False} | options
        state = run_sweep(sweep_of(edits), DriverOptions(results=str(tmp_path), **settings))
        return state, records_in(tmp_path)

    return _run
