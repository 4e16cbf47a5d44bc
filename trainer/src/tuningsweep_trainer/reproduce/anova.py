"""Two-way analysis of variance: how much of a metric's variation goes with batch size and with learning rate; pure.

Partial eta squared is SS(factor) / (SS(factor) + SS(error)) with Type II sums of squares, so that missing trials do no
harm (in a full design they are the usual ones). Its interval inverts the noncentral F distribution: Steiger, "Beyond the F
test", Psychological Methods 9 (2004), and Smithson, "Confidence Intervals" (2003), chapter 5.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from tuningsweep_trainer.reproduce.intervals import CONFIDENCE, Interval

Floats = NDArray[np.float64]
ROUNDING: Final = 1e-24
"""Part of the values' squares up to which a sum of squares is rounding."""

HUGE: Final = 1e5
"""Sum of squares over error variance from which the numerator of F counts as known: 0.01 % off in probability."""


@dataclass(frozen=True, slots=True)
class Effect:
    """The share of variation that goes with a factor."""

    partial_eta_squared: float
    interval: Interval


def effect_of(factor: Sequence[Any], other: Sequence[Any], values: Sequence[float]) -> Effect | None:
    """Effect of `factor` on `values` beside `other`, one entry a trial; with interaction.

    None where it can't be measured: a factor has one level, or no configuration was run twice.
    """
    y = np.asarray(values, dtype=np.float64)
    first, second = _indicators(factor), _indicators(other)
    cells = _indicators(list(zip(factor, other, strict=True)))
    levels, rest = first.shape[1] - 1, len(y) - cells.shape[1]
    if levels < 1 or rest < 1:
        return None
    error = _residual(cells, y)
    explained = max(0.0, _residual(second, y) - _residual(np.hstack([first, second]), y))
    nothing = ROUNDING * float((y**2).sum())
    if error <= nothing:
        all_or_none = float(explained > nothing)
        return Effect(all_or_none, (all_or_none, all_or_none))
    statistic = (explained / levels) / (error / rest)
    return Effect(explained / (explained + error), _interval(statistic, levels, rest))


def _indicators(labels: Sequence[Any]) -> Floats:
    levels = sorted(set(labels))
    return np.asarray([[label == level for level in levels] for label in labels], dtype=np.float64)


def _residual(design: Floats, y: Floats) -> float:
    """Sum of squares left by a least-squares fit."""
    solution = np.linalg.lstsq(design, y, rcond=None)[0]
    return float(((y - design @ solution) ** 2).sum())


def _interval(statistic: float, levels: int, rest: int) -> Interval:
    tails = (1 + CONFIDENCE) / 2, (1 - CONFIDENCE) / 2
    low, high = (_noncentrality(statistic, levels, rest, tail) for tail in tails)
    count = levels + rest + 1
    return low / (low + count), high / (high + count)


def _noncentrality(statistic: float, levels: int, rest: int, tail: float) -> float:
    """The noncentrality under which an F of at most `statistic` has probability `tail`; 0 where even the central has less."""

    def above(noncentrality: float) -> float:
        return float(stats.ncf.cdf(statistic, levels, rest, noncentrality)) - tail

    if stats.f.cdf(statistic, levels, rest) <= tail:
        return 0.0
    if statistic * levels > HUGE:
        # Nothing but the denominator varies; scipy's noncentral F gives NaN far beyond this.
        return float(statistic * levels / rest * stats.chi2.isf(tail, rest))
    top = max(1.0, statistic * levels)
    while above(top) > 0:
        top *= 2
    return float(optimize.brentq(above, 0.0, top))
