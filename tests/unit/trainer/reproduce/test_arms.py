"""Arms differ in limits and scheduler alone, and the best trial keeps the limits derived from it."""

import pytest

from support.thesis import thesis_sweep
from support.trials import MIB, record
from tuningsweep_api.spec.limits import Limits
from tuningsweep_api.spec.objective import Objective
from tuningsweep_api.spec.search import SchedulerType
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.reproduce.arms import Arm, arms_of, falsely_skipped, limits_for, regret, sweep_of
from tuningsweep_trainer.reproduce.workloads import with_spec

SWEEP = thesis_sweep("mnist-svm")
UNLIMITED = Limits(window_steps=20)
OBJECTIVE = SWEEP.spec.objective


def needs(trial: str, accuracy: float, mebibytes: int, step: float) -> TrialRecord:
    metrics = {"accuracy": accuracy, "mean_step_time_seconds": step}
    return record(trial, metrics=metrics, peakMemory=mebibytes * MIB)


RECORDS = [needs("a", 0.7, 40, 0.01), needs("b", 0.9, 100, 0.04), needs("c", 0.8, 80, 0.02), needs("d", 0.6, 400, 0.4)]


def test_the_best_trial_keeps_its_limits() -> None:
    limits = limits_for(Arm.LIMITS, OBJECTIVE, RECORDS, UNLIMITED)
    assert limits.memory_bytes == 126 * MIB, "more than 1.25 times 100"
    assert limits.mean_step_seconds == pytest.approx(0.05)
    assert limits.window_steps == 20


def test_tighter_limits_are_what_a_part_of_the_trials_needs() -> None:
    three = limits_for(Arm.LIMITS_75, OBJECTIVE, RECORDS, UNLIMITED)
    half = limits_for(Arm.LIMITS_50, OBJECTIVE, RECORDS, UNLIMITED)
    assert (three.memory, three.mean_step_seconds) == ("126Mi", pytest.approx(0.05))
    assert (half.memory, half.mean_step_seconds) == ("101Mi", pytest.approx(0.025))


def test_a_limit_on_tiny_steps_is_not_below_a_hiccup_and_nothing_gives_no_limits() -> None:
    tiny = limits_for(Arm.LIMITS, OBJECTIVE, [needs("a", 0.5, 100, 1e-5)], UNLIMITED)
    assert tiny.mean_step_seconds == 0.002
    with pytest.raises(ValueError, match="nothing to derive limits from"):
        limits_for(Arm.LIMITS, OBJECTIVE, [record("a", metrics={"accuracy": 0.5})], UNLIMITED)


@pytest.mark.parametrize(
    ("mebibytes", "step", "falsely"), [(100, 0.04, True), (400, 0.04, False), (100, 0.4, False), (127, 0.04, False)]
)
def test_a_trial_is_skipped_falsely_if_it_stays_within_the_limits_without_them(
    mebibytes: int, step: float, falsely: bool
) -> None:
    limits = limits_for(Arm.FORECAST, OBJECTIVE, RECORDS, UNLIMITED)
    configuration = {"batch_size": 300, "learning_rate": 0.1}
    without = needs("trial-0007", 0.5, mebibytes, step).model_copy(update={"parameters": configuration})
    skipped = record("trial-0001", outcome="Skipped", reason="PredictedOverLimit", parameters=configuration)
    never_run = record("trial-0002", outcome="Skipped", reason="PredictedOverLimit", parameters={"batch_size": 3})
    arm = [record("trial-0000"), skipped, never_run]
    assert falsely_skipped(arm, [*RECORDS, without], limits) == (["trial-0001"] if falsely else [])


def test_arms_differ_in_limits_and_scheduler_alone() -> None:
    limits = limits_for(Arm.LIMITS, OBJECTIVE, RECORDS, UNLIMITED)
    for arm in Arm:
        made = sweep_of(arm, SWEEP, limits)
        assert with_spec(made, limits=SWEEP.spec.limits, scheduler=SWEEP.spec.scheduler) == SWEEP
        assert (made.spec.limits.memory == limits.memory) == arm.needs_limits
        assert (made.spec.scheduler.type is SchedulerType.ASHA) == (arm in (Arm.ASHA, Arm.BOTH))
        assert (made.spec.limits.forecast == "Skip") == (arm is Arm.FORECAST)
    assert sweep_of(Arm.EXAMPLE, SWEEP, None).spec.limits.memory == "400Mi"
    assert sweep_of(Arm.ASHA, SWEEP, None).spec.scheduler.max_steps == 120


def test_the_memory_example_is_for_mnist() -> None:
    assert Arm.EXAMPLE in arms_of(SWEEP)
    assert Arm.EXAMPLE not in arms_of(thesis_sweep("diabetes-svm"))
    assert Arm.NONE not in arms_of(SWEEP)


@pytest.mark.parametrize(
    ("kind", "without", "with_", "lost"),
    [("minimize", 0.5, 0.6, 0.2), ("minimize", 0.5, 0.4, 0.0), ("maximize", 0.8, 0.6, 0.25), ("maximize", 0.8, 0.9, 0)],
)
def test_regret_is_a_part_of_the_best_and_never_a_gain(kind: str, without: float, with_: float, lost: float) -> None:
    objective = Objective.model_validate({"type": kind, "objectiveMetricName": "accuracy"})
    assert regret(objective, without, with_) == pytest.approx(lost)
