"""The figure of savings compares sweeps of the thesis' manifests by their records."""

from pathlib import Path

import pytest

from benchmarks.figures.savings import ran, workloads
from benchmarks.scale import Scale
from support.trials import record
from tuningsweep_api.spec.objective import Objective
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord

OBJECTIVE = Objective.model_validate({"type": "minimize", "objectiveMetricName": "validation_loss"})


def ended(trial: str, loss: float, outcome: str = "Succeeded", cpu: float = 1.0) -> TrialRecord:
    return record(trial, metrics={"validation_loss": loss}, outcome=outcome, cpuSeconds=cpu)


def test_the_best_is_of_trained_trials_and_cpu_is_of_all() -> None:
    over = ended("b", 0.1, "LimitExceeded", 2.0)
    found = ran(OBJECTIVE, [ended("a", 0.5), over, ended("c", 0.7, "Pruned")])
    assert (found.objective, found.cpu) == (0.5, 4.0)
    with pytest.raises(ValueError, match="no trial"):
        ran(OBJECTIVE, [over])


def test_the_workloads_are_the_seven_of_the_thesis(tmp_path: Path) -> None:
    found = workloads(Scale(quick=False, seed=0, scratch=tmp_path))
    assert len(found) == 7
    for described in found.values():
        assert described.spec.max_trial_count == 16
        TuningSweep.from_manifest(described.dump())
