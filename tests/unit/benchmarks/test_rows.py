"""A row is judged against its goals; a goal whose baseline is missing is neither met nor missed."""

import pytest

from benchmarks.rows import Goal, Row


@pytest.mark.parametrize(
    ("goal", "ours", "met"),
    [
        (Goal("<=", 0.06), 0.06, True),
        (Goal("<=", 0.06), 0.061, False),
        (Goal(">=", 1.0), 0.99, False),
        (Goal("<=", 1.3, "pool"), 1.3, True),
        (Goal("<=", 1.3, "pool"), 1.4, False),
        (Goal("<", 1, "pool"), 1.0, False),
        (Goal("<=", 1.3, "another"), 1.0, None),
    ],
)
def test_a_goal_is_a_number_or_a_factor_of_a_baseline(goal: Goal, ours: float, met: bool | None) -> None:
    assert goal.met(ours, {"pool": 1.0}) is met


def test_a_goal_reads_as_it_is_judged() -> None:
    assert Goal("<=", 0.06).text == "<= 0.06"
    assert Goal("<=", 1.3, "pool").text == "<= 1.3 x pool"
    assert Goal("<", 1, "pool").text == "< pool"


def row(ours: float, *goals: Goal) -> Row:
    return Row("time", "s", ours, {"pool": 1.0}, goals)


def test_every_goal_of_a_row_must_be_met() -> None:
    near, far, unknown = Goal("<=", 1), Goal("<=", 0.1), Goal("<=", 1, "another")
    assert row(0.5, near).met is True
    assert row(0.5, near, far).met is False
    assert row(0.5, near, unknown).met is None
    assert row(0.5, unknown, far).met is False, "one goal was missed, whatever the other says"
    assert row(0.5).met is None


def test_a_row_is_dumped_with_what_the_issue_asks_for() -> None:
    dumped = row(0.5, Goal("<=", 1), Goal("<=", 2, "pool")).dump()
    assert dumped["goal"] == "<= 1, <= 2 x pool"
    assert {"figure", "unit", "ours", "baselines", "goal", "met"} <= set(dumped)
