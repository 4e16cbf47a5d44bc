"""Results in object storage on a real cluster: they outlive pods and sweep, and the keys to them are told to nobody."""

import csv
import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from cluster.leaks import check_nothing_written
from cluster.sweeps import ONE_WORKER, function_sweep, wait_condition, wait_running, wait_trials
from support.command import says
from support.kubectl import Kubectl
from support.object_storage import BUCKET, ObjectStorage, object_storage
from support.patience import eventually
from support.sweeps import discrete
from tuningsweep_trainer.results.checkpoints import CheckpointStore
from tuningsweep_trainer.results.ledger import TRIALS, Ledger
from tuningsweep_trainer.results.store import open_store
from tuningsweep_trainer.results.traces import read_traces

NAME = "afar"
ABOVE = f"s3://{BUCKET}/team-a"
RESULTS = f"{ABOVE}/{NAME}"
SECRET = "bucket-keys"
SHORT, LONG = ("50", "60"), ("100000", "100010")
"""Steps of a tenth of a second each, with a checkpoint every ten: two trials end by themselves, two are stopped."""


@pytest.fixture
def storage(host_address: str) -> Iterator[ObjectStorage]:
    with object_storage(host_address) as storage:
        yield storage


def start(kubectl: Kubectl, storage: ObjectStorage) -> None:
    """A sweep of four trials, two at a time on a worker, with keys in a Secret."""
    literals = [f"--from-literal={name}={value}" for name, value in storage.keys.items()]
    kubectl.run("create", "secret", "generic", SECRET, *literals)
    sweep = function_sweep(
        NAME,
        "counting",
        spec__storage={"uri": ABOVE, "endpoint": storage.address, "credentialsSecret": SECRET},
        spec__parameters=[discrete("x", "1"), discrete("steps", *SHORT, *LONG)],
        spec__cluster__workers=ONE_WORKER,
    )
    kubectl.apply(sweep)


@pytest.mark.long
def test_a_sweep_in_object_storage_is_suspended_resumed_and_read(
    kubectl: Kubectl, storage: ObjectStorage, tmp_path: Path
) -> None:
    start(kubectl, storage)
    eventually(lambda: checkpointed("trial-0000", "trial-0001"), "the first two trials have saved something")
    pods = kubectl.items("pods", f"tuningsweep.io/sweep={NAME}")
    assert len(pods) == 2
    check_nothing_written(kubectl, NAME, pods, [storage.secret])

    wait_trials(kubectl, NAME, "succeeded", 2)
    eventually(lambda: checkpointed("trial-0002", "trial-0003"), "the next two have saved something")
    kubectl.patch("tuningsweep", NAME, {"spec": {"suspend": True}})
    wait_condition(kubectl, NAME, "Suspended")
    eventually(lambda: not kubectl.items("pods", f"tuningsweep.io/sweep={NAME}"), "no pod is left while suspended")
    assert not kubectl.items("pvc")
    before = rows(kubectl)
    assert {row["trial"] for row in before} == {"trial-0000", "trial-0001"}

    kubectl.patch("tuningsweep", NAME, {"spec": {"suspend": False}})
    wait_running(kubectl, NAME, count=2)
    eventually(lambda: gone_on("trial-0002", "trial-0003"), "both trials have saved something after the suspension")
    kubectl.run("annotate", "tuningsweep", NAME, "tuningsweep.io/stop=trial-0002,trial-0003")
    wait_condition(kubectl, NAME, "Complete")
    check_records()
    assert [row for row in rows(kubectl) if row in before] == before
    check_reading(kubectl, tmp_path)
    assert [name for name, content in storage.contents().items() if storage.secret.encode() in content] == []


def checkpointed(*trials: str) -> bool:
    """Whether trials could go on from somewhere."""
    return all(CheckpointStore(RESULTS, trial).latest() is not None for trial in trials)


def gone_on(*trials: str) -> bool:
    """Whether the newest checkpoint of each comes from a process that did not begin at the first step."""
    found = [CheckpointStore(RESULTS, trial).latest() for trial in trials]
    return all(checkpoint is not None and checkpoint.metrics["went_on_from"] > 0 for checkpoint in found)


def rows(kubectl: Kubectl) -> list[dict[str, str]]:
    """Succeeded trials, as `tuningsweep trials` tells of a sweep that has no pods; it finds the storage by the sweep."""
    printed = says("trials", NAME, "-n", kubectl.namespace, "--outcome", "Succeeded", "-o", "csv")
    return list(csv.DictReader(io.StringIO(printed)))


def check_records() -> None:
    """One record a trial, in one object; those that were suspended went on from a checkpoint; processes left traces."""
    store = open_store(RESULTS)
    records = {record.trial: record for record in Ledger(store).load().records}
    ended = {
        trial: (record.outcome, record.attempts, record.metrics["went_on_from"] > 0)
        for trial, record in records.items()
    }
    assert ended == {
        "trial-0000": ("Succeeded", 1, False),
        "trial-0001": ("Succeeded", 1, False),
        "trial-0002": ("Stopped", 2, True),
        "trial-0003": ("Stopped", 2, True),
    }
    assert len((store.read(TRIALS) or b"").splitlines()) == len(records)
    for trial, record in records.items():
        if record.outcome == "Succeeded":
            eventually(partial(read_traces, store, trial), f"the trace of {trial}")
        traces = read_traces(store, trial)
        assert len(traces) <= record.attempts, "one for each process, if its pod had the time to write it"
        assert all(trace.points for trace in traces)


def check_reading(kubectl: Kubectl, folder: Path) -> None:
    """`tuningsweep trials` and `report` by the sweep and, once that is gone, by the address."""
    by_sweep = rows(kubectl)
    kubectl.run("delete", "tuningsweep", NAME)
    by_address = csv.DictReader(
        io.StringIO(says("trials", NAME, "--results", ABOVE, "--outcome", "Succeeded", "-o", "csv"))
    )
    assert list(by_address) == by_sweep
    page = folder / "page.html"
    says("report", NAME, "--results", ABOVE, "--file", str(page))
    assert all(row["trial"] in page.read_text() for row in by_sweep)
