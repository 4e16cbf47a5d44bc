"""The real `openml` client against the OpenML-compatible server: found, unknown, away, silent; ARFF and Parquet."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

import pytest

from support.openml_server import serve
from tuningsweep_api.spec.dataset import Dataset, OpenMLDataset
from tuningsweep_api.spec.trainable import Task
from tuningsweep_trainer.datasets import openml_source
from tuningsweep_trainer.datasets.sources import load
from tuningsweep_trainer.datasets.store import attach, prepare
from tuningsweep_trainer.errors import DatasetError


@pytest.fixture(scope="module")
def server():
    with serve() as server:
        yield server


@pytest.fixture(autouse=True)
def environment(server, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv(openml_source.SERVER_VARIABLE, server.address)
    monkeypatch.setenv(openml_source.CACHE_VARIABLE, str(tmp_path / "cache"))


@pytest.mark.parametrize("skip_parquet", ["false", "true"])
def test_diabetes_by_id_in_both_formats(monkeypatch, skip_parquet):
    monkeypatch.setenv("OPENML_SKIP_PARQUET", skip_parquet)
    rows = load(Dataset(openml=OpenMLDataset(id=37)), Task.CLASSIFICATION)
    assert rows.features.shape == (768, 8)
    assert len(set(rows.target)) == 2


def test_red_wine_by_name_and_version():
    rows = load(Dataset(openml=OpenMLDataset(name="red_wine", version=1)), Task.REGRESSION)
    assert rows.features.shape == (1599, 11)
    assert 5 < rows.target.mean() < 6


def test_mnist_is_prepared_for_all_ten_classes(tmp_path):
    ref = prepare(Dataset(openml=OpenMLDataset(id=554)), Task.CLASSIFICATION, 0, tmp_path / "root")
    assert (ref.training_rows, ref.validation_rows, ref.features, len(ref.classes)) == (49000, 21000, 784, 10)
    assert attach(ref).training_features.shape == (49000, 784)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"id": 4711}, r"dataset\.openml\.id: .* has no data set 4711; write the id or name"),
        ({"name": "nothing"}, r"dataset\.openml\.name: .* has no data set 'nothing'"),
        ({"name": "diabetes", "version": 7}, r"has no data set 'diabetes' version 7"),
    ],
)
def test_an_unknown_data_set_is_a_sentence(spec, words):
    with pytest.raises(DatasetError, match=words):
        load(Dataset(openml=OpenMLDataset(**spec)), Task.CLASSIFICATION)


def test_a_missing_target_lists_the_columns():
    with pytest.raises(DatasetError, match=r"there is no column 'outcome'; write one of .*class"):
        load(Dataset(openml=OpenMLDataset(id=37), target="outcome"), Task.CLASSIFICATION)


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_server_that_is_away_is_a_sentence_without_a_row_of_retries():
    spec = OpenMLDataset(id=37, server=f"http://me:hunter2@127.0.0.1:{closed_port()}/api/v1/xml")
    with pytest.raises(DatasetError, match=r"could not be had from .* check that the server can be reached") as refused:
        openml_source.download(spec)
    assert "hunter2" not in str(refused.value)


def test_a_server_that_says_nothing_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        spec = OpenMLDataset(id=37, server=f"http://127.0.0.1:{silent.getsockname()[1]}/api/v1/xml")
        start = time.monotonic()
        with pytest.raises(DatasetError, match=r"did not deliver data set 37 within 0\.5 s"):
            openml_source.download(spec, time_limit=0.5)
        assert time.monotonic() - start < 60


def test_the_server_serves_several_clients_at_once(server):
    address = server.address.removesuffix("/api/v1/xml") + "/datasets/554/mnist_784.parquet"
    with ThreadPoolExecutor(4) as pool:
        sizes = list(pool.map(lambda _: len(urlopen(address, timeout=60).read()), range(4)))
    assert len(set(sizes)) == 1
    assert sizes[0] > 1_000_000
