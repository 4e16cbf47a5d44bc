"""The ledger: what is on record is believed, what is torn is passed over, nothing is told twice."""

import json
import logging
from pathlib import Path

import pytest
from pyarrow import fs

from tuningsweep_api.messages import DesiredState
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.limits import Limits
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.results.checkpoints import KEPT, CheckpointStore
from tuningsweep_trainer.results.desired import DesiredFile
from tuningsweep_trainer.results.ledger import Assignment, Ledger, LimitWarning
from tuningsweep_trainer.results.store import LocalStore, ObjectStore, Store, open_store

TIME = "2026-01-01T00:00:00Z"


@pytest.fixture(params=["local", "object"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "local":
        return LocalStore(tmp_path)
    return ObjectStore(fs.LocalFileSystem(), str(tmp_path))


def assignment(trial: str, attempt: int = 0, x: int = 1) -> Assignment:
    return Assignment(trial=trial, parameters={"x": x}, attempt=attempt, time=f"2026-01-01T00:00:0{attempt}Z")


def record(trial: str, outcome: Outcome = Outcome.SUCCEEDED) -> TrialRecord:
    return TrialRecord(trial=trial, parameters={"x": 1}, outcome=outcome, reason=Reason.COMPLETED, completion_time=TIME)


def test_a_new_ledger_is_empty(store: Store) -> None:
    history = Ledger(store).load()
    assert (history.records, history.unfinished, history.assigned) == ([], {}, 0)


def test_what_was_written_is_loaded(store: Store) -> None:
    ledger = Ledger(store)
    for line in (
        assignment("t-0"),
        assignment("t-0", 1),
        assignment("t-1"),
        assignment("t-1", 1),
        assignment("t-1", 2, 5),
    ):
        ledger.assign(line)
    ledger.record(record("t-0"))
    ledger.warn(LimitWarning(trial="t-1", reason=Reason.MEMORY_LIMIT_EXCEEDED, observed=2, limit=1, time=TIME))
    history = ledger.load()
    assert [r.trial for r in history.records] == ["t-0"]
    assert history.assigned == 2
    (unfinished,) = history.unfinished.values()
    assert (unfinished.parameters, unfinished.attempts) == ({"x": 5}, 2)
    assert unfinished.first_start == "2026-01-01T00:00:01Z"
    assert [w.trial for w in history.warnings] == ["t-1"]
    ledger.fold()
    content = store.read("trials.jsonl")
    assert content is not None
    assert content.count(b"\n") == 1


def test_a_torn_last_line_is_dropped_and_the_next_starts_afresh(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("tuningsweep_trainer"), "propagate", True)
    ledger = Ledger(LocalStore(tmp_path))
    ledger.record(record("t-0"))
    with (tmp_path / "trials.jsonl").open("ab") as file:
        file.write(b'{"trial": "t-1", "outco')
    with caplog.at_level(logging.WARNING):
        assert [r.trial for r in ledger.load().records] == ["t-0"]
    assert "torn" in caplog.text
    ledger.record(record("t-2"))
    assert [r.trial for r in ledger.load().records] == ["t-0", "t-2"]


def test_what_a_later_release_has_put_on_record_is_believed(store: Store) -> None:
    ledger = Ledger(store)
    for path, line in (("assignments.jsonl", assignment("t-0", 1)), ("trials.jsonl", record("t-0"))):
        store.append(path, json.dumps({**line.dump(), "addedLater": {"deep": [1]}}).encode())
    history = ledger.load()
    assert (history.records, history.assigned, history.unfinished) == ([record("t-0")], 1, {})
    wanted = DesiredState(limits=Limits(), parallel_trial_count=1, max_trial_count=2, max_failed_trial_count=0)
    store.write("desired.json", json.dumps({**wanted.dump(), "addedLater": 1}).encode())
    assert DesiredFile(store).read() == wanted


def test_the_first_of_two_records_counts(store: Store) -> None:
    ledger = Ledger(store)
    ledger.record(record("t-0"))
    ledger.record(record("t-0", Outcome.FAILED))
    assert [r.outcome for r in ledger.load().records] == [Outcome.SUCCEEDED]


def test_desired_state_is_kept_without_its_acknowledgement(store: Store) -> None:
    file = DesiredFile(store)
    assert file.read() is None
    desired = DesiredState(limits=Limits(), parallel_trial_count=1, max_trial_count=2, max_failed_trial_count=0)
    file.write(desired.model_copy(update={"acknowledged": True}))
    assert file.read() == desired
    store.write("desired.json", b"{")
    assert file.read() is None


def folder_with(parent: Path, content: str) -> Path:
    folder = parent / f"checkpoint-{content}"
    folder.mkdir()
    (folder / "model").write_text(content)
    return folder


def test_the_newest_complete_checkpoint_is_found_and_old_ones_go(tmp_path: Path) -> None:
    results = tmp_path / "results"
    checkpoints = CheckpointStore(str(results), "t-0")
    assert checkpoints.latest() is None
    for number in range(KEPT + 3):
        checkpoints.save(number, folder_with(tmp_path, str(number)), step=number * 10, metrics={"loss": 1.0})
    (results / "checkpoints/t-0/000099").mkdir()  # a crash before its description was written
    latest = checkpoints.latest()
    assert latest is not None
    assert (latest.number, latest.step) == (KEPT + 2, (KEPT + 2) * 10)
    checkpoints.fetch(latest.number, tmp_path / "fetched")
    assert (tmp_path / "fetched/model").read_text() == str(KEPT + 2)
    assert checkpoints.describe(0) is None
    for number in (KEPT + 1, KEPT + 2, 99):
        checkpoints.drop(number)
    latest = checkpoints.latest()
    assert latest is not None
    assert latest.number == KEPT
    assert checkpoints.next_number() == KEPT + 1


def test_object_storage_is_opened_by_its_uri_alone(tmp_path: Path) -> None:
    assert isinstance(open_store(str(tmp_path)), LocalStore)
    assert isinstance(open_store(f"file://{tmp_path}"), LocalStore)
    assert isinstance(open_store("mock://bucket/path"), ObjectStore)


def test_folders_go_to_object_storage_and_back(tmp_path: Path) -> None:
    store = ObjectStore(fs.LocalFileSystem(), str(tmp_path / "bucket"))
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep/file").write_text("content")
    store.upload(source, "there")
    store.download("there", tmp_path / "back")
    assert (tmp_path / "back/deep/file").read_text() == "content"
    store.delete("there")
    assert store.names("there") == []
