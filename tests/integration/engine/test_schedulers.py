"""Schedulers that pause or clone trials, with trials that keep no checkpoint: all trials end, each once.

With checkpoints, and with a limit, every scheduler runs in test_scheduler_limits.py, side by side with this file.
"""

from typing import Any

import pytest

from integration.engine.scheduler_cases import SCHEDULERS, UNIT

TRIALS = {"HyperBand": 6, "PBT": 3}  # BOHB pauses as the one, PB2 clones as the other


@pytest.mark.parametrize("scheduler", TRIALS)
def test_every_trial_ends_once(run: Any, scheduler: str) -> None:
    state, records = run(
        {
            "parameters": [UNIT],
            "search": {"algorithmName": "random"},
            "maxTrialCount": TRIALS[scheduler],
            "scheduler": {"type": scheduler, **SCHEDULERS[scheduler]},
            "trainable.function": "functions_of_engine:forgetful",
        }
    )
    assert state.result is not None
    assert (state.result.succeeded, state.result.reason) == (True, "SearchFinished"), state.result
    assert len(records) == state.trials.total == TRIALS[scheduler]
    assert {record["outcome"] for record in records.values()} <= {"Succeeded", "Pruned"}
    assert any(record["outcome"] == "Succeeded" for record in records.values())
    assert state.trials.running == state.trials.pending == 0
