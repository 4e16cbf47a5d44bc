"""The real MLflow client against its embedded SQLite store: runs, parameters, metrics, tags, restarts and kills."""

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy
from alembic import command
from mlflow.store.db import utils
from mlflow.tracking import MlflowClient

from support.patience import eventually
from support.sweeps import BASE, edited
from tuningsweep_api.messages import SweepState
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.tracking.embedded import make_database, uri_of
from tuningsweep_trainer.tracking.setup import connection, load, make_listeners
from tuningsweep_trainer.tracking.translate import trial_ended

SWEEP = TuningSweep.from_manifest(edited(BASE, {"metadata.uid": "u-1"}))
ENDED = TrialRecord.model_validate(
    {
        "trial": "trial-0000",
        "parameters": {"batch_size": 30},
        "outcome": "LimitExceeded",
        "reason": "MemoryLimitExceeded",
        "observed": 5e8,
        "limit": 4e8,
        "startTime": "2026-01-02T03:03:05Z",
        "completionTime": "2026-01-02T03:04:05Z",
    }
)
RUNNING = {"sweepUid": "u-1", "driverId": "d", "startTime": "", "desiredDigest": "", "trials": {}}
RESULT = {"succeeded": True, "reason": "SearchFinished", "message": "done"}


def tell(folder: Path, *, end: bool) -> None:
    (listener,) = make_listeners(SWEEP, str(folder))
    listener.trial_started("trial-0000", {"batch_size": 30})
    listener.trial_reported("trial-0000", {"validation_loss": 0.5}, 10)
    if end:
        listener.trial_reported("trial-0000", {"validation_loss": 0.4}, 20)
        listener.trial_ended(ENDED)
    listener.sweep_ended(SweepState.model_validate({**RUNNING, "result": RESULT if end else None}))


def test_a_sweep_is_one_parent_run_with_a_child_a_trial_also_after_a_restart(tmp_path: Path) -> None:
    tell(tmp_path, end=False)
    tell(tmp_path, end=True)
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("default/digits-svm")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"digits-svm", "trial-0000"}
    trial = runs["trial-0000"]
    assert trial.data.params == {"batch_size": "30"}
    assert trial.data.tags["mlflow.parentRunId"] == runs["digits-svm"].info.run_id
    assert trial.data.tags["tuningsweep.reason"] == "MemoryLimitExceeded"
    assert trial.data.tags["tuningsweep.limits.memory"] == "400Mi"
    steps = {metric.step: metric.value for metric in client.get_metric_history(trial.info.run_id, "validation_loss")}
    assert steps == {10: 0.5, 20: 0.4}
    assert runs["digits-svm"].info.status == "FINISHED"


def test_names_that_mlflow_refuses_do_not_hold_up_the_others(tmp_path: Path) -> None:
    (listener,) = make_listeners(SWEEP, str(tmp_path), own_process=False)
    listener.trial_started("trial-0000", {"batch_size": 30})
    listener.trial_reported("trial-0000", {"not(a)name": 1.0, "validation_loss": 0.5}, 10)
    listener.trial_reported("trial-0000", {"top-5 (%)": 1.0}, 20)
    listener.sweep_ended(SweepState.model_validate({**RUNNING, "result": RESULT}))
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("default/digits-svm")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs["trial-0000"].data.metrics) == {"validation_loss", "not_a_name", "top-5 ___"}
    assert not (tmp_path / "mlflow-unsent.jsonl").exists()


def test_any_argument_and_a_file_store_are_taken(tmp_path: Path) -> None:
    trainable = {"function": "m:f", "arguments": {"+trainer.max_epochs": "3"}}
    uri = f"file://{tmp_path}/mlruns"
    sweep = TuningSweep.from_manifest(
        edited(
            BASE,
            {"metadata.uid": "u-2", "spec.trainable": trainable, "spec.tracking": {"mlflow": {"trackingUri": uri}}},
        )
    )
    (listener,) = make_listeners(sweep, str(tmp_path / "results"), own_process=False)
    listener.sweep_ended(SweepState.model_validate({**RUNNING, "result": RESULT}))
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("default/digits-svm")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.params["arguments._trainer.max_epochs"] == "3"


def test_runs_start_when_what_they_tell_of_did(tmp_path: Path) -> None:
    event = trial_ended(ENDED)
    connect = connection(SWEEP, str(tmp_path))
    load(SWEEP, str(tmp_path))
    connect(event.first_ms, lambda _: None).send([event])
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("default/digits-svm")
    runs = {run.info.run_name: run.info for run in client.search_runs([experiment.experiment_id])}
    trial = runs["trial-0000"]
    assert (trial.end_time - trial.start_time, runs["digits-svm"].start_time) == (60_000, trial.start_time)


def test_a_kill_while_the_file_is_made_leaves_no_half_of_it(tmp_path: Path) -> None:
    """As MLflow leaves it by itself, such a file can't be opened ever after: `table issues already exists`."""
    program = (
        "import sys, time; from pathlib import Path; from tuningsweep_trainer.tracking.embedded import make_database;"
        "Path.replace = lambda *_: time.sleep(3600); make_database(sys.argv[1])"  # it is never done in time
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stderr=subprocess.DEVNULL) as process:
        eventually(lambda: any(tmp_path.iterdir()), "it is begun", every=0.002)
        process.kill()
    assert not (tmp_path / "mlflow.db").exists()
    assert list(tmp_path.iterdir())
    make_database(str(tmp_path))
    assert [file.name for file in tmp_path.iterdir()] == ["mlflow.db"]
    assert [found.name for found in MlflowClient(tracking_uri=uri_of(str(tmp_path))).search_experiments()] == [
        "Default"
    ]


def test_a_file_of_an_earlier_mlflow_is_changed_whole_and_one_of_a_later_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_database(str(tmp_path))
    latest = utils._get_latest_schema_revision()
    engine = sqlalchemy.create_engine(uri_of(str(tmp_path)))
    config = utils._get_alembic_config(uri_of(str(tmp_path)))
    with engine.begin() as config.attributes["connection"]:
        command.downgrade(config, "-1")
    assert utils._get_schema_version(engine) != latest
    engine.dispose()
    make_database(str(tmp_path))
    assert utils._get_schema_version(engine) == latest

    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE alembic_version SET version_num = 'ffffffffffff'"))
    make_database(str(tmp_path))
    assert utils._get_schema_version(engine) == "ffffffffffff"
    assert "of another release of MLflow" in caplog.text
    assert [file.name for file in tmp_path.iterdir()] == ["mlflow.db"]
