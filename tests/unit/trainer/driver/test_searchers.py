"""Searchers are told of every trial that ended, go on after a restart without repeating themselves, and stay in the space."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from support.sweeps import sweep_manifest
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.search import SearchAlgorithm
from tuningsweep_api.spec.search_space import ParameterType
from tuningsweep_api.spec.sweep import TuningSweep, TuningSweepSpec
from tuningsweep_api.spec.sweep_rules import ONE_OBJECTIVE
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.driver.proposals import make_proposer
from tuningsweep_trainer.driver.search_space import Parameters, nearest
from tuningsweep_trainer.driver.searchers import SEARCHERS, HyperOptProposer, make_searcher

SPACE = [
    {
        "name": "learning_rate",
        "parameterType": "double",
        "feasibleSpace": {"min": "1e-4", "max": "1", "distribution": "logUniform"},
    },
    {"name": "alpha", "parameterType": "double", "feasibleSpace": {"min": "0.05", "max": "1", "step": "0.1"}},
    {"name": "batch_size", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "9", "step": "3"}},
    {"name": "penalty", "parameterType": "categorical", "feasibleSpace": {"list": ["l1", "l2"]}},
    {"name": "l1_ratio", "parameterType": "discrete", "feasibleSpace": {"list": ["0.1", "0.5"]}},
]


SMALL = [{"type": "minimize", "objectiveMetricName": "peak_memory_bytes"}]


def spec(
    algorithm: str,
    objective: str = "minimize",
    additional: Sequence[dict[str, str]] = (),
    parameters: Sequence[dict[str, Any]] = SPACE,
) -> TuningSweepSpec:
    edits: dict[str, Any] = {"spec__search": {"algorithmName": algorithm, "seed": 3}, "spec__parameters": [*parameters]}
    edits["spec__objective__additionalObjectives"] = [*additional]
    return TuningSweep.from_manifest(sweep_manifest(**edits, spec__objective__type=objective)).spec


def record(
    trial: str, parameters: Parameters, outcome: Outcome, loss: float | None, memory: float | None = None
) -> TrialRecord:
    reported = {"validation_loss": loss, "peak_memory_bytes": memory}
    return TrialRecord(
        trial=trial,
        parameters=parameters,
        outcome=outcome,
        reason=Reason.COMPLETED,
        metrics={name: value for name, value in reported.items() if value is not None},
        completion_time="2026-01-01T00:00:00Z",
    )


OUTCOMES = [
    (Outcome.SUCCEEDED, 0.5, "COMPLETE"),
    (Outcome.PRUNED, 0.9, "COMPLETE"),
    (Outcome.LIMIT_EXCEEDED, 0.1, "PRUNED"),
    (Outcome.FAILED, None, "FAIL"),
    (Outcome.STOPPED, 0.3, "FAIL"),
    (Outcome.SKIPPED, None, "FAIL"),
]


def loss_of(parameters: Parameters) -> float:
    return float(parameters["learning_rate"]) + float(parameters["alpha"])


SEVERAL = [algorithm for algorithm in SEARCHERS if algorithm not in ONE_OBJECTIVE]


@pytest.mark.parametrize(
    ("algorithm", "additional"), [*((each, []) for each in SEARCHERS), *((each, SMALL) for each in SEVERAL)]
)
def test_proposals_stay_in_the_space_whatever_trials_came_to_and_after_a_restart(
    algorithm: str, additional: list[dict[str, str]]
) -> None:
    wanted = spec(algorithm, additional=additional)
    searcher, history, seen = make_searcher(wanted, 0), [], set()
    for index in range(24):
        if index == 12:
            searcher = make_searcher(wanted, index)
            for ended in history:
                searcher.ended(ended)
        trial = f"trial-{index:04d}"
        parameters = searcher.propose(index, trial)
        seen.add(tuple(parameters.values()))
        for parameter in wanted.parameters:
            value = parameters[parameter.name]
            assert nearest(parameter, value) == value
            assert isinstance(value, int) or parameter.parameter_type is not ParameterType.INT
        outcome = OUTCOMES[index % len(OUTCOMES)][0]
        loss = None if outcome in (Outcome.FAILED, Outcome.SKIPPED) else loss_of(parameters)
        history.append(record(trial, parameters, outcome, loss, memory=None if loss is None else -loss))
        searcher.ended(history[-1])
    assert len(seen) > 18, "it proposes the same again and again"


@pytest.mark.parametrize("algorithm", ["tpe", "multivariate-tpe", "hyperopt"])
@pytest.mark.parametrize("objective", ["minimize", "maximize"])
def test_they_learn(algorithm: str, objective: str) -> None:
    searcher = make_searcher(spec(algorithm, objective), 0)
    sign = 1.0 if objective == "minimize" else -1.0
    losses = []
    for index in range(40):
        parameters = searcher.propose(index, f"trial-{index:04d}")
        loss = sign * loss_of(parameters)
        losses.append(loss_of(parameters))
        searcher.ended(record(f"trial-{index:04d}", parameters, Outcome.SUCCEEDED, loss))
    early, late = sum(losses[:10]) / 10, sum(losses[-10:]) / 10
    assert late < early, losses


@pytest.mark.parametrize("algorithm", ["tpe", "multivariate-tpe"])
def test_they_learn_several_objectives_together(algorithm: str) -> None:
    """Memory grows with the learning rate's distance from 1, the loss with alpha: the front is where both are small."""
    searcher = make_searcher(spec(algorithm, additional=SMALL), 0)
    products = []
    for index in range(60):
        parameters = searcher.propose(index, f"trial-{index:04d}")
        memory, loss = 1.0 - float(parameters["learning_rate"]), float(parameters["alpha"])
        products.append(memory + loss)
        searcher.ended(record(f"trial-{index:04d}", parameters, Outcome.SUCCEEDED, loss, memory))
    assert sum(products[-20:]) < 0.8 * sum(products[:20]), products


