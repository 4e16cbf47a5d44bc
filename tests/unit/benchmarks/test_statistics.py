"""Repeats are interleaved, percentiles are of values that were measured."""

import pytest

from benchmarks.statistics import interleaved, median, percentile


def test_percentiles_are_nearest_ranks() -> None:
    values = [float(number) for number in range(200, 0, -1)]
    assert percentile(values, 50) == 100.0
    assert percentile(values, 99) == 198.0
    assert percentile(values, 100) == 200.0
    assert percentile([3.0], 1) == 3.0


def test_median() -> None:
    assert median([3.0, 1.0, 2.0]) == 2.0
    assert median([4.0, 1.0, 2.0, 3.0]) == 2.5


@pytest.mark.parametrize("take", [median, lambda values: percentile(values, 50)])
def test_nothing_measured_is_an_error(take) -> None:
    with pytest.raises(ValueError, match="no values"):
        take([])


def test_systems_take_turns_and_the_order_turns_round() -> None:
    order: list[str] = []

    def run(name: str) -> int:
        order.append(name)
        return len(order)

    measured = interleaved(2, {"a": lambda: run("a"), "b": lambda: run("b")})
    assert order == ["a", "b", "b", "a"]
    assert measured == {"a": [1, 4], "b": [2, 3]}
