"""Drivers and supervisors that are killed: nothing finished is lost or repeated, the rest goes on from its checkpoint."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from integration.engine.conftest import TESTS, records_in
from support.patience import PATIENCE, eventually
from support.sweeps import discrete
from tuningsweep_trainer.driver import tuner
from tuningsweep_trainer.node.files import matching
from tuningsweep_trainer.node.runtime import RuntimeFolder, TrialStatus, runtime_folders, shared_folder

SUPERVISORS = ("ray::Supervisor", "ray::ResourceTrainable")
"""What Ray calls their processes."""


@pytest.fixture
def ray_folder() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="crash-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield folder


def start_driver(results: Path, ray_folder: str, edits: dict[str, Any]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "integration.engine.run_driver", str(results), ray_folder, json.dumps(edits)]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    with (results.parent / "driver.log").open("a") as log, (results.parent / "driver.out").open("w") as out:
        return subprocess.Popen(command, env=environment, stdout=out, stderr=log, text=True)


def last_line(results: Path) -> str:
    """What the driver last printed.

    Its exit status says nothing here: Ray, once it runs in the tests' own process, reaps the children of others too.
    """
    return ((results.parent / "driver.out").read_text().splitlines() or [""])[-1]


def end_with_children(driver: subprocess.Popen[str]) -> None:
    """End what the driver started (its Ray), then the driver."""
    try:
        family = psutil.Process(driver.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    for process in [*family, driver]:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    driver.wait()


def goes_on_until(told: Path, **edits: Any) -> dict[str, Any]:
    """A sweep whose trials report and keep a checkpoint over and over, until the file is there."""
    arguments = {"until": str(told)}
    return {"trainable.function": "functions_of_engine:waits", "trainable.arguments": arguments, **edits}


ENDLESS = "1000000"


def newest(checkpoints: Path) -> int:
    """Number of a trial's last checkpoint, -1 before the first."""
    return max((int(path.stem) for path in checkpoints.glob("*.json")), default=-1)


def nodes() -> list[RuntimeFolder]:
    """The runtime folders of all sweeps on this machine, other test runs' among them, which come and go."""
    return [RuntimeFolder(folder) for folder in matching(shared_folder(), runtime_folders())]


def folder_of(family: list[psutil.Process]) -> Path:
    """The runtime folder that supervisors of a driver's family work in."""
    pids = {process.pid for process in family}
    (found,) = (f.path for f in nodes() if pids & {status.supervisor_pid for status in f.statuses()})
    return found


def end_early(results: Path, ray_folder: str, edits: dict[str, Any]) -> Path:
    """Start a driver and kill it once the second trial has kept more checkpoints; the runtime folder that it leaves."""
    checkpoints = results / "checkpoints" / "trial-0001"
    seen = newest(checkpoints)
    driver = start_driver(results, ray_folder, edits)
    family: list[psutil.Process] = []
    try:
        eventually(lambda: newest(checkpoints) > seen + 2, "the second trial goes on", every=0.02)
        family = psutil.Process(driver.pid).children(recursive=True)
        left = folder_of(family)
        driver.kill()
        driver.wait(timeout=PATIENCE)
        assert last_line(results) == ""
        assert list(records_in(results)) == ["trial-0000"], "an unfinished trial was put on record"
        return left
    finally:
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):  # what Ray leaves ends by itself, too
                process.kill()
        end_with_children(driver)


