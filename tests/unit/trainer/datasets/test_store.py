"""The store: one copy a node, split and scaled as promised, nothing left behind by a failure."""

import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tuningsweep_api.spec.dataset import BundledName, Dataset, DatasetFile, GeneratedDataset
from tuningsweep_api.spec.trainable import Task
from tuningsweep_trainer.datasets import store
from tuningsweep_trainer.datasets.store import PreparedRef, attach, prepare
from tuningsweep_trainer.errors import DatasetError

IRIS = Dataset(bundled=BundledName.IRIS)


def test_split_is_stratified_and_scaled_on_training_rows(tmp_path):
    data = attach(prepare(IRIS, Task.CLASSIFICATION, 0, tmp_path))
    assert np.bincount(data.training_target).tolist() == [35, 35, 35]
    assert np.bincount(data.validation_target).tolist() == [15, 15, 15]
    np.testing.assert_allclose(data.training_features.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(data.training_features.std(axis=0), 1, atol=1e-12)
    assert abs(data.validation_features.mean(axis=0)).max() > 1e-3, "validation rows have no part in the scaling"


def test_a_batch_is_a_read_only_view_of_c_ordered_floats(tmp_path):
    batch = attach(prepare(IRIS, Task.CLASSIFICATION, 0, tmp_path)).training_features[10:40]
    assert batch.dtype == np.float64
    assert batch.flags.c_contiguous
    assert not batch.flags.writeable
    assert not batch.flags.owndata


def test_regression_target_is_standardised_and_its_scale_kept(tmp_path):
    ref = prepare(Dataset(bundled=BundledName.DIABETES), Task.REGRESSION, 0, tmp_path)
    target = attach(ref).training_target
    assert target.mean() == pytest.approx(0, abs=1e-12)
    assert target.std() == pytest.approx(1)
    assert 70 < ref.target_scale < 85
    assert ref.classes == []


def test_the_reference_travels_as_json(tmp_path):
    ref = prepare(IRIS, Task.CLASSIFICATION, 0, tmp_path)
    assert PreparedRef.model_validate(ref.dump()) == ref
    assert PreparedRef.model_validate_json(ref.model_dump_json()) == ref


def test_a_node_loads_once_whoever_asks(tmp_path, monkeypatch):
    loads = []
    load = store.load
    monkeypatch.setattr(store, "load", lambda *request: loads.append(request) or load(*request))
    with ThreadPoolExecutor(4) as pool:
        refs = list(pool.map(lambda _: prepare(IRIS, Task.CLASSIFICATION, 0, tmp_path), range(8)))
    assert len(loads) == 1
    assert len({ref.folder for ref in refs}) == 1
    assert prepare(IRIS, Task.CLASSIFICATION, 1, tmp_path).folder != refs[0].folder
    assert len(loads) == 2


def test_what_a_killed_writer_left_is_replaced(tmp_path):
    ref = prepare(IRIS, Task.CLASSIFICATION, 0, tmp_path / "one")
    left = tmp_path / "two" / f"{ref.folder.rsplit('/', 1)[1]}.unfinished"
    left.mkdir(parents=True)
    (left / "training_features.npy").write_bytes(b"half")
    data = attach(prepare(IRIS, Task.CLASSIFICATION, 0, tmp_path / "two"))
    assert data.training_features.shape == (105, 4)
    assert not left.exists()


def test_a_full_file_system_is_a_sentence_with_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=2 * 2**20))
    rows = Dataset(generated=GeneratedDataset(rows=10_000, features=50))
    with pytest.raises(DatasetError, match=r"need 4 MiB .* where 2 MiB are free"):
        prepare(rows, Task.REGRESSION, 0, tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_a_root_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="cannot be written under"):
        prepare(IRIS, Task.CLASSIFICATION, 0, tmp_path / "file" / "root")


