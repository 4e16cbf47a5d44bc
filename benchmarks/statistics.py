"""What is made of repeated measurements: interleaved runs, medians, percentiles."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

Measured = TypeVar("Measured")


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of the values do not exceed (nearest rank); ValueError without values."""
    if not values:
        raise ValueError("no values to take a percentile of")
    ranked = sorted(values)
    return ranked[max(1, math.ceil(len(ranked) * percent / 100)) - 1]


def median(values: Sequence[float]) -> float:
    """The median; the mean of the middle two of an even number."""
    if not values:
        raise ValueError("no values to take a median of")
    ranked, middle = sorted(values), len(values) // 2
    return ranked[middle] if len(ranked) % 2 else (ranked[middle - 1] + ranked[middle]) / 2


def interleaved(repeats: int, systems: Mapping[str, Callable[[], Measured]]) -> dict[str, list[Measured]]:
    """Measure each system `repeats` times, one after the other in rounds, so that a slow minute slows all of them.

    Every second round goes backwards, so that none always runs behind the same other.
    """
    measured: dict[str, list[Measured]] = {name: [] for name in systems}
    for number in range(repeats):
        names = list(systems)
        for name in names if number % 2 == 0 else reversed(names):
            measured[name].append(systems[name]())
    return measured
