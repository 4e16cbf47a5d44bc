"""What is read of a results folder, whole, live, torn or empty, and what is said where something is missing."""

import json

import pytest

from support.example_results import example_sweep, write_results
from support.results import START, record, trace
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_trainer.report.errors import ReportError
from tuningsweep_trainer.report.gather import TRACES_READ, choose_traced, gather
from tuningsweep_trainer.results.ledger import Ledger
from tuningsweep_trainer.results.store import ObjectStore
from tuningsweep_trainer.results.traces import write_trace


def over(index: int):
    return record(index, outcome=Outcome.LIMIT_EXCEEDED, reason=Reason.MEMORY_LIMIT_EXCEEDED)


def test_an_ended_sweep_is_read_whole(tmp_path) -> None:
    results = gather(str(write_results(tmp_path, 8)), START)
    assert [r.trial for r in results.records] == [f"trial-{index:04d}" for index in range(8)]
    assert set(results.traces) == {r.trial for r in results.records if r.outcome is not Outcome.SKIPPED}
    assert results.state is not None
    assert results.state.result is not None
    assert (results.unfinished, results.notes, results.traced) == ({}, [], 7)
    assert results.limits.memory == "250Mi", "the edited limits are the ones in force"


def test_a_live_sweep_has_trials_without_an_end(tmp_path) -> None:
    results = gather(str(write_results(tmp_path, 4, running=2)), START)
    assert list(results.unfinished) == ["trial-0004", "trial-0005"]
    assert (results.state, results.notes) == (None, [])


def test_without_a_sweep_it_says_what_to_give(tmp_path) -> None:
    with pytest.raises(ReportError, match=r"holds no sweep.json; give the folder of one sweep's results"):
        gather(str(tmp_path), START)
    with pytest.raises(ReportError, match=r"holds no sweep\.json"):
        gather(str(tmp_path / "nowhere"), START)


def test_a_torn_sweep_is_named_and_another_one_helps(tmp_path) -> None:
    (tmp_path / "sweep.json").write_text('{"metadata": ')
    with pytest.raises(ReportError, match=r"sweep.json can't be read"):
        gather(str(tmp_path), START)
    assert gather(str(tmp_path), START, example_sweep()).records == []


def test_torn_lines_and_files_are_passed_over_and_noted(tmp_path) -> None:
    write_results(tmp_path, 3)
    lines = (tmp_path / "trials.jsonl").read_text().splitlines()
    (tmp_path / "trials.jsonl").write_text("\n".join([lines[0], lines[1], lines[2][:40]]))
    (tmp_path / "result.json").write_text(json.dumps({"sweepUid": 3}))
    next((tmp_path / "traces" / "trial-0001").iterdir()).write_text("{")
    results = gather(str(tmp_path), START)
    assert [r.trial for r in results.records] == ["trial-0000", "trial-0001"]
    assert "trial-0001" not in results.traces
    assert results.notes == ["result.json can't be read, so how the sweep ended is not known."]


def test_an_ended_sweep_with_a_lost_record_says_so(tmp_path) -> None:
    write_results(tmp_path, 3)
    lines = (tmp_path / "trials.jsonl").read_text().splitlines()
    (tmp_path / "trials.jsonl").write_text("\n".join(lines[:2]))
    assert "1 of its trials have no record" in gather(str(tmp_path), START).notes[0]


def test_of_many_trials_those_running_and_over_a_limit_are_traced_first() -> None:
    records = [over(index) if index % 100 == 0 else record(index) for index in range(10_000)]
    names = [r.trial for r in records]
    chosen = choose_traced([*names, "trial-10000"], records, ["trial-10000"], TRACES_READ)
    assert len(chosen) == len(set(chosen)) == TRACES_READ
    assert {name for name in names if int(name[-4:]) % 100 == 0} <= set(chosen)
    assert "trial-10000" in chosen


def test_trials_without_a_trace_are_not_chosen() -> None:
    assert choose_traced(["trial-0001"], [over(0), over(1)], ["trial-0002"], 10) == ["trial-0001"]


def test_results_in_object_storage_are_read_like_those_in_a_folder(tmp_path, monkeypatch) -> None:
    from pyarrow import fs

    store = ObjectStore(fs.LocalFileSystem(), str(tmp_path))
    store.write("sweep.json", json.dumps(example_sweep().dump()).encode())
    Ledger(store).record(record(0))
    write_trace(store, trace("trial-0000"))
    monkeypatch.setattr("tuningsweep_trainer.report.gather.open_store", lambda source: store)
    results = gather("s3://bucket/digits", START)
    assert [r.trial for r in results.records] == ["trial-0000"]
    assert list(results.traces) == ["trial-0000"]
    assert results.source == "s3://bucket/digits"
