"""Parameters out of a search space: on their steps, within their bounds, the same after every restart."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuningsweep_api.spec.search_space import Parameter
from tuningsweep_trainer.driver.schedulers import put_back
from tuningsweep_trainer.driver.search_space import (
    grid_configuration,
    grid_size,
    nearest,
    random_configuration,
)


def parameter(name: str, kind: str, **space: Any) -> Parameter:
    return Parameter.model_validate({"name": name, "parameterType": kind, "feasibleSpace": space})


FRACTIONS = parameter("f", "double", min="0.05", max="0.4", step="0.1")
WHOLE = parameter("w", "int", min="1", max="10", step="3")
NAMES = parameter("n", "categorical", list=["a", "1"])
SIZES = parameter("s", "discrete", list=["30", "300", "0.5"])
LOGARITHMIC = parameter("l", "double", min="0.0001", max="0.1", distribution="logUniform")
WIDE = parameter("i", "int", min="1", max="1000", distribution="logUniform")
ALL = [FRACTIONS, WHOLE, NAMES, SIZES, LOGARITHMIC, WIDE]
ALLOWED: dict[str, list[Any]] = {
    "f": [0.05, 0.15, 0.25, 0.35],
    "w": [1, 4, 7, 10],
    "n": ["a", "1"],
    "s": [30, 300, 0.5],
}


def test_a_grid_is_the_full_product_with_the_first_parameter_slowest() -> None:
    axes = [WHOLE, NAMES]
    grid = [grid_configuration(axes, index) for index in range(grid_size(axes))]
    assert grid == [{"w": w, "n": n} for w in (1, 4, 7, 10) for n in ("a", "1")]


def test_steps_are_counted_from_min_and_have_no_rounding_noise() -> None:
    assert [grid_configuration([FRACTIONS], index)["f"] for index in range(4)] == ALLOWED["f"]


@given(seed=st.integers(0, 2**31 - 1), index=st.integers(0, 100_000))
def test_draws_are_allowed_and_typed(seed: int, index: int) -> None:
    drawn = random_configuration(ALL, seed, index)
    for name, allowed in ALLOWED.items():
        assert drawn[name] in allowed
    assert isinstance(drawn["l"], float)
    assert 0.0001 <= drawn["l"] <= 0.1
    assert isinstance(drawn["i"], int)
    assert 1 <= drawn["i"] <= 1000
    assert isinstance(drawn["f"], float)


def test_a_position_has_the_same_draw_whatever_was_drawn_before() -> None:
    first = [random_configuration(ALL, 7, index) for index in range(5)]
    assert [random_configuration(ALL, 7, index) for index in reversed(range(5))] == first[::-1]
    assert len({str(drawn) for drawn in first}) == 5


@pytest.mark.parametrize(
    ("space", "value", "allowed"),
    [
        (FRACTIONS, 0.9, 0.35),
        (FRACTIONS, 0.19, 0.15),
        (WHOLE, -5, 1),
        (WHOLE, 9, 10),
        (NAMES, "1", "1"),
        (SIZES, 31, 30),
        (WIDE, 3.6, 4),
        (LOGARITHMIC, 1.0, 0.1),
    ],
)
def test_a_value_is_put_back_into_its_space(space: Parameter, value: Any, allowed: Any) -> None:
    assert nearest(space, value) == allowed


def test_what_pbt_perturbs_stays_in_the_space() -> None:
    config = {"trial": "trial-0001", "parameters": {"f": 0.48, "w": 12, "n": "a"}}
    assert put_back(config, [FRACTIONS, WHOLE, NAMES]) == {
        "trial": "trial-0001",
        "parameters": {"f": 0.35, "w": 10, "n": "a"},
    }
