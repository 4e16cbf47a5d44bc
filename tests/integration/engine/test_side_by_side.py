"""Two local sweeps at once, whole and in processes of their own: each is held to its limits by its own trials alone."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from integration.engine.conftest import records_in
from integration.engine.test_crashes import end_with_children, last_line, start_driver
from support.patience import PATIENCE, eventually

MIB = 1 << 20
SIZES = {"tight": ["50", "400"], "roomy": ["400"]}
LIMITS = {"tight": "150Mi", "roomy": "1Gi"}


def edits(name: str, until: Path) -> dict[str, Any]:
    """Of a sweep whose trials, one at a time, take as many mebibytes as its sizes say and wait for a file."""
    arguments = {"until": str(until), **({"stays_from": "400"} if name == "tight" else {})}
    return {
        "trainable": {"function": "functions_of_engine:grows", "arguments": arguments},
        "parameters": [{"name": "mebibytes", "parameterType": "discrete", "feasibleSpace": {"list": SIZES[name]}}],
        "limits": {"memory": LIMITS[name]},
        "parallelTrialCount": 1,
        "maxTrialCount": len(SIZES[name]),
    }


@pytest.fixture
def sweeps(tmp_path: Path) -> Iterator[dict[str, dict[str, dict[str, Any]]]]:
    """Records by trial of both sweeps; their first trials had grown before either could end."""
    until = tmp_path / "until"
    with ExitStack() as ends:
        drivers = {}
        for name in SIZES:
            folder = tmp_path / name
            folder.mkdir()
            ray = tempfile.TemporaryDirectory(prefix="side-", dir="/tmp", ignore_cleanup_errors=True)
            drivers[name] = start_driver(folder / "results", ends.enter_context(ray), edits(name, until))
            ends.callback(end_with_children, drivers[name])
        grown = [Path(f"{until}-{sizes[0]}") for sizes in SIZES.values()]
        eventually(lambda: all(file.exists() for file in grown), "both run at the same time", every=0.05)
        until.touch()
        for name, driver in drivers.items():
            driver.wait(timeout=PATIENCE)
            assert json.loads(last_line(tmp_path / name / "results"))["result"]["reason"] == "SearchFinished"
    yield {name: records_in(tmp_path / name / "results") for name in SIZES}


def test_limits_count_the_sweeps_own_trials_alone(sweeps: dict[str, dict[str, dict[str, Any]]]) -> None:
    small, greedy = (sweeps["tight"][trial] for trial in ("trial-0000", "trial-0001"))
    (large,) = sweeps["roomy"].values()
    assert (small["outcome"], large["outcome"]) == ("Succeeded", "Succeeded")
    assert small["peakMemory"] < 150 * MIB < 400 * MIB <= large["peakMemory"]
    assert greedy["reason"] == "MemoryLimitExceeded", "the same trial under the other sweep's limit"
