"""Killing everything below a process."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from support.patience import eventually
from tuningsweep_trainer.training.process_tree import descendants, kill_descendants


@pytest.fixture
def root() -> Iterator[int]:
    """A process with two below it."""
    process = subprocess.Popen(["sh", "-c", "sleep 600 & sleep 600 & wait"], start_new_session=True)
    eventually(lambda: len(descendants(process.pid)) == 2, "two processes below one", every=0.01)
    yield process.pid
    os.killpg(process.pid, 9)
    process.wait()


def test_a_process_that_may_not_be_killed_keeps_no_other_alive_and_is_logged_once(
    root: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    theirs, _ = descendants(root)
    kill = os.kill

    def refuses(pid: int, number: int) -> None:
        if pid == theirs:
            raise PermissionError(1, "Operation not permitted")
        kill(pid, number)

    monkeypatch.setattr(os, "kill", refuses)
    assert not kill_descendants(root, patience=0.1)
    eventually(lambda: descendants(root) == [theirs], "the other is gone", every=0.01)
    assert [record.getMessage() for record in caplog.records] == [
        f"process {theirs} may not be killed: [Errno 1] Operation not permitted"
    ]
    monkeypatch.undo()
    assert kill_descendants(root)
