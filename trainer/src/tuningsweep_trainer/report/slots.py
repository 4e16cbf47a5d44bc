"""Puts trials into rows of a timeline: one for each worker as long as it lives; pure. Called by report/rows.py."""

import heapq
from collections.abc import Sequence

Interval = tuple[float, float]
"""Start and end."""


def assign_slots(intervals: Sequence[Interval], workers: Sequence[str | None]) -> list[int]:
    """A row, from 0, for each interval; no two in a row overlap.

    Those of a worker share a row. One without a worker, or that began while its worker had another trial (a clock that was
    set back), counts as a worker of its own. A worker gets the lowest row that is free from its first start to its last end.
    """
    groups = _by_worker(intervals, workers)
    spans = [(intervals[group[0]][0], max(intervals[index][1] for index in group)) for group in groups]
    slots = [0] * len(intervals)
    for group, slot in zip(groups, _lowest_free(spans), strict=True):
        for index in group:
            slots[index] = slot
    return slots


def _by_worker(intervals: Sequence[Interval], workers: Sequence[str | None]) -> list[list[int]]:
    """Indices of each worker's intervals, one after the other in time."""
    alone: list[list[int]] = []
    shared: dict[str, list[int]] = {}
    for index in sorted(range(len(intervals)), key=intervals.__getitem__):
        worker = workers[index]
        of_worker = None if worker is None else shared.setdefault(worker, [])
        if of_worker is None or (of_worker and intervals[index][0] < intervals[of_worker[-1]][1]):
            alone.append([index])
        else:
            of_worker.append(index)
    return [*shared.values(), *alone]


def _lowest_free(spans: Sequence[Interval]) -> list[int]:
    slots = [0] * len(spans)
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    used = 0
    for index in sorted(range(len(spans)), key=spans.__getitem__):
        start, end = spans[index]
        while busy and busy[0][0] <= start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if free:
            slot = heapq.heappop(free)
        else:
            slot, used = used, used + 1
        slots[index] = slot
        heapq.heappush(busy, (end, slot))
    return slots
