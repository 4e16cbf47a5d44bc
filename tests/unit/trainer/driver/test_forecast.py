"""Forecasts: what earlier trials needed tells which pending ones exceed a limit, and never wrongly on the thesis' grid."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.limits import Limits
from tuningsweep_api.spec.search_space import Parameter
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.driver.features import Features
from tuningsweep_trainer.driver.forecast import Forecaster
from tuningsweep_trainer.driver.need import LEAST_OBSERVATIONS
from tuningsweep_trainer.driver.search_space import Parameters, grid_configuration, grid_size

MIB = 1 << 20
MEMORY = {30: 110, 300: 115, 3000: 163, 30000: 290}
"""MiB of a linear SVM on MNIST by batch size, measured on the project's machine with random batches."""
STEP_TIME = {30: 0.0021, 300: 0.0039, 3000: 0.038, 30000: 0.372}
"""Seconds, measured there too."""


def listed(name: str, kind: str, *values: str) -> dict[str, Any]:
    return {"name": name, "parameterType": kind, "feasibleSpace": {"list": list(values)}}


def parameters(*spaces: dict[str, Any]) -> list[Parameter]:
    return [Parameter.model_validate(space) for space in spaces]


THESIS_GRID = parameters(
    listed("batch_size", "discrete", "30", "300", "3000", "30000"),
    listed("learning_rate", "discrete", "0.1", "0.01", "0.001", "0.0001"),
)


@dataclass
class Simulated:
    """A sweep over the thesis' grid in some order, its needs as measured with noise."""

    limits: Limits
    seed: int
    skipped: list[Parameters] = field(default_factory=list)
    stopped: list[Parameters] = field(default_factory=list)
    wrongly: list[Parameters] = field(default_factory=list)

    def run(self, order: Iterable[int]) -> None:
        noise, forecaster = random.Random(self.seed), Forecaster(THESIS_GRID)
        for index in order:
            configuration = grid_configuration(THESIS_GRID, index)
            batch = int(configuration["batch_size"])
            memory = MEMORY[batch] * noise.uniform(0.98, 1.02) * MIB
            step_time = STEP_TIME[batch] * max(0.5, noise.gauss(1.0, 0.1))
            record = ended(f"trial-{index:04d}", configuration, memory, step_time, self.limits, noise)
            if forecaster.forecast(configuration, self.limits) is not None:
                self.skipped.append(configuration)
                if record.outcome is Outcome.SUCCEEDED:
                    self.wrongly.append(configuration)
                continue
            if record.outcome is not Outcome.SUCCEEDED:
                self.stopped.append(configuration)
            forecaster.learn(record)


def ended(
    trial: str, configuration: Parameters, memory: float, step_time: float, limits: Limits, noise: random.Random
) -> TrialRecord:
    """The record such a trial leaves: one over its memory is stopped somewhere between the limit and what it needs."""
    common: dict[str, Any] = {"trial": trial, "parameters": configuration, "completion_time": "", "steps": 100}
    if limits.memory_bytes is not None and memory > limits.memory_bytes:
        seen = int(noise.uniform(limits.memory_bytes + 1, memory))
        stop = {"outcome": Outcome.LIMIT_EXCEEDED, "reason": Reason.MEMORY_LIMIT_EXCEEDED, "observed": seen}
        return TrialRecord(**{**common, **stop, "peak_memory": seen, "steps": 1})
    common["peak_memory"] = int(memory)
    if limits.mean_step_seconds is not None and step_time > limits.mean_step_seconds:
        reason = Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED
        return TrialRecord(outcome=Outcome.LIMIT_EXCEEDED, reason=reason, observed=step_time, **common)
    metrics = {"mean_step_time_seconds": step_time}
    return TrialRecord(outcome=Outcome.SUCCEEDED, reason=Reason.COMPLETED, metrics=metrics, **common)


@pytest.mark.parametrize(
    "limits",
    [Limits(memory="250Mi"), Limits(memory="140Mi"), Limits(mean_step_time="100ms"), Limits(mean_step_time="15ms")],
    ids=["memory", "tight memory", "step time", "tight step time"],
)
@pytest.mark.parametrize("seed", range(3))
def test_the_thesis_grid_loses_no_trial_that_keeps_the_limits(limits: Limits, seed: int) -> None:
    order = list(range(grid_size(THESIS_GRID)))
    if seed:
        random.Random(seed).shuffle(order)
    simulated = Simulated(limits, seed)
    simulated.run(order)
    assert simulated.wrongly == []
    assert simulated.skipped, "nothing was learnt"
    print(f"{len(simulated.skipped)} skipped, {len(simulated.stopped)} stopped")


def learnt(space: list[Parameter], needs: dict[tuple[Any, ...], float], limit: str) -> Forecaster:
    forecaster = Forecaster(space)
    for number, (values, mebibytes) in enumerate(needs.items()):
        configuration = {parameter.name: value for parameter, value in zip(space, values, strict=True)}
        noise = random.Random(number)
        forecaster.learn(ended(f"trial-{number}", configuration, mebibytes * MIB, 0.01, Limits(memory=limit), noise))
    return forecaster


