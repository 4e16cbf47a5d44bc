"""Every scheduler with a limit that some trials exceed: those are stopped, the others end as it decides, each once."""

from typing import Any

import pytest

from integration.engine.scheduler_cases import BEHAVIOURS, SCHEDULERS, UNIT


def is_slow(record: dict[str, Any]) -> bool:
    """Whether `slow_or_not` hangs with the trial's last parameters."""
    return record["parameters"].get("behaviour") == "slow" or record["parameters"].get("x", 0.0) > 0.5


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_limits_hold_under_every_scheduler(run: Any, scheduler: str) -> None:
    state, records = run(
        {
            "parameters": [UNIT if scheduler == "PB2" else BEHAVIOURS],
            "search": {"algorithmName": "random"},
            "maxTrialCount": 6,
            "scheduler": {"type": scheduler, **SCHEDULERS[scheduler]},
            "trainable.function": "functions_of_engine:slow_or_not",
            "limits": {"stepTime": "300ms"},
        }
    )
    assert state.result is not None
    assert (state.result.succeeded, state.result.reason) == (True, "SearchFinished"), state.result
    assert len(records) == state.trials.total == 6
    assert state.trials.running == state.trials.pending == 0
    for record in records.values():
        if is_slow(record):
            assert (record["outcome"], record["reason"]) == ("LimitExceeded", "StepTimeLimitExceeded"), record
            assert record["observed"] > record["limit"] == pytest.approx(0.3)
        else:
            assert record["outcome"] in ("Succeeded", "Pruned"), record
    slow = [record for record in records.values() if is_slow(record)]
    assert slow, "the seed gave no slow trial"
    assert state.trials.limit_exceeded == len(slow) == state.stop_count
