"""Tidy data from a sweep's records, traces and logs; a sweep that has not ended has no rows."""

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from support.thesis import thesis_sweep, write_ended
from support.trials import MIB
from tuningsweep_trainer.reproduce.arms import Arm
from tuningsweep_trainer.reproduce.collect import FINDINGS_FILE, collect, sweep_folder
from tuningsweep_trainer.reproduce.tidy import SAMPLES, SAVINGS, TRIALS


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("results")
    sweep = thesis_sweep("diabetes-svm")
    write_ended(sweep_folder(results, "diabetes-svm", Arm.NONE, 2), sweep)
    write_ended(sweep_folder(results, "diabetes-svm", Arm.LIMITS, 2), sweep)
    unfinished = sweep_folder(results, "diabetes-svm", Arm.NONE, 3)
    write_ended(unfinished, sweep)
    (unfinished / "result.json").unlink()
    collect(results)
    return results


def test_the_tables_have_their_schemas(results: Path) -> None:
    for name, schema in (("trials", TRIALS), ("samples", SAMPLES), ("savings", SAVINGS)):
        assert pq.read_schema(results / "tidy" / f"{name}.parquet").equals(schema)
    assert not (results / ".tidy").exists()


def test_a_trial_has_means_after_its_warm_up(results: Path) -> None:
    trials = pd.read_parquet(results / "tidy" / "trials.parquet")
    assert list(trials["trial"]) == ["trial-0000", "trial-0001"]
    first = trials.iloc[0]
    assert (first["run"], first["model"], first["task"], first["steps"]) == (2, "linear-svm", "classification", 20)
    assert first["mean_step_seconds"] == pytest.approx(0.1), "without the first step"
    assert first["memory_bytes"] == pytest.approx((2 * 100 + 18 * 200) / 20 * MIB)
    assert first["cpu_percent"] == pytest.approx(100 * 2.0 / 2.4)
    assert pd.isna(first["rmse"])


def test_samples_are_steps_evaluations_and_points(results: Path) -> None:
    samples = pd.read_parquet(results / "tidy" / "samples.parquet")
    samples = samples[samples["trial"] == "trial-0001"]
    steps, points = samples[samples["train_loss"].notna()], samples[samples["train_loss"].isna()]
    assert list(steps["step"]) == list(range(1, 21))
    evaluated = steps[steps["validation_loss"].notna()]
    assert list(evaluated["accuracy"]) == [0.5, 0.75]
    assert list(evaluated["train_loss"]) == [pytest.approx(0.91), pytest.approx(0.81)], "the step's own"
    assert len(points) == 20
    assert points["mean_step_seconds"].dropna().tolist() == pytest.approx([0.1] * 19)


def test_a_sweep_of_the_open_question_is_one_row(results: Path) -> None:
    savings = pd.read_parquet(results / "tidy" / "savings.parquet").set_index("arm")
    assert set(savings.index) == {"none", "limits"}
    row = savings.loc["limits"]
    assert (row["trials"], row["cpu_seconds"], row["best_objective"], row["goal"]) == (2, 4.0, 0.75, "maximize")


def test_findings_lie_beside(results: Path) -> None:
    assert json.loads((results / FINDINGS_FILE).read_text())["trials"] == 2


def test_nothing_yet_gives_empty_tables(tmp_path: Path) -> None:
    assert pd.read_parquet(collect(tmp_path) / "trials.parquet").empty
    assert json.loads((tmp_path / FINDINGS_FILE).read_text()) == {"trials": 0}
