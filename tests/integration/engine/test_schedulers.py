"""Every scheduler and search algorithm with a limit that some trials exceed: all trials end, each once."""

from typing import Any

import pytest

SCHEDULERS: dict[str, dict[str, Any]] = {
    "None": {},
    "ASHA": {"maxSteps": 40, "gracePeriodSteps": 4, "reductionFactor": 2},
    "MedianStopping": {"maxSteps": 40, "gracePeriodSteps": 4},
    "HyperBand": {"maxSteps": 36, "gracePeriodSteps": 4, "reductionFactor": 3},
    "BOHB": {"maxSteps": 36, "gracePeriodSteps": 4, "reductionFactor": 3},
    "PBT": {"perturbationIntervalSteps": 8},
    "PB2": {"perturbationIntervalSteps": 8},
}
UNIT: dict[str, Any] = {"name": "x", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}}
BEHAVIOURS = {"name": "behaviour", "parameterType": "categorical", "feasibleSpace": {"list": ["stepping", "slow"]}}
RANDOM = {"search": {"algorithmName": "random"}, "maxTrialCount": 6}


@pytest.mark.parametrize("function", ["stepping", "forgetful"])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_every_trial_ends_once(run: Any, scheduler: str, function: str) -> None:
    state, records = run(
        {
            **RANDOM,
            "parameters": [UNIT],
            "scheduler": {"type": scheduler, **SCHEDULERS[scheduler]},
            "trainable.function": f"functions_of_engine:{function}",
        }
    )
    assert state.result is not None
    assert (state.result.succeeded, state.result.reason) == (True, "SearchFinished"), state.result
    assert len(records) == 6
    assert {record["outcome"] for record in records.values()} <= {"Succeeded", "Pruned"}
    if scheduler != "BOHB":  # six trials do not fill its first bracket, so none trains to the end
        assert any(record["outcome"] == "Succeeded" for record in records.values())
    assert state.trials.total == 6
    assert state.trials.running == state.trials.pending == 0


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
    for record in records.values():
        if is_slow(record):
            assert (record["outcome"], record["reason"]) == ("LimitExceeded", "StepTimeLimitExceeded"), record
            assert record["observed"] > record["limit"] == pytest.approx(0.3)
        else:
            assert record["outcome"] in ("Succeeded", "Pruned"), record
    slow = [record for record in records.values() if is_slow(record)]
    assert slow, "the seed gave no slow trial"
    assert state.trials.limit_exceeded == len(slow) == state.stop_count


def test_tpe_proposes_within_the_space(run: Any) -> None:
    parameters = [
        {"name": "x", "parameterType": "double", "feasibleSpace": {"min": "0.05", "max": "1", "step": "0.1"}},
        {"name": "n", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "9", "step": "3"}},
    ]
    _, records = run({"parameters": parameters, "search": {"algorithmName": "tpe"}, "maxTrialCount": 5})
    assert len(records) == 5
    for record in records.values():
        assert record["parameters"]["n"] in (1, 4, 7)
        assert round(record["parameters"]["x"] * 100) % 10 == 5
