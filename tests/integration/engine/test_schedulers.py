"""Every scheduler, and a searcher for several objectives, with a limit that some trials exceed: those are stopped, the others
end as it decides, each once, also those that keep no checkpoint to be paused or cloned by."""

from pathlib import Path
from typing import Any

import pytest

from integration.engine.scheduler_cases import BEHAVIOURS, SCHEDULERS, TWO_OBJECTIVES, UNIT
from tuningsweep_trainer.results.checkpoints import KEPT
from tuningsweep_trainer.training.session import REPORTS_AHEAD

TRIALS = 8
LIMITS = {"memory": "300Mi"}
"""Between what a greedy trial takes and all others: no step of theirs is too long for it on a busy machine."""


def behaviour(record: dict[str, Any]) -> str:
    """What `behaves` did with the trial's last parameters."""
    parameters = record["parameters"]
    named = parameters.get("behaviour") or BEHAVIOURS["feasibleSpace"]["list"][min(int(parameters["x"] * 3), 2)]
    return str(named)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_limits_hold_under_every_scheduler(run: Any, scheduler: str) -> None:
    state, records = run(
        {
            "parameters": [UNIT if scheduler == "PB2" else BEHAVIOURS],
            "search": {"algorithmName": "random"},
            "maxTrialCount": TRIALS,
            "scheduler": {"type": scheduler, **SCHEDULERS[scheduler]},
            "trainable.function": "functions_of_engine:behaves",
            "limits": LIMITS,
        }
    )
    assert state.result is not None
    assert (state.result.succeeded, state.result.reason) == (True, "SearchFinished"), state.result
    assert len(records) == state.trials.total == TRIALS
    assert state.trials.running == state.trials.pending == 0
    for record in records.values():
        if behaviour(record) == "greedy":
            assert (record["outcome"], record["reason"]) == ("LimitExceeded", "MemoryLimitExceeded"), record
            assert record["observed"] > record["limit"] == 300 << 20
        else:
            assert record["outcome"] in ("Succeeded", "Pruned"), record
    seen = [behaviour(record) for record in records.values()]
    assert {"greedy", "forgetful"} <= set(seen), "the seed gave no such trial"
    assert state.trials.limit_exceeded == seen.count("greedy") == state.stop_count


@pytest.mark.parametrize("scheduler", ["ASHA", "HyperBand"])
def test_of_trials_that_have_ended_little_is_left(run: Any, scheduler: str, tmp_path: Path) -> None:
    run({"scheduler": {"type": scheduler, **SCHEDULERS[scheduler]}})
    saved = {folder.name: len(list(folder.glob("*.json"))) for folder in (tmp_path / "checkpoints").iterdir()}
    assert len(saved) == 4
    most = 2 + REPORTS_AHEAD  # its newest, and what the process of a pruned one was ahead with
    assert 1 <= min(saved.values()) <= max(saved.values()) <= most < KEPT, saved
    assert not (tmp_path / "tune").exists()


def test_limits_hold_while_several_objectives_are_searched(run: Any) -> None:
    state, records = run(TWO_OBJECTIVES | {"maxTrialCount": 8, "parallelTrialCount": 3, "limits": LIMITS})
    assert state.result is not None and state.result.succeeded, state.result
    assert len(records) == state.trials.total == 8
    greedy = [record for record in records.values() if record["parameters"]["behaviour"] == "greedy"]
    assert greedy, "the seed gave no greedy trial"
    for record in greedy:
        ended = (record["outcome"], record["reason"], record["metrics"])
        assert ended == ("LimitExceeded", "MemoryLimitExceeded", {}), record
    kept = {name: record for name, record in records.items() if record["outcome"] == "Succeeded"}
    assert len(kept) + len(greedy) == 8
    best_first = sorted(kept, key=lambda name: -kept[name]["parameters"]["x"])
    assert [trial.trial for trial in state.pareto_front] == best_first, (
        "what lowers the loss costs more, so none is beaten"
    )
    assert state.pareto_front_size == len(kept)
    assert state.optimal_trial == state.pareto_front[0]
