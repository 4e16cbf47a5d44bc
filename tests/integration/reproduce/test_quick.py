"""`tuningsweep reproduce --quick` as a person calls it: real sweeps, tidy data; results of other settings are refused.

One workload: each further one costs half a minute.
"""

import subprocess
import sys
from pathlib import Path

import pandas as pd

from tuningsweep_trainer.reproduce.arms import Arm

ROOT = Path(__file__).parents[3]
OPTIONS = ["--quick", "--workloads", "diabetes-svm"]
COMMAND = [str(Path(sys.executable).with_name("tuningsweep")), "reproduce", *OPTIONS]


def reproduce(results: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, "--results", str(results), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_quick_runs_what_is_asked_for_and_keeps_its_results_apart(tmp_path: Path) -> None:
    done = reproduce(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    trials = pd.read_parquet(tmp_path / "tidy" / "trials.parquet")
    assert list(trials["outcome"]) == ["Succeeded"] * 16
    assert trials["stand_in"].all()
    savings = pd.read_parquet(tmp_path / "tidy" / "savings.parquet")
    assert list(savings["arm"]) == [Arm.BOTH, Arm.NONE]
    assert (savings["trials"] == 16).all()
    samples = pd.read_parquet(tmp_path / "tidy" / "samples.parquet")
    evaluated = samples[samples["validation_loss"].notna()]
    assert len(evaluated) == 16 * 3
    assert evaluated[["accuracy", "memory_bytes", "mean_step_seconds", "train_loss"]].notna().all(axis=None)
    assert {path.name for path in tmp_path.iterdir()} >= {"claims.json", "reproduction.html", "figures"}

    refused = reproduce(tmp_path, "--steps", "5")
    assert refused.returncode == 2
    assert "holds a run of other steps" in refused.stderr
