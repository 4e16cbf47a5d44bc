"""`tuningsweep run` of a built-in workload on a real Ray: the data set's description and the best model reach MLflow."""

import subprocess
import sys
from pathlib import Path

import yaml
from mlflow.tracking import MlflowClient

from support.sweeps import sweep_manifest
from tuningsweep_trainer.tracking.losses import LEAST_POINTS


def test_a_local_run_leaves_model_data_set_and_curves_beside_its_results(tmp_path: Path) -> None:
    manifest = sweep_manifest(spec__maxTrialCount=2, spec__limits={"memory": "800Mi"})
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(manifest))
    program = Path(sys.executable).with_name("tuningsweep")
    done = subprocess.run(
        [program, "run", "sweep.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mlflow" not in (done.stdout + done.stderr).lower(), "MLflow's own chatter"

    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/results/digits-svm/mlflow.db")
    experiment = client.get_experiment_by_name("default/digits-svm")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"digits-svm", "trial-0000", "trial-0001"}
    parent, trial = runs["digits-svm"], runs["trial-0000"]
    assert parent.inputs.dataset_inputs[0].dataset.name == "digits"
    assert len(parent.outputs.model_outputs) == 1
    points = client.get_metric_history(trial.info.run_id, "step_training_loss")
    steps = [point.step for point in points]
    assert (steps[0], steps[-1], steps) == (1, 200, sorted(set(steps)))
    assert LEAST_POINTS <= len(steps) <= 200
    for name in ("memory_bytes", "mean_step_time_seconds", "cpu_percent"):
        steps = [point.step for point in client.get_metric_history(trial.info.run_id, f"system/{name}")]
        assert steps == [50, 100, 150, 200], name
