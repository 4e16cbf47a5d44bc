"""Every scheduler, with trials that keep checkpoints and with trials that do not: all trials end, each once."""

from typing import Any

import pytest

from integration.engine.scheduler_cases import SCHEDULERS, UNIT

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
