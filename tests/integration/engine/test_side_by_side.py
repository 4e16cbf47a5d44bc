"""Trials of two sweeps at once on one machine: each is held to its own sweep's limits, by its own processes alone."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.engine.test_monitor import PATIENCE, Trial
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_trainer.supervisor.launcher import Launcher

MIB = 1 << 20
GROWS = "functions_of_engine:grows"


@pytest.fixture
def launchers() -> Iterator[list[Launcher]]:
    """The fork servers of two supervisors."""
    made = [Launcher(["tuningsweep_trainer.training.process"]) for _ in range(2)]
    yield made
    for launcher in made:
        launcher.stop()


def test_limits_count_the_sweeps_own_trials_alone(launchers: list[Launcher], tmp_path: Path) -> None:
    until = tmp_path / "until"
    wanted = {"small": (50, "150Mi"), "large": (400, "1Gi"), "greedy": (400, "150Mi")}

    def start(launcher: Launcher, name: str) -> Trial:
        mebibytes, limit = wanted[name]
        edits = {"trainable.function": GROWS, "limits": {"memory": limit}}
        return Trial(launcher, tmp_path / name, edits, {"mebibytes": mebibytes, "until": str(until)})

    small, large = start(launchers[0], "small"), start(launchers[1], "large")
    deadline = time.monotonic() + PATIENCE
    while large.monitor.totals.peak_memory < 400 * MIB and time.monotonic() < deadline:
        time.sleep(0.05)
    until.touch()
    endings = {"small": small.wait(), "large": large.wait()}
    assert {name: None if end is None else end.outcome for name, end in endings.items()} == {
        "small": Outcome.SUCCEEDED,
        "large": Outcome.SUCCEEDED,
    }
    assert small.monitor.totals.peak_memory < 150 * MIB < 400 * MIB <= large.monitor.totals.peak_memory
    greedy = start(launchers[0], "greedy").wait()
    assert greedy is not None
    assert greedy.reason is Reason.MEMORY_LIMIT_EXCEEDED, "the same trial under the other sweep's limit"
