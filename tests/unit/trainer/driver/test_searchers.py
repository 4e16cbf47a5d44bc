"""Searchers are told of every trial that ended, go on after a restart without repeating themselves, and stay in the space."""

from typing import Any

import pytest

from support.sweeps import sweep_manifest
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.search_space import ParameterType
from tuningsweep_api.spec.sweep import TuningSweep, TuningSweepSpec
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.driver.search_space import Parameters, nearest
from tuningsweep_trainer.driver.searchers import SEARCHERS, OptunaProposer, make_searcher

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


def spec(algorithm: str, objective: str = "minimize") -> TuningSweepSpec:
    edits: dict[str, Any] = {"spec__search": {"algorithmName": algorithm, "seed": 3}, "spec__parameters": SPACE}
    return TuningSweep.from_manifest(sweep_manifest(**edits, spec__objective__type=objective)).spec


def record(trial: str, parameters: Parameters, outcome: Outcome, loss: float | None) -> TrialRecord:
    return TrialRecord(
        trial=trial,
        parameters=parameters,
        outcome=outcome,
        reason=Reason.COMPLETED,
        metrics={} if loss is None else {"validation_loss": loss},
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


@pytest.mark.parametrize("algorithm", SEARCHERS)
def test_proposals_stay_in_the_space_whatever_trials_came_to_and_after_a_restart(algorithm: str) -> None:
    wanted = spec(algorithm)
    searcher, history, seen = make_searcher(wanted, 0), [], set()
    for index in range(24):
        if index == 12:
            searcher = make_searcher(wanted, index)
            for ended, loss in history:
                searcher.ended(ended, loss)
        trial = f"trial-{index:04d}"
        parameters = searcher.propose(index, trial)
        seen.add(tuple(parameters.values()))
        for parameter in wanted.parameters:
            value = parameters[parameter.name]
            assert nearest(parameter, value) == value
            assert isinstance(value, int) or parameter.parameter_type is not ParameterType.INT
        outcome = OUTCOMES[index % len(OUTCOMES)][0]
        loss = None if outcome in (Outcome.FAILED, Outcome.SKIPPED) else loss_of(parameters)
        history.append((record(trial, parameters, outcome, loss), loss))
        searcher.ended(*history[-1])
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
        searcher.ended(record(f"trial-{index:04d}", parameters, Outcome.SUCCEEDED, loss), loss)
    early, late = sum(losses[:10]) / 10, sum(losses[-10:]) / 10
    assert late < early, losses


def states(proposer: OptunaProposer) -> list[str]:
    return [trial.state.name for trial in proposer._search._ot_study.trials]


@pytest.mark.parametrize(("outcome", "loss", "state"), OUTCOMES)
def test_optuna_is_told_each_outcome_live_and_after_a_restart(outcome: Outcome, loss: float | None, state: str) -> None:
    live = make_searcher(spec("tpe"), 0)
    parameters = live.propose(0, "trial-0000")
    ended = record("trial-0000", parameters, outcome, loss)
    live.ended(ended, loss)
    restarted = make_searcher(spec("tpe"), 1)
    restarted.ended(ended, loss)
    assert states(live) == states(restarted) == [state]


def test_hyperopt_takes_a_trial_over_a_limit_for_the_worst_seen() -> None:
    searcher = make_searcher(spec("hyperopt"), 0)
    for index, (outcome, loss) in enumerate(
        [(Outcome.SUCCEEDED, 2.0), (Outcome.SUCCEEDED, 1.0), (Outcome.LIMIT_EXCEEDED, 0.1)]
    ):
        trial = f"trial-{index:04d}"
        searcher.ended(record(trial, searcher.propose(index, trial), outcome, loss), loss)
    assert [result["loss"] for result in searcher._search._hpopt_trials.results] == [2.0, 1.0, 2.0]


@pytest.mark.parametrize("algorithm", SEARCHERS)
def test_a_restart_does_not_propose_the_first_points_again(algorithm: str) -> None:
    first, second = make_searcher(spec(algorithm), 0), make_searcher(spec(algorithm), 1)
    assert first.propose(0, "trial-0000") != second.propose(1, "trial-0001")
