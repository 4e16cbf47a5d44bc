"""Confidence intervals of what the claims measure, over few runs; pure.

With three runs the interval of a mean is Student's t with two degrees of freedom: wide, and honest about it.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy import stats

CONFIDENCE: Final = 0.95
Interval = tuple[float, float]


def t_interval(values: Sequence[float]) -> Interval | None:
    """Student's interval of the mean of independent values; None for fewer than two."""
    if len(values) < 2:
        return None
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * stats.sem(values))
    mean = float(np.mean(values))
    return mean - half, mean + half


def geometric(ratios: Sequence[float]) -> tuple[float, Interval | None]:
    """Geometric mean of positive ratios, with the interval of their logarithms' mean taken back."""
    logs = [math.log(ratio) for ratio in ratios]
    interval = t_interval(logs)
    return math.exp(float(np.mean(logs))), None if interval is None else (math.exp(interval[0]), math.exp(interval[1]))