def test_after_a_driver_that_was_killed_the_next_goes_on_where_it_was(tmp_path: Path, ray_folder: str) -> None:
    results, told = tmp_path / "results", tmp_path / "told"
    edits = goes_on_until(told, parallelTrialCount=1, maxTrialCount=2, parameters=[discrete("steps", "5", ENDLESS)])
    left = end_early(results, ray_folder, edits)
    before = records_in(results)
    told.touch()
    last = start_driver(results, ray_folder, edits)
    try:
        last.wait(timeout=PATIENCE)
    finally:
        end_with_children(last)
    assert json.loads(last_line(results))["result"]["reason"] == "SearchFinished"
    after = records_in(results)
    assert sorted(after) == ["trial-0000", "trial-0001"]
    assert after["trial-0000"] == before["trial-0000"], "a finished trial was run again"
    resumed = after["trial-0001"]
    assert (resumed["outcome"], resumed["attempts"], resumed["steps"]) == ("Succeeded", 2, resumed["metrics"]["done"])
    assert resumed["metrics"]["went_on_from"] > 0, "it started again instead of going on"
    assert not left.exists(), "what the killed one had in shared memory is still there"
    kept = {trial: len(list((results / "checkpoints" / trial).glob("*.json"))) for trial in after}
    assert set(kept.values()) == {1}, kept


def supervisors() -> list[psutil.Process]:
    """Those of this test run, with a trial or without."""
    family = {process.pid for process in psutil.Process().children(recursive=True)}
    titles = {process: "".join((process.info["cmdline"] or [])[:1]) for process in psutil.process_iter(["cmdline"])}
    return [process for process, title in titles.items() if process.pid in family and title.startswith(SUPERVISORS)]


def is_ours(pid: int) -> bool:
    """Whether a process is below this test run, so that no other run's supervisor is touched."""
    try:
        return os.getpid() in [parent.pid for parent in psutil.Process(pid).parents()]
    except psutil.NoSuchProcess:
        return False


def trained() -> list[TrialStatus]:
    """What nodes of this test run publish of trials with a process."""
    statuses = [status for folder in nodes() for status in folder.statuses()]
    return [status for status in statuses if status.pid and is_ours(status.supervisor_pid)]


def test_a_trial_goes_on_however_often_its_supervisor_is_killed_and_once_a_free_one_with_it(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More often than it would be tried again if it got no further.

    Both at once is as when their node is lost: Tune gives the trial to the free one first, and finds out that it is dead.
    """
    monkeypatch.setattr(tuner, "SUPERVISOR_RETRIES", 1)
    killed: list[int] = []
    checkpoints, told = tmp_path / "checkpoints" / "trial-0002", tmp_path / "told"

    def two_are_done() -> bool:
        return newest(checkpoints) > 1 and len(records_in(tmp_path)) == 2

    def kill(victims: list[psutil.Process]) -> None:
        eventually(lambda: len(trained()) == 1, "one is trained, and the free one knows that it is free", every=0.02)
        (status,) = trained()
        for victim in victims:
            victim.kill()
            killed.append(victim.pid)
        died = time.monotonic()
        eventually(lambda: not psutil.pid_exists(status.pid), "its training process ends too", every=0.02)
        print(f"the training process outlived its supervisor by {time.monotonic() - died:.3f} s")

    def kill_both_then_one() -> None:
        try:
            eventually(two_are_done, "two are done and one goes on", every=0.02)
            kill(supervisors())
            seen = newest(checkpoints)
            # The new process numbers its own from seen + 3; Tune has taken the first report once a fourth is saved.
            eventually(lambda: newest(checkpoints) > seen + 6, "it goes on", every=0.02)
            kill([psutil.Process(status.supervisor_pid) for status in trained()])
        finally:
            told.touch()

    thread = threading.Thread(target=kill_both_then_one)
    thread.start()
    lengths = [discrete("steps", "3", "4", ENDLESS)]
    state, records = run(goes_on_until(told, parallelTrialCount=2, maxTrialCount=3, parameters=lengths))
    thread.join()
    assert len(killed) == 3, "there was no free supervisor, or it was not killed again: the test says nothing"
    assert state.result is not None
    assert state.result.succeeded, records
    assert {trial: (record["outcome"], record["attempts"]) for trial, record in records.items()} == {
        "trial-0000": ("Succeeded", 1),
        "trial-0001": ("Succeeded", 1),
        "trial-0002": ("Succeeded", 3),
    }
    last = records["trial-0002"]
    assert last["steps"] == last["metrics"]["done"] > last["metrics"]["went_on_from"] > 0
