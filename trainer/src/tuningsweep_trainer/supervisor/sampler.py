"""Measures a trial's processes: memory (RSS - SHR) at every look, CPU time and the list of children less often.

Only numbers that `judge` and the metrics need, read from /proc with descriptors held open: a look at one process costs a
few microseconds, so it may happen a hundred times a second.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tuningsweep_trainer.training.process_tree import descendants, parse_statm

_TICKS: Final = os.sysconf("SC_CLK_TCK")

FASTEST: Final = 0.005
"""Seconds between two looks while memory moves."""
SLOWEST: Final = 0.1
"""Seconds between two looks while it is level; glances fall in between. Level memory moved between two such looks in 0.08 %
of them (docs/reproduction.md, "Defaults")."""
GLANCE_SECONDS: Final = 0.025
"""Seconds between two glances: a read of the memory alone, followed by a look if it moves or is over the limit."""
MOVING_BYTES: Final = 1 << 20
"""A change of memory between two looks that counts as moving."""
CHILDREN_SECONDS: Final = 0.1
"""Seconds between two looks for new children."""


def next_interval(interval: float, change: int) -> float:
    """Seconds until the next look, from the last ones and the change of memory between the last two looks (bytes)."""
    return FASTEST if abs(change) >= MOVING_BYTES else min(SLOWEST, interval * 1.5)


def parse_cpu(text: str) -> float:
    """CPU seconds of a /proc/PID/stat, its waited-for children included."""
    fields = text.rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / _TICKS


class TreeSampler:
    """Samples the processes below the fork server."""

    def __init__(self, root: int, find: Callable[[int], list[int]] = descendants) -> None:
        self._root = root
        self._find = find
        self._open: dict[int, int] = {}
        self._looked = float("-inf")
        self._gone_cpu = 0.0
        self._last_cpu: dict[int, float] = {}

    def memory(self, now: float) -> int:
        """Memory of all processes together, bytes; those that ended meanwhile count as nothing."""
        if now - self._looked >= CHILDREN_SECONDS:
            self._refresh(now)
        total = 0
        for pid, descriptor in list(self._open.items()):
            try:
                total += parse_statm(os.pread(descriptor, 128, 0))
            except (OSError, IndexError):
                self._forget(pid)
        return total

    def cpu_seconds(self) -> float:
        """CPU time of all processes so far, those that have ended included as last seen."""
        for pid in list(self._open):
            try:
                self._last_cpu[pid] = parse_cpu(Path(f"/proc/{pid}/stat").read_text())
            except (OSError, IndexError):
                continue
        return self._gone_cpu + sum(self._last_cpu.values())

    def close(self) -> None:
        """Close every descriptor."""
        for pid in list(self._open):
            self._forget(pid)

    def _refresh(self, now: float) -> None:
        self._looked = now
        alive = set(self._find(self._root))
        for pid in set(self._open) - alive:
            self._forget(pid)
        for pid in alive - set(self._open):
            try:
                self._open[pid] = os.open(f"/proc/{pid}/statm", os.O_RDONLY)
            except OSError:
                continue

    def _forget(self, pid: int) -> None:
        os.close(self._open.pop(pid))
        self._gone_cpu += self._last_cpu.pop(pid, 0.0)
