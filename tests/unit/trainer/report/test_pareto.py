"""The front against its definition, and on the cases where definitions differ."""

from hypothesis import given
from hypothesis import strategies as st

from tuningsweep_trainer.report.pareto import front

points = st.lists(st.tuples(st.integers(0, 6).map(float), st.integers(0, 6).map(float)), max_size=20)


def dominated(point: tuple[float, float], by: tuple[float, float]) -> bool:
    return by[0] <= point[0] and by[1] <= point[1] and by != point


@given(points)
def test_the_front_is_every_value_that_no_other_dominates(cloud: list[tuple[float, float]]) -> None:
    expected = {point for point in cloud if not any(dominated(point, other) for other in cloud)}
    found = [cloud[index] for index in front(cloud)]
    assert found == sorted(expected)


def test_of_equal_points_the_first_counts() -> None:
    assert front([(1.0, 1.0), (1.0, 1.0)]) == [0]


def test_no_points() -> None:
    assert front([]) == []