def test_a_category_can_be_what_matters() -> None:
    space = parameters(
        listed("layout", "categorical", "dense", "sparse"), listed("alpha", "discrete", "1", "2", "3", "4")
    )
    needs = {
        (layout, alpha): 300.0 if layout == "dense" else 90.0 for alpha in (1, 2, 3) for layout in ("dense", "sparse")
    }
    forecaster = learnt(space, needs, "200Mi")
    found = forecaster.forecast({"layout": "dense", "alpha": 4}, Limits(memory="200Mi"))
    assert found is not None
    assert found.reason is Reason.MEMORY_LIMIT_EXCEEDED
    assert found.lower > found.limit == 200 * MIB
    assert found.lower < found.predicted < found.upper
    assert set(found.based_on[:3]) == {"trial-0", "trial-2", "trial-4"}, "the dense ones"
    assert forecaster.forecast({"layout": "sparse", "alpha": 4}, Limits(memory="200Mi")) is None


def test_nothing_is_predicted_from_too_little_or_from_stops_alone() -> None:
    few = {(30, 0.1): 300.0, (30, 0.01): 300.0, (300, 0.1): 300.0}
    assert len(few) < LEAST_OBSERVATIONS
    assert (
        learnt(THESIS_GRID, few, "1Gi").forecast({"batch_size": 30, "learning_rate": 0.001}, Limits(memory="200Mi"))
        is None
    )
    stops = {(batch, rate): 300.0 for batch in (30, 300) for rate in (0.1, 0.01, 0.001)}
    assert (
        learnt(THESIS_GRID, stops, "200Mi").forecast(
            {"batch_size": 300, "learning_rate": 0.0001}, Limits(memory="200Mi")
        )
        is None
    )


def test_tightened_limits_hold_for_what_was_learnt_before() -> None:
    forecaster = learnt(
        THESIS_GRID, {(batch, rate): float(MEMORY[batch]) for batch in MEMORY for rate in (0.1, 0.01)}, "1Gi"
    )
    pending = {"batch_size": 30000, "learning_rate": 0.001}
    assert forecaster.forecast(pending, Limits(memory="300Mi")) is None
    assert forecaster.forecast(pending, Limits(memory="200Mi")) is not None
    assert forecaster.forecast(pending, Limits()) is None


def test_the_most_a_trial_may_need_is_the_upper_bound() -> None:
    forecaster = learnt(
        THESIS_GRID, {(batch, rate): float(MEMORY[batch]) for batch in MEMORY for rate in (0.1,)}, "1Gi"
    )
    pending = {"batch_size": 30000, "learning_rate": 0.001}
    most = forecaster.most_memory(pending)
    assert most is not None
    assert MEMORY[30000] * MIB < most < 4 * MEMORY[30000] * MIB
    assert Forecaster(THESIS_GRID).most_memory(pending) is None


def test_a_trial_that_the_kernel_killed_for_memory_needs_more_than_was_seen() -> None:
    forecaster = learnt(THESIS_GRID, {(batch, rate): 100.0 for batch in (30, 300) for rate in (0.1, 0.01)}, "1Gi")
    pending = {"batch_size": 30000, "learning_rate": 0.001}
    before = forecaster.most_memory(pending)
    killed = ended("trial-9", {"batch_size": 30000, "learning_rate": 0.1}, 800 * MIB, 1.0, Limits(), random.Random(0))
    killed = killed.model_copy(update={"outcome": Outcome.FAILED, "reason": Reason.OOM_KILLED, "steps": 0})
    forecaster.learn(killed)
    after = forecaster.most_memory(pending)
    assert before is not None
    assert after is not None
    assert after > max(before, 800 * MIB)


def test_failed_and_skipped_trials_teach_nothing() -> None:
    forecaster = Forecaster(THESIS_GRID)
    for number, outcome in enumerate([Outcome.FAILED, Outcome.SKIPPED] * 4):
        configuration = grid_configuration(THESIS_GRID, number)
        record = ended(f"trial-{number}", configuration, 500 * MIB, 1.0, Limits(), random.Random(0))
        forecaster.learn(record.model_copy(update={"outcome": outcome}))
    assert forecaster.forecast({"batch_size": 30, "learning_rate": 0.1}, Limits(memory="100Mi")) is None


def test_features_are_positions_in_the_range_by_magnitude_where_it_is_wide() -> None:
    space = parameters(
        listed("rate", "discrete", "0.001", "0.1"),
        {"name": "depth", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "5"}},
        listed("kind", "categorical", "a", "b", "c"),
    )
    vector = Features(space).of({"rate": 0.01, "depth": 2, "kind": "b"})
    assert [round(value, 9) for value in vector] == [0.5, 0.25, 0.0, 1.0, 0.0]
