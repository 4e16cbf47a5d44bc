"""Samples that are only shown to the API server in tests/cluster/test_samples.py run unedited here, on a real Ray."""

from pathlib import Path

import pytest
import yaml
from mlflow.tracking import MlflowClient

from support.samples import RUN_LOCALLY
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver.options import DriverOptions
from tuningsweep_trainer.driver.run import run_sweep
from tuningsweep_trainer.tracking.losses import LEAST_POINTS
from tuningsweep_trainer.tracking.setup import make_listeners

TRACKED = "digits-tpe"
"""The one whose record in MLflow is looked at: a sweep's tracking costs as much as its trials."""


@pytest.mark.parametrize("sample", RUN_LOCALLY, ids=lambda sample: sample.stem)
def test_sample_completes(embedded_ray: None, tmp_path: Path, sample: Path) -> None:
    sweep = TuningSweep.from_manifest(yaml.safe_load(sample.read_text()))
    tracked = sample.stem == TRACKED
    listeners = make_listeners(sweep, str(tmp_path)) if tracked else []
    state = run_sweep(sweep, DriverOptions(results=str(tmp_path), handle_signals=False, listeners=listeners))
    assert state.result is not None
    assert state.result.succeeded, state.result
    assert state.trials.total == sweep.spec.max_trial_count
    if tracked:
        mlflow_has_model_data_set_and_curves(tmp_path, sample.stem, state.trials.total)


def mlflow_has_model_data_set_and_curves(results: Path, name: str, trials: int) -> None:
    """What is beside the results of a built-in workload, 300 steps and a report each hundred."""
    client = MlflowClient(tracking_uri=f"sqlite:///{results}/mlflow.db")
    experiment = client.get_experiment_by_name(f"default/{name}")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {name, *(f"trial-{number:04d}" for number in range(trials))}
    parent, trial = runs[name], runs["trial-0000"]
    assert parent.inputs.dataset_inputs[0].dataset.name == "digits"
    assert len(parent.outputs.model_outputs) == 1
    points = client.get_metric_history(trial.info.run_id, "step_training_loss")
    steps = [point.step for point in points]
    assert (steps[0], steps[-1], steps) == (1, 300, sorted(set(steps)))
    assert LEAST_POINTS <= len(steps) <= 300
    for metric in ("memory_bytes", "mean_step_time_seconds", "cpu_percent"):
        steps = [point.step for point in client.get_metric_history(trial.info.run_id, f"system/{metric}")]
        assert steps == [100, 200, 300], metric
