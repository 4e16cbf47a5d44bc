"""The front against its definition, and on the cases where definitions differ."""

from hypothesis import given
from hypothesis import strategies as st

from tuningsweep_api.pareto import front, spread

coordinate = st.integers(0, 4).map(float)
clouds = st.integers(1, 4).flatmap(lambda size: st.lists(st.tuples(*[coordinate] * size), max_size=20))


def dominated(point: tuple[float, ...], by: tuple[float, ...]) -> bool:
    return all(theirs <= mine for mine, theirs in zip(point, by, strict=True)) and by != point


@given(clouds)
def test_the_front_is_every_value_that_no_other_dominates(cloud: list[tuple[float, ...]]) -> None:
    expected = {point for point in cloud if not any(dominated(point, other) for other in cloud)}
    found = [cloud[index] for index in front(cloud)]
    assert found == sorted(expected)


def test_of_equal_points_the_first_counts() -> None:
    assert front([(1.0, 1.0), (1.0, 1.0)]) == [0]


def test_no_points() -> None:
    assert front([]) == []


@given(st.integers(0, 100), st.integers(0, 30))
def test_a_spread_keeps_the_order_and_both_ends(size: int, most: int) -> None:
    kept = spread(range(size), most)
    assert len(kept) == min(size, most)
    assert kept == sorted(set(kept))
    assert min(size, most) < 2 or (kept[0], kept[-1]) == (0, size - 1)
