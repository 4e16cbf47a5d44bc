"""Checkpoints of a trial: what a process that was killed while it saved has left does not stay."""

import os
from pathlib import Path

import pytest
from pyarrow import fs

from tuningsweep_trainer.results import checkpoints as module
from tuningsweep_trainer.results.checkpoints import CheckpointStore
from tuningsweep_trainer.results.store import LocalStore, ObjectStore, Store


@pytest.fixture(params=["folder", "object storage"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Where checkpoints are kept."""
    objects = ObjectStore(fs.LocalFileSystem(), str(tmp_path / "results"))
    opened: Store = LocalStore(tmp_path / "results") if request.param == "folder" else objects
    monkeypatch.setattr(module, "open_store", lambda _: opened)
    return opened


def test_a_folder_that_was_reported_empty_comes_back_so(store: Store, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    checkpoints = CheckpointStore("", "trial-0000")
    checkpoints.save(0, tmp_path / "model", step=1, metrics={})
    checkpoints.fetch(0, tmp_path / "fetched")
    assert list((tmp_path / "fetched").iterdir()) == []


def test_a_checkpoint_that_is_dropped_while_it_is_read_is_not_taken_for_an_empty_one(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_text("w")
    checkpoints, download = CheckpointStore("", "trial-0000"), store.download
    checkpoints.save(0, tmp_path / "model", step=1, metrics={})

    def drops_first(path: str, folder: Path) -> None:
        checkpoints.drop(0)
        download(path, folder)

    monkeypatch.setattr(store, "download", drops_first)
    with pytest.raises(FileNotFoundError):
        checkpoints.fetch(0, tmp_path / "fetched")


def test_a_checkpoint_is_on_disk_before_its_description(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    results, source = tmp_path / "results", tmp_path / "model"
    (source / "deep").mkdir(parents=True)
    for file in (source / "weights", source / "deep" / "more"):
        file.write_text("w")
    fsync, rename, replace = os.fsync, Path.rename, Path.replace

    def flushes(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        done.append(f"flush {path.relative_to(results / 'checkpoints')}")
        fsync(descriptor)

    def renames(before: Path, after: Path) -> Path:
        done.append(f"rename {before.name} {after.name}")
        return rename(before, after)

    def replaces(before: Path, after: Path) -> Path:
        done.append(f"rename {before.name} {after.name}")
        return replace(before, after)

    monkeypatch.setattr(os, "fsync", flushes)
    monkeypatch.setattr(Path, "rename", renames)
    monkeypatch.setattr(Path, "replace", replaces)
    CheckpointStore(str(results), "t").save(0, source, step=1, metrics={})
    renamed = next(place for place, what in enumerate(done) if what.endswith(" 000000"))
    beside = done[renamed].split()[1]
    copied = {f"flush t/{beside}{inside}" for inside in ("", "/weights", "/deep", "/deep/more")}
    assert set(done[:renamed]) == copied
    assert done[renamed + 1] == "flush t"
    assert done[-1].endswith(" 000000.json")


def test_a_copy_that_was_broken_off_is_dropped_and_nothing_else(tmp_path: Path) -> None:
    source = tmp_path / "model"
    source.mkdir()
    (source / "weights").write_text("w")
    results = tmp_path / "results"
    store = CheckpointStore(str(results), "trial-0000")
    for number in range(2):
        store.save(number, source, step=number, metrics={})
    folder = results / "checkpoints" / "trial-0000"
    complete = {path.name for path in folder.iterdir()}
    (folder / ".000002.1a2b3c4d").mkdir()
    (folder / ".000002.1a2b3c4d" / "weights").write_text("half of it")
    (folder / ".000002.json.1a2b3c4d").write_text("{")
    (folder / "000002").mkdir()  # whole, but killed before it was described
    store.drop_incomplete()
    assert {path.name for path in folder.iterdir()} == complete
    latest = store.latest()
    assert latest is not None
    assert latest.number == 1
