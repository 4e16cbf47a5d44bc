"""Checkpoints of a trial: what a process that was killed while it saved has left does not stay."""

from pathlib import Path

from tuningsweep_trainer.results.checkpoints import CheckpointStore


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
