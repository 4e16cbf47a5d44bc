"""What is dropped of ended trials and after the sweep: never what somebody may read again, and nobody waits for it."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyarrow import fs

from tuningsweep_trainer.driver import tidying
from tuningsweep_trainer.driver.tidying import Tidier
from tuningsweep_trainer.results import checkpoints as checkpoints_module
from tuningsweep_trainer.results.checkpoints import CheckpointStore
from tuningsweep_trainer.results.store import LocalStore, ObjectStore, Store

Open = Callable[[str], Store]


def in_object_storage(location: str) -> Store:
    return ObjectStore(fs.LocalFileSystem(), location)


def in_a_folder(location: str) -> Store:
    return LocalStore(Path(location))


@pytest.fixture(params=[in_a_folder, in_object_storage])
def opened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Results in each kind of storage."""
    for module in (tidying, checkpoints_module):
        monkeypatch.setattr(module, "open_store", request.param)
    return request.param


@pytest.fixture
def saved(opened: Open, tmp_path: Path) -> Callable[[str], CheckpointStore]:
    """A trial with checkpoints 0 to 3."""
    source = tmp_path / "model"
    source.mkdir()
    (source / "weights").write_text("w")

    def save(trial: str) -> CheckpointStore:
        checkpoints = CheckpointStore(str(tmp_path), trial)
        for number in range(4):
            checkpoints.save(number, source, step=number, metrics={})
        return checkpoints

    return save


def left(results: Path, trial: str) -> list[str]:
    return sorted(path.name for path in (results / "checkpoints" / trial).iterdir())


def tidy(tidier: Tidier) -> None:
    """Let it do all it was told to."""
    tidier.start()
    tidier.sweep_ended()
    tidier.leave()
    assert not tidier.is_alive()


def test_of_an_ended_trial_the_checkpoints_before_the_one_that_stays_go(saved: Any, tmp_path: Path) -> None:
    for trial in ("all-seen", "one-unseen", "first", "runs"):
        saved(trial)
    tidier = Tidier(str(tmp_path), [])
    tidier.trial_ended("all-seen", 3)
    tidier.trial_ended("one-unseen", 2)
    tidier.trial_ended("first", 0)
    tidy(tidier)
    assert left(tmp_path, "all-seen") == ["000003", "000003.json"]
    assert left(tmp_path, "one-unseen") == ["000002", "000002.json", "000003", "000003.json"]
    assert left(tmp_path, "first") == left(tmp_path, "runs")
    assert len(left(tmp_path, "runs")) == 8


def test_trials_of_earlier_drivers_keep_their_newest_that_is_whole(saved: Any, tmp_path: Path) -> None:
    store = saved("ended")
    saved("runs")
    description = tmp_path / "checkpoints" / "ended" / "000003.json"
    description.unlink()  # a crash before it was described
    (description.parent / "000000.json").unlink()  # a crash while it was dropped
    tidy(Tidier(str(tmp_path), ["ended", "never-saved"]))
    assert left(tmp_path, "ended") == ["000002", "000002.json", "000003"]
    assert store.latest().number == 2
    assert len(left(tmp_path, "runs")) == 8


def test_the_copies_that_tune_made_go_with_the_end_of_the_sweep_alone(opened: Open, tmp_path: Path) -> None:
    opened(str(tmp_path)).write("tune/run/trial-0000/checkpoint_000000/tuningsweep.json", b"{}")
    tidier = Tidier(str(tmp_path), [])
    tidier.start()
    tidier.leave()
    assert (tmp_path / "tune").exists()
    tidy(Tidier(str(tmp_path), []))
    assert not (tmp_path / "tune").exists()


def test_what_can_not_be_dropped_is_logged_and_keeps_nothing_else(
    saved: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for trial in ("stuck", "ended", "ended-before"):
        saved(trial)
    drop = CheckpointStore.drop

    def fails_for_one(store: CheckpointStore, number: int) -> None:
        if "stuck" in store._folder:
            raise OSError("read-only now")
        drop(store, number)

    monkeypatch.setattr(CheckpointStore, "drop", fails_for_one)
    monkeypatch.setattr(logging.getLogger("tuningsweep_trainer"), "propagate", True)
    tidier = Tidier(str(tmp_path), ["stuck", "ended-before"])
    tidier.trial_ended("stuck", 3)
    tidier.trial_ended("ended", 3)
    with caplog.at_level(logging.ERROR):
        tidy(tidier)
    assert len(caplog.records) == 2
    assert "read-only now" in caplog.text
    assert len(left(tmp_path, "stuck")) == 8
    assert left(tmp_path, "ended") == left(tmp_path, "ended-before") == ["000003", "000003.json"]


def test_a_driver_that_is_interrupted_leaves_the_rest_to_the_next(saved: Any, tmp_path: Path) -> None:
    saved("ended")
    tidier = Tidier(str(tmp_path), [])
    tidier.trial_ended("ended", 3)
    tidier.leave()
    tidier.start()
    tidier.join()
    assert len(left(tmp_path, "ended")) == 8
