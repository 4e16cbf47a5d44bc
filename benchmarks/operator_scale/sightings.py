"""What a watch shows of the statuses of sweeps: how late trials are counted in them, and how often they are written."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from benchmarks.operator_scale.drivers import End
from tuningsweep_api.trials import TrialCounts

Words = list[tuple[str, str, str]]
LATE_SECONDS: Final = 0.5
"""What two writes may seem to be closer together than they were, by the way they take to the watch."""


class Sightings:
    """Statuses as they were seen, by sweep; pure but for what it remembers."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[dict[str, Any], Words]] = {}
        self._counted: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self._quiet_writes: dict[str, list[float]] = defaultdict(list)
        self.writes = 0
        """Statuses that differ from the one before of the same sweep."""

    def see(self, manifest: dict[str, Any], at: float) -> None:
        """A sweep as the watch showed it at `at`, time.monotonic()."""
        name, status = manifest["metadata"]["name"], manifest.get("status", {})
        words = [(entry["type"], entry["status"], entry["reason"]) for entry in status.get("conditions", [])]
        before = self._last.get(name)
        self._last[name] = (status, words)
        if before is None or before[0] == status:
            return
        self.writes += 1
        if before[1] == words:
            self._quiet_writes[name].append(at)
        ended = _ended(status)
        counted = self._counted[name]
        if not counted or ended > counted[-1][0]:
            counted.append((ended, at))

    def lag(self, end: End) -> float | None:
        """Seconds from the end of a trial to the status that counts it; None if none was seen."""
        counted = self._counted[end.sweep]
        place = bisect_left(counted, (end.count, 0.0))
        return counted[place][1] - end.at if place < len(counted) else None

    def missing(self, ends: Iterable[End]) -> int:
        """How many of these ends no status counts."""
        return sum(self.lag(end) is None for end in ends)

    def most_writes(self, seconds: float) -> int:
        """The most writes of one sweep within so many seconds, without those that changed a condition."""
        return max((_most_within(times, seconds - LATE_SECONDS) for times in self._quiet_writes.values()), default=0)


def _ended(status: dict[str, Any]) -> int:
    trials = TrialCounts.model_validate(status.get("trials", {}), extra="ignore")
    return trials.total - trials.pending - trials.running


def _most_within(times: list[float], seconds: float) -> int:
    return max(number + 1 - bisect_left(times, at - seconds) for number, at in enumerate(times))
