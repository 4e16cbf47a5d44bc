"""The built-in workload: what it reports, that it learns, and that a resumed run is bit-equal."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tuningsweep_api.spec.dataset import BundledName, Dataset, GeneratedDataset
from tuningsweep_api.spec.trainable import MODELS_OF_TASK, BuiltinModel, BuiltinTrainable, Task
from tuningsweep_trainer.datasets.store import PreparedData, attach, prepare
from tuningsweep_trainer.workloads import builtin, series
from tuningsweep_trainer.workloads.losses import BOUND

ROWS = {
    Task.CLASSIFICATION: Dataset(bundled=BundledName.DIGITS),
    Task.REGRESSION: Dataset(generated=GeneratedDataset(rows=600, features=8)),
}
MODELS = [(model, task) for task, models in MODELS_OF_TASK.items() for model in sorted(models)]


class Reports:
    """Takes the place of `report` and keeps the checkpoints, as the supervisor does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.metrics: list[dict[str, float]] = []

    def __call__(self, metrics, checkpoint=None):
        self.metrics.append(dict(metrics))
        if checkpoint is not None:
            shutil.copytree(checkpoint, self.checkpoint(len(self.metrics)))

    def checkpoint(self, number: int) -> Path:
        return self.folder / f"{number}"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> dict[Task, PreparedData]:
    root = tmp_path_factory.mktemp("prepared")
    return {task: attach(prepare(rows, task, 0, root)) for task, rows in ROWS.items()}


@pytest.fixture
def run(tmp_path, monkeypatch, prepared):
    def run(model, task, parameters, steps, checkpoint=None, every=50, shuffle=False):
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        reports = Reports(folder)
        monkeypatch.setattr(builtin, "report", reports)
        spec = BuiltinTrainable(
            model=model, task=task, dataset=ROWS[task], steps=steps, evaluate_every_steps=every, shuffle=shuffle
        )
        builtin.train(parameters, checkpoint, spec=spec, arrays=prepared[task])
        return reports

    return run


@pytest.mark.parametrize(("model", "task"), MODELS)
def test_it_learns_and_reports_the_metrics_of_its_task(run, model, task):
    rate = 0.005 if task is Task.CLASSIFICATION else "0.0002"
    reports = run(model, task, {"batch_size": "64", "learning_rate": rate}, steps=220)
    quality = "accuracy" if task is Task.CLASSIFICATION else "rmse"
    assert len(reports.metrics) == 5, "four evaluations and the last step"
    assert set(reports.metrics[0]) == {"training_loss", "validation_loss", quality}
    first, last = reports.metrics[0], reports.metrics[-1]
    if task is Task.CLASSIFICATION:
        assert last["accuracy"] > 0.85
    else:
        assert last["rmse"] < first["rmse"]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(("model", "task"), MODELS)
def test_a_resumed_run_is_bit_equal(run, model, task, shuffle):
    parameters = {"batch_size": 100, "learning_rate": 0.01, "penalty": "elasticnet"}
    whole = run(model, task, parameters, steps=150, shuffle=shuffle)
    resumed = run(model, task, parameters, steps=150, checkpoint=whole.checkpoint(1), shuffle=shuffle)
    assert resumed.metrics == whole.metrics[1:]
    with np.load(whole.checkpoint(3) / "weights.npz") as one, np.load(resumed.checkpoint(2) / "weights.npz") as other:
        assert one["coef"].tobytes() == other["coef"].tobytes()
        assert one["intercept"].tobytes() == other["intercept"].tobytes()


def test_the_loss_of_every_step_is_in_the_log(run, capsys):
    reports = run(BuiltinModel.LINEAR_SVM, Task.CLASSIFICATION, {"batch_size": 64}, steps=120)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["first_step"], len(line["training_loss"])) for line in lines] == [(1, 50), (51, 50), (101, 20)]
    for line, metrics in zip(lines, reports.metrics, strict=True):
        assert np.mean(line["training_loss"]) == pytest.approx(metrics["training_loss"], rel=1e-4)


def test_a_long_series_is_written_in_parts(capsys):
    written = series.LossSeries()
    for step in range(1, 2502):
        written.add(step, 0.5)
    written.flush()
    written.flush()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["first_step"], len(line["training_loss"])) for line in lines] == [
        (1, 1000),
        (1001, 1000),
        (2001, 501),
    ]


def test_a_diverging_model_reports_finite_values(run):
    reports = run(BuiltinModel.LINEAR_REGRESSION, Task.REGRESSION, {"learning_rate": 1e6}, steps=100)
    assert len(reports.metrics) == 2
    assert reports.metrics[-1]["validation_loss"] == BOUND
    assert all(np.isfinite(value) for metrics in reports.metrics for value in metrics.values())


@pytest.mark.parametrize(
    ("model", "task", "quality"),
    [
        (BuiltinModel.LINEAR_REGRESSION, Task.REGRESSION, {"rmse": BOUND}),
        (BuiltinModel.LINEAR_SVM, Task.CLASSIFICATION, {"accuracy": 0.0}),
    ],
)
def test_a_model_that_leaves_the_range_of_floats_reports_the_worst_and_ends(run, model, task, quality):
    reports = run(model, task, {"learning_rate": 1e308}, steps=2000)
    assert reports.metrics[-1] == {"training_loss": BOUND, "validation_loss": BOUND, **quality}
    assert len(reports.metrics) < 40


def test_batches_are_full_contiguous_and_leave_no_row_out():
    seen = [builtin.batch_rows(done, 4, 10) for done in range(4)]
    assert seen == [slice(0, 4), slice(4, 8), slice(6, 10), slice(0, 4)]


def test_a_batch_larger_than_the_training_rows_takes_them_all(run):
    assert len(run(BuiltinModel.PERCEPTRON, Task.CLASSIFICATION, {"batch_size": 10**6}, steps=2, every=1).metrics) == 2


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"momentum": 1}, "'momentum' is unknown"),
        ({"batch_size": 1.5}, "'batch_size' is 1.5; write a whole number"),
        ({"learning_rate": "fast"}, "'learning_rate' is 'fast'; write a number"),
        ({"learning_rate": 0}, "above 0"),
        ({"l1_ratio": 2}, "at most 1"),
        ({"penalty": "l3"}, "write one of l1, l2, elasticnet, none"),
    ],
)
def test_a_senseless_parameter_is_named(run, parameters, words):
    with pytest.raises(ValueError, match=words):
        run(BuiltinModel.PERCEPTRON, Task.CLASSIFICATION, parameters, steps=1, every=1)
