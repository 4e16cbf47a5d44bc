"""The model of a checkpoint takes rows as they came and answers with classes and numbers as they came."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, root_mean_squared_error

from tuningsweep_api.spec.dataset import BundledName, Dataset, DatasetFile
from tuningsweep_api.spec.trainable import BuiltinModel, BuiltinTrainable, Task
from tuningsweep_trainer.datasets.description import publish_description, read_description
from tuningsweep_trainer.datasets.sources import load
from tuningsweep_trainer.datasets.splitting import split, target_of
from tuningsweep_trainer.datasets.store import attach, prepare
from tuningsweep_trainer.results.store import LocalStore
from tuningsweep_trainer.workloads import builtin
from tuningsweep_trainer.workloads.model import trained_model

PARAMETERS = {"batch_size": "64", "learning_rate": "0.005"}


def flowers(folder: Path) -> Dataset:
    """Iris as a CSV file with a category among its columns, and names as classes."""
    rows = load(Dataset(bundled=BundledName.IRIS), Task.CLASSIFICATION)
    frame = pd.DataFrame(rows.features, columns=rows.columns)
    frame["place"] = np.where(np.arange(len(frame)) % 2, "field", "garden")
    frame["kind"] = np.array(["setosa", "versicolor", "virginica"])[rows.target]
    frame.to_csv(folder / "iris.csv", index=False)
    return Dataset(file=DatasetFile(location=str(folder / "iris.csv")), target="kind")


@pytest.mark.parametrize(
    ("source", "task", "first_class"),
    [
        ("digits", Task.CLASSIFICATION, np.int64(0)),
        ("flowers", Task.CLASSIFICATION, "setosa"),
        ("diabetes", Task.REGRESSION, None),
    ],
)
def test_it_predicts_what_the_trial_reported_from_rows_as_they_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, task: Task, first_class: object
) -> None:
    dataset = flowers(tmp_path) if source == "flowers" else Dataset(bundled=BundledName(source))
    spec = BuiltinTrainable(
        model=BuiltinModel.LINEAR_SVM, task=task, dataset=dataset, steps=300, evaluate_every_steps=300
    )
    reference = prepare(dataset, task, 0, tmp_path / "prepared")
    publish_description(Path(reference.folder), LocalStore(tmp_path))
    found = read_description(LocalStore(tmp_path))
    assert found is not None

    reports: list[dict[str, float]] = []
    monkeypatch.setattr(builtin, "report", lambda metrics, checkpoint: (reports.append(metrics), keep(checkpoint)))

    def keep(checkpoint: str) -> None:
        Path(checkpoint).replace(tmp_path / "checkpoint")
        Path(checkpoint).mkdir()

    builtin.train(PARAMETERS, None, spec=spec, arrays=attach(reference))
    model = trained_model(tmp_path / "checkpoint", PARAMETERS, spec, *found)

    rows = load(dataset, task)
    _, validation = split(target_of(rows.target, task), 0)
    frame = pd.DataFrame(rows.features[validation], columns=rows.columns)
    predicted = model.predict(frame)
    if task is Task.REGRESSION:
        assert root_mean_squared_error(rows.target[validation], predicted) == pytest.approx(reports[0]["rmse"])
    else:
        assert accuracy_score(rows.target[validation], predicted) == pytest.approx(reports[0]["accuracy"])
        assert model.classes_[0] == first_class
    assert np.array_equal(found[1].example, rows.features[validation[:5]])


def test_equal_rows_have_equal_digests_and_others_do_not(tmp_path: Path) -> None:
    digests = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        reference = prepare(Dataset(bundled=BundledName.WINE), Task.CLASSIFICATION, seed, tmp_path / name)
        publish_description(Path(reference.folder), LocalStore(tmp_path / name))
        digests.append(read_description(LocalStore(tmp_path / name))[0].digest)
    assert digests[0] == digests[1] != digests[2]
