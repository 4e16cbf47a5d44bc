"""Partial eta squared and its interval, against worked examples and noise of a known kind."""

import itertools

import numpy as np
import pytest
from scipy import stats

from tuningsweep_trainer.reproduce.anova import effect_of

ROWS = list(itertools.product(("a", "b"), ("x", "y"), range(2)))
FIRST, SECOND = [row[0] for row in ROWS], [row[1] for row in ROWS]
VALUES = [1.0, 3.0, 5.0, 7.0, 2.0, 4.0, 8.0, 10.0]
"""By hand: SS of the first factor 8, of the second 50, of their interaction 2, of error 8 (4 degrees of freedom)."""


def test_a_worked_example() -> None:
    first, second = effect_of(FIRST, SECOND, VALUES), effect_of(SECOND, FIRST, VALUES)
    assert first is not None
    assert second is not None
    assert first.partial_eta_squared == pytest.approx(8 / 16)
    assert second.partial_eta_squared == pytest.approx(50 / 58)


def test_the_interval_is_where_the_noncentral_f_has_the_tails() -> None:
    effect = effect_of(SECOND, FIRST, VALUES)
    assert effect is not None
    statistic, count = 50 / (8 / 4), 1 + 4 + 1
    for share, tail in zip(effect.interval, (0.975, 0.025), strict=True):
        noncentrality = count * share / (1 - share)
        assert stats.ncf.cdf(statistic, 1, 4, noncentrality) == pytest.approx(tail, abs=1e-6)


def test_noise_alone_has_an_interval_from_nothing() -> None:
    values = np.random.default_rng(0).normal(size=len(ROWS) * 3)
    effect = effect_of(FIRST * 3, SECOND * 3, list(values))
    assert effect is not None
    assert effect.interval[0] == 0.0
    assert effect.interval[1] < 0.5


def test_a_huge_effect_has_a_narrow_interval_near_one() -> None:
    values = [(row[0] == "b") * 1e3 + 0.001 * row[2] for row in ROWS]
    effect = effect_of(FIRST, SECOND, values)
    assert effect is not None
    assert 0.99 < effect.interval[0] <= effect.partial_eta_squared <= effect.interval[1] <= 1.0


def test_a_missing_trial_does_no_harm() -> None:
    values = [(row[0] == "b") * 2.0 + (row[1] == "y") * 50.0 + 0.01 * row[2] for row in ROWS]
    whole, part = effect_of(FIRST, SECOND, values), effect_of(FIRST[1:], SECOND[1:], values[1:])
    assert whole is not None
    assert part is not None
    assert part.partial_eta_squared == pytest.approx(whole.partial_eta_squared, abs=0.001)


def test_values_without_any_variation_have_no_effect() -> None:
    effect = effect_of(FIRST, SECOND, [1.1] * len(ROWS))
    assert effect is not None
    assert (effect.partial_eta_squared, effect.interval) == (0.0, (0.0, 0.0))


def test_one_level_can_not_be_compared() -> None:
    assert effect_of(["a"] * len(ROWS), SECOND, VALUES) is None


def test_a_single_run_of_each_can_not_be_told_from_noise() -> None:
    assert effect_of(FIRST[::2], SECOND[::2], VALUES[::2]) is None


def test_the_interval_goes_on_smoothly_where_the_effect_is_huge() -> None:
    lower = [
        effect.interval[0]
        for shift in (310.0, 318.0)  # on either side of anova.HUGE
        if (effect := effect_of(FIRST, SECOND, [v + (f == "b") * shift for v, f in zip(VALUES, FIRST, strict=True)]))
    ]
    assert lower[1] - lower[0] == pytest.approx(lower[1] * (1 - lower[1]) * 2 * 8 / 316, rel=0.1)
