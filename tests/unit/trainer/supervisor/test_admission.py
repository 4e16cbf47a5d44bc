"""The ledger of a node: supervisors (here processes that sleep) count each other's trials, of whatever sweep."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.full_disk import FullDisk
from tuningsweep_trainer.container import MemoryRoom
from tuningsweep_trainer.supervisor.admission import Admission

MI = 1 << 20
ROOM = MemoryRoom(4000 * MI, 1000 * MI)


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """The process of another supervisor."""
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


def put(folder: Path, pid: int, *, admitted: bool, peak: int = 2000 * MI, since: float = 0.0) -> Path:
    """What another supervisor has in the ledger; nothing runs below its root yet."""
    file = folder / f"{pid}.json"
    file.write_text(json.dumps({"root": pid, "peak": peak, "since": since, "admitted": admitted}))
    return file


def test_what_a_trial_of_any_sweep_may_yet_take_is_kept_for_it(tmp_path: Path, other: subprocess.Popen[bytes]) -> None:
    theirs = put(tmp_path, other.pid, admitted=True)
    ours = Admission(tmp_path, room=lambda: ROOM)
    assert ours.ask(os.getpid(), 800 * MI, now=1.0) is None
    ours.leave()
    assert "leave 800Mi" in str(ours.ask(os.getpid(), 801 * MI, now=2.0))
    entry = json.loads((tmp_path / f"{os.getpid()}.json").read_text())
    assert (entry["admitted"], entry["since"]) == (False, 2.0)
    theirs.unlink()
    assert ours.ask(os.getpid(), 801 * MI, now=3.0) is None
    ours.leave()
    assert not list(tmp_path.glob("*.json"))


def test_a_trial_that_waits_goes_first_after_a_while_until_its_supervisor_dies(
    tmp_path: Path, other: subprocess.Popen[bytes]
) -> None:
    running = subprocess.Popen(["sleep", "600"])
    try:
        put(tmp_path, running.pid, admitted=True, peak=1 * MI)
        left = put(tmp_path, other.pid, admitted=False, since=0.0)
        ours = Admission(tmp_path, room=lambda: ROOM)
        assert "goes first" in str(ours.ask(os.getpid(), 1 * MI, now=100.0))
        other.kill()
        other.wait()
        assert ours.ask(os.getpid(), 1 * MI, now=100.2) is None
        assert not left.exists()
    finally:
        running.kill()
        running.wait()


def test_the_memory_of_a_running_trial_is_measured_below_its_root(tmp_path: Path) -> None:
    other = subprocess.Popen(["sh", "-c", "sleep 600 & wait"], start_new_session=True)
    try:
        put(tmp_path, other.pid, admitted=True, peak=0)
        ours = Admission(tmp_path, room=lambda: ROOM)
        assert ours.ask(os.getpid(), 2800 * MI, now=1.0) is None, "it holds more than it was expected to"
    finally:
        os.killpg(other.pid, 9)
        other.wait()


def test_an_edited_limit_counts_for_a_trial_that_was_admitted(tmp_path: Path) -> None:
    ours = Admission(tmp_path, room=lambda: ROOM)
    ours.expect(500 * MI)
    assert not list(tmp_path.glob("*.json")), "nothing was admitted"
    assert ours.ask(os.getpid(), 400 * MI, now=1.0) is None
    ours.expect(2000 * MI)
    entry = json.loads((tmp_path / f"{os.getpid()}.json").read_text())
    assert (entry["peak"], entry["admitted"]) == (2000 * MI, True)


def test_a_trial_that_others_can_not_be_told_of_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(tmp_path, monkeypatch)
    ours = Admission(tmp_path, room=lambda: ROOM)
    disk.fill()
    assert "No space left" in str(ours.ask(os.getpid(), 1 * MI, now=1.0))
    disk.room = float("inf")
    assert ours.ask(os.getpid(), 1 * MI, now=1.2) is None
