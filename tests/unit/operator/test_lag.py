"""Watch lag: a watch that never shows a write of ours is dead, one that shows it is not."""

from tuningsweep_operator.lag import Lag

KEY = ("team", "a")


def test_a_watch_that_never_shows_our_writes_falls_behind_from_the_first() -> None:
    lag = Lag()
    lag.shown(KEY, 5, 90.0)
    lag.returned(KEY, 6, 100.0)
    lag.returned(KEY, 7, 130.0)
    assert lag.of(KEY, 170.0) == lag.longest(170.0) == 70.0
    lag.shown(KEY, 7, 171.0)
    assert lag.of(KEY, 180.0) == lag.longest(180.0) == 0.0


def test_a_watch_that_shows_an_earlier_write_is_alive() -> None:
    lag = Lag()
    lag.returned(KEY, 6, 100.0)
    lag.returned(KEY, 7, 130.0)
    lag.shown(KEY, 6, 131.0)
    assert lag.longest(141.0) == 10.0


def test_a_write_that_the_watch_showed_before_its_answer_came_is_not_awaited() -> None:
    lag = Lag()
    lag.shown(KEY, 6, 99.0)
    lag.returned(KEY, 6, 100.0)
    assert lag.longest(170.0) == 0.0
