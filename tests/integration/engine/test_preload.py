"""`trainable.preload` in a real fork server: imported once, shared by trials that are else their own, refused by name."""

import select
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.engine.conftest import PYTHON_PATH, sweep_of
from integration.engine.slowly_imported import SECONDS
from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_trainer.driver.context import SweepContext
from tuningsweep_trainer.driver.preflight import rehearse
from tuningsweep_trainer.errors import SweepError
from tuningsweep_trainer.supervisor.launcher import Launcher
from tuningsweep_trainer.training.wire import MessageReader


def context_of(folder: Path, *preload: str, function: str = "functions_of_engine:imports") -> SweepContext:
    trainable = {"function": function, "preload": list(preload)}
    return SweepContext(
        run_id="test", sweep=sweep_of({"trainable": trainable}), results=str(folder), python_path=PYTHON_PATH
    )


@pytest.fixture
def context(tmp_path: Path) -> SweepContext:
    return context_of(tmp_path, "numpy", "slowly_imported")


@pytest.fixture
def launcher(context: SweepContext) -> Iterator[Launcher]:
    launcher = Launcher(context.preload)
    yield launcher
    launcher.stop()


def reported(launcher: Launcher, context: SweepContext, trial: str) -> dict[str, Any]:
    """Metrics of the one report of a training process."""
    launched = launcher.launch(context.job(trial, {}), context.log_file(trial))
    reader = MessageReader(launched.reports)
    while not reader.closed:
        select.select([launched.reports], [], [])
        for message in reader.read():
            if message["kind"] == "report":
                launched.close()
                return dict(message["metrics"])
    raise AssertionError(context.log_file(trial).read_text())


def test_trials_share_what_the_fork_server_imported_and_draw_numbers_of_their_own(
    launcher: Launcher, context: SweepContext
) -> None:
    one, other = (reported(launcher, context, trial) for trial in ("trial-0000", "trial-0001"))
    assert one["imported_by"] == other["imported_by"] == launcher.server_pid
    assert len({one["process"], other["process"], launcher.server_pid}) == 3
    assert one["loss"] != other["loss"]


def test_a_module_that_is_not_there_fails_the_sweep_before_its_first_trial(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match=r"trainable\.preload no_such_module: ModuleNotFoundError") as refused:
        rehearse(context_of(tmp_path, "no_such_module"), None)
    assert refused.value.reason is ConditionReason.TRAINABLE_UNAVAILABLE


def test_the_rehearsal_tells_what_every_trial_would_take_to_load(tmp_path: Path) -> None:
    rehearsed = rehearse(context_of(tmp_path, function="slowly_imported:train"), None)
    assert rehearsed.load_seconds >= SECONDS
    assert rehearsed.memory > 1 << 20
