"""`make bench-operator` at a tiny size, with real API server and KubeRay: more sweeps than kopf or the queue work on at once
get their RayJob and status, an operator that starts anew writes nothing, and no news of a running sweep is lost.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT
from support.rig import rig_file


def measured(name: str, folder: Path) -> dict[str, dict[str, Any]]:
    """The rows of one measurement at a tiny size, by figure."""
    for tool, file in (("etcd", "etcd"), ("kubernetes", "kube-apiserver"), ("kuberay", "kuberay-operator")):
        rig_file(tool, file)
    command = [sys.executable, "-m", "benchmarks.operator_scale", name, "--quick", "--out", str(folder)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'tests'}:{ROOT}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    run = json.loads((folder / "operator.json").read_text())
    assert all(f"| {row['figure']}" in (folder / "operator.md").read_text() for row in run["figures"])
    return {row["figure"]: row for row in run["figures"]}


def test_the_operator_is_measured_and_its_restart_writes_nothing(tmp_path: Path) -> None:
    by_figure = measured("few", tmp_path)
    assert by_figure["20 sweeps: writes of a restart"]["ours"] == 0
    assert "KubeRay, the same RayJobs to their first status" in next(iter(by_figure.values()))["baselines"]


def test_every_end_of_a_trial_and_every_edit_arrives_and_no_status_is_written_too_often(tmp_path: Path) -> None:
    by_figure = measured("running", tmp_path)
    assert by_figure["20 running sweeps: end of a trial to the status that counts it, p99"]["detail"]["count"] == 18
    assert by_figure["20 running sweeps: edit of a limit to its driver, p99"]["detail"]["count"] == 6
    # One that is seen late beside the next, which is not, may seem to come within the 5 s.
    assert by_figure["20 running sweeps: most status writes of one in 5 s"]["ours"] <= 2
