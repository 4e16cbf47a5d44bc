"""The histogram of step times of a sweep on one node: counted by monitors, summed up and served by the exporter.

The step clock keeps sums, so that a step costs the training process next to nothing; a monitor reads it ten to a hundred
times a second. A step that takes longer than that falls into its bucket exactly. Shorter ones fall into the bucket of
their mean since the last reading. Count and sum are exact.
"""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

from tuningsweep_api.model import Model

BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds in seconds; a last bucket without bound follows."""


class StepTimes(Model):
    """Steps by bucket (each step in one bucket only) and their wall time together, seconds."""

    counts: list[int] = [0] * (len(BUCKETS) + 1)
    seconds: float = 0.0

    def cumulative(self) -> list[tuple[str, float]]:
        """Upper bound as text and steps up to it, as Prometheus wants them."""
        total, found = 0, []
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), self.counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found


def sum_step_times(parts: Iterable[StepTimes]) -> StepTimes:
    """The histogram of all parts together."""
    counts, seconds = [0] * (len(BUCKETS) + 1), 0.0
    for part in parts:
        counts = [ours + theirs for ours, theirs in zip(counts, part.counts, strict=True)]
        seconds += part.seconds
    return StepTimes(counts=counts, seconds=seconds)


class StepTimeTally:
    """Counts the steps of one training process on top of what its supervisor has seen before."""

    def __init__(self, before: StepTimes) -> None:
        self._counts, self._seconds = list(before.counts), before.seconds
        self._read = (0, 0.0)

    def take(self, steps: int, seconds: float) -> None:
        """Take in a reading of the step clock: steps so far and their wall time together."""
        fresh, spent = steps - self._read[0], seconds - self._read[1]
        if fresh > 0:
            self._counts[bisect_left(BUCKETS, spent / fresh)] += fresh
            self._seconds += spent
            self._read = (steps, seconds)

    def total(self) -> StepTimes:
        """What was counted so far."""
        return StepTimes(counts=list(self._counts), seconds=self._seconds)
