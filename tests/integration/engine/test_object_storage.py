"""A sweep whose results are in an S3 API, through Ray Tune: ledger, checkpoints, traces, a second driver, the commands."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.engine.conftest import PYTHON_PATH, sweep_of
from support.command import says
from support.object_storage import BUCKET, ObjectStorage, object_storage
from tuningsweep_trainer.driver.options import DriverOptions
from tuningsweep_trainer.driver.run import run_sweep
from tuningsweep_trainer.results.checkpoints import CheckpointStore
from tuningsweep_trainer.results.ledger import TRIALS, Ledger
from tuningsweep_trainer.results.store import OBJECT_SUFFIX, open_store
from tuningsweep_trainer.results.traces import read_traces

ABOVE = f"s3://{BUCKET}/team"
RESULTS = f"{ABOVE}/engine"
STEPS = 8
SWEEP = sweep_of(
    {
        "trainable": {"function": "functions_of_engine:waits", "arguments": {"steps": str(STEPS)}},
        "parallelTrialCount": 1,
        "maxTrialCount": 2,
    }
)


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with object_storage() as storage:
        yield storage


def run(*, preflight: bool) -> int:
    """Trials that succeeded when the driver ended."""
    options = DriverOptions(results=RESULTS, python_path=PYTHON_PATH, handle_signals=False, preflight=preflight)
    return run_sweep(SWEEP, options).trials.succeeded


@pytest.fixture(scope="module")
def finished(storage: ObjectStorage, embedded_ray: Path) -> None:
    """A sweep of two trials whose driver was killed before the second had ended, brought to its end by another driver."""
    assert run(preflight=True) == 2
    store = open_store(RESULTS)
    last = store.names(TRIALS + OBJECT_SUFFIX)[-1]
    store.delete(f"{TRIALS}{OBJECT_SUFFIX}/{last}")
    for number in (STEPS - 2, STEPS - 1):
        CheckpointStore(RESULTS, "trial-0001").drop(number)
    assert run(preflight=False) == 2
    store.write("sweep.json", json.dumps(SWEEP.dump()).encode())  # by the driver's entry point in a cluster


@pytest.mark.usefixtures("finished")
def test_a_second_driver_goes_on_from_the_checkpoint_and_repeats_nothing_that_had_ended() -> None:
    records = {record.trial: record for record in Ledger(open_store(RESULTS)).load().records}
    went_on = {name: (record.attempts, record.metrics["went_on_from"]) for name, record in records.items()}
    assert went_on == {"trial-0000": (1, 0), "trial-0001": (2, STEPS - 2)}
    assert {record.steps for record in records.values()} == {STEPS}
    assert all(record.worker for record in records.values())


@pytest.mark.usefixtures("finished")
def test_checkpoints_and_traces_of_every_process_are_there() -> None:
    for trial, processes in (("trial-0000", 1), ("trial-0001", 2)):
        checkpoint = CheckpointStore(RESULTS, trial).latest()
        assert checkpoint is not None
        assert checkpoint.step == STEPS
        traces = read_traces(open_store(RESULTS), trial)
        assert len(traces) == processes
        assert all(trace.points for trace in traces)


@pytest.mark.usefixtures("finished")
def test_trials_and_report_are_read_from_there(tmp_path: Any) -> None:
    rows = csv.DictReader(io.StringIO(says("trials", "engine", "--results", ABOVE, "-o", "csv")))
    assert {row["trial"]: row["outcome"] for row in rows} == dict.fromkeys(("trial-0000", "trial-0001"), "Succeeded")
    page = tmp_path / "page.html"
    says("report", "engine", "--results", ABOVE, "--file", str(page))
    assert "trial-0001" in page.read_text()


@pytest.mark.usefixtures("finished")
def test_the_key_is_in_none_of_the_objects(storage: ObjectStorage) -> None:
    contents = storage.contents()
    assert contents
    assert [key for key, content in contents.items() if storage.secret.encode() in content] == []


@pytest.mark.usefixtures("finished")
def test_the_key_is_in_none_of_the_files_that_ray_writes(storage: ObjectStorage, embedded_ray: Path) -> None:
    logs = {path: path.read_bytes() for path in embedded_ray.rglob("*") if path.is_file()}
    assert any(b"PL_DISABLE_FORK" in content for content in logs.values()), "Tune's runtime environment is in no log"
    assert [path for path, content in logs.items() if storage.secret.encode() in content] == []
