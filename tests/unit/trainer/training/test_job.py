"""What a trial must have reported by its end."""

import pytest

from support.sweeps import sweep_manifest
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver.context import SweepContext


@pytest.mark.parametrize(
    ("objective", "reported", "missing"),
    [
        ("validation_loss", {"validation_loss", "accuracy"}, None),
        ("validation_loss", {"accuracy"}, "validation_loss"),
        ("validation_loss", {"validation_loss"}, "accuracy"),
        ("memory_bytes", {"accuracy"}, None),
    ],
)
def test_every_objective_must_be_reported_but_a_measured_first_one(
    objective: str, reported: set[str], missing: str | None
) -> None:
    beside = [{"type": "maximize", "objectiveMetricName": "accuracy"}]
    edits = {"spec__objective__objectiveMetricName": objective, "spec__objective__additionalObjectives": beside}
    sweep = TuningSweep.from_manifest(sweep_manifest(**edits))
    job = SweepContext(run_id="r", sweep=sweep, results="/r").job("trial-0000", {})
    assert job.missing_objective(reported) == missing
    assert job.traced == ["accuracy"]
