"""Results in an S3 API, over pyarrow's own client: ledger, checkpoints, traces, and the commands that read them."""

import csv
import filecmp
import io
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from support.command import says
from support.object_storage import BUCKET, ObjectStorage, object_storage
from support.sweeps import BASE
from support.trials import OVER, RECORDS, trace_of_over
from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_cli.main import app
from tuningsweep_trainer.driver.__main__ import refusal_of
from tuningsweep_trainer.results.checkpoints import KEPT, CheckpointStore
from tuningsweep_trainer.results.ledger import Assignment, Ledger
from tuningsweep_trainer.results.store import Store, open_store
from tuningsweep_trainer.results.traces import read_traces, write_trace

ABOVE = f"s3://{BUCKET}/team"
RESULTS = f"{ABOVE}/{BASE['metadata']['name']}"
LARGE_MIB = 128
COPIES_A_FOLDER = """
import sys
from pathlib import Path
from tuningsweep_trainer.results.store import open_store

def most_memory():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))

store = open_store(sys.argv[1])
store.write("small", b"the client is loaded")
before = most_memory()
store.upload(Path(sys.argv[2]), "large")
uploaded = most_memory()
store.download("large", Path(sys.argv[3]))
print(uploaded - before, most_memory() - before)
"""
"""Prints by how many MiB the process grew, at most."""


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with object_storage() as storage:
        yield storage


@pytest.fixture(scope="module")
def store(storage: ObjectStorage) -> Store:
    """The results of a sweep, written as its driver and its trials write them."""
    store = open_store(RESULTS)
    store.write("sweep.json", json.dumps(BASE).encode())
    ledger = Ledger(store)
    for record in RECORDS:
        ledger.assign(Assignment(trial=record.trial, parameters=record.parameters, attempt=1, time="t"))
    for record in RECORDS[:2]:
        ledger.record(record)
    Ledger(open_store(RESULTS)).record(RECORDS[2])  # another driver, which counts what is there
    write_trace(store, trace_of_over())
    return store


def test_the_ledger_has_every_line_in_order_and_folds(store: Store) -> None:
    assert [record.trial for record in Ledger(store).load().records] == [record.trial for record in RECORDS]
    Ledger(store).fold()
    assert len((store.read("trials.jsonl") or b"").splitlines()) == len(RECORDS)


@pytest.mark.parametrize("with_keys", [True, False])
def test_who_has_keys_asks_no_metadata_service(storage: ObjectStorage, with_keys: bool) -> None:
    with metadata_service() as (address, paths):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment |= storage.keys if with_keys else {}
        environment |= {"AWS_ENDPOINT_URL": storage.address, "AWS_EC2_METADATA_SERVICE_ENDPOINT": address}
        program = f"from tuningsweep_trainer.results.store import open_store; open_store({RESULTS!r})"
        subprocess.run([sys.executable, "-c", program], env=environment, check=True)
        assert bool(paths) == (not with_keys), paths


@contextmanager
def metadata_service() -> Iterator[tuple[str, list[str]]]:
    """A service that has nothing, in the place of EC2's; its address and the paths it is asked for."""
    paths: list[str] = []

    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        do_PUT = do_GET  # noqa: N815 - http.server's name

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", paths
    finally:
        server.shutdown()
        server.server_close()


def test_a_trace_comes_back(store: Store) -> None:
    (trace,) = read_traces(store, OVER.trial)
    assert trace == trace_of_over()


def test_checkpoints_are_kept_fetched_and_dropped(store: Store, tmp_path: Path) -> None:
    checkpoints = CheckpointStore(RESULTS, "trial-0000")
    (tmp_path / "saved" / "weights").mkdir(parents=True)
    for number in range(KEPT + 2):
        (tmp_path / "saved" / "weights" / "steps").write_text(str(number))
        checkpoints.save(number, tmp_path / "saved", step=number, metrics={"loss": 0.5})
    newest = checkpoints.latest()
    assert newest is not None
    assert (newest.number, newest.metrics) == (KEPT + 1, {"loss": 0.5})
    assert checkpoints.describe(1) is None
    checkpoints.drop(KEPT + 1)
    checkpoints.fetch(KEPT, tmp_path / "fetched")
    assert (tmp_path / "fetched" / "weights" / "steps").read_text() == str(KEPT)
    assert checkpoints.next_number() == KEPT + 1


def test_an_empty_checkpoint_comes_back(storage: ObjectStorage, tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    checkpoints = CheckpointStore(RESULTS, "trial-empty")
    checkpoints.save(0, tmp_path / "saved", step=1, metrics={})
    checkpoints.fetch(0, tmp_path / "fetched")
    assert list((tmp_path / "fetched").iterdir()) == []


def test_a_large_checkpoint_takes_little_memory_of_the_trial_that_saves_it(
    storage: ObjectStorage, tmp_path: Path
) -> None:
    (tmp_path / "saved").mkdir()
    weights = random.Random(0).randbytes(1 << 20)
    with (tmp_path / "saved" / "weights").open("wb") as file:
        file.writelines([weights] * LARGE_MIB)
    command = [sys.executable, "-c", COPIES_A_FOLDER, RESULTS, str(tmp_path / "saved"), str(tmp_path / "fetched")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert filecmp.cmp(tmp_path / "saved" / "weights", tmp_path / "fetched" / "weights", shallow=False)
    grown = [int(mib) for mib in done.stdout.split()]
    assert max(grown) < LARGE_MIB / 2, grown


def test_the_commands_read_it_by_its_address_or_the_one_above(
    storage: ObjectStorage, store: Store, tmp_path: Path
) -> None:
    name = BASE["metadata"]["name"]
    rows = csv.DictReader(io.StringIO(says("trials", name, "--results", RESULTS, "-o", "csv")))
    assert [row["trial"] for row in rows] == [record.trial for record in RECORDS]
    page = tmp_path / "page.html"
    says("report", name, "--results", ABOVE, "--file", str(page))
    assert "trial-0002" in page.read_text()
    assert storage.secret not in page.read_text()


def test_what_can_not_be_read_is_said_in_a_sentence_without_the_key(storage: ObjectStorage) -> None:
    done = CliRunner().invoke(app, ["trials", "x", "--results", "s3://no-such-bucket/x"])
    assert done.exit_code == 4
    assert "there are no results" in done.output or "can't be read" in done.output
    assert storage.secret not in done.output


def test_a_key_that_is_refused_is_said_in_a_sentence_with_what_to_look_at(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-key")
    done = CliRunner().invoke(app, ["trials", BASE["metadata"]["name"], "--results", RESULTS])
    assert done.exit_code == 4
    assert f"{RESULTS} can't be read" in done.output
    assert "ACCESS_DENIED" in done.output
    assert "your own credentials (AWS_ACCESS_KEY_ID, ...)" in done.output
    assert "not-the-key" not in done.output
    refusal = refusal_of(TuningSweep.from_manifest(BASE), RESULTS)
    assert refusal is not None
    assert refusal.reason is ConditionReason.STORAGE_UNAVAILABLE
