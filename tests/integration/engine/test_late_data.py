"""A data set that comes late, in a real Ray: its trials are held until it is there; before the first, the sweep ends."""

from pathlib import Path
from typing import Any

import pandas as pd

from integration.engine.conftest import PYTHON_PATH, Run, sweep_of
from tuningsweep_api.messages import SweepState
from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_trainer.driver.options import DriverOptions
from tuningsweep_trainer.driver.run import run_sweep


def edits_with(rows: Path) -> dict[str, Any]:
    builtin = {"model": "perceptron", "task": "classification", "steps": 20, "evaluateEverySteps": 10}
    dataset = {"file": {"location": str(rows)}, "target": "y"}
    return {
        "trainable": {"builtin": {**builtin, "dataset": dataset}},
        "objective": {"type": "maximize", "objectiveMetricName": "accuracy"},
        "parameters": [{"name": "batch_size", "parameterType": "discrete", "feasibleSpace": {"list": ["2", "4", "8"]}}],
        "maxTrialCount": 3,
    }


def test_trials_wait_for_a_data_set_that_can_not_be_had_yet(run: Run, tmp_path: Path) -> None:
    rows, seen = tmp_path / "rows.csv", set[str]()

    def on_state(state: SweepState) -> None:
        seen.update(trial.held for trial in state.running)
        if state.trials.held == 2 and any("cannot be read" in held for held in seen) and not rows.exists():
            lines = "".join(f"{number},{number % 2}\n" for number in range(40))
            unfinished = tmp_path / "unfinished"
            unfinished.write_text(f"x,y\n{lines}")
            unfinished.rename(rows)

    state, records = run(edits_with(rows), on_state=on_state)
    assert state.trials.succeeded == 3
    assert {record["attempts"] for record in records.values()} == {1}


def test_a_data_set_that_can_not_be_had_before_the_first_trial_ends_the_sweep(
    embedded_ray: None, tmp_path: Path
) -> None:
    path = tmp_path / "rows.parquet"
    pd.DataFrame({"x": [[1], [2]] * 5, "y": [0, 1] * 5}).to_parquet(path)
    options = DriverOptions(results=str(tmp_path / "results"), python_path=PYTHON_PATH, handle_signals=False)
    result = run_sweep(sweep_of(edits_with(path)), options).result
    assert result is not None
    assert result.reason is ConditionReason.DATASET_UNAVAILABLE
    assert "column 'x' holds ndarray" in result.message
