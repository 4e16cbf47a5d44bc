"""What the parent run says after a sweep: the best trial's model, ready to use, and the data set it was trained on."""

import json
import logging
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from support.mlflow_server import MlflowServer
from support.sweeps import BASE, edited
from tuningsweep_api.messages import SweepState
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.datasets.description import publish_description
from tuningsweep_trainer.datasets.sources import load
from tuningsweep_trainer.datasets.store import attach, prepare
from tuningsweep_trainer.results.checkpoints import CheckpointStore
from tuningsweep_trainer.results.store import LocalStore
from tuningsweep_trainer.tracking.setup import make_listeners
from tuningsweep_trainer.workloads import builtin

BEST = "trial-0001"
PARAMETERS = {"batch_size": 30, "learning_rate": 0.01}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    running = MlflowServer(tmp_path_factory.mktemp("server"))
    running.start()
    yield running
    running.stop()


def tracked(results: Path, edits: dict[str, Any], times: int = 1) -> tuple[MlflowClient, Any]:
    """Tell of a sweep whose best trial left its checkpoint in the results; the parent run."""
    sweep = TuningSweep.from_manifest(edited(BASE, edits))
    for _ in range(times):
        (listener,) = make_listeners(sweep, str(results), own_process=False)
        listener.trial_started(BEST, PARAMETERS)
        listener.trial_reported(BEST, {"validation_loss": 0.5}, 200)
        record = {"trial": BEST, "parameters": PARAMETERS, "outcome": "Succeeded", "reason": "Completed"}
        record |= {"metrics": {"validation_loss": 0.5}, "completionTime": "2026-01-02T03:04:05Z"}
        listener.trial_ended(TrialRecord.model_validate(record))
        state = {"sweepUid": "u", "driverId": "d", "startTime": "", "desiredDigest": "", "trials": {"succeeded": 1}}
        best = {"trial": BEST, "parameters": PARAMETERS, "objective": 0.5}
        result = {"succeeded": True, "reason": "SearchFinished", "message": "done"}
        listener.sweep_ended(SweepState.model_validate({**state, "optimalTrial": best, "result": result}))
    uri = sweep.spec.tracking.mlflow.tracking_uri or f"sqlite:///{results}/mlflow.db"
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(f"default/{sweep.metadata.name}")
    (parent,) = client.search_runs([experiment.experiment_id], "tags.`tuningsweep.trial` = ''")
    return client, parent


def train(results: Path, manifest_edits: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Train the best trial as its process would; the metrics of its last checkpoint."""
    spec = TuningSweep.from_manifest(edited(BASE, manifest_edits)).spec.trainable.builtin
    assert spec is not None
    prepared = prepare(spec.dataset, spec.task, spec.seed, results / "prepared")
    publish_description(Path(prepared.folder), LocalStore(results))
    store = CheckpointStore(str(results), BEST)

    def report(metrics: dict[str, float], checkpoint: str) -> None:
        store.save(store.next_number(), Path(checkpoint), step=200, metrics=metrics)

    monkeypatch.setattr(builtin, "report", report)
    builtin.train(PARAMETERS, None, spec=spec, arrays=attach(prepared))
    newest = store.latest()
    assert newest is not None
    return newest.metrics


def test_a_builtin_workloads_best_model_and_data_set_are_on_the_parent_run(
    tmp_path: Path, server: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits = {
        "metadata.name": "model",
        "metadata.uid": "model",
        "spec.tracking": {"mlflow": {"trackingUri": server.uri}},
    }
    reported = train(tmp_path, edits, monkeypatch)
    client, parent = tracked(tmp_path, edits, times=2)

    (model,) = parent.outputs.model_outputs  # once, though it was told twice
    mlflow.set_tracking_uri(server.uri)
    loaded = mlflow.pyfunc.load_model(f"models:/{model.model_id}")
    spec = TuningSweep.from_manifest(edited(BASE, edits)).spec.trainable.builtin
    rows = load(spec.dataset, spec.task)
    frame = pd.DataFrame(rows.features, columns=rows.columns)
    right = np.mean(loaded.predict(frame) == rows.target)
    assert right > 0.9
    assert abs(right - reported["accuracy"]) < 0.08  # training rows are among these

    assert loaded.metadata.signature.inputs.input_names() == rows.columns
    assert loaded.metadata.flavors["sklearn"]["serialization_format"] == "skops"
    example = loaded.input_example
    assert len(example) == 5
    assert np.isin(example.to_numpy(), rows.features).all()

    (told,) = parent.inputs.dataset_inputs
    assert (told.dataset.name, told.dataset.source_type) == ("digits", "code")
    assert json.loads(told.dataset.profile)["num_rows"] == len(rows.target)
    schema = json.loads(told.dataset.schema)["mlflow_colspec"]
    assert [column["name"] for column in schema] == [*rows.columns, "target"]
    assert len(told.dataset.digest) == 32

    assert parent.data.params["search.algorithmName"] == "random"
    assert json.loads(parent.data.params["space.batch_size"])["list"] == ["30", "300"]
    assert parent.data.tags["tuningsweep.limits.memory"] == "400Mi"
    assert parent.data.tags["tuningsweep.best.trial"] == BEST
    assert parent.data.metrics["trials/succeeded"] == 1
    assert parent.data.metrics["best_objective"] == 0.5
    assert client.get_logged_model(model.model_id).status == "READY"


class Bomb:
    """Unpickling it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def test_a_users_checkpoint_is_copied_and_never_opened(tmp_path: Path, server: MlflowServer) -> None:
    results, folder, mark = tmp_path / "results", tmp_path / "checkpoint", tmp_path / "opened"
    folder.mkdir()
    (folder / "model.pkl").write_bytes(pickle.dumps(Bomb(mark)))
    CheckpointStore(str(results), BEST).save(3, folder, step=200, metrics={})
    edits = {
        "metadata.name": "files",
        "metadata.uid": "files",
        "spec.trainable": {"function": "module:function"},
        "spec.tracking": {"mlflow": {"trackingUri": server.uri}},
    }
    client, parent = tracked(results, edits)
    listed = [item.path for item in client.list_artifacts(parent.info.run_id, "checkpoint")]
    assert listed == ["checkpoint/model.pkl"]
    copy = client.download_artifacts(parent.info.run_id, "checkpoint/model.pkl", str(tmp_path))
    assert Path(copy).read_bytes() == (folder / "model.pkl").read_bytes()
    assert not mark.exists()
    assert parent.inputs.dataset_inputs == []


def test_without_a_checkpoint_the_log_says_that_there_is_no_model(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        _, parent = tracked(tmp_path, {"metadata.name": "bare", "spec.trainable": {"function": "module:function"}})
    assert any("the best trial saved no checkpoint" in message for message in caplog.messages)
    assert parent.info.status == "FINISHED"
