"""Points to evaluate come first whatever chooses the rest, also across a restart; a grid has each combination once."""

from typing import Any

import pytest

from support.sweeps import sweep_manifest
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.search import SearchAlgorithm
from tuningsweep_api.spec.search_space import text_of
from tuningsweep_api.spec.sweep import TuningSweep, TuningSweepSpec
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.driver.proposals import make_proposer
from tuningsweep_trainer.driver.search_space import (
    Parameters,
    grid_configuration,
    grid_index,
    grid_size,
    points_to_evaluate,
)

SPACE = [
    {"name": "alpha", "parameterType": "double", "feasibleSpace": {"min": "0.05", "max": "0.4", "step": "0.1"}},
    {"name": "batch_size", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "9", "step": "3"}},
    {"name": "penalty", "parameterType": "categorical", "feasibleSpace": {"list": ["l1", "1"]}},
    {"name": "l1_ratio", "parameterType": "discrete", "feasibleSpace": {"list": ["0.10", "0.5"]}},
]
POINTS = [
    {"alpha": "0.24", "batch_size": "7", "penalty": "1", "l1_ratio": "0.10"},
    {"alpha": "0.05", "batch_size": "1", "penalty": "l1", "l1_ratio": "0.5"},
    {"alpha": "0.25", "batch_size": "+7", "penalty": "1", "l1_ratio": "0.10"},
]
"""The third is the first again, once its values are on the steps."""
WANTED = [
    {"alpha": 0.25, "batch_size": 7, "penalty": "1", "l1_ratio": 0.1},
    {"alpha": 0.05, "batch_size": 1, "penalty": "l1", "l1_ratio": 0.5},
]


def spec(algorithm: str, points: list[dict[str, str]] = POINTS) -> TuningSweepSpec:
    search: dict[str, Any] = {"algorithmName": algorithm, "pointsToEvaluate": points}
    return TuningSweep.from_manifest(sweep_manifest(spec__search=search, spec__parameters=SPACE)).spec


def proposed(wanted: TuningSweepSpec, first: int, last: int) -> list[Parameters | None]:
    """What a driver proposes that finds trials up to `first` on record."""
    proposer = make_proposer(wanted, first)
    return [proposer.propose(index, f"trial-{index:04d}") for index in range(first, last)]


@pytest.mark.parametrize("algorithm", SearchAlgorithm)
def test_points_are_tried_first_and_once(algorithm: str) -> None:
    first, second, third = proposed(spec(algorithm), 0, 3)
    assert [first, second] == WANTED
    assert third not in WANTED


@pytest.mark.parametrize("algorithm", SearchAlgorithm)
def test_a_restarted_driver_goes_on_with_the_points_that_are_left(algorithm: str) -> None:
    wanted = spec(algorithm)
    proposer = make_proposer(wanted, 1)
    proposer.ended(
        TrialRecord(
            trial="trial-0000",
            parameters=WANTED[0],
            outcome=Outcome.SUCCEEDED,
            reason=Reason.COMPLETED,
            metrics={"validation_loss": 0.5},
            completion_time="2026-01-01T00:00:00Z",
        )
    )
    assert proposer.propose(1, "trial-0001") == WANTED[1]


def test_a_grid_has_each_combination_once_with_points_first() -> None:
    wanted = spec("grid")
    size = grid_size(wanted.parameters)
    found = proposed(wanted, 0, size + 2)
    assert found[size:] == [None, None]
    assert found[:2] == WANTED
    plain = [grid_configuration(wanted.parameters, index) for index in range(size)]
    assert found[2:size] == [each for each in plain if each not in WANTED]


def test_the_place_of_a_combination_in_the_grid_is_found_again() -> None:
    parameters = spec("grid").parameters
    places = [grid_index(parameters, grid_configuration(parameters, index)) for index in range(grid_size(parameters))]
    assert places == list(range(len(places)))


def test_without_points_random_draws_are_what_they_were() -> None:
    assert proposed(spec("random"), 2, 6) == proposed(spec("random", []), 2, 6)


def test_what_a_trial_had_is_a_point_as_the_manifest_writes_it() -> None:
    wanted = spec("random")
    for tried in proposed(wanted, 0, 40):
        assert tried is not None
        texts = {parameter.name: text_of(parameter, tried[parameter.name]) for parameter in wanted.parameters}
        assert points_to_evaluate(spec("random", [texts])) == [tried]
