"""`make bench-operator` at a tiny size, with real API server and KubeRay: more sweeps than kopf or the queue work on at once
get their RayJob and status, and an operator that starts anew writes nothing.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.machine import ROOT
from support.rig import rig_file


@pytest.mark.timeout(600)
def test_the_operator_is_measured_and_its_restart_writes_nothing(tmp_path: Path) -> None:
    for tool, name in (("etcd", "etcd"), ("kubernetes", "kube-apiserver"), ("kuberay", "kuberay-operator")):
        rig_file(tool, name)
    command = [sys.executable, "-m", "benchmarks.operator_scale", "few", "--quick", "--out", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'tests'}:{ROOT}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    run = json.loads((tmp_path / "operator.json").read_text())
    by_figure = {row["figure"]: row for row in run["figures"]}
    assert by_figure["20 sweeps: writes of a restart"]["ours"] == 0
    assert all(f"| {figure}" in (tmp_path / "operator.md").read_text() for figure in by_figure)
    assert "KubeRay, the same RayJobs to their first status" in next(iter(by_figure.values()))["baselines"]
