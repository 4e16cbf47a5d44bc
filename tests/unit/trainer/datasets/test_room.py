"""Rows that do not fit are refused before a byte of them is allocated."""

import pytest

from tuningsweep_api.spec.dataset import Dataset, GeneratedDataset
from tuningsweep_api.spec.trainable import Task
from tuningsweep_trainer.container import MemoryRoom
from tuningsweep_trainer.datasets import room, sources
from tuningsweep_trainer.datasets.room import check_memory
from tuningsweep_trainer.errors import DatasetError


def test_rows_that_fit_twice_pass_and_one_byte_less_is_refused():
    check_memory(1000, 10, available=160_000)
    with pytest.raises(DatasetError, match=r"dataset\.generated: 1000 rows of 10 features need .* write fewer rows"):
        check_memory(1000, 10, available=159_999)


@pytest.mark.parametrize("task", list(Task))
def test_the_generator_is_not_called_for_rows_that_do_not_fit(task, monkeypatch):
    def never(**_):
        raise AssertionError("rows were generated")

    monkeypatch.setattr(room, "memory_room", lambda: MemoryRoom(2**31, 2**30))
    monkeypatch.setattr(sources.sklearn_datasets, "make_classification", never)
    monkeypatch.setattr(sources.sklearn_datasets, "make_regression", never)
    largest = Dataset(generated=GeneratedDataset(rows=10_000_000, features=100_000))
    with pytest.raises(DatasetError, match=r"where 1024 MiB are free"):
        sources.load(largest, task)
