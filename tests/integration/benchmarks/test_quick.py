"""Figures can be measured: a part of `make bench ARGS=--quick`, with sizes that say nothing about speed.

Those that start a Ray of their own for each baseline take minutes, and are left to that command.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.machine import ROOT

NAMES = ("supervision", "workload_speed")


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_can_be_measured(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", name, "--quick", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    run = json.loads((tmp_path / "results.json").read_text())
    assert run["failed"] == []
    assert run["figures"], "a figure without rows"
    for row in run["figures"]:
        assert isinstance(row["ours"], float | int)
        assert f"| {row['figure']}" in (tmp_path / "results.md").read_text()
        goal_says = row["met"] is not None
        assert goal_says == bool(row["goal"]), f"a goal that could not be judged: {row}"


def test_a_figure_that_needs_a_cluster_has_no_rows_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNINGSWEEP_BENCH_CLUSTER", raising=False)
    command = [sys.executable, "-m", "benchmarks", "kubernetes_jobs", "--quick", "--out", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    run = json.loads((tmp_path / "results.json").read_text())
    assert (run["figures"], run["failed"]) == ([], [])
