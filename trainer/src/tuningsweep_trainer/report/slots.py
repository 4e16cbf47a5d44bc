"""Puts trials into rows of a timeline; pure. Results don't say which worker ran a trial, so rows are filled greedily."""

import heapq
from collections.abc import Sequence


def assign_slots(intervals: Sequence[tuple[float, float]]) -> list[int]:
    """A row, from 0, for each (start, end): the lowest that is free at its start. No two in a row overlap."""
    slots = [0] * len(intervals)
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    used = 0
    for index in sorted(range(len(intervals)), key=lambda i: intervals[i]):
        start, end = intervals[index]
        while busy and busy[0][0] <= start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if free:
            slot = heapq.heappop(free)
        else:
            slot, used = used, used + 1
        slots[index] = slot
        heapq.heappush(busy, (end, slot))
    return slots
