"""Every scheduler, and a searcher for several objectives, with a limit that some trials exceed: those are stopped, the others
end as it decides, each once. And those that pause or clone trials, with trials that keep no checkpoint."""

from typing import Any

import pytest

from integration.engine.scheduler_cases import BEHAVIOURS, SCHEDULERS, TWO_OBJECTIVES, UNIT

WITHOUT_CHECKPOINTS = {"HyperBand": 6, "PBT": 3}
"""Trials; BOHB pauses as the one, PB2 clones as the other."""
LIMITS = {"stepTime": "2s"}
"""A thousand times what a step takes that does not hang: a busy machine may stop a process for some of it."""


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
            "limits": LIMITS,
        }
    )
    assert state.result is not None
    assert (state.result.succeeded, state.result.reason) == (True, "SearchFinished"), state.result
    assert len(records) == state.trials.total == 6
    assert state.trials.running == state.trials.pending == 0
    for record in records.values():
        if is_slow(record):
            assert (record["outcome"], record["reason"]) == ("LimitExceeded", "StepTimeLimitExceeded"), record
            assert record["observed"] > record["limit"] == pytest.approx(2.0)
        else:
            assert record["outcome"] in ("Succeeded", "Pruned"), record
    slow = [record for record in records.values() if is_slow(record)]
    assert slow, "the seed gave no slow trial"
    assert state.trials.limit_exceeded == len(slow) == state.stop_count


@pytest.mark.parametrize("scheduler", WITHOUT_CHECKPOINTS)
def test_every_trial_without_a_checkpoint_ends_once(run: Any, scheduler: str) -> None:
    state, records = run(
        {
            "parameters": [UNIT],
            "search": {"algorithmName": "random"},
            "maxTrialCount": WITHOUT_CHECKPOINTS[scheduler],
            "scheduler": {"type": scheduler, **SCHEDULERS[scheduler]},
            "trainable.function": "functions_of_engine:forgetful",
        }
    )
    assert state.result is not None
    assert (state.result.succeeded, state.result.reason) == (True, "SearchFinished"), state.result
    assert len(records) == state.trials.total == WITHOUT_CHECKPOINTS[scheduler]
    assert {record["outcome"] for record in records.values()} <= {"Succeeded", "Pruned"}
    assert any(record["outcome"] == "Succeeded" for record in records.values())
    assert state.trials.running == state.trials.pending == 0


@pytest.mark.parametrize("parallel", [1, 3])
def test_limits_hold_while_several_objectives_are_searched(run: Any, parallel: int) -> None:
    state, records = run(TWO_OBJECTIVES | {"maxTrialCount": 8, "parallelTrialCount": parallel, "limits": LIMITS})
    assert state.result is not None and state.result.succeeded, state.result
    assert len(records) == state.trials.total == 8
    slow = [record for record in records.values() if record["parameters"]["behaviour"] == "slow"]
    assert slow, "the seed gave no slow trial"
    for record in slow:
        ended = (record["outcome"], record["reason"], record["metrics"])
        assert ended == ("LimitExceeded", "StepTimeLimitExceeded", {}), record
    kept = {name: record for name, record in records.items() if record["outcome"] == "Succeeded"}
    assert len(kept) + len(slow) == 8
    best_first = sorted(kept, key=lambda name: -kept[name]["parameters"]["x"])
    assert [trial.trial for trial in state.pareto_front] == best_first, (
        "what lowers the loss costs more, so none is beaten"
    )
    assert state.pareto_front_size == len(kept)
    assert state.optimal_trial == state.pareto_front[0]