def test_what_nobody_has_thought_of_is_a_sentence_and_a_traceback_in_the_log(tmp_path, monkeypatch, caplog):
    def fails(*_):
        raise TypeError("unhashable type: 'list'")

    monkeypatch.setattr(store, "load", fails)
    with pytest.raises(DatasetError, match=r"dataset cannot be prepared \(TypeError: unhashable type: 'list'\); add"):
        prepare(IRIS, Task.CLASSIFICATION, 0, tmp_path)
    assert "Traceback" in caplog.text


def test_a_missing_folder_is_a_sentence(tmp_path):
    ref = prepare(IRIS, Task.CLASSIFICATION, 0, tmp_path)
    shutil.rmtree(ref.folder)
    with pytest.raises(DatasetError, match="is not on this node"):
        attach(ref)


def test_a_file_that_changed_is_read_again(tmp_path):
    path = tmp_path / "rows.csv"
    dataset = Dataset(file=DatasetFile(location=str(path)), target="y")
    pd.DataFrame({"x": range(10), "y": [0, 1] * 5}).to_csv(path, index=False)
    first = prepare(dataset, Task.CLASSIFICATION, 0, tmp_path / "root")
    pd.DataFrame({"x": range(20), "y": [0, 1] * 10}).to_csv(path, index=False)
    second = prepare(dataset, Task.CLASSIFICATION, 0, tmp_path / "root")
    assert (first.training_rows, second.training_rows) == (7, 14)


def test_columns_that_parquet_numbers_are_named_by_their_numbers(tmp_path):
    path = tmp_path / "rows.parquet"
    pd.DataFrame(np.arange(40).reshape(10, 4) % 3).to_parquet(path)
    dataset = Dataset(file=DatasetFile(location=str(path)), target="2", drop_columns=["0"])
    rows = store.load(dataset, Task.CLASSIFICATION)
    assert (rows.columns, rows.target_name) == (["1", "3"], "2")


@pytest.mark.parametrize(("nested", "held"), [([[1], [2]], "ndarray"), ([{"a": 1}, {"a": 2}], "dict")])
def test_nested_columns_of_parquet_are_refused_by_name(tmp_path, nested, held):
    path = tmp_path / "rows.parquet"
    pd.DataFrame({"x": range(10), "n": nested * 5, "y": [0, 1] * 5}).to_parquet(path)
    dataset = Dataset(file=DatasetFile(location=str(path)), target="y")
    with pytest.raises(DatasetError, match=f"column 'n' holds {held}, neither"):
        prepare(dataset, Task.CLASSIFICATION, 0, tmp_path / "root")


@pytest.mark.parametrize("name", ["rows.parquet", "rows.csv", "rows.csv.gz"])
def test_a_file_that_is_absent_is_a_sentence(tmp_path, name):
    dataset = Dataset(file=DatasetFile(location=str(tmp_path / name)), target="y")
    with pytest.raises(DatasetError, match=r"dataset\.file\.location: .* cannot be read"):
        prepare(dataset, Task.CLASSIFICATION, 0, tmp_path / "root")


@pytest.mark.parametrize(
    ("column", "task", "words"),
    [
        (["a"] * 10, Task.CLASSIFICATION, "all rows are of one class"),
        (list("abababababa")[:10], Task.REGRESSION, "write spec.trainable.builtin.task: classification"),
    ],
)
def test_a_target_that_does_not_suit_the_task_is_a_sentence(tmp_path, column, task, words):
    path = tmp_path / "rows.csv"
    pd.DataFrame({"x": range(10), "y": column}).to_csv(path, index=False)
    with pytest.raises(DatasetError, match=words):
        prepare(Dataset(file=DatasetFile(location=str(path)), target="y"), task, 0, tmp_path / "root")


def test_too_many_generated_classes_are_a_sentence(tmp_path):
    rows = Dataset(generated=GeneratedDataset(rows=100, features=2, classes=5))
    with pytest.raises(DatasetError, match=r"generated\.classes: 2 features hold at most 4 classes"):
        prepare(rows, Task.CLASSIFICATION, 0, tmp_path)


def test_the_error_crosses_process_boundaries():
    error = pickle.loads(pickle.dumps(DatasetError("sentence")))
    assert (type(error), str(error)) == (DatasetError, "sentence")
