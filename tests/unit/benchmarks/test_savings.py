"""Limits that the best trial keeps, and what a mode loses."""

from typing import Any

import pytest

from benchmarks.figures.savings import BOTH, LIMITED, PRUNED, Ran, limits_for, modes, ran, regret
from tuningsweep_api.quantities import duration_seconds, quantity_bytes
from tuningsweep_api.spec.limits import Limits


def record(loss: float, outcome: str = "Succeeded", cpu: float = 1.0) -> dict[str, Any]:
    metrics = {"validation_loss": loss, "mean_step_time_seconds": 0.04}
    return {"outcome": outcome, "metrics": metrics, "cpuSeconds": cpu, "peakMemory": 100 << 20}


def test_the_best_trial_keeps_its_limits() -> None:
    limits = Limits.model_validate(limits_for(record(0.5)))
    assert limits.memory is not None
    assert limits.mean_step_time is not None
    assert quantity_bytes(limits.memory) > 1.25 * (100 << 20)
    assert duration_seconds(limits.mean_step_time) == pytest.approx(0.05)


def test_the_best_is_of_trained_trials_and_cpu_is_of_all() -> None:
    found = ran([record(0.5), record(0.1, "LimitExceeded", 2.0), record(0.7, "Pruned")])
    assert found.objective == 0.5
    assert found.cpu == 4.0
    with pytest.raises(ValueError, match="no trial"):
        ran([record(0.1, "LimitExceeded")])


def test_regret_is_a_part_of_the_best_and_never_a_gain() -> None:
    best, worse, better = (Ran(1.0, record(loss)) for loss in (0.5, 0.6, 0.4))
    assert regret(best, worse) == pytest.approx(0.2)
    assert regret(best, better) == 0.0


def test_modes_differ_in_limits_and_scheduler_alone() -> None:
    found = modes({"memory": "1Gi"}, 24)
    assert found[LIMITED] == {"limits": {"memory": "1Gi"}}
    assert found[BOTH] == {**found[LIMITED], **found[PRUNED]}
    assert found[PRUNED]["scheduler"]["maxSteps"] == 24
