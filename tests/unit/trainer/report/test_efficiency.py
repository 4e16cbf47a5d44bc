"""Which hyperparameter makes steps dearer for nothing: found where it is so, and not where dearer steps gain more."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from support.sweeps import sweep_manifest
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.report.efficiency import LEAST_TRIALS, inefficiencies

BATCHES = (30, 300, 3000, 30000)
STEP_TIME = dict(zip(BATCHES, (0.0021, 0.0039, 0.038, 0.372), strict=True))
"""Seconds of a linear SVM on MNIST, measured on the project's machine."""
SPEC = TuningSweep.from_manifest(
    sweep_manifest(spec__parameters__0__feasibleSpace__list=[str(batch) for batch in BATCHES], spec__maxTrialCount=16)
).spec


def sweep(loss: Callable[[int], float], goal: int = 1, outcome: Outcome = Outcome.SUCCEEDED) -> list[TrialRecord]:
    """A grid of batch size and learning rate; the loss depends on the batch size, and steps vary a little."""
    noise = random.Random(1)
    cases = [(batch, rate) for batch in BATCHES for rate in (0.0001, 0.001, 0.01, 0.1)]
    common: dict[str, Any] = {"outcome": outcome, "reason": Reason.COMPLETED, "completion_time": "", "steps": 200}
    return [
        TrialRecord(
            trial=f"trial-{number:04d}",
            parameters={"batch_size": batch, "learning_rate": rate},
            metrics={
                "validation_loss": goal * loss(batch),
                "mean_step_time_seconds": STEP_TIME[batch] * noise.uniform(0.95, 1.05),
            },
            duration_seconds=200 * STEP_TIME[batch],
            **common,
        )
        for number, (batch, rate) in enumerate(cases)
    ]


def worst(records: list[TrialRecord], loss: float = 2.0) -> list[TrialRecord]:
    """One more trial that learnt nothing."""
    return [*records, records[0].model_copy(update={"metrics": {**records[0].metrics, "validation_loss": loss}})]


def test_dearer_steps_that_gain_no_more_are_told() -> None:
    (found,) = inefficiencies(SPEC, worst(sweep(lambda batch: 0.5)))
    assert (found.parameter, found.values) == ("batch_size", (30, 300))
    assert found.step_times == pytest.approx((0.0021, 0.0039), rel=0.1)
    assert found.gains[1] < found.gains[0]
    assert found.sentence().startswith("batch_size 300: a step takes 3.")
    assert "instead of 2." in found.sentence()


def test_dearer_steps_that_pay_are_not() -> None:
    pays = {batch: 10.0 - 0.004 * (STEP_TIME[batch] / 0.0021) ** 1.2 for batch in BATCHES}
    assert inefficiencies(SPEC, worst(sweep(pays.__getitem__), 10.0)) == []


def test_only_where_it_stops_paying() -> None:
    pays = {30: 1.9, 300: 1.5, 3000: 1.4, 30000: 1.39}
    (found,) = inefficiencies(SPEC, worst(sweep(pays.__getitem__), 2.0))
    assert found.values == (300, 3000)


def test_a_goal_to_maximise_is_looked_at_the_other_way_round() -> None:
    spec = SPEC.model_copy(update={"objective": SPEC.objective.model_copy(update={"type": "maximize"})})
    (found,) = inefficiencies(spec, worst(sweep(lambda batch: 0.5, goal=-1), -2.0))
    assert found.values == (30, 300)


def test_too_few_trials_and_those_over_a_limit_say_nothing() -> None:
    records = worst(sweep(lambda batch: 0.5))
    assert inefficiencies(SPEC, records[: LEAST_TRIALS - 1]) == []
    assert inefficiencies(SPEC, sweep(lambda batch: 0.5, outcome=Outcome.LIMIT_EXCEEDED)) == []
