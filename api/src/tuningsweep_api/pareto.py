"""Pareto fronts of points whose coordinates are better when lower; pure, for optimal.py, the report and status."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def beats(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether `one` makes `other` needless: it is at most as high in every coordinate (also if they are equal)."""
    return all(mine <= theirs for mine, theirs in zip(one, other, strict=True))


def front(points: Sequence[Sequence[float]]) -> list[int]:
    """Indices of the points that no other beats, by the first coordinate. Of equal points the first one counts."""
    found: list[int] = []
    for index in sorted(range(len(points)), key=lambda i: (*points[i], i)):
        if not any(beats(points[kept], points[index]) for kept in found):
            found.append(index)
    return found


def spread(ordered: Sequence[T], most: int) -> list[T]:
    """At most so many of a sequence, evenly by position in their order; from two on the first and the last are among them."""
    if len(ordered) <= most or most < 2:
        return list(ordered[:most])
    return [ordered[round(place * (len(ordered) - 1) / (most - 1))] for place in range(most)]