@pytest.mark.parametrize("additional", [[], SMALL])
@pytest.mark.parametrize(("outcome", "loss", "state"), OUTCOMES)
def test_optuna_is_told_each_outcome_live_and_after_a_restart(
    outcome: Outcome, loss: float | None, state: str, additional: list[dict[str, str]]
) -> None:
    wanted = spec("tpe", additional=additional)
    live = make_searcher(wanted, 0)
    parameters = live.propose(0, "trial-0000")
    ended = record("trial-0000", parameters, outcome, loss, memory=loss)
    live.ended(ended)
    restarted = make_searcher(wanted, 1)
    restarted.ended(ended)
    told = [proposer._study.trials for proposer in (live, restarted)]
    assert [trial.state.name for trials in told for trial in trials] == [state, state]
    values = None if state != "COMPLETE" else [loss] * (1 + len(additional))
    assert [trial.values for trials in told for trial in trials] == [values, values]


def test_a_trial_that_reported_one_of_two_objectives_says_nothing() -> None:
    searcher = make_searcher(spec("tpe", additional=SMALL), 0)
    searcher.ended(record("trial-0000", searcher.propose(0, "trial-0000"), Outcome.SUCCEEDED, 0.1))
    assert [trial.state.name for trial in searcher._study.trials] == ["FAIL"]


def test_hyperopt_takes_a_trial_over_a_limit_for_the_worst_seen() -> None:
    searcher = make_searcher(spec("hyperopt"), 0)
    for index, (outcome, loss) in enumerate(
        [(Outcome.SUCCEEDED, 2.0), (Outcome.SUCCEEDED, 1.0), (Outcome.LIMIT_EXCEEDED, 0.1)]
    ):
        trial = f"trial-{index:04d}"
        searcher.ended(record(trial, searcher.propose(index, trial), outcome, loss))
    assert [result["loss"] for result in searcher._search._hpopt_trials.results] == [2.0, 1.0, 2.0]


@pytest.mark.parametrize("algorithm", ["tpe", "hyperopt"])
def test_trials_that_a_restart_interrupted_are_learnt_from_when_they_end(algorithm: str) -> None:
    """The new driver goes on with them from their checkpoints: it has not asked for them, and they are not on record yet."""
    wanted, first = spec(algorithm), make_searcher(spec(algorithm), 0)
    asked = {f"trial-{index:04d}": first.propose(index, f"trial-{index:04d}") for index in range(8)}
    records = [record(trial, parameters, Outcome.SUCCEEDED, loss_of(parameters)) for trial, parameters in asked.items()]
    restarted = make_searcher(wanted, 8)
    for ended in records[:4]:
        restarted.ended(ended)
    restarted.propose(8, "trial-0008")
    for ended in records[4:]:
        restarted.ended(ended)
    assert sorted(known_losses(restarted)) == pytest.approx(
        sorted(ended.metrics["validation_loss"] for ended in records)
    )


def known_losses(searcher: Any) -> list[float]:
    if isinstance(searcher, HyperOptProposer):
        return [loss for loss in searcher._search._hpopt_trials.losses() if loss is not None]
    return [trial.value for trial in searcher._study.trials if trial.value is not None]


AT_THE_EDGE = [
    ("int", {"min": "3", "max": "3"}),
    ("int", {"min": "9007199254740993", "max": "9007199254740993"}),
    ("int", {"min": "1", "max": "9007199254740993", "step": "7"}),
    ("double", {"min": "0", "max": "1000", "step": "0.000001"}),
    ("double", {"min": "1000000", "max": "1000001", "step": "0.001"}),
    ("double", {"min": "-0.3", "max": "100000", "step": "0.1"}),
    ("double", {"min": "0.5", "max": "0.5"}),
    ("double", {"min": "0.1", "max": "0.10000000000000000000000000001", "distribution": "logUniform"}),
    ("double", {"min": "1", "max": "1e20", "distribution": "logUniform"}),
    ("double", {"min": "-1e100", "max": "1e100"}),
    ("int", {"min": "0", "max": "9223372036854775807"}),
    ("int", {"min": "-9223372036854774784", "max": "9223372036854774784"}),
    ("int", {"min": "1", "max": "9223372036854775807", "distribution": "logUniform"}),
]
"""Types and spaces that validation lets through."""


@pytest.mark.parametrize(("kind", "space"), AT_THE_EDGE)
@pytest.mark.parametrize("algorithm", [SearchAlgorithm.RANDOM, *SEARCHERS])
def test_what_validation_lets_through_can_be_searched(algorithm: str, kind: str, space: dict[str, str]) -> None:
    odd = {"name": "epsilon", "parameterType": kind, "feasibleSpace": space}
    wanted = spec(algorithm, parameters=[*SPACE, odd])
    history: list[TrialRecord] = []
    for index in range(26):
        if index in (0, 13):
            proposer = make_proposer(wanted, index)
            for ended in history:
                proposer.ended(ended)
        trial = f"trial-{index:04d}"
        parameters = proposer.propose(index, trial)
        assert parameters is not None
        assert Decimal(space["min"]) <= Decimal(repr(parameters["epsilon"])) <= Decimal(space["max"])
        history.append(record(trial, parameters, Outcome.SUCCEEDED, loss_of(parameters)))
        proposer.ended(history[-1])


@pytest.mark.parametrize("algorithm", SEARCHERS)
def test_a_restart_does_not_propose_the_first_points_again(algorithm: str) -> None:
    first, second = make_searcher(spec(algorithm), 0), make_searcher(spec(algorithm), 1)
    assert first.propose(0, "trial-0000") != second.propose(1, "trial-0001")
