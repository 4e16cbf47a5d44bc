"""A sweep in a real memory cgroup: trials are packed into it, and the kernel kills the one that takes more than there is."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.engine.conftest import HERE, TESTS
from tuningsweep_trainer.container import own_memory_groups


@pytest.fixture(scope="module")
def cgroup() -> Iterator[Path]:
    """A memory cgroup below this process's own, for processes of this file alone."""
    folder = own_memory_groups()[0].limit.parent / f"tuningsweep-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no memory cgroup can be made here: {error}")
    if not any((folder / name).exists() for name in ("memory.limit_in_bytes", "memory.max")):
        folder.rmdir()
        pytest.skip("the memory controller is not delegated here")
    yield folder
    deadline = time.monotonic() + 20
    while (left := (folder / "cgroup.procs").read_text().split()) and time.monotonic() < deadline:
        for pid in map(int, left):  # whatever a run that was broken off has left
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    folder.rmdir()


@pytest.fixture(scope="module")
def found(cgroup: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the two sweeps came to."""
    run = subprocess.run(
        [sys.executable, str(HERE / "in_memory_cgroup.py"), str(cgroup), str(tmp_path_factory.mktemp("results"))],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    assert run.returncode == 0, run.stderr[-4000:]
    return json.loads(run.stdout.splitlines()[-1])


def test_trials_that_do_not_fit_are_held_and_all_of_them_succeed(found: Any) -> None:
    packed = found["packed"]
    assert {record["outcome"] for record in packed["records"].values()} == {"Succeeded"}
    assert len(packed["records"]) == 4
    assert packed["oom_kills"] == 0
    assert 1 <= packed["most_at_first"] <= 3, "before any has told what it needs"
    assert packed["most_held"] >= 1
    assert all("it may need 400Mi" in why for why in packed["told"])


def test_the_kernel_kills_the_training_process_and_the_sweep_goes_on(found: Any) -> None:
    hungry = found["hungry"]
    outcomes = {name: (record["outcome"], record["reason"]) for name, record in hungry["records"].items()}
    assert outcomes == {"trial-0000": ("Succeeded", "Completed"), "trial-0001": ("Failed", "OOMKilled")}
    assert hungry["oom_kills"] >= 1
    assert hungry["succeeded"]
    assert {record["attempts"] for record in hungry["records"].values()} == {1}, "no supervisor was killed"
